/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <imgimport/imgimport-context.h>
#include <imgimport/imgimport-job.h>
#include <imgimport/imgimport-service.h>

G_BEGIN_DECLS

/**
 * imgimport_service_import_image:
 * @self: a started service
 * @context: (nullable): who asks: the owner or an administrator
 * @id: the image's UUID
 * @request: (nullable): Glance's import request: `{"method": {"name": "glance-direct"}, "stores":
 *   ["a", "b"] | "all_stores": true, "all_stores_must_succeed": true}`, and of our own
 *   `"expected_digest": {"algorithm": "sha256", "value": "…"}`; %NULL: glance-direct into the
 *   default store. At most 64 KiB, its method at most 8 levels deep
 * @error: return location
 *
 * Accepts an import and returns; it runs on the service's workers. What is wrong with the request
 * or the image's state is answered here, in Glance's order (F051); what goes wrong later is in the
 * job.
 *
 * `expected_digest` is what the publisher says of the bytes that are staged or fetched, before any
 * hook: by sha256, sha384 or sha512, in hexadecimal of either case. Other bytes fail the import before
 * any is delivered, with the reason "digest-mismatch", and are removed; the image is `queued` again.
 * Bytes that were staged under another `hashing_algorithm` are read once more for it.
 *
 * Errors: %IMGIMPORT_ERROR_INVALID_ARGUMENT ("request-invalid", "method-unknown",
 * "stores-conflict", "stores-empty", "store-duplicate", "store-unknown", "digest-malformed"),
 * %IMGIMPORT_ERROR_NOT_SUPPORTED ("method-disabled"), %IMGIMPORT_ERROR_NOT_FOUND
 * ("image-not-found"), %IMGIMPORT_ERROR_INVALID_STATE ("status-not-importable", "formats-missing",
 * "not-staged"), %IMGIMPORT_ERROR_PERMISSION ("not-owner"), %IMGIMPORT_ERROR_BUSY
 * ("image-claimed"), %IMGIMPORT_ERROR_UNAVAILABLE ("resources-exhausted": no thread is to be had),
 * and what the method's `check` answers.
 *
 * Returns: (transfer full): the job's UUID, or %NULL; free with imgimport_free()
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_service_import_image (ImgImportService *self, ImgImportContext *context,
                                      const char *id, const char *request, GError **error);

/**
 * imgimport_service_get_job:
 * @self: a started service
 * @context: (nullable): who asks: the job's owner or an administrator
 * @job_id: the job's UUID
 * @error: return location
 *
 * Returns: (transfer full): the record as it stands now; %NULL with %IMGIMPORT_ERROR_NOT_FOUND,
 *   reason "job-not-found"
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportJob *imgimport_service_get_job (ImgImportService *self, ImgImportContext *context,
                                         const char *job_id, GError **error);

/**
 * imgimport_service_job_graph:
 * @self: a started service
 * @context: (nullable): who asks: the job's owner or an administrator
 * @job_id: the job's UUID
 * @error: return location
 *
 * The tasks of a job, their states and durations: of one that runs in this process as they are now,
 * of one that is over from its record.
 *
 * Returns: (transfer full): the graph in the language of Graphviz; %NULL with
 *   %IMGIMPORT_ERROR_NOT_FOUND (reason "job-not-found"), or "tasks-unknown" where the job runs
 *   elsewhere or left no record of them; free with imgimport_free()
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_service_job_graph (ImgImportService *self, ImgImportContext *context,
                                   const char *job_id, GError **error);

/**
 * imgimport_service_job_trace:
 * @self: a started service
 * @context: (nullable): who asks: the job's owner or an administrator
 * @job_id: the job's UUID
 * @error: return location
 *
 * The same as a trace: each attempt and each revert.
 *
 * Returns: (transfer full): JSON in the Trace Event Format that Perfetto and Chrome's trace viewer
 *   read; %NULL as for imgimport_service_job_graph(); free with imgimport_free()
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_service_job_trace (ImgImportService *self, ImgImportContext *context,
                                   const char *job_id, GError **error);

/**
 * imgimport_service_list_jobs:
 * @self: a started service
 * @context: (nullable): who asks: sees its own; an administrator all
 * @filter: (nullable): `{"image_id", "status", "limit" (1 to 1000, default 25), "marker"}`
 * @error: return location
 *
 * Newest first. Jobs whose `expires_at` has passed are not listed (F056), and are removed little by
 * little: by this, by imgimport_service_import_image() and by the start of a service. An image's end
 * does not remove its jobs.
 *
 * Returns: (transfer full) (element-type ImgImportJob): a page; %NULL with
 *   %IMGIMPORT_ERROR_INVALID_ARGUMENT ("filter-invalid", "marker-unknown") or what the catalog
 *   failed with
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
GPtrArray *imgimport_service_list_jobs (ImgImportService *self, ImgImportContext *context,
                                        const char *filter, GError **error);

/**
 * imgimport_service_wait_job:
 * @self: a started service
 * @job_id: the job's UUID
 * @timeout_ms: how long to wait; negative: without end
 * @cancellable: (nullable): stops the wait, not the job
 * @error: return location
 *
 * Waits for a job of any process that has this catalog open, whoever owns it: a host that acts for
 * tenants asks imgimport_service_get_job() first. With `workers` 0 it runs the jobs of this service
 * on the caller's thread.
 *
 * A job whose end the catalog refuses, such as on a full disk, keeps its image claimed and is ended
 * as soon as the catalog takes it: it is tried again after 1 s, then ever less often, at least once
 * a minute (with `workers` 0 by the calls that run jobs), and at once by each call of this, of
 * imgimport_service_get_job() and imgimport_service_cancel_job(), and by one that needs the image,
 * such as for another import, which waits for it for 2 s at most. A wait does not sit that out: it
 * fails with %IMGIMPORT_ERROR_UNAVAILABLE ("job-stalled"), and can be repeated. Only where the
 * service closes first is the end left to the next start.
 *
 * Returns: (transfer full): the job in a final status, success or not (see
 *   imgimport_job_get_error()); %NULL with %IMGIMPORT_ERROR_TIMED_OUT ("wait-timed-out"),
 *   %IMGIMPORT_ERROR_NOT_FOUND ("job-not-found"), %IMGIMPORT_ERROR_UNAVAILABLE ("job-stalled") or
 *   %G_IO_ERROR_CANCELLED
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportJob *imgimport_service_wait_job (ImgImportService *self, const char *job_id,
                                          gint64 timeout_ms, GCancellable *cancellable,
                                          GError **error);

/**
 * imgimport_service_wait_job_async:
 * @self: a started service with at least one worker
 * @job_id: the job's UUID
 * @cancellable: (nullable): stops the wait, not the job
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: for @callback
 *
 * imgimport_service_wait_job() without a blocked thread and without a timeout. With `workers` 0 it
 * fails with %IMGIMPORT_ERROR_NOT_SUPPORTED ("no-workers").
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_service_wait_job_async (ImgImportService *self, const char *job_id,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);

/**
 * imgimport_service_wait_job_finish:
 * @self: a started service
 * @result: what the callback was given
 * @error: return location
 *
 * Returns: (transfer full): the job in a final status; %NULL as imgimport_service_wait_job() does
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportJob *imgimport_service_wait_job_finish (ImgImportService *self, GAsyncResult *result,
                                                 GError **error);

/**
 * imgimport_service_cancel_job:
 * @self: a started service
 * @context: (nullable): who asks: the job's owner or an administrator
 * @job_id: the job's UUID
 * @error: return location
 *
 * Asks a pending or running import, of any process, to stop; returns at once. It ends in failure
 * with reason "cancelled" and, for glance-direct, with its bytes staged as before, or in success
 * where it had passed activation.
 *
 * In this process the cancellable that its plug-in was handed fires at once. Another process finds
 * the request in the record: when its next task begins, and once a second while bytes move; a
 * plug-in that waits, such as for a server that sends nothing or in a hook that computes, is told
 * when that is over. A plug-in that ignores its cancellable is awaited in any case.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_NOT_FOUND ("job-not-found") or, for a finished job,
 *   %IMGIMPORT_ERROR_INVALID_STATE ("job-finished")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_service_cancel_job (ImgImportService *self, ImgImportContext *context,
                                       const char *job_id, GError **error);

G_END_DECLS
