/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "images.h"

static const gsize chunks[] = { 1, 17, 511, 512, 64 * 1024, 1024 * 1024 };

static char *
facts_text (const ImgImportFacts *facts)
{
  GString *out = g_string_new (NULL);

  _imgimport_facts_write (facts, out, NULL);
  return g_string_free (out, FALSE);
}

static void
assert_same_in_all_chunks (const GByteArray *image)
{
  g_autoptr (ImgImportFacts) whole = inspect (image);
  g_autoptr (ImgImportInspector) inspector = imgimport_inspector_new ();
  g_autoptr (ImgImportFacts) ragged = NULL;
  g_autofree char *expected = facts_text (whole);
  g_autofree char *text = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    {
      g_autoptr (ImgImportFacts) facts = inspect_in_chunks (image, chunks[i]);
      g_autofree char *other = facts_text (facts);

      g_assert_cmpstr (other, ==, expected);
    }
  for (guint at = 0, n = 0; at < image->len; at += n)
    {
      n = (guint)g_test_rand_int_range (0, 5000);
      n = MIN (n, image->len - at);
      imgimport_inspector_feed (inspector, image->data + at, n);
    }
  ragged = _imgimport_inspector_finish (inspector);
  text = facts_text (ragged);
  g_assert_cmpstr (text, ==, expected);
}

static void
chunks_do_not_matter (void)
{
  g_autoptr (GByteArray) v2 = image_new_qcow2 (2, 200000);
  g_autoptr (GByteArray) v3 = image_new_qcow2 (3, 200000);
  g_autoptr (GByteArray) short_v3 = image_new_qcow2 (3, 300);
  g_autoptr (GByteArray) gpt = image_new_gpt (200000);
  g_autoptr (GByteArray) both = image_new_qcow2 (3, 70000);
  g_autoptr (GByteArray) raw = image_new (200000);

  put_be64 (v3, 8, 4096);
  both->data[510] = 0x55;
  both->data[511] = 0xaa;
  assert_same_in_all_chunks (v2);
  assert_same_in_all_chunks (v3);
  assert_same_in_all_chunks (short_v3);
  assert_same_in_all_chunks (gpt);
  assert_same_in_all_chunks (both);
  assert_same_in_all_chunks (raw);
}

/* ---- a format that asks for ranges: where each lies is told by the one before --------------- */

static gboolean
chain_locate (const ImgImportView *view, guint64 *offset, gsize *length)
{
  const ImgImportRange *last =
      view->n_ranges == 0 ? &view->head : &view->ranges[view->n_ranges - 1];

  g_assert_cmpuint (view->size, ==, 0);
  g_assert_cmpuint (view->tail.length, ==, 0);
  *offset = _imgimport_range_be64 (last, 0);
  *length = _imgimport_range_be32 (last, 8);
  return *offset != 0;
}

static gboolean
chain_match (const ImgImportView *view, ImgImportMatch *match)
{
  GString *seen = g_string_new (NULL);

  for (guint i = 0; i < view->n_ranges; i++)
    g_string_append_printf (seen, "%" G_GUINT64_FORMAT "+%u ", view->ranges[i].offset,
                            (guint)view->ranges[i].length);
  g_string_append_printf (seen, "tail %" G_GUINT64_FORMAT "+%u:%02x", view->tail.offset,
                          (guint)view->tail.length,
                          view->tail.length > 0 ? view->tail.data[view->tail.length - 1] : 0);
  _imgimport_match_add_check (match, "seen", g_string_free (seen, FALSE));
  return TRUE;
}

static const char *const chain_checks[] = { "seen", NULL };
static const ImgImportFormat chain = {
  .name = "chain",
  .checks = chain_checks,
  .capture = 200000,
  .locate = chain_locate,
  .match = chain_match,
};
static const ImgImportFormat *const chain_table[] = { &chain, NULL };

static void
put_link (GByteArray *image, guint at, guint64 offset, guint32 length)
{
  put_be64 (image, at, offset);
  put_be32 (image, at + 8, length);
}

