/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * .zip with one member, read from its begin to its end: libarchive decodes the member and checks
 * its CRC and size; the directory behind it must speak of this member and no other.
 */

#include "unpack/decoder.h"

#define LOCAL_SIZE 30
#define CENTRAL_SIZE 46
#define END_SIZE 22
#define END64_SIZE 56
#define LOCATOR64_SIZE 20

#define FLAG_ENCRYPTED 0x0001
#define FLAG_DESCRIPTOR 0x0008
#define FLAG_STRONG 0x2040 /* encryption, of the data or the directory */

#define MADE_BY_UNIX 3
#define MODE_TYPE 0170000
#define MODE_FILE 0100000
#define MODE_SPECIAL 07000

typedef struct
{
  ImgImportSupply *supply;
  ImgImportArchive archive;
  guint16 flags;
  guint16 method;
  guint64 data_begin; /* in the supply */
  guint64 size;       /* bytes that came out */
  gboolean begun;
} Zip;

static gpointer
zip_open (ImgImportSupply *supply, ImgImportPacking packing, const ImgImportUnpackLimits *limits)
{
  Zip *self = g_new0 (Zip, 1);

  self->supply = supply;
  _imgimport_archive_init (&self->archive, supply, packing);
  return self;
}

static void
zip_close (gpointer state)
{
  Zip *self = state;

  _imgimport_archive_clear (&self->archive);
  g_free (self);
}

static guint64
zip_get_consumed (gpointer state)
{
  return _imgimport_archive_get_position (&((Zip *)state)->archive);
}

static guint16
le16 (const guint8 *data)
{
  return (guint16)(data[0] | data[1] << 8);
}

static guint32
le32 (const guint8 *data)
{
  return le16 (data) | (guint32)le16 (data + 2) << 16;
}

static guint64
le64 (const guint8 *data)
{
  return le32 (data) | (guint64)le32 (data + 4) << 32;
}

static gboolean
fail (GError **error, const char *reason, const char *text)
{
  return _imgimport_unpack_fail (error, IMGIMPORT_PACKING_ZIP, reason, "%s", text);
}

/* A record of the directory, whole but for what it is told to skip; NULL where there is none. */
static const guint8 *
peek_record (Zip *self, gsize size, GError **error)
{
  const guint8 *data;
  gsize left = 0;

  if (!_imgimport_supply_fill (self->supply, size, error))
    return NULL;
  data = _imgimport_supply_peek (self->supply, &left);
  if (left >= size)
    return data;
  _imgimport_unpack_fail_truncated (error, IMGIMPORT_PACKING_ZIP);
  return NULL;
}

static gboolean
skip_record (Zip *self, guint64 size, GError **error)
{
  GError *cause = NULL;

  if (_imgimport_supply_skip (self->supply, size, &cause))
    return TRUE;
  if (cause == NULL)
    return _imgimport_unpack_fail_truncated (error, IMGIMPORT_PACKING_ZIP);
  g_propagate_error (error, cause);
  return FALSE;
}

static gboolean
check_local (Zip *self, GError **error)
{
  const guint8 *data = peek_record (self, LOCAL_SIZE, error);

  if (data == NULL)
    return FALSE;
  self->flags = le16 (data + 6);
  self->method = le16 (data + 8);
  self->data_begin = (guint64)LOCAL_SIZE + le16 (data + 26) + le16 (data + 28);
  if ((self->flags & (FLAG_ENCRYPTED | FLAG_STRONG)) != 0)
    return fail (error, "unpack-encrypted", "the member is encrypted");
  if (self->method != 0 && self->method != 8)
    return fail (error, "unpack-unsupported", "the member is neither stored nor deflated");
  /* Then its length is nowhere but in what would have to be searched for. */
  if (self->method == 0 && (self->flags & FLAG_DESCRIPTOR) != 0)
    return fail (error, "unpack-unsupported", "the member is stored with its length behind it");
  return TRUE;
}

static gboolean
begin_member (Zip *self, GError **error)
{
  struct archive_entry *entry = NULL;

  if (!check_local (self, error) || !_imgimport_archive_next (&self->archive, &entry, error))
    return FALSE;
  if (entry == NULL || archive_entry_filetype (entry) != AE_IFREG)
    return fail (error, "unpack-member", "the member is not a file");
  self->begun = TRUE;
  return TRUE;
}

/* ---- behind the member ----------------------------------------------------------------------- */

/* Sums and sizes, which libarchive has compared; with or without a sign, of 32 or 64 bits. What
 * follows tells which. */
