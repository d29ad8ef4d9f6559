/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

static const ImgImportFormat *const formats[] = {
  &_imgimport_format_qcow2,
  &_imgimport_format_qed,
  &_imgimport_format_vmdk,
  &_imgimport_format_vhd,
  &_imgimport_format_vhdx,
  &_imgimport_format_vdi,
  &_imgimport_format_iso,
  &_imgimport_format_gpt,
  &_imgimport_format_mbr,
  &_imgimport_format_luks,
  &_imgimport_format_parallels,
  &_imgimport_format_ploop,
  &_imgimport_format_json,
  &_imgimport_format_gzip,
  &_imgimport_format_xz,
  &_imgimport_format_bzip2,
  &_imgimport_format_lz4,
  &_imgimport_format_zstd,
  &_imgimport_format_zip,
  &_imgimport_format_tar,
  &_imgimport_format_ova,
  NULL,
};

const ImgImportFormat *const *
_imgimport_formats (void)
{
  return formats;
}

const ImgImportFormat *
_imgimport_format_lookup (const char *name)
{
  for (guint i = 0; formats[i] != NULL; i++)
    {
      if (g_strcmp0 (formats[i]->name, name) == 0)
        return formats[i];
    }
  return NULL;
}
