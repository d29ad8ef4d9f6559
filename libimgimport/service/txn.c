/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/txn.h"

/* Two writers of one record take turns long before this many tries. */
#define MAX_TRIES 1000

static void
txn_clear (ImgImportTxn *self)
{
  g_clear_pointer (&self->image, _imgimport_image_record_free);
  g_clear_pointer (&self->job, _imgimport_job_record_free);
  g_clear_pointer (&self->steps, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ImgImportTxn, txn_clear)

/* Whether the catalog has the record just as this step would have put it. */
static gboolean
is_put (ImgImportTxn *self, const ImgImportTxnStep *step)
{
  g_autofree char *body = NULL;
  gint64 revision = IMGIMPORT_REVISION_ABSENT;

  return _imgimport_catalog_get (self->service->catalog, step->record.kind, step->id, &body,
                                 &revision, NULL) &&
         revision == step->op.expected + 1 && g_strcmp0 (body, step->body) == 0;
}

/* A commit that failed may have happened all the same, such as where only its answer was lost. It
 * has where its records stand there, and a last commit, of nothing, makes them durable. */
static gboolean
has_happened (ImgImportTxn *self, gboolean durable)
{
  const ImgImportOp *witness = NULL;
  ImgImportOp check;
  guint i;

  for (i = 0; i < self->steps->len; i++)
    {
      const ImgImportTxnStep *step = self->steps->pdata[i];

      if (step->op.kind != IMGIMPORT_OP_PUT || step->op.expected == IMGIMPORT_REVISION_ANY)
        continue;
      if (!is_put (self, step))
        return FALSE;
      check = (ImgImportOp){ .kind = IMGIMPORT_OP_CHECK,
                             .expected = IMGIMPORT_REVISION_ANY,
                             .record = step->op.record };
      witness = &check;
    }
  return witness != NULL &&
         (!durable || _imgimport_catalog_commit (self->service->catalog, &witness, 1, TRUE, NULL));
}

static gboolean
commit (ImgImportTxn *self, gboolean durable, GError **error)
{
  g_autoptr (GError) failure = NULL;

  durable = durable && self->service->config->durable;
  _imgimport_txn_add_records (self);
  /* The operation is the first member of a step, so the array of steps is one of operations. */
  if (_imgimport_catalog_commit (self->service->catalog,
                                 (const ImgImportOp *const *)self->steps->pdata, self->steps->len,
                                 durable, &failure))
    return TRUE;
  if (!_imgimport_catalog_error_is_conflict (failure) && has_happened (self, durable))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static void
publish (ImgImportTxn *self)
{
  if (self->image_removed)
    self->image->image->status = IMGIMPORT_STATUS_DELETED;
  if ((self->image_changed || self->image_removed) &&
      _imgimport_bus_is_heard (self->service->bus, IMGIMPORT_EVENT_IMAGE))
    {
      g_autoptr (ImgImportEvent) event = _imgimport_event_new_image (self->image->image);

      _imgimport_bus_publish (self->service->bus, event);
    }
  if (self->job_changed && _imgimport_bus_is_heard (self->service->bus, IMGIMPORT_EVENT_JOB))
    {
      g_autoptr (ImgImportEvent) event = _imgimport_event_new_job (self->job->job);

      _imgimport_bus_publish (self->service->bus, event);
    }
}

void
_imgimport_known_clear (ImgImportKnown *self)
{
  g_clear_pointer (&self->image, _imgimport_image_record_free);
  g_clear_pointer (&self->job, _imgimport_job_record_free);
}

/* Takes what is known; the caller's are then unknown. `*is_read`: all of it was read now. */
static gboolean
load (ImgImportTxn *self, const ImgImportTxnSpec *spec, ImgImportKnown *known, gboolean *is_read,
      GError **error)
{
  if (known->image == NULL && spec->image_id != NULL)
    known->image = _imgimport_recent_take (self->service->recent, spec->image_id);
  *is_read = known->image == NULL && known->job == NULL;
  self->now_us = _imgimport_clock_wall_us (self->service->clock);
  self->steps = g_ptr_array_new_with_free_func (_imgimport_txn_step_free);
  if (spec->image_id != NULL)
    {
      self->image = g_steal_pointer (&known->image);
      if (self->image == NULL)
        self->image = _imgimport_image_record_load (self->service, spec->image_id, error);
      if (self->image == NULL)
        return FALSE;
    }
  if (spec->job_id == NULL)
    return TRUE;
  self->job = g_steal_pointer (&known->job);
  if (self->job == NULL)
    self->job = _imgimport_job_record_load (self->service, spec->job_id, error);
  return self->job != NULL;
}

/* Before what the function itself appends: it happened before. */
static guint
bring_backlog (ImgImportTxn *self, const char *journal)
{
  g_autoptr (GPtrArray) records =
      journal != NULL ? _imgimport_backlog_dup (self->service->backlog, journal) : NULL;
  guint i;

  for (i = 0; records != NULL && i < records->len; i++)
    _imgimport_txn_journal_append (self, journal, records->pdata[i]);
  return records != NULL ? records->len : 0;
}

/* What was committed is known from now on. */
static void
remember (ImgImportTxn *self, ImgImportKnown *known)
{
  if (self->image != NULL && !self->image_removed)
    {
      self->image->revision += self->image_changed ? 1 : 0;
      _imgimport_image_record_free (known->image);
      known->image = g_steal_pointer (&self->image);
    }
  if (self->job != NULL)
    {
      self->job->revision += self->job_changed ? 1 : 0;
      _imgimport_job_record_free (known->job);
      known->job = g_steal_pointer (&self->job);
    }
}

/* A conflict about an image that was to be new is no race that a further try could win. */
static gboolean
id_is_taken (ImgImportTxn *self, GError **error)
{
  static const char *const kinds[] = { IMGIMPORT_KIND_IMAGE, IMGIMPORT_KIND_TOMBSTONE };
  gint64 revision = IMGIMPORT_REVISION_ABSENT;
  gsize i;

  if (self->image == NULL || self->image->revision != IMGIMPORT_REVISION_ABSENT)
    return FALSE;
  for (i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      if (!_imgimport_catalog_get (self->service->catalog, kinds[i], self->image->image->id, NULL,
                                   &revision, error))
        return TRUE;
      if (revision == IMGIMPORT_REVISION_ABSENT)
        continue;
      _imgimport_set_error (error, IMGIMPORT_ERROR_EXISTS, "image-exists",
                            "image %s exists or has existed: ids are not used again",
                            self->image->image->id);
      return TRUE;
    }
  return FALSE;
}

gboolean
_imgimport_txn_run_spec (ImgImportService *service, const ImgImportTxnSpec *spec,
                         ImgImportTxnFunc func, gpointer data, GError **error)
{
  ImgImportKnown nothing = { NULL, NULL };
  ImgImportKnown *known = spec->known != NULL ? spec->known : &nothing;
  g_autoptr (GError) conflict = NULL;
  guint i;

  for (i = 0; i < MAX_TRIES; i++)
    {
      g_auto (ImgImportTxn) self = { .service = service };
      gboolean is_read = FALSE;
      guint n_records;

      g_clear_error (&conflict);
      if (!load (&self, spec, known, &is_read, error))
        return FALSE;
      n_records = bring_backlog (&self, spec->journal);
      if (!func (&self, data, is_read ? error : NULL))
        {
          if (is_read)
            return FALSE;
          /* Only what stands in the catalog may be refused. */
          _imgimport_known_clear (known);
          continue;
        }
      if (commit (&self, spec->durable, &conflict))
        {
          if (spec->journal != NULL)
            _imgimport_backlog_written (service->backlog, spec->journal, n_records);
          publish (&self);
          if (spec->known != NULL)
            remember (&self, known);
          return TRUE;
        }
      if (!_imgimport_catalog_error_is_conflict (conflict))
        break;
      if (id_is_taken (&self, error))
        return FALSE;
    }
  g_propagate_error (error, g_steal_pointer (&conflict));
  return FALSE;
}

gboolean
_imgimport_txn_run (ImgImportService *service, const char *image_id, const char *job_id,
                    gboolean durable, ImgImportTxnFunc func, gpointer data, GError **error)
{
  const ImgImportTxnSpec spec = { .image_id = image_id, .job_id = job_id, .durable = durable };

  return _imgimport_txn_run_spec (service, &spec, func, data, error);
}
