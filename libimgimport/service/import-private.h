/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * An import from inside. Its flow is one chain:
 *
 *   claim → fetch → hook:… → judge → deliver → activate (pivot) → cleanup → complete
 *
 * What a task must know after a crash stands in the records or in the outputs that the journal
 * keeps, never in this struct.
 */

#include "flow/flow-private.h"
#include "service/txn.h"

G_BEGIN_DECLS

struct _ImgImportImport
{
  gatomicrefcount ref_count;
  ImgImportService *service; /* borrowed: the service outlives its runs */
  char *job_id;
  char *image_id;
  guint64 epoch;
  ImgImportContext *context; /* NULL: the host */
  ImgImportRequest *request;
  char **stores; /* where the bytes go */
  ImgImportMethod *method;
  ImgImportRun *run;
  GError *interruption;  /* why an import is undone that had begun before; NULL else */
  char *blamed;          /* whose error that is; NULL: of no task */
  ImgImportKnown known;  /* for its tasks */
  gint64 looked_us;      /* for its tasks: when the job was last found not to be cancelled */
  GPtrArray *removed;    /* for its tasks: keys in staging of no bytes any more, but of notes */
  gboolean is_forgotten; /* for its tasks: the catalog has nothing of the run any more */

  GMutex lock;
  gboolean is_begun;        /* under lock */
  gboolean is_ending;       /* under lock: its job may be final */
  const char *phase;        /* under lock: the name of a task */
  guint64 bytes;            /* under lock */
  guint64 total;            /* under lock */
  gint64 next_tick_us;      /* under lock */
  GPtrArray *failed_stores; /* under lock: stores that failed in a failed delivery */
};

/* Names of what tasks hand on. */
#define IMGIMPORT_VALUE_SOURCE "source"         /* s: the sealed object's key in staging */
#define IMGIMPORT_VALUE_ORIGINAL "original"     /* s: of which filters made it; "" for none */
#define IMGIMPORT_VALUE_DELIVERIES "deliveries" /* a(sssss): store, key, version, way, why */
#define IMGIMPORT_VALUE_FAILED "failed-stores"  /* a(ss): store, why */
#define IMGIMPORT_VALUE_WARNING "warning"       /* s: "" where nothing is left to do */
#define IMGIMPORT_VALUE_BEFORE "before-"        /* and a hook: a{sms}: properties it replaced */
#define IMGIMPORT_TYPE_DELIVERIES ((const GVariantType *)"a(sssss)")
#define IMGIMPORT_TYPE_FAILED ((const GVariantType *)"a(ss)")

/* And a hook: the task that calls it. */
#define IMGIMPORT_TASK_HOOK "hook:"

/* A task's vtable and what it is called with: an import, or one of its hooks. */
typedef struct
{
  ImgImportImport *import; /* borrowed: it owns the run */
  ImgImportHook *hook;     /* hook tasks only */
  char *before;            /* hook tasks only: the name of their output */
} ImgImportImportTask;

extern const ImgImportTaskVTable _imgimport_task_claim;
extern const ImgImportTaskVTable _imgimport_task_fetch;
extern const ImgImportTaskVTable _imgimport_task_hook;
extern const ImgImportTaskVTable _imgimport_task_judge;
extern const ImgImportTaskVTable _imgimport_task_deliver;
extern const ImgImportTaskVTable _imgimport_task_activate;
extern const ImgImportTaskVTable _imgimport_task_cleanup;
extern const ImgImportTaskVTable _imgimport_task_complete;

/* Builds the flow of a job that this service owns and starts its run. With `revert_only`, what the
 * journal says was done is undone, unless it is past the pivot. Where the run cannot be started,
 * the job becomes a failure. The job is known, and its image may be; the import takes them. */
ImgImportImport *_imgimport_import_start (ImgImportService *self, ImgImportKnown *known,
                                          gboolean revert_only, GError **error);
/* The flow of an import (plan.c). */
ImgImportFlow *_imgimport_import_plan (ImgImportImport *self, GError **error);

/* Tells subscribers the phase and its bytes (import.c). */
void _imgimport_import_publish (ImgImportImport *self);

/* ---- what tasks share (import-tasks.c) ------------------------------------------------------- */

/* The first line of every execute: the phase is told, and a cancellation asked for elsewhere a
 * while ago is found. */
gboolean _imgimport_import_enter (ImgImportImport *self, ImgImportTask *task, GError **error);
/* The progress function of a pass; `user_data` is the import. */
void _imgimport_import_progress (guint64 bytes, gpointer user_data);
void _imgimport_import_set_total (ImgImportImport *self, guint64 total);
/* INVALID_STATE "claim-lost" unless the import still holds its image. */
gboolean _imgimport_import_check_claim (ImgImportImport *self, const ImgImportImageRecord *record,
                                        GError **error);
