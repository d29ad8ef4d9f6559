/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalog-sqlite.h"

#define FAILED IMGIMPORT_ERROR_FAILED, "catalog-failed"

typedef struct
{
  int action;
  const char *argument; /* a table or, of a transaction, what it does; NULL: any */
} Denial;

static int
authorize (void *data, int action, const char *first, const char *second, const char *database,
           const char *trigger)
{
  const Denial *denial = data;
  gboolean denied = action == denial->action &&
                    (denial->argument == NULL || g_strcmp0 (first, denial->argument) == 0);

  return denied ? SQLITE_DENY : SQLITE_OK;
}

static gboolean
commit_all (Place *place, GError **error)
{
  const ImgImportRecord record = { .kind = "image", .id = "a", .body = "{}" };
  const ImgImportOp put_op = { .kind = IMGIMPORT_OP_PUT, .record = &record };
  const ImgImportOp remove = { .kind = IMGIMPORT_OP_REMOVE, .expected = 1, .record = &record };
  const ImgImportOp append = {
    .kind = IMGIMPORT_OP_JOURNAL_APPEND, .journal = "run", .data = "x", .length = 1
  };
  const ImgImportOp forget = { .kind = IMGIMPORT_OP_JOURNAL_FORGET, .journal = "run" };
  const ImgImportOp *const ops[] = { &put_op, &remove, &append, &forget };

  return VTABLE.commit (place->catalog, ops, 4, FALSE, error);
}

