/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalog-fixture.h"

static gpointer
open_memory (const char *directory, GError **error)
{
  return _imgimport_catalog_memory_new ();
}

#if HAVE_SQLITE
static gpointer
open_sqlite (const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, "catalog.sqlite", NULL);

  return _imgimport_catalog_sqlite_new (path, error);
}
#endif

static const CatalogFactory factories[] = {
  { "memory", &_imgimport_catalog_memory_vtable, open_memory, _imgimport_catalog_memory_free,
    FALSE },
#if HAVE_SQLITE
  { "sqlite", &_imgimport_catalog_sqlite_vtable, open_sqlite, _imgimport_catalog_sqlite_free,
    TRUE },
#endif
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (factories); i++)
    {
      catalog_add_commit_checks (&factories[i]);
      catalog_add_scan_checks (&factories[i]);
      catalog_add_journal_checks (&factories[i]);
      catalog_add_owner_checks (&factories[i]);
    }
  return g_test_run ();
}
