/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A seat is booked, and given back because the card is refused. What is done stands in DIRECTORY: a
 * process that dies is continued by the next one. */
#include <imgimport/imgimport-watch.h>
#include <stdio.h>

static gboolean
book (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  imgimport_task_set_output (task, "seat", g_variant_new_string ("12A"));
  return TRUE;
}

static gboolean
give_back (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  GVariant *seat = imgimport_task_get_output (task, "seat"); /* NULL: it was not booked */

  if (seat != NULL)
    printf ("giving back %s\n", g_variant_get_string (seat, NULL));
  return TRUE;
}

static gboolean
pay (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "card-refused", "the card was refused");
  return FALSE;
}

static const ImgImportTaskVTable book_slots = { IMGIMPORT_TASK_VTABLE_INIT, .execute = book,
                                                .revert = give_back };
static const ImgImportTaskVTable pay_slots = { IMGIMPORT_TASK_VTABLE_INIT, .execute = pay };

static ImgImportRun *
begin (ImgImportEngine *engine, ImgImportJournal *journal, GError **error)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("trip");
  g_autoptr (ImgImportRun) run = NULL;

  if (!imgimport_flow_add_task (flow, "book", &book_slots, NULL, NULL, error) ||
      !imgimport_flow_add_output (flow, "book", "seat", error) ||
      !imgimport_flow_add_task (flow, "pay", &pay_slots, NULL, NULL, error) ||
      !imgimport_flow_add_input (flow, "pay", "seat", error)) /* so it comes after it */
    return NULL;
  run = imgimport_run_new (flow, "trip-1", NULL, journal, error);
  return run != NULL && imgimport_run_start (run, engine, error) ? g_steal_pointer (&run) : NULL;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (2);
  g_autoptr (ImgImportJournal) journal =
      imgimport_journal_new_directory (argc > 1 ? argv[1] : "trips", &error);
  g_autoptr (ImgImportRun) run = journal != NULL ? begin (engine, journal, &error) : NULL;

  if (run == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  imgimport_run_wait (run, -1);
  if (imgimport_run_get_state (run) != IMGIMPORT_RUN_REVERTED)
    return 1;
  printf ("no trip: %s\n", imgimport_run_get_error (run, 0, NULL)->message);
  /* It is over, and told: the journal need not know of it any more. */
  return imgimport_journal_forget (journal, "trip-1", &error) ? 0 : 1;
}
