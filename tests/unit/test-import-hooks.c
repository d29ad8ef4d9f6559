/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What hooks do to an image, and what is left of it where the import fails. */

#include "flow/flow-private.h"
#include "import.h"

typedef struct
{
  const char *const *properties; /* "key", "value", …, NULL: what it sets */
  gboolean fails;
  guint n_calls;
  char *seen;                /* the value of "a" that it was shown */
  ImgImportService *service; /* NULL: the journal is not looked at */
  guint n_begun;             /* that the journal told of */
  gboolean begun_last;       /* and of nothing after the last of them */
} Hook;

typedef struct
{
  ImgImportService *service;
  Hook first;
  Hook second;
  guint n_warnings; /* logged */
  GError *error;
} World;

static gboolean
look_at_records (const void *data, gsize length, gpointer user_data)
{
  Hook *self = user_data;
  const guint8 *at = data;

  while (length > 0)
    {
      g_auto (ImgImportFlowRecord) record = { 0 };
      gsize size = _imgimport_flow_record_parse (&record, at, length);

      g_assert_cmpuint (size, >, 0);
      self->begun_last = record.type == IMGIMPORT_FLOW_RECORD_BEGUN;
      self->n_begun += self->begun_last ? 1 : 0;
      at += size;
      length -= size;
    }
  return TRUE;
}

static void
look_at_journal (Hook *self, ImgImportCall *call)
{
  g_autoptr (GError) error = NULL;

  _imgimport_catalog_journal_load (self->service->catalog, imgimport_call_get_job_id (call),
                                   look_at_records, self, &error);
  g_assert_no_error (error);
}

static gboolean
run_hook (gpointer self, ImgImportCall *call, GCancellable *cancellable, GError **error)
{
  Hook *hook = self;
  gsize i;

  hook->n_calls++;
  if (hook->service != NULL)
    look_at_journal (hook, call);
  g_free (hook->seen);
  hook->seen = g_strdup (imgimport_image_get_property (imgimport_call_get_image (call), "a"));
  for (i = 0; hook->properties != NULL && hook->properties[i] != NULL; i += 2)
    if (!imgimport_call_set_property (call, hook->properties[i], hook->properties[i + 1], error))
      return FALSE;
  if (hook->fails)
    imgimport_error_set (error, IMGIMPORT_ERROR_FAILED, "hooked", "the hook fails");
  return !hook->fails;
}

static const ImgImportHookVTable hook_vtable = { IMGIMPORT_HOOK_VTABLE_INIT, .metadata = run_hook };

static void
count_warnings (GLogLevelFlags level, const char *message, gpointer user_data)
{
  World *w = user_data;

  w->n_warnings += level == G_LOG_LEVEL_WARNING ? 1 : 0;
}

static void
set_up_world (World *w, gconstpointer more)
{
  g_autofree char *config = g_strdup_printf ("{" MEMORY_CATALOG ", " MEMORY_STAGING
                                             ", " MEMORY_STORES ", \"workers\": 0, %s}",
                                             (const char *)more);

  w->service = service_new (config);
  imgimport_service_set_log_func (w->service, count_warnings, w, NULL);
  /* Not in the order in which they run, which is the configuration's. */
  imgimport_service_add_hook (w->service, "second", &hook_vtable, &w->second, NULL, &w->error);
  imgimport_service_add_hook (w->service, "first", &hook_vtable, &w->first, NULL, &w->error);
  g_assert_no_error (w->error);
  service_start (w->service);
}

static void
tear_down_world (World *w, gconstpointer data)
{
  g_assert_no_error (w->error);
  g_assert_finalize_object (w->service);
  g_free (w->first.seen);
  g_free (w->second.seen);
}

#define WITH_A                                                                                     \
  "{\"disk_format\": \"raw\", \"container_format\": \"bare\", \"a\": \"old\", \"b\": \"kept\"}"

static char *
staged_image (World *w)
{
  char *id = create (w->service, NULL, WITH_A);

  stage (w->service, id, "bytes");
  return id;
}

/* ---- what a hook does ------------------------------------------------------------------------ */

static const char *const first_properties[] = { "a", "1", "c", "1", NULL };
static const char *const second_properties[] = { "a", "2", "d", "2", NULL };

static void
test_hooks_run_in_order (World *w, gconstpointer data)
{
  g_autofree char *id = staged_image (w);
  g_autoptr (ImgImportJob) job = NULL;

  w->first.properties = first_properties;
  w->second.properties = second_properties;
  job = run_import (w->service, id, NULL);
  assert_success (job);
  g_assert_cmpuint (w->first.n_calls, ==, 1);
  g_assert_cmpuint (w->second.n_calls, ==, 1);
  g_assert_cmpstr (w->first.seen, ==, "old");
  g_assert_cmpstr (w->second.seen, ==, "1");
  assert_property (w->service, id, "a", "2");
  assert_property (w->service, id, "b", "kept");
  assert_property (w->service, id, "c", "1");
  assert_property (w->service, id, "d", "2");
}

