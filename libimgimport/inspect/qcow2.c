/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* The header as in QEMU's docs/interop/qcow2, big-endian. Version 1, which is refused, has the name
 * of a backing file and the size of the disk at the same places. */

#define MIN_SIZE 512u /* the least file that is taken for more than a torn header */
#define V2_HEADER_LENGTH 72u
#define V3_HEADER_LENGTH 104u
#define COMPRESSION_HEADER_LENGTH 112u
#define MIN_CLUSTER_BITS 9u
#define MAX_CLUSTER_BITS 21u
#define MAX_L1_ENTRIES (32u * 1024 * 1024 / 8)
#define MAX_REFCOUNT_TABLE_SIZE (G_GUINT64_CONSTANT (8) * 1024 * 1024) /* bytes */
#define MAX_REFCOUNT_ORDER 6u
#define MAX_SNAPSHOTS 65536u
#define MIN_SNAPSHOT_ENTRY 40u
#define COMPRESSION_ZSTD 1u
#define FEATURE_DATA_FILE G_GUINT64_CONSTANT (0x4)
#define FEATURE_COMPRESSION G_GUINT64_CONSTANT (0x8)
#define KNOWN_FEATURES G_GUINT64_CONSTANT (0xf) /* dirty, corrupt, data file, compression type */
#define EXTENSION_END 0u
#define EXTENSION_DATA_FILE 0x44415441u

static const char *const checks[] = {
  "truncated",  "virtual_size", "backing_file", "data_file", "unknown_features",
  "encryption", "header",       "tables",       "snapshots", NULL,
};

typedef struct
{
  const ImgImportRange *head;
  guint64 file_size;
  guint32 version;
  guint32 cluster_bits;
  guint32 refcount_order;
  guint64 size;
  guint64 features; /* incompatible ones; none before version 3 */
  guint64 length;   /* header extensions follow */
} Header;

static void
header_read (Header *self, const ImgImportView *view)
{
  *self = (Header){
    .head = &view->head,
    .file_size = view->size,
    .version = _imgimport_range_be32 (&view->head, 4),
    .cluster_bits = _imgimport_range_be32 (&view->head, 20),
    .size = _imgimport_range_be64 (&view->head, 24),
    .length = V2_HEADER_LENGTH,
  };
  /* What follows in version 2 is header extensions: their bytes are no feature bits. */
  if (self->version >= 3)
    {
      self->features = _imgimport_range_be64 (&view->head, 72);
      self->refcount_order = _imgimport_range_be32 (&view->head, 96);
      self->length = _imgimport_range_be32 (&view->head, 100);
    }
}

static gboolean
header_has_layout (const Header *self)
{
  return self->cluster_bits >= MIN_CLUSTER_BITS && self->cluster_bits <= MAX_CLUSTER_BITS;
}

/* Walks the header extensions, which end by a mark or with the first cluster; FALSE where they run
 * out of it or of what was captured. */
