/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stores/stores-private.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

gpointer
_imgimport_store_file_new (const char *directory, gboolean durable, GError **error)
{
  ImgImportFileStore *self = NULL;
  int dirfd = -1;

  g_return_val_if_fail (directory != NULL, NULL);
  dirfd = _imgimport_dir_open_private (directory, TRUE, error);
  if (dirfd < 0)
    return NULL;
  self = g_new0 (ImgImportFileStore, 1);
  self->dirfd = dirfd;
  self->durable = durable;
  return self;
}

void
_imgimport_store_file_free (gpointer self)
{
  ImgImportFileStore *store = self;

  _imgimport_fd_close (store->dirfd);
  g_free (store);
}

static gboolean
file_commit (gpointer self, gpointer writer, guint64 size, char **version,
             GCancellable *cancellable, GError **error)
{
  return _imgimport_file_writer_commit (self, writer, size, version, error);
}

static void
file_abort (gpointer self, gpointer writer)
{
  _imgimport_file_writer_abort (self, writer);
}

/* ---- committed objects ----------------------------------------------------------------------- */

/* Only we write to the directory: anything but a regular file is somebody's plant or damage. */
static int
open_object (const ImgImportFileStore *self, const char *key, struct stat *facts, GError **error)
{
  g_auto (ImgImportFd) fd = -1;

  if (!_imgimport_store_check_key (key, error))
    return -1;
  fd = _imgimport_openat (self->dirfd, key, O_RDONLY | O_NONBLOCK, 0);
  if (fd < 0 && errno != ELOOP)
    {
      _imgimport_set_error_errno (error, errno, "object “%s”", key);
      return -1;
    }
  if (fd >= 0 && fstat (fd, facts) != 0)
    {
      _imgimport_set_error_errno (error, errno, "object “%s”", key);
      return -1;
    }
  if (fd < 0 || !S_ISREG (facts->st_mode))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "object-invalid",
                            "object “%s” is not a regular file", key);
      return -1;
    }
  return _imgimport_fd_steal (&fd);
}

typedef struct
{
  char *key;
  int fd;
} FileReader;

static gboolean
file_open (gpointer self, const char *key, gpointer *reader, GCancellable *cancellable,
           GError **error)
{
  FileReader *file = NULL;
  struct stat facts;
  int fd = open_object (self, key, &facts, error);

  if (fd < 0)
    return FALSE;
  file = g_new0 (FileReader, 1);
  file->key = g_strdup (key);
  file->fd = fd;
  *reader = file;
  return TRUE;
}

static gboolean
file_read (gpointer self, gpointer reader, guint64 offset, void *buffer, gsize length,
           gsize *n_read, GCancellable *cancellable, GError **error)
{
  FileReader *file = reader;
  g_autoptr (GError) failure = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  if (_imgimport_fd_read_at (file->fd, offset, buffer, length, n_read, &failure))
    return TRUE;
  _imgimport_error_prefix (&failure, "object “%s”", file->key);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
file_next_extent (gpointer self, gpointer reader, guint64 offset, guint64 *start, guint64 *end,
                  GCancellable *cancellable, GError **error)
{
  const FileReader *file = reader;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  _imgimport_fd_next_extent (file->fd, offset, start, end);
  return TRUE;
}

static void
file_close (gpointer self, gpointer reader)
{
  FileReader *file = reader;

  _imgimport_fd_close (file->fd);
  g_free (file->key);
  g_free (file);
}

static int
file_local_fd (gpointer self, gpointer reader)
{
  FileReader *file = reader;

  return file->fd;
}

static gboolean
file_stat (gpointer self, const char *key, guint64 *size, char **version, GCancellable *cancellable,
           GError **error)
{
  g_auto (ImgImportFd) fd = -1;
  struct stat facts;

  fd = open_object (self, key, &facts, error);
  if (fd < 0)
    return FALSE;
  if (version != NULL)
    {
      *version = _imgimport_file_store_version (fd, key, error);
      if (*version == NULL)
        return FALSE;
    }
  if (size != NULL)
    *size = (guint64)facts.st_size;
  return TRUE;
}

static gboolean
file_remove (gpointer self, const char *key, GCancellable *cancellable, GError **error)
{
  const ImgImportFileStore *store = self;
  g_autofree char *hidden = NULL;
  gboolean found = FALSE;

  if (!_imgimport_store_check_key (key, error))
    return FALSE;
  hidden = g_strconcat (".", key, NULL);
  found = unlinkat (store->dirfd, hidden, 0) == 0;
  if (!found && errno != ENOENT)
    {
      _imgimport_set_error_errno (error, errno, "object “%s”", key);
      return FALSE;
    }
  if (unlinkat (store->dirfd, key, 0) == 0 || (errno == ENOENT && found))
    return TRUE;
  _imgimport_set_error_errno (error, errno, "object “%s”", key);
  return FALSE;
}

const ImgImportStoreVTable _imgimport_store_file_vtable = {
  IMGIMPORT_STORE_VTABLE_INIT,
  .begin = _imgimport_store_file_begin,
  .write = _imgimport_store_file_write,
  .commit = file_commit,
  .abort = file_abort,
  .open = file_open,
  .read = file_read,
  .close = file_close,
  .stat = file_stat,
  .remove = file_remove,
  .local_fd = file_local_fd,
  .adopt = _imgimport_store_file_adopt,
  .next_extent = file_next_extent,
};
