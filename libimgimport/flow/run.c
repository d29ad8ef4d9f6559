/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

G_DEFINE_ENUM_TYPE (ImgImportRunState, imgimport_run_state,
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_RUN_PENDING, "pending"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_RUN_RUNNING, "running"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_RUN_REVERTING, "reverting"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_RUN_SUCCESS, "success"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_RUN_REVERTED, "reverted"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_RUN_PARTIALLY_REVERTED, "partially-reverted"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_RUN_CANCELLED, "cancelled"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_RUN_INTERRUPTED, "interrupted"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_RUN_SUSPENDED, "suspended"))

G_DEFINE_FINAL_TYPE (ImgImportRun, imgimport_run, G_TYPE_OBJECT)

static void
imgimport_run_finalize (GObject *object)
{
  ImgImportRun *self = IMGIMPORT_RUN (object);
  guint32 i;

  /* Orders what other threads did under the lock before what follows. */
  g_mutex_lock (&self->lock);
  g_mutex_unlock (&self->lock);
  if (self->done_destroy != NULL)
    self->done_destroy (self->done_data);
  for (i = 0; self->values != NULL && i < self->plan->n_outputs + self->plan->n_run_inputs; i++)
    g_clear_pointer (&self->values[i], g_variant_unref);
  g_free (self->values);
  g_free (self->slots);
  g_free (self->ready);
  g_array_unref (self->errors);
  _imgimport_run_watch_clear (self);
  g_clear_pointer (&self->extras, g_hash_table_unref);
  g_clear_pointer (&self->firing, g_ptr_array_unref);
  g_clear_pointer (&self->log.pending, g_byte_array_unref);
  if (self->log.is_claimed)
    _imgimport_journal_release (self->log.journal, self->id);
  g_clear_object (&self->log.journal);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->late_cancellable);
  g_clear_pointer (&self->pool, _imgimport_pool_unref);
  g_clear_object (&self->flow);
  g_free (self->id);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (imgimport_run_parent_class)->finalize (object);
}

static void
imgimport_run_class_init (ImgImportRunClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_run_finalize;
}

static void
clear_run_error (gpointer data)
{
  g_clear_error (&((ImgImportRunError *)data)->error);
}

static void
imgimport_run_init (ImgImportRun *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->suspended_phase = IMGIMPORT_PHASE_ENDED;
  self->cancellable = g_cancellable_new ();
  self->late_cancellable = g_cancellable_new ();
  self->errors = g_array_new (FALSE, FALSE, sizeof (ImgImportRunError));
  g_array_set_clear_func (self->errors, clear_run_error);
}

/* Names all that nobody provides. */
static gboolean
check_inputs (ImgImportRun *self, GError **error)
{
  const ImgImportPlan *plan = self->plan;
  g_autoptr (GString) missing = g_string_new (NULL);
  guint n = 0;
  guint32 i;

  for (i = 0; i < plan->n_run_inputs; i++)
    {
      const ImgImportFlowPort *port = &g_array_index (plan->run_inputs, ImgImportFlowPort, i);

      if (self->values[plan->n_outputs + i] == NULL && n++ < IMGIMPORT_NAMES_MAX)
        g_string_append_printf (missing, "%s“%s” of %s “%s”", n == 1 ? "" : ", ", port->name,
                                port->of_revert ? "the revert of task" : "task",
                                _imgimport_flow_task (self->flow, port->task)->name);
    }
  if (n == 0)
    return TRUE;
  if (n > IMGIMPORT_NAMES_MAX)
    g_string_append_printf (missing, " and %u more", n - IMGIMPORT_NAMES_MAX);
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "input-missing",
                        "flow “%s”: nothing provides the input%s %s", self->flow->name,
                        n == 1 ? "" : "s", missing->str);
  return FALSE;
}

static gboolean
take_inputs (ImgImportRun *self, GVariant *inputs, GError **error)
{
  const ImgImportPlan *plan = self->plan;
  guint32 i;

  if (inputs != NULL)
    {
      GVariantIter iter;
      const char *name;
      GVariant *value;

      g_variant_iter_init (&iter, inputs);
      while (g_variant_iter_next (&iter, "{&sv}", &name, &value))
        {
          g_autoptr (GVariant) owned = value;
          gpointer index;

          if (!g_hash_table_lookup_extended (plan->run_input, name, NULL, &index))
            continue;
          i = plan->n_outputs + GPOINTER_TO_UINT (index);
          g_clear_pointer (&self->values[i], g_variant_unref);
          self->values[i] = g_steal_pointer (&owned);
        }
    }
  return check_inputs (self, error);
}

static gboolean
open_journal (ImgImportRun *self, GError **error)
{
  if (self->log.journal == NULL)
    return TRUE;
  if (!_imgimport_journal_claim (self->log.journal, self->id, error))
    return FALSE;
  self->log.is_claimed = TRUE;
  return _imgimport_run_load (self, error);
}

