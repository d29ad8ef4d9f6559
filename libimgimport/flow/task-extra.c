/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "flow/flow-private.h"

/* What a task may say of itself, and ask, beyond its values. */

/* With the run's lock held; NULL for an attempt that has been given up. */
static ImgImportExtra *
extra_of (ImgImportTask *self)
{
  ImgImportExtra *extra = _imgimport_run_get_extra (self->run, self->index);

  return self->is_reverting || !self->is_started || extra->started == self ? extra : NULL;
}

void
imgimport_task_set_progress (ImgImportTask *self, double fraction)
{
  ImgImportExtra *extra;

  g_return_if_fail (self != NULL);

  if (isnan (fraction) || self->is_reverting)
    return;
  fraction = CLAMP (fraction, 0.0, 1.0);
  _imgimport_run_lock (self->run);
  extra = extra_of (self);
  if (extra != NULL)
    {
      _imgimport_run_watch_step (self->run, self->index, extra->progress, fraction);
      extra->progress = fraction;
      extra->alive_us = _imgimport_run_now_us (self->run);
    }
  _imgimport_run_unlock (self->run);
}

void
imgimport_task_set_retry_after (ImgImportTask *self, guint64 delay_ms)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  ImgImportExtra *extra;

  g_return_if_fail (self != NULL);

  locker = _imgimport_locker_new (&self->run->lock);
  extra = extra_of (self);
  if (extra != NULL)
    extra->retry_after_us = (gint64)MIN (delay_ms, G_MAXINT32) * 1000;
}

GVariant *
imgimport_task_get_alternative (ImgImportTask *self)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  const ImgImportTaskOptions *options;
  const ImgImportExtra *extra;

  g_return_val_if_fail (self != NULL, NULL);

  options = _imgimport_flow_task (self->run->flow, self->index)->options;
  if (options == NULL || options->alternatives == NULL)
    return NULL;
  locker = _imgimport_locker_new (&self->run->lock);
  extra = _imgimport_run_peek_extra (self->run, self->index);
  return g_ptr_array_index (options->alternatives, extra != NULL ? extra->alternative : 0);
}

static gboolean
set_checkpoint (ImgImportRun *run, ImgImportExtra *extra, GVariant *value, const GByteArray *record)
{
  g_clear_pointer (&extra->checkpoint, g_variant_unref);
  extra->checkpoint = g_variant_ref (value);
  if (run->log.journal == NULL)
    return TRUE;
  _imgimport_run_note_bytes (run, record);
  return _imgimport_run_flush (run);
}

gboolean
imgimport_task_set_checkpoint (ImgImportTask *self, GVariant *value, GError **error)
{
  g_autoptr (GVariant) owned = NULL;
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  ImgImportFlowRecord record = { .type = IMGIMPORT_FLOW_RECORD_CHECKPOINT, .n_outputs = 1 };
  ImgImportRun *run;
  ImgImportExtra *extra;
  gboolean ok;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (value != NULL, FALSE);

  owned = g_variant_ref_sink (value);
  run = self->run;
  record.task = self->index;
  record.outputs = &owned;
  if (!_imgimport_flow_record_append (&record, bytes))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_LIMIT, "checkpoint-too-large",
                            "task “%s”: its checkpoint does not fit into a journal record of 1 MiB",
                            imgimport_task_get_name (self));
      return FALSE;
    }
  _imgimport_run_lock (run);
  extra = extra_of (self);
  ok = extra == NULL || set_checkpoint (run, extra, owned, bytes);
  _imgimport_run_unlock (run);
  if (!ok)
    _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "journal-failed",
                          "task “%s”: its checkpoint could not be written",
                          imgimport_task_get_name (self));
  return ok;
}

GVariant *
imgimport_task_dup_checkpoint (ImgImportTask *self)
{
  g_autoptr (ImgImportLocker) locker = NULL;
  const ImgImportExtra *extra;

  g_return_val_if_fail (self != NULL, NULL);

  locker = _imgimport_locker_new (&self->run->lock);
  extra = _imgimport_run_peek_extra (self->run, self->index);
  return extra != NULL && extra->checkpoint != NULL ? g_variant_ref (extra->checkpoint) : NULL;
}

char *
imgimport_task_dup_idempotency_key (ImgImportTask *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_strdup_printf ("%s/%s", self->run->id, imgimport_task_get_name (self));
}
