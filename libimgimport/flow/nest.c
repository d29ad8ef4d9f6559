/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* A flow in a flow: its tasks are copied between two that do nothing, "name:begin" and "name". */

typedef struct
{
  ImgImportFlow *self;
  ImgImportFlow *inner;
  const char *name;
  guint32 base; /* what is task 0 of `inner` has this index */
} Nesting;

static gboolean
gate_execute (gpointer self, ImgImportTask *task, GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static guint32
add_gate (ImgImportFlow *self, const char *name)
{
  ImgImportFlowTask gate = { .name = name,
                             .vtable = { IMGIMPORT_TASK_VTABLE_INIT, .execute = gate_execute } };

  return _imgimport_flow_append (self, &gate);
}

static gboolean
check_outputs (const Nesting *nesting, GError **error)
{
  ImgImportFlow *self = nesting->self;
  guint i;

  for (i = 0; i < nesting->inner->outputs->len; i++)
    {
      const ImgImportFlowPort *port =
          &g_array_index (nesting->inner->outputs, ImgImportFlowPort, i);
      g_autofree char *name = g_strdup_printf ("%s/%s", nesting->name, port->name);
      gpointer other;

      if (!g_hash_table_lookup_extended (self->providers, name, NULL, &other))
        continue;
      port = &g_array_index (self->outputs, ImgImportFlowPort, GPOINTER_TO_UINT (other));
      _imgimport_set_error (error, IMGIMPORT_ERROR_EXISTS, "provider-ambiguous",
                            "flow “%s”: the flow “%s” cannot provide “%s”: task “%s” does",
                            self->name, nesting->name, name,
                            _imgimport_flow_task (self, port->task)->name);
      return FALSE;
    }
  return TRUE;
}

/* What `outer` was made of, at any depth. */
static gboolean
holds (const ImgImportFlow *outer, const ImgImportFlow *flow)
{
  guint i;

  for (i = 0; i < outer->inner->len; i++)
    if (g_ptr_array_index (outer->inner, i) == flow ||
        holds (g_ptr_array_index (outer->inner, i), flow))
      return TRUE;
  return FALSE;
}

static gboolean
check (const Nesting *nesting, const char *begin, GError **error)
{
  ImgImportFlow *self = nesting->self;
  guint i;

  if (!_imgimport_flow_check_name (self, nesting->name, error) ||
      !_imgimport_flow_check_name (self, begin, error))
    return FALSE;
  /* Each would keep the other, and what its tasks need, for ever. */
  if (holds (nesting->inner, self))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "flow-cycle",
                            "flow “%s”: the flow “%s” cannot be put into it: it is made of it",
                            self->name, nesting->name);
      return FALSE;
    }
  for (i = 0; i < nesting->inner->tasks->len; i++)
    {
      g_autofree char *name =
          g_strdup_printf ("%s/%s", nesting->name, _imgimport_flow_task (nesting->inner, i)->name);

      if (!_imgimport_flow_check_name (self, name, error))
        return FALSE;
    }
  if (self->pivot != IMGIMPORT_TASK_NONE && nesting->inner->pivot != IMGIMPORT_TASK_NONE)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_EXISTS, "pivot-exists",
                            "flow “%s”: the flow “%s” cannot bring a pivot: task “%s” is one",
                            self->name, nesting->name,
                            _imgimport_flow_task (self, self->pivot)->name);
      return FALSE;
    }
  return check_outputs (nesting, error);
}

