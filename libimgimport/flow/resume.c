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
  gboolean is_begun;         /* it has an intent */
  const char *foreign;       /* why the journal is not of this flow */
  ImgImportUpgrade *upgrade; /* what follows is of an older definition; NULL: of this */
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
  _imgimport_run_pass_pivot (run);
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

static void
apply_begun (ImgImportRun *run, const ImgImportFlowRecord *record)
{
  ImgImportSlot *slot = &run->slots[record->task];
  const ImgImportTaskOptions *options = _imgimport_flow_task (run->flow, record->task)->options;
  guint32 alternative = (guint32)(record->number >> 32);
  ImgImportExtra *extra;

  slot->attempt = (guint32)record->number;
  slot->state = IMGIMPORT_TASK_PENDING;
  if (alternative == 0 || options == NULL || options->alternatives == NULL)
    return;
  extra = _imgimport_run_get_extra (run, record->task);
  alternative = MIN (alternative, options->alternatives->len - 1);
  if (alternative != extra->alternative)
    extra->n_before = slot->attempt - 1;
  extra->alternative = alternative;
}

static void
apply_checkpoint (ImgImportRun *run, const ImgImportFlowRecord *record)
{
  ImgImportExtra *extra = _imgimport_run_get_extra (run, record->task);

  g_clear_pointer (&extra->checkpoint, g_variant_unref);
  extra->checkpoint = g_variant_ref (record->outputs[0]);
}

/* Without an error it has not begun, and all that comes after it is to be skipped too. */
static void
apply_skipped (ImgImportRun *run, const ImgImportFlowRecord *record)
{
  ImgImportSlot *slot = &run->slots[record->task];

  if (record->error != NULL)
    slot->state = IMGIMPORT_TASK_SKIPPED;
  else if (slot->attempt == 0)
    slot->intention = IMGIMPORT_INTENTION_NONE;
}

/* The run as a whole, or a task of it, has failed. */
static void
turn_back (ImgImportRun *run)
{
  run->state = run->is_past_pivot ? IMGIMPORT_RUN_PENDING : IMGIMPORT_RUN_REVERTING;
}

/* About the run as a whole. `run->state` becomes REVERTING with the first failure or cancellation
 * before the pivot. */
static void
apply_to_run (ImgImportRun *run, ImgImportFlowRecord *record)
{
  if (record->type == IMGIMPORT_FLOW_RECORD_DEADLINE)
    run->deadline_wall_us = (gint64)MIN (record->number, G_MAXINT64);
  if (record->type == IMGIMPORT_FLOW_RECORD_BUDGET)
    run->budget_wall_us = (gint64)MIN (record->number, G_MAXINT64);
  if (record->error == NULL)
    return;
  /* Of a task that is no longer there. */
  run->n_revert_failed += record->type == IMGIMPORT_FLOW_RECORD_REVERT_FAILED ? 1 : 0;
  run->is_cancelled =
      record->type == IMGIMPORT_FLOW_RECORD_CANCELLED ? !run->is_past_pivot : run->is_cancelled;
  turn_back (run);
  if (!run->is_past_pivot)
    _imgimport_run_add_error (run, record->task, g_steal_pointer (&record->error));
}

static void
apply_to_task (ImgImportRun *run, ImgImportFlowRecord *record)
{
  ImgImportSlot *slot = &run->slots[record->task];

  if (record->type == IMGIMPORT_FLOW_RECORD_FIRST)
    {
      _imgimport_run_get_extra (run, record->task)->first_wall_us =
          (gint64)MIN (record->number, G_MAXINT64);
      return;
    }
  if (record->type != IMGIMPORT_FLOW_RECORD_SKIPPED)
    slot->attempt = MAX (slot->attempt, 1);
  if (record->type == IMGIMPORT_FLOW_RECORD_BEGUN)
    apply_begun (run, record);
  else if (record->type == IMGIMPORT_FLOW_RECORD_SUCCESS)
    apply_success (run, record);
  else if (record->type == IMGIMPORT_FLOW_RECORD_CHECKPOINT)
    apply_checkpoint (run, record);
  else if (record->type == IMGIMPORT_FLOW_RECORD_SKIPPED)
    apply_skipped (run, record);
  else if (record->type == IMGIMPORT_FLOW_RECORD_FAILURE)
    {
      slot->state = IMGIMPORT_TASK_FAILURE;
      turn_back (run);
    }
  else if (record->type == IMGIMPORT_FLOW_RECORD_REVERTED)
    slot->state = IMGIMPORT_TASK_REVERTED;
  else
    {
      slot->state = IMGIMPORT_TASK_REVERT_FAILED;
      run->n_revert_failed++;
    }
  if (record->error != NULL)
    _imgimport_run_add_error (run, record->task, g_steal_pointer (&record->error));
}

/* A record that is intact, and of the flow or the older one that the journal's head tells of. */
static void
apply (const Reader *reader, ImgImportFlowRecord *record)
{
  if (reader->upgrade != NULL && !_imgimport_upgrade_record (reader->upgrade, record))
    return;
  if (is_overruled (reader->run, record))
    return;
  if (record->task == IMGIMPORT_TASK_NONE)
    apply_to_run (reader->run, record);
  else
    apply_to_task (reader->run, record);
}

