/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "images.h"

/* ---- JSON ------------------------------------------------------------------------------------ */

static ImgImportFacts *
parse (const char *text, GError **error)
{
  g_autoptr (JsonObject) object = _imgimport_json_parse_object (text, "facts", error);

  return object != NULL ? _imgimport_facts_from_json (object, "facts", error) : NULL;
}

static char *
facts_text (const ImgImportFacts *facts)
{
  GString *out = g_string_new (NULL);

  _imgimport_facts_write (facts, out, NULL);
  return g_string_free (out, FALSE);
}

static void
assert_round_trip (const GByteArray *image)
{
  g_autoptr (ImgImportFacts) facts = inspect (image);
  g_autoptr (ImgImportFacts) copy = _imgimport_facts_copy (facts);
  g_autofree char *text = facts_text (facts);
  g_autofree char *copy_text = facts_text (copy);
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportFacts) read = parse (text, &error);
  g_autofree char *again_text = NULL;

  g_assert_no_error (error);
  again_text = facts_text (read);
  g_assert_cmpstr (again_text, ==, text);
  g_assert_cmpstr (copy_text, ==, text);
}

static void
facts_survive_json (void)
{
  g_autoptr (GByteArray) raw = image_new (5);
  g_autoptr (GByteArray) qcow2 = image_new_qcow2 (3, 70000);
  g_autoptr (GByteArray) torn = image_new_qcow2 (3, 100);
  g_autoptr (GByteArray) gpt = image_new_gpt (1024);

  assert_round_trip (raw);
  assert_round_trip (qcow2);
  put_be64 (qcow2, 8, 4096);
  qcow2->data[510] = 0x55;
  qcow2->data[511] = 0xaa;
  assert_round_trip (qcow2);
  assert_round_trip (torn);
  assert_round_trip (gpt);
}

static void
wrong_json_is_refused (void)
{
  static const struct
  {
    const char *text;
    const char *where;
  } rows[] = {
    { "{\"matches\":[]}", "size" },
    { "{\"size\":-1,\"matches\":[]}", "size" },
    { "{\"size\":\"1\",\"matches\":[]}", "size" },
    { "{\"size\":1}", "matches" },
    { "{\"size\":1,\"matches\":{}}", "matches" },
    { "{\"size\":1,\"matches\":[],\"more\":1}", "more" },
    { "{\"size\":1,\"matches\":[1]}", "element 0" },
    { "{\"size\":1,\"matches\":[{\"checks\":[]}]}", "matches/0/format" },
    { "{\"size\":1,\"matches\":[{\"format\":\"raw\",\"checks\":[]}]}", "matches/0/format" },
    { "{\"size\":1,\"matches\":[{\"format\":\"gpt\"}]}", "matches/0/checks" },
    { "{\"size\":1,\"matches\":[{\"format\":\"gpt\",\"checks\":[]}]}", "matches/0/checks" },
    { "{\"size\":1,\"matches\":[{\"format\":\"gpt\",\"virtual_size\":-1,\"checks\":[]}]}",
      "matches/0/virtual_size" },
    { "{\"size\":1,\"matches\":[{\"format\":\"gpt\",\"checks\":[],\"x\":1}]}", "matches/0/x" },
    { "{\"size\":1,\"matches\":[{\"format\":\"gpt\",\"checks\":[{}]}]}",
      "matches/0/checks/0/name" },
    { "{\"size\":1,\"matches\":[{\"format\":\"gpt\",\"checks\":[{\"name\":\"data_file\"}]}]}",
      "matches/0/checks/0/name" },
    { "{\"size\":1,\"matches\":[{\"format\":\"gpt\",\"checks\":"
      "[{\"name\":\"mbr\",\"reason\":1}]}]}",
      "matches/0/checks/0/reason" },
    { "{\"size\":1,\"matches\":[{\"format\":\"gpt\",\"checks\":[{\"name\":\"mbr\",\"x\":1}]}]}",
      "matches/0/checks/0/x" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ImgImportFacts) facts = parse (rows[i].text, &error);

      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      g_assert_null (facts);
      if (strstr (error->message, rows[i].where) == NULL)
        g_error ("row %u: “%s” does not name %s", i, error->message, rows[i].where);
    }
}

