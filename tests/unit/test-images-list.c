/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "service.h"

static GPtrArray *
list (Fixture *f, ImgImportContext *context, const char *filter)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *page = imgimport_service_list_images (f->service, context, filter, &error);

  g_assert_no_error (error);
  return page;
}

/* The names of a page, in its order, such as "c b a". */
static char *
names (Fixture *f, ImgImportContext *context, const char *filter)
{
  g_autoptr (GPtrArray) page = list (f, context, filter);
  g_autoptr (GString) text = g_string_new (NULL);
  guint i;

  for (i = 0; i < page->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? " " : "",
                            imgimport_image_get_name (page->pdata[i]));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
expect (Fixture *f, ImgImportContext *context, const char *filter, const char *expected)
{
  g_autofree char *found = names (f, context, filter);

  g_assert_cmpstr (found, ==, expected);
}

/* One second after the one before. */
static char *
add (Fixture *f, ImgImportContext *context, const char *name, const char *visibility)
{
  g_autofree char *attributes =
      g_strdup_printf ("{\"name\": \"%s\", \"visibility\": \"%s\"}", name, visibility);

  _imgimport_clock_advance (f->service->clock, G_USEC_PER_SEC);
  return create (f->service, context, attributes);
}

/* As the host can: images of tenants that are seen by others. */
static void
add_all (Fixture *f)
{
  static const struct
  {
    const char *name;
    const char *owner;
    const char *visibility;
  } rows[] = {
    { "a", "alice", "private" }, { "b", "alice", "public" },  { "c", "bob", "shared" },
    { "d", "bob", "public" },    { "e", "bob", "community" }, { "f", "alice", "community" },
    { "g", "alice", "shared" },  { "h", "carol", "private" },
  };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ImgImportContext) admin =
          imgimport_context_new (rows[i].owner, NULL, NULL, TRUE, NULL, &error);

      g_free (add (f, admin, rows[i].name, rows[i].visibility));
    }
}

static void
test_nothing_is_an_empty_page (Fixture *f, gconstpointer data)
{
  expect (f, NULL, NULL, "");
  expect (f, f->alice, "{}", "");
}

static void
test_each_sees_its_own_and_the_open_ones (Fixture *f, gconstpointer data)
{
  add_all (f);
  expect (f, NULL, NULL, "h g f e d c b a");
  expect (f, f->alice, NULL, "g f e d b a");
  expect (f, f->bob, NULL, "f e d c b");
}

static void
test_filters (Fixture *f, gconstpointer data)
{
  add_all (f);
  expect (f, NULL, "{\"owner\": \"bob\"}", "e d c");
  expect (f, f->alice, "{\"owner\": \"bob\"}", "e d");
  expect (f, f->alice, "{\"owner\": \"alice\"}", "g f b a");
  expect (f, f->alice, "{\"owner\": \"carol\"}", "");
  expect (f, NULL, "{\"visibility\": \"private\"}", "h a");
  expect (f, f->alice, "{\"visibility\": \"private\"}", "a");
  expect (f, f->alice, "{\"visibility\": \"public\"}", "d b");
  expect (f, f->alice, "{\"visibility\": \"community\", \"owner\": \"bob\"}", "e");
  expect (f, f->alice, "{\"name\": \"d\"}", "d");
  expect (f, f->alice, "{\"name\": \"c\"}", "");
  expect (f, f->alice, "{\"status\": \"queued\"}", "g f e d b a");
  expect (f, f->alice, "{\"status\": \"active\"}", "");
}

static void
test_pages_follow_one_another (Fixture *f, gconstpointer data)
{
  ImgImportContext *contexts[] = { NULL, f->alice, f->bob };
  static const char *const all[] = { "h g f e d c b a", "g f e d b a", "f e d c b" };
  guint i, limit;

  add_all (f);
  for (i = 0; i < G_N_ELEMENTS (contexts); i++)
    for (limit = 1; limit <= 4; limit++)
      {
        g_autoptr (GString) found = g_string_new (NULL);
        g_autofree char *filter = g_strdup_printf ("{\"limit\": %u}", limit);
        g_autoptr (GPtrArray) page = list (f, contexts[i], filter);

        while (page->len > 0)
          {
            g_autofree char *next = NULL;
            guint j;

            g_assert_cmpuint (page->len, <=, limit);
            for (j = 0; j < page->len; j++)
              g_string_append_printf (found, "%s%s", found->len > 0 ? " " : "",
                                      imgimport_image_get_name (page->pdata[j]));
            next = g_strdup_printf ("{\"limit\": %u, \"marker\": \"%s\"}", limit,
                                    imgimport_image_get_id (page->pdata[page->len - 1]));
            g_clear_pointer (&page, g_ptr_array_unref);
            page = list (f, contexts[i], next);
          }
        g_assert_cmpstr (found->str, ==, all[i]);
      }
}

/* Equal times are told apart by the id, in merged scans too. */
static void
test_one_moment (Fixture *f, gconstpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *marker = NULL;
  guint i;

  for (i = 0; i < 20; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ImgImportContext) admin =
          imgimport_context_new (i % 2 == 0 ? "alice" : "bob", NULL, NULL, TRUE, NULL, &error);

      g_free (create (f->service, admin, "{\"visibility\": \"public\"}"));
    }
  for (i = 0; i < 20; i++)
    {
      g_autofree char *filter =
          marker == NULL ? g_strdup ("{\"limit\": 1}")
                         : g_strdup_printf ("{\"limit\": 1, \"marker\": \"%s\"}", marker);
      g_autoptr (GPtrArray) page = list (f, f->alice, filter);

      g_assert_cmpuint (page->len, ==, 1);
      g_free (marker);
      marker = g_strdup (imgimport_image_get_id (page->pdata[0]));
      g_assert_true (g_hash_table_add (seen, g_strdup (marker)));
    }
}

