/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-policy.h>

G_BEGIN_DECLS

#define IMGIMPORT_TYPE_ENGINE (imgimport_engine_get_type ())

/**
 * ImgImportEngine:
 *
 * A bounded set of threads that run tasks, shared by any number of runs. Thread-safe. A run keeps a
 * reference from its start to its end; dropping the last one waits for the threads, but for the one
 * that drops it. A forked child has none of them: it can start no run on it, and drop it only.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportEngine, imgimport_engine, IMGIMPORT, ENGINE, GObject)

/**
 * imgimport_engine_new:
 * @threads: how many tasks may run at a time; 0: none by themselves, imgimport_engine_iterate()
 *   drives everything on the caller's thread
 *
 * Threads are started when there is work for them.
 *
 * Returns: (transfer full): the engine
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportEngine *imgimport_engine_new (guint threads);

/**
 * imgimport_engine_iterate:
 * @self: an engine
 *
 * Runs one ready task (or one revert) on the caller's thread, with whatever can follow it directly
 * left for the next call. Never waits: a retry whose time has not come is not ready.
 *
 * Returns: whether anything was done
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_engine_iterate (ImgImportEngine *self);

/**
 * imgimport_engine_set_limit:
 * @self: an engine
 * @task_class: network, disk or cpu
 * @limit: how many tasks of this class, of all runs, may run at a time; 0: no limit of its own
 *
 * A task beyond the limit waits without a thread, the first one first. A limit that is lowered
 * counts for what begins from then on.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_engine_set_limit (ImgImportEngine *self, ImgImportTaskClass task_class, guint limit);

/**
 * imgimport_engine_drain:
 * @self: an engine
 * @timeout_ms: how long to wait; negative: without end
 *
 * For a process that is to end: starts no further run and suspends those there are. What is running
 * goes on to its end. Not to be called from a task.
 *
 * Returns: whether nothing runs any more
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_engine_drain (ImgImportEngine *self, gint64 timeout_ms);

/**
 * ImgImportRunState:
 * @IMGIMPORT_RUN_PENDING: not started
 * @IMGIMPORT_RUN_RUNNING: tasks are executed
 * @IMGIMPORT_RUN_REVERTING: tasks are undone
 * @IMGIMPORT_RUN_SUCCESS: all done; perhaps with warnings from after the pivot
 * @IMGIMPORT_RUN_REVERTED: failed, everything undone
 * @IMGIMPORT_RUN_PARTIALLY_REVERTED: failed or cancelled, and a revert failed too
 * @IMGIMPORT_RUN_CANCELLED: cancelled, everything undone
 * @IMGIMPORT_RUN_INTERRUPTED: the journal could not be written, the engine was stopped, or the
 *   pivot was abandoned, see imgimport_flow_set_timeout() and …_set_cancel_grace(): what was
 *   running has been told to stop and has ended, nothing more was undone, a later run with the
 *   same journal goes on
 * @IMGIMPORT_RUN_SUSPENDED: as asked, what was running has ended and nothing more was begun;
 *   imgimport_run_resume() or a later run with the same journal goes on
 *
 * States from %IMGIMPORT_RUN_SUCCESS on are final.
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_RUN_PENDING = 0,
  IMGIMPORT_RUN_RUNNING = 1,
  IMGIMPORT_RUN_REVERTING = 2,
  IMGIMPORT_RUN_SUCCESS = 3,
  IMGIMPORT_RUN_REVERTED = 4,
  IMGIMPORT_RUN_PARTIALLY_REVERTED = 5,
  IMGIMPORT_RUN_CANCELLED = 6,
  IMGIMPORT_RUN_INTERRUPTED = 7,
  IMGIMPORT_RUN_SUSPENDED = 8
} ImgImportRunState;

#define IMGIMPORT_TYPE_RUN_STATE (imgimport_run_state_get_type ())

IMGIMPORT_AVAILABLE_IN_0_1
GType imgimport_run_state_get_type (void);

#define IMGIMPORT_TYPE_RUN (imgimport_run_get_type ())

/**
 * ImgImportRun:
 *
 * One execution of a flow. Thread-safe.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportRun, imgimport_run, IMGIMPORT, RUN, GObject)

/**
 * ImgImportRunFunc: (skip)
 * @run: a run that has reached a final state
 * @user_data: what came with the function
 *
 * Since: 0.1
 */
typedef void (*ImgImportRunFunc) (ImgImportRun *run, gpointer user_data);

