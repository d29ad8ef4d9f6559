/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a plan is run. Comes with flow-private.h. */

#include "flow/pool-private.h"
#include "flow/watch-private.h"

G_BEGIN_DECLS

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

typedef struct
{
  GError *error;      /* NULL: success */
  GByteArray *record; /* of success, to be appended */
} ImgImportOutcome;

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
  guint8 asked;   /* its condition has been asked */
} ImgImportSlot;

/* What few tasks need. */
typedef struct
{
  ImgImportTask *started;    /* what start was given, until it is completed or given up */
  GCancellable *cancellable; /* of an attempt or a revert with a timeout, while it runs */
  GVariant *checkpoint;
  gint64 first_us;       /* when the first attempt began; G_MININT64: not known in this process */
  gint64 first_wall_us;  /* the same by the wall clock; 0: not known */
  gint64 alive_us;       /* when the attempt began, or has shown progress */
  gint64 retry_after_us; /* negative: the policy counts */
  guint32 alternative;
  guint32 n_before; /* attempts made with other alternatives */
  guint32 n_reverts;
  const char *timed_out; /* the reason; NULL: the attempt has all the time it needs */
  double progress;
} ImgImportExtra;

typedef struct
{
  GError *error;
  guint32 task; /* IMGIMPORT_TASK_NONE: the engine */
  gboolean is_warning;
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
  gboolean is_claimed;
  gboolean is_cut;       /* what was found was torn or damaged */
  gboolean is_upgraded;  /* the last head that was found is of another definition */
  gboolean was_upgraded; /* one of them is */
} ImgImportRunLog;

/* Whether threads are in each other's way; see crowd.c. */
typedef struct
{
  guint n_turns;       /* threads that take one */
  guint n_finished;    /* attempts; this and the next may wrap */
  guint n_waits;       /* for the lock */
  gboolean is_full;    /* one has left because of that */
  guint seen_finished; /* these are of the last look */
  guint seen_waits;
  gint64 seen_us;
} ImgImportRunCrowd;

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
  gboolean calls_worker; /* a thread of the pool is to be woken */
  gboolean is_past_pivot;
  gboolean is_cancelled;
  gboolean is_suspending;
  gboolean is_giving_up;          /* the budget after the pivot is used up */
  ImgImportPhase suspended_phase; /* where to go on; ENDED: it is not suspended */
  gint64 deadline_wall_us;        /* 0: not known */
  gint64 budget_wall_us;          /* 0: not known */
  gint64 grace_us;                /* until when what was told to stop may take to do so */
  gboolean has_alarms;
  GHashTable *extras; /* task to ImgImportExtra; NULL: no task has one */
  GPtrArray *firing;  /* of GCancellable: what is to be fired beside; NULL: nothing */
  GThread *reporter;  /* the thread that ended the run: it calls the done function */
  gboolean is_reported;
  gboolean fire;
  gboolean fire_late;
  GArray *errors; /* of ImgImportRunError */
  ImgImportRunLog log;
  ImgImportRunWatch watch;
  ImgImportRunCrowd crowd;
  ImgImportRunFunc done_func;
  gpointer done_data;
  GDestroyNotify done_destroy;

  GList queue_link; /* these two are under the pool's lock; data is NULL where not linked */
  GList active_link;
};

/* All of the following but the first are called with the run's lock held, unless they say
 * otherwise. */

/* Takes the lock, for a change of the run. */
void _imgimport_run_lock (ImgImportRun *self);
/* Drops the lock, then wakes a thread where one is to be woken, tells readers of events and fires
 * what is to be fired. */
void _imgimport_run_unlock (ImgImportRun *self);
/* Wakes that thread now, where the lock is dropped in another way. */
void _imgimport_run_call_worker (ImgImportRun *self);

/* A thread's turn, without the lock: at the delayed task `due`, or at what is ready, and with
 * `single` at one task only. Returns whether anything was done. */
gboolean _imgimport_run_turn (ImgImportRun *self, guint32 due, gboolean single);
/* Has some thread give the run a turn. */
void _imgimport_run_wake (ImgImportRun *self);
/* Whether the calling thread, which has done that many tasks, is to leave them to others. */
gboolean _imgimport_run_leaves_crowd (ImgImportRun *self, guint n_done);
/* Without the lock: whether it has better not taken a turn yet; the run is in the queue again then.
 */
