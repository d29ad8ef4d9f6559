/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "catalog-fixture.h"

#define CONFLICT IMGIMPORT_ERROR_BUSY, "revision-conflict"
#define INVALID IMGIMPORT_ERROR_INVALID_ARGUMENT, "operation-invalid"

static const ImgImportRecord a_record = { .kind = "image", .id = "a", .body = "a-new" };
static const ImgImportRecord b_record = { .kind = "image", .id = "b", .body = "b-new" };

static void
first_put_has_revision_1 (Catalog *catalog, gconstpointer unused)
{
  catalog_put (catalog, "image", "a", IMGIMPORT_REVISION_ABSENT, "{}");
  catalog_assert_record (catalog, "image", "a", "{}@1");
}

static void
put_expecting_absent_is_refused_where_it_exists (Catalog *catalog, gconstpointer unused)
{
  const ImgImportOp put = { .kind = IMGIMPORT_OP_PUT, .record = &a_record };

  catalog_put (catalog, "image", "a", IMGIMPORT_REVISION_ABSENT, "old");
  catalog_refuses (catalog, (const ImgImportOp *[]){ &put, NULL }, CONFLICT);
  catalog_assert_record (catalog, "image", "a", "old@1");
}

static void
each_put_raises_the_revision (Catalog *catalog, gconstpointer unused)
{
  catalog_put (catalog, "image", "a", IMGIMPORT_REVISION_ABSENT, "one");
  catalog_put (catalog, "image", "a", 1, "two");
  catalog_put (catalog, "image", "a", IMGIMPORT_REVISION_ANY, "three");
  catalog_assert_record (catalog, "image", "a", "three@3");
}

static void
any_revision_creates_too (Catalog *catalog, gconstpointer unused)
{
  catalog_put (catalog, "image", "a", IMGIMPORT_REVISION_ANY, "one");
  catalog_assert_record (catalog, "image", "a", "one@1");
}

static void
another_revision_is_a_conflict_for_every_operation (Catalog *catalog, gconstpointer unused)
{
  const ImgImportOpKind kinds[] = { IMGIMPORT_OP_PUT, IMGIMPORT_OP_REMOVE, IMGIMPORT_OP_CHECK };
  const gint64 revisions[] = { 0, 1, 3 };

  catalog_put (catalog, "image", "a", IMGIMPORT_REVISION_ABSENT, "one");
  catalog_put (catalog, "image", "a", 1, "two");
  for (guint i = 0; i < G_N_ELEMENTS (kinds) * G_N_ELEMENTS (revisions); i++)
    {
      const ImgImportOp op = {
        .kind = kinds[i / G_N_ELEMENTS (revisions)],
        .expected = revisions[i % G_N_ELEMENTS (revisions)],
        .record = &a_record,
      };

      catalog_refuses (catalog, (const ImgImportOp *[]){ &op, NULL }, CONFLICT);
    }
  catalog_assert_record (catalog, "image", "a", "two@2");
}

static void
a_revision_of_nothing_is_a_conflict_for_every_operation (Catalog *catalog, gconstpointer unused)
{
  const ImgImportOpKind kinds[] = { IMGIMPORT_OP_PUT, IMGIMPORT_OP_REMOVE, IMGIMPORT_OP_CHECK };

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      const ImgImportOp op = { .kind = kinds[i], .expected = 1, .record = &a_record };

      catalog_refuses (catalog, (const ImgImportOp *[]){ &op, NULL }, CONFLICT);
    }
  catalog_assert_record (catalog, "image", "a", NULL);
}

static void
remove_removes_and_the_next_put_begins_again (Catalog *catalog, gconstpointer unused)
{
  const ImgImportOp remove = { .kind = IMGIMPORT_OP_REMOVE, .expected = 2, .record = &a_record };
  const ImgImportOp *const ops[] = { &remove };
  g_autoptr (GError) error = NULL;

  catalog_put (catalog, "image", "a", IMGIMPORT_REVISION_ABSENT, "one");
  catalog_put (catalog, "image", "a", 1, "two");
  g_assert_true (catalog->vtable->commit (catalog->self, ops, 1, FALSE, &error));
  g_assert_no_error (error);
  catalog_assert_record (catalog, "image", "a", NULL);
  catalog_put (catalog, "image", "a", IMGIMPORT_REVISION_ABSENT, "three");
  catalog_assert_record (catalog, "image", "a", "three@1");
}

