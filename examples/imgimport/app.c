/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service: where its root is, its configuration, who asks, its log. */
#include "cli.h"

static char *
dup_root (const CliGlobals *globals)
{
  const char *root = globals->root != NULL ? globals->root : g_getenv ("IMGIMPORT_ROOT");

  if (root != NULL && *root != '\0')
    return g_strdup (root);
  return g_build_filename (g_get_user_data_dir (), "imgimport", NULL);
}

/* `*config` stays NULL where there is none: the library's defaults. */
static gboolean
load_config (const CliGlobals *globals, const char *root, char **config, GError **error)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) local = NULL;

  if (globals->config != NULL)
    return cli_read_file (globals->config, config, error);
  path = g_build_filename (root, "imgimport.json", NULL);
  if (cli_read_file (path, config, &local) ||
      g_error_matches (local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* Called on any thread of the library's. */
static void
log_line (GLogLevelFlags level, const char *message, gpointer user_data)
{
  Cli *cli = user_data;
  g_autofree char *printable = NULL;
  g_autofree char *line = NULL;

  if (level > G_LOG_LEVEL_WARNING && !cli->globals.verbose)
    return;
  printable = cli_printable (message);
  line = g_strdup_printf ("imgimport: %s%s\n", level <= G_LOG_LEVEL_WARNING ? "warning: " : "",
                          printable);
  cli_print_error (line);
}

static gboolean
open_context (Cli *cli, GError **error)
{
  const CliGlobals *globals = &cli->globals;

  if (globals->project == NULL)
    return TRUE;
  cli->context = imgimport_context_new (globals->project, globals->user,
                                        (const char *const *)globals->roles, FALSE, NULL, error);
  return cli->context != NULL;
}

gboolean
cli_open (Cli *cli, GError **error)
{
  g_autofree char *root = dup_root (&cli->globals);
  g_autofree char *config = NULL;

  if (!open_context (cli, error))
    return FALSE;
  if (load_config (&cli->globals, root, &config, error))
    cli->service = imgimport_service_new (root, config, error);
  if (cli->service != NULL)
    {
      imgimport_service_set_log_func (cli->service, log_line, cli, NULL);
      if (imgimport_service_start (cli->service, cli->cancellable, error))
        return TRUE;
    }
  g_clear_object (&cli->service);
  g_clear_object (&cli->context);
  return FALSE;
}

gboolean
cli_close (Cli *cli, GError **error)
{
  gboolean closed = imgimport_service_close (cli->service, cli->cancellable, error);

  g_clear_object (&cli->service);
  g_clear_object (&cli->context);
  return closed;
}

static char **
dup_strings (GPtrArray *strings)
{
  g_ptr_array_add (strings, NULL);
  return (char **)g_ptr_array_free (strings, FALSE);
}

char **
cli_dup_methods (Cli *cli)
{
  g_autofree char *json = imgimport_service_info_import (cli->service);
  g_autoptr (JsonNode) node = cli_json_parse (json, NULL);
  GPtrArray *names = g_ptr_array_new ();
  JsonArray *values;
  guint i;

  values = json_object_get_array_member (
      json_object_get_object_member (json_node_get_object (node), "import-methods"), "value");
  for (i = 0; i < json_array_get_length (values); i++)
    g_ptr_array_add (names, g_strdup (json_array_get_string_element (values, i)));
  return dup_strings (names);
}

char **
cli_dup_stores (Cli *cli)
{
  g_autofree char *json = imgimport_service_info_stores (cli->service);
  g_autoptr (JsonNode) node = cli_json_parse (json, NULL);
  JsonArray *stores = json_object_get_array_member (json_node_get_object (node), "stores");
  GPtrArray *names = g_ptr_array_new ();
  guint i;

  for (i = 0; i < json_array_get_length (stores); i++)
    {
      JsonObject *store = json_array_get_object_element (stores, i);

      g_ptr_array_add (names, g_strdup (json_object_get_string_member (store, "id")));
    }
  return dup_strings (names);
}
