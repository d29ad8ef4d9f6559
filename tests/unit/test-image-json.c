/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image-record.h"

#include <string.h>

#define ID "11111111-2222-4333-8444-555555555555"
#define NOW_US G_GINT64_CONSTANT (1767225600123456)
#define HEAD "{\"id\": \"" ID "\", \"status\": \"queued\""

/* What is wrong, and the path that the error must name. */
typedef struct
{
  const char *text;
  const char *path;
} Case;

static void
assert_invalid (const Case *c, ImgImportImage *(*read) (const char *text, GError **error))
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = read (c->text, &error);

  g_assert_null (image);
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "json-invalid");
  if (strstr (error->message, c->path) == NULL)
    g_error ("%s: “%s” does not name %s", c->text, error->message, c->path);
}

static const Case wrong_in_both[] = {
  { "", "" },
  { "[]", "" },
  { "{}", "id" },
  { "{\"id\": null, \"status\": \"queued\"}", "id" },
  { "{\"id\": 1, \"status\": \"queued\"}", "id" },
  { "{\"id\": \"x\", \"status\": \"queued\"}", "id" },
  { "{\"id\": \"" ID "\"}", "status" },
  { "{\"id\": \"" ID "\", \"status\": \"ready\"}", "status" },
  { "{\"id\": \"" ID "\", \"status\": 4}", "status" },
  { HEAD ", \"visibility\": \"secret\"}", "visibility" },
  { HEAD ", \"visibility\": null}", "visibility" },
  { HEAD ", \"protected\": \"true\"}", "protected" },
  { HEAD ", \"os_hidden\": 1}", "os_hidden" },
  { HEAD ", \"name\": 7}", "name" },
  { HEAD ", \"checksum\": \"012345678901234567890123456789012\"}", "checksum" },
  { HEAD ", \"owner\": []}", "owner" },
  { HEAD ", \"disk_format\": {}}", "disk_format" },
  { HEAD ", \"container_format\": false}", "container_format" },
  { HEAD ", \"size\": -1}", "size" },
  { HEAD ", \"size\": \"1\"}", "size" },
  { HEAD ", \"virtual_size\": 1.5}", "virtual_size" },
  { HEAD ", \"tags\": \"a\"}", "tags" },
  { HEAD ", \"tags\": [1]}", "tags" },
  { HEAD ", \"min_ram\": -1}", "min_ram" },
  { HEAD ", \"min_disk\": 2147483648}", "min_disk" },
  { HEAD ", \"stage\": 1}", "stage" },
  { HEAD ", \"stage\": {}}", "stage/state" },
  { HEAD ", \"stage\": {\"state\": \"sealed\"}}", "stage/bytes" },
  { HEAD ", \"stage\": {\"state\": \"lost\", \"bytes\": 1}}", "stage/state" },
  { HEAD ", \"stage\": {\"state\": \"sealed\", \"bytes\": 1, \"x\": 1}}", "stage/x" },
  { HEAD ", \"stage\": {\"state\": \"sealed\", \"bytes\": 1, \"expected\": \"2\"}}",
    "stage/expected" },
  { HEAD ", \"stage\": {\"state\": \"sealed\", \"bytes\": 1, \"since\": \"then\"}}",
    "stage/since" },
  { HEAD ", \"stage\": {\"state\": \"sealed\", \"bytes\": 1, \"since\": 5}}", "stage/since" },
  { HEAD ", \"stage\": {\"state\": \"sealed\", \"bytes\": 1, \"since_us\": \"5\"}}",
    "stage/since_us" },
};

static const Case wrong_in_public[] = {
  { HEAD ", \"created_at\": \"yesterday\"}", "created_at" },
  { HEAD ", \"updated_at\": 5}", "updated_at" },
  { HEAD ", \"stores\": [\"a\"]}", "stores" },
  { HEAD ", \"os_distro\": 5}", "os_distro" },
  { HEAD ", \"os_distro\": null}", "os_distro" },
  { HEAD ", \"nested\": {\"a\": \"b\"}}", "nested" },
};

