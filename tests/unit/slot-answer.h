/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The ways in which a slot can answer, and what must come out of each: for the tests of the layer
 * that calls plug-ins. */

#include "base/base-private.h"

typedef enum
{
  SLOT_SUCCEEDS = 0,
  SLOT_SUCCEEDS_WITH_ERROR,
  SLOT_FAILS_WITHOUT_ERROR,
  SLOT_FAILS_WITH_FOREIGN_ERROR,
  SLOT_FAILS_WITH_OUR_ERROR,
  SLOT_FAILS_CANCELLED,
  N_SLOT_ANSWERS
} SlotAnswer;

static inline gboolean
slot_answer (SlotAnswer answer, GError **error)
{
  switch (answer)
    {
    case SLOT_SUCCEEDS_WITH_ERROR:
      imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "left-over", "left over");
      return TRUE;
    case SLOT_FAILS_WITH_FOREIGN_ERROR:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "a foreign word");
      return FALSE;
    case SLOT_FAILS_WITH_OUR_ERROR:
      imgimport_error_set (error, IMGIMPORT_ERROR_BUSY, "held", "a word of ours");
      return FALSE;
    case SLOT_FAILS_CANCELLED:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
      return FALSE;
    case SLOT_FAILS_WITHOUT_ERROR:
      return FALSE;
    case SLOT_SUCCEEDS:
    case N_SLOT_ANSWERS:
    default:
      return TRUE;
    }
}

static inline void
assert_our_error (const GError *error, ImgImportError code, const char *reason, const char *prefix)
{
  g_assert_error (error, IMGIMPORT_ERROR, (int)code);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
  if (!g_str_has_prefix (error->message, prefix))
    g_error ("“%s” does not begin with “%s”", error->message, prefix);
}

static inline void
assert_slot_answer (SlotAnswer answer, gboolean ok, const GError *error, const char *prefix)
{
  switch (answer)
    {
    case SLOT_FAILS_WITHOUT_ERROR:
      assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "no-error-given", prefix);
      break;
    case SLOT_FAILS_WITH_FOREIGN_ERROR:
      assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "foreign-error", prefix);
      g_assert_nonnull (strstr (error->message, "a foreign word"));
      break;
    case SLOT_FAILS_WITH_OUR_ERROR:
      assert_our_error (error, IMGIMPORT_ERROR_BUSY, "held", prefix);
      break;
    case SLOT_FAILS_CANCELLED:
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      break;
    case SLOT_SUCCEEDS:
    case SLOT_SUCCEEDS_WITH_ERROR:
    case N_SLOT_ANSWERS:
    default:
      g_assert_no_error (error);
      g_assert_true (ok);
      return;
    }
  g_assert_false (ok);
}

static inline void
count_destroy (gpointer user_data)
{
  guint *destroyed = user_data;

  *destroyed += 1;
}
