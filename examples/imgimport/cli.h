/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of the program share. The program uses the library as any host would: through
 * <imgimport/imgimport.h> alone. One file holds one group of commands; main.c has the list.
 */

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include <imgimport/imgimport.h>

G_BEGIN_DECLS

typedef struct _CliCommand CliCommand;

/* Options that every command takes, before or after its name. */
typedef struct
{
  char *root;
  char *config;
  char *format;
  char *project;
  char *user;
  char **roles;
  gboolean quiet;
  gboolean verbose;
  gboolean help;
  gboolean version;
} CliGlobals;

/* How to import: options of the commands that do. */
typedef struct
{
  char *method;
  char *store;
  char *stores;
  char *all_stores;
  char *allow_failure;
  char *expected_digest;
} CliRequest;

/* One run of the program. */
typedef struct
{
  CliGlobals globals;
  const CliCommand *command; /* NULL before it is known */
  GCancellable *cancellable; /* fires on Ctrl-C and SIGTERM */
  ImgImportService *service; /* see cli_open() */
  ImgImportContext *context; /* NULL: the program itself, which may do everything */
  const CliRequest *request; /* NULL in commands that import nothing */
  int status;                /* of a run that found no error: see `inspect` */
  GString *advice;           /* lines for standard error, said last, after the error if any */
} Cli;

/* Entries of GOption whose arg_data is an offset into a struct, so that they can be constant. Text
 * is always FILENAME: bytes as they were given, whatever the locale. */
#define CLI_OFFSET(type, member) GSIZE_TO_POINTER (G_STRUCT_OFFSET (type, member))

typedef struct
{
  const GOptionEntry *entries; /* NULL ends the list of sets */
  gsize offset;                /* of the set's struct in the command's options */
} CliOptionSet;

struct _CliCommand
{
  const char *name;
  const char *arguments; /* as --help shows them, "" for none */
  guint min_arguments;
  guint max_arguments;
  const char *summary;
  const char *description;
  const char *exit_statuses; /* as --help shows them; NULL: those of every command */
  gboolean without_service;  /* it looks at nothing that is stored */
  gsize options_size;        /* of the struct that the options are read into */
  CliOptionSet option_sets[4];
  gboolean (*run) (Cli *cli, gconstpointer options, char **arguments, GError **error);
};

/* The commands, each in the file that is named after its group. */
extern const CliCommand cli_image_create;
extern const CliCommand cli_image_create_via_import;
extern const CliCommand cli_image_delete;
extern const CliCommand cli_image_download;
extern const CliCommand cli_image_import;
extern const CliCommand cli_image_list;
extern const CliCommand cli_image_show;
extern const CliCommand cli_image_stage;
extern const CliCommand cli_image_tasks;
extern const CliCommand cli_import_info;
extern const CliCommand cli_inspect;
extern const CliCommand cli_job_graph;
extern const CliCommand cli_job_trace;
extern const CliCommand cli_lifecycle;
extern const CliCommand cli_stores_info;

/* ---- options.c: reading the command line ----------------------------------------------------- */

/* Reads the global options before the command's name; `*argv` keeps what follows. */
gboolean cli_parse_globals (CliGlobals *globals, char ***argv, GError **error);
/* Reads a command's options; `*argv` keeps the program's name and the arguments. */
gboolean cli_parse_command (const CliCommand *command, CliGlobals *globals, gpointer options,
                            char ***argv, GError **error);
char *cli_help (const CliCommand *const *commands);
char *cli_command_help (const CliCommand *command);
void cli_globals_clear (CliGlobals *globals);
void cli_options_clear (const CliCommand *command, gpointer options);

/* Values of options. Each leaves `*value` alone where `text` is NULL, that is, not given. */
gboolean cli_parse_number (const char *option, const char *text, guint64 maximum, guint64 *value,
                           GError **error);
