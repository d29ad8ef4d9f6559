/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <string.h>

/* Past the string that begins here, with its quotes. */
static const char *
string_end (const char *at)
{
  for (at++; *at != '"'; at++)
    if (*at == '\\')
      at++;
  return at + 1;
}

/* Past the exponent that begins here, such as "e+300", and `at` itself where none does. */
static const char *
exponent_end (const char *at)
{
  if (at[0] != 'e' || (at[1] != '+' && at[1] != '-'))
    return at;
  return at + 2 + strspn (at + 2, "0123456789");
}

/* json-glib (1.6) writes a round number with an exponent as 1e+300.0, which is not JSON. */
static char *
without_fraction_after_exponent (const char *text)
{
  g_autoptr (GString) out = g_string_sized_new (strlen (text));
  const char *at = text;

  while (*at != '\0')
    {
      const char *end = *at == '"' ? string_end (at) : exponent_end (at);
      gboolean exponent = end != at && *at == 'e';

      if (end == at)
        end++;
      g_string_append_len (out, at, end - at);
      at = exponent && g_str_has_prefix (end, ".0") ? end + 2 : end;
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

char *
_imgimport_json_to_text (JsonNode *node)
{
  g_autofree char *text = json_to_string (node, FALSE);

  return without_fraction_after_exponent (text);
}

char *
_imgimport_json_object_to_text (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_init_object (json_node_alloc (), object);

  return _imgimport_json_to_text (node);
}
