/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "catalogs/sqlite-internal.h"

/*
 * An owner is alive while the byte of its number in the file beside the database is locked. The
 * lock belongs to an open file description, so that the kernel drops it when the last descriptor
 * of it is closed, which the end of a process does, however it ends. A child shares the description
 * until it calls exec: one that never does would keep the owners of its parent alive, but the
 * library is not to be used across fork, and a service that forks and dies is one whose child still
 * has its descriptors open. Nothing is ever written to the file.
 */

static int
open_file (const char *path, GError **error)
{
  gboolean made = _imgimport_sqlite_make_private (path);
  int fd = made ? open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;

  if (fd < 0)
    _imgimport_set_error_errno (error, errno, "catalog: owners file “%s”", path);
  return fd;
}

gboolean
_imgimport_sqlite_owners_open (ImgImportSqlite *self, GError **error)
{
  g_autofree char *path = g_strconcat (self->path, "-owners", NULL);

  self->owners_fd = open_file (path, error);
  if (self->owners_fd < 0)
    return FALSE;
  self->probe_fd = open_file (path, error);
  return self->probe_fd >= 0;
}

static struct flock
byte_lock (gint64 number)
{
  return (struct flock){
    .l_type = F_WRLCK,
    .l_whence = SEEK_SET,
    .l_start = (off_t)number,
    .l_len = 1,
  };
}

static gboolean
next_number (ImgImportSqliteConnection *connection, gpointer data, GError **error)
{
  gint64 *number = data;
  g_autoptr (ImgImportSqliteStatement) prune = NULL;

  if (!_imgimport_sqlite_run (connection, IMGIMPORT_SQLITE_OWNER, error))
    return FALSE;
  *number = sqlite3_last_insert_rowid (connection->db);
  prune = _imgimport_sqlite_prepare (connection, IMGIMPORT_SQLITE_OWNER_PRUNE, error);
  if (prune == NULL)
    return FALSE;
  sqlite3_bind_int64 (prune, 1, *number);
  return _imgimport_sqlite_step (connection, prune, NULL, error);
}

gboolean
_imgimport_sqlite_owner_register (gpointer data, char **owner_id, GError **error)
{
  ImgImportSqlite *self = data;
  gint64 number = 0;
  struct flock lock;

  /* Need not be durable: what a power cut leaves of the log has no trace of the number either. A
   * byte that is locked belongs to a process that holds a database since replaced by this one. */
  do
    {
      if (!_imgimport_sqlite_write (self, next_number, &number, FALSE, error))
        return FALSE;
      lock = byte_lock (number);
      if (fcntl (self->owners_fd, F_OFD_SETLK, &lock) == 0)
        {
          *owner_id = _imgimport_catalog_owner_from_number (number);
          return TRUE;
        }
    }
  while (errno == EAGAIN || errno == EACCES);
  _imgimport_set_error_errno (error, errno, "catalog “%s”: locking for an owner", self->path);
  return FALSE;
}

gboolean
_imgimport_sqlite_owner_is_alive (gpointer data, const char *owner_id, gboolean *alive,
                                  GError **error)
{
  ImgImportSqlite *self = data;
  gint64 number = _imgimport_catalog_owner_to_number (owner_id);
  struct flock lock = byte_lock (number);

  if (number > 0 && fcntl (self->probe_fd, F_OFD_GETLK, &lock) != 0)
    {
      _imgimport_set_error_errno (error, errno, "catalog “%s”: looking for owner %s", self->path,
                                  owner_id);
      return FALSE;
    }
  *alive = number > 0 && lock.l_type != F_UNLCK;
  return TRUE;
}
