/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qemu-image.h"

#define KIB 1024u
#define MIB (1024u * 1024)
#define HEADER_1 (64 * KIB)
#define HEADER_2 (128 * KIB)
#define REGIONS (192 * KIB)
#define BLOCKS (1 * MIB)
#define METADATA (2 * MIB)
#define ITEMS (METADATA + 64 * KIB)
#define SIZE (3 * MIB)
#define DISK ((guint64)MIB)

static guint32
crc32c (const guint8 *data, gsize length)
{
  guint32 crc = G_MAXUINT32;

  for (gsize i = 0; i < length * 8; i++)
    {
      guint32 bit = (crc ^ (guint32)(data[i / 8] >> (i % 8))) & 1;

      crc = (crc >> 1) ^ (bit * 0x82f63b78u);
    }
  return ~crc;
}

static void
put_checksum (GByteArray *image, guint at, guint length)
{
  put_le32 (image, at + 4, 0);
  put_le32 (image, at + 4, crc32c (image->data + at, length));
}

static void
put_id (GByteArray *image, guint at, const char *hex)
{
  for (guint i = 0; i < 16; i++)
    image->data[at + i] =
        (guint8)(g_ascii_xdigit_value (hex[2 * i]) * 16 + g_ascii_xdigit_value (hex[2 * i + 1]));
}

static void
put_region (GByteArray *image, guint index, const char *id, guint64 offset, guint32 length)
{
  guint at = REGIONS + 16 + index * 32;

  put_id (image, at, id);
  put_le64 (image, at + 16, offset);
  put_le32 (image, at + 24, length);
  put_le32 (image, at + 28, 1);
  put_le32 (image, REGIONS + 8, MAX (index + 1, image->data[REGIONS + 8]));
  put_checksum (image, REGIONS, 64 * KIB);
}

static void
put_item (GByteArray *image, guint index, const char *id, guint32 offset, guint32 length)
{
  guint at = METADATA + 32 + index * 32;

  put_id (image, at, id);
  put_le32 (image, at + 16, offset);
  put_le32 (image, at + 20, length);
  put_le32 (image, at + 24, 4);
  put_le16 (image, METADATA + 10, (guint16)MAX (index + 1, image->data[METADATA + 10]));
}

#define ID_BLOCKS "6677c22d23f600429d64115e9bfd4a08"
#define ID_METADATA "06a27c8b90479a4bb8fe575f050f886e"
#define ID_PARAMETERS "3767a1ca36fa434db3b633f0aa44e76b"
#define ID_SIZE "2442a52f1bcd7648b2115dbed83bf4b8"
#define ID_DISK "ab12cabee6b2234593efc309e000c746"
#define ID_SECTOR "1dbf41816fa90947ba47f233a8faab5f"
#define ID_PARENT "2d5fd3a80bb34d45abf7d3d84834ab0c"
#define ID_OTHER "00112233445566778899aabbccddeeff"

static void
put_header (GByteArray *image, guint at, guint64 number)
{
  memcpy (image->data + at, "head", 4);
  put_le64 (image, at + 8, number);
  put_le16 (image, at + 66, 1);
  put_checksum (image, at, 4096);
}

/* A disk of 1 MiB. */
static GByteArray *
image_new_vhdx (void)
{
  GByteArray *image = image_new (SIZE);

  memcpy (image->data, "vhdxfile", 8);
  put_header (image, HEADER_1, 4);
  put_header (image, HEADER_2, 3);
  memcpy (image->data + REGIONS, "regi", 4);
  put_region (image, 0, ID_BLOCKS, BLOCKS, MIB);
  put_region (image, 1, ID_METADATA, METADATA, MIB);
  memcpy (image->data + METADATA, "metadata", 8);
  put_item (image, 0, ID_PARAMETERS, 64 * KIB, 8);
  put_item (image, 1, ID_SIZE, 64 * KIB + 8, 8);
  put_item (image, 2, ID_SECTOR, 64 * KIB + 16, 4);
  put_item (image, 3, ID_DISK, 64 * KIB + 32, 16);
  put_le32 (image, ITEMS, MIB);
  put_le64 (image, ITEMS + 8, DISK);
  put_le32 (image, ITEMS + 16, 512);
  return image;
}

static void
good_one_passes (void)
{
  g_autoptr (GByteArray) image = image_new_vhdx ();

  assert_failures (image, "");
  g_assert_cmpstr (format_of (image), ==, "vhdx");
  g_assert_cmpuint (virtual_size_of (image), ==, DISK);
  assert_same_however_fed (image);
}

static void
header_that_counts (void)
{
  g_autoptr (GByteArray) image = image_new_vhdx ();

  /* Of the older header nothing counts. */
  image->data[HEADER_2 + 48] = 1;
  put_checksum (image, HEADER_2, 4096);
  assert_failures (image, "");
  put_header (image, HEADER_2, 5);
  assert_failures (image, "log");
  put_header (image, HEADER_2, 3);
  image->data[HEADER_1 + 4095] ^= 1;
  assert_failures (image, "log");
  image->data[HEADER_2] = 'H';
  assert_failures (image, "header");
  put_header (image, HEADER_1, 4);
  assert_failures (image, "");
  put_le16 (image, HEADER_1 + 66, 2);
  put_checksum (image, HEADER_1, 4096);
  assert_failures (image, "header");
}

