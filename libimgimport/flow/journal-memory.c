/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

typedef struct
{
  GMutex lock;
  GHashTable *runs;    /* id to array of GBytes */
  GHashTable *claimed; /* a set of ids */
} Memory;

gpointer
_imgimport_journal_memory_new (void)
{
  Memory *self = g_new0 (Memory, 1);

  g_mutex_init (&self->lock);
  self->runs =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  self->claimed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
_imgimport_journal_memory_free (gpointer data)
{
  Memory *self = data;

  /* Orders what other threads did under the lock before what follows. */
  g_mutex_lock (&self->lock);
  g_mutex_unlock (&self->lock);
  g_hash_table_unref (self->claimed);
  g_hash_table_unref (self->runs);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gboolean
memory_append (gpointer data, const char *run, const void *record, gsize length, gboolean durable,
               GError **error)
{
  Memory *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  GPtrArray *records = g_hash_table_lookup (self->runs, run);

  if (records == NULL)
    {
      records = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
      g_hash_table_insert (self->runs, g_strdup (run), records);
    }
  g_ptr_array_add (records, g_bytes_new (record, length));
  return TRUE;
}

static GPtrArray *
copy_records (Memory *self, const char *run)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  GPtrArray *records = g_hash_table_lookup (self->runs, run);
  GPtrArray *copy = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  guint i;

  for (i = 0; records != NULL && i < records->len; i++)
    g_ptr_array_add (copy, g_bytes_ref (g_ptr_array_index (records, i)));
  return copy;
}

static gboolean
memory_load (gpointer data, const char *run, ImgImportJournalFunc func, gpointer func_data,
             GError **error)
{
  g_autoptr (GPtrArray) records = copy_records (data, run);
  guint i;

  for (i = 0; i < records->len; i++)
    {
      gsize length;
      const void *record = g_bytes_get_data (g_ptr_array_index (records, i), &length);

      if (!func (record, length, func_data))
        break;
    }
  return TRUE;
}

static gboolean
memory_forget (gpointer data, const char *run, GError **error)
{
  Memory *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  g_hash_table_remove (self->runs, run);
  return TRUE;
}

static gboolean
memory_claim (gpointer data, const char *run, GError **error)
{
  Memory *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  if (g_hash_table_add (self->claimed, g_strdup (run)))
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_BUSY, "run-claimed", "run “%s” is being run already",
                        run);
  return FALSE;
}

static void
memory_release (gpointer data, const char *run)
{
  Memory *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  g_hash_table_remove (self->claimed, run);
}

const ImgImportJournalVTable _imgimport_journal_memory_vtable = {
  IMGIMPORT_JOURNAL_VTABLE_INIT, .append = memory_append, .load = memory_load,
  .forget = memory_forget,       .claim = memory_claim,   .release = memory_release,
};
