/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/* A binary heap. */

static gboolean
is_before (const ImgImportTimer *a, const ImgImportTimer *b)
{
  return a->due_us != b->due_us ? a->due_us < b->due_us : a->serial < b->serial;
}

static void
swap (ImgImportTimer *a, ImgImportTimer *b)
{
  ImgImportTimer c = *a;

  *a = *b;
  *b = c;
}

static void
sift_up (GArray *timers, guint at)
{
  ImgImportTimer *heap = (ImgImportTimer *)(void *)timers->data;

  while (at > 0 && is_before (&heap[at], &heap[(at - 1) / 2]))
    {
      swap (&heap[at], &heap[(at - 1) / 2]);
      at = (at - 1) / 2;
    }
}

static void
sift_down (GArray *timers, guint at)
{
  ImgImportTimer *heap = (ImgImportTimer *)(void *)timers->data;

  for (;;)
    {
      guint child = 2 * at + 1;

      if (child >= timers->len)
        return;
      if (child + 1 < timers->len && is_before (&heap[child + 1], &heap[child]))
        child++;
      if (!is_before (&heap[child], &heap[at]))
        return;
      swap (&heap[at], &heap[child]);
      at = child;
    }
}

void
_imgimport_timers_push (GArray *timers, const ImgImportTimer *timer)
{
  g_array_append_vals (timers, timer, 1);
  g_object_ref (timer->run);
  sift_up (timers, timers->len - 1);
}

ImgImportTimer
_imgimport_timers_pop (GArray *timers)
{
  ImgImportTimer first = g_array_index (timers, ImgImportTimer, 0);

  g_array_remove_index_fast (timers, 0);
  sift_down (timers, 0);
  return first;
}

void
_imgimport_timers_remove_run (GArray *timers, ImgImportRun *run)
{
  guint kept = 0;
  guint i;

  for (i = 0; i < timers->len; i++)
    {
      ImgImportTimer *timer = &g_array_index (timers, ImgImportTimer, i);

      if (timer->run == run)
        g_object_unref (run);
      else
        g_array_index (timers, ImgImportTimer, kept++) = *timer;
    }
  g_array_set_size (timers, kept);
  for (i = kept / 2; i > 0; i--)
    sift_down (timers, i - 1);
}
