/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-catalog.h>

G_BEGIN_DECLS

/**
 * ImgImportJournalVTable: (skip)
 *
 * Where a run writes what it is about to do and what came of it, so that another process can go on.
 * All slots but claim and release are mandatory; they are called from one thread at a time for the
 * same run, from any thread for different ones. A record is 1 byte to 1 MiB. A run claims, loads,
 * appends, and releases when it is over; only imgimport_journal_forget() forgets.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize struct_size;

  /* Appends one record. With `durable` it, and all before it, survive a power cut. An append that
   * was cut short may leave its beginning behind. Where the journal has claims and somebody else
   * has that of the run by now, it writes nothing and fails with BUSY (reason "run-claimed"): a
   * process that slept while its run was taken over cannot write into it. */
  gboolean (*append) (gpointer self, const char *run, const void *data, gsize length,
                      gboolean durable, GError **error);

  /* Calls `func` for each record of the run, in order; not at all where there is none. */
  gboolean (*load) (gpointer self, const char *run, ImgImportJournalFunc func, gpointer func_data,
                    GError **error);

  /* Drops the run's records; there need not be any. */
  gboolean (*forget) (gpointer self, const char *run, GError **error);

  /* Optional, together. Makes the run the caller's alone among all that use the same journal, also
   * in other processes, until it is released or this process ends; BUSY (reason "run-claimed")
   * where somebody has it. Without them it is the caller who sees to it that no run is run twice. */
  gboolean (*claim) (gpointer self, const char *run, GError **error);
  void (*release) (gpointer self, const char *run);
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
 * Returns: (transfer full): the journal; %NULL with %IMGIMPORT_ERROR_INVALID_ARGUMENT
 *   ("vtable-invalid") where a slot is missing
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportJournal *imgimport_journal_new (const ImgImportJournalVTable *vtable, gpointer user_data,
                                         GDestroyNotify destroy, GError **error);

/**
 * imgimport_journal_new_memory:
 *
 * A run belongs to one #ImgImportRun of this process at a time.
 *
 * Returns: (transfer full): a journal that lives as long as the object
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportJournal *imgimport_journal_new_memory (void);

/**
 * imgimport_journal_new_directory:
 * @directory: made, with its parents, where it is not there; it has to be the user's alone
 * @error: return location
 *
 * A journal in files, for any number of runs, threads and processes. Appends that have to survive a
 * power cut share their syncs, those of different runs too. A run belongs to one #ImgImportRun of one
 * process at a time, by a lock that the kernel drops with the process. Each process reads the records
 * of others once, however many runs it loads; what was forgotten costs space and that reading until
 * all of a file, 4 MiB or somewhat more, is forgotten.
 * What is damaged costs the runs that it belongs to their records from there on, and no other run
 * anything; see imgimport_run_is_journal_cut(). After a failed sync the journal takes nothing more.
 *
 * Returns: (transfer full): the journal; %NULL with %IMGIMPORT_ERROR_PERMISSION (reason
 *   "directory-not-private") or the error of the file system
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportJournal *imgimport_journal_new_directory (const char *directory, GError **error);

/**
 * imgimport_journal_forget:
 * @self: a journal
 * @run: the name of a run
 * @error: return location
 *
 * Drops what the journal holds of a run; there need not be anything. No run does so by itself, for
 * it cannot know whether its end has been taken note of: made once more, a run that is forgotten
 * begins anew, and one that is not ends at once as it did. Call it once the run has ended with
 * success, reverted, partially reverted or cancelled, from its done function on, and what came of it
 * is kept elsewhere or of no more interest.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_BUSY (reason "run-claimed") where the run is not over, or
 *   the error of the journal
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_journal_forget (ImgImportJournal *self, const char *run, GError **error);

G_END_DECLS
