/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-list, image-tasks */
#include "cli.h"

#define DEFAULT_LIMIT 25
#define MAX_LIMIT 1000

typedef struct
{
  char *status;
  char *visibility;
  char *owner;
  char *name;
  char *hidden;
  char *limit;
  char *marker;
} ListOptions;

static const GOptionEntry list_entries[] = {
  { "status", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (ListOptions, status),
    "Only images in this status", "WORD" },
  { "visibility", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (ListOptions, visibility),
    "Only public, private, shared or community ones", "WORD" },
  { "owner", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (ListOptions, owner),
    "Only those of this project", "NAME" },
  { "name", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (ListOptions, name),
    "Only those of exactly this name", "NAME" },
  { "hidden", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (ListOptions, hidden),
    "Hidden ones (default: false)", "true|false" },
  { "limit", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (ListOptions, limit),
    "At most so many, 1 to 1000 (default: 25)", "N" },
  { "marker", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (ListOptions, marker),
    "Begin after this image: the last of the page before", "IMAGE_ID" },
  G_OPTION_ENTRY_NULL,
};

typedef struct
{
  char *limit;
  char *marker;
} TaskOptions;

static const GOptionEntry task_entries[] = {
  { "limit", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (TaskOptions, limit),
    "At most so many, 1 to 1000 (default: 25)", "N" },
  { "marker", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (TaskOptions, marker),
    "Begin after this task: the last of the page before", "TASK_ID" },
  G_OPTION_ENTRY_NULL,
};

static gboolean
set_text (JsonObject *filter, const char *option, const char *member, const char *value,
          GError **error)
{
  if (!cli_check_text (option, value, error))
    return FALSE;
  if (value != NULL)
    json_object_set_string_member (filter, member, value);
  return TRUE;
}

/* The page's limit and marker, which both lists have. */
static gboolean
set_page (JsonObject *filter, const char *limit_text, const char *marker, guint64 *limit,
          GError **error)
{
  *limit = DEFAULT_LIMIT;
  if (!cli_parse_number ("--limit", limit_text, MAX_LIMIT, limit, error))
    return FALSE;
  json_object_set_int_member (filter, "limit", (gint64)*limit);
  return set_text (filter, "--marker", "marker", marker, error);
}

static char *
to_text (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, object);
  return json_to_string (node, FALSE);
}

static char *
image_to_json (gpointer image)
{
  return imgimport_image_to_json (image);
}

static char *
job_to_json (gpointer job)
{
  return imgimport_job_to_json (job);
}

/* The records of a page as one JSON array. */
static JsonArray *
to_array (GPtrArray *records, char *(*to_json) (gpointer record))
{
  JsonArray *array = json_array_new ();
  guint i;

  for (i = 0; i < records->len; i++)
    {
      g_autofree char *json = to_json (g_ptr_array_index (records, i));

      json_array_add_element (array, cli_json_parse (json, NULL));
    }
  return array;
}

static gboolean
print_page (Cli *cli, JsonArray *array, const char *const *titles, const char *const *members,
            GError **error)
{
  g_autoptr (JsonNode) node = NULL;

  if (!cli_wants_json (cli))
    return cli_print_objects (array, titles, members, error);
  node = json_node_new (JSON_NODE_ARRAY);
  json_node_set_array (node, array);
  return cli_print_json (node, error);
}

static void
say_more (Cli *cli, JsonArray *array, guint64 limit)
{
  guint length = json_array_get_length (array);

  if (length > 0 && length == limit)
    cli_say (
        cli, "There may be more: repeat with --marker %s",
        json_object_get_string_member (json_array_get_object_element (array, length - 1), "id"));
}

