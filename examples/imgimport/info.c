/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* import-info, stores-info, lifecycle: what can be done here */
#include "cli.h"

static gboolean
run_import_info (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  static const char *const titles[] = { "Import Method", NULL };
  g_autofree char *json = imgimport_service_info_import (cli->service);
  g_autoptr (JsonNode) node = cli_json_parse (json, error);
  g_autoptr (CliTable) table = NULL;
  g_auto (GStrv) methods = NULL;
  guint i;

  if (node == NULL)
    return FALSE;
  if (cli_wants_json (cli))
    return cli_print_json (node, error);
  table = cli_table_new (titles, 0);
  methods = cli_dup_methods (cli);
  for (i = 0; methods[i] != NULL; i++)
    cli_table_add (table, (const char *[]){ methods[i], NULL });
  return cli_table_print (table, error);
}

const CliCommand cli_import_info = {
  .name = "import-info",
  .arguments = "",
  .summary = "List the import methods",
  .description = "These are the values of --import-method.",
  .run = run_import_info,
};

static gboolean
run_stores_info (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  static const char *const titles[] = { "Store", "Description", "Default", NULL };
  static const char *const members[] = { "id", "description", "default" };
  g_autofree char *json = imgimport_service_info_stores (cli->service);
  g_autoptr (JsonNode) node = cli_json_parse (json, error);

  if (node == NULL)
    return FALSE;
  if (cli_wants_json (cli))
    return cli_print_json (node, error);
  return cli_print_objects (json_object_get_array_member (json_node_get_object (node), "stores"),
                            titles, members, error);
}

const CliCommand cli_stores_info = {
  .name = "stores-info",
  .arguments = "",
  .summary = "List the stores",
  .description = "These are the values of --store and --stores.",
  .run = run_stores_info,
};

/* ---- lifecycle ------------------------------------------------------------------------------- */

typedef struct
{
  gboolean dot;
} LifecycleOptions;

static const GOptionEntry lifecycle_entries[] = {
  { "dot", 0, 0, G_OPTION_ARG_NONE, CLI_OFFSET (LifecycleOptions, dot),
    "As a graph for Graphviz: imgimport lifecycle --dot | dot -Tsvg", NULL },
  G_OPTION_ENTRY_NULL,
};

static void
add_transition (JsonArray *array, ImgImportStatus status, ImgImportAction action)
{
  JsonObject *object;
  ImgImportStatus next;

  if (!imgimport_lifecycle_next (status, action, &next, NULL))
    return;
  object = json_object_new ();
  json_object_set_string_member (object, "status", imgimport_status_to_string (status));
  json_object_set_string_member (object, "action", imgimport_action_to_string (action));
  json_object_set_string_member (object, "next", imgimport_status_to_string (next));
  json_array_add_object_element (array, object);
}

static gboolean
run_lifecycle (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  static const char *const titles[] = { "Status", "Action", "Next Status", NULL };
  static const char *const members[] = { "status", "action", "next" };
  const LifecycleOptions *options = data;
  g_autofree char *dot = imgimport_lifecycle_to_dot ();
  g_autoptr (JsonArray) array = json_array_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);
  guint status;
  guint action;

  if (options->dot)
    return cli_print (dot, error);
  for (status = 0; imgimport_status_to_string ((ImgImportStatus)status) != NULL; status++)
    for (action = 0; imgimport_action_to_string ((ImgImportAction)action) != NULL; action++)
      add_transition (array, (ImgImportStatus)status, (ImgImportAction)action);
  json_node_set_array (node, array);
  return cli_wants_json (cli) ? cli_print_json (node, error)
                              : cli_print_objects (array, titles, members, error);
}

const CliCommand cli_lifecycle = {
  .name = "lifecycle",
  .arguments = "",
  .summary = "Show what can happen to an image",
  .description = "Prints which action leads from which status to which. Nothing stored is read.",
  .without_service = TRUE,
  .options_size = sizeof (LifecycleOptions),
  .option_sets = { { lifecycle_entries, 0 } },
  .run = run_lifecycle,
};
