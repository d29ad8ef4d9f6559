/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/timeline-private.h"

static void
task_free (gpointer data)
{
  ImgImportTimelineTask *self = data;

  g_array_unref (self->spans);
  g_array_unref (self->after);
  g_free (self->name);
  g_free (self);
}

ImgImportTimeline *
_imgimport_timeline_new (void)
{
  return g_ptr_array_new_with_free_func (task_free);
}

ImgImportTimelineTask *
_imgimport_timeline_add (ImgImportTimeline *self, const char *name)
{
  ImgImportTimelineTask *task = g_new0 (ImgImportTimelineTask, 1);

  task->name = g_strdup (name);
  task->start_us = -1;
  task->spans = g_array_new (FALSE, FALSE, sizeof (ImgImportTimelineSpan));
  task->after = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_ptr_array_add (self, task);
  return task;
}

void
_imgimport_timeline_add_span (ImgImportTimelineTask *task, gint64 start_us, gint64 duration_us,
                              gboolean is_revert)
{
  ImgImportTimelineSpan span = { start_us, duration_us, is_revert };

  g_array_append_val (task->spans, span);
}

/* ---- writing --------------------------------------------------------------------------------- */

static JsonArray *
after_to_array (const ImgImportTimelineTask *task)
{
  JsonArray *array = json_array_new ();
  guint i;

  for (i = 0; i < task->after->len; i++)
    json_array_add_int_element (array, g_array_index (task->after, guint32, i));
  return array;
}

/* One that can be told from start and duration is left out. */
static JsonArray *
spans_to_array (const ImgImportTimelineTask *task)
{
  JsonArray *array = NULL;
  guint i;

  if (task->spans->len == 0 ||
      (task->spans->len == 1 && !g_array_index (task->spans, ImgImportTimelineSpan, 0).is_revert))
    return NULL;
  array = json_array_new ();
  for (i = 0; i < task->spans->len; i++)
    {
      const ImgImportTimelineSpan *span = &g_array_index (task->spans, ImgImportTimelineSpan, i);
      JsonObject *object = json_object_new ();

      json_object_set_int_member (object, "start", span->start_us);
      json_object_set_int_member (object, "duration", span->duration_us);
      json_object_set_boolean_member (object, "revert", span->is_revert);
      json_array_add_object_element (array, object);
    }
  return array;
}

static const char *
state_word (ImgImportTaskState state)
{
  g_autoptr (GEnumClass) states = g_type_class_ref (IMGIMPORT_TYPE_TASK_STATE);

  return g_enum_get_value (states, (int)state)->value_nick;
}

JsonArray *
_imgimport_timeline_to_array (ImgImportTimeline *self)
{
  JsonArray *array = json_array_new ();
  guint i;

  for (i = 0; i < self->len; i++)
    {
      const ImgImportTimelineTask *task = g_ptr_array_index (self, i);
      JsonObject *object = json_object_new ();
      JsonArray *spans = spans_to_array (task);

      json_object_set_string_member (object, "name", task->name);
      json_object_set_string_member (object, "state", state_word (task->state));
      if (task->start_us >= 0)
        {
          json_object_set_int_member (object, "start", task->start_us);
          json_object_set_int_member (object, "duration", task->duration_us);
        }
      json_object_set_int_member (object, "attempts", task->attempts);
      json_object_set_array_member (object, "after", after_to_array (task));
      if (spans != NULL)
        json_object_set_array_member (object, "spans", spans);
      json_array_add_object_element (array, object);
    }
  return array;
}

/* ---- reading --------------------------------------------------------------------------------- */

static gboolean
refuse (const ImgImportJsonCursor *cursor, const char *member, const char *why, GError **error)
{
  _imgimport_json_set_error (cursor, member, "json-invalid", error, "%s", why);
  return FALSE;
}

