/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

static void
check_clear (gpointer data)
{
  ImgImportCheck *check = data;

  g_clear_pointer (&check->reason, g_free);
}

ImgImportMatch *
_imgimport_match_new (const char *format)
{
  ImgImportMatch *self = g_new0 (ImgImportMatch, 1);

  self->checks = g_array_new (FALSE, TRUE, sizeof (ImgImportCheck));
  g_array_set_clear_func (self->checks, check_clear);
  _imgimport_match_reset (self, format);
  return self;
}

void
_imgimport_match_reset (ImgImportMatch *self, const char *format)
{
  self->format = format;
  self->virtual_size = IMGIMPORT_SIZE_UNKNOWN;
  g_array_set_size (self->checks, 0);
}

void
_imgimport_match_free (ImgImportMatch *self)
{
  g_array_unref (self->checks);
  g_free (self);
}

void
_imgimport_match_add_check (ImgImportMatch *self, const char *name, char *reason)
{
  ImgImportCheck check = { .name = name, .passed = reason == NULL, .reason = reason };

  g_array_append_val (self->checks, check);
}

ImgImportFacts *
_imgimport_facts_new (guint64 size)
{
  ImgImportFacts *self = g_new0 (ImgImportFacts, 1);

  self->size = size;
  self->matches = g_ptr_array_new_with_free_func ((GDestroyNotify)_imgimport_match_free);
  return self;
}

void
_imgimport_facts_free (ImgImportFacts *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->matches);
  g_free (self);
}

ImgImportFacts *
_imgimport_facts_copy (const ImgImportFacts *self)
{
  ImgImportFacts *copy = _imgimport_facts_new (self->size);

  for (guint i = 0; i < self->matches->len; i++)
    {
      const ImgImportMatch *theirs = g_ptr_array_index (self->matches, i);
      ImgImportMatch *ours = _imgimport_match_new (theirs->format);

      ours->virtual_size = theirs->virtual_size;
      for (guint k = 0; k < theirs->checks->len; k++)
        {
          const ImgImportCheck *check = &g_array_index (theirs->checks, ImgImportCheck, k);

          _imgimport_match_add_check (ours, check->name, g_strdup (check->reason));
        }
      g_ptr_array_add (copy->matches, ours);
    }
  return copy;
}

static void
write_match (const ImgImportMatch *match, GString *out)
{
  _imgimport_json_begin_object (out, NULL);
  _imgimport_json_write_string (out, "format", match->format);
  if (match->virtual_size != IMGIMPORT_SIZE_UNKNOWN)
    _imgimport_json_write_int (out, "virtual_size", (gint64)match->virtual_size);
  _imgimport_json_begin_array (out, "checks");
  for (guint i = 0; i < match->checks->len; i++)
    {
      const ImgImportCheck *check = &g_array_index (match->checks, ImgImportCheck, i);

      _imgimport_json_begin_object (out, NULL);
      _imgimport_json_write_string (out, "name", check->name);
      if (!check->passed)
        _imgimport_json_write_string (out, "reason", check->reason);
      _imgimport_json_end_object (out);
    }
  _imgimport_json_end_array (out);
  _imgimport_json_end_object (out);
}

void
_imgimport_facts_write (const ImgImportFacts *self, GString *out, const char *name)
{
  _imgimport_json_begin_object (out, name);
  _imgimport_json_write_int (out, "size", (gint64)self->size);
  _imgimport_json_begin_array (out, "matches");
  for (guint i = 0; i < self->matches->len; i++)
    write_match (g_ptr_array_index (self->matches, i), out);
  _imgimport_json_end_array (out);
  _imgimport_json_end_object (out);
}

static gboolean
require (const ImgImportJsonCursor *cursor, const char *member, gboolean present, GError **error)
{
  if (!present)
    _imgimport_json_set_error (cursor, member, "json-invalid", error, "is missing or empty");
  return present;
}

/* Reads one element, an object, of the array that is `member` of `parent`. */
typedef gboolean (*ReadFunc) (const ImgImportJsonCursor *cursor, gpointer data, GError **error);

