/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/base-private.h"
#include "catalogs/catalogs-private.h"

/* One implementation under test. */
typedef struct
{
  const char *name;
  const ImgImportCatalogVTable *vtable;
  gpointer (*open) (const char *directory, GError **error);
  void (*free) (gpointer self);
  gboolean is_shared; /* a second object on the same directory sees the same records */
} CatalogFactory;

typedef struct
{
  const CatalogFactory *factory;
  const ImgImportCatalogVTable *vtable;
  char *directory;
  gpointer self;
} Catalog;

typedef void (*CatalogCheck) (Catalog *catalog, gconstpointer unused);

/* Adds a test "/contract/catalog/<factory>/<name>" with a new, empty catalog. */
void catalog_add (const CatalogFactory *factory, const char *name, CatalogCheck check);

void catalog_add_commit_checks (const CatalogFactory *factory);
void catalog_add_scan_checks (const CatalogFactory *factory);
void catalog_add_journal_checks (const CatalogFactory *factory);
void catalog_add_owner_checks (const CatalogFactory *factory);

/* One commit of one operation each; these must succeed. */
void catalog_put (Catalog *catalog, const char *kind, const char *id, gint64 expected,
                  const char *body);
void catalog_put_record (Catalog *catalog, const ImgImportRecord *record);
void catalog_append (Catalog *catalog, const char *journal, const char *text);

/* Asserts that the operations, a NULL-terminated list, are refused for that reason. */
void catalog_refuses (Catalog *catalog, const ImgImportOp *const *ops, ImgImportError code,
                      const char *reason);

/* The body and revision of a record as "<body>@<revision>"; NULL where there is none. */
char *catalog_get (Catalog *catalog, const char *kind, const char *id);
/* The ids that a scan answers, separated by spaces. */
char *catalog_scan (Catalog *catalog, const ImgImportQuery *query);
/* A journal's records, separated by "|". */
char *catalog_journal (Catalog *catalog, const char *journal);

void catalog_assert_record (Catalog *catalog, const char *kind, const char *id,
                            const char *expected);
void catalog_assert_scan (Catalog *catalog, const ImgImportQuery *query, const char *expected);
void catalog_assert_journal (Catalog *catalog, const char *journal, const char *expected);
