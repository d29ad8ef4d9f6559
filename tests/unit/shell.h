/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Images that programs of the machine make. */

#include "inspect-feed.h"

#include <glib/gstdio.h>

/* Whether `script` ends well; what it writes goes to `output` and `errors`, which may be NULL. */
static inline gboolean
shell_try (const char *dir, const char *script, char **output, char **errors)
{
  const char *const argv[] = { "sh", "-e", "-c", script, NULL };
  const GSpawnFlags drop = (output == NULL ? G_SPAWN_STDOUT_TO_DEV_NULL : 0) |
                           (errors == NULL ? G_SPAWN_STDERR_TO_DEV_NULL : 0);
  g_auto (GStrv) environment = g_get_environ ();
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  int status = -1;

  path = g_strconcat (g_environ_getenv (environment, "PATH"), ":/usr/sbin:/sbin", NULL);
  environment = g_environ_setenv (environment, "PATH", path, TRUE);
  g_spawn_sync (dir, (char **)argv, environment, G_SPAWN_SEARCH_PATH_FROM_ENVP | drop, NULL, NULL,
                output, errors, &status, &error);
  g_assert_no_error (error);
  return status == 0;
}

static inline void
shell_run (const char *dir, const char *script)
{
  g_autofree char *errors = NULL;

  if (!shell_try (dir, script, NULL, &errors))
    g_error ("“%s” failed: %s", script, errors);
}

static inline char *
shell_make_dir (void)
{
  g_autoptr (GError) error = NULL;
  char *dir = g_dir_make_tmp ("imgimport-image-XXXXXX", &error);

  g_assert_no_error (error);
  return dir;
}

static inline void
shell_remove_dir (const char *dir)
{
  shell_run (dir, "rm -rf -- *");
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

static inline GByteArray *
shell_read_image (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "image", NULL);
  g_autoptr (GError) error = NULL;
  char *content = NULL;
  gsize length = 0;

  g_file_get_contents (path, &content, &length, &error);
  g_assert_no_error (error);
  return g_byte_array_new_take ((guint8 *)content, length);
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
  GByteArray *image;

  if (!shell_has (program))
    return NULL;
  dir = shell_make_dir ();
  shell_run (dir, script);
  image = shell_read_image (dir);
  shell_remove_dir (dir);
  return image;
}
