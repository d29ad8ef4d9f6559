/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the program ends: one table of exit statuses, one of what leads to them. */
#include "cli.h"

#include <unistd.h>

typedef enum
{
  STATUS_DONE = 0,
  STATUS_FAILED = 1,
  STATUS_USAGE = 2,
  STATUS_NOT_FOUND = 3,
  STATUS_CONFLICT = 4,
  STATUS_REFUSED = 5,
  STATUS_NO_ROOM = 6,
  STATUS_TEMPORARY = 7,
  STATUS_FORBIDDEN = 8,
  STATUS_CANCELLED = 130
} Status;

static const struct
{
  Status status;
  const char *meaning;
} meanings[] = {
  { STATUS_DONE, "done" },
  { STATUS_FAILED, "failed: none of the reasons below, the output could not be written, or one of "
                   "several images failed" },
  { STATUS_USAGE, "the command line or configuration is wrong, or asks for what is not offered" },
  { STATUS_NOT_FOUND, "there is no such image, task or file" },
  { STATUS_CONFLICT, "the image's status does not allow it, or the id is taken" },
  { STATUS_REFUSED, "the image was refused: corrupt, unsafe, or not what it claims to be" },
  { STATUS_NO_ROOM, "no space, or a configured limit was reached" },
  { STATUS_TEMPORARY, "busy, unavailable or timed out: try again later" },
  { STATUS_FORBIDDEN, "not permitted to this caller, or by the operating system" },
  { STATUS_CANCELLED, "cancelled by Ctrl-C, SIGTERM or SIGHUP" },
};

static const struct
{
  ImgImportError code;
  Status status;
} statuses[] = {
  { IMGIMPORT_ERROR_FAILED, STATUS_FAILED },
  { IMGIMPORT_ERROR_INVALID_ARGUMENT, STATUS_USAGE },
  { IMGIMPORT_ERROR_INVALID_STATE, STATUS_CONFLICT },
  { IMGIMPORT_ERROR_NOT_FOUND, STATUS_NOT_FOUND },
  { IMGIMPORT_ERROR_EXISTS, STATUS_CONFLICT },
  { IMGIMPORT_ERROR_NOT_SUPPORTED, STATUS_USAGE },
  { IMGIMPORT_ERROR_PERMISSION, STATUS_FORBIDDEN },
  { IMGIMPORT_ERROR_NO_SPACE, STATUS_NO_ROOM },
  { IMGIMPORT_ERROR_LIMIT, STATUS_NO_ROOM },
  { IMGIMPORT_ERROR_CORRUPT, STATUS_REFUSED },
  { IMGIMPORT_ERROR_UNAVAILABLE, STATUS_TEMPORARY },
  { IMGIMPORT_ERROR_TIMED_OUT, STATUS_TEMPORARY },
  { IMGIMPORT_ERROR_BUSY, STATUS_TEMPORARY },
  { IMGIMPORT_ERROR_PLUGIN, STATUS_FAILED },
};

/* What the program itself meets with files. */
static Status
system_status (const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ||
      g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    return STATUS_NOT_FOUND;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED) ||
      g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_ACCES) ||
      g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_PERM))
    return STATUS_FORBIDDEN;
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE) ? STATUS_NO_ROOM : STATUS_FAILED;
}

int
cli_exit_status (const GError *error)
{
  guint i;

  if (imgimport_error_is_cancelled (error))
    return STATUS_CANCELLED;
  if (error->domain == G_OPTION_ERROR)
    return STATUS_USAGE;
  if (error->domain != IMGIMPORT_ERROR)
    return (int)system_status (error);
  for (i = 0; i < G_N_ELEMENTS (statuses); i++)
    if ((int)statuses[i].code == error->code)
      return (int)statuses[i].status;
  return STATUS_FAILED;
}

void
cli_exit_at_once (void)
{
  _exit (STATUS_CANCELLED);
}

void
cli_append_exit_statuses (GString *text)
{
  guint i;

  g_string_append (text, "Exit status:\n");
  for (i = 0; i < G_N_ELEMENTS (meanings); i++)
    g_string_append_printf (text, "  %3d  %s\n", (int)meanings[i].status, meanings[i].meaning);
}

void
cli_report (Cli *cli, const GError *error)
{
  const char *command = cli->command != NULL ? cli->command->name : NULL;
  g_autofree char *message = cli_printable (error->message);
  g_autoptr (GString) text = g_string_new ("imgimport: ");

  if (command != NULL)
    g_string_append_printf (text, "%s: ", command);
  g_string_append (text, message);
  if (error->domain == IMGIMPORT_ERROR || imgimport_error_is_cancelled (error))
    g_string_append_printf (text, " (%s)", imgimport_error_get_reason (error));
  g_string_append_c (text, '\n');
  if (error->domain == G_OPTION_ERROR)
    g_string_append_printf (text, "Try “imgimport %s%s--help”.\n", command != NULL ? command : "",
                            command != NULL ? " " : "");
  cli_print_error (text->str);
}
