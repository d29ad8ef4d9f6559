/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images made byte by byte, and what the inspector says of them. */

#include "inspect/format.h"

static inline void
put_be32 (GByteArray *image, guint at, guint32 value)
{
  value = GUINT32_TO_BE (value);
  memcpy (image->data + at, &value, sizeof value);
}

static inline void
put_le32 (GByteArray *image, guint at, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (image->data + at, &value, sizeof value);
}

static inline void
put_be64 (GByteArray *image, guint at, guint64 value)
{
  value = GUINT64_TO_BE (value);
  memcpy (image->data + at, &value, sizeof value);
}

static inline GByteArray *
image_new (guint size)
{
  return g_byte_array_new_take (g_malloc0 (size), size);
}

/* Clusters of 4 KiB; the L1 table lies in the second, the refcount table in the third. */
#define IMAGE_QCOW2_SIZE (3u * 4096)

/* A header that passes all checks where it is not cut off below IMAGE_QCOW2_SIZE; 1 GiB inside. */
static inline GByteArray *
image_new_qcow2 (guint32 version, guint size)
{
  GByteArray *image = image_new (MAX (size, 512));

  put_be32 (image, 0, 0x514649fb);
  put_be32 (image, 4, version);
  put_be32 (image, 20, 12);
  put_be64 (image, 24, G_GUINT64_CONSTANT (1) << 30);
  put_be32 (image, 36, 512);
  put_be64 (image, 40, 4096);
  put_be64 (image, 48, 2 * 4096);
  put_be32 (image, 56, 1);
  if (version >= 3)
    put_be32 (image, 100, 104);
  g_byte_array_set_size (image, size);
  return image;
}

static inline guint32
image_crc32 (const guint8 *data, gsize length)
{
  guint32 crc = G_MAXUINT32;

  for (gsize i = 0; i < length * 8; i++)
    {
      if (i % 8 == 0)
        crc ^= data[i / 8];
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
    }
  return ~crc;
}

/* After a change of the GPT: of its entries, then of its header, as far as that tells. */
static inline void
image_seal_gpt (GByteArray *image)
{
  put_le32 (image, 512 + 88, image_crc32 (image->data + 1024, 512));
  put_le32 (image, 512 + 16, 0);
  put_le32 (image, 512 + 16, image_crc32 (image->data + 512, 92));
}

/* What a GPT of four entries takes. */
#define IMAGE_GPT_SIZE 1536u

/* A record that protects a GPT without a partition; all checks pass where it is not cut off below
 * IMAGE_GPT_SIZE. */
static inline GByteArray *
image_new_gpt (guint size)
{
  static const guint8 entry[16] = { 0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xff };
  GByteArray *image = image_new (MAX (size, IMAGE_GPT_SIZE));

  memcpy (image->data + 446, entry, sizeof entry);
  image->data[510] = 0x55;
  image->data[511] = 0xaa;
  memcpy (image->data + 512, "EFI PART", 8);
  put_le32 (image, 512 + 8, 0x10000);
  put_le32 (image, 512 + 12, 92);
  put_le32 (image, 512 + 24, 1);
  put_le32 (image, 512 + 40, 3); /* the first sector for partitions, and the last */
  put_le32 (image, 512 + 48, 9);
  put_le32 (image, 512 + 72, 2); /* entries: where, how many, how long */
  put_le32 (image, 512 + 80, 4);
  put_le32 (image, 512 + 84, 128);
  image_seal_gpt (image);
  g_byte_array_set_size (image, size);
  return image;
}

/* One partition, of Linux. */
static inline GByteArray *
image_new_mbr (guint size)
{
  GByteArray *image = image_new (MAX (size, 512));

  image->data[446] = 0x80;
  image->data[450] = 0x83;
  image->data[510] = 0x55;
  image->data[511] = 0xaa;
  g_byte_array_set_size (image, size);
  return image;
}

static inline ImgImportFacts *
inspect_in_chunks (const GByteArray *image, gsize chunk)
{
  g_autoptr (ImgImportInspector) inspector = imgimport_inspector_new ();

  for (gsize at = 0; at < image->len; at += chunk)
    imgimport_inspector_feed (inspector, image->data + at, MIN (chunk, image->len - at));
  return _imgimport_inspector_finish (inspector);
}

static inline ImgImportFacts *
inspect (const GByteArray *image)
{
  return inspect_in_chunks (image, MAX (image->len, 1));
}

/* A policy from its JSON, in which ' stands for ". */
static inline ImgImportFormatPolicy *
policy_new (const char *text)
{
  g_autofree char *json = g_strdelimit (g_strdup (text), "'", '"');
  g_autoptr (GError) error = NULL;
  ImgImportFormatPolicy *policy = imgimport_format_policy_new_from_json (json, &error);

  g_assert_no_error (error);
  return policy;
}

/* The names of the failed checks of the only match, joined by commas; "raw" for no match. */
static inline char *
failures_of (const ImgImportFacts *facts)
{
  GString *names = g_string_new (facts->matches->len == 0 ? "raw" : NULL);

  g_assert_cmpuint (facts->matches->len, <=, 1);
  for (guint i = 0; i < facts->matches->len; i++)
    {
      const ImgImportMatch *match = g_ptr_array_index (facts->matches, i);

      for (guint k = 0; k < match->checks->len; k++)
        {
          const ImgImportCheck *check = &g_array_index (match->checks, ImgImportCheck, k);

          g_assert_true (check->passed == (check->reason == NULL));
          if (!check->passed)
            g_string_append_printf (names, "%s%s", names->len > 0 ? "," : "", check->name);
        }
    }
  return g_string_free (names, FALSE);
}

#define assert_failures(image, expected)                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (ImgImportFacts) facts_ = inspect (image);                                           \
    g_autofree char *failures_ = failures_of (facts_);                                             \
    g_assert_cmpstr (failures_, ==, expected);                                                     \
  }                                                                                                \
  G_STMT_END
