/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

#define ID "11111111-2222-4333-8444-555555555555"
#define OTHER_ID "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define NOW_US G_GINT64_CONSTANT (1767225600000000)

typedef struct
{
  ImgImportModelLimits limits;
  ImgImportContext *tenant;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  _imgimport_model_limits_init (&f->limits);
  f->tenant = imgimport_context_new ("mine", "me", NULL, FALSE, NULL, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  _imgimport_model_limits_clear (&f->limits);
  g_object_unref (f->tenant);
}

static ImgImportImage *
create (Fixture *f, const char *attributes, GError **error)
{
  return _imgimport_image_new_from_attributes (&f->limits, attributes, f->tenant, ID, NOW_US,
                                               error);
}

static void
assert_refused (Fixture *f, const char *attributes, ImgImportError code, const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = create (f, attributes, &error);

  if (image != NULL)
    g_error ("%s was accepted", attributes);
  g_assert_error (error, IMGIMPORT_ERROR, (int)code);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
}

static void
assert_each_refused (Fixture *f, const char *const *list, ImgImportError code, const char *reason)
{
  for (gsize i = 0; list[i] != NULL; i++)
    assert_refused (f, list[i], code, reason);
}

static void
no_attributes (Fixture *f, gconstpointer data)
{
  static const char *const none[] = { NULL, "{}" };

  for (gsize i = 0; i < G_N_ELEMENTS (none); i++)
    {
      g_autoptr (ImgImportImage) image = create (f, none[i], NULL);

      g_assert_cmpstr (image->id, ==, ID);
      g_assert_cmpstr (image->owner, ==, "mine");
      g_assert_cmpint ((int)image->status, ==, (int)IMGIMPORT_STATUS_QUEUED);
      g_assert_cmpint ((int)image->visibility, ==, (int)IMGIMPORT_VISIBILITY_SHARED);
      g_assert_cmpint (image->created_us, ==, NOW_US);
      g_assert_cmpint (image->updated_us, ==, NOW_US);
    }
}

static void
every_writable_attribute (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = create (
      f,
      "{\"id\": \"" OTHER_ID "\", \"name\": \"n\", \"visibility\": \"private\", \"protected\":"
      " true, \"os_hidden\": true, \"owner\": \"mine\", \"container_format\": \"bare\","
      " \"disk_format\": \"qcow2\", \"tags\": [\"b\", \"a\"], \"min_ram\": 1, \"min_disk\": 2,"
      " \"os_distro\": \"debian\"}",
      &error);

  g_assert_no_error (error);
  g_assert_cmpstr (image->id, ==, OTHER_ID);
  g_assert_cmpstr (image->name, ==, "n");
  g_assert_cmpint ((int)image->visibility, ==, (int)IMGIMPORT_VISIBILITY_PRIVATE);
  g_assert_true (image->is_protected);
  g_assert_true (image->os_hidden);
  g_assert_cmpstr (image->owner, ==, "mine");
  g_assert_cmpstr (image->container_format, ==, "bare");
  g_assert_cmpstr (image->disk_format, ==, "qcow2");
  g_assert_cmpstr (image->tags[0], ==, "a");
  g_assert_cmpint (image->min_ram, ==, 1);
  g_assert_cmpint (image->min_disk, ==, 2);
  g_assert_cmpstr (imgimport_image_get_property (image, "os_distro"), ==, "debian");
}

static void
null_where_it_is_a_value (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportImage) image =
      create (f, "{\"name\": null, \"disk_format\": null, \"container_format\": null}", NULL);

  g_assert_null (image->name);
  g_assert_null (image->disk_format);
  g_assert_null (image->container_format);
}

static void
read_only_attributes (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "created_at",   "updated_at",    "status", "checksum",
                                       "os_hash_algo", "os_hash_value", "size",   "virtual_size",
                                       "direct_url",   "self",          "file",   "schema",
                                       "stores",       "stage" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *attributes = g_strdup_printf ("{\"%s\": \"x\"}", names[i]);

      assert_refused (f, attributes, IMGIMPORT_ERROR_PERMISSION, "property-read-only");
    }
}

