/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "catalog-fixture.h"

static char *
enroll (Catalog *catalog, gpointer self)
{
  g_autoptr (GError) error = NULL;
  char *owner = NULL;

  g_assert_true (catalog->vtable->owner_register (self, &owner, &error));
  g_assert_no_error (error);
  g_assert_nonnull (owner);
  return owner;
}

static gboolean
is_alive (Catalog *catalog, const char *owner)
{
  g_autoptr (GError) error = NULL;
  gboolean alive = FALSE;

  g_assert_true (catalog->vtable->owner_is_alive (catalog->self, owner, &alive, &error));
  g_assert_no_error (error);
  return alive;
}

static void
a_registered_owner_is_alive (Catalog *catalog, gconstpointer unused)
{
  g_autofree char *first = enroll (catalog, catalog->self);
  g_autofree char *second = enroll (catalog, catalog->self);

  g_assert_cmpstr (first, !=, second);
  g_assert_true (is_alive (catalog, first));
  g_assert_true (is_alive (catalog, second));
}

static void
an_unknown_owner_is_not_alive (Catalog *catalog, gconstpointer unused)
{
  const char *const unknown[] = { "999", "0", "-1", "", "x", "1x", "99999999999999999999" };
  g_autofree char *owner = enroll (catalog, catalog->self);

  for (guint i = 0; i < G_N_ELEMENTS (unknown); i++)
    g_assert_false (is_alive (catalog, unknown[i]));
  g_assert_true (is_alive (catalog, owner));
}

static void
an_owner_dies_with_its_catalog_and_never_comes_back (Catalog *catalog, gconstpointer unused)
{
  g_autofree char *here = enroll (catalog, catalog->self);
  g_autofree char *there = NULL;
  g_autofree char *next = NULL;
  g_autoptr (GError) error = NULL;
  gpointer other = NULL;

  other = catalog->factory->open (catalog->directory, &error);
  g_assert_no_error (error);
  there = enroll (catalog, other);
  g_assert_cmpstr (here, !=, there);
  g_assert_true (is_alive (catalog, there));
  catalog->factory->free (other);
  g_assert_false (is_alive (catalog, there));
  g_assert_true (is_alive (catalog, here));
  next = enroll (catalog, catalog->self);
  g_assert_cmpstr (next, !=, there);
  g_assert_cmpstr (next, !=, here);
}

#define N_THREADS 8

typedef struct
{
  Catalog *catalog;
  char *owner;
} Enrolment;

static gpointer
enroll_in_thread (gpointer data)
{
  Enrolment *enrolment = data;

  enrolment->owner = enroll (enrolment->catalog, enrolment->catalog->self);
  g_assert_true (is_alive (enrolment->catalog, enrolment->owner));
  return NULL;
}

static void
threads_get_owners_of_their_own (Catalog *catalog, gconstpointer unused)
{
  g_autoptr (GHashTable) owners = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GThread *threads[N_THREADS];
  Enrolment enrolments[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    {
      enrolments[i] = (Enrolment){ catalog, NULL };
      threads[i] = _imgimport_thread_new ("enroll", enroll_in_thread, &enrolments[i], NULL);
      g_assert_nonnull (threads[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    {
      g_thread_join (threads[i]);
      g_assert_true (g_hash_table_add (owners, enrolments[i].owner));
    }
}

void
catalog_add_owner_checks (const CatalogFactory *factory)
{
  catalog_add (factory, "owner/a-registered-owner-is-alive", a_registered_owner_is_alive);
  catalog_add (factory, "owner/an-unknown-owner-is-not-alive", an_unknown_owner_is_not_alive);
  if (factory->is_shared)
    catalog_add (factory, "owner/an-owner-dies-with-its-catalog-and-never-comes-back",
                 an_owner_dies_with_its_catalog_and_never_comes_back);
  catalog_add (factory, "owner/threads-get-owners-of-their-own", threads_get_owners_of_their_own);
}
