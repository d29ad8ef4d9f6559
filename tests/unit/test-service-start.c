/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a start refuses, and the embedded default on a disk. */

#include "service.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *root; /* a new directory */
} Disk;

static void
set_up_disk (Disk *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  f->root = g_dir_make_tmp ("imgimport-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
tear_down_disk (Disk *f, gconstpointer data)
{
  remove_tree (f->root);
  g_free (f->root);
}

static void
expect_start_refused (const char *directory, const char *config, ImgImportError code,
                      const char *reason, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportService) service = imgimport_service_new (directory, config, &error);

  g_assert_no_error (error);
  g_assert_false (imgimport_service_start (service, NULL, &error));
  g_assert_nonnull (error);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, message));
  assert_refused (&error, code, reason);
  g_assert_null (imgimport_service_get_image (service, NULL, "x", &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "service-closed");
}

/* ---- what is missing or unknown -------------------------------------------------------------- */

static const struct
{
  const char *name;
  const char *config;
  const char *message;
} bad[] = {
  { "no-catalog", "{" MEMORY_STAGING ", " MEMORY_STORES "}", "configuration: catalog: is missing" },
  { "no-staging", "{" MEMORY_CATALOG ", " MEMORY_STORES "}", "configuration: staging: is missing" },
  { "no-store", "{" MEMORY_CATALOG ", " MEMORY_STAGING "}",
    "configuration: stores: there is none" },
  { "unknown-default-store",
    "{" MEMORY_CATALOG ", " MEMORY_STAGING ", " MEMORY_STORES ", \"default_store\": \"three\"}",
    "configuration: default_store: unknown store “three”; known are one, two" },
  { "unknown-method",
    "{" MEMORY_CATALOG ", " MEMORY_STAGING ", " MEMORY_STORES
    ", \"methods\": [\"glance-direct\", \"x\"]}",
    "configuration: methods/1: unknown method “x”; known are glance-direct" },
  { "unknown-hook",
    "{" MEMORY_CATALOG ", " MEMORY_STAGING ", " MEMORY_STORES ", \"hooks\": [\"no-op\", \"x\"]}",
    "configuration: hooks/1: unknown hook “x”; known are decompress, inject-metadata, no-op" },
};

static void
test_bad (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);

  expect_start_refused (NULL, bad[i].config, IMGIMPORT_ERROR_INVALID_ARGUMENT, "config-invalid",
                        bad[i].message);
}