/* What waits for a transaction does not wait longer than until something may be made outside. */
static void
test_intent_is_in_the_catalog_before_a_hook (World *w, gconstpointer data)
{
  g_autofree char *id = staged_image (w);
  g_autoptr (ImgImportJob) job = NULL;

  w->first.service = w->service;
  w->second.service = w->service;
  job = run_import (w->service, id, NULL);
  assert_success (job);
  g_assert_true (w->first.begun_last);
  g_assert_true (w->second.begun_last);
  g_assert_cmpuint (w->second.n_begun, ==, w->first.n_begun + 1);
}

static void
note_object (World *w, const char *key, const char *owner)
{
  g_autofree char *id = g_strconcat (IMGIMPORT_STAGING_ID "/", key, NULL);
  g_autofree char *image_id = g_strndup (key, strcspn (key, "."));
  const ImgImportRecord note = {
    .kind = IMGIMPORT_KIND_OBJECT, .id = id, .owner = owner, .label = image_id, .body = "{}"
  };
  const ImgImportOp put = { .kind = IMGIMPORT_OP_PUT,
                            .expected = IMGIMPORT_REVISION_ABSENT,
                            .record = &note };
  const ImgImportOp *const ops[] = { &put };

  _imgimport_catalog_commit (w->service->catalog, ops, 1, FALSE, &w->error);
  g_assert_no_error (w->error);
}

static gboolean
is_noted (World *w, const char *key)
{
  g_autofree char *id = g_strconcat (IMGIMPORT_STAGING_ID "/", key, NULL);
  g_autofree char *owner = NULL;
  gint64 revision;

  _imgimport_catalog_get_owner (w->service->catalog, IMGIMPORT_KIND_OBJECT, id, &owner, &revision,
                                &w->error);
  g_assert_no_error (w->error);
  return revision != IMGIMPORT_REVISION_ABSENT;
}

/* A process that slept while its job was taken over does not remove what its successor makes. */
static void
test_what_another_living_service_noted_stays (World *w, gconstpointer data)
{
  g_autofree char *id = staged_image (w);
  /* The upload had the first epoch, the import has the second one. */
  g_autofree char *living = g_strconcat (id, ".2.8", NULL);
  g_autofree char *dead = g_strconcat (id, ".2.9", NULL);
  g_autofree char *owner = NULL;
  g_autoptr (ImgImportJob) job = NULL;

  _imgimport_catalog_owner_register (w->service->catalog, &owner, &w->error);
  g_assert_no_error (w->error);
  note_object (w, living, owner);
  note_object (w, dead, "nobody");
  job = run_import (w->service, id, NULL);
  assert_success (job);
  g_assert_true (is_noted (w, living));
  g_assert_false (is_noted (w, dead));
}

