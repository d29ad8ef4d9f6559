/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <unistd.h>

#include "images.h"

/* What is said of bytes that are fed at once. */
static ImgImportInspection *
inspection_new (const GByteArray *image)
{
  g_autoptr (ImgImportInspector) inspector = imgimport_inspector_new ();

  imgimport_inspector_feed (inspector, image->data, image->len);
  return imgimport_inspector_finish (inspector);
}

static GByteArray *
polyglot_new (void)
{
  GByteArray *image = image_new_qcow2 (3, 100000);

  memcpy (image->data + 510, "\x55\xaa", 2);
  return image;
}

static void
assert_same (ImgImportInspection *inspection, ImgImportInspection *other)
{
  g_autofree char *text = imgimport_inspection_to_json (inspection);
  g_autofree char *other_text = imgimport_inspection_to_json (other);

  g_assert_cmpstr (text, ==, other_text);
}

/* ---- what it tells -----------------------------------------------------------------------------
 */

static void
one_match_tells_its_format (void)
{
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);
  g_autoptr (ImgImportInspection) inspection = NULL;
  g_auto (GStrv) formats = NULL;
  g_auto (GStrv) checks = NULL;
  g_auto (GStrv) none = NULL;

  put_be64 (image, 8, 4096);
  inspection = inspection_new (image);
  formats = imgimport_inspection_dup_formats (inspection);
  checks = imgimport_inspection_dup_checks (inspection, "qcow2");
  none = imgimport_inspection_dup_checks (inspection, "gpt");
  g_assert_cmpuint (imgimport_inspection_get_size (inspection), ==, 70000);
  g_assert_cmpstr (imgimport_inspection_get_format (inspection), ==, "qcow2");
  g_assert_cmpuint (imgimport_inspection_get_virtual_size (inspection), ==, 1 << 30);
  g_assert_cmpstr (formats[0], ==, "qcow2");
  g_assert_null (formats[1]);
  g_assert_true (g_strv_contains ((const char *const *)checks, "header"));
  g_assert_null (none[0]);
  g_assert_nonnull (imgimport_inspection_get_fault (inspection, "qcow2", "backing_file"));
  g_assert_null (imgimport_inspection_get_fault (inspection, "qcow2", "header"));
  g_assert_null (imgimport_inspection_get_fault (inspection, "qcow2", "mbr"));
  g_assert_null (imgimport_inspection_get_fault (inspection, "gpt", "mbr"));
}

static void
no_match_is_raw (void)
{
  g_autoptr (GByteArray) image = image_new (1000);
  g_autoptr (ImgImportInspection) inspection = inspection_new (image);
  g_auto (GStrv) formats = imgimport_inspection_dup_formats (inspection);

  g_assert_cmpstr (imgimport_inspection_get_format (inspection), ==, "raw");
  g_assert_cmpuint (imgimport_inspection_get_virtual_size (inspection), ==, 1000);
  g_assert_null (formats[0]);
}

static void
polyglot_tells_all_matches (void)
{
  g_autoptr (GByteArray) image = polyglot_new ();
  g_autoptr (ImgImportInspection) inspection = inspection_new (image);
  g_auto (GStrv) formats = imgimport_inspection_dup_formats (inspection);

  g_assert_null (imgimport_inspection_get_format (inspection));
  g_assert_cmpuint (imgimport_inspection_get_virtual_size (inspection), ==, IMGIMPORT_SIZE_UNKNOWN);
  g_assert_cmpuint (g_strv_length (formats), ==, 2);
}

