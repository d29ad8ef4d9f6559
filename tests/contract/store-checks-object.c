/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-fixture.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* ---- objects --------------------------------------------------------------------------------- */

static void
reads_end_at_the_end (StoreFixture *f, gconstpointer unused)
{
  g_autoptr (ImgImportStoreReader) reader = put_and_open (f, "abcdef");
  static const struct
  {
    guint64 offset;
    gsize length;
    gsize n_read;
  } cases[] = { { 0, 6, 6 }, { 4, 10, 2 },          { 6, 10, 0 },
                { 7, 1, 0 }, { G_MAXUINT64, 1, 0 }, { 2, 0, 0 } };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      char piece[16];
      gsize n_read = 99;

      _imgimport_store_reader_read (reader, cases[i].offset, piece, cases[i].length, &n_read, NULL,
                                    &error);
      g_assert_no_error (error);
      g_assert_cmpuint (n_read, ==, cases[i].n_read);
    }
}

static void
stat_answers_what_is_asked (StoreFixture *f, gconstpointer unused)
{
  g_autofree char *committed = put_object_version (f, "k", "abc", 3);
  g_autofree char *version = NULL;
  g_autoptr (GError) error = NULL;
  guint64 size = 0;

  g_assert_cmpstr (committed, !=, "");
  g_assert_true (f->vtable->stat (f->self, "k", NULL, NULL, NULL, &error));
  g_assert_true (f->vtable->stat (f->self, "k", &size, NULL, NULL, &error));
  g_assert_true (f->vtable->stat (f->self, "k", NULL, &version, NULL, &error));
  g_assert_cmpuint (size, ==, 3);
  g_assert_cmpstr (version, ==, committed);
  g_assert_false (f->vtable->stat (f->self, "other", &size, NULL, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
}

static void
another_object_of_the_same_bytes_has_another_version (StoreFixture *f, gconstpointer unused)
{
  g_autofree char *first = put_object_version (f, "k", "abc", 3);
  g_autofree char *second = NULL;

  g_assert_true (_imgimport_store_remove (f->store, "k", NULL, NULL));
  second = put_object_version (f, "k", "abc", 3);
  g_assert_cmpstr (first, !=, second);
}

static void
removed_objects_are_gone (StoreFixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  put_object (f, "k", "abc", 3);
  put_object (f, "k2", "other", 5);
  g_assert_true (f->vtable->remove (f->self, "k", NULL, &error));
  g_assert_no_error (error);
  assert_no_object (f, "k");
  g_assert_false (f->vtable->remove (f->self, "k", NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
  assert_object (f, "k2", "other", 5);
}

static void
a_removed_object_stays_readable_while_open (StoreFixture *f, gconstpointer unused)
{
  g_autoptr (ImgImportStoreReader) reader = put_and_open (f, "abc");
  gsize n_read = 0;
  char piece[8];

  g_assert_true (_imgimport_store_remove (f->store, "k", NULL, NULL));
  put_object (f, "k", "xyz", 3);
  g_assert_true (_imgimport_store_reader_read (reader, 0, piece, 8, &n_read, NULL, NULL));
  assert_bytes (piece, n_read, "abc", 3);
}

static void
every_key_that_is_allowed_works (StoreFixture *f, gconstpointer unused)
{
  g_autofree char *longest = g_strnfill (128, 'k');
  const char *const keys[] = { "a", "A.b_c-9", "-", "_", "9.1.0", "k..k", longest };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      put_object (f, keys[i], keys[i], strlen (keys[i]));
      assert_object (f, keys[i], keys[i], strlen (keys[i]));
    }
}

static void
a_local_descriptor_has_the_bytes (StoreFixture *f, gconstpointer unused)
{
  g_autoptr (ImgImportStoreReader) reader = put_and_open (f, "abc");
  int fd = _imgimport_store_reader_local_fd (reader);
  char piece[8];

  if (fd < 0)
    {
      g_assert_true (f->vtable->struct_size <= G_STRUCT_OFFSET (ImgImportStoreVTable, local_fd) ||
                     f->vtable->local_fd == NULL);
      return;
    }
  g_assert_cmpint (pread (fd, piece, sizeof piece, 0), ==, 3);
  assert_bytes (piece, 3, "abc", 3);
}

/* Data at the beginning, in the middle, not at the end. */
static void
extents_tell_where_data_lies (StoreFixture *f, gconstpointer unused)
{
  const guint64 size = 5 * 1024 * 1024 + 3;
  ImgImportStoreWriter *writer = begin_object (f, "k");
  g_autoptr (ImgImportStoreReader) reader = NULL;
  g_autoptr (GError) error = NULL;
  guint64 offset = 0, start = 0, end = 0;

  write_object (writer, 0, "first", 5);
  write_object (writer, 3 * 1024 * 1024 + 1, "second", 6);
  g_assert_true (_imgimport_store_writer_commit (writer, size, NULL, NULL, &error));
  reader = _imgimport_store_open (f->store, "k", NULL, &error);
  while (offset < size)
    {
      g_assert_true (
          _imgimport_store_reader_next_extent (reader, offset, &start, &end, NULL, &error));
      g_assert_cmpuint (start, >=, offset);
      assert_zeros (f, "k", offset, start);
      g_assert_true (end > start || end == size);
      offset = end;
    }
  g_assert_true (_imgimport_store_reader_next_extent (reader, size, &start, &end, NULL, &error));
  g_assert_cmpuint (start, ==, size);
}

const StoreCheckEntry store_object_checks[] = {
  { "reads-end-at-the-end", reads_end_at_the_end },
  { "stat-answers-what-is-asked", stat_answers_what_is_asked },
  { "another-object-of-the-same-bytes-has-another-version",
    another_object_of_the_same_bytes_has_another_version },
  { "removed-objects-are-gone", removed_objects_are_gone },
  { "a-removed-object-stays-readable-while-open", a_removed_object_stays_readable_while_open },
  { "every-key-that-is-allowed-works", every_key_that_is_allowed_works },
  { "extents-tell-where-data-lies", extents_tell_where_data_lies },
  { "a-local-descriptor-has-the-bytes", a_local_descriptor_has_the_bytes },
  { NULL, NULL },
};

/* ---- adopt ----------------------------------------------------------------------------------- */

/* A sealed file that lies nowhere near a store. */
static int
sealed_file (const char *text)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("imgimport-sealed-XXXXXX", &path, &error);

  g_assert_no_error (error);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize)strlen (text));
  g_assert_cmpint (g_unlink (path), ==, 0);
  return fd;
}