static void
assert_seen (const GByteArray *image, const char *expected)
{
  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    {
      g_autoptr (ImgImportInspector) inspector = _imgimport_inspector_new_for (chain_table);
      g_autoptr (ImgImportFacts) facts = NULL;
      const ImgImportMatch *match;

      for (gsize at = 0; at < image->len; at += chunks[i])
        imgimport_inspector_feed (inspector, image->data + at, MIN (chunks[i], image->len - at));
      facts = _imgimport_inspector_finish (inspector);
      match = g_ptr_array_index (facts->matches, 0);
      g_assert_cmpstr (g_array_index (match->checks, ImgImportCheck, 0).reason, ==, expected);
    }
}

static void
ranges_are_followed (void)
{
  g_autoptr (GByteArray) image = image_new (300000);

  image->data[299999] = 0x77;
  assert_seen (image, "tail 295904+4096:77");
  put_link (image, 0, 65536, 20);
  put_link (image, 65536, 65556, 12);
  put_link (image, 65556, 200000, 100000);
  put_link (image, 200000, 300000 - 14, 100);
  assert_seen (image, "65536+20 65556+12 200000+65536 299986+14 tail 295904+4096:77");
}

static void
ranges_out_of_reach_stay_missing (void)
{
  static const guint64 offsets[] = { 65535, 1, 70000, G_MAXUINT64, G_MAXUINT64 - 16 };

  for (guint i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      g_autoptr (GByteArray) image = image_new (66000);

      put_link (image, 0, offsets[i], 16);
      assert_seen (image, i < 2    ? "tail 61904+4096:00"
                          : i == 2 ? "70000+0 tail 61904+4096:00"
                          : i == 3 ? "18446744073709551615+0 tail 61904+4096:00"
                                   : "18446744073709551599+0 tail 61904+4096:00");
    }
}

static void
no_more_ranges_than_allowed (void)
{
  g_autoptr (GByteArray) image = image_new (66000);

  put_link (image, 0, 65536, 12);
  for (guint i = 0; i < 8; i++)
    put_link (image, 65536 + 12 * i, 65536 + 12 * (i + 1), 12);
  assert_seen (image, "65536+12 65548+12 65560+12 65572+12 65584+12 65596+12 65608+12 "
                      "tail 61904+4096:00");
}

/* ---- more than it may have ------------------------------------------------------------------- */

static gboolean
glutton_locate (const ImgImportView *view, guint64 *offset, gsize *length)
{
  *offset = IMGIMPORT_INSPECT_HEAD + 1000 * (guint64)view->n_ranges;
  *length = 1000;
  return TRUE;
}

static gboolean
glutton_match (const ImgImportView *view, ImgImportMatch *match)
{
  g_assert_cmpuint (view->n_ranges, ==, 2);
  return FALSE;
}

static const ImgImportFormat glutton = {
  .name = "glutton",
  .checks = chain_checks,
  .capture = 2999,
  .locate = glutton_locate,
  .match = glutton_match,
};
static const ImgImportFormat *const glutton_table[] = { &glutton, &chain, NULL };

static void
format_that_asks_for_too_much_fails_a_check (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    {
      g_autoptr (GByteArray) image = image_new (70000);
      g_autoptr (ImgImportInspector) inspector = _imgimport_inspector_new_for (glutton_table);
      g_autoptr (ImgImportFacts) facts = NULL;
      g_autofree char *text = NULL;

      for (gsize at = 0; at < image->len; at += chunks[i])
        imgimport_inspector_feed (inspector, image->data + at, MIN (chunks[i], image->len - at));
      facts = _imgimport_inspector_finish (inspector);
      text = facts_text (facts);
      g_assert_cmpstr (text, ==,
                       "{\"size\":70000,\"matches\":["
                       "{\"format\":\"glutton\",\"checks\":[{\"name\":\"capture\","
                       "\"reason\":\"its structures have more than 2999 bytes\"}]},"
                       "{\"format\":\"chain\",\"checks\":[{\"name\":\"seen\","
                       "\"reason\":\"tail 65904+4096:00\"}]}]}");
    }
}

