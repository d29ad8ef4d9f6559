/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

#include "slot-answer.h"

/* What all kinds of plug-ins share when their table is taken. No slot is called here. */

typedef gpointer (*NewFunc) (const char *name, gconstpointer table, gpointer user_data,
                             GDestroyNotify destroy, GError **error);

typedef struct
{
  const char *slot;
  gsize offset;
} Slot;

typedef struct
{
  const char *kind;
  gsize size;
  gsize minimum;
  gsize first_slot;
  NewFunc new_func;
  gboolean named;
  Slot mandatory[10];
} Kind;

static gpointer
new_store (const char *name, gconstpointer table, gpointer user_data, GDestroyNotify destroy,
           GError **error)
{
  return _imgimport_store_new (name, table, user_data, destroy, error);
}

static gpointer
new_catalog (const char *name, gconstpointer table, gpointer user_data, GDestroyNotify destroy,
             GError **error)
{
  return _imgimport_catalog_new (table, user_data, destroy, error);
}

static gpointer
new_method (const char *name, gconstpointer table, gpointer user_data, GDestroyNotify destroy,
            GError **error)
{
  return _imgimport_method_new (name, table, user_data, destroy, error);
}

static gpointer
new_hook (const char *name, gconstpointer table, gpointer user_data, GDestroyNotify destroy,
          GError **error)
{
  return _imgimport_hook_new (name, table, user_data, destroy, error);
}

#define SLOT(type, slot)                                                                           \
  {                                                                                                \
#slot, G_STRUCT_OFFSET(type, slot)                                                             \
  }

static const Kind kinds[] = {
  { "store",
    sizeof (ImgImportStoreVTable),
    G_STRUCT_OFFSET (ImgImportStoreVTable, local_fd),
    G_STRUCT_OFFSET (ImgImportStoreVTable, begin),
    new_store,
    TRUE,
    { SLOT (ImgImportStoreVTable, begin), SLOT (ImgImportStoreVTable, write),
      SLOT (ImgImportStoreVTable, commit), SLOT (ImgImportStoreVTable, abort),
      SLOT (ImgImportStoreVTable, open), SLOT (ImgImportStoreVTable, read),
      SLOT (ImgImportStoreVTable, close), SLOT (ImgImportStoreVTable, stat),
      SLOT (ImgImportStoreVTable, remove) } },
  { "catalog",
    sizeof (ImgImportCatalogVTable),
    sizeof (ImgImportCatalogVTable),
    G_STRUCT_OFFSET (ImgImportCatalogVTable, get),
    new_catalog,
    FALSE,
    { SLOT (ImgImportCatalogVTable, get), SLOT (ImgImportCatalogVTable, scan),
      SLOT (ImgImportCatalogVTable, commit), SLOT (ImgImportCatalogVTable, journal_load),
      SLOT (ImgImportCatalogVTable, owner_register),
      SLOT (ImgImportCatalogVTable, owner_is_alive) } },
  { "method",
    sizeof (ImgImportMethodVTable),
    G_STRUCT_OFFSET (ImgImportMethodVTable, read),
    G_STRUCT_OFFSET (ImgImportMethodVTable, check),
    new_method,
    TRUE,
    { SLOT (ImgImportMethodVTable, open) } },
  { "hook",
    sizeof (ImgImportHookVTable),
    G_STRUCT_OFFSET (ImgImportHookVTable, open),
    G_STRUCT_OFFSET (ImgImportHookVTable, configure),
    new_hook,
    TRUE,
    { SLOT (ImgImportHookVTable, read), SLOT (ImgImportHookVTable, close) } },
};

static G_NORETURN void
never_called (void)
{
  g_assert_not_reached ();
}

/* A table of `kind` and one slot of a later version, every slot filled. The required_status of a
 * method, which is no slot, is 0: queued. */
static gpointer
make_table (const Kind *kind, gsize struct_size)
{
  gpointer table = g_malloc0 (kind->size + sizeof (gpointer));
  void (*slot) (void) = never_called;
  gsize offset;

  memcpy (table, &struct_size, sizeof struct_size);
  for (offset = kind->first_slot; offset <= kind->size; offset += sizeof slot)
    memcpy ((guint8 *)table + offset, &slot, sizeof slot);
  return table;
}

static char *
prefix_of (const Kind *kind)
{
  return kind->named ? g_strdup_printf ("%s “mine”: ", kind->kind)
                     : g_strdup_printf ("%s: ", kind->kind);
}

static void
assert_taken (const Kind *kind, gsize struct_size)
{
  g_autofree gpointer table = make_table (kind, struct_size);
  g_autoptr (GError) error = NULL;
  guint destroyed = 0;
  gpointer handle = kind->new_func ("mine", table, &destroyed, count_destroy, &error);

  g_assert_no_error (error);
  g_assert_nonnull (handle);
  g_assert_true (_imgimport_plugin_ref (handle) == handle);
  _imgimport_plugin_unref (handle);
  g_assert_cmpuint (destroyed, ==, 0);
  _imgimport_plugin_unref (handle);
  g_assert_cmpuint (destroyed, ==, 1);
}

static void
assert_refused (const Kind *kind, gconstpointer table, const char *expected)
{
  g_autofree char *prefix = prefix_of (kind);
  g_autoptr (GError) error = NULL;
  guint destroyed = 0;

  g_assert_null (kind->new_func ("mine", table, &destroyed, count_destroy, &error));
  assert_our_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "vtable-invalid", prefix);
  g_assert_nonnull (strstr (error->message, expected));
  g_assert_cmpuint (destroyed, ==, 1);
}

