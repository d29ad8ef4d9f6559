/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <sqlite3.h>

#include "base/base-private.h"
#include "catalogs/catalogs-private.h"

/*
 * What a catalog of 100 000 images costs, beside a rival measured in the same run: for the SQLite
 * catalog bare prepared statements on the same file, and a scan without an index for a page. The
 * last column is the rival's time divided by the catalog's: above 1 the catalog is faster.
 */

#define N_IMAGES 100000
#define N_OWNERS 100
#define N_LOOKUPS 20000
#define N_PAGES 500
#define N_LINEAR 5
#define PAGE 100
#define PER_COMMIT 500

typedef struct
{
  const char *name;
  const ImgImportCatalogVTable *vtable;
  gpointer self;
} Catalog;

static void
print_row (const char *catalog, const char *what, double us, double rival_us)
{
  g_print ("%-7s %-34s %10.1f us", catalog, what, us);
  if (rival_us > 0)
    g_print ("   rival %10.1f us   x%.2f", rival_us, rival_us / us);
  g_print ("\n");
}

/* In the order of creation ids are scattered, as UUIDs are. */
static char *
image_id (guint n)
{
  return g_strdup_printf ("%08x-0000-4000-8000-%012x", n * 2654435761u, n);
}

static void
put_images (const Catalog *catalog, guint first)
{
  ImgImportRecord records[PER_COMMIT] = { { 0 } };
  ImgImportOp ops[PER_COMMIT] = { { 0 } };
  const ImgImportOp *pointers[PER_COMMIT] = { NULL };
  g_autofree char *body = g_strnfill (800, 'b');
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  gboolean ok = FALSE;

  for (guint i = 0; i < PER_COMMIT; i++)
    {
      char *id = image_id (first + i);
      char *owner = g_strdup_printf ("owner-%u", (first + i) % N_OWNERS);

      g_ptr_array_add (texts, id);
      g_ptr_array_add (texts, owner);
      records[i] = (ImgImportRecord){ "image",
                                      id,
                                      owner,
                                      (first + i) % 50 == 0 ? "queued" : "active",
                                      (first + i) % 3 == 0 ? "public" : "private",
                                      (gint64)(first + i) * 1000,
                                      0,
                                      body };
      ops[i] = (ImgImportOp){ .kind = IMGIMPORT_OP_PUT, .record = &records[i] };
      pointers[i] = &ops[i];
    }
  ok = catalog->vtable->commit (catalog->self, pointers, PER_COMMIT, FALSE, NULL);
  g_assert_true (ok);
}

static void
build (const Catalog *catalog)
{
  gint64 began_us = g_get_monotonic_time ();

  for (guint first = 0; first < N_IMAGES; first += PER_COMMIT)
    put_images (catalog, first);
  print_row (catalog->name, "put, 500 a commit, each",
             (double)(g_get_monotonic_time () - began_us) / N_IMAGES, 0);
}

static gboolean
count (const ImgImportRecord *record, gpointer n_records)
{
  *(guint *)n_records += record->body != NULL ? 1 : 0;
  return TRUE;
}

static double
time_gets (const Catalog *catalog)
{
  gint64 began_us = g_get_monotonic_time ();
  guint n_records = 0;

  for (guint i = 0; i < N_LOOKUPS; i++)
    {
      g_autofree char *id = image_id (i * 7919u % N_IMAGES);

      catalog->vtable->get (catalog->self, "image", id, count, &n_records, NULL);
    }
  g_assert_cmpuint (n_records, ==, N_LOOKUPS);
  return (double)(g_get_monotonic_time () - began_us) / N_LOOKUPS;
}

/* Pages of one owner that begin anywhere. */
static double
time_pages (const Catalog *catalog)
{
  gint64 began_us = g_get_monotonic_time ();
  guint n_records = 0;

  for (guint i = 0; i < N_PAGES; i++)
    {
      g_autofree char *owner = g_strdup_printf ("owner-%u", i % N_OWNERS);
      const ImgImportQuery query = {
        IMGIMPORT_QUERY_INIT, .kind = "image",
        .owner = owner,       .marker_created_us = 50000000 + (gint64)i * 1000,
        .marker_id = "x",     .limit = PAGE
      };

      catalog->vtable->scan (catalog->self, &query, count, &n_records, NULL);
    }
  g_assert_cmpuint (n_records, ==, N_PAGES * PAGE);
  return (double)(g_get_monotonic_time () - began_us) / N_PAGES;
}

static double
time_puts (const Catalog *catalog, gboolean durable, guint n_puts)
{
  gint64 began_us = g_get_monotonic_time ();

  for (guint i = 0; i < n_puts; i++)
    {
      g_autofree char *id = image_id (i);
      const ImgImportRecord record = { "image", id, "owner-0", "active", "public", 5, 0, "{}" };
      const ImgImportOp op = { .kind = IMGIMPORT_OP_PUT,
                               .expected = IMGIMPORT_REVISION_ANY,
                               .record = &record };
      const ImgImportOp *const ops[] = { &op };
      gboolean ok = catalog->vtable->commit (catalog->self, ops, 1, durable, NULL);

      g_assert_true (ok);
    }
  return (double)(g_get_monotonic_time () - began_us) / n_puts;
}

