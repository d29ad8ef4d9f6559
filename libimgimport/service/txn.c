/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/service-private.h"

/* Two writers of one record take turns long before this many tries. */
#define MAX_TRIES 1000

/* One operation and what it points to. */
typedef struct
{
  ImgImportOp op;
  ImgImportRecord record;
  char *id;
  char *body;
  char *text; /* the journal's name, or the label of a note */
  GBytes *bytes;
} Step;

struct _ImgImportTxn
{
  ImgImportService *service;
  gint64 now_us;
  ImgImportImageRecord *image;
  ImgImportJobRecord *job;
  gboolean image_changed;
  gboolean image_removed;
  gboolean job_changed;
  GPtrArray *steps; /* of Step: notes and journal */
};

static void
step_free (gpointer data)
{
  Step *self = data;

  g_free (self->id);
  g_free (self->body);
  g_free (self->text);
  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_free (self);
}

static void
txn_clear (ImgImportTxn *self)
{
  g_clear_pointer (&self->image, _imgimport_image_record_free);
  g_clear_pointer (&self->job, _imgimport_job_record_free);
  g_clear_pointer (&self->steps, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ImgImportTxn, txn_clear)

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

static Step *
add_record (ImgImportTxn *self, ImgImportOpKind kind, const char *record_kind, const char *id,
            gint64 expected)
{
  Step *step = g_new0 (Step, 1);

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
set_body (Step *self, char *body)
{
  self->body = body;
  self->record.body = body;
}

/* A record that holds nothing but who it belongs to. */
static void
add_note (ImgImportTxn *self, const char *kind, const char *id, const char *label)
{
  Step *step = add_record (self, IMGIMPORT_OP_PUT, kind, id, IMGIMPORT_REVISION_ANY);

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
  Step *step = g_new0 (Step, 1);

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
  Step *step;

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
  Step *step;

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

/* Whether the catalog has the record just as this step would have put it. */
static gboolean
is_put (ImgImportTxn *self, const Step *step)
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
      const Step *step = self->steps->pdata[i];

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
  if (self->image != NULL)
    add_image (self);
  if (self->job != NULL)
    add_job (self);
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
  if (self->image_changed || self->image_removed)
    {
      g_autoptr (ImgImportEvent) event = _imgimport_event_new_image (self->image->image);

      _imgimport_bus_publish (self->service->bus, event);
    }
  if (self->job_changed)
    {
      g_autoptr (ImgImportEvent) event = _imgimport_event_new_job (self->job->job);

      _imgimport_bus_publish (self->service->bus, event);
    }
}

static gboolean
load (ImgImportTxn *self, const char *image_id, const char *job_id, GError **error)
{
  self->now_us = _imgimport_clock_wall_us (self->service->clock);
  self->steps = g_ptr_array_new_with_free_func (step_free);
  if (image_id != NULL)
    {
      self->image = _imgimport_image_record_load (self->service, image_id, error);
      if (self->image == NULL)
        return FALSE;
    }
  if (job_id != NULL)
    self->job = _imgimport_job_record_load (self->service, job_id, error);
  return job_id == NULL || self->job != NULL;
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
_imgimport_txn_run (ImgImportService *service, const char *image_id, const char *job_id,
                    gboolean durable, ImgImportTxnFunc func, gpointer data, GError **error)
{
  g_autoptr (GError) conflict = NULL;
  guint i;

  for (i = 0; i < MAX_TRIES; i++)
    {
      g_auto (ImgImportTxn) self = { .service = service };

      g_clear_error (&conflict);
      if (!load (&self, image_id, job_id, error) || !func (&self, data, error))
        return FALSE;
      if (commit (&self, durable, &conflict))
        {
          publish (&self);
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
