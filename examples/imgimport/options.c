/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the command line: GOption with constant tables, see CliCommand. */
#include "cli.h"

#include <string.h>

static const GOptionEntry global_entries[] = {
  { "root", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliGlobals, root),
    "Where everything is kept (default: $IMGIMPORT_ROOT, else $XDG_DATA_HOME/imgimport, else "
    "~/.local/share/imgimport)",
    "DIR" },
  { "config", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliGlobals, config),
    "The configuration, a JSON file (default: imgimport.json in the root, if there is one)",
    "FILE" },
  { "format", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliGlobals, format),
    "How to print: table (default) or json", "FORMAT" },
  { "project", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliGlobals, project),
    "Act as a tenant of this project (default: as the administrator)", "NAME" },
  { "user", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliGlobals, user),
    "The tenant's user; needs --project", "NAME" },
  { "role", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, CLI_OFFSET (CliGlobals, roles),
    "A role of the tenant's; may be repeated; needs --project", "NAME" },
  { "quiet", 'q', 0, G_OPTION_ARG_NONE, CLI_OFFSET (CliGlobals, quiet),
    "No progress and no advice, only results and errors", NULL },
  { "verbose", 'v', 0, G_OPTION_ARG_NONE, CLI_OFFSET (CliGlobals, verbose),
    "Show the library's log on standard error, and more columns in lists", NULL },
  { "help", 'h', 0, G_OPTION_ARG_NONE, CLI_OFFSET (CliGlobals, help),
    "Show help: of the program, or of the command that is named too", NULL },
  { "version", 0, 0, G_OPTION_ARG_NONE, CLI_OFFSET (CliGlobals, version), "Show the version",
    NULL },
  G_OPTION_ENTRY_NULL,
};

/* The entries with their offsets turned into addresses in `base`. */
static GOptionEntry *
bind_entries (const GOptionEntry *entries, gpointer base)
{
  g_autoptr (GArray) bound = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));
  guint i;

  for (i = 0; entries[i].long_name != NULL; i++)
    {
      GOptionEntry entry = entries[i];

      entry.arg_data = (char *)base + GPOINTER_TO_SIZE (entry.arg_data);
      g_array_append_val (bound, entry);
    }
  return (GOptionEntry *)(gpointer)g_array_free (g_steal_pointer (&bound), FALSE);
}

static GOptionContext *
new_context (const char *parameters, CliGlobals *globals)
{
  g_autofree GOptionEntry *entries = bind_entries (global_entries, globals);
  GOptionContext *context = g_option_context_new (parameters);

  /* GOption's own help prints and exits; ours goes through cli_print(). */
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_add_main_entries (context, entries, NULL);
  return context;
}

static GOptionContext *
new_command_context (const CliCommand *command, CliGlobals *globals, gpointer options)
{
  g_autofree char *parameters = g_strdup_printf ("%s %s", command->name, command->arguments);
  g_autofree char *title = g_strdup_printf ("Options of %s:", command->name);
  GOptionContext *context = new_context (g_strchomp (parameters), globals);
  GOptionGroup *group = g_option_group_new (command->name, title, title, NULL, NULL);
  guint i;

  for (i = 0; command->option_sets[i].entries != NULL; i++)
    {
      const CliOptionSet *set = &command->option_sets[i];
      g_autofree GOptionEntry *entries = bind_entries (set->entries, (char *)options + set->offset);

      g_option_group_add_entries (group, entries);
    }
  if (i > 0)
    g_option_context_add_group (context, group);
  else
    g_option_group_unref (group);
  return context;
}

static void
clear_entries (const GOptionEntry *entries, gpointer base)
{
  guint i;

  for (i = 0; entries[i].long_name != NULL; i++)
    {
      gpointer field = (char *)base + GPOINTER_TO_SIZE (entries[i].arg_data);

      if (entries[i].arg == G_OPTION_ARG_FILENAME)
        g_clear_pointer ((char **)field, g_free);
      else if (entries[i].arg == G_OPTION_ARG_FILENAME_ARRAY)
        g_clear_pointer ((char ***)field, g_strfreev);
    }
}

void
cli_globals_clear (CliGlobals *globals)
{
  clear_entries (global_entries, globals);
}

void
cli_options_clear (const CliCommand *command, gpointer options)
{
  guint i;

  for (i = 0; command->option_sets[i].entries != NULL; i++)
    clear_entries (command->option_sets[i].entries,
                   (char *)options + command->option_sets[i].offset);
}

