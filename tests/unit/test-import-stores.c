/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One object into several stores: how each gets its copy, and what happens where one does not. */

#include "import.h"
#include "shim.h"

/* File staging, file stores "one" and "two", and "odd": in memory, and what the test makes of it.
 */
typedef struct
{
  char *root;
  ImgImportService *service;
  Shim odd;
  GError *error;
} World;

static gboolean
odd_adopt (gpointer self, const char *key, int fd, guint64 size, char **version,
           ImgImportAdoption *adoption, GCancellable *cancellable, GError **error)
{
  if (!shim_passes (self, "adopt", error))
    return FALSE;
  imgimport_error_set (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "other-disk", "on another disk");
  return FALSE;
}

#define CONFIG                                                                                     \
  "{" MEMORY_CATALOG ", \"durability\": \"process\", \"workers\": %s, "                            \
  "\"staging\": {\"type\": \"file\", \"directory\": \"staging\"}, \"stores\": ["                   \
  "{\"id\": \"one\", \"type\": \"file\", \"directory\": \"one\"}, "                                \
  "{\"id\": \"two\", \"type\": \"file\", \"directory\": \"two\"}]}"

static void
set_up_world (World *w, gconstpointer workers)
{
  g_autofree char *config = g_strdup_printf (CONFIG, (const char *)workers);
  g_autoptr (ImgImportClock) clock = _imgimport_clock_new_fake (EPOCH_US);
  ImgImportStoreVTable vtable = shim_store;

  w->root = g_dir_make_tmp ("imgimport-XXXXXX", &w->error);
  g_assert_no_error (w->error);
  shim_init_store (&w->odd, NULL);
  w->service = imgimport_service_new (w->root, config, &w->error);
  g_assert_no_error (w->error);
  _imgimport_service_set_clock (w->service, clock);
  vtable.adopt = odd_adopt;
  imgimport_service_add_store (w->service, "odd", &vtable, &w->odd, NULL, &w->error);
  g_assert_no_error (w->error);
  service_start (w->service);
}

static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_no_error (w->error);
  g_assert_finalize_object (w->service);
  shim_clear (&w->odd);
  remove_tree (w->root);
  g_free (w->root);
}

static char *
staged_image (World *w)
{
  char *id = create (w->service, NULL, RAW);

  stage (w->service, id, "bytes");
  return id;
}

