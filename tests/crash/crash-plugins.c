/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "crash-plugins.h"

#include <signal.h>
#include <string.h>

#include "catalogs/catalogs-private.h"
#include "stores/stores-private.h"

#define CATALOG _imgimport_catalog_sqlite_vtable
#define STORE _imgimport_store_file_vtable

static void
step (CrashPoint *point)
{
  if ((guint)g_atomic_int_add (&point->count, 1) + 1 == point->at)
    raise (SIGKILL);
}

char *
crash_path (const char *root, const char *name)
{
  return g_build_filename (root, name, NULL);
}

/* ---- catalog --------------------------------------------------------------------------------- */

typedef struct
{
  gpointer catalog;
  CrashPoint *point;
} Catalog;

static gboolean
catalog_get (gpointer self, const char *kind, const char *id, ImgImportRecordFunc func,
             gpointer func_data, GError **error)
{
  return CATALOG.get (((Catalog *)self)->catalog, kind, id, func, func_data, error);
}

static gboolean
catalog_scan (gpointer self, const ImgImportQuery *query, ImgImportRecordFunc func,
              gpointer func_data, GError **error)
{
  return CATALOG.scan (((Catalog *)self)->catalog, query, func, func_data, error);
}

static gboolean
catalog_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
                GError **error)
{
  Catalog *wrapper = self;
  gboolean ok;

  step (wrapper->point);
  ok = CATALOG.commit (wrapper->catalog, ops, n_ops, durable, error);
  step (wrapper->point);
  return ok;
}

static gboolean
catalog_journal_load (gpointer self, const char *journal, ImgImportJournalFunc func,
                      gpointer func_data, GError **error)
{
  return CATALOG.journal_load (((Catalog *)self)->catalog, journal, func, func_data, error);
}

static gboolean
catalog_owner_register (gpointer self, char **owner_id, GError **error)
{
  Catalog *wrapper = self;
  gboolean ok = CATALOG.owner_register (wrapper->catalog, owner_id, error);

  step (wrapper->point);
  return ok;
}

static gboolean
catalog_owner_is_alive (gpointer self, const char *owner_id, gboolean *alive, GError **error)
{
  return CATALOG.owner_is_alive (((Catalog *)self)->catalog, owner_id, alive, error);
}

static void
catalog_free (gpointer data)
{
  Catalog *self = data;

  _imgimport_catalog_sqlite_free (self->catalog);
  g_free (self);
}

static const ImgImportCatalogVTable catalog_vtable = {
  IMGIMPORT_CATALOG_VTABLE_INIT,
  .get = catalog_get,
  .scan = catalog_scan,
  .commit = catalog_commit,
  .journal_load = catalog_journal_load,
  .owner_register = catalog_owner_register,
  .owner_is_alive = catalog_owner_is_alive,
};

/* ---- stores ---------------------------------------------------------------------------------- */

typedef struct
{
  gpointer store;
  CrashPoint *point;
  gboolean fails;
} Store;

static gboolean
store_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
             GCancellable *cancellable, GError **error)
{
  Store *wrapper = self;
  gboolean ok;

  if (wrapper->fails)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_NO_SPACE, "store-full", "nothing is accepted");
      return FALSE;
    }
  step (wrapper->point);
  ok = STORE.begin (wrapper->store, key, expected, writer, cancellable, error);
  step (wrapper->point);
  return ok;
}

static gboolean
store_write (gpointer self, gpointer writer, guint64 offset, const void *data, gsize length,
             GCancellable *cancellable, GError **error)
{
  Store *wrapper = self;
  gboolean ok;

  step (wrapper->point);
  ok = STORE.write (wrapper->store, writer, offset, data, length, cancellable, error);
  step (wrapper->point);
  return ok;
}

static gboolean
store_commit (gpointer self, gpointer writer, guint64 size, char **version,
              GCancellable *cancellable, GError **error)
{
  Store *wrapper = self;
  gboolean ok;

  step (wrapper->point);
  ok = STORE.commit (wrapper->store, writer, size, version, cancellable, error);
  step (wrapper->point);
  return ok;
}

static void
store_abort (gpointer self, gpointer writer)
{
  Store *wrapper = self;

  step (wrapper->point);
  STORE.abort (wrapper->store, writer);
  step (wrapper->point);
}

static gboolean
store_open (gpointer self, const char *key, gpointer *reader, GCancellable *cancellable,
            GError **error)
{
  return STORE.open (((Store *)self)->store, key, reader, cancellable, error);
}

static gboolean
store_read (gpointer self, gpointer reader, guint64 offset, void *buffer, gsize length,
            gsize *n_read, GCancellable *cancellable, GError **error)
{
  return STORE.read (((Store *)self)->store, reader, offset, buffer, length, n_read, cancellable,
                     error);
}

static void
store_close (gpointer self, gpointer reader)
{
  STORE.close (((Store *)self)->store, reader);
}

static gboolean
store_stat (gpointer self, const char *key, guint64 *size, char **version,
            GCancellable *cancellable, GError **error)
{
  return STORE.stat (((Store *)self)->store, key, size, version, cancellable, error);
}

static gboolean
store_remove (gpointer self, const char *key, GCancellable *cancellable, GError **error)
{
  Store *wrapper = self;
  gboolean ok;

  step (wrapper->point);
  ok = STORE.remove (wrapper->store, key, cancellable, error);
  step (wrapper->point);
  return ok;
}

static int
store_local_fd (gpointer self, gpointer reader)
{
  return STORE.local_fd (((Store *)self)->store, reader);
}

