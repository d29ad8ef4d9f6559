/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <errno.h>
#include <string.h>

static void
assert_error (const GError *error, int code, const char *reason, const char *message)
{
  g_assert_error (error, IMGIMPORT_ERROR, code);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
  g_assert_cmpstr (imgimport_error_get_message (error), ==, message);
  g_assert_cmpint (imgimport_error_get_code (error), ==, code);
}

static void
reason_survives_copy_prefix_and_propagation (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) copy = NULL;
  g_autoptr (GError) moved = NULL;

  _imgimport_set_error (&error, IMGIMPORT_ERROR_CORRUPT, "digest-mismatch", "image %d", 7);
  assert_error (error, IMGIMPORT_ERROR_CORRUPT, "digest-mismatch", "image 7");

  copy = g_error_copy (error);
  g_clear_error (&error);
  _imgimport_error_prefix (&copy, "store “%s”", "fast");
  g_propagate_error (&moved, g_steal_pointer (&copy));
  assert_error (moved, IMGIMPORT_ERROR_CORRUPT, "digest-mismatch", "store “fast”: image 7");
}

static void
errors_without_a_reason_say_failed (void)
{
  g_autoptr (GError) ours = g_error_new (IMGIMPORT_ERROR, IMGIMPORT_ERROR_LIMIT, "too much");
  g_autoptr (GError) copy = g_error_copy (ours);
  g_autoptr (GError) foreign = g_error_new (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");

  assert_error (ours, IMGIMPORT_ERROR_LIMIT, "failed", "too much");
  assert_error (copy, IMGIMPORT_ERROR_LIMIT, "failed", "too much");
  g_assert_cmpstr (imgimport_error_get_reason (foreign), ==, "failed");
  g_assert_cmpint (imgimport_error_get_code (foreign), ==, IMGIMPORT_ERROR_FAILED);
  g_assert_false (imgimport_error_is_retryable (foreign));
}

static void
cancellation_stays_itself (void)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "stopped");

  _imgimport_error_normalize (&error, "hook “%s”", "scan");
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpstr (error->message, ==, "stopped");
  g_assert_true (imgimport_error_is_cancelled (error));
  g_assert_false (imgimport_error_is_retryable (error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "cancelled");
  g_assert_cmpint (imgimport_error_get_code (error), ==, IMGIMPORT_ERROR_FAILED);
}

static void
only_what_time_heals_is_retryable (void)
{
  int code;

  for (code = IMGIMPORT_ERROR_FAILED; code <= IMGIMPORT_ERROR_PLUGIN; code++)
    {
      g_autoptr (GError) error = g_error_new (IMGIMPORT_ERROR, code, "x");
      gboolean expected = code == IMGIMPORT_ERROR_UNAVAILABLE ||
                          code == IMGIMPORT_ERROR_TIMED_OUT || code == IMGIMPORT_ERROR_BUSY;

      g_assert_cmpint (imgimport_error_is_retryable (error), ==, expected);
      g_assert_false (imgimport_error_is_cancelled (error));
    }
}

typedef struct
{
  int number;
  int code;
  const char *reason;
} ErrnoCase;

