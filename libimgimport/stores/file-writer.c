/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stores/stores-private.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_SIZE ((gsize)4096)
/* So much is written back while more arrives, so that a commit does not have to wait for it all. */
#define FLUSH_SIZE ((guint64)8 * 1024 * 1024)

/* ---- names ----------------------------------------------------------------------------------- */

gboolean
_imgimport_file_store_has (const ImgImportFileStore *self, const char *key)
{
  struct stat facts;

  return fstatat (self->dirfd, key, &facts, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

/* Whether `name` still is the file `fd`: somebody may have removed it and begun anew. */
static gboolean
is_name_of (const ImgImportFileStore *self, const char *name, int fd)
{
  struct stat named;
  struct stat ours;

  return fstatat (self->dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && fstat (fd, &ours) == 0 &&
         named.st_dev == ours.st_dev && named.st_ino == ours.st_ino;
}

void
_imgimport_file_store_drop_name (const ImgImportFileStore *self, const char *name, int fd)
{
  if (is_name_of (self, name, fd))
    (void)unlinkat (self->dirfd, name, 0);
}

static int
rename_no_replace (int dirfd, const char *from, const char *to)
{
  if (renameat2 (dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
    return 0;
  /* File systems that do not know the flag can link, which never replaces either. */
  if (errno != EINVAL && errno != ENOSYS)
    return -1;
  if (linkat (dirfd, from, dirfd, to, 0) != 0)
    return -1;
  (void)unlinkat (dirfd, from, 0);
  return 0;
}

/* The bytes first, then the name, then the directory that holds it: a power cut between two of
 * them leaves no visible object without its bytes. */
gboolean
_imgimport_file_store_publish (const ImgImportFileStore *self, const char *hidden, const char *key,
                               int fd, gboolean is_committed, GError **error)
{
  g_autoptr (GError) failure = NULL;

  if (self->durable && !is_committed && !_imgimport_fd_sync (fd, &failure))
    _imgimport_file_store_drop_name (self, hidden, fd);
  else if (!is_name_of (self, hidden, fd))
    _imgimport_set_error (&failure, IMGIMPORT_ERROR_NOT_FOUND, "not-found",
                          "removed while it was being written");
  else if (rename_no_replace (self->dirfd, hidden, key) != 0)
    {
      _imgimport_set_error_errno (&failure, errno, "cannot be given its name");
      _imgimport_file_store_drop_name (self, hidden, fd);
    }
  else if (self->durable && !_imgimport_fd_sync (self->dirfd, &failure))
    _imgimport_file_store_drop_name (self, key, fd);
  if (failure == NULL)
    return TRUE;
  _imgimport_error_prefix (&failure, "object “%s”", key);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Neither the change time, which moves when an object is linked elsewhere, nor the device, whose
 * number may be another after the next mount. */
char *
_imgimport_file_store_version (int fd, const char *key, GError **error)
{
  struct stat facts;

  if (fstat (fd, &facts) != 0)
    {
      _imgimport_set_error_errno (error, errno, "object “%s”", key);
      return NULL;
    }
  return g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT ":%" G_GINT64_FORMAT ".%09ld",
                          (guint64)facts.st_ino, (guint64)facts.st_size,
                          (gint64)facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec);
}

/* ---- writer ---------------------------------------------------------------------------------- */

static void
writer_free (ImgImportFileWriter *self)
{
  _imgimport_fd_close (self->fd);
  g_free (self->hidden);
  g_free (self->key);
  g_free (self);
}

static void
set_begin_error (GError **error, int saved_errno, const char *key)
{
  if (saved_errno == ENOENT)
    _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "directory-gone",
                          "object “%s”: the store's directory was removed", key);
  else
    _imgimport_set_error_errno (error, saved_errno, "object “%s”", key);
}

ImgImportFileWriter *
_imgimport_file_writer_new (const ImgImportFileStore *store, const char *key, GError **error)
{
  g_autofree char *hidden = NULL;
  ImgImportFileWriter *self = NULL;
  int fd = -1;

  if (!_imgimport_store_check_key (key, error))
    return NULL;
  hidden = g_strconcat (".", key, NULL);
  fd = _imgimport_openat (store->dirfd, hidden, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd < 0)
    {
      set_begin_error (error, errno, key);
      return NULL;
    }
  self = g_new0 (ImgImportFileWriter, 1);
  self->key = g_strdup (key);
  self->hidden = g_steal_pointer (&hidden);
  self->fd = fd;
  /* Not before: whoever holds the hidden name is the only one who can commit the key. */
  if (_imgimport_file_store_has (store, key))
    {
      _imgimport_set_error_errno (error, EEXIST, "object “%s”", key);
      _imgimport_file_writer_abort (store, self);
      return NULL;
    }
  return self;
}

void
_imgimport_file_writer_abort (const ImgImportFileStore *store, ImgImportFileWriter *self)
{
  _imgimport_file_store_drop_name (store, self->hidden, self->fd);
  writer_free (self);
}

/* Final size, no permission to write, and a time that tells this object from one that had its
 * inode before: the kernel's own is as coarse as its ticks. */
static gboolean
finish_file (const ImgImportFileWriter *self, guint64 size, GError **error)
{
  const gint64 now_us = g_get_real_time ();
  const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                                     { .tv_sec = now_us / G_USEC_PER_SEC,
                                       .tv_nsec = now_us % G_USEC_PER_SEC * 1000 } };
  int failure = 0;

  if (size > G_MAXINT64)
    failure = EFBIG;
  else if (ftruncate (self->fd, (off_t)size) != 0 || fchmod (self->fd, 0400) != 0 ||
           futimens (self->fd, times) != 0)
    failure = errno;
  if (failure == 0)
    return TRUE;
  _imgimport_set_error_errno (error, failure, "object “%s”", self->key);
  return FALSE;
}

gboolean
_imgimport_file_writer_commit (const ImgImportFileStore *store, ImgImportFileWriter *self,
                               guint64 size, char **version, GError **error)
{
  g_autofree char *answer = NULL;

  if (finish_file (self, size, error))
    answer = _imgimport_file_store_version (self->fd, self->key, error);
  if (answer == NULL)
    {
      _imgimport_file_writer_abort (store, self);
      return FALSE;
    }
  if (!_imgimport_file_store_publish (store, self->hidden, self->key, self->fd, FALSE, error))
    g_clear_pointer (&answer, g_free);
  writer_free (self);
  *version = g_steal_pointer (&answer);
  return *version != NULL;
}

/* ---- slots ----------------------------------------------------------------------------------- */

gboolean
_imgimport_store_file_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
                             GCancellable *cancellable, GError **error)
{
  *writer = _imgimport_file_writer_new (self, key, error);
  return *writer != NULL;
}

/* How many bytes from `offset` on are alike, block by block of the file: zeros or not. */
static gsize
run_length (guint64 offset, const guint8 *data, gsize length, gboolean *zero)
{
  gsize run = 0;

  while (run < length)
    {
      gsize block = MIN (length - run, BLOCK_SIZE - (gsize)((offset + run) % BLOCK_SIZE));
      gboolean block_zero = _imgimport_is_zero (data + run, block);

      if (run > 0 && block_zero != *zero)
        break;
      *zero = block_zero;
      run += block;
    }
  return run;
}

gboolean
_imgimport_store_file_write (gpointer self, gpointer writer, guint64 offset, const void *data,
                             gsize length, GCancellable *cancellable, GError **error)
{
  const ImgImportFileStore *store = self;
  ImgImportFileWriter *file = writer;
  g_autoptr (GError) failure = NULL;
  const guint8 *bytes = data;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  while (length > 0)
    {
      gboolean zero = FALSE;
      gsize run = run_length (offset, bytes, length, &zero);

      if (!zero && !_imgimport_fd_write_at (file->fd, offset, bytes, run, &failure))
        {
          _imgimport_error_prefix (&failure, "object “%s”", file->key);
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      offset += run;
      bytes += run;
      length -= run;
    }
  if (store->durable && offset - file->flushed >= FLUSH_SIZE)
    {
      (void)sync_file_range (file->fd, (off64_t)file->flushed, (off64_t)(offset - file->flushed),
                             SYNC_FILE_RANGE_WRITE);
      file->flushed = offset;
    }
  return TRUE;
}
