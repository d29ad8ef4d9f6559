/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an image is declared to be, what its bytes are, and what becomes of an import. */

#include "import.h"

#include "images.h"

typedef enum
{
  PLAIN,        /* no format that is known by its bytes */
  QCOW2,        /* of 1 GiB inside */
  QCOW2_BACKED, /* by another file */
  GPT,
  GPT_BROKEN, /* with a wrong boot flag: fails the check "mbr" */
  N_CONTENTS
} Content;

#define SIZE IMAGE_QCOW2_SIZE

static GBytes *
content_new (Content content)
{
  GByteArray *image;

  switch (content)
    {
    case QCOW2:
    case QCOW2_BACKED:
      image = image_new_qcow2 (3, SIZE);
      if (content == QCOW2_BACKED)
        put_be64 (image, 8, 512);
      break;
    case GPT:
    case GPT_BROKEN:
      image = image_new_gpt (SIZE);
      if (content == GPT_BROKEN)
        image->data[446] = 0x01;
      break;
    case PLAIN:
    case N_CONTENTS:
    default:
      image = image_new (SIZE);
      image->data[0] = 1;
      break;
    }
  return g_byte_array_free_to_bytes (image);
}

typedef struct
{
  Content content;
  const char *disk_format;
  const char *reason; /* NULL: active */
  guint64 virtual_size;
} Row;

typedef struct
{
  const char *path;
  const char *more; /* of the configuration */
  const char *container_format;
  const Row *rows;
} Matrix;

#define UNKNOWN IMGIMPORT_SIZE_UNKNOWN
#define GIB (G_GUINT64_CONSTANT (1) << 30)

static const Row strict[] = {
  { PLAIN, "raw", NULL, SIZE },
  { PLAIN, "qcow2", "format-mismatch", 0 },
  { PLAIN, "ami", NULL, UNKNOWN }, /* a format that no bytes tell looks raw */
  { QCOW2, "qcow2", NULL, GIB },
  { QCOW2, "raw", "format-mismatch", 0 },
  { QCOW2, "iso", "format-mismatch", 0 },
  { QCOW2_BACKED, "qcow2", "format-unsafe", 0 },
  { QCOW2_BACKED, "raw", "format-mismatch", 0 },
  { GPT, "raw", NULL, SIZE },
  { GPT, "qcow2", "format-mismatch", 0 },
  { GPT_BROKEN, "raw", "format-unsafe", 0 },
  { .disk_format = NULL },
};

/* A declaration that is wrong counts for nothing, but what is unsafe stays unsafe. */
static const Row lenient[] = {
  { PLAIN, "qcow2", NULL, UNKNOWN },
  { QCOW2, "iso", NULL, UNKNOWN },
  { QCOW2_BACKED, "raw", "format-unsafe", 0 },
  { GPT_BROKEN, "qcow2", "format-unsafe", 0 },
  { .disk_format = NULL },
};

static const Row tolerant[] = {
  { GPT_BROKEN, "raw", NULL, SIZE },
  { QCOW2_BACKED, "qcow2", "format-unsafe", 0 },
  { .disk_format = NULL },
};

static const Row bounded[] = {
  { QCOW2, "qcow2", "virtual-size-limit", 0 },
  { PLAIN, "raw", NULL, SIZE },
  { .disk_format = NULL },
};

static const Row tightly_bounded[] = {
  { PLAIN, "raw", "virtual-size-limit", 0 },
  { .disk_format = NULL },
};

/* In a container there is no disk to look at. */
static const Row contained[] = {
  { PLAIN, "qcow2", NULL, UNKNOWN },
  { QCOW2_BACKED, "raw", NULL, UNKNOWN },
  { .disk_format = NULL },
};

#define POLICY(members) ", \"format_policy\": {" members "}"

static const Matrix matrices[] = {
  { "/verdict/strict", "", "bare", strict },
  { "/verdict/require_match", POLICY ("\"require_match\": false"), "bare", lenient },
  { "/verdict/nonfatal_checks", POLICY ("\"nonfatal_checks\": {\"gpt\": [\"mbr\"]}"), "bare",
    tolerant },
  { "/verdict/max_virtual_size", POLICY ("\"max_virtual_size\": 1073741823"), "bare", bounded },
  { "/verdict/max_virtual_size/raw", POLICY ("\"max_virtual_size\": 1023"), "bare",
    tightly_bounded },
  { "/verdict/container", "", "ovf", contained },
};

static ImgImportJob *
import_content (ImgImportService *service, const char *id, Content content)
{
  g_autoptr (GBytes) bytes = content_new (content);
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_bytes (bytes);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = NULL;

  image = imgimport_service_stage_stream (service, NULL, id, stream, SIZE, NULL, &error);
  g_assert_no_error (error);
  return run_import (service, id, DIRECT_TO_ALL);
}

/* What is refused is queued with its bytes gone (D1), and never reached a store (D2). */
static void
check_row (ImgImportService *service, const char *container_format, const Row *row)
{
  g_autofree char *attributes =
      g_strdup_printf ("{\"disk_format\": \"%s\", \"container_format\": \"%s\"}", row->disk_format,
                       container_format);
  g_autofree char *id = create (service, NULL, attributes);
  g_autoptr (ImgImportJob) job = import_content (service, id, row->content);
  g_autoptr (ImgImportImage) image = get (service, id);

  if (row->reason == NULL)
    {
      assert_success (job);
      g_assert_cmpuint (image->virtual_size, ==, row->virtual_size);
      g_assert_cmpuint (image->size, ==, SIZE);
      assert_copies (service, id, "one,two");
    }
  else
    {
      assert_failure (job, row->reason, "judge");
      assert_image_is (service, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
      assert_lists (service, id, "", "");
      g_assert_cmpuint (image->virtual_size, ==, UNKNOWN);
    }
  assert_no_notes (service);
}

static void
test_matrix (gconstpointer data)
{
  const Matrix *matrix = data;
  g_autofree char *config = g_strdup_printf ("{" MEMORY_CATALOG ", " MEMORY_STAGING
                                             ", " MEMORY_STORES ", \"workers\": 0%s}",
                                             matrix->more);
  g_autoptr (ImgImportService) service = service_new (config);
  const Row *row;

  service_start (service);
  for (row = matrix->rows; row->disk_format != NULL; row++)
    check_row (service, matrix->container_format, row);
}

int
main (int argc, char **argv)
{
  gsize i;

  g_test_init (&argc, &argv, NULL);
  for (i = 0; i < G_N_ELEMENTS (matrices); i++)
    g_test_add_data_func (matrices[i].path, &matrices[i], test_matrix);
  return g_test_run ();
}
