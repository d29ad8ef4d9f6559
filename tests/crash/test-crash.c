/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A process is killed at every step that it takes in its catalog and its stores. Whoever opens them
 * next must find a documented state, exactly its bytes, and nothing that is nobody's.
 */

#include "crash-child.h"

#include "../unit/image-record.h"

#include <glib/gstdio.h>
#include <unistd.h>

/* ---- what there is --------------------------------------------------------------------------- */

static gboolean
append_record (const ImgImportRecord *record, gpointer user_data)
{
  g_string_append_printf (user_data, "%s %s %s %s %s %" G_GINT64_FORMAT " %s\n", record->kind,
                          record->id, record->owner, record->status, record->label,
                          record->revision, record->body);
  return TRUE;
}

/* The records of a kind, as text. */
static char *
dump_kind (ImgImportService *service, const char *kind)
{
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = kind };
  g_autoptr (GError) error = NULL;
  GString *text = g_string_new (NULL);

  _imgimport_catalog_scan (service->catalog, &query, append_record, text, &error);
  g_assert_no_error (error);
  return g_string_free (text, FALSE);
}

static char *
dump (ImgImportService *service)
{
  g_autofree char *images = dump_kind (service, IMGIMPORT_KIND_IMAGE);
  g_autofree char *tombstones = dump_kind (service, IMGIMPORT_KIND_TOMBSTONE);
  g_autofree char *jobs = dump_kind (service, IMGIMPORT_KIND_JOB);
  g_autofree char *objects = dump_kind (service, IMGIMPORT_KIND_OBJECT);
  g_autofree char *runs = dump_kind (service, IMGIMPORT_KIND_RUN);

  return g_strconcat (images, tombstones, jobs, objects, runs, NULL);
}

static gboolean
refuse_journal (const void *data, gsize length, gpointer user_data)
{
  g_assert_not_reached ();
}

/* It has ended, and a success is a plain one: it went on from its pivot. */
static void
assert_job (ImgImportJob *job)
{
  g_assert_true (imgimport_job_is_finished (job));
  if (imgimport_job_get_status (job) == IMGIMPORT_JOB_SUCCESS)
    g_assert_null (job->warnings[0]);
  else
    g_assert_nonnull (imgimport_job_get_reason (job));
}

static void
assert_jobs (ImgImportService *service)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) jobs = imgimport_service_list_jobs (service, NULL, NULL, &error);
  guint i;

  g_assert_no_error (error);
  for (i = 0; i < jobs->len; i++)
    {
      assert_job (jobs->pdata[i]);
      _imgimport_catalog_journal_load (service->catalog, imgimport_job_get_id (jobs->pdata[i]),
                                       refuse_journal, NULL, &error);
      g_assert_no_error (error);
    }
}

/* That a directory holds nothing, or only this. */
static void
assert_files (const char *root, const char *name, const char *key)
{
  g_autofree char *path = crash_path (root, name);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *file;
  gboolean found = FALSE;

  g_assert_nonnull (dir);
  while ((file = g_dir_read_name (dir)) != NULL)
    {
      g_assert_cmpstr (file, ==, key);
      found = TRUE;
    }
  g_assert_true (found == (key != NULL));
}

static void
assert_readable (ImgImportService *service)
{
  g_autoptr (GBytes) expected = crash_bytes ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) stream =
      imgimport_service_read_image (service, NULL, CRASH_IMAGE, 0, IMGIMPORT_SIZE_UNKNOWN, &error);
  gsize length = g_bytes_get_size (expected), n_read = 0;
  g_autofree guint8 *actual = g_malloc0 (length + 1);
  g_autoptr (GBytes) bytes = NULL;

  g_assert_no_error (error);
  g_input_stream_read_all (stream, actual, length + 1, &n_read, NULL, &error);
  g_assert_no_error (error);
  bytes = g_bytes_new (actual, n_read);
  g_assert_true (g_bytes_equal (bytes, expected));
}

/* ---- what it must be ------------------------------------------------------------------------- */

static const char *
location_in (ImgImportImage *image, const char *store)
{
  const ImgImportLocation *location = find_location (image, store);

  return location != NULL ? location->key : NULL;
}