static void
inspection_survives_json (void)
{
  g_autoptr (GByteArray) image = polyglot_new ();
  g_autoptr (ImgImportInspection) inspection = inspection_new (image);
  g_autofree char *text = imgimport_inspection_to_json (inspection);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportInspection) read = imgimport_inspection_new_from_json (text, &error);

  g_assert_no_error (error);
  assert_same (read, inspection);
  g_assert_null (imgimport_inspection_new_from_json ("{", &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (imgimport_inspection_new_from_json ("{\"size\":1}", &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
}

static void
verdict_is_that_of_an_import (void)
{
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);
  g_autoptr (ImgImportInspection) inspection = inspection_new (image);
  g_autoptr (ImgImportFormatPolicy) policy = policy_new ("{'max_virtual_size': 1000}");
  g_autoptr (GError) error = NULL;
  const char *format = "";
  guint64 virtual_size = 0;

  g_assert_true (imgimport_inspection_judge (inspection, NULL, "qcow2", "bare", &format,
                                             &virtual_size, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (format, ==, "qcow2");
  g_assert_cmpuint (virtual_size, ==, 1 << 30);
  g_assert_true (imgimport_inspection_judge (inspection, NULL, NULL, NULL, NULL, NULL, NULL));
  g_assert_true (
      imgimport_inspection_judge (inspection, NULL, "vmdk", "ova", &format, &virtual_size, NULL));
  g_assert_null (format);
  g_assert_cmpuint (virtual_size, ==, IMGIMPORT_SIZE_UNKNOWN);
  g_assert_false (
      imgimport_inspection_judge (inspection, policy, "qcow2", "bare", NULL, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_LIMIT);
}

/* ---- where the bytes come from -----------------------------------------------------------------
 */

/* A file that is removed, and its descriptor. */
static int
file_new (const GByteArray *image)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("imgimport-XXXXXX", &path, &error);

  g_assert_no_error (error);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (write (fd, image->data, image->len), ==, image->len);
  return fd;
}

static const guint sizes[] = { 0, 1, 511, 4095, 4096, 65535, 65536, 65537, 69632, 69633, 300000 };

static void
descriptor_and_stream_tell_what_feeding_does (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GByteArray) image = image_new_gpt (sizes[i]);
      g_autoptr (ImgImportInspection) fed = inspection_new (image);
      g_autoptr (GInputStream) stream =
          g_memory_input_stream_new_from_data (image->data, (gssize)image->len, NULL);
      g_autoptr (GInputStream) source =
          g_memory_input_stream_new_from_data (image->data, (gssize)image->len, NULL);
      g_autoptr (GConverter) copier = G_CONVERTER (g_charset_converter_new ("L1", "L1", NULL));
      g_autoptr (GInputStream) unseekable = g_converter_input_stream_new (source, copier);
      g_autoptr (GError) error = NULL;
      g_auto (ImgImportFd) fd = file_new (image);
      g_autoptr (ImgImportInspection) of_fd = imgimport_inspection_new_from_fd (fd, NULL, &error);
      g_autoptr (ImgImportInspection) of_stream = NULL;
      g_autoptr (ImgImportInspection) of_unseekable = NULL;

      g_assert_no_error (error);
      of_stream = imgimport_inspection_new_from_stream (stream, NULL, &error);
      g_assert_no_error (error);
      of_unseekable = imgimport_inspection_new_from_stream (unseekable, NULL, &error);
      g_assert_no_error (error);
      assert_same (of_fd, fed);
      assert_same (of_stream, fed);
      assert_same (of_unseekable, fed);
      g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, image->len);
    }
}

static void
file_of_any_size_is_inspected_at_once (void)
{
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 70000);
  g_auto (ImgImportFd) fd = file_new (image);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportInspection) inspection = NULL;

  g_assert_cmpint (ftruncate (fd, G_GINT64_CONSTANT (1) << 40), ==, 0);
  inspection = imgimport_inspection_new_from_fd (fd, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (imgimport_inspection_get_size (inspection), ==, G_GUINT64_CONSTANT (1) << 40);
  g_assert_cmpstr (imgimport_inspection_get_format (inspection), ==, "qcow2");
}

static void
stream_is_read_from_its_position (void)
{
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 100000);
  g_autoptr (GByteArray) whole = image_new (777);
  g_autoptr (ImgImportInspection) fed = inspection_new (image);
  g_autoptr (ImgImportInspection) inspection = NULL;
  g_autoptr (GInputStream) stream = NULL;

  g_byte_array_append (whole, image->data, image->len);
  stream = g_memory_input_stream_new_from_data (whole->data, (gssize)whole->len, NULL);
  g_assert_true (g_seekable_seek (G_SEEKABLE (stream), 777, G_SEEK_SET, NULL, NULL));
  inspection = imgimport_inspection_new_from_stream (stream, NULL, NULL);
  assert_same (inspection, fed);
}

static void
pipe_is_read_to_its_end (void)
{
  g_autoptr (GByteArray) image = image_new_qcow2 (3, 5000);
  g_autoptr (ImgImportInspection) fed = inspection_new (image);
  g_autoptr (ImgImportInspection) inspection = NULL;
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  g_assert_cmpint (write (fds[1], image->data, image->len), ==, image->len);
  close (fds[1]);
  inspection = imgimport_inspection_new_from_fd (fds[0], NULL, NULL);
  close (fds[0]);
  assert_same (inspection, fed);
}

/* ---- faults ------------------------------------------------------------------------------------
 */

static void
assert_fd_fails (int fd, GCancellable *cancellable, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (imgimport_inspection_new_from_fd (fd, cancellable, &error));
  g_assert_error (error, domain, code);
}

