/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A file store in a directory of its own, and a look at what lies in it. */

#include "stores/stores-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *path;
  int fd;
  ImgImportFileStore *store;
} StoreDir;

#define TABLE _imgimport_store_file_vtable

static inline void
store_dir_open (StoreDir *self, const char *base, gboolean durable)
{
  g_autoptr (GError) error = NULL;

  self->path = g_build_filename (base, "imgimport-store-XXXXXX", NULL);
  g_assert_nonnull (g_mkdtemp (self->path));
  self->store = _imgimport_store_file_new (self->path, durable, &error);
  g_assert_no_error (error);
  self->fd = self->store->dirfd;
}

static inline guint
store_dir_count (const StoreDir *self)
{
  g_autoptr (GDir) dir = g_dir_open (self->path, 0, NULL);
  guint count = 0;

  while (dir != NULL && g_dir_read_name (dir) != NULL)
    count++;
  return count;
}

static inline void
store_dir_close (StoreDir *self)
{
  g_autoptr (GDir) dir = g_dir_open (self->path, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (unlinkat (self->fd, name, 0) != 0)
      g_assert_cmpint (unlinkat (self->fd, name, AT_REMOVEDIR), ==, 0);
  (void)g_rmdir (self->path);
  _imgimport_store_file_free (self->store);
  g_free (self->path);
}

static inline struct stat
store_dir_stat (const StoreDir *self, const char *name)
{
  struct stat facts;

  g_assert_cmpint (fstatat (self->fd, name, &facts, AT_SYMLINK_NOFOLLOW), ==, 0);
  return facts;
}

static inline gpointer
store_dir_begin (StoreDir *self, const char *key)
{
  g_autoptr (GError) error = NULL;
  gpointer writer = NULL;

  TABLE.begin (self->store, key, IMGIMPORT_SIZE_UNKNOWN, &writer, NULL, &error);
  g_assert_no_error (error);
  return writer;
}

static inline void
store_dir_write (StoreDir *self, gpointer writer, guint64 offset, const void *data, gsize length)
{
  g_autoptr (GError) error = NULL;

  TABLE.write (self->store, writer, offset, data, length, NULL, &error);
  g_assert_no_error (error);
}

static inline char *
store_dir_commit (StoreDir *self, gpointer writer, guint64 size)
{
  g_autoptr (GError) error = NULL;
  char *version = NULL;

  TABLE.commit (self->store, writer, size, &version, NULL, &error);
  g_assert_no_error (error);
  return version;
}

static inline char *
store_dir_put_version (StoreDir *self, const char *key, const char *text)
{
  gpointer writer = store_dir_begin (self, key);

  store_dir_write (self, writer, 0, text, strlen (text));
  return store_dir_commit (self, writer, strlen (text));
}

static inline void
store_dir_put (StoreDir *self, const char *key, const char *text)
{
  g_free (store_dir_put_version (self, key, text));
}

static inline void
assert_reason (const GError *error, ImgImportError code, const char *reason)
{
  g_assert_error (error, IMGIMPORT_ERROR, (int)code);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
}
