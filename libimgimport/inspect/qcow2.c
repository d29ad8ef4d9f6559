/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

#define MIN_SIZE 512u /* the least file that is taken for more than a torn header */
#define V2_HEADER_LENGTH 72u
#define V3_HEADER_LENGTH 104u
#define MIN_CLUSTER_BITS 9u
#define MAX_CLUSTER_BITS 21u
#define MAX_L1_ENTRIES (32u * 1024 * 1024 / 8)
#define MAX_CRYPT_METHOD 2u /* 0 none, 1 AES, 2 LUKS */
#define FEATURE_DATA_FILE G_GUINT64_CONSTANT (0x4)
#define KNOWN_FEATURES G_GUINT64_CONSTANT (0xf) /* dirty, corrupt, data file, compression type */
#define EXTENSION_END 0u
#define EXTENSION_DATA_FILE 0x44415441u

static const char *const checks[] = { "truncated",  "backing_file", "data_file", "unknown_features",
                                      "encryption", "header",       NULL };

typedef struct
{
  const ImgImportRange *head;
  guint32 version;
  guint32 cluster_bits;
  guint32 crypt_method;
  guint32 l1_size;
  guint64 backing_offset;
  guint64 size;
  guint64 features; /* incompatible ones; none before version 3 */
  guint64 extensions_offset;
} Header;

static void
header_read (Header *self, const ImgImportRange *head)
{
  *self = (Header){
    .head = head,
    .version = _imgimport_range_be32 (head, 4),
    .backing_offset = _imgimport_range_be64 (head, 8),
    .cluster_bits = _imgimport_range_be32 (head, 20),
    .size = _imgimport_range_be64 (head, 24),
    .crypt_method = _imgimport_range_be32 (head, 32),
    .l1_size = _imgimport_range_be32 (head, 36),
    .extensions_offset = V2_HEADER_LENGTH,
  };
  /* What follows in version 2 is header extensions: their bytes are no feature bits. */
  if (self->version >= 3)
    {
      self->features = _imgimport_range_be64 (head, 72);
      self->extensions_offset = _imgimport_range_be32 (head, 100);
    }
}

static gboolean
header_has_layout (const Header *self)
{
  return (self->version == 2 || self->version == 3) && self->cluster_bits >= MIN_CLUSTER_BITS &&
         self->cluster_bits <= MAX_CLUSTER_BITS;
}

/* Walks the header extensions, which end by a mark or with the first cluster; FALSE where they run
 * out of it or of what was captured. */
static gboolean
header_walk_extensions (const Header *self, gboolean *data_file)
{
  gsize end = MIN ((gsize)1 << self->cluster_bits, self->head->length);
  gsize at;

  if (self->extensions_offset > end)
    return FALSE;
  at = (gsize)self->extensions_offset;
  while (end - at >= 8)
    {
      guint32 type = _imgimport_range_be32 (self->head, at);
      guint64 padded = ((guint64)_imgimport_range_be32 (self->head, at + 4) + 7) & ~(guint64)7;

      if (type == EXTENSION_END)
        return TRUE;
      if (type == EXTENSION_DATA_FILE)
        *data_file = TRUE;
      at += 8;
      if (padded > end - at)
        return FALSE;
      at += (gsize)padded;
    }
  return at == end;
}

static char *
data_file_fault (const Header *self)
{
  gboolean named = FALSE;

  if ((self->features & FEATURE_DATA_FILE) != 0)
    return g_strdup ("the data lies in an external file");
  if (header_has_layout (self))
    header_walk_extensions (self, &named);
  return named ? g_strdup ("a header extension names an external data file") : NULL;
}

static char *
features_fault (const Header *self)
{
  if (self->version != 2 && self->version != 3)
    return g_strdup_printf ("version %u is none of 2 and 3", self->version);
  if ((self->features & ~KNOWN_FEATURES) != 0)
    return g_strdup_printf ("unknown incompatible features 0x%" G_GINT64_MODIFIER "x",
                            self->features & ~KNOWN_FEATURES);
  return NULL;
}

/* What no program that writes the format would write. An unknown version, whose header may mean
 * anything, has failed already. */
static char *
header_fault (const Header *self)
{
  gboolean unused = FALSE;

  if (self->version != 2 && self->version != 3)
    return NULL;
  if (!header_has_layout (self))
    return g_strdup_printf ("cluster_bits is %u, not %u to %u", self->cluster_bits,
                            MIN_CLUSTER_BITS, MAX_CLUSTER_BITS);
  if (self->size == 0 || self->size > G_MAXINT64 || self->size % 512 != 0)
    return g_strdup_printf ("a disk of %" G_GUINT64_FORMAT
                            " bytes is empty, beyond 2^63-1 or no multiple of 512",
                            self->size);
  if (self->l1_size > MAX_L1_ENTRIES)
    return g_strdup_printf ("an L1 table of %u entries is beyond %u", self->l1_size,
                            MAX_L1_ENTRIES);
  if (self->version == 3 &&
      (self->extensions_offset < V3_HEADER_LENGTH || self->extensions_offset % 8 != 0))
    return g_strdup_printf ("header_length is %" G_GUINT64_FORMAT, self->extensions_offset);
  if (!header_walk_extensions (self, &unused))
    return g_strdup ("the header extensions leave the header's cluster, the file, or the first "
                     "64 KiB");
  return NULL;
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  static const guint8 magic[4] = { 'Q', 'F', 'I', 0xfb };
  const ImgImportRange *head = &view->head;
  Header header;

  if (head->length < sizeof magic || memcmp (head->data, magic, sizeof magic) != 0)
    return FALSE;
  /* A file that says what it is but is too short to be looked into must not pass as raw. */
  if (head->length < MIN_SIZE)
    {
      _imgimport_match_add_check (
          match, "truncated",
          g_strdup_printf ("the file ends after %u bytes", (guint)head->length));
      return TRUE;
    }

  header_read (&header, head);
  if (header.size <= G_MAXINT64)
    match->virtual_size = header.size;
  _imgimport_match_add_check (match, "truncated", NULL);
  _imgimport_match_add_check (match, "backing_file",
                              header.backing_offset != 0 ? g_strdup ("it has a backing file")
                                                         : NULL);
  _imgimport_match_add_check (match, "data_file", data_file_fault (&header));
  _imgimport_match_add_check (match, "unknown_features", features_fault (&header));
  _imgimport_match_add_check (match, "encryption",
                              header.crypt_method > MAX_CRYPT_METHOD
                                  ? g_strdup_printf ("unknown method %u", header.crypt_method)
                                  : NULL);
  _imgimport_match_add_check (match, "header", header_fault (&header));
  return TRUE;
}

const ImgImportFormat _imgimport_format_qcow2 = {
  .name = "qcow2",
  .checks = checks,
  .match = match,
};
