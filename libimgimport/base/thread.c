/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

GThread *
_imgimport_thread_new (const char *name, GThreadFunc func, gpointer data, GError **error)
{
  g_autoptr (GError) cause = NULL;
  GThread *thread = g_thread_try_new (name, func, data, &cause);

  if (thread == NULL)
    _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "resources-exhausted",
                          "thread “%s”: %s", name, cause->message);
  return thread;
}
