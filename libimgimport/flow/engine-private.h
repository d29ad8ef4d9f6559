/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a plan is run. Comes with flow-private.h. */

#include "flow/flow-private.h"

G_BEGIN_DECLS

/* ---- pool ------------------------------------------------------------------------------------ */

typedef struct _ImgImportPool ImgImportPool;

ImgImportPool *_imgimport_pool_new (guint threads, ImgImportClock *clock);
ImgImportPool *_imgimport_pool_ref (ImgImportPool *self);
void _imgimport_pool_unref (ImgImportPool *self);
/* Ends the threads, all but the calling one where it is one of them, and waits for them. */
void _imgimport_pool_close (ImgImportPool *self);
/* Interrupts all runs and waits until none is left; none can be started any more. */
void _imgimport_pool_stop (ImgImportPool *self);
gboolean _imgimport_pool_iterate (ImgImportPool *self);
gboolean _imgimport_pool_has_threads (ImgImportPool *self);
ImgImportClock *_imgimport_pool_get_clock (ImgImportPool *self);

/* A run takes part from attach to detach; the pool holds a reference meanwhile. Attaching fails
 * with INVALID_STATE "engine-stopped", or UNAVAILABLE where there is no thread to be had. */
gboolean _imgimport_pool_attach (ImgImportPool *self, ImgImportRun *run, GError **error);
void _imgimport_pool_detach (ImgImportPool *self, ImgImportRun *run);

/* With the run's lock held. The run has ready tasks: some thread is to take a turn. */
void _imgimport_pool_enqueue (ImgImportPool *self, ImgImportRun *run);
/* With the run's lock held. A turn at `task` when the clock says `due_us`. */
void _imgimport_pool_delay (ImgImportPool *self, ImgImportRun *run, guint32 task, gint64 due_us);
/* With the run's lock held. Drops its delayed tasks. */
void _imgimport_pool_forget_delayed (ImgImportPool *self, ImgImportRun *run);
/* With the run's lock held. When its delayed task is due; G_MAXINT64 for none. */
gint64 _imgimport_pool_get_due (ImgImportPool *self, ImgImportRun *run, guint32 task);
/* Whether other work waits: a thread should not go on with one run for long. */
gboolean _imgimport_pool_is_contended (ImgImportPool *self);

/* For a caller that iterates: how many things have happened, and a sleep until there are more than
 * `seen`, a timer is due, or the clock says `deadline_us`. */
void _imgimport_pool_signal (ImgImportPool *self);
guint64 _imgimport_pool_get_events (ImgImportPool *self);
void _imgimport_pool_sleep (ImgImportPool *self, guint64 seen, gint64 deadline_us);

/* Timers, earliest first, equal ones in the order of adding. Each holds a reference to its run. */
typedef struct
{
  gint64 due_us;
  guint64 serial;
  ImgImportRun *run;
  guint32 task;
} ImgImportTimer;

void _imgimport_timers_push (GArray *timers, const ImgImportTimer *timer);
ImgImportTimer _imgimport_timers_pop (GArray *timers);
void _imgimport_timers_remove_run (GArray *timers, ImgImportRun *run);

/* ---- engine ---------------------------------------------------------------------------------- */

/* As imgimport_engine_new(), on a clock of the caller's. */
ImgImportEngine *_imgimport_engine_new_with_clock (guint threads, ImgImportClock *clock);
ImgImportPool *_imgimport_engine_get_pool (ImgImportEngine *self);

/* Ends all runs INTERRUPTED: fires the cancellables of what is running, waits for it, reverts
 * nothing. Runs can no longer be started. Not to be called from a task. */
void _imgimport_engine_stop (ImgImportEngine *self);

/* ---- run ------------------------------------------------------------------------------------- */

typedef enum
{
  IMGIMPORT_PHASE_PENDING,      /* not started */
  IMGIMPORT_PHASE_EXECUTING,    /* forward */
  IMGIMPORT_PHASE_STOPPING,     /* failed or cancelled: what is running is awaited */
  IMGIMPORT_PHASE_REVERTING,    /* backward */
  IMGIMPORT_PHASE_INTERRUPTING, /* what is running is awaited, nothing is reverted */
  IMGIMPORT_PHASE_ENDING,       /* the last records are being written */
  IMGIMPORT_PHASE_ENDED
} ImgImportPhase;

/* What the run wants of a task; its state says what has happened. */
typedef enum
{
  IMGIMPORT_INTENTION_EXECUTE,
  IMGIMPORT_INTENTION_REVERT,
  IMGIMPORT_INTENTION_NONE
} ImgImportIntention;

typedef struct
{
  guint32 waiting; /* edges to tasks that have to be done (reverting: undone) first */
  guint32 attempt; /* 0: never begun */
  guint8 state;
  guint8 intention;
  guint8 delayed; /* a timer will make it ready */
} ImgImportSlot;

typedef struct
{
  GError *error;
  guint32 task; /* IMGIMPORT_TASK_NONE: the engine */
} ImgImportRunError;

/* What waits to be written to the journal. */
typedef struct
{
  ImgImportJournal *journal; /* NULL: nothing is written */
  GByteArray *pending;
  guint64 n_queued; /* bytes ever put into `pending` */
  guint64 n_written;
  guint64 n_loaded;   /* intact records found at the start */
  gboolean is_headed; /* the head, or the mark of a resumption, is queued */
  gboolean is_begun;  /* a first intent is queued or was found */
  gboolean is_durable;
  gboolean is_writing;
  gboolean has_failed;
  gboolean is_claimed; /* the run is ours in the journal */
  gboolean is_cut;     /* what was found was torn or damaged */
} ImgImportRunLog;