static void
all_formats_together_fit_the_memory (void)
{
  const ImgImportFormat *const *formats = _imgimport_formats ();
  gsize sum = 0;

  for (guint i = 0; formats[i] != NULL; i++)
    {
      g_assert_true ((formats[i]->capture > 0) == (formats[i]->locate != NULL));
      g_assert_cmpuint (formats[i]->capture, <=,
                        IMGIMPORT_INSPECT_N_RANGES * IMGIMPORT_INSPECT_RANGE);
      sum += formats[i]->capture;
    }
  g_assert_cmpuint (sum, <=, IMGIMPORT_INSPECT_CAPTURE);
  g_assert_cmpuint (IMGIMPORT_INSPECT_HEAD + 2 * IMGIMPORT_INSPECT_TAIL + IMGIMPORT_INSPECT_CAPTURE,
                    <=, 1024 * 1024 - 64 * 1024);
}

/* ---- holes ----------------------------------------------------------------------------------- */

static char *
inspect_with_holes (const GByteArray *image, gsize chunk)
{
  g_autoptr (ImgImportInspector) inspector = _imgimport_inspector_new_for (chain_table);
  g_autoptr (ImgImportFacts) facts = NULL;
  static const guint8 zeros[512] = { 0 };

  for (gsize at = 0, n; at < image->len; at += n)
    {
      n = MIN (chunk, image->len - at);
      if (n <= sizeof zeros && memcmp (image->data + at, zeros, n) == 0)
        imgimport_inspector_skip (inspector, n);
      else
        imgimport_inspector_feed (inspector, image->data + at, n);
    }
  facts = _imgimport_inspector_finish (inspector);
  return facts_text (facts);
}

static void
hole_is_its_zeros (void)
{
  g_autoptr (GByteArray) image = image_new (300000);
  g_autofree char *whole = NULL;

  put_link (image, 0, 65536, 20);
  put_link (image, 65536, 65556, 12);
  put_link (image, 65556, 100000, 100000);
  memset (image->data + 120000, 7, 10);
  whole = inspect_with_holes (image, image->len);
  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *text = inspect_with_holes (image, chunks[i]);

      g_assert_cmpstr (text, ==, whole);
    }
}

static void
hole_of_any_size_costs_nothing (void)
{
  g_autoptr (ImgImportInspector) inspector = imgimport_inspector_new ();
  g_autoptr (ImgImportFacts) facts = NULL;

  imgimport_inspector_skip (inspector, 0);
  imgimport_inspector_skip (inspector, G_MAXINT64 - 1);
  imgimport_inspector_feed (inspector, "", 1);
  facts = _imgimport_inspector_finish (inspector);
  g_assert_cmpuint (facts->size, ==, G_MAXINT64);
  g_assert_cmpuint (facts->matches->len, ==, 0);
}

static void
stream_shorter_than_the_head_is_all_head (void)
{
  g_autoptr (GByteArray) image = image_new (1000);

  put_link (image, 0, 65536, 12);
  assert_seen (image, "tail 0+1000:00");
}

static void
every_format_has_a_check_and_another_name (void)
{
  const ImgImportFormat *const *formats = _imgimport_formats ();

  for (guint i = 0; formats[i] != NULL; i++)
    {
      g_assert_nonnull (formats[i]->checks[0]);
      g_assert_true (_imgimport_format_lookup (formats[i]->name) == formats[i]);
    }
  g_assert_null (_imgimport_format_lookup ("raw"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/engine/J01/chunks-do-not-matter", chunks_do_not_matter);
  g_test_add_func ("/inspect/engine/ranges-are-followed", ranges_are_followed);
  g_test_add_func ("/inspect/engine/ranges-out-of-reach-stay-missing",
                   ranges_out_of_reach_stay_missing);
  g_test_add_func ("/inspect/engine/no-more-ranges-than-allowed", no_more_ranges_than_allowed);
  g_test_add_func ("/inspect/engine/format-that-asks-for-too-much-fails-a-check",
                   format_that_asks_for_too_much_fails_a_check);
  g_test_add_func ("/inspect/engine/all-formats-together-fit-the-memory",
                   all_formats_together_fit_the_memory);
  g_test_add_func ("/inspect/engine/hole-is-its-zeros", hole_is_its_zeros);
  g_test_add_func ("/inspect/engine/hole-of-any-size-costs-nothing",
                   hole_of_any_size_costs_nothing);
  g_test_add_func ("/inspect/engine/stream-shorter-than-the-head-is-all-head",
                   stream_shorter_than_the_head_is_all_head);
  g_test_add_func ("/inspect/engine/J18/every-format-has-a-check-and-another-name",
                   every_format_has_a_check_and_another_name);
  return g_test_run ();
}
