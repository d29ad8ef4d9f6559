/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The text that says what a VMware disk is made of. */

#include "inspect/format.h"

G_BEGIN_DECLS

/* Whether what a file begins with is such a text, to any program that might look. */
gboolean _imgimport_vmdk_is_descriptor (const ImgImportRange *head);
/* Adds the check "descriptor" on a text of `length` bytes, zeros after it included, and where it
 * can be read also "create_type", "extents" and "parent". It is embedded in a disk of `capacity`
 * sectors; 0: it stands alone, and its extents, which are other files, fail whatever they are. */
void _imgimport_vmdk_check_descriptor (ImgImportMatch *match, const guint8 *text, gsize length,
                                       guint64 capacity);

G_END_DECLS
