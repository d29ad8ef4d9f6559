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

/* A protective record: boot flag, start, type 0xee, and the first sector, of the first entry. */
static inline GByteArray *
image_new_gpt (guint size)
{
  static const guint8 entry[16] = { 0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xff };
  GByteArray *image = image_new (MAX (size, 512));

  memcpy (image->data + 446, entry, sizeof entry);
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
