/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <string.h>

#define NAME_MAX_LENGTH 64
#define KEY_MAX_LENGTH 128
#define UUID_LENGTH 36

static gboolean
is_lower_or_digit (char c)
{
  return g_ascii_islower (c) || g_ascii_isdigit (c);
}

gboolean
_imgimport_name_is_valid (const char *name)
{
  gsize length = 0;

  if (name == NULL || !is_lower_or_digit (name[0]))
    return FALSE;
  while (is_lower_or_digit (name[length]) || name[length] == '_' || name[length] == '-')
    length++;
  return name[length] == '\0' && length <= NAME_MAX_LENGTH;
}

gboolean
_imgimport_key_is_valid (const char *key)
{
  gsize length = 0;

  if (key == NULL || key[0] == '\0' || key[0] == '.')
    return FALSE;
  while (g_ascii_isalnum (key[length]) || key[length] == '.' || key[length] == '_' ||
         key[length] == '-')
    length++;
  return key[length] == '\0' && length <= KEY_MAX_LENGTH;
}

static gboolean
is_lower_xdigit (char c)
{
  return g_ascii_isdigit (c) || (c >= 'a' && c <= 'f');
}

gboolean
_imgimport_uuid_is_valid (const char *uuid)
{
  static const char shape[UUID_LENGTH + 1] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  gsize i;

  if (uuid == NULL)
    return FALSE;
  for (i = 0; i < UUID_LENGTH; i++)
    if (shape[i] == 'x' ? !is_lower_xdigit (uuid[i]) : uuid[i] != shape[i])
      return FALSE;
  return uuid[UUID_LENGTH] == '\0';
}
