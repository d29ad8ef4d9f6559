/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <imgimport/imgimport-macros.h>

G_BEGIN_DECLS

/**
 * ImgImportTask: (skip)
 *
 * What a task's slots are handed: the borrowed view of one task in one run. Valid until the slot
 * returns, or until imgimport_task_complete(); used by one thread at a time.
 *
 * Since: 0.1
 */
typedef struct _ImgImportTask ImgImportTask;

/**
 * ImgImportTaskVTable: (skip)
 *
 * What a task does. Slots are called from the engine's threads, or from the caller's in
 * imgimport_engine_iterate() and imgimport_run_wait(); never two at a time for the same task of the
 * same run. Both may be called again for the same run after a crash, so both must be idempotent.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize struct_size;

  /* Does the work. May be absent where there is a start. */
  gboolean (*execute) (gpointer self, ImgImportTask *task, GCancellable *cancellable,
                       GError **error);

  /* Optional. Undoes what execute did, or did in part: it is called for a task that succeeded and
   * for the one that failed, and its `cancellable` is not the one that was fired. Absent: there is
   * nothing to undo. */
  gboolean (*revert) (gpointer self, ImgImportTask *task, GCancellable *cancellable,
                      GError **error);

  /* Instead of execute: begins the work and returns, so that no thread is held while it waits for
   * something. After TRUE `task` is valid until imgimport_task_complete(), which has to come
   * exactly once, from any thread, also before this returns, and soon after `cancellable` has
   * fired. After FALSE it must not come. */
  gboolean (*start) (gpointer self, ImgImportTask *task, GCancellable *cancellable,
                     GError **error);
} ImgImportTaskVTable;

#define IMGIMPORT_TASK_VTABLE_INIT .struct_size = sizeof (ImgImportTaskVTable)

