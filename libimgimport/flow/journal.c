/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

struct _ImgImportJournal
{
  GObject parent_instance;
  ImgImportJournalVTable vtable;
  gpointer user_data;
  GDestroyNotify destroy;
};

G_DEFINE_FINAL_TYPE (ImgImportJournal, imgimport_journal, G_TYPE_OBJECT)

static void
imgimport_journal_finalize (GObject *object)
{
  ImgImportJournal *self = IMGIMPORT_JOURNAL (object);

  if (self->destroy != NULL)
    self->destroy (self->user_data);
  G_OBJECT_CLASS (imgimport_journal_parent_class)->finalize (object);
}

static void
imgimport_journal_class_init (ImgImportJournalClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_journal_finalize;
}

static void
imgimport_journal_init (ImgImportJournal *self)
{
}

ImgImportJournal *
imgimport_journal_new (const ImgImportJournalVTable *vtable, gpointer user_data,
                       GDestroyNotify destroy, GError **error)
{
  g_autoptr (ImgImportJournal) self = g_object_new (IMGIMPORT_TYPE_JOURNAL, NULL);

  self->user_data = user_data;
  self->destroy = destroy;
  if (!_imgimport_vtable_copy (&self->vtable, sizeof self->vtable, vtable,
                               G_STRUCT_OFFSET (ImgImportJournalVTable, claim), "journal", error) ||
      !_imgimport_vtable_require (self->vtable.append != NULL, "append", "journal", error) ||
      !_imgimport_vtable_require (self->vtable.load != NULL, "load", "journal", error) ||
      !_imgimport_vtable_require (self->vtable.forget != NULL, "forget", "journal", error) ||
      !_imgimport_vtable_require ((self->vtable.claim != NULL) == (self->vtable.release != NULL),
                                  "claim and release", "journal", error))
    return NULL;
  return g_steal_pointer (&self);
}

ImgImportJournal *
imgimport_journal_new_memory (void)
{
  return imgimport_journal_new (&_imgimport_journal_memory_vtable, _imgimport_journal_memory_new (),
                                _imgimport_journal_memory_free, NULL);
}

ImgImportJournal *
imgimport_journal_new_directory (const char *directory, GError **error)
{
  gpointer self;

  g_return_val_if_fail (directory != NULL, NULL);

  self = _imgimport_journal_file_new (directory, error);
  if (self == NULL)
    return NULL;
  return imgimport_journal_new (&_imgimport_journal_file_vtable, self, _imgimport_journal_file_free,
                                NULL);
}

/* What a slot answered, fit to leave: no error beside success, one of ours beside failure. */
static gboolean
conclude (gboolean ok, GError *local, const char *run, GError **error)
{
  if (ok)
    {
      g_clear_error (&local);
      return TRUE;
    }
  _imgimport_error_normalize (&local, "journal of run “%s”", run);
  g_propagate_error (error, local);
  return FALSE;
}

gboolean
_imgimport_journal_append (ImgImportJournal *self, const char *run, const void *data, gsize length,
                           gboolean durable, GError **error)
{
  GError *local = NULL;
  gboolean ok = self->vtable.append (self->user_data, run, data, length, durable, &local);

  return conclude (ok, local, run, error);
}

gboolean
_imgimport_journal_load (ImgImportJournal *self, const char *run, ImgImportJournalFunc func,
                         gpointer func_data, GError **error)
{
  GError *local = NULL;
  gboolean ok = self->vtable.load (self->user_data, run, func, func_data, &local);

  return conclude (ok, local, run, error);
}

gboolean
_imgimport_journal_forget (ImgImportJournal *self, const char *run, GError **error)
{
  GError *local = NULL;
  gboolean ok = self->vtable.forget (self->user_data, run, &local);

  return conclude (ok, local, run, error);
}

gboolean
imgimport_journal_forget (ImgImportJournal *self, const char *run, GError **error)
{
  gboolean ok;

  g_return_val_if_fail (IMGIMPORT_IS_JOURNAL (self), FALSE);
  g_return_val_if_fail (run != NULL, FALSE);

  if (!_imgimport_journal_claim (self, run, error))
    return FALSE;
  ok = _imgimport_journal_forget (self, run, error);
  _imgimport_journal_release (self, run);
  return ok;
}

gboolean
_imgimport_journal_claim (ImgImportJournal *self, const char *run, GError **error)
{
  GError *local = NULL;
  gboolean ok = self->vtable.claim == NULL || self->vtable.claim (self->user_data, run, &local);

  return conclude (ok, local, run, error);
}

void
_imgimport_journal_release (ImgImportJournal *self, const char *run)
{
  if (self->vtable.release != NULL)
    self->vtable.release (self->user_data, run);
}
