/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image-record.h"

#include <string.h>

#define ID "11111111-2222-4333-8444-555555555555"
#define NOW_US G_GINT64_CONSTANT (1767225600123456) /* 2026-01-01T00:00:00.123456Z */

static ImgImportImage *
full_image (void)
{
  static const char *const tags[] = { "a", "b", NULL };
  ImgImportImage *image = _imgimport_image_new (ID, NOW_US);

  image->updated_us = NOW_US + 5 * G_USEC_PER_SEC;
  image->name = g_strdup ("Ünïcode “name”");
  image->status = IMGIMPORT_STATUS_ACTIVE;
  image->visibility = IMGIMPORT_VISIBILITY_COMMUNITY;
  image->is_protected = TRUE;
  image->os_hidden = TRUE;
  image->checksum = g_strdup ("d41d8cd98f00b204e9800998ecf8427e");
  image->os_hash_algo = g_strdup ("sha512");
  image->os_hash_value = g_strdup ("abcdef");
  image->owner = g_strdup ("project");
  image->size = 1024;
  image->virtual_size = G_GUINT64_CONSTANT (1) << 40;
  image->container_format = g_strdup ("bare");
  image->disk_format = g_strdup ("qcow2");
  image->min_ram = 512;
  image->min_disk = 20;
  g_strfreev (image->tags);
  image->tags = g_strdupv ((char **)tags);
  _imgimport_image_set_property (image, "os_distro", "debian");
  _imgimport_image_set_property (image, "empty", "");
  _imgimport_image_set_property (image, "os_glance_failed_import", "slow");
  _imgimport_image_add_location (image, "fast", ID ".1.1", "v\"1");
  _imgimport_image_add_location (image, "big", ID ".1.2", NULL);
  image->stage = (ImgImportStage){
    .state = IMGIMPORT_STAGE_SEALED, .bytes = 7, .expected = 8, .since_us = NOW_US
  };
  return image;
}

static void
new_image_has_defaults (void)
{
  g_autoptr (ImgImportImage) image = _imgimport_image_new (ID, NOW_US);
  g_autofree char *json = imgimport_image_to_json (image);
  g_autoptr (JsonObject) object = _imgimport_json_parse_object (json, "image", NULL);
  static const char *const nulls[] = { "name",       "checksum", "os_hash_algo", "os_hash_value",
                                       "owner",      "size",     "virtual_size", "container_format",
                                       "disk_format" };

  g_assert_cmpstr (json_object_get_string_member (object, "id"), ==, ID);
  g_assert_cmpstr (json_object_get_string_member (object, "status"), ==, "queued");
  g_assert_cmpstr (json_object_get_string_member (object, "visibility"), ==, "shared");
  g_assert_false (json_object_get_boolean_member (object, "protected"));
  g_assert_false (json_object_get_boolean_member (object, "os_hidden"));
  g_assert_cmpint (json_object_get_int_member (object, "min_ram"), ==, 0);
  g_assert_cmpint (json_object_get_int_member (object, "min_disk"), ==, 0);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (object, "tags")), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (nulls); i++)
    g_assert_true (json_object_get_null_member (object, nulls[i]));
  g_assert_cmpstr (json_object_get_string_member (object, "created_at"), ==,
                   "2026-01-01T00:00:00Z");
  g_assert_cmpstr (json_object_get_string_member (object, "updated_at"), ==,
                   "2026-01-01T00:00:00Z");
  g_assert_cmpstr (json_object_get_string_member (object, "self"), ==, "/v2/images/" ID);
  g_assert_cmpstr (json_object_get_string_member (object, "file"), ==, "/v2/images/" ID "/file");
  g_assert_cmpstr (json_object_get_string_member (object, "schema"), ==, "/v2/schemas/image");
  g_assert_false (json_object_has_member (object, "stores"));
  g_assert_false (json_object_has_member (object, "stage"));
}

