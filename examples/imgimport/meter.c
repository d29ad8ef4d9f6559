/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Progress on standard error: a line that is drawn again on a terminal, else a line now and then.
 * The library's calls block, so a thread looks at its events meanwhile.
 */
#include "cli.h"

#include <unistd.h>

#define LOOK_INTERVAL_US (G_USEC_PER_SEC / 5)
#define LINE_INTERVAL_US (5 * G_USEC_PER_SEC)

struct _CliMeter
{
  char *label;
  gboolean on_terminal;
  ImgImportSubscription *subscription; /* or: */
  int fd;
  GThread *thread;
  GAsyncQueue *stop; /* anything in it ends the thread */

  /* The thread's own. */
  char *phase;
  guint64 bytes;
  guint64 total;
  gint64 phase_began_us;
  gint64 line_shown_us;
  guint percent_shown;
  gboolean line_is_open;
};

static void
begin_phase (CliMeter *self, const char *phase)
{
  g_free (self->phase);
  self->phase = g_strdup (phase);
  self->phase_began_us = g_get_monotonic_time ();
  self->line_shown_us = self->phase_began_us;
  self->percent_shown = 0;
}

static void
take_event (CliMeter *self, ImgImportEvent *event)
{
  if (imgimport_event_get_kind (event) != IMGIMPORT_EVENT_PROGRESS)
    return;
  if (g_strcmp0 (self->phase, imgimport_event_get_phase (event)) != 0)
    begin_phase (self, imgimport_event_get_phase (event));
  self->bytes = imgimport_event_get_bytes (event);
  self->total = imgimport_event_get_total (event);
}

static void
look (CliMeter *self)
{
  ImgImportEvent *event;
  off_t position;

  if (self->subscription == NULL)
    {
      position = lseek (self->fd, 0, SEEK_CUR);
      self->bytes = position > 0 ? (guint64)position : 0;
      return;
    }
  while ((event = imgimport_subscription_next (self->subscription)) != NULL)
    {
      take_event (self, event);
      g_object_unref (event);
    }
}

static gboolean
total_is_known (CliMeter *self)
{
  return self->total != IMGIMPORT_SIZE_UNKNOWN && self->total > 0;
}

static guint
percent (CliMeter *self)
{
  return total_is_known (self) ? (guint)((double)self->bytes * 100 / (double)self->total) : 0;
}

/* Minutes and seconds. */
static void
append_time (GString *line, const char *before, gint64 time_us)
{
  gint64 seconds = time_us / G_USEC_PER_SEC;

  g_string_append_printf (line, "%s%" G_GINT64_FORMAT ":%02u", before, seconds / 60,
                          (guint)(seconds % 60));
}

static void
append_rate (CliMeter *self, GString *line)
{
  gint64 elapsed_us = g_get_monotonic_time () - self->phase_began_us;
  double rate = (double)self->bytes * G_USEC_PER_SEC / (double)MAX (elapsed_us, 1);
  g_autofree char *text = NULL;

  if (elapsed_us < G_USEC_PER_SEC / 2 || rate < 1)
    return;
  text = g_format_size_full ((guint64)rate, G_FORMAT_SIZE_IEC_UNITS);
  g_string_append_printf (line, ", %s/s", text);
  if (total_is_known (self) && self->bytes < self->total)
    {
      double left_us = (double)(self->total - self->bytes) / rate * G_USEC_PER_SEC;

      append_time (line, ", ", (gint64)left_us + G_USEC_PER_SEC);
      g_string_append (line, " left");
    }
}

static char *
describe (CliMeter *self)
{
  GString *line = g_string_new (self->label);
  g_autofree char *done = g_format_size_full (self->bytes, G_FORMAT_SIZE_IEC_UNITS);

  if (self->phase != NULL)
    g_string_append_printf (line, " (%s)", self->phase);
  if (self->bytes == 0)
    append_time (line, ": ", g_get_monotonic_time () - self->phase_began_us);
  else if (total_is_known (self))
    {
      g_autofree char *all = g_format_size_full (self->total, G_FORMAT_SIZE_IEC_UNITS);

      g_string_append_printf (line, ": %u %%, %s of %s", percent (self), done, all);
    }
  else
    g_string_append_printf (line, ": %s", done);
  append_rate (self, line);
  return g_string_free (line, FALSE);
}

/* Without a terminal: after 5 s, or after 10 % where these took at least 1 s. */
static gboolean
line_is_due (CliMeter *self)
{
  gint64 since_us = g_get_monotonic_time () - self->line_shown_us;

  return since_us >= LINE_INTERVAL_US ||
         (since_us >= G_USEC_PER_SEC && percent (self) >= self->percent_shown + 10);
}

static void
draw (CliMeter *self)
{
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;

  /* What takes no time needs no progress. */
  if (g_get_monotonic_time () - self->phase_began_us < LOOK_INTERVAL_US ||
      (!self->on_terminal && !line_is_due (self)))
    return;
  text = describe (self);
  line =
      self->on_terminal ? g_strconcat ("\r", text, "\033[K", NULL) : g_strconcat (text, "\n", NULL);
  cli_print_error (line);
  self->line_is_open = self->on_terminal;
  self->line_shown_us = g_get_monotonic_time ();
  self->percent_shown = percent (self);
}

static gpointer
watch (gpointer data)
{
  CliMeter *self = data;

  while (g_async_queue_timeout_pop (self->stop, LOOK_INTERVAL_US) == NULL)
    {
      look (self);
      draw (self);
    }
  if (self->line_is_open)
    cli_print_error ("\r\033[K");
  return NULL;
}

static CliMeter *
start (Cli *cli, const char *label, ImgImportSubscription *subscription, int fd, guint64 total)
{
  CliMeter *self = g_new0 (CliMeter, 1);

  self->label = g_strdup (label);
  self->on_terminal = isatty (STDERR_FILENO) == 1 && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  self->subscription = subscription;
  self->fd = fd;
  self->total = total;
  self->stop = g_async_queue_new ();
  begin_phase (self, NULL);
  if (!cli->globals.quiet && (subscription != NULL || fd != -1))
    self->thread = g_thread_new ("meter", watch, self);
  return self;
}

CliMeter *
cli_meter_new (Cli *cli, const char *label, const char *image_id)
{
  return start (cli, label, imgimport_service_subscribe (cli->service, image_id, NULL), -1,
                IMGIMPORT_SIZE_UNKNOWN);
}

CliMeter *
cli_meter_new_for_fd (Cli *cli, const char *label, int fd, guint64 total)
{
  return start (cli, label, NULL, fd, total);
}

void
cli_meter_free (CliMeter *self)
{
  if (self->thread != NULL)
    {
      g_async_queue_push (self->stop, self);
      g_thread_join (self->thread);
    }
  g_clear_object (&self->subscription);
  g_async_queue_unref (self->stop);
  g_free (self->phase);
  g_free (self->label);
  g_free (self);
}
