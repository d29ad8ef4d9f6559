/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

#define ID "11111111-2222-4333-8444-555555555555"
#define NOW_US G_GINT64_CONSTANT (1767225600000000)
#define LATER_US (NOW_US + 77)

typedef struct
{
  ImgImportModelLimits limits;
  ImgImportContext *tenant;
  ImgImportImage *image;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  _imgimport_model_limits_init (&f->limits);
  f->tenant = imgimport_context_new ("mine", "me", NULL, FALSE, NULL, NULL);
  f->image = _imgimport_image_new_from_attributes (
      &f->limits,
      "{\"name\": \"n\", \"disk_format\": \"raw\", \"container_format\": \"bare\", \"tags\":"
      " [\"a\"], \"os_distro\": \"debian\", \"protected\": true}",
      f->tenant, ID, NOW_US, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  _imgimport_model_limits_clear (&f->limits);
  g_object_unref (f->tenant);
  g_object_unref (f->image);
}

static gboolean
patch (Fixture *f, const char *text, gboolean claimed, GError **error)
{
  return _imgimport_image_apply_patch (f->image, &f->limits, text, f->tenant, claimed, LATER_US,
                                       error);
}

static void
assert_refused (Fixture *f, const char *text, gboolean claimed, ImgImportError code,
                const char *reason)
{
  g_autoptr (GError) error = NULL;

  if (patch (f, text, claimed, &error))
    g_error ("%s was accepted", text);
  g_assert_error (error, IMGIMPORT_ERROR, (int)code);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
  g_assert_cmpint (f->image->updated_us, ==, NOW_US);
}

static void
empty_patch (Fixture *f, gconstpointer data)
{
  g_assert_true (patch (f, "{}", FALSE, NULL));
  g_assert_cmpstr (f->image->name, ==, "n");
  g_assert_cmpint (f->image->updated_us, ==, LATER_US);
  g_assert_cmpint (f->image->created_us, ==, NOW_US);
}

static void
members_given_replace (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (patch (f,
                        "{\"name\": \"other\", \"visibility\": \"private\", \"protected\": false,"
                        " \"os_hidden\": true, \"tags\": [\"z\", \"y\"], \"min_ram\": 3,"
                        " \"min_disk\": 4, \"os_distro\": \"fedora\", \"new\": \"p\","
                        " \"disk_format\": \"qcow2\", \"container_format\": \"ova\"}",
                        FALSE, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (f->image->name, ==, "other");
  g_assert_cmpint ((int)f->image->visibility, ==, (int)IMGIMPORT_VISIBILITY_PRIVATE);
  g_assert_false (f->image->is_protected);
  g_assert_true (f->image->os_hidden);
  g_assert_cmpuint (g_strv_length (f->image->tags), ==, 2);
  g_assert_cmpstr (f->image->tags[0], ==, "y");
  g_assert_cmpint (f->image->min_ram, ==, 3);
  g_assert_cmpint (f->image->min_disk, ==, 4);
  g_assert_cmpstr (imgimport_image_get_property (f->image, "os_distro"), ==, "fedora");
  g_assert_cmpstr (imgimport_image_get_property (f->image, "new"), ==, "p");
  g_assert_cmpstr (f->image->disk_format, ==, "qcow2");
  g_assert_cmpstr (f->image->container_format, ==, "ova");
}

static void
null_removes_properties (Fixture *f, gconstpointer data)
{
  g_assert_true (patch (f, "{\"os_distro\": null, \"never_there\": null}", FALSE, NULL));
  g_assert_cmpuint (g_hash_table_size (f->image->properties), ==, 0);
}

static void
null_is_a_value (Fixture *f, gconstpointer data)
{
  g_assert_true (patch (f, "{\"name\": null, \"disk_format\": null, \"container_format\": null}",
                        FALSE, NULL));
  g_assert_null (f->image->name);
  g_assert_null (f->image->disk_format);
  g_assert_null (f->image->container_format);
}

static void
base_properties_cannot_be_removed (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "visibility", "protected", "os_hidden",
                                       "tags",       "min_ram",   "min_disk" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"%s\": null}", names[i]);

      assert_refused (f, text, FALSE, IMGIMPORT_ERROR_INVALID_ARGUMENT, "property-invalid");
    }
}

static void
read_only_properties (Fixture *f, gconstpointer data)
{
  static const char *const names[] = { "id",           "created_at",   "updated_at",    "status",
                                       "checksum",     "os_hash_algo", "os_hash_value", "size",
                                       "virtual_size", "direct_url",   "self",          "file",
                                       "schema",       "stores",       "stage" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"%s\": \"" ID "\"}", names[i]);

      assert_refused (f, text, FALSE, IMGIMPORT_ERROR_PERMISSION, "property-read-only");
    }
}