/* Whether the store adopts at all. */
static gboolean
adopt (StoreFixture *f, const char *key, int fd, guint64 size, char **version, GError **error)
{
  ImgImportAdoption adoption = IMGIMPORT_ADOPTED_BY_COPY;
  g_autoptr (GError) failure = NULL;
  gboolean ok = FALSE;

  ok = _imgimport_store_adopt (f->store, key, fd, size, version, &adoption, NULL, &failure);
  if (ok || f->vtable->struct_size <= G_STRUCT_OFFSET (ImgImportStoreVTable, adopt) ||
      f->vtable->adopt == NULL)
    {
      g_assert_true (ok ||
                     g_error_matches (failure, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_SUPPORTED));
      return ok;
    }
  g_propagate_error (error, g_steal_pointer (&failure));
  return TRUE;
}

static void
an_adopted_object_is_as_any_other (StoreFixture *f, gconstpointer unused)
{
  g_auto (ImgImportFd) fd = sealed_file ("sealed bytes");
  g_autofree char *version = NULL;
  g_autofree char *again = NULL;
  g_autoptr (GError) error = NULL;

  if (!adopt (f, "k", fd, 12, &version, &error))
    return;
  g_assert_no_error (error);
  assert_object (f, "k", "sealed bytes", 12);
  g_assert_true (_imgimport_store_stat (f->store, "k", NULL, &again, NULL, &error));
  g_assert_cmpstr (version, ==, again);
  g_assert_true (_imgimport_store_remove (f->store, "k", NULL, &error));
  assert_no_object (f, "k");
}

static void
a_taken_key_cannot_be_adopted (StoreFixture *f, gconstpointer unused)
{
  g_auto (ImgImportFd) fd = sealed_file ("sealed bytes");
  ImgImportStoreWriter *writer = begin_object (f, "written");
  g_autofree char *version = NULL;
  g_autoptr (GError) first = NULL;
  g_autoptr (GError) second = NULL;

  put_object (f, "taken", "mine", 4);
  if (adopt (f, "taken", fd, 12, &version, &first) &&
      adopt (f, "written", fd, 12, &version, &second))
    {
      g_assert_error (first, IMGIMPORT_ERROR, IMGIMPORT_ERROR_EXISTS);
      g_assert_error (second, IMGIMPORT_ERROR, IMGIMPORT_ERROR_EXISTS);
    }
  g_assert_null (version);
  _imgimport_store_writer_abort (writer);
  assert_object (f, "taken", "mine", 4);
  assert_no_object (f, "written");
}

static void
a_pipe_cannot_be_adopted (StoreFixture *f, gconstpointer unused)
{
  g_autofree char *version = NULL;
  g_autoptr (GError) error = NULL;
  int ends[2];

  g_assert_cmpint (pipe (ends), ==, 0);
  if (adopt (f, "k", ends[0], 0, &version, &error))
    g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_SUPPORTED);
  assert_no_object (f, "k");
  _imgimport_fd_close (ends[0]);
  _imgimport_fd_close (ends[1]);
}

const StoreCheckEntry store_adopt_checks[] = {
  { "an-adopted-object-is-as-any-other", an_adopted_object_is_as_any_other },
  { "a-taken-key-cannot-be-adopted", a_taken_key_cannot_be_adopted },
  { "a-pipe-cannot-be-adopted", a_pipe_cannot_be_adopted },
  { NULL, NULL },
};
