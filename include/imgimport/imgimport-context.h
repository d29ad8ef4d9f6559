/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-error.h>

G_BEGIN_DECLS

#define IMGIMPORT_TYPE_CONTEXT (imgimport_context_get_type ())

/**
 * ImgImportContext:
 *
 * Who asks: an immutable value. Where a call takes a context, %NULL stands for the embedding
 * program itself: an administrator without a name.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportContext, imgimport_context, IMGIMPORT, CONTEXT, GObject)

/**
 * imgimport_context_new:
 * @owner: (nullable): the project whose images these are; at most 255 bytes; "" is none
 * @user: (nullable): the user within it; at most 255 bytes
 * @roles: (nullable) (array zero-terminated=1): role names, for hooks such as inject-metadata; at
 *   most 128 of at most 255 bytes
 * @is_admin: whether ownership does not bind this caller
 * @request_id: (nullable): kept in the jobs this caller starts; at most 255 bytes
 * @error: return location
 *
 * Returns: (transfer full): the context; %NULL with %IMGIMPORT_ERROR_INVALID_ARGUMENT, reason
 *   "context-invalid", for text that is too long or not UTF-8, or a caller who is neither named
 *   by @owner nor an administrator
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportContext *imgimport_context_new (const char *owner, const char *user,
                                         const char *const *roles, gboolean is_admin,
                                         const char *request_id, GError **error);

/**
 * imgimport_context_get_owner:
 * @self: a context
 *
 * Returns: (nullable) (transfer none): the project
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_context_get_owner (ImgImportContext *self);

/**
 * imgimport_context_get_user:
 * @self: a context
 *
 * Returns: (nullable) (transfer none): the user
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_context_get_user (ImgImportContext *self);

/**
 * imgimport_context_get_roles:
 * @self: a context
 *
 * Returns: (transfer none) (array zero-terminated=1): the role names
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *const *imgimport_context_get_roles (ImgImportContext *self);

/**
 * imgimport_context_get_is_admin:
 * @self: a context
 *
 * Returns: whether the caller is an administrator
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_context_get_is_admin (ImgImportContext *self);

/**
 * imgimport_context_get_request_id:
 * @self: a context
 *
 * Returns: (nullable) (transfer none): the request id
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_context_get_request_id (ImgImportContext *self);

/**
 * imgimport_context_to_json:
 * @self: a context
 *
 * Returns: (transfer full): `{"owner", "user", "roles", "is_admin", "request_id"}`
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_context_to_json (ImgImportContext *self);

/**
 * imgimport_context_new_from_json:
 * @json: what imgimport_context_to_json() wrote
 * @error: return location
 *
 * Returns: (transfer full): the context; %NULL with %IMGIMPORT_ERROR_INVALID_ARGUMENT
 *   ("json-invalid") naming the path of what is wrong, or as imgimport_context_new() does
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportContext *imgimport_context_new_from_json (const char *json, GError **error);

G_END_DECLS
