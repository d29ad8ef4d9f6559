/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who runs tasks. Comes with flow-private.h. */

#include "flow/flow-private.h"

G_BEGIN_DECLS

/* ---- pool ------------------------------------------------------------------------------------ */

typedef struct _ImgImportPool ImgImportPool;

/* Why a timer goes off. */
typedef enum
{
  IMGIMPORT_TIMER_READY,    /* a delayed task is to have a turn */
  IMGIMPORT_TIMER_TIMEOUT,  /* an attempt has taken too long */
  IMGIMPORT_TIMER_STALL,    /* an attempt has shown no progress */
  IMGIMPORT_TIMER_DEADLINE, /* a run has not reached its pivot */
  IMGIMPORT_TIMER_BUDGET,   /* a run has been past its pivot for too long */
  IMGIMPORT_TIMER_REVERT,   /* a revert has taken too long */
  IMGIMPORT_TIMER_GRACE     /* what was told to stop has not */
} ImgImportTimerKind;

/* Equal ones go off in the order of adding. Each holds a reference to its run. */
typedef struct
{
  gint64 due_us;
  guint64 serial;
  ImgImportRun *run;
  guint32 task;
  guint32 attempt;
  ImgImportTimerKind kind;
} ImgImportTimer;

/* A heap, the earliest first. */
void _imgimport_timers_push (GArray *timers, const ImgImportTimer *timer);
ImgImportTimer _imgimport_timers_pop (GArray *timers);
void _imgimport_timers_remove_run (GArray *timers, ImgImportRun *run);

/*
 * A thread takes a run from the queue, or a timer that is due, and gives the run a turn. A run is
 * in the queue at most once; in its turn it puts itself back where there is more than one thread
 * can do. A thread that has run out of work looks a few times more before it sleeps, so that tasks
 * shorter than a wake-up are not paid with one; nor are those of a run that is waited for, where
 * the one who waits comes to it first and takes the turn in place of a thread. Threads are joined
 * at the end, but for the one that drops the last reference, where it is one of them. Alarms have a
 * thread of their own, for all others may hang in tasks; a pool without threads looks at them
 * whenever it is driven.
 */
struct _ImgImportPool
{
  gatomicrefcount ref_count;
  guint64 pid; /* of the process that made it */
  guint max_threads;
  ImgImportClock *clock;
  gint n_waiting;  /* atomic: runs in the queue and timers, for a look without the lock */
  gint is_watched; /* atomic: the readers of events will be told of them */

  GMutex lock;      /* for everything below */
  GCond cond;       /* something has happened */
  GCond work_cond;  /* the same, for threads that look for work */
  GCond tell_cond;  /* readers are to be told of events, or the end */
  GCond alarm_cond; /* there is an earlier alarm, or the end */
  GQueue queue;
  GQueue active;
  GArray *timers;
  GArray *alarms;     /* timers of all kinds but READY */
  GPtrArray *threads; /* of GThread, owned: they are joined at the end */
  guint n_turns;      /* threads that take one, at most `max_threads` */
  guint n_idle;
  guint n_looking;    /* of the idle: look by themselves soon, and need not be woken */
  gboolean is_called; /* one of them was woken, and calls the next where there is more to do */
  guint64 n_events;
  guint64 n_timers;
  gboolean has_alarm_thread;
  gboolean has_teller;
  gboolean needs_teller; /* it is to be awake */
  gboolean is_stopped;
  gboolean is_closed;
  guint limits[IMGIMPORT_TASK_CLASS_CPU + 1]; /* 0: none */
  guint n_running[IMGIMPORT_TASK_CLASS_CPU + 1];
  GQueue parked[IMGIMPORT_TASK_CLASS_CPU + 1]; /* of ImgImportTimer: tasks beyond the limit */
};

ImgImportPool *_imgimport_pool_new (guint threads, ImgImportClock *clock);
ImgImportPool *_imgimport_pool_ref (ImgImportPool *self);
void _imgimport_pool_unref (ImgImportPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportPool, _imgimport_pool_unref)
/* Whether this is a child of the process that made it: it has none of the threads, and its locks
 * may be held for ever. */
gboolean _imgimport_pool_is_forked (ImgImportPool *self);
/* Ends the threads and joins them, so that none is left at a later fork() or dlclose(); not the
 * calling one where it is one of them. */
void _imgimport_pool_close (ImgImportPool *self);
/* Interrupts all runs and waits until none is left; none can be started any more. */
void _imgimport_pool_stop (ImgImportPool *self);
/* Suspends all runs; none can be started any more. FALSE where one is left after that time. */
gboolean _imgimport_pool_drain (ImgImportPool *self, gint64 timeout_ms);
gboolean _imgimport_pool_iterate (ImgImportPool *self);
gboolean _imgimport_pool_has_threads (ImgImportPool *self);
ImgImportClock *_imgimport_pool_get_clock (ImgImportPool *self);

/* A run takes part from attach to detach; the pool holds a reference meanwhile. Attaching fails
 * with INVALID_STATE "engine-stopped" or "forked", or UNAVAILABLE where there is no thread to be
 * had. */
