/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of an image: a file, or standard input where it is no terminal. */
#include "cli.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean
cli_has_input (const char *file)
{
  struct stat status;

  return file != NULL || (fstat (STDIN_FILENO, &status) == 0 && isatty (STDIN_FILENO) == 0 &&
                          (fcntl (STDIN_FILENO, F_GETFL) & O_ACCMODE) != O_WRONLY);
}

int
cli_open_file (const char *option, const char *file, GError **error)
{
  /* Never waits for who writes to a named pipe, which no signal could end: the library does. */
  int fd = open (file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

  if (fd == -1)
    cli_set_system_error (error, option, file);
  return fd;
}

static gboolean
open_file (CliInput *self, const char *file, GError **error)
{
  struct stat status;

  self->fd = cli_open_file ("--file", file, error);
  self->opened = self->fd != -1;
  if (self->fd == -1)
    return FALSE;
  if (fstat (self->fd, &status) == -1)
    {
      cli_set_system_error (error, "--file", file);
      return FALSE;
    }
  if (S_ISDIR (status.st_mode))
    {
      cli_set_usage_error (error, "--file: “%s” is a directory", file);
      return FALSE;
    }
  if (S_ISREG (status.st_mode) && self->expected != IMGIMPORT_SIZE_UNKNOWN &&
      self->expected != (guint64)status.st_size)
    {
      cli_set_usage_error (error,
                           "--size: %" G_GUINT64_FORMAT
                           " was given, but “%s” has %" G_GUINT64_FORMAT " bytes",
                           self->expected, file, (guint64)status.st_size);
      return FALSE;
    }
  return TRUE;
}

gboolean
cli_input_open (CliInput *self, const char *file, const char *size, GError **error)
{
  if (!cli_parse_number ("--size", size, G_MAXINT64, &self->expected, error))
    return FALSE;
  if (file != NULL)
    return open_file (self, file, error);
  if (!cli_has_input (NULL))
    {
      cli_set_usage_error (error, "no bytes: name a file with --file, or give them on standard "
                                  "input, which is not read while it is a terminal");
      return FALSE;
    }
  self->fd = STDIN_FILENO;
  return TRUE;
}

void
cli_input_clear (CliInput *self)
{
  if (self->opened)
    close (self->fd);
  self->opened = FALSE;
  self->fd = -1;
}
