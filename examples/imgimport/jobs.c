/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* job-graph, job-trace */
#include "cli.h"

static gboolean
print_drawing (char *drawing, GError **error)
{
  gboolean done = drawing != NULL && cli_print (drawing, error) &&
                  (g_str_has_suffix (drawing, "\n") || cli_print ("\n", error));

  imgimport_free (drawing);
  return done;
}

static gboolean
run_graph (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  return print_drawing (
      imgimport_service_job_graph (cli->service, cli->context, arguments[0], error), error);
}

const CliCommand cli_job_graph = {
  .name = "job-graph",
  .arguments = "JOB_ID",
  .min_arguments = 1,
  .max_arguments = 1,
  .summary = "Draw the tasks of an import that is over",
  .description = "Prints the graph with states and durations in the language of Graphviz:\n"
                 "imgimport job-graph JOB_ID | dot -Tsvg > graph.svg",
  .run = run_graph,
};

/* ---- job-trace ------------------------------------------------------------------------------- */

static gboolean
run_trace (Cli *cli, gconstpointer data, char **arguments, GError **error)
{
  return print_drawing (
      imgimport_service_job_trace (cli->service, cli->context, arguments[0], error), error);
}

const CliCommand cli_job_trace = {
  .name = "job-trace",
  .arguments = "JOB_ID",
  .min_arguments = 1,
  .max_arguments = 1,
  .summary = "Print the times of an import that is over as a trace",
  .description = "Prints each attempt and each revert of its tasks in the Trace Event Format, for\n"
                 "https://ui.perfetto.dev and chrome://tracing.",
  .run = run_trace,
};
