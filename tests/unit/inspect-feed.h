/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Feeding one image to the inspector in many ways. */

#include "images.h"

static inline void
put_be16 (GByteArray *image, gsize at, guint16 value)
{
  value = GUINT16_TO_BE (value);
  memcpy (image->data + at, &value, sizeof value);
}

static inline void
put_le16 (GByteArray *image, gsize at, guint16 value)
{
  value = GUINT16_TO_LE (value);
  memcpy (image->data + at, &value, sizeof value);
}

static inline void
put_le64 (GByteArray *image, gsize at, guint64 value)
{
  value = GUINT64_TO_LE (value);
  memcpy (image->data + at, &value, sizeof value);
}

static inline char *
feed_text (ImgImportInspector *inspector)
{
  g_autoptr (ImgImportFacts) facts = _imgimport_inspector_finish (inspector);
  GString *out = g_string_new (NULL);

  _imgimport_facts_write (facts, out, NULL);
  return g_string_free (out, FALSE);
}

/* What is said of an image that comes in chunks of `chunk` bytes, or where it is 0, of random ones.
 */
static inline char *
feed_in_chunks (const GByteArray *image, gsize chunk)
{
  g_autoptr (ImgImportInspector) inspector = imgimport_inspector_new ();
  gsize n;

  for (gsize at = 0; at < image->len; at += n)
    {
      n = chunk > 0 ? chunk : (gsize)g_test_rand_int_range (1, 9000);
      n = MIN (n, image->len - at);
      imgimport_inspector_feed (inspector, image->data + at, n);
    }
  return feed_text (inspector);
}

/* The same facts in any chunks. */
static inline void
assert_same_however_fed (const GByteArray *image)
{
  static const gsize chunks[] = { 1, 511, 512, 65536, 0, 0 };
  g_autofree char *expected = feed_in_chunks (image, MAX (image->len, 1));

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    {
      g_autofree char *other = feed_in_chunks (image, chunks[i]);

      g_assert_cmpstr (other, ==, expected);
    }
}

/* The same facts in any chunks also of its first `from`, `from` + `step`, … bytes; those that are
 * fewer than `whole` never pass as a disk of the format. */
static inline void
assert_cut_anywhere (const GByteArray *image, guint from, guint step, guint whole)
{
  for (guint length = from; length < image->len; length += step)
    {
      GByteArray cut = { image->data, length };
      g_autofree char *expected = feed_in_chunks (&cut, MAX (length, 1));
      g_autofree char *other = feed_in_chunks (&cut, length % 2 == 0 ? 511 : 0);
      g_autoptr (ImgImportFacts) facts = inspect (&cut);
      g_autofree char *failures = failures_of (facts);

      g_assert_cmpstr (other, ==, expected);
      if (length < whole)
        g_assert_cmpstr (failures, !=, "");
    }
}

/* The virtual size that the only match tells. */
static inline guint64
virtual_size_of (const GByteArray *image)
{
  g_autoptr (ImgImportFacts) facts = inspect (image);

  g_assert_cmpuint (facts->matches->len, ==, 1);
  return ((const ImgImportMatch *)g_ptr_array_index (facts->matches, 0))->virtual_size;
}

/* The format of the only match; "raw" where there is none. */
static inline const char *
format_of (const GByteArray *image)
{
  g_autoptr (ImgImportFacts) facts = inspect (image);

  g_assert_cmpuint (facts->matches->len, <=, 1);
  return facts->matches->len == 0
             ? "raw"
             : ((const ImgImportMatch *)g_ptr_array_index (facts->matches, 0))->format;
}

/* The reason of a failed check of the only match has these words. */
static inline void
assert_reason (const GByteArray *image, const char *check, const char *words)
{
  g_autoptr (ImgImportFacts) facts = inspect (image);
  const ImgImportMatch *match;

  g_assert_cmpuint (facts->matches->len, ==, 1);
  match = g_ptr_array_index (facts->matches, 0);
  for (guint i = 0; i < match->checks->len; i++)
    {
      const ImgImportCheck *made = &g_array_index (match->checks, ImgImportCheck, i);

      if (strcmp (made->name, check) != 0)
        continue;
      if (made->passed || strstr (made->reason, words) == NULL)
        g_error ("%s: “%s” lacks “%s”", check, made->reason, words);
      return;
    }
  g_error ("no check %s was made", check);
}

/* The names of all matches, joined by commas. */
static inline char *
matches_of (const GByteArray *image)
{
  g_autoptr (ImgImportFacts) facts = inspect (image);
  GString *names = g_string_new (NULL);

  for (guint i = 0; i < facts->matches->len; i++)
    g_string_append_printf (names, "%s%s", i > 0 ? "," : "",
                            ((ImgImportMatch *)g_ptr_array_index (facts->matches, i))->format);
  return g_string_free (names, FALSE);
}
