/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images that programs of the machine make. */

#include "inspect-feed.h"

#include <glib/gstdio.h>

static inline void
shell_run (const char *dir, const char *script)
{
  const char *const argv[] = { "sh", "-e", "-c", script, NULL };
  g_auto (GStrv) environment = g_get_environ ();
  g_autofree char *path = NULL;
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  int status = -1;

  path = g_strconcat (g_environ_getenv (environment, "PATH"), ":/usr/sbin:/sbin", NULL);
  environment = g_environ_setenv (environment, "PATH", path, TRUE);
  g_spawn_sync (dir, (char **)argv, environment,
                G_SPAWN_SEARCH_PATH_FROM_ENVP | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                &output, &status, &error);
  g_assert_no_error (error);
  if (status != 0)
    g_error ("“%s” failed: %s", script, output);
}

/* Whether `program` is there; else the test is skipped. */
static inline gboolean
shell_has (const char *program)
{
  static const char *const folders[] = { "/usr/sbin", "/sbin" };
  g_autofree char *found = g_find_program_in_path (program);
  g_autofree char *why = g_strdup_printf ("%s is not installed", program);

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *path = g_build_filename (folders[i], program, NULL);

      if (found == NULL && g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
        return TRUE;
    }
  if (found == NULL)
    g_test_skip (why);
  return found != NULL;
}

/* The file "image" that `script` makes in an empty folder, by `program`; NULL: without that, the
 * test is skipped. */
static inline GByteArray *
shell_image (const char *program, const char *script)
{
  g_autofree char *dir = NULL;
  g_autofree char *path = NULL;
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;
  gsize length = 0;

  if (!shell_has (program))
    return NULL;
  dir = g_dir_make_tmp ("imgimport-image-XXXXXX", &error);
  g_assert_no_error (error);
  shell_run (dir, script);
  path = g_build_filename (dir, "image", NULL);
  g_file_get_contents (path, &content, &length, &error);
  g_assert_no_error (error);
  shell_run (dir, "rm -rf -- *");
  g_assert_cmpint (g_rmdir (dir), ==, 0);
  return g_byte_array_new_take ((guint8 *)g_steal_pointer (&content), length);
}
