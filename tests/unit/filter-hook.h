/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A hook that makes capital letters of bytes that begin with a small one, and puts a mark behind
 * them; or whatever else a test wants of it. */

#include <imgimport/imgimport-hook.h>

typedef struct
{
  char mark;
  gboolean open_fails;
  gboolean reads_in_open; /* and answers no filter */
  gboolean stops;         /* before the end */
  gboolean overflows;     /* answers more than it was asked for */
  guint fail_read;        /* this one; 0: none */
  ImgImportError code;    /* with this */
  guint n_opens;
  guint n_filters;
  guint n_reads;
  guint n_closes;
} FilterHook;

typedef struct
{
  ImgImportUpstream *upstream;
  gboolean ended;
} Capitals;

static inline gboolean
filter_hook_fail (const FilterHook *self, GError **error)
{
  imgimport_error_set (error, self->code, "filtered", "the filter fails");
  return FALSE;
}

static inline gboolean
filter_hook_open (gpointer self, ImgImportCall *call, ImgImportUpstream *upstream, gpointer *filter,
                  GCancellable *cancellable, GError **error)
{
  FilterHook *hook = self;
  const guint8 *head = NULL;
  guint8 byte;
  gsize n = 0;
  Capitals *capitals;

  hook->n_opens++;
  if (hook->open_fails)
    return filter_hook_fail (hook, error);
  if (hook->reads_in_open)
    return imgimport_upstream_read (upstream, &byte, 1, &n, cancellable, error);
  if (!imgimport_upstream_peek (upstream, 1, &head, &n, cancellable, error))
    return FALSE;
  if (n == 0 || !g_ascii_islower ((char)head[0]))
    return TRUE;
  capitals = g_new0 (Capitals, 1);
  capitals->upstream = upstream;
  hook->n_filters++;
  *filter = capitals;
  return TRUE;
}

static inline gboolean
filter_hook_read (gpointer self, gpointer filter, void *buffer, gsize length, gsize *n_read,
                  GCancellable *cancellable, GError **error)
{
  FilterHook *hook = self;
  Capitals *capitals = filter;
  char *text = buffer;
  gsize i;

  if (++hook->n_reads == hook->fail_read)
    return filter_hook_fail (hook, error);
  if (hook->overflows)
    {
      *n_read = length + 1;
      return TRUE;
    }
  if (capitals->ended || hook->stops)
    return TRUE;
  if (!imgimport_upstream_read (capitals->upstream, buffer, length, n_read, cancellable, error))
    return FALSE;
  for (i = 0; i < *n_read; i++)
    text[i] = g_ascii_toupper (text[i]);
  if (*n_read > 0)
    return TRUE;
  capitals->ended = TRUE;
  text[0] = hook->mark;
  *n_read = 1;
  return TRUE;
}

static inline void
filter_hook_close (gpointer self, gpointer filter)
{
  ((FilterHook *)self)->n_closes++;
  g_free (filter);
}

static const ImgImportHookVTable filter_hook = { IMGIMPORT_HOOK_VTABLE_INIT,
                                                 .open = filter_hook_open, .read = filter_hook_read,
                                                 .close = filter_hook_close };
