/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <string.h>

typedef struct
{
  const char *text;
  const char *message; /* after "doc: ", NULL where the document is good */
} Case;

static void
check (const char *text, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = _imgimport_json_parse (text, "doc", &error);
  g_autofree char *expected = g_strconcat ("doc: ", message, NULL);

  if (message == NULL)
    {
      g_assert_no_error (error);
      g_assert_nonnull (node);
      return;
    }
  g_assert_null (node);
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "json-invalid");
  g_assert_cmpstr (error->message, ==, expected);
}

static void
check_cases (gconstpointer data)
{
  const Case *c;

  for (c = data; c->text != NULL; c++)
    check (c->text, c->message);
}

static const Case good[] = {
  { "{}", NULL },
  { "[]", NULL },
  { " \t\r\n{ \"a\" : [ 1 , 2.5 , -3e+2 , 4E-2, true , false , null , \"x\" ] } \n", NULL },
  { "\"alone\"", NULL },
  { "0", NULL },
  { "-0", NULL },
  { "null", NULL },
  { "{\"a\":{\"a\":{\"a\":1}}}", NULL },
  { "{\"\":1}", NULL },
  { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\\uffff\"", NULL },
  { "\"\xc3\xa9\xf0\x9f\x98\x80\x7f\"", NULL },
  { NULL, NULL },
};

static const Case grammar[] = {
  { "", "expected a value at byte 0" },
  { "  ", "expected a value at byte 2" },
  { "\xef\xbb\xbf{}", "expected a value at byte 0" },
  { "nul", "expected a value at byte 0" },
  { "True", "expected a value at byte 0" },
  { "NaN", "expected a value at byte 0" },
  { "Infinity", "expected a value at byte 0" },
  { "-Infinity", "expected a digit at byte 1" },
  { "'a'", "expected a value at byte 0" },
  { "// no\n{}", "expected a value at byte 0" },
  { "{} /* no */", "expected the end at byte 3" },
  { "var a = {}", "expected a value at byte 0" },
  { "{}x", "expected the end at byte 2" },
  { "{}{}", "expected the end at byte 2" },
  { "1 2", "expected the end at byte 2" },
  { "nullx", "expected the end at byte 4" },
  { "[1,]", "1: expected a value at byte 3" },
  { "[,1]", "0: expected a value at byte 1" },
  { "[1 2]", "expected a comma or a closing bracket at byte 3" },
  { "[1", "expected a comma or a closing bracket at byte 2" },
  { "[", "0: expected a value at byte 1" },
  { "[1}", "expected a comma or a closing bracket at byte 2" },
  { "{", "expected a member name at byte 1" },
  { "{a:1}", "expected a member name at byte 1" },
  { "{1:1}", "expected a member name at byte 1" },
  { "{\"a\":1,}", "expected a member name at byte 7" },
  { "{\"a\"}", "a: expected a colon at byte 4" },
  { "{\"a\":}", "a: expected a value at byte 5" },
  { "{\"a\":1 \"b\":2}", "expected a comma or a closing brace at byte 7" },
  { "{\"a\":1", "expected a comma or a closing brace at byte 6" },
  { "]", "expected a value at byte 0" },
  { NULL, NULL },
};

static const Case numbers[] = {
  { "9223372036854775807", NULL },
  { "-9223372036854775808", NULL },
  { "9223372036854775808", "integer does not fit into 64 bits with a sign" },
  { "-9223372036854775809", "integer does not fit into 64 bits with a sign" },
  { "18446744073709551616", "integer does not fit into 64 bits with a sign" },
  { "{\"a\":[0,18446744073709551615]}", "a/1: integer does not fit into 64 bits with a sign" },
  { "9223372036854775808.0", NULL },
  { "1e308", NULL },
  { "1e-400", NULL },
  { "1e400", "number is too large" },
  { "{\"a\":-1e400}", "a: number is too large" },
  { "01", "expected the end at byte 1" },
  { "-01", "expected the end at byte 2" },
  { "0x10", "expected the end at byte 1" },
  { "+1", "expected a value at byte 0" },
  { ".5", "expected a value at byte 0" },
  { "1.", "expected a digit at byte 2" },
  { "1.e5", "expected a digit at byte 2" },
  { "1e", "expected a digit at byte 2" },
  { "1e+", "expected a digit at byte 3" },
  { "1e+-5", "expected a digit at byte 3" },
  { "-", "expected a digit at byte 1" },
  { "- 1", "expected a digit at byte 1" },
  { "1,5", "expected the end at byte 1" },
  { NULL, NULL },
};