static void
reserved_attributes (Fixture *f, gconstpointer data)
{
  static const char *const list[] = { "{\"location\": \"file:///etc/passwd\"}",
                                      "{\"locations\": []}", "{\"deleted\": \"true\"}",
                                      "{\"deleted_at\": \"x\"}", NULL };

  assert_each_refused (f, list, IMGIMPORT_ERROR_PERMISSION, "property-reserved");
}

static void
reserved_namespace (Fixture *f, gconstpointer data)
{
  static const char *const list[] = { "{\"os_glance_import_task\": \"x\"}",
                                      "{\"os_glance\": \"x\"}", "{\"os_glancex\": \"x\"}",
                                      "{\"os_glance_failed_import\": null}", NULL };

  assert_each_refused (f, list, IMGIMPORT_ERROR_PERMISSION, "property-reserved");
}

static void
unknown_formats (Fixture *f, gconstpointer data)
{
  static const char *const list[] = {
    "{\"disk_format\": \"exe\"}",          "{\"disk_format\": \"\"}",
    "{\"disk_format\": \"QCOW2\"}",        "{\"container_format\": \"qcow2\"}",
    "{\"container_format\": \"tarball\"}", NULL
  };

  assert_each_refused (f, list, IMGIMPORT_ERROR_INVALID_ARGUMENT, "format-unknown");
}

static void
configured_formats (Fixture *f, gconstpointer data)
{
  static const char *const ours[] = { "gpt", NULL };
  g_autoptr (ImgImportImage) image = NULL;

  g_strfreev (f->limits.disk_formats);
  f->limits.disk_formats = g_strdupv ((char **)ours);
  image = create (f, "{\"disk_format\": \"gpt\"}", NULL);
  g_assert_cmpstr (image->disk_format, ==, "gpt");
  assert_refused (f, "{\"disk_format\": \"qcow2\"}", IMGIMPORT_ERROR_INVALID_ARGUMENT,
                  "format-unknown");
}

static void
malformed_id (Fixture *f, gconstpointer data)
{
  static const char *const list[] = { "{\"id\": \"\"}",
                                      "{\"id\": \"1\"}",
                                      "{\"id\": \"AAAAAAAA-bbbb-4ccc-8ddd-eeeeeeeeeeee\"}",
                                      "{\"id\": \"../x\"}",
                                      "{\"id\": null}",
                                      "{\"id\": 1}",
                                      NULL };

  assert_each_refused (f, list, IMGIMPORT_ERROR_INVALID_ARGUMENT, "property-invalid");
}

static void
duplicate_tags_are_one (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportImage) image =
      create (f, "{\"tags\": [\"x\", \"b\", \"x\", \"a\", \"b\"]}", NULL);
  g_autofree char *joined = g_strjoinv (",", image->tags);

  g_assert_cmpstr (joined, ==, "a,b,x");
}

static void
tag_quota (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportImage) image = NULL;

  f->limits.tag_quota = 2;
  image = create (f, "{\"tags\": [\"a\", \"b\", \"a\"]}", NULL);
  g_assert_nonnull (image);
  assert_refused (f, "{\"tags\": [\"a\", \"b\", \"c\"]}", IMGIMPORT_ERROR_LIMIT, "tag-quota");
  f->limits.tag_quota = 0;
  assert_refused (f, "{\"tags\": [\"a\"]}", IMGIMPORT_ERROR_LIMIT, "tag-quota");
  f->limits.tag_quota = -1;
  g_set_object (&image, NULL);
  image = create (f, "{\"tags\": [\"a\", \"b\", \"c\"]}", NULL);
  g_assert_nonnull (image);
}

