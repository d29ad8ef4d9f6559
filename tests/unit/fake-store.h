/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A store that keeps its objects in memory, counts its calls, fails the n-th of a kind, and stands
 * still on demand. */

#include "stream/stream-private.h"

typedef struct
{
  GMutex lock;
  GCond changed;
  GHashTable *objects; /* key → GBytes; NULL bytes are not kept */
  gboolean discard;    /* count bytes instead of keeping them */
  guint fail_begin;    /* the n-th call fails; 0: none */
  guint fail_write;
  guint fail_commit;
  gboolean fail_read; /* all calls */
  gboolean fail_extent;
  guint n_begin;
  guint n_write;
  guint n_commit;
  guint n_abort;
  guint n_remove;
  guint64 n_written;      /* bytes */
  guint n_open;           /* writers and readers */
  gboolean still;         /* writes wait until this is FALSE, or they are cancelled */
  gboolean own_words;     /* a cancelled write fails with an error of its own */
  GThread *writer_thread; /* of the last write */
  GCancellable *cancel_at_commit;
} FakeStore;

typedef struct
{
  char *key;
  GByteArray *bytes;
  guint64 end;
} FakeWriter;

static inline gboolean
fake_fail (gboolean fails, const char *slot, GError **error)
{
  if (fails)
    _imgimport_set_error (error, IMGIMPORT_ERROR_NO_SPACE, "store-full", "%s fails", slot);
  return !fails;
}

static inline gboolean
fake_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
            GCancellable *cancellable, GError **error)
{
  FakeStore *store = self;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&store->lock);
  FakeWriter *fake;

  if (!fake_fail (++store->n_begin == store->fail_begin, "begin", error))
    return FALSE;
  fake = g_new0 (FakeWriter, 1);
  fake->key = g_strdup (key);
  fake->bytes = g_byte_array_new ();
  *writer = fake;
  store->n_open++;
  return TRUE;
}

static inline void
fake_writer_free (FakeStore *store, FakeWriter *writer)
{
  store->n_open--;
  g_byte_array_unref (writer->bytes);
  g_free (writer->key);
  g_free (writer);
}

static inline void
fake_wake (GCancellable *cancellable, gpointer store)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&((FakeStore *)store)->lock);

  g_cond_broadcast (&((FakeStore *)store)->changed);
}

/* Waits while the store stands still; FALSE where cancelled. */
static inline gboolean
fake_wait (FakeStore *store, GCancellable *cancellable, GError **error)
{
  gulong id = g_cancellable_connect (cancellable, G_CALLBACK (fake_wake), store, NULL);

  g_mutex_lock (&store->lock);
  while (store->still && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&store->changed, &store->lock);
  g_mutex_unlock (&store->lock);

  g_cancellable_disconnect (cancellable, id);
  if (g_cancellable_is_cancelled (cancellable) && store->own_words)
    _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "interrupted", "interrupted");
  else
    g_cancellable_set_error_if_cancelled (cancellable, error);
  return !g_cancellable_is_cancelled (cancellable);
}

/* What is not written reads as zeros. */
static inline void
fake_fill_gap (FakeStore *store, FakeWriter *writer, guint64 end)
{
  g_assert_cmpuint (end, >=, writer->end);
  if (!store->discard && end > writer->end)
    {
      g_byte_array_set_size (writer->bytes, (guint)end);
      memset (writer->bytes->data + writer->end, 0, (gsize)(end - writer->end));
    }
  writer->end = end;
}

static inline gboolean
fake_write (gpointer self, gpointer writer, guint64 offset, const void *data, gsize length,
            GCancellable *cancellable, GError **error)
{
  FakeStore *store = self;
  FakeWriter *fake = writer;
  g_autoptr (ImgImportLocker) locker = NULL;

  g_mutex_lock (&store->lock);
  store->n_write++;
  store->writer_thread = g_thread_self ();
  g_cond_broadcast (&store->changed);
  g_mutex_unlock (&store->lock);
  if (!fake_wait (store, cancellable, error))
    return FALSE;

  locker = _imgimport_locker_new (&store->lock);
  g_assert_cmpuint (length, >, 0);
  fake_fill_gap (store, fake, offset);
  if (!fake_fail (store->n_write == store->fail_write, "write", error))
    return FALSE;
  fake->end += length;
  store->n_written += length;
  if (!store->discard)
    g_byte_array_append (fake->bytes, data, (guint)length);
  return TRUE;
}

static inline gboolean
fake_commit (gpointer self, gpointer writer, guint64 size, char **version,
             GCancellable *cancellable, GError **error)
{
  FakeStore *store = self;
  FakeWriter *fake = writer;
  gboolean ok;

  if (store->cancel_at_commit != NULL)
    g_cancellable_cancel (store->cancel_at_commit);

  g_mutex_lock (&store->lock);
  ok = fake_fail (++store->n_commit == store->fail_commit, "commit", error);
  if (ok)
    {
      fake_fill_gap (store, fake, size);
      *version = g_strdup_printf ("v%" G_GUINT64_FORMAT, size);
      g_hash_table_insert (store->objects, g_strdup (fake->key),
                           g_bytes_new (fake->bytes->data, fake->bytes->len));
    }
  fake_writer_free (store, fake);
  g_mutex_unlock (&store->lock);
  return ok;
}

