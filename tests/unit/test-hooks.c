/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/hooks-private.h"
#include "methods/methods-private.h"
#include "spi/spi-private.h"

#define ID "0b7b1c5e-4f0c-4a31-9a3b-2f8a4e9d6c11"

/* ---- running a hook -------------------------------------------------------------------------- */

static void
remember (GLogLevelFlags level, const char *message, gpointer user_data)
{
  g_string_append_printf (user_data, "%s%s\n", level == G_LOG_LEVEL_DEBUG ? "debug: " : "",
                          message);
}

static ImgImportCall *
call_of (ImgImportContext *context, const char *staged_key, GString *logged)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImage) image = NULL;
  g_autoptr (ImgImportLog) log = _imgimport_log_new (remember, logged, NULL);

  image = imgimport_image_new_from_json ("{\"id\": \"" ID "\", \"status\": \"importing\"}", &error);
  g_assert_no_error (error);
  return _imgimport_call_new (image, context, "{}", "job-7", staged_key, log);
}

static ImgImportContext *
caller (gboolean is_admin, const char *role)
{
  const char *const roles[] = { "reader", role, NULL };
  g_autoptr (GError) error = NULL;
  ImgImportContext *context = NULL;

  context = imgimport_context_new ("project", NULL, roles, is_admin, NULL, &error);
  g_assert_no_error (error);
  return context;
}

static ImgImportHook *
inject_metadata (const char *options, GError **error)
{
  g_autoptr (ImgImportHook) hook = NULL;
  g_autoptr (JsonObject) object = NULL;

  hook = _imgimport_hook_new ("inject-metadata", &_imgimport_hook_inject_metadata_vtable,
                              _imgimport_hook_inject_metadata_new (),
                              _imgimport_hook_inject_metadata_free, error);
  g_assert_nonnull (hook);
  object = options != NULL ? _imgimport_json_parse_object (options, "test", error) : NULL;
  g_assert_true ((object != NULL) == (options != NULL));
  if (!_imgimport_hook_configure (hook, object, error))
    return NULL;
  return g_steal_pointer (&hook);
}

/* How many properties the hook sets for this caller; `context` is NULL for the host. */
static guint
count_injected (const char *options, ImgImportContext *context)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) logged = g_string_new (NULL);
  g_autoptr (ImgImportHook) hook = inject_metadata (options, &error);
  g_autoptr (ImgImportCall) call = call_of (context, NULL, logged);

  g_assert_no_error (error);
  g_assert_true (_imgimport_hook_metadata (hook, call, NULL, &error));
  g_assert_no_error (error);
  return g_hash_table_size (_imgimport_call_get_properties (call));
}

/* ---- inject-metadata ------------------------------------------------------------------------- */

#define TWO "\"inject\": {\"os_distro\": \"debian\", \"tier\": \"gold\"}"

static void
members_get_the_properties (void)
{
  g_autoptr (ImgImportContext) member = caller (FALSE, "member");

  g_assert_cmpuint (count_injected ("{" TWO "}", member), ==, 2);
}

static void
administrators_do_not (void)
{
  g_autoptr (ImgImportContext) role = caller (FALSE, "admin");
  g_autoptr (ImgImportContext) flag = caller (TRUE, "member");

  g_assert_cmpuint (count_injected ("{" TWO "}", role), ==, 0);
  g_assert_cmpuint (count_injected ("{" TWO "}", flag), ==, 0);
  g_assert_cmpuint (count_injected ("{" TWO "}", NULL), ==, 0);
}

static void
nothing_to_inject_injects_nothing (void)
{
  g_autoptr (ImgImportContext) member = caller (FALSE, "member");

  g_assert_cmpuint (count_injected (NULL, member), ==, 0);
  g_assert_cmpuint (count_injected ("{}", member), ==, 0);
  g_assert_cmpuint (count_injected ("{\"inject\": {}}", member), ==, 0);
}

static void
ignored_roles_replace_the_default (void)
{
  const char *options = "{" TWO ", \"ignore_user_roles\": [\"trusted\", \"member\"]}";
  const char *nobody = "{" TWO ", \"ignore_user_roles\": []}";
  g_autoptr (ImgImportContext) member = caller (FALSE, "member");
  g_autoptr (ImgImportContext) admin = caller (TRUE, "admin");

  g_assert_cmpuint (count_injected (options, member), ==, 0);
  g_assert_cmpuint (count_injected (options, admin), ==, 2);
  g_assert_cmpuint (count_injected (options, NULL), ==, 2);
  g_assert_cmpuint (count_injected (nobody, admin), ==, 2);
}