static void
regions_are_checked (void)
{
  static const struct
  {
    guint index;
    const char *id;
    guint64 offset;
    guint32 length;
    const char *failures;
  } rows[] = {
    { 0, ID_BLOCKS, MIB, 2 * MIB, "" },
    { 0, ID_BLOCKS, MIB, 3 * MIB, "regions" },
    { 0, ID_BLOCKS, MIB, 0, "regions,metadata" },
    { 0, ID_BLOCKS, MIB, MIB + 1, "regions" },
    { 0, ID_BLOCKS, 0, MIB, "regions" },
    { 0, ID_BLOCKS, MIB + 1, MIB, "regions" },
    { 0, ID_BLOCKS, G_MAXUINT64 - MIB + 1, MIB, "regions" },
    { 0, ID_OTHER, MIB, MIB, "regions,unknown_features,metadata" },
    { 2, ID_OTHER, MIB, MIB, "unknown_features" },
    { 2, ID_BLOCKS, MIB, MIB, "regions" },
    { 2, ID_METADATA, METADATA, MIB, "regions" },
    { 1, ID_METADATA, METADATA, 2 * MIB, "regions" },
    { 1, ID_METADATA, METADATA + 4096, MIB, "regions,metadata" },
    { 1, ID_METADATA, 64 * KIB, MIB, "regions,metadata" },
    { 1, ID_METADATA, SIZE, MIB, "regions,metadata" },
    { 1, ID_METADATA, G_MAXUINT64, MIB, "regions,metadata" },
    { 1, ID_METADATA, G_MAXUINT64 - 70000, MIB, "regions,metadata" },
    { 1, ID_OTHER, METADATA, MIB, "regions,unknown_features,metadata" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_vhdx ();

      put_region (image, rows[i].index, rows[i].id, rows[i].offset, rows[i].length);
      assert_failures (image, rows[i].failures);
    }
}

static void
table_of_regions_is_checked (void)
{
  g_autoptr (GByteArray) image = image_new_vhdx ();

  image->data[REGIONS + 64 * KIB - 1] = 1;
  assert_failures (image, "regions");
  put_le32 (image, REGIONS + 8, G_MAXUINT32);
  put_checksum (image, REGIONS, 64 * KIB);
  assert_failures (image, "");
  image->data[REGIONS] = 'x';
  put_checksum (image, REGIONS, 64 * KIB);
  assert_failures (image, "regions,metadata");
  image->data[REGIONS] = 'r';
  put_region (image, 2, ID_OTHER, MIB, MIB);
  put_le32 (image, REGIONS + 16 + 2 * 32 + 28, 0); /* it may be ignored */
  put_checksum (image, REGIONS, 64 * KIB);
  assert_failures (image, "");
}

static void
items_are_checked (void)
{
  static const struct
  {
    guint index;
    const char *id;
    guint32 offset;
    guint32 length;
    const char *failures;
  } rows[] = {
    { 0, ID_PARAMETERS, 64 * KIB, 7, "metadata" },
    { 0, ID_PARAMETERS, 64 * KIB - 1, 8, "metadata" },
    { 0, ID_PARAMETERS, MIB - 7, 8, "metadata" },
    { 0, ID_PARAMETERS, G_MAXUINT32, 8, "metadata" },
    /* Over another one: at the same place, its begin, its end. */
    { 0, ID_PARAMETERS, 64 * KIB + 8, 8, "metadata" },
    { 0, ID_PARAMETERS, 64 * KIB + 1, 8, "metadata" },
    { 2, ID_SECTOR, 64 * KIB + 15, 4, "metadata" },
    { 0, ID_OTHER, 64 * KIB, 8, "unknown_features,metadata" },
    { 1, ID_SIZE, 64 * KIB + 8, 4, "metadata" },
    { 1, ID_OTHER, 64 * KIB + 8, 8, "unknown_features,metadata" },
    { 2, ID_SECTOR, 0, 4, "metadata" },
    { 4, ID_SIZE, 64 * KIB + 8, 8, "metadata" },
    { 4, ID_OTHER, 64 * KIB, 8, "unknown_features" },
    { 4, ID_PARENT, 64 * KIB + 64, 8, "parent" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_vhdx ();

      put_item (image, rows[i].index, rows[i].id, rows[i].offset, rows[i].length);
      assert_failures (image, rows[i].failures);
    }
}

/* Wherever in the region, in whatever order. */
static void
items_may_lie_anywhere (void)
{
  static const guint orders[][3] = {
    { 64 * KIB + 8, 64 * KIB, 64 * KIB + 16 },   { MIB - 8, 64 * KIB, 512 * KIB },
    { 64 * KIB, MIB - 8, 128 * KIB + 64 },       { 300 * KIB + 1, 200 * KIB + 3, MIB - 4 },
    { 512 * KIB, 512 * KIB + 8, 512 * KIB - 4 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      g_autoptr (GByteArray) image = image_new_vhdx ();

      memset (image->data + ITEMS, 0, 20);
      put_item (image, 0, ID_PARAMETERS, orders[i][0], 8);
      put_item (image, 1, ID_SIZE, orders[i][1], 8);
      put_item (image, 2, ID_SECTOR, orders[i][2], 4);
      put_le32 (image, METADATA + orders[i][0], MIB);
      put_le64 (image, METADATA + orders[i][1], DISK);
      put_le32 (image, METADATA + orders[i][2], 512);
      assert_failures (image, "");
      g_assert_cmpuint (virtual_size_of (image), ==, DISK);
      if (i == 3)
        assert_same_however_fed (image);
    }
}

static void
values_are_checked (void)
{
  static const struct
  {
    guint at;
    guint64 value;
    const char *failures;
  } rows[] = {
    { 0, 1 * MIB | G_GUINT64_CONSTANT (1) << 32, "" },
    { 0, 1 * MIB | G_GUINT64_CONSTANT (2) << 32, "parent" },
    { 0, 256 * MIB, "" },
    { 0, 512 * MIB, "metadata" },
    { 0, MIB / 2, "metadata" },
    { 0, 3 * MIB, "metadata" },
    { 0, 0, "metadata" },
    { 8, 0, "virtual_size" },
    { 8, 511, "virtual_size,metadata" },
    /* 1 MiB of entries of 8 bytes, one of each 4097 for a chunk's bitmap. */
    { 8, G_GUINT64_CONSTANT (131041) * MIB, "" },
    { 8, G_GUINT64_CONSTANT (131042) * MIB, "metadata" },
    { 8, (G_GUINT64_CONSTANT (1) << 44) + MIB, "metadata" }, /* 1 MiB in 32 bits */
    { 8, (G_GUINT64_CONSTANT (1) << 62) + MIB, "virtual_size,metadata" },
    { 8, G_GUINT64_CONSTANT (1) << 63, "virtual_size,metadata" },
    { 8, G_MAXUINT64, "virtual_size,metadata" },
    { 16, 4096, "" },
    { 16, 1024, "metadata" },
    { 16, 0, "metadata" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_vhdx ();

      put_le64 (image, ITEMS + rows[i].at, rows[i].value);
      assert_failures (image, rows[i].failures);
    }
}

static void
metadata_that_is_none_fails (void)
{
  g_autoptr (GByteArray) image = image_new_vhdx ();

  put_le16 (image, METADATA + 10, G_MAXUINT16);
  assert_failures (image, "");
  image->data[METADATA] = 'M';
  assert_failures (image, "metadata");
}

static void
torn_one_is_no_raw_one (void)
{
  static const guint lengths[] = { 8,        511,          65535,  65536,      65537,
                                   HEADER_2, REGIONS,      262143, 262144,     MIB,
                                   METADATA, METADATA + 1, ITEMS,  ITEMS + 19, SIZE - 1 };
  g_autoptr (GByteArray) image = image_new_vhdx ();

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      GByteArray cut = { image->data, lengths[i] };
      g_autofree char *expected = feed_in_chunks (&cut, lengths[i]);
      g_autofree char *other = feed_in_chunks (&cut, 0);

      g_assert_cmpstr (other, ==, expected);
      assert_failures (&cut, lengths[i] < 262144       ? "truncated"
                             : lengths[i] < ITEMS + 20 ? "regions,metadata"
                                                       : "regions");
    }
  g_byte_array_set_size (image, 7);
  assert_failures (image, "raw");
}

static const QemuRow real_rows[] = {
  { "dynamic", "vhdx", "image 8M", "", FALSE },
  { "dynamic/large", "vhdx", "image 60T", "", FALSE },
  { "dynamic/blocks", "vhdx", "-o block_size=1M image 5G", "", FALSE },
  { "fixed", "vhdx", "-o subformat=fixed image 8M", "", FALSE },
  { "data", "vhdx", "base image", "", TRUE },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/vhdx/good-one-passes", good_one_passes);
  g_test_add_func ("/inspect/vhdx/header-that-counts", header_that_counts);
  g_test_add_func ("/inspect/vhdx/C36/regions-are-checked", regions_are_checked);
  g_test_add_func ("/inspect/vhdx/C36/table-of-regions-is-checked", table_of_regions_is_checked);
  g_test_add_func ("/inspect/vhdx/C36/items-are-checked", items_are_checked);
  g_test_add_func ("/inspect/vhdx/items-may-lie-anywhere", items_may_lie_anywhere);
  g_test_add_func ("/inspect/vhdx/C38/values-are-checked", values_are_checked);
  g_test_add_func ("/inspect/vhdx/C36/metadata-that-is-none-fails", metadata_that_is_none_fails);
  g_test_add_func ("/inspect/vhdx/C36/torn-one-is-no-raw-one", torn_one_is_no_raw_one);
  qemu_add_tests ("/inspect/vhdx/real", real_rows, G_N_ELEMENTS (real_rows));
  return g_test_run ();
}
