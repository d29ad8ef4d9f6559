/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where everything lies that a plug-in compiled earlier relies on: slots are only ever appended,
 * values never renumbered. Most is checked by the compiler.
 */
#include <imgimport/imgimport.h>

/* The n-th pointer-sized member, counted from 0. */
#define SLOT(Type, n, member) G_STATIC_ASSERT (offsetof (Type, member) == (n) * sizeof (gpointer))
#define VALUE(name, value) G_STATIC_ASSERT ((int)IMGIMPORT_##name == (value))

SLOT (ImgImportStoreVTable, 0, struct_size);
SLOT (ImgImportStoreVTable, 1, begin);
SLOT (ImgImportStoreVTable, 2, write);
SLOT (ImgImportStoreVTable, 3, commit);
SLOT (ImgImportStoreVTable, 4, abort);
SLOT (ImgImportStoreVTable, 5, open);
SLOT (ImgImportStoreVTable, 6, read);
SLOT (ImgImportStoreVTable, 7, close);
SLOT (ImgImportStoreVTable, 8, stat);
SLOT (ImgImportStoreVTable, 9, remove);
SLOT (ImgImportStoreVTable, 10, local_fd);
SLOT (ImgImportStoreVTable, 11, adopt);
SLOT (ImgImportStoreVTable, 12, next_extent);

SLOT (ImgImportCatalogVTable, 0, struct_size);
SLOT (ImgImportCatalogVTable, 1, get);
SLOT (ImgImportCatalogVTable, 2, scan);
SLOT (ImgImportCatalogVTable, 3, commit);
SLOT (ImgImportCatalogVTable, 4, journal_load);
SLOT (ImgImportCatalogVTable, 5, owner_register);
SLOT (ImgImportCatalogVTable, 6, owner_is_alive);

SLOT (ImgImportMethodVTable, 0, struct_size);
SLOT (ImgImportMethodVTable, 1, required_status);
SLOT (ImgImportMethodVTable, 2, check);
SLOT (ImgImportMethodVTable, 3, open);
SLOT (ImgImportMethodVTable, 4, read);
SLOT (ImgImportMethodVTable, 5, close);

SLOT (ImgImportHookVTable, 0, struct_size);
SLOT (ImgImportHookVTable, 1, configure);
SLOT (ImgImportHookVTable, 2, metadata);
SLOT (ImgImportHookVTable, 3, open);
SLOT (ImgImportHookVTable, 4, read);
SLOT (ImgImportHookVTable, 5, close);

SLOT (ImgImportTaskVTable, 0, struct_size);
SLOT (ImgImportTaskVTable, 1, execute);
SLOT (ImgImportTaskVTable, 2, revert);
SLOT (ImgImportTaskVTable, 3, start);

SLOT (ImgImportJournalVTable, 0, struct_size);
SLOT (ImgImportJournalVTable, 1, append);
SLOT (ImgImportJournalVTable, 2, load);
SLOT (ImgImportJournalVTable, 3, forget);
SLOT (ImgImportJournalVTable, 4, claim);
SLOT (ImgImportJournalVTable, 5, release);

SLOT (ImgImportRecord, 0, kind);
SLOT (ImgImportRecord, 1, id);
SLOT (ImgImportRecord, 2, owner);
SLOT (ImgImportRecord, 3, status);
SLOT (ImgImportRecord, 4, label);

SLOT (ImgImportQuery, 0, struct_size);
SLOT (ImgImportQuery, 1, kind);
SLOT (ImgImportQuery, 2, owner);
SLOT (ImgImportQuery, 3, status);
SLOT (ImgImportQuery, 4, label);

#if GLIB_SIZEOF_VOID_P == 8
SLOT (ImgImportRecord, 5, created_us);
SLOT (ImgImportRecord, 6, revision);
SLOT (ImgImportRecord, 7, body);

SLOT (ImgImportQuery, 5, created_from_us);
SLOT (ImgImportQuery, 6, created_to_us);
SLOT (ImgImportQuery, 7, marker_created_us);
SLOT (ImgImportQuery, 8, marker_id);
SLOT (ImgImportQuery, 9, limit);