static void
errno_values_become_codes (void)
{
  static const ErrnoCase cases[] = {
    { ENOSPC, IMGIMPORT_ERROR_NO_SPACE, "store-full" },
    { EDQUOT, IMGIMPORT_ERROR_NO_SPACE, "store-full" },
    { EFBIG, IMGIMPORT_ERROR_NO_SPACE, "store-full" },
    { EACCES, IMGIMPORT_ERROR_PERMISSION, "access-denied" },
    { EPERM, IMGIMPORT_ERROR_PERMISSION, "access-denied" },
    { EROFS, IMGIMPORT_ERROR_PERMISSION, "access-denied" },
    { ENOENT, IMGIMPORT_ERROR_NOT_FOUND, "not-found" },
    { EEXIST, IMGIMPORT_ERROR_EXISTS, "exists" },
    { EAGAIN, IMGIMPORT_ERROR_BUSY, "busy" },
    { EBUSY, IMGIMPORT_ERROR_BUSY, "busy" },
    { ETIMEDOUT, IMGIMPORT_ERROR_TIMED_OUT, "timed-out" },
    { EMFILE, IMGIMPORT_ERROR_UNAVAILABLE, "resources-exhausted" },
    { ENFILE, IMGIMPORT_ERROR_UNAVAILABLE, "resources-exhausted" },
    { ENOMEM, IMGIMPORT_ERROR_UNAVAILABLE, "resources-exhausted" },
    { EIO, IMGIMPORT_ERROR_FAILED, "io-error" },
    { EPIPE, IMGIMPORT_ERROR_FAILED, "io-error" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *message = g_strdup_printf ("object “k”: %s", g_strerror (cases[i].number));

      _imgimport_set_error_errno (&error, cases[i].number, "object “%s”", "k");
      assert_error (error, cases[i].code, cases[i].reason, message);
    }
}

static void
slot_that_set_no_error_is_a_broken_plugin (void)
{
  g_autoptr (GError) error = NULL;

  _imgimport_error_normalize (&error, "method “%s”", "fetch");
  assert_error (error, IMGIMPORT_ERROR_PLUGIN, "no-error-given",
                "method “fetch”: failed without saying why");
}

static void
foreign_error_is_wrapped_with_its_text (void)
{
  g_autoptr (GError) error = g_error_new (G_FILE_ERROR, G_FILE_ERROR_IO, "disk on fire");

  _imgimport_error_normalize (&error, "store “%s”", "slow");
  assert_error (error, IMGIMPORT_ERROR_PLUGIN, "foreign-error", "store “slow”: disk on fire");
}

static void
own_error_keeps_code_and_reason (void)
{
  g_autoptr (GError) error = NULL;

  _imgimport_set_error (&error, IMGIMPORT_ERROR_NO_SPACE, "store-full", "full");
  _imgimport_error_normalize (&error, "store “%s”", "slow");
  assert_error (error, IMGIMPORT_ERROR_NO_SPACE, "store-full", "store “slow”: full");
}

static void
nowhere_to_put_an_error_is_fine (void)
{
  g_autoptr (GError) none = NULL;

  _imgimport_error_normalize (NULL, "x");
  _imgimport_error_prefix (NULL, "x");
  _imgimport_set_error (NULL, IMGIMPORT_ERROR_BUSY, "busy", "x");
  _imgimport_set_error_errno (NULL, ENOENT, "x");
  imgimport_error_set (NULL, IMGIMPORT_ERROR_BUSY, "busy", "x");
  imgimport_error_free (NULL);
  _imgimport_error_prefix (&none, "x");
  g_assert_no_error (none);
}

static void
plugin_text_becomes_utf8 (void)
{
  g_autoptr (GError) set = NULL;
  g_autoptr (GError) foreign = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "a\xff");
  g_autoptr (GError) ours = g_error_new_literal (IMGIMPORT_ERROR, IMGIMPORT_ERROR_BUSY, "a\xff");

  imgimport_error_set (&set, IMGIMPORT_ERROR_BUSY, NULL, "a\xff");
  assert_error (set, IMGIMPORT_ERROR_BUSY, "failed", "a\xef\xbf\xbd");
  _imgimport_error_normalize (&foreign, "p");
  assert_error (foreign, IMGIMPORT_ERROR_PLUGIN, "foreign-error", "p: a\xef\xbf\xbd");
  _imgimport_error_normalize (&ours, "p");
  assert_error (ours, IMGIMPORT_ERROR_BUSY, "failed", "p: a\xef\xbf\xbd");
}

static void
plugin_sets_code_reason_and_message (void)
{
  GError *error = NULL;
  char reason[] = "peer-down";

  imgimport_error_set (&error, IMGIMPORT_ERROR_UNAVAILABLE, reason, "no 100% answer");
  memset (reason, 'x', sizeof reason - 1);
  assert_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "peer-down", "no 100% answer");

  /* The first cause stands. */
  imgimport_error_set (&error, IMGIMPORT_ERROR_BUSY, "busy", "second");
  assert_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "peer-down", "no 100% answer");
  imgimport_error_free (error);
}

