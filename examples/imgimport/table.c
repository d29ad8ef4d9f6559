/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables with a frame, as Glance's client draws them; columns count by width, not by bytes. */
#include "cli.h"

#include <string.h>

struct _CliTable
{
  guint n_columns;
  guint max_width;
  GPtrArray *rows; /* of GStrv; the first holds the titles */
};

CliTable *
cli_table_new (const char *const *titles, guint max_width)
{
  CliTable *self = g_new0 (CliTable, 1);

  self->n_columns = g_strv_length ((char **)titles);
  self->max_width = max_width;
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  cli_table_add (self, titles);
  return self;
}

void
cli_table_free (CliTable *self)
{
  g_ptr_array_unref (self->rows);
  g_free (self);
}

void
cli_table_add (CliTable *self, const char *const *cells)
{
  char **row = g_new0 (char *, self->n_columns + 1);
  guint i;

  for (i = 0; i < self->n_columns; i++)
    row[i] = cli_printable (cells[i]);
  g_ptr_array_add (self->rows, row);
}

static guint
character_width (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

static guint
text_width (const char *text)
{
  guint width = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    width += character_width (g_utf8_get_char (text));
  return width;
}

/* The longest beginning of `text` that is at most `width` wide, and at least one character. */
static const char *
fitting_end (const char *text, guint width)
{
  const char *end = text;
  guint used = 0;

  while (*end != '\0')
    {
      used += character_width (g_utf8_get_char (end));
      if (used > width && end != text)
        break;
      end = g_utf8_next_char (end);
    }
  return end;
}

/* Takes the next line off a cell, which is then shorter. */
static char *
take_line (const char **cell, guint width)
{
  const char *begin = *cell;

  *cell = width == 0 ? begin + strlen (begin) : fitting_end (begin, width);
  return g_strndup (begin, (gsize)(*cell - begin));
}

static guint
column_width (CliTable *self, guint column)
{
  guint width = 0;
  guint i;

  for (i = 0; i < self->rows->len; i++)
    {
      char **row = g_ptr_array_index (self->rows, i);

      width = MAX (width, text_width (row[column]));
    }
  return self->max_width == 0 ? width : MIN (width, self->max_width);
}

static void
append_rule (GString *text, const guint *widths, guint n_columns)
{
  guint i;
  guint j;

  for (i = 0; i < n_columns; i++)
    {
      g_string_append_c (text, '+');
      for (j = 0; j < widths[i] + 2; j++)
        g_string_append_c (text, '-');
    }
  g_string_append (text, "+\n");
}

/* One line of a row; returns whether another one is needed. */
static gboolean
append_line (CliTable *self, GString *text, const char **cells, const guint *widths)
{
  gboolean more = FALSE;
  guint i;

  for (i = 0; i < self->n_columns; i++)
    {
      g_autofree char *line = take_line (&cells[i], self->max_width);
      guint width = text_width (line);

      g_string_append_printf (text, "| %s", line);
      g_string_append_printf (text, "%*s", (int)(MAX (widths[i], width) - width + 1), "");
      more = more || *cells[i] != '\0';
    }
  g_string_append (text, "|\n");
  return more;
}

static void
append_row (CliTable *self, GString *text, char **row, const guint *widths)
{
  g_autofree const char **cells = g_new0 (const char *, self->n_columns);
  guint i;

  for (i = 0; i < self->n_columns; i++)
    cells[i] = row[i];
  while (append_line (self, text, cells, widths))
    continue;
}

gboolean
cli_table_print (CliTable *self, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree guint *widths = g_new0 (guint, self->n_columns);
  guint i;

  for (i = 0; i < self->n_columns; i++)
    widths[i] = column_width (self, i);
  append_rule (text, widths, self->n_columns);
  for (i = 0; i < self->rows->len; i++)
    {
      append_row (self, text, g_ptr_array_index (self->rows, i), widths);
      if (i == 0)
        append_rule (text, widths, self->n_columns);
    }
  append_rule (text, widths, self->n_columns);
  return cli_print (text->str, error);
}

gboolean
cli_print_objects (JsonArray *objects, const char *const *titles, const char *const *members,
                   GError **error)
{
  g_autoptr (CliTable) table = cli_table_new (titles, CLI_DEFAULT_WIDTH);
  guint n_columns = g_strv_length ((char **)titles);
  guint i;
  guint j;

  for (i = 0; i < json_array_get_length (objects); i++)
    {
      JsonObject *object = json_array_get_object_element (objects, i);
      g_auto (GStrv) cells = g_new0 (char *, n_columns + 1);

      for (j = 0; j < n_columns; j++)
        cells[j] = cli_json_cell (object, members[j]);
      cli_table_add (table, (const char *const *)cells);
    }
  return cli_table_print (table, error);
}
