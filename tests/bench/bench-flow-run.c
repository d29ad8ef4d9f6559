/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-flow.h"

#include <poll.h>
#include <sys/resource.h>

#define N_THREADS 2
#define LAYER 100

/* Of a task. */
typedef struct
{
  guint n_inputs;
  char inputs[2][16];
} Names;

/* One more than the sum of its inputs. */
static gboolean
execute (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  const Names *names = self;
  guint32 sum = 1;
  guint i;

  for (i = 0; i < names->n_inputs; i++)
    sum += g_variant_get_uint32 (imgimport_task_get_input (task, names->inputs[i]));
  imgimport_task_set_output (task, imgimport_task_get_name (task), g_variant_new_uint32 (sum));
  return TRUE;
}

static const ImgImportTaskVTable task_vtable = { IMGIMPORT_TASK_VTABLE_INIT, .execute = execute };

static void
name_of (guint i, char name[16])
{
  g_snprintf (name, 16, "t%u", i);
}

static void
edge (Names *names, guint before)
{
  name_of (before, names->inputs[names->n_inputs++]);
}

/* The edges that end in task `i`. */
static void
add_edges (Names *names, const char *shape, guint i)
{
  guint place = i % 4;

  if (i > 0 && g_str_equal (shape, "linear"))
    edge (names, i - 1);
  else if (g_str_equal (shape, "diamonds") && place == 3)
    {
      edge (names, i - 2);
      edge (names, i - 1);
    }
  else if (g_str_equal (shape, "diamonds") && i > 0)
    edge (names, place == 2 ? i - 2 : i - 1);
  else if (g_str_equal (shape, "layered") && i >= LAYER)
    {
      guint first = i - i % LAYER - LAYER;

      edge (names, i - LAYER);
      edge (names, first + (i + 1) % LAYER);
    }
}

ImgImportFlow *
bench_build (const char *shape, guint n)
{
  ImgImportFlow *flow = imgimport_flow_new (shape);
  char name[16];
  gboolean ok;
  guint i;
  guint j;

  for (i = 0; i < n; i++)
    {
      Names *names = g_new0 (Names, 1);

      name_of (i, name);
      add_edges (names, shape, i);
      ok = imgimport_flow_add_task (flow, name, &task_vtable, names, g_free, NULL) &&
           imgimport_flow_add_output (flow, name, name, NULL);
      for (j = 0; j < names->n_inputs; j++)
        ok = ok && imgimport_flow_add_input (flow, name, names->inputs[j], NULL);
      g_assert_true (ok);
    }
  return flow;
}

typedef struct
{
  ImgImportRunSubscription *subscription;
  guint n_read;
} Reader;

/* Until the run is over. */
static gpointer
read_events (gpointer data)
{
  Reader *self = data;
  struct pollfd poll_fd = { imgimport_run_subscription_get_fd (self->subscription), POLLIN, 0 };
  ImgImportRunEvent event = { .kind = IMGIMPORT_RUN_EVENT_TASK };

  while (event.run_state < IMGIMPORT_RUN_SUCCESS)
    {
      poll (&poll_fd, 1, -1);
      while (event.run_state < IMGIMPORT_RUN_SUCCESS &&
             imgimport_run_subscription_next (self->subscription, &event))
        self->n_read += event.kind == IMGIMPORT_RUN_EVENT_TASK ? 1 : 0;
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

static BenchCost
run_once (ImgImportFlow *flow, guint n, ImgImportEngine *engine)
{
  g_autoptr (ImgImportRun) run = imgimport_run_new (flow, "bench", NULL, NULL, NULL);
  g_autoptr (ImgImportRunSubscription) subscription = imgimport_run_subscribe (run, NULL);
  Reader reader = { subscription, 0 };
  GThread *thread = g_thread_new ("reader", read_events, &reader);
  double began_cpu = cpu_seconds ();
  gint64 began_us = g_get_monotonic_time ();
  gboolean ok = imgimport_run_start (run, engine, NULL) && imgimport_run_wait (run, -1);
  BenchCost cost = { (double)(g_get_monotonic_time () - began_us) / 1e6, 0, 0 };

  g_thread_join (thread);
  cost.cpu_s = cpu_seconds () - began_cpu;
  cost.events_read = reader.n_read / (2.0 * n);
  g_assert_true (ok);
  g_assert_cmpint ((int)imgimport_run_get_state (run), ==, (int)IMGIMPORT_RUN_SUCCESS);
  return cost;
}

int
bench_compare_costs (gconstpointer a, gconstpointer b)
{
  double difference = ((const BenchCost *)a)->wall_s - ((const BenchCost *)b)->wall_s;

  return (difference > 0) - (difference < 0);
}

BenchCost
bench_measure (const char *shape, guint n, guint repeats)
{
  g_autoptr (ImgImportFlow) flow = bench_build (shape, n);
  g_autoptr (ImgImportEngine) engine = imgimport_engine_new (N_THREADS);
  g_autoptr (GArray) costs = g_array_new (FALSE, FALSE, sizeof (BenchCost));
  guint i;

  run_once (flow, n, engine); /* what is only made once */
  for (i = 0; i < repeats; i++)
    {
      BenchCost cost = run_once (flow, n, engine);

      g_array_append_val (costs, cost);
    }
  g_array_sort (costs, bench_compare_costs);
  return g_array_index (costs, BenchCost, costs->len / 2);
}
