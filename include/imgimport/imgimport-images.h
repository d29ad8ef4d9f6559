/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <imgimport/imgimport-context.h>
#include <imgimport/imgimport-image.h>
#include <imgimport/imgimport-service.h>

G_BEGIN_DECLS

/**
 * imgimport_service_create_image:
 * @self: a started service
 * @context: (nullable): who asks
 * @attributes: (nullable): the image's properties in the Glance v2 shape, such as `{"name": …,
 *   "disk_format": "qcow2", "container_format": "bare"}`; at most 1 MiB
 * @answer: (out) (optional) (transfer full): what to do next, as JSON: `{"image": {…},
 *   "import_methods": […], "stores": […]}` (F034)
 * @error: return location
 *
 * Creates a record in status queued.
 *
 * Errors: %IMGIMPORT_ERROR_INVALID_ARGUMENT ("json-invalid", a value: "property-invalid",
 * "format-unknown": one that is not configured), %IMGIMPORT_ERROR_PERMISSION
 * ("property-read-only", "property-reserved", "owner-foreign", "visibility-public": only an
 * administrator makes an image public), %IMGIMPORT_ERROR_EXISTS ("image-exists"; ids of deleted
 * images stay taken), %IMGIMPORT_ERROR_LIMIT ("property-quota", "tag-quota").
 *
 * Returns: (transfer full): the record, or %NULL
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportImage *imgimport_service_create_image (ImgImportService *self, ImgImportContext *context,
                                                const char *attributes, char **answer,
                                                GError **error);

/**
 * imgimport_service_get_image:
 * @self: a started service
 * @context: (nullable): who asks
 * @id: the image's UUID
 * @error: return location
 *
 * Returns: (transfer full): the record as it stands now; %NULL with %IMGIMPORT_ERROR_NOT_FOUND,
 *   reason "image-not-found", also where the caller may not see it (A37)
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportImage *imgimport_service_get_image (ImgImportService *self, ImgImportContext *context,
                                             const char *id, GError **error);

/**
 * imgimport_service_list_images:
 * @self: a started service
 * @context: (nullable): who asks: sees its own, public and community images; an administrator all
 * @filter: (nullable): `{"status", "owner", "visibility", "name", "os_hidden", "limit" (1 to 1000,
 *   default 25), "marker" (the last id of the page before)}`
 * @error: return location
 *
 * Newest first. Hidden images are listed only with `"os_hidden": true`, and then only these (A62).
 *
 * Returns: (transfer full) (element-type ImgImportImage): a page; empty where nothing matches; %NULL
 *   with %IMGIMPORT_ERROR_INVALID_ARGUMENT ("filter-invalid", "marker-unknown") or what the catalog
 *   failed with
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
GPtrArray *imgimport_service_list_images (ImgImportService *self, ImgImportContext *context,
                                          const char *filter, GError **error);

/**
 * imgimport_service_update_image:
 * @self: a started service
 * @context: (nullable): who asks: the owner or an administrator
 * @id: the image's UUID
 * @patch: a JSON merge patch (RFC 7396) of the v2 shape: members given replace, additional
 *   properties given as null are removed
 * @error: return location
 *
 * Formats may be changed while the image is queued, importing, or uploading and unclaimed. Errors
 * are those of imgimport_service_create_image() but "image-exists", and %IMGIMPORT_ERROR_NOT_FOUND
 * ("image-not-found"), %IMGIMPORT_ERROR_PERMISSION ("not-owner") and
 * %IMGIMPORT_ERROR_INVALID_STATE ("formats-frozen").
 *
 * Returns: (transfer full): the record after it, or %NULL
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportImage *imgimport_service_update_image (ImgImportService *self, ImgImportContext *context,
                                                const char *id, const char *patch,
                                                GError **error);

/**
 * imgimport_service_delete_image:
 * @self: a started service
 * @context: (nullable): who asks: the owner or an administrator
 * @id: the image's UUID
 * @error: return location
 *
 * The record is gone when this returns, and so are staged and stored bytes; what a store could not
 * remove is removed by a later start. An upload or import that runs is cancelled and cleans up
 * after itself.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_NOT_FOUND ("image-not-found"), or
 *   %IMGIMPORT_ERROR_PERMISSION ("protected", "not-owner")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_service_delete_image (ImgImportService *self, ImgImportContext *context,
                                         const char *id, GError **error);

/**
 * imgimport_service_read_image:
 * @self: a started service
 * @context: (nullable): who asks
 * @id: the image's UUID
 * @offset: where to begin, bytes
 * @length: how many bytes, or %IMGIMPORT_SIZE_UNKNOWN for all the rest
 * @error: return location
 *
 * Reads an active image from the first of its stores that answers. The stream may outlive an
 * image's deletion, not the service's close.
 *
 * The digest of a whole image is compared with the record's while it is read from its first byte to
 * its last: the read that would answer the last bytes fails with %IMGIMPORT_ERROR_CORRUPT, reason
 * "digest-mismatch". A range, a stream that seeks, and an image none of whose digests this build
 * computes, are not checked.
 *
 * Returns: (transfer full): a seekable stream; %NULL with %IMGIMPORT_ERROR_NOT_FOUND
 *   ("image-not-found"), %IMGIMPORT_ERROR_INVALID_STATE ("image-not-active"),
 *   %IMGIMPORT_ERROR_INVALID_ARGUMENT ("range-invalid": it ends after the image) or
 *   %IMGIMPORT_ERROR_UNAVAILABLE ("stores-unavailable")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
GInputStream *imgimport_service_read_image (ImgImportService *self, ImgImportContext *context,
                                            const char *id, guint64 offset, guint64 length,
                                            GError **error);

/**
 * imgimport_service_save_image:
 * @self: a started service
 * @context: (nullable): who asks
 * @id: the image's UUID
 * @fd: a descriptor to write to; it stays the caller's
 * @cancellable: (nullable): cancels
 * @error: return location
 *
 * Writes all bytes of an active image to @fd and compares their digest with the record's, where it
 * has one. What was written before a failure stays. Zeros become holes where @fd is a regular file
 * that ends where @fd stands.
 *
 * Returns: %FALSE as imgimport_service_read_image() does, with what writing failed with, and with
 *   %IMGIMPORT_ERROR_CORRUPT, reason "digest-mismatch" or "size-mismatch", where the store answered
 *   other bytes, or %IMGIMPORT_ERROR_NOT_SUPPORTED, reason "digest-unknown", where this build
 *   computes none of the image's digests
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_service_save_image (ImgImportService *self, ImgImportContext *context,
                                       const char *id, int fd, GCancellable *cancellable,
                                       GError **error);

G_END_DECLS
