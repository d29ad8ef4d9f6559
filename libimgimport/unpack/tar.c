/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * .tar with one member, and OVA: a descriptor first, whose disk is streamed out of the middle.
 * Anything that is no plain file is refused, and names are only compared.
 */

#include "unpack/decoder.h"

#define MANIFEST_SIZE_MAX ((gsize)64 * 1024)
#define BLOCK_SIZE 512

typedef struct
{
  ImgImportSupply *supply;
  ImgImportArchive archive;
  guint max_members;
  GHashTable *names;           /* of members seen */
  ImgImportManifest *manifest; /* NULL: no OVA */
  char *disk;                  /* of an OVA */
  gboolean in_disk;
  gboolean had_disk;
} Tar;

static gpointer
tar_open (ImgImportSupply *supply, ImgImportPacking packing, const ImgImportUnpackLimits *limits)
{
  Tar *self = g_new0 (Tar, 1);

  self->supply = supply;
  self->max_members = limits->max_members;
  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  _imgimport_archive_init (&self->archive, supply, packing);
  return self;
}

static void
tar_close (gpointer state)
{
  Tar *self = state;

  _imgimport_archive_clear (&self->archive);
  g_hash_table_unref (self->names);
  g_clear_pointer (&self->manifest, _imgimport_manifest_free);
  g_free (self->disk);
  g_free (self);
}

static guint64
tar_get_consumed (gpointer state)
{
  return _imgimport_archive_get_position (&((Tar *)state)->archive);
}

static gboolean
fail (GError **error, const char *reason, const char *text)
{
  return _imgimport_unpack_fail (error, IMGIMPORT_PACKING_TAR, reason, "%s", text);
}

/* ---- members --------------------------------------------------------------------------------- */

/* What tar is given as "./disk" it calls so; a descriptor does not. */
static const char *
member_name (struct archive_entry *entry)
{
  const char *name = archive_entry_pathname (entry);

  while (name != NULL && g_str_has_prefix (name, "./"))
    name += 2;
  return name;
}

/* Relative, and nowhere leaving where it begins. */
static gboolean
name_is_plain (const char *name)
{
  g_auto (GStrv) parts = NULL;

  if (name == NULL || name[0] == '\0' || name[0] == '/' || !g_utf8_validate (name, -1, NULL))
    return FALSE;
  parts = g_strsplit (name, "/", -1);
  return !g_strv_contains ((const char *const *)parts, "..");
}

static gboolean
check_member (Tar *self, struct archive_entry *entry, GError **error)
{
  const char *name = member_name (entry);

  if (g_hash_table_size (self->names) == self->max_members)
    return _imgimport_unpack_fail (error, IMGIMPORT_PACKING_TAR, "unpack-members",
                                   "there are more than %u members", self->max_members);
  if (archive_entry_filetype (entry) != AE_IFREG || archive_entry_hardlink (entry) != NULL ||
      archive_entry_symlink (entry) != NULL)
    return fail (error, "unpack-member", "a member is not a plain file");
  if ((archive_entry_perm (entry) & 07000) != 0)
    return fail (error, "unpack-member", "a member is set-uid, set-gid or sticky");
  if (archive_entry_sparse_count (entry) > 0)
    return fail (error, "unpack-member", "a member has holes");
  if (!name_is_plain (name))
    return fail (error, "unpack-member", "a member's name is not that of a file in the archive");
  if (!g_hash_table_add (self->names, g_strdup (name)))
    return fail (error, "unpack-member", "two members have one name");
  return TRUE;
}

/* A small member as text, fed to the manifest where wanted. */
static char *
read_text (Tar *self, gsize max, gsize *length, GError **error)
{
  g_autofree char *text = g_malloc (max + 1);
  gsize n_read = 1;

  *length = 0;
  while (n_read > 0 && *length < max)
    {
      if (!_imgimport_archive_read (&self->archive, text + *length, max - *length, &n_read, error))
        return NULL;
      *length += n_read;
    }
  if (*length == max)
    {
      fail (error, "unpack-member", "the OVA's descriptor or manifest is too long");
      return NULL;
    }
  text[*length] = '\0';
  return g_steal_pointer (&text);
}

static gboolean
read_descriptor (Tar *self, const char *name, GError **error)
{
  gsize length = 0;
  g_autofree char *member = g_strdup (name);
  g_autofree char *text = read_text (self, IMGIMPORT_OVF_SIZE_MAX, &length, error);

  if (text == NULL)
    return FALSE;
  self->manifest = _imgimport_manifest_new ();
  _imgimport_manifest_begin (self->manifest, member);
  _imgimport_manifest_feed (self->manifest, text, length);
  self->disk = _imgimport_ovf_find_disk (text, length, error);
  return self->disk != NULL;
}

