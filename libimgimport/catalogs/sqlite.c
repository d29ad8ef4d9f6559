/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/stat.h>

#include "catalogs/sqlite-internal.h"

#define BUSY_TIMEOUT_MS 30000

/* The umask has no say, not even to take away from us what we make. */
gboolean
_imgimport_sqlite_make_private (const char *path)
{
  if (mknod (path, S_IFREG | 0600, 0) == 0)
    return chmod (path, 0600) == 0;
  return errno == EEXIST;
}

/* SQLite makes files that the umask decides about. To open the file here is no way: closing it
 * again would drop the locks of every other connection of this process. */
static gboolean
make_file (const char *path, GError **error)
{
  struct stat status;

  if (!_imgimport_sqlite_make_private (path) || lstat (path, &status) != 0)
    {
      _imgimport_set_error_errno (error, errno, "catalog “%s”", path);
      return FALSE;
    }
  if (!S_ISREG (status.st_mode))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "catalog-corrupt",
                            "catalog “%s”: not a regular file", path);
      return FALSE;
    }
  return TRUE;
}

void
_imgimport_catalog_sqlite_free (gpointer data)
{
  ImgImportSqlite *self = data;

  g_ptr_array_unref (self->idle);
  g_ptr_array_unref (self->waiting);
  g_clear_pointer (&self->writer, _imgimport_sqlite_disconnect);
  _imgimport_fd_close (self->probe_fd);
  _imgimport_fd_close (self->owners_fd);
  g_cond_clear (&self->written);
  g_mutex_clear (&self->lock);
  g_free (self->path);
  g_free (self);
}

gpointer
_imgimport_catalog_sqlite_new_with_timeout (const char *path, guint busy_timeout_ms, GError **error)
{
  ImgImportSqlite *self = g_new0 (ImgImportSqlite, 1);

  self->path = g_strdup (path);
  self->timeout_ms = busy_timeout_ms;
  self->owners_fd = -1;
  self->probe_fd = -1;
  self->syncs = TRUE; /* what a new connection does */
  g_mutex_init (&self->lock);
  g_cond_init (&self->written);
  self->waiting = g_ptr_array_new ();
  self->idle = g_ptr_array_new_with_free_func ((GDestroyNotify)_imgimport_sqlite_disconnect);
  if (make_file (path, error))
    self->writer = _imgimport_sqlite_connect (self->path, busy_timeout_ms, error);
  if (self->writer != NULL && _imgimport_sqlite_migrate (self->writer, error) &&
      _imgimport_sqlite_owners_open (self, error))
    return self;
  _imgimport_catalog_sqlite_free (self);
  return NULL;
}

gpointer
_imgimport_catalog_sqlite_new (const char *path, GError **error)
{
  return _imgimport_catalog_sqlite_new_with_timeout (path, BUSY_TIMEOUT_MS, error);
}

const ImgImportCatalogVTable _imgimport_catalog_sqlite_vtable = {
  IMGIMPORT_CATALOG_VTABLE_INIT,
  .get = _imgimport_sqlite_get,
  .scan = _imgimport_sqlite_scan,
  .commit = _imgimport_sqlite_commit,
  .journal_load = _imgimport_sqlite_journal_load,
  .owner_register = _imgimport_sqlite_owner_register,
  .owner_is_alive = _imgimport_sqlite_owner_is_alive,
};
