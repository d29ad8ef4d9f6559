/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

/*
 * A record, numbers little-endian:
 *
 *    0  u32  bytes after the header
 *    4  u32  CRC-32C of the length and of all from 8 on
 *    8  u8   format version
 *    9  u8   type
 *   10  u16  0
 *   12  u32  task
 *   16  u64  number
 *   24       chunks: u32 length, bytes
 *
 * The chunks of a head, a success and a checkpoint are a type string and the serialised value for
 * each output, those of others are code, reason and message of an error, where they have one.
 */
#define FORMAT_VERSION 1
#define HEADER_SIZE 24
#define MAX_MESSAGE 4096

static guint32
record_crc (const guint8 *record, gsize size)
{
  guint32 crc = _imgimport_crc32c_update (G_MAXUINT32, record, 4);

  return ~_imgimport_crc32c_update (crc, record + 8, size - 8);
}

static void
put_u32 (guint8 *to, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (to, &value, sizeof value);
}

static guint32
get_u32 (const guint8 *from)
{
  guint32 value;

  memcpy (&value, from, sizeof value);
  return GUINT32_FROM_LE (value);
}

static guint64
get_u64 (const guint8 *from)
{
  guint64 value;

  memcpy (&value, from, sizeof value);
  return GUINT64_FROM_LE (value);
}

static void
append_chunk (GByteArray *bytes, const void *data, gsize length)
{
  guint8 prefix[4];

  put_u32 (prefix, (guint32)length);
  g_byte_array_append (bytes, prefix, sizeof prefix);
  if (length > 0)
    g_byte_array_append (bytes, data, (guint)length);
}

static GVariant *
to_little_endian (GVariant *value)
{
  return G_BYTE_ORDER == G_BIG_ENDIAN ? g_variant_byteswap (value)
                                      : g_variant_get_normal_form (value);
}

/* FALSE where the value alone is more than a record holds. */
static gboolean
append_value (GByteArray *bytes, GVariant *value)
{
  g_autoptr (GVariant) portable = to_little_endian (value);
  const char *type = g_variant_get_type_string (value);
  gsize size = g_variant_get_size (portable);

  if (size > IMGIMPORT_RECORD_MAX)
    return FALSE;
  append_chunk (bytes, type, strlen (type));
  append_chunk (bytes, g_variant_get_data (portable), size);
  return TRUE;
}

static void
append_error (GByteArray *bytes, const GError *error)
{
  gboolean cancelled = imgimport_error_is_cancelled (error);
  const char *code =
      cancelled ? "cancelled" : _imgimport_error_code_to_string (imgimport_error_get_code (error));
  const char *reason = imgimport_error_get_reason (error);
  g_autofree char *message = g_utf8_make_valid (error->message, -1);
  gsize length = strlen (message);

  if (length > MAX_MESSAGE)
    length = (gsize)(g_utf8_find_prev_char (message, message + MAX_MESSAGE + 1) - message);
  append_chunk (bytes, code, strlen (code));
  append_chunk (bytes, reason, strlen (reason));
  append_chunk (bytes, message, length);
}

gboolean
_imgimport_flow_record_append (const ImgImportFlowRecord *self, GByteArray *bytes)
{
  guint8 header[HEADER_SIZE] = { 0 };
  guint64 number = GUINT64_TO_LE (self->number);
  guint start = bytes->len;
  gboolean fits = TRUE;
  guint i;

  header[8] = FORMAT_VERSION;
  header[9] = (guint8)self->type;
  put_u32 (header + 12, self->task);
  memcpy (header + 16, &number, sizeof number);
  g_byte_array_append (bytes, header, sizeof header);
  if (self->error != NULL)
    append_error (bytes, self->error);
  for (i = 0; i < self->n_outputs && fits; i++)
    fits = append_value (bytes, self->outputs[i]) && bytes->len - start <= IMGIMPORT_RECORD_MAX;
  if (!fits)
    {
      g_byte_array_set_size (bytes, start);
      return FALSE;
    }
  put_u32 (bytes->data + start, bytes->len - start - HEADER_SIZE);
  put_u32 (bytes->data + start + 4, record_crc (bytes->data + start, bytes->len - start));
  return TRUE;
}

