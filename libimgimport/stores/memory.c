/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stores/stores-private.h"

#include <errno.h>
#include <string.h>

#define PAGE_BYTES ((guint64)64 * 1024)

/* The bytes of an object, by page; a page of zeros is not kept. Written by one writer, then
 * immutable. */
typedef struct
{
  gint ref_count; /* atomic: the store, each reader */
  guint64 size;
  guint64 serial;
  GHashTable *pages; /* guint64 * → guint8[PAGE_BYTES] */
} Object;

typedef struct
{
  GMutex lock;
  GHashTable *objects; /* char * → Object * */
  GHashTable *writers; /* char * → Writer *, borrowed: who may commit the key */
  guint64 last_serial;
} MemoryStore;

typedef struct
{
  char *key;
  Object *object;
} Writer;

static Object *
object_new (void)
{
  Object *self = g_new0 (Object, 1);

  self->ref_count = 1;
  self->pages = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_free);
  return self;
}

static Object *
object_ref (Object *self)
{
  g_atomic_int_inc (&self->ref_count);
  return self;
}

static void
object_unref (gpointer object)
{
  Object *self = object;

  if (!g_atomic_int_dec_and_test (&self->ref_count))
    return;
  g_hash_table_unref (self->pages);
  g_free (self);
}

gpointer
_imgimport_store_memory_new (void)
{
  MemoryStore *self = g_new0 (MemoryStore, 1);

  g_mutex_init (&self->lock);
  self->objects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, object_unref);
  self->writers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
_imgimport_store_memory_free (gpointer self)
{
  MemoryStore *store = self;

  g_hash_table_unref (store->writers);
  g_hash_table_unref (store->objects);
  g_mutex_clear (&store->lock);
  g_free (store);
}

/* ---- writer ---------------------------------------------------------------------------------- */

static void
writer_free (Writer *self)
{
  object_unref (self->object);
  g_free (self->key);
  g_free (self);
}

static gboolean
memory_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
              GCancellable *cancellable, GError **error)
{
  MemoryStore *store = self;
  Writer *memory = NULL;
  g_autoptr (ImgImportLocker) locker = NULL;

  if (!_imgimport_store_check_key (key, error))
    return FALSE;
  locker = _imgimport_locker_new (&store->lock);
  if (g_hash_table_contains (store->objects, key) || g_hash_table_contains (store->writers, key))
    {
      _imgimport_set_error_errno (error, EEXIST, "object “%s”", key);
      return FALSE;
    }
  memory = g_new0 (Writer, 1);
  memory->key = g_strdup (key);
  memory->object = object_new ();
  g_hash_table_insert (store->writers, g_strdup (key), memory);
  *writer = memory;
  return TRUE;
}

/* Part of one page. */
static gboolean
write_page (Object *self, guint64 offset, const guint8 *data, gsize length)
{
  guint64 index = offset / PAGE_BYTES;
  guint8 *page = g_hash_table_lookup (self->pages, &index);

  if (page == NULL)
    {
      if (_imgimport_is_zero (data, length))
        return TRUE;
      page = g_try_malloc0 (PAGE_BYTES);
      if (page == NULL)
        return FALSE;
      g_hash_table_insert (self->pages, g_memdup2 (&index, sizeof index), page);
    }
  memcpy (page + offset % PAGE_BYTES, data, length);
  return TRUE;
}

static gboolean
memory_write (gpointer self, gpointer writer, guint64 offset, const void *data, gsize length,
              GCancellable *cancellable, GError **error)
{
  Writer *memory = writer;
  const guint8 *bytes = data;

  if (length > G_MAXUINT64 - offset)
    {
      _imgimport_set_error_errno (error, EFBIG, "object “%s”", memory->key);
      return FALSE;
    }
  while (length > 0)
    {
      gsize part = (gsize)MIN (length, PAGE_BYTES - offset % PAGE_BYTES);

      if (!write_page (memory->object, offset, bytes, part))
        {
          _imgimport_set_error_errno (error, ENOMEM, "object “%s”", memory->key);
          return FALSE;
        }
      offset += part;
      bytes += part;
      length -= part;
    }
  return TRUE;
}

static char *
version_of (const Object *object)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT, object->serial);
}

/* Whether the key was the writer's to commit; it no longer is anyone's. */
static gboolean
give_up_key (MemoryStore *self, const Writer *writer)
{
  if (g_hash_table_lookup (self->writers, writer->key) != writer)
    return FALSE;
  g_hash_table_remove (self->writers, writer->key);
  return TRUE;
}

