/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-download */
#include "cli.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *file;
} Options;

static const GOptionEntry entries[] = {
  { "file", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (Options, file),
    "The file to write (default: standard output, unless it is a terminal)", "FILE" },
  G_OPTION_ENTRY_NULL,
};

/* The file is replaced as a whole, which must not happen to a device or a pipe. */
static gboolean
check_target (const char *file, GError **error)
{
  struct stat status;

  if (lstat (file, &status) == -1 || S_ISREG (status.st_mode))
    return TRUE;
  cli_set_usage_error (error,
                       "--file: “%s” exists and is no regular file; write to it with a shell's "
                       "redirection",
                       file);
  return FALSE;
}

static gboolean
save (Cli *cli, ImgImportImage *image, int fd, GError **error)
{
  CliMeter *meter = cli_meter_new_for_fd (cli, "downloading", fd, imgimport_image_get_size (image));
  gboolean saved = imgimport_service_save_image (
      cli->service, cli->context, imgimport_image_get_id (image), fd, cli->cancellable, error);

  cli_meter_free (meter);
  return saved;
}

/* Writes beside the target and renames, so that FILE is never half an image. */
static gboolean
save_to_file (Cli *cli, ImgImportImage *image, const char *file, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (file);
  g_autofree char *temporary = g_build_filename (directory, ".imgimport-XXXXXX", NULL);
  gboolean saved;
  int fd;

  if (!check_target (file, error))
    return FALSE;
  /* Creates exclusively; permissions are those of any new file under the caller's umask. */
  fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0666);
  if (fd == -1)
    {
      cli_set_system_error (error, "--file", file);
      return FALSE;
    }
  saved = save (cli, image, fd, error);
  if (saved && (g_fsync (fd) == -1 || g_rename (temporary, file) == -1))
    {
      cli_set_system_error (error, "--file", file);
      saved = FALSE;
    }
  if (!saved)
    g_unlink (temporary);
  close (fd);
  return saved;
}

static gboolean
run (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_autoptr (ImgImportImage) image = NULL;

  if (options->file == NULL && isatty (STDOUT_FILENO) == 1)
    {
      cli_set_usage_error (error, "standard output is a terminal: name a file with --file");
      return FALSE;
    }
  image = imgimport_service_get_image (cli->service, cli->context, arguments[0], error);
  if (image == NULL)
    return FALSE;
  if (options->file != NULL)
    return save_to_file (cli, image, options->file, error);
  return imgimport_service_save_image (cli->service, cli->context, arguments[0], STDOUT_FILENO,
                                       cli->cancellable, error);
}

const CliCommand cli_image_download = {
  .name = "image-download",
  .arguments = "IMAGE_ID",
  .min_arguments = 1,
  .max_arguments = 1,
  .summary = "Write the bytes of an active image",
  .description = "The digest of what is written is compared with the record's. With --file the\n"
                 "bytes go to a temporary file beside FILE, which takes FILE's place at the end\n"
                 "and is removed on failure.",
  .options_size = sizeof (Options),
  .option_sets = { { entries, 0 } },
  .run = run,
};