/* Without the lock, and both from one thread at a time: claims the run in its journal, if it has
 * one; lets go of it. */
gboolean _imgimport_run_claim (ImgImportRun *self, GError **error);
void _imgimport_run_release (ImgImportRun *self);

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

/* What is kept of a run for those who watch it. */
typedef struct
{
  gboolean is_off;          /* no times are taken */
  gint64 started_us;        /* 0: not yet */
  ImgImportTaskTimes *times; /* NULL: none are taken */
  GArray *spans;            /* of ImgImportSpan */
  GPtrArray *subscriptions; /* borrowed: each takes itself out before it goes; NULL: none */
  guint64 n_total;          /* weights */
  guint64 n_done;
  double at_start; /* the progress then */
} ImgImportRunWatch;

struct _ImgImportRun
{
  GObject parent_instance;
  ImgImportFlow *flow;
  const ImgImportPlan *plan;
  char *id;
  GCancellable *cancellable;      /* of all up to the pivot; fired by failure and cancel */
  GCancellable *late_cancellable; /* of reverts and of all after the pivot; fired by interruption */
  GVariant **values;

  GMutex lock; /* for everything below; `values` are ordered by it but read without */
  GCond cond;  /* started, reported, journal written */
  ImgImportPhase phase;
  ImgImportRunState state;
  ImgImportEngine *engine; /* from the start to the end */
  ImgImportPool *pool;     /* from the start on */
  ImgImportSlot *slots;
  guint32 *ready; /* a ring: no task is in it twice */
  guint32 ready_head;
  guint32 n_ready;
  guint32 n_left; /* tasks still to execute, or to revert */
  guint32 n_busy; /* tasks that a thread has claimed */
  guint32 n_revert_failed;
  guint32 n_delayed;
  gboolean is_queued;
  gboolean is_past_pivot;
  gboolean is_cancelled;
  GThread *reporter; /* the thread that ended the run: it calls the done function */
  gboolean is_reported;
  gboolean fire;
  gboolean fire_late;
  GArray *errors; /* of ImgImportRunError */
  ImgImportRunLog log;
  ImgImportRunWatch watch;
  ImgImportRunFunc done_func;
  gpointer done_data;
  GDestroyNotify done_destroy;

  GList queue_link; /* these two are under the pool's lock; data is NULL where not linked */
  GList active_link;
};

/* All of the following are called with the run's lock held, unless they say otherwise. */

/* Drops the lock, then fires what is to be fired. */
void _imgimport_run_unlock (ImgImportRun *self);

/* A thread's turn, without the lock: at the delayed task `due`, or at what is ready, and with
 * `single` at one task only. Returns whether anything was done. */
gboolean _imgimport_run_turn (ImgImportRun *self, guint32 due, gboolean single);

void _imgimport_run_push (ImgImportRun *self, guint32 task);
/* Fails or cancels the run: nothing further starts. */
void _imgimport_run_stop (ImgImportRun *self);
/* Takes `error`. */
void _imgimport_run_interrupt (ImgImportRun *self, GError *error);
void _imgimport_run_add_error (ImgImportRun *self, guint32 task, GError *error);
/* Brings the run into its next phase where nothing is running any more. Returns whether that made
 * tasks ready. */
gboolean _imgimport_run_settle (ImgImportRun *self);
/* Without the lock: reports the end of a run that this thread has brought to its end. Returns
 * whether it was that. */
gboolean _imgimport_run_report (ImgImportRun *self);

void _imgimport_run_begin_revert (ImgImportRun *self);
void _imgimport_run_finish_revert (ImgImportRun *self, guint32 task, GError *error);
/* Marks a task as reverted and makes ready what waited for that. */
void _imgimport_run_set_reverted (ImgImportRun *self, guint32 task);

/* What happens, told to those who watch (watch.c): the run was started; a task became ready; the
 * state of a task, or of the run, is another one. */
void _imgimport_run_watch_start (ImgImportRun *self);
void _imgimport_run_watch_ready (ImgImportRun *self, guint32 task);
void _imgimport_run_watch_task (ImgImportRun *self, guint32 task);
void _imgimport_run_watch_state (ImgImportRun *self);
void _imgimport_run_watch_clear (ImgImportRun *self);

/* Reads the journal into a new run, without the lock. */
gboolean _imgimport_run_load (ImgImportRun *self, GError **error);
/* Counts for each task what it has to wait for, and for the run what is left to do. */
void _imgimport_run_prepare (ImgImportRun *self);

/* Queues a record, or a ready-made one. Both do nothing where there is no journal. */
void _imgimport_run_note (ImgImportRun *self, const ImgImportFlowRecord *record);
void _imgimport_run_note_bytes (ImgImportRun *self, const GByteArray *record);
/* Writes what is queued; drops the lock meanwhile. On failure the run is interrupted. */
gboolean _imgimport_run_flush (ImgImportRun *self);

/* ---- task ------------------------------------------------------------------------------------ */

struct _ImgImportTask
{
  ImgImportRun *run;
  guint32 index;
  guint attempt;
  gboolean is_reverting;
  gboolean is_recorded; /* the task appends its outcome itself */
};

typedef struct
{
  GError *error;      /* NULL: success */
  GByteArray *record; /* of success, to be appended */
} ImgImportOutcome;

/* Without the lock: call the task's slot. */
void _imgimport_task_execute (ImgImportTask *self, GCancellable *cancellable,
                              ImgImportOutcome *outcome);
void _imgimport_task_revert (ImgImportTask *self, GCancellable *cancellable,
                             ImgImportOutcome *outcome);

G_END_DECLS
