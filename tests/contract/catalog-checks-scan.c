/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalog-fixture.h"

/* b, c and d are of the same time. */
static const ImgImportRecord records[] = {
  { "image", "a", "alice", "queued", "private", 10, 0, "{}" },
  { "image", "b", "alice", "active", "public", 20, 0, "{}" },
  { "image", "c", "bob", "active", "private", 20, 0, "{}" },
  { "image", "d", NULL, "active", "public", 20, 0, "{}" },
  { "image", "e", "bob", NULL, "public", 30, 0, "{}" },
  { "image", "f", "alice", "active", NULL, 40, 0, "{}" },
  { "job", "g", "alice", "active", "public", 25, 0, "{}" },
};

static void
fill (Catalog *catalog)
{
  for (guint i = 0; i < G_N_ELEMENTS (records); i++)
    catalog_put_record (catalog, &records[i]);
}

static void
newest_comes_first_then_the_greater_id (Catalog *catalog, gconstpointer unused)
{
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "image" };

  fill (catalog);
  catalog_assert_scan (catalog, &query, "f e d c b a");
}

static void
nothing_matches_an_unknown_kind (Catalog *catalog, gconstpointer unused)
{
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "imag" };

  catalog_assert_scan (catalog, &query, "");
  fill (catalog);
  catalog_assert_scan (catalog, &query, "");
}

static void
every_set_of_filters_must_match_whole (Catalog *catalog, gconstpointer unused)
{
  static const struct
  {
    const char *owner;
    const char *status;
    const char *label;
    const char *expected;
  } cases[] = {
    { "alice", NULL, NULL, "f b a" },
    { NULL, "active", NULL, "f d c b" },
    { NULL, NULL, "public", "e d b" },
    { "alice", "active", NULL, "f b" },
    { "alice", NULL, "public", "b" },
    { NULL, "active", "public", "d b" },
    { "alice", "active", "public", "b" },
    { "alice", "queued", "public", "" },
    { "nobody", NULL, NULL, "" },
    { NULL, "ACTIVE", NULL, "" },
    { NULL, NULL, "", "" },
    { "bob", "active", "private", "c" },
    { "nobody", "active", "public", "" },
  };

  fill (catalog);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "image", .owner = cases[i].owner,
                                     .status = cases[i].status, .label = cases[i].label };

      catalog_assert_scan (catalog, &query, cases[i].expected);
    }
}

static void
times_are_from_inclusive_to_exclusive (Catalog *catalog, gconstpointer unused)
{
  static const struct
  {
    gint64 from;
    gint64 to;
    const char *expected;
  } cases[] = {
    { 20, G_MAXINT64, "f e d c b" },
    { 21, G_MAXINT64, "f e" },
    { G_MININT64, 20, "a" },
    { G_MININT64, 21, "d c b a" },
    { 20, 30, "d c b" },
    { 20, 20, "" },
    { 30, 20, "" },
    { 41, G_MAXINT64, "" },
    { G_MININT64, G_MININT64, "" },
  };

  fill (catalog);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const ImgImportQuery query = { .struct_size = sizeof (ImgImportQuery),
                                     .kind = "image",
                                     .created_from_us = cases[i].from,
                                     .created_to_us = cases[i].to };
      const ImgImportQuery unbounded = { .struct_size = sizeof (ImgImportQuery),
                                         .kind = "image",
                                         .status = "active",
                                         .created_from_us = 20,
                                         .created_to_us = 21 };

      catalog_assert_scan (catalog, &query, cases[i].expected);
      catalog_assert_scan (catalog, &unbounded, "d c b");
    }
}

static void
the_ends_of_time_are_within_no_bound (Catalog *catalog, gconstpointer unused)
{
  const ImgImportRecord first = {
    .kind = "image", .id = "first", .created_us = G_MININT64, .body = "{}"
  };
  const ImgImportRecord last = {
    .kind = "image", .id = "last", .created_us = G_MAXINT64, .body = "{}"
  };
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "image" };
  const ImgImportQuery after = { IMGIMPORT_QUERY_INIT, .kind = "image",
                                 .marker_created_us = G_MAXINT64, .marker_id = "last" };

  catalog_put_record (catalog, &first);
  catalog_put_record (catalog, &last);
  catalog_assert_scan (catalog, &query, "last first");
  catalog_assert_scan (catalog, &after, "first");
}

static void
a_page_begins_after_its_marker (Catalog *catalog, gconstpointer unused)
{
  static const struct
  {
    gint64 created_us;
    const char *id;
    gint64 to;
    const char *status;
    const char *expected;
  } cases[] = {
    { 20, "c", G_MAXINT64, NULL, "b a" },
    { 20, "d", G_MAXINT64, NULL, "c b a" },
    { 20, "b", G_MAXINT64, NULL, "a" },
    { 30, "e", G_MAXINT64, NULL, "d c b a" },
    { 10, "a", G_MAXINT64, NULL, "" },
    { 20, "c", G_MAXINT64, "active", "b" },
    { 20, "cc", G_MAXINT64, NULL, "c b a" },
    { 35, "z", G_MAXINT64, NULL, "e d c b a" },
    { 20, "c", 20, NULL, "a" },
    { 20, "c", 21, NULL, "b a" },
    { 40, "f", 21, NULL, "d c b a" },
    { 20, "c", 40, "active", "b" },
  };

  fill (catalog);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const ImgImportQuery query = { .struct_size = sizeof (ImgImportQuery),
                                     .kind = "image",
                                     .status = cases[i].status,
                                     .created_from_us = G_MININT64,
                                     .created_to_us = cases[i].to,
                                     .marker_created_us = cases[i].created_us,
                                     .marker_id = cases[i].id };

      catalog_assert_scan (catalog, &query, cases[i].expected);
    }
}

