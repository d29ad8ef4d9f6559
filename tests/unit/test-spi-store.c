/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot-store.h"

#define PREFIX "store “fake”: "

/* A table of a plug-in that knows no optional slot. */
static void
optional_slots_may_be_missing (void)
{
  ImgImportStoreVTable table = full_table;
  Fake fake = { 0 }; /* outlives the handles */
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportStore) store = NULL;
  g_autoptr (ImgImportStoreReader) reader = NULL;
  guint64 start = 0, end = 0;

  table.struct_size = G_STRUCT_OFFSET (ImgImportStoreVTable, local_fd);
  store = _imgimport_store_new ("fake", &table, &fake, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (_imgimport_store_get_id (store), ==, "fake");
  reader = _imgimport_store_open (store, "k", NULL, &error);
  g_assert_cmpint (_imgimport_store_reader_local_fd (reader), ==, -1);
  g_assert_true (_imgimport_store_reader_next_extent (reader, 5, &start, &end, NULL, &error));
  g_assert_cmpuint (start, ==, 5);
  g_assert_cmpuint (end, ==, IMGIMPORT_SIZE_UNKNOWN);
  g_assert_false (_imgimport_store_adopt (store, "k", 0, 0, NULL, NULL, NULL, &error));
  assert_our_error (error, IMGIMPORT_ERROR_NOT_SUPPORTED, "adopt-unsupported", PREFIX);
}

/* ---- slots ----------------------------------------------------------------------------------- */

static gboolean
run_begin (ImgImportStore *store, Fake *fake, SlotAnswer answer, GError **error)
{
  g_autoptr (ImgImportStoreWriter) writer = NULL;

  fake->answer = answer;
  writer = _imgimport_store_begin (store, "k", 0, NULL, error);
  return writer != NULL;
}

static gboolean
run_write (ImgImportStore *store, Fake *fake, SlotAnswer answer, GError **error)
{
  g_autoptr (ImgImportStoreWriter) writer = _imgimport_store_begin (store, "k", 0, NULL, NULL);

  fake->answer = answer;
  return _imgimport_store_writer_write (writer, 0, "", 1, NULL, error);
}

static gboolean
run_commit (ImgImportStore *store, Fake *fake, SlotAnswer answer, GError **error)
{
  ImgImportStoreWriter *writer = _imgimport_store_begin (store, "k", 0, NULL, NULL);
  g_autofree char *version = NULL;
  gboolean ok = FALSE;

  fake->answer = answer;
  ok = _imgimport_store_writer_commit (writer, 1, &version, NULL, error);
  g_assert_true ((version != NULL) == ok);
  return ok;
}

static gboolean
run_open (ImgImportStore *store, Fake *fake, SlotAnswer answer, GError **error)
{
  g_autoptr (ImgImportStoreReader) reader = NULL;

  fake->answer = answer;
  reader = _imgimport_store_open (store, "k", NULL, error);
  return reader != NULL;
}

static gboolean
run_read (ImgImportStore *store, Fake *fake, SlotAnswer answer, GError **error)
{
  g_autoptr (ImgImportStoreReader) reader = _imgimport_store_open (store, "k", NULL, NULL);
  gsize n_read = 99;
  gboolean ok = FALSE;
  char buffer[4];

  fake->n_read = 4;
  fake->answer = answer;
  ok = _imgimport_store_reader_read (reader, 0, buffer, sizeof buffer, &n_read, NULL, error);
  g_assert_cmpuint (n_read, ==, ok ? 4 : 0);
  return ok;
}

static gboolean
run_stat (ImgImportStore *store, Fake *fake, SlotAnswer answer, GError **error)
{
  g_autofree char *version = NULL;
  guint64 size = 0;
  gboolean ok = FALSE;

  fake->answer = answer;
  ok = _imgimport_store_stat (store, "k", &size, &version, NULL, error);
  g_assert_cmpuint (size, ==, ok ? 7 : 0);
  g_assert_cmpstr (version, ==, ok ? "v1" : NULL);
  return ok;
}

static gboolean
run_remove (ImgImportStore *store, Fake *fake, SlotAnswer answer, GError **error)
{
  fake->answer = answer;
  return _imgimport_store_remove (store, "k", NULL, error);
}

static gboolean
run_adopt (ImgImportStore *store, Fake *fake, SlotAnswer answer, GError **error)
{
  g_autofree char *version = NULL;
  ImgImportAdoption how = IMGIMPORT_ADOPTED_BY_COPY;
  gboolean ok = FALSE;

  fake->answer = answer;
  ok = _imgimport_store_adopt (store, "k", 0, 1, &version, &how, NULL, error);
  g_assert_cmpstr (version, ==, ok ? "v1" : NULL);
  g_assert_cmpint (how, ==, ok ? IMGIMPORT_ADOPTED_BY_LINK : IMGIMPORT_ADOPTED_BY_COPY);
  return ok;
}

static gboolean
run_next_extent (ImgImportStore *store, Fake *fake, SlotAnswer answer, GError **error)
{
  g_autoptr (ImgImportStoreReader) reader = _imgimport_store_open (store, "k", NULL, NULL);
  guint64 start = 0, end = 0;

  fake->start = 3;
  fake->end = 9;
  fake->answer = answer;
  return _imgimport_store_reader_next_extent (reader, 3, &start, &end, NULL, error);
}

typedef gboolean (*Run) (ImgImportStore *store, Fake *fake, SlotAnswer answer, GError **error);

static const Run runs[] = { run_begin, run_write,  run_commit, run_open,       run_read,
                            run_stat,  run_remove, run_adopt,  run_next_extent };

