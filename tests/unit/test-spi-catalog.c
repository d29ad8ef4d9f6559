/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

#include "slot-answer.h"

#define PREFIX "catalog: "

/* A catalog that answers what it is told. */
typedef struct
{
  SlotAnswer answer;
  const ImgImportRecord *records; /* what get and scan hand over */
  guint n_records;
  guint n_handed_over;
  gboolean answers_nothing;
} Fake;

static const ImgImportRecord sound = { .kind = "image", .id = "i1", .revision = 3, .body = "{}" };

static void
hand_over (Fake *fake, ImgImportRecordFunc func, gpointer func_data)
{
  guint i;

  fake->n_handed_over = 0;
  for (i = 0; i < fake->n_records; i++)
    {
      fake->n_handed_over++;
      if (!func (&fake->records[i], func_data))
        return;
    }
}

static gboolean
fake_get (gpointer self, const char *kind, const char *id, ImgImportRecordFunc func,
          gpointer func_data, GError **error)
{
  Fake *fake = self;

  hand_over (fake, func, func_data);
  return slot_answer (fake->answer, error);
}

static gboolean
fake_scan (gpointer self, const ImgImportQuery *query, ImgImportRecordFunc func, gpointer func_data,
           GError **error)
{
  return fake_get (self, query->kind, NULL, func, func_data, error);
}

static gboolean
fake_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
             GError **error)
{
  Fake *fake = self;

  if (n_ops == 0)
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_BUSY, "revision-conflict", "another revision");
      return FALSE;
    }
  return slot_answer (fake->answer, error);
}

static gboolean
fake_journal_load (gpointer self, const char *journal, ImgImportJournalFunc func,
                   gpointer func_data, GError **error)
{
  Fake *fake = self;

  (void)func (journal, strlen (journal), func_data);
  return slot_answer (fake->answer, error);
}

static gboolean
fake_owner_register (gpointer self, char **owner_id, GError **error)
{
  Fake *fake = self;

  *owner_id = fake->answers_nothing ? NULL : imgimport_strdup ("o1");
  return slot_answer (fake->answer, error);
}

static gboolean
fake_owner_is_alive (gpointer self, const char *owner_id, gboolean *alive, GError **error)
{
  Fake *fake = self;

  *alive = 7;
  return slot_answer (fake->answer, error);
}

static const ImgImportCatalogVTable table = {
  IMGIMPORT_CATALOG_VTABLE_INIT,
  .get = fake_get,
  .scan = fake_scan,
  .commit = fake_commit,
  .journal_load = fake_journal_load,
  .owner_register = fake_owner_register,
  .owner_is_alive = fake_owner_is_alive,
};

static gboolean
count_record (const ImgImportRecord *record, gpointer user_data)
{
  guint *count = user_data;

  *count += 1;
  return *count < 2;
}

static gboolean
count_journal (const void *data, gsize length, gpointer user_data)
{
  guint *count = user_data;

  *count += (guint)length;
  return TRUE;
}

/* ---- slots ----------------------------------------------------------------------------------- */

typedef gboolean (*Run) (ImgImportCatalog *catalog, GError **error);

static gboolean
run_get (ImgImportCatalog *catalog, GError **error)
{
  g_autofree char *body = NULL;
  gint64 revision = -5;
  gboolean ok = _imgimport_catalog_get (catalog, "image", "i1", &body, &revision, error);

  g_assert_cmpstr (body, ==, ok ? "{}" : NULL);
  g_assert_cmpint (revision, ==, ok ? 3 : -5);
  return ok;
}

static gboolean
run_scan (ImgImportCatalog *catalog, GError **error)
{
  ImgImportQuery query = { .struct_size = sizeof query, .kind = "image" };
  guint count = 0;

  return _imgimport_catalog_scan (catalog, &query, count_record, &count, error);
}

static gboolean
run_commit (ImgImportCatalog *catalog, GError **error)
{
  const ImgImportOp op = { .kind = IMGIMPORT_OP_CHECK, .record = &sound };
  const ImgImportOp *ops[] = { &op };

  return _imgimport_catalog_commit (catalog, ops, 1, FALSE, error);
}

static gboolean
run_journal_load (ImgImportCatalog *catalog, GError **error)
{
  guint count = 0;
  gboolean ok = _imgimport_catalog_journal_load (catalog, "four", count_journal, &count, error);

  g_assert_cmpuint (count, ==, 4);
  return ok;
}

static gboolean
run_owner_register (ImgImportCatalog *catalog, GError **error)
{
  g_autofree char *owner = NULL;
  gboolean ok = _imgimport_catalog_owner_register (catalog, &owner, error);

  g_assert_cmpstr (owner, ==, ok ? "o1" : NULL);
  return ok;
}

static gboolean
run_owner_is_alive (ImgImportCatalog *catalog, GError **error)
{
  gboolean alive = -1;
  gboolean ok = _imgimport_catalog_owner_is_alive (catalog, "o1", &alive, error);

  g_assert_cmpint (alive, ==, ok ? 7 : -1);
  return ok;
}

