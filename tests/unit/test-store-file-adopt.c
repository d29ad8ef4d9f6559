/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-dir.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)

typedef struct
{
  StoreDir staging;
  StoreDir first;
  StoreDir second;
} Fixture;

static void
set_up (Fixture *f, gconstpointer durable)
{
  store_dir_open (&f->staging, g_get_tmp_dir (), FALSE);
  store_dir_open (&f->first, g_get_tmp_dir (), GPOINTER_TO_INT (durable));
  store_dir_open (&f->second, g_get_tmp_dir (), GPOINTER_TO_INT (durable));
}

static void
tear_down (Fixture *f, gconstpointer durable)
{
  store_dir_close (&f->staging);
  store_dir_close (&f->first);
  store_dir_close (&f->second);
}

static int
open_staged (Fixture *f, const char *key)
{
  int fd = openat (f->staging.fd, key, O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* A sealed object "s" of these bytes in staging, opened. */
static int
stage (Fixture *f, const char *text)
{
  store_dir_put (&f->staging, "s", text);
  return open_staged (f, "s");
}

/* Takes over `fd` as "k" and answers how. */
static ImgImportAdoption
adopt (StoreDir *into, int fd, guint64 size)
{
  ImgImportAdoption adoption = IMGIMPORT_ADOPTED_BY_COPY;
  g_autofree char *version = NULL;
  g_autofree char *again = NULL;
  g_autoptr (GError) error = NULL;

  TABLE.adopt (into->store, "k", fd, size, &version, &adoption, NULL, &error);
  g_assert_no_error (error);
  TABLE.stat (into->store, "k", NULL, &again, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (version, ==, again);
  g_assert_cmpuint (store_dir_count (into), ==, 1);
  g_assert_cmpuint (store_dir_stat (into, "k").st_mode & 07777, ==, 0400);
  return adoption;
}

static void
assert_not_adopted (StoreDir *into, int fd, guint64 size, ImgImportError code, const char *reason)
{
  ImgImportAdoption adoption = IMGIMPORT_ADOPTED_BY_COPY;
  g_autoptr (GError) error = NULL;
  char *version = NULL;
  guint before = store_dir_count (into);

  g_assert_false (TABLE.adopt (into->store, "k", fd, size, &version, &adoption, NULL, &error));
  assert_reason (error, code, reason);
  g_assert_null (version);
  g_assert_cmpuint (store_dir_count (into), ==, before);
}

static void
assert_text (const StoreDir *dir, const char *key, const char *text)
{
  g_autofree char *path = g_build_filename (dir->path, key, NULL);
  g_autofree char *contents = NULL;

  g_assert_true (g_file_get_contents (path, &contents, NULL, NULL));
  g_assert_cmpstr (contents, ==, text);
}

static void
a_link_serves_one_target_once (Fixture *f, gconstpointer durable)
{
  g_autofree char *staged = store_dir_put_version (&f->staging, "s", "sealed");
  g_autofree char *version = NULL;
  g_auto (ImgImportFd) fd = open_staged (f, "s");

  g_assert_cmpint (adopt (&f->first, fd, 6), ==, IMGIMPORT_ADOPTED_BY_LINK);
  g_assert_cmpint (adopt (&f->second, fd, 6), !=, IMGIMPORT_ADOPTED_BY_LINK);
  g_assert_cmpuint (store_dir_stat (&f->first, "k").st_ino, ==,
                    store_dir_stat (&f->staging, "s").st_ino);
  g_assert_cmpuint (store_dir_stat (&f->second, "k").st_ino, !=,
                    store_dir_stat (&f->staging, "s").st_ino);
  g_assert_true (TABLE.stat (f->staging.store, "s", NULL, &version, NULL, NULL));
  g_assert_cmpstr (version, ==, staged);
  g_assert_true (TABLE.remove (f->staging.store, "s", NULL, NULL));
  assert_text (&f->first, "k", "sealed");
  assert_text (&f->second, "k", "sealed");
}

/* What costs more than is allowed is refused with its reason, and leaves nothing. */
static void
no_costlier_way_is_taken_than_allowed (Fixture *f, gconstpointer durable)
{
  g_auto (ImgImportFd) fd = stage (f, "sealed");
  ImgImportAdoption adoption = IMGIMPORT_ADOPTED_BY_LINK;
  g_autofree char *version = NULL;
  g_autofree char *other = NULL;
  g_autoptr (GError) error = NULL;
  gboolean ok;

  g_assert_true (TABLE.adopt (f->first.store, "k", fd, 6, &version, &adoption, NULL, &error));
  g_assert_false (TABLE.adopt (f->second.store, "k", fd, 6, &other, &adoption, NULL, &error));
  assert_reason (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "adopt-unsupported");
  g_assert_cmpstr (error->message, ==, "no link: it has another name already");
  g_clear_error (&error);
  g_assert_cmpuint (store_dir_count (&f->second), ==, 0);
  adoption = IMGIMPORT_ADOPTED_BY_REFLINK;
  ok = TABLE.adopt (f->second.store, "k", fd, 6, &other, &adoption, NULL, &error);
  g_assert_cmpint (adoption, ==, IMGIMPORT_ADOPTED_BY_REFLINK);
  if (!ok)
    {
      assert_reason (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "adopt-unsupported");
      g_assert_true (g_str_has_prefix (error->message, "no reflink: "));
      g_assert_cmpuint (store_dir_count (&f->second), ==, 0);
    }
}

static void
a_writable_inode_is_not_linked (Fixture *f, gconstpointer durable)
{
  g_auto (ImgImportFd) fd = stage (f, "sealed");
  ImgImportAdoption adoption = IMGIMPORT_ADOPTED_BY_LINK;
  g_autoptr (GError) error = NULL;
  char *version = NULL;

  g_assert_cmpint (fchmodat (f->staging.fd, "s", 0600, 0), ==, 0);
  g_assert_false (TABLE.adopt (f->first.store, "k", fd, 6, &version, &adoption, NULL, &error));
  g_assert_cmpstr (error->message, ==, "no link: others may write to it");
}

static void
an_inode_that_could_be_written_is_copied (Fixture *f, gconstpointer durable)
{
  g_auto (ImgImportFd) fd = stage (f, "sealed");

  g_assert_cmpint (fchmodat (f->staging.fd, "s", 0600, 0), ==, 0);
  g_assert_cmpint (adopt (&f->first, fd, 6), !=, IMGIMPORT_ADOPTED_BY_LINK);
  assert_text (&f->first, "k", "sealed");
}

static void
a_file_without_a_name_is_copied (Fixture *f, gconstpointer durable)
{
  g_auto (ImgImportFd) fd = stage (f, "sealed");

  g_assert_true (TABLE.remove (f->staging.store, "s", NULL, NULL));
  g_assert_cmpint (adopt (&f->first, fd, 6), !=, IMGIMPORT_ADOPTED_BY_LINK);
  assert_text (&f->first, "k", "sealed");
}

static void
holes_stay_holes (Fixture *f, gconstpointer durable)
{
  gpointer writer = store_dir_begin (&f->staging, "s");
  g_auto (ImgImportFd) fd = -1;
  g_auto (ImgImportFd) copy = -1;
  char piece[6];

  store_dir_write (&f->staging, writer, 40 * MIB, "sealed", 6);
  g_free (store_dir_commit (&f->staging, writer, 64 * MIB));
  fd = open_staged (f, "s");
  g_assert_cmpint (adopt (&f->first, fd, 64 * MIB), ==, IMGIMPORT_ADOPTED_BY_LINK);
  g_assert_cmpint (adopt (&f->second, fd, 64 * MIB), !=, IMGIMPORT_ADOPTED_BY_LINK);
  g_assert_cmpint (store_dir_stat (&f->second, "k").st_size, ==, (gint64)(64 * MIB));
  g_assert_cmpint (store_dir_stat (&f->second, "k").st_blocks, <=, 256 * 1024 / 512);
  copy = openat (f->second.fd, "k", O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (pread (copy, piece, 6, (off_t)(40 * MIB)), ==, 6);
  g_assert_true (memcmp (piece, "sealed", 6) == 0);
}

static void
another_file_system_is_copied (Fixture *f, gconstpointer durable)
{
  g_autofree char *data = g_strnfill (10 * MIB + 5, 'x');
  g_auto (ImgImportFd) fd = -1;
  StoreDir elsewhere = { NULL, -1, NULL };

  if (g_access ("/dev/shm", W_OK) != 0)
    {
      g_test_skip ("no second file system");
      return;
    }
  store_dir_open (&elsewhere, "/dev/shm", FALSE);
  store_dir_put (&elsewhere, "s", data);
  fd = openat (elsewhere.fd, "s", O_RDONLY | O_CLOEXEC);
  if (store_dir_stat (&elsewhere, "s").st_dev == store_dir_stat (&f->first, ".").st_dev)
    g_test_skip ("no second file system");
  else
    g_assert_cmpint (adopt (&f->first, fd, 10 * MIB + 5), ==, IMGIMPORT_ADOPTED_BY_COPY);
  if (store_dir_count (&f->first) == 1)
    assert_text (&f->first, "k", data);
  store_dir_close (&elsewhere);
}

static void
a_taken_key_is_not_linked_over (Fixture *f, gconstpointer durable)
{
  gpointer writer = store_dir_begin (&f->second, "k");
  g_auto (ImgImportFd) fd = stage (f, "sealed");

  store_dir_put (&f->first, "k", "mine");
  assert_not_adopted (&f->first, fd, 6, IMGIMPORT_ERROR_EXISTS, "exists");
  assert_text (&f->first, "k", "mine");
  assert_not_adopted (&f->second, fd, 6, IMGIMPORT_ERROR_EXISTS, "exists");
  TABLE.abort (f->second.store, writer);
  g_assert_cmpuint (store_dir_stat (&f->staging, "s").st_nlink, ==, 1);
}

static void
another_size_is_refused (Fixture *f, gconstpointer durable)
{
  g_auto (ImgImportFd) fd = stage (f, "sealed");

  assert_not_adopted (&f->first, fd, 5, IMGIMPORT_ERROR_CORRUPT, "size-mismatch");
  assert_not_adopted (&f->first, fd, 7, IMGIMPORT_ERROR_CORRUPT, "size-mismatch");
}

static void
what_is_no_regular_file_is_refused (Fixture *f, gconstpointer durable)
{
  assert_not_adopted (&f->first, f->staging.fd, 0, IMGIMPORT_ERROR_NOT_SUPPORTED,
                      "adopt-unsupported");
  assert_not_adopted (&f->first, -1, 0, IMGIMPORT_ERROR_FAILED, "io-error");
}

/* A file of the kernel's that claims a page and has a few bytes. */
static void
a_file_shorter_than_it_claims_is_refused (Fixture *f, gconstpointer durable)
{
  g_auto (ImgImportFd) fd = open ("/sys/kernel/uevent_seqnum", O_RDONLY | O_CLOEXEC);
  struct stat facts;

  if (fd < 0 || fstat (fd, &facts) != 0 || facts.st_size < 1024)
    {
      g_test_skip ("no such file");
      return;
    }
  assert_not_adopted (&f->first, fd, (guint64)facts.st_size, IMGIMPORT_ERROR_FAILED, "io-error");
}

static void
a_cancelled_copy_leaves_nothing (Fixture *f, gconstpointer durable)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (ImgImportFd) fd = stage (f, "sealed");
  g_autoptr (GError) error = NULL;
  ImgImportAdoption adoption = IMGIMPORT_ADOPTED_BY_COPY;
  g_autofree char *version = NULL;

  g_assert_cmpint (adopt (&f->first, fd, 6), ==, IMGIMPORT_ADOPTED_BY_LINK);
  g_cancellable_cancel (cancellable);
  if (TABLE.adopt (f->second.store, "k", fd, 6, &version, &adoption, cancellable, &error))
    {
      /* It shares extents: done at once, nothing to cancel. */
      g_assert_cmpint (adoption, ==, IMGIMPORT_ADOPTED_BY_REFLINK);
      return;
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_null (version);
  g_assert_cmpuint (store_dir_count (&f->second), ==, 0);
}

/* A descriptor that only names the directory does everything but sync it. */
static void
a_link_that_cannot_be_synced_is_taken_back (Fixture *f, gconstpointer durable)
{
  g_auto (ImgImportFd) fd = stage (f, "sealed");
  g_auto (ImgImportFd) path_only = open (f->first.path, O_PATH | O_DIRECTORY | O_CLOEXEC);

  g_assert_cmpint (dup3 (path_only, f->first.fd, O_CLOEXEC), ==, f->first.fd);
  assert_not_adopted (&f->first, fd, 6, IMGIMPORT_ERROR_FAILED, "io-error");
  g_assert_cmpuint (store_dir_stat (&f->staging, "s").st_nlink, ==, 1);
}

static void
add (const char *name, gboolean durable, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path =
      g_strconcat ("/store-file/adopt/", name, durable ? "/durable" : "/volatile", NULL);

  g_test_add (path, Fixture, GINT_TO_POINTER (durable), set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  gboolean durable;

  g_test_init (&argc, &argv, NULL);
  for (durable = FALSE; durable <= TRUE; durable++)
    {
      add ("a-link-serves-one-target-once", durable, a_link_serves_one_target_once);
      add ("an-inode-that-could-be-written-is-copied", durable,
           an_inode_that_could_be_written_is_copied);
      add ("a-file-without-a-name-is-copied", durable, a_file_without_a_name_is_copied);
      add ("no-costlier-way-is-taken-than-allowed", durable, no_costlier_way_is_taken_than_allowed);
      add ("a-writable-inode-is-not-linked", durable, a_writable_inode_is_not_linked);
      add ("holes-stay-holes", durable, holes_stay_holes);
      add ("another-file-system-is-copied", durable, another_file_system_is_copied);
      add ("a-taken-key-is-not-linked-over", durable, a_taken_key_is_not_linked_over);
    }
  add ("another-size-is-refused", FALSE, another_size_is_refused);
  add ("what-is-no-regular-file-is-refused", FALSE, what_is_no_regular_file_is_refused);
  add ("a-file-shorter-than-it-claims-is-refused", FALSE, a_file_shorter_than_it_claims_is_refused);
  add ("a-cancelled-copy-leaves-nothing", FALSE, a_cancelled_copy_leaves_nothing);
  add ("a-link-that-cannot-be-synced-is-taken-back", TRUE,
       a_link_that_cannot_be_synced_is_taken_back);
  return g_test_run ();
}
