/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/hooks-private.h"

static gboolean
no_op_metadata (gpointer self, ImgImportCall *call, GCancellable *cancellable, GError **error)
{
  imgimport_call_log (call, G_LOG_LEVEL_DEBUG, "no-op hook: nothing to do");
  return TRUE;
}

const ImgImportHookVTable _imgimport_hook_no_op_vtable = {
  IMGIMPORT_HOOK_VTABLE_INIT,
  .metadata = no_op_metadata,
};