gboolean _imgimport_run_avoid_crowd (ImgImportRun *self);

void _imgimport_run_push (ImgImportRun *self, guint32 task);
/* Makes the task ready after that time. */
void _imgimport_run_delay (ImgImportRun *self, guint32 task, gint64 delay_us);
/* Makes ready what is delayed. */
void _imgimport_run_push_delayed (ImgImportRun *self);
gint64 _imgimport_run_now_us (ImgImportRun *self);
/* What a task had been given up for is written down, and what waited for it goes on. */
guint32 _imgimport_run_give_up (ImgImportRun *self, guint32 task);
/* Skips a task that has not begun, and all that comes after it. */
void _imgimport_run_skip (ImgImportRun *self, guint32 task);
void _imgimport_run_mark_skipped (ImgImportRun *self, guint32 task);
/* Ends an attempt to execute or revert `task`; takes what is in `outcome`. Answers what the thread
 * should go on with. */
guint32 _imgimport_run_finish (ImgImportRun *self, guint32 task, gboolean reverting,
                               ImgImportOutcome *outcome);
/* A task that was admitted is not running any more. */
void _imgimport_run_leave_class (ImgImportRun *self, guint32 task);
/* Fails or cancels the run: nothing further starts. */
void _imgimport_run_stop (ImgImportRun *self);
/* Takes `error`. */
void _imgimport_run_interrupt (ImgImportRun *self, GError *error);
/* Takes `error`. Causes come first, then warnings: of a task that is skipped, or after the pivot.
 */
void _imgimport_run_add_error (ImgImportRun *self, guint32 task, GError *error);
/* The pivot has succeeded: what was to stop the run before it no longer counts. */
void _imgimport_run_pass_pivot (ImgImportRun *self);
/* Brings the run into its next phase where nothing is running any more. Returns whether that made
 * tasks ready. */
gboolean _imgimport_run_settle (ImgImportRun *self);
/* Without the lock: reports the end of a run that this thread has brought to its end. Returns
 * whether it was that. */
gboolean _imgimport_run_report (ImgImportRun *self);

/* Without the lock: as imgimport_run_get_output(), at any time and whatever became of the task. */
GVariant *_imgimport_run_dup_value (ImgImportRun *self, const char *name);

void _imgimport_run_begin_revert (ImgImportRun *self);
void _imgimport_run_finish_revert (ImgImportRun *self, guint32 task, GError *error);
/* Marks a task as reverted and makes ready what waited for that. */
void _imgimport_run_set_reverted (ImgImportRun *self, guint32 task);

/* Without the lock: as imgimport_run_suspend(), unless the run has gone to another pool. NULL: that
 * does not matter. */
gboolean _imgimport_run_suspend_in (ImgImportRun *self, ImgImportPool *pool);
/* Puts a run that is pending or suspended on its way. */
gboolean _imgimport_run_attach (ImgImportRun *self, ImgImportEngine *engine, ImgImportPhase from,
                                GError **error);

/* A moment that long after this one; negative: never. */
gint64 _imgimport_deadline_after (gint64 now_us, gint64 timeout_ms);

/* Reads the journal into a new run, without the lock. */
gboolean _imgimport_run_load (ImgImportRun *self, GError **error);
/* Counts for each task what it has to wait for, and for the run what is left to do. */
void _imgimport_run_prepare (ImgImportRun *self);

/* Queues a record, or a ready-made one. Both do nothing where there is no journal. */
void _imgimport_run_note (ImgImportRun *self, const ImgImportFlowRecord *record);
void _imgimport_run_note_bytes (ImgImportRun *self, const GByteArray *record);
/* Writes what is queued; drops the lock meanwhile. On failure the run is interrupted. */
gboolean _imgimport_run_flush (ImgImportRun *self);

/* ---- what few tasks and runs need --------------------------------------------------------------
 */

/* With the lock held. The first one makes it, the second answers NULL where there is none. */
ImgImportExtra *_imgimport_run_get_extra (ImgImportRun *self, guint32 task);
ImgImportExtra *_imgimport_run_peek_extra (ImgImportRun *self, guint32 task);
void _imgimport_extra_free (gpointer data);

/* With the lock held: an attempt with options is to begin. */
void _imgimport_run_note_first (ImgImportRun *self, guint32 task);
/* With the lock held: an attempt, or a revert, with options begins, or has ended; what failed out
 * of time fails because of that. */
