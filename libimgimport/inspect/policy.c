/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/judge.h"

#define WHAT "format policy"

G_DEFINE_FINAL_TYPE (ImgImportFormatPolicy, imgimport_format_policy, G_TYPE_OBJECT)

static GHashTable *
map_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
}

static void
imgimport_format_policy_finalize (GObject *object)
{
  ImgImportFormatPolicy *self = IMGIMPORT_FORMAT_POLICY (object);

  g_strfreev (self->allowed);
  g_hash_table_unref (self->nonfatal);
  g_hash_table_unref (self->hybrids);
  G_OBJECT_CLASS (imgimport_format_policy_parent_class)->finalize (object);
}

static void
imgimport_format_policy_class_init (ImgImportFormatPolicyClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_format_policy_finalize;
}

static void
imgimport_format_policy_init (ImgImportFormatPolicy *self)
{
  /* Live media carry a table, and a VHD of fixed size begins with its disk's own. */
  static const char *const beside_tables[] = { "iso", "vhd" };
  static const char *const tables[] = { "gpt", "mbr", NULL };

  self->require_match = TRUE;
  self->nonfatal = map_new ();
  self->hybrids = map_new ();
  for (guint i = 0; i < G_N_ELEMENTS (beside_tables); i++)
    g_hash_table_insert (self->hybrids, g_strdup (beside_tables[i]), g_strdupv ((char **)tables));
  self->max_virtual_size = IMGIMPORT_SIZE_UNKNOWN;
}

static gboolean
is_format (const char *format, const char *name)
{
  return _imgimport_format_lookup (name) != NULL;
}

static gboolean
is_check (const char *format, const char *name)
{
  return g_strv_contains (_imgimport_format_lookup (format)->checks, name);
}

/* Reads the names of one format's list; `is_known` is what they must be. */
static gboolean
read_list (const ImgImportJsonCursor *cursor, const char *format,
           gboolean (*is_known) (const char *format, const char *name), GHashTable *map,
           GError **error)
{
  g_auto (GStrv) names = NULL;

  if (_imgimport_format_lookup (format) == NULL)
    {
      _imgimport_json_set_error (cursor, format, "json-invalid", error, "no format is called so");
      return FALSE;
    }
  if (!_imgimport_json_strv (cursor, format, &names, error))
    return FALSE;
  for (guint i = 0; names[i] != NULL; i++)
    {
      if (!is_known (format, names[i]))
        {
          g_autofree char *element = g_strdup_printf ("%s/%u", format, i);

          _imgimport_json_set_error (cursor, element, "json-invalid", error, "unknown name “%s”",
                                     names[i]);
          return FALSE;
        }
    }
  g_hash_table_insert (map, g_strdup (format), g_steal_pointer (&names));
  return TRUE;
}

static gboolean
read_map (const ImgImportJsonCursor *parent, const char *member,
          gboolean (*is_known) (const char *format, const char *name), GHashTable *map,
          GError **error)
{
  g_autofree char *path =
      g_strdup_printf ("%s%s%s", parent->path, *parent->path != '\0' ? "/" : "", member);
  ImgImportJsonCursor cursor = { NULL, parent->what, path };
  g_autoptr (GList) formats = NULL;

  if (!_imgimport_json_object (parent, member, &cursor.object, error))
    return FALSE;
  if (cursor.object == NULL)
    return TRUE;
  g_hash_table_remove_all (map);
  formats = json_object_get_members (cursor.object);
  for (const GList *each = formats; each != NULL; each = each->next)
    {
      if (!read_list (&cursor, each->data, is_known, map, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_allowed (const ImgImportJsonCursor *cursor, char ***allowed, GError **error)
{
  static const char *const member = "allowed_formats";
  g_auto (GStrv) names = NULL;

  if (!_imgimport_json_strv (cursor, member, &names, error))
    return FALSE;
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    {
      if (strcmp (names[i], IMGIMPORT_FORMAT_RAW) != 0 &&
          _imgimport_format_lookup (names[i]) == NULL)
        {
          g_autofree char *element = g_strdup_printf ("%s/%u", member, i);

          _imgimport_json_set_error (cursor, element, "json-invalid", error,
                                     "no format is called “%s”", names[i]);
          return FALSE;
        }
    }
  if (names != NULL && names[0] == NULL)
    {
      _imgimport_json_set_error (cursor, member, "json-invalid", error, "would allow nothing");
      return FALSE;
    }
  *allowed = g_steal_pointer (&names);
  return TRUE;
}

static ImgImportFormatPolicy *
policy_read (const ImgImportJsonCursor *cursor, GError **error)
{
  static const char *const known[] = { "require_match",   "allowed_formats",  "nonfatal_checks",
                                       "allowed_hybrids", "max_virtual_size", NULL };
  g_autoptr (ImgImportFormatPolicy) self = g_object_new (IMGIMPORT_TYPE_FORMAT_POLICY, NULL);

  if (_imgimport_json_only (cursor, known, error) &&
      _imgimport_json_boolean (cursor, "require_match", &self->require_match, error) &&
      read_allowed (cursor, &self->allowed, error) &&
      read_map (cursor, "nonfatal_checks", is_check, self->nonfatal, error) &&
      read_map (cursor, "allowed_hybrids", is_format, self->hybrids, error) &&
      _imgimport_json_limit (cursor, "max_virtual_size", &self->max_virtual_size, error))
    return g_steal_pointer (&self);
  return NULL;
}

ImgImportFormatPolicy *
_imgimport_format_policy_read (const ImgImportJsonCursor *parent, const char *member,
                               GError **error)
{
  ImgImportJsonCursor cursor = { NULL, parent->what, member };

  if (!_imgimport_json_object (parent, member, &cursor.object, error))
    return NULL;
  return cursor.object != NULL ? policy_read (&cursor, error)
                               : g_object_new (IMGIMPORT_TYPE_FORMAT_POLICY, NULL);
}

ImgImportFormatPolicy *
imgimport_format_policy_new_from_json (const char *json, GError **error)
{
  g_autoptr (JsonObject) object =
      _imgimport_json_parse_object (json != NULL ? json : "{}", WHAT, error);
  const ImgImportJsonCursor cursor = { object, WHAT, "" };

  return object != NULL ? policy_read (&cursor, error) : NULL;
}
