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
 * Lock order: a run's lock, then the pool's lock or that of a queue of events. None is held over a
 * slot of a task or of a journal, a done function, or a cancellable that fires.
 */

#include <imgimport/imgimport-run.h>

#include "base/base-private.h"

G_BEGIN_DECLS

#define IMGIMPORT_TASK_NONE G_MAXUINT32

/* How many tasks, or inputs, a message names. */
#define IMGIMPORT_NAMES_MAX 16

/* ---- flow ------------------------------------------------------------------------------------ */

/* When to try again. Zero means what is said of it. */
typedef struct
{
  guint attempts; /* 0: one */
  guint delay_ms;
  guint max_delay_ms;
  guint elapsed_ms; /* 0: no limit */
  guint jitter_percent;
  guint64 seed;
} ImgImportRetry;

/* In a reference-counted box. */
typedef struct
{
  ImgImportConditionFunc func;
  gpointer user_data;
  GDestroyNotify destroy;
} ImgImportCondition;

/* What a task has beyond the common; see imgimport-policy.h. In a reference-counted box that the
 * flows it is part of share. */
typedef struct
{
  ImgImportRetry retry;
  ImgImportRetry revert_retry;
  GPtrArray *final_reasons;      /* NULL: none */
  GPtrArray *alternatives;       /* of GVariant; NULL: none */
  ImgImportCondition *condition; /* NULL: none */
  guint timeout_ms;
  guint stall_ms;
  guint revert_timeout_ms;
  guint weight; /* 0: 1 */
  guint8 task_class;
  guint8 optional;
  guint8 is_shared;
} ImgImportTaskOptions;

typedef struct
{
  const char *name;
  ImgImportTaskVTable vtable;
  gpointer user_data;
  GDestroyNotify destroy;
  ImgImportTaskOptions *options; /* NULL: none */
} ImgImportFlowTask;

/* An input or output of a task. */
typedef struct
{
  const char *name;  /* in the flow */
  const char *local; /* what its task calls it */
  guint32 task;
  guint32 value; /* where its value is among the values of a run; set by compiling */
  gboolean of_revert;
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
  gboolean of_revert;
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
  guint64 fingerprint; /* of names, outputs, edges, pivot and version */
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
  GHashTable *entries;   /* of flows in this one: index of "name" to that of "name:begin" */
  GPtrArray *inner;      /* the flows that were put into this one */
  guint32 tail;          /* what was added last */
  guint32 pivot;         /* IMGIMPORT_TASK_NONE: none */
  guint64 deadline_ms;
  guint64 budget_ms;
  guint grace_ms;
  guint version; /* 0: none */
  ImgImportUpgradeFunc upgrade;
  gpointer upgrade_data;
  GDestroyNotify upgrade_destroy;
  ImgImportPlan *plan; /* NULL until compiled */
};

static inline ImgImportFlowTask *
_imgimport_flow_task (ImgImportFlow *self, guint32 task)
{
  return &g_array_index (self->tasks, ImgImportFlowTask, task);
}

/* IMGIMPORT_TASK_NONE and NOT_FOUND "task-unknown" where there is none. */
guint32 _imgimport_flow_find (ImgImportFlow *self, const char *name, GError **error);

/* The same, in a flow that can be changed. */
guint32 _imgimport_flow_find_open (ImgImportFlow *self, const char *name, GError **error);
/* The same, and it is no flow: INVALID_ARGUMENT "task-is-flow". */
guint32 _imgimport_flow_find_task (ImgImportFlow *self, const char *name, GError **error);
gboolean _imgimport_flow_check_open (ImgImportFlow *self, GError **error);
/* The same, and `name` is fit to be that of a new task. */
gboolean _imgimport_flow_check_name (ImgImportFlow *self, const char *name, GError **error);
/* Adds a task whose name is free. */
guint32 _imgimport_flow_append (ImgImportFlow *self, const ImgImportFlowTask *task);
/* Puts a task, or what it stands for, behind the last one of a linear flow. */
void _imgimport_flow_chain (ImgImportFlow *self, guint32 task);

/* The first task of what `task` stands for. */
guint32 _imgimport_flow_get_entry (ImgImportFlow *self, guint32 task);

void _imgimport_task_options_unref (ImgImportTaskOptions *self);

/* How long to wait after an attempt. `salt` stands for the run and the task. */
guint64 _imgimport_retry_delay_us (const ImgImportRetry *self, guint attempt, guint64 salt);
/* Spreads the bits. */
guint64 _imgimport_mix (guint64 x);
guint64 _imgimport_hash_name (guint64 hash, const char *name);

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
  IMGIMPORT_FLOW_RECORD_HEAD = 1, /* number: the fingerprint; first of all; with the definition as
                                     an output, where the flow has a version */
  IMGIMPORT_FLOW_RECORD_RESUMED = 2, /* number: how many records counted; what was between is cut */
  IMGIMPORT_FLOW_RECORD_BEGUN = 3,   /* number: the attempt, and 2^32 times the alternative */
  IMGIMPORT_FLOW_RECORD_SUCCESS = 4, /* with outputs */
  IMGIMPORT_FLOW_RECORD_FAILURE = 5, /* with error */
  IMGIMPORT_FLOW_RECORD_CANCELLED = 6, /* with error; of the run */
  IMGIMPORT_FLOW_RECORD_REVERTED = 7,
  IMGIMPORT_FLOW_RECORD_REVERT_FAILED = 8, /* with error */
  IMGIMPORT_FLOW_RECORD_SKIPPED = 9,       /* with error where the task has failed */
  IMGIMPORT_FLOW_RECORD_RUN_FAILED = 10,   /* with error */
  IMGIMPORT_FLOW_RECORD_CHECKPOINT = 11,   /* with one output */
  IMGIMPORT_FLOW_RECORD_DEADLINE = 12,     /* number: wall clock */
  IMGIMPORT_FLOW_RECORD_BUDGET = 13,       /* number: wall clock */
  IMGIMPORT_FLOW_RECORD_FIRST = 14         /* number: wall clock, at the first attempt */
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
/* Nothing where the journal has no such slots. */
gboolean _imgimport_journal_claim (ImgImportJournal *self, const char *run, GError **error);
void _imgimport_journal_release (ImgImportJournal *self, const char *run);

extern const ImgImportJournalVTable _imgimport_journal_memory_vtable G_GNUC_INTERNAL;
gpointer _imgimport_journal_memory_new (void);
void _imgimport_journal_memory_free (gpointer self);
extern const ImgImportJournalVTable _imgimport_journal_file_vtable G_GNUC_INTERNAL;
gpointer _imgimport_journal_file_new (const char *directory, GError **error);
void _imgimport_journal_file_free (gpointer self);
guint64 _imgimport_journal_file_count_syncs (gpointer self);

G_END_DECLS

#include "flow/engine-private.h"
