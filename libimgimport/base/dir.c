/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <errno.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PRIVATE_MODE ((mode_t)0700)

/* What a new directory lost to the umask is given back; what cannot be given shows when it is
 * used. Returns an errno value, 0 for a directory that is or was there. */
static int
make_directory (const char *path)
{
  if (mkdir (path, PRIVATE_MODE) != 0)
    return errno == EEXIST ? 0 : errno;
  (void)fchmodat (AT_FDCWD, path, PRIVATE_MODE, AT_SYMLINK_NOFOLLOW);
  return 0;
}

/* A parent that cannot be made shows when its child cannot. */
static int
make_with_parents (const char *path)
{
  g_autofree char *prefix = g_strdup (path);
  char *slash = strchr (prefix + strspn (prefix, "/"), '/');

  for (; slash != NULL; slash = strchr (slash + 1, '/'))
    {
      *slash = '\0';
      (void)make_directory (prefix);
      *slash = '/';
    }
  return make_directory (path);
}

/* A slash at the end would make the kernel follow a symbolic link. */
static char *
without_last_slashes (const char *path)
{
  gsize length = strlen (path);

  while (length > 1 && path[length - 1] == '/')
    length--;
  return g_strndup (path, length);
}

static gboolean
check_private (int fd, const char *path, GError **error)
{
  struct stat facts;

  if (fstat (fd, &facts) != 0)
    {
      _imgimport_set_error_errno (error, errno, "directory “%s”", path);
      return FALSE;
    }
  if (facts.st_uid == geteuid () && (facts.st_mode & (S_IRWXG | S_IRWXO)) == 0)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_PERMISSION, "directory-not-private",
                        "directory “%s” is not private: owner %u, mode %04o; expected owner %u "
                        "and no permission for group and others",
                        path, (guint)facts.st_uid, (guint)facts.st_mode & 07777, (guint)geteuid ());
  return FALSE;
}

int
_imgimport_dir_open_private (const char *path, gboolean create, GError **error)
{
  g_autofree char *plain = without_last_slashes (path);
  g_auto (ImgImportFd) fd = -1;
  int failure = create ? make_with_parents (plain) : 0;

  if (failure != 0)
    {
      _imgimport_set_error_errno (error, failure, "cannot create directory “%s”", plain);
      return -1;
    }
  fd = open (plain, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_PERMISSION, "directory-not-private",
                            "“%s” is a symbolic link or not a directory", plain);
      return -1;
    }
  if (fd < 0)
    {
      _imgimport_set_error_errno (error, errno, "cannot open directory “%s”", plain);
      return -1;
    }
  if (!check_private (fd, plain, error))
    return -1;
  return _imgimport_fd_steal (&fd);
}

/* What openat2() decides while it walks, as far as the name alone tells. */
static gboolean
name_leaves_directory (const char *name)
{
  g_auto (GStrv) segments = g_strsplit (name, "/", -1);

  return name[0] == '/' || g_strv_contains ((const char *const *)segments, "..");
}

int
_imgimport_openat (int dirfd, const char *name, int flags, mode_t mode)
{
  const gboolean creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  const int all_flags = flags | O_CLOEXEC | O_NOFOLLOW | O_LARGEFILE;
  /* openat2() refuses a mode where nothing is created. */
  struct open_how how = { .flags = (guint64)(guint)all_flags,
                          .mode = creates ? mode : 0,
                          .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
  long fd = syscall (SYS_openat2, dirfd, name, &how, sizeof how);

  /* A kernel before 5.6 says the one, a sandbox's filter the other. */
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
    return (int)fd;
  if (name_leaves_directory (name))
    {
      errno = EXDEV;
      return -1;
    }
  return openat (dirfd, name, all_flags, mode);
}