static void
a_statement_that_fails_fails_the_commit (Place *place, gconstpointer unused)
{
  const Denial denials[] = {
    { SQLITE_TRANSACTION, "BEGIN" }, { SQLITE_TRANSACTION, "COMMIT" }, { SQLITE_READ, "records" },
    { SQLITE_INSERT, "records" },    { SQLITE_UPDATE, "records" },     { SQLITE_DELETE, "records" },
    { SQLITE_INSERT, "journal" },    { SQLITE_DELETE, "journal" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (denials); i++)
    {
      g_autoptr (GError) error = NULL;

      place_open (place);
      sqlite3_set_authorizer (place->catalog->writer->db, authorize, (gpointer)&denials[i]);
      g_assert_false (commit_all (place, &error));
      assert_error (error, FAILED);
      sqlite3_set_authorizer (place->catalog->writer->db, NULL, NULL);
      g_assert_true (commit_all (place, NULL));
      place_close (place);
    }
}

typedef struct
{
  Place *place;
  const char *id;
  gint64 expected; /* of a record that is not there */
  GError *error;
} Putter;

static gpointer
put_and_check (gpointer data)
{
  Putter *self = data;
  const ImgImportRecord record = { .kind = "image", .id = self->id, .body = "{}" };
  const ImgImportRecord absent = { .kind = "image", .id = "absent" };
  const ImgImportOp put_op = { .kind = IMGIMPORT_OP_PUT, .record = &record };
  const ImgImportOp check = { .kind = IMGIMPORT_OP_CHECK,
                              .expected = self->expected,
                              .record = &absent };
  const ImgImportOp *const ops[] = { &put_op, &check };

  VTABLE.commit (self->place->catalog, ops, 2, FALSE, &self->error);
  return NULL;
}

/* Without a savepoint of its own, each is committed alone. */
static void
what_cannot_be_parted_in_one_transaction_gets_its_own (Place *place, gconstpointer unused)
{
  const Denial denials[] = { { SQLITE_SAVEPOINT, "BEGIN" },
                             { SQLITE_SAVEPOINT, "ROLLBACK" },
                             { SQLITE_SAVEPOINT, "RELEASE" } };

  for (guint i = 0; i < G_N_ELEMENTS (denials); i++)
    {
      Putter good = { place, "good", IMGIMPORT_REVISION_ABSENT, NULL };
      Putter bad = { place, "bad", 7, NULL };
      gpointer putters[] = { &bad, &good };

      place_open (place);
      sqlite3_set_authorizer (place->catalog->writer->db, authorize, (gpointer)&denials[i]);
      run_together (place, put_and_check, putters, 2);
      g_assert_no_error (good.error);
      assert_error (bad.error, IMGIMPORT_ERROR_BUSY, "revision-conflict");
      g_clear_error (&bad.error);
      assert_body (place->catalog, "good", "{}");
      assert_body (place->catalog, "bad", NULL);
      place_close (place);
      g_assert_cmpint (g_unlink (place->path), ==, 0);
    }
}

static void
a_change_of_durability_that_fails_fails_the_commit (Place *place, gconstpointer unused)
{
  const Denial pragma = { SQLITE_PRAGMA, "synchronous" };
  const Denial touch = { SQLITE_UPDATE, "touch" };
  g_autoptr (GError) error = NULL;

  place_open (place);
  sqlite3_set_authorizer (place->catalog->writer->db, authorize, (gpointer)&pragma);
  g_assert_false (put (place->catalog, "a", "{}", FALSE, &error));
  assert_error (error, FAILED);
  g_clear_error (&error);
  sqlite3_set_authorizer (place->catalog->writer->db, authorize, (gpointer)&touch);
  g_assert_false (VTABLE.commit (place->catalog, NULL, 0, TRUE, &error));
  assert_error (error, FAILED);
}

static void
an_owner_that_cannot_be_written_is_none (Place *place, gconstpointer unused)
{
  const Denial denials[] = { { SQLITE_INSERT, "owners" }, { SQLITE_DELETE, "owners" } };
  char *owner = NULL;

  place_open (place);
  for (guint i = 0; i < G_N_ELEMENTS (denials); i++)
    {
      g_autoptr (GError) error = NULL;

      sqlite3_set_authorizer (place->catalog->writer->db, authorize, (gpointer)&denials[i]);
      g_assert_false (VTABLE.owner_register (place->catalog, &owner, &error));
      assert_error (error, FAILED);
      g_assert_null (owner);
    }
}

static void
owners_are_not_guessed_where_locks_fail (Place *place, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  gboolean alive = FALSE;
  char *owner = NULL;

  place_open (place);
  _imgimport_fd_close (_imgimport_fd_steal (&place->catalog->owners_fd));
  _imgimport_fd_close (_imgimport_fd_steal (&place->catalog->probe_fd));
  g_assert_false (VTABLE.owner_register (place->catalog, &owner, &error));
  assert_error (error, IMGIMPORT_ERROR_FAILED, "io-error");
  g_clear_error (&error);
  g_assert_false (VTABLE.owner_is_alive (place->catalog, "1", &alive, &error));
  assert_error (error, IMGIMPORT_ERROR_FAILED, "io-error");
}

static void
a_number_still_locked_is_passed_over (Place *place, gconstpointer unused)
{
  Place former = { 0 };
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  place_open (place);
  g_assert_true (VTABLE.owner_register (place->catalog, &first, NULL));
  g_assert_cmpstr (first, ==, "1");
  former.catalog = g_steal_pointer (&place->catalog);
  /* Somebody removes the database, and the numbers of the new one begin again. */
  g_assert_cmpint (g_unlink (place->path), ==, 0);
  {
    g_autofree char *wal = g_strconcat (place->path, "-wal", NULL);
    g_autofree char *shm = g_strconcat (place->path, "-shm", NULL);

    g_assert_cmpint (g_unlink (wal), ==, 0);
    g_assert_cmpint (g_unlink (shm), ==, 0);
  }
  place_open (place);
  g_assert_true (VTABLE.owner_register (place->catalog, &second, NULL));
  g_assert_cmpstr (second, ==, "2");
  place_close (&former);
}

static void
tables_that_are_gone_fail_every_read (Place *place, gconstpointer unused)
{
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "image" };
  g_autoptr (GError) error = NULL;
  guint n = 0;

  place_open (place);
  run_sql (place->path, "DROP TABLE records; DROP TABLE journal");
  g_assert_null (get_body (place->catalog, "a", &error));
  assert_error (error, FAILED);
  g_clear_error (&error);
  g_assert_false (VTABLE.scan (place->catalog, &query, count_record, &n, &error));
  assert_error (error, FAILED);
  g_clear_error (&error);
  g_assert_false (VTABLE.journal_load (place->catalog, "j", count_entry, &n, &error));
  assert_error (error, FAILED);
}
#define ADD(name, func)                                                                            \
  g_test_add ("/catalog-sqlite/denied/" name, Place, NULL, place_set_up, func, place_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("a-statement-that-fails-fails-the-commit", a_statement_that_fails_fails_the_commit);
  ADD ("what-cannot-be-parted-in-one-transaction-gets-its-own",
       what_cannot_be_parted_in_one_transaction_gets_its_own);
  ADD ("a-change-of-durability-that-fails-fails-the-commit",
       a_change_of_durability_that_fails_fails_the_commit);
  ADD ("an-owner-that-cannot-be-written-is-none", an_owner_that_cannot_be_written_is_none);
  ADD ("owners-are-not-guessed-where-locks-fail", owners_are_not_guessed_where_locks_fail);
  ADD ("a-number-still-locked-is-passed-over", a_number_still_locked_is_passed_over);
  ADD ("tables-that-are-gone-fail-every-read", tables_that_are_gone_fail_every_read);
  return g_test_run ();
}
