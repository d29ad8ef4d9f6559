/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The same story over a catalog and stores of which the n-th call fails, for every n: each failure
 * is told, nothing is half done, and the story can be told to its end afterwards.
 */

#include "shim-world.h"

#define BYTES "0123456789"

static ImgImportService *
open_service (ShimWorld *w)
{
  return shim_world_service (w, "{\"workers\": 0}");
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
  gint n;
  guint n_failed = 0;

  for (n = 1; !over; n++)
    {
      ShimWorld w;
      g_autoptr (ImgImportService) service = NULL;
      g_autoptr (GError) error = NULL;
      g_autofree char *id = NULL;
      gboolean ok;

      shim_world_init (&w);
      service = open_service (&w);
      service_start (service);
      id = create (service, NULL,
                   "{\"disk_format\": \"raw\", \"container_format\": \"bare\", "
                   "\"visibility\": \"public\"}");
      stage (service, id, BYTES);
      import (service, id, NULL);

      w.faults.n_calls = 0;
      w.faults.fail_at = n;
      ok = step (service, id, &error);
      over = w.faults.n_calls < n;
      w.faults.fail_at = 0;
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
      shim_world_clear (&w);
    }
  g_assert_cmpuint (n_failed, >, 0);
}

/* The same for a start, and for what is created after it; only expired jobs can wait. */
static void
test_start (void)
{
  gboolean over = FALSE;
  guint n_spared = 0;
  gint n;

  for (n = 1; !over; n++)
    {
      ShimWorld w;
      g_autoptr (ImgImportService) service = NULL;
      g_autoptr (ImgImportService) again = NULL;
      g_autoptr (ImgImportImage) image = NULL;
      g_autoptr (GError) error = NULL;

      shim_world_init (&w);
      w.faults.fail_at = n;
      service = open_service (&w);
      if (imgimport_service_start (service, NULL, &error))
        image = imgimport_service_create_image (service, NULL, NULL, NULL, &error);
      over = w.faults.n_calls < n;
      g_assert_true (!over || error == NULL);
      n_spared += !over && error == NULL ? 1 : 0;
      w.faults.fail_at = 0;
      g_assert_finalize_object (g_steal_pointer (&service));
      again = open_service (&w);
      service_start (again);
      g_assert_finalize_object (g_steal_pointer (&again));
      shim_world_clear (&w);
    }
  g_assert_cmpint (n, >, 3);
  g_assert_cmpuint (n_spared, ==, 1);
}

static gboolean
cancelled_open (gpointer self, const char *key, gpointer *reader, GCancellable *cancellable,
                GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "no more");
  return FALSE;
}

/* It is not taken for a store that does not answer. */
static void
test_cancelled_read_stays_one (void)
{
  ShimWorld w;
  g_autoptr (ImgImportService) service = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;

  shim_world_init (&w);
  w.one_slots.open = cancelled_open;
  service = open_service (&w);
  service_start (service);
  id = create (service, NULL, RAW);
  stage (service, id, BYTES);
  import (service, id, NULL);
  g_assert_false (step_read (service, id, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_finalize_object (g_steal_pointer (&service));
  shim_world_clear (&w);
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
  g_test_add_func ("/images-faults/cancelled-read-stays-one", test_cancelled_read_stays_one);
  return g_test_run ();
}