/* Whether a record about a task has what it needs. */
static gboolean
is_complete (const ImgImportFlowRecord *record)
{
  switch (record->type)
    {
    case IMGIMPORT_FLOW_RECORD_SUCCESS:
    case IMGIMPORT_FLOW_RECORD_SKIPPED:
      return TRUE;
    case IMGIMPORT_FLOW_RECORD_BEGUN:
      return record->error == NULL && (guint32)record->number > 0 &&
             (guint32)record->number < G_MAXUINT32;
    case IMGIMPORT_FLOW_RECORD_CHECKPOINT:
      return record->n_outputs == 1;
    case IMGIMPORT_FLOW_RECORD_REVERTED:
    case IMGIMPORT_FLOW_RECORD_FIRST:
      return record->error == NULL;
    case IMGIMPORT_FLOW_RECORD_FAILURE:
    case IMGIMPORT_FLOW_RECORD_REVERT_FAILED:
      return record->error != NULL;
    case IMGIMPORT_FLOW_RECORD_HEAD:
    case IMGIMPORT_FLOW_RECORD_RESUMED:
    case IMGIMPORT_FLOW_RECORD_CANCELLED:
    case IMGIMPORT_FLOW_RECORD_RUN_FAILED:
    case IMGIMPORT_FLOW_RECORD_DEADLINE:
    case IMGIMPORT_FLOW_RECORD_BUDGET:
      return FALSE;
    }
  return FALSE;
}

/* The same of one about the run as a whole. */
static gboolean
is_complete_for_run (const ImgImportFlowRecord *record)
{
  if (record->type == IMGIMPORT_FLOW_RECORD_CANCELLED ||
      record->type == IMGIMPORT_FLOW_RECORD_RUN_FAILED)
    return record->error != NULL;
  return record->error == NULL && (record->type == IMGIMPORT_FLOW_RECORD_HEAD ||
                                   record->type == IMGIMPORT_FLOW_RECORD_RESUMED ||
                                   record->type == IMGIMPORT_FLOW_RECORD_DEADLINE ||
                                   record->type == IMGIMPORT_FLOW_RECORD_BUDGET);
}

/* Whether the record names a task of this flow, or none where it is about none, and fits it. */
static gboolean
is_plausible (const Reader *reader, const ImgImportFlowRecord *record)
{
  const ImgImportPlan *plan = reader->run->plan;

  if (record->task == IMGIMPORT_TASK_NONE)
    return is_complete_for_run (record);
  if (!is_complete (record))
    return FALSE;
  if (reader->upgrade != NULL)
    return _imgimport_upgrade_is_plausible (reader->upgrade, record);
  return record->task < plan->n_tasks &&
         (record->type != IMGIMPORT_FLOW_RECORD_SUCCESS ||
          record->n_outputs ==
              plan->output_start[record->task + 1] - plan->output_start[record->task]);
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

/* Whether what follows is of this flow, or of an older one that it takes over. */
static gboolean
take_head (Reader *reader, const ImgImportFlowRecord *record)
{
  ImgImportRun *run = reader->run;

  g_clear_pointer (&reader->upgrade, _imgimport_upgrade_free);
  run->log.is_upgraded = record->number != run->plan->fingerprint;
  run->log.was_upgraded |= run->log.is_upgraded;
  if (!run->log.is_upgraded)
    return TRUE;
  if (record->n_outputs == 1)
    reader->upgrade = _imgimport_upgrade_new (run->flow, record->outputs[0]);
  return reader->upgrade != NULL;
}

/* Why an intact record cannot belong to this run; NULL where it can. */
static const char *
foreign_reason (Reader *reader, const ImgImportFlowRecord *record)
{
  if (record->type == 0)
    return "it has another format version";
  if (reader->run->log.n_loaded == 0 && record->type != IMGIMPORT_FLOW_RECORD_HEAD)
    return "it does not begin with a head";
  if (!is_plausible (reader, record))
    return "it names what the flow does not have";
  if (reader->upgrade != NULL && !_imgimport_upgrade_keeps_pivot (reader->upgrade, record))
    return "the pivot that it has come to is not that of the flow, or not as it was";
  if (record->type == IMGIMPORT_FLOW_RECORD_HEAD && !take_head (reader, record))
    return "it belongs to a flow with other tasks or links";
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
      reader->is_begun |= record.type == IMGIMPORT_FLOW_RECORD_BEGUN;
      apply (reader, &record);
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
  gboolean ok = _imgimport_journal_load (self->log.journal, self->id, read_append, &reader, error);

  g_clear_pointer (&reader.upgrade, _imgimport_upgrade_free);
  if (!ok)
    return FALSE;
  if (reader.foreign != NULL)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "journal-foreign",
                            "journal of run “%s”: %s", self->id, reader.foreign);
      return FALSE;
    }
  self->log.is_begun = reader.is_begun;
  return TRUE;
}

static gboolean
is_done (const ImgImportRun *self, guint32 task)
{
  const ImgImportSlot *slot = &self->slots[task];

  return slot->state == IMGIMPORT_TASK_SUCCESS || slot->state == IMGIMPORT_TASK_SKIPPED ||
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
  for (i = 0; i < plan->n_tasks; i++)
    if (self->slots[i].intention == IMGIMPORT_INTENTION_NONE)
      _imgimport_run_mark_skipped (self, i);
}
