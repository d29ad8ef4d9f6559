/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The same story over a catalog and stores of which the n-th call fails, for every n: each failure
 * is told, nothing is half done, and the story can be told to its end afterwards.
 */

#include "service.h"

#include "catalogs/catalogs-private.h"
#include "stores/stores-private.h"

#define BYTES "0123456789"

typedef struct
{
  gpointer catalog; /* of the memory catalog */
  gpointer staging; /* of memory stores */
  gpointer store;
  guint n_calls;
  guint fail_at; /* 0: none */
} World;

/* What a plug-in is handed: whose it is, and what it stands for. */
typedef struct
{
  World *world;
  gpointer real;
} Shim;

static gboolean
is_due (gpointer self, GError **error)
{
  World *w = ((Shim *)self)->world;

  if (++w->n_calls != w->fail_at)
    return FALSE;
  imgimport_error_set (error, IMGIMPORT_ERROR_UNAVAILABLE, "planted", "the planted failure");
  return TRUE;
}

static gpointer
real (gpointer self)
{
  return ((Shim *)self)->real;
}

/* ---- the catalog ----------------------------------------------------------------------------- */

#define CATALOG _imgimport_catalog_memory_vtable

static gboolean
shim_get (gpointer self, const char *kind, const char *id, ImgImportRecordFunc func,
          gpointer func_data, GError **error)
{
  return !is_due (self, error) && CATALOG.get (real (self), kind, id, func, func_data, error);
}

static gboolean
shim_scan (gpointer self, const ImgImportQuery *query, ImgImportRecordFunc func, gpointer func_data,
           GError **error)
{
  return !is_due (self, error) && CATALOG.scan (real (self), query, func, func_data, error);
}

static gboolean
shim_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
             GError **error)
{
  return !is_due (self, error) && CATALOG.commit (real (self), ops, n_ops, durable, error);
}

static gboolean
shim_journal_load (gpointer self, const char *journal, ImgImportJournalFunc func,
                   gpointer func_data, GError **error)
{
  return !is_due (self, error) &&
         CATALOG.journal_load (real (self), journal, func, func_data, error);
}

static gboolean
shim_owner_register (gpointer self, char **owner_id, GError **error)
{
  return !is_due (self, error) && CATALOG.owner_register (real (self), owner_id, error);
}

static gboolean
shim_owner_is_alive (gpointer self, const char *owner_id, gboolean *alive, GError **error)
{
  return !is_due (self, error) && CATALOG.owner_is_alive (real (self), owner_id, alive, error);
}

static const ImgImportCatalogVTable shim_catalog = {
  IMGIMPORT_CATALOG_VTABLE_INIT,
  .get = shim_get,
  .scan = shim_scan,
  .commit = shim_commit,
  .journal_load = shim_journal_load,
  .owner_register = shim_owner_register,
  .owner_is_alive = shim_owner_is_alive,
};

/* ---- a store --------------------------------------------------------------------------------- */

#define STORE _imgimport_store_memory_vtable

static gboolean
shim_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
            GCancellable *cancellable, GError **error)
{
  return !is_due (self, error) &&
         STORE.begin (real (self), key, expected, writer, cancellable, error);
}

static gboolean
shim_write (gpointer self, gpointer writer, guint64 offset, const void *data, gsize length,
            GCancellable *cancellable, GError **error)
{
  return !is_due (self, error) &&
         STORE.write (real (self), writer, offset, data, length, cancellable, error);
}

static gboolean
shim_store_commit (gpointer self, gpointer writer, guint64 size, char **version,
                   GCancellable *cancellable, GError **error)
{
  if (!is_due (self, error))
    return STORE.commit (real (self), writer, size, version, cancellable, error);
  STORE.abort (real (self), writer);
  return FALSE;
}

static void
shim_abort (gpointer self, gpointer writer)
{
  STORE.abort (real (self), writer);
}

