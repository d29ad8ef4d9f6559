/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int
_imgimport_fd_new_flag (GError **error)
{
  int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

  if (fd < 0)
    _imgimport_set_error_errno (error, errno, "cannot subscribe to events");
  return fd;
}

/* The counter goes from 0 to 1 and back: writing cannot fail, and reading fails at 0 only. */
gboolean
_imgimport_fd_set_flag (int fd, gboolean readable)
{
  guint64 one = 1;
  gssize done;

  do
    done = readable ? write (fd, &one, sizeof one) : read (fd, &one, sizeof one);
  while (done < 0 && errno == EINTR);
  return done > 0;
}

gboolean
_imgimport_mailbox_init (ImgImportMailbox *self, guint max, GError **error)
{
  self->max = max;
  g_queue_init (&self->items);
  self->fd = _imgimport_fd_new_flag (error);
  return self->fd >= 0;
}

void
_imgimport_mailbox_clear (ImgImportMailbox *self, GDestroyNotify destroy)
{
  g_queue_clear_full (&self->items, destroy);
  _imgimport_fd_close (self->fd);
  self->fd = -1;
}

gboolean
_imgimport_mailbox_is_full (ImgImportMailbox *self)
{
  return self->items.length >= self->max;
}

void
_imgimport_mailbox_push (ImgImportMailbox *self, gpointer item)
{
  g_queue_push_tail (&self->items, item);
  if (self->items.length == 1)
    _imgimport_fd_set_flag (self->fd, TRUE);
}

void
_imgimport_mailbox_replace (ImgImportMailbox *self, gpointer item, GDestroyNotify destroy)
{
  gboolean was_empty = self->items.length == 0;

  g_queue_clear_full (&self->items, destroy);
  g_queue_push_tail (&self->items, item);
  if (was_empty)
    _imgimport_fd_set_flag (self->fd, TRUE);
}

gpointer
_imgimport_mailbox_pop (ImgImportMailbox *self)
{
  gpointer item = g_queue_pop_head (&self->items);

  if (item != NULL && self->items.length == 0)
    _imgimport_fd_set_flag (self->fd, FALSE);
  return item;
}
