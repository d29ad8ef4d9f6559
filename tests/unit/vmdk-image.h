/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* VMware disks made by hand. */

#include "qemu-image.h"

#define VMDK_CAPACITY 2048u   /* sectors */
#define VMDK_SIZE (26u * 512) /* header, descriptor of 20, directories, tables */
#define VMDK_STREAM_SIZE (VMDK_SIZE + 3 * 512)

#define VMDK_TEXT(type, extent)                                                                    \
  "# Disk DescriptorFile\nversion=1\nCID=123a681b\nparentCID=ffffffff\ncreateType=\"" type         \
  "\"\n\n# Extent description\n" extent "\n\n# The Disk Data Base\n#DDB\n\n"                       \
  "ddb.adapterType = \"ide\"\nddb.comment = \"/dir = x\"\n"
#define VMDK_GOOD VMDK_TEXT ("streamOptimized", "RW 2048 SPARSE \"call-me.vmdk\"")

static inline GByteArray *
image_new_vmdk (const char *descriptor)
{
  GByteArray *image = image_new (VMDK_SIZE);

  memcpy (image->data, "KDMV", 4);
  put_le32 (image, 4, 3);
  put_le32 (image, 8, 0x30003);
  put_le64 (image, 12, VMDK_CAPACITY);
  put_le64 (image, 20, 128);
  put_le64 (image, 28, 1);
  put_le64 (image, 36, 20);
  put_le32 (image, 44, 512);
  put_le64 (image, 48, 21);
  put_le64 (image, 56, 23);
  put_le64 (image, 64, 26);
  memcpy (image->data + 73, "\n \r\n\x01", 5);
  memcpy (image->data + 512, descriptor, strlen (descriptor));
  return image;
}

/* Tables are told of at the end. */
static inline GByteArray *
image_new_vmdk_stream (void)
{
  GByteArray *image = image_new_vmdk (VMDK_GOOD);

  g_byte_array_set_size (image, VMDK_STREAM_SIZE);
  memset (image->data + VMDK_SIZE, 0, VMDK_STREAM_SIZE - VMDK_SIZE);
  put_le64 (image, VMDK_SIZE, 1);
  put_le32 (image, VMDK_SIZE + 12, 3);
  memcpy (image->data + VMDK_SIZE + 512, image->data, 512);
  put_le64 (image, 48, 0);
  put_le64 (image, 56, G_MAXUINT64);
  return image;
}
