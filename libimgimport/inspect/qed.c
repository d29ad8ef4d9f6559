/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

/* The header as in QEMU's QED specification, little-endian. */

#define MIN_SIZE 512u
#define MIN_CLUSTER (4u * 1024)
#define MAX_CLUSTER (64u * 1024 * 1024)
#define MAX_TABLE 16u /* clusters */
#define FEATURE_BACKING_FILE G_GUINT64_CONSTANT (0x1)
#define KNOWN_FEATURES G_GUINT64_CONSTANT (0x7) /* backing file, check needed, no probing */

static const char *const checks[] = {
  "banned", "truncated", "virtual_size", "backing_file", "unknown_features", "header", NULL
};

static char *
features_fault (guint64 features)
{
  if ((features & ~KNOWN_FEATURES) == 0)
    return NULL;
  return g_strdup_printf ("unknown features 0x%" G_GINT64_MODIFIER "x", features & ~KNOWN_FEATURES);
}

/* More than two levels of tables reach. */
static gboolean
is_beyond_tables (guint64 size, guint64 cluster, guint64 table)
{
  guint64 entries = table / sizeof (guint64);
  guint64 clusters = (size - 1) / cluster + 1;

  return clusters / entries > entries || (clusters / entries == entries && clusters % entries > 0);
}

static char *
header_fault (const ImgImportView *view, guint64 size)
{
  guint32 cluster = _imgimport_range_le32 (&view->head, 4);
  guint32 n_table = _imgimport_range_le32 (&view->head, 8);
  guint32 n_header = _imgimport_range_le32 (&view->head, 12);
  guint64 l1_offset = _imgimport_range_le64 (&view->head, 40);
  guint64 table = (guint64)cluster * n_table;

  if (!_imgimport_is_power_of_2 (cluster) || cluster < MIN_CLUSTER || cluster > MAX_CLUSTER)
    return g_strdup_printf ("clusters of %u bytes, no power of 2 from %u to %u", cluster,
                            MIN_CLUSTER, MAX_CLUSTER);
  if (!_imgimport_is_power_of_2 (n_table) || n_table > MAX_TABLE)
    return g_strdup_printf ("tables of %u clusters, no power of 2 up to %u", n_table, MAX_TABLE);
  if (n_header == 0 || l1_offset % cluster != 0 || l1_offset / cluster < n_header)
    return g_strdup_printf ("the L1 table at %" G_GUINT64_FORMAT
                            " begins at no cluster after the %u of the header",
                            l1_offset, n_header);
  if (size > 0 && is_beyond_tables (size, cluster, table))
    return g_strdup ("the disk is larger than its tables reach");
  return _imgimport_area_fault ("the L1 table", l1_offset, table, view->size);
}

static gboolean
match (const ImgImportView *view, ImgImportMatch *match)
{
  static const guint8 magic[4] = { 'Q', 'E', 'D', 0 };
  const ImgImportRange *head = &view->head;
  guint64 features;
  guint64 size;

  if (head->length < sizeof magic || memcmp (head->data, magic, sizeof magic) != 0)
    return FALSE;
  _imgimport_match_forbid (match, "banned", TRUE, "QED is given up by its makers");
  if (!_imgimport_match_check_length (match, head, MIN_SIZE))
    return TRUE;
  features = _imgimport_range_le64 (head, 16);
  size = _imgimport_range_le64 (head, 48);
  _imgimport_match_check_size (match, size);
  _imgimport_match_forbid (match, "backing_file", (features & FEATURE_BACKING_FILE) != 0,
                           "it has a backing file");
  _imgimport_match_add_check (match, "unknown_features", features_fault (features));
  _imgimport_match_add_check (match, "header", header_fault (view, size));
  return TRUE;
}

const ImgImportFormat _imgimport_format_qed = {
  .name = "qed",
  .checks = checks,
  .match = match,
};
