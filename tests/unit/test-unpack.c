/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Each packing, and what may become of it on the way. One rule a column:
 *
 *   good          the bytes
 *   random tail   unpack-trailing-data
 *   zero tail     the same; but a tar file ends in as many zeros as it likes
 *   concatenated  both, where the tool of the packing has it so (.gz, .bz2, .xz, .zst, .lz4), else
 *                 unpack-trailing-data
 *   truncated     unpack-truncated, wherever
 *   flipped       unpack-corrupt; .lzma and .tar have no sum over the data, so what is found of a
 *                 flipped bit is the format's matter
 *   bomb          unpack-ratio; a tar file cannot be one
 */

#include "packed.h"

#define PAYLOAD_SIZE 200000

typedef struct
{
  const char *name;
  ImgImportPacking packing;
  const char *argv[8];
  gboolean concatenates;
  gboolean pads;     /* zeros at the end are its own */
  gboolean is_blind; /* no sum over the data */
  gboolean is_plain; /* packs nothing */
} Codec;

static const Codec codecs[] = {
  { "gzip", IMGIMPORT_PACKING_GZIP, { "gzip", "-c" }, TRUE, FALSE, FALSE, FALSE },
  { "bzip2", IMGIMPORT_PACKING_BZIP2, { "bzip2", "-c" }, TRUE, FALSE, FALSE, FALSE },
  { "xz", IMGIMPORT_PACKING_XZ, { "xz", "-c" }, TRUE, FALSE, FALSE, FALSE },
  { "lzma", IMGIMPORT_PACKING_LZMA, { "xz", "-c", "--format=lzma" }, FALSE, FALSE, TRUE, FALSE },
  { "zstd", IMGIMPORT_PACKING_ZSTD, { "zstd", "-q", "-c" }, TRUE, FALSE, FALSE, FALSE },
  { "lz4", IMGIMPORT_PACKING_LZ4, { "lz4", "-q", "-c" }, TRUE, FALSE, FALSE, FALSE },
  { "zip", IMGIMPORT_PACKING_ZIP, { "zip", "-q", "-", "-" }, FALSE, FALSE, FALSE, FALSE },
  { "zip-of-a-file",
    IMGIMPORT_PACKING_ZIP,
    { "sh", "-c", "d=`mktemp -d`; cat >$d/f; cd $d; zip -q x.zip f; cat x.zip; rm -r $d" },
    FALSE,
    FALSE,
    FALSE,
    FALSE },
  { "tar",
    IMGIMPORT_PACKING_TAR,
    { "tar", "--format=ustar", "--owner=0", "--transform=s,.*,disk.raw,", "-cf-", "/dev/stdin" },
    FALSE,
    TRUE,
    TRUE,
    TRUE },
};

static const ImgImportUnpackLimits limits = {
  .floor = 1024 * 1024, .max_ratio = 200, .max_memory = 128 * 1024 * 1024, .max_members = 16
};

/* tar does not take a pipe for a file. */
static GBytes *
pack_with (const Codec *codec, GBytes *bytes)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  const char *argv[8];
  GBytes *packed;
  int fd;

  if (codec->packing != IMGIMPORT_PACKING_TAR)
    return pack (codec->argv, bytes);
  fd = g_file_open_tmp ("imgimport-XXXXXX", &path, &error);
  g_assert_no_error (error);
  close (fd);
  g_file_set_contents (path, g_bytes_get_data (bytes, NULL), (gssize)g_bytes_get_size (bytes),
                       &error);
  g_assert_no_error (error);
  memcpy (argv, codec->argv, sizeof argv);
  argv[5] = path;
  packed = pack (argv, NULL);
  unlink (path);
  return packed;
}

/* Column by column; `packed` is NULL where the tool is missing. */
typedef void (*Column) (const Codec *codec, GBytes *payload, GBytes *packed);

static void
good (const Codec *codec, GBytes *payload, GBytes *packed)
{
  g_assert_cmpint ((int)_imgimport_packing_recognise (g_bytes_get_data (packed, NULL), 512), ==,
                   (int)codec->packing);
  assert_unpacks (packed, &limits, payload, NULL);
}

static void
random_tail (const Codec *codec, GBytes *payload, GBytes *packed)
{
  g_autoptr (GBytes) tail = g_bytes_new_static ("not of this file", 16);
  g_autoptr (GBytes) one = g_bytes_new_static ("x", 1);
  g_autoptr (GBytes) with_tail = join (packed, tail);
  g_autoptr (GBytes) with_one = join (packed, one);

  assert_unpacks (with_tail, &limits, NULL, "unpack-trailing-data");
  assert_unpacks (with_one, &limits, NULL, "unpack-trailing-data");
}