/**
 * imgimport_run_new:
 * @flow: what to run
 * @id: names the run in the journal; UTF-8, in one in a directory of 1 to 255 bytes
 * @inputs: (nullable) (transfer floating): the run's inputs, `a{sv}`
 * @journal: (nullable): where to keep the run's state
 * @error: return location
 *
 * Compiles @flow and reads what @journal holds of @id: tasks that succeeded keep their outputs and
 * are not executed again; a task that had begun is executed again; a run that was reverting goes
 * on reverting; one that had ended will end at once. A torn or damaged record ends the journal:
 * what it and those behind it say has not happened. Where @journal can do that the run is claimed:
 * it is this object's alone until it has ended, or as long as it is suspended.
 *
 * Returns: (transfer full): the run; %NULL with %IMGIMPORT_ERROR_INVALID_ARGUMENT where the flow
 *   does not compile, inputs have no provider (reason "input-missing", naming tasks and inputs),
 *   @inputs is of another type ("inputs-invalid") or @id is not UTF-8 or not what a directory's
 *   journal takes ("run-invalid"), %IMGIMPORT_ERROR_BUSY (reason "run-claimed") where somebody else
 *   runs it, %IMGIMPORT_ERROR_CORRUPT (reason "journal-foreign") where the journal's records are
 *   not of this flow (see imgimport_flow_set_version()), or the error of the journal
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportRun *imgimport_run_new (ImgImportFlow *flow, const char *id, GVariant *inputs,
                                 ImgImportJournal *journal, GError **error);

/**
 * imgimport_run_set_done_func: (skip)
 * @self: a run that has not been started
 * @func: (nullable): called exactly once for each start and resume, on the thread that brought the
 *   run into its final state, with no lock held
 * @user_data: for @func
 * @destroy: (nullable): frees @user_data exactly once
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_run_set_done_func (ImgImportRun *self, ImgImportRunFunc func, gpointer user_data,
                                  GDestroyNotify destroy);

/**
 * imgimport_run_start:
 * @self: a run
 * @engine: what runs its tasks
 * @error: return location
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_STATE where it was started before (reason
 *   "run-started"), the engine was drained ("engine-stopped") or is the parent process's
 *   ("forked"), or %IMGIMPORT_ERROR_UNAVAILABLE ("resources-exhausted") where no thread can be had
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_run_start (ImgImportRun *self, ImgImportEngine *engine, GError **error);

/**
 * imgimport_run_cancel:
 * @self: a run
 *
 * Fires the cancellable of the tasks that run, starts no further one, and has everything that was
 * executed reverted. Before the start: the run only reverts what its journal says was executed.
 * After the pivot it changes nothing; a pivot that is being executed may still succeed, and then so
 * does the run. Of a run that is not started or suspended the journal learns when it goes on. Never
 * blocks; any thread.
 *
 * Returns: whether this call has begun to cancel the run: %FALSE where it is cancelled, failing,
 *   past its pivot, or has nothing left to do
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_run_cancel (ImgImportRun *self);

/**
 * imgimport_run_suspend:
 * @self: a run
 *
 * Starts no further task and no further revert; what is running goes on to its end, retries and
 * deadlines no longer count. A run that then has nothing left to do ends as it would have; any
 * other ends suspended. Never blocks; any thread.
 *
 * Returns: whether this call has begun to suspend the run: %FALSE where it does not run
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_run_suspend (ImgImportRun *self);

/**
 * imgimport_run_resume:
 * @self: a suspended run
 * @engine: what runs its tasks from now on
 * @error: return location
 *
 * Goes on where the run was. A retry that was waiting is made at once. A run that was cancelled
 * while it was suspended is reverted.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_STATE (reason "run-not-suspended"), or for the
 *   engine as imgimport_run_start() does; it stays suspended
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_run_resume (ImgImportRun *self, ImgImportEngine *engine, GError **error);

/**
 * imgimport_run_wait:
 * @self: a run
 * @timeout_ms: how long to wait; negative: without end
 *
 * With an engine of 0 threads it iterates the engine, and sleeps until the next retry is due. With
 * others who waits without end may be given tasks of this run to do, as one of the engine's threads:
 * a short run is then over without a change of threads. Not to be called from a task.
 *
 * Returns: whether the run is in a final state and its done function, if this is not it, has
 *   returned
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_run_wait (ImgImportRun *self, gint64 timeout_ms);

/**
 * imgimport_run_get_state:
 * @self: a run
 *
 * Returns: its state now
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportRunState imgimport_run_get_state (ImgImportRun *self);

/**
 * imgimport_run_is_past_pivot:
 * @self: a run
 *
 * Returns: whether its pivot has succeeded; %FALSE for a flow without one
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_run_is_past_pivot (ImgImportRun *self);

/**
 * imgimport_run_is_journal_cut:
 * @self: a run
 *
 * Returns: whether its journal, when it was read, had a torn or damaged record: what that one and
 *   those behind it say was taken as not having happened
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_run_is_journal_cut (ImgImportRun *self);

/**
 * imgimport_run_get_task_state:
 * @self: a run
 * @task: the name of a task
 * @state: (out): its state now
 * @error: return location
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_NOT_FOUND ("task-unknown")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_run_get_task_state (ImgImportRun *self, const char *task,
                                       ImgImportTaskState *state, GError **error);

/**
 * imgimport_run_get_output:
 * @self: a run in a final state
 * @name: an output of one of its tasks
 *
 * Returns: (nullable) (transfer full): its value; %NULL where its task did not succeed or was
 *   reverted
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
GVariant *imgimport_run_get_output (ImgImportRun *self, const char *name);

/**
 * imgimport_run_get_n_errors:
 * @self: a run in a final state
 *
 * Returns: how many errors it met: of tasks and of reverts, then the warnings: of optional tasks
 *   and from after the pivot. What a task answers to being cancelled because of another error is
 *   not one
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint imgimport_run_get_n_errors (ImgImportRun *self);

/**
 * imgimport_run_get_n_warnings:
 * @self: a run in a final state
 *
 * Returns: how many of its errors, the last ones, are warnings
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint imgimport_run_get_n_warnings (ImgImportRun *self);

/**
 * imgimport_run_dup_debts: (skip)
 * @self: a run in a final state
 *
 * Returns: (transfer full): the names of the tasks after the pivot that should have been done and
 *   were not; see imgimport_strv_free()
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char **imgimport_run_dup_debts (ImgImportRun *self);

/**
 * imgimport_run_get_error: (skip)
 * @self: a run in a final state
 * @index: 0 for the first cause; warnings come last
 * @task: (out) (optional) (transfer none) (nullable): the task it came from; %NULL for the engine
 *
 * Returns: (nullable) (transfer none): the error
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const GError *imgimport_run_get_error (ImgImportRun *self, guint index, const char **task);

G_END_DECLS