void _imgimport_run_arm (ImgImportRun *self, guint32 task, gboolean reverting);
void _imgimport_run_disarm (ImgImportRun *self, guint32 task, ImgImportOutcome *outcome);
/* With the lock held, at a start: what counts for the run as a whole. */
void _imgimport_run_arm_deadline (ImgImportRun *self);
void _imgimport_run_arm_budget (ImgImportRun *self);
/* With the lock held: what is running has been told to stop. */
void _imgimport_run_arm_grace (ImgImportRun *self);
/* With the lock held: the cancellable fires once that is dropped. */
void _imgimport_run_fire (ImgImportRun *self, GCancellable *cancellable);
/* With the lock held: an alarm for when the running attempt will have shown no progress for too
 * long. FALSE: it has not already. */
gboolean _imgimport_run_arm_stall (ImgImportRun *self, guint32 task);
/* With the lock held: nobody waits any more for what was started, and its answer will be ignored.
 * Answers what to go on with. */
guint32 _imgimport_run_leave_started (ImgImportRun *self, guint32 task, const char *reason);
/* With the lock held: whether an attempt that is late is waited for all the same, until the grace
 * is over. So is the pivot, which no other attempt and no revert may meet at work. */
gboolean _imgimport_run_is_awaited (ImgImportRun *self, guint32 task, const char *reason);
/* Without the lock. */
void _imgimport_run_alarm (ImgImportRun *self, const ImgImportTimer *alarm);

/* With the lock held, after a failure: whether there is another attempt, which is then ready or
 * delayed. */
gboolean _imgimport_run_retry (ImgImportRun *self, guint32 task, const GError *error);
gboolean _imgimport_run_retry_revert (ImgImportRun *self, guint32 task);

/* The definition for a journal's head, and what an older one means for this flow. */
typedef struct _ImgImportUpgrade ImgImportUpgrade;
GVariant *_imgimport_flow_define (ImgImportFlow *self);
/* NULL where the flow has no use for it. */
ImgImportUpgrade *_imgimport_upgrade_new (ImgImportFlow *flow, GVariant *definition);
void _imgimport_upgrade_free (ImgImportUpgrade *self);
/* Whether the record is one of the old definition. */
gboolean _imgimport_upgrade_is_plausible (const ImgImportUpgrade *self,
                                          const ImgImportFlowRecord *record);
/* Whether what it says of the pivot of the one still counts with that of the other. */
gboolean _imgimport_upgrade_keeps_pivot (const ImgImportUpgrade *self,
                                         const ImgImportFlowRecord *record);
/* Makes it one of this flow; FALSE where that has nothing of the kind. */
gboolean _imgimport_upgrade_record (const ImgImportUpgrade *self, ImgImportFlowRecord *record);

/* ---- task ------------------------------------------------------------------------------------ */

struct _ImgImportTask
{
  ImgImportRun *run;
  guint32 index;
  guint attempt;
  GVariant **outputs; /* where they go: among the run's values, or for start an array of its own */
  gboolean is_reverting;
  gboolean is_started;  /* by start: lives until it is completed */
  gboolean is_recorded; /* the task appends its outcome itself */
  gboolean is_starting; /* start is being called: what comes of it has to wait for that */
  gboolean is_answered; /* meanwhile: with `answer` */
  ImgImportOutcome answer;
};

/* Without the lock: what stands in the way of success after a slot said TRUE, or how it failed. */
void _imgimport_task_conclude (ImgImportTask *self, gboolean ok, ImgImportOutcome *outcome);

/* Without the lock: call the task's slot. */
void _imgimport_task_execute (ImgImportTask *self, GCancellable *cancellable,
                              ImgImportOutcome *outcome);
/* FALSE: it is over already. */
gboolean _imgimport_task_start (ImgImportTask *self, GCancellable *cancellable,
                                ImgImportOutcome *outcome);
/* With the run's lock held. */
ImgImportTask *_imgimport_task_new_started (ImgImportRun *run, guint32 index);
/* With the run's lock held: frees the task, and ends its attempt unless that was given up. Takes
 * what is in `outcome`. Answers what to go on with. */
guint32 _imgimport_task_end_started (ImgImportTask *self, ImgImportOutcome *outcome);
void _imgimport_task_revert (ImgImportTask *self, GCancellable *cancellable,
                             ImgImportOutcome *outcome);

G_END_DECLS
