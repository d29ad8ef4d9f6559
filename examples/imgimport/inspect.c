/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inspect: what files are, and what policy says of them */
#include "cli.h"

#include <unistd.h>

/* What the command answers beside the statuses of every command. */
#define STATUS_UNSAFE 1
#define STATUS_UNREADABLE 2

typedef struct
{
  char *disk_format;
  char *container_format;
  char *policy;
} InspectOptions;

static const GOptionEntry inspect_entries[] = {
  { "disk-format", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (InspectOptions, disk_format),
    "Judge as an image of this format (default: of the one that it is)", "FORMAT" },
  { "container-format", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (InspectOptions, container_format),
    "Judge as an image in this container (default: bare); any other is not looked into", "FORMAT" },
  { "policy", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (InspectOptions, policy),
    "What is accepted: the object “format_policy” of a configuration, as text that begins with “{” "
    "or as a file (default: the default policy)",
    "JSON|FILE" },
  G_OPTION_ENTRY_NULL,
};

/* ---- one file ----------------------------------------------------------------------------------
 */

static ImgImportInspection *
inspect_file (Cli *cli, const char *file, GError **error)
{
  ImgImportInspection *inspection;
  int fd;

  if (g_str_equal (file, "-"))
    return imgimport_inspection_new_from_fd (STDIN_FILENO, cli->cancellable, error);
  fd = cli_open_file ("open", file, error);
  if (fd == -1)
    return NULL;
  inspection = imgimport_inspection_new_from_fd (fd, cli->cancellable, error);
  if (inspection == NULL && !imgimport_error_is_cancelled (*error))
    g_prefix_error (error, "“%s”: ", file);
  close (fd);
  return inspection;
}

static void
set_size (JsonObject *object, const char *member, guint64 size)
{
  if (size == IMGIMPORT_SIZE_UNKNOWN)
    json_object_set_null_member (object, member);
  else
    json_object_set_int_member (object, member, (gint64)size);
}

static JsonObject *
verdict_to_json (ImgImportInspection *inspection, ImgImportFormatPolicy *policy,
                 const InspectOptions *options)
{
  JsonObject *object = json_object_new ();
  g_autoptr (GError) error = NULL;
  const char *format = NULL;
  guint64 virtual_size = IMGIMPORT_SIZE_UNKNOWN;
  gboolean accepted =
      imgimport_inspection_judge (inspection, policy, options->disk_format,
                                  options->container_format, &format, &virtual_size, &error);

  json_object_set_boolean_member (object, "accepted", accepted);
  json_object_set_string_member (object, "reason",
                                 accepted ? NULL : imgimport_error_get_reason (error));
  json_object_set_string_member (object, "message", accepted ? NULL : error->message);
  json_object_set_string_member (object, "format", format);
  set_size (object, "virtual_size", virtual_size);
  return object;
}

static JsonArray *
checks_to_json (ImgImportInspection *inspection)
{
  JsonArray *array = json_array_new ();
  g_auto (GStrv) formats = imgimport_inspection_dup_formats (inspection);
  guint i, j;

  for (i = 0; formats[i] != NULL; i++)
    {
      g_auto (GStrv) checks = imgimport_inspection_dup_checks (inspection, formats[i]);

      for (j = 0; checks[j] != NULL; j++)
        {
          const char *fault = imgimport_inspection_get_fault (inspection, formats[i], checks[j]);
          JsonObject *check = json_object_new ();

          json_object_set_string_member (check, "format", formats[i]);
          json_object_set_string_member (check, "name", checks[j]);
          json_object_set_boolean_member (check, "passed", fault == NULL);
          json_object_set_string_member (check, "reason", fault);
          json_array_add_object_element (array, check);
        }
    }
  return array;
}

static JsonObject *
inspection_to_json (const char *file, ImgImportInspection *inspection,
                    ImgImportFormatPolicy *policy, const InspectOptions *options)
{
  JsonObject *object = json_object_new ();
  JsonArray *matches = json_array_new ();
  g_auto (GStrv) formats = imgimport_inspection_dup_formats (inspection);
  guint i;

  for (i = 0; formats[i] != NULL; i++)
    json_array_add_string_element (matches, formats[i]);
  json_object_set_string_member (object, "file", file);
  json_object_set_int_member (object, "size", (gint64)imgimport_inspection_get_size (inspection));
  json_object_set_string_member (object, "format", imgimport_inspection_get_format (inspection));
  json_object_set_array_member (object, "matches", matches);
  set_size (object, "virtual_size", imgimport_inspection_get_virtual_size (inspection));
  json_object_set_array_member (object, "checks", checks_to_json (inspection));
  json_object_set_object_member (object, "verdict", verdict_to_json (inspection, policy, options));
  return object;
}

/* ---- for a reader ------------------------------------------------------------------------------
 */

static void
add_row (CliTable *table, const char *title, const char *value)
{
  const char *cells[] = { title, value, NULL };

  cli_table_add (table, cells);
}

