/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "inspect/format.h"

G_BEGIN_DECLS

#define IMGIMPORT_FORMAT_RAW "raw"

struct _ImgImportFormatPolicy
{
  GObject parent_instance;

  gboolean require_match;
  char **allowed;       /* NULL: all */
  GHashTable *nonfatal; /* format → names of its checks whose failure is tolerated */
  GHashTable *hybrids;  /* format → names of those that it may be too */
  guint64 max_virtual_size;
};

G_END_DECLS
