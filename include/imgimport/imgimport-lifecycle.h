/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-error.h>

G_BEGIN_DECLS

/**
 * ImgImportStatus:
 *
 * The nine statuses of an image (Glance row F001). The words are those of the Glance v2 API.
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_STATUS_QUEUED = 0,
  IMGIMPORT_STATUS_SAVING = 1,
  IMGIMPORT_STATUS_UPLOADING = 2,
  IMGIMPORT_STATUS_IMPORTING = 3,
  IMGIMPORT_STATUS_ACTIVE = 4,
  IMGIMPORT_STATUS_DEACTIVATED = 5,
  IMGIMPORT_STATUS_KILLED = 6,
  IMGIMPORT_STATUS_PENDING_DELETE = 7,
  IMGIMPORT_STATUS_DELETED = 8
} ImgImportStatus;

/**
 * ImgImportAction:
 * @IMGIMPORT_ACTION_UPLOAD: direct upload begins: queued → saving
 * @IMGIMPORT_ACTION_UPLOAD_DONE: saving → active
 * @IMGIMPORT_ACTION_UPLOAD_FAILED: saving → queued
 * @IMGIMPORT_ACTION_KILL: legacy upload failure: saving → killed
 * @IMGIMPORT_ACTION_STAGE: staging begins: queued → uploading
 * @IMGIMPORT_ACTION_UNSTAGE: staging failed or was taken back: uploading → queued
 * @IMGIMPORT_ACTION_IMPORT: the import flow begins: queued, uploading → importing
 * @IMGIMPORT_ACTION_ACTIVATE: the import is done: importing → active
 * @IMGIMPORT_ACTION_IMPORT_FAILED: the import failed and its bytes are gone: importing → queued
 * @IMGIMPORT_ACTION_IMPORT_RETURNED: the import failed through no fault of the bytes, which are
 *   staged as before: importing → uploading (an edge Glance does not have)
 * @IMGIMPORT_ACTION_REGISTER: a location is added to a queued image: queued → active
 * @IMGIMPORT_ACTION_DEACTIVATE: active → deactivated
 * @IMGIMPORT_ACTION_REACTIVATE: deactivated → active
 * @IMGIMPORT_ACTION_DELETE: any status but deleted → deleted
 * @IMGIMPORT_ACTION_DELETE_LATER: delayed delete: active → pending_delete
 * @IMGIMPORT_ACTION_RESTORE: pending_delete → active
 *
 * What may happen to an image. (status, action) has at most one next status.
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_ACTION_UPLOAD = 0,
  IMGIMPORT_ACTION_UPLOAD_DONE = 1,
  IMGIMPORT_ACTION_UPLOAD_FAILED = 2,
  IMGIMPORT_ACTION_KILL = 3,
  IMGIMPORT_ACTION_STAGE = 4,
  IMGIMPORT_ACTION_UNSTAGE = 5,
  IMGIMPORT_ACTION_IMPORT = 6,
  IMGIMPORT_ACTION_ACTIVATE = 7,
  IMGIMPORT_ACTION_IMPORT_FAILED = 8,
  IMGIMPORT_ACTION_IMPORT_RETURNED = 9,
  IMGIMPORT_ACTION_REGISTER = 10,
  IMGIMPORT_ACTION_DEACTIVATE = 11,
  IMGIMPORT_ACTION_REACTIVATE = 12,
  IMGIMPORT_ACTION_DELETE = 13,
  IMGIMPORT_ACTION_DELETE_LATER = 14,
  IMGIMPORT_ACTION_RESTORE = 15
} ImgImportAction;

#define IMGIMPORT_TYPE_STATUS (imgimport_status_get_type ())
#define IMGIMPORT_TYPE_ACTION (imgimport_action_get_type ())

IMGIMPORT_AVAILABLE_IN_0_1
GType imgimport_status_get_type (void);

IMGIMPORT_AVAILABLE_IN_0_1
GType imgimport_action_get_type (void);

/**
 * imgimport_status_to_string:
 * @status: a status
 *
 * Returns: (nullable) (transfer none): Glance's word for it, %NULL for a value that is no status
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_status_to_string (ImgImportStatus status);

/**
 * imgimport_status_from_string:
 * @text: (nullable): a word
 * @status: (out): the status
 * @error: return location
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_ARGUMENT, reason "status-unknown" (F001)
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_status_from_string (const char *text, ImgImportStatus *status, GError **error);

/**
 * imgimport_action_to_string:
 * @action: an action
 *
 * Returns: (nullable) (transfer none): a word such as "stage", %NULL for a value that is no action
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_action_to_string (ImgImportAction action);

/**
 * imgimport_status_can_become:
 * @from: a status
 * @to: a status
 *
 * The transition table (Glance rows F002 and, for importing → uploading, our own). A status never
 * becomes itself. Pure; any thread.
 *
 * Returns: whether some action leads from @from to @to
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_status_can_become (ImgImportStatus from, ImgImportStatus to);

/**
 * imgimport_lifecycle_next:
 * @status: the status now
 * @action: what is to happen
 * @next: (out) (optional): the status after it
 * @error: return location
 *
 * Pure; any thread; needs no service.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_STATE, reason "status-transition", where the table
 *   has no such edge; the message names status, action and the statuses that allow it
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_lifecycle_next (ImgImportStatus status, ImgImportAction action,
                                   ImgImportStatus *next, GError **error);

/**
 * imgimport_lifecycle_needs_formats:
 * @status: the status now
 * @action: what is to happen
 *
 * Leaving queued or uploading for saving, importing or active requires both disk_format and
 * container_format (Glance row F003).
 *
 * Returns: whether @action at @status requires both formats to be set
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_lifecycle_needs_formats (ImgImportStatus status, ImgImportAction action);

/**
 * imgimport_lifecycle_to_dot:
 *
 * Returns: (transfer full): the table as a Graphviz digraph, one edge per action
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_lifecycle_to_dot (void);

G_END_DECLS
