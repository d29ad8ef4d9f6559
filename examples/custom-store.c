/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A store of one's own: `custom-store DIRECTORY` keeps objects in memory and counts the calls. An
 * image is imported into it, read back and deleted.
 *
 * Build: cc custom-store.c $(pkg-config --cflags --libs imgimport-1)
 */
#include <imgimport/imgimport.h>
#include <stdio.h>
#include <string.h>

#define MAX_OBJECT_SIZE (64 * 1024 * 1024)

/* The store. Its slots are called from any thread, so that what they share is locked. */
typedef struct
{
  GMutex lock;
  GHashTable *objects; /* key → GBytes: the committed objects */
  GHashTable *open;    /* the keys that are being written */
  guint n_writes;
  guint n_reads;
} Store;

/* One object on its way in. Never used by two threads at a time. */
typedef struct
{
  char *key;
  GByteArray *bytes;
} Writer;

/* ---- the slots: writing ---------------------------------------------------------------------- */

static gboolean
store_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
             GCancellable *cancellable, GError **error)
{
  Store *store = self;
  Writer *new_writer;
  gboolean taken;

  g_mutex_lock (&store->lock);
  taken = g_hash_table_contains (store->objects, key) ||
          !g_hash_table_add (store->open, g_strdup (key));
  g_mutex_unlock (&store->lock);
  if (taken)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_EXISTS, "object-exists", "the key is taken");
      return FALSE;
    }
  new_writer = g_new0 (Writer, 1);
  new_writer->key = g_strdup (key);
  new_writer->bytes = g_byte_array_new ();
  *writer = new_writer;
  return TRUE;
}

/* Makes an object longer; what is skipped reads as zeros. */
static gboolean
extend (Writer *writer, guint64 size, GError **error)
{
  guint old_size = writer->bytes->len;

  if (size > MAX_OBJECT_SIZE)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_NO_SPACE, "store-full",
                           "this store takes at most 64 MiB an object");
      return FALSE;
    }
  if (size > old_size)
    {
      g_byte_array_set_size (writer->bytes, (guint)size);
      memset (writer->bytes->data + old_size, 0, (gsize)size - old_size);
    }
  return TRUE;
}

static gboolean
store_write (gpointer self, gpointer writer, guint64 offset, const void *data, gsize length,
             GCancellable *cancellable, GError **error)
{
  Store *store = self;
  Writer *mine = writer;

  if (!extend (mine, offset + length, error))
    return FALSE;
  memcpy (mine->bytes->data + offset, data, length);
  g_mutex_lock (&store->lock);
  store->n_writes++;
  g_mutex_unlock (&store->lock);
  return TRUE;
}

/* Ends a writer: its object, if any, becomes visible. */
static void
finish (Store *store, Writer *writer, GBytes *object)
{
  g_mutex_lock (&store->lock);
  if (object != NULL)
    g_hash_table_insert (store->objects, g_strdup (writer->key), object);
  g_hash_table_remove (store->open, writer->key);
  g_mutex_unlock (&store->lock);
  g_free (writer->key);
  g_byte_array_unref (writer->bytes);
  g_free (writer);
}

static gboolean
store_commit (gpointer self, gpointer writer, guint64 size, char **version,
              GCancellable *cancellable, GError **error)
{
  Writer *mine = writer;
  gboolean fits = extend (mine, size, error);

  /* The writer is freed on failure too, and nothing is left of the object. */
  finish (self, mine, fits ? g_bytes_new (mine->bytes->data, (gsize)size) : NULL);
  if (fits)
    *version = imgimport_strdup ("1"); /* an object never changes, nor does its version */
  return fits;
}

static void
store_abort (gpointer self, gpointer writer)
{
  finish (self, writer, NULL);
}

/* ---- the slots: reading ---------------------------------------------------------------------- */

static GBytes *
find (Store *store, const char *key, GError **error)
{
  GBytes *object;

  g_mutex_lock (&store->lock);
  object = g_hash_table_lookup (store->objects, key);
  if (object != NULL)
    g_bytes_ref (object);
  g_mutex_unlock (&store->lock);
  if (object == NULL)
    imgimport_error_set (error, IMGIMPORT_ERROR_NOT_FOUND, "object-not-found",
                         "there is no such object");
  return object;
}

/* The reader is a reference to the bytes: it stays readable when the object is removed. */
static gboolean
store_open (gpointer self, const char *key, gpointer *reader, GCancellable *cancellable,
            GError **error)
{
  *reader = find (self, key, error);
  return *reader != NULL;
}

static gboolean
store_read (gpointer self, gpointer reader, guint64 offset, void *buffer, gsize length,
            gsize *n_read, GCancellable *cancellable, GError **error)
{
  Store *store = self;
  gsize size;
  const char *bytes = g_bytes_get_data (reader, &size);

  *n_read = offset < size ? MIN (length, size - (gsize)offset) : 0;
  if (*n_read > 0)
    memcpy (buffer, bytes + offset, *n_read);
  g_mutex_lock (&store->lock);
  store->n_reads++;
  g_mutex_unlock (&store->lock);
  return TRUE;
}

