/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-fixture.h"

#include "stores/stores-private.h"

#include <glib/gstdio.h>

/* ---- factories ------------------------------------------------------------------------------- */

static void
take_store (StoreFixture *f, const ImgImportStoreVTable *vtable, gpointer self,
            GDestroyNotify destroy)
{
  g_autoptr (GError) error = NULL;

  f->vtable = vtable;
  f->self = self;
  f->store = _imgimport_store_new ("contract", vtable, self, destroy, &error);
  g_assert_no_error (error);
}

static void
open_file_store (StoreFixture *f, gboolean durable)
{
  g_autoptr (GError) error = NULL;
  gpointer self = NULL;

  f->directory = g_dir_make_tmp ("imgimport-store-XXXXXX", &error);
  g_assert_no_error (error);
  self = _imgimport_store_file_new (f->directory, durable, &error);
  g_assert_no_error (error);
  take_store (f, &_imgimport_store_file_vtable, self, _imgimport_store_file_free);
}

static void
open_file (StoreFixture *f)
{
  open_file_store (f, FALSE);
}

static void
open_durable_file (StoreFixture *f)
{
  open_file_store (f, TRUE);
}

static void
open_memory (StoreFixture *f)
{
  take_store (f, &_imgimport_store_memory_vtable, _imgimport_store_memory_new (),
              _imgimport_store_memory_free);
}

static void
open_minimal (StoreFixture *f)
{
  take_store (f, &minimal_store_vtable, minimal_store_new (), minimal_store_free);
}

const StoreFactory store_factories[] = {
  { "file", open_file },
  { "file-durable", open_durable_file },
  { "memory", open_memory },
  { "minimal", open_minimal },
  { NULL, NULL },
};

/* ---- fixture --------------------------------------------------------------------------------- */

void
remove_directory (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name = NULL;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      g_assert_cmpint (g_remove (child), ==, 0);
    }
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

void
store_fixture_set_up (StoreFixture *f, gconstpointer factory)
{
  const StoreFactory *chosen = factory;

  chosen->open (f);
}

void
store_fixture_tear_down (StoreFixture *f, gconstpointer factory)
{
  _imgimport_plugin_unref (f->store);
  if (f->directory != NULL)
    remove_directory (f->directory);
  g_free (f->directory);
}

/* ---- objects --------------------------------------------------------------------------------- */

ImgImportStoreWriter *
begin_object (StoreFixture *f, const char *key)
{
  g_autoptr (GError) error = NULL;
  ImgImportStoreWriter *writer = NULL;

  writer = _imgimport_store_begin (f->store, key, IMGIMPORT_SIZE_UNKNOWN, NULL, &error);
  g_assert_no_error (error);
  return writer;
}

void
write_object (ImgImportStoreWriter *writer, guint64 offset, const void *data, gsize length)
{
  g_autoptr (GError) error = NULL;

  _imgimport_store_writer_write (writer, offset, data, length, NULL, &error);
  g_assert_no_error (error);
}

char *
put_object_version (StoreFixture *f, const char *key, const void *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  ImgImportStoreWriter *writer = begin_object (f, key);
  char *version = NULL;

  write_object (writer, 0, data, length);
  _imgimport_store_writer_commit (writer, length, &version, NULL, &error);
  g_assert_no_error (error);
  return version;
}

void
put_object (StoreFixture *f, const char *key, const void *data, gsize length)
{
  g_free (put_object_version (f, key, data, length));
}

ImgImportStoreReader *
put_and_open (StoreFixture *f, const char *text)
{
  g_autoptr (GError) error = NULL;
  ImgImportStoreReader *reader = NULL;

  put_object (f, "k", text, strlen (text));
  reader = _imgimport_store_open (f->store, "k", NULL, &error);
  g_assert_no_error (error);
  return reader;
}

/* All of an object, in pieces of a size that fits no block. */
static GByteArray *
read_object (StoreFixture *f, const char *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportStoreReader) reader = NULL;
  GByteArray *bytes = g_byte_array_new ();
  guint8 piece[4097];
  gsize n_read = 0;

  reader = _imgimport_store_open (f->store, key, NULL, &error);
  g_assert_no_error (error);
  do
    {
      _imgimport_store_reader_read (reader, bytes->len, piece, sizeof piece, &n_read, NULL, &error);
      g_assert_no_error (error);
      g_byte_array_append (bytes, piece, (guint)n_read);
    }
  while (n_read > 0);
  return bytes;
}

void
assert_object (StoreFixture *f, const char *key, const void *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = read_object (f, key);
  guint64 size = 0;

  assert_bytes (bytes->data, bytes->len, data, length);
  _imgimport_store_stat (f->store, key, &size, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, length);
}

void
assert_no_object (StoreFixture *f, const char *key)
{
  g_autoptr (GError) open_error = NULL;
  g_autoptr (GError) stat_error = NULL;

  g_assert_null (_imgimport_store_open (f->store, key, NULL, &open_error));
  g_assert_error (open_error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
  g_assert_false (_imgimport_store_stat (f->store, key, NULL, NULL, NULL, &stat_error));
  g_assert_error (stat_error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
  _imgimport_store_writer_abort (begin_object (f, key));
}

void
assert_zeros (StoreFixture *f, const char *key, guint64 from, guint64 to)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportStoreReader) reader = NULL;
  guint8 piece[8192];
  gsize n_read = 0;
  gsize i;

  reader = _imgimport_store_open (f->store, key, NULL, &error);
  g_assert_no_error (error);
  for (; from < to; from += n_read)
    {
      _imgimport_store_reader_read (reader, from, piece, MIN (sizeof piece, to - from), &n_read,
                                    NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (n_read, >, 0);
      for (i = 0; i < n_read; i++)
        g_assert_cmpuint (piece[i], ==, 0);
    }
}
