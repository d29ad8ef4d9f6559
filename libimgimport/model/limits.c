/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

static const char *const default_disk_formats[] = { "ami", "ari",   "aki", "vhd", "vhdx",  "vmdk",
                                                    "raw", "qcow2", "vdi", "iso", "ploop", NULL };

static const char *const default_container_formats[] = { "ami",    "ari",        "aki",
                                                         "bare",   "ovf",        "ova",
                                                         "docker", "compressed", NULL };

void
_imgimport_model_limits_init (ImgImportModelLimits *self)
{
  self->disk_formats = g_strdupv ((char **)default_disk_formats);
  self->container_formats = g_strdupv ((char **)default_container_formats);
  self->property_quota = 128;
  self->tag_quota = 128;
}

void
_imgimport_model_limits_clear (ImgImportModelLimits *self)
{
  g_clear_pointer (&self->disk_formats, g_strfreev);
  g_clear_pointer (&self->container_formats, g_strfreev);
}