static void
removing_nothing_succeeds_where_that_is_expected (Catalog *catalog, gconstpointer unused)
{
  const ImgImportOp any = { .kind = IMGIMPORT_OP_REMOVE,
                            .expected = IMGIMPORT_REVISION_ANY,
                            .record = &a_record };
  const ImgImportOp absent = { .kind = IMGIMPORT_OP_REMOVE,
                               .expected = IMGIMPORT_REVISION_ABSENT,
                               .record = &a_record };
  const ImgImportOp check = { .kind = IMGIMPORT_OP_CHECK,
                              .expected = IMGIMPORT_REVISION_ABSENT,
                              .record = &a_record };
  const ImgImportOp *const ops[] = { &any, &absent, &check };
  g_autoptr (GError) error = NULL;

  g_assert_true (catalog->vtable->commit (catalog->self, ops, 3, FALSE, &error));
  g_assert_no_error (error);
}

static void
kinds_do_not_share_ids (Catalog *catalog, gconstpointer unused)
{
  catalog_put (catalog, "image", "a", IMGIMPORT_REVISION_ABSENT, "image");
  catalog_put (catalog, "job", "a", IMGIMPORT_REVISION_ABSENT, "job");
  catalog_assert_record (catalog, "image", "a", "image@1");
  catalog_assert_record (catalog, "job", "a", "job@1");
}

static void
operations_see_those_before_them (Catalog *catalog, gconstpointer unused)
{
  const ImgImportOp put = { .kind = IMGIMPORT_OP_PUT, .record = &a_record };
  const ImgImportOp again = { .kind = IMGIMPORT_OP_PUT, .expected = 1, .record = &a_record };
  const ImgImportOp check = { .kind = IMGIMPORT_OP_CHECK, .expected = 2, .record = &a_record };
  const ImgImportOp *const ops[] = { &put, &again, &check };
  g_autoptr (GError) error = NULL;

  g_assert_true (catalog->vtable->commit (catalog->self, ops, 3, FALSE, &error));
  g_assert_no_error (error);
  catalog_assert_record (catalog, "image", "a", "a-new@2");
}

/* Every kind of operation before one that fails: all are taken back. */
static void
when_the_last_operation_fails_nothing_is_changed (Catalog *catalog, gconstpointer unused)
{
  const ImgImportRecord c_record = { .kind = "image", .id = "c", .body = "c-new" };
  const ImgImportOp create = { .kind = IMGIMPORT_OP_PUT, .record = &a_record };
  const ImgImportOp change = { .kind = IMGIMPORT_OP_PUT, .expected = 1, .record = &b_record };
  const ImgImportOp remove = { .kind = IMGIMPORT_OP_REMOVE, .expected = 1, .record = &c_record };
  const ImgImportOp check = { .kind = IMGIMPORT_OP_CHECK, .record = &c_record };
  const ImgImportOp begin = {
    .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = "new", .data = "x", .length = 1
  };
  const ImgImportOp append = {
    .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = "old", .data = "x", .length = 1
  };
  const ImgImportOp forget = { .kind = IMGIMPORT_OP_JOURNAL_FORGET, .journal = "old" };
  const ImgImportOp forget_none = { .kind = IMGIMPORT_OP_JOURNAL_FORGET, .journal = "none" };
  const ImgImportOp fail = { .kind = IMGIMPORT_OP_CHECK, .expected = 7, .record = &a_record };
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "image" };

  catalog_put (catalog, "image", "b", IMGIMPORT_REVISION_ABSENT, "b-old");
  catalog_put (catalog, "image", "c", IMGIMPORT_REVISION_ABSENT, "c-old");
  catalog_append (catalog, "old", "kept");
  catalog_refuses (catalog,
                   (const ImgImportOp *[]){ &create, &change, &remove, &check, &begin, &append,
                                            &forget, &forget_none, &append, &fail, NULL },
                   CONFLICT);
  catalog_assert_scan (catalog, &query, "c b");
  catalog_assert_record (catalog, "image", "b", "b-old@1");
  catalog_assert_record (catalog, "image", "c", "c-old@1");
  catalog_assert_journal (catalog, "old", "kept");
  catalog_assert_journal (catalog, "new", "");
}

static void
an_empty_commit_succeeds (Catalog *catalog, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (catalog->vtable->commit (catalog->self, NULL, 0, FALSE, &error));
  g_assert_true (catalog->vtable->commit (catalog->self, NULL, 0, TRUE, &error));
  g_assert_no_error (error);
}

