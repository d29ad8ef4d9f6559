/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-images.h>

G_BEGIN_DECLS

#define IMGIMPORT_TYPE_UPLOAD (imgimport_upload_get_type ())

/**
 * ImgImportUpload:
 *
 * Bytes on their way into staging, pushed by the caller. Used by one thread at a time. Dropping the
 * last reference before the commit aborts it.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportUpload, imgimport_upload, IMGIMPORT, UPLOAD, GObject)

/**
 * imgimport_service_stage_begin:
 * @self: a started service
 * @context: (nullable): who asks: the owner or an administrator
 * @id: the UUID of an image in status queued
 * @expected: how many bytes will come, or %IMGIMPORT_SIZE_UNKNOWN; enforced both ways (F118)
 * @error: return location
 *
 * The image becomes `uploading`. Needs glance-direct (F116), or another method that imports what is
 * staged, to be enabled.
 *
 * Returns: (transfer full): the upload; %NULL with %IMGIMPORT_ERROR_NOT_FOUND ("image-not-found"),
 *   %IMGIMPORT_ERROR_PERMISSION ("not-owner"), %IMGIMPORT_ERROR_INVALID_STATE
 *   ("status-transition"), %IMGIMPORT_ERROR_BUSY ("image-claimed"), %IMGIMPORT_ERROR_NOT_SUPPORTED
 *   ("method-disabled"), or %IMGIMPORT_ERROR_LIMIT ("image-size-cap")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportUpload *imgimport_service_stage_begin (ImgImportService *self, ImgImportContext *context,
                                                const char *id, guint64 expected, GError **error);

/**
 * imgimport_upload_write: (skip)
 * @self: an upload
 * @data: bytes; copied before return
 * @length: how many
 * @cancellable: (nullable): cancels
 * @error: return location
 *
 * After a failure the upload is aborted: only imgimport_unref() is left to do.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_LIMIT ("image-size-cap"), %IMGIMPORT_ERROR_CORRUPT
 *   ("size-mismatch": more than expected), %IMGIMPORT_ERROR_NO_SPACE,
 *   %IMGIMPORT_ERROR_INVALID_STATE ("upload-ended", "claim-lost": somebody has unstaged it),
 *   %IMGIMPORT_ERROR_NOT_FOUND (the image is deleted), or %G_IO_ERROR_CANCELLED
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_upload_write (ImgImportUpload *self, const void *data, gsize length,
                                 GCancellable *cancellable, GError **error);

/**
 * imgimport_upload_write_bytes: (rename-to imgimport_upload_write)
 * @self: an upload
 * @bytes: bytes
 * @cancellable: (nullable): cancels
 * @error: return location
 *
 * imgimport_upload_write() for introspected languages.
 *
 * Returns: %FALSE as imgimport_upload_write() does
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_upload_write_bytes (ImgImportUpload *self, GBytes *bytes,
                                       GCancellable *cancellable, GError **error);

/**
 * imgimport_upload_commit:
 * @self: an upload
 * @cancellable: (nullable): cancels
 * @error: return location
 *
 * Seals what was written: size, digests and what the bytes look like are recorded, and the image
 * can be imported. After a failure the upload is aborted.
 *
 * Returns: (transfer full): the image; %NULL with %IMGIMPORT_ERROR_CORRUPT ("size-mismatch": fewer
 *   than expected; "image-empty"), or as imgimport_upload_write() does
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportImage *imgimport_upload_commit (ImgImportUpload *self, GCancellable *cancellable,
                                         GError **error);

/**
 * imgimport_upload_abort:
 * @self: an upload
 *
 * Forgets what was written; the image is `queued` again. Does nothing after the commit.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_upload_abort (ImgImportUpload *self);

/**
 * imgimport_service_stage_stream:
 * @self: a started service
 * @context: (nullable): who asks
 * @id: the UUID of an image in status queued
 * @stream: read to its end; not closed
 * @expected: how many bytes will come, or %IMGIMPORT_SIZE_UNKNOWN
 * @cancellable: (nullable): cancels
 * @error: return location
 *
 * Stages and seals all bytes of @stream. After a failure the image is `queued` again.
 *
 * Returns: (transfer full): the image; %NULL as imgimport_service_stage_begin(),
 *   imgimport_upload_write() and imgimport_upload_commit() do, or with %IMGIMPORT_ERROR_PLUGIN
 *   ("foreign-error", with the stream's words)
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportImage *imgimport_service_stage_stream (ImgImportService *self, ImgImportContext *context,
                                                const char *id, GInputStream *stream,
                                                guint64 expected, GCancellable *cancellable,
                                                GError **error);

/**
 * imgimport_service_stage_fd:
 * @self: a started service
 * @context: (nullable): who asks
 * @id: the UUID of an image in status queued
 * @fd: a descriptor, read from where it stands to its end; it stays the caller's. A pipe or socket
 *   will do
 * @expected: how many bytes will come, or %IMGIMPORT_SIZE_UNKNOWN: what a regular file has left
 * @cancellable: (nullable): cancels
 * @error: return location
 *
 * Stages and seals a copy: the caller's file is never the library's. It is no reflink, which would
 * save the writing only: every byte is read in any case, to be digested and inspected, and what is
 * written is what was. After a failure the image is `queued` again.
 *
 * Returns: (transfer full): the image; %NULL as imgimport_service_stage_stream() does, and with
 *   %IMGIMPORT_ERROR_INVALID_ARGUMENT ("descriptor-not-readable")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportImage *imgimport_service_stage_fd (ImgImportService *self, ImgImportContext *context,
                                            const char *id, int fd, guint64 expected,
                                            GCancellable *cancellable, GError **error);

/**
 * imgimport_service_unstage:
 * @self: a started service
 * @context: (nullable): who asks: the owner or an administrator
 * @id: the UUID of an image in status uploading
 * @error: return location
 *
 * Drops what is staged: `uploading` → `queued`, so that other bytes can be staged. An upload still
 * on its way, of this or a dead process, is ended.
 *
 * Returns: (transfer full): the image; %NULL with %IMGIMPORT_ERROR_NOT_FOUND ("image-not-found"),
 *   %IMGIMPORT_ERROR_PERMISSION ("not-owner"), %IMGIMPORT_ERROR_INVALID_STATE
 *   ("status-transition") or, where an import has begun, %IMGIMPORT_ERROR_BUSY ("image-claimed")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportImage *imgimport_service_unstage (ImgImportService *self, ImgImportContext *context,
                                           const char *id, GError **error);

G_END_DECLS
