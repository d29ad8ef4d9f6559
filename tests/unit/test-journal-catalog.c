/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A journal in a catalog that fails, or sees conflicts where there are none. */

#include "shim.h"

#include "flow/flow-private.h"
#include "service/txn.h"

typedef struct
{
  Shim shim;
  Faults faults;
  ImgImportCatalog *catalog;
  ImgImportJournal *journal;
  guint n_conflicts; /* to come */
  GError *error;
} World;

/* Another owner's commits come first. */
static gboolean
conflicting_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
                    GError **error)
{
  World *w = ((Shim *)self)->world;

  if (w->n_conflicts == 0)
    return shim_commit (self, ops, n_ops, durable, error);
  w->n_conflicts--;
  imgimport_error_set (error, IMGIMPORT_ERROR_BUSY, "revision-conflict", "a planted conflict");
  return FALSE;
}

static ImgImportJournal *
open_journal (World *w)
{
  g_autofree char *owner = NULL;
  ImgImportJournal *journal;

  _imgimport_catalog_owner_register (w->catalog, &owner, &w->error);
  g_assert_no_error (w->error);
  journal = _imgimport_journal_new_catalog (w->catalog, owner, NULL, TRUE, &w->error);
  g_assert_no_error (w->error);
  return journal;
}

static void
set_up_world (World *w, gconstpointer data)
{
  ImgImportCatalogVTable slots = shim_catalog;

  slots.commit = conflicting_commit;
  shim_init_catalog (&w->shim, &w->faults);
  w->shim.world = w;
  w->catalog = _imgimport_catalog_new (&slots, &w->shim, NULL, &w->error);
  g_assert_no_error (w->error);
  w->journal = open_journal (w);
}

static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_no_error (w->error);
  g_assert_finalize_object (w->journal);
  _imgimport_plugin_unref (w->catalog);
  shim_clear (&w->shim);
}

static gboolean
append (World *w)
{
  return _imgimport_journal_append (w->journal, "run", "one", 3, FALSE, &w->error);
}

static void
claim (World *w)
{
  _imgimport_journal_claim (w->journal, "run", &w->error);
  g_assert_no_error (w->error);
}

/* Whichever slot fails, the claim is not had, and can be had later. */
static void
test_claim_that_fails_can_be_had_later (World *w, gconstpointer data)
{
  static const char *const slots[] = { "get", "owner_is_alive", "commit" };
  ImgImportJournal *dead = w->journal;

  claim (w);
  w->journal = open_journal (w);
  for (gsize i = 0; i < G_N_ELEMENTS (slots); i++)
    {
      w->shim.bad_slot = slots[i];
      g_assert_false (_imgimport_journal_claim (w->journal, "run", &w->error));
      assert_refused (&w->error, IMGIMPORT_ERROR_UNAVAILABLE, "planted");
    }
  w->shim.bad_slot = NULL;
  w->n_conflicts = 1;
  g_assert_false (_imgimport_journal_claim (w->journal, "run", &w->error));
  assert_refused (&w->error, IMGIMPORT_ERROR_BUSY, "run-claimed");
  claim (w);
  g_assert_finalize_object (dead);
}

static void
test_append_that_fails_is_said (World *w, gconstpointer data)
{
  claim (w);
  w->shim.bad_slot = "commit";
  g_assert_false (append (w));
  assert_refused (&w->error, IMGIMPORT_ERROR_UNAVAILABLE, "planted");
}

static void
test_conflict_without_a_cause_is_tried_again (World *w, gconstpointer data)
{
  claim (w);
  w->n_conflicts = 1;
  g_assert_true (append (w));
  w->n_conflicts = G_MAXUINT;
  g_assert_false (append (w));
  assert_refused (&w->error, IMGIMPORT_ERROR_BUSY, "run-claimed");
}

/* Then nobody knows whose the run is. */
static void
test_conflict_that_cannot_be_looked_into_is_a_failure (World *w, gconstpointer data)
{
  claim (w);
  w->n_conflicts = 1;
  w->shim.bad_slot = "get";
  g_assert_false (append (w));
  assert_refused (&w->error, IMGIMPORT_ERROR_UNAVAILABLE, "planted");
}

#define ADD(path, func)                                                                            \
  g_test_add ("/journal-catalog/" path, World, NULL, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("claim-that-fails-can-be-had-later", test_claim_that_fails_can_be_had_later);
  ADD ("append-that-fails-is-said", test_append_that_fails_is_said);
  ADD ("conflict-without-a-cause-is-tried-again", test_conflict_without_a_cause_is_tried_again);
  ADD ("conflict-that-cannot-be-looked-into-is-a-failure",
       test_conflict_that_cannot_be_looked_into_is_a_failure);
  return g_test_run ();
}
