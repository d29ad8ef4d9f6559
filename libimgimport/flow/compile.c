/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* Turns the number of entries of each row, counted at start[row + 1], into where each row begins.
 */
static void
rows_from_counts (guint32 *start, guint32 n_rows)
{
  guint32 i;

  for (i = 0; i < n_rows; i++)
    start[i + 1] += start[i];
}

/* Gives each output its place in the rows of its task. */
static void
place_outputs (ImgImportPlan *self, ImgImportFlow *flow)
{
  g_autofree guint32 *next = NULL;
  guint i;

  self->n_outputs = flow->outputs->len;
  self->output_start = g_new0 (guint32, self->n_tasks + 1);
  self->outputs = g_new (const char *, self->n_outputs);
  for (i = 0; i < flow->outputs->len; i++)
    self->output_start[g_array_index (flow->outputs, ImgImportFlowPort, i).task + 1]++;
  rows_from_counts (self->output_start, self->n_tasks);
  next = g_memdup2 (self->output_start, sizeof (guint32) * (self->n_tasks + 1));
  for (i = 0; i < flow->outputs->len; i++)
    {
      ImgImportFlowPort *port = &g_array_index (flow->outputs, ImgImportFlowPort, i);

      port->value = next[port->task]++;
      self->outputs[port->value] = port->local;
    }
}

/* The value that feeds an input which no task provides: one for each name. */
static guint32
run_input_value (ImgImportPlan *self, const ImgImportFlowPort *input)
{
  ImgImportFlowPort port = *input;
  gpointer found;

  if (g_hash_table_lookup_extended (self->run_input, input->name, NULL, &found))
    return self->n_outputs + GPOINTER_TO_UINT (found);
  port.value = self->n_outputs + self->run_inputs->len;
  g_hash_table_insert (self->run_input, (gpointer)input->name,
                       GUINT_TO_POINTER (self->run_inputs->len));
  g_array_append_val (self->run_inputs, port);
  return port.value;
}

/* Resolves each input to the value that feeds it; providers become links in `edges`. */
static void
place_inputs (ImgImportPlan *self, ImgImportFlow *flow, GArray *edges)
{
  g_autofree guint32 *next = NULL;
  guint i;

  self->input_start = g_new0 (guint32, self->n_tasks + 1);
  self->inputs = g_new (ImgImportPlanInput, flow->inputs->len);
  for (i = 0; i < flow->inputs->len; i++)
    self->input_start[g_array_index (flow->inputs, ImgImportFlowPort, i).task + 1]++;
  rows_from_counts (self->input_start, self->n_tasks);
  next = g_memdup2 (self->input_start, sizeof (guint32) * (self->n_tasks + 1));
  for (i = 0; i < flow->inputs->len; i++)
    {
      ImgImportFlowPort *port = &g_array_index (flow->inputs, ImgImportFlowPort, i);
      gpointer provider;

      if (g_hash_table_lookup_extended (flow->providers, port->name, NULL, &provider))
        {
          ImgImportFlowPort *output =
              &g_array_index (flow->outputs, ImgImportFlowPort, GPOINTER_TO_UINT (provider));
          ImgImportFlowLink link = { output->task, port->task };

          port->value = output->value;
          g_array_append_val (edges, link);
        }
      else
        port->value = run_input_value (self, port);
      self->inputs[next[port->task]++] =
          (ImgImportPlanInput){ port->local, port->value, port->of_revert };
    }
  self->n_run_inputs = self->run_inputs->len;
}