static inline void
fake_abort (gpointer self, gpointer writer)
{
  FakeStore *store = self;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&store->lock);

  store->n_abort++;
  fake_writer_free (store, writer);
}

static inline gboolean
fake_open (gpointer self, const char *key, gpointer *reader, GCancellable *cancellable,
           GError **error)
{
  FakeStore *store = self;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&store->lock);
  GBytes *bytes = g_hash_table_lookup (store->objects, key);

  g_assert_nonnull (bytes);
  *reader = g_bytes_ref (bytes);
  store->n_open++;
  return TRUE;
}

/* Never more than 7 bytes at a time. */
static inline gboolean
fake_read (gpointer self, gpointer reader, guint64 offset, void *buffer, gsize length,
           gsize *n_read, GCancellable *cancellable, GError **error)
{
  gsize size = 0;
  const guint8 *data = g_bytes_get_data (reader, &size);
  gsize left = offset < size ? size - (gsize)offset : 0;

  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !fake_fail (((FakeStore *)self)->fail_read, "read", error))
    return FALSE;
  *n_read = MIN (MIN (length, 7), left);
  if (*n_read > 0)
    memcpy (buffer, data + offset, *n_read);
  return TRUE;
}

/* All of it is data. */
static inline gboolean
fake_next_extent (gpointer self, gpointer reader, guint64 offset, guint64 *start, guint64 *end,
                  GCancellable *cancellable, GError **error)
{
  return fake_fail (((FakeStore *)self)->fail_extent, "next_extent", error);
}

static inline void
fake_close (gpointer self, gpointer reader)
{
  FakeStore *store = self;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&store->lock);

  store->n_open--;
  g_bytes_unref (reader);
}

static inline gboolean
fake_stat (gpointer self, const char *key, guint64 *size, char **version, GCancellable *cancellable,
           GError **error)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_FOUND, "not-found", "no such object");
  return FALSE;
}

static inline gboolean
fake_remove (gpointer self, const char *key, GCancellable *cancellable, GError **error)
{
  FakeStore *store = self;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&store->lock);

  store->n_remove++;
  g_assert_true (g_hash_table_remove (store->objects, key));
  return TRUE;
}

static inline void
fake_store_destroy (gpointer data)
{
  FakeStore *store = data;

  g_assert_cmpuint (store->n_open, ==, 0);
  g_hash_table_unref (store->objects);
  g_mutex_clear (&store->lock);
  g_cond_clear (&store->changed);
  g_free (store);
}

/* `*fake` lives as long as the store. */
static inline ImgImportStore *
fake_store_new (FakeStore **fake)
{
  static const ImgImportStoreVTable vtable = {
    IMGIMPORT_STORE_VTABLE_INIT,
    .begin = fake_begin,
    .write = fake_write,
    .commit = fake_commit,
    .abort = fake_abort,
    .open = fake_open,
    .read = fake_read,
    .close = fake_close,
    .stat = fake_stat,
    .remove = fake_remove,
    .next_extent = fake_next_extent,
  };
  g_autoptr (GError) error = NULL;
  ImgImportStore *store;

  *fake = g_new0 (FakeStore, 1);
  g_mutex_init (&(*fake)->lock);
  g_cond_init (&(*fake)->changed);
  (*fake)->objects =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
  store = _imgimport_store_new ("fake", &vtable, *fake, fake_store_destroy, &error);
  g_assert_no_error (error);
  return store;
}

/* What was committed as `key`; NULL where nothing was. */
static inline GBytes *
fake_store_peek (FakeStore *self, const char *key)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  return g_hash_table_lookup (self->objects, key);
}

static inline void
fake_store_assert_empty (FakeStore *self)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  g_assert_cmpuint (g_hash_table_size (self->objects), ==, 0);
  g_assert_cmpuint (self->n_open, ==, 0);
}

/* ---- a source -------------------------------------------------------------------------------- */

/* `size` bytes, the same for the same offset, at most `chunk` at a time. */
typedef struct
{
  guint64 size;
  guint64 offset;
  gsize chunk;
  guint n_reads;
  guint fail_read; /* the n-th call fails; 0: none */
  gboolean zeros;  /* leaves the buffer as it is, which is what a hole costs */
} FakeSource;

static inline guint8
fake_byte (guint64 offset)
{
  return (guint8)(offset * 31 + (offset >> 8) * 17 + (offset >> 16));
}

static inline gboolean
fake_source_read (gpointer source, void *buffer, gsize length, gsize *n_read,
                  GCancellable *cancellable, GError **error)
{
  FakeSource *self = source;

  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !fake_fail (++self->n_reads == self->fail_read, "read", error))
    return FALSE;
  *n_read = (gsize)MIN (MIN (length, self->chunk), self->size - self->offset);
  for (gsize i = 0; !self->zeros && i < *n_read; i++)
    ((guint8 *)buffer)[i] = fake_byte (self->offset + i);
  self->offset += *n_read;
  return TRUE;
}

static inline GBytes *
fake_content (gsize size)
{
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = fake_byte (i);
  return g_bytes_new_take (data, size);
}
