/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spi/spi-private.h"

#include "slot-answer.h"

#define ID "0b7b1c5e-4f0c-4a31-9a3b-2f8a4e9d6c11"
#define PREFIX "method “fake”: "

typedef struct
{
  SlotAnswer answer;
  gboolean answers_stream;
  gboolean uses_staged;
  gsize n_read;
  guint closed;
  guint destroyed;
} Fake;

static gboolean
fake_check (gpointer self, const char *request, GError **error)
{
  Fake *fake = self;

  g_assert_cmpstr (request, ==, "{}");
  return slot_answer (fake->answer, error);
}

static gboolean
fake_open (gpointer self, ImgImportCall *call, gpointer *stream, guint64 *size,
           GCancellable *cancellable, GError **error)
{
  Fake *fake = self;

  if (!slot_answer (fake->answer, error))
    return FALSE;
  if (fake->uses_staged)
    g_assert_true (imgimport_call_use_staged (call, NULL));
  if (fake->answers_stream)
    {
      *stream = fake;
      *size = 11;
    }
  return TRUE;
}

static gboolean
fake_read (gpointer self, gpointer stream, void *buffer, gsize length, gsize *n_read,
           GCancellable *cancellable, GError **error)
{
  Fake *fake = self;

  g_assert_true (stream == self);
  *n_read = fake->n_read;
  return slot_answer (fake->answer, error);
}

static void
fake_close (gpointer self, gpointer stream)
{
  Fake *fake = self;

  fake->closed++;
}

static void
fake_destroy (gpointer self)
{
  Fake *fake = self;

  fake->destroyed++;
}

static const ImgImportMethodVTable full_table = {
  IMGIMPORT_METHOD_VTABLE_INIT,
  .required_status = IMGIMPORT_STATUS_QUEUED,
  .check = fake_check,
  .open = fake_open,
  .read = fake_read,
  .close = fake_close,
};

typedef struct
{
  Fake fake;
  ImgImportMethod *method;
  ImgImportCall *call;
} Fixture;

static void
set_up (Fixture *f, gconstpointer table)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = NULL;
  g_autoptr (ImgImportLog) log = _imgimport_log_new (NULL, NULL, NULL);

  image = imgimport_image_new_from_json ("{\"id\": \"" ID "\", \"status\": \"importing\"}", &error);
  g_assert_no_error (error);
  f->call = _imgimport_call_new (image, NULL, "{}", "job", "key.1.0", log);
  f->method = _imgimport_method_new ("fake", table != NULL ? table : &full_table, &f->fake,
                                     fake_destroy, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *f, gconstpointer table)
{
  g_clear_pointer (&f->method, _imgimport_plugin_unref);
  g_assert_cmpuint (f->fake.destroyed, ==, 1);
  _imgimport_call_free (f->call);
}

static gboolean
open_method (Fixture *f, ImgImportMethodStream **stream, GError **error)
{
  return _imgimport_method_open (f->method, f->call, stream, NULL, error);
}

static void
every_slots_error_is_normalised (Fixture *f, gconstpointer unused)
{
  int answer;

  f->fake.answers_stream = TRUE;
  f->fake.n_read = 2;
  for (answer = 0; answer < N_SLOT_ANSWERS; answer++)
    {
      g_autoptr (ImgImportMethodStream) stream = NULL;
      g_autoptr (ImgImportMethodStream) other = NULL;
      g_autoptr (GError) check_error = NULL;
      g_autoptr (GError) open_error = NULL;
      g_autoptr (GError) read_error = NULL;
      gboolean ok = FALSE;
      gsize n_read = 99;
      char buffer[2];

      f->fake.answer = SLOT_SUCCEEDS;
      g_assert_true (open_method (f, &stream, NULL));
      f->fake.answer = (SlotAnswer)answer;
      ok = _imgimport_method_check (f->method, "{}", &check_error);
      assert_slot_answer ((SlotAnswer)answer, ok, check_error, PREFIX);
      ok = open_method (f, &other, &open_error);
      assert_slot_answer ((SlotAnswer)answer, ok, open_error, PREFIX);
      g_assert_true ((other != NULL) == ok);
      ok = _imgimport_method_stream_read (stream, buffer, 2, &n_read, NULL, &read_error);
      assert_slot_answer ((SlotAnswer)answer, ok, read_error, PREFIX);
      g_assert_cmpuint (n_read, ==, ok ? 2 : 0);
    }
  g_assert_cmpuint (f->fake.closed, ==, N_SLOT_ANSWERS + 2);
}