static void
place_edges (ImgImportPlan *self, GArray *edges)
{
  g_autofree guint32 *next_after = NULL;
  g_autofree guint32 *next_before = NULL;
  gsize row_bytes = sizeof (guint32) * (self->n_tasks + 1);
  guint i;

  self->after_start = g_malloc0 (row_bytes);
  self->before_start = g_malloc0 (row_bytes);
  self->after = g_new (guint32, edges->len);
  self->before = g_new (guint32, edges->len);
  for (i = 0; i < edges->len; i++)
    {
      self->after_start[g_array_index (edges, ImgImportFlowLink, i).before + 1]++;
      self->before_start[g_array_index (edges, ImgImportFlowLink, i).after + 1]++;
    }
  rows_from_counts (self->after_start, self->n_tasks);
  rows_from_counts (self->before_start, self->n_tasks);
  next_after = g_memdup2 (self->after_start, row_bytes);
  next_before = g_memdup2 (self->before_start, row_bytes);
  for (i = 0; i < edges->len; i++)
    {
      const ImgImportFlowLink *edge = &g_array_index (edges, ImgImportFlowLink, i);

      self->after[next_after[edge->before]++] = edge->after;
      self->before[next_before[edge->after]++] = edge->before;
    }
}

guint64
_imgimport_mix (guint64 x)
{
  x ^= x >> 30;
  x *= G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  x ^= x >> 27;
  x *= G_GUINT64_CONSTANT (0x94d049bb133111eb);
  x ^= x >> 31;
  return x;
}

guint64
_imgimport_hash_name (guint64 hash, const char *name)
{
  do
    hash = (hash ^ (guint8)*name) * G_GUINT64_CONSTANT (0x100000001b3);
  while (*name++ != '\0');
  return hash;
}

/* Says whether two definitions mean the same journal: records name tasks and outputs by their
 * place, so these count in order; edges count in any order. Guards against mistakes, not against
 * attacks. */
static guint64
fingerprint (const ImgImportPlan *self, ImgImportFlow *flow, GArray *edges)
{
  guint64 hash = _imgimport_mix (self->n_tasks + G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) +
                                 ((guint64)flow->version << 32));
  guint64 sum = 0;
  guint32 i;

  for (i = 0; i < self->n_tasks; i++)
    {
      guint32 j;

      hash = _imgimport_hash_name (hash, _imgimport_flow_task (flow, i)->name);
      for (j = self->output_start[i]; j < self->output_start[i + 1]; j++)
        hash = _imgimport_hash_name (hash, self->outputs[j]);
      hash = _imgimport_mix (hash + 1);
    }
  for (i = 0; i < edges->len; i++)
    {
      const ImgImportFlowLink *edge = &g_array_index (edges, ImgImportFlowLink, i);

      sum += _imgimport_mix (((guint64)edge->before << 32 | edge->after) + 1);
    }
  return _imgimport_mix (_imgimport_mix (hash + sum) + self->pivot);
}

ImgImportPlan *
_imgimport_plan_new (ImgImportFlow *flow, GError **error)
{
  g_autoptr (ImgImportPlan) self = g_new0 (ImgImportPlan, 1);
  g_autoptr (GArray) edges = g_array_new (FALSE, FALSE, sizeof (ImgImportFlowLink));

  self->n_tasks = flow->tasks->len;
  self->pivot = flow->pivot;
  self->run_inputs = g_array_new (FALSE, FALSE, sizeof (ImgImportFlowPort));
  self->run_input = g_hash_table_new (g_str_hash, g_str_equal);
  if (flow->links->len > 0)
    g_array_append_vals (edges, flow->links->data, flow->links->len);
  place_outputs (self, flow);
  place_inputs (self, flow, edges);
  place_edges (self, edges);
  if (!_imgimport_plan_check_order (self, flow, error) ||
      !_imgimport_plan_check_pivot (self, flow, error))
    return NULL;
  self->fingerprint = fingerprint (self, flow, edges);
  return g_steal_pointer (&self);
}

void
_imgimport_plan_free (ImgImportPlan *self)
{
  g_free (self->after_start);
  g_free (self->after);
  g_free (self->before_start);
  g_free (self->before);
  g_free (self->input_start);
  g_free (self->inputs);
  g_free (self->output_start);
  g_free (self->outputs);
  g_array_unref (self->run_inputs);
  g_hash_table_unref (self->run_input);
  g_free (self);
}