static void
no_more_than_the_limit_comes (Catalog *catalog, gconstpointer unused)
{
  const char *const expected[] = { "f e d c b a", "f", "f e", "f e d" };

  fill (catalog);
  for (guint limit = 0; limit < G_N_ELEMENTS (expected); limit++)
    {
      const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "image", .limit = limit };

      catalog_assert_scan (catalog, &query, expected[limit]);
    }
}

static gboolean
stop_at_third (const ImgImportRecord *record, gpointer data)
{
  guint *n_calls = data;

  *n_calls += 1;
  return *n_calls < 3;
}

static void
the_function_can_stop_a_scan (Catalog *catalog, gconstpointer unused)
{
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "image" };
  g_autoptr (GError) error = NULL;
  guint n_calls = 0;

  fill (catalog);
  g_assert_true (catalog->vtable->scan (catalog->self, &query, stop_at_third, &n_calls, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_calls, ==, 3);
  /* And what was stopped can be asked again. */
  catalog_assert_scan (catalog, &query, "f e d c b a");
}

static void
a_changed_record_is_found_where_it_is_now (Catalog *catalog, gconstpointer unused)
{
  const ImgImportRecord moved = { "image", "a", "bob", "active", NULL, 50, 0, "{}" };
  const ImgImportOp remove = { .kind = IMGIMPORT_OP_REMOVE,
                               .expected = IMGIMPORT_REVISION_ANY,
                               .record = &moved };
  const ImgImportOp *const ops[] = { &remove };
  const ImgImportQuery alice = { IMGIMPORT_QUERY_INIT, .kind = "image", .owner = "alice" };
  const ImgImportQuery bob = { IMGIMPORT_QUERY_INIT, .kind = "image", .owner = "bob" };
  const ImgImportQuery queued = { IMGIMPORT_QUERY_INIT, .kind = "image", .status = "queued" };
  const ImgImportQuery hidden = { IMGIMPORT_QUERY_INIT, .kind = "image", .label = "private" };
  g_autoptr (GError) error = NULL;

  fill (catalog);
  catalog_put_record (catalog, &moved);
  catalog_assert_scan (catalog, &alice, "f b");
  catalog_assert_scan (catalog, &bob, "a e c");
  catalog_assert_scan (catalog, &queued, "");
  catalog_assert_scan (catalog, &hidden, "c");
  g_assert_true (catalog->vtable->commit (catalog->self, ops, 1, FALSE, &error));
  g_assert_no_error (error);
  catalog_assert_scan (catalog, &bob, "e c");
}

static void
ids_are_ordered_by_their_bytes (Catalog *catalog, gconstpointer unused)
{
  const char *const ids[] = { "a", "B", "é", "z", "Z", "画", "aa" };
  const ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "image" };

  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    catalog_put (catalog, "image", ids[i], IMGIMPORT_REVISION_ABSENT, "{}");
  catalog_assert_scan (catalog, &query, "画 é z aa a Z B");
}

static void
pages_joined_are_the_whole (Catalog *catalog, gconstpointer unused)
{
  ImgImportQuery query = { IMGIMPORT_QUERY_INIT, .kind = "image", .owner = "o", .limit = 1 };
  g_autoptr (GString) joined = g_string_new (NULL);
  g_autofree char *whole = NULL;
  g_autofree char *page = NULL;

  for (guint i = 0; i < 40; i++)
    {
      g_autofree char *id = g_strdup_printf ("%02u", i);
      const ImgImportRecord record = {
        "image", id, i % 3 == 0 ? "p" : "o", NULL, NULL, 7, 0, "{}"
      };

      catalog_put_record (catalog, &record);
    }
  while (page == NULL || *page != '\0')
    {
      g_autofree char *marker = g_steal_pointer (&page);

      query.marker_id = marker;
      page = catalog_scan (catalog, &query);
      g_string_append_printf (joined, joined->len == 0 || *page == '\0' ? "%s" : " %s", page);
      query.marker_created_us = 7;
    }
  query = (ImgImportQuery){ IMGIMPORT_QUERY_INIT, .kind = "image", .owner = "o" };
  whole = catalog_scan (catalog, &query);
  g_assert_cmpstr (joined->str, ==, whole);
  g_assert_cmpuint (joined->len, ==, 26 * 3 - 1);
}

void
catalog_add_scan_checks (const CatalogFactory *factory)
{
  catalog_add (factory, "newest-comes-first-then-the-greater-id",
               newest_comes_first_then_the_greater_id);
  catalog_add (factory, "nothing-matches-an-unknown-kind", nothing_matches_an_unknown_kind);
  catalog_add (factory, "every-set-of-filters-must-match-whole",
               every_set_of_filters_must_match_whole);
  catalog_add (factory, "times-are-from-inclusive-to-exclusive",
               times_are_from_inclusive_to_exclusive);
  catalog_add (factory, "the-ends-of-time-are-within-no-bound",
               the_ends_of_time_are_within_no_bound);
  catalog_add (factory, "a-page-begins-after-its-marker", a_page_begins_after_its_marker);
  catalog_add (factory, "no-more-than-the-limit-comes", no_more_than_the_limit_comes);
  catalog_add (factory, "the-function-can-stop-a-scan", the_function_can_stop_a_scan);
  catalog_add (factory, "a-changed-record-is-found-where-it-is-now",
               a_changed_record_is_found_where_it_is_now);
  catalog_add (factory, "ids-are-ordered-by-their-bytes", ids_are_ordered_by_their_bytes);
  catalog_add (factory, "pages-joined-are-the-whole", pages_joined_are_the_whole);
}
