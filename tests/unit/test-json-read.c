/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <string.h>

typedef struct
{
  JsonObject *object;
  ImgImportJsonCursor top;
} Fixture;

static const char document[] =
    "{\"string\":\"text\",\"null\":null,\"yes\":true,\"int\":-7,\"number\":1.0,"
    "\"strings\":[\"a\",\"b\"],\"empty\":[],\"mixed\":[\"a\",1],\"object\":{\"inner\":\"x\"}}";

static void
set_up (Fixture *self, gconstpointer path)
{
  g_autoptr (GError) error = NULL;

  self->object = _imgimport_json_parse_object (document, "config", &error);
  g_assert_no_error (error);
  self->top = (ImgImportJsonCursor){ self->object, "config", path };
}

static void
tear_down (Fixture *self, gconstpointer path)
{
  json_object_unref (self->object);
}

static void
assert_refused (gboolean result, GError **error, const char *message)
{
  g_assert_false (result);
  g_assert_error (*error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (*error), ==, "json-invalid");
  g_assert_cmpstr ((*error)->message, ==, message);
}

static void
members_of_the_right_type_are_read (Fixture *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) strings = NULL;
  g_auto (GStrv) empty = NULL;
  const char *text = NULL;
  const char *nullable = "set";
  gboolean yes = FALSE;
  gint64 number = 0;
  JsonObject *object = NULL;
  JsonArray *array = NULL;

  g_assert_true (_imgimport_json_string (&self->top, "string", &text, &error));
  g_assert_cmpstr (text, ==, "text");
  g_assert_true (_imgimport_json_nullable_string (&self->top, "null", &nullable, &error));
  g_assert_null (nullable);
  g_assert_true (_imgimport_json_nullable_string (&self->top, "string", &nullable, &error));
  g_assert_cmpstr (nullable, ==, "text");
  g_assert_true (_imgimport_json_boolean (&self->top, "yes", &yes, &error));
  g_assert_true (yes);
  g_assert_true (_imgimport_json_int (&self->top, "int", -7, -7, &number, &error));
  g_assert_cmpint (number, ==, -7);
  g_assert_true (_imgimport_json_strv (&self->top, "strings", &strings, &error));
  g_assert_true (
      g_strv_equal ((const char *const *)strings, (const char *const[]){ "a", "b", NULL }));
  g_assert_true (_imgimport_json_strv (&self->top, "empty", &empty, &error));
  g_assert_nonnull (empty);
  g_assert_null (empty[0]);
  g_assert_true (_imgimport_json_object (&self->top, "object", &object, &error));
  g_assert_true (json_object_has_member (object, "inner"));
  g_assert_true (_imgimport_json_array (&self->top, "mixed", &array, &error));
  g_assert_cmpuint (json_array_get_length (array), ==, 2);
  g_assert_no_error (error);
}

static void
absent_members_leave_the_value_alone (Fixture *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  char **strings = NULL;
  const char *text = "default";
  gboolean yes = TRUE;
  gint64 number = 5;
  JsonObject *object = NULL;
  JsonArray *array = NULL;

  g_assert_true (_imgimport_json_string (&self->top, "none", &text, &error));
  g_assert_true (_imgimport_json_nullable_string (&self->top, "none", &text, &error));
  g_assert_cmpstr (text, ==, "default");
  g_assert_true (_imgimport_json_boolean (&self->top, "none", &yes, &error));
  g_assert_true (yes);
  g_assert_true (_imgimport_json_int (&self->top, "none", 0, 1, &number, &error));
  g_assert_cmpint (number, ==, 5);
  g_assert_true (_imgimport_json_strv (&self->top, "none", &strings, &error));
  g_assert_null (strings);
  g_assert_true (_imgimport_json_object (&self->top, "none", &object, &error));
  g_assert_null (object);
  g_assert_true (_imgimport_json_array (&self->top, "none", &array, &error));
  g_assert_null (array);
  g_assert_no_error (error);
}