static const Case wrong_in_internal[] = {
  { HEAD ", \"os_distro\": \"debian\"}", "os_distro" },
  { HEAD ", \"created_us\": \"1\"}", "created_us" },
  { HEAD ", \"updated_us\": 1.5}", "updated_us" },
  { HEAD ", \"properties\": []}", "properties" },
  { HEAD ", \"properties\": {\"a\": 1}}", "properties/a" },
  { HEAD ", \"locations\": {}}", "locations" },
  { HEAD ", \"locations\": [1]}", "locations/0" },
  { HEAD ", \"locations\": [{}]}", "locations/0/store" },
  { HEAD ", \"locations\": [{\"store\": \"a\"}, {\"store\": 1}]}", "locations/1/store" },
  { HEAD ", \"locations\": [{\"store\": \"a\", \"key\": 1}]}", "locations/0/key" },
  { HEAD ", \"locations\": [{\"store\": \"a\", \"version\": 1}]}", "locations/0/version" },
  { HEAD ", \"locations\": [{\"store\": \"a\", \"url\": \"b\"}]}", "locations/0/url" },
};

static void
wrong_documents_are_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (wrong_in_both); i++)
    {
      assert_invalid (&wrong_in_both[i], imgimport_image_new_from_json);
      assert_invalid (&wrong_in_both[i], read_internal);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong_in_public); i++)
    assert_invalid (&wrong_in_public[i], imgimport_image_new_from_json);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong_in_internal); i++)
    assert_invalid (&wrong_in_internal[i], read_internal);
}

