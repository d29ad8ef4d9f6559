/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stores/stores-private.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* Between two looks at the cancellable. */
#define CHUNK_SIZE ((guint64)8 * 1024 * 1024)

/* ---- by link --------------------------------------------------------------------------------- */

/* An inode of ours that nobody can open for writing. */
static gboolean
may_share_inode (const struct stat *facts)
{
  return facts->st_uid == geteuid () && (facts->st_mode & 0222) == 0;
}

/* Gives the inode a hidden name here. FALSE: it cannot, or should not, be, and `*why`. */
static gboolean
link_hidden (const ImgImportFileStore *self, const char *hidden, int fd, const char **why)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  struct stat facts;

  *why = NULL;
  if (linkat (AT_FDCWD, path, self->dirfd, hidden, AT_SYMLINK_FOLLOW) != 0)
    {
      *why = g_strerror (errno);
      return FALSE;
    }
  /* Looked at afterwards, since another store may have had the same thought at the same moment: no
   * third name, or two targets would lose one image with one damaged inode. */
  if (fstat (fd, &facts) == 0 && facts.st_nlink <= 2)
    return TRUE;
  _imgimport_file_store_drop_name (self, hidden, fd);
  *why = "it has another name already";
  return FALSE;
}

/* TRUE where it is settled: `*version`, or an error; else `*why` it cannot be. The bytes are those of
 * an object whose store has committed it, and need no sync again. */
static gboolean
adopt_by_link (const ImgImportFileStore *self, const char *key, int fd, const char **why,
               char **version, GError **error)
{
  g_autofree char *hidden = g_strconcat (".", key, NULL);
  g_autofree char *answer = NULL;

  if (!link_hidden (self, hidden, fd, why))
    return FALSE;
  if (_imgimport_file_store_has (self, key))
    {
      _imgimport_file_store_drop_name (self, hidden, fd);
      _imgimport_set_error_errno (error, EEXIST, "object “%s”", key);
      return TRUE;
    }
  answer = _imgimport_file_store_version (fd, key, error);
  if (answer == NULL)
    _imgimport_file_store_drop_name (self, hidden, fd);
  else if (_imgimport_file_store_publish (self, hidden, key, fd, TRUE, error))
    *version = g_steal_pointer (&answer);
  return TRUE;
}

/* ---- by copy --------------------------------------------------------------------------------- */

static gssize
copy_chunk (int from, int to, guint64 offset, guint64 length)
{
  off64_t in = (off64_t)offset;
  off64_t out = (off64_t)offset;
  gssize n = copy_file_range (from, &in, to, &out, length, 0);

  /* Between file systems of two kinds it refuses, or answers 0; the older way does not. */
  if (n > 0 ||
      (n < 0 && errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP))
    return n;
  in = (off64_t)offset;
  if (lseek (to, (off_t)offset, SEEK_SET) < 0)
    return -1;
  return sendfile (to, from, &in, length);
}

static gboolean
copy_range (int from, int to, guint64 offset, guint64 end, GCancellable *cancellable,
            GError **error)
{
  while (offset < end)
    {
      gssize n = 0;

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      n = copy_chunk (from, to, offset, MIN (end - offset, CHUNK_SIZE));
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        {
          _imgimport_set_error_errno (error, n < 0 ? errno : EIO, "copy at %" G_GUINT64_FORMAT,
                                      offset);
          return FALSE;
        }
      offset += (guint64)n;
    }
  return TRUE;
}

/* Holes stay holes. A file system that does not tell them is all data. */
static gboolean
copy_extents (int from, int to, guint64 size, GCancellable *cancellable, GError **error)
{
  guint64 offset = 0;

  while (offset < size)
    {
      guint64 end = 0;

      _imgimport_fd_next_extent (from, offset, &offset, &end);
      end = MIN (end, size);
      if (offset >= end)
        return TRUE;
      if (!copy_range (from, to, offset, end, cancellable, error))
        return FALSE;
      offset = end;
    }
  return TRUE;
}

/* Into `writer`, no costlier than `*adoption`, which is the way taken. */
static gboolean
fill (ImgImportFileWriter *writer, int fd, guint64 size, ImgImportAdoption *adoption,
      GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (ioctl (writer->fd, FICLONE, fd) == 0)
    {
      *adoption = IMGIMPORT_ADOPTED_BY_REFLINK;
      return TRUE;
    }
  if (*adoption < IMGIMPORT_ADOPTED_BY_COPY)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "adopt-unsupported",
                            "no reflink: %s", g_strerror (errno));
      return FALSE;
    }
  if (copy_extents (fd, writer->fd, size, cancellable, &failure))
    return TRUE;
  if (!imgimport_error_is_cancelled (failure))
    _imgimport_error_prefix (&failure, "object “%s”", writer->key);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
adopt_by_copy (const ImgImportFileStore *self, const char *key, int fd, guint64 size,
               char **version, ImgImportAdoption *adoption, GCancellable *cancellable,
               GError **error)
{
  ImgImportFileWriter *writer = _imgimport_file_writer_new (self, key, error);

  if (writer == NULL)
    return FALSE;
  if (!fill (writer, fd, size, adoption, cancellable, error))
    {
      _imgimport_file_writer_abort (self, writer);
      return FALSE;
    }
  return _imgimport_file_writer_commit (self, writer, size, version, error);
}

/* ---- slot ------------------------------------------------------------------------------------ */

static gboolean
check_source (int fd, guint64 size, const char *key, struct stat *facts, GError **error)
{
  if (fstat (fd, facts) != 0)
    {
      _imgimport_set_error_errno (error, errno, "object “%s”: what to take over", key);
      return FALSE;
    }
  if (!S_ISREG (facts->st_mode))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "adopt-unsupported",
                            "object “%s”: what to take over is not a regular file", key);
      return FALSE;
    }
  if ((guint64)facts->st_size == size)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "size-mismatch",
                        "object “%s”: what to take over has %" G_GUINT64_FORMAT
                        " bytes, expected %" G_GUINT64_FORMAT,
                        key, (guint64)facts->st_size, size);
  return FALSE;
}

gboolean
_imgimport_store_file_adopt (gpointer self, const char *key, int fd, guint64 size, char **version,
                             ImgImportAdoption *adoption, GCancellable *cancellable, GError **error)
{
  const char *why = "others may write to it";
  struct stat facts;

  *version = NULL;
  if (!_imgimport_store_check_key (key, error) || !check_source (fd, size, key, &facts, error))
    return FALSE;
  if (may_share_inode (&facts) && adopt_by_link (self, key, fd, &why, version, error))
    {
      *adoption = IMGIMPORT_ADOPTED_BY_LINK;
      return *version != NULL;
    }
  if (*adoption > IMGIMPORT_ADOPTED_BY_LINK)
    return adopt_by_copy (self, key, fd, size, version, adoption, cancellable, error);
  _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "adopt-unsupported", "no link: %s",
                        why);
  return FALSE;
}
