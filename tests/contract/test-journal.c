/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-fixture.h"

#include "catalogs/catalogs-private.h"
#include "service/service-private.h"

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
  ImgImportCatalog *catalog = _imgimport_catalog_new (vtable, self, destroy, error);
  ImgImportJournal *journal = NULL;

  if (catalog == NULL)
    return NULL;
  journal = _imgimport_journal_new_catalog (catalog, TRUE, error);
  _imgimport_catalog_unref (catalog);
  return journal;
}

static ImgImportJournal *
open_catalog_memory (const char *directory, GError **error)
{
  return open_catalog (&_imgimport_catalog_memory_vtable, _imgimport_catalog_memory_new (),
                       _imgimport_catalog_memory_free, error);
}

#if HAVE_SQLITE
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
  { "memory", open_memory, FALSE, FALSE },
  { "file", open_file, TRUE, TRUE },
  { "catalog-memory", open_catalog_memory, FALSE, FALSE },
#if HAVE_SQLITE
  { "catalog-sqlite", open_catalog_sqlite, TRUE, FALSE },
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
