/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

#include "slot-answer.h"

#define ID "0b7b1c5e-4f0c-4a31-9a3b-2f8a4e9d6c11"
#define PREFIX "hook “fake”: "

typedef struct
{
  ImgImportImage *image;
  ImgImportContext *context;
  ImgImportLog *log;
  ImgImportCall *call;
  GString *logged;
} Fixture;

static void
remember (GLogLevelFlags level, const char *message, gpointer user_data)
{
  g_string_append_printf (user_data, "%d %s\n", (int)level, message);
}

static void
set_up (Fixture *f, gconstpointer staged_key)
{
  g_autoptr (GError) error = NULL;

  f->image =
      imgimport_image_new_from_json ("{\"id\": \"" ID "\", \"status\": \"importing\"}", &error);
  g_assert_no_error (error);
  f->context = imgimport_context_new ("project", NULL, NULL, FALSE, NULL, &error);
  g_assert_no_error (error);
  f->logged = g_string_new (NULL);
  f->log = _imgimport_log_new (remember, f->logged, NULL);
  f->call =
      _imgimport_call_new (f->image, f->context, "{\"method\": {}}", "job-7", staged_key, f->log);
}

static void
tear_down (Fixture *f, gconstpointer staged_key)
{
  _imgimport_call_free (f->call);
  _imgimport_log_unref (f->log);
  g_assert_finalize_object (f->image);
  g_assert_finalize_object (f->context);
  g_string_free (f->logged, TRUE);
}

/* ---- call ------------------------------------------------------------------------------------ */

static void
a_call_says_what_it_is_about (Fixture *f, gconstpointer staged_key)
{
  g_autoptr (ImgImportCall) of_host = NULL;

  g_assert_true (imgimport_call_get_image (f->call) == f->image);
  g_assert_true (imgimport_call_get_context (f->call) == f->context);
  g_assert_cmpstr (imgimport_call_get_request (f->call), ==, "{\"method\": {}}");
  g_assert_cmpstr (imgimport_call_get_job_id (f->call), ==, "job-7");
  g_assert_cmpstr (imgimport_call_get_staged_key (f->call), ==, staged_key);
  of_host = _imgimport_call_new (f->image, NULL, "{}", "job-8", NULL, f->log);
  g_assert_null (imgimport_call_get_context (of_host));
}

static void
what_is_staged_can_be_used (Fixture *f, gconstpointer staged_key)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (_imgimport_call_uses_staged (f->call));
  g_assert_true (imgimport_call_use_staged (f->call, &error));
  g_assert_no_error (error);
  g_assert_true (_imgimport_call_uses_staged (f->call));
}

static void
nothing_staged_cannot_be_used (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (imgimport_call_get_staged_key (f->call));
  g_assert_false (imgimport_call_use_staged (f->call, &error));
  assert_our_error (error, IMGIMPORT_ERROR_INVALID_STATE, "not-staged", "image " ID);
  g_assert_false (_imgimport_call_uses_staged (f->call));
}

static void
properties_are_kept_last_one_wins (Fixture *f, gconstpointer unused)
{
  GHashTable *properties = _imgimport_call_get_properties (f->call);

  g_assert_true (imgimport_call_set_property (f->call, "os_distro", "debian", NULL));
  g_assert_true (imgimport_call_set_property (f->call, "os_distro", "fedora", NULL));
  g_assert_true (imgimport_call_set_property (f->call, "empty", "", NULL));
  g_assert_cmpuint (g_hash_table_size (properties), ==, 2);
  g_assert_cmpstr (g_hash_table_lookup (properties, "os_distro"), ==, "fedora");
}

static void
the_librarys_own_names_are_dropped_and_logged (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (imgimport_call_set_property (f->call, "os_glance_import_task", "x", &error));
  g_assert_true (imgimport_call_set_property (f->call, "os_glanceful", "x", &error));
  g_assert_true (imgimport_call_set_property (f->call, "mine", "kept", &error));
  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (_imgimport_call_get_properties (f->call)), ==, 1);
  g_assert_nonnull (strstr (f->logged->str, "“os_glance_import_task”"));
  g_assert_nonnull (strstr (f->logged->str, "“os_glanceful”"));
  g_assert_null (strstr (f->logged->str, "mine"));
}

static void
base_properties_and_bad_ones_are_refused (Fixture *f, gconstpointer unused)
{
  static const char *const base[] = { "id", "status", "size", "owner", "locations", "checksum" };
  g_autofree char *long_key = g_strnfill (256, 'k');
  const char *invalid[][2] = { { "", "v" }, { long_key, "v" }, { "k\xff", "v" }, { "k", "\xff" } };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (base); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (imgimport_call_set_property (f->call, base[i], "v", &error));
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_PERMISSION);
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, "property-reserved");
    }
  for (i = 0; i < G_N_ELEMENTS (invalid); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (imgimport_call_set_property (f->call, invalid[i][0], invalid[i][1], &error));
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, "property-invalid");
    }
  g_assert_cmpuint (g_hash_table_size (_imgimport_call_get_properties (f->call)), ==, 0);
}

static void
a_log_line_names_image_and_job (Fixture *f, gconstpointer unused)
{
  imgimport_call_log (f->call, G_LOG_LEVEL_INFO, "bytes \xff of it");
  g_assert_nonnull (strstr (f->logged->str, "image " ID ", job job-7: bytes "));
  g_assert_true (g_utf8_validate (f->logged->str, -1, NULL));
}

