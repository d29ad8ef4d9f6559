/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-context.h>
#include <imgimport/imgimport-image.h>

G_BEGIN_DECLS

/**
 * ImgImportCall: (skip)
 *
 * What a method or hook is handed for one call: the image, who asked, the request, and what it may
 * do. Borrowed: valid until the slot returns (for a method's stream: until `close` returns). Not
 * thread-safe; a plug-in with threads of its own keeps it to one.
 *
 * Since: 0.1
 */
typedef struct _ImgImportCall ImgImportCall;

/**
 * imgimport_call_get_image: (skip)
 * @self: the call
 *
 * Returns: (transfer none): the image as it stood when the call began
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportImage *imgimport_call_get_image (ImgImportCall *self);

/**
 * imgimport_call_get_context: (skip)
 * @self: the call
 *
 * Returns: (nullable) (transfer none): who asked for the import; %NULL for the embedding program
 *   itself, an administrator without a name
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportContext *imgimport_call_get_context (ImgImportCall *self);

/**
 * imgimport_call_get_request: (skip)
 * @self: the call
 *
 * Returns: (transfer none): the import request as JSON, `{"method": {"name": …}, …}`
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_call_get_request (ImgImportCall *self);

/**
 * imgimport_call_get_job_id: (skip)
 * @self: the call
 *
 * Returns: (transfer none): the job's UUID
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_call_get_job_id (ImgImportCall *self);

/**
 * imgimport_call_get_staged_key: (skip)
 * @self: the call
 *
 * Returns: (nullable) (transfer none): the key of the image's sealed object in staging, %NULL where
 *   nothing is staged
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_call_get_staged_key (ImgImportCall *self);

/**
 * imgimport_call_use_staged: (skip)
 * @self: the call
 * @error: return location
 *
 * For a method's `open`: the bytes to import are those staged for this image; there is no stream.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_STATE, reason "not-staged", where nothing is
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_call_use_staged (ImgImportCall *self, GError **error);

/**
 * imgimport_call_set_property: (skip)
 * @self: the call
 * @key: an additional property
 * @value: its value
 * @error: return location
 *
 * For a hook: sets a property of the image once the hook has succeeded, in one commit with whatever
 * else it sets. Names of the library's own namespace, `os_glance…`, are dropped and logged (F098);
 * base properties are refused. The quota is looked at in that commit: beyond it the import fails.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_PERMISSION, reason "property-reserved", or
 *   %IMGIMPORT_ERROR_INVALID_ARGUMENT, reason "property-invalid"
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_call_set_property (ImgImportCall *self, const char *key, const char *value,
                                      GError **error);

/**
 * imgimport_call_log: (skip)
 * @self: the call
 * @level: how grave; any that #ImgImportLogFunc does not name counts as %G_LOG_LEVEL_WARNING
 * @message: what to say; no secrets
 *
 * Speaks to the host's log sink, with the image's and the job's id; line breaks become spaces.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_call_log (ImgImportCall *self, GLogLevelFlags level, const char *message);

G_END_DECLS
