/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-import */
#include "cli.h"

static const char *
chosen_method (const CliRequest *options)
{
  const char *method = options->method;

  if (method == NULL)
    method = g_getenv ("OS_IMAGE_IMPORT_METHOD");
  return method != NULL && *method != '\0' ? method : NULL;
}

static gboolean
run_import (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  const CliRequest *options = data;
  const char *method = chosen_method (options);
  const char *id = arguments[0];
  g_autofree char *request = NULL;
  g_autoptr (ImgImportImage) image = NULL;

  cli->request = options;
  request = cli_request_to_json (cli, options, method != NULL ? method : "glance-direct", error);
  if (request == NULL)
    return FALSE;
  image = cli_import (cli, id, request, error);
  if (image == NULL)
    {
      cli_advise (cli, id, TRUE);
      return FALSE;
    }
  return cli_print_image (cli, image, FALSE, CLI_DEFAULT_WIDTH, error);
}

#define IMPORT_DESCRIPTION                                                                         \
  "The import runs in this process, so the command waits for its end. On Ctrl-C or\n"              \
  "SIGTERM the import is cancelled and its end awaited; a second signal leaves at once,\n"         \
  "and the next command that opens the root cleans up. "

const CliCommand cli_image_import = {
  .name = "image-import",
  .arguments = "IMAGE_ID",
  .min_arguments = 1,
  .max_arguments = 1,
  .summary = "Check and store an image's bytes, and make it active",
  .description = IMPORT_DESCRIPTION
  "After a failure that is not\n"
  "the image's own, such as a full disk, its bytes are staged as before and\n"
  "image-import can be repeated; an image that is refused is “queued” again, and its\n"
  "bytes are gone.",
  .options_size = sizeof (CliRequest),
  .option_sets = { { cli_request_entries, 0 } },
  .run = run_import,
};

/* ---- image-create-via-import ----------------------------------------------------------------- */

typedef struct
{
  char *file;
  char *size;
  CliAttributes attributes;
  CliRequest request;
} ViaImport;

static const GOptionEntry via_import_entries[] = {
  { "file", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (ViaImport, file),
    "The file to import (default: standard input, unless it is a terminal)", "FILE" },
  { "size", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (ViaImport, size),
    "How many bytes there are; anything else is refused", "BYTES" },
  G_OPTION_ENTRY_NULL,
};

/* Everything that can be known to be wrong before a record exists. */
static gboolean
check_via_import (const ViaImport *options, const char *method, GError **error)
{
  gboolean direct = g_strcmp0 (method, "glance-direct") == 0;

  if (method != NULL && !direct && options->file != NULL)
    cli_set_usage_error (error, "--file: the method “%s” takes no bytes from here", method);
  else if (method == NULL && (options->request.store != NULL || options->request.stores != NULL ||
                              options->request.all_stores != NULL))
    cli_set_usage_error (error, "a store can be chosen only where there are bytes to import");
  else if (method != NULL && (options->attributes.disk_format == NULL ||
                              options->attributes.container_format == NULL))
    cli_set_usage_error (error, "an import needs --disk-format and --container-format");
  else
    return TRUE;
  return FALSE;
}

static gboolean
stage_and_import (Cli *cli, const char *id, const CliInput *input, const char *request,
                  GError **error)
{
  g_autoptr (ImgImportImage) staged = NULL;
  g_autoptr (ImgImportImage) image = NULL;

  if (input->fd != -1)
    staged = cli_stage (cli, id, input, error);
  if (input->fd == -1 || staged != NULL)
    image = cli_import (cli, id, request, error);
  if (image == NULL)
    {
      cli_advise (cli, id, TRUE);
      return FALSE;
    }
  return cli_print_image (cli, image, FALSE, CLI_DEFAULT_WIDTH, error);
}

static gboolean
run_via_import (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  const ViaImport *options = data;
  const char *method = chosen_method (&options->request);
  g_autofree char *attributes = cli_attributes_to_json (&options->attributes, error);
  g_autofree char *request = NULL;
  g_auto (CliInput) input = CLI_INPUT_INIT;
  g_autoptr (ImgImportImage) image = NULL;

  cli->request = &options->request;
  if (method == NULL && cli_has_input (options->file))
    method = "glance-direct";
  if (attributes == NULL || !check_via_import (options, method, error))
    return FALSE;
  if (method != NULL)
    {
      request = cli_request_to_json (cli, &options->request, method, error);
      if (request == NULL)
        return FALSE;
    }
  if (g_strcmp0 (method, "glance-direct") == 0 &&
      !cli_input_open (&input, options->file, options->size, error))
    return FALSE;
  image = imgimport_service_create_image (cli->service, cli->context, attributes, NULL, error);
  if (image == NULL)
    return FALSE;
  if (request != NULL)
    {
      cli_say (cli, "Created image “%s”.", imgimport_image_get_id (image));
      return stage_and_import (cli, imgimport_image_get_id (image), &input, request, error);
    }
  cli_advise (cli, imgimport_image_get_id (image), FALSE);
  return cli_print_image (cli, image, FALSE, CLI_DEFAULT_WIDTH, error);
}

const CliCommand cli_image_create_via_import = {
  .name = "image-create-via-import",
  .arguments = "",
  .summary = "Create an image, send its bytes and import them",
  .description = "With no bytes and no method it does what image-create does. --file wins over\n"
                 "standard input.\n\n" IMPORT_DESCRIPTION "Where a step fails, the image\n"
                 "stays as that step left it, and the program says which commands lead on.",
  .options_size = sizeof (ViaImport),
  .option_sets = { { via_import_entries, 0 },
                   { cli_attribute_entries, G_STRUCT_OFFSET (ViaImport, attributes) },
                   { cli_request_entries, G_STRUCT_OFFSET (ViaImport, request) } },
  .run = run_via_import,
};
