/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/base-private.h"
#include "catalogs/catalogs-private.h"

#define MAX_NAME 255

static gboolean
is_name (const char *text)
{
  return text != NULL && strlen (text) <= MAX_NAME;
}

static gboolean
has_key (const ImgImportOp *op)
{
  return op->record != NULL && is_name (op->record->kind) && is_name (op->record->id);
}

static gboolean
op_is_valid (const ImgImportOp *op)
{
  switch (op->kind)
    {
    case IMGIMPORT_OP_PUT:
      return has_key (op) && op->record->body != NULL;
    case IMGIMPORT_OP_REMOVE:
    case IMGIMPORT_OP_CHECK:
      return has_key (op);
    case IMGIMPORT_OP_JOURNAL_APPEND:
      return is_name (op->journal) && (op->data != NULL || op->length == 0);
    case IMGIMPORT_OP_JOURNAL_FORGET:
      return is_name (op->journal);
    default:
      return FALSE;
    }
}

gboolean
_imgimport_catalog_check_ops (const ImgImportOp *const *ops, guint n_ops, GError **error)
{
  for (guint i = 0; i < n_ops; i++)
    {
      if (op_is_valid (ops[i]))
        continue;
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "operation-invalid",
                            "catalog: operation %u of %u, of kind %d, lacks a member, has a name "
                            "above %d bytes or is unknown",
                            i + 1, n_ops, (int)ops[i]->kind, MAX_NAME);
      return FALSE;
    }
  return TRUE;
}

gboolean
_imgimport_catalog_check_revision (const ImgImportOp *op, gint64 actual, GError **error)
{
  if (op->expected == IMGIMPORT_REVISION_ANY || op->expected == actual)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_BUSY, "revision-conflict",
                        "catalog: %s “%s” is at revision %" G_GINT64_FORMAT
                        ", not %" G_GINT64_FORMAT " as expected (0: absent)",
                        op->record->kind, op->record->id, actual, op->expected);
  return FALSE;
}

static gboolean
field_matches (const char *wanted, const char *actual)
{
  return wanted == NULL || g_strcmp0 (wanted, actual) == 0;
}

gboolean
_imgimport_catalog_query_matches (const ImgImportQuery *query, const ImgImportRecord *record)
{
  gboolean in_time =
      record->created_us >= query->created_from_us &&
      (query->created_to_us == G_MAXINT64 || record->created_us < query->created_to_us);

  return in_time && field_matches (query->owner, record->owner) &&
         field_matches (query->status, record->status) &&
         field_matches (query->label, record->label);
}

gint64
_imgimport_catalog_owner_to_number (const char *owner_id)
{
  guint64 number = 0;

  if (!g_ascii_string_to_unsigned (owner_id, 10, 1, G_MAXINT64, &number, NULL))
    return 0;
  return (gint64)number;
}

char *
_imgimport_catalog_owner_from_number (gint64 number)
{
  return g_strdup_printf ("%" G_GINT64_FORMAT, number);
}
