/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image-download */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_SIZE ((gsize)1024 * 1024)

typedef struct
{
  char *file;
  char *offset;
  char *length;
} Options;

/* Of the image's bytes; the length may be IMGIMPORT_SIZE_UNKNOWN. */
typedef struct
{
  guint64 offset;
  guint64 length;
} Range;

static const GOptionEntry entries[] = {
  { "file", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (Options, file),
    "The file to write (default: standard output, unless it is a terminal)", "FILE" },
  { "offset", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (Options, offset),
    "The first byte to write (default: 0)", "BYTES" },
  { "length", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (Options, length),
    "How many bytes to write (default: all the rest)", "BYTES" },
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
write_stream (Cli *cli, GInputStream *stream, int fd, GError **error)
{
  g_autofree char *buffer = g_malloc (CHUNK_SIZE);
  gssize n_read = g_input_stream_read (stream, buffer, CHUNK_SIZE, cli->cancellable, error);

  for (; n_read > 0;
       n_read = g_input_stream_read (stream, buffer, CHUNK_SIZE, cli->cancellable, error))
    for (gssize done = 0; done < n_read;)
      {
        gssize n = write (fd, buffer + done, (gsize)(n_read - done));

        if (n < 0 && errno != EINTR)
          {
            cli_set_system_error (error, "image-download", "output");
            return FALSE;
          }
        done += MAX (n, 0);
      }
  return n_read == 0;
}

static gboolean
save (Cli *cli, ImgImportImage *image, const Range *range, int fd, GError **error)
{
  const char *id = imgimport_image_get_id (image);
  g_autoptr (GInputStream) stream = NULL;

  if (range->offset == 0 && range->length == IMGIMPORT_SIZE_UNKNOWN)
    return imgimport_service_save_image (cli->service, cli->context, id, fd, cli->cancellable,
                                         error);
  stream = imgimport_service_read_image (cli->service, cli->context, id, range->offset,
                                         range->length, error);
  return stream != NULL && write_stream (cli, stream, fd, error);
}

static guint64
size_of_range (ImgImportImage *image, const Range *range)
{
  guint64 size = imgimport_image_get_size (image);

  return MIN (range->length, size - MIN (size, range->offset));
}

/* Writes beside the target and renames, so that FILE is never half an image. */
static gboolean
save_to_file (Cli *cli, ImgImportImage *image, const Range *range, const char *file, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (file);
  g_autofree char *temporary = g_build_filename (directory, ".imgimport-XXXXXX", NULL);
  CliMeter *meter;
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
  meter = cli_meter_new_for_fd (cli, "downloading", fd, size_of_range (image, range));
  saved = save (cli, image, range, fd, error);
  cli_meter_free (meter);
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
  Range range = { 0, IMGIMPORT_SIZE_UNKNOWN };
  g_autoptr (ImgImportImage) image = NULL;

  if (!cli_parse_number ("--offset", options->offset, G_MAXINT64, &range.offset, error) ||
      !cli_parse_number ("--length", options->length, G_MAXINT64, &range.length, error))
    return FALSE;
  if (options->file == NULL && isatty (STDOUT_FILENO) == 1)
    {
      cli_set_usage_error (error, "standard output is a terminal: name a file with --file");
      return FALSE;
    }
  image = imgimport_service_get_image (cli->service, cli->context, arguments[0], error);
  if (image == NULL)
    return FALSE;
  if (options->file != NULL)
    return save_to_file (cli, image, &range, options->file, error);
  return save (cli, image, &range, STDOUT_FILENO, error);
}

const CliCommand cli_image_download = {
  .name = "image-download",
  .arguments = "IMAGE_ID",
  .min_arguments = 1,
  .max_arguments = 1,
  .summary = "Write the bytes of an active image",
  .description = "The digest of a whole image is compared with the record's. With --file the\n"
                 "bytes go to a temporary file beside FILE, which takes FILE's place at the end\n"
                 "and is removed on failure.",
  .options_size = sizeof (Options),
  .option_sets = { { entries, 0 } },
  .run = run,
};