SLOT (ImgImportOp, 0, kind);
SLOT (ImgImportOp, 1, expected);
SLOT (ImgImportOp, 2, record);
SLOT (ImgImportOp, 3, journal);
SLOT (ImgImportOp, 4, data);
SLOT (ImgImportOp, 5, length);
#endif

VALUE (ERROR_FAILED, 0);
VALUE (ERROR_INVALID_ARGUMENT, 1);
VALUE (ERROR_INVALID_STATE, 2);
VALUE (ERROR_NOT_FOUND, 3);
VALUE (ERROR_EXISTS, 4);
VALUE (ERROR_NOT_SUPPORTED, 5);
VALUE (ERROR_PERMISSION, 6);
VALUE (ERROR_NO_SPACE, 7);
VALUE (ERROR_LIMIT, 8);
VALUE (ERROR_CORRUPT, 9);
VALUE (ERROR_UNAVAILABLE, 10);
VALUE (ERROR_TIMED_OUT, 11);
VALUE (ERROR_BUSY, 12);
VALUE (ERROR_PLUGIN, 13);

VALUE (STATUS_QUEUED, 0);
VALUE (STATUS_UPLOADING, 2);
VALUE (STATUS_DELETED, 8);
VALUE (OP_PUT, 1);
VALUE (OP_REMOVE, 2);
VALUE (OP_CHECK, 3);
VALUE (OP_JOURNAL_APPEND, 4);
VALUE (OP_JOURNAL_FORGET, 5);
VALUE (ADOPTED_BY_LINK, 0);
VALUE (ADOPTED_BY_REFLINK, 1);
VALUE (ADOPTED_BY_COPY, 2);

/* The initialiser that plug-ins use tells the size of the whole table, as they were compiled. */
static void
initialisers_tell_the_size (void)
{
  const ImgImportStoreVTable store = { IMGIMPORT_STORE_VTABLE_INIT };
  const ImgImportCatalogVTable catalog = { IMGIMPORT_CATALOG_VTABLE_INIT };
  const ImgImportMethodVTable method = { IMGIMPORT_METHOD_VTABLE_INIT };
  const ImgImportHookVTable hook = { IMGIMPORT_HOOK_VTABLE_INIT };
  const ImgImportTaskVTable task = { IMGIMPORT_TASK_VTABLE_INIT };
  const ImgImportJournalVTable journal = { IMGIMPORT_JOURNAL_VTABLE_INIT };

  g_assert_cmpuint (store.struct_size, ==, 13 * sizeof (gpointer));
  g_assert_cmpuint (catalog.struct_size, ==, 7 * sizeof (gpointer));
  g_assert_cmpuint (method.struct_size, ==, 6 * sizeof (gpointer));
  g_assert_cmpuint (hook.struct_size, ==, 6 * sizeof (gpointer));
  g_assert_cmpuint (task.struct_size, ==, 4 * sizeof (gpointer));
  g_assert_cmpuint (journal.struct_size, ==, 6 * sizeof (gpointer));
}

static void
the_library_is_of_the_headers_version (void)
{
  g_assert_cmpstr (imgimport_version (), ==, IMGIMPORT_VERSION_S);
  g_assert_true (IMGIMPORT_CHECK_VERSION (IMGIMPORT_MAJOR_VERSION, IMGIMPORT_MINOR_VERSION,
                                          IMGIMPORT_MICRO_VERSION));
  g_assert_false (IMGIMPORT_CHECK_VERSION (IMGIMPORT_MAJOR_VERSION, IMGIMPORT_MINOR_VERSION,
                                           IMGIMPORT_MICRO_VERSION + 1));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/abi/initialisers-tell-the-size", initialisers_tell_the_size);
  g_test_add_func ("/abi/the-library-is-of-the-headers-version",
                   the_library_is_of_the_headers_version);
  return g_test_run ();
}
