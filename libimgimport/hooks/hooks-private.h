/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hooks that come with the library. */

#include <imgimport/imgimport-hook.h>

G_BEGIN_DECLS

/* Says in the log that it ran. No user_data. */
extern const ImgImportHookVTable _imgimport_hook_no_op_vtable;

/* Sets the properties of the option "inject" unless the caller has one of the roles of
 * "ignore_user_roles" (F099). */
extern const ImgImportHookVTable _imgimport_hook_inject_metadata_vtable;
gpointer _imgimport_hook_inject_metadata_new (void);
void _imgimport_hook_inject_metadata_free (gpointer self);

G_END_DECLS
