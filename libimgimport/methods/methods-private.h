/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The import methods that come with the library. */

#include <imgimport/imgimport-method.h>

G_BEGIN_DECLS

/* The bytes are those that the caller staged (F046). No user_data. */
extern const ImgImportMethodVTable _imgimport_method_glance_direct_vtable;

G_END_DECLS
