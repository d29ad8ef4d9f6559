/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deny-syscall.h"

typedef struct
{
  char *top;
  char *path; /* "<top>/dir", not there */
} Fixture;

static void
set_up (Fixture *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  self->top = g_dir_make_tmp ("imgimport-dir-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->top, "dir", NULL);
}

static void
remove_tree (const char *path)
{
  GDir *dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_clear_pointer (&dir, g_dir_close);
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
tear_down (Fixture *self, gconstpointer unused)
{
  remove_tree (self->top);
  g_free (self->path);
  g_free (self->top);
}

static void
assert_mode (const char *path, mode_t mode)
{
  struct stat facts;

  g_assert_cmpint (lstat (path, &facts), ==, 0);
  g_assert_cmpint (facts.st_mode & 07777, ==, mode);
}

static void
assert_refused (const char *path, gboolean create, int code, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (_imgimport_dir_open_private (path, create, &error), ==, -1);
  g_assert_error (error, IMGIMPORT_ERROR, code);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
  g_assert_nonnull (strstr (error->message, "dir"));
}

static void
make_private (Fixture *self)
{
  g_autoptr (GError) error = NULL;
  g_auto (ImgImportFd) fd = _imgimport_dir_open_private (self->path, TRUE, &error);

  g_assert_no_error (error);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
}

static void
created_directory_is_ours_alone (Fixture *self, gconstpointer unused)
{
  make_private (self);
  assert_mode (self->path, 0700);
  /* And opened again as it is. */
  make_private (self);
}

/* The umask belongs to the process: it is changed in one of its own. */
static void
create_under_umasks (void)
{
  static const mode_t masks[] = { 0, 022, 077, 0277, 0777 };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (masks); i++)
    {
      Fixture fixture;
      g_autoptr (GError) error = NULL;
      g_autofree char *deep = NULL;
      g_autofree char *middle = NULL;
      g_auto (ImgImportFd) fd = -1;

      set_up (&fixture, NULL);
      middle = g_build_filename (fixture.path, "b", NULL);
      deep = g_build_filename (middle, "c", NULL);
      (void)umask (masks[i]);
      fd = _imgimport_dir_open_private (deep, TRUE, &error);
      (void)umask (022);
      g_assert_no_error (error);
      assert_mode (deep, 0700);
      assert_mode (middle, 0700);
      assert_mode (fixture.path, 0700);
      tear_down (&fixture, NULL);
    }
}

static void
created_directory_does_not_follow_the_umask (void)
{
  if (g_test_subprocess ())
    {
      create_under_umasks ();
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

static void
directory_that_others_may_use_is_refused (Fixture *self, gconstpointer unused)
{
  static const mode_t modes[] = { 0701, 0702, 0704, 0710, 0720, 0740, 0755, 01777 };
  gsize i;

  make_private (self);
  for (i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_cmpint (chmod (self->path, modes[i]), ==, 0);
      assert_refused (self->path, FALSE, IMGIMPORT_ERROR_PERMISSION, "directory-not-private");
      assert_refused (self->path, TRUE, IMGIMPORT_ERROR_PERMISSION, "directory-not-private");
      /* It is refused, not repaired: who knows what already happened in it. */
      assert_mode (self->path, modes[i]);
    }
}

static void
directory_of_another_user_is_refused (Fixture *self, gconstpointer unused)
{
  const gboolean is_root = geteuid () == 0;

  /* Only root can give a directory away; anybody else finds root's. */
  make_private (self);
  if (is_root)
    g_assert_cmpint (chown (self->path, 1, 0), ==, 0);
  assert_refused (is_root ? self->path : "/", FALSE, IMGIMPORT_ERROR_PERMISSION,
                  "directory-not-private");
}

static void
symbolic_link_is_refused (Fixture *self, gconstpointer unused)
{
  g_autofree char *link = g_build_filename (self->top, "link-to-dir", NULL);
  g_autofree char *with_slashes = g_strconcat (link, "//", NULL);

  make_private (self);
  g_assert_cmpint (symlink (self->path, link), ==, 0);
  assert_refused (link, FALSE, IMGIMPORT_ERROR_PERMISSION, "directory-not-private");
  assert_refused (link, TRUE, IMGIMPORT_ERROR_PERMISSION, "directory-not-private");
  assert_refused (with_slashes, TRUE, IMGIMPORT_ERROR_PERMISSION, "directory-not-private");
}

static void
file_in_its_place_is_refused (Fixture *self, gconstpointer unused)
{
  g_autofree char *below = g_build_filename (self->path, "below", NULL);

  g_assert_true (g_file_set_contents (self->path, "", 0, NULL));
  assert_refused (self->path, FALSE, IMGIMPORT_ERROR_PERMISSION, "directory-not-private");
  assert_refused (self->path, TRUE, IMGIMPORT_ERROR_PERMISSION, "directory-not-private");
  assert_refused (below, TRUE, IMGIMPORT_ERROR_FAILED, "io-error");
}

static void
absent_directory_is_not_found (Fixture *self, gconstpointer unused)
{
  assert_refused (self->path, FALSE, IMGIMPORT_ERROR_NOT_FOUND, "not-found");
  g_assert_false (g_file_test (self->path, G_FILE_TEST_EXISTS));
}

/* Opens a private directory with a file, a link to it, a sub-directory, and a link out of it. */
static int
open_furnished (Fixture *self)
{
  g_autofree char *outside = g_build_filename (self->top, "outside", NULL);
  g_autoptr (GError) error = NULL;
  int dir = _imgimport_dir_open_private (self->path, TRUE, &error);

  g_assert_no_error (error);
  g_assert_true (g_file_set_contents (outside, "secret", -1, NULL));
  g_assert_cmpint (symlinkat ("file", dir, "link"), ==, 0);
  g_assert_cmpint (symlinkat ("..", dir, "up"), ==, 0);
  g_assert_cmpint (symlinkat ("nowhere", dir, "dangling"), ==, 0);
  g_assert_cmpint (mkdirat (dir, "sub", 0700), ==, 0);
  return dir;
}

static void
assert_openat_fails (int dir, const char *name, int flags, int expected)
{
  int fd = _imgimport_openat (dir, name, flags, 0600);
  int saved_errno = errno;

  g_assert_cmpint (fd, ==, -1);
  g_assert_cmpint (saved_errno, ==, expected);
}

static void
check_openat (Fixture *self)
{
  g_auto (ImgImportFd) dir = open_furnished (self);
  g_auto (ImgImportFd) made = _imgimport_openat (dir, "file", O_RDWR | O_CREAT | O_EXCL, 0600);
  g_auto (ImgImportFd) again = _imgimport_openat (dir, "file", O_RDONLY, 0600);
  g_auto (ImgImportFd) nested = _imgimport_openat (dir, "sub/file", O_WRONLY | O_CREAT, 0600);
  g_auto (ImgImportFd) sub = _imgimport_openat (dir, "sub", O_RDONLY | O_DIRECTORY, 0);
  g_autofree char *outside = g_build_filename (self->top, "outside", NULL);

  g_assert_cmpint (made, >=, 0);
  g_assert_cmpint (again, >=, 0);
  g_assert_cmpint (nested, >=, 0);
  g_assert_cmpint (sub, >=, 0);
  g_assert_cmpint (fcntl (made, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
  assert_openat_fails (dir, "file", O_RDWR | O_CREAT | O_EXCL, EEXIST);
  assert_openat_fails (dir, "none", O_RDONLY, ENOENT);
  assert_openat_fails (dir, "link", O_RDONLY, ELOOP);
  assert_openat_fails (dir, "dangling", O_WRONLY | O_CREAT, ELOOP);
  assert_openat_fails (dir, "..", O_RDONLY, EXDEV);
  assert_openat_fails (dir, "../outside", O_RDONLY, EXDEV);
  assert_openat_fails (dir, "sub/../../outside", O_RDONLY, EXDEV);
  assert_openat_fails (dir, outside, O_RDONLY, EXDEV);
  g_assert_cmpint (faccessat (dir, "nowhere", F_OK, 0), ==, -1);
}

static void
openat_stays_in_its_directory (Fixture *self, gconstpointer unused)
{
  g_auto (ImgImportFd) dir = -1;

  check_openat (self);
  dir = open (self->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  /* Only the kernel can see a link on the way. */
  assert_openat_fails (dir, "up/outside", O_RDONLY, ELOOP);
}

static void
run_in_thread (GThreadFunc func, gpointer data)
{
  g_autoptr (GError) error = NULL;
  GThread *thread = _imgimport_thread_new ("denied", func, data, &error);

  g_assert_no_error (error);
  (void)g_thread_join (thread);
}

static gpointer
check_openat_on_an_old_kernel (gpointer data)
{
  deny_syscall (SYS_openat2, ENOSYS);
  check_openat (data);
  return NULL;
}

static gpointer
check_openat_in_a_sandbox (gpointer data)
{
  deny_syscall (SYS_openat2, EPERM);
  check_openat (data);
  return NULL;
}

static void
openat_on_an_old_kernel_refuses_the_same_names (Fixture *self, gconstpointer unused)
{
  run_in_thread (check_openat_on_an_old_kernel, self);
}

static void
openat_in_a_sandbox_refuses_the_same_names (Fixture *self, gconstpointer unused)
{
  run_in_thread (check_openat_in_a_sandbox, self);
}

static gpointer
check_unknown_owner (gpointer data)
{
  Fixture *self = data;

  deny_syscall (SYS_fstat, EIO);
#ifdef SYS_newfstatat
  deny_syscall (SYS_newfstatat, EIO);
#endif
  assert_refused (self->path, FALSE, IMGIMPORT_ERROR_FAILED, "io-error");
  return NULL;
}

static void
directory_whose_owner_is_unknown_is_refused (Fixture *self, gconstpointer unused)
{
  make_private (self);
  run_in_thread (check_unknown_owner, self);
}

#define ADD(path, test) g_test_add (path, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/base/dir/created-is-ours-alone", created_directory_is_ours_alone);
  ADD ("/base/dir/that-others-may-use-is-refused", directory_that_others_may_use_is_refused);
  ADD ("/base/dir/of-another-user-is-refused", directory_of_another_user_is_refused);
  ADD ("/base/dir/symbolic-link-is-refused", symbolic_link_is_refused);
  ADD ("/base/dir/file-in-its-place-is-refused", file_in_its_place_is_refused);
  ADD ("/base/dir/absent-is-not-found", absent_directory_is_not_found);
  ADD ("/base/openat/stays-in-its-directory", openat_stays_in_its_directory);
  g_test_add_func ("/base/dir/created-does-not-follow-the-umask",
                   created_directory_does_not_follow_the_umask);
  ADD ("/base/dir/whose-owner-is-unknown-is-refused", directory_whose_owner_is_unknown_is_refused);
  ADD ("/base/openat/on-an-old-kernel-refuses-the-same-names",
       openat_on_an_old_kernel_refuses_the_same_names);
  ADD ("/base/openat/in-a-sandbox-refuses-the-same-names",
       openat_in_a_sandbox_refuses_the_same_names);
  return g_test_run ();
}