static void
reserved_names_are_dropped_others_merged (void)
{
  g_autoptr (ImgImportContext) member = caller (FALSE, "member");

  g_assert_cmpuint (
      count_injected ("{\"inject\": {\"os_glance_x\": \"1\", \"tier\": \"2\"}}", member), ==, 1);
}

static void
a_base_property_fails_the_hook (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) logged = g_string_new (NULL);
  g_autoptr (ImgImportContext) member = caller (FALSE, "member");
  g_autoptr (ImgImportHook) hook =
      inject_metadata ("{\"inject\": {\"status\": \"active\"}}", &error);
  g_autoptr (ImgImportCall) call = call_of (member, NULL, logged);

  g_assert_false (_imgimport_hook_metadata (hook, call, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_PERMISSION);
  g_assert_true (g_str_has_prefix (error->message, "hook “inject-metadata”: "));
}

static void
wrong_options_are_refused_by_path (void)
{
  static const struct
  {
    const char *options;
    const char *path;
  } cases[] = {
    { "{\"injekt\": {}}", "injekt" },
    { "{\"inject\": []}", "inject" },
    { "{\"inject\": {\"tier\": 7}}", "inject/tier" },
    { "{\"inject\": {\"tier\": null}}", "inject/tier" },
    { "{\"ignore_user_roles\": \"admin\"}", "ignore_user_roles" },
    { "{\"ignore_user_roles\": [7]}", "ignore_user_roles/0" },
  };
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *prefix = NULL;

      g_assert_null (inject_metadata (cases[i].options, &error));
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      prefix = g_strconcat ("hook “inject-metadata”: options: ", cases[i].path, ": ", NULL);
      if (!g_str_has_prefix (error->message, prefix))
        g_error ("“%s” does not begin with “%s”", error->message, prefix);
    }
}

static void
options_that_are_no_document_are_refused (void)
{
  gpointer self = _imgimport_hook_inject_metadata_new ();
  g_autoptr (GError) error = NULL;

  g_assert_false (_imgimport_hook_inject_metadata_vtable.configure (self, "[]", &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  _imgimport_hook_inject_metadata_free (self);
}

/* ---- filters of a source that fails ---------------------------------------------------------- */

static gboolean
lost_read (gpointer source, void *buffer, gsize length, gsize *n_read, GCancellable *cancellable,
           GError **error)
{
  _imgimport_set_error (error, IMGIMPORT_ERROR_UNAVAILABLE, "connection-lost", "it hung up");
  return FALSE;
}

static void
decompress_tells_what_its_source_says (void)
{
  g_autoptr (ImgImportHook) hook = _imgimport_hook_new (
      "decompress", &_imgimport_hook_decompress_vtable, _imgimport_hook_decompress_new (),
      _imgimport_hook_decompress_free, NULL);
  g_autoptr (ImgImportUpstream) upstream = _imgimport_upstream_new (lost_read, NULL);
  g_autoptr (ImgImportCall) call = call_of (NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;
  ImgImportHookFilter *filter = NULL;

  g_assert_false (_imgimport_hook_open (hook, call, upstream, &filter, NULL, &error));
  g_assert_null (filter);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "connection-lost");
}

static gboolean
open_idle (gpointer self, ImgImportCall *call, ImgImportUpstream *upstream, gpointer *filter,
           GCancellable *cancellable, GError **error)
{
  *filter = upstream;
  return TRUE;
}

static gboolean
read_idle (gpointer self, gpointer filter, void *buffer, gsize length, gsize *n_read,
           GCancellable *cancellable, GError **error)
{
  return TRUE;
}

static void
close_idle (gpointer self, gpointer filter)
{
}

/* It ended, and whether its source does is not known. */
static void
end_of_a_filter_is_its_sources_end (void)
{
  static const ImgImportHookVTable idle = { IMGIMPORT_HOOK_VTABLE_INIT, .open = open_idle,
                                            .read = read_idle, .close = close_idle };
  g_autoptr (ImgImportHook) hook = _imgimport_hook_new ("idle", &idle, NULL, NULL, NULL);
  g_autoptr (ImgImportUpstream) upstream = _imgimport_upstream_new (lost_read, NULL);
  g_autoptr (ImgImportCall) call = call_of (NULL, NULL, NULL);
  g_autoptr (ImgImportHookFilter) filter = NULL;
  g_autoptr (GError) error = NULL;
  guint8 byte;
  gsize n_read = 0;

  g_assert_true (_imgimport_hook_open (hook, call, upstream, &filter, NULL, &error));
  g_assert_false (_imgimport_hook_filter_read (filter, &byte, 1, &n_read, NULL, &error));
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "connection-lost");
}

/* ---- decompress ------------------------------------------------------------------------------ */

static void
decompress_takes_its_limits (void)
{
  static const struct
  {
    const char *options;
    const char *path; /* of what is wrong; NULL: nothing */
  } cases[] = {
    { "{}", NULL },
    { "{\"max_ratio\": 1, \"max_memory\": 1048576, \"max_members\": 1}", NULL },
    { "{\"max_ratio\": 0}", "max_ratio" },
    { "{\"max_memory\": 1048575}", "max_memory" },
    { "{\"max_members\": 10001}", "max_members" },
    { "{\"max_members\": \"3\"}", "max_members" },
    { "{\"max_size\": 1}", "max_size" },
    { "[]", "" },
  };
  gpointer self = _imgimport_hook_decompress_new ();
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean ok = _imgimport_hook_decompress_vtable.configure (self, cases[i].options, &error);

      g_assert_true (ok == (cases[i].path == NULL));
      if (!ok)
        g_assert_nonnull (strstr (error->message, cases[i].path));
    }
  _imgimport_hook_decompress_free (self);
}

