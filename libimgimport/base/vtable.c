/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <string.h>

#define REASON_INVALID "vtable-invalid"

gboolean
_imgimport_vtable_copy (gpointer ours, gsize our_size, gconstpointer theirs, gsize minimum,
                        const char *what, GError **error)
{
  gsize their_size = 0;

  memset (ours, 0, our_size);
  if (theirs == NULL)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, REASON_INVALID,
                            "%s: no vtable", what);
      return FALSE;
    }
  memcpy (&their_size, theirs, sizeof their_size);
  /* A size that ends within a slot is not the sizeof of any table: half a pointer would be
   * copied. */
  if (their_size < minimum || their_size % sizeof (gpointer) != 0)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, REASON_INVALID,
                            "%s: struct_size %" G_GSIZE_FORMAT
                            " is not the size of a table, at least %" G_GSIZE_FORMAT,
                            what, their_size, minimum);
      return FALSE;
    }
  memcpy (ours, theirs, MIN (their_size, our_size));
  return TRUE;
}

gboolean
_imgimport_vtable_require (gboolean present, const char *slot, const char *what, GError **error)
{
  if (present)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, REASON_INVALID,
                        "%s: the vtable has no “%s” slot", what, slot);
  return FALSE;
}
