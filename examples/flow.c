/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The task-flow engine for its own sake: a journey is booked as a saga. The flight is booked at the
 * second attempt, the hotel at once, and there is no car: so the hotel and the flight are given
 * back. What happened is drawn as a graph and as a trace.
 *
 *   flow [GRAPH.dot [TRACE.json]]
 *   dot -Tsvg GRAPH.dot; open TRACE.json at https://ui.perfetto.dev
 */

#include <imgimport/imgimport-watch.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct
{
  const char *what;
  gboolean is_busy_at_first;
  gboolean is_sold_out;
} Booking;

/* Both slots may be called again after a crash: a real one would hand the provider a key by which
 * it knows a booking that it has seen before. */
static gboolean
book (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Booking *booking = self;
  g_autofree char *number = NULL;

  g_usleep (5000);
  if (booking->is_busy_at_first && imgimport_task_get_attempt (task) == 1)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_UNAVAILABLE, "line-busy", booking->what);
      return FALSE;
    }
  if (booking->is_sold_out)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "sold-out", booking->what);
      return FALSE;
    }
  number = g_strdup_printf ("%s-1", booking->what);
  imgimport_task_set_output (task, booking->what, g_variant_new_string (number));
  return TRUE;
}

/* A booking that failed has no number: there may be nothing to give back. */
static gboolean
give_back (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  Booking *booking = self;
  GVariant *number = imgimport_task_get_output (task, booking->what);

  if (number != NULL)
    printf ("giving back %s\n", g_variant_get_string (number, NULL));
  return TRUE;
}

static const ImgImportTaskVTable booking_vtable = {
  IMGIMPORT_TASK_VTABLE_INIT,
  .execute = book,
  .revert = give_back,
};

/* Hotel and car come after the flight: they need its number. */
static ImgImportFlow *
build (Booking *bookings, guint n_bookings, GError **error)
{
  g_autoptr (ImgImportFlow) flow = imgimport_flow_new ("journey");
  guint i;

  for (i = 0; i < n_bookings; i++)
    {
      const char *name = bookings[i].what;

      if (!imgimport_flow_add_task (flow, name, &booking_vtable, &bookings[i], NULL, error) ||
          !imgimport_flow_add_output (flow, name, name, error) ||
          (i > 0 && !imgimport_flow_add_input (flow, name, bookings[0].what, error)) ||
          !imgimport_flow_set_retry (flow, name, 3, 20, 1000, error))
        return NULL;
    }
  /* The car is asked for when there is a bed. */
  if (!imgimport_flow_link (flow, "hotel", "car", error))
    return NULL;
  return g_steal_pointer (&flow);
}

static gboolean
draw (ImgImportRun *run, int argc, char **argv, GError **error)
{
  g_autofree char *dot = imgimport_run_to_dot (run);
  g_autofree char *trace = imgimport_run_to_trace (run);

  if (argc < 2)
    printf ("%s%s\n", dot, trace);
  return (argc < 2 || g_file_set_contents (argv[1], dot, -1, error)) &&
         (argc < 3 || g_file_set_contents (argv[2], trace, -1, error));
}

static void
report (ImgImportRun *run)
{
  guint i;

  for (i = 0; i < imgimport_run_get_n_errors (run); i++)
    {
      const char *task;
      const GError *failure = imgimport_run_get_error (run, i, &task);

      printf ("%s: %s\n", task, failure->message);
    }
}

static gboolean
travel (int argc, char **argv, GError **error)
{
  Booking bookings[] = {
    { "flight", TRUE, FALSE },
    { "hotel", FALSE, FALSE },
    { "car", FALSE, TRUE },
  };
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (2);
  g_autoptr (ImgImportFlow) flow = build (bookings, G_N_ELEMENTS (bookings), error);
  g_autoptr (ImgImportRun) run = NULL;

  if (flow == NULL)
    return FALSE;
  run = imgimport_run_new (flow, "journey-1", NULL, NULL, error);
  if (run == NULL || !imgimport_run_start (run, engine, error))
    return FALSE;
  imgimport_run_wait (run, -1);
  report (run);
  return draw (run, argc, argv, error) && imgimport_run_get_state (run) == IMGIMPORT_RUN_REVERTED;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (travel (argc, argv, &error))
    return EXIT_SUCCESS;
  fprintf (stderr, "%s\n", error != NULL ? error->message : "the journey was not given back");
  return EXIT_FAILURE;
}