static gboolean
read_spans (ImgImportTimelineTask *task, const ImgImportJsonCursor *cursor, JsonArray *array,
            GError **error)
{
  guint i;

  for (i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      ImgImportJsonCursor at = { NULL, cursor->what, "spans" };
      gboolean is_revert = FALSE;
      gint64 start = 0;
      gint64 duration = 0;

      if (!JSON_NODE_HOLDS_OBJECT (node))
        return refuse (cursor, "spans", "not an array of objects", error);
      at.object = json_node_get_object (node);
      if (!_imgimport_json_int (&at, "start", 0, G_MAXINT64 / 2, &start, error) ||
          !_imgimport_json_int (&at, "duration", 0, G_MAXINT64 / 2, &duration, error) ||
          !_imgimport_json_boolean (&at, "revert", &is_revert, error))
        return FALSE;
      _imgimport_timeline_add_span (task, start, duration, is_revert);
    }
  if (task->spans->len == 0 && task->start_us >= 0)
    _imgimport_timeline_add_span (task, task->start_us, task->duration_us, FALSE);
  return TRUE;
}

static gboolean
read_after (ImgImportTimelineTask *task, const ImgImportJsonCursor *cursor, JsonArray *array,
            guint n_tasks, GError **error)
{
  guint i;

  for (i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      gint64 value = -1;
      guint32 index;

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64)
        value = json_node_get_int (node);
      if (value < 0 || value >= n_tasks)
        return refuse (cursor, "after", "not an array of places of tasks", error);
      index = (guint32)value;
      g_array_append_val (task->after, index);
    }
  return TRUE;
}

static gboolean
read_task (ImgImportTimeline *self, const ImgImportJsonCursor *cursor, guint n_tasks,
           GError **error)
{
  g_autoptr (GEnumClass) states = g_type_class_ref (IMGIMPORT_TYPE_TASK_STATE);
  const char *name = NULL;
  const char *state = NULL;
  const GEnumValue *value;
  ImgImportTimelineTask *task;
  JsonArray *after = NULL;
  JsonArray *spans = NULL;
  gint64 attempts = 0;

  if (!_imgimport_json_string (cursor, "name", &name, error) ||
      !_imgimport_json_string (cursor, "state", &state, error))
    return FALSE;
  value = state != NULL ? g_enum_get_value_by_nick (states, state) : NULL;
  if (name == NULL || value == NULL)
    return refuse (cursor, name == NULL ? "name" : "state", "missing or unknown", error);
  task = _imgimport_timeline_add (self, name);
  task->state = (ImgImportTaskState)value->value;
  if (!_imgimport_json_int (cursor, "start", 0, G_MAXINT64 / 2, &task->start_us, error) ||
      !_imgimport_json_int (cursor, "duration", 0, G_MAXINT64 / 2, &task->duration_us, error) ||
      !_imgimport_json_int (cursor, "attempts", 0, G_MAXINT, &attempts, error) ||
      !_imgimport_json_array (cursor, "after", &after, error) ||
      !_imgimport_json_array (cursor, "spans", &spans, error))
    return FALSE;
  task->attempts = (guint)attempts;
  return read_after (task, cursor, after, n_tasks, error) &&
         read_spans (task, cursor, spans, error);
}

ImgImportTimeline *
_imgimport_timeline_from_array (JsonArray *array, const char *what, GError **error)
{
  g_autoptr (GPtrArray) self = _imgimport_timeline_new ();
  guint n_tasks = json_array_get_length (array);
  guint i;

  for (i = 0; i < n_tasks; i++)
    {
      g_autofree char *path = g_strdup_printf ("tasks/%u", i);
      JsonNode *node = json_array_get_element (array, i);
      ImgImportJsonCursor cursor = { NULL, what, path };

      if (!JSON_NODE_HOLDS_OBJECT (node))
        {
          _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "json-invalid",
                                "%s: %s is not an object", what, path);
          return NULL;
        }
      cursor.object = json_node_get_object (node);
      if (!read_task (self, &cursor, n_tasks, error))
        return NULL;
    }
  return g_steal_pointer (&self);
}
