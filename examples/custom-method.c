/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An import method of one's own: `custom-method DIRECTORY SIZE SEED` imports an image of SIZE bytes
 * that are computed from SEED. It comes in handy where tests need big images.
 *
 * Build: cc custom-method.c $(pkg-config --cflags --libs imgimport-1 json-glib-1.0)
 */
#include <imgimport/imgimport.h>
#include <json-glib/json-glib.h>
#include <stdio.h>

/* What `open` hands out and `read` and `close` are handed. */
typedef struct
{
  guint64 left;
  guint64 state;
} Stream;

/* A member that is a number from `minimum` on; `*value` is left alone where it is absent. */
static gboolean
read_number (JsonObject *object, const char *member, gint64 minimum, gint64 *value, GError **error)
{
  JsonNode *node = json_object_get_member (object, member);
  g_autofree char *message = NULL;

  if (node == NULL)
    return TRUE;
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64 &&
      json_node_get_int (node) >= minimum)
    {
      *value = json_node_get_int (node);
      return TRUE;
    }
  message = g_strdup_printf ("method/%s: is no whole number from %" G_GINT64_FORMAT " on", member,
                             minimum);
  imgimport_error_set (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "request-invalid", message);
  return FALSE;
}

/* Reads {"method": {"name": "pattern", "size": …, "seed": …}, …}. That the request is well-formed
 * and names this method is known already. */
static gboolean
parse (const char *request, Stream *stream, GError **error)
{
  g_autoptr (JsonNode) node = json_from_string (request, error);
  JsonObject *method;
  gint64 size = 1024 * 1024;
  gint64 seed = 1;

  if (node == NULL)
    return FALSE;
  method = json_object_get_object_member (json_node_get_object (node), "method");
  if (!read_number (method, "size", 1, &size, error) ||
      !read_number (method, "seed", 1, &seed, error))
    return FALSE;
  stream->left = (guint64)size;
  stream->state = (guint64)seed; /* not 0, where the generator would stay */
  return TRUE;
}

/* Called when the import is asked for: a wrong request is refused before there is a job. */
static gboolean
pattern_check (gpointer self, const char *request, GError **error)
{
  Stream stream;

  return parse (request, &stream, error);
}

/* Called on a worker thread when the import runs. */
static gboolean
pattern_open (gpointer self, ImgImportCall *call, gpointer *stream, guint64 *size,
              GCancellable *cancellable, GError **error)
{
  g_autofree Stream *opened = g_new0 (Stream, 1);

  if (!parse (imgimport_call_get_request (call), opened, error))
    return FALSE;
  imgimport_call_log (call, G_LOG_LEVEL_INFO, "generating a pattern");
  *size = opened->left;
  *stream = g_steal_pointer (&opened);
  return TRUE;
}

static gboolean
pattern_read (gpointer self, gpointer stream, void *buffer, gsize length, gsize *n_read,
              GCancellable *cancellable, GError **error)
{
  Stream *mine = stream;
  guint8 *bytes = buffer;
  gsize i;

  *n_read = (gsize)MIN ((guint64)length, mine->left);
  for (i = 0; i < *n_read; i++)
    {
      /* Marsaglia's xorshift64. */
      mine->state ^= mine->state << 13;
      mine->state ^= mine->state >> 7;
      mine->state ^= mine->state << 17;
      bytes[i] = (guint8)mine->state;
    }
  mine->left -= *n_read;
  return TRUE;
}

static void
pattern_close (gpointer self, gpointer stream)
{
  g_free (stream);
}

/* The image needs no staging first: it is imported while it is queued. */
static const ImgImportMethodVTable vtable = {
  IMGIMPORT_METHOD_VTABLE_INIT, .required_status = IMGIMPORT_STATUS_QUEUED,
  .check = pattern_check,       .open = pattern_open,
  .read = pattern_read,         .close = pattern_close,
};

/* ---- the host -------------------------------------------------------------------------------- */

static ImgImportImage *
import (ImgImportService *service, const char *request, GError **error)
{
  g_autoptr (ImgImportImage) image = NULL;
  g_autoptr (ImgImportJob) job = NULL;
  g_autofree char *job_id = NULL;

  image = imgimport_service_create_image (
      service, NULL, "{\"disk_format\": \"raw\", \"container_format\": \"bare\"}", NULL, error);
  if (image == NULL)
    return NULL;
  job_id = imgimport_service_import_image (service, NULL, imgimport_image_get_id (image), request,
                                           error);
  if (job_id == NULL)
    return NULL;
  job = imgimport_service_wait_job (service, job_id, -1, NULL, error);
  if (job == NULL || !imgimport_job_get_error (job, error))
    return NULL;
  return imgimport_service_get_image (service, NULL, imgimport_image_get_id (image), error);
}

static ImgImportImage *
run (const char *directory, const char *request, GError **error)
{
  g_autoptr (ImgImportService) service = imgimport_service_new (directory, NULL, error);

  /* The method keeps nothing between calls: it has no user_data, hence nothing to destroy. */
  if (service == NULL ||
      !imgimport_service_add_method (service, "pattern", &vtable, NULL, NULL, error) ||
      !imgimport_service_start (service, NULL, error))
    return NULL;
  return import (service, request, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = NULL;
  g_autofree char *request = NULL;

  if (argc != 4)
    {
      fprintf (stderr, "usage: custom-method DIRECTORY SIZE SEED\n");
      return 2;
    }
  request =
      g_strdup_printf ("{\"method\": {\"name\": \"pattern\", \"size\": %" G_GUINT64_FORMAT
                       ", \"seed\": %" G_GUINT64_FORMAT "}}",
                       g_ascii_strtoull (argv[2], NULL, 10), g_ascii_strtoull (argv[3], NULL, 10));
  image = run (argv[1], request, &error);
  if (image == NULL)
    {
      fprintf (stderr, "%s (%s)\n", error->message, imgimport_error_get_reason (error));
      return 1;
    }
  printf ("%s %s\n", imgimport_image_get_id (image), imgimport_image_get_hash_value (image));
  return 0;
}
