/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-fixture.h"

#define GIB (G_GUINT64_CONSTANT (1) << 30)

static void
assert_taken (StoreFixture *f, const char *key)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (_imgimport_store_begin (f->store, key, 0, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_EXISTS);
}

static gboolean
commit (ImgImportStoreWriter *writer, guint64 size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *version = NULL;
  gboolean ok = _imgimport_store_writer_commit (writer, size, &version, NULL, &error);

  g_assert_true (ok == (error == NULL));
  return ok;
}

static void
an_object_is_invisible_until_committed (StoreFixture *f, gconstpointer unused)
{
  ImgImportStoreWriter *writer = begin_object (f, "k");
  g_autoptr (GError) error = NULL;

  write_object (writer, 0, "abc", 3);
  g_assert_null (_imgimport_store_open (f->store, "k", NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_false (_imgimport_store_stat (f->store, "k", NULL, NULL, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
  g_assert_true (commit (writer, 3));
  assert_object (f, "k", "abc", 3);
}

static void
bytes_come_back_however_they_were_cut (StoreFixture *f, gconstpointer unused)
{
  static const gsize cuts[] = { 1, 4095, 4096, 65536, 7, 100000, 65535 };
  const gsize length = 300000;
  g_autofree guint8 *data = g_malloc (length);
  ImgImportStoreWriter *writer = begin_object (f, "k");
  gsize offset = 0;
  gsize i;

  for (i = 0; i < length; i++)
    data[i] = (guint8)(i % 251);
  for (i = 0; offset < length; i++)
    {
      gsize piece = MIN (cuts[i % G_N_ELEMENTS (cuts)], length - offset);

      write_object (writer, offset, data + offset, piece);
      offset += piece;
    }
  g_assert_true (commit (writer, length));
  assert_object (f, "k", data, length);
}

/* Blocks of zeros between blocks of data, not in line with any block of the store. */
static void
zeros_come_back_as_zeros (StoreFixture *f, gconstpointer unused)
{
  const gsize length = 64 * 4096;
  g_autofree guint8 *data = g_malloc0 (length);
  ImgImportStoreWriter *writer = begin_object (f, "k");
  gsize i;

  for (i = 0; i < length; i++)
    if ((i / 10000) % 2 == 1)
      data[i] = 0xab;
  data[0] = 1;
  data[length - 1] = 0;
  write_object (writer, 0, data, 5001);
  write_object (writer, 5001, data + 5001, length - 5001);
  g_assert_true (commit (writer, length));
  assert_object (f, "k", data, length);
}

static void
gaps_read_as_zeros_also_at_the_end (StoreFixture *f, gconstpointer unused)
{
  guint8 expected[9000] = { 0 };
  ImgImportStoreWriter *writer = begin_object (f, "k");

  memcpy (expected + 100, "one", 3);
  memcpy (expected + 6000, "two", 3);
  write_object (writer, 100, "one", 3);
  write_object (writer, 6000, "two", 3);
  g_assert_true (commit (writer, sizeof expected));
  assert_object (f, "k", expected, sizeof expected);
}

static void
a_size_beyond_4_gib_costs_what_is_written (StoreFixture *f, gconstpointer unused)
{
  ImgImportStoreWriter *writer = begin_object (f, "k");
  g_autoptr (ImgImportStoreReader) reader = NULL;
  guint64 size = 0;
  gsize n_read = 0;
  char piece[8];

  write_object (writer, 0, "a", 1);
  write_object (writer, 5 * GIB, "end", 3);
  g_assert_true (commit (writer, 6 * GIB));
  g_assert_true (_imgimport_store_stat (f->store, "k", &size, NULL, NULL, NULL));
  g_assert_cmpuint (size, ==, 6 * GIB);
  reader = _imgimport_store_open (f->store, "k", NULL, NULL);
  g_assert_true (_imgimport_store_reader_read (reader, 5 * GIB - 1, piece, 5, &n_read, NULL, NULL));
  assert_bytes (piece, n_read, "\0end\0", 5);
  assert_zeros (f, "k", 6 * GIB - 10000, 6 * GIB);
  assert_zeros (f, "k", 4 * GIB - 5000, 4 * GIB + 5000);
}

static void
the_size_of_the_commit_is_the_objects (StoreFixture *f, gconstpointer unused)
{
  ImgImportStoreWriter *writer = begin_object (f, "short");

  write_object (writer, 0, "abcdef", 6);
  g_assert_true (commit (writer, 4));
  assert_object (f, "short", "abcd", 4);
  g_assert_true (commit (begin_object (f, "empty"), 0));
  assert_object (f, "empty", "", 0);
  g_assert_true (commit (begin_object (f, "hole"), 3));
  assert_object (f, "hole", "\0\0\0", 3);
}

static void
a_taken_key_cannot_be_begun (StoreFixture *f, gconstpointer unused)
{
  ImgImportStoreWriter *writer = begin_object (f, "k");

  assert_taken (f, "k");
  write_object (writer, 0, "first", 5);
  assert_taken (f, "k");
  g_assert_true (commit (writer, 5));
  assert_taken (f, "k");
  assert_object (f, "k", "first", 5);
}

static void
abort_leaves_nothing (StoreFixture *f, gconstpointer unused)
{
  ImgImportStoreWriter *writer = begin_object (f, "k");

  write_object (writer, 0, "abc", 3);
  _imgimport_store_writer_abort (writer);
  assert_no_object (f, "k");
}

static void
what_is_half_written_can_be_removed (StoreFixture *f, gconstpointer unused)
{
  ImgImportStoreWriter *dead = begin_object (f, "k");
  ImgImportStoreWriter *writer = NULL;
  g_autoptr (GError) error = NULL;

  write_object (dead, 0, "old", 3);
  g_assert_true (f->vtable->remove (f->self, "k", NULL, &error));
  g_assert_no_error (error);
  writer = begin_object (f, "k");
  write_object (writer, 0, "new", 3);
  g_assert_false (commit (dead, 3));
  g_assert_true (commit (writer, 3));
  assert_object (f, "k", "new", 3);
}

static void
a_removed_writers_abort_harms_nobody (StoreFixture *f, gconstpointer unused)
{
  ImgImportStoreWriter *dead = begin_object (f, "k");
  ImgImportStoreWriter *writer = NULL;

  g_assert_true (_imgimport_store_remove (f->store, "k", NULL, NULL));
  writer = begin_object (f, "k");
  _imgimport_store_writer_abort (dead);
  g_assert_true (commit (writer, 0));
  assert_object (f, "k", "", 0);
}

/* ---- threads --------------------------------------------------------------------------------- */

typedef struct
{
  StoreFixture *f;
  guint number;
  gboolean won;
} Contender;

static gpointer
contend (gpointer data)
{
  Contender *self = data;
  g_autoptr (ImgImportStoreWriter) writer = NULL;
  g_autofree char *own_key = g_strdup_printf ("own-%u", self->number);

  put_object (self->f, own_key, own_key, strlen (own_key));
  assert_object (self->f, own_key, own_key, strlen (own_key));
  writer = _imgimport_store_begin (self->f->store, "shared", 0, NULL, NULL);
  self->won = writer != NULL && commit (g_steal_pointer (&writer), 0);
  return NULL;
}

static void
one_of_many_threads_gets_a_key (StoreFixture *f, gconstpointer unused)
{
  Contender contenders[4];
  GThread *threads[4];
  guint winners = 0;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      contenders[i] = (Contender){ f, i, FALSE };
      threads[i] = _imgimport_thread_new ("contender", contend, &contenders[i], NULL);
    }
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_thread_join (threads[i]);
      winners += contenders[i].won ? 1 : 0;
    }
  g_assert_cmpuint (winners, ==, 1);
}

const StoreCheckEntry store_write_checks[] = {
  { "an-object-is-invisible-until-committed", an_object_is_invisible_until_committed },
  { "bytes-come-back-however-they-were-cut", bytes_come_back_however_they_were_cut },
  { "zeros-come-back-as-zeros", zeros_come_back_as_zeros },
  { "gaps-read-as-zeros-also-at-the-end", gaps_read_as_zeros_also_at_the_end },
  { "a-size-beyond-4-GiB-costs-what-is-written", a_size_beyond_4_gib_costs_what_is_written },
  { "the-size-of-the-commit-is-the-objects", the_size_of_the_commit_is_the_objects },
  { "a-taken-key-cannot-be-begun", a_taken_key_cannot_be_begun },
  { "abort-leaves-nothing", abort_leaves_nothing },
  { "what-is-half-written-can-be-removed", what_is_half_written_can_be_removed },
  { "a-removed-writers-abort-harms-nobody", a_removed_writers_abort_harms_nobody },
  { "one-of-many-threads-gets-a-key", one_of_many_threads_gets_a_key },
  { NULL, NULL },
};