static void
reserved_properties (Fixture *f, gconstpointer data)
{
  static const char *const list[] = {
    "{\"location\": \"x\"}",    "{\"locations\": []}",
    "{\"deleted\": \"x\"}",     "{\"deleted_at\": null}",
    "{\"os_glance_x\": \"x\"}", "{\"os_glance_importing_to_stores\": null}"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (list); i++)
    assert_refused (f, list[i], FALSE, IMGIMPORT_ERROR_PERMISSION, "property-reserved");
}

static void
wrong_values (Fixture *f, gconstpointer data)
{
  static const char *const list[] = { "{\"os_distro\": 1}", "{\"os_distro\": {\"a\": null}}",
                                      "{\"min_ram\": -1}",  "{\"tags\": {}}",
                                      "{\"name\": []}",     "{\"visibility\": \"x\"}" };

  for (gsize i = 0; i < G_N_ELEMENTS (list); i++)
    assert_refused (f, list[i], FALSE, IMGIMPORT_ERROR_INVALID_ARGUMENT, "property-invalid");
  assert_refused (f, "{\"disk_format\": \"exe\"}", FALSE, IMGIMPORT_ERROR_INVALID_ARGUMENT,
                  "format-unknown");
}

static void
malformed_patches (Fixture *f, gconstpointer data)
{
  static const char *const list[] = { "", "[]", "null", "\"x\"",
                                      "[{\"op\": \"remove\", \"path\": \"/name\"}]" };

  for (gsize i = 0; i < G_N_ELEMENTS (list); i++)
    assert_refused (f, list[i], FALSE, IMGIMPORT_ERROR_INVALID_ARGUMENT, "json-invalid");
}

/* By status and claim: whether formats may change. */
static void
formats_by_status (Fixture *f, gconstpointer data)
{
  static const struct
  {
    ImgImportStatus status;
    gboolean claimed;
    gboolean may;
  } cases[] = {
    { IMGIMPORT_STATUS_QUEUED, FALSE, TRUE },    { IMGIMPORT_STATUS_QUEUED, TRUE, TRUE },
    { IMGIMPORT_STATUS_IMPORTING, TRUE, TRUE },  { IMGIMPORT_STATUS_UPLOADING, FALSE, TRUE },
    { IMGIMPORT_STATUS_UPLOADING, TRUE, FALSE }, { IMGIMPORT_STATUS_SAVING, FALSE, FALSE },
    { IMGIMPORT_STATUS_ACTIVE, FALSE, FALSE },   { IMGIMPORT_STATUS_DEACTIVATED, FALSE, FALSE },
    { IMGIMPORT_STATUS_KILLED, FALSE, FALSE },   { IMGIMPORT_STATUS_PENDING_DELETE, FALSE, FALSE },
    { IMGIMPORT_STATUS_DELETED, FALSE, FALSE },
  };
  static const char *const patches[] = { "{\"disk_format\": \"iso\"}",
                                         "{\"container_format\": \"ovf\"}",
                                         "{\"disk_format\": null}",
                                         "{\"container_format\": null}" };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gsize p = 0; p < G_N_ELEMENTS (patches); p++)
      {
        tear_down (f, NULL);
        set_up (f, NULL);
        f->image->status = cases[i].status;
        if (cases[i].may)
          g_assert_true (patch (f, patches[p], cases[i].claimed, NULL));
        else
          assert_refused (f, patches[p], cases[i].claimed, IMGIMPORT_ERROR_INVALID_STATE,
                          "formats-frozen");
      }
}

static void
unchanged_formats_are_no_change (Fixture *f, gconstpointer data)
{
  f->image->status = IMGIMPORT_STATUS_ACTIVE;
  g_assert_true (patch (f, "{\"disk_format\": \"raw\", \"name\": \"m\"}", FALSE, NULL));
  g_assert_cmpstr (f->image->name, ==, "m");
}

static void
owner_belongs_to_administrators (Fixture *f, gconstpointer data)
{
  assert_refused (f, "{\"owner\": \"other\"}", FALSE, IMGIMPORT_ERROR_PERMISSION, "owner-foreign");
  assert_refused (f, "{\"owner\": null}", FALSE, IMGIMPORT_ERROR_PERMISSION, "owner-foreign");
  g_assert_true (patch (f, "{\"owner\": \"mine\"}", FALSE, NULL));
  g_assert_true (_imgimport_image_apply_patch (f->image, &f->limits, "{\"owner\": \"other\"}", NULL,
                                               FALSE, LATER_US, NULL));
  g_assert_cmpstr (f->image->owner, ==, "other");
}

