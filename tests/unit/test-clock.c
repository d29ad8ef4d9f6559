/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include "deny-syscall.h"

#define WALL_US G_GINT64_CONSTANT (1769860800000000)

typedef struct
{
  ImgImportClock *clock;
  GMutex mutex;
  GCond cond;
  gboolean ready;
  guint count;
} Shared;

static void
set_up (Shared *self, gconstpointer wanted)
{
  self->clock =
      wanted != NULL ? _imgimport_clock_new_fake (WALL_US) : _imgimport_clock_new_system ();
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
}

static void
tear_down (Shared *self, gconstpointer wanted)
{
  _imgimport_clock_unref (self->clock);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->mutex);
}

static void
fake_clock_moves_only_when_told (Shared *self, gconstpointer unused)
{
  gint64 start = _imgimport_clock_monotonic_us (self->clock);

  g_assert_cmpint (start, !=, 0);
  g_assert_cmpint (_imgimport_clock_wall_us (self->clock), ==, WALL_US);
  _imgimport_clock_advance (self->clock, 5);
  _imgimport_clock_advance (self->clock, 0);
  g_assert_cmpint (_imgimport_clock_monotonic_us (self->clock), ==, start + 5);
  g_assert_cmpint (_imgimport_clock_wall_us (self->clock), ==, WALL_US + 5);
}

static void
fake_wait_moves_the_clock_and_does_not_block (Shared *self, gconstpointer unused)
{
  gint64 start = _imgimport_clock_monotonic_us (self->clock);
  const gint64 day = G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->mutex);

  g_assert_false (
      _imgimport_clock_wait_until (self->clock, &self->cond, &self->mutex, start + day));
  g_assert_cmpint (_imgimport_clock_monotonic_us (self->clock), ==, start + day);
  g_assert_cmpint (_imgimport_clock_wall_us (self->clock), ==, WALL_US + day);

  /* A time that has passed does not turn it back. */
  g_assert_false (_imgimport_clock_wait_until (self->clock, &self->cond, &self->mutex, start));
  g_assert_cmpint (_imgimport_clock_monotonic_us (self->clock), ==, start + day);
}

static gpointer
signal_ready (gpointer data)
{
  Shared *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->mutex);

  self->ready = TRUE;
  g_cond_signal (&self->cond);
  return self;
}

static void
wait_without_end_needs_the_signal (Shared *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  gint64 start = _imgimport_clock_monotonic_us (self->clock);
  GThread *thread = NULL;

  {
    g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->mutex);

    thread = _imgimport_thread_new ("signal", signal_ready, self, &error);
    g_assert_no_error (error);
    while (!self->ready)
      g_assert_true (
          _imgimport_clock_wait_until (self->clock, &self->cond, &self->mutex, G_MAXINT64));
  }
  g_assert_true (g_thread_join (thread) == self);
  if (unused != NULL)
    g_assert_cmpint (_imgimport_clock_monotonic_us (self->clock), ==, start);
}

static void
system_clock_is_the_systems (Shared *self, gconstpointer unused)
{
  gint64 before = g_get_monotonic_time ();
  gint64 now = _imgimport_clock_monotonic_us (self->clock);
  gint64 wall = g_get_real_time ();

  g_assert_cmpint (now, >=, before);
  g_assert_cmpint (now, <=, g_get_monotonic_time ());
  g_assert_cmpint (_imgimport_clock_wall_us (self->clock) - wall, <, G_USEC_PER_SEC * 60);
}

static void
system_wait_ends_at_its_time (Shared *self, gconstpointer unused)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->mutex);
  gint64 until = _imgimport_clock_monotonic_us (self->clock) + 1000;

  while (_imgimport_clock_wait_until (self->clock, &self->cond, &self->mutex, until))
    ;
  g_assert_cmpint (_imgimport_clock_monotonic_us (self->clock), >=, until);
}

static void
clock_lives_until_the_last_reference (Shared *self, gconstpointer unused)
{
  g_autoptr (ImgImportClock) second = _imgimport_clock_ref (self->clock);

  g_assert_true (second == self->clock);
  _imgimport_clock_unref (_imgimport_clock_ref (second));
  g_assert_cmpint (_imgimport_clock_wall_us (second), ==, WALL_US);
}

static void
advancing_the_systems_clock_is_refused (Shared *self, gconstpointer unused)
{
  g_test_expect_message ("imgimport", G_LOG_LEVEL_CRITICAL, "*self->fake*");
  _imgimport_clock_advance (self->clock, 1);
  g_test_assert_expected_messages ();
}

static gpointer
count_up (gpointer data)
{
  Shared *self = data;
  guint i;

  for (i = 0; i < 1000; i++)
    {
      g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->mutex);

      self->count++;
      _imgimport_clock_advance (self->clock, 1);
    }
  return NULL;
}

static void
lockers_exclude_and_threads_join (Shared *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  GThread *threads[4];
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      threads[i] = _imgimport_thread_new ("count", count_up, self, &error);
      g_assert_no_error (error);
    }
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_null (g_thread_join (threads[i]));
  g_assert_cmpuint (self->count, ==, 4000);
  g_assert_cmpint (_imgimport_clock_wall_us (self->clock), ==, WALL_US + 4000);
}

static gpointer
start_one_too_many (gpointer data)
{
  g_autoptr (GError) error = NULL;

  deny_syscall (SYS_clone, EAGAIN);
  deny_syscall (SYS_clone3, EAGAIN);
  g_assert_null (_imgimport_thread_new ("extra", signal_ready, data, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_UNAVAILABLE);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "resources-exhausted");
  g_assert_true (g_str_has_prefix (error->message, "thread “extra”: "));
  return NULL;
}

static void
thread_that_cannot_start_is_unavailable (Shared *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  GThread *thread = _imgimport_thread_new ("denied", start_one_too_many, self, &error);

  g_assert_no_error (error);
  (void)g_thread_join (thread);
  g_assert_false (self->ready);
}

#define ADD(path, fake, test) g_test_add (path, Shared, fake, set_up, test, tear_down)
#define FAKE "fake"
#define SYSTEM NULL

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/base/clock/fake-moves-only-when-told", FAKE, fake_clock_moves_only_when_told);
  ADD ("/base/clock/fake-wait-moves-the-clock-and-does-not-block", FAKE,
       fake_wait_moves_the_clock_and_does_not_block);
  ADD ("/base/clock/fake-wait-without-end-needs-the-signal", FAKE,
       wait_without_end_needs_the_signal);
  ADD ("/base/clock/system-wait-without-end-needs-the-signal", SYSTEM,
       wait_without_end_needs_the_signal);
  ADD ("/base/clock/system-is-the-systems", SYSTEM, system_clock_is_the_systems);
  ADD ("/base/clock/system-wait-ends-at-its-time", SYSTEM, system_wait_ends_at_its_time);
  ADD ("/base/clock/lives-until-the-last-reference", FAKE, clock_lives_until_the_last_reference);
  ADD ("/base/clock/advancing-the-systems-is-refused", SYSTEM,
       advancing_the_systems_clock_is_refused);
  ADD ("/base/thread/lockers-exclude-and-threads-join", FAKE, lockers_exclude_and_threads_join);
  ADD ("/base/thread/that-cannot-start-is-unavailable", FAKE,
       thread_that_cannot_start_is_unavailable);
  return g_test_run ();
}