/* ---- verdict --------------------------------------------------------------------------------- */

typedef enum
{
  RAW,
  QCOW2,
  BACKED_QCOW2,
  GPT,
  EMPTY_MBR,
  QCOW2_AND_MBR,
} Content;

static GByteArray *
content_new (Content content)
{
  GByteArray *image = content == RAW ? image_new (1000)
                      : content == GPT || content == EMPTY_MBR
                          ? image_new_gpt (2000)
                          : image_new_qcow2 (3, IMAGE_QCOW2_SIZE);

  if (content == BACKED_QCOW2)
    put_be64 (image, 8, 600);
  if (content == EMPTY_MBR)
    image->data[450] = 0;
  if (content == QCOW2_AND_MBR)
    memcpy (image->data + 510, "\x55\xaa", 2);
  return image;
}

#define GIB (G_GUINT64_CONSTANT (1) << 30)
#define UNKNOWN IMGIMPORT_SIZE_UNKNOWN

typedef struct
{
  const char *name;
  Content content;
  const char *declared;
  gboolean strict;
  const char *policy; /* further members; may be NULL */
  const char *reason; /* NULL: accepted, with what follows */
  const char *format;
  guint64 virtual_size;
} Row;

#define TOLERANT "'nonfatal_checks': {'mbr': ['mbr']}"
#define HYBRID "'allowed_hybrids': {'qcow2': ['mbr']}"

