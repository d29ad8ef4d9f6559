/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

static void
getters (void)
{
  static const char *const roles[] = { "member", "reader", NULL };
  g_autoptr (ImgImportContext) context =
      imgimport_context_new ("project", "user", roles, FALSE, "req-1", NULL);

  g_assert_cmpstr (imgimport_context_get_owner (context), ==, "project");
  g_assert_cmpstr (imgimport_context_get_user (context), ==, "user");
  g_assert_cmpstr (imgimport_context_get_roles (context)[0], ==, "member");
  g_assert_cmpstr (imgimport_context_get_roles (context)[1], ==, "reader");
  g_assert_null (imgimport_context_get_roles (context)[2]);
  g_assert_false (imgimport_context_get_is_admin (context));
  g_assert_cmpstr (imgimport_context_get_request_id (context), ==, "req-1");
  g_assert_false (_imgimport_context_is_admin (context));
  g_assert_cmpstr (_imgimport_context_owner (context), ==, "project");
}

static void
null_is_a_nameless_administrator (void)
{
  g_assert_true (_imgimport_context_is_admin (NULL));
  g_assert_null (_imgimport_context_owner (NULL));
}

static void
an_administrator_needs_no_owner (void)
{
  static const char *const owners[] = { NULL, "" };

  for (gsize i = 0; i < G_N_ELEMENTS (owners); i++)
    {
      g_autoptr (ImgImportContext) context =
          imgimport_context_new (owners[i], NULL, NULL, TRUE, NULL, NULL);

      g_assert_null (imgimport_context_get_owner (context));
      g_assert_null (imgimport_context_get_user (context));
      g_assert_null (imgimport_context_get_request_id (context));
      g_assert_null (imgimport_context_get_roles (context)[0]);
      g_assert_true (_imgimport_context_is_admin (context));
    }
}

static void
assert_refused (const char *owner, const char *user, const char *const *roles,
                const char *request_id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportContext) context =
      imgimport_context_new (owner, user, roles, FALSE, request_id, &error);

  g_assert_null (context);
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "context-invalid");
}

static void
wrong_callers_are_refused (void)
{
  g_autofree char *fits = g_strnfill (255, 'x');
  g_autofree char *too_long = g_strnfill (256, 'x');
  const char *const long_role[] = { "member", too_long, NULL };
  static const char *const bad_role[] = { "\xff", NULL };
  g_autoptr (ImgImportContext) context =
      imgimport_context_new (fits, fits, NULL, FALSE, fits, NULL);

  g_assert_nonnull (context);
  assert_refused (NULL, "user", NULL, NULL);
  assert_refused ("", "user", NULL, NULL);
  assert_refused (too_long, NULL, NULL, NULL);
  assert_refused ("\xff", NULL, NULL, NULL);
  assert_refused ("project", too_long, NULL, NULL);
  assert_refused ("project", "\xc3", NULL, NULL);
  assert_refused ("project", NULL, long_role, NULL);
  assert_refused ("project", NULL, bad_role, NULL);
  assert_refused ("project", NULL, NULL, too_long);
  assert_refused ("project", NULL, NULL, "\xff");
}

static void
too_many_roles_are_refused (void)
{
  const char *roles[130] = { NULL };
  g_autoptr (ImgImportContext) context = NULL;

  for (gsize i = 0; i < 129; i++)
    roles[i] = "r";
  assert_refused ("project", NULL, roles, NULL);
  roles[128] = NULL;
  context = imgimport_context_new ("project", NULL, roles, FALSE, NULL, NULL);
  g_assert_nonnull (context);
}

static void
round_trip (void)
{
  static const char *const roles[] = { "member", NULL };
  g_autoptr (ImgImportContext) context =
      imgimport_context_new ("project", NULL, roles, TRUE, "req-1", NULL);
  g_autofree char *json = imgimport_context_to_json (context);
  g_autoptr (ImgImportContext) read = imgimport_context_new_from_json (json, NULL);
  g_autofree char *again = imgimport_context_to_json (read);

  g_assert_cmpstr (json, ==,
                   "{\"owner\":\"project\",\"user\":null,\"roles\":[\"member\"],\"is_admin\":true,"
                   "\"request_id\":\"req-1\"}");
  g_assert_cmpstr (again, ==, json);
}

static void
wrong_documents_are_refused (void)
{
  static const char *const wrong[][2] = { { "", "" },
                                          { "[]", "" },
                                          { "{}", "owner" },
                                          { "{\"owner\": 1}", "owner" },
                                          { "{\"owner\": \"a\", \"user\": 1}", "user" },
                                          { "{\"owner\": \"a\", \"roles\": \"b\"}", "roles" },
                                          { "{\"owner\": \"a\", \"roles\": [1]}", "roles" },
                                          { "{\"owner\": \"a\", \"is_admin\": \"yes\"}",
                                            "is_admin" },
                                          { "{\"owner\": \"a\", \"request_id\": 1}", "request_id" },
                                          { "{\"owner\": \"a\", \"token\": \"b\"}", "token" } };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ImgImportContext) context = imgimport_context_new_from_json (wrong[i][0], &error);

      g_assert_null (context);
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (error->message, wrong[i][1]));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/context/getters", getters);
  g_test_add_func ("/model/context/null-is-a-nameless-administrator",
                   null_is_a_nameless_administrator);
  g_test_add_func ("/model/context/an-administrator-needs-no-owner",
                   an_administrator_needs_no_owner);
  g_test_add_func ("/model/context/wrong-callers-are-refused", wrong_callers_are_refused);
  g_test_add_func ("/model/context/too-many-roles-are-refused", too_many_roles_are_refused);
  g_test_add_func ("/model/context/round-trip", round_trip);
  g_test_add_func ("/model/context/wrong-documents-are-refused", wrong_documents_are_refused);
  return g_test_run ();
}
