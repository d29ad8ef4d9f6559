/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"
#include "catalogs/catalogs-private.h"
#include "catalogs/memory-index.h"

typedef struct
{
  GMutex lock; /* all below */
  ImgImportMemoryIndex index;
  GHashTable *journals; /* char * → GPtrArray * of GBytes *; replaced or appended to, see Undo */
  gint64 n_owners;
} Memory;

/* What takes one operation back. */
typedef struct
{
  const ImgImportOp *op;
  ImgImportMemoryEntry *before; /* PUT, REMOVE: what stood there; NULL: nothing */
  GPtrArray *journal;           /* JOURNAL_FORGET: what was dropped; NULL: nothing */
} Undo;

static void
undo_clear (gpointer data)
{
  Undo *undo = data;

  g_clear_pointer (&undo->before, _imgimport_memory_entry_unref);
  g_clear_pointer (&undo->journal, g_ptr_array_unref);
}

gpointer
_imgimport_catalog_memory_new (void)
{
  Memory *self = g_new0 (Memory, 1);

  g_mutex_init (&self->lock);
  _imgimport_memory_index_init (&self->index);
  self->journals =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  return self;
}

void
_imgimport_catalog_memory_free (gpointer data)
{
  Memory *self = data;

  g_hash_table_unref (self->journals);
  _imgimport_memory_index_clear (&self->index);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static ImgImportMemoryEntry *
find (Memory *self, const char *kind, const char *id)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  ImgImportMemoryEntry *entry = _imgimport_memory_index_find (&self->index, kind, id);

  return entry == NULL ? NULL : _imgimport_memory_entry_ref (entry);
}

static gboolean
memory_get (gpointer data, const char *kind, const char *id, ImgImportRecordFunc func,
            gpointer func_data, GError **error)
{
  g_autoptr (ImgImportMemoryEntry) entry = find (data, kind, id);

  if (entry != NULL)
    func (&entry->record, func_data);
  return TRUE;
}

static GPtrArray *
query_locked (Memory *self, const ImgImportQuery *query)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return _imgimport_memory_index_query (&self->index, query);
}

static gboolean
memory_scan (gpointer data, const ImgImportQuery *query, ImgImportRecordFunc func,
             gpointer func_data, GError **error)
{
  g_autoptr (GPtrArray) found = query_locked (data, query);

  for (guint i = 0; i < found->len; i++)
    {
      const ImgImportMemoryEntry *entry = g_ptr_array_index (found, i);

      if (!func (&entry->record, func_data))
        break;
    }
  return TRUE;
}

static void
append (Memory *self, const ImgImportOp *op)
{
  GPtrArray *records = g_hash_table_lookup (self->journals, op->journal);

  if (records == NULL)
    {
      records = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
      g_hash_table_insert (self->journals, g_strdup (op->journal), records);
    }
  g_ptr_array_add (records, g_bytes_new (op->data, op->length));
}

static gboolean
apply (Memory *self, const ImgImportOp *op, GArray *undos, GError **error)
{
  Undo undo = { .op = op };
  gint64 revision = 0;

  if (op->kind == IMGIMPORT_OP_JOURNAL_APPEND)
    {
      append (self, op);
    }
  else if (op->kind == IMGIMPORT_OP_JOURNAL_FORGET)
    {
      GPtrArray *records = g_hash_table_lookup (self->journals, op->journal);

      undo.journal = records == NULL ? NULL : g_ptr_array_ref (records);
      g_hash_table_remove (self->journals, op->journal);
    }
  else
    {
      undo.before = _imgimport_memory_index_find (&self->index, op->record->kind, op->record->id);
      if (undo.before != NULL)
        revision = _imgimport_memory_entry_ref (undo.before)->record.revision;
      if (!_imgimport_catalog_check_revision (op, revision, error))
        {
          undo_clear (&undo);
          return FALSE;
        }
      if (op->kind == IMGIMPORT_OP_PUT)
        _imgimport_memory_index_put (&self->index,
                                     _imgimport_memory_entry_new (op->record, revision + 1));
      else if (op->kind == IMGIMPORT_OP_REMOVE)
        _imgimport_memory_index_remove (&self->index, op->record->kind, op->record->id);
    }
  g_array_append_val (undos, undo);
  return TRUE;
}