static void
every_slots_error_is_normalised (void)
{
  gsize i;
  int answer;

  for (i = 0; i < G_N_ELEMENTS (runs); i++)
    for (answer = 0; answer < N_SLOT_ANSWERS; answer++)
      {
        Fake fake = { 0 };
        g_autoptr (ImgImportStore) store = store_of (&fake);
        g_autoptr (GError) error = NULL;
        gboolean ok = runs[i](store, &fake, (SlotAnswer)answer, &error);

        assert_slot_answer ((SlotAnswer)answer, ok, error, PREFIX);
        fake.answer = SLOT_SUCCEEDS;
        g_assert_true (runs[i](store, &fake, SLOT_SUCCEEDS, NULL));
        (void)runs[i](store, &fake, (SlotAnswer)answer, NULL);
        g_assert_cmpuint (fake.open_handles, ==, 0);
      }
}

static void
success_without_a_result_breaks_the_contract (void)
{
  static const Run with_result[] = { run_begin, run_open, run_stat, run_adopt };
  g_autoptr (GError) error = NULL;
  Fake fake = { 0 };
  g_autoptr (ImgImportStore) store = store_of (&fake);
  ImgImportStoreWriter *writer = NULL;
  char *version = NULL;
  gsize i;

  writer = _imgimport_store_begin (store, "k", 0, NULL, NULL);
  fake.answers_nothing = TRUE;
  for (i = 0; i < G_N_ELEMENTS (with_result); i++)
    {
      g_assert_false (with_result[i](store, &fake, SLOT_SUCCEEDS, &error));
      assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", PREFIX);
      g_clear_error (&error);
    }
  g_assert_false (_imgimport_store_writer_commit (writer, 1, &version, NULL, &error));
  assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", PREFIX);
  g_assert_null (version);
  g_assert_cmpuint (fake.open_handles, ==, 0);
}

static void
results_out_of_range_break_the_contract (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *version = NULL;
  Fake fake = { 0 };
  g_autoptr (ImgImportStore) store = store_of (&fake);
  g_autoptr (ImgImportStoreReader) reader = _imgimport_store_open (store, "k", NULL, NULL);
  guint64 start = 0, end = 0;
  gsize n_read = 99;
  char buffer[4];

  fake.n_read = sizeof buffer + 1;
  g_assert_false (
      _imgimport_store_reader_read (reader, 0, buffer, sizeof buffer, &n_read, NULL, &error));
  assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", PREFIX);
  g_assert_cmpuint (n_read, ==, 0);
  g_clear_error (&error);
  g_assert_cmpint (_imgimport_store_reader_local_fd (reader), ==, -1);
  fake.start = 4;
  for (fake.end = 2; fake.end <= 9; fake.end += 7)
    {
      g_assert_false (
          _imgimport_store_reader_next_extent (reader, fake.end - 1, &start, &end, NULL, &error));
      assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", PREFIX);
      g_clear_error (&error);
    }
  fake.adoption = (ImgImportAdoption)9;
  g_assert_false (_imgimport_store_adopt (store, "k", 0, 0, &version, NULL, NULL, &error));
  assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", PREFIX);
  g_assert_null (version);
}

static void
removing_what_is_not_there_succeeds (void)
{
  g_autoptr (GError) error = NULL;
  Fake fake = { 0 };
  g_autoptr (ImgImportStore) store = store_of (&fake);

  g_assert_true (_imgimport_store_remove (store, "absent", NULL, &error));
  g_assert_no_error (error);
}

static void
handles_keep_the_store (void)
{
  Fake fake = { 0 };
  ImgImportStore *store = store_of (&fake);
  ImgImportStoreWriter *writer = _imgimport_store_begin (store, "k", 0, NULL, NULL);
  ImgImportStoreReader *reader = _imgimport_store_open (store, "k", NULL, NULL);

  _imgimport_plugin_unref (store);
  _imgimport_store_reader_close (reader);
  g_assert_cmpuint (fake.destroyed, ==, 0);
  _imgimport_store_writer_abort (writer);
  g_assert_cmpuint (fake.aborted, ==, 1);
  g_assert_cmpuint (fake.destroyed, ==, 1);
  _imgimport_store_writer_abort (NULL);
  _imgimport_store_reader_close (NULL);
}

static void
adoptions_have_words (void)
{
  g_assert_cmpstr (_imgimport_adoption_to_string (IMGIMPORT_ADOPTED_BY_LINK), ==, "link");
  g_assert_cmpstr (_imgimport_adoption_to_string (IMGIMPORT_ADOPTED_BY_REFLINK), ==, "reflink");
  g_assert_cmpstr (_imgimport_adoption_to_string (IMGIMPORT_ADOPTED_BY_COPY), ==, "copy");
  g_assert_null (_imgimport_adoption_to_string ((ImgImportAdoption)3));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/spi/store/optional-slots-may-be-missing", optional_slots_may_be_missing);
  g_test_add_func ("/spi/store/every-slots-error-is-normalised", every_slots_error_is_normalised);
  g_test_add_func ("/spi/store/success-without-a-result-breaks-the-contract",
                   success_without_a_result_breaks_the_contract);
  g_test_add_func ("/spi/store/results-out-of-range-break-the-contract",
                   results_out_of_range_break_the_contract);
  g_test_add_func ("/spi/store/removing-what-is-not-there-succeeds",
                   removing_what_is_not_there_succeeds);
  g_test_add_func ("/spi/store/handles-keep-the-store", handles_keep_the_store);
  g_test_add_func ("/spi/store/adoptions-have-words", adoptions_have_words);
  return g_test_run ();
}