static void
property_quota (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportImage) image = NULL;

  f->limits.property_quota = 1;
  image = create (f, "{\"a\": \"1\", \"name\": \"not counted\"}", NULL);
  g_assert_nonnull (image);
  assert_refused (f, "{\"a\": \"1\", \"b\": \"2\"}", IMGIMPORT_ERROR_LIMIT, "property-quota");
  f->limits.property_quota = -5;
  g_set_object (&image, NULL);
  image = create (f, "{\"a\": \"1\", \"b\": \"2\"}", NULL);
  g_assert_nonnull (image);
}

static void
record_size (Fixture *f, gconstpointer data)
{
  g_autofree char *value = g_strnfill (IMGIMPORT_IMAGE_MAX_JSON, 'v');
  g_autofree char *attributes = g_strdup_printf ("{\"a\": \"%s\"}", value);

  f->limits.property_quota = -1;
  assert_refused (f, attributes, IMGIMPORT_ERROR_LIMIT, "property-quota");
}

static void
negative_minimums (Fixture *f, gconstpointer data)
{
  static const char *const list[] = { "{\"min_disk\": -1}", "{\"min_ram\": -1}",
                                      "{\"min_disk\": 2147483648}", "{\"min_ram\": \"1\"}", NULL };

  assert_each_refused (f, list, IMGIMPORT_ERROR_INVALID_ARGUMENT, "property-invalid");
}

static void
property_names (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) key = g_string_new (NULL);
  g_autoptr (ImgImportImage) image = NULL;
  g_autofree char *fits = NULL;
  g_autofree char *too_long = NULL;

  for (int i = 0; i < 255; i++)
    g_string_append (key, "é");
  fits = g_strdup_printf ("{\"%s\": \"x\"}", key->str);
  too_long = g_strdup_printf ("{\"%sé\": \"x\"}", key->str);
  image = create (f, fits, NULL);
  g_assert_cmpstr (imgimport_image_get_property (image, key->str), ==, "x");
  assert_refused (f, too_long, IMGIMPORT_ERROR_INVALID_ARGUMENT, "property-invalid");
  assert_refused (f, "{\"\": \"x\"}", IMGIMPORT_ERROR_INVALID_ARGUMENT, "property-invalid");
}

static void
values_of_other_types (Fixture *f, gconstpointer data)
{
  static const char *const list[] = { "{\"os_distro\": 1}",        "{\"os_distro\": [\"a\"]}",
                                      "{\"os_distro\": null}",     "{\"os_distro\": {}}",
                                      "{\"os_distro\": true}",     "{\"name\": 1}",
                                      "{\"protected\": \"no\"}",   "{\"os_hidden\": null}",
                                      "{\"visibility\": \"all\"}", "{\"visibility\": null}",
                                      "{\"tags\": \"a\"}",         "{\"tags\": null}",
                                      "{\"tags\": [1]}",           "{\"owner\": 1}",
                                      "{\"disk_format\": 1}",      NULL };

  assert_each_refused (f, list, IMGIMPORT_ERROR_INVALID_ARGUMENT, "property-invalid");
}

static void
too_long_values (Fixture *f, gconstpointer data)
{
  g_autofree char *text = g_strnfill (256, 'x');
  static const char *const formats[] = { "{\"name\": \"%s\"}", "{\"tags\": [\"%s\"]}",
                                         "{\"owner\": \"%s\"}", "{\"disk_format\": \"%s\"}" };

  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_auto (GStrv) parts = g_strsplit (formats[i], "%s", 2);
      g_autofree char *attributes = g_strjoinv (text, parts);

      assert_refused (f, attributes, IMGIMPORT_ERROR_INVALID_ARGUMENT, "property-invalid");
    }
}

static void
malformed_documents (Fixture *f, gconstpointer data)
{
  static const char *const list[] = {
    "",  "[]", "null", "{\"a\": \"1\",}", "{\"a\": \"1\", \"a\": \"2\"}", "{\"a\": \"\\u0000\"}",
    NULL
  };

  assert_each_refused (f, list, IMGIMPORT_ERROR_INVALID_ARGUMENT, "json-invalid");
}

