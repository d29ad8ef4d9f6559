/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service/service-private.h"

#include <poll.h>
#include <sys/resource.h>

#define QUEUE_MAX 256

typedef struct
{
  ImgImportBus *bus;
  ImgImportSubscription *subscription; /* to all */
} Fixture;

static ImgImportSubscription *
subscribe (ImgImportBus *bus, const char *image_id)
{
  g_autoptr (GError) error = NULL;
  ImgImportSubscription *subscription = _imgimport_bus_subscribe (bus, image_id, &error);

  g_assert_no_error (error);
  return subscription;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->bus = _imgimport_bus_new ();
  f->subscription = subscribe (f->bus, NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_assert_finalize_object (f->subscription);
  _imgimport_bus_unref (f->bus);
}

static void
publish_image (Fixture *f, const char *id)
{
  g_autoptr (ImgImportImage) image = _imgimport_image_new (id, 0);
  g_autoptr (ImgImportEvent) event = _imgimport_event_new_image (image);

  _imgimport_bus_publish (f->bus, event);
}

static void
publish_progress (Fixture *f, const char *id, const char *job, const char *phase, guint64 bytes)
{
  g_autoptr (ImgImportEvent) event =
      _imgimport_event_new_progress (id, job, phase, bytes, IMGIMPORT_SIZE_UNKNOWN);

  _imgimport_bus_publish (f->bus, event);
}

static gboolean
is_readable (ImgImportSubscription *subscription)
{
  struct pollfd item = { .fd = imgimport_subscription_get_fd (subscription), .events = POLLIN };

  return poll (&item, 1, 0) == 1;
}

/* The next event is of this image and says so many bytes. */
static void
expect (ImgImportSubscription *subscription, ImgImportEventKind kind, const char *image_id,
        guint64 bytes)
{
  g_autoptr (ImgImportEvent) event = NULL;

  g_assert_true (is_readable (subscription));
  event = imgimport_subscription_next (subscription);
  g_assert_nonnull (event);
  g_assert_cmpint (imgimport_event_get_kind (event), ==, kind);
  g_assert_cmpstr (imgimport_event_get_image_id (event), ==, image_id);
  if (kind == IMGIMPORT_EVENT_PROGRESS)
    g_assert_cmpuint (imgimport_event_get_bytes (event), ==, bytes);
}

static void
expect_none (ImgImportSubscription *subscription)
{
  g_assert_false (is_readable (subscription));
  g_assert_null (imgimport_subscription_next (subscription));
}

static void
test_events_come_in_order (Fixture *f, gconstpointer data)
{
  expect_none (f->subscription);
  publish_image (f, "a");
  publish_image (f, "b");
  expect (f->subscription, IMGIMPORT_EVENT_IMAGE, "a", 0);
  expect (f->subscription, IMGIMPORT_EVENT_IMAGE, "b", 0);
  expect_none (f->subscription);
  publish_image (f, "c");
  expect (f->subscription, IMGIMPORT_EVENT_IMAGE, "c", 0);
  expect_none (f->subscription);
}

static void
test_each_has_its_own_queue_and_filter (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportSubscription) only_b = subscribe (f->bus, "b");

  publish_image (f, "a");
  publish_image (f, "b");
  expect (only_b, IMGIMPORT_EVENT_IMAGE, "b", 0);
  expect_none (only_b);
  expect (f->subscription, IMGIMPORT_EVENT_IMAGE, "a", 0);
  expect (f->subscription, IMGIMPORT_EVENT_IMAGE, "b", 0);
}

