/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/*
 * What is read: appends, each of one or more records. At a torn or damaged record the journal ends,
 * until an append that begins with the mark of a resumption which ended it at the same place.
 */
typedef struct
{
  ImgImportRun *run;
  gboolean is_cut;
  const char *foreign; /* why the journal is not of this flow */
} Reader;

static void
apply_success (ImgImportRun *run, ImgImportFlowRecord *record)
{
  const ImgImportPlan *plan = run->plan;
  GVariant **values = run->values + plan->output_start[record->task];
  guint i;

  for (i = 0; i < record->n_outputs; i++)
    {
      g_clear_pointer (&values[i], g_variant_unref);
      values[i] = g_variant_ref (record->outputs[i]);
    }
  run->slots[record->task].state = IMGIMPORT_TASK_SUCCESS;
  if (record->task != plan->pivot)
    return;
  run->is_past_pivot = TRUE;
  run->is_cancelled = FALSE;
  g_array_set_size (run->errors, 0);
  run->state = IMGIMPORT_RUN_PENDING;
}

/* Past the pivot nothing is undone. A process may have done so all the same: the pivot committed
 * its own outcome, and was told that it had not. */
static gboolean
is_overruled (const ImgImportRun *run, const ImgImportFlowRecord *record)
{
  if (!run->is_past_pivot)
    return FALSE;
  return record->type == IMGIMPORT_FLOW_RECORD_REVERTED ||
         record->type == IMGIMPORT_FLOW_RECORD_REVERT_FAILED ||
         (record->type == IMGIMPORT_FLOW_RECORD_FAILURE && record->task == run->plan->pivot);
}

/* A record that is intact and of this flow. `run->state` becomes REVERTING with the first failure
 * or cancellation before the pivot. */
static void
apply (ImgImportRun *run, ImgImportFlowRecord *record)
{
  ImgImportSlot *slot = record->task != IMGIMPORT_TASK_NONE ? &run->slots[record->task] : NULL;

  if (is_overruled (run, record))
    return;
  if (slot != NULL)
    slot->attempt = MAX (slot->attempt, 1);
  if (record->error != NULL && (slot != NULL || !run->is_past_pivot))
    _imgimport_run_add_error (run, record->task, g_steal_pointer (&record->error));
  switch (record->type)
    {
    case IMGIMPORT_FLOW_RECORD_BEGUN:
      slot->attempt = (guint32)record->number;
      break;
    case IMGIMPORT_FLOW_RECORD_SUCCESS:
      apply_success (run, record);
      break;
    case IMGIMPORT_FLOW_RECORD_FAILURE:
      slot->state = IMGIMPORT_TASK_FAILURE;
      run->state = run->is_past_pivot ? IMGIMPORT_RUN_PENDING : IMGIMPORT_RUN_REVERTING;
      break;
    case IMGIMPORT_FLOW_RECORD_CANCELLED:
      run->is_cancelled = !run->is_past_pivot;
      run->state = run->is_past_pivot ? IMGIMPORT_RUN_PENDING : IMGIMPORT_RUN_REVERTING;
      break;
    case IMGIMPORT_FLOW_RECORD_REVERTED:
      slot->state = IMGIMPORT_TASK_REVERTED;
      break;
    case IMGIMPORT_FLOW_RECORD_REVERT_FAILED:
      slot->state = IMGIMPORT_TASK_REVERT_FAILED;
      run->n_revert_failed++;
      break;
    case IMGIMPORT_FLOW_RECORD_HEAD:
    case IMGIMPORT_FLOW_RECORD_RESUMED:
      break;
    }
}