static gboolean
header_walk_extensions (const Header *self, gboolean *data_file)
{
  gsize end = MIN ((gsize)1 << self->cluster_bits, self->head->length);
  gsize at;

  if (self->length > end)
    return FALSE;
  at = (gsize)self->length;
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

static char *
encryption_fault (const Header *self)
{
  guint32 method = _imgimport_range_be32 (self->head, 32);

  return method != 0 ? g_strdup_printf ("it is encrypted, by method %u", method) : NULL;
}

/* The field beyond the least header of version 3 says zlib, or zstd together with a feature bit. */
static char *
compression_fault (const Header *self)
{
  gboolean present = self->version >= 3 && self->length >= COMPRESSION_HEADER_LENGTH;
  guint8 type = present ? self->head->data[V3_HEADER_LENGTH] : 0;

  if ((self->features & FEATURE_COMPRESSION) != 0 ? type == COMPRESSION_ZSTD : type == 0)
    return NULL;
  return g_strdup_printf ("compression type %u contradicts the incompatible features", type);
}

static char *
header_fault (const Header *self)
{
  gboolean unused = FALSE;

  if (!header_has_layout (self))
    return g_strdup_printf ("cluster_bits is %u, not %u to %u", self->cluster_bits,
                            MIN_CLUSTER_BITS, MAX_CLUSTER_BITS);
  if (self->version == 3 && (self->length < V3_HEADER_LENGTH || self->length % 8 != 0))
    return g_strdup_printf ("header_length is %" G_GUINT64_FORMAT
                            ", less than %u or no multiple of 8",
                            self->length, V3_HEADER_LENGTH);
  if (!header_walk_extensions (self, &unused))
    return g_strdup ("the header extensions leave the header's cluster, the file, or the first "
                     "64 KiB");
  if (self->refcount_order > MAX_REFCOUNT_ORDER)
    return g_strdup_printf ("refcount_order is %u, more than %u", self->refcount_order,
                            MAX_REFCOUNT_ORDER);
  return compression_fault (self);
}

/* Where a table cannot lie: in the header's cluster, across clusters, out of the file. */
static char *
table_fault (const Header *self, const char *what, guint64 offset, guint64 length)
{
  guint64 cluster = (guint64)1 << self->cluster_bits;

  if (offset < cluster || offset % cluster != 0)
    return g_strdup_printf ("%s at %" G_GUINT64_FORMAT " begins at no cluster after the first",
                            what, offset);
  return _imgimport_area_fault (what, offset, length, self->file_size);
}

static char *
l1_fault (const Header *self)
{
  guint64 entries = _imgimport_range_be32 (self->head, 36);
  /* One entry leads to one cluster of entries, each of which leads to one of data. */
  guint mapped_bits = self->cluster_bits + self->cluster_bits - 3;
  guint64 needed = self->size == 0 ? 0 : ((self->size - 1) >> mapped_bits) + 1;

  if (entries < needed || entries > MAX_L1_ENTRIES)
    return g_strdup_printf ("an L1 table of %" G_GUINT64_FORMAT " entries, not %" G_GUINT64_FORMAT
                            " to %u",
                            entries, needed, MAX_L1_ENTRIES);
  return table_fault (self, "the L1 table", _imgimport_range_be64 (self->head, 40), entries * 8);
}

static char *
tables_fault (const Header *self)
{
  guint64 clusters = _imgimport_range_be32 (self->head, 56);
  char *fault = header_has_layout (self) ? l1_fault (self) : NULL;

  if (fault != NULL || !header_has_layout (self))
    return fault;
  if (clusters == 0 || clusters > MAX_REFCOUNT_TABLE_SIZE >> self->cluster_bits)
    return g_strdup_printf ("a refcount table of %" G_GUINT64_FORMAT
                            " clusters, not 1 to %" G_GUINT64_FORMAT,
                            clusters, MAX_REFCOUNT_TABLE_SIZE >> self->cluster_bits);
  return table_fault (self, "the refcount table", _imgimport_range_be64 (self->head, 48),
                      clusters << self->cluster_bits);
}

static char *
snapshots_fault (const Header *self)
{
  guint32 n = _imgimport_range_be32 (self->head, 60);

  if (n == 0 || !header_has_layout (self))
    return NULL;
  if (n > MAX_SNAPSHOTS)
    return g_strdup_printf ("%u snapshots, more than %u", n, MAX_SNAPSHOTS);
  return table_fault (self, "the snapshot table", _imgimport_range_be64 (self->head, 64),
                      (guint64)n * MIN_SNAPSHOT_ENTRY);
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  static const guint8 magic[4] = { 'Q', 'F', 'I', 0xfb };
  const ImgImportRange *head = &view->head;
  Header header;

  if (head->length < sizeof magic || memcmp (head->data, magic, sizeof magic) != 0)
    return FALSE;
  if (!_imgimport_match_check_length (match, head, MIN_SIZE))
    return TRUE;

  header_read (&header, view);
  _imgimport_match_check_size (match, header.size);
  _imgimport_match_forbid (match, "backing_file", _imgimport_range_be64 (head, 8) != 0,
                           "it has a backing file");
  _imgimport_match_add_check (match, "unknown_features", features_fault (&header));
  /* The rest of an unknown version's header may mean anything. */
  if (header.version != 2 && header.version != 3)
    return TRUE;
  _imgimport_match_add_check (match, "encryption", encryption_fault (&header));
  _imgimport_match_add_check (match, "data_file", data_file_fault (&header));
  _imgimport_match_add_check (match, "header", header_fault (&header));
  _imgimport_match_add_check (match, "tables", tables_fault (&header));
  _imgimport_match_add_check (match, "snapshots", snapshots_fault (&header));
  return TRUE;
}

const ImgImportFormat _imgimport_format_qcow2 = {
  .name = "qcow2",
  .checks = checks,
  .match = match,
};