static const Row rows[] = {
  { "J22", RAW, "raw", TRUE, NULL, NULL, "raw", 1000 },
  { "J23/no-match", RAW, "qcow2", TRUE, NULL, "format-mismatch", NULL, 0 },
  { "J23/not-required", RAW, "qcow2", FALSE, NULL, NULL, "raw", UNKNOWN },
  { "J24/ami", RAW, "ami", TRUE, NULL, NULL, "raw", UNKNOWN },
  { "J24/ari", RAW, "ari", TRUE, NULL, NULL, "raw", UNKNOWN },
  { "C41/ami-but-qcow2", QCOW2, "ami", TRUE, NULL, "format-mismatch", NULL, 0 },
  { "J25/gpt-as-raw", GPT, "raw", TRUE, NULL, NULL, "gpt", 2000 },
  { "J25/unsafe-gpt-as-raw", EMPTY_MBR, "raw", TRUE, NULL, "format-unsafe", NULL, 0 },
  { "J25/tolerated-gpt-as-raw", EMPTY_MBR, "raw", TRUE, TOLERANT, NULL, "mbr", 2000 },
  { "J27/gpt", GPT, "gpt", TRUE, NULL, NULL, "gpt", 2000 },
  { "J27/unsafe", EMPTY_MBR, "gpt", TRUE, NULL, "format-unsafe", NULL, 0 },
  { "J27/other-format-tolerated", EMPTY_MBR, "gpt", TRUE,
    "'nonfatal_checks': {'qcow2': ['header']}", "format-unsafe", NULL, 0 },
  { "J27/F130/tolerated", EMPTY_MBR, "gpt", TRUE, TOLERANT, NULL, "mbr", 2000 },
  { "F130/other-check-tolerated", BACKED_QCOW2, "qcow2", TRUE,
    "'nonfatal_checks': {'qcow2': ['header']}", "format-unsafe", NULL, 0 },
  { "allowed", QCOW2, "qcow2", TRUE, "'allowed_formats': ['raw', 'qcow2']", NULL, "qcow2", GIB },
  { "not-allowed", QCOW2, "qcow2", TRUE, "'allowed_formats': ['raw']", "format-not-allowed", NULL,
    0 },
  { "raw-not-allowed", RAW, "raw", TRUE, "'allowed_formats': ['qcow2']", "format-not-allowed", NULL,
    0 },
  { "not-allowed-not-required", QCOW2, "raw", FALSE, "'allowed_formats': ['raw']",
    "format-not-allowed", NULL, 0 },
  { "raw-allows-partitions", GPT, "raw", TRUE, "'allowed_formats': ['raw']", NULL, "gpt", 2000 },
  { "only-partitions-allowed", GPT, "raw", TRUE, "'allowed_formats': ['gpt']", NULL, "gpt", 2000 },
  { "partitions-not-allowed", GPT, "raw", TRUE, "'allowed_formats': ['qcow2']",
    "format-not-allowed", NULL, 0 },
  { "undeclared", QCOW2, NULL, TRUE, NULL, NULL, "qcow2", GIB },
  { "undeclared-raw", RAW, NULL, TRUE, NULL, NULL, "raw", 1000 },
  { "undeclared-unsafe", BACKED_QCOW2, NULL, TRUE, NULL, "format-unsafe", NULL, 0 },
  { "F128/hybrid", QCOW2_AND_MBR, "qcow2", TRUE, HYBRID, NULL, "qcow2", GIB },
  { "F128/hybrid-as-other", QCOW2_AND_MBR, "gpt", TRUE, HYBRID, "format-mismatch", NULL, 0 },
  { "F128/hybrid-as-raw", QCOW2_AND_MBR, "raw", TRUE, HYBRID, "format-mismatch", NULL, 0 },
  { "C45/hybrid-the-other-way", QCOW2_AND_MBR, "gpt", TRUE, "'allowed_hybrids': {'mbr': ['qcow2']}",
    "format-unsafe", NULL, 0 },
  { "J31/F131", QCOW2, "qcow2", TRUE, NULL, NULL, "qcow2", GIB },
  { "F127/two-matches", QCOW2_AND_MBR, "qcow2", TRUE, NULL, "format-ambiguous", NULL, 0 },
  { "F127/two-matches-not-required", QCOW2_AND_MBR, "raw", FALSE, NULL, "format-ambiguous", NULL,
    0 },
  { "F132/C41/raw-but-qcow2", QCOW2, "raw", TRUE, NULL, "format-mismatch", NULL, 0 },
  { "F129/raw-but-qcow2-not-required", QCOW2, "raw", FALSE, NULL, NULL, "qcow2", IMAGE_QCOW2_SIZE },
  { "F129/unsafe-not-required", BACKED_QCOW2, "raw", FALSE, NULL, "format-unsafe", NULL, 0 },
  { "F129/gpt-but-qcow2", QCOW2, "gpt", TRUE, NULL, "format-mismatch", NULL, 0 },
  { "F129/qcow2-but-gpt", GPT, "qcow2", TRUE, NULL, "format-mismatch", NULL, 0 },
  { "F131/unsafe", BACKED_QCOW2, "qcow2", TRUE, NULL, "format-unsafe", NULL, 0 },
};

static void
judge_row (gconstpointer data)
{
  const Row *row = data;
  g_autoptr (GByteArray) image = content_new (row->content);
  g_autoptr (ImgImportFacts) facts = inspect (image);
  g_autofree char *text =
      g_strdup_printf ("{'require_match': %s%s%s}", row->strict ? "true" : "false",
                       row->policy != NULL ? ", " : "", row->policy != NULL ? row->policy : "");
  g_autoptr (ImgImportFormatPolicy) policy = policy_new (text);
  ImgImportVerdict verdict = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean ok = _imgimport_facts_judge (facts, policy, row->declared, "bare", &verdict, &error);

  if (row->reason != NULL)
    {
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_CORRUPT);
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, row->reason);
      g_assert_false (ok);
      return;
    }
  g_assert_no_error (error);
  g_assert_true (ok);
  g_assert_cmpstr (verdict.format, ==, row->format);
  g_assert_cmpuint (verdict.virtual_size, ==, row->virtual_size);
}

