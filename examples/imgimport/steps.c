/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What more than one command does: stage, import, and say what to do next. */
#include "cli.h"

#include <string.h>

ImgImportImage *
cli_stage (Cli *cli, const char *id, const CliInput *input, GError **error)
{
  CliMeter *meter = cli_meter_new (cli, "staging", id);
  ImgImportImage *image = imgimport_service_stage_fd (cli->service, cli->context, id, input->fd,
                                                      input->expected, cli->cancellable, error);

  cli_meter_free (meter);
  return image;
}

typedef struct
{
  Cli *cli;
  const char *job_id;
} Cancellation;

/* Runs on the thread that reads signals. A job that has just finished cannot be cancelled, and need
 * not be: the wait answers its end either way. */
static void
cancel_job (GCancellable *cancellable, gpointer data)
{
  Cancellation *self = data;

  cli_say (self->cli, "Cancelling; a second Ctrl-C leaves at once.");
  imgimport_service_cancel_job (self->cli->service, self->cli->context, self->job_id, NULL);
}

/* Waits for the job's end, which Ctrl-C brings nearer: the wait itself is not cancelled. */
static ImgImportJob *
wait_for_job (Cli *cli, const char *job_id, GError **error)
{
  Cancellation cancellation = { cli, job_id };
  gulong handler =
      g_cancellable_connect (cli->cancellable, G_CALLBACK (cancel_job), &cancellation, NULL);
  ImgImportJob *job = imgimport_service_wait_job (cli->service, job_id, -1, NULL, error);

  g_cancellable_disconnect (cli->cancellable, handler);
  return job;
}

static void
say_warnings (Cli *cli, ImgImportJob *job)
{
  g_autofree char *json = imgimport_job_to_json (job);
  g_autoptr (JsonNode) node = cli_json_parse (json, NULL);
  JsonObject *object = json_node_get_object (node);
  JsonArray *warnings;
  guint i;

  if (!json_object_has_member (object, "warnings"))
    return;
  warnings = json_object_get_array_member (object, "warnings");
  for (i = 0; i < json_array_get_length (warnings); i++)
    cli_say (cli, "warning: %s", json_array_get_string_element (warnings, i));
}

static ImgImportJob *
run_job (Cli *cli, const char *id, const char *request, GError **error)
{
  g_autofree char *job_id =
      imgimport_service_import_image (cli->service, cli->context, id, request, error);

  return job_id != NULL ? wait_for_job (cli, job_id, error) : NULL;
}

ImgImportImage *
cli_import (Cli *cli, const char *id, const char *request, GError **error)
{
  CliMeter *meter = cli_meter_new (cli, "importing", id);
  g_autoptr (ImgImportJob) job = run_job (cli, id, request, error);

  cli_meter_free (meter);
  if (job == NULL)
    return NULL;
  say_warnings (cli, job);
  if (!imgimport_job_get_error (job, error))
    return NULL;
  return imgimport_service_get_image (cli->service, cli->context, id, error);
}

/* Characters that mean nothing to a shell. */
#define PLAIN G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "/._,-"

static void
append_option (GString *line, const char *option, const char *value)
{
  g_autofree char *quoted = NULL;

  if (value == NULL)
    return;
  quoted = strspn (value, PLAIN) == strlen (value) ? g_strdup (value) : g_shell_quote (value);
  g_string_append_printf (line, " %s %s", option, quoted);
}

static void
append_request (GString *line, const CliRequest *request)
{
  append_option (line, "--import-method", request->method);
  append_option (line, "--store", request->store);
  append_option (line, "--stores", request->stores);
  append_option (line, "--all-stores", request->all_stores);
  append_option (line, "--allow-failure", request->allow_failure);
  append_option (line, "--expected-digest", request->expected_digest);
}

/* A command to type, with what chose root, configuration and caller this time. */
static void
advise_command (Cli *cli, const char *command, const char *id, const char *rest)
{
  const CliGlobals *globals = &cli->globals;
  GString *line = cli->advice;
  char **role;

  g_string_append (line, "  imgimport");
  append_option (line, "--root", globals->root);
  append_option (line, "--config", globals->config);
  append_option (line, "--project", globals->project);
  append_option (line, "--user", globals->user);
  for (role = globals->roles; role != NULL && *role != NULL; role++)
    append_option (line, "--role", *role);
  g_string_append_printf (line, " %s %s%s", command, id, rest);
  if (cli->request != NULL && g_str_equal (command, "image-import"))
    append_request (line, cli->request);
  g_string_append_c (line, '\n');
}

static void
suggest_for_queued (Cli *cli, ImgImportImage *image)
{
  const char *id = imgimport_image_get_id (image);

  if (imgimport_image_get_disk_format (image) == NULL ||
      imgimport_image_get_container_format (image) == NULL)
    {
      g_string_append_printf (
          cli->advice,
          "Image “%s” is queued and lacks a disk or container format, without which nothing "
          "can be imported. Create one with --disk-format and --container-format, and delete this "
          "one:\n",
          id);
      advise_command (cli, "image-delete", id, "");
      return;
    }
  g_string_append_printf (cli->advice, "Image “%s” is queued: it waits for its bytes. Next:\n", id);
  advise_command (cli, "image-stage", id, " --file FILE");
  advise_command (cli, "image-import", id, "");
}

static void
suggest_for_uploading (Cli *cli, ImgImportImage *image)
{
  const char *id = imgimport_image_get_id (image);

  if (imgimport_image_get_stage_state (image) == IMGIMPORT_STAGE_SEALED)
    {
      g_string_append_printf (
          cli->advice,
          "Image “%s” is uploading: its bytes are staged and wait for the import. Next:\n", id);
      advise_command (cli, "image-import", id, "");
    }
  else
    {
      g_string_append_printf (
          cli->advice, "Image “%s” is uploading: another process is sending its bytes. See:\n", id);
      advise_command (cli, "image-show", id, "");
    }
}

void
cli_advise (Cli *cli, const char *id, gboolean failed)
{
  g_autoptr (ImgImportImage) image =
      imgimport_service_get_image (cli->service, cli->context, id, NULL);
  ImgImportStatus status;

  if (image == NULL)
    return;
  status = imgimport_image_get_status (image);
  if (status == IMGIMPORT_STATUS_QUEUED)
    suggest_for_queued (cli, image);
  else if (status == IMGIMPORT_STATUS_UPLOADING)
    suggest_for_uploading (cli, image);
  else
    {
      g_string_append_printf (cli->advice, "Image “%s” is %s. See:\n", id,
                              imgimport_status_to_string (status));
      advise_command (cli, status == IMGIMPORT_STATUS_IMPORTING ? "image-tasks" : "image-show", id,
                      "");
    }
  if (failed && (status == IMGIMPORT_STATUS_QUEUED || status == IMGIMPORT_STATUS_UPLOADING))
    {
      g_string_append (cli->advice, "Or give it up:\n");
      advise_command (cli, "image-delete", id, "");
    }
}
