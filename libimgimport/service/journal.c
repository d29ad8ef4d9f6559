/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The engine's journal, kept in the catalog beside the records that its tasks change. A run is its
 * owner's whose name stands in the run's note. Each append expects the note to be as it was when
 * the run was claimed: who took the run over has put his own in its place.
 */

#include "service/txn.h"

#define MAX_TRIES 8

typedef struct
{
  ImgImportCatalog *catalog;
  char *owner;
  ImgImportBacklog *backlog; /* NULL: what is appended is written at once */
  gboolean durable;
  GMutex lock;
  GHashTable *claims; /* under lock: run to Claim */
} Adapter;

typedef struct
{
  gint64 revision;  /* of the note */
  gboolean is_made; /* by the claim, and so removed with it */
} Claim;

static void
adapter_free (gpointer data)
{
  Adapter *self = data;

  g_hash_table_unref (self->claims);
  g_mutex_clear (&self->lock);
  _imgimport_plugin_unref (self->catalog);
  g_clear_pointer (&self->backlog, _imgimport_backlog_unref);
  g_free (self->owner);
  g_free (self);
}

static Claim
find_claim (Adapter *self, const char *run)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  const Claim *claim = g_hash_table_lookup (self->claims, run);
  const Claim none = { IMGIMPORT_REVISION_ANY, FALSE };

  return claim != NULL ? *claim : none;
}

static gboolean
refuse (const char *run, GError **error)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_BUSY, "run-claimed",
                        "run “%s” is being run by somebody else", run);
  return FALSE;
}

static ImgImportRecord
note_of (Adapter *self, const char *run)
{
  ImgImportRecord note = { .kind = IMGIMPORT_KIND_RUN, .id = run, .owner = self->owner };

  note.created_us = g_get_real_time ();
  note.body = "{}";
  return note;
}

/* One operation on the note, where somebody else's may come first. */
static gboolean
change_note (Adapter *self, ImgImportOpKind kind, const char *run, gint64 expected, GError **error)
{
  const ImgImportRecord note = note_of (self, run);
  const ImgImportOp op = { .kind = kind, .expected = expected, .record = &note };
  const ImgImportOp *const ops[] = { &op };
  GError *local = NULL;

  if (_imgimport_catalog_commit (self->catalog, ops, G_N_ELEMENTS (ops), FALSE, &local))
    return TRUE;
  if (!_imgimport_catalog_error_is_conflict (local))
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  g_error_free (local);
  return refuse (run, error);
}

/* ---- records --------------------------------------------------------------------------------- */

/* Whether the note is still what it was: a catalog may see a conflict where there is none. */
static gboolean
is_held (Adapter *self, const char *run, const Claim *claim, GError **error)
{
  g_autofree char *owner = NULL;
  gint64 revision;

  if (!_imgimport_catalog_get_owner (self->catalog, IMGIMPORT_KIND_RUN, run, &owner, &revision,
                                     error))
    return FALSE;
  return revision == claim->revision || refuse (run, error);
}

static gboolean
append_now (Adapter *adapter, const char *run, const void *data, gsize length, gboolean durable,
            GError **error)
{
  const Claim claim = find_claim (adapter, run);
  const ImgImportRecord note = note_of (adapter, run);
  const ImgImportOp check = { .kind = IMGIMPORT_OP_CHECK,
                              .expected = claim.revision,
                              .record = &note };
  const ImgImportOp append = {
    .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = run, .data = data, .length = length
  };
  const ImgImportOp *const ops[] = { &append, &check };
  guint n_ops = claim.revision == IMGIMPORT_REVISION_ANY ? 1 : 2;
  guint i;

  for (i = 0; i < MAX_TRIES; i++)
    {
      g_autoptr (GError) local = NULL;

      if (_imgimport_catalog_commit (adapter->catalog, ops, n_ops, durable && adapter->durable,
                                     &local))
        return TRUE;
      if (!_imgimport_catalog_error_is_conflict (local))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      if (!is_held (adapter, run, &claim, error))
        return FALSE;
    }
  return refuse (run, error);
}

