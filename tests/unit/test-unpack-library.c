/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Libraries that answer what they seldom or never do: the linker puts these functions before
 * theirs.
 */

#include "packed.h"

#include "stream/stream-private.h"

#include "imgimport-config.h"

#include <archive.h>
#include <lzma.h>

#if HAVE_LIBCRYPTO
#include <openssl/evp.h>
#endif

/* More than a supply keeps of what was taken from it, and than it holds at once. */
#define LARGE ((gsize)3 * 1024 * 1024)

static const ImgImportUnpackLimits limits = IMGIMPORT_UNPACK_LIMITS_INIT;

/* ---- what is called in their place ------------------------------------------------------------
 */

typedef enum
{
  FAULT_NONE,
  FAULT_NO_FILTER,
  FAULT_GAP,
  FAULT_POSITION,
  FAULT_NO_MEMORY,
  FAULT_DIGEST,
} Fault;

static Fault fault;

int __real_archive_read_append_filter (struct archive *archive, int code);
int __wrap_archive_read_append_filter (struct archive *archive, int code);
int __real_archive_read_data_block (struct archive *archive, const void **data, size_t *size,
                                    la_int64_t *offset);
int __wrap_archive_read_data_block (struct archive *archive, const void **data, size_t *size,
                                    la_int64_t *offset);
la_int64_t __real_archive_filter_bytes (struct archive *archive, int n);
la_int64_t __wrap_archive_filter_bytes (struct archive *archive, int n);
lzma_ret __real_lzma_stream_decoder (lzma_stream *stream, uint64_t memlimit, uint32_t flags);
lzma_ret __wrap_lzma_stream_decoder (lzma_stream *stream, uint64_t memlimit, uint32_t flags);

/* As a libarchive that was built without the codec, and runs a program in its place. */
int
__wrap_archive_read_append_filter (struct archive *archive, int code)
{
  return fault == FAULT_NO_FILTER ? ARCHIVE_WARN
                                  : __real_archive_read_append_filter (archive, code);
}

int
__wrap_archive_read_data_block (struct archive *archive, const void **data, size_t *size,
                                la_int64_t *offset)
{
  int code = __real_archive_read_data_block (archive, data, size, offset);

  if (fault == FAULT_GAP)
    *offset += 512;
  return code;
}

/* Far before what is kept of the bytes that were taken. */
la_int64_t
__wrap_archive_filter_bytes (struct archive *archive, int n)
{
  return fault == FAULT_POSITION ? 0 : __real_archive_filter_bytes (archive, n);
}

lzma_ret
__wrap_lzma_stream_decoder (lzma_stream *stream, uint64_t memlimit, uint32_t flags)
{
  return fault == FAULT_NO_MEMORY ? LZMA_MEM_ERROR
                                  : __real_lzma_stream_decoder (stream, memlimit, flags);
}

#if HAVE_LIBCRYPTO
int __real_EVP_DigestFinal_ex (EVP_MD_CTX *context, unsigned char *value, unsigned int *length);
int __wrap_EVP_DigestFinal_ex (EVP_MD_CTX *context, unsigned char *value, unsigned int *length);

int
__wrap_EVP_DigestFinal_ex (EVP_MD_CTX *context, unsigned char *value, unsigned int *length)
{
  return fault == FAULT_DIGEST ? 0 : __real_EVP_DigestFinal_ex (context, value, length);
}
#endif

/* ---- what becomes of it -----------------------------------------------------------------------
 */

static GBytes *
pack_disk (const char *program)
{
  const char *const argv[] = { program, "-c", NULL };
  g_autoptr (GBytes) disk = make_payload (IMGIMPORT_PACKING_HEAD + 1);

  return pack (argv, disk);
}

static void
assert_fails (const char *program, Fault which, const char *reason)
{
  g_autoptr (GBytes) packed = pack_disk (program);

  if (packed == NULL)
    return;
  fault = which;
  assert_unpacks (packed, &limits, NULL, reason);
  fault = FAULT_NONE;
}

static void
codec_that_libarchive_lacks (void)
{
  assert_fails ("bzip2", FAULT_NO_FILTER, "unpack-unsupported");
}

static void
data_with_a_gap (void)
{
  assert_fails ("bzip2", FAULT_GAP, "unpack-member");
}

/* So much was taken that it is not kept, and libarchive says that it is not done with it. */
static void
end_that_cannot_be_told (void)
{
  const char *const argv[] = { "bzip2", "-c", NULL };
  g_autofree guint8 *data = g_malloc (LARGE);
  g_autoptr (GBytes) disk = NULL;
  g_autoptr (GBytes) packed = NULL;

  for (gsize i = 0; i < LARGE; i++)
    data[i] = (guint8)g_test_rand_int ();
  disk = g_bytes_new_take (g_steal_pointer (&data), LARGE);
  packed = pack (argv, disk);
  if (packed == NULL)
    return;
  fault = FAULT_POSITION;
  assert_unpacks (packed, &limits, NULL, "unpack-corrupt");
  fault = FAULT_NONE;
}

static void
memory_that_is_not_there (void)
{
  assert_fails ("xz", FAULT_NO_MEMORY, "resources-exhausted");
}

static void
digest_that_cannot_be_made (void)
{
#if HAVE_LIBCRYPTO
  g_autoptr (ImgImportDigest) digest = _imgimport_digest_new ("sha256", NULL);
  g_autoptr (GError) error = NULL;

  fault = FAULT_DIGEST;
  g_assert_null (_imgimport_digest_finish (digest, &error));
  fault = FAULT_NONE;
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_FAILED);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "digest-failed");
#else
  g_test_skip ("digests are GLib's, which cannot fail");
#endif
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/unpack/library/codec-that-libarchive-lacks", codec_that_libarchive_lacks);
  g_test_add_func ("/unpack/library/data-with-a-gap", data_with_a_gap);
  g_test_add_func ("/unpack/library/end-that-cannot-be-told", end_that_cannot_be_told);
  g_test_add_func ("/unpack/library/memory-that-is-not-there", memory_that_is_not_there);
  g_test_add_func ("/unpack/library/digest-that-cannot-be-made", digest_that_cannot_be_made);
  return g_test_run ();
}
