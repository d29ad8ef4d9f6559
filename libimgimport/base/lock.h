/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Locks and threads, as the whole library uses them. */

#include <glib.h>

G_BEGIN_DECLS

/*
 * GLib's locks are futexes that ThreadSanitizer does not see; these say to it what they order.
 * Use them, and never g_mutex_lock() itself.
 */
#if defined(__SANITIZE_THREAD__)
#define IMGIMPORT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IMGIMPORT_TSAN 1
#endif
#endif

#ifdef IMGIMPORT_TSAN
void __tsan_acquire (void *address);
void __tsan_release (void *address);
#define IMGIMPORT_TSAN_ACQUIRE(address) __tsan_acquire ((void *) (address))
#define IMGIMPORT_TSAN_RELEASE(address) __tsan_release ((void *) (address))
#else
#define IMGIMPORT_TSAN_ACQUIRE(address) ((void) (address))
#define IMGIMPORT_TSAN_RELEASE(address) ((void) (address))
#endif

#define IMGIMPORT_LOCK_LOOKS 50

/* For the body of a loop that waits for another processor. */
static inline void
_imgimport_pause (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile ("yield");
#endif
}

static inline void
_imgimport_lock (GMutex *mutex)
{
  g_mutex_lock (mutex);
  IMGIMPORT_TSAN_ACQUIRE (mutex);
}

/* The same for a lock that nobody holds for long: a wake-up would cost more than a look or two.
 * Returns whether somebody held it. */
static inline gboolean
_imgimport_lock_short (GMutex *mutex)
{
  guint i;

  for (i = 0; i < IMGIMPORT_LOCK_LOOKS; i++)
    {
      guint pause;

      if (g_mutex_trylock (mutex))
        {
          IMGIMPORT_TSAN_ACQUIRE (mutex);
          return i > 0;
        }
      for (pause = 0; pause < 8; pause++)
        _imgimport_pause ();
    }
  _imgimport_lock (mutex);
  return TRUE;
}

static inline void
_imgimport_unlock (GMutex *mutex)
{
  IMGIMPORT_TSAN_RELEASE (mutex);
  g_mutex_unlock (mutex);
}

static inline void
_imgimport_cond_wait (GCond *cond, GMutex *mutex)
{
  IMGIMPORT_TSAN_RELEASE (mutex);
  g_cond_wait (cond, mutex);
  IMGIMPORT_TSAN_ACQUIRE (mutex);
}

static inline gboolean
_imgimport_cond_wait_until (GCond *cond, GMutex *mutex, gint64 monotonic_us)
{
  gboolean signalled;

  IMGIMPORT_TSAN_RELEASE (mutex);
  signalled = g_cond_wait_until (cond, mutex, monotonic_us);
  IMGIMPORT_TSAN_ACQUIRE (mutex);
  return signalled;
}

/* g_atomic_ref_count_dec() whose order ThreadSanitizer sees too. TRUE: free it. */
static inline gboolean
_imgimport_ref_count_dec (gatomicrefcount *count)
{
  IMGIMPORT_TSAN_RELEASE (count);
  if (!g_atomic_ref_count_dec (count))
    return FALSE;
  IMGIMPORT_TSAN_ACQUIRE (count);
  return TRUE;
}

/* A thread with its start and join visible to ThreadSanitizer. */
typedef struct _ImgImportThread ImgImportThread;
ImgImportThread *_imgimport_thread_new (const char *name, GThreadFunc func, gpointer data,
                                        GError **error);
gpointer _imgimport_thread_join (ImgImportThread *self);

/* g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock); */
typedef struct _ImgImportLocker ImgImportLocker;
static inline ImgImportLocker *
_imgimport_locker_new (GMutex *mutex)
{
  _imgimport_lock (mutex);
  return (ImgImportLocker *) mutex;
}
static inline void
_imgimport_locker_free (ImgImportLocker *locker)
{
  _imgimport_unlock ((GMutex *) locker);
}
/* The type the macro defines, marked: clang calls a variable unused that is only cleaned up. */
typedef ImgImportLocker *ImgImportLocker_autoptr G_GNUC_UNUSED;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportLocker, _imgimport_locker_free)

G_END_DECLS
