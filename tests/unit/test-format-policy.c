/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "images.h"

static void
good_policies_are_read (void)
{
  static const char *const texts[] = {
    "{}",
    "{'require_match': false, 'max_virtual_size': -1}",
    "{'allowed_formats': ['raw', 'qcow2', 'gpt']}",
    "{'nonfatal_checks': {'gpt': ['mbr'], 'qcow2': []}, 'allowed_hybrids': {}}",
    "{'allowed_hybrids': {'qcow2': ['gpt']}, 'max_virtual_size': 9223372036854775807}",
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportFormatPolicy) none = imgimport_format_policy_new_from_json (NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (none);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (ImgImportFormatPolicy) policy = policy_new (texts[i]);

      g_assert_nonnull (policy);
    }
}

static void
wrong_policies_are_refused_by_path (void)
{
  static const struct
  {
    const char *text;
    const char *message;
  } rows[] = {
    { "[]", "format policy" },
    { "{'more': 1}", "more: unknown member" },
    { "{'require_match': 'yes'}", "require_match: expected" },
    { "{'allowed_formats': 'raw'}", "allowed_formats: expected" },
    { "{'allowed_formats': []}", "allowed_formats: would allow nothing" },
    { "{'allowed_formats': ['raw', 'qcow']}", "allowed_formats/1: no format is called “qcow”" },
    { "{'allowed_formats': [1]}", "allowed_formats/0: expected" },
    { "{'nonfatal_checks': ['mbr']}", "nonfatal_checks: expected" },
    { "{'nonfatal_checks': {'raw': []}}", "nonfatal_checks/raw: no format is called so" },
    { "{'nonfatal_checks': {'gpt': 'mbr'}}", "nonfatal_checks/gpt: expected" },
    { "{'nonfatal_checks': {'gpt': ['mbr', 'x']}}", "nonfatal_checks/gpt/1: unknown name “x”" },
    { "{'nonfatal_checks': {'gpt': ['capture']}}", "nonfatal_checks/gpt/0: unknown name" },
    { "{'allowed_hybrids': {'x': []}}", "allowed_hybrids/x: no format is called so" },
    { "{'allowed_hybrids': {'gpt': ['raw']}}", "allowed_hybrids/gpt/0: unknown name “raw”" },
    { "{'max_virtual_size': 0}", "max_virtual_size: 0 would allow nothing" },
    { "{'max_virtual_size': 1.5}", "max_virtual_size: expected" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *json = g_strdelimit (g_strdup (rows[i].text), "'", '"');
      g_autoptr (GError) error = NULL;

      g_assert_null (imgimport_format_policy_new_from_json (json, &error));
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, "json-invalid");
      g_assert_true (g_str_has_prefix (error->message, "format policy"));
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, rows[i].message));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/inspect/policy/good-policies-are-read", good_policies_are_read);
  g_test_add_func ("/inspect/policy/wrong-policies-are-refused-by-path",
                   wrong_policies_are_refused_by_path);
  return g_test_run ();
}