static void
zero_tail (const Codec *codec, GBytes *payload, GBytes *packed)
{
  g_autoptr (GBytes) tail = make_zeros (515);
  g_autoptr (GBytes) with_tail = join (packed, tail);

  assert_unpacks (with_tail, &limits, payload, codec->pads ? NULL : "unpack-trailing-data");
}

static void
concatenated (const Codec *codec, GBytes *payload, GBytes *packed)
{
  g_autoptr (GBytes) twice = join (packed, packed);
  g_autoptr (GBytes) both = join (payload, payload);

  assert_unpacks (twice, &limits, both, codec->concatenates ? NULL : "unpack-trailing-data");
}

static void
truncated (const Codec *codec, GBytes *payload, GBytes *packed)
{
  gsize length = g_bytes_get_size (packed);
  /* A tar file's last block is padding, and the two of its end may be one. */
  const gsize lengths[] = { codec->pads ? PAYLOAD_SIZE + 512 : length - 1, length / 2, length / 3,
                            codec->pads ? 520 : 64 };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (packed, 0, lengths[i]);

      assert_unpacks (part, &limits, NULL, "unpack-truncated");
    }
}

static void
flipped (const Codec *codec, GBytes *payload, GBytes *packed)
{
  g_autoptr (GBytes) other = flip (packed, g_bytes_get_size (packed) / 2);

  if (!codec->is_blind)
    assert_unpacks (other, &limits, NULL, "unpack-corrupt");
}

static void
bomb (const Codec *codec, GBytes *payload, GBytes *packed)
{
  g_autoptr (GBytes) zeros = make_zeros (8 * 1024 * 1024);
  g_autoptr (GBytes) charge = pack_with (codec, zeros);

  assert_unpacks (charge, &limits, zeros, codec->is_plain ? NULL : "unpack-ratio");
}

/* What is packed twice is refused: the second level is never opened. */
static void
nested (const Codec *codec, GBytes *payload, GBytes *packed)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (codecs); i++)
    {
      g_autoptr (GBytes) twice = pack_with (&codecs[i], packed);

      if (twice != NULL && codec->packing != IMGIMPORT_PACKING_LZMA)
        assert_unpacks (twice, &limits, NULL, "unpack-nested");
    }
}

/* The source's failures are its own, whichever of its reads it is. */
static void
nth_read_fails (const Codec *codec, GBytes *payload, GBytes *packed)
{
  guint n = 1;

  for (;; n++)
    {
      Source source = { packed, 0, 4096, 0, n };
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) output = unpack_from (&source, &limits, &error);

      if (source.n_reads < n)
        break;
      g_assert_null (output);
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_UNAVAILABLE);
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, "connection-lost");
    }
  g_assert_cmpuint (n, >, g_bytes_get_size (packed) / 4096);
}

static const struct
{
  const char *name;
  Column check;
} columns[] = {
  { "good", good },
  { "32/random-tail", random_tail },
  { "32/zero-tail", zero_tail },
  { "concatenated", concatenated },
  { "truncated", truncated },
  { "flipped", flipped },
  { "28/bomb", bomb },
  { "29/nested", nested },
  { "nth-read-fails", nth_read_fails },
};

typedef struct
{
  const Codec *codec;
  Column check;
} Cell;

static void
test_cell (gconstpointer data)
{
  const Cell *cell = data;
  g_autoptr (GBytes) payload = make_payload (PAYLOAD_SIZE);
  g_autoptr (GBytes) packed = pack_with (cell->codec, payload);

  if (packed != NULL)
    cell->check (cell->codec, payload, packed);
}

/* ---- recognition ----------------------------------------------------------------------------- */

