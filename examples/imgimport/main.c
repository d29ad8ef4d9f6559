/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program's beginning and end: finds the command, runs it, answers an exit status. */
#include "cli.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const CliCommand *const commands[] = {
  &cli_image_create,
  &cli_image_stage,
  &cli_image_import,
  &cli_image_create_via_import,
  &cli_image_show,
  &cli_image_list,
  &cli_image_delete,
  &cli_image_download,
  &cli_image_tasks,
  &cli_inspect,
  &cli_job_graph,
  &cli_job_trace,
  &cli_import_info,
  &cli_stores_info,
  &cli_lifecycle,
  NULL,
};

/* A descriptor closed by our caller would be given to the next file opened, and messages would be
 * written into it. Opened the wrong way round, using it is an error as before. */
static void
reserve_standard_descriptors (void)
{
  int fd;

  for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) == -1 &&
        open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) == -1)
      _exit (EXIT_FAILURE);
}

static const CliCommand *
find_command (const char *name, GError **error)
{
  guint i;

  for (i = 0; commands[i] != NULL; i++)
    if (g_str_equal (commands[i]->name, name))
      return commands[i];
  cli_set_usage_error (error, "there is no command “%s”", name);
  return NULL;
}

static gboolean
run_in_service (Cli *cli, gconstpointer options, char **arguments, GError **error)
{
  gboolean done;

  if (cli->command->without_service)
    return cli->command->run (cli, options, arguments, error);
  if (!cli_open (cli, error))
    return FALSE;
  done = cli->command->run (cli, options, arguments, error);
  /* The first error is the one to tell. */
  return cli_close (cli, done ? error : NULL) && done;
}

static gboolean
run_command (Cli *cli, char ***argv, GError **error)
{
  const CliCommand *command = cli->command;
  g_autofree gpointer options = g_malloc0 (MAX (command->options_size, 1));
  g_autofree char *help = NULL;
  gboolean done;

  done = cli_parse_command (command, &cli->globals, options, argv, error);
  if (done && cli->globals.help)
    {
      help = cli_command_help (command);
      done = cli_print (help, error);
    }
  else if (done)
    done = run_in_service (cli, options, *argv + 1, error);
  cli_options_clear (command, options);
  return done;
}

static gboolean
run (Cli *cli, char ***argv, GError **error)
{
  g_autofree char *text = NULL;

  if (!cli_parse_globals (&cli->globals, argv, error))
    return FALSE;
  if (cli->globals.version)
    {
      text = g_strdup_printf ("imgimport %s\n", imgimport_version ());
      return cli_print (text, error);
    }
  if ((*argv)[1] == NULL && !cli->globals.help)
    {
      cli_set_usage_error (error, "a command is missing");
      return FALSE;
    }
  if ((*argv)[1] == NULL)
    {
      text = cli_help (commands);
      return cli_print (text, error);
    }
  cli->command = find_command ((*argv)[1], error);
  if (cli->command == NULL)
    return FALSE;
  /* What is left are the program's name, the command's name, and what belongs to the command. */
  text = (*argv)[1];
  memmove (*argv + 1, *argv + 2, sizeof (char *) * (g_strv_length (*argv) - 1));
  return run_command (cli, argv, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (CliSignals) signals = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) arguments = g_strdupv (argv);
  g_autoptr (GString) advice = g_string_new (NULL);
  Cli cli = { .cancellable = cancellable, .advice = advice };
  int status;

  reserve_standard_descriptors ();
  g_set_prgname ("imgimport");
  /* A reader that went away is then an error of write() like any other. */
  signal (SIGPIPE, SIG_IGN);
  signals = cli_signals_new (cancellable, &error);
  if (signals == NULL || !run (&cli, &arguments, &error))
    {
      cli_report (&cli, error);
      status = cli_exit_status (error);
    }
  else
    status = cli.status;
  if (!cli.globals.quiet)
    cli_print_error (advice->str);
  cli_globals_clear (&cli.globals);
  return status;
}