static void
descriptor_that_cannot_be_read_is_an_error (void)
{
  g_autoptr (GByteArray) image = image_new (1000);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_auto (ImgImportFd) fd = file_new (image);
  g_auto (ImgImportFd) directory = open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_auto (ImgImportFd) write_only = open (path, O_WRONLY | O_CLOEXEC);

  g_cancellable_cancel (cancelled);
  assert_fd_fails (fd, cancelled, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_fd_fails (-1, NULL, IMGIMPORT_ERROR, IMGIMPORT_ERROR_FAILED);
  assert_fd_fails (directory, NULL, IMGIMPORT_ERROR, IMGIMPORT_ERROR_FAILED);
  assert_fd_fails (write_only, NULL, IMGIMPORT_ERROR, IMGIMPORT_ERROR_FAILED);
}

/* A stream that says it has more than it has, or fails. */
typedef struct
{
  GMemoryInputStream parent_instance;
} Liar;

typedef GMemoryInputStreamClass LiarClass;

static GType liar_get_type (void);
static void liar_seekable_init (GSeekableIface *iface);
G_DEFINE_TYPE_WITH_CODE (Liar, liar, G_TYPE_MEMORY_INPUT_STREAM,
                         G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE, liar_seekable_init))

static void
liar_class_init (LiarClass *klass)
{
}

static void
liar_init (Liar *self)
{
}

static goffset
liar_tell (GSeekable *seekable)
{
  return (goffset)GPOINTER_TO_SIZE (g_object_get_data (G_OBJECT (seekable), "at"));
}

static gboolean
liar_can_seek (GSeekable *seekable)
{
  return TRUE;
}

static gboolean
liar_seek (GSeekable *seekable, goffset offset, GSeekType type, GCancellable *cancellable,
           GError **error)
{
  gsize at = type == G_SEEK_END ? 5000 : (gsize)offset;
  guint n = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (seekable), "seeks"));

  g_object_set_data (G_OBJECT (seekable), "at", GSIZE_TO_POINTER (at));
  g_object_set_data (G_OBJECT (seekable), "seeks", GUINT_TO_POINTER (n - 1));
  if (n == 1)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE, "no more seeks");
  return n != 1;
}

static void
liar_seekable_init (GSeekableIface *iface)
{
  iface->tell = liar_tell;
  iface->can_seek = liar_can_seek;
  iface->seek = liar_seek;
}

static void
assert_liar_fails (guint n_seeks, int code, const char *reason)
{
  g_autoptr (GInputStream) stream = g_object_new (liar_get_type (), NULL);
  g_autoptr (GError) error = NULL;

  g_memory_input_stream_add_data (G_MEMORY_INPUT_STREAM (stream), "some", 4, NULL);
  g_object_set_data (G_OBJECT (stream), "seeks", GUINT_TO_POINTER (n_seeks));
  g_assert_null (imgimport_inspection_new_from_stream (stream, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, code);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
}

static void
stream_that_fails_is_an_error (void)
{
  g_autoptr (GInputStream) closed = g_memory_input_stream_new_from_data ("some", 4, NULL);
  g_autoptr (GError) error = NULL;

  assert_liar_fails (0, IMGIMPORT_ERROR_CORRUPT, "source-changed");
  assert_liar_fails (1, IMGIMPORT_ERROR_PLUGIN, "foreign-error");
  assert_liar_fails (2, IMGIMPORT_ERROR_PLUGIN, "foreign-error");
  g_assert_true (g_input_stream_close (closed, NULL, NULL));
  g_assert_null (imgimport_inspection_new_from_stream (closed, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_PLUGIN);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspection/one-match-tells-its-format", one_match_tells_its_format);
  g_test_add_func ("/inspection/F132/no-match-is-raw", no_match_is_raw);
  g_test_add_func ("/inspection/F127/C45/polyglot-tells-all-matches", polyglot_tells_all_matches);
  g_test_add_func ("/inspection/inspection-survives-json", inspection_survives_json);
  g_test_add_func ("/inspection/verdict-is-that-of-an-import", verdict_is_that_of_an_import);
  g_test_add_func ("/inspection/source/descriptor-and-stream-tell-what-feeding-does",
                   descriptor_and_stream_tell_what_feeding_does);
  g_test_add_func ("/inspection/source/file-of-any-size-is-inspected-at-once",
                   file_of_any_size_is_inspected_at_once);
  g_test_add_func ("/inspection/source/stream-is-read-from-its-position",
                   stream_is_read_from_its_position);
  g_test_add_func ("/inspection/source/pipe-is-read-to-its-end", pipe_is_read_to_its_end);
  g_test_add_func ("/inspection/source/descriptor-that-cannot-be-read-is-an-error",
                   descriptor_that_cannot_be_read_is_an_error);
  g_test_add_func ("/inspection/source/stream-that-fails-is-an-error",
                   stream_that_fails_is_an_error);
  return g_test_run ();
}
