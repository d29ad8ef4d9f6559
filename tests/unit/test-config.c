/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/service-private.h"

#define DIRECTORY "/nonexistent/place"

/* ---- what is refused ------------------------------------------------------------------------- */

typedef struct
{
  const char *name;
  const char *json;
  const char *message; /* how the message begins after "configuration: " */
} Bad;

#define STORE(rest) "{\"stores\": [{\"id\": \"a\", \"type\": \"memory\"}, {" rest "}]}"

static const Bad bad[] = {
  { "not-json", "{", "" },
  { "not-an-object", "[]", "expected an object" },
  { "unknown-member", "{\"worker\": 1}", "worker: unknown member" },
  { "duplicate-member", "{\"workers\": 1, \"workers\": 2}", "workers" },
  { "catalog-no-object", "{\"catalog\": \"memory\"}", "catalog: expected an object" },
  { "catalog-without-type", "{\"catalog\": {}}", "catalog/type: is missing" },
  { "catalog-type-no-string", "{\"catalog\": {\"type\": 1}}", "catalog/type: expected a string" },
  { "catalog-type-unknown", "{\"catalog\": {\"type\": \"file\"}}",
    "catalog/type: unknown type “file”; known are memory" },
  { "catalog-memory-with-path", "{\"catalog\": {\"type\": \"memory\", \"path\": \"x\"}}",
    "catalog/path: unknown member" },
  { "staging-type-unknown", "{\"staging\": {\"type\": \"sqlite\"}}",
    "staging/type: unknown type “sqlite”; known are file, memory" },
  { "staging-without-directory", "{\"staging\": {\"type\": \"file\"}}",
    "staging/directory: is missing" },
  { "staging-with-id", "{\"staging\": {\"type\": \"memory\", \"id\": \"x\"}}",
    "staging/id: unknown member" },
  { "staging-directory-empty", "{\"staging\": {\"type\": \"file\", \"directory\": \"\"}}",
    "staging/directory: is empty" },
  { "staging-directory-no-string", "{\"staging\": {\"type\": \"file\", \"directory\": 1}}",
    "staging/directory: expected a string" },
  { "stores-no-array", "{\"stores\": {}}", "stores: expected an array" },
  { "store-no-object", "{\"stores\": [\"a\"]}", "stores/0: expected an object" },
  { "store-type-unknown", STORE ("\"id\": \"b\", \"type\": \"ftp\""),
    "stores/1/type: unknown type “ftp”" },
  { "store-without-type", STORE ("\"id\": \"b\""), "stores/1/type: is missing" },
  { "store-without-id", STORE ("\"type\": \"memory\""), "stores/1/id: is missing" },
  { "store-id-no-string", STORE ("\"id\": 1, \"type\": \"memory\""), "stores/1/id: expected" },
  { "store-id-invalid", STORE ("\"id\": \"B\", \"type\": \"memory\""), "stores/1/id: is no name" },
  { "store-id-twice", STORE ("\"id\": \"a\", \"type\": \"memory\""),
    "stores/1/id: “a” is listed twice" },
  { "store-id-reserved", STORE ("\"id\": \"os_glance_tasks_store\", \"type\": \"memory\""),
    "stores/1/id: “os_glance_tasks_store” is reserved" },
  { "store-id-staging", STORE ("\"id\": \"staging\", \"type\": \"memory\""),
    "stores/1/id: “staging” is reserved" },
  { "store-description-no-string",
    STORE ("\"id\": \"b\", \"type\": \"memory\", \"description\": 1"),
    "stores/1/description: expected a string" },
  { "store-unknown-member", STORE ("\"id\": \"b\", \"type\": \"memory\", \"path\": \"x\""),
    "stores/1/path: unknown member" },
  { "default-store-no-string", "{\"default_store\": 1}", "default_store: expected a string" },
  { "default-store-invalid", "{\"default_store\": \"A\"}", "default_store: is no id" },
  { "methods-no-array", "{\"methods\": \"glance-direct\"}", "methods: expected an array" },
  { "method-no-string", "{\"methods\": [1]}", "methods/0: expected a string" },
  { "method-invalid", "{\"methods\": [\"a\", \"B\"]}", "methods/1: is no name" },
  { "method-twice", "{\"methods\": [\"a\", \"b\", \"a\"]}", "methods/2: “a” is listed twice" },
  { "hooks-no-array", "{\"hooks\": {}}", "hooks: expected an array" },
  { "hook-number", "{\"hooks\": [1]}", "hooks/0: expected a string or an object" },
  { "hook-without-name", "{\"hooks\": [{\"options\": {}}]}", "hooks/0/name: is missing" },
  { "hook-name-no-string", "{\"hooks\": [{\"name\": 1}]}", "hooks/0/name: expected a string" },
  { "hook-options-no-object", "{\"hooks\": [{\"name\": \"a\", \"options\": []}]}",
    "hooks/0/options: expected an object" },
  { "hook-unknown-member", "{\"hooks\": [{\"name\": \"a\", \"option\": {}}]}",
    "hooks/0/option: unknown member" },
  { "hook-invalid", "{\"hooks\": [\"\"]}", "hooks/0: is no name" },
  { "hook-twice", "{\"hooks\": [\"a\", {\"name\": \"a\"}]}", "hooks/1: “a” is listed twice" },
  { "workers-no-integer", "{\"workers\": 1.5}", "workers: expected an integer" },
  { "workers-negative", "{\"workers\": -1}", "workers: -1 is not between 0 and 64" },
  { "workers-too-many", "{\"workers\": 65}", "workers: 65 is not between 0 and 64" },
  { "durability-no-string", "{\"durability\": true}", "durability: expected a string" },
  { "durability-unknown", "{\"durability\": \"disk\"}", "durability: “disk” is neither" },
  { "hashing-no-string", "{\"hashing_algorithm\": 1}", "hashing_algorithm: expected a string" },
  { "hashing-unknown", "{\"hashing_algorithm\": \"crc32\"}",
    "hashing_algorithm: this build does not compute “crc32”" },
  { "verify-no-boolean", "{\"verify_on_delivery\": 1}", "verify_on_delivery: expected a boolean" },
  { "verify-without-digests",
    "{\"verify_on_delivery\": true, \"hashing_algorithm\": \"none\", \"checksum\": false}",
    "verify_on_delivery: there is no digest" },
  { "checksum-no-boolean", "{\"checksum\": 0}", "checksum: expected a boolean" },
  { "empty-no-boolean", "{\"allow_empty_images\": \"yes\"}", "allow_empty_images: expected" },
  { "disk-formats-no-array", "{\"disk_formats\": \"raw\"}", "disk_formats: expected an array" },
  { "disk-formats-twice", "{\"disk_formats\": [\"raw\", \"raw\"]}", "disk_formats/1: “raw” is" },
  { "container-formats-empty-name", "{\"container_formats\": [\"\"]}", "container_formats/0: is" },
  { "limits-no-object", "{\"limits\": 1}", "limits: expected an object" },
  { "limits-unknown-member", "{\"limits\": {\"size\": 1}}", "limits/size: unknown member" },
  { "size-cap-zero", "{\"limits\": {\"image_size_cap\": 0}}", "limits/image_size_cap: 0 would" },
  { "size-cap-no-integer", "{\"limits\": {\"image_size_cap\": \"1\"}}",
    "limits/image_size_cap: expected an integer" },
  { "policy-no-object", "{\"format_policy\": []}", "format_policy: expected an object" },
  { "policy-wrong", "{\"format_policy\": {\"require_match\": 1}}",
    "format_policy/require_match: expected a boolean" },
  { "property-quota-no-integer", "{\"limits\": {\"image_property_quota\": null}}",
    "limits/image_property_quota: expected an integer" },
  { "tag-quota-no-integer", "{\"limits\": {\"image_tag_quota\": []}}",
    "limits/image_tag_quota: expected an integer" },
  { "ttl-zero", "{\"task_time_to_live\": 0}", "task_time_to_live: 0 is not between 1 and 876000" },
};

