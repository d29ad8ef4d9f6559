/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What GLib orders, told to ThreadSanitizer: a library for LD_PRELOAD.
 *
 * GLib is not instrumented. Its locks are futexes, its reference counts and its "once" are atomic
 * operations inside functions that the sanitizer never sees: it would take what they order for
 * races. Each function here calls GLib's own and says what that one orders. A program that is not
 * instrumented (a child of a test) has nobody to be told; the calls are then GLib's alone.
 */
#include <dlfcn.h>
#include <glib-object.h>

#define EXPORT __attribute__ ((visibility ("default")))

void __tsan_acquire (void *address) __attribute__ ((weak));
void __tsan_release (void *address) __attribute__ ((weak));

static void
acquire (gconstpointer address)
{
  if (__tsan_acquire != NULL)
    __tsan_acquire ((void *)address);
}

static void
release (gconstpointer address)
{
  if (__tsan_release != NULL)
    __tsan_release ((void *)address);
}

/* GLib's own function of the name that calls this. */
#define NEXT(name)                                                                                 \
  (__extension__({                                                                                 \
    static __typeof__ (&name) next;                                                                \
    if (__atomic_load_n (&next, __ATOMIC_RELAXED) == NULL)                                         \
      __atomic_store_n (&next, (__typeof__ (&name))dlsym (RTLD_NEXT, #name), __ATOMIC_RELAXED);    \
    next;                                                                                          \
  }))

/* ---- locks and conditions -------------------------------------------------------------------- */

EXPORT void
g_mutex_lock (GMutex *mutex)
{
  NEXT (g_mutex_lock) (mutex);
  acquire (mutex);
}

EXPORT gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean is_locked = NEXT (g_mutex_trylock) (mutex);

  if (is_locked)
    acquire (mutex);
  return is_locked;
}

EXPORT void
g_mutex_unlock (GMutex *mutex)
{
  release (mutex);
  NEXT (g_mutex_unlock) (mutex);
}

EXPORT void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  release (mutex);
  NEXT (g_cond_wait) (cond, mutex);
  acquire (mutex);
}

EXPORT gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean is_signalled;

  release (mutex);
  is_signalled = NEXT (g_cond_wait_until) (cond, mutex, end_time);
  acquire (mutex);
  return is_signalled;
}

/* ---- what is done once ----------------------------------------------------------------------- */

#undef g_once_init_enter
#undef g_once_init_leave

EXPORT gboolean
g_once_init_enter (volatile void *location)
{
  gboolean is_ours = NEXT (g_once_init_enter) (location);

  if (!is_ours)
    acquire ((gconstpointer)location);
  return is_ours;
}

EXPORT void
g_once_init_leave (volatile void *location, gsize result)
{
  release ((gconstpointer)location);
  NEXT (g_once_init_leave) (location, result);
}

/* The class of a type is filled in by whoever makes the first object of it. */
static void
make_class (GType type)
{
  const GQuark is_made = g_quark_from_static_string ("order-is-made");

  if (g_type_get_qdata (type, is_made) == NULL)
    {
      g_type_class_ref (type);
      release (GSIZE_TO_POINTER (type));
      g_type_set_qdata (type, is_made, GSIZE_TO_POINTER (type));
    }
  acquire (GSIZE_TO_POINTER (type));
}

EXPORT gpointer
g_object_new (GType type, const char *first, ...)
{
  gpointer object;
  va_list rest;

  make_class (type);
  va_start (rest, first);
  object = g_object_new_valist (type, first, rest);
  va_end (rest);
  return object;
}

/* ---- reference counts ------------------------------------------------------------------------ */

/* Whoever lets go has done with the thing; whoever frees it comes after all of them. Nobody knows
 * beforehand who that is. */
#define UNREF(name, Type)                                                                          \
  EXPORT void name (Type thing)                                                                    \
  {                                                                                                \
    release (thing);                                                                               \
    acquire (thing);                                                                               \
    NEXT (name) (thing);                                                                           \
  }

UNREF (g_variant_unref, GVariant *)
UNREF (g_bytes_unref, GBytes *)
UNREF (g_array_unref, GArray *)
UNREF (g_ptr_array_unref, GPtrArray *)
UNREF (g_hash_table_unref, GHashTable *)

/* What the last one is to call. */
static __thread GDestroyNotify clear_box;

static void
acquire_and_clear (gpointer thing)
{
  acquire (thing);
  if (clear_box != NULL)
    clear_box (thing);
}

EXPORT void
g_atomic_rc_box_release_full (gpointer thing, GDestroyNotify clear)
{
  release (thing);
  clear_box = clear;
  NEXT (g_atomic_rc_box_release_full) (thing, acquire_and_clear);
}

EXPORT void
g_atomic_rc_box_release (gpointer thing)
{
  g_atomic_rc_box_release_full (thing, NULL);
}

/* Not the last reference: it is given back here, so that whoever is left with that finds all others
 * done. GLib's function says afterwards only which it was. */
EXPORT void
g_object_unref (gpointer thing)
{
  guint *ref_count = (guint *)&((GObject *)thing)->ref_count;
  guint count = __atomic_load_n (ref_count, __ATOMIC_ACQUIRE);

  release (thing);
  while (count > 1)
    if (__atomic_compare_exchange_n (ref_count, &count, count - 1, FALSE, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
      return;
  acquire (thing);
  NEXT (g_object_unref) (thing);
}

#undef g_atomic_ref_count_dec

EXPORT gboolean
g_atomic_ref_count_dec (gatomicrefcount *count)
{
  gboolean is_last;

  release (count);
  is_last = NEXT (g_atomic_ref_count_dec) (count);
  if (is_last)
    acquire (count);
  return is_last;
}
