/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "recovery-world.h"

/* ---- jobs ------------------------------------------------------------------------------------ */

static void
pending_job_is_adopted (World *w, gconstpointer data)
{
  ImgImportService *dead = world_open_service (w, 0);
  g_autofree char *job_id = NULL;
  g_autofree char *id = create_importing (dead, &job_id);
  g_autoptr (ImgImportJob) job = NULL;
  ImgImportService *heir;

  declare_dead (w, dead);
  heir = world_open_service (w, 0);
  /* It wakes, and finds that nothing is its any more. */
  while (imgimport_service_iterate (dead))
    ;
  job = imgimport_service_get_job (heir, NULL, job_id, &w->error);
  g_assert_no_error (w->error);
  g_assert_cmpint ((int)imgimport_job_get_status (job), ==, (int)IMGIMPORT_JOB_PENDING);
  g_assert_cmpuint (world_count (w, "one"), ==, 0);

  assert_job (heir, job_id, IMGIMPORT_JOB_SUCCESS, NULL);
  assert_image (w, heir, id, IMGIMPORT_STATUS_ACTIVE);
  g_assert_finalize_object (dead);
  assert_job (heir, job_id, IMGIMPORT_JOB_SUCCESS, NULL);
  assert_image (w, heir, id, IMGIMPORT_STATUS_ACTIVE);
  assert_readable (heir, id);
  g_assert_finalize_object (heir);
}

/* Of a service that was in the middle of an import. */
typedef struct
{
  ImgImportService *dead;
  ImgImportService *heir;
  char *job_id;
  char *id;
} Legacy;

static Legacy
die_at (World *w, const char *halt_at)
{
  Legacy self = { .dead = world_open_service (w, 1) };

  w->halt_at = halt_at;
  self.id = create_importing (self.dead, &self.job_id);
  await_halt (w);
  declare_dead (w, self.dead);
  self.heir = world_open_service (w, 0);
  return self;
}

/* The dead one wakes, and changes nothing any more. */
static void
wake_dead (World *w, Legacy *self, ImgImportJobStatus status, const char *reason)
{
  wake (w);
  g_assert_finalize_object (self->dead);
  assert_job (self->heir, self->job_id, status, reason);
  assert_image (w, self->heir, self->id, IMGIMPORT_STATUS_ACTIVE);
  assert_readable (self->heir, self->id);
  g_assert_finalize_object (self->heir);
  g_free (self->job_id);
  g_free (self->id);
}

static void
begun_job_returns_the_sealed_bytes (World *w, gconstpointer data)
{
  Legacy legacy = die_at (w, "commit:one");
  g_autofree char *second = NULL;

  assert_job (legacy.heir, legacy.job_id, IMGIMPORT_JOB_FAILURE, "interrupted");
  assert_image (w, legacy.heir, legacy.id, IMGIMPORT_STATUS_UPLOADING);
  second = begin_import (legacy.heir, legacy.id);
  assert_job (legacy.heir, second, IMGIMPORT_JOB_SUCCESS, NULL);
  wake_dead (w, &legacy, IMGIMPORT_JOB_FAILURE, "interrupted");
}

static void
job_past_the_pivot_is_a_success (World *w, gconstpointer data)
{
  Legacy legacy = die_at (w, "remove:staging");

  assert_job (legacy.heir, legacy.job_id, IMGIMPORT_JOB_SUCCESS, NULL);
  assert_image (w, legacy.heir, legacy.id, IMGIMPORT_STATUS_ACTIVE);
  wake_dead (w, &legacy, IMGIMPORT_JOB_SUCCESS, NULL);
}

static void
living_owner_is_left_alone (World *w, gconstpointer data)
{
  ImgImportService *living = world_open_service (w, 1);
  ImgImportService *other;
  g_autofree char *job_id = NULL;
  g_autofree char *id = NULL;

  w->halt_at = "commit:one";
  id = create_importing (living, &job_id);
  await_halt (w);
  other = world_open_service (w, 0);
  g_assert_cmpint (g_atomic_int_get (&w->n_taken), ==, 0);
  wake (w);
  assert_job (other, job_id, IMGIMPORT_JOB_SUCCESS, NULL);
  g_assert_finalize_object (living);
  assert_image (w, other, id, IMGIMPORT_STATUS_ACTIVE);
  g_assert_finalize_object (other);
}

/* ---- uploads --------------------------------------------------------------------------------- */