static void
test_hidden_only_on_demand (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *hidden = add (f, f->alice, "hidden", "shared");
  g_autoptr (ImgImportImage) image = imgimport_service_update_image (
      f->service, f->alice, hidden, "{\"os_hidden\": true}", &error);

  g_free (add (f, f->alice, "shown", "shared"));
  g_assert_no_error (error);
  g_assert_nonnull (image);
  expect (f, f->alice, NULL, "shown");
  expect (f, f->alice, "{\"os_hidden\": false}", "shown");
  expect (f, f->alice, "{\"os_hidden\": true}", "hidden");
}

/* A filter that the catalog cannot answer is looked for behind the first piece of a scan. */
static void
test_rare_name_is_found (Fixture *f, gconstpointer data)
{
  guint i;

  for (i = 0; i < 10; i++)
    g_free (add (f, f->alice, i == 0 ? "rare" : "common", "shared"));
  expect (f, f->alice, "{\"name\": \"rare\", \"limit\": 2}", "rare");
}

static void
test_default_page_is_25 (Fixture *f, gconstpointer data)
{
  g_autoptr (GPtrArray) page = NULL;
  guint i;

  for (i = 0; i < 26; i++)
    g_free (add (f, f->alice, "n", "shared"));
  page = list (f, f->alice, NULL);
  g_assert_cmpuint (page->len, ==, 25);
}

static void
test_deleted_is_gone (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *id = add (f, f->alice, "n", "shared");

  g_assert_true (imgimport_service_delete_image (f->service, f->alice, id, &error));
  expect (f, NULL, NULL, "");
}

/* A record that another version wrote, or that is damaged, is told of and left out. */
static void
test_unreadable_record_hides_no_other (Fixture *f, gconstpointer data)
{
  const ImgImportRecord record = { .kind = IMGIMPORT_KIND_IMAGE,
                                   .id = "broken",
                                   .owner = "alice",
                                   .created_us = EPOCH_US,
                                   .body = "{}" };
  const ImgImportOp op = { .kind = IMGIMPORT_OP_PUT, .record = &record };
  const ImgImportOp *const ops[] = { &op };
  g_autoptr (GError) error = NULL;

  g_free (add (f, f->alice, "n", "shared"));
  f->n_warnings = 0;
  g_assert_true (_imgimport_catalog_commit (f->service->catalog, ops, 1, FALSE, &error));
  expect (f, f->alice, NULL, "n");
  g_assert_cmpuint (f->n_warnings, ==, 1);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static const struct
{
  const char *filter;
  const char *message;
} bad[] = {
  { "[]", "filter: expected an object" },
  { "{\"sort\": 1}", "filter: sort: unknown member" },
  { "{\"status\": \"ready\"}", "filter: status: “ready” is no status" },
  { "{\"status\": 1}", "filter: status: expected a string" },
  { "{\"visibility\": \"all\"}", "filter: visibility: “all” is no visibility" },
  { "{\"os_hidden\": \"true\"}", "filter: os_hidden: expected a boolean" },
  { "{\"limit\": 0}", "filter: limit: 0 is not between 1 and 1000" },
  { "{\"limit\": 1001}", "filter: limit: 1001 is not" },
  { "{\"marker\": 7}", "filter: marker: expected a string" },
};

static void
test_bad_filter (Fixture *f, gconstpointer data)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (imgimport_service_list_images (f->service, NULL, bad[i].filter, &error));
      g_assert_true (g_str_has_prefix (error->message, bad[i].message));
      assert_refused (&error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "filter-invalid");
    }
}

/* A marker tells nothing of images that the caller may not see. */
static void
test_marker_must_be_seen (Fixture *f, gconstpointer data)
{
  g_autofree char *id = add (f, f->alice, "n", "private");
  g_autofree char *filter = g_strdup_printf ("{\"marker\": \"%s\"}", id);
  g_autoptr (GError) error = NULL;

  g_assert_null (imgimport_service_list_images (f->service, f->bob, filter, &error));
  assert_refused (&error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "marker-unknown");
  expect (f, f->alice, filter, "");
}

#define ADD(path, func) g_test_add ("/images-list/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("nothing-is-an-empty-page", test_nothing_is_an_empty_page);
  ADD ("each-sees-its-own-and-the-open-ones", test_each_sees_its_own_and_the_open_ones);
  ADD ("filters", test_filters);
  ADD ("pages-follow-one-another", test_pages_follow_one_another);
  ADD ("images-of-one-moment-are-told-apart", test_one_moment);
  ADD ("A62/hidden-only-on-demand", test_hidden_only_on_demand);
  ADD ("rare-name-is-found", test_rare_name_is_found);
  ADD ("default-page-is-25", test_default_page_is_25);
  ADD ("A38/deleted-is-gone", test_deleted_is_gone);
  ADD ("unreadable-record-hides-no-other", test_unreadable_record_hides_no_other);
  ADD ("bad-filter-is-refused", test_bad_filter);
  ADD ("marker-must-be-seen", test_marker_must_be_seen);
  return g_test_run ();
}
