/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Jobs that have expired go away, some at the start of a service and some whenever it lists jobs or
 * accepts one: once a minute, or each time while there are more. No job expires that is younger
 * than the time to live, so that only older ones are looked at: those that go, and the few that
 * ended late.
 */

#include "service/txn.h"

/* So many are looked at in one go. */
#define BATCH 64

#define INTERVAL_US (60 * G_USEC_PER_SEC)

typedef struct
{
  ImgImportService *service;
  gint64 now_us;
  guint n_seen;
  GPtrArray *expired;     /* of ids */
  GArray *revisions;      /* of the same: gint64 */
  gint64 last_created_us; /* of the last that was looked at */
  char *last_id;
} Sweep;

static void
sweep_clear (Sweep *self)
{
  g_ptr_array_unref (self->expired);
  g_array_unref (self->revisions);
  g_free (self->last_id);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Sweep, sweep_clear)

static gboolean
collect (const ImgImportRecord *record, gpointer user_data)
{
  Sweep *self = user_data;
  g_autoptr (ImgImportJobRecord) job = _imgimport_job_record_read (record, NULL);

  self->n_seen++;
  self->last_created_us = record->created_us;
  _imgimport_set_string (&self->last_id, record->id);
  if (job == NULL || !_imgimport_job_is_expired (job->job, self->now_us))
    return TRUE;
  g_ptr_array_add (self->expired, g_strdup (record->id));
  g_array_append_val (self->revisions, record->revision);
  return TRUE;
}

/* All that is left of them, in one commit: a crash leaves a job whole or nothing of it. */
static gboolean
remove_expired (Sweep *self, GError **error)
{
  guint n = self->expired->len;
  g_autofree ImgImportRecord *records = g_new0 (ImgImportRecord, 2 * (gsize)n);
  g_autofree ImgImportOp *ops = g_new0 (ImgImportOp, 3 * (gsize)n);
  g_autofree const ImgImportOp **list = g_new0 (const ImgImportOp *, 3 * (gsize)n);
  guint i;

  for (i = 0; i < n; i++)
    {
      const char *id = self->expired->pdata[i];

      records[2 * i] = (ImgImportRecord){ .kind = IMGIMPORT_KIND_JOB, .id = id };
      records[2 * i + 1] = (ImgImportRecord){ .kind = IMGIMPORT_KIND_RUN, .id = id };
      ops[3 * i] = (ImgImportOp){ .kind = IMGIMPORT_OP_REMOVE,
                                  .expected = g_array_index (self->revisions, gint64, i),
                                  .record = &records[2 * i] };
      ops[3 * i + 1] = (ImgImportOp){ .kind = IMGIMPORT_OP_REMOVE,
                                      .expected = IMGIMPORT_REVISION_ANY,
                                      .record = &records[2 * i + 1] };
      ops[3 * i + 2] = (ImgImportOp){ .kind = IMGIMPORT_OP_JOURNAL_FORGET, .journal = id };
    }
  for (i = 0; i < 3 * n; i++)
    list[i] = &ops[i];
  return n == 0 || _imgimport_catalog_commit (self->service->catalog, list, 3 * n, FALSE, error);
}

/* The next batch begins after this one, or with the first once all were looked at. */
static void
end (ImgImportService *service, Sweep *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&service->lock);
  gboolean more = self->n_seen == BATCH;

  service->expiry_created_us = self->last_created_us;
  _imgimport_set_string (&service->expiry_marker, more ? self->last_id : NULL);
  service->expiry_due_us =
      _imgimport_clock_monotonic_us (service->clock) + (more ? 0 : INTERVAL_US);
}

/* Whether this call is to look; no other does until it has. `*marker` is where to begin. */
static gboolean
begin (ImgImportService *service, ImgImportQuery *query, char **marker)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&service->lock);

  if (_imgimport_clock_monotonic_us (service->clock) < service->expiry_due_us)
    return FALSE;
  service->expiry_due_us = G_MAXINT64;
  *marker = g_strdup (service->expiry_marker);
  query->marker_id = *marker;
  query->marker_created_us = service->expiry_created_us;
  return TRUE;
}

void
_imgimport_service_expire_jobs (ImgImportService *service)
{
  gint64 hours = service->config->task_time_to_live_hours;
  ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = IMGIMPORT_KIND_JOB, .limit = BATCH };
  g_autofree char *marker = NULL;
  g_auto (Sweep) self = { .service = service };
  g_autoptr (GError) error = NULL;

  self.now_us = _imgimport_clock_wall_us (service->clock);
  self.expired = g_ptr_array_new_with_free_func (g_free);
  self.revisions = g_array_new (FALSE, FALSE, sizeof (gint64));
  /* Exclusive. */
  query.created_to_us = self.now_us - hours * 3600 * G_USEC_PER_SEC + 1;
  if (!begin (service, &query, &marker))
    return;
  /* Another service may have been faster. */
  if (!_imgimport_catalog_scan (service->catalog, &query, collect, &self, &error) ||
      !remove_expired (&self, &error))
    _imgimport_log (service->log, G_LOG_LEVEL_INFO, "expired jobs are left to a later call: %s",
                    error->message);
  end (service, &self);
}