static void
revert (Memory *self, Undo *undo)
{
  const ImgImportOp *op = undo->op;

  if (op->kind == IMGIMPORT_OP_JOURNAL_APPEND)
    {
      GPtrArray *records = g_hash_table_lookup (self->journals, op->journal);

      g_ptr_array_remove_index (records, records->len - 1);
      if (records->len == 0)
        g_hash_table_remove (self->journals, op->journal);
    }
  else if (op->kind == IMGIMPORT_OP_JOURNAL_FORGET)
    {
      if (undo->journal != NULL)
        g_hash_table_insert (self->journals, g_strdup (op->journal),
                             g_steal_pointer (&undo->journal));
    }
  else if (op->kind != IMGIMPORT_OP_CHECK)
    {
      if (undo->before != NULL)
        _imgimport_memory_index_put (&self->index, g_steal_pointer (&undo->before));
      else
        _imgimport_memory_index_remove (&self->index, op->record->kind, op->record->id);
    }
}

static gboolean
memory_commit (gpointer data, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
               GError **error)
{
  Memory *self = data;
  g_autoptr (GArray) undos = g_array_sized_new (FALSE, FALSE, sizeof (Undo), n_ops);
  g_autoptr (ImgImportLocker) locker = NULL;

  if (!_imgimport_catalog_check_ops (ops, n_ops, error))
    return FALSE;
  g_array_set_clear_func (undos, undo_clear);
  locker = _imgimport_locker_new (&self->lock);
  for (guint i = 0; i < n_ops; i++)
    {
      if (apply (self, ops[i], undos, error))
        continue;
      for (guint n = undos->len; n > 0; n--)
        revert (self, &g_array_index (undos, Undo, n - 1));
      return FALSE;
    }
  return TRUE;
}

static void
add_bytes (gpointer element, gpointer array)
{
  g_ptr_array_add (array, g_bytes_ref (element));
}

static GPtrArray *
copy_journal (Memory *self, const char *journal)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  GPtrArray *copy = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  GPtrArray *records = g_hash_table_lookup (self->journals, journal);

  if (records != NULL)
    g_ptr_array_foreach (records, add_bytes, copy);
  return copy;
}

static gboolean
memory_journal_load (gpointer data, const char *journal, ImgImportJournalFunc func,
                     gpointer func_data, GError **error)
{
  g_autoptr (GPtrArray) records = copy_journal (data, journal);

  for (guint i = 0; i < records->len; i++)
    {
      gsize length = 0;
      const void *bytes = g_bytes_get_data (g_ptr_array_index (records, i), &length);

      if (!func (bytes, length, func_data))
        break;
    }
  return TRUE;
}

static gboolean
memory_owner_register (gpointer data, char **owner_id, GError **error)
{
  Memory *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  *owner_id = _imgimport_catalog_owner_from_number (++self->n_owners);
  return TRUE;
}

/* Nobody outside the object can have registered, so that an owner lives as long as it does. */
static gboolean
memory_owner_is_alive (gpointer data, const char *owner_id, gboolean *alive, GError **error)
{
  Memory *self = data;
  gint64 number = _imgimport_catalog_owner_to_number (owner_id);
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  *alive = number > 0 && number <= self->n_owners;
  return TRUE;
}

const ImgImportCatalogVTable _imgimport_catalog_memory_vtable = {
  IMGIMPORT_CATALOG_VTABLE_INIT,
  .get = memory_get,
  .scan = memory_scan,
  .commit = memory_commit,
  .journal_load = memory_journal_load,
  .owner_register = memory_owner_register,
  .owner_is_alive = memory_owner_is_alive,
};