static void
a_log_message_is_one_line_of_a_known_level (Fixture *f, gconstpointer unused)
{
  g_auto (GStrv) lines = NULL;

  imgimport_call_log (f->call, G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL, "one\r\n32 two");
  imgimport_call_log (f->call, G_LOG_LEVEL_DEBUG, "three");
  lines = g_strsplit (f->logged->str, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  g_assert_cmpstr (lines[0], ==, "16 image " ID ", job job-7: one  32 two");
  g_assert_cmpstr (lines[1], ==, "128 image " ID ", job job-7: three");
}

/* ---- hook ------------------------------------------------------------------------------------ */

typedef struct
{
  SlotAnswer answer;
  char *options;
} Fake;

static gboolean
fake_configure (gpointer self, const char *options, GError **error)
{
  Fake *fake = self;

  g_free (fake->options);
  fake->options = g_strdup (options);
  return slot_answer (fake->answer, error);
}

static gboolean
fake_metadata (gpointer self, ImgImportCall *call, GCancellable *cancellable, GError **error)
{
  Fake *fake = self;

  return slot_answer (fake->answer, error);
}

static const ImgImportHookVTable hook_table = {
  IMGIMPORT_HOOK_VTABLE_INIT,
  .configure = fake_configure,
  .metadata = fake_metadata,
};

static void
every_slots_error_is_normalised (Fixture *f, gconstpointer unused)
{
  Fake fake = { SLOT_SUCCEEDS, NULL };
  g_autoptr (ImgImportHook) hook = _imgimport_hook_new ("fake", &hook_table, &fake, NULL, NULL);
  int answer;

  g_assert_cmpstr (_imgimport_hook_get_name (hook), ==, "fake");
  for (answer = 0; answer < N_SLOT_ANSWERS; answer++)
    {
      g_autoptr (GError) configure_error = NULL;
      g_autoptr (GError) metadata_error = NULL;
      gboolean ok = FALSE;

      fake.answer = (SlotAnswer)answer;
      ok = _imgimport_hook_configure (hook, NULL, &configure_error);
      assert_slot_answer ((SlotAnswer)answer, ok, configure_error, PREFIX);
      ok = _imgimport_hook_metadata (hook, f->call, NULL, &metadata_error);
      assert_slot_answer ((SlotAnswer)answer, ok, metadata_error, PREFIX);
    }
  g_free (fake.options);
}

static void
a_hook_is_handed_its_options (Fixture *f, gconstpointer unused)
{
  g_autoptr (JsonObject) options = json_object_new ();
  Fake fake = { SLOT_SUCCEEDS, NULL };
  g_autoptr (ImgImportHook) hook = _imgimport_hook_new ("fake", &hook_table, &fake, NULL, NULL);

  g_assert_true (_imgimport_hook_configure (hook, NULL, NULL));
  g_assert_cmpstr (fake.options, ==, "{}");
  json_object_set_boolean_member (options, "deep", TRUE);
  g_assert_true (_imgimport_hook_configure (hook, options, NULL));
  g_assert_cmpstr (fake.options, ==, "{\"deep\":true}");
  g_free (fake.options);
}

static void
a_hook_without_configure_takes_no_options (Fixture *f, gconstpointer unused)
{
  static const ImgImportHookVTable table = {
    IMGIMPORT_HOOK_VTABLE_INIT,
    .metadata = fake_metadata,
  };
  g_autoptr (JsonObject) options = json_object_new ();
  g_autoptr (GError) error = NULL;
  Fake fake = { SLOT_SUCCEEDS, NULL };
  g_autoptr (ImgImportHook) hook = _imgimport_hook_new ("fake", &table, &fake, NULL, NULL);

  g_assert_true (_imgimport_hook_configure (hook, NULL, &error));
  g_assert_true (_imgimport_hook_configure (hook, options, &error));
  json_object_set_boolean_member (options, "deep", TRUE);
  g_assert_false (_imgimport_hook_configure (hook, options, &error));
  assert_our_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "config-invalid", PREFIX);
}

static void
add (const char *path, const char *staged_key, void (*func) (Fixture *, gconstpointer))
{
  g_test_add (path, Fixture, staged_key, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("/spi/call/says-what-it-is-about", "k.1.0", a_call_says_what_it_is_about);
  add ("/spi/call/what-is-staged-can-be-used", "k.1.0", what_is_staged_can_be_used);
  add ("/spi/call/nothing-staged-cannot-be-used", NULL, nothing_staged_cannot_be_used);
  add ("/spi/call/properties-are-kept-last-one-wins", NULL, properties_are_kept_last_one_wins);
  add ("/conformance/F098-E20/reserved-names-are-dropped-and-logged", NULL,
       the_librarys_own_names_are_dropped_and_logged);
  add ("/spi/call/base-properties-and-bad-ones-are-refused", NULL,
       base_properties_and_bad_ones_are_refused);
  add ("/spi/call/a-log-line-names-image-and-job", NULL, a_log_line_names_image_and_job);
  add ("/spi/call/a-log-message-is-one-line-of-a-known-level", NULL,
       a_log_message_is_one_line_of_a_known_level);
  add ("/spi/hook/every-slots-error-is-normalised", NULL, every_slots_error_is_normalised);
  add ("/spi/hook/is-handed-its-options", NULL, a_hook_is_handed_its_options);
  add ("/spi/hook/without-configure-takes-no-options", NULL,
       a_hook_without_configure_takes_no_options);
  return g_test_run ();
}
