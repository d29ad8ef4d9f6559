/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "flow/flow-private.h"

/* One implementation under test. */
typedef struct
{
  const char *name;
  ImgImportJournal *(*open) (const char *directory, GError **error);
  /* Gives the claim of a run away behind the back of who has it. NULL: a second object on the same
   * directory does not see the same records. */
  void (*usurp) (const char *directory, const char *run);
} JournalFactory;

typedef struct
{
  const JournalFactory *factory;
  char *directory;
  ImgImportJournal *journal;
} Journal;

typedef void (*JournalCheck) (Journal *journal, gconstpointer unused);

/* Adds a test "/contract/journal/<factory>/<name>" with a new, empty journal. */
void journal_add (const JournalFactory *factory, const char *name, JournalCheck check);

void journal_append (ImgImportJournal *journal, const char *run, const char *text);
void journal_forget (ImgImportJournal *journal, const char *run);
/* A run's records, separated by "|". */
char *journal_read (ImgImportJournal *journal, const char *run);
void journal_assert (ImgImportJournal *journal, const char *run, const char *expected);
ImgImportJournal *journal_reopen (Journal *journal);

void journal_add_record_checks (const JournalFactory *factory);
void journal_add_claim_checks (const JournalFactory *factory);