static void
test_heads_that_are_none (void)
{
  static const struct
  {
    const char *bytes;
    gsize length;
  } heads[] = {
    { "", 0 },
    { "\x1f\x8b", 2 },
    { "\x1f\x8b\x07", 3 },
    { "BZh0"
      "1AY&SY",
      10 },
    { "BZh91AY&S", 9 },
    { "BZh9abcdef", 10 },
    { "]\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\1", 14 }, /* no zero before the data */
    { "]\0\0\x90\0\xff\xff\xff\xff\xff\xff\xff\xff\0", 14 }, /* no size of a dictionary */
    { "]\0\1\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0", 14 },   /* one too small */
    { "]\0\0\x80\0\0\0\0\0\x40\0\0\0\0", 14 },               /* 256 GiB */
    { "PK\5\6", 4 },                                         /* empty */
    { "QFI\xfb", 4 },
  };
  guint8 tar[512] = { 0 };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (heads); i++)
    g_assert_cmpint (
        (int)_imgimport_packing_recognise ((const guint8 *)heads[i].bytes, heads[i].length), ==,
        (int)IMGIMPORT_PACKING_NONE);
  memcpy (tar + 257, "ustar", 5);
  g_assert_cmpint ((int)_imgimport_packing_recognise (tar, sizeof tar), ==,
                   (int)IMGIMPORT_PACKING_NONE);
}

/* Frames that hold nothing, behind which only what has such frames is recognised. */
static void
test_skippable_frames_may_come_first (void)
{
  static const char *const programs[] = { "zstd", "lz4" };
  static const guint8 skippable[] = { 0x5f, 0x2a, 0x4d, 0x18, 4,    0,    0, 0, 1, 2,
                                      3,    4,    0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0 };
  static const guint8 large[] = { 0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff, 0 };
  g_autoptr (GBytes) payload = make_payload (100000);
  g_autoptr (GBytes) frames = g_bytes_new_static (skippable, sizeof skippable);
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (programs); i++)
    {
      const char *const argv[] = { programs[i], "-q", "-c", NULL };
      g_autoptr (GBytes) plain = pack (argv, payload);
      g_autoptr (GBytes) packed = plain != NULL ? join (frames, plain) : NULL;

      if (packed != NULL)
        assert_unpacks (packed, &limits, payload, NULL);
    }
  for (i = 0; i <= sizeof skippable; i++)
    g_assert_cmpint ((int)_imgimport_packing_recognise (skippable, i), ==,
                     (int)IMGIMPORT_PACKING_NONE);
  g_assert_cmpint ((int)_imgimport_packing_recognise (large, sizeof large), ==,
                   (int)IMGIMPORT_PACKING_NONE);
}

static void
test_cancelled (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("\x1f\x8b\x08", 3);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Source source = { bytes, 0, 100, 0, 0 };
  g_autoptr (ImgImportUnpacker) unpacker =
      _imgimport_unpacker_new (IMGIMPORT_PACKING_GZIP, &limits, source_read, &source);
  guint8 buffer[10];
  gsize n_read = 0;

  g_cancellable_cancel (cancellable);
  g_assert_false (
      _imgimport_unpacker_read (unpacker, buffer, sizeof buffer, &n_read, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

/* Headers whose sums are right, of a check and of a flag that are for later versions to use. */
static void
xz_of_a_later_version_is_not_supported (void)
{
  static const guint8 check[32] = { 0xfd, '7', 'z', 'X', 'Z', 0, 0, 2, 0xd3, 0x73, 0xd7, 0xaf };
  static const guint8 flag[32] = { 0xfd, '7', 'z', 'X', 'Z', 0, 1, 1, 0x28, 0x13, 0xc5, 0x2f };
  g_autoptr (GBytes) first = g_bytes_new_static (check, sizeof check);
  g_autoptr (GBytes) second = g_bytes_new_static (flag, sizeof flag);

  assert_unpacks (first, &limits, NULL, "unpack-unsupported");
  assert_unpacks (second, &limits, NULL, "unpack-unsupported");
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) cells = g_ptr_array_new_with_free_func (g_free);
  gsize i, j;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (codecs); i++)
    for (j = 0; j < G_N_ELEMENTS (columns); j++)
      {
        g_autofree char *path =
            g_strdup_printf ("/security/unpack/%s/%s", codecs[i].name, columns[j].name);
        Cell *cell = g_new0 (Cell, 1);

        *cell = (Cell){ &codecs[i], columns[j].check };
        g_ptr_array_add (cells, cell);
        g_test_add_data_func (path, cell, test_cell);
      }
  g_test_add_func ("/unpack/recognise/heads-that-are-none", test_heads_that_are_none);
  g_test_add_func ("/unpack/recognise/skippable-frames-may-come-first",
                   test_skippable_frames_may_come_first);
  g_test_add_func ("/unpack/cancelled-is-told", test_cancelled);
  g_test_add_func ("/security/unpack/xz/later-version-is-not-supported",
                   xz_of_a_later_version_is_not_supported);
  return g_test_run ();
}