gboolean cli_parse_boolean (const char *option, const char *text, gboolean *value, GError **error);
/* Whether text that goes into a record is UTF-8. NULL is. */
gboolean cli_check_text (const char *option, const char *text, GError **error);
/* A whole file of text, in which a NUL would hide what follows it. */
gboolean cli_read_file (const char *path, char **text, GError **error);
/* An error that says the command line is wrong: exit status 2. */
void cli_set_usage_error (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* What errno says about `name`. */
void cli_set_system_error (GError **error, const char *option, const char *name);

/* ---- exit-status.c --------------------------------------------------------------------------- */

int cli_exit_status (const GError *error);
/* Never returns to the caller's clean-up: for the second Ctrl-C. */
void cli_exit_at_once (void) G_GNUC_NORETURN;
void cli_append_exit_statuses (GString *text);
/* "imgimport: <command>: <message> (<reason>)" on standard error. */
void cli_report (Cli *cli, const GError *error);

/* ---- app.c: the service ---------------------------------------------------------------------- */

gboolean cli_open (Cli *cli, GError **error);
gboolean cli_close (Cli *cli, GError **error);
/* The names of the methods or stores that discovery tells of. */
char **cli_dup_methods (Cli *cli);
char **cli_dup_stores (Cli *cli);

/* ---- signals.c ------------------------------------------------------------------------------- */

typedef struct _CliSignals CliSignals;

/* To be called before anything starts a thread. The first signal fires `cancellable`, the second
 * ends the process. */
CliSignals *cli_signals_new (GCancellable *cancellable, GError **error);
void cli_signals_free (CliSignals *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliSignals, cli_signals_free)

/* ---- output.c -------------------------------------------------------------------------------- */

/* Standard output: all of it, or an error. */
gboolean cli_print (const char *text, GError **error);
gboolean cli_print_json (JsonNode *node, GError **error);
gboolean cli_wants_json (Cli *cli);
/* Standard error: a line of ours, nothing with --quiet. */
void cli_say (Cli *cli, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Standard error: text as it is, with no line break added. Failure is nobody's business. */
void cli_print_error (const char *text);
/* A copy in which no character can move a terminal's cursor. */
char *cli_printable (const char *text);
/* An image in the chosen format; `width` is the widest value, 0 for no limit. */
gboolean cli_print_image (Cli *cli, ImgImportImage *image, gboolean human_readable, guint width,
                          GError **error);
#define CLI_DEFAULT_WIDTH 80

/* ---- json.c: reading the documents that the library answers ---------------------------------- */

/* The library's own JSON is well-formed; NULL would be a defect of it. */
JsonNode *cli_json_parse (const char *text, GError **error);
/* What a table shows for a member: "None" where it is absent or null. */
char *cli_json_cell (JsonObject *object, const char *member);

/* ---- table.c --------------------------------------------------------------------------------- */

typedef struct _CliTable CliTable;

CliTable *cli_table_new (const char *const *titles, guint max_width);
void cli_table_add (CliTable *self, const char *const *cells);
gboolean cli_table_print (CliTable *self, GError **error);
void cli_table_free (CliTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliTable, cli_table_free)
/* A table of some members of each object. */
gboolean cli_print_objects (JsonArray *objects, const char *const *titles,
                            const char *const *members, GError **error);

/* ---- meter.c: progress on standard error ----------------------------------------------------- */

typedef struct _CliMeter CliMeter;

/* Shows the bytes of an upload or import of an image, as the library's events tell them. */
CliMeter *cli_meter_new (Cli *cli, const char *label, const char *image_id);
/* Shows how far a descriptor of a regular file has been written. */
CliMeter *cli_meter_new_for_fd (Cli *cli, const char *label, int fd, guint64 total);
void cli_meter_free (CliMeter *self);

/* ---- input.c: the bytes of an image ---------------------------------------------------------- */

typedef struct
{
  int fd;
  gboolean opened; /* by us: to be closed */
  guint64 expected;
} CliInput;

#define CLI_INPUT_INIT                                                                             \
  {                                                                                                \
    .fd = -1, .opened = FALSE, .expected = IMGIMPORT_SIZE_UNKNOWN                                  \
  }

/* Whether there are bytes to read: a file is named, or standard input is no terminal. */
gboolean cli_has_input (const char *file);
/* A descriptor to read from, or -1; does not wait for the other end of a named pipe. */
int cli_open_file (const char *option, const char *file, GError **error);
gboolean cli_input_open (CliInput *self, const char *file, const char *size, GError **error);
void cli_input_clear (CliInput *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliInput, cli_input_clear)

/* ---- attributes.c, request.c: options that several commands take ----------------------------- */

typedef struct
{
  char *id;
  char *name;
  char *disk_format;
  char *container_format;
  char *visibility;
  char *owner;
  char *is_protected;
  char *hidden;
  char *min_disk;
  char *min_ram;
  char **tags;
  char **properties;
} CliAttributes;

extern const GOptionEntry cli_attribute_entries[];
/* What is handed to imgimport_service_create_image(). */
char *cli_attributes_to_json (const CliAttributes *self, GError **error);

extern const GOptionEntry cli_request_entries[];
/* What is handed to imgimport_service_import_image(), checked against discovery first, so that
 * nothing is staged for an import that cannot be. */
char *cli_request_to_json (Cli *cli, const CliRequest *self, const char *method, GError **error);

/* ---- steps.c: what more than one command does ------------------------------------------------ */

ImgImportImage *cli_stage (Cli *cli, const char *id, const CliInput *input, GError **error);
/* Imports and waits for the end; on Ctrl-C cancels the job and waits for that. */
ImgImportImage *cli_import (Cli *cli, const char *id, const char *request, GError **error);
/* Adds to the advice what state an image is in and which commands lead on; after a failure also
 * how to give up an image that is not active yet. */
void cli_advise (Cli *cli, const char *id, gboolean failed);

G_END_DECLS