static void
store_close (gpointer self, gpointer reader)
{
  g_bytes_unref (reader);
}

static gboolean
store_stat (gpointer self, const char *key, guint64 *size, char **version,
            GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) object = find (self, key, error);

  if (object == NULL)
    return FALSE;
  if (size != NULL)
    *size = g_bytes_get_size (object);
  if (version != NULL)
    *version = imgimport_strdup ("1");
  return TRUE;
}

static gboolean
store_remove (gpointer self, const char *key, GCancellable *cancellable, GError **error)
{
  Store *store = self;
  gboolean removed;

  g_mutex_lock (&store->lock);
  removed = g_hash_table_remove (store->objects, key);
  g_mutex_unlock (&store->lock);
  if (!removed)
    imgimport_error_set (error, IMGIMPORT_ERROR_NOT_FOUND, "object-not-found",
                         "there is no such object");
  return removed;
}

/* The library copies this table. The optional slots, local_fd and adopt, are left out. */
static const ImgImportStoreVTable vtable = {
  IMGIMPORT_STORE_VTABLE_INIT, .begin = store_begin,   .write = store_write, .commit = store_commit,
  .abort = store_abort,        .open = store_open,     .read = store_read,   .close = store_close,
  .stat = store_stat,          .remove = store_remove,
};

/* ---- the host -------------------------------------------------------------------------------- */

static Store *
store_new (void)
{
  Store *store = g_new0 (Store, 1);

  g_mutex_init (&store->lock);
  store->objects =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
  store->open = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return store;
}

/* Called by the library exactly once, when it needs the store no more. */
static void
store_free (gpointer data)
{
  Store *store = data;

  printf ("the store was called to write %u times and to read %u times\n", store->n_writes,
          store->n_reads);
  g_hash_table_unref (store->objects);
  g_hash_table_unref (store->open);
  g_mutex_clear (&store->lock);
  g_free (store);
}

/* Stages 1 MiB and imports it into the store "memory". */
static gboolean
import (ImgImportService *service, const char *id, GError **error)
{
  g_autofree char *disk = g_strnfill (1024 * 1024, 'x');
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_data (disk, 1024 * 1024, NULL);
  g_autoptr (ImgImportImage) staged = NULL;
  g_autoptr (ImgImportJob) job = NULL;
  g_autofree char *job_id = NULL;

  staged = imgimport_service_stage_stream (service, NULL, id, stream, IMGIMPORT_SIZE_UNKNOWN, NULL,
                                           error);
  if (staged == NULL)
    return FALSE;
  job_id = imgimport_service_import_image (
      service, NULL, id, "{\"method\": {\"name\": \"glance-direct\"}, \"stores\": [\"memory\"]}",
      error);
  if (job_id == NULL)
    return FALSE;
  job = imgimport_service_wait_job (service, job_id, -1, NULL, error);
  return job != NULL && imgimport_job_get_error (job, error);
}

static gboolean
read_back (ImgImportService *service, const char *id, GError **error)
{
  g_autoptr (GInputStream) stream = NULL;
  char beginning[16];
  gsize n_read;

  stream = imgimport_service_read_image (service, NULL, id, 0, sizeof beginning, error);
  if (stream == NULL ||
      !g_input_stream_read_all (stream, beginning, sizeof beginning, &n_read, NULL, error))
    return FALSE;
  printf ("read back %zu bytes of image %s\n", n_read, id);
  return TRUE;
}

static gboolean
run (const char *directory, GError **error)
{
  g_autoptr (ImgImportService) service = imgimport_service_new (directory, NULL, error);
  g_autoptr (ImgImportImage) image = NULL;
  const char *id;

  /* Plug-ins are added before the start. */
  if (service == NULL ||
      !imgimport_service_add_store (service, "memory", &vtable, store_new (), store_free, error) ||
      !imgimport_service_start (service, NULL, error))
    return FALSE;
  image = imgimport_service_create_image (
      service, NULL, "{\"disk_format\": \"raw\", \"container_format\": \"bare\"}", NULL, error);
  if (image == NULL)
    return FALSE;
  id = imgimport_image_get_id (image);
  /* The store forgets everything when the process ends; the record must not outlive it. */
  return import (service, id, error) && read_back (service, id, error) &&
         imgimport_service_delete_image (service, NULL, id, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc != 2)
    {
      fprintf (stderr, "usage: custom-store DIRECTORY\n");
      return 2;
    }
  if (!run (argv[1], &error))
    {
      fprintf (stderr, "%s (%s)\n", error->message, imgimport_error_get_reason (error));
      return 1;
    }
  return 0;
}
