/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "stream/pass.h"

static ImgImportPass *
pass_alloc (const ImgImportPassSpec *spec)
{
  ImgImportPass *self = g_new0 (ImgImportPass, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->released);
  self->stop = g_cancellable_new ();
  self->expected = spec->expected;
  self->limit = spec->limit;
  self->buffer_size = (gsize)MIN (spec->expected, (guint64)IMGIMPORT_BUFFER_SIZE - 1) + 1;
  if (spec->verify != NULL)
    self->verify = g_hash_table_ref (spec->verify);
  self->limit_name = g_strdup (spec->limit_name != NULL ? spec->limit_name : "limit");
  self->clock = spec->clock;
  self->progress = spec->progress;
  self->progress_data = spec->progress_data;
  if (spec->progress != NULL)
    self->reported_us = _imgimport_clock_monotonic_us (spec->clock);
  if (spec->inspect)
    self->inspector = imgimport_inspector_new ();
  return self;
}

static void
stage_init (ImgImportPassStage *self, ImgImportPass *pass, gboolean on_caller)
{
  self->pass = pass;
  self->on_caller = on_caller;
  g_cond_init (&self->ready);
}

/* What is to be computed, each once. */
static GPtrArray *
list_digests (const ImgImportPassSpec *spec)
{
  GPtrArray *names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer name;

  for (gsize i = 0; spec->digests != NULL && spec->digests[i] != NULL; i++)
    g_ptr_array_add (names, (gpointer)spec->digests[i]);
  if (spec->verify == NULL)
    return names;
  g_hash_table_iter_init (&iter, spec->verify);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL))
      g_ptr_array_add (names, name);
  return names;
}

/* Digests come first, so that they have begun before the first sink keeps the caller's thread. */
static gboolean
pass_add_stages (ImgImportPass *self, const ImgImportPassSpec *spec, GError **error)
{
  g_autoptr (GPtrArray) names = list_digests (spec);

  self->sinks = g_new0 (ImgImportPassSink, spec->n_sinks);
  self->stages = g_new0 (ImgImportPassStage, names->len + spec->n_sinks);
  for (guint i = 0; i < names->len; i++)
    {
      ImgImportPassStage *stage = &self->stages[self->n_stages++];

      stage_init (stage, self, !spec->threads);
      stage->algorithm = g_strdup (names->pdata[i]);
      stage->digest = _imgimport_digest_new (stage->algorithm, error);
      if (stage->digest == NULL)
        return FALSE;
    }
  for (guint i = 0; i < spec->n_sinks; i++)
    {
      ImgImportPassStage *stage = &self->stages[self->n_stages++];

      stage_init (stage, self, !spec->threads || (i == 0 && !spec->busy_source));
      stage->sink = &self->sinks[self->n_sinks++];
      _imgimport_pass_sink_init (stage->sink, self, &spec->sinks[i]);
    }
  self->n_live_sinks = self->n_sinks;
  return TRUE;
}

ImgImportPass *
_imgimport_pass_new (const ImgImportPassSpec *spec, GCancellable *cancellable, GError **error)
{
  g_autoptr (ImgImportPass) self = pass_alloc (spec);
  gulong link;

  if (spec->expected != IMGIMPORT_SIZE_UNKNOWN && spec->expected > spec->limit)
    {
      _imgimport_pass_set_limit_error (self, error);
      return NULL;
    }
  if (!pass_add_stages (self, spec, error))
    return NULL;
  link = _imgimport_pass_link (self, cancellable);
  for (guint i = 0; i < self->n_sinks && _imgimport_pass_check (self, NULL); i++)
    _imgimport_pass_sink_begin (&self->sinks[i]);
  g_cancellable_disconnect (cancellable, link);
  return _imgimport_pass_check (self, error) ? g_steal_pointer (&self) : NULL;
}

static void
finish_digests (ImgImportPass *self, ImgImportPassResult *result)
{
  GError *error = NULL;

  result->digests = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < self->n_stages; i++)
    {
      ImgImportPassStage *stage = &self->stages[i];
      char *value;

      if (stage->digest == NULL)
        continue;
      value = _imgimport_digest_finish (stage->digest, &error);
      if (value != NULL)
        g_hash_table_insert (result->digests, g_strdup (stage->algorithm), value);
      else
        _imgimport_pass_fail (self, g_steal_pointer (&error));
    }
}

