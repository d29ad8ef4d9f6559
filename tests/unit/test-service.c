/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A service before and at its start: what it is made of, and what is refused. */

#include "service.h"

#include "catalogs/catalogs-private.h"
#include "hooks/hooks-private.h"
#include "methods/methods-private.h"
#include "stores/stores-private.h"

#include <sys/wait.h>
#include <unistd.h>

/* ---- before the start ------------------------------------------------------------------------ */

static void
expect_all_refused (ImgImportService *service, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (imgimport_service_create_image (service, NULL, NULL, NULL, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, reason);
  g_assert_null (imgimport_service_get_image (service, NULL, "x", &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, reason);
  g_assert_null (imgimport_service_list_images (service, NULL, NULL, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, reason);
  g_assert_null (imgimport_service_update_image (service, NULL, "x", "{}", &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, reason);
  g_assert_false (imgimport_service_delete_image (service, NULL, "x", &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, reason);
  g_assert_null (imgimport_service_read_image (service, NULL, "x", 0, 0, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, reason);
  g_assert_false (imgimport_service_save_image (service, NULL, "x", 0, NULL, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, reason);
  g_assert_null (imgimport_service_stage_begin (service, NULL, "x", 0, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, reason);
  g_assert_null (imgimport_service_import_image (service, NULL, "x", NULL, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, reason);
  g_assert_null (imgimport_service_wait_job (service, "x", 0, NULL, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, reason);
  g_assert_false (imgimport_service_iterate (service));
  g_assert_null (imgimport_service_info_import (service));
  g_assert_null (imgimport_service_info_stores (service));
}

static void
test_life (void)
{
  g_autoptr (ImgImportService) service = service_new (MEMORY_CONFIG);
  g_autoptr (ImgImportSubscription) early = NULL;
  g_autoptr (GError) error = NULL;

  expect_all_refused (service, "service-not-started");
  early = imgimport_service_subscribe (service, NULL, &error);
  g_assert_no_error (error);
  service_start (service);
  g_assert_false (imgimport_service_start (service, NULL, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "service-started");
  g_assert_false (imgimport_service_iterate (service));
  g_assert_true (imgimport_service_close (service, NULL, &error));
  g_assert_true (imgimport_service_close (service, NULL, &error));
  expect_all_refused (service, "service-closed");
  g_assert_null (imgimport_service_subscribe (service, NULL, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "service-closed");
  g_assert_false (imgimport_service_start (service, NULL, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "service-closed");
}

static void
test_one_that_never_started_is_closed (void)
{
  g_autoptr (ImgImportService) service = service_new (MEMORY_CONFIG);
  g_autoptr (GError) error = NULL;

  g_assert_true (imgimport_service_close (service, NULL, &error));
  expect_all_refused (service, "service-closed");
}

static void
test_bad_configuration_makes_no_service (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (imgimport_service_new (NULL, "{\"x\": 1}", &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "config-invalid");
  g_assert_null (imgimport_service_open ("/nonexistent", "{\"x\": 1}", &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "config-invalid");
}

static void
test_forked_child_is_refused (void)
{
  g_autoptr (ImgImportService) service = service_new (MEMORY_CONFIG);
  g_autoptr (GError) error = NULL;
  int status = 1;
  pid_t child;

  service_start (service);
  child = fork ();
  if (child == 0)
    {
      expect_all_refused (service, "forked");
      g_assert_null (imgimport_service_subscribe (service, NULL, &error));
      assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "forked");
      g_assert_false (imgimport_service_close (service, NULL, &error));
      assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "forked");
      g_assert_false (imgimport_service_start (service, NULL, &error));
      assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "forked");
      g_object_unref (g_steal_pointer (&service));
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  g_assert_true (imgimport_service_close (service, NULL, &error));
}

/* ---- plug-ins of the host -------------------------------------------------------------------- */

static void
count (gpointer user_data)
{
  ++*(guint *)user_data;
}

static const ImgImportStoreVTable no_store = { IMGIMPORT_STORE_VTABLE_INIT };

typedef struct
{
  const char *id;
  ImgImportError code;
  const char *reason;
} BadId;

static const BadId bad_ids[] = {
  { "one", IMGIMPORT_ERROR_EXISTS, "name-taken" },
  { "added", IMGIMPORT_ERROR_EXISTS, "name-taken" },
  { "staging", IMGIMPORT_ERROR_INVALID_ARGUMENT, "name-invalid" },
  { "os_glance_tasks_store", IMGIMPORT_ERROR_INVALID_ARGUMENT, "name-invalid" },
  { "A", IMGIMPORT_ERROR_INVALID_ARGUMENT, "name-invalid" },
};

static void
test_destroy_runs_once_whatever_happens (void)
{
  g_autoptr (ImgImportService) service = service_new (MEMORY_CONFIG);
  g_autoptr (GError) error = NULL;
  guint kept = 0, refused = 0;
  gsize i;

  /* The function only counts: the memory store's `self` is never looked at. */
  g_assert_true (imgimport_service_add_store (service, "added", &_imgimport_store_memory_vtable,
                                              &kept, count, &error));
  for (i = 0; i < G_N_ELEMENTS (bad_ids); i++)
    {
      g_assert_false (imgimport_service_add_store (
          service, bad_ids[i].id, &_imgimport_store_memory_vtable, &refused, count, &error));
      assert_refused (&error, bad_ids[i].code, bad_ids[i].reason);
      g_assert_cmpuint (refused, ==, i + 1);
    }
  refused = 0;
  g_assert_false (imgimport_service_add_store (service, "x", &no_store, &refused, count, &error));
  g_clear_error (&error);
  g_assert_false (imgimport_service_set_staging (service, &no_store, &refused, count, &error));
  g_clear_error (&error);
  g_assert_false (imgimport_service_set_catalog (service, NULL, &refused, count, &error));
  g_clear_error (&error);
  g_assert_false (imgimport_service_add_method (
      service, "glance-direct", &_imgimport_method_glance_direct_vtable, &refused, count, &error));
  g_clear_error (&error);
  g_assert_false (imgimport_service_add_hook (service, "no-op", &_imgimport_hook_no_op_vtable,
                                              &refused, count, &error));
  g_clear_error (&error);
  g_assert_cmpuint (refused, ==, 5);
  g_assert_cmpuint (kept, ==, 0);
  g_clear_object (&service);
  g_assert_cmpuint (kept, ==, 1);
}

static void
test_what_comes_after_the_start_is_refused (void)
{
  g_autoptr (ImgImportService) service = service_new (MEMORY_CONFIG);
  g_autoptr (GError) error = NULL;
  guint n = 0;

  service_start (service);
  g_assert_false (imgimport_service_add_store (service, "x", &_imgimport_store_memory_vtable, &n,
                                               count, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "service-started");
  g_assert_false (
      imgimport_service_set_staging (service, &_imgimport_store_memory_vtable, &n, count, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "service-started");
  g_assert_false (imgimport_service_set_catalog (service, &_imgimport_catalog_memory_vtable, &n,
                                                 count, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "service-started");
  g_assert_false (imgimport_service_add_method (
      service, "m", &_imgimport_method_glance_direct_vtable, &n, count, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "service-started");
  g_assert_false (
      imgimport_service_add_hook (service, "h", &_imgimport_hook_no_op_vtable, &n, count, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_STATE, "service-started");
  imgimport_service_set_log_func (service, NULL, &n, count);
  g_assert_cmpuint (n, ==, 6);
}

static void
test_host_brings_everything (void)
{
  g_autoptr (ImgImportService) service = service_new ("{\"workers\": 0}");
  g_autoptr (GError) error = NULL;
  g_autofree char *stores = NULL;
  guint logs = 0;

  g_assert_true (imgimport_service_set_catalog (service, &_imgimport_catalog_memory_vtable,
                                                _imgimport_catalog_memory_new (),
                                                _imgimport_catalog_memory_free, &error));
  g_assert_true (imgimport_service_set_staging (service, &_imgimport_store_memory_vtable,
                                                _imgimport_store_memory_new (),
                                                _imgimport_store_memory_free, &error));
  /* The last one set counts; the first is given back. */
  g_assert_true (imgimport_service_set_staging (service, &_imgimport_store_memory_vtable,
                                                _imgimport_store_memory_new (),
                                                _imgimport_store_memory_free, &error));
  g_assert_true (imgimport_service_add_store (service, "mine", &_imgimport_store_memory_vtable,
                                              _imgimport_store_memory_new (),
                                              _imgimport_store_memory_free, &error));
  imgimport_service_set_log_func (service, NULL, &logs, count);
  service_start (service);
  stores = imgimport_service_info_stores (service);
  g_assert_cmpstr (stores, ==, "{\"stores\":[{\"id\":\"mine\",\"default\":\"true\"}]}");
  g_clear_object (&service);
  g_assert_cmpuint (logs, ==, 1);
}

/* ---- discovery ------------------------------------------------------------------------------- */

static void
expect_methods (const char *methods, const char *expected)
{
  g_autofree char *config =
      g_strdup_printf ("{" MEMORY_CATALOG ", " MEMORY_STAGING ", " MEMORY_STORES "%s}", methods);
  g_autoptr (ImgImportService) service = service_new (config);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  g_autofree char *answer = NULL;

  g_assert_true (imgimport_service_add_method (
      service, "mine", &_imgimport_method_glance_direct_vtable, NULL, NULL, &error));
  service_start (service);
  text = imgimport_service_info_import (service);
  answer = g_strdup_printf ("{\"import-methods\":{\"description\":\"Enabled import methods\","
                            "\"type\":\"array\",\"value\":[%s]}}",
                            expected);
  g_assert_cmpstr (text, ==, answer);
}

static void
test_methods_are_listed (void)
{
  expect_methods (", \"methods\": []", "");
  expect_methods (", \"methods\": [\"mine\"]", "\"mine\"");
  expect_methods (", \"methods\": [\"mine\", \"glance-direct\"]", "\"mine\",\"glance-direct\"");
  expect_methods ("", "\"glance-direct\",\"mine\"");
}

static void
test_stores_are_listed (void)
{
  g_autoptr (ImgImportService) service = service_new (
      "{" MEMORY_CATALOG ", " MEMORY_STAGING ", " MEMORY_STORES ", \"default_store\": \"two\"}");
  g_autofree char *text = NULL;

  service_start (service);
  text = imgimport_service_info_stores (service);
  g_assert_cmpstr (text, ==,
                   "{\"stores\":[{\"id\":\"one\",\"description\":\"the first\"},"
                   "{\"id\":\"two\",\"default\":\"true\"}]}");
}

/* ---- two in one process ---------------------------------------------------------------------- */

static void
test_two_services_with_opposite_policies (void)
{
  g_autoptr (ImgImportService) strict =
      service_new ("{" MEMORY_CATALOG ", " MEMORY_STAGING ", " MEMORY_STORES
                   ", \"workers\": 0, \"methods\": [], \"disk_formats\": [\"qcow2\"], "
                   "\"limits\": {\"image_size_cap\": 1}}");
  g_autoptr (ImgImportService) lax = service_new (MEMORY_CONFIG);
  g_autofree char *id = NULL;
  g_autoptr (GPtrArray) page = NULL;
  g_autoptr (GError) error = NULL;

  service_start (strict);
  service_start (lax);
  g_assert_null (imgimport_service_create_image (strict, NULL, RAW, NULL, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "format-unknown");
  id = create_active (lax, NULL, "bytes");
  page = imgimport_service_list_images (strict, NULL, NULL, &error);
  g_assert_cmpuint (page->len, ==, 0);
  g_clear_object (&strict);
  g_free (id);
  id = create_active (lax, NULL, "more bytes");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/service/life", test_life);
  g_test_add_func ("/service/one-that-never-started-is-closed",
                   test_one_that_never_started_is_closed);
  g_test_add_func ("/service/bad-configuration-makes-no-service",
                   test_bad_configuration_makes_no_service);
  g_test_add_func ("/service/forked-child-is-refused", test_forked_child_is_refused);
  g_test_add_func ("/service/destroy-runs-once-whatever-happens",
                   test_destroy_runs_once_whatever_happens);
  g_test_add_func ("/service/what-comes-after-the-start-is-refused",
                   test_what_comes_after_the_start_is_refused);
  g_test_add_func ("/service/host-brings-everything", test_host_brings_everything);
  g_test_add_func ("/service/K01-K02/methods-are-listed", test_methods_are_listed);
  g_test_add_func ("/service/F032/stores-are-listed", test_stores_are_listed);
  g_test_add_func ("/service/two-services-with-opposite-policies",
                   test_two_services_with_opposite_policies);
  return g_test_run ();
}
