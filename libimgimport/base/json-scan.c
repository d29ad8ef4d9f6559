/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/*
 * Checks a document before json-glib sees it, which is lax about the grammar, keeps the last of
 * duplicate keys, wraps large integers around and recurses as deep as the text says.
 */

/* The text ends in NUL, so one character ahead of `at` may always be looked at. */
typedef struct
{
  const char *text;
  const char *at;
  const char *what;
  GString *path;
  guint depth;
  const char *wanted; /* NULL, or the name of the outermost object's member that is looked for */
  const char *value;  /* where the value of that one begins; NULL: not found */
  gsize value_length;
  GError **error;
} Scan;

static gboolean scan_value (Scan *self);

static gboolean fail (Scan *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
fail (Scan *self, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  _imgimport_set_error (self->error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "json-invalid", "%s: %s%s%s",
                        self->what, self->path->str, self->path->len > 0 ? ": " : "", message);
  return FALSE;
}

static gboolean
fail_expected (Scan *self, const char *expected)
{
  return fail (self, "expected %s at byte %" G_GSIZE_FORMAT, expected,
               (gsize)(self->at - self->text));
}

static void
skip_space (Scan *self)
{
  self->at += strspn (self->at, " \t\n\r");
}

static gboolean
take (Scan *self, char c)
{
  if (*self->at != c)
    return FALSE;
  self->at++;
  return TRUE;
}

static gboolean
take_digits (Scan *self)
{
  gsize n = strspn (self->at, "0123456789");

  self->at += n;
  return n > 0;
}

static gboolean
check_integer (Scan *self, const char *start)
{
  errno = 0;
  (void)g_ascii_strtoll (start, NULL, 10);
  if (errno == ERANGE)
    return fail (self, "integer does not fit into 64 bits with a sign");
  return TRUE;
}

static gboolean
scan_number (Scan *self)
{
  const char *start = self->at;
  gboolean integer = TRUE;

  (void)take (self, '-');
  if (!take (self, '0') && !take_digits (self))
    return fail_expected (self, "a digit");
  if (take (self, '.'))
    {
      integer = FALSE;
      if (!take_digits (self))
        return fail_expected (self, "a digit");
    }
  if (take (self, 'e') || take (self, 'E'))
    {
      integer = FALSE;
      if (!take (self, '+'))
        (void)take (self, '-');
      if (!take_digits (self))
        return fail_expected (self, "a digit");
    }
  if (integer)
    return check_integer (self, start);
  if (isinf (g_ascii_strtod (start, NULL)))
    return fail (self, "number is too large");
  return TRUE;
}

/* Four hexadecimal digits. */
static gboolean
scan_code_unit (Scan *self, gunichar *unit)
{
  int i;

  *unit = 0;
  for (i = 0; i < 4; i++, self->at++)
    {
      int digit = g_ascii_xdigit_value (*self->at);

      if (digit < 0)
        return fail_expected (self, "four hexadecimal digits");
      *unit = *unit << 4 | (gunichar)digit;
    }
  return TRUE;
}

/* What follows "\u", with the second half of a pair. */
static gboolean
scan_unicode_escape (Scan *self, GString *out)
{
  gunichar c = 0;
  gunichar low = 0;

  if (!scan_code_unit (self, &c))
    return FALSE;
  if (c == 0)
    return fail (self, "a string may not contain U+0000");
  if (c >= 0xdc00 && c <= 0xdfff)
    return fail (self, "lone low surrogate in a string");
  if (c >= 0xd800 && c <= 0xdbff)
    {
      if (!take (self, '\\') || !take (self, 'u'))
        return fail (self, "lone high surrogate in a string");
      if (!scan_code_unit (self, &low))
        return FALSE;
      if (low < 0xdc00 || low > 0xdfff)
        return fail (self, "lone high surrogate in a string");
      c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
  g_string_append_unichar (out, c);
  return TRUE;
}

/* What follows a backslash. */
static gboolean
scan_escape (Scan *self, GString *out)
{
  static const char escapes[] = "\"\\/bfnrt";
  static const char meanings[] = "\"\\/\b\f\n\r\t";
  const char *found;

  if (take (self, 'u'))
    return scan_unicode_escape (self, out);
  found = *self->at != '\0' ? strchr (escapes, *self->at) : NULL;
  if (found == NULL)
    return fail_expected (self, "an escape character");
  g_string_append_c (out, meanings[found - escapes]);
  self->at++;
  return TRUE;
}

/* `out` receives the unescaped text. */
static gboolean
scan_string (Scan *self, GString *out)
{
  const char *start = ++self->at;

  while (*self->at != '"')
    {
      if (*self->at == '\0')
        return fail (self, "unterminated string");
      if ((guchar)*self->at < 0x20)
        return fail (self, "control character in a string at byte %" G_GSIZE_FORMAT,
                     (gsize)(self->at - self->text));
      if (!take (self, '\\'))
        g_string_append_c (out, *self->at++);
      else if (!scan_escape (self, out))
        return FALSE;
    }
  if (!g_utf8_validate_len (start, (gsize)(self->at - start), NULL))
    return fail (self, "invalid UTF-8 in a string");
  self->at++;
  return TRUE;
}

static gboolean
scan_member (Scan *self, GHashTable *seen)
{
  g_autoptr (GString) key = g_string_new (NULL);
  gsize outer = self->path->len;
  const char *value;

  skip_space (self);
  if (*self->at != '"')
    return fail_expected (self, "a member name");
  if (!scan_string (self, key))
    return FALSE;
  _imgimport_json_path_append (self->path, key->str);
  if (!g_hash_table_add (seen, g_strdup (key->str)))
    return fail (self, "duplicate key");
  skip_space (self);
  if (!take (self, ':'))
    return fail_expected (self, "a colon");
  skip_space (self);
  value = self->at;
  if (!scan_value (self))
    return FALSE;
  if (self->depth == 1 && g_strcmp0 (key->str, self->wanted) == 0)
    {
      self->value = value;
      self->value_length = (gsize)(self->at - value);
    }
  g_string_truncate (self->path, outer);
  return TRUE;
}

static gboolean
scan_object (Scan *self)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  self->at++;
  skip_space (self);
  if (take (self, '}'))
    return TRUE;
  do
    {
      if (!scan_member (self, seen))
        return FALSE;
      /* Hashes can be made to collide: bounds what that costs, here and in json-glib. */
      if (g_hash_table_size (seen) > IMGIMPORT_JSON_MAX_MEMBERS)
        return fail (self, "more than %d members in an object", IMGIMPORT_JSON_MAX_MEMBERS);
      skip_space (self);
    }
  while (take (self, ','));
  return take (self, '}') || fail_expected (self, "a comma or a closing brace");
}

static gboolean
scan_element (Scan *self, guint index)
{
  gsize outer = self->path->len;
  char segment[16];

  (void)g_snprintf (segment, sizeof segment, "%u", index);
  _imgimport_json_path_append (self->path, segment);
  if (!scan_value (self))
    return FALSE;
  g_string_truncate (self->path, outer);
  return TRUE;
}

static gboolean
scan_array (Scan *self)
{
  guint index = 0;

  self->at++;
  skip_space (self);
  if (take (self, ']'))
    return TRUE;
  do
    {
      if (!scan_element (self, index++))
        return FALSE;
      skip_space (self);
    }
  while (take (self, ','));
  return take (self, ']') || fail_expected (self, "a comma or a closing bracket");
}

static gboolean
scan_nested (Scan *self, gboolean (*scan) (Scan *self))
{
  gboolean ok;

  if (self->depth == IMGIMPORT_JSON_MAX_DEPTH)
    return fail (self, "nested deeper than %d levels", IMGIMPORT_JSON_MAX_DEPTH);
  self->depth++;
  ok = scan (self);
  self->depth--;
  return ok;
}

static gboolean
scan_literal (Scan *self)
{
  static const char *const literals[] = { "true", "false", "null" };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (literals); i++)
    if (g_str_has_prefix (self->at, literals[i]))
      {
        self->at += strlen (literals[i]);
        return TRUE;
      }
  return fail_expected (self, "a value");
}