/**
 * ImgImportTaskState:
 * @IMGIMPORT_TASK_PENDING: not begun, or waiting for its next attempt
 * @IMGIMPORT_TASK_RUNNING: execute is being called, not merely queued
 * @IMGIMPORT_TASK_SUCCESS: executed
 * @IMGIMPORT_TASK_FAILURE: execute failed for good
 * @IMGIMPORT_TASK_REVERTING: revert is being called
 * @IMGIMPORT_TASK_REVERTED: undone
 * @IMGIMPORT_TASK_REVERT_FAILED: revert failed; the others went on
 * @IMGIMPORT_TASK_SKIPPED: not to be run, or optional and failed
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_TASK_PENDING = 0,
  IMGIMPORT_TASK_RUNNING = 1,
  IMGIMPORT_TASK_SUCCESS = 2,
  IMGIMPORT_TASK_FAILURE = 3,
  IMGIMPORT_TASK_REVERTING = 4,
  IMGIMPORT_TASK_REVERTED = 5,
  IMGIMPORT_TASK_REVERT_FAILED = 6,
  IMGIMPORT_TASK_SKIPPED = 7
} ImgImportTaskState;

#define IMGIMPORT_TYPE_TASK_STATE (imgimport_task_state_get_type ())

IMGIMPORT_AVAILABLE_IN_0_1
GType imgimport_task_state_get_type (void);

/**
 * imgimport_task_get_name: (skip)
 * @self: a task in a run
 *
 * Returns: (transfer none): its name in the flow
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_task_get_name (ImgImportTask *self);

/**
 * imgimport_task_get_attempt: (skip)
 * @self: a task in a run
 *
 * Returns: 1 for the first attempt; attempts made before a crash count
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint imgimport_task_get_attempt (ImgImportTask *self);

/**
 * imgimport_task_get_input: (skip)
 * @self: a task in a run
 * @name: an input that the flow declares for this task
 *
 * Returns: (nullable) (transfer none): its value, %NULL for a name that was not declared. In a
 *   revert, after an optional task and after the pivot, also %NULL where the provider did not
 *   succeed. Inputs of the revert are %NULL in execute
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
GVariant *imgimport_task_get_input (ImgImportTask *self, const char *name);

/**
 * imgimport_task_get_output: (skip)
 * @self: a task in a run
 * @name: an output that the flow declares for this task
 *
 * Returns: (nullable) (transfer none): what execute set, so that revert can undo it; %NULL where
 *   it did not succeed
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
GVariant *imgimport_task_get_output (ImgImportTask *self, const char *name);

/**
 * imgimport_task_set_output: (skip)
 * @self: a task in a run
 * @name: an output that the flow declares for this task
 * @value: (transfer floating): its value
 *
 * The last value counts. A task that succeeds without setting one of its outputs fails, reason
 * "output-missing"; in a run with a journal also one whose outputs do not fit into a record of
 * 1 MiB, reason "output-too-large".
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_task_set_output (ImgImportTask *self, const char *name, GVariant *value);

/**
 * imgimport_task_get_cause: (skip)
 * @self: a task in a run
 *
 * Returns: (nullable) (transfer none): in a revert, the first cause of the failure
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const GError *imgimport_task_get_cause (ImgImportTask *self);

/**
 * imgimport_task_dup_outcome_record: (skip)
 * @self: a task in a run, in execute, its outputs set
 *
 * For a task whose effect is a commit into the same database as the journal: the record that says
 * "this task succeeded", to be appended to the journal in that very commit. The engine then does
 * not append it again. If the commit fails, execute must fail. An output that is set afterwards,
 * for another try of the commit, makes this record void: the task is to ask for another.
 *
 * Returns: (nullable) (transfer full): the record; %NULL where the outputs do not fit into one
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
GBytes *imgimport_task_dup_outcome_record (ImgImportTask *self);

/**
 * imgimport_task_complete: (skip)
 * @self: a task that was started
 * @error: (nullable) (transfer full): why it failed; %NULL: it succeeded
 *
 * Ends what the start slot began. @self is gone. Any thread, the one in start too; never waits for
 * a task.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_task_complete (ImgImportTask *self, GError *error);

/**
 * imgimport_task_set_progress: (skip)
 * @self: a task in a run, in execute or started
 * @fraction: how much of it is done, 0 to 1; what is beyond is clamped, what is not a number ignored
 *
 * Also says that the task has not stalled. Never written to the journal.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_task_set_progress (ImgImportTask *self, double fraction);

/**
 * imgimport_task_set_retry_after: (skip)
 * @self: a task in a run
 * @delay_ms: how long to wait before the next attempt, if this one fails and there is another
 *
 * Counts instead of the wait of the retry policy, such as a peer's "Retry-After".
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_task_set_retry_after (ImgImportTask *self, guint64 delay_ms);

/**
 * imgimport_task_get_alternative: (skip)
 * @self: a task in a run
 *
 * Returns: (nullable) (transfer none): the alternative of this attempt, in a revert that of the
 *   last one; %NULL for a task without alternatives
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
GVariant *imgimport_task_get_alternative (ImgImportTask *self);

/**
 * imgimport_task_set_checkpoint: (skip)
 * @self: a task in a run, in execute or started
 * @value: (transfer floating): what the next attempt needs to go on, such as how much is done
 * @error: return location
 *
 * Replaces the checkpoint before. Written to the journal without waiting for the disk: it survives
 * the process, and a power cut once a later record does.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_LIMIT (reason "checkpoint-too-large") where it does not fit
 *   into a record of 1 MiB, or %IMGIMPORT_ERROR_UNAVAILABLE (reason "journal-failed")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_task_set_checkpoint (ImgImportTask *self, GVariant *value, GError **error);

/**
 * imgimport_task_dup_checkpoint: (skip)
 * @self: a task in a run
 *
 * Returns: (nullable) (transfer full): the last checkpoint of this task in this run, of an earlier
 *   attempt or process too
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
GVariant *imgimport_task_dup_checkpoint (ImgImportTask *self);

/**
 * imgimport_task_dup_idempotency_key: (skip)
 * @self: a task in a run
 *
 * Returns: (transfer full): "run/task": the same for all attempts in all processes, and for no
 *   other task. What a peer is told so that it does the thing once
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_task_dup_idempotency_key (ImgImportTask *self);

G_END_DECLS