static gboolean
store_adopt (gpointer self, const char *key, int fd, guint64 size, char **version,
             ImgImportAdoption *adoption, GCancellable *cancellable, GError **error)
{
  Store *wrapper = self;
  gboolean ok;

  step (wrapper->point);
  ok = STORE.adopt (wrapper->store, key, fd, size, version, adoption, cancellable, error);
  step (wrapper->point);
  return ok;
}

static void
store_free (gpointer data)
{
  Store *self = data;

  _imgimport_store_file_free (self->store);
  g_free (self);
}

#define STORE_SLOTS                                                                                \
  .begin = store_begin, .write = store_write, .commit = store_commit, .abort = store_abort,        \
  .open = store_open, .read = store_read, .close = store_close, .stat = store_stat,                \
  .remove = store_remove

static const ImgImportStoreVTable adopting_vtable = {
  IMGIMPORT_STORE_VTABLE_INIT,
  STORE_SLOTS,
  .local_fd = store_local_fd,
  .adopt = store_adopt,
};

static const ImgImportStoreVTable streaming_vtable = {
  IMGIMPORT_STORE_VTABLE_INIT,
  STORE_SLOTS,
};

static Store *
store_new (const CrashSetup *setup, const char *name, GError **error)
{
  g_autofree char *path = crash_path (setup->root, name);
  gpointer store = _imgimport_store_file_new (path, setup->durable, error);
  Store *self;

  if (store == NULL)
    return NULL;
  self = g_new0 (Store, 1);
  self->store = store;
  self->point = setup->point;
  self->fails = setup->store_fails && g_str_equal (name, "two");
  return self;
}

/* ---- a method that streams ------------------------------------------------------------------- */

GBytes *
crash_bytes (void)
{
  enum
  {
    HOLE = 3 << 20,
    TEXT = 4096
  };
  guint8 *data = g_malloc0 (HOLE + TEXT);

  memset (data + HOLE, 'x', TEXT);
  return g_bytes_new_take (data, HOLE + TEXT);
}

GBytes *
crash_packed_bytes (void)
{
  g_autoptr (GBytes) bytes = crash_bytes ();
  g_autoptr (GConverter) gzip =
      G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1));
  g_autoptr (GInputStream) plain = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GInputStream) packed = g_converter_input_stream_new (plain, gzip);
  g_autoptr (GError) error = NULL;
  gsize size = g_bytes_get_size (bytes), n_read = 0;
  g_autofree guint8 *data = g_malloc (size);

  g_input_stream_read_all (packed, data, size, &n_read, NULL, &error);
  g_assert_no_error (error);
  return g_bytes_new (data, n_read);
}

static gboolean
method_open (gpointer self, ImgImportCall *call, gpointer *stream, guint64 *size,
             GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) bytes = crash_bytes ();

  *stream = g_memory_input_stream_new_from_bytes (bytes);
  return TRUE;
}

static gboolean
method_read (gpointer self, gpointer stream, void *buffer, gsize length, gsize *n_read,
             GCancellable *cancellable, GError **error)
{
  gssize n = g_input_stream_read (stream, buffer, length, cancellable, error);

  *n_read = (gsize)MAX (n, 0);
  return n >= 0;
}

static void
method_close (gpointer self, gpointer stream)
{
  g_object_unref (stream);
}

static const ImgImportMethodVTable method_vtable = {
  IMGIMPORT_METHOD_VTABLE_INIT, .required_status = IMGIMPORT_STATUS_QUEUED,
  .open = method_open,          .read = method_read,
  .close = method_close,
};

/* ---- the service ----------------------------------------------------------------------------- */

static gboolean
add_catalog (ImgImportService *service, const CrashSetup *setup, GError **error)
{
  g_autofree char *path = crash_path (setup->root, "catalog.sqlite");
  gpointer catalog = _imgimport_catalog_sqlite_new (path, error);
  Catalog *self;

  if (catalog == NULL)
    return FALSE;
  self = g_new0 (Catalog, 1);
  self->catalog = catalog;
  self->point = setup->point;
  return imgimport_service_set_catalog (service, &catalog_vtable, self, catalog_free, error);
}

static gboolean
add_plugins (ImgImportService *service, const CrashSetup *setup, GError **error)
{
  Store *staging = store_new (setup, "staging", error);
  Store *one = store_new (setup, "one", error);
  Store *two = store_new (setup, "two", error);

  g_assert_true (staging != NULL && one != NULL && two != NULL);
  return add_catalog (service, setup, error) &&
         imgimport_service_set_staging (service, &adopting_vtable, staging, store_free, error) &&
         imgimport_service_add_store (service, "one", &adopting_vtable, one, store_free, error) &&
         imgimport_service_add_store (service, "two", &streaming_vtable, two, store_free, error) &&
         imgimport_service_add_method (service, "stream", &method_vtable, NULL, NULL, error);
}

ImgImportService *
crash_service_open (const CrashSetup *setup, GError **error)
{
  g_autofree char *config =
      g_strdup_printf ("{\"workers\": %u, \"durability\": \"%s\", \"hooks\": [\"decompress\"]}",
                       setup->workers, setup->durable ? "power" : "process");
  g_autoptr (ImgImportService) service = imgimport_service_new (NULL, config, error);

  if (service == NULL || !add_plugins (service, setup, error) ||
      !imgimport_service_start (service, NULL, error))
    return NULL;
  return g_steal_pointer (&service);
}