static void
durable_commits_do_the_same (Catalog *catalog, gconstpointer unused)
{
  const ImgImportOp put = { .kind = IMGIMPORT_OP_PUT, .record = &a_record };
  const ImgImportOp check = { .kind = IMGIMPORT_OP_CHECK, .expected = 1, .record = &a_record };
  const ImgImportOp *const ops[] = { &put, &check };
  g_autoptr (GError) error = NULL;

  g_assert_true (catalog->vtable->commit (catalog->self, &ops[0], 1, TRUE, &error));
  g_assert_true (catalog->vtable->commit (catalog->self, &ops[1], 1, TRUE, &error));
  g_assert_no_error (error);
  g_assert_false (catalog->vtable->commit (catalog->self, &ops[0], 1, TRUE, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_BUSY);
  catalog_assert_record (catalog, "image", "a", "a-new@1");
}

static void
malformed_operations_are_refused (Catalog *catalog, gconstpointer unused)
{
  g_autofree char *long_name = g_strnfill (256, 'x');
  const ImgImportRecord no_kind = { .id = "a", .body = "{}" };
  const ImgImportRecord no_id = { .kind = "image", .body = "{}" };
  const ImgImportRecord no_body = { .kind = "image", .id = "a" };
  const ImgImportRecord long_id = { .kind = "image", .id = long_name, .body = "{}" };
  const ImgImportOp malformed[] = {
    { .kind = IMGIMPORT_OP_PUT },
    { .kind = IMGIMPORT_OP_PUT, .record = &no_kind },
    { .kind = IMGIMPORT_OP_PUT, .record = &no_id },
    { .kind = IMGIMPORT_OP_PUT, .record = &no_body },
    { .kind = IMGIMPORT_OP_PUT, .record = &long_id },
    { .kind = IMGIMPORT_OP_REMOVE },
    { .kind = IMGIMPORT_OP_CHECK, .record = &no_id },
    { .kind = IMGIMPORT_OP_JOURNAL_APPEND, .data = "x", .length = 1 },
    { .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = "j", .length = 1 },
    { .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = long_name, .data = "x", .length = 1 },
    { .kind = IMGIMPORT_OP_JOURNAL_FORGET },
    { .record = &a_record, .journal = "j" },
  };
  const ImgImportOp put = { .kind = IMGIMPORT_OP_PUT, .record = &b_record };

  for (guint i = 0; i < G_N_ELEMENTS (malformed); i++)
    catalog_refuses (catalog, (const ImgImportOp *[]){ &put, &malformed[i], NULL }, INVALID);
  catalog_assert_record (catalog, "image", "b", NULL);
}

static gboolean
never_called (const ImgImportRecord *record, gpointer unused)
{
  g_assert_not_reached ();
}

static void
get_of_nothing_succeeds_without_a_call (Catalog *catalog, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  catalog_put (catalog, "image", "a", IMGIMPORT_REVISION_ABSENT, "{}");
  g_assert_true (catalog->vtable->get (catalog->self, "image", "b", never_called, NULL, &error));
  g_assert_true (catalog->vtable->get (catalog->self, "job", "a", never_called, NULL, &error));
  g_assert_no_error (error);
}

static gboolean
same_record (const ImgImportRecord *actual, gpointer data)
{
  const ImgImportRecord *expected = data;

  g_assert_cmpstr (actual->kind, ==, expected->kind);
  g_assert_cmpstr (actual->id, ==, expected->id);
  g_assert_cmpstr (actual->owner, ==, expected->owner);
  g_assert_cmpstr (actual->status, ==, expected->status);
  g_assert_cmpstr (actual->label, ==, expected->label);
  g_assert_cmpint (actual->created_us, ==, expected->created_us);
  g_assert_cmpstr (actual->body, ==, expected->body);
  return TRUE;
}

static void
every_field_comes_back (Catalog *catalog, gconstpointer unused)
{
  g_autofree char *long_name = g_strnfill (255, 'x');
  ImgImportRecord records[] = {
    { "image", "full", "owner", "active", "public", 1, 0, "{\"a\":1}" },
    { "image", "bare", NULL, NULL, NULL, -1, 0, "" },
    { "image", "empty", "", "", "", G_MAXINT64, 0, "{}" },
    { "bïld", "größe-画像-🖼", "Ünïcode", "状態", "\xf0\x9f\x96\xbc", G_MININT64, 0,
      "\"\\u0000é\"" },
    { long_name, long_name, "o", NULL, "l", 0, 0, "{}" },
  };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    catalog_put_record (catalog, &records[i]);
  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    g_assert_true (catalog->vtable->get (catalog->self, records[i].kind, records[i].id, same_record,
                                         &records[i], &error));
  g_assert_no_error (error);
}

#define N_THREADS 8
#define N_ROUNDS 50

static void
increment (Catalog *catalog)
{
  gboolean ok = FALSE;

  while (!ok)
    {
      g_autofree char *before = catalog_get (catalog, "counter", "c");
      const char *revision = strchr (before, '@');
      g_autofree char *body = g_strdup_printf ("%d", atoi (before) + 1);
      const ImgImportRecord record = { .kind = "counter", .id = "c", .body = body };
      const ImgImportOp put = { .kind = IMGIMPORT_OP_PUT,
                                .expected = atoi (revision + 1),
                                .record = &record };
      const ImgImportOp append = {
        .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = "count", .data = "x", .length = 1
      };
      const ImgImportOp *const ops[] = { &append, &put };
      g_autoptr (GError) error = NULL;

      ok = catalog->vtable->commit (catalog->self, ops, 2, atoi (body) % 16 == 0, &error);
      if (!ok)
        g_assert_cmpstr (imgimport_error_get_reason (error), ==, "revision-conflict");
    }
}

static gpointer
increment_often (gpointer data)
{
  for (guint i = 0; i < N_ROUNDS; i++)
    increment (data);
  return NULL;
}

static void
threads_that_retry_on_conflict_lose_no_update (Catalog *catalog, gconstpointer unused)
{
  GThread *threads[N_THREADS];
  g_autofree char *journal = NULL;

  catalog_put (catalog, "counter", "c", IMGIMPORT_REVISION_ABSENT, "0");
  for (guint i = 0; i < N_THREADS; i++)
    {
      threads[i] = _imgimport_thread_new ("increment", increment_often, catalog, NULL);
      g_assert_nonnull (threads[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  catalog_assert_record (catalog, "counter", "c", "400@401");
  /* "x" and a "|" between each two: a commit that lost has not appended. */
  journal = catalog_journal (catalog, "count");
  g_assert_cmpuint (strlen (journal), ==, 2 * N_THREADS * N_ROUNDS - 1);
}

void
catalog_add_commit_checks (const CatalogFactory *factory)
{
  catalog_add (factory, "first-put-has-revision-1", first_put_has_revision_1);
  catalog_add (factory, "put-expecting-absent-is-refused-where-it-exists",
               put_expecting_absent_is_refused_where_it_exists);
  catalog_add (factory, "each-put-raises-the-revision", each_put_raises_the_revision);
  catalog_add (factory, "any-revision-creates-too", any_revision_creates_too);
  catalog_add (factory, "another-revision-is-a-conflict-for-every-operation",
               another_revision_is_a_conflict_for_every_operation);
  catalog_add (factory, "a-revision-of-nothing-is-a-conflict-for-every-operation",
               a_revision_of_nothing_is_a_conflict_for_every_operation);
  catalog_add (factory, "remove-removes-and-the-next-put-begins-again",
               remove_removes_and_the_next_put_begins_again);
  catalog_add (factory, "removing-nothing-succeeds-where-that-is-expected",
               removing_nothing_succeeds_where_that_is_expected);
  catalog_add (factory, "kinds-do-not-share-ids", kinds_do_not_share_ids);
  catalog_add (factory, "operations-see-those-before-them", operations_see_those_before_them);
  catalog_add (factory, "when-the-last-operation-fails-nothing-is-changed",
               when_the_last_operation_fails_nothing_is_changed);
  catalog_add (factory, "an-empty-commit-succeeds", an_empty_commit_succeeds);
  catalog_add (factory, "durable-commits-do-the-same", durable_commits_do_the_same);
  catalog_add (factory, "malformed-operations-are-refused", malformed_operations_are_refused);
  catalog_add (factory, "get-of-nothing-succeeds-without-a-call",
               get_of_nothing_succeeds_without_a_call);
  catalog_add (factory, "every-field-comes-back", every_field_comes_back);
  catalog_add (factory, "threads-that-retry-on-conflict-lose-no-update",
               threads_that_retry_on_conflict_lose_no_update);
}
