/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-flow.h"

#include <stdlib.h>
#include <string.h>

/*
 * The engine beside oneTBB's flow graph and Python's TaskFlow, measured in the same run. Ours has a
 * value on each edge, one subscriber that reads all events, and statistics; the rivals do nothing
 * but call the tasks. Tasks a second by the wall clock, and the seconds of processor time beside.
 */

static const char *const shapes[] = { "linear", "unordered", "diamonds", "layered" };
static const guint sizes[] = { 100, 1000, 10000, 100000 };

typedef struct
{
  double wall_s;
  double cpu_s;
} Cost;

/* "<wall seconds> <processor seconds>", or nothing where the rival is not there or took too long.
 */
static gboolean
run_rival (const char *const *command, const char *shape, guint n, Cost *cost)
{
  g_autofree char *number = g_strdup_printf ("%u", n);
  const char *argv[] = { "timeout", "20", command[0], NULL, NULL, NULL, NULL };
  g_autofree char *output = NULL;
  char **end = NULL;
  guint at = 3;
  int status = 0;

  if (command[1] != NULL)
    argv[at++] = command[1];
  argv[at++] = shape;
  argv[at] = number;
  if (!g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                     NULL, NULL, &output, NULL, &status, NULL) ||
      status != 0)
    return FALSE;
  end = g_strsplit (output, " ", 2);
  cost->wall_s = g_ascii_strtod (end[0], NULL);
  cost->cpu_s = end[1] != NULL ? g_ascii_strtod (end[1], NULL) : 0;
  g_strfreev (end);
  return cost->wall_s > 0;
}

static void
print_rival (const char *name, const char *const *command, const char *shape, guint n,
             const Cost *ours)
{
  Cost cost = { 0, 0 };

  if (command[0] == NULL)
    g_print ("   %s not installed", name);
  else if (!run_rival (command, shape, n, &cost))
    g_print ("   %s not done in 20 s", name);
  else
    g_print ("   %s %9.0f/s (cpu %.2f s) x%.2f", name, n / cost.wall_s, cost.cpu_s,
             cost.wall_s / ours->wall_s);
}

static void
measure_shape (const char *shape, guint n, const char *const *tbb, const char *const *python)
{
  Cost ours = { G_MAXDOUBLE, 0 };
  guint i;

  for (i = 0; i < 3; i++)
    {
      g_autoptr (ImgImportFlow) flow = bench_build (shape, n);
      Cost cost;

      bench_run (flow, &cost.wall_s, &cost.cpu_s);
      if (cost.wall_s < ours.wall_s)
        ours = cost;
    }
  g_print ("%-10s %6u: %9.0f/s (cpu %.2f s)", shape, n, n / ours.wall_s, ours.cpu_s);
  print_rival ("tbb", tbb, shape, n, &ours);
  if (n <= 1000)
    print_rival ("taskflow", python, shape, n, &ours);
  g_print ("\n");
}

int
main (int argc, char **argv)
{
  const char *tbb[] = { argc > 1 && *argv[1] != '\0' ? argv[1] : NULL, NULL };
  const char *python[] = { argc > 2 && *argv[2] != '\0' ? argv[2] : NULL,
                           argc > 3 ? argv[3] : NULL };
  guint i;
  guint j;

  for (i = 0; i < G_N_ELEMENTS (shapes); i++)
    for (j = 0; j < G_N_ELEMENTS (sizes); j++)
      measure_shape (shapes[i], sizes[j], tbb, python);
  bench_compile ();
  bench_memory ();
  bench_resume ();
  bench_durable ();
  return EXIT_SUCCESS;
}
