/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow-watched.h"
#include "flow/timeline-private.h"

#include <poll.h>

static gboolean
is_readable (ImgImportRunSubscription *subscription)
{
  struct pollfd poll_fd = { imgimport_run_subscription_get_fd (subscription), POLLIN, 0 };

  return poll (&poll_fd, 1, 0) == 1;
}

/* "run:running a:running a:success run:success" */
static char *
drain (ImgImportRunSubscription *subscription)
{
  g_autoptr (GEnumClass) tasks = g_type_class_ref (IMGIMPORT_TYPE_TASK_STATE);
  g_autoptr (GEnumClass) runs = g_type_class_ref (IMGIMPORT_TYPE_RUN_STATE);
  GString *text = g_string_new (NULL);
  ImgImportRunEvent event;

  while (imgimport_run_subscription_next (subscription, &event))
    {
      if (text->len > 0)
        g_string_append_c (text, ' ');
      if (event.kind == IMGIMPORT_RUN_EVENT_TASK)
        g_string_append_printf (text, "%s:%s", event.task,
                                g_enum_get_value (tasks, (int)event.task_state)->value_nick);
      else if (event.kind == IMGIMPORT_RUN_EVENT_RUN)
        g_string_append_printf (text, "run:%s",
                                g_enum_get_value (runs, (int)event.run_state)->value_nick);
      else
        g_string_append (text, "resync");
    }
  return g_string_free (text, FALSE);
}

static void
events_come_in_order (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportRunSubscription) subscription = NULL;
  g_autofree char *events = NULL;
  Fixture *f = watched_flow ();

  add_script (f, "a");
  add_script (f, "b")->n_failures = 1;
  prepare_run (f);
  subscription = imgimport_run_subscribe (f->run, &error);
  g_assert_no_error (error);
  g_assert_false (is_readable (subscription));
  go (f);
  imgimport_run_wait (f->run, -1);
  g_assert_true (is_readable (subscription));
  events = drain (subscription);
  g_assert_cmpstr (
      events, ==,
      "run:running a:running a:success b:running b:failure run:reverting b:reverting b:reverted "
      "a:reverting a:reverted run:reverted");
  g_assert_false (is_readable (subscription));
  g_clear_object (&subscription);
  fixture_free (f);
}

static void
a_full_queue_asks_to_look_again (void)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (ImgImportRunSubscription) subscription = NULL;
  g_autofree char *events = NULL;
  Fixture *f = watched_flow ();
  guint i;

  for (i = 0; i < 2050; i++)
    {
      g_ptr_array_add (names, g_strdup_printf ("t%u", i));
      add_script (f, g_ptr_array_index (names, i));
    }
  prepare_run (f);
  subscription = imgimport_run_subscribe (f->run, NULL);
  go (f);
  imgimport_run_wait (f->run, -1);
  events = drain (subscription);
  g_assert_true (g_str_has_prefix (events, "resync "));
  g_assert_true (g_str_has_suffix (events, "run:success"));
  g_clear_object (&subscription);
  fixture_free (f);
}

static void
a_subscription_outlives_the_run_and_may_go_before (void)
{
  ImgImportRunSubscription *subscription;
  ImgImportRunSubscription *early;
  g_autofree char *events = NULL;
  Fixture *f = watched_flow ();

  add_script (f, "a");
  prepare_run (f);
  subscription = imgimport_run_subscribe (f->run, NULL);
  early = imgimport_run_subscribe (f->run, NULL);
  g_object_unref (early);
  go (f);
  imgimport_run_wait (f->run, -1);
  g_clear_object (&f->run);
  events = drain (subscription);
  g_assert_cmpstr (events, ==, "run:running a:running a:success run:success");
  g_object_unref (subscription);
  fixture_free (f);
}

static void
take_a_second (Script *script, ImgImportTask *task, GCancellable *cancellable)
{
  _imgimport_clock_advance (script->fixture->clock, G_USEC_PER_SEC);
}

static void
progress_has_a_rate_and_an_estimate (void)
{
  Fixture *f = watched_flow ();
  double rate = -1;
  gint64 left = -2;

  add_script (f, "a")->hook = take_a_second;
  add_script (f, "b");
  add_script (f, "c");
  add_script (f, "d");
  prepare_run (f);
  g_assert_cmpfloat_with_epsilon (imgimport_run_get_progress (f->run, &rate, &left), 0, 1e-9);
  g_assert_cmpint (left, ==, -1);
  go (f);
  imgimport_engine_iterate (f->engine);
  g_assert_cmpfloat_with_epsilon (imgimport_run_get_progress (f->run, &rate, &left), 0.25, 1e-9);
  g_assert_cmpfloat_with_epsilon (rate, 0.25, 1e-9);
  g_assert_cmpint (left, ==, 3000);
  imgimport_run_wait (f->run, -1);
  g_assert_cmpfloat_with_epsilon (imgimport_run_get_progress (f->run, NULL, &left), 1, 1e-9);
  g_assert_cmpint (left, ==, 0);
  fixture_free (f);
}

