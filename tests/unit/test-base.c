/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <string.h>

typedef struct
{
  gsize struct_size;
  GCallback first;
  GCallback second;
} Table;

typedef struct
{
  gsize struct_size;
  GCallback first;
} ShorterTable;

typedef struct
{
  Table table;
  GCallback third;
} LongerTable;

#define MINIMUM sizeof (ShorterTable)

static void
slot (void)
{
}

static void
assert_vtable_refused (gconstpointer theirs, const char *fragment)
{
  g_autoptr (GError) error = NULL;
  Table ours;

  memset (&ours, 0xff, sizeof ours);
  g_assert_false (
      _imgimport_vtable_copy (&ours, sizeof ours, theirs, MINIMUM, "store “fast”", &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "vtable-invalid");
  g_assert_true (g_str_has_prefix (error->message, "store “fast”: "));
  g_assert_nonnull (strstr (error->message, fragment));
  g_assert_true (ours.first == NULL && ours.second == NULL);
}

static void
vtable_of_equal_length_is_copied_whole (void)
{
  g_autoptr (GError) error = NULL;
  const Table theirs = { sizeof theirs, slot, slot };
  Table ours;

  g_assert_true (_imgimport_vtable_copy (&ours, sizeof ours, &theirs, MINIMUM, "t", &error));
  g_assert_no_error (error);
  g_assert_true (ours.first == slot && ours.second == slot);
}

static void
vtable_that_is_shorter_leaves_new_slots_null (void)
{
  g_autoptr (GError) error = NULL;
  /* Exactly as long as it says, so that a sanitizer sees a read beyond. */
  g_autofree ShorterTable *theirs = g_new0 (ShorterTable, 1);
  Table ours;

  memset (&ours, 0xff, sizeof ours);
  theirs->struct_size = MINIMUM;
  theirs->first = slot;
  g_assert_true (_imgimport_vtable_copy (&ours, sizeof ours, theirs, MINIMUM, "t", &error));
  g_assert_no_error (error);
  g_assert_true (ours.first == slot && ours.second == NULL);
}

static void
vtable_that_is_longer_is_cut (void)
{
  g_autoptr (GError) error = NULL;
  const LongerTable theirs = { { sizeof theirs, slot, slot }, slot };
  struct
  {
    Table table;
    guint64 guard;
  } ours = { .guard = G_GUINT64_CONSTANT (0x1122334455667788) };

  g_assert_true (
      _imgimport_vtable_copy (&ours.table, sizeof ours.table, &theirs, MINIMUM, "t", &error));
  g_assert_no_error (error);
  g_assert_true (ours.table.first == slot && ours.table.second == slot);
  g_assert_cmphex (ours.guard, ==, G_GUINT64_CONSTANT (0x1122334455667788));
}

static void
vtable_that_cannot_be_one_is_refused (void)
{
  const Table zero = { 0, slot, slot };
  const Table short_one = { MINIMUM - sizeof (gpointer), slot, slot };
  const Table half_a_slot = { MINIMUM + 1, slot, slot };

  assert_vtable_refused (NULL, "no vtable");
  assert_vtable_refused (&zero, "struct_size 0");
  assert_vtable_refused (&short_one, "struct_size");
  assert_vtable_refused (&half_a_slot, "struct_size");
}

static void
vtable_without_a_mandatory_slot_is_refused (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (_imgimport_vtable_require (TRUE, "begin", "store “fast”", &error));
  g_assert_no_error (error);
  g_assert_false (_imgimport_vtable_require (FALSE, "begin", "store “fast”", &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "vtable-invalid");
  g_assert_cmpstr (error->message, ==, "store “fast”: the vtable has no “begin” slot");
}

static void
names_follow_the_rule (void)
{
  static const char *const good[] = { "a", "0", "web-download", "a_b", "fast1", "a-", NULL };
  static const char *const bad[] = { "", "-a", "_a", "A", "a.b", "a b", "a/b", "é", "a\n", NULL };
  g_autofree char *longest = g_strnfill (64, 'a');
  g_autofree char *too_long = g_strnfill (65, 'a');
  gsize i;

  for (i = 0; good[i] != NULL; i++)
    g_assert_true (_imgimport_name_is_valid (good[i]));
  for (i = 0; bad[i] != NULL; i++)
    g_assert_false (_imgimport_name_is_valid (bad[i]));
  g_assert_true (_imgimport_name_is_valid (longest));
  g_assert_false (_imgimport_name_is_valid (too_long));
  g_assert_false (_imgimport_name_is_valid (NULL));
}

static void
keys_cannot_name_another_file (void)
{
  static const char *const good[] = { "a", "A-Z_09.x", "-", "a..b", NULL };
  static const char *const bad[] = { "", ".", "..", ".a", "a/b", "/", "a b", "a\\b", "é", NULL };
  g_autofree char *longest = g_strnfill (128, 'a');
  g_autofree char *too_long = g_strnfill (129, 'a');
  gsize i;

  for (i = 0; good[i] != NULL; i++)
    g_assert_true (_imgimport_key_is_valid (good[i]));
  for (i = 0; bad[i] != NULL; i++)
    g_assert_false (_imgimport_key_is_valid (bad[i]));
  g_assert_true (_imgimport_key_is_valid (longest));
  g_assert_false (_imgimport_key_is_valid (too_long));
  g_assert_false (_imgimport_key_is_valid (NULL));
}

static void
uuids_are_lower_case_and_whole (void)
{
  static const char *const bad[] = {
    "",
    "0123abcd-4567-89ab-cdef-0123456789a",
    "0123abcd-4567-89ab-cdef-0123456789abc",
    "0123ABCD-4567-89ab-cdef-0123456789ab",
    "0123abcd04567-89ab-cdef-0123456789ab",
    "0123abcg-4567-89ab-cdef-0123456789ab",
    "{123abcd-4567-89ab-cdef-0123456789a}",
    NULL,
  };
  g_autofree char *random = g_uuid_string_random ();
  gsize i;

  g_assert_true (_imgimport_uuid_is_valid ("0123abcd-4567-89ab-cdef-0123456789ab"));
  g_assert_true (_imgimport_uuid_is_valid (random));
  for (i = 0; bad[i] != NULL; i++)
    g_assert_false (_imgimport_uuid_is_valid (bad[i]));
  g_assert_false (_imgimport_uuid_is_valid (NULL));
}

typedef struct
{
  gint64 us;
  const char *text;
} TimeCase;

static void
times_are_written_in_utc_seconds (void)
{
  static const TimeCase cases[] = {
    { 0, "1970-01-01T00:00:00Z" },
    { G_GINT64_CONSTANT (1769860800999999), "2026-01-31T12:00:00Z" },
    { G_GINT64_CONSTANT (951782400000000), "2000-02-29T00:00:00Z" },
    { -1, "1969-12-31T23:59:59Z" },
    { G_MAXINT64, "9999-12-31T23:59:59Z" },
    { G_MININT64, "0001-01-01T00:00:00Z" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = _imgimport_time_to_iso (cases[i].us);

      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

static void
times_are_read_back (void)
{
  static const TimeCase cases[] = {
    { 0, "1970-01-01T00:00:00Z" },
    { G_GINT64_CONSTANT (1769860800000000), "2026-01-31T12:00:00Z" },
    { G_GINT64_CONSTANT (1769860800500000), "2026-01-31T12:00:00.5Z" },
    { G_GINT64_CONSTANT (1769860800000001), "2026-01-31T12:00:00.000001Z" },
    { G_GINT64_CONSTANT (1769860800123456), "2026-01-31T12:00:00.123456789Z" },
    { -1, "1969-12-31T23:59:59.999999Z" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gint64 us = 0;

      g_assert_true (_imgimport_time_from_iso (cases[i].text, &us));
      g_assert_cmpint (us, ==, cases[i].us);
    }
}

static void
what_is_no_time_is_refused (void)
{
  static const char *const bad[] = {
    "",
    "2026-01-31",
    "2026-01-31T12:00:00",
    "2026-01-31 12:00:00Z",
    "2026-01-31T12:00:00z",
    "2026-01-31T12:00:00+00:00",
    "2026-01-31T12:00:00Zx",
    "2026-01-31T12:00:00.Z",
    "2026-01-31T12:00:00.5",
    "2026-02-30T12:00:00Z",
    "2026-13-01T12:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T12:60:00Z",
    "2026-01-31T12:00:60Z",
    "0000-01-01T00:00:00Z",
    "+026-01-31T12:00:00Z",
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      gint64 us = 42;

      g_assert_false (_imgimport_time_from_iso (bad[i], &us));
      g_assert_cmpint (us, ==, 42);
    }
}

typedef struct
{
  GString *lines;
  guint destroyed;
} Logged;

static void
collect (GLogLevelFlags level, const char *message, gpointer user_data)
{
  Logged *logged = user_data;

  g_string_append_printf (logged->lines, "%d %s\n", (int)level, message);
}

static void
count_destroy (gpointer user_data)
{
  ((Logged *)user_data)->destroyed++;
}

static void
log_lines_go_to_the_sink (void)
{
  g_autoptr (GString) lines = g_string_new (NULL);
  Logged logged = { lines, 0 };
  ImgImportLog *log = _imgimport_log_new (collect, &logged, count_destroy);
  g_autofree char *expected =
      g_strdup_printf ("%d image x\n%d done\n", G_LOG_LEVEL_WARNING, G_LOG_LEVEL_INFO);

  _imgimport_log (log, G_LOG_LEVEL_WARNING, "image %s", "x");
  g_assert_true (_imgimport_log_ref (log) == log);
  _imgimport_log_unref (log);
  g_assert_cmpuint (logged.destroyed, ==, 0);
  _imgimport_log (log, G_LOG_LEVEL_INFO, "done");
  _imgimport_log_unref (log);
  g_assert_cmpuint (logged.destroyed, ==, 1);
  g_assert_cmpstr (lines->str, ==, expected);
}

static void
log_without_a_sink_is_silent (void)
{
  g_autoptr (ImgImportLog) log = _imgimport_log_new (NULL, NULL, NULL);

  /* A line that went to GLib's log would end the test. */
  _imgimport_log (log, G_LOG_LEVEL_CRITICAL, "%s", "nobody hears");
}

static void
version_is_that_of_the_headers (void)
{
  g_autofree char *expected = g_strdup_printf ("%d.%d.%d", IMGIMPORT_MAJOR_VERSION,
                                               IMGIMPORT_MINOR_VERSION, IMGIMPORT_MICRO_VERSION);

  g_assert_cmpstr (imgimport_version (), ==, expected);
  g_assert_true (IMGIMPORT_CHECK_VERSION (0, 1, 0));
  g_assert_false (IMGIMPORT_CHECK_VERSION (IMGIMPORT_MAJOR_VERSION, IMGIMPORT_MINOR_VERSION,
                                           IMGIMPORT_MICRO_VERSION + 1));
}

static void
references_and_memory_need_no_other_library (void)
{
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  gpointer watched = object;
  char *copy = imgimport_strdup ("text");

  g_object_add_weak_pointer (object, &watched);
  g_assert_true (imgimport_ref (object) == object);
  imgimport_unref (object);
  g_assert_nonnull (watched);
  imgimport_unref (object);
  g_assert_null (watched);
  imgimport_unref (NULL);

  g_assert_cmpstr (copy, ==, "text");
  imgimport_free (copy);
  imgimport_free (NULL);
  g_assert_null (imgimport_strdup (NULL));
  imgimport_strv_free (g_strsplit ("a,b", ",", -1));
  imgimport_strv_free (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/vtable/equal-length-is-copied-whole",
                   vtable_of_equal_length_is_copied_whole);
  g_test_add_func ("/base/vtable/shorter-leaves-new-slots-null",
                   vtable_that_is_shorter_leaves_new_slots_null);
  g_test_add_func ("/base/vtable/longer-is-cut", vtable_that_is_longer_is_cut);
  g_test_add_func ("/base/vtable/what-cannot-be-one-is-refused",
                   vtable_that_cannot_be_one_is_refused);
  g_test_add_func ("/base/vtable/without-a-mandatory-slot-is-refused",
                   vtable_without_a_mandatory_slot_is_refused);
  g_test_add_func ("/base/name/follows-the-rule", names_follow_the_rule);
  g_test_add_func ("/base/name/key-cannot-name-another-file", keys_cannot_name_another_file);
  g_test_add_func ("/base/name/uuid-is-lower-case-and-whole", uuids_are_lower_case_and_whole);
  g_test_add_func ("/base/time/written-in-utc-seconds", times_are_written_in_utc_seconds);
  g_test_add_func ("/base/time/read-back", times_are_read_back);
  g_test_add_func ("/base/time/what-is-no-time-is-refused", what_is_no_time_is_refused);
  g_test_add_func ("/base/log/lines-go-to-the-sink", log_lines_go_to_the_sink);
  g_test_add_func ("/base/log/without-a-sink-is-silent", log_without_a_sink_is_silent);
  g_test_add_func ("/base/util/version-is-that-of-the-headers", version_is_that_of_the_headers);
  g_test_add_func ("/base/util/references-and-memory-need-no-other-library",
                   references_and_memory_need_no_other_library);
  return g_test_run ();
}
