/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is kept of a run for those who watch it. Comes with flow-private.h. */

#include "flow/flow-private.h"

#include <imgimport/imgimport-watch.h>

G_BEGIN_DECLS

/* What is known of a task's times, on the clock of the engine; 0: none yet. */
typedef struct
{
  gint64 ready_us; /* it waits for a thread since */
  gint64 begun_us; /* it is being executed or reverted since */
  gint64 first_us;
  gint64 last_us;
  gint64 queued_us;  /* in all */
  gint64 running_us; /* in all */
} ImgImportTaskTimes;

/* Execute or revert was called. */
typedef struct
{
  gint64 begun_us;
  gint64 ended_us;
  guint32 task;
  guint32 attempt; /* 0: of a revert */
} ImgImportSpan;

/* An event as it waits to be read; short, for there may be millions a second. */
typedef struct
{
  gint64 time_us;
  double progress;
  guint32 task; /* IMGIMPORT_TASK_NONE: of the run */
  guint32 attempt;
  guint8 kind;
  guint8 task_state;
  guint8 run_state;
} ImgImportWatchEvent;

typedef struct _ImgImportWatchQueue ImgImportWatchQueue;

/* With the run's lock held. Puts the event into the queue; those that wait are dropped where it is
 * full. Returns whether its reader is to be told at once. */
gboolean _imgimport_watch_queue_push (ImgImportWatchQueue *self, const ImgImportWatchEvent *event);
/* With the run's lock held: a reference, where the reader is to be told. */
ImgImportWatchQueue *_imgimport_watch_queue_take_untold (ImgImportWatchQueue *self);
/* Without a lock. */
void _imgimport_watch_queue_tell (ImgImportWatchQueue *self);
void _imgimport_watch_queue_unref (gpointer self);

typedef struct
{
  gboolean is_off;           /* no times are taken */
  gint64 started_us;         /* 0: not yet */
  gint64 now_us;             /* the moment of this hold of the lock; 0: not looked at yet */
  ImgImportTaskTimes *times; /* NULL: none are taken */
  GArray *spans;             /* of ImgImportSpan */
  GPtrArray *queues;         /* of ImgImportWatchQueue; NULL: nobody has subscribed */
  gint is_untold;            /* atomic: one of them has events its reader is to be told of */
  gboolean hurries;          /* at once */
  guint n_told;
  gint64 told_us;  /* the moment when readers had last been told so often that it was remembered */
  guint64 n_total; /* weights */
  guint64 n_done;
  double at_start; /* the progress then */
} ImgImportRunWatch;

/* All with the run's lock held. The run was started, or goes on. */
void _imgimport_run_watch_start (ImgImportRun *self);
/* The task can begin. */
void _imgimport_run_watch_ready (ImgImportRun *self, guint32 task);
/* The state of the task has been set. */
void _imgimport_run_watch_task (ImgImportRun *self, guint32 task);
/* A revert has failed, and will be made again: the state of the task stays. */
void _imgimport_run_watch_revert_failed (ImgImportRun *self, guint32 task);
/* The task has come further; what is less than a hundredth is nobody told. */
void _imgimport_run_watch_step (ImgImportRun *self, guint32 task, double before, double after);
/* The state of the run has been set. */
void _imgimport_run_watch_state (ImgImportRun *self);
void _imgimport_run_watch_clear (ImgImportRun *self);
/* Those who are to be told of events now, before the lock is dropped; NULL for none. What the
 * teller will see to is left to it, unless `all`. */
GPtrArray *_imgimport_run_watch_take_untold (ImgImportRun *self, gboolean all);
/* Without the lock: tells them, and frees the array. */
void _imgimport_watch_tell (GPtrArray *queues);
/* Without the lock: the teller sees to it. */
void _imgimport_run_watch_tell_all (ImgImportRun *self);
/* From 0 to 1. */
double _imgimport_run_watch_progress (ImgImportRun *self);

G_END_DECLS