static gboolean
read_elements (const ImgImportJsonCursor *parent, const char *member, ReadFunc read, gpointer data,
               GError **error)
{
  JsonArray *array = NULL;

  if (!_imgimport_json_array (parent, member, &array, error) ||
      !require (parent, member, array != NULL, error))
    return FALSE;
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      g_autofree char *path =
          g_strdup_printf ("%s%s%s/%u", parent->path, *parent->path != '\0' ? "/" : "", member, i);
      ImgImportJsonCursor cursor = { NULL, parent->what, path };

      if (!JSON_NODE_HOLDS_OBJECT (node))
        {
          _imgimport_json_set_error (parent, member, "json-invalid", error,
                                     "element %u is no object", i);
          return FALSE;
        }
      cursor.object = json_node_get_object (node);
      if (!read (&cursor, data, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_size (const ImgImportJsonCursor *cursor, const char *member, guint64 *size, GError **error)
{
  gint64 value = -1;

  if (!_imgimport_json_int (cursor, member, 0, G_MAXINT64, &value, error))
    return FALSE;
  if (value >= 0)
    *size = (guint64)value;
  return TRUE;
}

static gboolean
read_check (const ImgImportJsonCursor *cursor, gpointer data, GError **error)
{
  static const char *const members[] = { "name", "reason", NULL };
  static const char *const capture = IMGIMPORT_INSPECT_CHECK_CAPTURE;
  ImgImportMatch *match = data;
  const char *const *known = _imgimport_format_lookup (match->format)->checks;
  const char *name = NULL;
  const char *reason = NULL;

  if (!_imgimport_json_only (cursor, members, error) ||
      !_imgimport_json_string (cursor, "name", &name, error) ||
      !require (cursor, "name", name != NULL, error) ||
      !_imgimport_json_string (cursor, "reason", &reason, error))
    return FALSE;
  while (*known != NULL && strcmp (*known, name) != 0)
    known++;
  if (*known == NULL && strcmp (name, capture) == 0)
    known = &capture;
  if (*known == NULL)
    {
      _imgimport_json_set_error (cursor, "name", "json-invalid", error,
                                 "no check of %s is called so", match->format);
      return FALSE;
    }
  _imgimport_match_add_check (match, *known, g_strdup (reason));
  return TRUE;
}

static gboolean
read_match (const ImgImportJsonCursor *cursor, gpointer data, GError **error)
{
  static const char *const members[] = { "format", "virtual_size", "checks", NULL };
  g_autoptr (ImgImportMatch) match = NULL;
  GPtrArray *matches = data;
  const ImgImportFormat *format;
  const char *name = NULL;

  if (!_imgimport_json_only (cursor, members, error) ||
      !_imgimport_json_string (cursor, "format", &name, error) ||
      !require (cursor, "format", name != NULL, error))
    return FALSE;
  format = _imgimport_format_lookup (name);
  if (format == NULL)
    {
      _imgimport_json_set_error (cursor, "format", "json-invalid", error, "no format is called so");
      return FALSE;
    }
  match = _imgimport_match_new (format->name);
  if (!read_size (cursor, "virtual_size", &match->virtual_size, error) ||
      !read_elements (cursor, "checks", read_check, match, error) ||
      !require (cursor, "checks", match->checks->len > 0, error))
    return FALSE;
  g_ptr_array_add (matches, g_steal_pointer (&match));
  return TRUE;
}

ImgImportFacts *
_imgimport_facts_from_json (JsonObject *object, const char *what, GError **error)
{
  static const char *const members[] = { "size", "matches", NULL };
  g_autoptr (ImgImportFacts) facts = _imgimport_facts_new (IMGIMPORT_SIZE_UNKNOWN);
  ImgImportJsonCursor cursor = { object, what, "" };

  if (!_imgimport_json_only (&cursor, members, error) ||
      !read_size (&cursor, "size", &facts->size, error) ||
      !require (&cursor, "size", facts->size != IMGIMPORT_SIZE_UNKNOWN, error) ||
      !read_elements (&cursor, "matches", read_match, facts->matches, error))
    return NULL;
  return g_steal_pointer (&facts);
}
