/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

struct _ImgImportCatalog
{
  ImgImportPlugin plugin;
  ImgImportCatalogVTable vtable;
};

static gboolean
slots_complete (const ImgImportCatalogVTable *vtable, const char *what, GError **error)
{
  return _imgimport_vtable_require (vtable->get != NULL, "get", what, error) &&
         _imgimport_vtable_require (vtable->scan != NULL, "scan", what, error) &&
         _imgimport_vtable_require (vtable->commit != NULL, "commit", what, error) &&
         _imgimport_vtable_require (vtable->journal_load != NULL, "journal_load", what, error) &&
         _imgimport_vtable_require (vtable->owner_register != NULL, "owner_register", what,
                                    error) &&
         _imgimport_vtable_require (vtable->owner_is_alive != NULL, "owner_is_alive", what, error);
}

ImgImportCatalog *
_imgimport_catalog_new (const ImgImportCatalogVTable *vtable, gpointer user_data,
                        GDestroyNotify destroy, GError **error)
{
  g_autoptr (ImgImportCatalog) self =
      _imgimport_plugin_new (sizeof *self, "catalog", NULL, user_data, destroy);

  if (!_imgimport_vtable_copy (&self->vtable, sizeof self->vtable, vtable, sizeof self->vtable,
                               self->plugin.what, error) ||
      !slots_complete (&self->vtable, self->plugin.what, error))
    return NULL;
  return g_steal_pointer (&self);
}

/* ---- records --------------------------------------------------------------------------------- */

static gboolean
record_is_sound (const ImgImportRecord *record)
{
  return record != NULL && record->kind != NULL && record->id != NULL && record->body != NULL &&
         record->revision > 0;
}

typedef struct
{
  char *body;
  char *owner;
  gint64 revision;
  gboolean broken;
} Found;

static gboolean
take_record (const ImgImportRecord *record, gpointer user_data)
{
  Found *found = user_data;

  found->broken = found->body != NULL || !record_is_sound (record);
  if (!found->broken)
    {
      found->body = g_strdup (record->body);
      found->owner = g_strdup (record->owner);
      found->revision = record->revision;
    }
  return !found->broken;
}

static gboolean
get (ImgImportCatalog *self, const char *kind, const char *id, Found *found, GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  gboolean ok =
      self->vtable.get (self->plugin.user_data, kind, id, take_record, found, &slot_error);

  if (!_imgimport_plugin_answer (&self->plugin, ok, &slot_error, error))
    return FALSE;
  return !found->broken ||
         _imgimport_plugin_broke_contract (
             &self->plugin, "get answered an incomplete record or more than one", error);
}

gboolean
_imgimport_catalog_get (ImgImportCatalog *self, const char *kind, const char *id, char **body,
                        gint64 *revision, GError **error)
{
  Found found = { .revision = IMGIMPORT_REVISION_ABSENT };
  gboolean ok = get (self, kind, id, &found, error);

  g_free (found.owner);
  if (ok && body != NULL)
    *body = g_steal_pointer (&found.body);
  if (ok && revision != NULL)
    *revision = found.revision;
  g_free (found.body);
  return ok;
}

gboolean
_imgimport_catalog_get_owner (ImgImportCatalog *self, const char *kind, const char *id,
                              char **owner, gint64 *revision, GError **error)
{
  Found found = { .revision = IMGIMPORT_REVISION_ABSENT };
  gboolean ok = get (self, kind, id, &found, error);

  g_free (found.body);
  if (ok)
    {
      *owner = g_steal_pointer (&found.owner);
      *revision = found.revision;
    }
  g_free (found.owner);
  return ok;
}

typedef struct
{
  ImgImportRecordFunc func;
  gpointer func_data;
  gboolean broken;
} Scan;

static gboolean
pass_record (const ImgImportRecord *record, gpointer user_data)
{
  Scan *scan = user_data;

  scan->broken = scan->broken || !record_is_sound (record);
  return !scan->broken && scan->func (record, scan->func_data);
}

gboolean
_imgimport_catalog_scan (ImgImportCatalog *self, const ImgImportQuery *query,
                         ImgImportRecordFunc func, gpointer func_data, GError **error)
{
  Scan scan = { func, func_data, FALSE };
  g_autoptr (GError) slot_error = NULL;
  gboolean ok = FALSE;

  ok = self->vtable.scan (self->plugin.user_data, query, pass_record, &scan, &slot_error);
  if (!_imgimport_plugin_answer (&self->plugin, ok, &slot_error, error))
    return FALSE;
  if (scan.broken)
    return _imgimport_plugin_broke_contract (&self->plugin, "scan answered an incomplete record",
                                             error);
  return TRUE;
}

gboolean
_imgimport_catalog_commit (ImgImportCatalog *self, const ImgImportOp *const *ops, guint n_ops,
                           gboolean durable, GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  gboolean ok = FALSE;

  ok = self->vtable.commit (self->plugin.user_data, ops, n_ops, durable, &slot_error);
  return _imgimport_plugin_answer (&self->plugin, ok, &slot_error, error);
}

gboolean
_imgimport_catalog_error_is_conflict (const GError *error)
{
  return g_error_matches (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_BUSY) &&
         strcmp (imgimport_error_get_reason (error), "revision-conflict") == 0;
}

/* ---- journals and owners --------------------------------------------------------------------- */

gboolean
_imgimport_catalog_journal_load (ImgImportCatalog *self, const char *journal,
                                 ImgImportJournalFunc func, gpointer func_data, GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  gboolean ok = FALSE;

  ok = self->vtable.journal_load (self->plugin.user_data, journal, func, func_data, &slot_error);
  return _imgimport_plugin_answer (&self->plugin, ok, &slot_error, error);
}

gboolean
_imgimport_catalog_owner_register (ImgImportCatalog *self, char **owner_id, GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  g_autofree char *answer = NULL;
  gboolean ok = FALSE;

  ok = self->vtable.owner_register (self->plugin.user_data, &answer, &slot_error);
  if (!_imgimport_plugin_answer (&self->plugin, ok, &slot_error, error))
    return FALSE;
  if (answer == NULL)
    return _imgimport_plugin_broke_contract (&self->plugin, "owner_register answered no id", error);
  *owner_id = g_steal_pointer (&answer);
  return TRUE;
}

gboolean
_imgimport_catalog_owner_is_alive (ImgImportCatalog *self, const char *owner_id, gboolean *alive,
                                   GError **error)
{
  g_autoptr (GError) slot_error = NULL;
  gboolean answer = FALSE;
  gboolean ok = FALSE;

  ok = self->vtable.owner_is_alive (self->plugin.user_data, owner_id, &answer, &slot_error);
  if (!_imgimport_plugin_answer (&self->plugin, ok, &slot_error, error))
    return FALSE;
  *alive = answer;
  return TRUE;
}
