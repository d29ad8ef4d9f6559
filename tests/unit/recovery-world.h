/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Services that share one directory, of which the first stands still where it is told to and then
 * counts as dead, although it can be woken: what it does afterwards must change nothing.
 */

#include "service.h"

#include "catalogs/catalogs-private.h"
#include "stores/stores-private.h"
#define CATALOG _imgimport_catalog_sqlite_vtable
#define STORE _imgimport_store_file_vtable

typedef struct
{
  char *root;
  char *dead; /* an owner; NULL: nobody. Atomic */
  GMutex lock;
  GCond cond;
  const char *halt_at; /* under lock: a place; NULL: nowhere */
  gboolean halted;     /* under lock */
  gint n_taken;        /* atomic: jobs taken over, as the log tells */
  gint n_warnings;     /* atomic */
  GError *error;
} World;

/* Stands still, once, where the world wants it. */
static inline void
halt (World *w, const char *place)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&w->lock);

  if (g_strcmp0 (w->halt_at, place) != 0 || w->halted)
    return;
  w->halted = TRUE;
  g_cond_broadcast (&w->cond);
  while (w->halt_at != NULL)
    g_cond_wait (&w->cond, &w->lock);
}

static inline void
await_halt (World *w)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&w->lock);

  while (!w->halted)
    g_cond_wait (&w->cond, &w->lock);
}

static inline void
wake (World *w)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&w->lock);

  w->halt_at = NULL;
  g_cond_broadcast (&w->cond);
}

/* ---- plug-ins -------------------------------------------------------------------------------- */

typedef struct
{
  World *world;
  gpointer real;
  const char *id; /* of a store */
} Wrapper;

static inline gboolean
world_get (gpointer self, const char *kind, const char *id, ImgImportRecordFunc func,
           gpointer func_data, GError **error)
{
  return CATALOG.get (((Wrapper *)self)->real, kind, id, func, func_data, error);
}

static inline gboolean
world_scan (gpointer self, const ImgImportQuery *query, ImgImportRecordFunc func,
            gpointer func_data, GError **error)
{
  return CATALOG.scan (((Wrapper *)self)->real, query, func, func_data, error);
}

static inline gboolean
world_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
              GError **error)
{
  return CATALOG.commit (((Wrapper *)self)->real, ops, n_ops, durable, error);
}

static inline gboolean
world_journal_load (gpointer self, const char *journal, ImgImportJournalFunc func,
                    gpointer func_data, GError **error)
{
  return CATALOG.journal_load (((Wrapper *)self)->real, journal, func, func_data, error);
}

static inline gboolean
world_owner_register (gpointer self, char **owner_id, GError **error)
{
  return CATALOG.owner_register (((Wrapper *)self)->real, owner_id, error);
}

static inline gboolean
world_owner_is_alive (gpointer self, const char *owner_id, gboolean *alive, GError **error)
{
  Wrapper *wrapper = self;

  if (g_strcmp0 (g_atomic_pointer_get (&wrapper->world->dead), owner_id) == 0)
    {
      *alive = FALSE;
      return TRUE;
    }
  return CATALOG.owner_is_alive (wrapper->real, owner_id, alive, error);
}

static const ImgImportCatalogVTable world_catalog = {
  IMGIMPORT_CATALOG_VTABLE_INIT,
  .get = world_get,
  .scan = world_scan,
  .commit = world_commit,
  .journal_load = world_journal_load,
  .owner_register = world_owner_register,
  .owner_is_alive = world_owner_is_alive,
};

static inline gboolean
world_remove (gpointer self, const char *key, GCancellable *cancellable, GError **error)
{
  Wrapper *wrapper = self;
  g_autofree char *place = g_strconcat ("remove:", wrapper->id, NULL);

  halt (wrapper->world, place);
  return STORE.remove (wrapper->real, key, cancellable, error);
}

static inline gboolean
world_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
             GCancellable *cancellable, GError **error)
{
  return STORE.begin (((Wrapper *)self)->real, key, expected, writer, cancellable, error);
}

