/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect-feed.h"

#include "shell.h"

#define DATA 4096u /* where the data of version 1 begins */
#define SIZE (DATA + 1024u)

/* One enabled slot, with its material at 1024, and 1024 bytes of data. */
static GByteArray *
image_new_luks1 (void)
{
  GByteArray *image = image_new (SIZE);

  memcpy (image->data, "LUKS\xba\xbe\0\1", 8);
  memcpy (image->data + 8, "aes", 3);
  memcpy (image->data + 40, "xts-plain64", 11);
  memcpy (image->data + 72, "sha256", 6);
  put_be32 (image, 104, DATA / 512);
  put_be32 (image, 108, 64);
  put_be32 (image, 164, 1000);
  for (guint slot = 0; slot < 8; slot++)
    put_be32 (image, 208 + slot * 48, slot == 0 ? 0x00ac71f3 : 0x0000dead);
  put_be32 (image, 208 + 40, 2);
  put_be32 (image, 208 + 44, 40);
  return image;
}

static void
version_1_passes (void)
{
  g_autoptr (GByteArray) image = image_new_luks1 ();

  assert_failures (image, "");
  g_assert_cmpstr (format_of (image), ==, "luks");
  g_assert_cmpuint (virtual_size_of (image), ==, 1024);
  assert_same_however_fed (image);
}

/* Each row lies in one 32-bit field. */
static void
lies_of_version_1_fail (void)
{
  static const struct
  {
    guint at;
    guint32 value;
    const char *failures;
    const char *reason;
  } rows[] = {
    { 4, 0xbabe0000, "version", "version 0" },
    { 4, 0xbabe0003, "version", "version 3" },
    { 4, 0xbabeffff, "version", "version 65535" },
    { 8, 0, "header", "no word" },
    { 8, 0x61ff0000, "header", "no word" },
    { 40, 0x20616263, "header", "no word" },
    { 72, 0, "header", "no word" },
    { 104, 0, "payload", "header is alone" },
    { 104, SIZE / 512 + 1, "payload", "leaves the file" },
    { 104, G_MAXUINT32, "payload", "leaves the file" },
    { 104, SIZE / 512, "virtual_size", "is empty" },
    { 108, 0, "header", "0 bytes" },
    { 108, 513, "header", "513 bytes" },
    { 108, G_MAXUINT32, "header", "bytes" },
    { 164, 0, "header", "no iteration" },
    { 208, 1, "header", "slot 0 is neither" },
    { 208 + 7 * 48, 0, "header", "slot 7 is neither" },
    { 208 + 40, 1, "header", "slot 0 is empty or lies over" },
    { 208 + 44, 0, "header", "slot 0 is empty or lies over" },
    { 208 + 40, G_MAXUINT32, "header", "leaves the file" },
    { 208 + 44, G_MAXUINT32, "header", "leaves the file" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GByteArray) image = image_new_luks1 ();

      put_be32 (image, rows[i].at, rows[i].value);
      assert_failures (image, rows[i].failures);
      assert_reason (image, rows[i].failures, rows[i].reason);
    }
}

static void
words_end_within_their_field (void)
{
  g_autoptr (GByteArray) image = image_new_luks1 ();

  memset (image->data + 40, 'x', 31);
  assert_failures (image, "");
  image->data[71] = 'x';
  assert_failures (image, "header");
}

static void
cut_off_version_1_fails (void)
{
  g_autoptr (GByteArray) image = image_new_luks1 ();
  GByteArray magic = { image->data, 6 };
  GByteArray less = { image->data, 5 };

  assert_failures (&magic, "truncated");
  assert_failures (&less, "raw");
  assert_cut_anywhere (image, 6, 1, DATA + 512);
}

/* ---- as others make it ----------------------------------------------------------------------- */

static void
cryptsetup_passes (gconstpointer data)
{
  const char *version = data;
  g_autofree char *script = g_strdup_printf (
      "truncate -s 20M image; printf secret | cryptsetup luksFormat --batch-mode --type luks%s "
      "--pbkdf pbkdf2 --pbkdf-force-iterations 1000 image -",
      version);
  g_autoptr (GByteArray) image = shell_image ("cryptsetup", script);

  if (image == NULL)
    return;
  assert_failures (image, "");
  g_assert_cmpstr (format_of (image), ==, "luks");
  g_assert_cmpuint (virtual_size_of (image), ==, (*version == '1' ? 18 : 4) * 1024 * 1024);
}

static void
detached_header_fails (void)
{
  g_autoptr (GByteArray) image = shell_image (
      "cryptsetup",
      "truncate -s 20M disk; printf secret | cryptsetup luksFormat --batch-mode --type luks1 "
      "--pbkdf-force-iterations 1000 --header image disk -");

  if (image != NULL)
    assert_failures (image, "payload");
}

/* On a busy machine qemu-img may fail to measure how long a key's derivation takes. */
static void
qemu_img_agrees (void)
{
  g_autoptr (GByteArray) image =
      shell_image ("qemu-img", "n=0; until qemu-img create -q -f luks --object secret,id=s,data=x "
                               "-o key-secret=s,iter-time=$((10 + 10 * n)) image 1M; "
                               "do n=$((n + 1)); test $n -lt 20; done");

  if (image == NULL)
    return;
  assert_failures (image, "");
  g_assert_cmpuint (virtual_size_of (image), ==, 1024 * 1024);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/luks/J21/version-1-passes", version_1_passes);
  g_test_add_func ("/inspect/luks/C38/lies-of-version-1-fail", lies_of_version_1_fail);
  g_test_add_func ("/inspect/luks/words-end-within-their-field", words_end_within_their_field);
  g_test_add_func ("/inspect/luks/cut-off-version-1-fails", cut_off_version_1_fails);
  g_test_add_data_func ("/inspect/luks/J01/cryptsetup-1-passes", "1", cryptsetup_passes);
  g_test_add_data_func ("/inspect/luks/cryptsetup-2-passes", "2", cryptsetup_passes);
  g_test_add_func ("/inspect/luks/detached-header-fails", detached_header_fails);
  g_test_add_func ("/inspect/luks/J01/qemu-img-agrees", qemu_img_agrees);
  return g_test_run ();
}
