/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/service-private.h"

static gboolean
is_owner (ImgImportImage *image, ImgImportContext *context)
{
  const char *owner = _imgimport_context_owner (context);

  return _imgimport_context_is_admin (context) ||
         (owner != NULL && g_strcmp0 (owner, image->owner) == 0);
}

/* A shared image is seen by its owner alone: there is nobody it is shared with. */
static gboolean
is_seen_by_all (ImgImportImage *image)
{
  return image->visibility == IMGIMPORT_VISIBILITY_PUBLIC ||
         image->visibility == IMGIMPORT_VISIBILITY_COMMUNITY;
}

gboolean
_imgimport_access_see (ImgImportImage *image, ImgImportContext *context, GError **error)
{
  if (is_owner (image, context) || is_seen_by_all (image))
    return TRUE;
  /* The same words as for an image that does not exist. */
  _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_FOUND, "image-not-found", "no image “%s”",
                        image->id);
  return FALSE;
}

gboolean
_imgimport_access_modify (ImgImportImage *image, ImgImportContext *context, GError **error)
{
  if (!_imgimport_access_see (image, context, error))
    return FALSE;
  if (is_owner (image, context))
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_PERMISSION, "not-owner",
                        "image %s belongs to somebody else", image->id);
  return FALSE;
}
