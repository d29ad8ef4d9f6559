/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-error.h>

G_BEGIN_DECLS

/**
 * ImgImportJobStatus:
 * @IMGIMPORT_JOB_PENDING: accepted, not begun
 * @IMGIMPORT_JOB_PROCESSING: its flow runs
 * @IMGIMPORT_JOB_SUCCESS: the image is active; perhaps with warnings
 * @IMGIMPORT_JOB_FAILURE: message and reason say why
 *
 * The statuses of the Glance task resource (row F053); success and failure are final.
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_JOB_PENDING = 0,
  IMGIMPORT_JOB_PROCESSING = 1,
  IMGIMPORT_JOB_SUCCESS = 2,
  IMGIMPORT_JOB_FAILURE = 3
} ImgImportJobStatus;

#define IMGIMPORT_TYPE_JOB_STATUS (imgimport_job_status_get_type ())

IMGIMPORT_AVAILABLE_IN_0_1
GType imgimport_job_status_get_type (void);

/**
 * imgimport_job_status_to_string:
 * @status: a status
 *
 * Returns: (nullable) (transfer none): Glance's word for it, %NULL for a value that is no status
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_job_status_to_string (ImgImportJobStatus status);

#define IMGIMPORT_TYPE_JOB (imgimport_job_get_type ())

/**
 * ImgImportJob:
 *
 * The record of one import as it stood at one moment: an immutable value, safe in any thread.
 * What Glance calls a task.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportJob, imgimport_job, IMGIMPORT, JOB, GObject)

/**
 * imgimport_job_new_from_json:
 * @json: what imgimport_job_to_json() wrote
 * @error: return location
 *
 * Returns: (transfer full): the job; %NULL with %IMGIMPORT_ERROR_INVALID_ARGUMENT ("json-invalid")
 *   naming the path of what is wrong
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportJob *imgimport_job_new_from_json (const char *json, GError **error);

/**
 * imgimport_job_to_json:
 * @self: a job
 *
 * The Glance task shape (`id`, `type`, `status`, `owner`, `image_id`, `user_id`, `request_id`,
 * `input`, `result`, `message`, `created_at`, `updated_at`, `expires_at`) and our additions
 * `reason`, `code` (an #ImgImportError's nick, or "cancelled"), `phase`, `bytes`, `total`,
 * `warnings`, `deliveries`, `cancel_requested` and, of a job that is over, `tasks`
 * (`[{"name", "state", "start", "duration", "attempts", "after", "spans"}]`, times in microseconds
 * after the start, `after` by place in the list). `deliveries` is `[{"store", "way", "why"}]`: by
 * link, reflink, copy or stream, and why by no cheaper way.
 *
 * Returns: (transfer full): UTF-8 JSON, one object
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_job_to_json (ImgImportJob *self);

/**
 * imgimport_job_get_id:
 * @self: a job
 *
 * Returns: (transfer none): its UUID
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_job_get_id (ImgImportJob *self);

/**
 * imgimport_job_get_image_id:
 * @self: a job
 *
 * Returns: (transfer none): the image's UUID
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_job_get_image_id (ImgImportJob *self);

/**
 * imgimport_job_get_status:
 * @self: a job
 *
 * Returns: its status
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportJobStatus imgimport_job_get_status (ImgImportJob *self);

/**
 * imgimport_job_is_finished:
 * @self: a job
 *
 * Returns: whether its status is final
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_job_is_finished (ImgImportJob *self);

/**
 * imgimport_job_get_message:
 * @self: a job
 *
 * Returns: (transfer none): what failed and why; "" where nothing did
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_job_get_message (ImgImportJob *self);

/**
 * imgimport_job_get_reason:
 * @self: a job
 *
 * Returns: (nullable) (transfer none): the reason word of the first cause of a failure, see
 *   imgimport_error_get_reason()
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_job_get_reason (ImgImportJob *self);

/**
 * imgimport_job_get_phase:
 * @self: a job
 *
 * Returns: (nullable) (transfer none): the task of the flow that runs, or ran last
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_job_get_phase (ImgImportJob *self);

/**
 * imgimport_job_get_bytes:
 * @self: a job
 *
 * Returns: bytes done in this phase
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint64 imgimport_job_get_bytes (ImgImportJob *self);

/**
 * imgimport_job_get_total:
 * @self: a job
 *
 * Returns: bytes of this phase in all, or %IMGIMPORT_SIZE_UNKNOWN
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint64 imgimport_job_get_total (ImgImportJob *self);

/**
 * imgimport_job_get_error:
 * @self: a job
 * @error: return location
 *
 * A failed job as an error: the same code, reason and message that the caller of a blocking
 * import would have been given.
 *
 * Returns: %TRUE with @error unset unless the job's status is %IMGIMPORT_JOB_FAILURE
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_job_get_error (ImgImportJob *self, GError **error);

G_END_DECLS
