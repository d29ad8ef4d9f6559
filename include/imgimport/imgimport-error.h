/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-macros.h>

G_BEGIN_DECLS

/**
 * ImgImportError:
 * @IMGIMPORT_ERROR_FAILED: nothing more precise is known
 * @IMGIMPORT_ERROR_INVALID_ARGUMENT: the call is wrong: correct it
 * @IMGIMPORT_ERROR_INVALID_STATE: right call, wrong moment: look at the image's or job's status
 * @IMGIMPORT_ERROR_NOT_FOUND: no such image, job, store, object or task
 * @IMGIMPORT_ERROR_EXISTS: the name, identifier or key is taken
 * @IMGIMPORT_ERROR_NOT_SUPPORTED: this build, configuration or plug-in does not offer it
 * @IMGIMPORT_ERROR_PERMISSION: the caller may not, or the operating system refused
 * @IMGIMPORT_ERROR_NO_SPACE: a store or file system is full
 * @IMGIMPORT_ERROR_LIMIT: a configured limit was reached; the message names it
 * @IMGIMPORT_ERROR_CORRUPT: the bytes are not what they claim to be, or are unsafe
 * @IMGIMPORT_ERROR_UNAVAILABLE: a peer or store does not answer: try again later
 * @IMGIMPORT_ERROR_TIMED_OUT: the time given has passed: try again
 * @IMGIMPORT_ERROR_BUSY: somebody else holds it: try again
 * @IMGIMPORT_ERROR_PLUGIN: a plug-in broke its contract or failed in its own words
 *
 * Codes say what the caller does next; the reason word beside the code, see
 * imgimport_error_get_reason(), says why. Values are never renumbered, new ones are appended.
 * Cancellation is %G_IO_ERROR_CANCELLED, not a code of this domain.
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_ERROR_FAILED = 0,
  IMGIMPORT_ERROR_INVALID_ARGUMENT = 1,
  IMGIMPORT_ERROR_INVALID_STATE = 2,
  IMGIMPORT_ERROR_NOT_FOUND = 3,
  IMGIMPORT_ERROR_EXISTS = 4,
  IMGIMPORT_ERROR_NOT_SUPPORTED = 5,
  IMGIMPORT_ERROR_PERMISSION = 6,
  IMGIMPORT_ERROR_NO_SPACE = 7,
  IMGIMPORT_ERROR_LIMIT = 8,
  IMGIMPORT_ERROR_CORRUPT = 9,
  IMGIMPORT_ERROR_UNAVAILABLE = 10,
  IMGIMPORT_ERROR_TIMED_OUT = 11,
  IMGIMPORT_ERROR_BUSY = 12,
  IMGIMPORT_ERROR_PLUGIN = 13
} ImgImportError;

#define IMGIMPORT_ERROR (imgimport_error_quark ())
#define IMGIMPORT_TYPE_ERROR (imgimport_error_get_type ())

IMGIMPORT_AVAILABLE_IN_0_1
GQuark imgimport_error_quark (void);

IMGIMPORT_AVAILABLE_IN_0_1
GType imgimport_error_get_type (void);

/**
 * imgimport_error_get_reason: (skip)
 * @error: an error this library answered
 *
 * The stable word for why, such as "formats-missing" or "store-full". It is part of the interface:
 * programs may compare it, and a failed job keeps it.
 *
 * Returns: (transfer none): the word; "cancelled" for %G_IO_ERROR_CANCELLED, "failed" where
 *   nothing more precise is known; never %NULL
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_error_get_reason (const GError *error);

/**
 * imgimport_error_is_retryable: (skip)
 * @error: an error this library answered
 *
 * Returns: whether the same call may succeed later without being changed
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_error_is_retryable (const GError *error);

/**
 * imgimport_error_is_cancelled: (skip)
 * @error: an error this library answered
 *
 * Returns: whether the operation was cancelled
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_error_is_cancelled (const GError *error);

/**
 * imgimport_error_get_code: (skip)
 * @error: an error this library answered
 *
 * Returns: its #ImgImportError code; %IMGIMPORT_ERROR_FAILED for another domain
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
int imgimport_error_get_code (const GError *error);

/**
 * imgimport_error_get_message: (skip)
 * @error: an error this library answered
 *
 * Returns: (transfer none): what failed, on what, and why; UTF-8, no secrets, no final stop
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_error_get_message (const GError *error);

/**
 * imgimport_error_free: (skip)
 * @error: (nullable): an error this library answered
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_error_free (GError *error);

/**
 * imgimport_error_set: (skip)
 * @error: (nullable): where a slot was told to put its error
 * @code: an #ImgImportError; any other number counts as %IMGIMPORT_ERROR_FAILED
 * @reason: (nullable): a stable word, `[a-z0-9][a-z0-9_-]*`, at most 64 characters; "failed" if it
 *   is %NULL or no such word
 * @message: what failed, on what, and why
 *
 * How a plug-in reports a failure, in C or in any other language. Where @error is set already, the
 * first cause stands.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_error_set (GError **error, ImgImportError code, const char *reason,
                          const char *message);

G_END_DECLS
