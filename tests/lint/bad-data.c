/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writable static data, which lint.py has to find, beside what it has to let pass. */
#include <glib-object.h>

int bad_data (int value);
GType bad_data_get_type (void);
const char *bad_data_name (guint index);

int common;
static const char *const names[] = { "constant", "and relocated" };

G_DEFINE_ENUM_TYPE (BadData, bad_data, G_DEFINE_ENUM_VALUE (1, "one"))

int
bad_data (int value)
{
  static int counter;
  static int table[] = { 1, 2, 3 };
  static _Thread_local int thread_counter = 1;

  table[value % 3] += value;
  return common += counter++ + thread_counter++ + table[0];
}

const char *
bad_data_name (guint index)
{
  return names[index % G_N_ELEMENTS (names)];
}