static gboolean
shim_open (gpointer self, const char *key, gpointer *reader, GCancellable *cancellable,
           GError **error)
{
  return !is_due (self, error) && STORE.open (real (self), key, reader, cancellable, error);
}

static gboolean
shim_read (gpointer self, gpointer reader, guint64 offset, void *buffer, gsize length,
           gsize *n_read, GCancellable *cancellable, GError **error)
{
  return !is_due (self, error) &&
         STORE.read (real (self), reader, offset, buffer, length, n_read, cancellable, error);
}

static void
shim_close (gpointer self, gpointer reader)
{
  STORE.close (real (self), reader);
}

static gboolean
shim_stat (gpointer self, const char *key, guint64 *size, char **version, GCancellable *cancellable,
           GError **error)
{
  return !is_due (self, error) && STORE.stat (real (self), key, size, version, cancellable, error);
}

static gboolean
shim_remove (gpointer self, const char *key, GCancellable *cancellable, GError **error)
{
  return !is_due (self, error) && STORE.remove (real (self), key, cancellable, error);
}

static const ImgImportStoreVTable shim_store = {
  IMGIMPORT_STORE_VTABLE_INIT, .begin = shim_begin, .write = shim_write,
  .commit = shim_store_commit, .abort = shim_abort, .open = shim_open,
  .read = shim_read,           .close = shim_close, .stat = shim_stat,
  .remove = shim_remove,
};

/* ---- the world ------------------------------------------------------------------------------- */

static Shim *
shim_new (World *w, gpointer real_self)
{
  Shim *shim = g_new0 (Shim, 1);

  shim->world = w;
  shim->real = real_self;
  return shim;
}

static ImgImportService *
open_service (World *w)
{
  g_autoptr (GError) error = NULL;
  ImgImportService *service = service_new ("{\"workers\": 0}");

  imgimport_service_set_catalog (service, &shim_catalog, shim_new (w, w->catalog), g_free, &error);
  imgimport_service_set_staging (service, &shim_store, shim_new (w, w->staging), g_free, &error);
  imgimport_service_add_store (service, "one", &shim_store, shim_new (w, w->store), g_free, &error);
  g_assert_no_error (error);
  return service;
}

static void
world_init (World *w)
{
  *w = (World){ _imgimport_catalog_memory_new (), _imgimport_store_memory_new (),
                _imgimport_store_memory_new (), 0, 0 };
}

static void
world_clear (World *w)
{
  _imgimport_catalog_memory_free (w->catalog);
  _imgimport_store_memory_free (w->staging);
  _imgimport_store_memory_free (w->store);
}

/* ---- the story ------------------------------------------------------------------------------- */

/* Each step fails with an error or succeeds; none of them asserts that it succeeds. */
typedef gboolean (*Step) (ImgImportService *service, const char *id, GError **error);

static gboolean
step_get (ImgImportService *service, const char *id, GError **error)
{
  g_autoptr (ImgImportImage) image = imgimport_service_get_image (service, NULL, id, error);

  return image != NULL;
}

static gboolean
step_list (ImgImportService *service, const char *id, GError **error)
{
  g_autoptr (ImgImportContext) alice = tenant ("alice");
  g_autofree char *filter = g_strdup_printf ("{\"limit\": 1, \"marker\": \"%s\"}", id);
  g_autoptr (GPtrArray) all = imgimport_service_list_images (service, alice, NULL, error);
  g_autoptr (GPtrArray) rest =
      all != NULL ? imgimport_service_list_images (service, alice, filter, error) : NULL;

  return rest != NULL;
}

static gboolean
step_update (ImgImportService *service, const char *id, GError **error)
{
  g_autoptr (ImgImportImage) image =
      imgimport_service_update_image (service, NULL, id, "{\"name\": \"new\"}", error);

  return image != NULL;
}

