/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the inspector takes of memory and time. */
#include <malloc.h>
#include <time.h>

#include "images.h"

static const char *const checks[] = { "null", NULL };

static gboolean
greedy_locate (const ImgImportView *view, guint64 *offset, gsize *length)
{
  *offset = IMGIMPORT_INSPECT_HEAD + view->n_ranges * (guint64)IMGIMPORT_INSPECT_RANGE;
  *length = G_MAXSIZE;
  return TRUE;
}

static gboolean
greedy_match (const ImgImportView *view, ImgImportMatch *match)
{
  return FALSE;
}

static const ImgImportFormat greedy = {
  .name = "greedy",
  .checks = checks,
  .capture = 4 * IMGIMPORT_INSPECT_RANGE,
  .locate = greedy_locate,
  .match = greedy_match,
};

/* Formats that want nearly all that formats may have together, on a stream that gives it. */
static void
memory_in_use_is_bounded (void)
{
  static const ImgImportFormat *const table[] = { &greedy, &greedy, &greedy, NULL };
  g_autofree guint8 *zeros = g_malloc0 (1024 * 1024);
  g_autoptr (ImgImportInspector) inspector = NULL;
  gsize before;
  gsize most = 0;

  if (mallinfo2 ().arena == 0)
    {
      g_test_skip ("this allocator does not tell what is in use");
      return;
    }
  /* The type's own memory comes with its first object. */
  g_object_unref (imgimport_inspector_new ());
  before = mallinfo2 ().uordblks + mallinfo2 ().hblkhd;
  inspector = _imgimport_inspector_new_for (table);
  for (guint i = 0; i < 64; i++)
    {
      imgimport_inspector_feed (inspector, zeros, 1024 * 1024);
      most = MAX (most, mallinfo2 ().uordblks + mallinfo2 ().hblkhd - before);
    }
  g_test_message ("%" G_GSIZE_FORMAT " bytes in use", most);
  g_assert_cmpuint (most, >=, IMGIMPORT_INSPECT_HEAD + 3 * greedy.capture);
  g_assert_cmpuint (most, <, 1024 * 1024);
}

/* What is said of an image whose metadata is `unit` over and over, which is no part of what counts.
 */
static char *
inspect_luks2_of (const char *unit)
{
  g_autoptr (GByteArray) image = image_new (2 * 65536 + 512);
  const char *segments =
      "{\"segments\":{\"0\":{\"offset\":\"131072\",\"size\":\"dynamic\"}},\"x\":[";
  gsize at = 4096 + strlen (segments);
  g_autoptr (ImgImportFacts) facts = NULL;

  memcpy (image->data, "LUKS\xba\xbe\0\2", 8);
  put_be64 (image, 8, 65536);
  memcpy (image->data + 65536, "SKUL\xba\xbe\0\2", 8);
  put_be64 (image, 65536 + 8, 65536);
  put_be64 (image, 65536 + 256, 65536);
  memcpy (image->data + 4096, segments, strlen (segments));
  for (; at < 65000; at += strlen (unit))
    memcpy (image->data + at, unit, strlen (unit));
  memcpy (image->data + at, "0]}", 3);
  facts = inspect (image);
  return failures_of (facts);
}

/* The most that the heap held at once, which here gives nothing back: of what ran before it would
 * count what is free again. */
static void
memory_while_judging_is_bounded (void)
{
  static const char *const units[] = { "{},", "[],", "{\"a\":{\"b\":{\"c\":1}}},", "\"x\"," };
  gsize before;

  if (mallinfo2 ().arena == 0)
    {
      g_test_skip ("this allocator does not tell what is in use");
      return;
    }
  g_assert_true (mallopt (M_TRIM_THRESHOLD, G_MAXINT) == 1 && mallopt (M_MMAP_MAX, 0) == 1);
  for (guint i = 0; i < G_N_ELEMENTS (units); i++)
    {
      g_autofree char *failures = NULL;

      before = mallinfo2 ().uordblks;
      failures = inspect_luks2_of (units[i]);
      g_assert_cmpstr (failures, ==, "");
      g_test_message ("%s: %" G_GSIZE_FORMAT " bytes", units[i], mallinfo2 ().arena - before);
      g_assert_cmpuint (mallinfo2 ().arena - before, <, 1024 * 1024);
    }
}

static gint64
thread_time_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static void
feeding_is_cheaper_than_copying (void)
{
  const gsize size = 1024 * 1024;
  g_autofree guint8 *image = g_malloc0 (size);
  g_autofree guint8 *copy = g_malloc0 (size);
  g_autoptr (ImgImportInspector) inspector = imgimport_inspector_new ();
  gint64 fed, copied;

  imgimport_inspector_feed (inspector, image, size);
  fed = -thread_time_us ();
  for (guint i = 0; i < 4096; i++)
    imgimport_inspector_feed (inspector, image, size);
  fed += thread_time_us ();
  copied = -thread_time_us ();
  for (guint i = 0; i < 512; i++)
    {
      memcpy (copy, image, size);
      image[i] = copy[i] ^ 1;
    }
  copied += thread_time_us ();
  g_test_message ("4 GiB fed in %" G_GINT64_FORMAT " us, 512 MiB copied in %" G_GINT64_FORMAT " us",
                  fed, copied);
  g_assert_cmpint (fed, <, copied);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/cost/C36/memory-while-judging-is-bounded",
                   memory_while_judging_is_bounded);
  g_test_add_func ("/inspect/cost/memory-in-use-is-bounded", memory_in_use_is_bounded);
  g_test_add_func ("/inspect/cost/feeding-is-cheaper-than-copying",
                   feeding_is_cheaper_than_copying);
  return g_test_run ();
}
