/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The task-flow engine. It knows tasks and nothing else.
 *
 *   flow     what the caller builds; compiled once into a plan
 *   plan     compact arrays: who comes after whom, which value feeds which input
 *   run      the state of one execution: an array of slots, one lock
 *   pool     threads, the queue of runs that have ready tasks, the timers of retries
 *   journal  where a run's records go
 *
 * Lock order: a run's lock, then the pool's lock. Neither is held over a slot of a task or of a
 * journal, a done function, or a cancellable that fires.
 */

#include <imgimport/imgimport-run.h>

#include "base/base-private.h"

G_BEGIN_DECLS

#define IMGIMPORT_TASK_NONE G_MAXUINT32

/* ---- flow ------------------------------------------------------------------------------------ */

typedef struct
{
  const char *name;
  ImgImportTaskVTable vtable;
  gpointer user_data;
  GDestroyNotify destroy;
  guint attempts;
  guint delay_ms;
  guint max_delay_ms;
} ImgImportFlowTask;

/* An input or output of a task. */
typedef struct
{
  const char *name;
  guint32 task;
  guint32 value; /* where its value is among the values of a run; set by compiling */
} ImgImportFlowPort;

typedef struct
{
  guint32 before;
  guint32 after;
} ImgImportFlowLink;

typedef struct
{
  const char *name;
  guint32 value;
} ImgImportPlanInput;

/*
 * Successors and predecessors are rows of `after` and `before`: those of task t are at
 * after_start[t] .. after_start[t + 1]. The values of a run are the outputs of all tasks, row by
 * row, then the inputs of the run.
 */
typedef struct
{
  guint32 n_tasks;
  guint32 n_outputs;
  guint32 n_run_inputs;
  guint32 pivot;
  guint64 fingerprint; /* of names, outputs, edges and pivot */
  guint32 *after_start;
  guint32 *after;
  guint32 *before_start;
  guint32 *before;
  guint32 *input_start;
  ImgImportPlanInput *inputs;
  guint32 *output_start;
  const char **outputs;
  GArray *run_inputs;    /* of ImgImportFlowPort: `task` is the first that needs it */
  GHashTable *run_input; /* name to index in run_inputs */
} ImgImportPlan;

struct _ImgImportFlow
{
  GObject parent_instance;
  GMutex lock; /* for `plan`: several runs may compile at a time */
  char *name;
  gboolean linear;
  GStringChunk *names;
  GArray *tasks;         /* of ImgImportFlowTask */
  GArray *inputs;        /* of ImgImportFlowPort */
  GArray *outputs;       /* of ImgImportFlowPort */
  GArray *links;         /* of ImgImportFlowLink */
  GHashTable *by_name;   /* name to index in tasks */
  GHashTable *providers; /* name to index in outputs */
  guint32 pivot;
  ImgImportPlan *plan; /* NULL until compiled */
};

static inline ImgImportFlowTask *
_imgimport_flow_task (ImgImportFlow *self, guint32 task)
{
  return &g_array_index (self->tasks, ImgImportFlowTask, task);
}

/* IMGIMPORT_TASK_NONE and NOT_FOUND "task-unknown" where there is none. */
guint32 _imgimport_flow_find (ImgImportFlow *self, const char *name, GError **error);

ImgImportPlan *_imgimport_plan_new (ImgImportFlow *flow, GError **error);
void _imgimport_plan_free (ImgImportPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportPlan, _imgimport_plan_free)

/* FALSE with INVALID_ARGUMENT: "flow-cycle", "flow-pivot". */
gboolean _imgimport_plan_check_order (const ImgImportPlan *self, ImgImportFlow *flow,
                                      GError **error);
gboolean _imgimport_plan_check_pivot (const ImgImportPlan *self, ImgImportFlow *flow,
                                      GError **error);

/* ---- records --------------------------------------------------------------------------------- */

#define IMGIMPORT_RECORD_MAX ((gsize)1024 * 1024)

typedef enum
{
  IMGIMPORT_FLOW_RECORD_HEAD = 1,    /* number: the fingerprint; first of all */
  IMGIMPORT_FLOW_RECORD_RESUMED = 2, /* number: how many records counted; what was between is cut */
  IMGIMPORT_FLOW_RECORD_BEGUN = 3,   /* number: the attempt */
  IMGIMPORT_FLOW_RECORD_SUCCESS = 4, /* with outputs */
  IMGIMPORT_FLOW_RECORD_FAILURE = 5, /* with error */
  IMGIMPORT_FLOW_RECORD_CANCELLED = 6, /* with error; of the run */
  IMGIMPORT_FLOW_RECORD_REVERTED = 7,
  IMGIMPORT_FLOW_RECORD_REVERT_FAILED = 8 /* with error */
} ImgImportFlowRecordType;

typedef struct
{
  ImgImportFlowRecordType type;
  guint32 task;
  guint64 number;
  GError *error;
  GVariant **outputs;
  guint n_outputs;
} ImgImportFlowRecord;

/* FALSE, and nothing is appended, where the outputs make it larger than IMGIMPORT_RECORD_MAX. */
gboolean _imgimport_flow_record_append (const ImgImportFlowRecord *self, GByteArray *bytes);

/* Reads the record at the front of `data` into an empty one. Returns its bytes, 0 where it is torn
 * or damaged. A record of another format version is intact, and has type 0. */
gsize _imgimport_flow_record_parse (ImgImportFlowRecord *self, const guint8 *data, gsize length);

/* Frees what parsing allocated. */
void _imgimport_flow_record_clear (ImgImportFlowRecord *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ImgImportFlowRecord, _imgimport_flow_record_clear)

/* The bytes of the whole records at the front of `data` that fit into `limit`. */
gsize _imgimport_flow_record_fit (const guint8 *data, gsize length, gsize limit);

/* ---- journal --------------------------------------------------------------------------------- */

/* Their errors are normalised and name the journal and the run. */
gboolean _imgimport_journal_append (ImgImportJournal *self, const char *run, const void *data,
                                    gsize length, gboolean durable, GError **error);
gboolean _imgimport_journal_load (ImgImportJournal *self, const char *run,
                                  ImgImportJournalFunc func, gpointer func_data, GError **error);
gboolean _imgimport_journal_forget (ImgImportJournal *self, const char *run, GError **error);

extern const ImgImportJournalVTable _imgimport_journal_memory_vtable G_GNUC_INTERNAL;
gpointer _imgimport_journal_memory_new (void);
void _imgimport_journal_memory_free (gpointer self);

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
} ImgImportRunLog;

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
