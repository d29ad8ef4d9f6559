/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-fixture.h"

/* One lock, a list of pieces for each object, nothing optional. */

typedef struct
{
  guint64 offset;
  GBytes *bytes;
} Piece;

typedef struct
{
  gint ref_count;
  gboolean committed;
  guint64 size;
  guint64 serial;
  GArray *pieces;
} Object;

typedef struct
{
  GMutex lock;
  GHashTable *objects; /* char * → Object * */
  guint64 last_serial;
} Minimal;

typedef struct
{
  char *key;
  Object *object;
} Writer;

static void
piece_clear (gpointer piece)
{
  g_bytes_unref (((Piece *)piece)->bytes);
}

static void
object_unref (gpointer data)
{
  Object *object = data;

  if (!g_atomic_int_dec_and_test (&object->ref_count))
    return;
  g_array_unref (object->pieces);
  g_free (object);
}

gpointer
minimal_store_new (void)
{
  Minimal *self = g_new0 (Minimal, 1);

  g_mutex_init (&self->lock);
  self->objects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, object_unref);
  return self;
}

void
minimal_store_free (gpointer data)
{
  Minimal *self = data;

  g_hash_table_unref (self->objects);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gboolean
fail (GError **error, ImgImportError code, const char *reason)
{
  imgimport_error_set (error, code, reason, reason);
  return FALSE;
}

static gboolean
minimal_begin (gpointer data, const char *key, guint64 expected, gpointer *result,
               GCancellable *cancellable, GError **error)
{
  Minimal *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  Writer *writer = NULL;

  if (g_hash_table_contains (self->objects, key))
    return fail (error, IMGIMPORT_ERROR_EXISTS, "exists");
  writer = g_new0 (Writer, 1);
  writer->key = g_strdup (key);
  writer->object = g_new0 (Object, 1);
  writer->object->ref_count = 2;
  writer->object->serial = ++self->last_serial;
  writer->object->pieces = g_array_new (FALSE, FALSE, sizeof (Piece));
  g_array_set_clear_func (writer->object->pieces, piece_clear);
  g_hash_table_insert (self->objects, g_strdup (key), writer->object);
  *result = writer;
  return TRUE;
}

static gboolean
minimal_write (gpointer data, gpointer handle, guint64 offset, const void *bytes, gsize length,
               GCancellable *cancellable, GError **error)
{
  Writer *writer = handle;
  Piece piece = { offset, g_bytes_new (bytes, length) };

  g_array_append_val (writer->object->pieces, piece);
  return TRUE;
}

static void
writer_free (Writer *writer)
{
  object_unref (writer->object);
  g_free (writer->key);
  g_free (writer);
}

static gboolean
minimal_commit (gpointer data, gpointer handle, guint64 size, char **version,
                GCancellable *cancellable, GError **error)
{
  Minimal *self = data;
  Writer *writer = handle;
  gboolean ours = FALSE;

  g_mutex_lock (&self->lock);
  ours = g_hash_table_lookup (self->objects, writer->key) == writer->object;
  if (ours)
    {
      writer->object->size = size;
      writer->object->committed = TRUE;
      *version = g_strdup_printf ("v%" G_GUINT64_FORMAT, writer->object->serial);
    }
  g_mutex_unlock (&self->lock);
  writer_free (writer);
  return ours || fail (error, IMGIMPORT_ERROR_NOT_FOUND, "not-found");
}

static void
minimal_abort (gpointer data, gpointer handle)
{
  Minimal *self = data;
  Writer *writer = handle;

  g_mutex_lock (&self->lock);
  if (g_hash_table_lookup (self->objects, writer->key) == writer->object)
    g_hash_table_remove (self->objects, writer->key);
  g_mutex_unlock (&self->lock);
  writer_free (writer);
}

static gboolean
minimal_open (gpointer data, const char *key, gpointer *reader, GCancellable *cancellable,
              GError **error)
{
  Minimal *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  Object *object = g_hash_table_lookup (self->objects, key);

  if (object == NULL || !object->committed)
    return fail (error, IMGIMPORT_ERROR_NOT_FOUND, "not-found");
  g_atomic_int_inc (&object->ref_count);
  *reader = object;
  return TRUE;
}

static gboolean
minimal_read (gpointer data, gpointer reader, guint64 offset, void *buffer, gsize length,
              gsize *n_read, GCancellable *cancellable, GError **error)
{
  Object *object = reader;
  guint i;

  *n_read = offset < object->size ? (gsize)MIN (length, object->size - offset) : 0;
  memset (buffer, 0, *n_read);
  for (i = 0; i < object->pieces->len; i++)
    {
      Piece *piece = &g_array_index (object->pieces, Piece, i);
      gsize size = 0;
      const guint8 *bytes = g_bytes_get_data (piece->bytes, &size);
      guint64 from = MAX (offset, piece->offset);
      guint64 to = MIN (offset + *n_read, piece->offset + size);

      if (from < to)
        memcpy ((guint8 *)buffer + (from - offset), bytes + (from - piece->offset), to - from);
    }
  return TRUE;
}

static void
minimal_close (gpointer data, gpointer reader)
{
  object_unref (reader);
}

static gboolean
minimal_stat (gpointer data, const char *key, guint64 *size, char **version,
              GCancellable *cancellable, GError **error)
{
  gpointer reader = NULL;
  Object *object = NULL;

  if (!minimal_open (data, key, &reader, cancellable, error))
    return FALSE;
  object = reader;
  if (size != NULL)
    *size = object->size;
  if (version != NULL)
    *version = g_strdup_printf ("v%" G_GUINT64_FORMAT, object->serial);
  object_unref (object);
  return TRUE;
}

static gboolean
minimal_remove (gpointer data, const char *key, GCancellable *cancellable, GError **error)
{
  Minimal *self = data;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return g_hash_table_remove (self->objects, key) ||
         fail (error, IMGIMPORT_ERROR_NOT_FOUND, "not-found");
}

const ImgImportStoreVTable minimal_store_vtable = {
  .struct_size = G_STRUCT_OFFSET (ImgImportStoreVTable, local_fd),
  .begin = minimal_begin,
  .write = minimal_write,
  .commit = minimal_commit,
  .abort = minimal_abort,
  .open = minimal_open,
  .read = minimal_read,
  .close = minimal_close,
  .stat = minimal_stat,
  .remove = minimal_remove,
};