static guint
count_files (World *w, const char *directory)
{
  g_autofree char *path = g_build_filename (w->root, directory, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, &w->error);
  guint n = 0;

  g_assert_no_error (w->error);
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* Bytes are where the image is, and nowhere else. */
static void
assert_files (World *w, guint staging, guint one, guint two, guint odd)
{
  g_assert_cmpuint (count_files (w, "staging"), ==, staging);
  g_assert_cmpuint (count_files (w, "one"), ==, one);
  g_assert_cmpuint (count_files (w, "two"), ==, two);
  g_assert_cmpuint (g_hash_table_size (w->odd.objects), ==, odd);
}

static const ImgImportDelivery *
delivery_to (ImgImportJob *job, const char *store)
{
  guint i;

  for (i = 0; i < job->deliveries->len; i++)
    {
      const ImgImportDelivery *delivery = job->deliveries->pdata[i];

      if (g_str_equal (delivery->store, store))
        return delivery;
    }
  g_assert_not_reached ();
}

static void
assert_content (World *w, const char *id)
{
  g_autoptr (GInputStream) stream =
      imgimport_service_read_image (w->service, NULL, id, 0, IMGIMPORT_SIZE_UNKNOWN, &w->error);
  char buffer[16] = "";
  gsize n_read = 0;

  g_assert_no_error (w->error);
  g_assert_true (g_input_stream_read_all (stream, buffer, sizeof buffer, &n_read, NULL, &w->error));
  g_assert_cmpstr (buffer, ==, "bytes");
}

/* ---- ways ------------------------------------------------------------------------------------ */

/* A staged file is linked once; a further name would let two stores share one inode. */
static void
test_first_store_links_the_second_copies (World *w, gconstpointer data)
{
  g_autofree char *id = staged_image (w);
  g_autoptr (ImgImportJob) job =
      run_import (w->service, id, DIRECT ", \"stores\": [\"two\", \"one\"]}");

  assert_success (job);
  g_assert_cmpstr (delivery_to (job, "two")->way, ==, "link");
  if (!g_str_equal (delivery_to (job, "one")->way, "reflink"))
    g_assert_cmpstr (delivery_to (job, "one")->way, ==, "copy");
  assert_copies (w->service, id, "two,one");
  assert_files (w, 0, 1, 1, 0);
  assert_content (w, id);
}

static void
test_what_cannot_adopt_is_streamed (World *w, gconstpointer data)
{
  g_autofree char *id = staged_image (w);
  g_autoptr (ImgImportJob) job = run_import (w->service, id, DIRECT_TO_ALL);

  assert_success (job);
  await_imports (w->service);
  g_assert_cmpstr (delivery_to (job, "one")->way, ==, "link");
  g_assert_cmpstr (delivery_to (job, "one")->why, ==, "");
  g_assert_cmpstr (delivery_to (job, "odd")->way, ==, "stream");
  g_assert_nonnull (strstr (delivery_to (job, "odd")->why, "on another disk"));
  assert_copies (w->service, id, "one,two,odd");
  assert_files (w, 0, 1, 1, 1);
}

static void
test_staging_without_files_is_streamed (void)
{
  g_autoptr (ImgImportService) service = service_new (MEMORY_CONFIG);
  g_autoptr (ImgImportJob) job = NULL;
  g_autofree char *id = NULL;

  service_start (service);
  id = create (service, NULL, RAW);
  stage (service, id, "bytes");
  job = run_import (service, id, DIRECT_TO_ALL);
  assert_ways (job, "one:stream,two:stream");
  g_assert_nonnull (strstr (delivery_to (job, "one")->why, "staging"));
}

/* ---- failures -------------------------------------------------------------------------------- */

/* F075: all or none, also of what was adopted before. */
static void
test_one_failure_takes_all_back (World *w, const char *slot)
{
  g_autofree char *id = staged_image (w);
  g_autoptr (ImgImportJob) job = NULL;
  g_autoptr (ImgImportJob) again = NULL;

  w->odd.bad_slot = slot;
  job = run_import (w->service, id, DIRECT_TO_ALL);
  assert_failure (job, "planted", "store “odd”");
  g_assert_cmpuint (job->deliveries->len, ==, 0);
  assert_image_is (w->service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  assert_lists (w->service, id, "", "odd");
  assert_files (w, 1, 0, 0, 0);

  w->odd.bad_slot = NULL;
  again = run_import (w->service, id, DIRECT_TO_ALL);
  assert_success (again);
  assert_lists (w->service, id, "", "");
  assert_files (w, 0, 1, 1, 1);
}

static void
test_all_must_succeed (World *w, gconstpointer data)
{
  static const char *const slots[] = { "adopt", "begin", "write", "commit" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (slots); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) images = NULL;
      guint k;

      test_one_failure_takes_all_back (w, slots[i]);
      images = imgimport_service_list_images (w->service, NULL, NULL, &error);
      for (k = 0; k < images->len; k++)
        imgimport_service_delete_image (w->service, NULL, imgimport_image_get_id (images->pdata[k]),
                                        &error);
      g_assert_no_error (error);
    }
  assert_files (w, 0, 0, 0, 0);
  assert_no_notes (w->service);
}

/* F076, D14: active once, with every copy that succeeded. */
static void
test_some_may_fail (World *w, gconstpointer data)
{
  static const char *const slots[] = { "adopt", "begin", "write", "commit" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (slots); i++)
    {
      g_autofree char *id = staged_image (w);
      g_autoptr (ImgImportJob) job = NULL;

      w->odd.bad_slot = slots[i];
      job = run_import (w->service, id, DIRECT_TO_SOME);
      assert_success (job);
      g_assert_cmpuint (job->deliveries->len, ==, 2);
      g_assert_cmpuint (g_strv_length (job->warnings), ==, 1);
      g_assert_nonnull (strstr (job->warnings[0], "odd"));
      g_assert_nonnull (strstr (job->warnings[0], "the planted failure"));
      assert_image_is (w->service, id, IMGIMPORT_STATUS_ACTIVE, IMGIMPORT_STAGE_NONE);
      assert_copies (w->service, id, "one,two");
      assert_lists (w->service, id, "", "odd");
      assert_files (w, 0, i + 1, i + 1, 0);
      assert_no_notes (w->service);
    }
}

/* F077 */
static void
test_none_succeeded (World *w, gconstpointer data)
{
  static const char *const slots[] = { "adopt", "begin", "write", "commit" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (slots); i++)
    {
      g_autofree char *id = staged_image (w);
      g_autoptr (ImgImportJob) job = NULL;
      g_autoptr (ImgImportImage) image = NULL;

      w->odd.bad_slot = slots[i];
      job = run_import (w->service, id,
                        DIRECT ", \"stores\": [\"odd\"], \"all_stores_must_succeed\": false}");
      assert_failure (job, "planted", "store “odd”");
      assert_image_is (w->service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
      assert_lists (w->service, id, "", "odd");
      image = imgimport_service_unstage (w->service, NULL, id, &w->error);
      g_assert_no_error (w->error);
    }
  assert_files (w, 0, 0, 0, 0);
  assert_no_notes (w->service);
}

/* A source that fails is nobody's failure but its own. */
static void
test_staging_that_fails_blames_no_store (void)
{
  g_autoptr (ImgImportService) service =
      service_new ("{" MEMORY_CATALOG ", " MEMORY_STORES ", \"workers\": 0}");
  Shim staging;
  g_autoptr (ImgImportJob) job = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;

  shim_init_store (&staging, NULL);
  imgimport_service_set_staging (service, &shim_store, &staging, NULL, &error);
  g_assert_no_error (error);
  service_start (service);
  id = create (service, NULL, RAW);
  stage (service, id, "bytes");
  staging.bad_slot = "read";
  job = run_import (service, id, DIRECT_TO_SOME);
  assert_failure (job, "planted", "store “staging”");
  assert_image_is (service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  assert_lists (service, id, "", "");
  g_assert_finalize_object (g_steal_pointer (&service));
  shim_clear (&staging);
}

#define ADD(name, workers, func)                                                                   \
  g_test_add (name, World, workers, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/import-stores/first-store-links-the-second-copies", "0",
       test_first_store_links_the_second_copies);
  ADD ("/import-stores/what-cannot-adopt-is-streamed", "0", test_what_cannot_adopt_is_streamed);
  g_test_add_func ("/import-stores/staging-without-files-is-streamed",
                   test_staging_without_files_is_streamed);
  ADD ("/conformance/F075/all-must-succeed", "0", test_all_must_succeed);
  ADD ("/conformance/F076/some-may-fail", "0", test_some_may_fail);
  ADD ("/conformance/F077/none-succeeded", "0", test_none_succeeded);
  ADD ("/import-stores/threads/what-cannot-adopt-is-streamed", "2",
       test_what_cannot_adopt_is_streamed);
  g_test_add_func ("/import-stores/staging-that-fails-blames-no-store",
                   test_staging_that_fails_blames_no_store);
  return g_test_run ();
}