static void
only_bare_containers_are_looked_into (void)
{
  g_autoptr (GByteArray) image = content_new (BACKED_QCOW2);
  g_autoptr (ImgImportFacts) facts = inspect (image);
  g_autoptr (ImgImportFormatPolicy) policy = policy_new ("{'max_virtual_size': 1}");
  ImgImportVerdict verdict = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_true (_imgimport_facts_judge (facts, policy, "vmdk", "ova", &verdict, &error));
  g_assert_no_error (error);
  g_assert_null (verdict.format);
  g_assert_cmpuint (verdict.virtual_size, ==, UNKNOWN);
}

static void
message_names_failures_and_matches (void)
{
  g_autoptr (GByteArray) backed = content_new (BACKED_QCOW2);
  g_autoptr (GByteArray) both = content_new (QCOW2_AND_MBR);
  g_autoptr (ImgImportFacts) backed_facts = NULL;
  g_autoptr (ImgImportFacts) both_facts = inspect (both);
  g_autoptr (ImgImportFormatPolicy) policy = policy_new ("{}");
  ImgImportVerdict verdict;
  g_autoptr (GError) unsafe = NULL;
  g_autoptr (GError) ambiguous = NULL;

  put_be32 (backed, 32, 9);
  backed_facts = inspect (backed);
  g_assert_false (
      _imgimport_facts_judge (backed_facts, policy, "qcow2", "bare", &verdict, &unsafe));
  g_assert_nonnull (strstr (unsafe->message, "backing_file (it has a backing file)"));
  g_assert_nonnull (strstr (unsafe->message, "encryption (it is encrypted, by method 9)"));
  g_assert_false (
      _imgimport_facts_judge (both_facts, policy, "qcow2", "bare", &verdict, &ambiguous));
  g_assert_nonnull (strstr (ambiguous->message, "qcow2, mbr"));
}

static ImgImportFormatPolicy *
policy_sized (gboolean strict, guint64 size)
{
  g_autofree char *text =
      g_strdup_printf ("{'require_match': %s, 'max_virtual_size': %" G_GUINT64_FORMAT "}",
                       strict ? "true" : "false", size);

  return policy_new (text);
}

static void
virtual_size_is_limited (void)
{
  static const struct
  {
    Content content;
    const char *declared;
    gboolean strict;
    guint64 size;
  } cases[] = {
    { RAW, "raw", TRUE, 1000 },
    { GPT, "raw", TRUE, 2000 },
    { QCOW2, "qcow2", TRUE, GIB },
    { QCOW2, "raw", FALSE, GIB },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GByteArray) image = content_new (cases[i].content);
      g_autoptr (ImgImportFacts) facts = inspect (image);
      g_autoptr (ImgImportFormatPolicy) exact = policy_sized (cases[i].strict, cases[i].size);
      g_autoptr (ImgImportFormatPolicy) less = policy_sized (cases[i].strict, cases[i].size - 1);
      ImgImportVerdict verdict;
      g_autoptr (GError) error = NULL;

      g_assert_true (
          _imgimport_facts_judge (facts, exact, cases[i].declared, "bare", &verdict, &error));
      g_assert_no_error (error);
      g_assert_false (
          _imgimport_facts_judge (facts, less, cases[i].declared, "bare", &verdict, &error));
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_LIMIT);
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, "virtual-size-limit");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/facts/facts-survive-json", facts_survive_json);
  g_test_add_func ("/inspect/facts/wrong-json-is-refused", wrong_json_is_refused);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/inspect/judge/%s", rows[i].name);

      g_test_add_data_func (path, &rows[i], judge_row);
    }
  g_test_add_func ("/inspect/judge/J30/only-bare-containers-are-looked-into",
                   only_bare_containers_are_looked_into);
  g_test_add_func ("/inspect/judge/C45/message-names-failures-and-matches",
                   message_names_failures_and_matches);
  g_test_add_func ("/inspect/judge/C38/virtual-size-is-limited", virtual_size_is_limited);
  return g_test_run ();
}
