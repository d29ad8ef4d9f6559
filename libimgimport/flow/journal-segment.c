/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/journal-segment.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".journal"
#define CREATE_TRIES 16

static void
clear (gpointer data)
{
  ImgImportSegment *self = data;

  _imgimport_fd_close (self->fd);
  g_free (self->name);
}

ImgImportSegment *
_imgimport_segment_ref (ImgImportSegment *self)
{
  return g_atomic_rc_box_acquire (self);
}

void
_imgimport_segment_unref (ImgImportSegment *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

static ImgImportSegment *
new_segment (const char *name, int fd)
{
  ImgImportSegment *self = g_atomic_rc_box_new0 (ImgImportSegment);

  self->name = g_strdup (name);
  self->fd = fd;
  return self;
}

static gboolean
set_lock (int fd, short type, gint64 start, gint64 length)
{
  struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length };
  int result;

  do
    result = fcntl (fd, F_OFD_SETLK, &lock);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

gboolean
_imgimport_file_lock (int fd, gint64 start, gint64 length)
{
  return set_lock (fd, F_WRLCK, start, length);
}

gboolean
_imgimport_file_is_locked (int fd, gint64 start, gint64 length)
{
  struct flock lock = {
    .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = length
  };

  return fcntl (fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

gboolean
_imgimport_segment_is_in_use (ImgImportSegment *self)
{
  return _imgimport_file_is_locked (self->fd, 0, 0);
}

void
_imgimport_file_unlock (int fd, gint64 start, gint64 length)
{
  set_lock (fd, F_UNLCK, start, length);
}

/* Somebody who looks for segments without an owner may have met it before it was locked. */
static gboolean
own (int fd)
{
  struct stat facts;

  return _imgimport_file_lock (fd, 0, 0) && fstat (fd, &facts) == 0 && facts.st_nlink > 0;
}

ImgImportSegment *
_imgimport_segment_create (int dirfd, GError **error)
{
  guint i;

  for (i = 0; i < CREATE_TRIES; i++)
    {
      g_autofree char *id = g_uuid_string_random ();
      g_autofree char *name = g_strconcat (id, SUFFIX, NULL);
      g_auto (ImgImportFd) fd =
          _imgimport_openat (dirfd, name, O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);

      if (fd < 0 && errno != EEXIST)
        {
          _imgimport_set_error_errno (error, errno, "cannot create journal file “%s”", name);
          return NULL;
        }
      if (fd >= 0 && own (fd))
        return new_segment (name, _imgimport_fd_steal (&fd));
    }
  _imgimport_set_error (error, IMGIMPORT_ERROR_BUSY, "busy",
                        "no new journal file could be had in %d tries", CREATE_TRIES);
  return NULL;
}

ImgImportSegment *
_imgimport_segment_open (int dirfd, const char *name, GError **error)
{
  int fd = _imgimport_openat (dirfd, name, O_RDWR | O_NONBLOCK, 0);

  if (fd >= 0)
    return new_segment (name, fd);
  if (errno != ENOENT)
    _imgimport_set_error_errno (error, errno, "cannot open journal file “%s”", name);
  return NULL;
}

static gboolean
is_segment_name (const char *name)
{
  g_autofree char *id = NULL;

  if (!g_str_has_suffix (name, SUFFIX))
    return FALSE;
  id = g_strndup (name, strlen (name) - strlen (SUFFIX));
  return _imgimport_uuid_is_valid (id);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *
_imgimport_segment_list (int dirfd, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  int fd = openat (dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;
  int failure = errno;

  if (dir != NULL)
    {
      for (errno = 0; (entry = readdir (dir)) != NULL; errno = 0)
        if (is_segment_name (entry->d_name))
          g_ptr_array_add (names, g_strdup (entry->d_name));
      failure = errno;
      closedir (dir);
    }
  else
    _imgimport_fd_close (fd);
  if (dir == NULL || failure != 0)
    {
      _imgimport_set_error_errno (error, failure, "cannot list the journal's directory");
      return NULL;
    }
  g_ptr_array_sort (names, compare_names);
  return g_steal_pointer (&names);
}

GByteArray *
_imgimport_segment_read (ImgImportSegment *self, guint64 offset, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  struct stat facts;
  gsize n_read;

  if (fstat (self->fd, &facts) != 0)
    {
      _imgimport_set_error_errno (error, errno, "journal file “%s”", self->name);
      return NULL;
    }
  if (!S_ISREG (facts.st_mode) || facts.st_size > G_MAXINT)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "journal-corrupt",
                            "“%s” is no journal file", self->name);
      return NULL;
    }
  if ((guint64)facts.st_size <= offset)
    return g_steal_pointer (&bytes);
  g_byte_array_set_size (bytes, (guint)((guint64)facts.st_size - offset));
  if (!_imgimport_fd_read_at (self->fd, offset, bytes->data, bytes->len, &n_read, error))
    return NULL;
  g_byte_array_set_size (bytes, (guint)n_read);
  return g_steal_pointer (&bytes);
}
