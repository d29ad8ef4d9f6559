/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a child process does until it is killed, and what may be found afterwards. */

#include "crash-plugins.h"

#define CRASH_IMAGE "11111111-2222-4333-8444-555555555555"

/* What an image may be once its catalog is opened again, as bits. */
typedef enum
{
  CRASH_ABSENT = 1,
  CRASH_QUEUED = 2,
  CRASH_UPLOADING = 4, /* sealed */
  CRASH_ACTIVE = 8
} CrashState;

typedef struct
{
  const char *name;
  void (*run) (ImgImportService *service, const char *disk_format);
  guint found; /* CrashState bits: what there may be while this runs and once it has run */
  guint left;  /* what there must be once it has run */
} CrashStep;

typedef struct
{
  const char *name;
  const char *disk_format;
  gboolean store_fails;
  const CrashStep *steps; /* to a NULL name */
} CrashScenario;

extern const CrashScenario crash_scenarios[]; /* to a NULL name */

/* Runs a scenario in a child process that is killed at `setup->point`. `*n_done`: the steps that
 * had returned. FALSE where it was killed, TRUE where it came to the end. */
gboolean crash_run (const CrashSetup *setup, const CrashScenario *scenario, guint *n_done);
/* The same of a process that only opens the service, and does the jobs it takes over. */
gboolean crash_run_recovery (const CrashSetup *setup);

/* Steps that the parent takes too. */
void crash_create (ImgImportService *service, const char *disk_format);
void crash_stage (ImgImportService *service, const char *disk_format);
void crash_delete (ImgImportService *service, const char *disk_format);
/* Imports to the end; the job's reason, NULL for a success. */
char *crash_import (ImgImportService *service, const char *method);
/* Runs what the start of the service has taken over. */
void crash_drain (ImgImportService *service);
