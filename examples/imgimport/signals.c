/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ctrl-C and SIGTERM. The signals are blocked in every thread and read from a descriptor by a
 * thread of their own, so that nothing runs in a signal handler.
 */
#include "cli.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct _CliSignals
{
  GCancellable *cancellable;
  GThread *thread;
  int signal_fd;
  int stop_fd;
};

/* A blocked signal reaches the descriptor even where it is ignored, as under nohup; so those are
 * left out. */
static void
watched_signals (sigset_t *signals)
{
  const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
  guint i;

  sigemptyset (signals);
  for (i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      struct sigaction action;

      if (sigaction (numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
        sigaddset (signals, numbers[i]);
    }
}

static gpointer
watch (gpointer data)
{
  CliSignals *self = data;
  struct pollfd fds[] = { { .fd = self->stop_fd, .events = POLLIN },
                          { .fd = self->signal_fd, .events = POLLIN } };
  struct signalfd_siginfo info;
  gboolean again = FALSE;

  for (;;)
    {
      if (poll (fds, G_N_ELEMENTS (fds), -1) == -1)
        continue;
      if (fds[0].revents != 0)
        return NULL;
      if (read (self->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        continue;
      if (again)
        cli_exit_at_once ();
      again = TRUE;
      g_cancellable_cancel (self->cancellable);
    }
}

CliSignals *
cli_signals_new (GCancellable *cancellable, GError **error)
{
  g_autoptr (CliSignals) self = g_new0 (CliSignals, 1);
  sigset_t signals;

  watched_signals (&signals);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);

  self->cancellable = g_object_ref (cancellable);
  self->signal_fd = signalfd (-1, &signals, SFD_CLOEXEC);
  self->stop_fd = eventfd (0, EFD_CLOEXEC);
  if (self->signal_fd == -1 || self->stop_fd == -1)
    {
      cli_set_system_error (error, "signals", "signalfd");
      return NULL;
    }
  self->thread = g_thread_try_new ("signals", watch, self, error);
  return self->thread != NULL ? g_steal_pointer (&self) : NULL;
}

void
cli_signals_free (CliSignals *self)
{
  if (self->thread != NULL)
    {
      eventfd_write (self->stop_fd, 1);
      g_thread_join (self->thread);
    }
  if (self->signal_fd != -1)
    close (self->signal_fd);
  if (self->stop_fd != -1)
    close (self->stop_fd);
  g_object_unref (self->cancellable);
  g_free (self);
}