static const Case strings[] = {
  { "\"a", "unterminated string" },
  { "\"a\\", "expected an escape character at byte 3" },
  { "\"\\", "expected an escape character at byte 2" },
  { "\"\\x41\"", "expected an escape character at byte 2" },
  { "\"\\'\"", "expected an escape character at byte 2" },
  { "\"\\u12\"", "expected four hexadecimal digits at byte 5" },
  { "\"\\u12G4\"", "expected four hexadecimal digits at byte 5" },
  { "\"a\nb\"", "control character in a string at byte 2" },
  { "\"a\tb\"", "control character in a string at byte 2" },
  { "\"\x01\"", "control character in a string at byte 1" },
  { "\"\\u0000\"", "a string may not contain U+0000" },
  { "\"\\ud800\"", "lone high surrogate in a string" },
  { "\"\\ud800x\"", "lone high surrogate in a string" },
  { "\"\\ud800\\n\"", "lone high surrogate in a string" },
  { "\"\\ud800\\ud800\"", "lone high surrogate in a string" },
  { "\"\\ud800\\u12\"", "expected four hexadecimal digits at byte 11" },
  { "\"\\udc00\"", "lone low surrogate in a string" },
  { "\"\\udc00\\ud800\"", "lone low surrogate in a string" },
  { "\"\xff\"", "invalid UTF-8 in a string" },
  { "\"\x80\"", "invalid UTF-8 in a string" },
  { "\"\xc3\"", "invalid UTF-8 in a string" },
  { "\"\xc0\xaf\"", "invalid UTF-8 in a string" },         /* overlong "/" */
  { "\"\xe0\x80\xaf\"", "invalid UTF-8 in a string" },     /* and in three bytes */
  { "\"\xc0\x80\"", "invalid UTF-8 in a string" },         /* overlong NUL */
  { "\"\xed\xa0\x80\"", "invalid UTF-8 in a string" },     /* U+D800 */
  { "\"\xf4\x90\x80\x80\"", "invalid UTF-8 in a string" }, /* beyond U+10FFFF */
  { "{\"a\":\"\xff\"}", "a: invalid UTF-8 in a string" },
  { "{\"\xff\":1}", "invalid UTF-8 in a string" },
  { "{\"a\":\xff}", "a: expected a value at byte 5" },
  { NULL, NULL },
};

static const Case duplicates[] = {
  { "{\"a\":1,\"b\":2,\"a\":3}", "a: duplicate key" },
  { "{\"stores\":[{\"id\":1,\"id\":2}]}", "stores/0/id: duplicate key" },
  { "{\"a\":1,\"\\u0061\":2}", "a: duplicate key" },
  { "{\"\":1,\"\":2}", "duplicate key" },
  { "{\"a\":1,\"A\":2}", NULL },
  { "[{\"a\":1},{\"a\":2}]", NULL },
  { "{\"\\u00e9\":1,\"\xc3\xa9\":2}", "\xc3\xa9: duplicate key" },
  { "{\"\\/\":1,\"/\":2}", "/: duplicate key" },
  { NULL, NULL },
};

/* `open` `depth` times, then `middle`, then `close` as often. */
static char *
nested (guint depth, const char *open, const char *middle, const char *close)
{
  GString *text = g_string_new (NULL);
  guint i;

  for (i = 0; i < depth; i++)
    g_string_append (text, open);
  g_string_append (text, middle);
  for (i = 0; i < depth; i++)
    g_string_append (text, close);
  return g_string_free (text, FALSE);
}

