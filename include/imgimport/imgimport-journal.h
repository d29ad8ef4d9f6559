/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-catalog.h>

G_BEGIN_DECLS

/**
 * ImgImportJournalVTable: (skip)
 *
 * Where a run writes what it is about to do and what came of it, so that another process can go on.
 * All slots are mandatory; they are called from one thread at a time for the same run, from any
 * thread for different ones. A record is 1 byte to 1 MiB.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize struct_size;

  /* Appends one record. With `durable` it, and all before it, survive a power cut. An append that
   * was cut short may leave its beginning behind. */
  gboolean (*append) (gpointer self, const char *run, const void *data, gsize length,
                      gboolean durable, GError **error);

  /* Calls `func` for each record of the run, in order; not at all where there is none. */
  gboolean (*load) (gpointer self, const char *run, ImgImportJournalFunc func, gpointer func_data,
                    GError **error);

  /* Drops the run's records; there need not be any. */
  gboolean (*forget) (gpointer self, const char *run, GError **error);
} ImgImportJournalVTable;

#define IMGIMPORT_JOURNAL_VTABLE_INIT .struct_size = sizeof (ImgImportJournalVTable)

#define IMGIMPORT_TYPE_JOURNAL (imgimport_journal_get_type ())

/**
 * ImgImportJournal:
 *
 * A journal for any number of runs.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportJournal, imgimport_journal, IMGIMPORT, JOURNAL, GObject)

/**
 * imgimport_journal_new: (skip)
 * @vtable: copied
 * @user_data: the `self` of the slots
 * @destroy: (nullable): frees @user_data exactly once, also on failure
 * @error: return location
 *
 * Returns: (transfer full): the journal; %NULL with %IMGIMPORT_ERROR_INVALID_ARGUMENT where a slot
 *   is missing
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportJournal *imgimport_journal_new (const ImgImportJournalVTable *vtable, gpointer user_data,
                                         GDestroyNotify destroy, GError **error);

/**
 * imgimport_journal_new_memory:
 *
 * Returns: (transfer full): a journal that lives as long as the object
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportJournal *imgimport_journal_new_memory (void);

G_END_DECLS
