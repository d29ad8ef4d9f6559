/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/timeline-private.h"

/* A timeline as a picture of its graph and as a trace. */

/* ---- Graphviz -------------------------------------------------------------------------------- */

static const char *
fill_color (ImgImportTaskState state)
{
  switch (state)
    {
    case IMGIMPORT_TASK_PENDING:
      return "white";
    case IMGIMPORT_TASK_RUNNING:
      return "lightblue";
    case IMGIMPORT_TASK_SUCCESS:
      return "palegreen";
    case IMGIMPORT_TASK_FAILURE:
      return "salmon";
    case IMGIMPORT_TASK_REVERTING:
      return "lightyellow";
    case IMGIMPORT_TASK_REVERTED:
      return "khaki";
    case IMGIMPORT_TASK_REVERT_FAILED:
      return "orange";
    case IMGIMPORT_TASK_SKIPPED:
      return "whitesmoke";
    }
  return "lightgrey";
}

static const char *
state_word (ImgImportTaskState state)
{
  g_autoptr (GEnumClass) states = g_type_class_ref (IMGIMPORT_TYPE_TASK_STATE);

  return g_enum_get_value (states, (int)state)->value_nick;
}

static void
append_quoted (GString *text, const char *word)
{
  for (; *word != '\0'; word++)
    {
      if (*word == '"' || *word == '\\')
        g_string_append_c (text, '\\');
      g_string_append_c (text, *word);
    }
}

static void
append_duration (GString *text, gint64 us)
{
  if (us < 1000)
    g_string_append_printf (text, "%" G_GINT64_FORMAT " µs", us);
  else if (us < 1000 * 1000)
    g_string_append_printf (text, "%" G_GINT64_FORMAT ".%" G_GINT64_FORMAT " ms", us / 1000,
                            us % 1000 / 100);
  else
    g_string_append_printf (text, "%" G_GINT64_FORMAT ".%02" G_GINT64_FORMAT " s",
                            us / (1000 * 1000), us % (1000 * 1000) / 10000);
}

static void
append_node (GString *text, const ImgImportTimelineTask *task, guint index)
{
  g_string_append_printf (text, "  t%u [label=\"", index);
  append_quoted (text, task->name);
  g_string_append_printf (text, "\\n%s", state_word (task->state));
  if (task->start_us >= 0)
    {
      g_string_append_c (text, ' ');
      append_duration (text, task->duration_us);
    }
  if (task->attempts > 1)
    g_string_append_printf (text, "\\n%u attempts", task->attempts);
  g_string_append_printf (text, "\", fillcolor=%s];\n", fill_color (task->state));
}

char *
_imgimport_timeline_to_dot (ImgImportTimeline *self, const char *title)
{
  GString *text = g_string_new ("digraph \"");
  guint i;
  guint j;

  append_quoted (text, title);
  g_string_append (text, "\" {\n  rankdir=LR;\n  node [shape=box, style=filled];\n");
  for (i = 0; i < self->len; i++)
    append_node (text, g_ptr_array_index (self, i), i);
  for (i = 0; i < self->len; i++)
    {
      const ImgImportTimelineTask *task = g_ptr_array_index (self, i);

      for (j = 0; j < task->after->len; j++)
        g_string_append_printf (text, "  t%u -> t%u;\n", g_array_index (task->after, guint32, j),
                                i);
    }
  g_string_append (text, "}\n");
  return g_string_free (text, FALSE);
}

/* ---- trace events ---------------------------------------------------------------------------- */

typedef struct
{
  const ImgImportTimelineTask *task;
  const ImgImportTimelineSpan *span;
  guint attempt; /* 0: a revert */
} Slice;

static gint
compare_slices (gconstpointer a, gconstpointer b)
{
  gint64 one = ((const Slice *)a)->span->start_us;
  gint64 other = ((const Slice *)b)->span->start_us;

  return (one > other) - (one < other);
}

