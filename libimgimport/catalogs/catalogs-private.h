/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The built-in catalogs. Each is a vtable of imgimport-catalog.h and a `self` for it.
 */

#include <imgimport/imgimport-catalog.h>

#include "imgimport-config.h"

G_BEGIN_DECLS

/* Lives and dies with the object; "durable" means nothing to it. */
extern const ImgImportCatalogVTable _imgimport_catalog_memory_vtable;
gpointer _imgimport_catalog_memory_new (void);
void _imgimport_catalog_memory_free (gpointer self);

#if HAVE_SQLITE
/* A database file at `path`, made with mode 0600 if absent, in a directory the caller has found to
 * be private. Beside it lie SQLite's `-wal` and `-shm` and our `-owners`. Any number of objects, in
 * any number of processes of this host, may have the same file open.
 *
 * NULL with CORRUPT "catalog-corrupt" for a file that is no catalog or a damaged one, NOT_SUPPORTED
 * "catalog-schema" for one that a newer version has written; else as _imgimport_set_error_errno().
 * A file that is refused is not changed.
 *
 * What the slots answer beyond their contract: NO_SPACE "catalog-full", CORRUPT "catalog-corrupt",
 * TIMED_OUT "catalog-busy" after the busy timeout. */
extern const ImgImportCatalogVTable _imgimport_catalog_sqlite_vtable;
gpointer _imgimport_catalog_sqlite_new (const char *path, GError **error);
gpointer _imgimport_catalog_sqlite_new_with_timeout (const char *path, guint busy_timeout_ms,
                                                     GError **error);
void _imgimport_catalog_sqlite_free (gpointer self);
#endif

/* ---- shared by the built-in catalogs ----------------------------------------------------------
 */

/* FALSE with INVALID_ARGUMENT "operation-invalid" where one is not as ImgImportOp says. */
gboolean _imgimport_catalog_check_ops (const ImgImportOp *const *ops, guint n_ops, GError **error);

/* FALSE with BUSY "revision-conflict" unless `actual`, 0 where there is no record, is as the
 * operation expects. */
gboolean _imgimport_catalog_check_revision (const ImgImportOp *op, gint64 actual, GError **error);

/* Whether the record passes the filters and bounds of the query; its kind is not looked at. */
gboolean _imgimport_catalog_query_matches (const ImgImportQuery *query,
                                           const ImgImportRecord *record);

/* Owner ids are positive decimal numbers. 0 for anything else. */
gint64 _imgimport_catalog_owner_to_number (const char *owner_id);
char *_imgimport_catalog_owner_from_number (gint64 number);

G_END_DECLS
