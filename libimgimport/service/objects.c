/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/txn.h"

ImgImportStore *
_imgimport_service_store (ImgImportService *self, const char *id, GError **error)
{
  ImgImportStore *store = g_str_equal (id, IMGIMPORT_STAGING_ID)
                              ? self->staging
                              : _imgimport_registry_lookup (self->stores, id);

  if (store == NULL)
    _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_FOUND, "store-unknown",
                          "this service has no store “%s”", id);
  return store;
}

typedef struct
{
  const char *store;
  const char *key;
} Note;

static gboolean
drop_note (ImgImportTxn *txn, gpointer data, GError **error)
{
  const Note *note = data;

  _imgimport_txn_drop_object (txn, note->store, note->key);
  return TRUE;
}

gboolean
_imgimport_object_remove (ImgImportService *self, const char *store, const char *key,
                          GError **error)
{
  Note note = { store, key };
  ImgImportStore *handle = _imgimport_service_store (self, store, error);

  return handle != NULL && _imgimport_store_remove (handle, key, NULL, error) &&
         _imgimport_txn_run (self, NULL, NULL, FALSE, drop_note, &note, error);
}

typedef struct
{
  const char *prefix; /* of keys */
  GPtrArray *ids;     /* of notes: "<store>/<key>" */
  GPtrArray *owners;  /* of the same */
} Sweep;

static gboolean
collect_note (const ImgImportRecord *record, gpointer user_data)
{
  Sweep *sweep = user_data;
  const char *slash = strchr (record->id, '/');

  if (slash != NULL && g_str_has_prefix (slash + 1, sweep->prefix))
    {
      g_ptr_array_add (sweep->ids, g_strdup (record->id));
      g_ptr_array_add (sweep->owners, g_strdup (record->owner));
    }
  return TRUE;
}

/* Whether somebody else who lives has noted it: he has taken the job over meanwhile. */
static gboolean
is_anothers (ImgImportService *self, const char *owner, gboolean *anothers, GError **error)
{
  *anothers = FALSE;
  return owner == NULL || g_str_equal (owner, self->owner) ||
         _imgimport_catalog_owner_is_alive (self->catalog, owner, anothers, error);
}

gboolean
_imgimport_objects_sweep (ImgImportService *self, const char *image_id, guint64 epoch,
                          GError **error)
{
  g_autofree char *prefix = g_strdup_printf ("%s.%" G_GUINT64_FORMAT ".", image_id, epoch);
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) owners = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) first = NULL;
  Sweep sweep = { prefix, ids, owners };
  const ImgImportQuery query = { .struct_size = sizeof query,
                                 .kind = IMGIMPORT_KIND_OBJECT,
                                 .label = image_id,
                                 .created_from_us = G_MININT64,
                                 .created_to_us = G_MAXINT64 };
  guint i;

  if (!_imgimport_catalog_scan (self->catalog, &query, collect_note, &sweep, error))
    return FALSE;
  for (i = 0; i < ids->len; i++)
    {
      g_auto (GStrv) parts = g_strsplit (ids->pdata[i], "/", 2);
      gboolean anothers;

      if (!is_anothers (self, owners->pdata[i], &anothers, error))
        return FALSE;
      if (!anothers)
        _imgimport_object_remove (self, parts[0], parts[1], first == NULL ? &first : NULL);
    }
  if (first == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}