static void
assert_record (const ImgImportImageRecord *record, CrashState state)
{
  g_autoptr (GBytes) bytes = crash_bytes ();
  g_autoptr (GBytes) packed = crash_packed_bytes ();
  gsize size = g_bytes_get_size (bytes);
  const char *importing =
      imgimport_image_get_property (record->image, IMGIMPORT_PROPERTY_IMPORTING);

  g_assert_cmpint (record->claim.kind, ==, IMGIMPORT_CLAIM_NONE);
  g_assert_true ((record->staged.key != NULL) == (state == CRASH_UPLOADING));
  g_assert_cmpint (record->image->stage.state == IMGIMPORT_STAGE_SEALED, ==,
                   state == CRASH_UPLOADING);
  g_assert_null (record->original.key);
  if (state == CRASH_UPLOADING && record->staged.size != g_bytes_get_size (packed))
    g_assert_cmpuint (record->staged.size, ==, size);
  if (state == CRASH_ACTIVE)
    g_assert_cmpuint (record->image->size, ==, size);
  g_assert_true (importing == NULL || importing[0] == '\0');
}

/* The state of the image; that it is one that is documented, with exactly its bytes. */
static CrashState
check_state (ImgImportService *service, const char *root)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImageRecord) record =
      _imgimport_image_record_load (service, CRASH_IMAGE, &error);
  ImgImportImage *image = record != NULL ? record->image : NULL;
  CrashState state = CRASH_ABSENT;

  if (image == NULL)
    g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND);
  else if (image->status == IMGIMPORT_STATUS_QUEUED)
    state = CRASH_QUEUED;
  else if (image->status == IMGIMPORT_STATUS_UPLOADING)
    state = CRASH_UPLOADING;
  else
    {
      g_assert_cmpint (image->status, ==, IMGIMPORT_STATUS_ACTIVE);
      state = CRASH_ACTIVE;
      assert_readable (service);
    }
  if (record != NULL)
    assert_record (record, state);
  assert_files (root, "staging", record != NULL ? record->staged.key : NULL);
  assert_files (root, "one", image != NULL ? location_in (image, "one") : NULL);
  assert_files (root, "two", image != NULL ? location_in (image, "two") : NULL);
  g_assert_true (image == NULL || (image->locations->len > 0) == (state == CRASH_ACTIVE));
  return state;
}

static ImgImportService *
open_service (const CrashSetup *setup)
{
  g_autoptr (GError) error = NULL;
  ImgImportService *service = crash_service_open (setup, &error);

  g_assert_no_error (error);
  return service;
}

/* What follows a kill: a first opening that recovers, a second that changes nothing. */
static CrashState
check_recovery (const CrashSetup *setup)
{
  ImgImportService *service = open_service (setup);
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  g_autofree char *objects = NULL;
  g_autofree char *runs = NULL;
  CrashState state;

  crash_drain (service);
  g_assert_finalize_object (service);

  service = open_service (setup);
  before = dump (service);
  objects = dump_kind (service, IMGIMPORT_KIND_OBJECT);
  runs = dump_kind (service, IMGIMPORT_KIND_RUN);
  g_assert_cmpstr (objects, ==, "");
  g_assert_cmpstr (runs, ==, "");
  assert_jobs (service);
  state = check_state (service, setup->root);
  g_assert_finalize_object (service);

  service = open_service (setup);
  after = dump (service);
  g_assert_cmpstr (before, ==, after);
  g_assert_finalize_object (service);
  return state;
}

static void
make_raw (ImgImportService *service)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = imgimport_service_update_image (
      service, NULL, CRASH_IMAGE, "{\"disk_format\": \"raw\"}", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (imgimport_image_get_disk_format (image), ==, "raw");
}

/* Whatever the image is, it can be made active, read and deleted. */
static void
check_usable (const CrashSetup *setup, CrashState state, gboolean was_deleted)
{
  CrashSetup healthy = *setup;
  g_autoptr (ImgImportService) service = NULL;
  g_autofree char *reason = NULL;

  if (was_deleted)
    return;
  healthy.store_fails = FALSE;
  service = open_service (&healthy);
  if (state == CRASH_ABSENT)
    crash_create (service, "raw");
  if (state == CRASH_QUEUED || state == CRASH_UPLOADING)
    make_raw (service);
  if (state == CRASH_ABSENT || state == CRASH_QUEUED)
    crash_stage (service, "raw");
  if (state != CRASH_ACTIVE)
    {
      reason = crash_import (service, "glance-direct");
      g_assert_null (reason);
    }
  g_assert_cmpint (check_state (service, setup->root), ==, CRASH_ACTIVE);
  crash_delete (service, "raw");
  g_assert_cmpint (check_state (service, setup->root), ==, CRASH_ABSENT);
}

