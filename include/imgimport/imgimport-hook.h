/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <imgimport/imgimport-call.h>

G_BEGIN_DECLS

/**
 * ImgImportHookVTable: (skip)
 *
 * What an operator's hook implements: a task that runs on every import, in the order of the
 * configuration, before the verdict on the image's format and before any byte is delivered. A hook
 * that fails fails the import. The rules of #ImgImportStoreVTable for `self`, threads, errors and
 * `struct_size` hold.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize struct_size;

  /* Optional. Called once, before the service starts, with the `options` of the hook's entry in
   * the configuration as JSON ("{}" where it has none). A message about a wrong option names its
   * path beginning at the options, such as "inject/os_distro". Without this slot any option is
   * refused. */
  gboolean (*configure) (gpointer self, const char *options, GError **error);

  /* Worker thread. Sees the record and may set properties through `call`. May be called again for
   * the same job after a crash. */
  gboolean (*metadata) (gpointer self, ImgImportCall *call, GCancellable *cancellable,
                        GError **error);
} ImgImportHookVTable;

#define IMGIMPORT_HOOK_VTABLE_INIT .struct_size = sizeof (ImgImportHookVTable)

G_END_DECLS
