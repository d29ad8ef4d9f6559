/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options of an import, as the request that the library takes. */
#include "cli.h"

const GOptionEntry cli_request_entries[] = {
  { "import-method", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliRequest, method),
    "How the bytes arrive, one of those that import-info lists (default: "
    "$OS_IMAGE_IMPORT_METHOD, else glance-direct)",
    "METHOD" },
  { "store", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliRequest, store),
    "The store to import into (default: the default store)", "STORE" },
  { "stores", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliRequest, stores),
    "Several stores, separated by commas", "STORES" },
  { "all-stores", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliRequest, all_stores),
    "Whether to import into every store", "true|false" },
  { "allow-failure", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliRequest, allow_failure),
    "With --stores or --all-stores: whether the import succeeds if one store does (default: true)",
    "true|false" },
  { "expected-digest", 0, 0, G_OPTION_ARG_FILENAME, CLI_OFFSET (CliRequest, expected_digest),
    "What the bytes must be, as their publisher says: sha256, sha384 or sha512, a colon and the "
    "digest in hexadecimal",
    "ALGORITHM:VALUE" },
  G_OPTION_ENTRY_NULL,
};

static gboolean
check_offered (char **offered, const char *option, const char *value, GError **error)
{
  g_autofree char *list = NULL;

  if (g_strv_contains ((const char *const *)offered, value))
    return TRUE;
  list = g_strjoinv (", ", offered);
  cli_set_usage_error (error, "%s: “%s” is not offered; there is: %s", option, value, list);
  return FALSE;
}

static gboolean
check_method (Cli *cli, const char *method, GError **error)
{
  g_auto (GStrv) offered = cli_dup_methods (cli);

  return check_offered (offered, "--import-method", method, error);
}

/* Adds "stores" to the request: those that are named, which must exist. */
static gboolean
set_stores (Cli *cli, JsonObject *request, const char *option, const char *names, GError **error)
{
  g_auto (GStrv) offered = cli_dup_stores (cli);
  /* Only --stores takes several. */
  g_auto (GStrv) chosen = g_strsplit (names, ",", g_str_equal (option, "--stores") ? -1 : 1);
  g_autoptr (JsonArray) array = json_array_new ();
  guint i;

  for (i = 0; chosen[i] != NULL; i++)
    {
      g_strstrip (chosen[i]);
      if (!check_offered (offered, option, chosen[i], error))
        return FALSE;
      json_array_add_string_element (array, chosen[i]);
    }
  json_object_set_array_member (request, "stores", g_steal_pointer (&array));
  return TRUE;
}

static gboolean
add_stores (Cli *cli, const CliRequest *self, JsonObject *request, GError **error)
{
  gboolean all = FALSE;
  gboolean allow_failure = TRUE;

  if (!cli_parse_boolean ("--all-stores", self->all_stores, &all, error) ||
      !cli_parse_boolean ("--allow-failure", self->allow_failure, &allow_failure, error))
    return FALSE;
  if ((self->store != NULL) + (self->stores != NULL) + all > 1)
    {
      cli_set_usage_error (error, "only one of --store, --stores and --all-stores can be given");
      return FALSE;
    }
  if (self->store != NULL && !set_stores (cli, request, "--store", self->store, error))
    return FALSE;
  if (self->stores != NULL && !set_stores (cli, request, "--stores", self->stores, error))
    return FALSE;
  if (all)
    json_object_set_boolean_member (request, "all_stores", TRUE);
  if (all || self->stores != NULL)
    json_object_set_boolean_member (request, "all_stores_must_succeed", !allow_failure);
  return TRUE;
}

static gboolean
add_expected_digest (const CliRequest *self, JsonObject *request, GError **error)
{
  g_auto (GStrv) parts = NULL;
  JsonObject *digest;

  if (self->expected_digest == NULL)
    return TRUE;
  parts = g_strsplit (self->expected_digest, ":", 2);
  if (g_strv_length (parts) != 2)
    {
      cli_set_usage_error (error, "--expected-digest: “%s” is not ALGORITHM:VALUE",
                           self->expected_digest);
      return FALSE;
    }
  digest = json_object_new ();
  json_object_set_string_member (digest, "algorithm", parts[0]);
  json_object_set_string_member (digest, "value", parts[1]);
  json_object_set_object_member (request, "expected_digest", digest);
  return TRUE;
}

char *
cli_request_to_json (Cli *cli, const CliRequest *self, const char *method, GError **error)
{
  g_autoptr (JsonObject) request = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *method_object = json_object_new ();

  json_object_set_string_member (method_object, "name", method);
  json_object_set_object_member (request, "method", method_object);
  if (!check_method (cli, method, error) || !add_stores (cli, self, request, error) ||
      !add_expected_digest (self, request, error))
    return NULL;
  json_node_set_object (node, request);
  return json_to_string (node, FALSE);
}