static gboolean
step_read (ImgImportService *service, const char *id, GError **error)
{
  g_autoptr (GInputStream) stream =
      imgimport_service_read_image (service, NULL, id, 0, IMGIMPORT_SIZE_UNKNOWN, error);
  char buffer[16] = "";
  gsize n_read = 0;

  if (stream == NULL ||
      !g_input_stream_read_all (stream, buffer, sizeof buffer, &n_read, NULL, error))
    return FALSE;
  g_assert_cmpstr (buffer, ==, BYTES);
  return TRUE;
}

static gboolean
step_save (ImgImportService *service, const char *id, GError **error)
{
  g_auto (ImgImportFd) fd = open ("/dev/null", O_WRONLY | O_CLOEXEC);

  return imgimport_service_save_image (service, NULL, id, fd, NULL, error);
}

static gboolean
step_delete (ImgImportService *service, const char *id, GError **error)
{
  return imgimport_service_delete_image (service, NULL, id, error);
}

/* What it is after a failed step: as before it, or as after it. Told without failures. */
static void
check_whole (ImgImportService *service, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = imgimport_service_get_image (service, NULL, id, &error);

  if (image != NULL)
    {
      g_assert_cmpint ((int)image->status, ==, (int)IMGIMPORT_STATUS_ACTIVE);
      g_assert_true (step_read (service, id, &error));
      return;
    }
  assert_refused (&error, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
}

/* Runs a step once for each of its calls, with this one failing, each time in a new world. */
static void
test_step (gconstpointer data)
{
  Step step = *(const Step *)data;
  gboolean over = FALSE;
  guint n, n_failed = 0;

  for (n = 1; !over; n++)
    {
      World w;
      g_autoptr (ImgImportService) service = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *id = NULL;
      gboolean ok;

      world_init (&w);
      service = open_service (&w);
      service_start (service);
      id = create (service, NULL,
                   "{\"disk_format\": \"raw\", \"container_format\": \"bare\", "
                   "\"visibility\": \"public\"}");
      stage (service, id, BYTES);
      import (service, id, NULL);

      w.n_calls = 0;
      w.fail_at = n;
      ok = step (service, id, &error);
      over = w.n_calls < n;
      w.fail_at = 0;
      g_assert_true (ok == (error == NULL));
      if (!ok)
        {
          n_failed++;
          g_assert_nonnull (strstr (error->message, "the planted failure"));
          check_whole (service, id);
          g_clear_error (&error);
          if (!step (service, id, &error))
            g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
        }
      g_assert_finalize_object (g_steal_pointer (&service));
      world_clear (&w);
    }
  g_assert_cmpuint (n_failed, >, 0);
}

/* The same for a start, and for what is created after it. */
static void
test_start (void)
{
  gboolean over = FALSE;
  guint n;

  for (n = 1; !over; n++)
    {
      World w;
      g_autoptr (ImgImportService) service = NULL;
      g_autoptr (ImgImportService) again = NULL;
      g_autoptr (ImgImportImage) image = NULL;
      g_autoptr (GError) error = NULL;

      world_init (&w);
      w.fail_at = n;
      service = open_service (&w);
      if (imgimport_service_start (service, NULL, &error))
        image = imgimport_service_create_image (service, NULL, NULL, NULL, &error);
      over = w.n_calls < n;
      g_assert_true (over == (error == NULL));
      w.fail_at = 0;
      g_assert_finalize_object (g_steal_pointer (&service));
      again = open_service (&w);
      service_start (again);
      g_assert_finalize_object (g_steal_pointer (&again));
      world_clear (&w);
    }
  g_assert_cmpuint (n, >, 3);
}

static const struct
{
  const char *path;
  Step step;
} steps[] = {
  { "/images-faults/get", step_get },       { "/images-faults/list", step_list },
  { "/images-faults/update", step_update }, { "/images-faults/read", step_read },
  { "/images-faults/save", step_save },     { "/images-faults/delete", step_delete },
};

int
main (int argc, char **argv)
{
  gsize i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (steps); i++)
    g_test_add_data_func (steps[i].path, &steps[i].step, test_step);
  g_test_add_func ("/images-faults/start-and-create", test_start);
  return g_test_run ();
}