/* ---- one kill, all kills --------------------------------------------------------------------- */

typedef struct
{
  const CrashScenario *scenario;
  gboolean durable;
  gboolean kill_recovery; /* too, at its first step, its second, … */
  guint workers;
  guint stride; /* every step, or every so many */
} Case;

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = crash_path (path, name);

      remove_tree (child);
    }
  g_assert_cmpint (g_remove (path), ==, 0);
}

/* In memory where possible: what is killed here is a process, so no sync need reach a disk. */
static char *
make_root (void)
{
  gboolean in_memory = g_access ("/dev/shm", W_OK | X_OK) == 0;
  char *root =
      g_build_filename (in_memory ? "/dev/shm" : g_get_tmp_dir (), "imgimport-crash-XXXXXX", NULL);

  g_assert_nonnull (g_mkdtemp (root));
  return root;
}

static guint
allowed_states (const CrashScenario *scenario, guint n_done)
{
  const CrashStep *steps = scenario->steps;
  guint left = n_done > 0 ? steps[n_done - 1].left : CRASH_ABSENT;

  return steps[n_done].name != NULL ? steps[n_done].found : left;
}

static void
kill_recoveries (const CrashSetup *setup)
{
  CrashPoint point = { 0, 1 };
  CrashSetup killed = *setup;

  killed.point = &point;
  while (!crash_run_recovery (&killed))
    point = (CrashPoint){ 0, point.at + 1 };
}

/* FALSE where the scenario came to its end before the n-th step. */
static gboolean
kill_at (const Case *self, guint at)
{
  g_autofree char *root = make_root ();
  CrashPoint point = { 0, at };
  CrashPoint none = { 0, 0 };
  CrashSetup setup = { root, self->durable, self->scenario->store_fails, self->workers, &point };
  CrashState state;
  guint n_done = 0;
  gboolean ended = crash_run (&setup, self->scenario, &n_done);
  const CrashStep *step = &self->scenario->steps[n_done];

  setup.point = &none;
  if (self->kill_recovery)
    kill_recoveries (&setup);
  state = check_recovery (&setup);
  if ((state & allowed_states (self->scenario, n_done)) == 0)
    g_error ("killed at %u, in “%s”: state %d", at, step->name, (int)state);
  check_usable (&setup, state,
                state == CRASH_ABSENT &&
                    (step->name == NULL || g_str_equal (step->name, "delete")));
  remove_tree (root);
  return !ended;
}

static void
every_kill_is_recovered (gconstpointer data)
{
  const Case *self = data;
  guint at = 1;

  while (kill_at (self, at))
    at += self->stride;
  g_test_message ("%u steps", at - 1);
  g_assert_cmpuint (at, >, 10);
}

/* ---- main ------------------------------------------------------------------------------------ */

static gboolean
is_long (void)
{
  return g_getenv ("IMGIMPORT_TEST_LONG") != NULL;
}

static void
add (const CrashScenario *scenario, gboolean durable, gboolean kill_recovery, guint workers)
{
  Case *self = g_new0 (Case, 1);
  g_autofree char *path = g_strdup_printf (
      "/security/62/%s/durability-%s%s%s", scenario->name, durable ? "power" : "process",
      kill_recovery ? "/recovery-killed" : "", workers > 0 ? "/threads" : "");

  *self = (Case){ scenario, durable, kill_recovery, workers, is_long () || !kill_recovery ? 1 : 3 };
  g_test_add_data_func_full (path, self, every_kill_is_recovered, g_free);
}

int
main (int argc, char **argv)
{
  guint i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; crash_scenarios[i].name != NULL; i++)
    {
      add (&crash_scenarios[i], FALSE, FALSE, 0);
      if (i == 0 || is_long ())
        {
          add (&crash_scenarios[i], TRUE, FALSE, 0);
          add (&crash_scenarios[i], FALSE, TRUE, 0);
        }
      if (is_long ())
        {
          add (&crash_scenarios[i], TRUE, TRUE, 0);
          add (&crash_scenarios[i], FALSE, FALSE, 2);
        }
    }
  return g_test_run ();
}