static void
too_long_strings_are_refused (void)
{
  g_autofree char *long_name = g_strnfill (256, 'n');
  g_autofree char *name = g_strdup_printf (HEAD ", \"name\": \"%s\"}", long_name);
  g_autofree char *tag = g_strdup_printf (HEAD ", \"tags\": [\"a\", \"%s\"]}", long_name);
  const Case cases[] = { { name, "name" }, { tag, "tags" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_invalid (&cases[i], imgimport_image_new_from_json);
}

/* The shape of a Glance server's answer, with what we drop and what we make of the rest. */
static void
reads_what_a_server_answers (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *json = NULL;
  g_autoptr (ImgImportImage) image = imgimport_image_new_from_json (
      "{\"id\": \"" ID "\", \"status\": \"active\", \"name\": null, \"size\": 12, \"tags\":"
      " [\"z\", \"a\", \"z\"], \"stores\": \"ceph,,file,ceph\", \"direct_url\": \"rbd://x\","
      " \"locations\": [{\"url\": \"rbd://x\", \"metadata\": {}}], \"self\": \"/elsewhere\","
      " \"created_at\": \"2026-01-01T00:00:00Z\", \"hw_disk_bus\": \"scsi\"}",
      &error);

  g_assert_no_error (error);
  g_assert_cmpuint (image->locations->len, ==, 2);
  g_assert_nonnull (find_location (image, "ceph"));
  g_assert_nonnull (find_location (image, "file"));
  g_assert_cmpuint (g_strv_length (image->tags), ==, 2);
  g_assert_cmpstr (image->tags[0], ==, "a");
  g_assert_cmpstr (image->tags[1], ==, "z");
  g_assert_cmpuint (g_hash_table_size (image->properties), ==, 1);
  g_assert_cmpstr (imgimport_image_get_property (image, "hw_disk_bus"), ==, "scsi");
  g_assert_cmpint ((int)image->visibility, ==, (int)IMGIMPORT_VISIBILITY_SHARED);
  json = imgimport_image_to_json (image);
  g_assert_null (strstr (json, "rbd"));
  g_assert_null (strstr (json, "elsewhere"));
}

static char *
random_text (GRand *rand)
{
  static const char *const pieces[] = { "a",  "Z", "0", "_", " ",  "\"", "\\",   "/",  "é",
                                        "漢", "😀", ",", "{", "\n", "\t", "\x7f", "os_" };
  g_autoptr (GString) text = g_string_new (NULL);
  const gint32 n = g_rand_int_range (rand, 0, 12);

  for (gint32 i = 0; i < n; i++)
    g_string_append (text, pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static guint64
random_size (GRand *rand)
{
  const guint64 bits = ((guint64)g_rand_int (rand) << 32) | g_rand_int (rand);

  return g_rand_boolean (rand) ? IMGIMPORT_SIZE_UNKNOWN : bits >> g_rand_int_range (rand, 1, 64);
}

static ImgImportImage *
random_image (GRand *rand)
{
  ImgImportImage *image =
      _imgimport_image_new (ID, NOW_US + g_rand_int_range (rand, -1000000000, 1000000000));

  image->status = (ImgImportStatus)g_rand_int_range (rand, 0, 9);
  image->visibility = (ImgImportVisibility)g_rand_int_range (rand, 0, 4);
  image->is_protected = g_rand_boolean (rand);
  image->os_hidden = g_rand_boolean (rand);
  image->size = random_size (rand);
  image->virtual_size = random_size (rand);
  image->min_ram = g_rand_int_range (rand, 0, G_MAXINT32);
  image->min_disk = g_rand_int_range (rand, 0, G_MAXINT32);
  for (const ImgImportImageString *entry = _imgimport_image_strings (); entry->member != NULL;
       entry++)
    if (g_rand_boolean (rand))
      *(char **)IMGIMPORT_IMAGE_STRING (image, entry) = random_text (rand);
  for (gint32 i = g_rand_int_range (rand, 0, 6); i > 0; i--)
    {
      g_autofree char *text = random_text (rand);
      g_autofree char *key = g_strdup_printf ("k%d%s", i, text);
      g_autofree char *value = random_text (rand);

      _imgimport_image_set_property (image, key, value);
    }
  for (gint32 i = g_rand_int_range (rand, 0, 4); i > 0; i--)
    {
      g_autofree char *store = g_strdup_printf ("store-%d", i);
      g_autofree char *version = random_text (rand);

      _imgimport_image_add_location (image, store, "key", version);
    }
  if (g_rand_boolean (rand))
    image->stage = (ImgImportStage){ .state = IMGIMPORT_STAGE_RECEIVING,
                                     .bytes = g_rand_int (rand),
                                     .expected = random_size (rand),
                                     .since_us = NOW_US };
  return image;
}

static void
random_images_survive_both_forms (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (20260101);

  for (int i = 0; i < 500; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ImgImportImage) image = random_image (rand);
      g_autoptr (ImgImportImage) copy = _imgimport_image_copy (image);
      g_autofree char *text = internal_text (image);
      g_autofree char *copied = internal_text (copy);
      g_autofree char *json = imgimport_image_to_json (image);
      g_autoptr (ImgImportImage) read = read_internal (text, &error);
      g_autoptr (ImgImportImage) read_public = NULL;
      g_autofree char *text_again = NULL;
      g_autofree char *json_again = NULL;

      g_assert_no_error (error);
      read_public = imgimport_image_new_from_json (json, &error);
      g_assert_no_error (error);
      text_again = internal_text (read);
      json_again = imgimport_image_to_json (read_public);
      g_assert_cmpstr (copied, ==, text);
      g_assert_cmpstr (text_again, ==, text);
      g_assert_cmpstr (json_again, ==, json);
    }
}

static void
store_lists (void)
{
  static const struct
  {
    const char *before; /* NULL: no such property */
    const char *store;
    gboolean add;
    const char *after;
  } cases[] = {
    { NULL, "b", TRUE, "b" },      { "b", "a", TRUE, "a,b" },      { "a,b", "a", TRUE, "a,b" },
    { "a,c", "b", TRUE, "a,b,c" }, { "c,,a", "b", TRUE, "a,b,c" }, { "a,b", NULL, TRUE, "a,b" },
    { "a,b", "", TRUE, "a,b" },    { "a,b", "a", FALSE, "b" },     { "b", "b", FALSE, "" },
    { "a", "x", FALSE, "a" },      { NULL, "x", FALSE, "" },       { "", "x", TRUE, "x" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ImgImportImage) image = _imgimport_image_new (ID, NOW_US);

      _imgimport_image_set_property (image, IMGIMPORT_PROPERTY_IMPORTING, cases[i].before);
      _imgimport_image_merge_store_list (image, IMGIMPORT_PROPERTY_IMPORTING, cases[i].store,
                                         cases[i].add);
      g_assert_cmpstr (imgimport_image_get_property (image, IMGIMPORT_PROPERTY_IMPORTING), ==,
                       cases[i].after);
      g_assert_null (imgimport_image_get_property (image, IMGIMPORT_PROPERTY_FAILED));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/E12/store-lists", store_lists);
  g_test_add_func ("/model/image-json/wrong-documents-are-refused", wrong_documents_are_refused);
  g_test_add_func ("/model/image-json/too-long-strings-are-refused", too_long_strings_are_refused);
  g_test_add_func ("/model/image-json/reads-what-a-server-answers", reads_what_a_server_answers);
  g_test_add_func ("/model/image-json/random-images-survive-both-forms",
                   random_images_survive_both_forms);
  return g_test_run ();
}