static void
every_slots_error_is_normalised (void)
{
  static const Run runs[] = { run_get,          run_scan,           run_commit,
                              run_journal_load, run_owner_register, run_owner_is_alive };
  Fake fake = { .records = &sound, .n_records = 1 };
  g_autoptr (ImgImportCatalog) catalog = _imgimport_catalog_new (&table, &fake, NULL, NULL);
  gsize i;
  int answer;

  for (i = 0; i < G_N_ELEMENTS (runs); i++)
    for (answer = 0; answer < N_SLOT_ANSWERS; answer++)
      {
        g_autoptr (GError) error = NULL;
        gboolean ok = FALSE;

        fake.answer = (SlotAnswer)answer;
        ok = runs[i](catalog, &error);
        assert_slot_answer ((SlotAnswer)answer, ok, error, PREFIX);
        g_assert_true (runs[i](catalog, NULL) == ok);
      }
}

/* ---- results --------------------------------------------------------------------------------- */

static void
an_absent_record_is_no_failure (void)
{
  Fake fake = { 0 };
  g_autoptr (ImgImportCatalog) catalog = _imgimport_catalog_new (&table, &fake, NULL, NULL);
  g_autoptr (GError) error = NULL;
  char *body = NULL;
  gint64 revision = -5;

  g_assert_true (_imgimport_catalog_get (catalog, "image", "i1", &body, &revision, &error));
  g_assert_no_error (error);
  g_assert_null (body);
  g_assert_cmpint (revision, ==, IMGIMPORT_REVISION_ABSENT);
  fake.records = &sound;
  fake.n_records = 1;
  g_assert_true (_imgimport_catalog_get (catalog, "image", "i1", NULL, &revision, &error));
  g_assert_cmpint (revision, ==, 3);
  g_assert_true (_imgimport_catalog_get (catalog, "image", "i1", NULL, NULL, &error));
}

static void
a_scan_ends_when_told (void)
{
  const ImgImportRecord records[] = { sound, sound, sound };
  Fake fake = { .records = records, .n_records = 3 };
  g_autoptr (ImgImportCatalog) catalog = _imgimport_catalog_new (&table, &fake, NULL, NULL);

  g_assert_true (run_scan (catalog, NULL));
  g_assert_cmpuint (fake.n_handed_over, ==, 2);
}

static void
incomplete_records_break_the_contract (void)
{
  static const ImgImportRecord broken[] = {
    { .kind = NULL, .id = "i1", .revision = 1, .body = "{}" },
    { .kind = "image", .id = NULL, .revision = 1, .body = "{}" },
    { .kind = "image", .id = "i1", .revision = 0, .body = "{}" },
    { .kind = "image", .id = "i1", .revision = 1, .body = NULL },
  };
  Fake fake = { .n_records = 1 };
  g_autoptr (ImgImportCatalog) catalog = _imgimport_catalog_new (&table, &fake, NULL, NULL);
  g_autoptr (GError) error = NULL;
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (broken); i++)
    {
      fake.records = &broken[i];
      g_assert_false (run_get (catalog, &error));
      assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", PREFIX "get");
      g_clear_error (&error);
      g_assert_false (run_scan (catalog, &error));
      assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", PREFIX "scan");
      g_clear_error (&error);
    }
}

static void
two_records_for_one_key_break_the_contract (void)
{
  const ImgImportRecord records[] = { sound, sound };
  Fake fake = { .records = records, .n_records = 2 };
  g_autoptr (ImgImportCatalog) catalog = _imgimport_catalog_new (&table, &fake, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (run_get (catalog, &error));
  assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", PREFIX "get");
}

static void
no_owner_id_breaks_the_contract (void)
{
  Fake fake = { .answers_nothing = TRUE };
  g_autoptr (ImgImportCatalog) catalog = _imgimport_catalog_new (&table, &fake, NULL, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (run_owner_register (catalog, &error));
  assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", PREFIX);
}

static void
a_conflict_is_told_from_other_failures (void)
{
  Fake fake = { .answer = SLOT_FAILS_WITH_OUR_ERROR };
  g_autoptr (ImgImportCatalog) catalog = _imgimport_catalog_new (&table, &fake, NULL, NULL);
  g_autoptr (GError) conflict = NULL;
  g_autoptr (GError) busy = NULL;

  g_assert_false (_imgimport_catalog_commit (catalog, NULL, 0, FALSE, &conflict));
  g_assert_true (_imgimport_catalog_error_is_conflict (conflict));
  g_assert_false (run_commit (catalog, &busy));
  g_assert_false (_imgimport_catalog_error_is_conflict (busy));
  g_assert_false (_imgimport_catalog_error_is_conflict (NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spi/catalog/every-slots-error-is-normalised", every_slots_error_is_normalised);
  g_test_add_func ("/spi/catalog/an-absent-record-is-no-failure", an_absent_record_is_no_failure);
  g_test_add_func ("/spi/catalog/a-scan-ends-when-told", a_scan_ends_when_told);
  g_test_add_func ("/spi/catalog/incomplete-records-break-the-contract",
                   incomplete_records_break_the_contract);
  g_test_add_func ("/spi/catalog/two-records-for-one-key-break-the-contract",
                   two_records_for_one_key_break_the_contract);
  g_test_add_func ("/spi/catalog/no-owner-id-breaks-the-contract", no_owner_id_breaks_the_contract);
  g_test_add_func ("/spi/catalog/a-conflict-is-told-from-other-failures",
                   a_conflict_is_told_from_other_failures);
  return g_test_run ();
}
