/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "stream/stream-private.h"

#include "imgimport-config.h"

#if HAVE_LIBCRYPTO
#include <openssl/evp.h>
#endif

/* By the names of hashlib: what libcrypto's default provider has of a fixed length. */
static const struct
{
  const char *name;
  const char *evp_name;
  int checksum; /* a GChecksumType, -1 where GLib has none */
} algorithms[] = {
  { "md5", "MD5", G_CHECKSUM_MD5 },
  { "sha1", "SHA1", G_CHECKSUM_SHA1 },
  { "sha224", "SHA2-224", -1 },
  { "sha256", "SHA2-256", G_CHECKSUM_SHA256 },
  { "sha384", "SHA2-384", G_CHECKSUM_SHA384 },
  { "sha512", "SHA2-512", G_CHECKSUM_SHA512 },
  { "sha512_224", "SHA2-512/224", -1 },
  { "sha512_256", "SHA2-512/256", -1 },
  { "sha3_224", "SHA3-224", -1 },
  { "sha3_256", "SHA3-256", -1 },
  { "sha3_384", "SHA3-384", -1 },
  { "sha3_512", "SHA3-512", -1 },
  { "blake2b", "BLAKE2B-512", -1 },
  { "blake2s", "BLAKE2S-256", -1 },
  { "ripemd160", "RIPEMD-160", -1 },
  { "sm3", "SM3", -1 },
  { "md5-sha1", "MD5-SHA1", -1 },
};

struct _ImgImportDigest
{
#if HAVE_LIBCRYPTO
  EVP_MD *md;
  EVP_MD_CTX *context;
#else
  GChecksum *checksum;
#endif
  gboolean finished;
};

#if HAVE_LIBCRYPTO

static gboolean
digest_open (ImgImportDigest *self, gsize index)
{
  /* A policy such as FIPS may have taken an algorithm away from this process. */
  self->md = EVP_MD_fetch (NULL, algorithms[index].evp_name, NULL);
  self->context = EVP_MD_CTX_new ();
  return self->md != NULL && self->context != NULL &&
         EVP_DigestInit_ex2 (self->context, self->md, NULL) == 1;
}

static gboolean
digest_feed (ImgImportDigest *self, const void *data, gsize length)
{
  return EVP_DigestUpdate (self->context, data, length) == 1;
}

static char *
digest_close (ImgImportDigest *self)
{
  guint8 value[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  GString *hex;

  if (EVP_DigestFinal_ex (self->context, value, &length) != 1)
    return NULL;
  hex = g_string_sized_new ((gsize)length * 2);
  for (guint i = 0; i < length; i++)
    g_string_append_printf (hex, "%02x", value[i]);
  return g_string_free (hex, FALSE);
}

static void
digest_drop (ImgImportDigest *self)
{
  EVP_MD_CTX_free (self->context);
  EVP_MD_free (self->md);
}

#else

static gboolean
digest_open (ImgImportDigest *self, gsize index)
{
  if (algorithms[index].checksum < 0)
    return FALSE;
  self->checksum = g_checksum_new ((GChecksumType)algorithms[index].checksum);
  return TRUE;
}

static gboolean
digest_feed (ImgImportDigest *self, const void *data, gsize length)
{
  g_checksum_update (self->checksum, data, (gssize)length);
  return TRUE;
}

static char *
digest_close (ImgImportDigest *self)
{
  return g_strdup (g_checksum_get_string (self->checksum));
}

static void
digest_drop (ImgImportDigest *self)
{
  g_clear_pointer (&self->checksum, g_checksum_free);
}

#endif

gboolean
_imgimport_digest_is_known (const char *algorithm)
{
  g_autoptr (ImgImportDigest) digest = _imgimport_digest_new (algorithm, NULL);

  return digest != NULL;
}

ImgImportDigest *
_imgimport_digest_new (const char *algorithm, GError **error)
{
  g_autoptr (ImgImportDigest) self = g_new0 (ImgImportDigest, 1);

  for (gsize i = 0; i < G_N_ELEMENTS (algorithms); i++)
    {
      if (strcmp (algorithms[i].name, algorithm) == 0 && digest_open (self, i))
        return g_steal_pointer (&self);
    }
  _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "digest-unknown",
                        "digest “%s” is not available", algorithm);
  return NULL;
}

static gboolean
fail (GError **error)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_FAILED, "digest-failed",
                        "the digest cannot be computed");
  return FALSE;
}

gboolean
_imgimport_digest_update (ImgImportDigest *self, const void *data, gsize length, GError **error)
{
  if (self->finished || !digest_feed (self, data, length))
    return fail (error);
  return TRUE;
}

gboolean
_imgimport_digest_update_zeros (ImgImportDigest *self, guint64 length, GError **error)
{
  /* Small enough to stay in the fastest cache. */
  static const guint8 zeros[16 * 1024];

  while (length > 0)
    {
      gsize piece = (gsize)MIN (length, sizeof zeros);

      if (!_imgimport_digest_update (self, zeros, piece, error))
        return FALSE;
      length -= piece;
    }
  return TRUE;
}

char *
_imgimport_digest_finish (ImgImportDigest *self, GError **error)
{
  char *value = self->finished ? NULL : digest_close (self);

  self->finished = TRUE;
  if (value == NULL)
    fail (error);
  return value;
}

gboolean
_imgimport_digest_verify (ImgImportDigest *self, const char *expected, GError **error)
{
  g_autofree char *found = _imgimport_digest_finish (self, error);

  if (found == NULL || g_str_equal (found, expected))
    return found != NULL;
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "digest-mismatch",
                        "the stored bytes have the digest %s, the record says %s", found, expected);
  return FALSE;
}

void
_imgimport_digest_free (ImgImportDigest *self)
{
  if (self == NULL)
    return;
  digest_drop (self);
  g_free (self);
}
