/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

struct _ImgImportThread
{
  GThread *thread;
  GThreadFunc func;
  gpointer data;
};

static gpointer
run (gpointer data)
{
  ImgImportThread *self = data;
  gpointer result;

  IMGIMPORT_TSAN_ACQUIRE (self);
  result = self->func (self->data);
  IMGIMPORT_TSAN_RELEASE (self);
  return result;
}

ImgImportThread *
_imgimport_thread_new (const char *name, GThreadFunc func, gpointer data, GError **error)
{
  g_autofree ImgImportThread *self = g_new0 (ImgImportThread, 1);
  g_autoptr (GError) cause = NULL;
  GThread *thread;

  self->func = func;
  self->data = data;
  IMGIMPORT_TSAN_RELEASE (self);
  thread = g_thread_try_new (name, run, self, &cause);
  if (thread == NULL)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "resources-exhausted",
                            "thread “%s”: %s", name, cause->message);
      return NULL;
    }
  self->thread = thread;
  return g_steal_pointer (&self);
}

gpointer
_imgimport_thread_join (ImgImportThread *self)
{
  gpointer result = g_thread_join (self->thread);

  IMGIMPORT_TSAN_ACQUIRE (self);
  g_free (self);
  return result;
}
