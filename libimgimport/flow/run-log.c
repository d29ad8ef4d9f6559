/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/*
 * Records are queued in the order of what happened, under the run's lock. One thread at a time
 * writes all that is queued, in as few appends as its size allows; the others wait for it.
 */

static void
queue_definition (ImgImportRun *self)
{
  g_autoptr (GVariant) definition = _imgimport_flow_define (self->flow);
  ImgImportFlowRecord head = { .type = IMGIMPORT_FLOW_RECORD_HEAD,
                               .task = IMGIMPORT_TASK_NONE,
                               .number = self->plan->fingerprint,
                               .outputs = &definition,
                               .n_outputs = definition != NULL ? 1 : 0 };

  /* Without its definition where that is too large: then it cannot be upgraded. */
  if (_imgimport_flow_record_append (&head, self->log.pending))
    return;
  head.n_outputs = 0;
  _imgimport_flow_record_append (&head, self->log.pending);
}

static void
queue_head (ImgImportRun *self)
{
  ImgImportRunLog *log = &self->log;
  ImgImportFlowRecord resumed = { .type = IMGIMPORT_FLOW_RECORD_RESUMED,
                                  .task = IMGIMPORT_TASK_NONE,
                                  .number = log->n_loaded };

  log->is_headed = TRUE;
  if (log->n_loaded > 0)
    _imgimport_flow_record_append (&resumed, log->pending);
  if (log->n_loaded == 0 || log->is_upgraded)
    queue_definition (self);
}

/* Makes room for one more record, after the head. */
static guint
open_queue (ImgImportRun *self)
{
  guint before;

  if (self->log.pending == NULL)
    self->log.pending = g_byte_array_new ();
  before = self->log.pending->len;
  if (!self->log.is_headed)
    queue_head (self);
  return before;
}

void
_imgimport_run_note (ImgImportRun *self, const ImgImportFlowRecord *record)
{
  guint before;

  if (self->log.journal == NULL)
    return;
  before = open_queue (self);
  _imgimport_flow_record_append (record, self->log.pending);
  self->log.n_queued += self->log.pending->len - before;
}

void
_imgimport_run_note_bytes (ImgImportRun *self, const GByteArray *record)
{
  guint before;

  if (self->log.journal == NULL)
    return;
  before = open_queue (self);
  g_byte_array_append (self->log.pending, record->data, record->len);
  self->log.n_queued += self->log.pending->len - before;
}

/* Without the lock. Only the last append need be durable: it makes those before it so. */
static gboolean
append_all (ImgImportRun *self, const GByteArray *bytes, gboolean durable, GError **error)
{
  gsize at = 0;

  while (at < bytes->len)
    {
      gsize size =
          _imgimport_flow_record_fit (bytes->data + at, bytes->len - at, IMGIMPORT_RECORD_MAX);

      if (!_imgimport_journal_append (self->log.journal, self->id, bytes->data + at, size,
                                      durable && at + size == bytes->len, error))
        return FALSE;
      at += size;
    }
  return TRUE;
}

static void
write_queued (ImgImportRun *self)
{
  ImgImportRunLog *log = &self->log;
  g_autoptr (GByteArray) bytes = g_steal_pointer (&log->pending);
  gboolean durable = log->is_durable;
  guint64 n_queued = log->n_queued;
  GError *error = NULL;

  log->is_writing = TRUE;
  log->is_durable = FALSE;
  _imgimport_run_unlock (self);
  append_all (self, bytes, durable, &error);
  _imgimport_run_lock (self);
  log->is_writing = FALSE;
  log->n_written = n_queued;
  if (error != NULL)
    {
      log->has_failed = TRUE;
      _imgimport_run_interrupt (self, error);
    }
  g_cond_broadcast (&self->cond);
}

gboolean
_imgimport_run_flush (ImgImportRun *self)
{
  ImgImportRunLog *log = &self->log;
  guint64 n_queued = log->n_queued;

  while (log->n_written < n_queued && !log->has_failed)
    {
      if (log->is_writing)
        {
          _imgimport_run_call_worker (self);
          g_cond_wait (&self->cond, &self->lock);
          self->watch.now_us = 0;
        }
      else
        write_queued (self);
    }
  return !log->has_failed;
}

gboolean
imgimport_run_is_journal_cut (ImgImportRun *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), FALSE);

  return self->log.is_cut;
}
