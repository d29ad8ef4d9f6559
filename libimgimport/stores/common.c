/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stores/stores-private.h"

gboolean
_imgimport_store_check_key (const char *key, GError **error)
{
  g_autofree char *escaped = NULL;

  if (key != NULL && _imgimport_key_is_valid (key))
    return TRUE;
  /* It may hold anything: control characters, bytes that are not UTF-8. */
  escaped = g_strescape (key != NULL ? key : "", NULL);
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "key-invalid",
                        "object “%s”: a key is 1 to 128 characters out of A-Z a-z 0-9 . _ -, the "
                        "first no dot",
                        escaped);
  return FALSE;
}
