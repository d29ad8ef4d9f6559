/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "deny-syscall.h"
#include "flow-fixture.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A journal in files, and a look at these. */

typedef struct
{
  char *directory;
  gpointer journal;
} Files;

#define TABLE _imgimport_journal_file_vtable

static inline void
open_files (Files *files)
{
  g_autoptr (GError) error = NULL;

  files->journal = _imgimport_journal_file_new (files->directory, &error);
  g_assert_no_error (error);
}

static inline void
set_up (Files *files, gconstpointer unused)
{
  files->directory = g_dir_make_tmp ("imgimport-files-XXXXXX", NULL);
  open_files (files);
}

/* The path of the n-th segment, NULL for none. */
static inline char *
segment_path (Files *files, guint n)
{
  g_autoptr (GDir) dir = g_dir_open (files->directory, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".journal") && n-- == 0)
      return g_build_filename (files->directory, name, NULL);
  return NULL;
}

static inline guint
count_segments (Files *files)
{
  guint n = 0;

  for (;;)
    {
      g_autofree char *path = segment_path (files, n);

      if (path == NULL)
        return n;
      n++;
    }
}

static inline void
tear_down (Files *files, gconstpointer unused)
{
  g_autofree char *claims = g_build_filename (files->directory, "claims", NULL);
  char *path;

  if (files->journal != NULL)
    _imgimport_journal_file_free (files->journal);
  while ((path = segment_path (files, 0)) != NULL)
    {
      g_assert_cmpint (g_unlink (path), ==, 0);
      g_free (path);
    }
  g_assert_cmpint (g_unlink (claims), ==, 0);
  g_assert_cmpint (g_rmdir (files->directory), ==, 0);
  g_free (files->directory);
}

static inline void
append (Files *files, const char *run, const char *text, gboolean durable)
{
  g_autoptr (GError) error = NULL;

  TABLE.append (files->journal, run, text, strlen (text), durable, &error);
  g_assert_no_error (error);
}

static inline gboolean
add_text (const void *data, gsize length, gpointer text)
{
  g_string_append_c (text, '|');
  g_string_append_len (text, data, (gssize)length);
  return TRUE;
}

static inline GString *
load (Files *files, const char *run)
{
  g_autoptr (GError) error = NULL;
  GString *text = g_string_new (NULL);

  TABLE.load (files->journal, run, add_text, text, &error);
  g_assert_no_error (error);
  return text;
}

static inline void
assert_records (Files *files, const char *run, const char *expected)
{
  GString *text = load (files, run);

  g_assert_cmpstr (text->str, ==, expected);
  g_string_free (text, TRUE);
}
