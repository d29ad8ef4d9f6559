/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hooks that come with the library. */

#include <imgimport/imgimport-hook.h>

G_BEGIN_DECLS

/* Unpacks what the layer unpack knows, unless the image's container_format is "compressed". Options
 * "max_ratio", "max_memory" (bytes), "max_members". */
extern const ImgImportHookVTable _imgimport_hook_decompress_vtable;
gpointer _imgimport_hook_decompress_new (void);
void _imgimport_hook_decompress_free (gpointer self);

/* Says in the log that it ran. No user_data. */
extern const ImgImportHookVTable _imgimport_hook_no_op_vtable;

/* Sets the properties of the option "inject" unless the caller has one of the roles of
 * "ignore_user_roles" (F099). */
extern const ImgImportHookVTable _imgimport_hook_inject_metadata_vtable;
gpointer _imgimport_hook_inject_metadata_new (void);
void _imgimport_hook_inject_metadata_free (gpointer self);

G_END_DECLS
