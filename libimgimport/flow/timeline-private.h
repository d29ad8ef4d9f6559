/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What came of the tasks of a run, and when: a value that can be kept as JSON and drawn when the
 * run is long over.
 */

#include "flow/flow-private.h"

G_BEGIN_DECLS

typedef struct
{
  gint64 start_us; /* after the start of the run */
  gint64 duration_us;
  gboolean is_revert;
} ImgImportTimelineSpan;

typedef struct
{
  char *name;
  ImgImportTaskState state;
  guint attempts;
  gint64 start_us; /* of the first attempt; negative: there was none */
  gint64 duration_us;
  GArray *spans; /* of ImgImportTimelineSpan */
  GArray *after; /* of guint32: the tasks it came after */
} ImgImportTimelineTask;

/* An array of ImgImportTimelineTask. */
typedef GPtrArray ImgImportTimeline;

ImgImportTimeline *_imgimport_timeline_new (void);
ImgImportTimelineTask *_imgimport_timeline_add (ImgImportTimeline *self, const char *name);
void _imgimport_timeline_add_span (ImgImportTimelineTask *task, gint64 start_us, gint64 duration_us,
                                   gboolean is_revert);

/* Any thread, without the run's lock. */
ImgImportTimeline *_imgimport_run_dup_timeline (ImgImportRun *run);

/* [{"name", "state", "start", "duration", "attempts", "after", "spans"}], times in microseconds;
 * spans only where they say more than start and duration. */
JsonArray *_imgimport_timeline_to_array (ImgImportTimeline *self);
/* INVALID_ARGUMENT "json-invalid"; `what` begins the message. */
ImgImportTimeline *_imgimport_timeline_from_array (JsonArray *array, const char *what,
                                                   GError **error);

char *_imgimport_timeline_to_dot (ImgImportTimeline *self, const char *title);
char *_imgimport_timeline_to_trace (ImgImportTimeline *self, const char *title);

G_END_DECLS
