/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-dir.h"

#define MIB ((gsize)1024 * 1024)
#define GIB (G_GUINT64_CONSTANT (1) << 30)

static void
set_up (StoreDir *f, gconstpointer unused)
{
  store_dir_open (f, g_get_tmp_dir (), FALSE);
}

static void
tear_down (StoreDir *f, gconstpointer unused)
{
  store_dir_close (f);
}

/* ---- directory ------------------------------------------------------------------------------- */

static void
a_directory_open_to_others_is_refused (StoreDir *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_chmod (f->path, 0750), ==, 0);
  g_assert_null (_imgimport_store_file_new (f->path, TRUE, &error));
  assert_reason (error, IMGIMPORT_ERROR_PERMISSION, "directory-not-private");
}

static void
a_missing_directory_is_created_private (StoreDir *f, gconstpointer unused)
{
  g_autofree char *path = g_build_filename (f->path, "new", NULL);
  g_autoptr (GError) error = NULL;
  gpointer store = _imgimport_store_file_new (path, FALSE, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (store_dir_stat (f, "new").st_mode & 07777, ==, 0700);
  _imgimport_store_file_free (store);
}

static void
a_removed_directory_is_told (StoreDir *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  gpointer writer = NULL;

  g_assert_cmpint (g_rmdir (f->path), ==, 0);
  g_assert_false (TABLE.begin (f->store, "k", 0, &writer, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_UNAVAILABLE, "directory-gone");
  g_clear_error (&error);
  g_assert_false (TABLE.stat (f->store, "k", NULL, NULL, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_NOT_FOUND, "not-found");
}

/* ---- keys ------------------------------------------------------------------------------------ */

static void
assert_key_refused (const ImgImportStoreVTable *table, gpointer store, const char *key)
{
  GError *errors[5] = { NULL };
  ImgImportAdoption adoption = IMGIMPORT_ADOPTED_BY_COPY;
  gpointer handle = NULL;
  char *version = NULL;
  gsize i;

  g_assert_false (table->begin (store, key, 0, &handle, NULL, &errors[0]));
  g_assert_false (table->open (store, key, &handle, NULL, &errors[1]));
  g_assert_false (table->stat (store, key, NULL, NULL, NULL, &errors[2]));
  g_assert_false (table->remove (store, key, NULL, &errors[3]));
  if (table->adopt != NULL)
    g_assert_false (table->adopt (store, key, 0, 0, &version, &adoption, NULL, &errors[4]));
  g_assert_null (handle);
  for (i = 0; i < (table->adopt != NULL ? 5 : 4); i++)
    {
      assert_reason (errors[i], IMGIMPORT_ERROR_INVALID_ARGUMENT, "key-invalid");
      g_assert_true (g_utf8_validate (errors[i]->message, -1, NULL));
    }
  for (i = 0; i < G_N_ELEMENTS (errors); i++)
    g_clear_error (&errors[i]);
}

static void
keys_that_are_none_are_refused (StoreDir *f, gconstpointer unused)
{
  g_autofree char *too_long = g_strnfill (129, 'k');
  const char *const keys[] = { "",        ".",   "..",    "../x", "/etc/passwd", "a/b",
                               ".hidden", "a b", "k\xff", "k\n",  too_long,      NULL };
  gpointer memory = _imgimport_store_memory_new ();
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      assert_key_refused (&_imgimport_store_file_vtable, f->store, keys[i]);
      assert_key_refused (&_imgimport_store_memory_vtable, memory, keys[i]);
    }
  g_assert_cmpuint (store_dir_count (f), ==, 0);
  _imgimport_store_memory_free (memory);
}

/* ---- what somebody planted ------------------------------------------------------------------- */

static void
assert_not_an_object (StoreDir *f, const char *key)
{
  g_autoptr (GError) open_error = NULL;
  g_autoptr (GError) stat_error = NULL;
  g_autoptr (GError) begin_error = NULL;
  gpointer handle = NULL;

  g_assert_false (TABLE.open (f->store, key, &handle, NULL, &open_error));
  assert_reason (open_error, IMGIMPORT_ERROR_CORRUPT, "object-invalid");
  g_assert_false (TABLE.stat (f->store, key, NULL, NULL, NULL, &stat_error));
  assert_reason (stat_error, IMGIMPORT_ERROR_CORRUPT, "object-invalid");
  g_assert_false (TABLE.begin (f->store, key, 0, &handle, NULL, &begin_error));
  assert_reason (begin_error, IMGIMPORT_ERROR_EXISTS, "exists");
  g_assert_null (handle);
}

static void
a_symbolic_link_is_no_object (StoreDir *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  gpointer handle = NULL;

  g_assert_cmpint (symlinkat ("/etc/passwd", f->fd, "k"), ==, 0);
  g_assert_cmpint (symlinkat ("target", f->fd, ".written"), ==, 0);
  assert_not_an_object (f, "k");
  g_assert_false (TABLE.begin (f->store, "written", 0, &handle, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_EXISTS, "exists");
  g_assert_true (TABLE.remove (f->store, "k", NULL, NULL));
  g_assert_true (TABLE.remove (f->store, "written", NULL, NULL));
  g_assert_cmpuint (store_dir_count (f), ==, 0);
  g_assert_true (g_file_test ("/etc/passwd", G_FILE_TEST_EXISTS));
}

static void
a_pipe_is_no_object_and_holds_nobody_up (StoreDir *f, gconstpointer unused)
{
  g_assert_cmpint (mkfifoat (f->fd, "k", 0600), ==, 0);
  assert_not_an_object (f, "k");
}

static void
a_directory_is_no_object (StoreDir *f, gconstpointer unused)
{
  g_autoptr (GError) committed = NULL;
  g_autoptr (GError) hidden = NULL;

  g_assert_cmpint (mkdirat (f->fd, "k", 0700), ==, 0);
  g_assert_cmpint (mkdirat (f->fd, ".h", 0700), ==, 0);
  assert_not_an_object (f, "k");
  g_assert_false (TABLE.remove (f->store, "k", NULL, &committed));
  assert_reason (committed, IMGIMPORT_ERROR_FAILED, "io-error");
  g_assert_false (TABLE.remove (f->store, "h", NULL, &hidden));
  assert_reason (hidden, IMGIMPORT_ERROR_FAILED, "io-error");
}

static void
nothing_is_overwritten_by_a_commit (StoreDir *f, gconstpointer unused)
{
  gpointer writer = store_dir_begin (f, "k");
  g_autoptr (GError) error = NULL;
  char *version = NULL;
  struct stat planted;

  g_assert_cmpint (symlinkat ("target", f->fd, "k"), ==, 0);
  planted = store_dir_stat (f, "k");
  g_assert_false (TABLE.commit (f->store, writer, 4, &version, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_EXISTS, "exists");
  g_assert_null (version);
  g_assert_cmpuint (store_dir_stat (f, "k").st_ino, ==, planted.st_ino);
  g_assert_cmpuint (store_dir_count (f), ==, 1);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void
modes_do_not_depend_on_the_umask (StoreDir *f, gconstpointer unused)
{
  static const mode_t masks[] = { 0, 0022, 0777 };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (masks); i++)
    {
      mode_t before = umask (masks[i]);
      gpointer writer = store_dir_begin (f, "k");
      g_autofree char *version = NULL;

      g_assert_cmpuint (store_dir_stat (f, ".k").st_mode & 07777 & ~0600u, ==, 0);
      store_dir_write (f, writer, 0, "abc", 3);
      version = store_dir_commit (f, writer, 3);
      (void)umask (before);
      g_assert_cmpuint (store_dir_stat (f, "k").st_mode & 07777, ==, 0400);
      g_assert_true (TABLE.remove (f->store, "k", NULL, NULL));
    }
}

static void
what_a_dead_process_left_is_taken_and_removable (StoreDir *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  gpointer writer = NULL;
  int fd = openat (f->fd, ".k", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (write (fd, "half", 4), ==, 4);
  _imgimport_fd_close (fd);
  g_assert_false (TABLE.begin (f->store, "k", 0, &writer, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_EXISTS, "exists");
  g_assert_true (TABLE.remove (f->store, "k", NULL, NULL));
  g_assert_cmpuint (store_dir_count (f), ==, 0);
  store_dir_put (f, "k", "whole");
  g_assert_cmpuint (store_dir_count (f), ==, 1);
}

static void
zero_blocks_take_no_space (StoreDir *f, gconstpointer unused)
{
  g_autofree guint8 *data = g_malloc0 (8 * MIB);
  g_autofree char *version = NULL;
  gpointer writer = store_dir_begin (f, "k");

  data[0] = 1;
  memset (data + 3 * MIB + 100, 0xff, 5000);
  store_dir_write (f, writer, 0, data, 8 * MIB);
  store_dir_write (f, writer, 5 * GIB, "end", 3);
  version = store_dir_commit (f, writer, 6 * GIB);
  g_assert_cmpint (store_dir_stat (f, "k").st_size, ==, (gint64)(6 * GIB));
  g_assert_cmpint (store_dir_stat (f, "k").st_blocks, <=, 256 * 1024 / 512);
}

static void
linking_and_reading_leave_the_version (StoreDir *f, gconstpointer unused)
{
  g_autofree char *committed = store_dir_put_version (f, "k", "abc");
  g_autofree char *version = NULL;

  g_assert_cmpint (linkat (f->fd, "k", f->fd, "k2", 0), ==, 0);
  g_assert_true (TABLE.stat (f->store, "k", NULL, &version, NULL, NULL));
  g_assert_cmpstr (version, ==, committed);
}

static void
a_touched_object_has_another_version (StoreDir *f, gconstpointer unused)
{
  static const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };
  g_autofree char *committed = store_dir_put_version (f, "k", "abc");
  g_autofree char *version = NULL;

  g_assert_cmpint (utimensat (f->fd, "k", times, AT_SYMLINK_NOFOLLOW), ==, 0);
  g_assert_true (TABLE.stat (f->store, "k", NULL, &version, NULL, NULL));
  g_assert_cmpstr (version, !=, committed);
}

static void
a_cancelled_call_does_nothing (StoreDir *f, gconstpointer unused)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gpointer writer = store_dir_begin (f, "w");
  g_autoptr (GError) write_error = NULL;
  g_autoptr (GError) read_error = NULL;
  gpointer reader = NULL;
  gsize n_read = 0;
  char piece[4];

  store_dir_put (f, "k", "abc");
  g_assert_true (TABLE.open (f->store, "k", &reader, NULL, NULL));
  g_cancellable_cancel (cancellable);
  g_assert_false (TABLE.write (f->store, writer, 0, "x", 1, cancellable, &write_error));
  g_assert_error (write_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (TABLE.read (f->store, reader, 0, piece, 4, &n_read, cancellable, &read_error));
  g_assert_error (read_error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  TABLE.close (f->store, reader);
  TABLE.abort (f->store, writer);
}

static void
add (const char *name, void (*func) (StoreDir *, gconstpointer))
{
  g_autofree char *path = g_strconcat ("/store-file/", name, NULL);

  g_test_add (path, StoreDir, NULL, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("a-directory-open-to-others-is-refused", a_directory_open_to_others_is_refused);
  add ("a-missing-directory-is-created-private", a_missing_directory_is_created_private);
  add ("a-removed-directory-is-told", a_removed_directory_is_told);
  add ("keys-that-are-none-are-refused", keys_that_are_none_are_refused);
  add ("a-symbolic-link-is-no-object", a_symbolic_link_is_no_object);
  add ("a-pipe-is-no-object-and-holds-nobody-up", a_pipe_is_no_object_and_holds_nobody_up);
  add ("a-directory-is-no-object", a_directory_is_no_object);
  add ("nothing-is-overwritten-by-a-commit", nothing_is_overwritten_by_a_commit);
  add ("modes-do-not-depend-on-the-umask", modes_do_not_depend_on_the_umask);
  add ("what-a-dead-process-left-is-taken-and-removable",
       what_a_dead_process_left_is_taken_and_removable);
  add ("zero-blocks-take-no-space", zero_blocks_take_no_space);
  add ("linking-and-reading-leave-the-version", linking_and_reading_leave_the_version);
  add ("a-touched-object-has-another-version", a_touched_object_has_another_version);
  add ("a-cancelled-call-does-nothing", a_cancelled_call_does_nothing);
  return g_test_run ();
}
