/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-flow.h"

#include <poll.h>
#include <sys/resource.h>

#define N_THREADS 2
#define LAYER 100

static gboolean
execute (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  imgimport_task_set_output (task, imgimport_task_get_name (task), g_variant_new_uint32 (1));
  return TRUE;
}

static const ImgImportTaskVTable task_vtable = { IMGIMPORT_TASK_VTABLE_INIT, .execute = execute };

static void
name_of (guint i, char name[16])
{
  g_snprintf (name, 16, "t%u", i);
}

static void
edge (ImgImportFlow *flow, guint before, guint after)
{
  char from[16];
  char to[16];
  gboolean ok;

  name_of (before, from);
  name_of (after, to);
  ok = imgimport_flow_add_input (flow, to, from, NULL);
  g_assert_true (ok);
}

/* The edges that end in task `i`. */
static void
add_edges (ImgImportFlow *flow, const char *shape, guint i)
{
  guint place = i % 4;

  if (i > 0 && g_str_equal (shape, "linear"))
    edge (flow, i - 1, i);
  else if (g_str_equal (shape, "diamonds") && place == 3)
    {
      edge (flow, i - 2, i);
      edge (flow, i - 1, i);
    }
  else if (g_str_equal (shape, "diamonds") && i > 0)
    edge (flow, place == 2 ? i - 2 : i - 1, i);
  else if (g_str_equal (shape, "layered") && i >= LAYER)
    {
      guint first = i - i % LAYER - LAYER;

      edge (flow, i - LAYER, i);
      edge (flow, first + (i + 1) % LAYER, i);
    }
}

ImgImportFlow *
bench_build (const char *shape, guint n)
{
  ImgImportFlow *flow = imgimport_flow_new (shape);
  char name[16];
  gboolean ok;
  guint i;

  for (i = 0; i < n; i++)
    {
      name_of (i, name);
      ok = imgimport_flow_add_task (flow, name, &task_vtable, NULL, NULL, NULL) &&
           imgimport_flow_add_output (flow, name, name, NULL);
      g_assert_true (ok);
      add_edges (flow, shape, i);
    }
  return flow;
}

static gpointer
read_events (gpointer data)
{
  ImgImportRunSubscription *subscription = data;
  struct pollfd poll_fd = { imgimport_run_subscription_get_fd (subscription), POLLIN, 0 };
  ImgImportRunEvent event = { .kind = IMGIMPORT_RUN_EVENT_TASK };

  while (event.run_state < IMGIMPORT_RUN_SUCCESS)
    {
      poll (&poll_fd, 1, -1);
      while (imgimport_run_subscription_next (subscription, &event))
        if (event.run_state >= IMGIMPORT_RUN_SUCCESS)
          break;
    }
  return NULL;
}

static double
cpu_seconds (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void
bench_run (ImgImportFlow *flow, double *wall_s, double *cpu_s)
{
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (N_THREADS);
  g_autoptr (ImgImportRun) run = imgimport_run_new (flow, "bench", NULL, NULL, NULL);
  g_autoptr (ImgImportRunSubscription) subscription = imgimport_run_subscribe (run, NULL);
  GThread *reader = g_thread_new ("reader", read_events, subscription);
  gint64 began_us = g_get_monotonic_time ();
  double began_cpu = cpu_seconds ();
  gboolean ok = imgimport_run_start (run, engine, NULL) && imgimport_run_wait (run, -1);

  *wall_s = (double)(g_get_monotonic_time () - began_us) / 1e6;
  g_thread_join (reader);
  *cpu_s = cpu_seconds () - began_cpu;
  g_assert_true (ok);
  g_assert_cmpint ((int)imgimport_run_get_state (run), ==, (int)IMGIMPORT_RUN_SUCCESS);
}