static gboolean
verify_digests (ImgImportPass *self, GHashTable *found)
{
  GHashTableIter iter;
  gpointer name, expected;
  GError *error = NULL;

  if (self->verify == NULL)
    return TRUE;
  g_hash_table_iter_init (&iter, self->verify);
  while (g_hash_table_iter_next (&iter, &name, &expected))
    {
      const char *value = g_hash_table_lookup (found, name);

      if (g_strcmp0 (value, expected) == 0)
        continue;
      _imgimport_set_error (&error, IMGIMPORT_ERROR_CORRUPT, "staging-changed",
                            "the bytes are not those that were sealed: their %s is %s, not %s",
                            (const char *)name, value, (const char *)expected);
      _imgimport_pass_fail (self, error);
      return FALSE;
    }
  return TRUE;
}

static gboolean
pass_finish (ImgImportPass *self, ImgImportPassResult *result, GError **error)
{
  if (_imgimport_pass_check (self, NULL))
    _imgimport_pass_hand_on (self, 1);
  _imgimport_pass_close (self);
  if (_imgimport_pass_check (self, NULL) && self->expected != IMGIMPORT_SIZE_UNKNOWN &&
      self->bytes < self->expected)
    _imgimport_pass_fail_size (self, "fewer");
  if (!_imgimport_pass_check (self, error))
    return FALSE;
  _imgimport_pass_report (self, TRUE);
  finish_digests (self, result);
  if (!_imgimport_pass_check (self, NULL) || !verify_digests (self, result->digests))
    return _imgimport_pass_check (self, error);
  if (self->inspector != NULL)
    result->facts = _imgimport_inspector_finish (self->inspector);
  result->size = self->bytes;
  return _imgimport_pass_commit (self, error);
}

gboolean
_imgimport_pass_finish (ImgImportPass *self, ImgImportPassResult *result, GCancellable *cancellable,
                        GError **error)
{
  gboolean ok;
  gulong link;

  g_return_val_if_fail (!self->finished, FALSE);

  self->finished = TRUE;
  *result = (ImgImportPassResult){ 0 };
  link = _imgimport_pass_link (self, cancellable);
  ok = pass_finish (self, result, error);
  g_cancellable_disconnect (cancellable, link);
  if (!ok)
    {
      _imgimport_pass_result_clear (result);
      return FALSE;
    }
  result->n_sinks = self->n_sinks;
  result->sinks = g_new0 (ImgImportSinkResult, self->n_sinks);
  for (guint i = 0; i < self->n_sinks; i++)
    {
      result->sinks[i].version = g_steal_pointer (&self->sinks[i].version);
      result->sinks[i].error = g_steal_pointer (&self->sinks[i].error);
    }
  return TRUE;
}

void
_imgimport_pass_free (ImgImportPass *self)
{
  if (self == NULL)
    return;
  g_cancellable_cancel (self->stop);
  _imgimport_pass_close (self);
  if (self->current != NULL)
    _imgimport_pass_release (self, self->current);
  _imgimport_pass_free_buffers (self);
  for (guint i = 0; i < self->n_sinks; i++)
    _imgimport_pass_sink_clear (&self->sinks[i]);
  for (guint i = 0; i < self->n_stages; i++)
    {
      g_clear_pointer (&self->stages[i].digest, _imgimport_digest_free);
      g_free (self->stages[i].algorithm);
      g_cond_clear (&self->stages[i].ready);
    }
  g_free (self->sinks);
  g_free (self->stages);
  g_clear_object (&self->inspector);
  g_clear_error (&self->error);
  g_object_unref (self->stop);
  g_clear_pointer (&self->verify, g_hash_table_unref);
  g_free (self->limit_name);
  g_cond_clear (&self->released);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
_imgimport_pass_result_clear (ImgImportPassResult *self)
{
  g_clear_pointer (&self->digests, g_hash_table_unref);
  g_clear_pointer (&self->facts, _imgimport_facts_free);
  for (guint i = 0; i < self->n_sinks; i++)
    {
      g_free (self->sinks[i].version);
      g_clear_error (&self->sinks[i].error);
    }
  g_clear_pointer (&self->sinks, g_free);
  self->n_sinks = 0;
  self->size = 0;
}