static gboolean
skip_descriptor (Zip *self, GError **error)
{
  static const gsize sizes[] = { 12, 16, 20, 24 };
  const guint8 *data;
  gsize left = 0, i;

  if (!_imgimport_supply_fill (self->supply, 28, error))
    return FALSE;
  data = _imgimport_supply_peek (self->supply, &left);
  for (i = 0; i < G_N_ELEMENTS (sizes); i++)
    if (left >= sizes[i] + 4 &&
        (memcmp (data + sizes[i], "PK\1\2", 4) == 0 || memcmp (data + sizes[i], "PK\3\4", 4) == 0))
      return skip_record (self, sizes[i], error);
  return left < 28 ? _imgimport_unpack_fail_truncated (error, IMGIMPORT_PACKING_ZIP)
                   : fail (error, "unpack-corrupt", "there is no directory behind the member");
}

/* libarchive stands where the compressed data end, or before the last of those that are stored. It
 * is not asked for a next member: it would look for one anywhere further on. */
static gboolean
end_member (Zip *self, GError **error)
{
  if (!_imgimport_archive_finish (&self->archive, error))
    return FALSE;
  if (self->method == 0)
    return skip_record (self, self->data_begin + self->size - self->supply->taken, error);
  return (self->flags & FLAG_DESCRIPTOR) == 0 || skip_descriptor (self, error);
}

/* What kind of file a member is says only the directory, in the attributes of the system it is
 * from; no type is a plain file too. */
static gboolean
is_plain_file (const guint8 *central)
{
  const guint mode = le16 (central + 40);

  return central[5] != MADE_BY_UNIX ||
         (((mode & MODE_TYPE) == 0 || (mode & MODE_TYPE) == MODE_FILE) &&
          (mode & MODE_SPECIAL) == 0);
}

static gboolean
read_central (Zip *self, GError **error)
{
  const guint8 *data = peek_record (self, 4, error);
  guint64 more;

  if (data == NULL)
    return FALSE;
  if (memcmp (data, "PK\3\4", 4) == 0)
    return fail (error, "unpack-members", "there is more than one member");
  if (memcmp (data, "PK\1\2", 4) != 0)
    return fail (error, "unpack-corrupt", "there is no directory behind the member");
  data = peek_record (self, CENTRAL_SIZE, error);
  if (data == NULL)
    return FALSE;
  if (le16 (data + 10) != self->method ||
      (le32 (data + 24) != G_MAXUINT32 && le32 (data + 24) != self->size) ||
      (le32 (data + 42) != G_MAXUINT32 && le32 (data + 42) != 0))
    return fail (error, "unpack-corrupt", "the directory speaks of another member");
  if (!is_plain_file (data))
    return fail (error, "unpack-member", "the member is not a plain file");
  more = (guint64)le16 (data + 28) + le16 (data + 30) + le16 (data + 32);
  return skip_record (self, CENTRAL_SIZE + more, error);
}

/* Those of zip64, where there are any. */
static gboolean
read_end64 (Zip *self, GError **error)
{
  const guint8 *data = peek_record (self, 4, error);

  if (data == NULL)
    return FALSE;
  if (memcmp (data, "PK\6\6", 4) != 0)
    return TRUE;
  data = peek_record (self, END64_SIZE, error);
  if (data == NULL)
    return FALSE;
  if (le64 (data + 32) != 1)
    return fail (error, "unpack-members", "the directory has more than one member");
  if (le64 (data + 4) != END64_SIZE - 12)
    return fail (error, "unpack-corrupt", "the end of the directory is damaged");
  if (!skip_record (self, END64_SIZE, error))
    return FALSE;
  data = peek_record (self, LOCATOR64_SIZE, error);
  if (data == NULL)
    return FALSE;
  if (memcmp (data, "PK\6\7", 4) != 0)
    return fail (error, "unpack-corrupt", "the end of the directory is damaged");
  return skip_record (self, LOCATOR64_SIZE, error);
}

static gboolean
read_end (Zip *self, GError **error)
{
  const guint8 *data = peek_record (self, 4, error);

  if (data == NULL)
    return FALSE;
  if (memcmp (data, "PK\1\2", 4) == 0)
    return fail (error, "unpack-members", "the directory has more than one member");
  data = peek_record (self, END_SIZE, error);
  if (data == NULL)
    return FALSE;
  if (memcmp (data, "PK\5\6", 4) != 0)
    return fail (error, "unpack-corrupt", "the end of the directory is damaged");
  if (le16 (data + 10) != 1 && le16 (data + 10) != G_MAXUINT16)
    return fail (error, "unpack-members", "the directory has not one member");
  return skip_record (self, END_SIZE + (guint64)le16 (data + 20), error);
}

static gboolean
zip_read (gpointer state, void *buffer, gsize length, gsize *n_read, GError **error)
{
  Zip *self = state;

  *n_read = 0;
  if ((!self->begun && !begin_member (self, error)) ||
      !_imgimport_archive_read (&self->archive, buffer, length, n_read, error))
    return FALSE;
  self->size += *n_read;
  return *n_read > 0 || (end_member (self, error) && read_central (self, error) &&
                         read_end64 (self, error) && read_end (self, error));
}

const ImgImportDecoder _imgimport_decoder_zip = { zip_open, zip_read, zip_get_consumed, zip_close };
