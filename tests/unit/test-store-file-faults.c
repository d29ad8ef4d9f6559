/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-dir.h"

#include "deny-syscall.h"

#include <signal.h>
#include <sys/resource.h>

static void
set_up (StoreDir *f, gconstpointer durable)
{
  store_dir_open (f, g_get_tmp_dir (), GPOINTER_TO_INT (durable));
}

static void
tear_down (StoreDir *f, gconstpointer durable)
{
  store_dir_close (f);
}

/* Puts another file behind a descriptor, so that what is done to it fails. */
static void
replace_fd (int fd, const char *path, int flags)
{
  g_auto (ImgImportFd) other = open (path, flags | O_CLOEXEC);

  g_assert_cmpint (other, >=, 0);
  g_assert_cmpint (dup3 (other, fd, O_CLOEXEC), ==, fd);
}

static void
a_full_device_is_no_space (StoreDir *f, gconstpointer unused)
{
  ImgImportFileWriter *writer = store_dir_begin (f, "k");
  g_autoptr (GError) error = NULL;

  replace_fd (writer->fd, "/dev/full", O_WRONLY);
  g_assert_false (TABLE.write (f->store, writer, 0, "abc", 3, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_NO_SPACE, "store-full");
  g_assert_true (g_str_has_prefix (error->message, "object “k”: "));
  TABLE.abort (f->store, writer);
}

/* The limit would kill a process that does not ignore the signal: a child of its own. */
static void
a_file_size_limit_is_no_space (StoreDir *f, gconstpointer unused)
{
  const struct rlimit limit = { 8192, 8192 };
  g_autofree char *data = g_strnfill (16384, 'x');
  g_autoptr (GError) write_error = NULL;
  g_autoptr (GError) commit_error = NULL;
  gpointer writer = NULL;
  char *version = NULL;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, 0);
      g_test_trap_assert_passed ();
      return;
    }
  (void)signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  writer = store_dir_begin (f, "k");
  g_assert_false (TABLE.write (f->store, writer, 0, data, 16384, NULL, &write_error));
  assert_reason (write_error, IMGIMPORT_ERROR_NO_SPACE, "store-full");
  TABLE.abort (f->store, writer);
  writer = store_dir_begin (f, "k");
  g_assert_false (TABLE.commit (f->store, writer, 16384, &version, NULL, &commit_error));
  assert_reason (commit_error, IMGIMPORT_ERROR_NO_SPACE, "store-full");
  g_assert_cmpuint (store_dir_count (f), ==, 0);
}

static void
no_file_is_larger_than_an_offset (StoreDir *f, gconstpointer unused)
{
  const guint64 beyond = (guint64)G_MAXINT64 + 1;
  gpointer writer = store_dir_begin (f, "k");
  g_autoptr (GError) write_error = NULL;
  g_autoptr (GError) commit_error = NULL;
  char *version = NULL;

  g_assert_false (TABLE.write (f->store, writer, beyond, "x", 1, NULL, &write_error));
  assert_reason (write_error, IMGIMPORT_ERROR_NO_SPACE, "store-full");
  g_assert_false (TABLE.commit (f->store, writer, beyond, &version, NULL, &commit_error));
  assert_reason (commit_error, IMGIMPORT_ERROR_NO_SPACE, "store-full");
  g_assert_null (version);
  g_assert_cmpuint (store_dir_count (f), ==, 0);
}

