/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a transaction's function says, and the operations that come of it. */

#include "service/txn.h"

void
_imgimport_txn_step_free (gpointer data)
{
  ImgImportTxnStep *self = data;

  g_free (self->id);
  g_free (self->body);
  g_free (self->text);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_free (self);
}

gint64
_imgimport_txn_now (ImgImportTxn *self)
{
  return self->now_us;
}

ImgImportImageRecord *
_imgimport_txn_image (ImgImportTxn *self)
{
  return self->image;
}

ImgImportJobRecord *
_imgimport_txn_job (ImgImportTxn *self)
{
  return self->job;
}

void
_imgimport_txn_image_changed (ImgImportTxn *self)
{
  self->image_changed = TRUE;
  self->image->image->updated_us = self->now_us;
}

void
_imgimport_txn_job_changed (ImgImportTxn *self)
{
  self->job_changed = TRUE;
  self->job->job->updated_us = self->now_us;
}

void
_imgimport_txn_create_image (ImgImportTxn *self, ImgImportImageRecord *record)
{
  record->revision = IMGIMPORT_REVISION_ABSENT;
  self->image = record;
  self->image_changed = TRUE;
}

void
_imgimport_txn_create_job (ImgImportTxn *self, ImgImportJobRecord *record)
{
  record->revision = IMGIMPORT_REVISION_ABSENT;
  self->job = record;
  self->job_changed = TRUE;
}

void
_imgimport_txn_remove_image (ImgImportTxn *self)
{
  self->image_removed = TRUE;
}

/* ---- operations ------------------------------------------------------------------------------ */

static ImgImportTxnStep *
add_record (ImgImportTxn *self, ImgImportOpKind kind, const char *record_kind, const char *id,
            gint64 expected)
{
  ImgImportTxnStep *step = g_new0 (ImgImportTxnStep, 1);

  step->id = g_strdup (id);
  step->record.kind = record_kind;
  step->record.id = step->id;
  step->op.kind = kind;
  step->op.expected = expected;
  step->op.record = &step->record;
  g_ptr_array_add (self->steps, step);
  return step;
}

static void
set_body (ImgImportTxnStep *self, char *body)
{
  self->body = body;
  self->record.body = body;
}

/* A record that holds nothing but who it belongs to. */
static void
add_note (ImgImportTxn *self, const char *kind, const char *id, const char *label)
{
  ImgImportTxnStep *step = add_record (self, IMGIMPORT_OP_PUT, kind, id, IMGIMPORT_REVISION_ANY);

  step->text = g_strdup (label);
  step->record.owner = self->service->owner;
  step->record.label = step->text;
  step->record.created_us = self->now_us;
  set_body (step, g_strdup ("{}"));
}

void
_imgimport_txn_note_object (ImgImportTxn *self, const char *store, const char *image_id,
                            const char *key)
{
  g_autofree char *id = g_strdup_printf ("%s/%s", store, key);

  add_note (self, IMGIMPORT_KIND_OBJECT, id, image_id);
}

void
_imgimport_txn_drop_object (ImgImportTxn *self, const char *store, const char *key)
{
  g_autofree char *id = g_strdup_printf ("%s/%s", store, key);

  add_record (self, IMGIMPORT_OP_REMOVE, IMGIMPORT_KIND_OBJECT, id, IMGIMPORT_REVISION_ANY);
}

void
_imgimport_txn_note_run (ImgImportTxn *self, const char *job_id)
{
  add_note (self, IMGIMPORT_KIND_RUN, job_id, NULL);
}

void
_imgimport_txn_drop_run (ImgImportTxn *self, const char *job_id)
{
  add_record (self, IMGIMPORT_OP_REMOVE, IMGIMPORT_KIND_RUN, job_id, IMGIMPORT_REVISION_ANY);
}

static void
add_journal (ImgImportTxn *self, ImgImportOpKind kind, const char *journal, GBytes *bytes)
{
  ImgImportTxnStep *step = g_new0 (ImgImportTxnStep, 1);

  step->text = g_strdup (journal);
  step->op.kind = kind;
  step->op.journal = step->text;
  if (bytes != NULL)
    {
      step->bytes = g_bytes_ref (bytes);
      step->op.data = g_bytes_get_data (bytes, &step->op.length);
    }
  g_ptr_array_add (self->steps, step);
}

void
_imgimport_txn_journal_append (ImgImportTxn *self, const char *journal, GBytes *record)
{
  add_journal (self, IMGIMPORT_OP_JOURNAL_APPEND, journal, record);
}

void
_imgimport_txn_journal_forget (ImgImportTxn *self, const char *journal)
{
  add_journal (self, IMGIMPORT_OP_JOURNAL_FORGET, journal, NULL);
}

static void
add_image (ImgImportTxn *self)
{
  ImgImportImageRecord *record = self->image;
  ImgImportImage *image = record->image;
  ImgImportTxnStep *step;

  if (self->image_removed)
    {
      add_record (self, IMGIMPORT_OP_REMOVE, IMGIMPORT_KIND_IMAGE, image->id, record->revision);
      step = add_record (self, IMGIMPORT_OP_PUT, IMGIMPORT_KIND_TOMBSTONE, image->id,
                         IMGIMPORT_REVISION_ABSENT);
      step->record.created_us = self->now_us;
      set_body (step, g_strdup ("{}"));
      return;
    }
  if (!self->image_changed)
    {
      add_record (self, IMGIMPORT_OP_CHECK, IMGIMPORT_KIND_IMAGE, image->id, record->revision);
      return;
    }

  if (record->revision == IMGIMPORT_REVISION_ABSENT)
    add_record (self, IMGIMPORT_OP_CHECK, IMGIMPORT_KIND_TOMBSTONE, image->id,
                IMGIMPORT_REVISION_ABSENT);
  step = add_record (self, IMGIMPORT_OP_PUT, IMGIMPORT_KIND_IMAGE, image->id, record->revision);
  step->record.owner = image->owner;
  step->record.status = imgimport_status_to_string (image->status);
  step->record.label = _imgimport_enum_to_word (IMGIMPORT_TYPE_VISIBILITY, (int)image->visibility);
  step->record.created_us = image->created_us;
  set_body (step, _imgimport_image_record_to_body (record));
}

static void
add_job (ImgImportTxn *self)
{
  ImgImportJobRecord *record = self->job;
  ImgImportJob *job = record->job;
  ImgImportTxnStep *step;

  if (!self->job_changed)
    {
      add_record (self, IMGIMPORT_OP_CHECK, IMGIMPORT_KIND_JOB, job->id, record->revision);
      return;
    }
  step = add_record (self, IMGIMPORT_OP_PUT, IMGIMPORT_KIND_JOB, job->id, record->revision);
  step->record.owner = job->owner;
  step->record.status = imgimport_job_status_to_string (job->status);
  step->record.label = job->image_id;
  step->record.created_us = job->created_us;
  set_body (step, _imgimport_job_record_to_body (record));
}

void
_imgimport_txn_add_records (ImgImportTxn *self)
{
  if (self->image != NULL)
    add_image (self);
  if (self->job != NULL)
    add_job (self);
}