static void
reserved_properties_are_not_counted (Fixture *f, gconstpointer data)
{
  f->limits.property_quota = 2;
  _imgimport_image_set_property (f->image, "os_glance_import_task", "x");
  _imgimport_image_set_property (f->image, "os_glance_failed_import", "x");
  g_assert_true (patch (f, "{\"second\": \"x\"}", FALSE, NULL));
  f->image->updated_us = NOW_US;
  assert_refused (f, "{\"third\": \"x\"}", FALSE, IMGIMPORT_ERROR_LIMIT, "property-quota");
}

static void
over_quota_may_shrink_and_change (Fixture *f, gconstpointer data)
{
  g_assert_true (
      patch (f, "{\"b\": \"1\", \"c\": \"1\", \"tags\": [\"a\", \"b\", \"c\"]}", FALSE, NULL));
  f->image->updated_us = NOW_US;
  f->limits.property_quota = 1;
  f->limits.tag_quota = 1;
  g_assert_true (patch (f, "{\"b\": null, \"c\": \"2\", \"tags\": [\"a\", \"b\"]}", FALSE, NULL));
  f->image->updated_us = NOW_US;
  assert_refused (f, "{\"b\": \"3\"}", FALSE, IMGIMPORT_ERROR_LIMIT, "property-quota");
  _imgimport_image_set_property (f->image, "b", NULL);
  assert_refused (f, "{\"tags\": [\"a\", \"b\", \"c\"]}", FALSE, IMGIMPORT_ERROR_LIMIT,
                  "tag-quota");
}

static void
record_size (Fixture *f, gconstpointer data)
{
  g_autofree char *value = g_strnfill (IMGIMPORT_IMAGE_MAX_JSON, 'v');
  g_autofree char *text = g_strdup_printf ("{\"a\": \"%s\"}", value);

  assert_refused (f, text, FALSE, IMGIMPORT_ERROR_LIMIT, "property-quota");
  /* What has become too large otherwise may still be made smaller. */
  _imgimport_image_set_property (f->image, "b", value);
  _imgimport_image_set_property (f->image, "a", NULL);
  g_assert_true (patch (f, "{\"os_distro\": null}", FALSE, NULL));
}

/* As Glance's default policy has it (publicize_image); what is public already may be patched. */
static void
only_administrators_publish (Fixture *f, gconstpointer data)
{
  static const char public[] = "{\"visibility\": \"public\"}";
  g_autoptr (ImgImportImage) image = NULL;
  g_autoptr (GError) error = NULL;

  image = _imgimport_image_new_from_attributes (&f->limits, public, f->tenant, ID, NOW_US, &error);
  g_assert_null (image);
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_PERMISSION);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "visibility-public");
  assert_refused (f, public, FALSE, IMGIMPORT_ERROR_PERMISSION, "visibility-public");
  g_assert_cmpint ((int)f->image->visibility, ==, (int)IMGIMPORT_VISIBILITY_SHARED);

  g_assert_true (
      _imgimport_image_apply_patch (f->image, &f->limits, public, NULL, FALSE, LATER_US, NULL));
  g_assert_cmpint ((int)f->image->visibility, ==, (int)IMGIMPORT_VISIBILITY_PUBLIC);
  g_assert_true (patch (f, public, FALSE, NULL));
  g_assert_true (patch (f, "{\"visibility\": \"community\"}", FALSE, NULL));
  g_assert_false (patch (f, public, FALSE, NULL));
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/conformance/A16/reserved-properties-are-not-counted", reserved_properties_are_not_counted);
  ADD ("/conformance/A17/read-only-properties", read_only_properties);
  ADD ("/conformance/A20/formats-by-status", formats_by_status);
  ADD ("/conformance/F017/reserved-properties", reserved_properties);
  ADD ("/conformance/F019/over-quota-may-shrink-and-change", over_quota_may_shrink_and_change);
  ADD ("/model/patch/empty", empty_patch);
  ADD ("/model/patch/members-given-replace", members_given_replace);
  ADD ("/model/patch/null-removes-properties", null_removes_properties);
  ADD ("/model/patch/null-is-a-value", null_is_a_value);
  ADD ("/model/patch/base-properties-cannot-be-removed", base_properties_cannot_be_removed);
  ADD ("/model/patch/wrong-values", wrong_values);
  ADD ("/model/patch/malformed", malformed_patches);
  ADD ("/model/patch/unchanged-formats-are-no-change", unchanged_formats_are_no_change);
  ADD ("/model/patch/owner-belongs-to-administrators", owner_belongs_to_administrators);
  ADD ("/model/patch/record-size", record_size);
  ADD ("/model/patch/only-administrators-publish", only_administrators_publish);
  return g_test_run ();
}