/* D1: a hook that fails costs no bytes, and what others set is as it was. */
static void
test_failed_hook_leaves_nothing (World *w, gconstpointer data)
{
  g_autofree char *id = staged_image (w);
  g_autoptr (ImgImportJob) job = NULL;
  g_autoptr (ImgImportJob) again = NULL;

  w->first.properties = first_properties;
  w->second.properties = second_properties;
  w->second.fails = TRUE;
  job = run_import (w->service, id, NULL);
  assert_failure (job, "hooked", "the hook fails");
  assert_image_is (w->service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  assert_property (w->service, id, "a", "old");
  assert_property (w->service, id, "b", "kept");
  assert_property (w->service, id, "c", NULL);
  assert_property (w->service, id, "d", NULL);
  assert_no_notes (w->service);

  w->second.fails = FALSE;
  again = run_import (w->service, id, NULL);
  assert_success (again);
  assert_property (w->service, id, "a", "2");
}

/* The same where not a hook is at fault, but what comes after both. */
static void
test_verdict_takes_properties_back (World *w, gconstpointer data)
{
  g_autofree char *id = create (w->service, NULL,
                                "{\"disk_format\": \"qcow2\", \"container_format\": \"bare\", "
                                "\"a\": \"old\"}");
  g_autoptr (ImgImportJob) job = NULL;

  stage (w->service, id, "bytes");
  w->first.properties = first_properties;
  w->second.properties = second_properties;
  job = run_import (w->service, id, NULL);
  assert_failure (job, "format-mismatch", "declared qcow2");
  g_assert_cmpuint (w->second.n_calls, ==, 1);
  assert_image_is (w->service, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_property (w->service, id, "a", "old");
  assert_property (w->service, id, "c", NULL);
  assert_property (w->service, id, "d", NULL);
}

/* F098 */
static void
test_names_of_the_library_are_dropped (World *w, gconstpointer data)
{
  static const char *const properties[] = { "os_glance_failed_import", "x", "c", "1", NULL };
  g_autofree char *id = staged_image (w);
  g_autoptr (ImgImportJob) job = NULL;

  w->first.properties = properties;
  job = run_import (w->service, id, NULL);
  assert_success (job);
  assert_lists (w->service, id, "", "");
  assert_property (w->service, id, "c", "1");
  g_assert_cmpuint (w->n_warnings, ==, 1);
}

static void
test_base_properties_are_refused (World *w, gconstpointer data)
{
  static const char *const properties[] = { "c", "1", "owner", "mallory", NULL };
  g_autofree char *id = staged_image (w);
  g_autoptr (ImgImportJob) job = NULL;

  w->first.properties = properties;
  job = run_import (w->service, id, NULL);
  assert_failure (job, "property-reserved", "owner");
  assert_image_is (w->service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  assert_property (w->service, id, "c", NULL);
}

static void
test_quota_holds_for_hooks (World *w, gconstpointer data)
{
  g_autofree char *id = staged_image (w);
  g_autoptr (ImgImportJob) job = NULL;

  w->first.properties = first_properties;
  w->second.properties = second_properties;
  job = run_import (w->service, id, NULL);
  assert_failure (job, "property-quota", "hook:second");
  assert_image_is (w->service, id, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STAGE_SEALED);
  assert_property (w->service, id, "a", "old");
  assert_property (w->service, id, "c", NULL);
}

/* Whoever changes the image meanwhile wins or loses by key, and never makes the hook fail. */
static void
test_update_in_between_is_kept (World *w, gconstpointer data)
{
  g_autofree char *id = staged_image (w);
  g_autofree char *job_id = begin_import (w->service, NULL, id, NULL);
  g_autoptr (ImgImportJob) job = NULL;
  g_autoptr (ImgImportImage) image = NULL;

  w->first.properties = first_properties;
  w->second.fails = TRUE;
  while (w->first.n_calls == 0)
    g_assert_true (imgimport_service_iterate (w->service));
  image = imgimport_service_update_image (w->service, NULL, id, "{\"b\": \"new\"}", &w->error);
  g_assert_no_error (w->error);
  job = finish (w->service, job_id);
  assert_failure (job, "hooked", "the hook fails");
  assert_property (w->service, id, "a", "old");
  assert_property (w->service, id, "b", "new");
  assert_property (w->service, id, "c", NULL);
}

/* ---- inject-metadata ------------------------------------------------------------------------- */

static void
test_metadata_is_injected_by_role (World *w, gconstpointer data)
{
  const char *const roles[] = { "reader", "trusted", NULL };
  g_autoptr (ImgImportContext) alice = tenant ("alice");
  g_autoptr (ImgImportContext) trusted =
      imgimport_context_new ("alice", "u", roles, FALSE, NULL, &w->error);
  g_autoptr (ImgImportContext) admin =
      imgimport_context_new ("alice", "u", NULL, TRUE, NULL, &w->error);
  ImgImportContext *const contexts[] = { alice, trusted, admin, NULL };
  gsize i;

  g_assert_no_error (w->error);
  for (i = 0; i < G_N_ELEMENTS (contexts); i++)
    {
      g_autofree char *id = create (w->service, alice, RAW);
      g_autofree char *job_id = NULL;
      g_autoptr (ImgImportJob) job = NULL;

      stage (w->service, id, "bytes");
      job_id = begin_import (w->service, contexts[i], id, NULL);
      job = finish (w->service, job_id);
      assert_success (job);
      assert_property (w->service, id, "a", contexts[i] == trusted ? NULL : "injected");
    }
}

#define HOOKS "\"hooks\": [\"first\", \"second\"]"
#define ADD(name, more, func) g_test_add (name, World, more, set_up_world, func, tear_down_world)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/import-hooks/hooks-run-in-order", HOOKS, test_hooks_run_in_order);
  ADD ("/import-hooks/intent-is-in-the-catalog-first", HOOKS,
       test_intent_is_in_the_catalog_before_a_hook);
  ADD ("/import-hooks/what-another-living-service-noted-stays", HOOKS,
       test_what_another_living_service_noted_stays);
  ADD ("/import-hooks/D1/failed-hook-leaves-nothing", HOOKS, test_failed_hook_leaves_nothing);
  ADD ("/import-hooks/D1/verdict-takes-properties-back", HOOKS, test_verdict_takes_properties_back);
  ADD ("/conformance/F098/names-of-the-library-are-dropped", HOOKS,
       test_names_of_the_library_are_dropped);
  ADD ("/import-hooks/base-properties-are-refused", HOOKS, test_base_properties_are_refused);
  ADD ("/import-hooks/quota-holds-for-hooks", HOOKS ", \"limits\": {\"image_property_quota\": 3}",
       test_quota_holds_for_hooks);
  ADD ("/import-hooks/update-in-between-is-kept", HOOKS, test_update_in_between_is_kept);
  ADD ("/import-hooks/metadata-is-injected-by-role",
       "\"hooks\": [\"no-op\", {\"name\": \"inject-metadata\", \"options\": {\"inject\": "
       "{\"a\": \"injected\"}, \"ignore_user_roles\": [\"trusted\"]}}]",
       test_metadata_is_injected_by_role);
  return g_test_run ();
}
