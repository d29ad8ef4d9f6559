/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An OVA's manifest. It comes before the disk or behind it, so digests may have to be made before
 * it is known which one is asked for. */

#include "unpack/decoder.h"

static const struct
{
  const char *word;
  GChecksumType type;
} algorithms[] = {
  { "SHA1", G_CHECKSUM_SHA1 },
  { "SHA256", G_CHECKSUM_SHA256 },
  { "SHA512", G_CHECKSUM_SHA512 },
};

typedef struct
{
  char *name;
  GChecksum *checksums[G_N_ELEMENTS (algorithms)];
} Member;

struct _ImgImportManifest
{
  gboolean known;      /* there is one */
  GHashTable *digests; /* "SHA256(name)" → lower-case hexadecimal; "" where lines contradict */
  GPtrArray *members;  /* of Member */
};

static void
member_free (gpointer data)
{
  Member *self = data;
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (algorithms); i++)
    g_clear_pointer (&self->checksums[i], g_checksum_free);
  g_free (self->name);
  g_free (self);
}

ImgImportManifest *
_imgimport_manifest_new (void)
{
  ImgImportManifest *self = g_new0 (ImgImportManifest, 1);

  self->digests = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->members = g_ptr_array_new_with_free_func (member_free);
  return self;
}

void
_imgimport_manifest_free (ImgImportManifest *self)
{
  g_hash_table_unref (self->digests);
  g_ptr_array_unref (self->members);
  g_free (self);
}

static gboolean
fail (GError **error, const char *reason, const char *text)
{
  return _imgimport_unpack_fail (error, IMGIMPORT_PACKING_TAR, reason, "%s", text);
}

static char *
entry_of (gsize algorithm, const char *name)
{
  return g_strdup_printf ("%s(%s)", algorithms[algorithm].word, name);
}

void
_imgimport_manifest_begin (ImgImportManifest *self, const char *name)
{
  Member *member = g_new0 (Member, 1);
  gsize i;

  member->name = g_strdup (name);
  for (i = 0; i < G_N_ELEMENTS (algorithms); i++)
    {
      g_autofree char *entry = entry_of (i, name);

      if (!self->known || g_hash_table_contains (self->digests, entry))
        member->checksums[i] = g_checksum_new (algorithms[i].type);
    }
  g_ptr_array_add (self->members, member);
}

void
_imgimport_manifest_feed (ImgImportManifest *self, const void *data, gsize length)
{
  Member *member = self->members->pdata[self->members->len - 1];
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (algorithms); i++)
    if (member->checksums[i] != NULL)
      g_checksum_update (member->checksums[i], data, (gssize)length);
}

/* "SHA256(name)= digest", where programs put spaces before the parenthesis and around the sign. A
 * line that says nothing that can be checked is refused: it may be what is left of one. */
static gboolean
read_line (ImgImportManifest *self, char *line, GError **error)
{
  char *name = strchr (line, '(');
  char *sign = strrchr (line, '=');
  gsize algorithm = 0;
  char *entry;
  char *digest;
  const char *other;

  if (name == NULL || sign == NULL || sign < name)
    return fail (error, "unpack-corrupt", "the OVA's manifest has a line that is no digest");
  *name++ = '\0';
  *sign++ = '\0';
  if (!g_str_has_suffix (g_strchomp (name), ")"))
    return fail (error, "unpack-corrupt", "the OVA's manifest has a line that is no digest");
  name[strlen (name) - 1] = '\0';
  g_strstrip (line);
  while (algorithm < G_N_ELEMENTS (algorithms) &&
         g_ascii_strcasecmp (line, algorithms[algorithm].word) != 0)
    algorithm++;
  if (algorithm == G_N_ELEMENTS (algorithms))
    return fail (error, "unpack-unsupported", "the OVA's manifest has digests of an unknown kind");
  entry = entry_of (algorithm, name);
  digest = g_ascii_strdown (g_strstrip (sign), -1);
  other = g_hash_table_lookup (self->digests, entry);
  if (other != NULL && !g_str_equal (other, digest))
    *digest = '\0';
  g_hash_table_insert (self->digests, entry, digest);
  return TRUE;
}

gboolean
_imgimport_manifest_read (ImgImportManifest *self, const char *text, gsize length, GError **error)
{
  g_auto (GStrv) lines = g_strsplit_set (text, "\r\n", -1);
  gsize i;

  /* By the first it was decided which digests are made. */
  if (self->known)
    return fail (error, "unpack-member", "the OVA has more than one manifest");
  self->known = TRUE;
  if (strlen (text) != length)
    return fail (error, "unpack-corrupt", "the OVA's manifest is no text");
  for (i = 0; lines[i] != NULL; i++)
    if (*g_strstrip (lines[i]) != '\0' && !read_line (self, lines[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
check_member (ImgImportManifest *self, Member *member, GError **error)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (algorithms); i++)
    {
      g_autofree char *entry = entry_of (i, member->name);
      const char *told = g_hash_table_lookup (self->digests, entry);

      if (told != NULL && member->checksums[i] != NULL &&
          !g_str_equal (told, g_checksum_get_string (member->checksums[i])))
        return fail (error, "unpack-digest",
                     "a file of the OVA is not the one that its manifest tells");
    }
  return TRUE;
}

gboolean
_imgimport_manifest_check (ImgImportManifest *self, GError **error)
{
  guint i;

  for (i = 0; i < self->members->len; i++)
    if (!check_member (self, self->members->pdata[i], error))
      return FALSE;
  return TRUE;
}