static gboolean
memory_commit (gpointer self, gpointer writer, guint64 size, char **version,
               GCancellable *cancellable, GError **error)
{
  MemoryStore *store = self;
  Writer *memory = writer;
  gboolean ours = FALSE;

  g_mutex_lock (&store->lock);
  ours = give_up_key (store, memory);
  if (ours)
    {
      memory->object->size = size;
      memory->object->serial = ++store->last_serial;
      *version = version_of (memory->object);
      g_hash_table_insert (store->objects, g_strdup (memory->key), object_ref (memory->object));
    }
  g_mutex_unlock (&store->lock);
  if (!ours)
    _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_FOUND, "not-found",
                          "object “%s”: removed while it was being written", memory->key);
  writer_free (memory);
  return ours;
}

static void
memory_abort (gpointer self, gpointer writer)
{
  MemoryStore *store = self;

  g_mutex_lock (&store->lock);
  (void)give_up_key (store, writer);
  g_mutex_unlock (&store->lock);
  writer_free (writer);
}

/* ---- committed objects ----------------------------------------------------------------------- */

static Object *
find_object (MemoryStore *self, const char *key, GError **error)
{
  Object *object = NULL;

  if (!_imgimport_store_check_key (key, error))
    return NULL;
  g_mutex_lock (&self->lock);
  object = g_hash_table_lookup (self->objects, key);
  if (object != NULL)
    object_ref (object);
  g_mutex_unlock (&self->lock);
  if (object == NULL)
    _imgimport_set_error_errno (error, ENOENT, "object “%s”", key);
  return object;
}

static gboolean
memory_open (gpointer self, const char *key, gpointer *reader, GCancellable *cancellable,
             GError **error)
{
  *reader = find_object (self, key, error);
  return *reader != NULL;
}

static gboolean
memory_read (gpointer self, gpointer reader, guint64 offset, void *buffer, gsize length,
             gsize *n_read, GCancellable *cancellable, GError **error)
{
  const Object *object = reader;
  guint8 *to = buffer;

  *n_read = 0;
  if (offset >= object->size)
    return TRUE;
  length = (gsize)MIN (length, object->size - offset);
  while (*n_read < length)
    {
      guint64 at = offset + *n_read;
      guint64 index = at / PAGE_BYTES;
      gsize part = (gsize)MIN (length - *n_read, PAGE_BYTES - at % PAGE_BYTES);
      const guint8 *page = g_hash_table_lookup (object->pages, &index);

      if (page != NULL)
        memcpy (to + *n_read, page + at % PAGE_BYTES, part);
      else
        memset (to + *n_read, 0, part);
      *n_read += part;
    }
  return TRUE;
}

/* From `index` on, the first page that is kept; `none` where there is none. Its cost grows with
 * what is kept, not with the holes. */
static guint64
find_page (const Object *object, guint64 index, guint64 none)
{
  GHashTableIter iter;
  gpointer key;
  guint64 found = none;

  if (g_hash_table_contains (object->pages, &index))
    return index;
  g_hash_table_iter_init (&iter, object->pages);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (*(guint64 *)key >= index)
      found = MIN (found, *(guint64 *)key);
  return found;
}

static gboolean
memory_next_extent (gpointer self, gpointer reader, guint64 offset, guint64 *start, guint64 *end,
                    GCancellable *cancellable, GError **error)
{
  const Object *object = reader;
  guint64 none = object->size / PAGE_BYTES + 1;
  guint64 page = find_page (object, offset / PAGE_BYTES, none);

  *start = page < none ? MIN (MAX (offset, page * PAGE_BYTES), object->size) : object->size;
  while (page < none && g_hash_table_contains (object->pages, &page))
    page++;
  *end = page < none ? MIN (page * PAGE_BYTES, object->size) : object->size;
  return TRUE;
}

static void
memory_close (gpointer self, gpointer reader)
{
  object_unref (reader);
}

static gboolean
memory_stat (gpointer self, const char *key, guint64 *size, char **version,
             GCancellable *cancellable, GError **error)
{
  Object *object = find_object (self, key, error);

  if (object == NULL)
    return FALSE;
  if (size != NULL)
    *size = object->size;
  if (version != NULL)
    *version = version_of (object);
  object_unref (object);
  return TRUE;
}

static gboolean
memory_remove (gpointer self, const char *key, GCancellable *cancellable, GError **error)
{
  MemoryStore *store = self;
  gboolean found = FALSE;

  if (!_imgimport_store_check_key (key, error))
    return FALSE;
  g_mutex_lock (&store->lock);
  found = g_hash_table_remove (store->objects, key) || g_hash_table_remove (store->writers, key);
  g_mutex_unlock (&store->lock);
  if (!found)
    _imgimport_set_error_errno (error, ENOENT, "object “%s”", key);
  return found;
}

const ImgImportStoreVTable _imgimport_store_memory_vtable = {
  IMGIMPORT_STORE_VTABLE_INIT,
  .begin = memory_begin,
  .write = memory_write,
  .commit = memory_commit,
  .abort = memory_abort,
  .open = memory_open,
  .read = memory_read,
  .close = memory_close,
  .stat = memory_stat,
  .remove = memory_remove,
  .next_extent = memory_next_extent,
};
