/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/stream-private.h"

#include "imgimport-config.h"

typedef struct
{
  const char *algorithm;
  gboolean in_glib;
  const char *of_abc;
} Answer;

static const Answer answers[] = {
  { "md5", TRUE, "900150983cd24fb0d6963f7d28e17f72" },
  { "sha1", TRUE, "a9993e364706816aba3e25717850c26c9cd0d89d" },
  { "sha224", FALSE, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7" },
  { "sha256", TRUE, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
  { "sha384", TRUE,
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c8"
    "25a7" },
  { "sha512", TRUE,
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fe"
    "ebbd454d4423643ce80e2a9ac94fa54ca49f" },
  { "sha512_224", FALSE, "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa" },
  { "sha512_256", FALSE, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23" },
  { "sha3_224", FALSE, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf" },
  { "sha3_256", FALSE, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532" },
  { "sha3_384", FALSE,
    "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf22837"
    "6d25" },
  { "sha3_512", FALSE,
    "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3"
    "934057340b4cf408d5a56592f8274eec53f0" },
  { "blake2b", FALSE,
    "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533"
    "cc9518d38aa8dbf1925ab92386edd4009923" },
  { "blake2s", FALSE, "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982" },
  { "ripemd160", FALSE, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc" },
  { "sm3", FALSE, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" },
  { "md5-sha1", FALSE, "900150983cd24fb0d6963f7d28e17f72a9993e364706816aba3e25717850c26c9cd0d89d" },
};

static void
known_answer (gconstpointer data)
{
  const Answer *answer = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportDigest) digest = NULL;
  g_autofree char *value = NULL;

  if (!_imgimport_digest_is_known (answer->algorithm))
    {
      g_assert_true (!HAVE_LIBCRYPTO && !answer->in_glib);
      return;
    }
  digest = _imgimport_digest_new (answer->algorithm, &error);
  g_assert_no_error (error);
  g_assert_true (_imgimport_digest_update (digest, "a", 1, &error));
  g_assert_true (_imgimport_digest_update (digest, "", 0, &error));
  g_assert_true (_imgimport_digest_update (digest, "bc", 2, &error));
  value = _imgimport_digest_finish (digest, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (value, ==, answer->of_abc);
}

static void
unknown_name_is_refused (void)
{
  static const char *const names[] = { "", "MD5", "sha-256", "SHA2-256", "shake_128", "md5 " };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ImgImportDigest) digest = _imgimport_digest_new (names[i], &error);

      g_assert_null (digest);
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_SUPPORTED);
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, "digest-unknown");
      g_assert_false (_imgimport_digest_is_known (names[i]));
    }
}

static void
finished_digest_takes_no_more (void)
{
  g_autoptr (ImgImportDigest) digest = _imgimport_digest_new ("sha256", NULL);
  g_autofree char *value = _imgimport_digest_finish (digest, NULL);
  g_autoptr (GError) update = NULL;
  g_autoptr (GError) again = NULL;

  g_assert_cmpstr (value, ==, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  g_assert_false (_imgimport_digest_update (digest, "a", 1, &update));
  g_assert_cmpstr (imgimport_error_get_reason (update), ==, "digest-failed");
  g_assert_null (_imgimport_digest_finish (digest, &again));
  g_assert_cmpstr (imgimport_error_get_reason (again), ==, "digest-failed");
}

/* 2^32 + 1 zeros: one byte more than a counter of 32 bits holds. */
static void
more_than_32_bits_are_counted (void)
{
  g_autoptr (ImgImportDigest) digest = _imgimport_digest_new ("md5", NULL);
  g_autofree guint8 *zeros = g_malloc0 (IMGIMPORT_BUFFER_SIZE);
  g_autofree char *value = NULL;

  for (guint i = 0; i < (G_GUINT64_CONSTANT (1) << 32) / IMGIMPORT_BUFFER_SIZE; i++)
    g_assert_true (_imgimport_digest_update (digest, zeros, IMGIMPORT_BUFFER_SIZE, NULL));
  g_assert_true (_imgimport_digest_update (digest, zeros, 1, NULL));
  value = _imgimport_digest_finish (digest, NULL);
  g_assert_cmpstr (value, ==, "f18c798ff5d450dfe4d3acdc12b621ff");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autofree char *path = g_strdup_printf ("/digest/known-answer/%s", answers[i].algorithm);

      g_test_add_data_func (path, &answers[i], known_answer);
    }
  g_test_add_func ("/digest/unknown-name-is-refused", unknown_name_is_refused);
  g_test_add_func ("/digest/finished-digest-takes-no-more", finished_digest_takes_no_more);
  if (g_getenv ("IMGIMPORT_TEST_LONG") != NULL) /* takes seconds */
    g_test_add_func ("/digest/D47/more-than-32-bits-are-counted", more_than_32_bits_are_counted);
  return g_test_run ();
}