static ImgImportUpload *
begin_upload (World *w, ImgImportService *service, const char *id)
{
  ImgImportUpload *upload =
      imgimport_service_stage_begin (service, NULL, id, IMGIMPORT_SIZE_UNKNOWN, &w->error);

  g_assert_no_error (w->error);
  imgimport_upload_write (upload, "old", 3, NULL, &w->error);
  g_assert_no_error (w->error);
  return upload;
}

/* It wakes, and finds its object gone. */
static void
assert_lost (World *w, ImgImportUpload *upload)
{
  g_assert_null (imgimport_upload_commit (upload, NULL, &w->error));
  assert_refused (&w->error, IMGIMPORT_ERROR_NOT_FOUND, "not-found");
  g_object_unref (upload);
}

static void
upload_of_a_dead_owner_ends (World *w, gconstpointer data)
{
  ImgImportService *dead = world_open_service (w, 0);
  g_autofree char *id = create (dead, NULL, RAW);
  ImgImportUpload *upload = begin_upload (w, dead, id);
  ImgImportService *heir;

  declare_dead (w, dead);
  heir = world_open_service (w, 0);
  assert_image (w, heir, id, IMGIMPORT_STATUS_QUEUED);
  stage (heir, id, "bytes");
  assert_image (w, heir, id, IMGIMPORT_STATUS_UPLOADING);

  assert_lost (w, upload);
  g_assert_finalize_object (dead);
  assert_image (w, heir, id, IMGIMPORT_STATUS_UPLOADING);
  import (heir, id, NULL);
  assert_readable (heir, id);
  g_assert_finalize_object (heir);
}

static void
who_deletes_ends_a_dead_upload (World *w, gconstpointer data)
{
  ImgImportService *dead = world_open_service (w, 0);
  ImgImportService *other = world_open_service (w, 0);
  g_autofree char *id = create (dead, NULL, RAW);
  ImgImportUpload *upload = begin_upload (w, dead, id);

  declare_dead (w, dead);
  imgimport_service_delete_image (other, NULL, id, &w->error);
  g_assert_no_error (w->error);
  g_assert_cmpuint (world_count (w, "staging"), ==, 0);
  g_assert_cmpuint (count_records (other, IMGIMPORT_KIND_OBJECT), ==, 0);
  assert_lost (w, upload);
  g_assert_finalize_object (dead);
  g_assert_finalize_object (other);
}

/* ---- notes ----------------------------------------------------------------------------------- */

static void
note_of_an_unknown_store_stays (World *w, gconstpointer data)
{
  const ImgImportRecord record = { .kind = IMGIMPORT_KIND_OBJECT,
                                   .id = "elsewhere/key.1.1",
                                   .owner = "999",
                                   .label = "11111111-2222-4333-8444-555555555555",
                                   .created_us = 1,
                                   .body = "{}" };
  const ImgImportOp op = { .kind = IMGIMPORT_OP_PUT,
                           .expected = IMGIMPORT_REVISION_ABSENT,
                           .record = &record };
  const ImgImportOp *const ops[] = { &op };
  ImgImportService *service = world_open_service (w, 0);
  guint i;

  _imgimport_catalog_commit (service->catalog, ops, 1, FALSE, &w->error);
  g_assert_no_error (w->error);
  g_assert_finalize_object (service);
  for (i = 1; i <= 2; i++)
    {
      g_autofree char *id = NULL;

      service = world_open_service (w, 0);
      g_assert_cmpint (g_atomic_int_get (&w->n_warnings), ==, (int)i);
      g_assert_cmpuint (count_records (service, IMGIMPORT_KIND_OBJECT), ==, 1);
      id = create (service, NULL, RAW);
      stage (service, id, "bytes");
      import (service, id, NULL);
      g_assert_finalize_object (service);
    }
}

#define ADD(path, func)                                                                            \
  g_test_add ("/recovery/" path, World, NULL, world_set_up, func, world_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("pending-job-of-a-dead-owner-is-adopted-and-completes", pending_job_is_adopted);
  ADD ("security-59/job-before-the-pivot-returns-the-sealed-bytes",
       begun_job_returns_the_sealed_bytes);
  ADD ("security-59/job-past-the-pivot-is-a-success", job_past_the_pivot_is_a_success);
  ADD ("security-65/living-owner-is-left-alone", living_owner_is_left_alone);
  ADD ("security-59/upload-of-a-dead-owner-ends", upload_of_a_dead_owner_ends);
  ADD ("D5/who-deletes-ends-a-dead-upload", who_deletes_ends_a_dead_upload);
  ADD ("note-of-an-unknown-store-stays", note_of_an_unknown_store_stays);
  return g_test_run ();
}
