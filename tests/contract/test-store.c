/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store-fixture.h"

static void
add_checks (const StoreFactory *factory, const StoreCheckEntry *checks)
{
  for (; checks->name != NULL; checks++)
    {
      g_autofree char *path = g_strdup_printf ("/store/%s/%s", factory->name, checks->name);

      g_test_add (path, StoreFixture, factory, store_fixture_set_up, checks->check,
                  store_fixture_tear_down);
    }
}

int
main (int argc, char **argv)
{
  const StoreFactory *factory;

  g_test_init (&argc, &argv, NULL);
  for (factory = store_factories; factory->name != NULL; factory++)
    {
      add_checks (factory, store_write_checks);
      add_checks (factory, store_object_checks);
      add_checks (factory, store_adopt_checks);
    }
  return g_test_run ();
}
