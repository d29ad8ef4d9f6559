/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* What headers of disk images have in common. */

#define SECTOR 512u

void
_imgimport_match_forbid (ImgImportMatch *self, const char *name, gboolean found, const char *reason)
{
  _imgimport_match_add_check (self, name, found ? g_strdup (reason) : NULL);
}

gboolean
_imgimport_match_check_length (ImgImportMatch *self, const ImgImportRange *head, gsize needed)
{
  if (head->length >= needed)
    {
      _imgimport_match_add_check (self, "truncated", NULL);
      return TRUE;
    }
  _imgimport_match_add_check (self, "truncated",
                              g_strdup_printf ("the file ends after %" G_GSIZE_FORMAT
                                               " bytes, its header takes %" //
                                               G_GSIZE_FORMAT,
                                               head->length, needed));
  return FALSE;
}

void
_imgimport_match_check_size (ImgImportMatch *self, guint64 size)
{
  const char *fault = size == 0                       ? "is empty"
                      : size > IMGIMPORT_INSPECT_DISK ? "is beyond 2^62"
                      : size % SECTOR != 0            ? "is no multiple of 512"
                                                      : NULL;

  if (size <= IMGIMPORT_INSPECT_DISK)
    self->virtual_size = size;
  _imgimport_match_add_check (
      self, "virtual_size",
      fault != NULL ? g_strdup_printf ("a disk of %" G_GUINT64_FORMAT " bytes %s", size, fault)
                    : NULL);
}

char *
_imgimport_area_fault (const char *what, guint64 offset, guint64 length, guint64 end)
{
  if (offset <= end && length <= end - offset)
    return NULL;
  return g_strdup_printf ("%s of %" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT
                          " leaves the file of %" G_GUINT64_FORMAT " bytes",
                          what, length, offset, end);
}
