/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* Whether a task is tried again, and when. */

guint64
_imgimport_retry_delay_us (const ImgImportRetry *self, guint attempt, guint64 salt)
{
  guint64 delay_us = (guint64)MIN (self->delay_ms, self->max_delay_ms) * 1000;
  guint64 max_us = (guint64)self->max_delay_ms * 1000;
  guint64 chance;
  guint i;

  for (i = 1; i < attempt && delay_us > 0 && delay_us < max_us; i++)
    delay_us = MIN (delay_us * 2, max_us);
  if (self->jitter_percent == 0)
    return delay_us;
  chance = _imgimport_mix (_imgimport_mix (self->seed ^ salt) + attempt) % 1001;
  return delay_us - delay_us / 1000 * chance * self->jitter_percent / 100;
}

static guint64
salt_of (ImgImportRun *self, guint32 task)
{
  return _imgimport_hash_name (_imgimport_hash_name (0, self->id),
                               _imgimport_flow_task (self->flow, task)->name);
}

static gboolean
is_final (const ImgImportTaskOptions *options, const GError *error)
{
  const char *reason = imgimport_error_get_reason (error);

  return imgimport_error_is_cancelled (error) ||
         (options->final_reasons != NULL &&
          g_ptr_array_find_with_equal_func (options->final_reasons, reason, g_str_equal, NULL));
}

/* The next alternative, if any, has all its attempts. */
static gboolean
take_alternative (ImgImportRun *self, guint32 task, const ImgImportTaskOptions *options,
                  ImgImportExtra *extra)
{
  if (options->alternatives == NULL || extra->alternative + 1 >= options->alternatives->len)
    return FALSE;
  extra->alternative++;
  extra->n_before = self->slots[task].attempt;
  return TRUE;
}

static gboolean
is_in_time (ImgImportRun *self, const ImgImportRetry *retry, const ImgImportExtra *extra,
            gint64 delay_us)
{
  return retry->elapsed_ms == 0 || _imgimport_run_now_us (self) + delay_us - extra->first_us <=
                                       (gint64)retry->elapsed_ms * 1000;
}

gboolean
_imgimport_run_retry (ImgImportRun *self, guint32 task, const GError *error)
{
  const ImgImportTaskOptions *options = _imgimport_flow_task (self->flow, task)->options;
  ImgImportExtra *extra;
  gint64 delay_us;
  guint attempt;

  if (options == NULL || self->phase != IMGIMPORT_PHASE_EXECUTING || self->is_giving_up ||
      is_final (options, error))
    return FALSE;
  extra = _imgimport_run_get_extra (self, task);
  attempt = self->slots[task].attempt - extra->n_before;
  delay_us = (gint64)_imgimport_retry_delay_us (&options->retry, attempt, salt_of (self, task));
  if (extra->retry_after_us >= 0)
    delay_us = extra->retry_after_us;
  extra->retry_after_us = -1;
  extra->progress = 0;
  if (attempt >= MAX (options->retry.attempts, 1) || !imgimport_error_is_retryable (error) ||
      !is_in_time (self, &options->retry, extra, delay_us))
    {
      delay_us = 0;
      if (!is_in_time (self, &options->retry, extra, 0) ||
          !take_alternative (self, task, options, extra))
        return FALSE;
    }
  _imgimport_run_delay (self, task, delay_us);
  return TRUE;
}

gboolean
_imgimport_run_retry_revert (ImgImportRun *self, guint32 task)
{
  const ImgImportTaskOptions *options = _imgimport_flow_task (self->flow, task)->options;
  ImgImportExtra *extra;

  if (options == NULL || options->revert_retry.attempts < 2 ||
      self->phase != IMGIMPORT_PHASE_REVERTING)
    return FALSE;
  extra = _imgimport_run_get_extra (self, task);
  if (++extra->n_reverts >= options->revert_retry.attempts)
    return FALSE;
  _imgimport_run_delay (
      self, task, (gint64)_imgimport_retry_delay_us (&options->revert_retry, extra->n_reverts, 0));
  return TRUE;
}
