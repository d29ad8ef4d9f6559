/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-fixture.h"

#include "catalogs/catalogs-private.h"
#include "service/txn.h"

#include <glib/gstdio.h>

static ImgImportJournal *
open_memory (const char *directory, GError **error)
{
  return imgimport_journal_new_memory ();
}

static ImgImportJournal *
open_file (const char *directory, GError **error)
{
  return imgimport_journal_new_directory (directory, error);
}

static ImgImportJournal *
open_catalog (const ImgImportCatalogVTable *vtable, gpointer self, GDestroyNotify destroy,
              GError **error)
{
  g_autoptr (ImgImportCatalog) catalog = _imgimport_catalog_new (vtable, self, destroy, error);
  g_autofree char *owner = NULL;

  if (catalog == NULL || !_imgimport_catalog_owner_register (catalog, &owner, error))
    return NULL;
  return _imgimport_journal_new_catalog (catalog, owner, NULL, TRUE, error);
}

static ImgImportJournal *
open_catalog_memory (const char *directory, GError **error)
{
  return open_catalog (&_imgimport_catalog_memory_vtable, _imgimport_catalog_memory_new (),
                       _imgimport_catalog_memory_free, error);
}

/* Puts another file in the place of that with the claims. */
static void
usurp_file (const char *directory, const char *run)
{
  g_autofree char *path = g_build_filename (directory, "claims", NULL);

  g_assert_cmpint (g_unlink (path), ==, 0);
}

#if HAVE_SQLITE
/* Puts its own note in the place of that of the owner. */
static void
usurp_catalog (const char *directory, const char *run)
{
  g_autofree char *path = g_build_filename (directory, "catalog.sqlite", NULL);
  gpointer self = _imgimport_catalog_sqlite_new (path, NULL);
  const ImgImportRecord note = { .kind = IMGIMPORT_KIND_RUN, .id = run, .body = "{}" };
  const ImgImportOp op = { .kind = IMGIMPORT_OP_PUT,
                           .expected = IMGIMPORT_REVISION_ANY,
                           .record = &note };
  const ImgImportOp *const ops[] = { &op };

  g_assert_true (_imgimport_catalog_sqlite_vtable.commit (self, ops, 1, FALSE, NULL));
  _imgimport_catalog_sqlite_free (self);
}

static ImgImportJournal *
open_catalog_sqlite (const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, "catalog.sqlite", NULL);
  gpointer self = _imgimport_catalog_sqlite_new (path, error);

  if (self == NULL)
    return NULL;
  return open_catalog (&_imgimport_catalog_sqlite_vtable, self, _imgimport_catalog_sqlite_free,
                       error);
}
#endif

static const JournalFactory factories[] = {
  { "memory", open_memory, NULL },
  { "file", open_file, usurp_file },
  { "catalog-memory", open_catalog_memory, NULL },
#if HAVE_SQLITE
  { "catalog-sqlite", open_catalog_sqlite, usurp_catalog },
#endif
};

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (factories); i++)
    {
      journal_add_record_checks (&factories[i]);
      journal_add_claim_checks (&factories[i]);
    }
  return g_test_run ();
}