static void
refuse (const char *directory, const char *json, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *expected = g_strconcat ("configuration: ", message, NULL);

  g_assert_null (_imgimport_config_parse (directory, json, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "config-invalid");
  if (!g_str_has_prefix (error->message, expected))
    g_error ("“%s” does not begin with “%s”", error->message, expected);
}

static void
test_bad (gconstpointer data)
{
  const Bad *row = data;

  refuse (DIRECTORY, row->json, row->message);
}

static void
test_relative_path_needs_a_directory (void)
{
  refuse (NULL, "{\"staging\": {\"type\": \"file\", \"directory\": \"staging\"}}",
          "staging/directory: “staging” is relative");
}

/* ---- what is accepted ------------------------------------------------------------------------ */

static ImgImportConfig *
parse (const char *directory, const char *json)
{
  g_autoptr (GError) error = NULL;
  ImgImportConfig *config = _imgimport_config_parse (directory, json, &error);

  g_assert_no_error (error);
  return config;
}

static void
test_defaults_are_those_of_glance (void)
{
  g_autoptr (ImgImportConfig) config = parse (NULL, NULL);

  g_assert_null (config->directory);
  g_assert_null (config->catalog);
  g_assert_null (config->staging);
  g_assert_cmpuint (config->stores->len, ==, 0);
  g_assert_cmpuint (config->hooks->len, ==, 0);
  g_assert_null (config->default_store);
  g_assert_null (config->methods);
  g_assert_cmpuint (config->workers, ==, 2);
  g_assert_true (config->durable);
  g_assert_cmpstr (config->hashing_algorithm, ==, "sha512");
  g_assert_true (config->checksum);
  g_assert_false (config->allow_empty_images);
  g_assert_cmpuint (config->image_size_cap, ==, G_GUINT64_CONSTANT (1099511627776));
  g_assert_cmpuint (config->task_time_to_live_hours, ==, 48);
  g_assert_nonnull (config->format_policy);
  g_assert_cmpint (config->limits.property_quota, ==, 128);
  g_assert_cmpint (config->limits.tag_quota, ==, 128);
  g_assert_true (g_strv_contains ((const char *const *)config->limits.disk_formats, "qcow2"));
  g_assert_true (g_strv_contains ((const char *const *)config->limits.container_formats, "bare"));
}

static void
check_plugin (const ImgImportPluginConfig *plugin, const char *id, const char *type,
              const char *path)
{
  g_assert_cmpstr (plugin->id, ==, id);
  g_assert_cmpstr (plugin->type, ==, type);
  g_assert_cmpstr (plugin->path, ==, path);
}

static void
test_directory_brings_embedded_defaults (void)
{
  g_autoptr (ImgImportConfig) config = parse (DIRECTORY, "{}");

  g_assert_cmpstr (config->directory, ==, DIRECTORY);
  check_plugin (config->catalog, NULL, "sqlite", DIRECTORY "/catalog.db");
  check_plugin (config->staging, NULL, "file", DIRECTORY "/staging");
  g_assert_cmpuint (config->stores->len, ==, 1);
  check_plugin (config->stores->pdata[0], "local", "file", DIRECTORY "/store");
}

static void
test_what_is_configured_replaces_a_default (void)
{
  g_autoptr (ImgImportConfig) config = parse (
      DIRECTORY, "{\"catalog\": {\"type\": \"memory\"}, \"stores\": [{\"id\": \"fast\", \"type\": "
                 "\"file\", \"directory\": \"a/../fast\", \"description\": \"NVMe\"}, {\"id\": "
                 "\"slow\", \"type\": \"file\", \"directory\": \"/mnt/slow/\"}], "
                 "\"default_store\": \"slow\"}");
  const ImgImportPluginConfig *fast;

  check_plugin (config->catalog, NULL, "memory", NULL);
  check_plugin (config->staging, NULL, "file", DIRECTORY "/staging");
  g_assert_cmpuint (config->stores->len, ==, 2);
  fast = config->stores->pdata[0];
  check_plugin (fast, "fast", "file", DIRECTORY "/fast");
  g_assert_cmpstr (fast->description, ==, "NVMe");
  check_plugin (config->stores->pdata[1], "slow", "file", "/mnt/slow");
  g_assert_cmpstr (config->default_store, ==, "slow");
}

static void
test_digests_can_be_left_out (void)
{
  g_autoptr (ImgImportConfig) config =
      parse (NULL, "{\"hashing_algorithm\": \"none\", \"checksum\": false}");

  g_assert_null (config->hashing_algorithm);
  g_assert_false (config->checksum);
}

static void
test_all_values_are_read (void)
{
  g_autoptr (ImgImportConfig) config = parse (
      NULL, "{\"methods\": [], \"workers\": 0, \"durability\": \"process\", "
            "\"hashing_algorithm\": \"sha256\", \"checksum\": false, "
            "\"allow_empty_images\": true, \"disk_formats\": [\"raw\"], "
            "\"container_formats\": [\"bare\"], \"limits\": {\"image_size_cap\": 1, "
            "\"image_property_quota\": -1, \"image_tag_quota\": 0}, "
            "\"task_time_to_live\": 1, "
            "\"format_policy\": {\"require_match\": false}, \"hooks\": [\"b\", {\"name\": \"a\", "
            "\"options\": {\"x\": 1}}]}");
  const ImgImportPluginConfig *first;
  const ImgImportPluginConfig *second;

  g_assert_cmpuint (g_strv_length (config->methods), ==, 0);
  g_assert_cmpuint (config->workers, ==, 0);
  g_assert_false (config->durable);
  g_assert_cmpstr (config->hashing_algorithm, ==, "sha256");
  g_assert_false (config->checksum);
  g_assert_true (config->allow_empty_images);
  g_assert_cmpstr (config->limits.disk_formats[0], ==, "raw");
  g_assert_null (config->limits.disk_formats[1]);
  g_assert_cmpstr (config->limits.container_formats[0], ==, "bare");
  g_assert_cmpuint (config->image_size_cap, ==, 1);
  g_assert_cmpint (config->limits.property_quota, ==, -1);
  g_assert_cmpint (config->limits.tag_quota, ==, 0);
  g_assert_cmpuint (config->task_time_to_live_hours, ==, 1);
  g_assert_cmpuint (config->hooks->len, ==, 2);
  first = config->hooks->pdata[0];
  second = config->hooks->pdata[1];
  g_assert_cmpstr (first->id, ==, "b");
  g_assert_null (first->options);
  g_assert_cmpstr (second->id, ==, "a");
  g_assert_cmpint (json_object_get_int_member (second->options, "x"), ==, 1);
}

static void
test_negative_size_is_no_limit (void)
{
  g_autoptr (ImgImportConfig) config = parse (NULL, "{\"limits\": {\"image_size_cap\": -7}}");

  g_assert_cmpuint (config->image_size_cap, ==, IMGIMPORT_SIZE_UNKNOWN);
}

/* A type that no configuration can name by now, as a build without it would meet. */
static void
test_builtin_refuses_an_unknown_type (void)
{
  ImgImportPluginConfig config = { .type = (char *)"none" };
  g_autoptr (GError) catalog_error = NULL;
  g_autoptr (GError) store_error = NULL;

  g_assert_null (_imgimport_builtin_catalog (&config, &catalog_error));
  g_assert_error (catalog_error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_null (_imgimport_builtin_store ("a", &config, FALSE, &store_error));
  g_assert_cmpstr (imgimport_error_get_reason (store_error), ==, "config-invalid");
}

int
main (int argc, char **argv)
{
  gsize i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *path = g_strconcat ("/config/refused/", bad[i].name, NULL);

      g_test_add_data_func (path, &bad[i], test_bad);
    }
  g_test_add_func ("/config/refused/relative-path-without-a-directory",
                   test_relative_path_needs_a_directory);
  g_test_add_func ("/config/defaults-are-those-of-glance", test_defaults_are_those_of_glance);
  g_test_add_func ("/config/directory-brings-embedded-defaults",
                   test_directory_brings_embedded_defaults);
  g_test_add_func ("/config/what-is-configured-replaces-a-default",
                   test_what_is_configured_replaces_a_default);
  g_test_add_func ("/config/digests-can-be-left-out", test_digests_can_be_left_out);
  g_test_add_func ("/config/all-values-are-read", test_all_values_are_read);
  g_test_add_func ("/config/negative-size-is-no-limit", test_negative_size_is_no_limit);
  g_test_add_func ("/config/builtin-refuses-an-unknown-type", test_builtin_refuses_an_unknown_type);
  return g_test_run ();
}