static GArray *
collect_slices (ImgImportTimeline *self)
{
  GArray *slices = g_array_new (FALSE, FALSE, sizeof (Slice));
  guint i;
  guint j;

  for (i = 0; i < self->len; i++)
    {
      const ImgImportTimelineTask *task = g_ptr_array_index (self, i);
      guint n_attempts = 0;

      for (j = 0; j < task->spans->len; j++)
        {
          const ImgImportTimelineSpan *span =
              &g_array_index (task->spans, ImgImportTimelineSpan, j);
          Slice slice = { task, span, span->is_revert ? 0 : ++n_attempts };

          g_array_append_val (slices, slice);
        }
    }
  g_array_sort (slices, compare_slices);
  return slices;
}

typedef struct
{
  gint64 end_us;
  guint index;
} Lane;

static gint
compare_lanes (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const Lane *one = a;
  const Lane *other = b;

  if (one->end_us != other->end_us)
    return one->end_us > other->end_us ? 1 : -1;
  return (one->index > other->index) - (one->index < other->index);
}

/* A lane in which nothing is going on any more: slices of a lane must not overlap. They are sorted
 * by when that is. */
static guint
choose_lane (GSequence *lanes, const ImgImportTimelineSpan *span)
{
  gint64 end_us = span->start_us + span->duration_us;
  GSequenceIter *first = g_sequence_get_begin_iter (lanes);
  Lane *lane = g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);

  if (lane == NULL || lane->end_us > span->start_us)
    {
      lane = g_new0 (Lane, 1);
      lane->index = (guint)g_sequence_get_length (lanes);
      lane->end_us = end_us;
      g_sequence_insert_sorted (lanes, lane, compare_lanes, NULL);
      return lane->index;
    }
  lane->end_us = end_us;
  g_sequence_sort_changed (first, compare_lanes, NULL);
  return lane->index;
}

static JsonObject *
new_event (const char *name, const char *phase, guint lane)
{
  JsonObject *event = json_object_new ();

  json_object_set_string_member (event, "name", name);
  json_object_set_string_member (event, "ph", phase);
  json_object_set_int_member (event, "pid", 1);
  json_object_set_int_member (event, "tid", lane);
  return event;
}

static JsonObject *
slice_to_event (const Slice *slice, guint lane)
{
  JsonObject *event = new_event (slice->task->name, "X", lane);
  JsonObject *args = json_object_new ();

  json_object_set_string_member (event, "cat", slice->attempt > 0 ? "execute" : "revert");
  json_object_set_int_member (event, "ts", slice->span->start_us);
  json_object_set_int_member (event, "dur", slice->span->duration_us);
  json_object_set_string_member (args, "state", state_word (slice->task->state));
  if (slice->attempt > 0)
    json_object_set_int_member (args, "attempt", slice->attempt);
  json_object_set_object_member (event, "args", args);
  return event;
}

char *
_imgimport_timeline_to_trace (ImgImportTimeline *self, const char *title)
{
  g_autoptr (GArray) slices = collect_slices (self);
  g_autoptr (GSequence) lanes = g_sequence_new (g_free);
  g_autoptr (JsonObject) root = json_object_new ();
  JsonObject *process = new_event ("process_name", "M", 0);
  JsonObject *args = json_object_new ();
  JsonArray *events = json_array_new ();
  guint i;

  json_object_set_string_member (args, "name", title);
  json_object_set_object_member (process, "args", args);
  json_array_add_object_element (events, process);
  for (i = 0; i < slices->len; i++)
    {
      const Slice *slice = &g_array_index (slices, Slice, i);

      json_array_add_object_element (events,
                                     slice_to_event (slice, choose_lane (lanes, slice->span)));
    }
  json_object_set_array_member (root, "traceEvents", events);
  json_object_set_string_member (root, "displayTimeUnit", "ms");
  return _imgimport_json_object_to_text (root);
}
