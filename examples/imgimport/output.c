/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Results go to standard output, everything else to standard error. */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

static gboolean
write_all (int fd, const char *text)
{
  gsize length = strlen (text);

  while (length > 0)
    {
      ssize_t n = write (fd, text, length);

      if (n == -1 && errno != EINTR)
        return FALSE;
      if (n > 0)
        {
          text += n;
          length -= (gsize)n;
        }
    }
  return TRUE;
}

gboolean
cli_print (const char *text, GError **error)
{
  if (write_all (STDOUT_FILENO, text))
    return TRUE;
  /* FAILED whatever the cause: a full disk under the output is no failure of the image's. */
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "standard output: %s", g_strerror (errno));
  return FALSE;
}

void
cli_print_error (const char *text)
{
  /* Where standard error fails there is nobody left to tell. */
  (void)write_all (STDERR_FILENO, text);
}

void
cli_say (Cli *cli, const char *format, ...)
{
  g_autofree char *message = NULL;
  g_autofree char *printable = NULL;
  g_autofree char *line = NULL;
  va_list arguments;

  if (cli->globals.quiet)
    return;
  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  printable = cli_printable (message);
  line = g_strconcat (printable, "\n", NULL);
  cli_print_error (line);
}

static gboolean
moves_the_cursor (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);

  return type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
         type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR;
}

char *
cli_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *result = g_string_sized_new (strlen (valid));
  const char *p;

  for (p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (moves_the_cursor (c))
        g_string_append_printf (result, "\\u%04x", c);
      else
        g_string_append_unichar (result, c);
    }
  return g_string_free (result, FALSE);
}

gboolean
cli_wants_json (Cli *cli)
{
  return g_strcmp0 (cli->globals.format, "json") == 0;
}

gboolean
cli_print_json (JsonNode *node, GError **error)
{
  g_autofree char *json = json_to_string (node, TRUE);
  g_autofree char *line = g_strconcat (json, "\n", NULL);

  return cli_print (line, error);
}

static char *
image_cell (JsonObject *image, const char *member, gboolean human_readable)
{
  JsonNode *value = json_object_get_member (image, member);

  if (human_readable && g_str_has_suffix (member, "size") && !JSON_NODE_HOLDS_NULL (value))
    return g_format_size_full ((guint64)json_node_get_int (value), G_FORMAT_SIZE_IEC_UNITS);
  return cli_json_cell (image, member);
}

gboolean
cli_print_image (Cli *cli, ImgImportImage *image, gboolean human_readable, guint width,
                 GError **error)
{
  static const char *const titles[] = { "Property", "Value", NULL };
  g_autofree char *json = imgimport_image_to_json (image);
  g_autoptr (JsonNode) node = cli_json_parse (json, error);
  g_autoptr (CliTable) table = NULL;
  g_autoptr (GList) members = NULL;
  GList *l;

  if (node == NULL)
    return FALSE;
  if (cli_wants_json (cli))
    return cli_print_json (node, error);
  table = cli_table_new (titles, width);
  members =
      g_list_sort (json_object_get_members (json_node_get_object (node)), (GCompareFunc)g_strcmp0);
  for (l = members; l != NULL; l = l->next)
    {
      g_autofree char *cell = image_cell (json_node_get_object (node), l->data, human_readable);
      const char *cells[] = { l->data, cell, NULL };

      cli_table_add (table, cells);
    }
  return cli_table_print (table, error);
}
