/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Locks and threads, as the whole library uses them. */

#include <glib.h>

G_BEGIN_DECLS

#define IMGIMPORT_LOCK_LOOKS 50

/* For the body of a loop that waits for another processor. */
static inline void
_imgimport_pause (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* For a lock that nobody holds for long: a wake-up would cost more than a look or two. Returns
 * whether somebody held it. */
static inline gboolean
_imgimport_lock_short (GMutex *mutex)
{
  guint i;

  for (i = 0; i < IMGIMPORT_LOCK_LOOKS; i++)
    {
      guint pause;

      if (g_mutex_trylock (mutex))
        return i > 0;
      for (pause = 0; pause < 8; pause++)
        _imgimport_pause ();
    }
  g_mutex_lock (mutex);
  return TRUE;
}

/* g_thread_try_new(), with the reason of the library's errors: `resources-exhausted`. */
GThread *_imgimport_thread_new (const char *name, GThreadFunc func, gpointer data, GError **error);

/* g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
 *
 * GMutexLocker, which clang calls a variable unused that is only cleaned up. */
typedef struct _ImgImportLocker ImgImportLocker;
static inline ImgImportLocker *
_imgimport_locker_new (GMutex *mutex)
{
  g_mutex_lock (mutex);
  return (ImgImportLocker *)mutex;
}
static inline void
_imgimport_locker_free (ImgImportLocker *locker)
{
  g_mutex_unlock ((GMutex *)locker);
}
typedef ImgImportLocker *ImgImportLocker_autoptr G_GNUC_UNUSED;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportLocker, _imgimport_locker_free)

G_END_DECLS