static void
add_checks (CliTable *table, JsonArray *checks)
{
  guint i;

  for (i = 0; i < json_array_get_length (checks); i++)
    {
      JsonObject *check = json_array_get_object_element (checks, i);
      g_autofree char *title =
          g_strdup_printf ("check %s/%s", json_object_get_string_member (check, "format"),
                           json_object_get_string_member (check, "name"));
      g_autofree char *value =
          json_object_get_boolean_member (check, "passed")
              ? g_strdup ("passed")
              : g_strdup_printf ("FAILED: %s", json_object_get_string_member (check, "reason"));

      add_row (table, title, value);
    }
}

static void
add_matches (CliTable *table, JsonArray *matches)
{
  g_autoptr (GString) names = g_string_new (json_array_get_length (matches) == 0 ? "raw" : NULL);
  guint i;

  for (i = 0; i < json_array_get_length (matches); i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "",
                            json_array_get_string_element (matches, i));
  add_row (table, "format", names->str);
}

static gboolean
print_table (JsonObject *object, GError **error)
{
  static const char *const titles[] = { "Property", "Value", NULL };
  g_autoptr (CliTable) table = cli_table_new (titles, CLI_DEFAULT_WIDTH);
  JsonObject *verdict = json_object_get_object_member (object, "verdict");
  g_autofree char *size = cli_json_cell (object, "size");
  g_autofree char *virtual_size = cli_json_cell (object, "virtual_size");
  g_autofree char *judgement = NULL;

  add_row (table, "file", json_object_get_string_member (object, "file"));
  add_row (table, "size", size);
  add_matches (table, json_object_get_array_member (object, "matches"));
  add_row (table, "virtual_size", virtual_size);
  add_checks (table, json_object_get_array_member (object, "checks"));
  judgement =
      json_object_get_boolean_member (verdict, "accepted")
          ? g_strdup ("accepted")
          : g_strdup_printf ("REFUSED: %s (%s)", json_object_get_string_member (verdict, "message"),
                             json_object_get_string_member (verdict, "reason"));
  add_row (table, "verdict", judgement);
  return cli_table_print (table, error);
}

/* ---- the command -------------------------------------------------------------------------------
 */

static ImgImportFormatPolicy *
load_policy (const char *policy, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;

  if (policy == NULL || *policy == '{')
    return imgimport_format_policy_new_from_json (policy, error);
  if (cli_read_file (policy, &text, &local))
    return imgimport_format_policy_new_from_json (text, error);
  cli_set_usage_error (error, "--policy: %s", local->message);
  return NULL;
}

static gboolean
inspect_and_print (Cli *cli, const char *file, ImgImportFormatPolicy *policy,
                   const InspectOptions *options, JsonArray *all, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (ImgImportInspection) inspection = inspect_file (cli, file, &local);
  JsonObject *object;

  if (inspection == NULL)
    {
      if (imgimport_error_is_cancelled (local))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      cli_report (cli, local);
      cli->status = STATUS_UNREADABLE;
      return TRUE;
    }
  object = inspection_to_json (file, inspection, policy, options);
  json_array_add_object_element (all, object);
  if (!json_object_get_boolean_member (json_object_get_object_member (object, "verdict"),
                                       "accepted"))
    cli->status = MAX (cli->status, STATUS_UNSAFE);
  return cli_wants_json (cli) || print_table (object, error);
}

static gboolean
run_inspect (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  const InspectOptions *options = data;
  g_autoptr (ImgImportFormatPolicy) policy = NULL;
  g_autoptr (JsonArray) all = json_array_new ();
  g_autoptr (JsonNode) node = NULL;
  guint i;

  if (!cli_check_text ("--disk-format", options->disk_format, error) ||
      !cli_check_text ("--container-format", options->container_format, error))
    return FALSE;
  policy = load_policy (options->policy, error);
  if (policy == NULL)
    return FALSE;
  for (i = 0; arguments[i] != NULL; i++)
    if (!inspect_and_print (cli, arguments[i], policy, options, all, error))
      return FALSE;
  if (!cli_wants_json (cli))
    return TRUE;
  node = json_node_init_array (json_node_alloc (), all);
  return cli_print_json (node, error);
}

const CliCommand cli_inspect = {
  .name = "inspect",
  .arguments = "FILE…",
  .min_arguments = 1,
  .max_arguments = G_MAXUINT,
  .summary = "Tell what image files are, and whether they are safe",
  .description =
      "Shows the format, or all that match, the size of the disk inside, each safety\n"
      "check with its reason, and the verdict that an import would give. Of a file only\n"
      "what a format needs is read, from its first byte; “-” is standard input. Nothing\n"
      "stored is read.",
  .exit_statuses = "Exit status:\n"
                   "    0  all files are accepted\n"
                   "    1  one of them is unsafe or refused by the policy, or the output could\n"
                   "       not be written\n"
                   "    2  one of them cannot be read, or the command line or policy is wrong\n"
                   "  130  cancelled by Ctrl-C, SIGTERM or SIGHUP\n",
  .without_service = TRUE,
  .options_size = sizeof (InspectOptions),
  .option_sets = { { inspect_entries, 0 } },
  .run = run_inspect,
};
