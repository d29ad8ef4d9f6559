/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

G_DEFINE_FINAL_TYPE (ImgImportFlow, imgimport_flow, G_TYPE_OBJECT)

static void
imgimport_flow_finalize (GObject *object)
{
  ImgImportFlow *self = IMGIMPORT_FLOW (object);
  guint i;

  for (i = 0; i < self->tasks->len; i++)
    {
      ImgImportFlowTask *task = _imgimport_flow_task (self, i);

      if (task->destroy != NULL)
        task->destroy (task->user_data);
      g_clear_pointer (&task->options, _imgimport_task_options_unref);
    }
  if (self->upgrade_destroy != NULL)
    self->upgrade_destroy (self->upgrade_data);
  g_hash_table_unref (self->entries);
  g_ptr_array_unref (self->inner);
  g_clear_pointer (&self->plan, _imgimport_plan_free);
  g_hash_table_unref (self->by_name);
  g_hash_table_unref (self->providers);
  g_array_unref (self->tasks);
  g_array_unref (self->inputs);
  g_array_unref (self->outputs);
  g_array_unref (self->links);
  g_string_chunk_free (self->names);
  g_free (self->name);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (imgimport_flow_parent_class)->finalize (object);
}

static void
imgimport_flow_class_init (ImgImportFlowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_flow_finalize;
}

static void
imgimport_flow_init (ImgImportFlow *self)
{
  g_mutex_init (&self->lock);
  self->names = g_string_chunk_new (1024);
  self->tasks = g_array_new (FALSE, TRUE, sizeof (ImgImportFlowTask));
  self->inputs = g_array_new (FALSE, FALSE, sizeof (ImgImportFlowPort));
  self->outputs = g_array_new (FALSE, FALSE, sizeof (ImgImportFlowPort));
  self->links = g_array_new (FALSE, FALSE, sizeof (ImgImportFlowLink));
  self->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  self->providers = g_hash_table_new (g_str_hash, g_str_equal);
  self->entries = g_hash_table_new (NULL, NULL);
  self->inner = g_ptr_array_new_with_free_func (g_object_unref);
  self->pivot = IMGIMPORT_TASK_NONE;
  self->tail = IMGIMPORT_TASK_NONE;
}

ImgImportFlow *
imgimport_flow_new (const char *name)
{
  ImgImportFlow *self;

  g_return_val_if_fail (name != NULL, NULL);

  self = g_object_new (IMGIMPORT_TYPE_FLOW, NULL);
  self->name = g_strdup (name);
  return self;
}

ImgImportFlow *
imgimport_flow_new_linear (const char *name)
{
  ImgImportFlow *self;

  g_return_val_if_fail (name != NULL, NULL);

  self = imgimport_flow_new (name);
  self->linear = TRUE;
  return self;
}

static gboolean
name_is_valid (const char *name)
{
  const char *c;

  if (!g_ascii_islower (*name) && !g_ascii_isdigit (*name))
    return FALSE;
  for (c = name + 1; *c != '\0'; c++)
    if (!g_ascii_islower (*c) && !g_ascii_isdigit (*c) && strchr ("._:/-", *c) == NULL)
      return FALSE;
  return TRUE;
}

gboolean
_imgimport_flow_check_open (ImgImportFlow *self, GError **error)
{
  if (self->plan == NULL)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "flow-compiled",
                        "flow “%s”: it is compiled and can no longer be changed", self->name);
  return FALSE;
}

guint32
_imgimport_flow_find (ImgImportFlow *self, const char *name, GError **error)
{
  gpointer index;

  if (g_hash_table_lookup_extended (self->by_name, name, NULL, &index))
    return GPOINTER_TO_UINT (index);
  _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_FOUND, "task-unknown",
                        "flow “%s”: there is no task “%s”", self->name, name);
  return IMGIMPORT_TASK_NONE;
}

guint32
_imgimport_flow_get_entry (ImgImportFlow *self, guint32 task)
{
  gpointer entry;

  if (g_hash_table_lookup_extended (self->entries, GUINT_TO_POINTER (task), NULL, &entry))
    return GPOINTER_TO_UINT (entry);
  return task;
}