static inline gboolean
world_write (gpointer self, gpointer writer, guint64 offset, const void *data, gsize length,
             GCancellable *cancellable, GError **error)
{
  return STORE.write (((Wrapper *)self)->real, writer, offset, data, length, cancellable, error);
}

static inline gboolean
world_store_commit (gpointer self, gpointer writer, guint64 size, char **version,
                    GCancellable *cancellable, GError **error)
{
  Wrapper *wrapper = self;
  g_autofree char *place = g_strconcat ("commit:", wrapper->id, NULL);
  gboolean ok = STORE.commit (wrapper->real, writer, size, version, cancellable, error);

  halt (wrapper->world, place);
  return ok;
}

static inline void
world_abort (gpointer self, gpointer writer)
{
  STORE.abort (((Wrapper *)self)->real, writer);
}

static inline gboolean
world_open (gpointer self, const char *key, gpointer *reader, GCancellable *cancellable,
            GError **error)
{
  return STORE.open (((Wrapper *)self)->real, key, reader, cancellable, error);
}

static inline gboolean
world_read (gpointer self, gpointer reader, guint64 offset, void *buffer, gsize length,
            gsize *n_read, GCancellable *cancellable, GError **error)
{
  return STORE.read (((Wrapper *)self)->real, reader, offset, buffer, length, n_read, cancellable,
                     error);
}

static inline void
world_close (gpointer self, gpointer reader)
{
  STORE.close (((Wrapper *)self)->real, reader);
}

static inline gboolean
world_stat (gpointer self, const char *key, guint64 *size, char **version,
            GCancellable *cancellable, GError **error)
{
  return STORE.stat (((Wrapper *)self)->real, key, size, version, cancellable, error);
}

static const ImgImportStoreVTable world_store = {
  IMGIMPORT_STORE_VTABLE_INIT,  .begin = world_begin, .write = world_write,
  .commit = world_store_commit, .abort = world_abort, .open = world_open,
  .read = world_read,           .close = world_close, .stat = world_stat,
  .remove = world_remove,
};

static inline void
catalog_wrapper_free (gpointer data)
{
  _imgimport_catalog_sqlite_free (((Wrapper *)data)->real);
  g_free (data);
}

static inline void
store_wrapper_free (gpointer data)
{
  _imgimport_store_file_free (((Wrapper *)data)->real);
  g_free (data);
}

static inline Wrapper *
wrapper_new (World *w, gpointer real, const char *id)
{
  Wrapper *self = g_new0 (Wrapper, 1);

  g_assert_no_error (w->error);
  *self = (Wrapper){ w, real, id };
  return self;
}

static inline Wrapper *
store_wrapper_new (World *w, const char *id)
{
  g_autofree char *path = g_build_filename (w->root, id, NULL);

  return wrapper_new (w, _imgimport_store_file_new (path, FALSE, &w->error), id);
}

/* ---- services -------------------------------------------------------------------------------- */

static inline void
count_log (GLogLevelFlags level, const char *message, gpointer user_data)
{
  World *w = user_data;

  if (strstr (message, "is taken over") != NULL)
    g_atomic_int_inc (&w->n_taken);
  if (level == G_LOG_LEVEL_WARNING)
    g_atomic_int_inc (&w->n_warnings);
}

static inline ImgImportService *
world_service_new (World *w, guint workers)
{
  g_autofree char *config =
      g_strdup_printf ("{\"workers\": %u, \"durability\": \"process\"}", workers);
  g_autofree char *path = g_build_filename (w->root, "catalog.sqlite", NULL);
  g_autoptr (GError) error = NULL;
  ImgImportService *service = imgimport_service_new (NULL, config, &error);
  gpointer catalog = _imgimport_catalog_sqlite_new (path, &w->error);

  imgimport_service_set_log_func (service, count_log, w, NULL);
  imgimport_service_set_catalog (service, &world_catalog, wrapper_new (w, catalog, NULL),
                                 catalog_wrapper_free, &error);
  imgimport_service_set_staging (service, &world_store, store_wrapper_new (w, "staging"),
                                 store_wrapper_free, &error);
  imgimport_service_add_store (service, "one", &world_store, store_wrapper_new (w, "one"),
                               store_wrapper_free, &error);
  g_assert_no_error (error);
  return service;
}