gboolean _imgimport_pool_attach (ImgImportPool *self, ImgImportRun *run, GError **error);
void _imgimport_pool_detach (ImgImportPool *self, ImgImportRun *run);

/* With the run's lock held. The run has ready tasks: some thread is to take a turn. With `helps`
 * the calling thread is at the run too and takes what it comes to first. Returns whether a thread
 * is then to be woken, better without the lock, for it would wait for that. */
gboolean _imgimport_pool_enqueue (ImgImportPool *self, ImgImportRun *run, gboolean helps);
void _imgimport_pool_call_worker (ImgImportPool *self);
/* With the run's lock held. The run, which the calling thread has taken, is left to it for later.
 */
void _imgimport_pool_put_back (ImgImportPool *self, ImgImportRun *run);
/* Where the run is the next that a thread would come to, and one has its hands free, takes that
 * turn on the calling thread. */
void _imgimport_pool_help (ImgImportPool *self, ImgImportRun *run);
/* With the run's lock held. A turn at `task` when the clock says `due_us`. */
void _imgimport_pool_delay (ImgImportPool *self, ImgImportRun *run, guint32 task, gint64 due_us);
/* With the run's lock held. Drops its delayed tasks. */
void _imgimport_pool_forget_delayed (ImgImportPool *self, ImgImportRun *run);
/* With the run's lock held. When its delayed task is due; G_MAXINT64 where it is parked. */
gint64 _imgimport_pool_get_due (ImgImportPool *self, ImgImportRun *run, guint32 task);
/* With the run's lock held. Whether other work than the run waits: a thread should not go on with
 * one run for long. */
gboolean _imgimport_pool_is_contended (ImgImportPool *self, const ImgImportRun *run);

/* With the run's lock held. Whether a thread looks soon for runs whose readers are untold of
 * events.
 */
gboolean _imgimport_pool_is_watched (ImgImportPool *self);
/* With the run's lock held. Has a thread do that, where one is to be had. */
void _imgimport_pool_ask_teller (ImgImportPool *self);

/* For a caller that iterates, or awaits the end of runs: how many things have happened, and a sleep
 * until there are more than `seen`, a timer is due, or the clock says `deadline_us`. */
void _imgimport_pool_signal (ImgImportPool *self);
guint64 _imgimport_pool_get_events (ImgImportPool *self);
void _imgimport_pool_sleep (ImgImportPool *self, guint64 seen, gint64 deadline_us);

/* ---- alarms and limits ----------------------------------------------------------------------- */

/* With the run's lock held. `task` and `attempt` are of the task that it is about, if any. */
void _imgimport_pool_add_alarm (ImgImportPool *self, const ImgImportTimer *alarm);
/* With the run's lock held: it has ended. */
void _imgimport_pool_forget_alarms (ImgImportPool *self, ImgImportRun *run);
/* Lets the first alarm go off if it is due. */
gboolean _imgimport_pool_poll_alarms (ImgImportPool *self);

void _imgimport_pool_set_limit (ImgImportPool *self, ImgImportTaskClass task_class, guint limit);
/* With the run's lock held. FALSE: the task is parked, and will be made ready like a delayed one
 * once it is worth another try. */
gboolean _imgimport_pool_acquire (ImgImportPool *self, ImgImportTaskClass task_class,
                                  ImgImportRun *run, guint32 task);
void _imgimport_pool_release (ImgImportPool *self, ImgImportTaskClass task_class);
/* Gives parked tasks another try where there is room. */
void _imgimport_pool_unpark (ImgImportPool *self);

/* With the pool's lock held. Timers have changed, or it is the end. */
void _imgimport_pool_signal_locked (ImgImportPool *self);
/* The same for a new timer, which one that runs a task would not see in time. */
void _imgimport_pool_attend_timers_locked (ImgImportPool *self);
void _imgimport_pool_count_waiting (ImgImportPool *self);
void _imgimport_pool_unpark_locked (ImgImportPool *self);
void _imgimport_pool_drop_parked_locked (ImgImportPool *self, ImgImportRun *run);
gboolean _imgimport_pool_add_thread_locked (ImgImportPool *self, GThreadFunc func, GError **error);
/* Those that run tasks. */
guint _imgimport_pool_count_workers_locked (ImgImportPool *self);
/* One more of them, unless there are enough. */
gboolean _imgimport_pool_add_worker_locked (ImgImportPool *self, GError **error);
/* Whether a thread is to be woken for what is queued, better without the lock. With `helps` one
 * that looks by itself will do. */
gboolean _imgimport_pool_call_locked (ImgImportPool *self, gboolean helps);
/* What to do next, if anything: `*run` is owned then. */
gboolean _imgimport_pool_take_work_locked (ImgImportPool *self, ImgImportRun **run, guint32 *task);
/* Until `cond` is signalled, a timer is due or the clock says `deadline_us`. */
void _imgimport_pool_wait_locked (ImgImportPool *self, GCond *cond, gint64 deadline_us);

G_END_DECLS
