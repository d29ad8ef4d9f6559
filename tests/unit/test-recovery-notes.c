/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Notes that the library would not have written do not keep a service from its start. */

#include "import.h"
#include "shim.h"

static void
put (gpointer catalog, const char *kind, const char *id)
{
  const ImgImportRecord record = { .kind = kind, .id = id, .created_us = 1, .body = "{}" };
  const ImgImportOp op = { .kind = IMGIMPORT_OP_PUT, .record = &record };
  const ImgImportOp *const ops[] = { &op };
  g_autoptr (GError) error = NULL;

  SHIM_CATALOG.commit (catalog, ops, 1, FALSE, &error);
  g_assert_no_error (error);
}

static void
test_broken_notes_are_skipped (void)
{
  gpointer catalog = _imgimport_catalog_memory_new ();
  Fixture f = { .service =
                    service_new ("{" MEMORY_STAGING ", " MEMORY_STORES ", \"workers\": 0}") };
  g_autofree char *id = NULL;

  put (catalog, IMGIMPORT_KIND_OBJECT, "no-slash");
  put (catalog, IMGIMPORT_KIND_OBJECT, "");
  put (catalog, IMGIMPORT_KIND_OBJECT, "staging/gone");
  put (catalog, IMGIMPORT_KIND_RUN, "no-job");
  imgimport_service_set_log_func (f.service, count_warning, &f, NULL);
  imgimport_service_set_catalog (f.service, &SHIM_CATALOG, catalog, _imgimport_catalog_memory_free,
                                 &f.error);
  g_assert_no_error (f.error);
  service_start (f.service);
  g_assert_cmpuint (f.n_warnings, ==, 3);
  id = create_active (f.service, NULL, "bytes");
  g_assert_finalize_object (f.service);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recovery/notes/broken-ones-are-skipped", test_broken_notes_are_skipped);
  return g_test_run ();
}