/* What was given behind the command's name wins over what was given before it. */
static void
merge_globals (CliGlobals *globals, CliGlobals *later)
{
  guint i;

  for (i = 0; global_entries[i].long_name != NULL; i++)
    {
      gsize offset = GPOINTER_TO_SIZE (global_entries[i].arg_data);
      gpointer old_field = (char *)globals + offset;
      gpointer new_field = (char *)later + offset;

      if (global_entries[i].arg == G_OPTION_ARG_NONE)
        *(gboolean *)old_field = *(gboolean *)old_field || *(gboolean *)new_field;
      else if (*(gpointer *)new_field != NULL)
        {
          GOptionEntry one[] = { global_entries[i], G_OPTION_ENTRY_NULL };

          clear_entries (one, globals);
          *(gpointer *)old_field = g_steal_pointer ((gpointer *)new_field);
        }
    }
}

static gboolean
check_globals (const CliGlobals *globals, GError **error)
{
  if (globals->format != NULL && !g_str_equal (globals->format, "json") &&
      !g_str_equal (globals->format, "table"))
    {
      cli_set_usage_error (error, "--format: “%s” is neither table nor json", globals->format);
      return FALSE;
    }
  /* A shell variable that is not set must not lead to another place. */
  if (globals->root != NULL && *globals->root == '\0')
    {
      cli_set_usage_error (error, "--root: is empty");
      return FALSE;
    }
  if (globals->project == NULL && (globals->user != NULL || globals->roles != NULL))
    {
      cli_set_usage_error (error, "--user and --role need --project");
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_arguments (char **arguments, GError **error)
{
  for (; *arguments != NULL; arguments++)
    if (!cli_check_text ("argument", *arguments, error))
      return FALSE;
  return TRUE;
}

gboolean
cli_parse_globals (CliGlobals *globals, char ***argv, GError **error)
{
  g_autoptr (GOptionContext) context = new_context (NULL, globals);

  /* Stops at the first word that is no option: the command's name. */
  g_option_context_set_strict_posix (context, TRUE);
  return g_option_context_parse_strv (context, argv, error);
}

gboolean
cli_parse_command (const CliCommand *command, CliGlobals *globals, gpointer options, char ***argv,
                   GError **error)
{
  CliGlobals later = { 0 };
  g_autoptr (GOptionContext) context = new_command_context (command, &later, options);
  guint n_arguments;

  if (!g_option_context_parse_strv (context, argv, error))
    {
      cli_globals_clear (&later);
      return FALSE;
    }
  merge_globals (globals, &later);
  if (globals->help)
    return TRUE;
  if (g_strcmp0 ((*argv)[1], "--") == 0)
    {
      g_free ((*argv)[1]);
      memmove (*argv + 1, *argv + 2, sizeof (char *) * (g_strv_length (*argv + 2) + 1));
    }
  n_arguments = g_strv_length (*argv) - 1;
  if (n_arguments < command->min_arguments)
    cli_set_usage_error (error, "an argument is missing: %s", command->arguments);
  else if (n_arguments > command->max_arguments)
    cli_set_usage_error (error, "one argument too many: “%s”", (*argv)[command->max_arguments + 1]);
  else
    return check_arguments (*argv + 1, error) && check_globals (globals, error);
  return FALSE;
}

char *
cli_help (const CliCommand *const *commands)
{
  CliGlobals globals = { 0 };
  g_autoptr (GOptionContext) context = new_context ("COMMAND [ARGUMENT…]", &globals);
  g_autoptr (GString) summary = g_string_new ("Imports disk images, as OpenStack Glance does, "
                                              "into a directory of this machine.\n\nCommands:\n");
  g_autoptr (GString) description = g_string_new ("“imgimport COMMAND --help” tells more.\n\n");
  guint i;

  for (i = 0; commands[i] != NULL; i++)
    g_string_append_printf (summary, "  %-24s %s\n", commands[i]->name, commands[i]->summary);
  g_string_truncate (summary, summary->len - 1);
  cli_append_exit_statuses (description);
  g_option_context_set_summary (context, summary->str);
  g_option_context_set_description (context, description->str);
  return g_option_context_get_help (context, TRUE, NULL);
}

char *
cli_command_help (const CliCommand *command)
{
  CliGlobals globals = { 0 };
  g_autofree gpointer options = g_malloc0 (MAX (command->options_size, 1));
  g_autoptr (GOptionContext) context = new_command_context (command, &globals, options);
  g_autofree char *summary = g_strdup_printf ("%s.\n\n%s", command->summary, command->description);
  g_autoptr (GString) description = g_string_new (command->exit_statuses);

  if (command->exit_statuses == NULL)
    cli_append_exit_statuses (description);
  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, description->str);
  return g_option_context_get_help (context, FALSE, NULL);
}