static gboolean
read_manifest (Tar *self, GError **error)
{
  gsize length = 0;
  g_autofree char *text = read_text (self, MANIFEST_SIZE_MAX, &length, error);

  return text != NULL && _imgimport_manifest_read (self->manifest, text, length, error);
}

static gboolean
has_suffix (const char *name, const char *suffix)
{
  gsize length = strlen (name), n = strlen (suffix);

  return length >= n && g_ascii_strcasecmp (name + length - n, suffix) == 0;
}

/* The first member decides what the file is. */
static gboolean
visit_member (Tar *self, struct archive_entry *entry, GError **error)
{
  const char *name = member_name (entry);
  gboolean is_first;

  if (!check_member (self, entry, error))
    return FALSE;
  is_first = g_hash_table_size (self->names) == 1;
  if (is_first && has_suffix (name, ".ovf"))
    return read_descriptor (self, name, error);
  if (!is_first && self->manifest == NULL)
    return fail (error, "unpack-members", "there is more than one member, and it is no OVA");
  if (self->manifest != NULL && has_suffix (name, ".mf"))
    return read_manifest (self, error);
  if (!is_first && !g_str_equal (name, self->disk))
    return TRUE;
  self->in_disk = TRUE;
  self->had_disk = TRUE;
  if (self->manifest != NULL)
    _imgimport_manifest_begin (self->manifest, name);
  return TRUE;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Reads what is left, which are zeros. */
static gboolean
read_padding (Tar *self, GError **error)
{
  for (;;)
    {
      const guint8 *data;
      gsize left = 0, i;

      if (!_imgimport_supply_fill (self->supply, 1, error))
        return FALSE;
      data = _imgimport_supply_peek (self->supply, &left);
      if (left == 0)
        return TRUE;
      for (i = 0; i < left && data[i] == 0; i++)
        ;
      _imgimport_supply_take (self->supply, i);
      /* What is not zero is found by the unpacker. */
      if (i < left)
        return TRUE;
    }
}

/* libarchive takes a file that breaks off between two members for a whole one; whether the zero
 * block of the end was there is told by how far it read. */
static gboolean
end (Tar *self, guint64 before, GError **error)
{
  if (_imgimport_archive_get_position (&self->archive) - before < BLOCK_SIZE)
    return _imgimport_unpack_fail_truncated (error, IMGIMPORT_PACKING_TAR);
  if (!self->had_disk)
    return fail (error, "unpack-member", "the disk of the OVA is not in it");
  return (self->manifest == NULL || _imgimport_manifest_check (self->manifest, error)) &&
         _imgimport_archive_finish (&self->archive, error) && read_padding (self, error);
}

/* To the end of the member that is no disk, so that positions can be compared. */
static gboolean
skip_member (Tar *self, GError **error)
{
  guint8 discarded[4096];
  gsize n_read = 1;

  while (n_read > 0)
    if (!_imgimport_archive_read (&self->archive, discarded, sizeof discarded, &n_read, error))
      return FALSE;
  return TRUE;
}

/* Goes on to the disk, or to the end: `*at_end`. */
static gboolean
advance (Tar *self, gboolean *at_end, GError **error)
{
  struct archive_entry *entry = NULL;
  guint64 before = 0;

  *at_end = FALSE;
  while (!self->in_disk)
    {
      if (self->archive.archive != NULL)
        before = _imgimport_archive_get_position (&self->archive);
      if (!_imgimport_archive_next (&self->archive, &entry, error))
        return FALSE;
      *at_end = entry == NULL;
      if (*at_end)
        return end (self, before, error);
      if (!visit_member (self, entry, error) || (!self->in_disk && !skip_member (self, error)))
        return FALSE;
    }
  return TRUE;
}

static gboolean
tar_read (gpointer state, void *buffer, gsize length, gsize *n_read, GError **error)
{
  Tar *self = state;
  gboolean at_end = FALSE;

  *n_read = 0;
  while (*n_read == 0)
    {
      if (!advance (self, &at_end, error))
        return FALSE;
      if (at_end)
        return TRUE;
      if (!_imgimport_archive_read (&self->archive, buffer, length, n_read, error))
        return FALSE;
      self->in_disk = *n_read > 0;
    }
  if (self->manifest != NULL)
    _imgimport_manifest_feed (self->manifest, buffer, *n_read);
  return TRUE;
}

const ImgImportDecoder _imgimport_decoder_tar = { tar_open, tar_read, tar_get_consumed, tar_close };