static void
no_memory_object_is_larger_than_an_offset (void)
{
  const ImgImportStoreVTable *table = &_imgimport_store_memory_vtable;
  gpointer store = _imgimport_store_memory_new ();
  g_autoptr (GError) error = NULL;
  gpointer writer = NULL;

  g_assert_true (table->begin (store, "k", 0, &writer, NULL, NULL));
  g_assert_false (table->write (store, writer, G_MAXUINT64, "xy", 2, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_NO_SPACE, "store-full");
  table->abort (store, writer);
  _imgimport_store_memory_free (store);
}

static void
a_failed_read_names_the_object (StoreDir *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  gpointer reader = NULL;
  gsize n_read = 0;
  char piece[4];

  store_dir_put (f, "k", "abc");
  g_assert_true (TABLE.open (f->store, "k", &reader, NULL, NULL));
  replace_fd (TABLE.local_fd (f->store, reader), "/", O_RDONLY | O_DIRECTORY);
  g_assert_false (TABLE.read (f->store, reader, 0, piece, 4, &n_read, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_FAILED, "io-error");
  g_assert_true (g_str_has_prefix (error->message, "object “k”: "));
  TABLE.close (f->store, reader);
}

static void
a_directory_that_cannot_be_opened_is_told (StoreDir *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  replace_fd (f->fd, "/dev/null", O_RDONLY);
  g_assert_false (TABLE.open (f->store, "k", (gpointer[]){ NULL }, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_FAILED, "io-error");
  g_clear_error (&error);
  g_assert_false (TABLE.begin (f->store, "k", 0, (gpointer[]){ NULL }, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_FAILED, "io-error");
  replace_fd (f->fd, f->path, O_RDONLY | O_DIRECTORY);
}

static void
a_version_that_cannot_be_read_is_told (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (_imgimport_file_store_version (-1, "k", &error));
  assert_reason (error, IMGIMPORT_ERROR_FAILED, "io-error");
}

/* ---- durability ------------------------------------------------------------------------------ */

static void
bytes_that_cannot_be_synced_are_not_published (StoreDir *f, gconstpointer durable)
{
  g_autoptr (GError) error = NULL;
  int ends[2];

  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_false (_imgimport_file_store_publish (f->store, ".k", "k", ends[0], FALSE, &error));
  assert_reason (error, IMGIMPORT_ERROR_FAILED, "io-error");
  g_assert_cmpuint (store_dir_count (f), ==, 0);
  _imgimport_fd_close (ends[0]);
  _imgimport_fd_close (ends[1]);
}

/* A descriptor that only names the directory does everything but sync it. */
static void
a_name_that_cannot_be_synced_is_taken_back (StoreDir *f, gconstpointer durable)
{
  gpointer writer = NULL;
  g_autoptr (GError) error = NULL;
  char *version = NULL;

  replace_fd (f->fd, f->path, O_PATH | O_DIRECTORY);
  writer = store_dir_begin (f, "k");
  store_dir_write (f, writer, 0, "abc", 3);
  g_assert_false (TABLE.commit (f->store, writer, 3, &version, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_FAILED, "io-error");
  g_assert_null (version);
  g_assert_cmpuint (store_dir_count (f), ==, 0);
}

/* More than is written back at once. */
static void
a_large_object_is_whole (StoreDir *f, gconstpointer durable)
{
  const gsize length = 1024 * 1024;
  g_autofree guint8 *data = g_malloc (length);
  g_autofree char *version = NULL;
  gpointer writer = store_dir_begin (f, "k");
  gpointer reader = NULL;
  guint64 i;

  memset (data, 0x5a, length);
  for (i = 0; i < 20; i++)
    store_dir_write (f, writer, i * length, data, length);
  version = store_dir_commit (f, writer, 20 * length);
  g_assert_true (TABLE.open (f->store, "k", &reader, NULL, NULL));
  for (i = 0; i < 20; i++)
    {
      gsize n_read = 0;

      data[0] = 0;
      g_assert_true (TABLE.read (f->store, reader, i * length, data, length, &n_read, NULL, NULL));
      g_assert_cmpuint (n_read, ==, length);
      g_assert_true (data[0] == 0x5a && memcmp (data, data + 1, length - 1) == 0);
    }
  TABLE.close (f->store, reader);
}

static void
add (const char *name, gboolean durable, void (*func) (StoreDir *, gconstpointer))
{
  g_autofree char *path = g_strconcat ("/store-file/", name, NULL);

  g_test_add (path, StoreDir, GINT_TO_POINTER (durable), set_up, func, tear_down);
}

/* Without the flag that keeps a rename from replacing, names are linked, which keeps it too. */
static gpointer
publish_without_the_flag (gpointer data)
{
  StoreDir *f = data;
  gpointer writer = NULL;
  char *version = NULL;
  g_autoptr (GError) error = NULL;

  deny_syscall (SYS_renameat2, EINVAL);
  store_dir_put (f, "k", "abc");
  g_assert_cmpuint (store_dir_count (f), ==, 1);
  g_assert_cmpuint (store_dir_stat (f, "k").st_nlink, ==, 1);

  writer = store_dir_begin (f, "taken");
  _imgimport_fd_close (openat (f->fd, "taken", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  g_assert_false (TABLE.commit (f->store, writer, 0, &version, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_EXISTS, "exists");
  g_assert_cmpuint (store_dir_count (f), ==, 2);
  return NULL;
}

static void
a_file_system_without_exclusive_renames_replaces_nothing (StoreDir *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  GThread *thread = _imgimport_thread_new ("denied", publish_without_the_flag, f, &error);

  g_assert_no_error (error);
  (void)g_thread_join (thread);
}

static void
a_look_for_data_is_cancelled (StoreDir *f, gconstpointer unused)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  gpointer reader = NULL;
  guint64 start = 0, end = 0;

  store_dir_put (f, "k", "abc");
  g_assert_true (TABLE.open (f->store, "k", &reader, NULL, NULL));
  g_cancellable_cancel (cancellable);
  g_assert_false (TABLE.next_extent (f->store, reader, 0, &start, &end, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  TABLE.close (f->store, reader);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("a-full-device-is-no-space", FALSE, a_full_device_is_no_space);
  add ("a-file-size-limit-is-no-space", FALSE, a_file_size_limit_is_no_space);
  add ("no-file-is-larger-than-an-offset", FALSE, no_file_is_larger_than_an_offset);
  g_test_add_func ("/store-memory/no-object-is-larger-than-an-offset",
                   no_memory_object_is_larger_than_an_offset);
  add ("a-failed-read-names-the-object", FALSE, a_failed_read_names_the_object);
  add ("a-directory-that-cannot-be-opened-is-told", FALSE,
       a_directory_that_cannot_be_opened_is_told);
  g_test_add_func ("/store-file/a-version-that-cannot-be-read-is-told",
                   a_version_that_cannot_be_read_is_told);
  add ("bytes-that-cannot-be-synced-are-not-published", TRUE,
       bytes_that_cannot_be_synced_are_not_published);
  add ("a-name-that-cannot-be-synced-is-taken-back", TRUE,
       a_name_that_cannot_be_synced_is_taken_back);
  add ("a-file-system-without-exclusive-renames-replaces-nothing", TRUE,
       a_file_system_without_exclusive_renames_replaces_nothing);
  add ("a-look-for-data-is-cancelled", FALSE, a_look_for_data_is_cancelled);
  add ("a-large-object-is-whole", TRUE, a_large_object_is_whole);
  return g_test_run ();
}