static void
a_stream_tells_its_size_and_keeps_the_method (Fixture *f, gconstpointer unused)
{
  ImgImportMethodStream *stream = NULL;
  ImgImportMethod *method = f->method;

  f->fake.answers_stream = TRUE;
  g_assert_true (open_method (f, &stream, NULL));
  g_assert_cmpuint (_imgimport_method_stream_get_size (stream), ==, 11);
  f->method = NULL;
  _imgimport_plugin_unref (method);
  g_assert_cmpuint (f->fake.destroyed, ==, 0);
  _imgimport_method_stream_close (stream);
  g_assert_cmpuint (f->fake.closed, ==, 1);
  g_assert_cmpuint (f->fake.destroyed, ==, 1);
  _imgimport_method_stream_close (NULL);
}

static void
using_what_is_staged_needs_no_stream (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  ImgImportMethodStream *stream = (gpointer)f;

  f->fake.uses_staged = TRUE;
  g_assert_true (open_method (f, &stream, &error));
  g_assert_null (stream);
  g_assert_true (_imgimport_call_uses_staged (f->call));
}

static void
no_source_or_two_is_refused (Fixture *f, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  ImgImportMethodStream *stream = NULL;

  g_assert_false (open_method (f, &stream, &error));
  assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "method-no-source", PREFIX);
  g_clear_error (&error);
  f->fake.answers_stream = TRUE;
  f->fake.uses_staged = TRUE;
  g_assert_false (open_method (f, &stream, &error));
  assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "method-no-source", PREFIX);
  g_assert_null (stream);
  g_assert_cmpuint (f->fake.closed, ==, 1);
}

static const ImgImportMethodVTable table_without_read = {
  IMGIMPORT_METHOD_VTABLE_INIT,
  .open = fake_open,
  .close = fake_close,
};

static const ImgImportMethodVTable table_without_close = {
  IMGIMPORT_METHOD_VTABLE_INIT,
  .open = fake_open,
  .read = fake_read,
};

static void
a_stream_without_its_slots_is_refused (Fixture *f, gconstpointer table)
{
  g_autoptr (GError) error = NULL;
  ImgImportMethodStream *stream = NULL;

  f->fake.answers_stream = TRUE;
  g_assert_false (open_method (f, &stream, &error));
  assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", PREFIX);
  g_assert_null (stream);
  g_assert_cmpuint (f->fake.closed, ==, table == &table_without_read ? 1 : 0);
  g_assert_true (_imgimport_method_check (f->method, "{}", NULL));
}

static void
reading_too_much_breaks_the_contract (Fixture *f, gconstpointer unused)
{
  g_autoptr (ImgImportMethodStream) stream = NULL;
  g_autoptr (GError) error = NULL;
  gsize n_read = 99;
  char buffer[2];

  f->fake.answers_stream = TRUE;
  f->fake.n_read = 3;
  g_assert_true (open_method (f, &stream, NULL));
  g_assert_false (_imgimport_method_stream_read (stream, buffer, 2, &n_read, NULL, &error));
  assert_our_error (error, IMGIMPORT_ERROR_PLUGIN, "contract-broken", PREFIX);
  g_assert_cmpuint (n_read, ==, 0);
}

static void
add (const char *name, gconstpointer table, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strconcat ("/spi/method/", name, NULL);

  g_test_add (path, Fixture, table, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add ("every-slots-error-is-normalised", NULL, every_slots_error_is_normalised);
  add ("a-stream-tells-its-size-and-keeps-the-method", NULL,
       a_stream_tells_its_size_and_keeps_the_method);
  add ("using-what-is-staged-needs-no-stream", NULL, using_what_is_staged_needs_no_stream);
  add ("no-source-or-two-is-refused", NULL, no_source_or_two_is_refused);
  add ("a-stream-without-read-is-refused", &table_without_read,
       a_stream_without_its_slots_is_refused);
  add ("a-stream-without-close-is-refused", &table_without_close,
       a_stream_without_its_slots_is_refused);
  add ("reading-too-much-breaks-the-contract", NULL, reading_too_much_breaks_the_contract);
  return g_test_run ();
}
