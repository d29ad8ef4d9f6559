/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-show, image-delete */
#include "cli.h"

typedef struct
{
  gboolean human_readable;
  char *max_column_width;
} ShowOptions;

static const GOptionEntry show_entries[] = {
  { "human-readable", 0, 0, G_OPTION_ARG_NONE, CLI_OFFSET (ShowOptions, human_readable),
    "Show sizes in KiB, MiB, …", NULL },
  { "max-column-width", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (ShowOptions, max_column_width),
    "Break longer values into lines; 0: never (default: 80)", "COLUMNS" },
  G_OPTION_ENTRY_NULL,
};

static gboolean
run_show (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  const ShowOptions *options = data;
  guint64 width = CLI_DEFAULT_WIDTH;
  g_autoptr (ImgImportImage) image = NULL;

  if (!cli_parse_number ("--max-column-width", options->max_column_width, G_MAXINT32, &width,
                         error))
    return FALSE;
  image = imgimport_service_get_image (cli->service, cli->context, arguments[0], error);
  return image != NULL &&
         cli_print_image (cli, image, options->human_readable, (guint)width, error);
}

const CliCommand cli_image_show = {
  .name = "image-show",
  .arguments = "IMAGE_ID",
  .min_arguments = 1,
  .max_arguments = 1,
  .summary = "Show the record of an image",
  .description = "The members are those of the Glance v2 API; “stage” is there while bytes are\n"
                 "staged.",
  .options_size = sizeof (ShowOptions),
  .option_sets = { { show_entries, 0 } },
  .run = run_show,
};

/* ---- image-delete ---------------------------------------------------------------------------- */

static gboolean
run_delete (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  guint n_failed = 0;
  guint i;

  for (i = 0; arguments[i] != NULL; i++)
    {
      g_autoptr (GError) local = NULL;

      if (g_cancellable_set_error_if_cancelled (cli->cancellable, error))
        return FALSE;
      if (imgimport_service_delete_image (cli->service, cli->context, arguments[i], &local))
        continue;
      /* A single image's error is the command's. */
      if (arguments[1] == NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      cli_report (cli, local);
      n_failed++;
    }
  if (n_failed == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%u of %u images could not be deleted",
               n_failed, i);
  return FALSE;
}

const CliCommand cli_image_delete = {
  .name = "image-delete",
  .arguments = "IMAGE_ID…",
  .min_arguments = 1,
  .max_arguments = G_MAXUINT,
  .summary = "Delete images and their bytes",
  .description = "Of several images it goes on after one that cannot be deleted; the exit status\n"
                 "is then 1.",
  .run = run_delete,
};