static void
go_half_way (Script *script, ImgImportTask *task, GCancellable *cancellable)
{
  imgimport_task_set_progress (task, 0.501);
  imgimport_task_set_progress (task, 0.502);
  g_assert_cmpfloat_with_epsilon (imgimport_run_get_progress (script->fixture->run, NULL, NULL),
                                  0.502 * 3 / 4, 1e-9);
}

static void
progress_counts_weights_and_running_tasks (void)
{
  g_autoptr (ImgImportRunSubscription) subscription = NULL;
  ImgImportRunEvent event;
  guint n_steps = 0;
  Fixture *f = watched_flow ();

  add_script (f, "a")->hook = go_half_way;
  add_script (f, "b");
  g_assert_true (imgimport_flow_set_weight (f->flow, "a", 3, NULL));
  prepare_run (f);
  subscription = imgimport_run_subscribe (f->run, NULL);
  go (f);
  imgimport_engine_iterate (f->engine);
  g_assert_cmpfloat_with_epsilon (imgimport_run_get_progress (f->run, NULL, NULL), 0.75, 1e-9);
  while (imgimport_run_subscription_next (subscription, &event))
    if (event.kind == IMGIMPORT_RUN_EVENT_PROGRESS)
      {
        g_assert_cmpfloat_with_epsilon (event.progress, 0.501, 1e-9);
        n_steps++;
      }
  g_assert_cmpuint (n_steps, ==, 1);
  imgimport_run_wait (f->run, -1);
  g_clear_object (&subscription);
  fixture_free (f);
}

/* a takes a second in each of two attempts, with three between; b takes none and is undone. */
static Fixture *
run_with_retry (gboolean statistics)
{
  Fixture *f = watched_flow ();
  Script *a = add_script (f, "a");

  a->hook = take_a_second;
  a->n_failures = 1;
  a->code = IMGIMPORT_ERROR_UNAVAILABLE;
  imgimport_flow_set_retry (f->flow, "a", 2, 3000, 3000, NULL);
  add_script (f, "b")->n_failures = 1;
  add_script (f, "c");
  prepare_run (f);
  imgimport_run_set_statistics (f->run, statistics);
  go (f);
  imgimport_run_wait (f->run, -1);
  return f;
}