static void
plugin_nonsense_is_replaced (void)
{
  g_autoptr (GError) code = NULL;
  g_autoptr (GError) negative = NULL;
  g_autoptr (GError) reason = NULL;

  imgimport_error_set (&code, (ImgImportError)(IMGIMPORT_ERROR_PLUGIN + 1), "why", "x");
  assert_error (code, IMGIMPORT_ERROR_FAILED, "why", "x");
  imgimport_error_set (&negative, (ImgImportError)-1, "why", "x");
  assert_error (negative, IMGIMPORT_ERROR_FAILED, "why", "x");
  imgimport_error_set (&reason, IMGIMPORT_ERROR_BUSY, "Not a \"word\"\n", "x");
  assert_error (reason, IMGIMPORT_ERROR_BUSY, "failed", "x");
}

static void
codes_have_nicks_and_back (void)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (IMGIMPORT_TYPE_ERROR);
  int code;

  g_assert_cmpuint (klass->n_values, ==, IMGIMPORT_ERROR_PLUGIN + 1);
  for (code = IMGIMPORT_ERROR_FAILED; code <= IMGIMPORT_ERROR_PLUGIN; code++)
    {
      const char *nick = _imgimport_error_code_to_string (code);

      g_assert_cmpint (_imgimport_error_code_from_string (nick), ==, code);
    }
  g_assert_cmpstr (_imgimport_error_code_to_string (IMGIMPORT_ERROR_NO_SPACE), ==, "no-space");
  g_assert_cmpstr (_imgimport_error_code_to_string (99), ==, "failed");
  g_assert_cmpint (_imgimport_error_code_from_string ("nonsense"), ==, IMGIMPORT_ERROR_FAILED);
  g_assert_cmpint (_imgimport_error_code_from_string (NULL), ==, IMGIMPORT_ERROR_FAILED);
}

static void
codes_are_never_renumbered (void)
{
  static const char *const nicks[] = {
    "failed",        "invalid-argument", "invalid-state", "not-found", "exists",
    "not-supported", "permission",       "no-space",      "limit",     "corrupt",
    "unavailable",   "timed-out",        "busy",          "plugin",
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (nicks); i++)
    g_assert_cmpstr (_imgimport_error_code_to_string ((int)i), ==, nicks[i]);
}

static void
error_read_back_owns_its_reason (void)
{
  g_autofree char *reason = g_strdup ("quota-total");
  g_autoptr (GError) error =
      _imgimport_error_new_dup_reason (IMGIMPORT_ERROR_LIMIT, reason, "too much");

  memset (reason, 'x', strlen (reason));
  assert_error (error, IMGIMPORT_ERROR_LIMIT, "quota-total", "too much");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/error/reason-survives-copy-prefix-and-propagation",
                   reason_survives_copy_prefix_and_propagation);
  g_test_add_func ("/base/error/without-a-reason-says-failed", errors_without_a_reason_say_failed);
  g_test_add_func ("/base/error/cancellation-stays-itself", cancellation_stays_itself);
  g_test_add_func ("/base/error/only-what-time-heals-is-retryable",
                   only_what_time_heals_is_retryable);
  g_test_add_func ("/base/error/errno-values-become-codes", errno_values_become_codes);
  g_test_add_func ("/base/error/slot-that-set-no-error-is-a-broken-plugin",
                   slot_that_set_no_error_is_a_broken_plugin);
  g_test_add_func ("/base/error/foreign-error-is-wrapped-with-its-text",
                   foreign_error_is_wrapped_with_its_text);
  g_test_add_func ("/base/error/own-error-keeps-code-and-reason", own_error_keeps_code_and_reason);
  g_test_add_func ("/base/error/nowhere-to-put-an-error-is-fine", nowhere_to_put_an_error_is_fine);
  g_test_add_func ("/base/error/plugin-text-becomes-utf8", plugin_text_becomes_utf8);
  g_test_add_func ("/base/error/plugin-sets-code-reason-and-message",
                   plugin_sets_code_reason_and_message);
  g_test_add_func ("/base/error/plugin-nonsense-is-replaced", plugin_nonsense_is_replaced);
  g_test_add_func ("/base/error/codes-have-nicks-and-back", codes_have_nicks_and_back);
  g_test_add_func ("/base/error/codes-are-never-renumbered", codes_are_never_renumbered);
  g_test_add_func ("/base/error/error-read-back-owns-its-reason", error_read_back_owns_its_reason);
  return g_test_run ();
}
