/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-journal.h>
#include <imgimport/imgimport-task.h>

G_BEGIN_DECLS

#define IMGIMPORT_TYPE_FLOW (imgimport_flow_get_type ())

/**
 * ImgImportFlow:
 *
 * A directed acyclic graph of tasks. Build it from one thread; once it has been given to a run it
 * is compiled, and any number of runs may use it. What would change it then fails with
 * %IMGIMPORT_ERROR_INVALID_STATE (reason "flow-compiled").
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportFlow, imgimport_flow, IMGIMPORT, FLOW, GObject)

/**
 * imgimport_flow_new:
 * @name: what messages call it
 *
 * Returns: (transfer full): an empty graph: tasks are ordered by links, inputs and outputs only
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportFlow *imgimport_flow_new (const char *name);

/**
 * imgimport_flow_new_linear:
 * @name: what messages call it
 *
 * Returns: (transfer full): an empty chain: each task comes after the one added before it
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportFlow *imgimport_flow_new_linear (const char *name);

/**
 * imgimport_flow_add_task: (skip)
 * @self: a flow
 * @name: unique in the flow, `[a-z0-9][a-z0-9._:/-]*`
 * @vtable: copied
 * @user_data: the `self` of the slots
 * @destroy: (nullable): frees @user_data exactly once, also where the task is refused
 * @error: return location
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_EXISTS (reason "task-exists"),
 *   %IMGIMPORT_ERROR_INVALID_ARGUMENT ("name-invalid", "vtable-invalid": not one of execute and
 *   start) or %IMGIMPORT_ERROR_INVALID_STATE (the flow is compiled); the flow is then unchanged
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_add_task (ImgImportFlow *self, const char *name,
                                  const ImgImportTaskVTable *vtable, gpointer user_data,
                                  GDestroyNotify destroy, GError **error);

/**
 * imgimport_flow_add_flow: (skip)
 * @self: a flow
 * @name: unique in the flow, as for a task
 * @inner: what to put there; not @self. It is copied, and kept for what its tasks need
 * @error: return location
 *
 * Each task of @inner becomes one of this flow named "@name/task", each of its outputs is
 * "@name/output" here, though to its own task what it was; inputs that it does not provide itself
 * are inputs as they are.
 * Where a task is asked for, @name stands for the whole: what is linked before it or is an input of
 * it comes before its first tasks, what is linked after it after its last; as the pivot it is passed
 * after its last. What only a task can have is refused for it (reason "task-is-flow"). It has a task
 * of its own at either end, "@name:begin" and "@name". Its pivot becomes the pivot of this flow; its
 * deadline, budget, grace and version stay behind.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_EXISTS (reason "task-exists", "provider-ambiguous" or
 *   "pivot-exists"), %IMGIMPORT_ERROR_INVALID_ARGUMENT ("name-invalid", or "flow-cycle" where
 *   @inner holds this flow) or %IMGIMPORT_ERROR_INVALID_STATE (the flow is compiled); the flow is
 *   then unchanged
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_add_flow (ImgImportFlow *self, const char *name, ImgImportFlow *inner,
                                  GError **error);

/**
 * imgimport_flow_link: (skip)
 * @self: a flow
 * @before: a task
 * @after: a task that comes after it
 * @error: return location
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_NOT_FOUND (reason "task-unknown"); a cycle is reported
 *   by imgimport_flow_compile()
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_link (ImgImportFlow *self, const char *before, const char *after,
                              GError **error);

/**
 * imgimport_flow_add_input: (skip)
 * @self: a flow
 * @task: a task
 * @name: what it needs: an output of exactly one other task, or an input of the run
 * @error: return location
 *
 * Of a flow in this flow it is the condition that can read it. That nobody provides it is found by
 * imgimport_run_new().
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_NOT_FOUND ("task-unknown"), or
 *   %IMGIMPORT_ERROR_INVALID_ARGUMENT ("name-invalid") for an empty @name
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_add_input (ImgImportFlow *self, const char *task, const char *name,
                                   GError **error);

/**
 * imgimport_flow_add_revert_input: (skip)
 * @self: a flow
 * @task: a task
 * @name: what its revert needs, and execute does not: as for imgimport_flow_add_input()
 * @error: return location
 *
 * The provider comes before the task, so it is undone after it.
 *
 * Returns: %FALSE as imgimport_flow_add_input() does, or with %IMGIMPORT_ERROR_INVALID_ARGUMENT
 *   ("task-is-flow") for a flow in this flow
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_add_revert_input (ImgImportFlow *self, const char *task, const char *name,
                                          GError **error);

/**
 * imgimport_flow_add_output: (skip)
 * @self: a flow
 * @task: a task
 * @name: what it provides
 * @error: return location
 *
 * Returns: %FALSE as imgimport_flow_add_input() does, or with %IMGIMPORT_ERROR_INVALID_ARGUMENT
 *   ("task-is-flow") for a flow in this flow, or %IMGIMPORT_ERROR_EXISTS (reason
 *   "provider-ambiguous") where a task provides it
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_add_output (ImgImportFlow *self, const char *task, const char *name,
                                    GError **error);

/**
 * imgimport_flow_set_retry: (skip)
 * @self: a flow
 * @task: a task
 * @attempts: how often execute is called in all, at least 1
 * @delay_ms: the wait before the second attempt; doubled for each further one
 * @max_delay_ms: the longest wait
 * @error: return location
 *
 * Only errors of which imgimport_error_is_retryable() is true are retried. No thread is held while
 * waiting.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_NOT_FOUND ("task-unknown"), or
 *   %IMGIMPORT_ERROR_INVALID_ARGUMENT ("retry-invalid") for no attempt, or ("task-is-flow") for a
 *   flow in this flow
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_retry (ImgImportFlow *self, const char *task, guint attempts,
                                   guint delay_ms, guint max_delay_ms, GError **error);

/**
 * imgimport_flow_set_pivot: (skip)
 * @self: a flow
 * @task: the task after whose success nothing is reverted any more
 * @error: return location
 *
 * A flow has at most one pivot. Tasks that do not come after it must come before it. A task after
 * it that fails for good leaves a warning, those after that one run, and the run ends in success.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_NOT_FOUND ("task-unknown"), or %IMGIMPORT_ERROR_EXISTS
 *   ("pivot-exists")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_set_pivot (ImgImportFlow *self, const char *task, GError **error);

/**
 * imgimport_flow_compile:
 * @self: a flow
 * @error: return location
 *
 * Checks the flow and freezes it; O(tasks + links). imgimport_run_new() does it too.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_ARGUMENT and reason "flow-cycle" or
 *   "flow-pivot", naming the tasks; the flow can then still be changed
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_flow_compile (ImgImportFlow *self, GError **error);

G_END_DECLS
