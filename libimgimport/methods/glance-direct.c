/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "methods/methods-private.h"

static gboolean
glance_direct_open (gpointer self, ImgImportCall *call, gpointer *stream, guint64 *size,
                    GCancellable *cancellable, GError **error)
{
  return imgimport_call_use_staged (call, error);
}

const ImgImportMethodVTable _imgimport_method_glance_direct_vtable = {
  IMGIMPORT_METHOD_VTABLE_INIT,
  .required_status = IMGIMPORT_STATUS_UPLOADING,
  .open = glance_direct_open,
};
