/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-flow.h>

G_BEGIN_DECLS

/*
 * What a flow may ask for its tasks beyond their order. All of these answer %FALSE with
 * %IMGIMPORT_ERROR_NOT_FOUND (reason "task-unknown") for a task that is not there and
 * %IMGIMPORT_ERROR_INVALID_STATE (reason "flow-compiled") for a flow that can no longer be changed.
 * The name of a flow in the flow, see imgimport_flow_add_flow(), can be given a condition only; all
 * else is said of its tasks: %IMGIMPORT_ERROR_INVALID_ARGUMENT (reason "task-is-flow").
 * A task that asks for nothing costs nothing.
 */

/**
 * ImgImportTaskClass:
 * @IMGIMPORT_TASK_CLASS_ANY: bounded by the engine's threads only
 * @IMGIMPORT_TASK_CLASS_NETWORK: mostly waits for a peer
 * @IMGIMPORT_TASK_CLASS_DISK: mostly reads and writes files
 * @IMGIMPORT_TASK_CLASS_CPU: mostly computes
 *
 * What a task uses up; see imgimport_engine_set_limit().
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_TASK_CLASS_ANY = 0,
  IMGIMPORT_TASK_CLASS_NETWORK = 1,
  IMGIMPORT_TASK_CLASS_DISK = 2,
  IMGIMPORT_TASK_CLASS_CPU = 3
} ImgImportTaskClass;

#define IMGIMPORT_TYPE_TASK_CLASS (imgimport_task_class_get_type ())

IMGIMPORT_AVAILABLE_IN_0_1
GType imgimport_task_class_get_type (void);

/**
 * imgimport_flow_set_class: (skip)
 * @self: a flow
 * @task: a task
 * @task_class: what its execute and its revert use up
 * @error: return location
 *
 * Returns: %FALSE also with %IMGIMPORT_ERROR_INVALID_ARGUMENT ("class-invalid")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_class (ImgImportFlow *self, const char *task,
                                   ImgImportTaskClass task_class, GError **error);

/**
 * imgimport_flow_set_weight: (skip)
 * @self: a flow
 * @task: a task
 * @weight: its share in the progress of a run, at least 1; 1 for a task of which nothing is said
 * @error: return location
 *
 * Returns: %FALSE also with %IMGIMPORT_ERROR_INVALID_ARGUMENT ("weight-invalid") for 0
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_weight (ImgImportFlow *self, const char *task, guint weight,
                                    GError **error);

/**
 * imgimport_flow_set_optional: (skip)
 * @self: a flow
 * @task: a task
 * @optional: whether its failure is none of the run
 * @error: return location
 *
 * An optional task that fails for good is skipped, its error is a warning, and what comes after it
 * runs with %NULL for its outputs. If the run fails later, it is reverted like the others, for it
 * may have done a part. The pivot cannot be optional: imgimport_flow_compile() refuses that.
 *
 * Returns: whether it was set
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_optional (ImgImportFlow *self, const char *task, gboolean optional,
                                      GError **error);

/**
 * ImgImportConditionFunc: (skip)
 * @task: a task that is ready, and has not begun: its inputs can be read
 * @user_data: what came with the function
 *
 * Called once in a run, where the task's slot is; after a crash before the task had begun, again.
 *
 * Returns: whether the task is to run; if not, it and all that comes after it are skipped
 * Since: 0.1
 */
typedef gboolean (*ImgImportConditionFunc) (ImgImportTask *task, gpointer user_data);