static inline ImgImportService *
world_open_service (World *w, guint workers)
{
  ImgImportService *service = world_service_new (w, workers);

  service_start (service);
  return service;
}

/* From now on the service counts as dead. */
static inline void
declare_dead (World *w, ImgImportService *service)
{
  g_atomic_pointer_set (&w->dead, g_strdup (service->owner));
}

static inline guint
world_count (World *w, const char *store)
{
  g_autofree char *path = g_build_filename (w->root, store, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static inline void
world_set_up (World *w, gconstpointer data)
{
  w->root = g_dir_make_tmp ("imgimport-XXXXXX", NULL);
  g_mutex_init (&w->lock);
  g_cond_init (&w->cond);
}

static inline void
world_tear_down (World *w, gconstpointer data)
{
  g_assert_no_error (w->error);
  remove_tree (w->root);
  g_free (w->root);
  g_free (w->dead);
  g_mutex_clear (&w->lock);
  g_cond_clear (&w->cond);
}

/* ---- imports ------------------------------------------------------------------------------------
 */

static inline char *
begin_import (ImgImportService *service, const char *id)
{
  g_autoptr (GError) error = NULL;
  char *job_id = imgimport_service_import_image (service, NULL, id, NULL, &error);

  g_assert_no_error (error);
  return job_id;
}

/* An image whose import, in `service`, has begun or waits to. */
static inline char *
create_importing (ImgImportService *service, char **job_id)
{
  char *id = create (service, NULL, RAW);

  stage (service, id, "bytes");
  *job_id = begin_import (service, id);
  return id;
}

static inline void
assert_job (ImgImportService *service, const char *job_id, ImgImportJobStatus status,
            const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportJob) job = imgimport_service_wait_job (service, job_id, -1, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint ((int)imgimport_job_get_status (job), ==, (int)status);
  g_assert_cmpstr (imgimport_job_get_reason (job), ==, reason);
}

static inline gboolean
count_note (const ImgImportRecord *record, gpointer user_data)
{
  ++*(guint *)user_data;
  return TRUE;
}

static inline guint
count_records (ImgImportService *service, const char *kind)
{
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = kind };
  g_autoptr (GError) error = NULL;
  guint n = 0;

  _imgimport_catalog_scan (service->catalog, &query, count_note, &n, &error);
  g_assert_no_error (error);
  return n;
}

static inline void
assert_image (World *w, ImgImportService *service, const char *id, ImgImportStatus status)
{
  g_autoptr (ImgImportImage) image = get (service, id);

  g_assert_cmpstr (imgimport_status_to_string (image->status), ==,
                   imgimport_status_to_string (status));
  g_assert_cmpint (image->stage.state == IMGIMPORT_STAGE_SEALED, ==,
                   status == IMGIMPORT_STATUS_UPLOADING);
  g_assert_cmpuint (world_count (w, "staging"), ==, status == IMGIMPORT_STATUS_UPLOADING ? 1 : 0);
  g_assert_cmpuint (world_count (w, "one"), ==, status == IMGIMPORT_STATUS_ACTIVE ? 1 : 0);
  g_assert_cmpuint (count_records (service, IMGIMPORT_KIND_OBJECT), ==, 0);
  g_assert_cmpuint (count_records (service, IMGIMPORT_KIND_RUN), ==, 0);
}

static inline void
assert_readable (ImgImportService *service, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream =
      imgimport_service_read_image (service, NULL, id, 0, IMGIMPORT_SIZE_UNKNOWN, &error);
  char bytes[16] = "";
  gsize n_read = 0;

  g_assert_no_error (error);
  g_input_stream_read_all (stream, bytes, sizeof bytes - 1, &n_read, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (bytes, ==, "bytes");
}
