/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The engine's journal, kept in the catalog beside the records that its tasks change. */

#include "service/service-private.h"

typedef struct
{
  ImgImportCatalog *catalog;
  gboolean durable;
} Adapter;

static void
adapter_free (gpointer data)
{
  Adapter *self = data;

  _imgimport_catalog_unref (self->catalog);
  g_free (self);
}

static gboolean
adapter_append (gpointer self, const char *run, const void *data, gsize length, gboolean durable,
                GError **error)
{
  Adapter *adapter = self;
  const ImgImportOp op = {
    .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = run, .data = data, .length = length
  };
  const ImgImportOp *const ops[] = { &op };

  return _imgimport_catalog_commit (adapter->catalog, ops, G_N_ELEMENTS (ops),
                                    durable && adapter->durable, error);
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

static const ImgImportJournalVTable adapter_vtable = {
  IMGIMPORT_JOURNAL_VTABLE_INIT,
  .append = adapter_append,
  .load = adapter_load,
  .forget = adapter_forget,
};

ImgImportJournal *
_imgimport_journal_new_catalog (ImgImportCatalog *catalog, gboolean durable, GError **error)
{
  Adapter *adapter = g_new0 (Adapter, 1);

  adapter->catalog = _imgimport_catalog_ref (catalog);
  adapter->durable = durable;
  return imgimport_journal_new (&adapter_vtable, adapter, adapter_free, error);
}
