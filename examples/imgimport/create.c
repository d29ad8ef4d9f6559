/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-create */
#include "cli.h"

static gboolean
run (Cli *cli, gconstpointer options, char **arguments, GError **error)
{
  g_autofree char *attributes = cli_attributes_to_json (options, error);
  g_autoptr (ImgImportImage) image = NULL;

  if (attributes == NULL)
    return FALSE;
  image = imgimport_service_create_image (cli->service, cli->context, attributes, NULL, error);
  if (image == NULL || !cli_print_image (cli, image, FALSE, CLI_DEFAULT_WIDTH, error))
    return FALSE;
  cli_advise (cli, imgimport_image_get_id (image), FALSE);
  return TRUE;
}

const CliCommand cli_image_create = {
  .name = "image-create",
  .arguments = "",
  .summary = "Create the record of an image, without bytes",
  .description = "The image is then “queued”. Its bytes are sent with image-stage and checked and\n"
                 "stored with image-import; image-create-via-import does all three.",
  .options_size = sizeof (CliAttributes),
  .option_sets = { { cli_attribute_entries, 0 } },
  .run = run,
};