static void
test_progress_is_coalesced (Fixture *f, gconstpointer data)
{
  publish_progress (f, "a", "j", "fetch", 1);
  publish_progress (f, "a", "j", "deliver", 2);
  publish_progress (f, "a", "k", "fetch", 3);
  publish_progress (f, "b", "j", "fetch", 4);
  publish_progress (f, "a", NULL, NULL, 5);
  publish_progress (f, "a", "j", "fetch", 6);
  publish_progress (f, "a", NULL, NULL, 7);
  expect (f->subscription, IMGIMPORT_EVENT_PROGRESS, "a", 2);
  expect (f->subscription, IMGIMPORT_EVENT_PROGRESS, "a", 3);
  expect (f->subscription, IMGIMPORT_EVENT_PROGRESS, "b", 4);
  expect (f->subscription, IMGIMPORT_EVENT_PROGRESS, "a", 6);
  expect (f->subscription, IMGIMPORT_EVENT_PROGRESS, "a", 7);
  expect_none (f->subscription);
}

static void
test_progress_stays_after_what_came_before_it (Fixture *f, gconstpointer data)
{
  publish_progress (f, "a", NULL, NULL, 9);
  publish_image (f, "a");
  publish_progress (f, "a", NULL, NULL, 1);
  expect (f->subscription, IMGIMPORT_EVENT_IMAGE, "a", 0);
  expect (f->subscription, IMGIMPORT_EVENT_PROGRESS, "a", 1);
  expect_none (f->subscription);
}

static void
test_lone_progress_is_coalesced (Fixture *f, gconstpointer data)
{
  publish_progress (f, "a", NULL, NULL, 1);
  publish_progress (f, "a", NULL, NULL, 2);
  expect (f->subscription, IMGIMPORT_EVENT_PROGRESS, "a", 2);
  expect_none (f->subscription);
}

static void
test_overflow_leaves_one_resync (Fixture *f, gconstpointer data)
{
  guint i;

  for (i = 0; i < QUEUE_MAX; i++)
    publish_image (f, "a");
  publish_image (f, "b");
  publish_image (f, "c");
  expect (f->subscription, IMGIMPORT_EVENT_RESYNC, NULL, 0);
  expect (f->subscription, IMGIMPORT_EVENT_IMAGE, "c", 0);
  expect_none (f->subscription);
}

static void
test_full_queue_is_no_overflow (Fixture *f, gconstpointer data)
{
  guint i;

  for (i = 0; i < QUEUE_MAX; i++)
    publish_image (f, "a");
  for (i = 0; i < QUEUE_MAX; i++)
    expect (f->subscription, IMGIMPORT_EVENT_IMAGE, "a", 0);
  expect_none (f->subscription);
}

static void
test_slow_reader_loses_only_its_own (Fixture *f, gconstpointer data)
{
  g_autoptr (ImgImportSubscription) fast = subscribe (f->bus, NULL);
  guint i;

  for (i = 0; i <= QUEUE_MAX; i++)
    {
      publish_image (f, "a");
      expect (fast, IMGIMPORT_EVENT_IMAGE, "a", 0);
    }
  expect_none (fast);
  expect (f->subscription, IMGIMPORT_EVENT_RESYNC, NULL, 0);
}

static void
publish_job (Fixture *f, const char *id, ImgImportJobStatus status)
{
  g_autoptr (ImgImportJob) job = _imgimport_job_new (id, "a", NULL, NULL, 0);
  g_autoptr (ImgImportEvent) event = NULL;

  job->status = status;
  event = _imgimport_event_new_job (job);
  _imgimport_bus_publish (f->bus, event);
}

/* Who waits for a job is woken by its end alone, and asks for no event to be made but of jobs. */
static void
test_end_of_one_job_is_all_its_waiter_hears (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportSubscription) end = _imgimport_bus_subscribe_end (f->bus, "j", &error);

  g_assert_no_error (error);
  g_assert_true (_imgimport_bus_is_heard (f->bus, IMGIMPORT_EVENT_PROGRESS));
  g_clear_object (&f->subscription);
  g_assert_false (_imgimport_bus_is_heard (f->bus, IMGIMPORT_EVENT_PROGRESS));
  g_assert_false (_imgimport_bus_is_heard (f->bus, IMGIMPORT_EVENT_IMAGE));
  g_assert_true (_imgimport_bus_is_heard (f->bus, IMGIMPORT_EVENT_JOB));

  publish_image (f, "a");
  publish_progress (f, "a", "j", "fetch", 1);
  publish_job (f, "j", IMGIMPORT_JOB_PROCESSING);
  publish_job (f, "other", IMGIMPORT_JOB_SUCCESS);
  g_assert_false (is_readable (end));
  publish_job (f, "j", IMGIMPORT_JOB_FAILURE);
  expect (end, IMGIMPORT_EVENT_JOB, "a", 0);
  publish_job (f, "j", IMGIMPORT_JOB_SUCCESS);
  expect (end, IMGIMPORT_EVENT_JOB, "a", 0);
  f->subscription = subscribe (f->bus, NULL);
}

