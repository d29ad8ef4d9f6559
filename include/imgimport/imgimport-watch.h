/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-run.h>

G_BEGIN_DECLS

/*
 * What can be seen of a run while it goes on, and after it. Nothing here holds up its tasks: no
 * function of a listener is ever called from a thread of the engine.
 */

/**
 * ImgImportRunEventKind: (skip)
 * @IMGIMPORT_RUN_EVENT_TASK: a task is in another state
 * @IMGIMPORT_RUN_EVENT_RUN: the run is in another state
 * @IMGIMPORT_RUN_EVENT_RESYNC: events were dropped because the queue was full: look at the run
 * @IMGIMPORT_RUN_EVENT_PROGRESS: a task has come further by a hundredth or more
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_RUN_EVENT_TASK = 0,
  IMGIMPORT_RUN_EVENT_RUN = 1,
  IMGIMPORT_RUN_EVENT_RESYNC = 2,
  IMGIMPORT_RUN_EVENT_PROGRESS = 3
} ImgImportRunEventKind;

/**
 * ImgImportRunEvent: (skip)
 * @kind: what happened; says which of the others count
 * @task: (nullable): the name of the task, %NULL for RUN and RESYNC; valid as long as the
 *   subscription
 * @task_state: its state
 * @attempt: which attempt it is
 * @run_state: the state of the run
 * @progress: how much of the task is done, 0 to 1; of PROGRESS
 * @time_us: when, on the monotonic clock
 *
 * Since: 0.1
 */
typedef struct
{
  ImgImportRunEventKind kind;
  const char *task;
  ImgImportTaskState task_state;
  guint attempt;
  ImgImportRunState run_state;
  double progress;
  gint64 time_us;
} ImgImportRunEvent;

#define IMGIMPORT_TYPE_RUN_SUBSCRIPTION (imgimport_run_subscription_get_type ())

/**
 * ImgImportRunSubscription:
 *
 * A bounded queue of events of one run with a descriptor to poll. A slow reader loses its own events
 * and holds up nobody. Dropping the last reference ends the subscription.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportRunSubscription, imgimport_run_subscription, IMGIMPORT,
                      RUN_SUBSCRIPTION, GObject)

/**
 * imgimport_run_subscribe:
 * @self: a run
 * @error: return location
 *
 * Returns: (transfer full): a queue of what happens from now on; %NULL with
 *   %IMGIMPORT_ERROR_UNAVAILABLE ("resources-exhausted") where no descriptor is to be had
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportRunSubscription *imgimport_run_subscribe (ImgImportRun *self, GError **error);

/**
 * imgimport_run_subscription_get_fd:
 * @self: a subscription
 *
 * Returns: a descriptor that polls readable while events wait; where there are many thousands a
 *   second, it may become so a fraction of a millisecond after the first of them. It belongs to the
 *   subscription: poll it, neither read nor close it
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
int imgimport_run_subscription_get_fd (ImgImportRunSubscription *self);

/**
 * imgimport_run_subscription_next: (skip)
 * @self: a subscription
 * @event: (out): the oldest event that waits
 *
 * Never blocks.
 *
 * Returns: whether there was one
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_run_subscription_next (ImgImportRunSubscription *self,
                                          ImgImportRunEvent *event);

/**
 * imgimport_run_get_progress:
 * @self: a run
 * @per_second: (out) (optional): by how much it has grown a second since the start
 * @remaining_ms: (out) (optional): an estimate of what is left; negative: none can be given
 *
 * Returns: how much of the tasks, by their weights, is done: 0 to 1. It stays where it is while a
 *   run is reverted
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
double imgimport_run_get_progress (ImgImportRun *self, double *per_second, gint64 *remaining_ms);

/**
 * ImgImportTaskStatistics: (skip)
 * @attempts: how often execute was called
 * @queued_us: how long the task was ready and waited for a thread, in all
 * @running_us: how long it was executed and reverted, in all
 * @started_us: when it was executed first, after the start of the run; negative: not yet
 * @ended_us: when it was left last, after the start of the run; negative: not yet
 *
 * Since: 0.1
 */
typedef struct
{
  guint attempts;
  gint64 queued_us;
  gint64 running_us;
  gint64 started_us;
  gint64 ended_us;
} ImgImportTaskStatistics;

/**
 * imgimport_run_set_statistics:
 * @self: a run that has not been started
 * @enabled: whether times are taken; they are, unless it is said otherwise
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_run_set_statistics (ImgImportRun *self, gboolean enabled);

/**
 * imgimport_run_get_task_statistics: (skip)
 * @self: a run
 * @task: the name of a task
 * @statistics: (out): what is known of it; zeroes and no times where none are taken
 * @error: return location
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_NOT_FOUND ("task-unknown")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_run_get_task_statistics (ImgImportRun *self, const char *task,
                                            ImgImportTaskStatistics *statistics, GError **error);

/**
 * imgimport_run_explain:
 * @self: a run
 * @task: the name of a task
 * @error: return location
 *
 * Why is this task not running? "waits for “a” and 2 more", "attempt 2 of 5 in 240 ms", "ready:
 * waits for a thread", "the run was cancelled: it will not begin".
 *
 * Returns: (transfer full): one sentence for a human; %NULL with %IMGIMPORT_ERROR_NOT_FOUND
 *   ("task-unknown")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_run_explain (ImgImportRun *self, const char *task, GError **error);

/**
 * imgimport_run_to_dot:
 * @self: a run
 *
 * Returns: (transfer full): the graph in the language of Graphviz, with states and durations
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_run_to_dot (ImgImportRun *self);

/**
 * imgimport_run_to_trace:
 * @self: a run
 *
 * Returns: (transfer full): each attempt and revert in the Trace Event Format that Perfetto and
 *   Chrome's trace viewer read: one JSON object
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_run_to_trace (ImgImportRun *self);

G_END_DECLS