static void
public_shape_of_a_full_image (void)
{
  g_autoptr (ImgImportImage) image = full_image ();
  g_autofree char *json = imgimport_image_to_json (image);
  g_autoptr (JsonObject) object = _imgimport_json_parse_object (json, "image", NULL);
  JsonObject *stage = json_object_get_object_member (object, "stage");

  g_assert_cmpstr (json_object_get_string_member (object, "stores"), ==, "fast,big");
  g_assert_cmpstr (json_object_get_string_member (object, "os_distro"), ==, "debian");
  g_assert_cmpstr (json_object_get_string_member (object, "empty"), ==, "");
  g_assert_cmpstr (json_object_get_string_member (object, "updated_at"), ==,
                   "2026-01-01T00:00:05Z");
  g_assert_cmpstr (json_object_get_string_member (stage, "state"), ==, "sealed");
  g_assert_cmpint (json_object_get_int_member (stage, "bytes"), ==, 7);
  g_assert_cmpint (json_object_get_int_member (stage, "expected"), ==, 8);
  g_assert_cmpstr (json_object_get_string_member (stage, "since"), ==, "2026-01-01T00:00:00Z");
  g_assert_false (json_object_has_member (object, "locations"));
  g_assert_null (strstr (json, ID ".1.1"));
  g_assert_null (strstr (json, "_us\""));
}

static void
hosts_are_hidden (void)
{
  g_autoptr (ImgImportImage) image = _imgimport_image_new (ID, NOW_US);
  g_autofree char *json = NULL;
  g_autofree char *text = NULL;

  _imgimport_image_set_property (image, "os_glance_stage_host", "http://inner");
  _imgimport_image_set_property (image, "os_glance_hash_op_host", "http://inner");
  _imgimport_image_set_property (image, "os_glance_import_task", "task");
  json = imgimport_image_to_json (image);
  text = internal_text (image);
  g_assert_null (strstr (json, "inner"));
  g_assert_nonnull (strstr (json, "os_glance_import_task"));
  g_assert_nonnull (strstr (text, "os_glance_stage_host"));
}

static void
assert_getters (ImgImportImage *image)
{
  g_auto (GStrv) stores = imgimport_image_dup_stores (image);

  g_assert_cmpstr (imgimport_image_get_id (image), ==, ID);
  g_assert_cmpstr (imgimport_image_get_name (image), ==, "Ünïcode “name”");
  g_assert_cmpint ((int)imgimport_image_get_status (image), ==, (int)IMGIMPORT_STATUS_ACTIVE);
  g_assert_cmpstr (imgimport_image_get_owner (image), ==, "project");
  g_assert_cmpstr (imgimport_image_get_disk_format (image), ==, "qcow2");
  g_assert_cmpstr (imgimport_image_get_container_format (image), ==, "bare");
  g_assert_cmpuint (imgimport_image_get_size (image), ==, 1024);
  g_assert_cmpuint (imgimport_image_get_virtual_size (image), ==, G_GUINT64_CONSTANT (1) << 40);
  g_assert_cmpstr (imgimport_image_get_checksum (image), ==, "d41d8cd98f00b204e9800998ecf8427e");
  g_assert_cmpstr (imgimport_image_get_hash_algo (image), ==, "sha512");
  g_assert_cmpstr (imgimport_image_get_hash_value (image), ==, "abcdef");
  g_assert_cmpstr (imgimport_image_get_property (image, "os_distro"), ==, "debian");
  g_assert_null (imgimport_image_get_property (image, "name"));
  g_assert_cmpstr (stores[0], ==, "fast");
  g_assert_cmpstr (stores[1], ==, "big");
  g_assert_null (stores[2]);
  g_assert_cmpint ((int)imgimport_image_get_stage_state (image), ==, (int)IMGIMPORT_STAGE_SEALED);
  g_assert_cmpuint (imgimport_image_get_stage_bytes (image), ==, 7);
  g_assert_cmpuint (imgimport_image_get_stage_expected (image), ==, 8);
}

static void
round_trip_of_the_public_shape (void)
{
  g_autoptr (ImgImportImage) image = full_image ();
  g_autofree char *json = imgimport_image_to_json (image);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) read = imgimport_image_new_from_json (json, &error);
  g_autofree char *again = NULL;

  g_assert_no_error (error);
  assert_getters (read);
  again = imgimport_image_to_json (read);
  g_assert_cmpstr (again, ==, json);
}