/* ---- no-op and glance-direct ----------------------------------------------------------------- */

static void
no_op_logs_and_changes_nothing (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) logged = g_string_new (NULL);
  g_autoptr (ImgImportCall) call = call_of (NULL, NULL, logged);
  g_autoptr (ImgImportHook) hook = NULL;

  hook = _imgimport_hook_new ("no-op", &_imgimport_hook_no_op_vtable, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (_imgimport_hook_metadata (hook, call, NULL, &error));
  g_assert_true (g_str_has_prefix (logged->str, "debug: image " ID ", job job-7: "));
  g_assert_cmpuint (g_hash_table_size (_imgimport_call_get_properties (call)), ==, 0);
}

static void
glance_direct_imports_what_is_staged (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) logged = g_string_new (NULL);
  g_autoptr (ImgImportCall) staged = call_of (NULL, "k.1.0", logged);
  g_autoptr (ImgImportCall) not_staged = call_of (NULL, NULL, logged);
  g_autoptr (ImgImportMethod) method = NULL;
  ImgImportMethodStream *stream = NULL;

  method = _imgimport_method_new ("glance-direct", &_imgimport_method_glance_direct_vtable, NULL,
                                  NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (_imgimport_method_get_required_status (method), ==, IMGIMPORT_STATUS_UPLOADING);
  g_assert_true (_imgimport_method_open (method, staged, &stream, NULL, &error));
  g_assert_null (stream);
  g_assert_true (_imgimport_call_uses_staged (staged));
  g_assert_false (_imgimport_method_open (method, not_staged, &stream, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_STATE);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "not-staged");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/F099-I01/members-get-the-properties", members_get_the_properties);
  g_test_add_func ("/conformance/F099-I01/administrators-do-not", administrators_do_not);
  g_test_add_func ("/conformance/F099-I01/nothing-to-inject-injects-nothing",
                   nothing_to_inject_injects_nothing);
  g_test_add_func ("/conformance/F099/ignored-roles-replace-the-default",
                   ignored_roles_replace_the_default);
  g_test_add_func ("/conformance/F099-E20/reserved-names-are-dropped-others-merged",
                   reserved_names_are_dropped_others_merged);
  g_test_add_func ("/hooks/inject-metadata/a-base-property-fails-the-hook",
                   a_base_property_fails_the_hook);
  g_test_add_func ("/hooks/inject-metadata/wrong-options-are-refused-by-path",
                   wrong_options_are_refused_by_path);
  g_test_add_func ("/hooks/inject-metadata/options-that-are-no-document-are-refused",
                   options_that_are_no_document_are_refused);
  g_test_add_func ("/hooks/decompress/tells-what-its-source-says",
                   decompress_tells_what_its_source_says);
  g_test_add_func ("/hooks/filter/end-is-its-sources-end", end_of_a_filter_is_its_sources_end);
  g_test_add_func ("/hooks/decompress/takes-its-limits", decompress_takes_its_limits);
  g_test_add_func ("/hooks/no-op/logs-and-changes-nothing", no_op_logs_and_changes_nothing);
  g_test_add_func ("/conformance/F046/glance-direct-imports-what-is-staged",
                   glance_direct_imports_what_is_staged);
  return g_test_run ();
}