static void
depth_is_bounded (void)
{
  g_autofree char *arrays = nested (IMGIMPORT_JSON_MAX_DEPTH, "[", "", "]");
  g_autofree char *scalar = nested (IMGIMPORT_JSON_MAX_DEPTH, "[", "1", "]");
  g_autofree char *objects = nested (IMGIMPORT_JSON_MAX_DEPTH, "{\"a\":", "1", "}");
  g_autofree char *deeper = nested (IMGIMPORT_JSON_MAX_DEPTH + 1, "[", "", "]");
  g_autofree char *deeper_objects = nested (IMGIMPORT_JSON_MAX_DEPTH + 1, "{\"a\":", "1", "}");
  g_autofree char *bomb = g_strnfill (100000, '[');
  g_autofree char *zeros = nested (IMGIMPORT_JSON_MAX_DEPTH - 1, "0/", "0", "");
  g_autofree char *as = nested (IMGIMPORT_JSON_MAX_DEPTH - 1, "a/", "a", "");
  g_autofree char *array_message = g_strconcat (zeros, ": nested deeper than 32 levels", NULL);
  g_autofree char *object_message = g_strconcat (as, ": nested deeper than 32 levels", NULL);

  check (arrays, NULL);
  check (scalar, NULL);
  check (objects, NULL);
  check (deeper, array_message);
  check (deeper_objects, object_message);
  check (bomb, array_message);
  /* Breadth is not depth. */
  check ("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],"
         "[],[],[],[],[],[]]",
         NULL);
}

static void
size_is_bounded (void)
{
  g_autofree char *text = g_strnfill (IMGIMPORT_JSON_MAX_SIZE + 1, ' ');

  text[0] = '{';
  text[1] = '}';
  check (text, "longer than 1048576 bytes");
  text[IMGIMPORT_JSON_MAX_SIZE] = '\0';
  check (text, NULL);
}

static void
members_are_bounded (void)
{
  g_autoptr (GString) text = g_string_new ("{");
  int i;

  for (i = 0; i < IMGIMPORT_JSON_MAX_MEMBERS; i++)
    g_string_append_printf (text, "%s\"%d\":0", i > 0 ? "," : "", i);
  g_string_append_c (text, '}');
  check (text->str, NULL);

  g_string_truncate (text, text->len - 1);
  g_string_append (text, ",\"x\":0}");
  check (text->str, "more than 1024 members in an object");
}

static void
path_is_short_and_printable (void)
{
  g_autofree char *long_key = g_strnfill (100, 'k');
  g_autofree char *shortened = g_strnfill (64, 'k');
  g_autofree char *text = g_strdup_printf ("{\"a\\nb\\u202e\":{\"%s\":x}}", long_key);
  g_autofree char *message = g_strdup_printf ("a?b?/%s…: expected a value at byte 118", shortened);

  check (text, message);
}

static void
scan_alone_agrees (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (_imgimport_json_scan ("[1]", "doc", &error));
  g_assert_no_error (error);
  g_assert_false (_imgimport_json_scan ("[1", "doc", NULL));
}

static void
one_member_is_found (void)
{
  static const struct
  {
    const char *text;
    const char *value; /* NULL: refused */
  } rows[] = {
    { "{\"a\":1,\"b\": {\"b\":[2]} ,\"c\":3}", "{\"b\":[2]}" },
    { " { \"\\u0062\" : \"x\" } ", "\"x\"" },
    { "{\"a\":{\"b\":1},\"c\":[{\"b\":2}]}", "" },
    { "{}", "" },
    { "{\"b\":1,\"b\":2}", NULL },
    { "{\"b\":1,\"c\":x}", NULL },
    { "{\"b\":1} 2", NULL },
    { "[{\"b\":1}]", NULL },
    { "\"b\"", NULL },
    { "", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *value = _imgimport_json_scan_member (rows[i].text, "doc", "b", &error);

      g_assert_cmpstr (value, ==, rows[i].value);
      g_assert_true ((error == NULL) == (rows[i].value != NULL));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/base/json/good-documents-pass", good, check_cases);
  g_test_add_data_func ("/base/json/grammar-is-strict", grammar, check_cases);
  g_test_add_data_func ("/base/json/numbers-fit-or-are-refused", numbers, check_cases);
  g_test_add_data_func ("/base/json/strings-are-valid-text", strings, check_cases);
  g_test_add_data_func ("/base/json/duplicate-keys-are-refused", duplicates, check_cases);
  g_test_add_func ("/base/json/depth-is-bounded", depth_is_bounded);
  g_test_add_func ("/base/json/size-is-bounded", size_is_bounded);
  g_test_add_func ("/base/json/members-are-bounded", members_are_bounded);
  g_test_add_func ("/base/json/path-is-short-and-printable", path_is_short_and_printable);
  g_test_add_func ("/base/json/scan-alone-agrees", scan_alone_agrees);
  g_test_add_func ("/base/json/one-member-is-found", one_member_is_found);
  return g_test_run ();
}