static char *
list_filter (const ListOptions *options, guint64 *limit, GError **error)
{
  g_autoptr (JsonObject) filter = json_object_new ();
  gboolean hidden = FALSE;

  if (!set_text (filter, "--status", "status", options->status, error) ||
      !set_text (filter, "--visibility", "visibility", options->visibility, error) ||
      !set_text (filter, "--owner", "owner", options->owner, error) ||
      !set_text (filter, "--name", "name", options->name, error) ||
      !cli_parse_boolean ("--hidden", options->hidden, &hidden, error) ||
      !set_page (filter, options->limit, options->marker, limit, error))
    return NULL;
  if (hidden)
    json_object_set_boolean_member (filter, "os_hidden", TRUE);
  return to_text (filter);
}

static gboolean
run_list (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  static const char *const titles[] = { "ID", "Name", "Status", "Disk Format", "Size", NULL };
  static const char *const more_titles[] = { "ID",          "Name",  "Status",
                                             "Disk Format", "Size",  "Container Format",
                                             "Visibility",  "Owner", "Created",
                                             NULL };
  static const char *const members[] = { "id",          "name",  "status",
                                         "disk_format", "size",  "container_format",
                                         "visibility",  "owner", "created_at" };
  guint64 limit;
  g_autofree char *filter = list_filter (data, &limit, error);
  g_autoptr (GPtrArray) images = NULL;
  g_autoptr (JsonArray) array = NULL;

  if (filter == NULL)
    return FALSE;
  images = imgimport_service_list_images (cli->service, cli->context, filter, error);
  if (images == NULL)
    return FALSE;
  array = to_array (images, image_to_json);
  if (!print_page (cli, array, cli->globals.verbose ? more_titles : titles, members, error))
    return FALSE;
  say_more (cli, array, limit);
  return TRUE;
}

const CliCommand cli_image_list = {
  .name = "image-list",
  .arguments = "",
  .summary = "List images, the newest first",
  .description = "Without --project all images are listed, else those that the project may see.",
  .options_size = sizeof (ListOptions),
  .option_sets = { { list_entries, 0 } },
  .run = run_list,
};

/* ---- image-tasks ----------------------------------------------------------------------------- */

static gboolean
run_tasks (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  static const char *const titles[] = { "Task ID", "Status",  "Phase", "Message",
                                        "Reason",  "Updated", NULL };
  static const char *const more_titles[] = { "Task ID", "Status",     "Phase",    "Message",
                                             "Reason",  "Updated",    "Image ID", "User ID",
                                             "Owner",   "Request ID", "Input",    "Result",
                                             "Expires", NULL };
  static const char *const members[] = { "id",        "status",     "phase",    "message",
                                         "reason",    "updated_at", "image_id", "user_id",
                                         "owner",     "request_id", "input",    "result",
                                         "expires_at" };
  const TaskOptions *options = data;
  g_autoptr (ImgImportImage) image = NULL;
  g_autoptr (JsonObject) filter = json_object_new ();
  g_autofree char *filter_text = NULL;
  g_autoptr (GPtrArray) jobs = NULL;
  g_autoptr (JsonArray) array = NULL;
  guint64 limit;

  if (!set_page (filter, options->limit, options->marker, &limit, error))
    return FALSE;
  image = imgimport_service_get_image (cli->service, cli->context, arguments[0], error);
  if (image == NULL)
    return FALSE;
  json_object_set_string_member (filter, "image_id", imgimport_image_get_id (image));
  filter_text = to_text (filter);
  jobs = imgimport_service_list_jobs (cli->service, cli->context, filter_text, error);
  if (jobs == NULL)
    return FALSE;
  array = to_array (jobs, job_to_json);
  if (!print_page (cli, array, cli->globals.verbose ? more_titles : titles, members, error))
    return FALSE;
  say_more (cli, array, limit);
  return TRUE;
}

const CliCommand cli_image_tasks = {
  .name = "image-tasks",
  .arguments = "IMAGE_ID",
  .min_arguments = 1,
  .max_arguments = 1,
  .summary = "List the imports of an image, the newest first",
  .description = "Finished tasks are listed until they expire.",
  .options_size = sizeof (TaskOptions),
  .option_sets = { { task_entries, 0 } },
  .run = run_tasks,
};