typedef gboolean (*Getter) (const ImgImportJsonCursor *self, const char *member, GError **error);

static gboolean
get_string (const ImgImportJsonCursor *self, const char *member, GError **error)
{
  const char *value = "kept";
  gboolean ok = _imgimport_json_string (self, member, &value, error);

  g_assert_cmpstr (value, ==, "kept");
  return ok;
}

static gboolean
get_nullable_string (const ImgImportJsonCursor *self, const char *member, GError **error)
{
  const char *value = "kept";
  gboolean ok = _imgimport_json_nullable_string (self, member, &value, error);

  g_assert_cmpstr (value, ==, "kept");
  return ok;
}

static gboolean
get_boolean (const ImgImportJsonCursor *self, const char *member, GError **error)
{
  gboolean value = 42;
  gboolean ok = _imgimport_json_boolean (self, member, &value, error);

  g_assert_cmpint (value, ==, 42);
  return ok;
}

static gboolean
get_int (const ImgImportJsonCursor *self, const char *member, GError **error)
{
  gint64 value = 42;
  gboolean ok = _imgimport_json_int (self, member, -6, 100, &value, error);

  g_assert_cmpint (value, ==, 42);
  return ok;
}

static gboolean
get_strv (const ImgImportJsonCursor *self, const char *member, GError **error)
{
  char **value = NULL;
  gboolean ok = _imgimport_json_strv (self, member, &value, error);

  g_assert_null (value);
  return ok;
}

static gboolean
get_object (const ImgImportJsonCursor *self, const char *member, GError **error)
{
  JsonObject *value = NULL;
  gboolean ok = _imgimport_json_object (self, member, &value, error);

  g_assert_null (value);
  return ok;
}

static gboolean
get_array (const ImgImportJsonCursor *self, const char *member, GError **error)
{
  JsonArray *value = NULL;
  gboolean ok = _imgimport_json_array (self, member, &value, error);

  g_assert_null (value);
  return ok;
}

static void
wrong_types_are_named_with_their_path (Fixture *self, gconstpointer unused)
{
  static const struct
  {
    Getter get;
    const char *member;
    const char *message;
  } cases[] = {
    { get_string, "int", "config: a/0/int: expected a string, is an integer" },
    { get_string, "null", "config: a/0/null: expected a string, is null" },
    { get_nullable_string, "yes", "config: a/0/yes: expected a string, is a boolean" },
    { get_boolean, "string", "config: a/0/string: expected a boolean, is a string" },
    { get_boolean, "int", "config: a/0/int: expected a boolean, is an integer" },
    { get_int, "number", "config: a/0/number: expected an integer, is a number" },
    { get_int, "yes", "config: a/0/yes: expected an integer, is a boolean" },
    { get_int, "int", "config: a/0/int: -7 is not between -6 and 100" },
    { get_strv, "string", "config: a/0/string: expected an array, is a string" },
    { get_strv, "mixed", "config: a/0/mixed/1: expected a string, is an integer" },
    { get_object, "strings", "config: a/0/strings: expected an object, is an array" },
    { get_array, "object", "config: a/0/object: expected an array, is an object" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean ok = cases[i].get (&self->top, cases[i].member, &error);

      assert_refused (ok, &error, cases[i].message);
    }
}

static void
int_above_the_maximum_is_refused (Fixture *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;
  gint64 value = 42;

  assert_refused (_imgimport_json_int (&self->top, "int", -100, -8, &value, &error), &error,
                  "config: int: -7 is not between -100 and -8");
  g_assert_cmpint (value, ==, 42);
}

static void
unknown_members_are_refused (Fixture *self, gconstpointer unused)
{
  static const char *const all[] = { "string",  "null",  "yes",   "int",    "number",
                                     "strings", "empty", "mixed", "object", NULL };
  g_autoptr (GError) error = NULL;

  g_assert_true (_imgimport_json_only (&self->top, all, &error));
  g_assert_no_error (error);
  assert_refused (_imgimport_json_only (&self->top, all + 1, &error), &error,
                  "config: string: unknown member");
}

static void
own_errors_name_the_member (Fixture *self, gconstpointer unused)
{
  g_autoptr (GError) error = NULL;

  _imgimport_json_set_error (&self->top, "b\n", "uri-scheme-refused", &error, "not %s", "this");
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "uri-scheme-refused");
  g_assert_cmpstr (error->message, ==, "config: a/0/b?: not this");
}