static void
round_trip_of_the_internal_form (void)
{
  g_autoptr (ImgImportImage) image = full_image ();
  g_autofree char *text = internal_text (image);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) read = read_internal (text, &error);
  g_autofree char *again = NULL;
  const ImgImportLocation *location;

  g_assert_no_error (error);
  assert_getters (read);
  g_assert_cmpint (read->created_us, ==, NOW_US);
  g_assert_cmpint (read->stage.since_us, ==, NOW_US);
  location = find_location (read, "fast");
  g_assert_cmpstr (location->key, ==, ID ".1.1");
  g_assert_cmpstr (location->version, ==, "v\"1");
  g_assert_null (find_location (read, "big")->version);
  g_assert_null (find_location (read, "none"));
  again = internal_text (read);
  g_assert_cmpstr (again, ==, text);
}

static void
a_copy_is_deep (void)
{
  g_autoptr (ImgImportImage) image = full_image ();
  g_autofree char *before = internal_text (image);
  g_autoptr (ImgImportImage) copy = _imgimport_image_copy (image);
  g_autofree char *copied = internal_text (copy);
  g_autofree char *after = NULL;

  g_assert_cmpstr (copied, ==, before);
  g_ptr_array_set_size (copy->locations, 0);
  _imgimport_image_clear_stage (copy);
  _imgimport_image_set_property (copy, "os_distro", NULL);
  _imgimport_image_set_property (copy, "new", "x");
  _imgimport_set_string (&copy->name, "other");
  g_free (copy->tags[0]);
  copy->tags[0] = g_strdup ("changed");
  after = internal_text (image);
  g_assert_cmpstr (after, ==, before);
}

static void
formats_missing_are_named (void)
{
  static const struct
  {
    const char *disk;
    const char *container;
    gboolean names_disk;
    gboolean names_container;
  } cases[] = {
    { NULL, NULL, TRUE, TRUE },
    { "", "bare", TRUE, FALSE },
    { NULL, "bare", TRUE, FALSE },
    { "raw", NULL, FALSE, TRUE },
  };
  static const ImgImportAction needing[] = { IMGIMPORT_ACTION_UPLOAD, IMGIMPORT_ACTION_IMPORT,
                                             IMGIMPORT_ACTION_REGISTER };

  for (gsize i = 0; i < G_N_ELEMENTS (cases) * G_N_ELEMENTS (needing); i++)
    {
      const gsize c = i % G_N_ELEMENTS (cases);
      g_autoptr (ImgImportImage) image = _imgimport_image_new (ID, NOW_US);
      g_autoptr (GError) error = NULL;

      image->disk_format = g_strdup (cases[c].disk);
      image->container_format = g_strdup (cases[c].container);
      g_assert_false (
          _imgimport_image_set_status (image, needing[i / G_N_ELEMENTS (cases)], &error));
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_STATE);
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, "formats-missing");
      g_assert_nonnull (strstr (error->message, ID));
      g_assert_cmpint (strstr (error->message, "disk_format") != NULL, ==, cases[c].names_disk);
      g_assert_cmpint (strstr (error->message, "container_format") != NULL, ==,
                       cases[c].names_container);
      g_assert_cmpint ((int)image->status, ==, (int)IMGIMPORT_STATUS_QUEUED);
    }
}

static void
formats_are_not_needed_elsewhere (void)
{
  g_autoptr (ImgImportImage) image = _imgimport_image_new (ID, NOW_US);

  g_assert_true (_imgimport_image_set_status (image, IMGIMPORT_ACTION_STAGE, NULL));
  g_assert_cmpint ((int)image->status, ==, (int)IMGIMPORT_STATUS_UPLOADING);
  image->status = IMGIMPORT_STATUS_IMPORTING;
  g_assert_true (_imgimport_image_set_status (image, IMGIMPORT_ACTION_ACTIVATE, NULL));
}