/**
 * imgimport_flow_set_condition: (skip)
 * @self: a flow
 * @task: a task, or a flow in this flow: its condition is asked once, before its first task
 * @func: the condition; that of a flow can read what imgimport_flow_add_input() said of its name
 * @user_data: for @func
 * @destroy: (nullable): frees @user_data exactly once, also on failure
 * @error: return location
 *
 * A later condition replaces this one.
 *
 * Returns: whether it was set
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_condition (ImgImportFlow *self, const char *task,
                                       ImgImportConditionFunc func, gpointer user_data,
                                       GDestroyNotify destroy, GError **error);

/**
 * imgimport_flow_set_retry_jitter: (skip)
 * @self: a flow
 * @task: a task
 * @percent: how much of each wait is left to chance, 0 to 100
 * @seed: makes the waits of a run the same each time
 * @error: return location
 *
 * A wait of w ms becomes one of w * (100 - @percent) / 100 to w ms, which one is a function of
 * @seed, the run's id, the task and the attempt: runs that failed together do not come back
 * together.
 *
 * Returns: %FALSE also with %IMGIMPORT_ERROR_INVALID_ARGUMENT ("retry-invalid") for more than 100
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_retry_jitter (ImgImportFlow *self, const char *task, guint percent,
                                          guint64 seed, GError **error);

/**
 * imgimport_flow_set_retry_elapsed: (skip)
 * @self: a flow
 * @task: a task
 * @elapsed_ms: no attempt begins later than this after the first one, by the wall clock where that
 *   was in another process; 0: no limit
 * @error: return location
 *
 * Returns: whether it was set
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_retry_elapsed (ImgImportFlow *self, const char *task, guint elapsed_ms,
                                           GError **error);

/**
 * imgimport_flow_add_final_reason: (skip)
 * @self: a flow
 * @task: a task
 * @reason: the reason word of errors that end the task at once, whatever their code
 * @error: return location
 *
 * Such an error does not lead to the next alternative either.
 *
 * Returns: whether it was added
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_add_final_reason (ImgImportFlow *self, const char *task, const char *reason,
                                          GError **error);

/**
 * imgimport_flow_set_revert_retry: (skip)
 * @self: a flow
 * @task: a task
 * @attempts: how often its revert is called in all, at least 1
 * @delay_ms: the wait before the second attempt; doubled for each further one
 * @max_delay_ms: the longest wait
 * @error: return location
 *
 * Whatever the error is: what was done has to be undone. Counted anew in each process.
 *
 * Returns: %FALSE also with %IMGIMPORT_ERROR_INVALID_ARGUMENT ("retry-invalid") for no attempt
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_revert_retry (ImgImportFlow *self, const char *task, guint attempts,
                                          guint delay_ms, guint max_delay_ms, GError **error);

/**
 * imgimport_flow_set_alternatives: (skip)
 * @self: a flow
 * @task: a task
 * @values: (transfer floating): an array of at least one value, such as the mirrors of a file
 * @error: return location
 *
 * Each attempt is given one of them, see imgimport_task_get_alternative(), the first one first.
 * Once the retry policy is at its end with one, whatever the error, the next is tried at once and
 * has all its attempts; the task fails with the error of the last.
 *
 * Returns: %FALSE also with %IMGIMPORT_ERROR_INVALID_ARGUMENT (reason "alternatives-invalid") where
 *   @values is not an array or an empty one
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_alternatives (ImgImportFlow *self, const char *task, GVariant *values,
                                          GError **error);

/**
 * imgimport_flow_set_timeout: (skip)
 * @self: a flow
 * @task: a task
 * @timeout_ms: how long one attempt may take from its start; 0: as long as it likes
 * @stall_ms: how long it may go without imgimport_task_set_progress(); 0: as long as it likes
 * @error: return location
 *
 * When the time has come the attempt's cancellable fires. An attempt of execute is awaited: what it
 * has done in spite of that is done, and if it fails, it fails with %IMGIMPORT_ERROR_TIMED_OUT
 * (reason "task-timed-out" or "task-stalled"), which its retry policy may retry. An attempt of
 * start fails at once, and its late answer is ignored: the next attempt, or revert, may meet it
 * still at work. But not that of the pivot: it is awaited like one of execute for the grace of
 * imgimport_flow_set_cancel_grace(); when that is over, or at once where there is none, the run
 * ends interrupted, with that error or "task-abandoned", and whoever makes it again from its
 * journal makes the next attempt. An engine of 0 threads looks at the time between tasks.
 *
 * Returns: whether it was set
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_timeout (ImgImportFlow *self, const char *task, guint timeout_ms,
                                     guint stall_ms, GError **error);

/**
 * imgimport_flow_set_revert_timeout: (skip)
 * @self: a flow
 * @task: a task
 * @timeout_ms: how long one call of its revert may take; 0: as long as it likes
 * @error: return location
 *
 * When the time has come the cancellable of that call fires, and it is awaited: if it fails, it
 * fails with %IMGIMPORT_ERROR_TIMED_OUT (reason "revert-timed-out"), and is called again where
 * imgimport_flow_set_revert_retry() says so.
 *
 * Returns: whether it was set
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_revert_timeout (ImgImportFlow *self, const char *task, guint timeout_ms,
                                            GError **error);

/**
 * imgimport_flow_set_cancel_grace:
 * @self: a flow
 * @grace_ms: how long an attempt of start may take to answer once its cancellable has fired because
 *   the run was cancelled, has failed, was interrupted or has used up its budget, or because it is
 *   the pivot and its time is over; 0: as long as it likes, and the run with it, but a pivot whose
 *   time is over is not awaited
 * @error: return location
 *
 * Then the attempt is given up, and its late answer is ignored. Before the pivot it cannot be
 * undone, for nobody knows what it still does: it counts as a revert that failed, error
 * %IMGIMPORT_ERROR_TIMED_OUT (reason "task-abandoned"), the others are reverted, and the run ends
 * partially reverted. The pivot may have had its effect, so that nothing before it may be undone:
 * the run ends interrupted, with the same error, and whoever makes it again from its journal
 * reverts the pivot first, whose revert is to find out. After the pivot it has failed, with the
 * same error. Of a run that is interrupted it has begun, as for a process that ended. Execute and
 * revert are awaited, for no thread can be taken away from them.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_STATE (reason "flow-compiled")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_cancel_grace (ImgImportFlow *self, guint grace_ms, GError **error);

/**
 * imgimport_flow_set_deadline: (skip)
 * @self: a flow
 * @deadline_ms: how long a run may take until its pivot, or its end where it has none; 0: as long
 *   as it likes
 * @error: return location
 *
 * Counted by the wall clock from the first start of the run, in whatever process. A run that is
 * late fails with %IMGIMPORT_ERROR_TIMED_OUT (reason "flow-deadline") and is reverted.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_STATE (reason "flow-compiled")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_deadline (ImgImportFlow *self, guint64 deadline_ms, GError **error);

/**
 * imgimport_flow_set_budget: (skip)
 * @self: a flow
 * @budget_ms: how long a run goes on after its pivot; 0: as long as it needs
 * @error: return location
 *
 * Counted by the wall clock from the pivot, in whatever process. Then the cancellable of what runs
 * fires, nothing is retried any more, what gives in to that or has not begun fails with
 * %IMGIMPORT_ERROR_TIMED_OUT (reason "budget-exhausted"), and the run ends in success with
 * warnings; see imgimport_run_dup_debts().
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_STATE (reason "flow-compiled")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_budget (ImgImportFlow *self, guint64 budget_ms, GError **error);

/**
 * ImgImportUpgradeFunc: (skip)
 * @flow: the flow as it is now
 * @old_version: the version of the flow that wrote the journal
 * @user_data: what came with the function
 *
 * Returns: whether a run that @old_version has begun may go on with @flow
 * Since: 0.1
 */
typedef gboolean (*ImgImportUpgradeFunc) (ImgImportFlow *flow, guint old_version,
                                          gpointer user_data);

/**
 * imgimport_flow_set_version: (skip)
 * @self: a flow
 * @version: at least 1
 * @upgrade: (nullable): asked where a journal is of another definition
 * @user_data: for @upgrade
 * @destroy: (nullable): frees @user_data exactly once, also on failure
 * @error: return location
 *
 * The journal of a flow with a version names tasks and outputs. A run that another definition has
 * begun then finds by their names what is still there: a task that succeeded keeps its outputs, or
 * is executed again where it lacks one; a task that is gone is forgotten, but its failure still has
 * the others reverted. A pivot that has begun has to be the pivot still, and one that has succeeded
 * to have its outputs; nor can what has succeeded become the pivot. Such a journal is refused
 * whatever @upgrade says (reason "journal-foreign"), for what may be reverted could not be told.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_ARGUMENT ("version-invalid") for version 0, or
 *   %IMGIMPORT_ERROR_INVALID_STATE (reason "flow-compiled")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_version (ImgImportFlow *self, guint version,
                                     ImgImportUpgradeFunc upgrade, gpointer user_data,
                                     GDestroyNotify destroy, GError **error);

G_END_DECLS