/* ---- the rival */

static double
time_bare_gets (sqlite3 *db)
{
  sqlite3_stmt *statement = NULL;
  gint64 began_us = 0;
  int rc = sqlite3_prepare_v2 (db, "SELECT body FROM records WHERE kind = 'image' AND id = ?1", -1,
                               &statement, NULL);

  g_assert_cmpint (rc, ==, SQLITE_OK);
  began_us = g_get_monotonic_time ();
  for (guint i = 0; i < N_LOOKUPS; i++)
    {
      g_autofree char *id = image_id (i * 7919u % N_IMAGES);

      sqlite3_bind_text (statement, 1, id, -1, SQLITE_STATIC);
      rc = sqlite3_step (statement);
      g_assert_cmpint (rc, ==, SQLITE_ROW);
      g_assert_nonnull (sqlite3_column_text (statement, 0));
      sqlite3_reset (statement);
    }
  sqlite3_finalize (statement);
  return (double)(g_get_monotonic_time () - began_us) / N_LOOKUPS;
}

/* A page of one owner, out of all images in no order. */
static double
time_linear_pages (sqlite3 *db)
{
  sqlite3_stmt *statement = NULL;
  gint64 began_us = 0;
  guint n_rows = 0;
  int rc = sqlite3_prepare_v2 (db,
                               "SELECT body FROM records NOT INDEXED WHERE kind = 'image'"
                               " AND owner = ?1 AND created_us < 50000000"
                               " ORDER BY created_us DESC, id DESC LIMIT 100",
                               -1, &statement, NULL);

  g_assert_cmpint (rc, ==, SQLITE_OK);
  began_us = g_get_monotonic_time ();
  for (guint i = 0; i < N_LINEAR; i++)
    {
      g_autofree char *owner = g_strdup_printf ("owner-%u", i);

      sqlite3_bind_text (statement, 1, owner, -1, SQLITE_STATIC);
      while (sqlite3_step (statement) == SQLITE_ROW)
        n_rows++;
      sqlite3_reset (statement);
    }
  g_assert_cmpuint (n_rows, ==, N_LINEAR * PAGE);
  sqlite3_finalize (statement);
  return (double)(g_get_monotonic_time () - began_us) / N_LINEAR;
}

static void
bench_memory (void)
{
  const Catalog catalog = { "memory", &_imgimport_catalog_memory_vtable,
                            _imgimport_catalog_memory_new () };

  build (&catalog);
  print_row (catalog.name, "get", time_gets (&catalog), 0);
  print_row (catalog.name, "page of 100 of an owner", time_pages (&catalog), 0);
  print_row (catalog.name, "put", time_puts (&catalog, FALSE, 5000), 0);
  _imgimport_catalog_memory_free (catalog.self);
}

static void
bench_sqlite (const char *path)
{
  Catalog catalog = { "sqlite", &_imgimport_catalog_sqlite_vtable,
                      _imgimport_catalog_sqlite_new (path, NULL) };
  sqlite3 *db = NULL;
  gint64 began_us = 0;
  int rc = SQLITE_OK;

  g_assert_nonnull (catalog.self);
  build (&catalog);
  _imgimport_catalog_sqlite_free (catalog.self);
  began_us = g_get_monotonic_time ();
  catalog.self = _imgimport_catalog_sqlite_new (path, NULL);
  g_assert_nonnull (catalog.self);
  print_row (catalog.name, "open", (double)(g_get_monotonic_time () - began_us), 0);
  rc = sqlite3_open (path, &db);
  g_assert_cmpint (rc, ==, SQLITE_OK);
  time_gets (&catalog); /* what the system has not yet read is nobody's fault */
  print_row (catalog.name, "get", time_gets (&catalog), time_bare_gets (db));
  print_row (catalog.name, "page of 100 of an owner", time_pages (&catalog),
             time_linear_pages (db));
  print_row (catalog.name, "put, all fields new", time_puts (&catalog, FALSE, 2000), 0);
  print_row (catalog.name, "put, body new", time_puts (&catalog, FALSE, 2000), 0);
  print_row (catalog.name, "put, durable", time_puts (&catalog, TRUE, 200), 0);
  sqlite3_close (db);
  _imgimport_catalog_sqlite_free (catalog.self);
}

int
main (void)
{
  g_autofree char *directory = g_dir_make_tmp ("imgimport-bench-XXXXXX", NULL);
  g_autofree char *path = NULL;
  g_autofree char *owners = NULL;

  g_assert_nonnull (directory);
  path = g_build_filename (directory, "catalog.sqlite", NULL);
  owners = g_strconcat (path, "-owners", NULL);
  bench_memory ();
  bench_sqlite (path);
  g_unlink (path);
  g_unlink (owners);
  g_rmdir (directory);
  return 0;
}
