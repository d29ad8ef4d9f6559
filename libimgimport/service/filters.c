/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The filters of an import's hooks, and the two objects in staging that they make necessary. */

#include "service/import-private.h"

struct _ImgImportFilters
{
  GPtrArray *upstreams; /* of ImgImportUpstream: before each filter, and after the last */
  GPtrArray *filters;   /* of ImgImportHookFilter */
};

static ImgImportFilters *
filters_new (ImgImportSourceFunc read, gpointer source)
{
  ImgImportFilters *self = g_new0 (ImgImportFilters, 1);

  self->upstreams = g_ptr_array_new_with_free_func ((GDestroyNotify)_imgimport_upstream_free);
  self->filters = g_ptr_array_new_with_free_func ((GDestroyNotify)_imgimport_hook_filter_close);
  g_ptr_array_add (self->upstreams, _imgimport_upstream_new (read, source));
  return self;
}

static ImgImportUpstream *
last_upstream (ImgImportFilters *self)
{
  return self->upstreams->pdata[self->upstreams->len - 1];
}

void
_imgimport_filters_close (ImgImportFilters *self)
{
  guint i;

  /* A filter may look back while it is closed, at those before it. */
  for (i = self->filters->len; i > 0; i--)
    g_ptr_array_remove_index (self->filters, i - 1);
  g_ptr_array_unref (self->filters);
  g_ptr_array_unref (self->upstreams);
  g_free (self);
}

gboolean
_imgimport_filters_are_possible (ImgImportImport *import)
{
  ImgImportRegistry *hooks = import->service->hooks;
  guint i;

  for (i = 0; i < _imgimport_registry_get_size (hooks); i++)
    if (_imgimport_hook_is_filter (_imgimport_registry_get (hooks, i)))
      return TRUE;
  return FALSE;
}

ImgImportFilters *
_imgimport_filters_open (ImgImportImport *import, ImgImportCall *call, ImgImportSourceFunc read,
                         gpointer source, GCancellable *cancellable, GError **error)
{
  g_autoptr (ImgImportFilters) self = filters_new (read, source);
  ImgImportRegistry *hooks = import->service->hooks;
  guint i;

  for (i = 0; i < _imgimport_registry_get_size (hooks); i++)
    {
      ImgImportHookFilter *filter = NULL;

      if (!_imgimport_hook_open (_imgimport_registry_get (hooks, i), call, last_upstream (self),
                                 &filter, cancellable, error))
        return NULL;
      if (filter == NULL)
        continue;
      g_ptr_array_add (self->filters, filter);
      g_ptr_array_add (self->upstreams,
                       _imgimport_upstream_new (_imgimport_hook_filter_read, filter));
    }
  return g_steal_pointer (&self);
}

gboolean
_imgimport_filters_are_needed (ImgImportFilters *self)
{
  return self->filters->len > 0;
}

gboolean
_imgimport_filters_read (gpointer filters, void *buffer, gsize length, gsize *n_read,
                         GCancellable *cancellable, GError **error)
{
  return imgimport_upstream_read (last_upstream (filters), buffer, length, n_read, cancellable,
                                  error);
}

/* ---- what was staged, and what is made of it ------------------------------------------------- */

void
_imgimport_record_keep_original (ImgImportImageRecord *self)
{
  self->original = self->staged;
  self->staged = (ImgImportStaged){ 0 };
}

void
_imgimport_record_restore_original (ImgImportTxn *txn)
{
  ImgImportImageRecord *record = _imgimport_txn_image (txn);

  if (record->original.key == NULL)
    return;
  _imgimport_txn_note_object (txn, IMGIMPORT_STAGING_ID, record->image->id, record->staged.key);
  _imgimport_staged_clear (&record->staged);
  record->staged = record->original;
  record->original = (ImgImportStaged){ 0 };
  record->image->size = record->staged.size;
  _imgimport_txn_image_changed (txn);
}
