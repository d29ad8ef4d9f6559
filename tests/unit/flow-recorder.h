/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "flow-fixture.h"

/* A journal whose appends can be looked at, prepared and made to fail. */
typedef struct
{
  GPtrArray *appends;    /* of GBytes */
  GString *durable;      /* 'd' or '-' for each */
  guint n_until_failure; /* 0: none */
  gboolean load_fails;
  gboolean claims; /* refuses a second claim */
  gboolean is_claimed;
  guint n_destroyed;
  void (*hook) (gpointer data); /* called by the next append only */
  gpointer hook_data;
} Recorder;

static inline gboolean
recorder_append (gpointer data, const char *run, const void *record, gsize length, gboolean durable,
                 GError **error)
{
  Recorder *self = data;
  void (*hook) (gpointer) = self->hook;

  g_assert_cmpuint (length, >, 0);
  g_assert_cmpuint (length, <=, 1024 * 1024);
  self->hook = NULL;
  if (hook != NULL)
    hook (self->hook_data);
  if (self->n_until_failure > 0 && --self->n_until_failure == 0)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_NO_SPACE, "store-full", "no space");
      return FALSE;
    }
  g_ptr_array_add (self->appends, g_bytes_new (record, length));
  g_string_append_c (self->durable, durable ? 'd' : '-');
  return TRUE;
}

static inline gboolean
recorder_load (gpointer data, const char *run, ImgImportJournalFunc func, gpointer func_data,
               GError **error)
{
  Recorder *self = data;
  guint i;

  if (self->load_fails)
    return FALSE;
  for (i = 0; i < self->appends->len; i++)
    {
      gsize length;
      const void *bytes = g_bytes_get_data (g_ptr_array_index (self->appends, i), &length);

      if (!func (bytes, length, func_data))
        break;
    }
  return TRUE;
}

static inline gboolean
recorder_forget (gpointer data, const char *run, GError **error)
{
  g_ptr_array_set_size (((Recorder *)data)->appends, 0);
  return TRUE;
}

static inline gboolean
recorder_claim (gpointer data, const char *run, GError **error)
{
  Recorder *self = data;

  if (self->claims && self->is_claimed)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_BUSY, "run-claimed", "claimed");
      return FALSE;
    }
  self->is_claimed = TRUE;
  return TRUE;
}

static inline void
recorder_release (gpointer data, const char *run)
{
  ((Recorder *)data)->is_claimed = FALSE;
}

static inline void
recorder_destroy (gpointer data)
{
  ((Recorder *)data)->n_destroyed++;
}

static const ImgImportJournalVTable recorder_vtable = {
  IMGIMPORT_JOURNAL_VTABLE_INIT, .append = recorder_append, .load = recorder_load,
  .forget = recorder_forget,     .claim = recorder_claim,   .release = recorder_release,
};

static inline Recorder *
recorder_new (void)
{
  Recorder *self = g_new0 (Recorder, 1);

  self->appends = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  self->durable = g_string_new (NULL);
  return self;
}

static inline void
recorder_free (Recorder *self)
{
  g_ptr_array_unref (self->appends);
  g_string_free (self->durable, TRUE);
  g_free (self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Recorder, recorder_free)

static inline void
use_recorder (Fixture *f, Recorder *recorder)
{
  g_autoptr (GError) error = NULL;

  g_clear_object (&f->journal);
  f->journal = imgimport_journal_new (&recorder_vtable, recorder, NULL, &error);
  g_assert_no_error (error);
}

/* All records, one behind the other. */
static inline GByteArray *
recorder_join (Recorder *self)
{
  GByteArray *all = g_byte_array_new ();
  guint i;

  for (i = 0; i < self->appends->len; i++)
    {
      GBytes *bytes = g_ptr_array_index (self->appends, i);

      g_byte_array_append (all, g_bytes_get_data (bytes, NULL), (guint)g_bytes_get_size (bytes));
    }
  return all;
}

/* The journal is this one append. */
static inline void
recorder_set (Recorder *self, const guint8 *data, gsize length)
{
  g_ptr_array_set_size (self->appends, 0);
  if (length > 0)
    g_ptr_array_add (self->appends, g_bytes_new (data, length));
}

static inline void
recorder_add (Recorder *self, const ImgImportFlowRecord *record)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  g_assert_true (_imgimport_flow_record_append (record, bytes));
  g_ptr_array_add (self->appends, g_bytes_new (bytes->data, bytes->len));
}

static inline void
recorder_add_head (Recorder *self, ImgImportFlow *flow)
{
  ImgImportFlowRecord head = { .type = IMGIMPORT_FLOW_RECORD_HEAD, .task = IMGIMPORT_TASK_NONE };

  g_assert_true (imgimport_flow_compile (flow, NULL));
  head.number = flow->plan->fingerprint;
  recorder_add (self, &head);
}