/* Whether the record names a task of this flow, or none where it is about none, and fits it. */
static gboolean
is_plausible (const ImgImportPlan *plan, const ImgImportFlowRecord *record)
{
  switch (record->type)
    {
    case IMGIMPORT_FLOW_RECORD_HEAD:
    case IMGIMPORT_FLOW_RECORD_RESUMED:
      return record->task == IMGIMPORT_TASK_NONE && record->error == NULL;
    case IMGIMPORT_FLOW_RECORD_CANCELLED:
      return record->task == IMGIMPORT_TASK_NONE && record->error != NULL;
    case IMGIMPORT_FLOW_RECORD_SUCCESS:
      return record->task < plan->n_tasks &&
             record->n_outputs ==
                 plan->output_start[record->task + 1] - plan->output_start[record->task];
    case IMGIMPORT_FLOW_RECORD_BEGUN:
      return record->task < plan->n_tasks && record->error == NULL && record->number > 0 &&
             record->number < G_MAXUINT32;
    case IMGIMPORT_FLOW_RECORD_REVERTED:
      return record->task < plan->n_tasks && record->error == NULL;
    case IMGIMPORT_FLOW_RECORD_FAILURE:
    case IMGIMPORT_FLOW_RECORD_REVERT_FAILED:
      return record->task < plan->n_tasks && record->error != NULL;
    }
  return FALSE;
}

/* Whether the record says what the journal is, and at this place may. */
static gboolean
is_mark (const Reader *reader, const ImgImportFlowRecord *record)
{
  guint64 n_loaded = reader->run->log.n_loaded;

  if (record->type == IMGIMPORT_FLOW_RECORD_HEAD)
    return n_loaded == 0;
  return record->type == IMGIMPORT_FLOW_RECORD_RESUMED && n_loaded > 0 &&
         record->number == n_loaded;
}

/* Why an intact record cannot belong to this run; NULL where it can. */
static const char *
foreign_reason (const Reader *reader, const ImgImportFlowRecord *record)
{
  const ImgImportPlan *plan = reader->run->plan;

  if (record->type == 0)
    return "it has another format version";
  if (reader->run->log.n_loaded == 0 && record->type != IMGIMPORT_FLOW_RECORD_HEAD)
    return "it does not begin with a head";
  if (record->type == IMGIMPORT_FLOW_RECORD_HEAD && record->number != plan->fingerprint)
    return "it belongs to a flow with other tasks or links";
  if (!is_plausible (plan, record))
    return "it names what the flow does not have";
  return NULL;
}

/* One append. */
static gboolean
read_append (const void *data, gsize length, gpointer user_data)
{
  Reader *reader = user_data;
  const guint8 *at = data;
  gsize left = length;

  while (left > 0)
    {
      g_auto (ImgImportFlowRecord) record = { 0 };
      gsize size = _imgimport_flow_record_parse (&record, at, left);

      if (size == 0 || (reader->is_cut && !is_mark (reader, &record)))
        {
          reader->is_cut = TRUE;
          reader->run->log.is_cut = TRUE;
          return TRUE;
        }
      reader->foreign = foreign_reason (reader, &record);
      if (reader->foreign != NULL)
        return FALSE;
      reader->is_cut = FALSE;
      apply (reader->run, &record);
      reader->run->log.n_loaded++;
      at += size;
      left -= size;
    }
  return TRUE;
}

gboolean
_imgimport_run_load (ImgImportRun *self, GError **error)
{
  Reader reader = { .run = self };

  if (!_imgimport_journal_load (self->log.journal, self->id, read_append, &reader, error))
    return FALSE;
  if (reader.foreign != NULL)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "journal-foreign",
                            "journal of run “%s”: %s", self->id, reader.foreign);
      return FALSE;
    }
  self->log.is_begun = self->log.n_loaded > 0;
  return TRUE;
}

static gboolean
is_done (const ImgImportRun *self, guint32 task)
{
  const ImgImportSlot *slot = &self->slots[task];

  return slot->state == IMGIMPORT_TASK_SUCCESS ||
         (slot->state == IMGIMPORT_TASK_FAILURE && self->is_past_pivot);
}

void
_imgimport_run_prepare (ImgImportRun *self)
{
  const ImgImportPlan *plan = self->plan;
  guint32 i;

  self->n_left = plan->n_tasks;
  for (i = 0; i < plan->n_tasks; i++)
    self->slots[i].waiting = plan->before_start[i + 1] - plan->before_start[i];
  for (i = 0; i < plan->n_tasks; i++)
    {
      guint32 j;

      if (!is_done (self, i))
        continue;
      self->n_left--;
      for (j = plan->after_start[i]; j < plan->after_start[i + 1]; j++)
        self->slots[plan->after[j]].waiting--;
    }
}
