/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The descriptor of an OVA, of which one thing is wanted: the name of the disk. */

#include "unpack/decoder.h"

/* DMTF DSP0243: <References><File id href compression>, <DiskSection><Disk fileRef>. */
#define MAX_ELEMENTS 10000

typedef struct
{
  guint n_elements;
  GHashTable *files; /* id → href; "" for one that is compressed */
  GPtrArray *disks;  /* of fileRef */
} Descriptor;

static const char *
local_name (const char *name)
{
  const char *colon = strchr (name, ':');

  return colon != NULL ? colon + 1 : name;
}

static const char *
find_attribute (const char **names, const char **values, const char *wanted)
{
  gsize i;

  for (i = 0; names[i] != NULL; i++)
    if (g_str_equal (local_name (names[i]), wanted))
      return values[i];
  return NULL;
}

static void
refuse (GError **error, const char *text)
{
  g_set_error_literal (error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, text);
}

static void
add_file (Descriptor *self, const char **names, const char **values, GError **error)
{
  const char *id = find_attribute (names, values, "id");
  const char *href = find_attribute (names, values, "href");
  const char *compression = find_attribute (names, values, "compression");

  if (id == NULL || href == NULL || href[0] == '\0')
    refuse (error, "a file has no id or no href");
  else if (g_hash_table_contains (self->files, id))
    refuse (error, "two files have one id");
  else if (compression != NULL && compression[0] != '\0' && !g_str_equal (compression, "identity"))
    g_hash_table_insert (self->files, g_strdup (id), g_strdup (""));
  else
    g_hash_table_insert (self->files, g_strdup (id), g_strdup (href));
}

static void
on_start (GMarkupParseContext *context, const char *name, const char **names, const char **values,
          gpointer user_data, GError **error)
{
  Descriptor *self = user_data;

  if (++self->n_elements > MAX_ELEMENTS)
    refuse (error, "there are too many elements");
  else if (g_str_equal (local_name (name), "File"))
    add_file (self, names, values, error);
  else if (g_str_equal (local_name (name), "Disk") &&
           find_attribute (names, values, "fileRef") != NULL)
    g_ptr_array_add (self->disks, g_strdup (find_attribute (names, values, "fileRef")));
}

static void
on_passthrough (GMarkupParseContext *context, const char *text, gsize length, gpointer user_data,
                GError **error)
{
  if (length >= 3 && text[0] == '<' && text[1] == '!' && text[2] != '-')
    refuse (error, "there is a document type declaration");
}

static char *
choose_disk (Descriptor *self, GError **error)
{
  const char *href = NULL;

  if (self->disks->len != 1)
    {
      _imgimport_unpack_fail (error, IMGIMPORT_PACKING_TAR, "unpack-members",
                              "the OVF descriptor speaks of %u disks with data: an image is one",
                              self->disks->len);
      return NULL;
    }
  href = g_hash_table_lookup (self->files, self->disks->pdata[0]);
  if (href == NULL)
    _imgimport_unpack_fail (error, IMGIMPORT_PACKING_TAR, "unpack-member",
                            "the OVF descriptor's disk has no file");
  else if (href[0] == '\0')
    _imgimport_unpack_fail (error, IMGIMPORT_PACKING_TAR, "unpack-nested",
                            "the disk in the OVA is compressed again");
  return href != NULL && href[0] != '\0' ? g_strdup (href) : NULL;
}

char *
_imgimport_ovf_find_disk (const char *text, gsize length, GError **error)
{
  static const GMarkupParser parser = { .start_element = on_start, .passthrough = on_passthrough };
  g_autoptr (GHashTable) files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GPtrArray) disks = g_ptr_array_new_with_free_func (g_free);
  Descriptor descriptor = { 0, files, disks };
  g_autoptr (GMarkupParseContext) context =
      g_markup_parse_context_new (&parser, (GMarkupParseFlags)0, &descriptor, NULL);
  g_autoptr (GError) cause = NULL;

  if (g_markup_parse_context_parse (context, text, (gssize)length, &cause) &&
      g_markup_parse_context_end_parse (context, &cause))
    return choose_disk (&descriptor, error);
  _imgimport_unpack_fail (error, IMGIMPORT_PACKING_TAR, "unpack-corrupt", "the OVF descriptor: %s",
                          cause->message);
  return NULL;
}
