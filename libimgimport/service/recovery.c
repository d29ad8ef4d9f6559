/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What owners that are dead left behind. Jobs first: a pending one goes on here, one that had begun
 * is undone, or driven to its end past activation. Then the objects that are still noted: half-done
 * uploads, and bytes that could not be removed in time.
 */

#include "service/import-private.h"

/* A note: of a job ("run") or of bytes ("object"). */
typedef struct
{
  char *id;
  char *owner;
  char *label;
} Note;

static void
note_free (gpointer data)
{
  Note *self = data;

  g_free (self->id);
  g_free (self->owner);
  g_free (self->label);
  g_free (self);
}

static gboolean
collect (const ImgImportRecord *record, gpointer user_data)
{
  Note *note = g_new0 (Note, 1);

  note->id = g_strdup (record->id);
  note->owner = g_strdup (record->owner);
  note->label = g_strdup (record->label);
  g_ptr_array_add (user_data, note);
  return TRUE;
}

/* Notes whose owner is dead; `only` that one unless NULL. */
static GPtrArray *
find_notes (ImgImportService *self, const char *kind, const char *only, GError **error)
{
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (note_free);
  g_autoptr (GHashTable) living = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const ImgImportQuery query = { .struct_size = sizeof query,
                                 .kind = kind,
                                 .owner = only,
                                 .created_from_us = G_MININT64,
                                 .created_to_us = G_MAXINT64 };
  guint i = 0;

  if (!_imgimport_catalog_scan (self->catalog, &query, collect, notes, error))
    return NULL;
  while (i < notes->len)
    {
      const Note *note = notes->pdata[i];
      gboolean alive = note->owner != NULL && g_hash_table_contains (living, note->owner);

      /* Our notes have owners; one that lost it, in whatever way, is nobody's. */
      if (!alive && note->owner != NULL &&
          !_imgimport_catalog_owner_is_alive (self->catalog, note->owner, &alive, error))
        return NULL;
      if (alive)
        {
          g_hash_table_add (living, g_strdup (note->owner));
          g_ptr_array_remove_index (notes, i);
        }
      else
        i++;
    }
  return g_steal_pointer (&notes);
}

/* ---- jobs ------------------------------------------------------------------------------------ */

typedef struct
{
  ImgImportService *service;
  const Note *note;
  gboolean taken;
  ImgImportJobStatus status;
} Takeover;

static gboolean
take_over (ImgImportTxn *txn, gpointer data, GError **error)
{
  Takeover *self = data;
  ImgImportJobRecord *job = _imgimport_txn_job (txn);
  ImgImportImageRecord *image = _imgimport_txn_image (txn);

  /* Another service may have been faster. */
  self->taken = g_strcmp0 (job->owner, self->note->owner) == 0;
  if (!self->taken)
    return TRUE;
  self->status = job->job->status;
  _imgimport_set_string (&job->owner, self->service->owner);
  _imgimport_txn_job_changed (txn);
  _imgimport_txn_note_run (txn, job->job->id);
  if (image != NULL && g_strcmp0 (image->claim.job, job->job->id) == 0)
    {
      _imgimport_set_string (&image->claim.owner, self->service->owner);
      _imgimport_txn_image_changed (txn);
    }
  return TRUE;
}

static gboolean
take_job (ImgImportService *self, const char *image_id, Takeover *takeover, GError **error)
{
  const char *job_id = takeover->note->id;
  g_autoptr (GError) gone = NULL;

  if (_imgimport_txn_run (self, image_id, job_id, FALSE, take_over, takeover, &gone))
    return TRUE;
  if (g_error_matches (gone, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND))
    return _imgimport_txn_run (self, NULL, job_id, FALSE, take_over, takeover, error);
  g_propagate_error (error, g_steal_pointer (&gone));
  return FALSE;
}