guint32
_imgimport_flow_find_open (ImgImportFlow *self, const char *name, GError **error)
{
  if (!_imgimport_flow_check_open (self, error))
    return IMGIMPORT_TASK_NONE;
  return _imgimport_flow_find (self, name, error);
}

guint32
_imgimport_flow_find_task (ImgImportFlow *self, const char *name, GError **error)
{
  guint32 index = _imgimport_flow_find_open (self, name, error);

  if (index == IMGIMPORT_TASK_NONE || _imgimport_flow_get_entry (self, index) == index)
    return index;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "task-is-flow",
                        "flow “%s”: “%s” is a flow in it: this can be said of its tasks, “%s/…”",
                        self->name, name, name);
  return IMGIMPORT_TASK_NONE;
}

gboolean
_imgimport_flow_check_name (ImgImportFlow *self, const char *name, GError **error)
{
  if (!_imgimport_flow_check_open (self, error))
    return FALSE;
  if (!name_is_valid (name))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "name-invalid",
                            "flow “%s”: the task name “%s” is not [a-z0-9][a-z0-9._:/-]*",
                            self->name, name);
      return FALSE;
    }
  if (!g_hash_table_contains (self->by_name, name))
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_EXISTS, "task-exists",
                        "flow “%s”: there is a task “%s” already", self->name, name);
  return FALSE;
}

static gboolean
check_slots (const ImgImportTaskVTable *vtable, const char *what, GError **error)
{
  if (vtable->execute == NULL || vtable->start == NULL)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "vtable-invalid",
                        "%s: its vtable has both “execute” and “start”: one of them does the work",
                        what);
  return FALSE;
}

static gboolean
check_task (ImgImportFlow *self, const char *name, const ImgImportTaskVTable *vtable,
            ImgImportTaskVTable *copy, GError **error)
{
  g_autofree char *what = g_strdup_printf ("task “%s”", name);

  return _imgimport_flow_check_name (self, name, error) &&
         _imgimport_vtable_copy (copy, sizeof *copy, vtable,
                                 G_STRUCT_OFFSET (ImgImportTaskVTable, revert), what, error) &&
         _imgimport_vtable_require (copy->execute != NULL || copy->start != NULL,
                                    "execute or start", what, error) &&
         check_slots (copy, what, error);
}

void
_imgimport_flow_chain (ImgImportFlow *self, guint32 task)
{
  ImgImportFlowLink link = { self->tail, _imgimport_flow_get_entry (self, task) };

  if (self->linear && self->tail != IMGIMPORT_TASK_NONE)
    g_array_append_val (self->links, link);
  self->tail = task;
}

guint32
_imgimport_flow_append (ImgImportFlow *self, const ImgImportFlowTask *task)
{
  guint32 index = self->tasks->len;
  const char *name;

  g_array_append_vals (self->tasks, task, 1);
  name = g_string_chunk_insert (self->names, task->name);
  _imgimport_flow_task (self, index)->name = name;
  g_hash_table_insert (self->by_name, (gpointer)name, GUINT_TO_POINTER (index));
  return index;
}

gboolean
imgimport_flow_add_task (ImgImportFlow *self, const char *name, const ImgImportTaskVTable *vtable,
                         gpointer user_data, GDestroyNotify destroy, GError **error)
{
  ImgImportFlowTask task = { .name = name, .user_data = user_data, .destroy = destroy };

  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);

  if (!check_task (self, name, vtable, &task.vtable, error))
    {
      if (destroy != NULL)
        destroy (user_data);
      return FALSE;
    }
  _imgimport_flow_chain (self, _imgimport_flow_append (self, &task));
  return TRUE;
}

gboolean
imgimport_flow_link (ImgImportFlow *self, const char *before, const char *after, GError **error)
{
  ImgImportFlowLink link;

  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);
  g_return_val_if_fail (before != NULL && after != NULL, FALSE);

  link.before = _imgimport_flow_find_open (self, before, error);
  if (link.before == IMGIMPORT_TASK_NONE)
    return FALSE;
  link.after = _imgimport_flow_find (self, after, error);
  if (link.after == IMGIMPORT_TASK_NONE)
    return FALSE;
  link.after = _imgimport_flow_get_entry (self, link.after);
  g_array_append_val (self->links, link);
  return TRUE;
}

