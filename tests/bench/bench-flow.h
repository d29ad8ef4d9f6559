/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "flow/flow-private.h"

#include <imgimport/imgimport-watch.h>

/* A flow of `n` tasks, a value on each edge: "linear"; "unordered"; "diamonds", a chain of four
 * each; "layered", of 100 tasks each of which comes after two of the layer before. */
ImgImportFlow *bench_build (const char *shape, guint n);

/* Runs it on two threads, with one subscriber and statistics: seconds by the wall and of
 * processors. */
void bench_run (ImgImportFlow *flow, double *wall_s, double *cpu_s);

void bench_compile (void);
void bench_memory (void);
void bench_resume (void);
void bench_durable (void);
