/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Create, get, update and delete. */

#include "service.h"

#define ID "11111111-2222-4333-8444-555555555555"

/* ---- create ---------------------------------------------------------------------------------- */

static void
test_new_image_has_the_defaults (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportImage) image =
      imgimport_service_create_image (f->service, f->alice, NULL, NULL, &f->error);

  g_assert_no_error (f->error);
  g_assert_true (_imgimport_uuid_is_valid (image->id));
  g_assert_cmpint ((int)image->status, ==, (int)IMGIMPORT_STATUS_QUEUED);
  g_assert_cmpint ((int)image->visibility, ==, (int)IMGIMPORT_VISIBILITY_SHARED);
  g_assert_cmpstr (image->owner, ==, "alice");
  g_assert_false (image->is_protected);
  g_assert_cmpint (image->created_us, ==, EPOCH_US);
  g_assert_cmpint (image->updated_us, ==, EPOCH_US);
}

static void
test_answer_says_what_to_do_next (Fixture *f, gconstpointer data)
{
  g_autofree char *answer = NULL;
  g_autoptr (ImgImportImage) image =
      imgimport_service_create_image (f->service, NULL, RAW, &answer, &f->error);
  g_autoptr (JsonObject) object = NULL;
  JsonArray *names;

  g_assert_no_error (f->error);
  object = _imgimport_json_parse_object (answer, "answer", &f->error);
  g_assert_no_error (f->error);
  g_assert_cmpstr (
      json_object_get_string_member (json_object_get_object_member (object, "image"), "id"), ==,
      imgimport_image_get_id (image));
  names = json_object_get_array_member (object, "import_methods");
  g_assert_cmpuint (json_array_get_length (names), ==, 1);
  g_assert_cmpstr (json_array_get_string_element (names, 0), ==, "glance-direct");
  names = json_object_get_array_member (object, "stores");
  g_assert_cmpuint (json_array_get_length (names), ==, 2);
  g_assert_cmpstr (json_array_get_string_element (names, 1), ==, "two");
}

typedef struct
{
  const char *name;
  const char *attributes;
  ImgImportError code;
  const char *reason; /* NULL: whichever */
} BadCreate;

static const BadCreate bad_creates[] = {
  { "A06/malformed-id", "{\"id\": \"x\"}", IMGIMPORT_ERROR_INVALID_ARGUMENT, NULL },
  { "A10/negative-min-disk", "{\"min_disk\": -1}", IMGIMPORT_ERROR_INVALID_ARGUMENT, NULL },
  { "A13/numeric-property", "{\"p\": 1}", IMGIMPORT_ERROR_INVALID_ARGUMENT, NULL },
  { "A14/reserved-property", "{\"os_glance_x\": \"1\"}", IMGIMPORT_ERROR_PERMISSION,
    "property-reserved" },
  { "A17/read-only", "{\"status\": \"active\"}", IMGIMPORT_ERROR_PERMISSION, "property-read-only" },
  { "A18/unknown-container-format", "{\"container_format\": \"x\"}",
    IMGIMPORT_ERROR_INVALID_ARGUMENT, "format-unknown" },
  { "A19/unknown-disk-format", "{\"disk_format\": \"x\"}", IMGIMPORT_ERROR_INVALID_ARGUMENT,
    "format-unknown" },
  { "foreign-owner", "{\"owner\": \"bob\"}", IMGIMPORT_ERROR_PERMISSION, "owner-foreign" },
};

static void
test_bad_create (Fixture *f, gconstpointer data)
{
  const BadCreate *row = data;
  g_autoptr (GPtrArray) images = NULL;
  g_autofree char *answer = NULL;

  g_assert_null (
      imgimport_service_create_image (f->service, f->alice, row->attributes, &answer, &f->error));
  g_assert_null (answer);
  assert_refused (&f->error, row->code,
                  row->reason != NULL ? row->reason : imgimport_error_get_reason (f->error));
  images = imgimport_service_list_images (f->service, NULL, NULL, &f->error);
  g_assert_cmpuint (images->len, ==, 0);
}