static void
statistics_tell_times_and_attempts (void)
{
  g_autoptr (GError) error = NULL;
  ImgImportTaskStatistics statistics;
  Fixture *f = run_with_retry (TRUE);

  g_assert_true (imgimport_run_get_task_statistics (f->run, "a", &statistics, &error));
  g_assert_cmpuint (statistics.attempts, ==, 2);
  g_assert_cmpint (statistics.running_us, ==, 2 * G_USEC_PER_SEC);
  g_assert_cmpint (statistics.started_us, ==, 0);
  g_assert_cmpint (statistics.ended_us, ==, 5 * G_USEC_PER_SEC);
  g_assert_true (imgimport_run_get_task_statistics (f->run, "c", &statistics, &error));
  g_assert_cmpuint (statistics.attempts, ==, 0);
  g_assert_cmpint (statistics.started_us, ==, -1);
  g_assert_false (imgimport_run_get_task_statistics (f->run, "x", &statistics, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
  fixture_free (f);
}

static void
statistics_can_be_switched_off (void)
{
  ImgImportTaskStatistics statistics;
  g_autofree char *dot = NULL;
  Fixture *f = run_with_retry (FALSE);

  g_assert_true (imgimport_run_get_task_statistics (f->run, "a", &statistics, NULL));
  g_assert_cmpint (statistics.running_us, ==, 0);
  g_assert_cmpint (statistics.started_us, ==, -1);
  dot = imgimport_run_to_dot (f->run);
  g_assert_nonnull (strstr (dot, "t0 [label=\"a\\nreverted\\n2 attempts\", fillcolor=khaki];"));
  fixture_free (f);
}

static void
a_graph_shows_states_and_durations (void)
{
  g_autofree char *dot = NULL;
  Fixture *f = run_with_retry (TRUE);

  dot = imgimport_run_to_dot (f->run);
  g_assert_cmpstr (dot, ==,
                   "digraph \"run\" {\n  rankdir=LR;\n  node [shape=box, style=filled];\n"
                   "  t0 [label=\"a\\nreverted 5.00 s\\n2 attempts\", fillcolor=khaki];\n"
                   "  t1 [label=\"b\\nreverted 0 µs\", fillcolor=khaki];\n"
                   "  t2 [label=\"c\\npending\", fillcolor=white];\n  t0 -> t1;\n  t1 -> t2;\n}\n");
  fixture_free (f);
}

static void
a_trace_shows_each_attempt_and_revert (void)
{
  g_autofree char *trace = NULL;
  g_autoptr (JsonObject) root = NULL;
  g_autoptr (GError) error = NULL;
  JsonArray *events;
  JsonObject *second;
  Fixture *f = run_with_retry (TRUE);

  trace = imgimport_run_to_trace (f->run);
  root = _imgimport_json_parse_object (trace, "trace", &error);
  g_assert_no_error (error);
  events = json_object_get_array_member (root, "traceEvents");
  g_assert_cmpuint (json_array_get_length (events), ==, 1 + 2 + 1 + 2);
  second = json_array_get_object_element (events, 2);
  g_assert_cmpstr (json_object_get_string_member (second, "name"), ==, "a");
  g_assert_cmpstr (json_object_get_string_member (second, "ph"), ==, "X");
  g_assert_cmpint (json_object_get_int_member (second, "ts"), ==, 4 * G_USEC_PER_SEC);
  g_assert_cmpint (json_object_get_int_member (second, "dur"), ==, G_USEC_PER_SEC);
  fixture_free (f);
}

/* Three at a time, and no two of them in the same lane. */
static void
slices_of_a_lane_do_not_overlap (void)
{
  g_autoptr (GPtrArray) timeline = _imgimport_timeline_new ();
  g_autofree char *trace = NULL;
  g_autoptr (JsonObject) root = NULL;
  gint64 ends[3] = { 0, 0, 0 };
  JsonArray *events;
  guint i;

  for (i = 0; i < 300; i++)
    _imgimport_timeline_add_span (_imgimport_timeline_add (timeline, "t"), 10 * i, 30, FALSE);
  trace = _imgimport_timeline_to_trace (timeline, "lanes");
  root = _imgimport_json_parse_object (trace, "trace", NULL);
  events = json_object_get_array_member (root, "traceEvents");
  g_assert_cmpuint (json_array_get_length (events), ==, 1 + 300);
  for (i = 1; i <= 300; i++)
    {
      JsonObject *event = json_array_get_object_element (events, i);
      gint64 lane = json_object_get_int_member (event, "tid");
      gint64 begin_us = json_object_get_int_member (event, "ts");

      g_assert_cmpint (lane, <, 3);
      g_assert_cmpint (ends[lane], <=, begin_us);
      ends[lane] = begin_us + json_object_get_int_member (event, "dur");
    }
}

/* What is kept of a run draws the same pictures. */
static void
a_timeline_survives_json (void)
{
  g_autoptr (GPtrArray) timeline = NULL;
  g_autoptr (GPtrArray) again = NULL;
  g_autoptr (JsonArray) array = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  Fixture *f = run_with_retry (TRUE);

  timeline = _imgimport_run_dup_timeline (f->run);
  array = _imgimport_timeline_to_array (timeline);
  again = _imgimport_timeline_from_array (array, "job", &error);
  g_assert_no_error (error);
  first = _imgimport_timeline_to_trace (timeline, "t");
  second = _imgimport_timeline_to_trace (again, "t");
  g_assert_cmpstr (first, ==, second);
  fixture_free (f);
}

static void
a_bad_timeline_is_refused (void)
{
  static const char *const bad[] = {
    "[1]",
    "[{}]",
    "[{\"name\":\"a\"}]",
    "[{\"name\":\"a\",\"state\":\"odd\"}]",
    "[{\"name\":\"a\",\"state\":\"success\",\"start\":-1}]",
    "[{\"name\":\"a\",\"state\":\"success\",\"after\":[1]}]",
    "[{\"name\":\"a\",\"state\":\"success\",\"after\":[\"x\"]}]",
    "[{\"name\":\"a\",\"state\":\"success\",\"spans\":[1]}]",
    "[{\"name\":\"a\",\"state\":\"success\",\"spans\":[{\"start\":\"x\"}]}]",
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (JsonNode) node = _imgimport_json_parse (bad[i], "job", NULL);
      g_autoptr (GPtrArray) timeline =
          _imgimport_timeline_from_array (json_node_get_array (node), "job", &error);

      g_assert_null (timeline);
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, check) g_test_add_func ("/flow/watch/" name, check)
  ADD ("T19/events-come-in-order", events_come_in_order);
  ADD ("T62/a-full-queue-asks-to-look-again", a_full_queue_asks_to_look_again);
  ADD ("T62/a-subscription-outlives-the-run-and-may-go-before",
       a_subscription_outlives_the_run_and_may_go_before);
  ADD ("T61/progress-has-a-rate-and-an-estimate", progress_has_a_rate_and_an_estimate);
  ADD ("statistics-tell-times-and-attempts", statistics_tell_times_and_attempts);
  ADD ("statistics-can-be-switched-off", statistics_can_be_switched_off);
  ADD ("a-graph-shows-states-and-durations", a_graph_shows_states_and_durations);
  ADD ("a-trace-shows-each-attempt-and-revert", a_trace_shows_each_attempt_and_revert);
  ADD ("slices-of-a-lane-do-not-overlap", slices_of_a_lane_do_not_overlap);
  ADD ("a-timeline-survives-json", a_timeline_survives_json);
  ADD ("a-bad-timeline-is-refused", a_bad_timeline_is_refused);
  ADD ("T61/progress-counts-weights-and-running-tasks", progress_counts_weights_and_running_tasks);
  return g_test_run ();
}
