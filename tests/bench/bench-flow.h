/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "flow/flow-private.h"

#include <imgimport/imgimport-watch.h>

typedef struct
{
  double wall_s;
  double cpu_s;       /* of all threads, the subscriber's too */
  double events_read; /* of those that there were; the others were dropped */
} BenchCost;

/* A flow of `n` tasks, a value on each edge: "linear"; "unordered"; "diamonds", a chain of four
 * each; "layered", of 100 tasks each of which comes after two of the layer before. */
ImgImportFlow *bench_build (const char *shape, guint n);

/* Runs it on two threads, with one subscriber and statistics; the median of `repeats` times. */
BenchCost bench_measure (const char *shape, guint n, guint repeats);

/* For qsort(), by wall clock. */
int bench_compare_costs (gconstpointer a, gconstpointer b);

void bench_compile (guint n);
void bench_memory (guint n);
void bench_resume (guint n);
void bench_durable (void);
