/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "catalog-fixture.h"

static void
records_come_back_in_order (Catalog *catalog, gconstpointer unused)
{
  catalog_append (catalog, "run", "one");
  catalog_append (catalog, "run", "two");
  catalog_append (catalog, "run", "");
  catalog_append (catalog, "run", "one");
  catalog_assert_journal (catalog, "run", "one|two||one");
}

static void
journals_do_not_see_one_another (Catalog *catalog, gconstpointer unused)
{
  const ImgImportOp forget = { .kind = IMGIMPORT_OP_JOURNAL_FORGET, .journal = "a" };
  const ImgImportOp *const ops[] = { &forget };
  g_autoptr (GError) error = NULL;

  catalog_append (catalog, "a", "a1");
  catalog_append (catalog, "ab", "ab1");
  catalog_append (catalog, "a", "a2");
  catalog_append (catalog, "ab", "ab2");
  catalog_assert_journal (catalog, "a", "a1|a2");
  catalog_assert_journal (catalog, "ab", "ab1|ab2");
  g_assert_true (catalog->vtable->commit (catalog->self, ops, 1, FALSE, &error));
  g_assert_no_error (error);
  catalog_assert_journal (catalog, "a", "");
  catalog_assert_journal (catalog, "ab", "ab1|ab2");
}

static void
what_is_forgotten_can_begin_again (Catalog *catalog, gconstpointer unused)
{
  const ImgImportOp forget = { .kind = IMGIMPORT_OP_JOURNAL_FORGET, .journal = "run" };
  const ImgImportOp append = {
    .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = "run", .data = "new", .length = 3
  };
  const ImgImportOp *const ops[] = { &forget, &append };
  g_autoptr (GError) error = NULL;

  catalog_append (catalog, "run", "old");
  g_assert_true (catalog->vtable->commit (catalog->self, ops, 2, FALSE, &error));
  g_assert_no_error (error);
  catalog_append (catalog, "run", "newer");
  catalog_assert_journal (catalog, "run", "new|newer");
}

static void
no_journal_is_an_empty_one (Catalog *catalog, gconstpointer unused)
{
  const ImgImportOp forget = { .kind = IMGIMPORT_OP_JOURNAL_FORGET, .journal = "none" };
  const ImgImportOp *const ops[] = { &forget };
  g_autoptr (GError) error = NULL;

  catalog_assert_journal (catalog, "none", "");
  g_assert_true (catalog->vtable->commit (catalog->self, ops, 1, TRUE, &error));
  g_assert_no_error (error);
}

static gboolean
is_ramp (const void *data, gsize length, gpointer n_calls)
{
  const guint8 *bytes = data;

  g_assert_cmpuint (length, ==, 1024 * 1024);
  for (gsize i = 0; i < length; i++)
    g_assert_true (bytes[i] == (guint8)(i * 7));
  *(guint *)n_calls += 1;
  return TRUE;
}

static void
any_byte_and_a_mebibyte_are_kept (Catalog *catalog, gconstpointer unused)
{
  const gsize length = 1024 * 1024;
  g_autofree guint8 *bytes = g_malloc (length);
  const ImgImportOp append = {
    .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = "run", .data = bytes, .length = length
  };
  const ImgImportOp *const ops[] = { &append };
  g_autoptr (GError) error = NULL;
  guint n_calls = 0;

  for (gsize i = 0; i < length; i++)
    bytes[i] = (guint8)(i * 7);
  g_assert_true (catalog->vtable->commit (catalog->self, ops, 1, FALSE, &error));
  memset (bytes, 0, length);
  g_assert_true (catalog->vtable->journal_load (catalog->self, "run", is_ramp, &n_calls, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_calls, ==, 1);
}

static gboolean
stop_at_second (const void *data, gsize length, gpointer n_calls)
{
  return ++*(guint *)n_calls < 2;
}

static void
the_function_can_stop_a_load (Catalog *catalog, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  guint n_calls = 0;

  catalog_append (catalog, "run", "1");
  catalog_append (catalog, "run", "2");
  catalog_append (catalog, "run", "3");
  g_assert_true (
      catalog->vtable->journal_load (catalog->self, "run", stop_at_second, &n_calls, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_calls, ==, 2);
  catalog_assert_journal (catalog, "run", "1|2|3");
}

void
catalog_add_journal_checks (const CatalogFactory *factory)
{
  catalog_add (factory, "journal/records-come-back-in-order", records_come_back_in_order);
  catalog_add (factory, "journal/journals-do-not-see-one-another", journals_do_not_see_one_another);
  catalog_add (factory, "journal/what-is-forgotten-can-begin-again",
               what_is_forgotten_can_begin_again);
  catalog_add (factory, "journal/no-journal-is-an-empty-one", no_journal_is_an_empty_one);
  catalog_add (factory, "journal/any-byte-and-a-mebibyte-are-kept",
               any_byte_and_a_mebibyte_are_kept);
  catalog_add (factory, "journal/the-function-can-stop-a-load", the_function_can_stop_a_load);
}
