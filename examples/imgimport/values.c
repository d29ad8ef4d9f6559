/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The values of options: numbers, booleans, text. */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

void
cli_set_usage_error (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_propagate_error (
      error, g_error_new_valist (G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, format, arguments));
  va_end (arguments);
}

void
cli_set_system_error (GError **error, const char *option, const char *name)
{
  int saved_errno = errno;

  g_set_error (error, G_IO_ERROR, (int)g_io_error_from_errno (saved_errno), "%s: “%s”: %s", option,
               name, g_strerror (saved_errno));
}

gboolean
cli_parse_number (const char *option, const char *text, guint64 maximum, guint64 *value,
                  GError **error)
{
  if (text == NULL || g_ascii_string_to_unsigned (text, 10, 0, maximum, value, NULL))
    return TRUE;
  cli_set_usage_error (error, "%s: “%s” is no whole number from 0 to %" G_GUINT64_FORMAT, option,
                       text, maximum);
  return FALSE;
}

gboolean
cli_parse_boolean (const char *option, const char *text, gboolean *value, GError **error)
{
  static const char *const words[][6] = { { "false", "0", "f", "off", "n", "no" },
                                          { "true", "1", "t", "on", "y", "yes" } };
  guint i;

  if (text == NULL)
    return TRUE;
  for (i = 0; i < 2 * G_N_ELEMENTS (words[0]); i++)
    if (g_ascii_strcasecmp (text, words[i % 2][i / 2]) == 0)
      {
        *value = (i % 2 == 1);
        return TRUE;
      }
  cli_set_usage_error (error, "%s: “%s” is neither true nor false", option, text);
  return FALSE;
}

gboolean
cli_check_text (const char *option, const char *text, GError **error)
{
  if (text == NULL || g_utf8_validate (text, -1, NULL))
    return TRUE;
  cli_set_usage_error (error, "%s: the value is not UTF-8", option);
  return FALSE;
}

gboolean
cli_read_file (const char *path, char **text, GError **error)
{
  gsize length = 0;

  if (!g_file_get_contents (path, text, &length, error))
    return FALSE;
  if (strlen (*text) == length)
    return TRUE;
  g_clear_pointer (text, g_free);
  cli_set_usage_error (error, "“%s” is no text: it has a NUL in it", path);
  return FALSE;
}