/* The whole record at the front, its checksum right; 0 for none. */
static gsize
intact_size (const guint8 *data, gsize length)
{
  gsize size;

  if (length < HEADER_SIZE || get_u32 (data) > length - HEADER_SIZE)
    return 0;
  size = (gsize)get_u32 (data) + HEADER_SIZE;
  return record_crc (data, size) == get_u32 (data + 4) ? size : 0;
}

static gboolean
take_chunk (const guint8 **data, gsize *left, const guint8 **chunk, gsize *length)
{
  if (*left < 4)
    return FALSE;
  *length = get_u32 (*data);
  if (*length > *left - 4)
    return FALSE;
  *chunk = *data + 4;
  *data += 4 + *length;
  *left -= 4 + *length;
  return TRUE;
}

static char *
take_text (const guint8 **data, gsize *left)
{
  const guint8 *chunk;
  gsize length;

  if (!take_chunk (data, left, &chunk, &length) ||
      !g_utf8_validate_len ((const char *)chunk, length, NULL))
    return NULL;
  return g_strndup ((const char *)chunk, length);
}

static gboolean
parse_error (ImgImportFlowRecord *self, const guint8 *data, gsize left)
{
  g_autofree char *code = take_text (&data, &left);
  g_autofree char *reason = code != NULL ? take_text (&data, &left) : NULL;
  g_autofree char *message = reason != NULL ? take_text (&data, &left) : NULL;

  if (message == NULL || left != 0)
    return FALSE;
  if (g_str_equal (code, "cancelled"))
    self->error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, message);
  else
    self->error = _imgimport_error_new_dup_reason (
        (ImgImportError)_imgimport_error_code_from_string (code), reason, message);
  return TRUE;
}

static GVariant *
take_value (const guint8 **data, gsize *left)
{
  g_autofree char *type = take_text (data, left);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) value = NULL;
  const guint8 *chunk;
  gsize length;

  if (type == NULL || !g_variant_type_string_is_valid (type) ||
      !g_variant_type_is_definite (G_VARIANT_TYPE (type)) ||
      !take_chunk (data, left, &chunk, &length))
    return NULL;
  bytes = g_bytes_new (chunk, length);
  value = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE (type), bytes, FALSE));
  if (!g_variant_is_normal_form (value))
    return NULL;
  return to_little_endian (value);
}

static gboolean
parse_outputs (ImgImportFlowRecord *self, const guint8 *data, gsize left)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);

  while (left > 0)
    {
      GVariant *value = take_value (&data, &left);

      if (value == NULL)
        return FALSE;
      g_ptr_array_add (values, value);
    }
  self->n_outputs = values->len;
  self->outputs = (GVariant **)g_ptr_array_steal (values, NULL);
  return TRUE;
}

static gboolean
has_outputs (ImgImportFlowRecordType type)
{
  return type == IMGIMPORT_FLOW_RECORD_HEAD || type == IMGIMPORT_FLOW_RECORD_SUCCESS ||
         type == IMGIMPORT_FLOW_RECORD_CHECKPOINT;
}

gsize
_imgimport_flow_record_parse (ImgImportFlowRecord *self, const guint8 *data, gsize length)
{
  gsize size = intact_size (data, length);
  gboolean understood = TRUE;

  if (size == 0)
    return 0;
  if (data[8] != FORMAT_VERSION)
    return size;
  self->type = (ImgImportFlowRecordType)data[9];
  self->task = get_u32 (data + 12);
  self->number = get_u64 (data + 16);
  if (has_outputs (self->type))
    understood = parse_outputs (self, data + HEADER_SIZE, size - HEADER_SIZE);
  else if (size > HEADER_SIZE)
    understood = parse_error (self, data + HEADER_SIZE, size - HEADER_SIZE);
  return understood ? size : 0;
}

void
_imgimport_flow_record_clear (ImgImportFlowRecord *self)
{
  guint i;

  for (i = 0; i < self->n_outputs; i++)
    g_variant_unref (self->outputs[i]);
  g_clear_pointer (&self->outputs, g_free);
  self->n_outputs = 0;
  g_clear_error (&self->error);
}

gsize
_imgimport_flow_record_fit (const guint8 *data, gsize length, gsize limit)
{
  gsize fit = 0;

  while (fit < length)
    {
      gsize size = (gsize)get_u32 (data + fit) + HEADER_SIZE;

      if (fit > 0 && fit + size > limit)
        break;
      fit += size;
    }
  return fit;
}
