/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

const char *
imgimport_version (void)
{
  return IMGIMPORT_VERSION_S;
}

gpointer
imgimport_ref (gpointer object)
{
  g_return_val_if_fail (G_IS_OBJECT (object), NULL);

  return g_object_ref (object);
}

void
imgimport_unref (gpointer object)
{
  if (object == NULL)
    return;
  g_return_if_fail (G_IS_OBJECT (object));
  g_object_unref (object);
}

void
imgimport_free (gpointer memory)
{
  g_free (memory);
}

char *
imgimport_strdup (const char *text)
{
  return g_strdup (text);
}

void
imgimport_strv_free (char **strings)
{
  g_strfreev (strings);
}
