/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-stage */
#include "cli.h"

typedef struct
{
  char *file;
  char *size;
} Options;

static const GOptionEntry entries[] = {
  { "file", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (Options, file),
    "The file to send (default: standard input, unless it is a terminal)", "FILE" },
  { "size", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (Options, size),
    "How many bytes there are; anything else is refused", "BYTES" },
  G_OPTION_ENTRY_NULL,
};

static gboolean
run (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  const char *id = arguments[0];
  g_auto (CliInput) input = CLI_INPUT_INIT;
  g_autoptr (ImgImportImage) image = NULL;

  if (!cli_input_open (&input, options->file, options->size, error))
    return FALSE;
  image = cli_stage (cli, id, &input, error);
  if (image != NULL && !cli_print_image (cli, image, FALSE, CLI_DEFAULT_WIDTH, error))
    return FALSE;
  cli_advise (cli, id, image == NULL);
  return image != NULL;
}

const CliCommand cli_image_stage = {
  .name = "image-stage",
  .arguments = "IMAGE_ID",
  .min_arguments = 1,
  .max_arguments = 1,
  .summary = "Send the bytes of a queued image",
  .description = "The bytes are copied into staging, digested and inspected; the image is then\n"
                 "“uploading” until image-import. Where it fails or is cancelled with Ctrl-C, the\n"
                 "image is “queued” again and nothing is kept.",
  .options_size = sizeof (Options),
  .option_sets = { { entries, 0 } },
  .run = run,
};
