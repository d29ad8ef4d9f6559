/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the run of an import appends to its journal waits in a backlog for the import's next
 * transaction: an import changes nothing, in the catalog or outside of it, before a transaction
 * that says so, and that one brings along all the records before it. A crash before it finds what
 * it would have found, had it come earlier.
 *
 * So a record that the engine asks to be durable is as durable as that transaction. The first one
 * may be lost with the power: then nothing has been made yet, and the note of the run, written with
 * the job, is how a later start finds it. What a task makes outside comes after a durable
 * transaction of its own (note, change_nothing), and the pivot appends its outcome in its own. What
 * opens a source to read, or removes what an earlier attempt or the one to be undone has noted, may
 * come before: it can be repeated. No task of an import asks for a checkpoint; one that did would
 * have to commit. Nor does an append find that the claim of the run is lost: the transaction does,
 * by the owner of the image's claim.
 */

#include "service/txn.h"

struct _ImgImportBacklog
{
  gatomicrefcount ref_count;
  GMutex lock;
  GHashTable *runs; /* under lock: id → GPtrArray of GBytes, never empty */
};

ImgImportBacklog *
_imgimport_backlog_new (void)
{
  ImgImportBacklog *self = g_new0 (ImgImportBacklog, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->runs =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  return self;
}

ImgImportBacklog *
_imgimport_backlog_ref (ImgImportBacklog *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
_imgimport_backlog_unref (ImgImportBacklog *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_unref (self->runs);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
_imgimport_backlog_add (ImgImportBacklog *self, const char *run, GBytes *record)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  GPtrArray *records = g_hash_table_lookup (self->runs, run);

  if (records == NULL)
    {
      records = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
      g_hash_table_insert (self->runs, g_strdup (run), records);
    }
  g_ptr_array_add (records, record);
}

static gpointer
ref_bytes (gconstpointer bytes, gpointer user_data)
{
  return g_bytes_ref ((GBytes *)bytes);
}

GPtrArray *
_imgimport_backlog_dup (ImgImportBacklog *self, const char *run)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  GPtrArray *records = g_hash_table_lookup (self->runs, run);

  return records != NULL ? g_ptr_array_copy (records, ref_bytes, NULL) : NULL;
}

void
_imgimport_backlog_written (ImgImportBacklog *self, const char *run, guint n)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  GPtrArray *records = g_hash_table_lookup (self->runs, run);

  if (records == NULL || n == 0)
    return;
  if (n < records->len)
    g_ptr_array_remove_range (records, 0, n);
  else
    g_hash_table_remove (self->runs, run);
}

void
_imgimport_backlog_forget (ImgImportBacklog *self, const char *run)
{
  _imgimport_backlog_written (self, run, G_MAXUINT);
}