static void
test_id_is_used_once_for_ever (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, "{\"id\": \"" ID "\"}");

  g_assert_cmpstr (id, ==, ID);
  g_assert_null (
      imgimport_service_create_image (f->service, f->bob, "{\"id\": \"" ID "\"}", NULL, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_EXISTS, "image-exists");
  g_assert_true (imgimport_service_delete_image (f->service, f->alice, ID, &f->error));
  g_assert_null (imgimport_service_create_image (f->service, f->alice, "{\"id\": \"" ID "\"}", NULL,
                                                 &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_EXISTS, "image-exists");
}

/* ---- get ------------------------------------------------------------------------------------- */

static void
expect_not_found (Fixture *f, ImgImportContext *context, const char *id)
{
  g_assert_null (imgimport_service_get_image (f->service, context, id, &f->error));
  assert_refused (&f->error, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
}

static void
test_unknown_and_invisible_are_the_same (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autofree char *long_id = g_strnfill (100000, 'a');
  g_autoptr (GError) unknown = NULL;
  g_autoptr (GError) invisible = NULL;
  g_auto (GStrv) words = NULL;
  g_autofree char *swapped = NULL;

  expect_not_found (f, NULL, "");
  expect_not_found (f, NULL, "\xff\xfe");
  expect_not_found (f, NULL, long_id);
  expect_not_found (f, f->bob, id);
  g_assert_null (imgimport_service_get_image (f->service, f->bob, ID, &unknown));
  g_assert_null (imgimport_service_get_image (f->service, f->bob, id, &invisible));
  words = g_strsplit (invisible->message, id, -1);
  swapped = g_strjoinv (ID, words);
  g_assert_cmpstr (swapped, ==, unknown->message);
}

static void
test_visibility_decides_who_sees (Fixture *f, gconstpointer data)
{
  static const char *const words[] = { "private", "shared", "community", "public" };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (words); i++)
    {
      g_autofree char *attributes = g_strdup_printf ("{\"visibility\": \"%s\"}", words[i]);
      g_autofree char *id = create (f->service, NULL, attributes);
      g_autoptr (ImgImportImage) owned = imgimport_service_update_image (
          f->service, NULL, id, "{\"owner\": \"alice\"}", &f->error);
      g_autoptr (ImgImportImage) own =
          imgimport_service_get_image (f->service, f->alice, id, &f->error);
      g_autoptr (ImgImportImage) foreign = NULL;

      g_assert_no_error (f->error);
      g_assert_nonnull (owned);
      g_assert_nonnull (own);
      foreign = imgimport_service_get_image (f->service, f->bob, id, &f->error);
      g_assert_true ((foreign != NULL) == (i >= 2));
      g_clear_error (&f->error);
    }
}

static void
test_get_tells_live_bytes (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportUpload) upload =
      imgimport_service_stage_begin (f->service, f->alice, id, 10, &f->error);
  g_autoptr (ImgImportImage) image = NULL;

  g_assert_no_error (f->error);
  imgimport_upload_write (upload, "1234", 4, NULL, &f->error);
  g_assert_no_error (f->error);
  image = get (f->service, id);
  g_assert_cmpint ((int)imgimport_image_get_stage_state (image), ==,
                   (int)IMGIMPORT_STAGE_RECEIVING);
  g_assert_cmpuint (imgimport_image_get_stage_bytes (image), <=, 4);
  g_assert_cmpuint (imgimport_image_get_stage_expected (image), ==, 10);
  imgimport_upload_abort (upload);
}

/* ---- update ---------------------------------------------------------------------------------- */

static void
test_update_changes_and_tells (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autoptr (ImgImportSubscription) subscription =
      imgimport_service_subscribe (f->service, id, &f->error);
  g_autoptr (ImgImportImage) answer = NULL;
  g_autoptr (ImgImportImage) image = NULL;
  g_autoptr (ImgImportEvent) event = NULL;

  _imgimport_clock_advance (f->service->clock, 5 * G_USEC_PER_SEC);
  answer = imgimport_service_update_image (
      f->service, f->alice, id, "{\"name\": \"new\", \"os_distro\": \"debian\"}", &f->error);
  g_assert_no_error (f->error);
  g_assert_cmpstr (imgimport_image_get_name (answer), ==, "new");
  image = get (f->service, id);
  g_assert_cmpstr (imgimport_image_get_property (image, "os_distro"), ==, "debian");
  g_assert_cmpint (image->created_us, ==, EPOCH_US);
  g_assert_cmpint (image->updated_us, ==, EPOCH_US + 5 * G_USEC_PER_SEC);
  event = imgimport_subscription_next (subscription);
  g_assert_cmpstr (imgimport_event_get_image_id (event), ==, id);
}

static void
expect_update_refused (Fixture *f, ImgImportContext *context, const char *id, const char *patch,
                       ImgImportError code, const char *reason)
{
  g_assert_null (imgimport_service_update_image (f->service, context, id, patch, &f->error));
  assert_refused (&f->error, code, reason);
}