static void
copy_tasks (const Nesting *nesting)
{
  GHashTableIter iter;
  gpointer exit;
  gpointer entry;
  guint i;

  for (i = 0; i < nesting->inner->tasks->len; i++)
    {
      ImgImportFlowTask task = *_imgimport_flow_task (nesting->inner, i);
      g_autofree char *name = g_strdup_printf ("%s/%s", nesting->name, task.name);

      task.name = name;
      task.destroy = NULL;
      if (task.options != NULL)
        {
          task.options->is_shared = TRUE;
          g_atomic_rc_box_acquire (task.options);
        }
      _imgimport_flow_append (nesting->self, &task);
    }
  g_hash_table_iter_init (&iter, nesting->inner->entries);
  while (g_hash_table_iter_next (&iter, &exit, &entry))
    g_hash_table_insert (nesting->self->entries,
                         GUINT_TO_POINTER (GPOINTER_TO_UINT (exit) + nesting->base),
                         GUINT_TO_POINTER (GPOINTER_TO_UINT (entry) + nesting->base));
}

/* What the inner flow provides has its name before it, for those within too. */
static void
copy_ports (const Nesting *nesting, GArray *from, GArray *to, gboolean provide)
{
  ImgImportFlow *self = nesting->self;
  guint i;

  for (i = 0; i < from->len; i++)
    {
      ImgImportFlowPort port = g_array_index (from, ImgImportFlowPort, i);

      if (g_hash_table_contains (nesting->inner->providers, port.name))
        {
          g_autofree char *name = g_strdup_printf ("%s/%s", nesting->name, port.name);

          port.name = g_string_chunk_insert_const (self->names, name);
        }
      else
        port.name = g_string_chunk_insert_const (self->names, port.name);
      port.local = g_string_chunk_insert_const (self->names, port.local);
      port.task += nesting->base;
      if (provide)
        g_hash_table_insert (self->providers, (gpointer)port.name, GUINT_TO_POINTER (to->len));
      g_array_append_val (to, port);
    }
}

/* The gates come before and after each task: what is one edge too many costs less than finding
 * first and last tasks. */
static void
copy_links (const Nesting *nesting, guint32 entry, guint32 exit)
{
  GArray *links = nesting->self->links;
  ImgImportFlowLink link = { entry, exit };
  guint32 i;

  if (nesting->inner->tasks->len == 0)
    g_array_append_val (links, link);
  for (i = 0; i < nesting->inner->links->len; i++)
    {
      link = g_array_index (nesting->inner->links, ImgImportFlowLink, i);
      link.before += nesting->base;
      link.after += nesting->base;
      g_array_append_val (links, link);
    }
  for (i = 0; i < nesting->inner->tasks->len; i++)
    {
      ImgImportFlowLink first = { entry, nesting->base + i };
      ImgImportFlowLink last = { nesting->base + i, exit };

      g_array_append_val (links, first);
      g_array_append_val (links, last);
    }
}

gboolean
imgimport_flow_add_flow (ImgImportFlow *self, const char *name, ImgImportFlow *inner,
                         GError **error)
{
  g_autofree char *begin = NULL;
  Nesting nesting = { .self = self, .inner = inner, .name = name };
  guint32 entry;
  guint32 exit;

  g_return_val_if_fail (IMGIMPORT_IS_FLOW (self), FALSE);
  g_return_val_if_fail (name != NULL, FALSE);
  g_return_val_if_fail (IMGIMPORT_IS_FLOW (inner), FALSE);
  g_return_val_if_fail (self != inner, FALSE);

  begin = g_strconcat (name, ":begin", NULL);
  if (!check (&nesting, begin, error))
    return FALSE;
  g_ptr_array_add (self->inner, g_object_ref (inner));
  entry = add_gate (self, begin);
  nesting.base = entry + 1;
  copy_tasks (&nesting);
  copy_ports (&nesting, inner->inputs, self->inputs, FALSE);
  copy_ports (&nesting, inner->outputs, self->outputs, TRUE);
  exit = add_gate (self, name);
  copy_links (&nesting, entry, exit);
  g_hash_table_insert (self->entries, GUINT_TO_POINTER (exit), GUINT_TO_POINTER (entry));
  if (inner->pivot != IMGIMPORT_TASK_NONE)
    self->pivot = inner->pivot + nesting.base;
  _imgimport_flow_chain (self, exit);
  return TRUE;
}
