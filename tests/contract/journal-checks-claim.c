/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-fixture.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void
assert_claimed (ImgImportJournal *journal, const char *run)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (_imgimport_journal_claim (journal, run, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_BUSY);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "run-claimed");
}

static void
claim (ImgImportJournal *journal, const char *run)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (_imgimport_journal_claim (journal, run, &error));
  g_assert_no_error (error);
}

static void
a_run_has_one_claim (Journal *journal, gconstpointer unused)
{
  g_autoptr (ImgImportJournal) other = journal_reopen (journal);

  claim (journal->journal, "run");
  claim (journal->journal, "another");
  assert_claimed (journal->journal, "run");
  assert_claimed (other, "run");
  _imgimport_journal_release (other, "run");
  assert_claimed (other, "run");
  _imgimport_journal_release (journal->journal, "run");
  claim (other, "run");
  assert_claimed (journal->journal, "run");
  assert_claimed (other, "another");
}

static void
who_claims_sees_what_the_last_one_wrote (Journal *journal, gconstpointer unused)
{
  g_autoptr (ImgImportJournal) other = journal_reopen (journal);

  claim (journal->journal, "run");
  journal_append (journal->journal, "run", "one");
  _imgimport_journal_release (journal->journal, "run");
  claim (other, "run");
  journal_append (other, "run", "two");
  _imgimport_journal_release (other, "run");
  claim (journal->journal, "run");
  journal_append (journal->journal, "run", "three");
  journal_assert (journal->journal, "run", "one|two|three");
}

/* The child says that it has the claim, and is killed while it has it. */
static void
the_claim_of_a_killed_process_is_free (Journal *journal, gconstpointer unused)
{
  int pipe_fds[2];
  pid_t child;
  char byte;

  g_assert_cmpint (pipe (pipe_fds), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      ImgImportJournal *own = journal->factory->open (journal->directory, NULL);

      /* Nor does it outlive a test that failed. */
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      _imgimport_journal_claim (own, "run", NULL);
      _imgimport_journal_append (own, "run", "one", 3, FALSE, NULL);
      if (write (pipe_fds[1], "x", 1) == 1)
        pause ();
      _exit (1);
    }
  g_assert_cmpint (read (pipe_fds[0], &byte, 1), ==, 1);
  assert_claimed (journal->journal, "run");
  g_assert_cmpint (kill (child, SIGKILL), ==, 0);
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
  claim (journal->journal, "run");
  journal_assert (journal->journal, "run", "one");
  journal_append (journal->journal, "run", "two");
  journal_assert (journal->journal, "run", "one|two");
  close (pipe_fds[0]);
  close (pipe_fds[1]);
}

static void
a_claim_is_one_in_a_process (Journal *journal, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  claim (journal->journal, "run");
  claim (journal->journal, "another");
  assert_claimed (journal->journal, "run");
  journal_append (journal->journal, "run", "one");
  g_assert_false (imgimport_journal_forget (journal->journal, "run", &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "run-claimed");
  _imgimport_journal_release (journal->journal, "run");
  claim (journal->journal, "run");
  journal_assert (journal->journal, "run", "one");
  _imgimport_journal_release (journal->journal, "run");
  journal_forget (journal->journal, "run");
  journal_assert (journal->journal, "run", "");
}

/* A process that slept while its run was given to somebody else wakes up and goes on writing. */
static void
who_has_lost_the_claim_writes_nothing (Journal *journal, gconstpointer unused)
{
  g_autoptr (ImgImportJournal) other = NULL;
  g_autoptr (GError) error = NULL;

  claim (journal->journal, "run");
  journal_append (journal->journal, "run", "one");
  journal->factory->usurp (journal->directory, "run");
  other = journal_reopen (journal);
  claim (other, "run");
  g_assert_false (_imgimport_journal_append (journal->journal, "run", "late", 4, FALSE, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_BUSY);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "run-claimed");
  _imgimport_journal_release (journal->journal, "run");
  assert_claimed (journal->journal, "run");
  journal_append (other, "run", "two");
  journal_assert (other, "run", "one|two");
}

void
journal_add_claim_checks (const JournalFactory *factory)
{
  journal_add (factory, "T66/a-claim-is-one-in-a-process", a_claim_is_one_in_a_process);
  if (factory->usurp == NULL)
    return;
  journal_add (factory, "T66/a-run-has-one-claim", a_run_has_one_claim);
  journal_add (factory, "T66/who-claims-sees-what-the-last-one-wrote",
               who_claims_sees_what_the_last_one_wrote);
  journal_add (factory, "T66/the-claim-of-a-killed-process-is-free",
               the_claim_of_a_killed_process_is_free);
  journal_add (factory, "T65/who-has-lost-the-claim-writes-nothing",
               who_has_lost_the_claim_writes_nothing);
}