static void
test_update_is_refused (Fixture *f, gconstpointer data)
{
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autofree char *open = create (f->service, NULL, "{\"visibility\": \"public\"}");
  g_autoptr (ImgImportImage) image = NULL;

  expect_update_refused (f, f->alice, ID, "{}", IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
  expect_update_refused (f, f->bob, id, "{}", IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
  expect_update_refused (f, f->bob, open, "{}", IMGIMPORT_ERROR_PERMISSION, "not-owner");
  expect_update_refused (f, f->alice, id, "{\"name\": \"x\", \"size\": 1}",
                         IMGIMPORT_ERROR_PERMISSION, "property-read-only");
  image = get (f->service, id);
  g_assert_cmpstr (imgimport_image_get_name (image), ==, "n");
}

/* Whatever is asked for, the message is one short printable line. */
static void
test_ids_that_are_none_are_quoted (Fixture *f, gconstpointer data)
{
  static const char *const ids[] = { "", "../x", "a\nb\033[2J", "\xff\xfe",
                                     "11111111-2222-4333-8444-55555555555A" };
  g_autofree char *endless = g_strnfill (100000, 'x');
  gsize i;

  for (i = 0; i <= G_N_ELEMENTS (ids); i++)
    {
      const char *id = i < G_N_ELEMENTS (ids) ? ids[i] : endless;
      const char *c;

      g_assert_null (imgimport_service_get_image (f->service, f->alice, id, &f->error));
      g_assert_cmpuint (strlen (f->error->message), <, 400);
      for (c = f->error->message; *c != '\0'; c++)
        g_assert_false (g_ascii_iscntrl (*c));
      assert_refused (&f->error, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found");
    }
}

static void
test_formats_freeze_with_the_claim (Fixture *f, gconstpointer data)
{
  static const char patch[] = "{\"disk_format\": \"qcow2\"}";
  g_autofree char *id = create (f->service, f->alice, RAW);
  g_autofree char *active = create_active (f->service, f->alice, "bytes");
  g_autoptr (ImgImportUpload) upload =
      imgimport_service_stage_begin (f->service, f->alice, id, 1, &f->error);
  g_autoptr (ImgImportImage) sealed = NULL;
  g_autoptr (ImgImportImage) changed = NULL;

  g_assert_no_error (f->error);
  expect_update_refused (f, f->alice, id, patch, IMGIMPORT_ERROR_INVALID_STATE, "formats-frozen");
  expect_update_refused (f, f->alice, active, patch, IMGIMPORT_ERROR_INVALID_STATE,
                         "formats-frozen");
  imgimport_upload_write (upload, "1", 1, NULL, &f->error);
  sealed = imgimport_upload_commit (upload, NULL, &f->error);
  g_assert_no_error (f->error);
  changed = imgimport_service_update_image (f->service, f->alice, id, patch, &f->error);
  g_assert_no_error (f->error);
  g_assert_cmpstr (imgimport_image_get_disk_format (changed), ==, "qcow2");
}

/* ---- main ------------------------------------------------------------------------------------ */

#define ADD(path, func) g_test_add ("/images/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  gsize i;

  g_test_init (&argc, &argv, NULL);
  ADD ("A01/new-image-has-the-defaults", test_new_image_has_the_defaults);
  ADD ("F034/answer-says-what-to-do-next", test_answer_says_what_to_do_next);
  for (i = 0; i < G_N_ELEMENTS (bad_creates); i++)
    {
      g_autofree char *path = g_strconcat ("/images/create-is-refused/", bad_creates[i].name, NULL);

      g_test_add (path, Fixture, &bad_creates[i], set_up, test_bad_create, tear_down);
    }
  ADD ("A05/id-is-used-once-for-ever", test_id_is_used_once_for_ever);
  ADD ("A37/unknown-and-invisible-are-the-same", test_unknown_and_invisible_are_the_same);
  ADD ("visibility-decides-who-sees", test_visibility_decides_who_sees);
  ADD ("get-tells-live-bytes", test_get_tells_live_bytes);
  ADD ("update-changes-and-tells", test_update_changes_and_tells);
  ADD ("A17/update-is-refused", test_update_is_refused);
  ADD ("A20/formats-freeze-with-the-claim", test_formats_freeze_with_the_claim);
  ADD ("ids-that-are-none-are-quoted", test_ids_that_are_none_are_quoted);
  return g_test_run ();
}
