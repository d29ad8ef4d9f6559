/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/model-private.h"

/* The location in `store`, NULL for none. */
static inline const ImgImportLocation *
find_location (ImgImportImage *image, const char *store)
{
  guint i;

  for (i = 0; i < image->locations->len; i++)
    {
      const ImgImportLocation *location = image->locations->pdata[i];

      if (g_str_equal (location->store, store))
        return location;
    }
  return NULL;
}
