/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <string.h>

#include "catalog-fixture.h"

static void
set_up (Catalog *catalog, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  catalog->factory = data;
  catalog->vtable = catalog->factory->vtable;
  catalog->directory = g_dir_make_tmp ("imgimport-catalog-XXXXXX", &error);
  g_assert_no_error (error);
  catalog->self = catalog->factory->open (catalog->directory, &error);
  g_assert_no_error (error);
  g_assert_nonnull (catalog->self);
}

static void
remove_directory (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name = NULL;

  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);

      g_assert_cmpint (g_unlink (file), ==, 0);
    }
  g_assert_cmpint (g_rmdir (path), ==, 0);
}

static void
tear_down (Catalog *catalog, gconstpointer unused)
{
  catalog->factory->free (catalog->self);
  remove_directory (catalog->directory);
  g_free (catalog->directory);
}

void
catalog_add (const CatalogFactory *factory, const char *name, CatalogCheck check)
{
  g_autofree char *path = g_strdup_printf ("/contract/catalog/%s/%s", factory->name, name);

  g_test_add (path, Catalog, factory, set_up, check, tear_down);
}

static void
commit_one (Catalog *catalog, const ImgImportOp *op)
{
  g_autoptr (GError) error = NULL;
  gboolean ok = catalog->vtable->commit (catalog->self, &op, 1, FALSE, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
}

void
catalog_put (Catalog *catalog, const char *kind, const char *id, gint64 expected, const char *body)
{
  const ImgImportRecord record = { .kind = kind, .id = id, .body = body };
  const ImgImportOp op = { .kind = IMGIMPORT_OP_PUT, .expected = expected, .record = &record };

  commit_one (catalog, &op);
}

void
catalog_put_record (Catalog *catalog, const ImgImportRecord *record)
{
  const ImgImportOp op = { .kind = IMGIMPORT_OP_PUT,
                           .expected = IMGIMPORT_REVISION_ANY,
                           .record = record };

  commit_one (catalog, &op);
}

void
catalog_append (Catalog *catalog, const char *journal, const char *text)
{
  const ImgImportOp op = {
    .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = journal, .data = text, .length = strlen (text)
  };

  commit_one (catalog, &op);
}

void
catalog_refuses (Catalog *catalog, const ImgImportOp *const *ops, ImgImportError code,
                 const char *reason)
{
  g_autoptr (GError) error = NULL;
  guint n_ops = 0;

  while (ops[n_ops] != NULL)
    n_ops++;
  g_assert_false (catalog->vtable->commit (catalog->self, ops, n_ops, FALSE, &error));
  g_assert_error (error, IMGIMPORT_ERROR, (int)code);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, reason);
}

static gboolean
describe (const ImgImportRecord *record, gpointer data)
{
  char **description = data;

  g_assert_null (*description);
  *description = g_strdup_printf ("%s@%" G_GINT64_FORMAT, record->body, record->revision);
  return TRUE;
}

char *
catalog_get (Catalog *catalog, const char *kind, const char *id)
{
  g_autoptr (GError) error = NULL;
  char *description = NULL;
  gboolean ok = catalog->vtable->get (catalog->self, kind, id, describe, &description, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
  return description;
}

static gboolean
add_id (const ImgImportRecord *record, gpointer ids)
{
  g_string_append_printf (ids, "%s%s", ((GString *)ids)->len == 0 ? "" : " ", record->id);
  return TRUE;
}

char *
catalog_scan (Catalog *catalog, const ImgImportQuery *query)
{
  g_autoptr (GError) error = NULL;
  GString *ids = g_string_new (NULL);
  gboolean ok = catalog->vtable->scan (catalog->self, query, add_id, ids, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
  return g_string_free (ids, FALSE);
}

static gboolean
add_entry (const void *data, gsize length, gpointer entries)
{
  if (((GString *)entries)->len > 0)
    g_string_append_c (entries, '|');
  g_string_append_len (entries, data, (gssize)length);
  return TRUE;
}

char *
catalog_journal (Catalog *catalog, const char *journal)
{
  g_autoptr (GError) error = NULL;
  GString *entries = g_string_new (NULL);
  gboolean ok = catalog->vtable->journal_load (catalog->self, journal, add_entry, entries, &error);

  g_assert_no_error (error);
  g_assert_true (ok);
  return g_string_free (entries, FALSE);
}

void
catalog_assert_record (Catalog *catalog, const char *kind, const char *id, const char *expected)
{
  g_autofree char *actual = catalog_get (catalog, kind, id);

  g_assert_cmpstr (actual, ==, expected);
}

void
catalog_assert_scan (Catalog *catalog, const ImgImportQuery *query, const char *expected)
{
  g_autofree char *actual = catalog_scan (catalog, query);

  g_assert_cmpstr (actual, ==, expected);
}

void
catalog_assert_journal (Catalog *catalog, const char *journal, const char *expected)
{
  g_autofree char *actual = catalog_journal (catalog, journal);

  g_assert_cmpstr (actual, ==, expected);
}
