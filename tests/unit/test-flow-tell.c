/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

#include <poll.h>

#include <imgimport/imgimport-watch.h>

/* How the reader of a run's events learns of them where there are very many. */

#define N_QUICK 3000
#define PATIENCE_MS 60000

typedef struct
{
  GMutex lock;
  GCond cond;
  gboolean is_seen; /* the reader has seen the last task begin */
} Meeting;

static gboolean
do_nothing (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

/* Goes on once its beginning has been read. */
static gboolean
wait_to_be_seen (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Meeting *meeting = self;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&meeting->lock);
  gint64 deadline_us = g_get_monotonic_time () + (gint64)PATIENCE_MS * 1000;

  while (!meeting->is_seen)
    if (!g_cond_wait_until (&meeting->cond, &meeting->lock, deadline_us))
      break;
  if (!meeting->is_seen)
    _imgimport_set_error (error, IMGIMPORT_ERROR_TIMED_OUT, "timed-out", "nobody has seen it");
  return meeting->is_seen;
}

static const ImgImportTaskVTable quick_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                  .execute = do_nothing };
static const ImgImportTaskVTable seen_vtable = { IMGIMPORT_TASK_VTABLE_INIT,
                                                 .execute = wait_to_be_seen };

static ImgImportFlow *
build_flow (Meeting *meeting)
{
  ImgImportFlow *flow = imgimport_flow_new_linear ("burst");
  guint i;

  for (i = 0; i <= N_QUICK; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *name = g_strdup_printf ("t%u", i);

      imgimport_flow_add_task (flow, name, i < N_QUICK ? &quick_vtable : &seen_vtable, meeting,
                               NULL, &error);
      g_assert_no_error (error);
    }
  return flow;
}

static void
note_seen (Meeting *meeting)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&meeting->lock);

  meeting->is_seen = TRUE;
  g_cond_broadcast (&meeting->cond);
}

/* Reads until the end of the run, and only what the descriptor says is there. */
static ImgImportRunState
read_all (ImgImportRunSubscription *subscription, const char *last, Meeting *meeting)
{
  struct pollfd poll_fd = { imgimport_run_subscription_get_fd (subscription), POLLIN, 0 };
  ImgImportRunEvent event = { .kind = IMGIMPORT_RUN_EVENT_TASK };

  while (event.run_state < IMGIMPORT_RUN_SUCCESS)
    {
      g_assert_cmpint (poll (&poll_fd, 1, PATIENCE_MS), ==, 1);
      while (imgimport_run_subscription_next (subscription, &event))
        if (event.kind == IMGIMPORT_RUN_EVENT_TASK && g_str_equal (event.task, last))
          note_seen (meeting);
    }
  return event.run_state;
}

static void
burst_with (guint n_threads)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *last = g_strdup_printf ("t%u", N_QUICK);
  Meeting meeting = { .is_seen = FALSE };
  g_autoptr (ImgImportFlow) flow = build_flow (&meeting);
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (n_threads);
  g_autoptr (ImgImportRun) run = imgimport_run_new (flow, "burst", NULL, NULL, &error);
  g_autoptr (ImgImportRunSubscription) subscription = NULL;

  g_assert_no_error (error);
  subscription = imgimport_run_subscribe (run, &error);
  g_assert_no_error (error);
  g_mutex_init (&meeting.lock);
  g_cond_init (&meeting.cond);
  imgimport_run_start (run, engine, &error);
  g_assert_no_error (error);
  g_assert_cmpint (read_all (subscription, last, &meeting), ==, IMGIMPORT_RUN_SUCCESS);
  g_assert_true (imgimport_run_wait (run, PATIENCE_MS));
  g_cond_clear (&meeting.cond);
  g_mutex_clear (&meeting.lock);
}

static void
a_long_task_after_a_burst_is_seen_to_begin (void)
{
  guint i;

  for (i = 0; i < 20; i++)
    burst_with (1 + i % 2);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/flow/watch/T62/a-long-task-after-a-burst-is-seen-to-begin",
                   a_long_task_after_a_burst_is_seen_to_begin);
  return g_test_run ();
}