static void
both_formats_suffice (void)
{
  g_autoptr (ImgImportImage) image = _imgimport_image_new (ID, NOW_US);

  image->disk_format = g_strdup ("raw");
  image->container_format = g_strdup ("bare");
  g_assert_true (_imgimport_image_set_status (image, IMGIMPORT_ACTION_IMPORT, NULL));
  g_assert_cmpint ((int)image->status, ==, (int)IMGIMPORT_STATUS_IMPORTING);
}

static void
queued_has_no_sizes (void)
{
  static const struct
  {
    ImgImportStatus status;
    ImgImportAction action;
  } cases[] = {
    { IMGIMPORT_STATUS_SAVING, IMGIMPORT_ACTION_UPLOAD_FAILED },
    { IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_ACTION_UNSTAGE },
    { IMGIMPORT_STATUS_IMPORTING, IMGIMPORT_ACTION_IMPORT_FAILED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ImgImportImage) image = full_image ();

      image->status = cases[i].status;
      g_assert_true (_imgimport_image_set_status (image, cases[i].action, NULL));
      g_assert_cmpuint (image->size, ==, IMGIMPORT_SIZE_UNKNOWN);
      g_assert_cmpuint (image->virtual_size, ==, IMGIMPORT_SIZE_UNKNOWN);
      g_assert_cmpstr (image->checksum, ==, "d41d8cd98f00b204e9800998ecf8427e");
    }
}

static void
returned_import_keeps_sizes (void)
{
  g_autoptr (ImgImportImage) image = full_image ();

  image->status = IMGIMPORT_STATUS_IMPORTING;
  g_assert_true (_imgimport_image_set_status (image, IMGIMPORT_ACTION_IMPORT_RETURNED, NULL));
  g_assert_cmpint ((int)image->status, ==, (int)IMGIMPORT_STATUS_UPLOADING);
  g_assert_cmpuint (image->size, ==, 1024);
}

static void
illegal_action_changes_nothing (void)
{
  g_autoptr (ImgImportImage) image = full_image ();
  g_autoptr (GError) error = NULL;

  g_assert_false (_imgimport_image_set_status (image, IMGIMPORT_ACTION_STAGE, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_STATE);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "status-transition");
  g_assert_nonnull (strstr (error->message, ID));
  g_assert_cmpint ((int)image->status, ==, (int)IMGIMPORT_STATUS_ACTIVE);
  g_assert_cmpuint (image->size, ==, 1024);
}

static void
clearing_forgets_the_stage (void)
{
  g_autoptr (ImgImportImage) image = full_image ();

  _imgimport_image_clear_stage (image);
  g_assert_cmpint ((int)image->stage.state, ==, (int)IMGIMPORT_STAGE_NONE);
  g_assert_cmpuint (image->stage.expected, ==, IMGIMPORT_SIZE_UNKNOWN);
  g_assert_cmpstr (image->disk_format, ==, "qcow2");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/A01/new-image-has-defaults", new_image_has_defaults);
  g_test_add_func ("/conformance/F003/missing-formats-are-named", formats_missing_are_named);
  g_test_add_func ("/conformance/F003/formats-are-not-needed-elsewhere",
                   formats_are_not_needed_elsewhere);
  g_test_add_func ("/conformance/F003/both-formats-suffice", both_formats_suffice);
  g_test_add_func ("/conformance/F004/queued-has-no-sizes", queued_has_no_sizes);
  g_test_add_func ("/conformance/F030/hosts-are-hidden", hosts_are_hidden);
  g_test_add_func ("/model/image/clearing-forgets-the-stage", clearing_forgets_the_stage);
  g_test_add_func ("/model/image/returned-import-keeps-sizes", returned_import_keeps_sizes);
  g_test_add_func ("/model/image/illegal-action-changes-nothing", illegal_action_changes_nothing);
  g_test_add_func ("/model/image/public-shape", public_shape_of_a_full_image);
  g_test_add_func ("/model/image/round-trip-of-the-public-shape", round_trip_of_the_public_shape);
  g_test_add_func ("/model/image/round-trip-of-the-internal-form", round_trip_of_the_internal_form);
  g_test_add_func ("/model/image/a-copy-is-deep", a_copy_is_deep);
  return g_test_run ();
}