/* The image's record, with the claim checked. */
ImgImportImageRecord *_imgimport_import_load (ImgImportImport *self, GError **error);
/* What a plug-in is handed. */
ImgImportCall *_imgimport_import_call (ImgImportImport *self, const ImgImportImageRecord *record);
/* A transaction on the image with the claim checked before `func`, and of one with the job, before
 * the pivot, that nobody has cancelled it. It brings along what the journal has of the run. */
gboolean _imgimport_import_txn (ImgImportImport *self, gboolean with_job, gboolean durable,
                                ImgImportTxnFunc func, gpointer data, GError **error);
/* The same for a revert: an image that is deleted, or claimed by somebody else, has nothing of this
 * import left to undo, which is a success. */
gboolean _imgimport_import_undo (ImgImportImport *self, ImgImportTxnFunc func, gpointer data,
                                 GError **error);
/* ---- filters (filters.c) --------------------------------------------------------------------- */

/* The filters of the service's hooks, one after the other. */
typedef struct _ImgImportFilters ImgImportFilters;

/* Whether any hook is a filter. */
gboolean _imgimport_filters_are_possible (ImgImportImport *import);
/* Every hook looks at what the filters before it make of `source`, which is borrowed. */
ImgImportFilters *_imgimport_filters_open (ImgImportImport *import, ImgImportCall *call,
                                           ImgImportSourceFunc read, gpointer source,
                                           GCancellable *cancellable, GError **error);
/* Whether a hook has something to do with these bytes. */
gboolean _imgimport_filters_are_needed (ImgImportFilters *self);
/* What the last filter answers; an ImgImportSourceFunc. */
gboolean _imgimport_filters_read (gpointer filters, void *buffer, gsize length, gsize *n_read,
                                  GCancellable *cancellable, GError **error);
void _imgimport_filters_close (ImgImportFilters *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportFilters, _imgimport_filters_close)

/* What is staged becomes the original, in place of which another object is about to be set. */
void _imgimport_record_keep_original (ImgImportImageRecord *self);
/* The original, where there is one, is what is staged again; what took its place is noted. */
void _imgimport_record_restore_original (ImgImportTxn *txn);

/* The verdict on what is staged, under the image's formats (task-judge.c). */
gboolean _imgimport_import_judge (ImgImportImport *self, const ImgImportImageRecord *record,
                                  guint64 *virtual_size, GError **error);
void _imgimport_import_add_failed_store (ImgImportImport *self, const char *store);

/* An import without its flow. */
ImgImportImport *_imgimport_import_new (ImgImportService *service,
                                        const ImgImportJobRecord *record);

/* ---- its end (import-end.c) ------------------------------------------------------------------ */

/* The done function of its run. */
void _imgimport_import_end (ImgImportRun *run, gpointer user_data);
/* The job becomes a failure, and the image what section 8, D1 of the design says; where the image
 * is active they are a success with a warning. Does nothing to a job that is final. `task`: whose
 * error it is, NULL for none of its flow. */
gboolean _imgimport_import_fail (ImgImportImport *self, const GError *cause, const char *task,
                                 GError **error);
/* Takes back what hooks set of which no revert could be committed. */
void _imgimport_import_restore_properties (ImgImportImport *self, ImgImportImage *image);
/* Keeps in the job what came of its tasks, to be drawn when the run is gone. `done`: the task that
 * makes the job final, and is done once that is committed; NULL: the run is over. */
void _imgimport_import_keep_tasks (ImgImportImport *self, ImgImportJob *job, const char *done);
/* Before anything makes the job final. */
void _imgimport_import_set_ending (ImgImportImport *self);
/* Whether the job of an import that runs here cannot be final yet. */
gboolean _imgimport_service_is_job_under_way (ImgImportService *self, const char *job_id);
/* Nothing of the run stays but the job, which the same commit makes final, or one before. */
void _imgimport_import_forget (ImgImportImport *self, ImgImportTxn *txn);
gboolean _imgimport_import_forget_run (ImgImportImport *self, GError **error);
/* The end of an import whose run could not be started. */
void _imgimport_import_give_up (ImgImportImport *self, const GError *cause);

/* ---- and where the catalog does not take it (stalled.c) -------------------------------------- */

/* The job that was to end for `cause`, an error of `task` (NULL: of none), could not, which `why`
 * tells: it is tried again from time to time, until the service closes. */
void _imgimport_import_stall (ImgImportImport *self, const GError *cause, const char *task,
                              const GError *why);
/* Why it is to end, if it could not before. */
void _imgimport_import_inherit (ImgImportImport *self);

G_END_DECLS
