/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

/* What the text has room for: the years 0001 to 9999. */
#define MIN_SECONDS G_GINT64_CONSTANT (-62135596800)
#define MAX_SECONDS G_GINT64_CONSTANT (253402300799)

static gint64
floor_to_seconds (gint64 us)
{
  gint64 seconds = us / G_USEC_PER_SEC;

  return us % G_USEC_PER_SEC < 0 ? seconds - 1 : seconds;
}

char *
_imgimport_time_to_iso (gint64 wall_us)
{
  gint64 seconds = CLAMP (floor_to_seconds (wall_us), MIN_SECONDS, MAX_SECONDS);
  g_autoptr (GDateTime) moment = g_date_time_new_from_unix_utc (seconds);

  return g_strdup_printf ("%04d-%02d-%02dT%02d:%02d:%02dZ", g_date_time_get_year (moment),
                          g_date_time_get_month (moment), g_date_time_get_day_of_month (moment),
                          g_date_time_get_hour (moment), g_date_time_get_minute (moment),
                          g_date_time_get_second (moment));
}

static int
two_digits (const char *at)
{
  return g_ascii_digit_value (at[0]) * 10 + g_ascii_digit_value (at[1]);
}

/* Digits where `shape` has a 0, else the same character. Stops at the end of a shorter text. */
static gboolean
has_shape (const char *text, const char *shape)
{
  gsize i;

  for (i = 0; shape[i] != '\0'; i++)
    if (shape[i] == '0' ? !g_ascii_isdigit (text[i]) : text[i] != shape[i])
      return FALSE;
  return TRUE;
}

/* What follows the seconds: "Z", or a fraction and "Z". Digits beyond the microsecond are cut. */
static gboolean
parse_fraction (const char *text, gint64 *us)
{
  gint64 unit = G_USEC_PER_SEC / 10;

  *us = 0;
  if (*text == '.' && !g_ascii_isdigit (text[1]))
    return FALSE;
  if (*text == '.')
    for (text++; g_ascii_isdigit (*text); text++, unit /= 10)
      *us += unit * g_ascii_digit_value (*text);
  return text[0] == 'Z' && text[1] == '\0';
}

gboolean
_imgimport_time_from_iso (const char *text, gint64 *wall_us)
{
  static const char shape[] = "0000-00-00T00:00:00";
  g_autoptr (GDateTime) moment = NULL;
  gint64 us = 0;

  if (!has_shape (text, shape) || !parse_fraction (text + sizeof shape - 1, &us))
    return FALSE;
  moment = g_date_time_new_utc (
      two_digits (text) * 100 + two_digits (text + 2), two_digits (text + 5), two_digits (text + 8),
      two_digits (text + 11), two_digits (text + 14), two_digits (text + 17));
  if (moment == NULL)
    return FALSE;
  *wall_us = g_date_time_to_unix (moment) * G_USEC_PER_SEC + us;
  return TRUE;
}