static void
document_that_is_no_object_is_refused (void)
{
  static const char *const cases[][2] = {
    { "[]", "config: expected an object, is an array" },
    { "null", "config: expected an object, is null" },
    { "1.5", "config: expected an object, is a number" },
    { "{]", "config: expected a member name at byte 1" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      JsonObject *object = _imgimport_json_parse_object (cases[i][0], "config", &error);

      assert_refused (object != NULL, &error, cases[i][1]);
    }
}

static void
large_numbers_are_written_as_json (void)
{
  static const char numbers[] =
      "{\"a\":[1e+300,-1e+300,1e-05,1.5e+300,2.0],\"e+1.0\":\"\\\\\\\"e-5.0\",\"b\":[true,false]}";
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = _imgimport_json_parse_object (numbers, "config", &error);
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  text = _imgimport_json_object_to_text (object);
  /* The shortest digits are the generator's affair. */
  g_assert_true (_imgimport_json_scan (text, "config", &error));
  g_assert_no_error (error);
  g_assert_nonnull (strstr (text, "\"e+1.0\":\"\\\\\\\"e-5.0\""));
  g_assert_nonnull (strstr (text, "2.0"));
}

static void
text_is_compact_and_utf8 (Fixture *self, gconstpointer unused)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *built = NULL;
  g_autofree char *text = _imgimport_json_object_to_text (self->object);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "é");
  json_builder_add_string_value (builder, "a\n\"€");
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  built = _imgimport_json_to_text (root);
  g_assert_cmpstr (built, ==, "{\"é\":\"a\\n\\\"€\"}");
  g_assert_cmpstr (text, ==, document);
}

static void
text_has_control_characters_escaped (void)
{
  static const char raw[] = "\\u001f\\u007f\\b\\f\\r\\t\\\\";
  g_autofree char *source =
      g_strconcat ("{\"a\":\"", raw, "\",\"b\":[true,null,-1,2.0,{},[]]}", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = _imgimport_json_parse (source, "doc", &error);
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  text = _imgimport_json_to_text (node);
  g_assert_cmpstr (text, ==, source);
}

#define ADD(path, at, test) g_test_add (path, Fixture, at, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/base/json/members-of-the-right-type-are-read", "", members_of_the_right_type_are_read);
  ADD ("/base/json/absent-members-leave-the-value-alone", "", absent_members_leave_the_value_alone);
  ADD ("/base/json/wrong-types-are-named-with-their-path", "a/0",
       wrong_types_are_named_with_their_path);
  ADD ("/base/json/int-above-the-maximum-is-refused", "", int_above_the_maximum_is_refused);
  ADD ("/base/json/unknown-members-are-refused", "", unknown_members_are_refused);
  ADD ("/base/json/own-errors-name-the-member", "a/0", own_errors_name_the_member);
  ADD ("/base/json/text-is-compact-and-utf8", "", text_is_compact_and_utf8);
  g_test_add_func ("/base/json/text-has-control-characters-escaped",
                   text_has_control_characters_escaped);
  g_test_add_func ("/base/json/large-numbers-are-written-as-json",
                   large_numbers_are_written_as_json);
  g_test_add_func ("/base/json/document-that-is-no-object-is-refused",
                   document_that_is_no_object_is_refused);
  return g_test_run ();
}