static void
foreign_owner (Fixture *f, gconstpointer data)
{
  static const char *const list[] = { "{\"owner\": \"other\"}", "{\"owner\": null}",
                                      "{\"owner\": \"\"}", NULL };

  assert_each_refused (f, list, IMGIMPORT_ERROR_PERMISSION, "owner-foreign");
}

static void
administrator_names_any_owner (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportContext) admin = imgimport_context_new ("ops", NULL, NULL, TRUE, NULL, NULL);
  ImgImportContext *const contexts[] = { admin, NULL };
  static const char *const attributes[] = { "{\"owner\": \"other\"}", "{\"owner\": null}",
                                            "{\"owner\": \"\"}" };
  static const char *const owners[] = { "other", NULL, NULL };

  for (gsize i = 0; i < G_N_ELEMENTS (contexts) * G_N_ELEMENTS (attributes); i++)
    {
      const gsize a = i / G_N_ELEMENTS (contexts);
      g_autoptr (ImgImportImage) image = _imgimport_image_new_from_attributes (
          &f->limits, attributes[a], contexts[i % G_N_ELEMENTS (contexts)], ID, NOW_US, NULL);

      g_assert_cmpstr (image->owner, ==, owners[a]);
    }
}

static void
host_itself_has_no_owner (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportImage) image =
      _imgimport_image_new_from_attributes (&f->limits, NULL, NULL, ID, NOW_US, NULL);

  g_assert_null (image->owner);
}

static void
properties_of_plugins (Fixture *f, gconstpointer data)
{
  static const char *const taken[] = { "name", "size", "locations", "self", "os_glance_x" };
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (taken); i++)
    {
      g_autoptr (GError) refused = NULL;

      g_assert_false (_imgimport_property_check (taken[i], "x", &refused));
      g_assert_error (refused, IMGIMPORT_ERROR, IMGIMPORT_ERROR_PERMISSION);
      g_assert_cmpstr (imgimport_error_get_reason (refused), ==, "property-reserved");
    }
  g_assert_true (_imgimport_property_check ("os_distro", "debian", NULL));
  g_assert_false (_imgimport_property_check ("os_distro", "\xff", &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "property-invalid");
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/conformance/A01/no-attributes", no_attributes);
  ADD ("/conformance/A02/reserved-attributes", reserved_attributes);
  ADD ("/conformance/A06/malformed-id", malformed_id);
  ADD ("/conformance/A07/duplicate-tags-are-one", duplicate_tags_are_one);
  ADD ("/conformance/A08/tag-quota", tag_quota);
  ADD ("/conformance/A10-A11/negative-minimums", negative_minimums);
  ADD ("/conformance/A12/property-names", property_names);
  ADD ("/conformance/A13/values-of-other-types", values_of_other_types);
  ADD ("/conformance/A14/reserved-namespace", reserved_namespace);
  ADD ("/conformance/A18-A19/unknown-formats", unknown_formats);
  ADD ("/conformance/F016/read-only-attributes", read_only_attributes);
  ADD ("/conformance/F019/property-quota", property_quota);
  ADD ("/conformance/F020/configured-formats", configured_formats);
  ADD ("/model/create/every-writable-attribute", every_writable_attribute);
  ADD ("/model/create/null-where-it-is-a-value", null_where_it_is_a_value);
  ADD ("/model/create/record-size", record_size);
  ADD ("/model/create/too-long-values", too_long_values);
  ADD ("/model/create/malformed-documents", malformed_documents);
  ADD ("/model/create/foreign-owner", foreign_owner);
  ADD ("/model/create/administrator-names-any-owner", administrator_names_any_owner);
  ADD ("/model/create/host-itself-has-no-owner", host_itself_has_no_owner);
  ADD ("/model/create/properties-of-plugins", properties_of_plugins);
  return g_test_run ();
}
