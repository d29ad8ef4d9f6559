/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <string.h>

#define ROUNDS 20000
#define MAX_MUTATIONS 6

static const char *const seeds[] = {
  "{\"stores\":[{\"id\":\"fast\",\"path\":\"/a\\/b\",\"weight\":10},{\"id\":\"slow\"}],\"n\":null}",
  "{\"a\":[1,-2,3.5,-0.25e+10,1E-3,0,-0],\"b\":{\"c\":{\"d\":[[[]]]}},\"t\":true,\"f\":false}",
  "[\"\\u00e9\\ud83d\\ude00\\n\\t\\\"\\\\\",\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\",\"\"]",
  "  [ 9223372036854775807 , -9223372036854775808 , 1e308 ]  ",
  "{\"id\":\"0123abcd-4567-89ab-cdef-0123456789ab\",\"size\":1048576,\"tags\":[\"x\",\"y\"]}",
};

static const char *const tokens[] = {
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "\"",
  "\\",
  "null",
  "true",
  "1e999",
  "-",
  "0",
  "00",
  ".",
  "e",
  "E+",
  "\\u",
  "\\ud800",
  "\\udc00",
  "\\u0000",
  "\\uffff",
  "\\u00e9",
  "\xc0\x80",
  "\xed\xa0\x80",
  "\xff",
  "\xc3",
  "NaN",
  "/*",
  "//",
  "9223372036854775808",
  "-9223372036854775809",
  "0x1f",
  "\"a\":",
  "\"a\":1,",
  "1.",
  "'",
  "\t",
  "\n",
};

static gsize
random_position (GRand *random, gsize length)
{
  return (gsize)g_rand_int_range (random, 0, (gint32)length + 1);
}

static void
mutate (GRand *random, GString *text)
{
  gsize at = random_position (random, text->len);
  gsize n = random_position (random, MIN (8, text->len - at));

  switch (g_rand_int_range (random, 0, 5))
    {
    case 0:
      g_string_insert (text, (gssize)at,
                       tokens[g_rand_int_range (random, 0, G_N_ELEMENTS (tokens))]);
      break;
    case 1:
      g_string_erase (text, (gssize)at, (gssize)n);
      break;
    case 2:
      if (at < text->len)
        text->str[at] = (char)g_rand_int_range (random, 1, 256);
      break;
    case 3:
      {
        g_autofree char *piece = g_strndup (text->str + at, n);

        g_string_insert (text, (gssize)random_position (random, text->len), piece);
        break;
      }
    default:
      if (at + 1 < text->len)
        {
          char c = text->str[at];

          text->str[at] = text->str[at + 1];
          text->str[at + 1] = c;
        }
    }
}

/* Whatever is accepted, the parser reads, and what we would write of it is accepted again and means
 * the same. Whatever is refused is refused in our own words. Returns whether it was accepted. */
static gboolean
check (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (JsonNode) again = NULL;
  g_autofree char *written = NULL;

  if (!_imgimport_json_scan (text, "doc", &error))
    {
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      g_assert_true (g_str_has_prefix (error->message, "doc: "));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return FALSE;
    }
  node = _imgimport_json_parse (text, "doc", &error);
  if (node == NULL)
    g_test_message ("accepted, but not parsed: %s", text);
  g_assert_no_error (error);
  g_assert_nonnull (node);

  written = _imgimport_json_to_text (node);
  again = _imgimport_json_parse (written, "doc", &error);
  if (again == NULL || !json_node_equal (node, again))
    g_test_message ("%s was written as %s", text, written);
  g_assert_no_error (error);
  g_assert_true (json_node_equal (node, again));
  return TRUE;
}

static void
mutations_are_refused_or_parsed (gconstpointer data)
{
  const char *seed_text = data;
  /* The same documents in each run. */
  GRand *random = g_rand_new_with_seed (g_str_hash (seed_text));
  guint accepted = 0;
  guint i;

  for (i = 0; i < ROUNDS; i++)
    {
      g_autoptr (GString) text = g_string_new (seed_text);
      int mutations = g_rand_int_range (random, 0, MAX_MUTATIONS);

      while (mutations-- > 0)
        mutate (random, text);
      accepted += check (text->str) ? 1 : 0;
    }
  g_rand_free (random);
  /* Neither side of the property may be vacuous. */
  g_assert_cmpuint (accepted, >, ROUNDS / 20);
  g_assert_cmpuint (accepted, <, ROUNDS);
}

static void
every_prefix_is_refused_or_parsed (void)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (seeds); i++)
    {
      gsize length = strlen (seeds[i]);

      g_assert_true (check (seeds[i]));
      while (length-- > 0)
        {
          /* As long as it is, so that a sanitizer sees a read beyond. */
          g_autofree char *prefix = g_strndup (seeds[i], length);

          (void)check (prefix);
        }
    }
}

int
main (int argc, char **argv)
{
  gsize i;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/json/every-prefix-is-refused-or-parsed",
                   every_prefix_is_refused_or_parsed);
  for (i = 0; i < G_N_ELEMENTS (seeds); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/base/json/mutations-are-refused-or-parsed/%u", (guint)i);

      g_test_add_data_func (path, seeds[i], mutations_are_refused_or_parsed);
    }
  return g_test_run ();
}
