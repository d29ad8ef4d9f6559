/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-flow.h"

#include <stdlib.h>
#include <string.h>

/*
 * bench-flow full|smoke [RIVAL-TBB [PYTHON RIVAL-TASKFLOW]]
 *
 * The engine beside oneTBB's flow graph and Python's TaskFlow, measured in the same run, each as
 * the median of several runs of a flow that is built and compiled, on threads that are there. The
 * first two take turns, of which the median is told too, for the machine is not the same from one
 * moment to the next; TaskFlow has one. Ours
 * has a value on each edge, one subscriber that reads all events, and statistics; so has "tbb, same
 * load" where the graph is given that by hand. "tbb, bare" and TaskFlow do nothing but call the
 * tasks. The callers of both work while they wait. Neither side keeps a journal here. Tasks a
 * second are by the wall clock; above x1 ours is faster.
 */

static const char *const shapes[] = { "linear", "unordered", "diamonds", "layered" };
static const guint sizes[] = { 100, 1000, 10000, 100000 };

/* The sizes that are measured in full, and those of them that only show that it works. */
#define N_SIZES 4
#define N_SMOKE_SIZES 2
#define TASKFLOW_MAX 1000
#define TASKS_IN_ALL 300000
#define N_TURNS 5

typedef struct
{
  gboolean is_smoke;
  const char *tbb;         /* NULL: not there */
  const char *taskflow[2]; /* interpreter, script; NULL: not there */
} Bench;

/* "<wall seconds> <processor seconds> <share of events read>", or nothing where the rival is not
 * there or took too long.
 */
static gboolean
run_rival (const char *const *command, BenchCost *cost)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autofree char *output = NULL;
  char *end = NULL;
  int status = 0;

  g_ptr_array_add (argv, (gpointer) "timeout");
  g_ptr_array_add (argv, (gpointer) "30");
  for (; *command != NULL; command++)
    g_ptr_array_add (argv, (gpointer)*command);
  g_ptr_array_add (argv, NULL);
  if (!g_spawn_sync (NULL, (char **)argv->pdata, NULL,
                     G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL,
                     &status, NULL) ||
      status != 0)
    return FALSE;
  cost->wall_s = g_ascii_strtod (output, &end);
  cost->cpu_s = g_ascii_strtod (end, &end);
  cost->events_read = g_ascii_strtod (end, NULL);
  return cost->wall_s > 0;
}

/* What the turns of one side took. */
typedef struct
{
  BenchCost costs[N_TURNS];
  guint n; /* 0: not there, or too slow */
} Turns;

static void
add_turn (Turns *self, const BenchCost *cost)
{
  self->costs[self->n++] = *cost;
}

static BenchCost
find_median (Turns *self)
{
  qsort (self->costs, self->n, sizeof (BenchCost), bench_compare_costs);
  return self->costs[self->n / 2];
}

static void
run_rival_turn (const char *const *command, Turns *turns)
{
  BenchCost cost = { 0, 0, 0 };

  if (command[0] != NULL && run_rival (command, &cost))
    add_turn (turns, &cost);
}

static void
print_rival (const char *const *command, guint n, Turns *turns, const BenchCost *ours)
{
  BenchCost cost;

  if (turns->n == 0)
    {
      g_print (" | %20s", command[0] == NULL ? "not installed" : "not done in 30 s");
      return;
    }
  cost = find_median (turns);
  if (cost.events_read > 0)
    g_print (" | %9.0f %3.0f %% x%5.2f", n / cost.wall_s, cost.events_read * 100,
             cost.wall_s / ours->wall_s);
  else
    g_print (" | %11.0f x%7.2f", n / cost.wall_s, cost.wall_s / ours->wall_s);
}

static void
measure_shape (const Bench *self, const char *shape, guint n)
{
  const guint n_turns = self->is_smoke ? 1 : N_TURNS;
  const guint repeats = self->is_smoke ? 1 : CLAMP (TASKS_IN_ALL / n / n_turns, 3, 100 / n_turns);
  g_autofree char *number = g_strdup_printf ("%u", n);
  g_autofree char *times = g_strdup_printf ("%u", repeats);
  const char *load_command[] = { self->tbb, "load", shape, number, times, NULL };
  const char *bare_command[] = { self->tbb, "bare", shape, number, times, NULL };
  const char *taskflow_command[] = {
    self->taskflow[0], self->taskflow[1], shape, number, "1", NULL
  };
  Turns ours_turns = { .n = 0 };
  Turns load = { .n = 0 };
  Turns bare = { .n = 0 };
  Turns taskflow = { .n = 0 };
  BenchCost ours;
  guint i;

  for (i = 0; i < n_turns; i++)
    {
      ours = bench_measure (shape, n, repeats);
      add_turn (&ours_turns, &ours);
      run_rival_turn (load_command, &load);
      run_rival_turn (bare_command, &bare);
    }
  ours = find_median (&ours_turns);
  g_print ("%-9s %6u | %10.0f %4.0f ns %3.0f %%", shape, n, n / ours.wall_s, ours.cpu_s * 1e9 / n,
           ours.events_read * 100);
  print_rival (load_command, n, &load, &ours);
  print_rival (bare_command, n, &bare, &ours);
  if (n <= TASKFLOW_MAX)
    {
      run_rival_turn (taskflow_command, &taskflow);
      print_rival (taskflow_command, n, &taskflow, &ours);
    }
  g_print ("\n");
}

int
main (int argc, char **argv)
{
  Bench self = { .is_smoke = argc > 1 && g_str_equal (argv[1], "smoke") };
  guint n_sizes = self.is_smoke ? N_SMOKE_SIZES : N_SIZES;
  guint i;
  guint j;

  if (argc > 2 && *argv[2] != '\0')
    self.tbb = argv[2];
  if (argc > 4)
    {
      self.taskflow[0] = argv[3];
      self.taskflow[1] = argv[4];
    }
  g_print ("Tasks a second and xratio; build type %s.\n"
           "%-9s %6s | %10s %7s %5s | %20s | %20s | %20s\n",
           BENCH_BUILD_TYPE, "flow", "tasks", "ours", "cpu", "events", "tbb, same load",
           "tbb, bare", "taskflow");
  for (i = 0; i < G_N_ELEMENTS (shapes); i++)
    for (j = 0; j < n_sizes; j++)
      measure_shape (&self, shapes[i], sizes[j]);
  bench_compile (self.is_smoke ? 1000 : 10000);
  bench_memory (self.is_smoke ? 1000 : 100000);
  bench_resume (self.is_smoke ? 100 : 1000);
  bench_durable ();
  return EXIT_SUCCESS;
}
