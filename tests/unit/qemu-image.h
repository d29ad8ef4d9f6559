/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Disk images that qemu-img makes, and what it says of them. */

#include "shell.h"

typedef struct
{
  const char *name;
  const char *format;    /* as qemu-img calls it */
  const char *arguments; /* of qemu-img create, for a shell, the file "image" among them, which may
                          * be made from or beside "base", 4 MiB of noise and holes */
  const char *failures;  /* the checks that fail */
  gboolean convert;      /* run qemu-img convert instead */
} QemuRow;

static inline void
qemu_make_base (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "base", NULL);
  g_autoptr (GByteArray) base = image_new (4 * 1024 * 1024);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < base->len; i += 4)
    if (i / (256 * 1024) % 3 == 1)
      put_le32 (base, i, (guint32)g_test_rand_int ());
  g_file_set_contents (path, (const char *)base->data, base->len, &error);
  g_assert_no_error (error);
}

/* On a busy machine it may fail to measure how long a key's derivation takes. */
static inline gboolean
qemu_run (const char *dir, const char *command, char **output)
{
  for (guint attempt = 0; attempt < 10; attempt++)
    {
      g_clear_pointer (output, g_free);
      if (shell_try (dir, command, output, NULL))
        return TRUE;
    }
  return FALSE;
}

/* The virtual size; 0 where it refuses the image. */
static inline guint64
qemu_virtual_size (const char *dir, const char *format)
{
  g_autofree char *command = g_strdup_printf ("qemu-img info -f %s --output=json image", format);
  g_autofree char *output = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (GError) error = NULL;

  if (!qemu_run (dir, command, &output))
    return 0;
  node = json_from_string (output, &error);
  g_assert_no_error (error);
  return (guint64)json_object_get_int_member (json_node_get_object (node), "virtual-size");
}

static inline void
qemu_check_image (const char *dir, const QemuRow *row)
{
  g_autoptr (GByteArray) image = shell_read_image (dir);
  guint64 size = qemu_virtual_size (dir, row->format);

  assert_failures (image, row->failures);
  /* Of a disk of several files the inspector tells no size. */
  if (size > 0 && strstr (row->failures, "create_type") == NULL)
    g_assert_cmpuint (virtual_size_of (image), ==, size);
  if (image->len < 1024 * 1024)
    assert_same_however_fed (image);
}

static inline void
qemu_image (gconstpointer data)
{
  const QemuRow *row = data;
  g_autofree char *dir = NULL;
  g_autofree char *command = NULL;
  g_autofree char *output = NULL;

  if (!shell_has ("qemu-img"))
    return;
  dir = shell_make_dir ();
  qemu_make_base (dir);
  command = g_strdup_printf ("qemu-img %s -q %s %s %s", row->convert ? "convert" : "create",
                             row->convert ? "-f raw -O" : "-f", row->format, row->arguments);
  if (qemu_run (dir, command, &output))
    qemu_check_image (dir, row);
  else
    g_test_skip ("this qemu-img does not make such images");
  shell_remove_dir (dir);
}

static inline void
qemu_add_tests (const char *prefix, const QemuRow *rows, guint n_rows)
{
  for (guint i = 0; i < n_rows; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%s", prefix, rows[i].name);

      g_test_add_data_func (path, &rows[i], qemu_image);
    }
}