static gboolean
adapter_append (gpointer self, const char *run, const void *data, gsize length, gboolean durable,
                GError **error)
{
  Adapter *adapter = self;

  if (adapter->backlog == NULL)
    return append_now (adapter, run, data, length, durable, error);
  _imgimport_backlog_add (adapter->backlog, run, g_bytes_new (data, length));
  return TRUE;
}

static gboolean
adapter_load (gpointer self, const char *run, ImgImportJournalFunc func, gpointer func_data,
              GError **error)
{
  Adapter *adapter = self;

  return _imgimport_catalog_journal_load (adapter->catalog, run, func, func_data, error);
}

static gboolean
adapter_forget (gpointer self, const char *run, GError **error)
{
  Adapter *adapter = self;
  const ImgImportOp op = { .kind = IMGIMPORT_OP_JOURNAL_FORGET, .journal = run };
  const ImgImportOp *const ops[] = { &op };

  return _imgimport_catalog_commit (adapter->catalog, ops, G_N_ELEMENTS (ops), FALSE, error);
}

/* ---- claims ---------------------------------------------------------------------------------- */

/* What the note says; one of a dead owner, or none, is replaced. */
static gboolean
take_note (Adapter *self, const char *run, Claim *claim, GError **error)
{
  g_autofree char *owner = NULL;
  gboolean alive = FALSE;

  if (!_imgimport_catalog_get_owner (self->catalog, IMGIMPORT_KIND_RUN, run, &owner,
                                     &claim->revision, error))
    return FALSE;
  if (g_strcmp0 (owner, self->owner) == 0)
    return TRUE;
  if (owner != NULL && !_imgimport_catalog_owner_is_alive (self->catalog, owner, &alive, error))
    return FALSE;
  if (alive)
    return refuse (run, error);
  claim->is_made = claim->revision == IMGIMPORT_REVISION_ABSENT;
  if (!change_note (self, IMGIMPORT_OP_PUT, run, claim->revision, error))
    return FALSE;
  claim->revision++;
  return TRUE;
}

static gboolean
adapter_claim (gpointer self, const char *run, GError **error)
{
  Adapter *adapter = self;
  Claim *claim = g_new0 (Claim, 1);
  gboolean is_free;

  claim->revision = IMGIMPORT_REVISION_ANY;
  g_mutex_lock (&adapter->lock);
  is_free = !g_hash_table_contains (adapter->claims, run);
  if (is_free)
    g_hash_table_insert (adapter->claims, g_strdup (run), claim);
  g_mutex_unlock (&adapter->lock);
  if (!is_free)
    {
      g_free (claim);
      return refuse (run, error);
    }
  /* Nobody else looks at it until this returns. */
  if (take_note (adapter, run, claim, error))
    return TRUE;
  g_mutex_lock (&adapter->lock);
  g_hash_table_remove (adapter->claims, run);
  g_mutex_unlock (&adapter->lock);
  return FALSE;
}

static void
adapter_release (gpointer self, const char *run)
{
  Adapter *adapter = self;
  const Claim claim = find_claim (adapter, run);

  if (adapter->backlog != NULL)
    _imgimport_backlog_forget (adapter->backlog, run);
  /* One that stays is the owner's, who dies. */
  if (claim.is_made)
    change_note (adapter, IMGIMPORT_OP_REMOVE, run, claim.revision, NULL);
  g_mutex_lock (&adapter->lock);
  g_hash_table_remove (adapter->claims, run);
  g_mutex_unlock (&adapter->lock);
}

static const ImgImportJournalVTable adapter_vtable = {
  IMGIMPORT_JOURNAL_VTABLE_INIT, .append = adapter_append, .load = adapter_load,
  .forget = adapter_forget,      .claim = adapter_claim,   .release = adapter_release,
};

ImgImportJournal *
_imgimport_journal_new_catalog (ImgImportCatalog *catalog, const char *owner,
                                ImgImportBacklog *backlog, gboolean durable, GError **error)
{
  Adapter *adapter = g_new0 (Adapter, 1);

  adapter->catalog = _imgimport_plugin_ref (catalog);
  adapter->owner = g_strdup (owner);
  adapter->backlog = backlog != NULL ? _imgimport_backlog_ref (backlog) : NULL;
  adapter->durable = durable;
  g_mutex_init (&adapter->lock);
  adapter->claims = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return imgimport_journal_new (&adapter_vtable, adapter, adapter_free, error);
}
