/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* decompress: an image that comes packed is delivered unpacked (Glance F109 to F111, and more). */

#include "hooks/hooks-private.h"

#include "base/base-private.h"
#include "unpack/unpack-private.h"

/* Written by configure, before the service starts; only read afterwards. */
typedef struct
{
  ImgImportUnpackLimits limits;
} Decompress;

gpointer
_imgimport_hook_decompress_new (void)
{
  Decompress *self = g_new0 (Decompress, 1);

  self->limits = (ImgImportUnpackLimits)IMGIMPORT_UNPACK_LIMITS_INIT;
  return self;
}

void
_imgimport_hook_decompress_free (gpointer self)
{
  g_free (self);
}

static gboolean
decompress_configure (gpointer self, const char *options, GError **error)
{
  static const char *const known[] = { "max_ratio", "max_memory", "max_members", NULL };
  ImgImportUnpackLimits *limits = &((Decompress *)self)->limits;
  g_autoptr (JsonObject) object = _imgimport_json_parse_object (options, "options", error);
  const ImgImportJsonCursor cursor = { object, "options", "" };
  gint64 ratio = (gint64)limits->max_ratio;
  gint64 memory = (gint64)limits->max_memory;
  gint64 members = limits->max_members;

  if (object == NULL || !_imgimport_json_only (&cursor, known, error) ||
      !_imgimport_json_int (&cursor, "max_ratio", 1, G_MAXINT64, &ratio, error) ||
      !_imgimport_json_int (&cursor, "max_memory", 1024 * 1024, G_MAXINT64, &memory, error) ||
      !_imgimport_json_int (&cursor, "max_members", 1, 10000, &members, error))
    return FALSE;
  limits->max_ratio = (guint64)ratio;
  limits->max_memory = (guint64)memory;
  limits->max_members = (guint)members;
  return TRUE;
}

/* What upstream answers, as a source. */
static gboolean
read_upstream (gpointer upstream, void *buffer, gsize length, gsize *n_read,
               GCancellable *cancellable, GError **error)
{
  return imgimport_upstream_read (upstream, buffer, length, n_read, cancellable, error);
}

/* A container that is a tar file by its definition. */
static gboolean
container_is_tar (const char *container)
{
  return g_strcmp0 (container, "ova") == 0 || g_strcmp0 (container, "docker") == 0;
}

static gboolean
decompress_open (gpointer self, ImgImportCall *call, ImgImportUpstream *upstream, gpointer *filter,
                 GCancellable *cancellable, GError **error)
{
  ImgImportUnpackLimits limits = ((Decompress *)self)->limits;
  const char *container = imgimport_image_get_container_format (imgimport_call_get_image (call));
  ImgImportPacking packing;
  const guint8 *head = NULL;
  gsize length = 0;

  /* The image is meant to stay as it is (Glance row I21). */
  if (g_strcmp0 (container, "compressed") == 0)
    return TRUE;
  if (!imgimport_upstream_peek (upstream, IMGIMPORT_PACKING_HEAD, &head, &length, cancellable,
                                error))
    return FALSE;
  limits.keep_tar = container_is_tar (container);
  packing = _imgimport_packing_recognise (head, length);
  if (packing == IMGIMPORT_PACKING_NONE || (packing == IMGIMPORT_PACKING_TAR && limits.keep_tar))
    return TRUE;
  *filter = _imgimport_unpacker_new (packing, &limits, read_upstream, upstream);
  return TRUE;
}

static gboolean
decompress_read (gpointer self, gpointer filter, void *buffer, gsize length, gsize *n_read,
                 GCancellable *cancellable, GError **error)
{
  return _imgimport_unpacker_read (filter, buffer, length, n_read, cancellable, error);
}

static void
decompress_close (gpointer self, gpointer filter)
{
  _imgimport_unpacker_free (filter);
}

const ImgImportHookVTable _imgimport_hook_decompress_vtable = {
  IMGIMPORT_HOOK_VTABLE_INIT,
  .configure = decompress_configure,
  .open = decompress_open,
  .read = decompress_read,
  .close = decompress_close,
};
