/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The built-in catalog and stores behind tables that count what is done to them and end the process
 * with SIGKILL before or after the n-th step, and a service that is made of these.
 */

#include "service/service-private.h"

#include <imgimport/imgimport-import.h>
#include <imgimport/imgimport-staging.h>

typedef struct
{
  guint count; /* atomic: steps seen */
  guint at;    /* the one at which the process ends; 0: none */
} CrashPoint;

/* What a service is opened with. */
typedef struct
{
  const char *root;
  gboolean durable;     /* "durability": "power" */
  gboolean store_fails; /* the second store accepts nothing */
  guint workers;
  CrashPoint *point;
} CrashSetup;

#define CRASH_STORES "one", "two"

/* NULL with an error where the start fails. In `root`: catalog.sqlite, staging, one, two. The
 * second store cannot adopt, so bytes stream into it; method "stream" sends crash_bytes(). */
ImgImportService *crash_service_open (const CrashSetup *setup, GError **error);
char *crash_path (const char *root, const char *name);

/* The bytes of every image here: a hole, and a page of text. */
GBytes *crash_bytes (void);
/* The same in gzip. */
GBytes *crash_packed_bytes (void);
