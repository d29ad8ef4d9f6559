/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hook of one's own: `custom-hook DIRECTORY NAME` imports a small image of that name. The hook
 * refuses images whose name does not begin as the configuration says, and stamps `os_distro` on
 * the others.
 *
 * Build: cc custom-hook.c $(pkg-config --cflags --libs imgimport-1 json-glib-1.0)
 */
#include <imgimport/imgimport.h>
#include <json-glib/json-glib.h>
#include <stdio.h>

/* The hook runs because the configuration lists it. */
static const char configuration[] = "{\"hooks\": [{\"name\": \"house-rules\","
                                    "  \"options\": {\"prefix\": \"prod-\","
                                    "                \"os_distro\": \"debian\"}}]}";

/* The hook: what it was configured with. Set once, then only read, so it needs no lock. */
typedef struct
{
  char *prefix;
  char *os_distro;
} Hook;

/* ---- the slots ------------------------------------------------------------------------------- */

/* A member that must be a string. The message names it; the library adds where it is. */
static gboolean
read_option (JsonObject *options, const char *member, char **value, GError **error)
{
  JsonNode *node = json_object_get_member (options, member);
  g_autofree char *message = NULL;

  if (node != NULL && json_node_get_value_type (node) == G_TYPE_STRING)
    {
      *value = g_strdup (json_node_get_string (node));
      return TRUE;
    }
  message = g_strdup_printf ("%s: a string is needed", member);
  imgimport_error_set (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "config-invalid", message);
  return FALSE;
}

static gboolean
hook_configure (gpointer self, const char *options, GError **error)
{
  Hook *hook = self;
  g_autoptr (JsonNode) node = json_from_string (options, error);

  return node != NULL &&
         read_option (json_node_get_object (node), "prefix", &hook->prefix, error) &&
         read_option (json_node_get_object (node), "os_distro", &hook->os_distro, error);
}

/* Called on a worker thread, in every import, before any byte is stored. */
static gboolean
hook_metadata (gpointer self, ImgImportCall *call, GCancellable *cancellable, GError **error)
{
  Hook *hook = self;
  const char *name = imgimport_image_get_name (imgimport_call_get_image (call));
  g_autofree char *message = NULL;

  if (name != NULL && g_str_has_prefix (name, hook->prefix))
    return imgimport_call_set_property (call, "os_distro", hook->os_distro, error);
  message = g_strdup_printf ("the name “%s” does not begin with “%s”", name != NULL ? name : "",
                             hook->prefix);
  imgimport_error_set (error, IMGIMPORT_ERROR_PERMISSION, "name-refused", message);
  return FALSE;
}

static const ImgImportHookVTable vtable = {
  IMGIMPORT_HOOK_VTABLE_INIT,
  .configure = hook_configure,
  .metadata = hook_metadata,
};

static void
hook_free (gpointer data)
{
  Hook *hook = data;

  g_free (hook->prefix);
  g_free (hook->os_distro);
  g_free (hook);
}

/* ---- the host -------------------------------------------------------------------------------- */

static ImgImportImage *
create (ImgImportService *service, const char *name, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *attributes = NULL;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "name");
  json_builder_add_string_value (builder, name);
  json_builder_set_member_name (builder, "disk_format");
  json_builder_add_string_value (builder, "raw");
  json_builder_set_member_name (builder, "container_format");
  json_builder_add_string_value (builder, "bare");
  json_builder_end_object (builder);
  node = json_builder_get_root (builder);
  attributes = json_to_string (node, FALSE);
  return imgimport_service_create_image (service, NULL, attributes, NULL, error);
}

/* Pushes bytes into staging, as a host does that receives them from somewhere. */
static gboolean
stage (ImgImportService *service, const char *id, GError **error)
{
  static const char block[4096];
  g_autoptr (ImgImportUpload) upload = NULL;
  g_autoptr (ImgImportImage) staged = NULL;

  upload = imgimport_service_stage_begin (service, NULL, id, sizeof block, error);
  if (upload == NULL || !imgimport_upload_write (upload, block, sizeof block, NULL, error))
    return FALSE;
  staged = imgimport_upload_commit (upload, NULL, error);
  return staged != NULL;
}

static gboolean
import (ImgImportService *service, const char *id, GError **error)
{
  g_autoptr (ImgImportJob) job = NULL;
  g_autofree char *job_id = imgimport_service_import_image (service, NULL, id, NULL, error);

  if (job_id == NULL)
    return FALSE;
  job = imgimport_service_wait_job (service, job_id, -1, NULL, error);
  return job != NULL && imgimport_job_get_error (job, error);
}

static ImgImportImage *
run (const char *directory, const char *name, GError **error)
{
  g_autoptr (ImgImportService) service = imgimport_service_new (directory, configuration, error);
  g_autoptr (ImgImportImage) image = NULL;
  const char *id;

  if (service == NULL ||
      !imgimport_service_add_hook (service, "house-rules", &vtable, g_new0 (Hook, 1), hook_free,
                                   error) ||
      !imgimport_service_start (service, NULL, error))
    return NULL;
  image = create (service, name, error);
  if (image == NULL)
    return NULL;
  id = imgimport_image_get_id (image);
  if (!stage (service, id, error) || !import (service, id, error))
    return NULL;
  return imgimport_service_get_image (service, NULL, id, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = NULL;

  if (argc != 3)
    {
      fprintf (stderr, "usage: custom-hook DIRECTORY NAME\n");
      return 2;
    }
  image = run (argv[1], argv[2], &error);
  if (image == NULL)
    {
      fprintf (stderr, "%s (%s)\n", error->message, imgimport_error_get_reason (error));
      return 1;
    }
  printf ("%s is active, os_distro is %s\n", imgimport_image_get_id (image),
          imgimport_image_get_property (image, "os_distro"));
  return 0;
}