static void
tables_of_any_age_are_taken (gconstpointer data)
{
  const Kind *kind = data;

  assert_taken (kind, kind->minimum);
  assert_taken (kind, kind->size);
  assert_taken (kind, kind->size + sizeof (gpointer));
}

static void
tables_too_short_are_refused (gconstpointer data)
{
  const Kind *kind = data;
  const gsize sizes[] = { 0, sizeof (gsize), kind->minimum - sizeof (gpointer) };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree gpointer table = make_table (kind, sizes[i]);

      assert_refused (kind, table, "struct_size");
    }
  assert_refused (kind, NULL, "no vtable");
}

static void
each_mandatory_slot_is_required (gconstpointer data)
{
  const Kind *kind = data;
  const Slot *slot;

  for (slot = kind->mandatory; slot->slot != NULL; slot++)
    {
      g_autofree gpointer table = make_table (kind, kind->size);
      g_autofree char *quoted = g_strdup_printf ("“%s”", slot->slot);

      memset ((guint8 *)table + slot->offset, 0, sizeof (gpointer));
      assert_refused (kind, table, quoted);
    }
}

static void
names_are_checked (gconstpointer data)
{
  static const char *const names[] = { "", "Upper", "-dash", "dot.ted", "bad\xff\n", NULL };
  const Kind *kind = data;
  g_autofree gpointer table = make_table (kind, kind->size);
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;
      guint destroyed = 0;

      g_assert_null (kind->new_func (names[i], table, &destroyed, count_destroy, &error));
      assert_our_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "name-invalid", kind->kind);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_cmpuint (destroyed, ==, 1);
    }
}

static void
destroy_is_optional (gconstpointer data)
{
  const Kind *kind = data;
  g_autofree gpointer table = make_table (kind, kind->size);
  g_autoptr (GError) error = NULL;
  gpointer handle = kind->new_func ("mine", table, NULL, NULL, &error);

  g_assert_no_error (error);
  _imgimport_plugin_unref (handle);
}

static void
a_method_requires_queued_or_uploading (void)
{
  g_autofree ImgImportMethodVTable *table = make_table (&kinds[2], sizeof *table);
  g_autoptr (ImgImportMethod) method = NULL;
  guint status;

  for (status = 0; status < 10; status++)
    {
      table->required_status = status;
      if (status == IMGIMPORT_STATUS_QUEUED || status == IMGIMPORT_STATUS_UPLOADING)
        assert_taken (&kinds[2], sizeof *table);
      else
        assert_refused (&kinds[2], table, "required_status");
    }
  table->required_status = IMGIMPORT_STATUS_UPLOADING;
  method = _imgimport_method_new ("mine", table, NULL, NULL, NULL);
  g_assert_cmpint (_imgimport_method_get_required_status (method), ==, IMGIMPORT_STATUS_UPLOADING);
}

/* ---- registry -------------------------------------------------------------------------------- */

static gpointer
new_counted (guint *destroyed)
{
  return _imgimport_plugin_new (sizeof (ImgImportPlugin), "hook", NULL, destroyed, count_destroy);
}

static void
a_registry_keeps_order_and_refuses_a_taken_name (void)
{
  g_autoptr (ImgImportRegistry) registry = _imgimport_registry_new ("hook");
  g_autoptr (GError) error = NULL;
  guint destroyed[3] = { 0, 0, 0 };
  gpointer first = new_counted (&destroyed[0]);
  gpointer second = new_counted (&destroyed[1]);

  g_assert_true (_imgimport_registry_add (registry, "zeta", first, &error));
  g_assert_true (_imgimport_registry_add (registry, "alpha", second, &error));
  g_assert_false (_imgimport_registry_add (registry, "zeta", new_counted (&destroyed[2]), &error));
  assert_our_error (error, IMGIMPORT_ERROR_EXISTS, "name-taken", "hook “zeta”: ");
  g_assert_cmpuint (destroyed[2], ==, 1);
  g_assert_cmpuint (_imgimport_registry_get_size (registry), ==, 2);
  g_assert_cmpstr (_imgimport_registry_get_name (registry, 0), ==, "zeta");
  g_assert_cmpstr (_imgimport_registry_get_name (registry, 1), ==, "alpha");
  g_assert_true (_imgimport_registry_get (registry, 1) == second);
  g_assert_true (_imgimport_registry_lookup (registry, "zeta") == first);
  g_assert_null (_imgimport_registry_lookup (registry, "none"));
  g_clear_pointer (&registry, _imgimport_registry_free);
  g_assert_cmpuint (destroyed[0], ==, 1);
  g_assert_cmpuint (destroyed[1], ==, 1);
}

static void
add (const Kind *kind, const char *name, GTestDataFunc func)
{
  g_autofree char *path = g_strdup_printf ("/spi/%s/%s", kind->kind, name);

  g_test_add_data_func (path, kind, func);
}

int
main (int argc, char **argv)
{
  gsize i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      add (&kinds[i], "tables-of-any-age-are-taken", tables_of_any_age_are_taken);
      add (&kinds[i], "tables-too-short-are-refused", tables_too_short_are_refused);
      add (&kinds[i], "each-mandatory-slot-is-required", each_mandatory_slot_is_required);
      if (kinds[i].named)
        add (&kinds[i], "names-are-checked", names_are_checked);
      add (&kinds[i], "destroy-is-optional", destroy_is_optional);
    }
  g_test_add_func ("/spi/method/requires-queued-or-uploading",
                   a_method_requires_queued_or_uploading);
  g_test_add_func ("/spi/registry/keeps-order-and-refuses-a-taken-name",
                   a_registry_keeps_order_and_refuses_a_taken_name);
  return g_test_run ();
}