/* `*import` stays NULL where another service was faster. */
static gboolean
adopt_job (ImgImportService *self, Takeover *takeover, ImgImportImport **import, GError **error)
{
  const char *id = takeover->note->id;
  g_auto (ImgImportKnown) known = { NULL, _imgimport_job_record_load (self, id, error) };

  if (known.job == NULL || !take_job (self, known.job->job->image_id, takeover, error))
    return FALSE;
  if (!takeover->taken)
    return TRUE;
  _imgimport_log (self->log, G_LOG_LEVEL_MESSAGE, "job %s is taken over from a dead process", id);
  *import =
      _imgimport_import_start (self, &known, takeover->status != IMGIMPORT_JOB_PENDING, error);
  return *import != NULL;
}

static gboolean
recover_job (ImgImportService *self, const Note *note, GError **error)
{
  Takeover takeover = { self, note, FALSE, IMGIMPORT_JOB_PENDING };
  g_autoptr (ImgImportImport) import = NULL;
  gboolean ok;

  _imgimport_service_begin_starting (self);
  ok = adopt_job (self, &takeover, &import, error);
  _imgimport_service_end_starting (self);
  if (import == NULL)
    return ok;
  if (takeover.status != IMGIMPORT_JOB_PENDING)
    imgimport_run_wait (_imgimport_import_get_run (import), -1);
  return TRUE;
}

/* ---- objects --------------------------------------------------------------------------------- */

static gboolean
end_upload (ImgImportTxn *txn, gpointer data, GError **error)
{
  const Note *note = data;
  const ImgImportClaim *claim = &_imgimport_txn_image (txn)->claim;

  if (claim->kind != IMGIMPORT_CLAIM_UPLOAD || g_strcmp0 (claim->owner, note->owner) != 0)
    return TRUE;
  return _imgimport_record_unstage (txn, error);
}

static gboolean
recover_object (ImgImportService *self, const Note *note, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (note->id, "/", 2);
  g_autoptr (GError) gone = NULL;

  if (note->label != NULL &&
      !_imgimport_txn_run (self, note->label, NULL, FALSE, end_upload, (gpointer)note, &gone) &&
      !g_error_matches (gone, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&gone));
      return FALSE;
    }
  _imgimport_log (self->log, G_LOG_LEVEL_MESSAGE, "removing ownerless bytes: %s", note->id);
  if (g_strv_length (parts) != 2)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "record-corrupt",
                            "“%s” names no object", note->id);
      return FALSE;
    }
  return _imgimport_object_remove (self, parts[0], parts[1], error);
}

/* ---- all ------------------------------------------------------------------------------------- */

typedef gboolean (*RecoverFunc) (ImgImportService *self, const Note *note, GError **error);

/* One thing that cannot be recovered now, such as bytes in a store that does not answer, stands
 * until a later start; it does not keep the service from its work. */
static gboolean
recover_kind (ImgImportService *self, const char *kind, const char *only, RecoverFunc func,
              GError **error)
{
  g_autoptr (GPtrArray) notes = find_notes (self, kind, only, error);
  guint i;

  for (i = 0; notes != NULL && i < notes->len; i++)
    {
      const Note *note = notes->pdata[i];
      g_autoptr (GError) cause = NULL;

      if (!func (self, note, &cause))
        _imgimport_log (self->log, G_LOG_LEVEL_WARNING, "%s %s cannot be recovered now: %s", kind,
                        note->id, cause->message);
    }
  return notes != NULL;
}

static gboolean
recover (ImgImportService *self, const char *only, GError **error)
{
  return recover_kind (self, IMGIMPORT_KIND_RUN, only, recover_job, error) &&
         recover_kind (self, IMGIMPORT_KIND_OBJECT, only, recover_object, error);
}

gboolean
_imgimport_service_recover (ImgImportService *self, GError **error)
{
  return recover (self, NULL, error);
}

gboolean
_imgimport_service_recover_owner (ImgImportService *self, const char *owner, gboolean *recovered,
                                  GError **error)
{
  gboolean alive = TRUE;

  *recovered = FALSE;
  if (!_imgimport_catalog_owner_is_alive (self->catalog, owner, &alive, error))
    return FALSE;
  if (alive)
    return TRUE;
  *recovered = TRUE;
  return recover (self, owner, error);
}