static gboolean
check_port_name (ImgImportFlow *self, const char *task, const char *name, GError **error)
{
  if (*name != '\0')
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "name-invalid",
                        "flow “%s”: an input or output of task “%s” has an empty name", self->name,
                        task);
  return FALSE;
}

static gboolean
add_input (ImgImportFlow *self, const char *task, const char *name, gboolean of_revert,
           GError **error)
{
  ImgImportFlowPort port = { .of_revert = of_revert };

  port.task = of_revert ? _imgimport_flow_find_task (self, task, error)
                        : _imgimport_flow_find_open (self, task, error);
  if (port.task == IMGIMPORT_TASK_NONE || !check_port_name (self, task, name, error))
    return FALSE;
  port.task = _imgimport_flow_get_entry (self, port.task);
  port.name = g_string_chunk_insert_const (self->names, name);
  port.local = port.name;
  g_array_append_val (self->inputs, port);
  return TRUE;
}

gboolean
imgimport_flow_add_input (ImgImportFlow *self, const char *task, const char *name, GError **error)
{
  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);
  g_return_val_if_fail (task != NULL && name != NULL, FALSE);

  return add_input (self, task, name, FALSE, error);
}

gboolean
imgimport_flow_add_revert_input (ImgImportFlow *self, const char *task, const char *name,
                                 GError **error)
{
  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);
  g_return_val_if_fail (task != NULL && name != NULL, FALSE);

  return add_input (self, task, name, TRUE, error);
}

gboolean
imgimport_flow_add_output (ImgImportFlow *self, const char *task, const char *name, GError **error)
{
  ImgImportFlowPort port = { 0 };
  gpointer other;

  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);
  g_return_val_if_fail (task != NULL && name != NULL, FALSE);

  port.task = _imgimport_flow_find_task (self, task, error);
  if (port.task == IMGIMPORT_TASK_NONE || !check_port_name (self, task, name, error))
    return FALSE;
  if (g_hash_table_lookup_extended (self->providers, name, NULL, &other))
    {
      ImgImportFlowPort *taken =
          &g_array_index (self->outputs, ImgImportFlowPort, GPOINTER_TO_UINT (other));

      _imgimport_set_error (error, IMGIMPORT_ERROR_EXISTS, "provider-ambiguous",
                            "flow “%s”: task “%s” cannot provide “%s”: task “%s” does", self->name,
                            task, name, _imgimport_flow_task (self, taken->task)->name);
      return FALSE;
    }
  port.name = g_string_chunk_insert_const (self->names, name);
  port.local = port.name;
  g_hash_table_insert (self->providers, (gpointer)port.name, GUINT_TO_POINTER (self->outputs->len));
  g_array_append_val (self->outputs, port);
  return TRUE;
}

gboolean
imgimport_flow_set_pivot (ImgImportFlow *self, const char *task, GError **error)
{
  guint32 index;

  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);
  g_return_val_if_fail (task != NULL, FALSE);

  index = _imgimport_flow_find_open (self, task, error);
  if (index == IMGIMPORT_TASK_NONE)
    return FALSE;
  if (self->pivot != IMGIMPORT_TASK_NONE)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_EXISTS, "pivot-exists",
                            "flow “%s”: task “%s” cannot be the pivot: task “%s” is", self->name,
                            task, _imgimport_flow_task (self, self->pivot)->name);
      return FALSE;
    }
  self->pivot = index;
  return TRUE;
}

gboolean
imgimport_flow_compile (ImgImportFlow *self, GError **error)
{
  g_autoptr (ImgImportLocker) locker = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);

  locker = _imgimport_locker_new (&self->lock);
  if (self->plan == NULL)
    self->plan = _imgimport_plan_new (self, error);
  return self->plan != NULL;
}