static void
test_subscription_outlives_the_bus (void)
{
  ImgImportBus *bus = _imgimport_bus_new ();
  Fixture f = { bus, subscribe (bus, NULL) };

  publish_image (&f, "a");
  _imgimport_bus_unref (bus);
  expect (f.subscription, IMGIMPORT_EVENT_IMAGE, "a", 0);
  expect_none (f.subscription);
  g_assert_finalize_object (f.subscription);
}

/* ---- threads --------------------------------------------------------------------------------- */

#define N_EVENTS 2000

static gpointer
publish_many (gpointer data)
{
  guint i;

  for (i = 0; i < N_EVENTS; i++)
    publish_image (data, "a");
  return NULL;
}

/* FALSE where there is none. */
static gboolean
hear (Fixture *f, gboolean *resynced)
{
  ImgImportEvent *event = imgimport_subscription_next (f->subscription);

  if (event == NULL)
    return FALSE;
  *resynced |= imgimport_event_get_kind (event) == IMGIMPORT_EVENT_RESYNC;
  g_object_unref (event);
  return TRUE;
}

/* Every event either comes or is covered by a resync, whoever reads, comes and goes meanwhile. */
static void
test_threads (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GThread *publisher = _imgimport_thread_new ("publisher", publish_many, f, &error);
  gboolean resynced = FALSE;
  guint n = 0, i;

  g_assert_no_error (error);
  for (i = 0; i < N_EVENTS; i++)
    {
      g_autoptr (ImgImportSubscription) passing = subscribe (f->bus, "a");

      g_assert_nonnull (passing);
      n += hear (f, &resynced) ? 1 : 0;
    }
  g_thread_join (publisher);
  while (is_readable (f->subscription))
    {
      g_assert_true (hear (f, &resynced));
      n++;
    }
  g_assert_true (resynced || n == N_EVENTS);
  expect_none (f->subscription);
}

static void
no_descriptor_no_subscription (Fixture *f, gconstpointer data)
{
  struct rlimit before, none;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
  none = (struct rlimit){ 0, before.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &none), ==, 0);
  g_assert_null (_imgimport_bus_subscribe (f->bus, NULL, &error));
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &before), ==, 0);
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, "cannot subscribe to events"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add ("/events/" path, Fixture, NULL, set_up, func, tear_down)
  ADD ("events-come-in-order", test_events_come_in_order);
  ADD ("each-has-its-own-queue-and-filter", test_each_has_its_own_queue_and_filter);
  ADD ("progress-is-coalesced", test_progress_is_coalesced);
  ADD ("progress-stays-after-what-came-before-it", test_progress_stays_after_what_came_before_it);
  ADD ("lone-progress-is-coalesced", test_lone_progress_is_coalesced);
  ADD ("overflow-leaves-one-resync", test_overflow_leaves_one_resync);
  ADD ("full-queue-is-no-overflow", test_full_queue_is_no_overflow);
  ADD ("slow-reader-loses-only-its-own", test_slow_reader_loses_only_its_own);
  ADD ("no-descriptor-no-subscription", no_descriptor_no_subscription);
  ADD ("end-of-one-job-is-all-its-waiter-hears", test_end_of_one_job_is_all_its_waiter_hears);
  ADD ("publishers-readers-and-subscribers-at-once", test_threads);
#undef ADD
  g_test_add_func ("/events/subscription-outlives-the-bus", test_subscription_outlives_the_bus);
  return g_test_run ();
}