static gboolean
check_arguments (ImgImportFlow *flow, const char *id, GVariant *inputs, GError **error)
{
  if (!g_utf8_validate (id, -1, NULL))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "run-invalid",
                            "flow “%s”: the name of a run is not UTF-8", flow->name);
      return FALSE;
    }
  if (inputs == NULL || g_variant_is_of_type (inputs, G_VARIANT_TYPE_VARDICT))
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "inputs-invalid",
                        "flow “%s”: the inputs of a run are a{sv}, not %s", flow->name,
                        g_variant_get_type_string (inputs));
  return FALSE;
}

ImgImportRun *
imgimport_run_new (ImgImportFlow *flow, const char *id, GVariant *inputs, ImgImportJournal *journal,
                   GError **error)
{
  g_autoptr (GVariant) owned = inputs != NULL ? g_variant_ref_sink (inputs) : NULL;
  g_autoptr (ImgImportRun) self = NULL;
  const ImgImportPlan *plan;

  g_return_val_if_fail (IMGIMPORT_IS_FLOW (flow), NULL);
  g_return_val_if_fail (id != NULL, NULL);
  g_return_val_if_fail (journal == NULL || IMGIMPORT_IS_JOURNAL (journal), NULL);

  if (!imgimport_flow_compile (flow, error) || !check_arguments (flow, id, owned, error))
    return NULL;
  self = g_object_new (IMGIMPORT_TYPE_RUN, NULL);
  plan = flow->plan;
  self->flow = g_object_ref (flow);
  self->plan = plan;
  self->id = g_strdup (id);
  self->values = g_new0 (GVariant *, (gsize)plan->n_outputs + plan->n_run_inputs + 1);
  self->slots = g_new0 (ImgImportSlot, plan->n_tasks);
  self->ready = g_new (guint32, plan->n_tasks);
  g_set_object (&self->log.journal, journal);
  if (!take_inputs (self, owned, error) || !open_journal (self, error))
    return NULL;
  _imgimport_run_prepare (self);
  return g_steal_pointer (&self);
}

void
imgimport_run_set_done_func (ImgImportRun *self, ImgImportRunFunc func, gpointer user_data,
                             GDestroyNotify destroy)
{
  GDestroyNotify old_destroy;
  gpointer old_data;

  g_return_if_fail (IMGIMPORT_IS_RUN (self));

  _imgimport_run_lock (self);
  old_destroy = self->done_destroy;
  old_data = self->done_data;
  self->done_func = func;
  self->done_data = user_data;
  self->done_destroy = destroy;
  g_mutex_unlock (&self->lock);
  if (old_destroy != NULL)
    old_destroy (old_data);
}

/* The pool has it: forward, or backward where the journal or a cancellation says so. */
static void
set_going (ImgImportRun *self)
{
  const ImgImportPlan *plan = self->plan;
  guint32 i;

  if (self->state == IMGIMPORT_RUN_REVERTING || self->is_cancelled)
    {
      self->phase = IMGIMPORT_PHASE_STOPPING;
      self->state = IMGIMPORT_RUN_RUNNING;
      return;
    }
  self->phase = IMGIMPORT_PHASE_EXECUTING;
  self->state = IMGIMPORT_RUN_RUNNING;
  for (i = 0; i < plan->n_tasks; i++)
    if (self->slots[i].waiting == 0 && self->slots[i].state == IMGIMPORT_TASK_PENDING)
      _imgimport_run_push (self, i);
}

gboolean
_imgimport_run_attach (ImgImportRun *self, ImgImportEngine *engine, ImgImportPhase from,
                       GError **error)
{
  ImgImportPool *pool = _imgimport_engine_get_pool (engine);

  if (!_imgimport_pool_attach (pool, self, error))
    return FALSE;
  self->engine = g_object_ref (engine);
  g_clear_pointer (&self->pool, _imgimport_pool_unref);
  self->pool = _imgimport_pool_ref (pool);
  _imgimport_run_watch_start (self);
  if (from == IMGIMPORT_PHASE_PENDING)
    set_going (self);
  else
    self->phase = from;
  _imgimport_run_watch_state (self);
  _imgimport_run_arm_deadline (self);
  _imgimport_run_arm_budget (self);
  while (self->n_ready == 0 && _imgimport_run_settle (self))
    continue;
  if (self->n_ready > 0)
    _imgimport_run_wake (self);
  g_cond_broadcast (&self->cond);
  return TRUE;
}

gboolean
imgimport_run_start (ImgImportRun *self, ImgImportEngine *engine, GError **error)
{
  gboolean ok = FALSE;

  g_return_val_if_fail (IMGIMPORT_IS_RUN (self), FALSE);
  g_return_val_if_fail (IMGIMPORT_IS_ENGINE (engine), FALSE);

  _imgimport_run_lock (self);
  if (self->phase == IMGIMPORT_PHASE_PENDING)
    ok = _imgimport_run_attach (self, engine, IMGIMPORT_PHASE_PENDING, error);
  else
    _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "run-started",
                          "run “%s”: it has been started before", self->id);
  _imgimport_run_unlock (self);
  _imgimport_run_report (self);
  return ok;
}
