/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-error.h>

G_BEGIN_DECLS

/**
 * ImgImportEventKind:
 * @IMGIMPORT_EVENT_IMAGE: an image's record changed; `status` is its status now
 * @IMGIMPORT_EVENT_JOB: a job's record changed; `status` is its status now
 * @IMGIMPORT_EVENT_PROGRESS: bytes moved: of an upload (no job) or of a job's phase
 * @IMGIMPORT_EVENT_RESYNC: events were dropped because the queue was full: read the records again
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_EVENT_IMAGE = 0,
  IMGIMPORT_EVENT_JOB = 1,
  IMGIMPORT_EVENT_PROGRESS = 2,
  IMGIMPORT_EVENT_RESYNC = 3
} ImgImportEventKind;

#define IMGIMPORT_TYPE_EVENT_KIND (imgimport_event_kind_get_type ())

IMGIMPORT_AVAILABLE_IN_0_1
GType imgimport_event_kind_get_type (void);

#define IMGIMPORT_TYPE_EVENT (imgimport_event_get_type ())

/**
 * ImgImportEvent:
 *
 * Something that happened in this process: an immutable value. Events are hints, delivered at most
 * once; the record in the catalog is the truth.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportEvent, imgimport_event, IMGIMPORT, EVENT, GObject)

/**
 * imgimport_event_get_kind:
 * @self: an event
 *
 * Returns: what happened
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportEventKind imgimport_event_get_kind (ImgImportEvent *self);

/**
 * imgimport_event_get_image_id:
 * @self: an event
 *
 * Returns: (nullable) (transfer none): the image's UUID; %NULL for %IMGIMPORT_EVENT_RESYNC
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_event_get_image_id (ImgImportEvent *self);

/**
 * imgimport_event_get_job_id:
 * @self: an event
 *
 * Returns: (nullable) (transfer none): the job's UUID, %NULL where no job is involved
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_event_get_job_id (ImgImportEvent *self);

/**
 * imgimport_event_get_status:
 * @self: an event
 *
 * Returns: (nullable) (transfer none): the word of the image's or job's status
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_event_get_status (ImgImportEvent *self);

/**
 * imgimport_event_get_phase:
 * @self: an event
 *
 * Returns: (nullable) (transfer none): the phase that the bytes belong to; %NULL where no job is
 *   involved or it has not begun
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_event_get_phase (ImgImportEvent *self);

/**
 * imgimport_event_get_bytes:
 * @self: an event
 *
 * Returns: bytes done
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint64 imgimport_event_get_bytes (ImgImportEvent *self);

/**
 * imgimport_event_get_total:
 * @self: an event
 *
 * Returns: bytes in all, or %IMGIMPORT_SIZE_UNKNOWN
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint64 imgimport_event_get_total (ImgImportEvent *self);

/**
 * imgimport_event_to_json:
 * @self: an event
 *
 * Returns: (transfer full): `{"kind", "image_id", "job_id", "status", "phase", "bytes", "total"}`,
 *   members that do not apply left out
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_event_to_json (ImgImportEvent *self);

#define IMGIMPORT_TYPE_SUBSCRIPTION (imgimport_subscription_get_type ())

/**
 * ImgImportSubscription:
 *
 * A queue of at most 256 events with a descriptor to poll. Each subscription has its own; a slow
 * reader delays nobody and loses only its own events. Progress of the same image, job and phase is
 * coalesced. Thread-safe. Dropping the last reference ends the subscription.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportSubscription, imgimport_subscription, IMGIMPORT, SUBSCRIPTION,
                      GObject)

/**
 * imgimport_subscription_get_fd:
 * @self: a subscription
 *
 * Returns: a descriptor that polls readable while events wait. It belongs to the subscription:
 *   poll it, neither read nor close it
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
int imgimport_subscription_get_fd (ImgImportSubscription *self);

/**
 * imgimport_subscription_next:
 * @self: a subscription
 *
 * Never blocks.
 *
 * Returns: (nullable) (transfer full): the oldest event that waits, %NULL if none does
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportEvent *imgimport_subscription_next (ImgImportSubscription *self);

G_END_DECLS
