/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-lifecycle.h>

G_BEGIN_DECLS

/**
 * ImgImportStageState:
 * @IMGIMPORT_STAGE_NONE: nothing is staged
 * @IMGIMPORT_STAGE_RECEIVING: bytes are being received
 * @IMGIMPORT_STAGE_SEALED: all bytes are there, digested and inspected, and can be imported
 *
 * What the one status `uploading` does not tell.
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_STAGE_NONE = 0,
  IMGIMPORT_STAGE_RECEIVING = 1,
  IMGIMPORT_STAGE_SEALED = 2
} ImgImportStageState;

#define IMGIMPORT_TYPE_STAGE_STATE (imgimport_stage_state_get_type ())

IMGIMPORT_AVAILABLE_IN_0_1
GType imgimport_stage_state_get_type (void);

#define IMGIMPORT_TYPE_IMAGE (imgimport_image_get_type ())

/**
 * ImgImportImage:
 *
 * The record of an image as it stood at one moment: an immutable value, safe in any thread. The
 * record in the catalog goes on; ask the service again to see it.
 *
 * Everything is in imgimport_image_to_json(); the getters are what programs ask for most.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportImage, imgimport_image, IMGIMPORT, IMAGE, GObject)

/**
 * imgimport_image_new_from_json:
 * @json: an image in the shape of the Glance v2 API, at most 1 MiB and 32 levels
 * @error: return location
 *
 * Reads what imgimport_image_to_json() writes, and what a Glance server answers for one image.
 * `id` and `status` must be there. Links (`self`, `file`, `schema`, `direct_url`), `locations`,
 * `location`, `deleted` and `deleted_at` are dropped; unknown members must be strings and become
 * additional properties.
 *
 * Returns: (transfer full): the image; %NULL with %IMGIMPORT_ERROR_INVALID_ARGUMENT
 *   ("json-invalid") naming the path of what is wrong
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportImage *imgimport_image_new_from_json (const char *json, GError **error);

/**
 * imgimport_image_to_json:
 * @self: an image
 *
 * The Glance v2 shape: base properties, links, additional properties at the top level, and
 * `stores`, a comma-joined list, where the image is in a store. Our one addition is the object
 * `stage`: `{"state", "bytes", "expected", "since"}`, present while something is staged. Properties
 * that name a host of the deployment are left out (F030).
 *
 * Returns: (transfer full): UTF-8 JSON, one object
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_image_to_json (ImgImportImage *self);

/**
 * imgimport_image_get_id:
 * @self: an image
 *
 * Returns: (transfer none): its UUID, lower case
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_image_get_id (ImgImportImage *self);

/**
 * imgimport_image_get_name:
 * @self: an image
 *
 * Returns: (nullable) (transfer none): its name
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_image_get_name (ImgImportImage *self);

/**
 * imgimport_image_get_status:
 * @self: an image
 *
 * Returns: its status
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportStatus imgimport_image_get_status (ImgImportImage *self);

/**
 * imgimport_image_get_owner:
 * @self: an image
 *
 * Returns: (nullable) (transfer none): the project that owns it
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_image_get_owner (ImgImportImage *self);

/**
 * imgimport_image_get_disk_format:
 * @self: an image
 *
 * Returns: (nullable) (transfer none): such as "qcow2"
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_image_get_disk_format (ImgImportImage *self);

/**
 * imgimport_image_get_container_format:
 * @self: an image
 *
 * Returns: (nullable) (transfer none): such as "bare"
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_image_get_container_format (ImgImportImage *self);

/**
 * imgimport_image_get_size:
 * @self: an image
 *
 * Returns: bytes, or %IMGIMPORT_SIZE_UNKNOWN while no data has been sealed
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint64 imgimport_image_get_size (ImgImportImage *self);

/**
 * imgimport_image_get_virtual_size:
 * @self: an image
 *
 * Returns: bytes of the disk inside, or %IMGIMPORT_SIZE_UNKNOWN
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint64 imgimport_image_get_virtual_size (ImgImportImage *self);

/**
 * imgimport_image_get_checksum:
 * @self: an image
 *
 * Returns: (nullable) (transfer none): MD5, lower-case hexadecimal; for compatibility only
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_image_get_checksum (ImgImportImage *self);

/**
 * imgimport_image_get_hash_algo:
 * @self: an image
 *
 * Returns: (nullable) (transfer none): the algorithm of imgimport_image_get_hash_value()
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_image_get_hash_algo (ImgImportImage *self);

/**
 * imgimport_image_get_hash_value:
 * @self: an image
 *
 * Returns: (nullable) (transfer none): the digest of the stored bytes, lower-case hexadecimal
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_image_get_hash_value (ImgImportImage *self);

/**
 * imgimport_image_get_property:
 * @self: an image
 * @key: the name of an additional property
 *
 * Returns: (nullable) (transfer none): its value
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_image_get_property (ImgImportImage *self, const char *key);

/**
 * imgimport_image_dup_stores:
 * @self: an image
 *
 * Returns: (transfer full) (array zero-terminated=1): the stores that hold it
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char **imgimport_image_dup_stores (ImgImportImage *self);

/**
 * imgimport_image_get_stage_state:
 * @self: an image
 *
 * Returns: whether bytes are staged, or on the way
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportStageState imgimport_image_get_stage_state (ImgImportImage *self);

/**
 * imgimport_image_get_stage_bytes:
 * @self: an image
 *
 * Returns: bytes received so far, 0 where nothing is staged
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint64 imgimport_image_get_stage_bytes (ImgImportImage *self);

/**
 * imgimport_image_get_stage_expected:
 * @self: an image
 *
 * Returns: bytes announced, or %IMGIMPORT_SIZE_UNKNOWN
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint64 imgimport_image_get_stage_expected (ImgImportImage *self);

G_END_DECLS