static gboolean
scan_value (Scan *self)
{
  skip_space (self);
  if (*self->at == '{')
    return scan_nested (self, scan_object);
  if (*self->at == '[')
    return scan_nested (self, scan_array);
  if (*self->at == '"')
    {
      g_autoptr (GString) unescaped = g_string_new (NULL);

      return scan_string (self, unescaped);
    }
  if (*self->at == '-' || g_ascii_isdigit (*self->at))
    return scan_number (self);
  return scan_literal (self);
}

static gboolean
scan_document (Scan *self)
{
  if (strnlen (self->text, IMGIMPORT_JSON_MAX_SIZE + 1) > IMGIMPORT_JSON_MAX_SIZE)
    return fail (self, "longer than %" G_GSIZE_FORMAT " bytes", IMGIMPORT_JSON_MAX_SIZE);
  if (!scan_value (self))
    return FALSE;
  skip_space (self);
  return *self->at == '\0' || fail_expected (self, "the end");
}

gboolean
_imgimport_json_scan (const char *text, const char *what, GError **error)
{
  g_autoptr (GString) path = g_string_new (NULL);
  Scan self = { .text = text, .at = text, .what = what, .path = path, .error = error };

  return scan_document (&self);
}

char *
_imgimport_json_scan_member (const char *text, const char *what, const char *member, GError **error)
{
  g_autoptr (GString) path = g_string_new (NULL);
  Scan self = {
    .text = text, .at = text, .what = what, .path = path, .wanted = member, .error = error
  };
  char *value = NULL;

  skip_space (&self);
  if (*self.at != '{')
    fail_expected (&self, "an object");
  else if (scan_document (&self))
    value = self.value != NULL ? g_strndup (self.value, self.value_length) : g_strdup ("");
  return value;
}
