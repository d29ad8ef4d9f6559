/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/model-private.h"

/* An image as it is kept: its record's text and what is in it. */

/* The text of the record; unlike what is shown it has all. */
static inline char *
internal_text (ImgImportImage *image)
{
  GString *out = g_string_new (NULL);

  _imgimport_image_write (image, out, NULL, TRUE);
  return g_string_free (out, FALSE);
}

static inline ImgImportImage *
read_internal (const char *text, GError **error)
{
  g_autoptr (JsonObject) object = _imgimport_json_parse_object (text, "record", error);

  return object != NULL ? _imgimport_image_from_object (object, "record", error) : NULL;
}

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