static void
expect_hook_refused (const char *hooks, const char *message)
{
  g_autofree char *config = g_strdup_printf (
      "{" MEMORY_CATALOG ", " MEMORY_STAGING ", " MEMORY_STORES ", \"hooks\": [%s]}", hooks);
  g_autoptr (ImgImportService) service = service_new (config);
  g_autoptr (GError) error = NULL;

  g_assert_false (imgimport_service_start (service, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "config-invalid");
  g_assert_true (g_str_has_prefix (error->message, "configuration: hooks/0/options: "));
  g_assert_nonnull (strstr (error->message, message));
}

static void
test_bad_options (void)
{
  expect_hook_refused ("{\"name\": \"no-op\", \"options\": {\"x\": 1}}", "takes no options");
  expect_hook_refused ("{\"name\": \"inject-metadata\", \"options\": {\"inject\": {\"k\": 1}}}",
                       "inject/k");
  expect_hook_refused ("{\"name\": \"decompress\", \"options\": {\"max_ratio\": 0}}", "max_ratio");
}

static void
test_cancelled (void)
{
  g_autoptr (ImgImportService) service = service_new (MEMORY_CONFIG);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_false (imgimport_service_start (service, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* ---- directories ----------------------------------------------------------------------------- */

/* Below the root. */
static const struct
{
  const char *name;
  const char *catalog;
  const char *staging;
  const char *store;
  const char *other;
  const char *message; /* NULL: it starts */
} places[] = {
  { "apart", "db/c", "st", "a", "b", NULL },
  { "one-name-begins-another", "db/c", "sta", "st", "stag", NULL },
  { "staging-is-a-store", "db/c", "a", "a", "b", "staging" },
  { "staging-in-a-store", "db/c", "b/x", "a", "b", "staging" },
  { "store-in-staging", "db/c", "st", "a", "st/x/y", "lies in staging" },
  { "store-is-a-store", "db/c", "st", "a", "a", "store “a”" },
  { "store-in-a-store", "db/c", "st", "a", "a/b", "lies in store “a”" },
  { "catalog-in-a-store", "a/c", "st", "a", "b", "catalog" },
  { "catalog-in-staging", "st/c", "st", "a", "b", "catalog" },
  { "everything-in-a-store", "db/c", "st", "a", ".", "lies in store “b”" },
  { "behind-a-symbolic-link", "db/c", "link/a/x", "a", "b", "staging" },
};

static void
test_places (Disk *f, gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autofree char *link = g_build_filename (f->root, "link", NULL);
  g_autofree char *config =
      g_strdup_printf ("{\"catalog\": {\"type\": \"sqlite\", \"path\": \"%s\"}, "
                       "\"staging\": {\"type\": \"file\", \"directory\": \"%s\"}, \"stores\": "
                       "[{\"id\": \"a\", \"type\": \"file\", \"directory\": \"%s\"}, "
                       "{\"id\": \"b\", \"type\": \"file\", \"directory\": \"%s\"}]}",
                       places[i].catalog, places[i].staging, places[i].store, places[i].other);
  g_autoptr (ImgImportService) service = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (symlink (f->root, link), ==, 0);
  if (places[i].message != NULL)
    {
      expect_start_refused (f->root, config, IMGIMPORT_ERROR_INVALID_ARGUMENT, "config-invalid",
                            places[i].message);
      return;
    }
  service = imgimport_service_open (f->root, config, &error);
  g_assert_no_error (error);
}

static void
test_new_touches_nothing (Disk *f, gconstpointer data)
{
  g_autofree char *directory = g_build_filename (f->root, "deep", "place", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportService) service = imgimport_service_new (directory, NULL, &error);
  GStatBuf facts;

  g_assert_no_error (error);
  g_assert_false (g_file_test (directory, G_FILE_TEST_EXISTS));
  service_start (service);
  g_assert_cmpint (g_stat (directory, &facts), ==, 0);
  g_assert_cmpuint (facts.st_mode & 07777, ==, 0700);
}

static void
test_directory_must_be_private (Disk *f, gconstpointer data)
{
  static const char *const names[] = { ".", "staging", "store" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (f->root, names[i], NULL);

      g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
      g_assert_cmpint (g_chmod (path, 0755), ==, 0);
      expect_start_refused (f->root, NULL, IMGIMPORT_ERROR_PERMISSION, "directory-not-private",
                            "is not private");
      g_assert_cmpint (g_chmod (path, 0700), ==, 0);
    }
}

static void
test_embedded_default_keeps_its_images (Disk *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportService) service =
      imgimport_service_open (f->root, "{\"durability\": \"process\"}", &error);
  g_autoptr (GInputStream) stream = NULL;
  g_autofree char *id = NULL;
  char buffer[16] = "";
  gsize n_read = 0;

  g_assert_no_error (error);
  id = create_active (service, NULL, "bytes");
  g_assert_finalize_object (g_steal_pointer (&service));
  service = imgimport_service_open (f->root, NULL, &error);
  g_assert_no_error (error);
  stream = imgimport_service_read_image (service, NULL, id, 0, IMGIMPORT_SIZE_UNKNOWN, &error);
  g_assert_no_error (error);
  g_assert_true (g_input_stream_read_all (stream, buffer, sizeof buffer, &n_read, NULL, &error));
  g_assert_cmpstr (buffer, ==, "bytes");
  g_clear_object (&stream);
  g_assert_true (imgimport_service_delete_image (service, NULL, id, &error));
}

int
main (int argc, char **argv)
{
  gsize i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *path = g_strconcat ("/service-start/refused/", bad[i].name, NULL);

      g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_bad);
    }
  g_test_add_func ("/service-start/refused/hook-options", test_bad_options);
  g_test_add_func ("/service-start/refused/cancelled", test_cancelled);
  for (i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *path = g_strconcat ("/service-start/D9/", places[i].name, NULL);

      g_test_add (path, Disk, GSIZE_TO_POINTER (i), set_up_disk, test_places, tear_down_disk);
    }
#define ADD(path, func)                                                                            \
  g_test_add ("/service-start/" path, Disk, NULL, set_up_disk, func, tear_down_disk)
  ADD ("new-touches-nothing", test_new_touches_nothing);
  ADD ("D9/directory-must-be-private", test_directory_must_be_private);
  ADD ("embedded-default-keeps-its-images", test_embedded_default_keeps_its_images);
#undef ADD
  return g_test_run ();
}
