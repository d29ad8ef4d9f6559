/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/judge.h"

struct _ImgImportInspection
{
  GObject parent_instance;

  ImgImportFacts *facts;
};

G_DEFINE_FINAL_TYPE (ImgImportInspection, imgimport_inspection, G_TYPE_OBJECT)

static void
imgimport_inspection_finalize (GObject *object)
{
  ImgImportInspection *self = IMGIMPORT_INSPECTION (object);

  _imgimport_facts_free (self->facts);
  G_OBJECT_CLASS (imgimport_inspection_parent_class)->finalize (object);
}

static void
imgimport_inspection_class_init (ImgImportInspectionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_inspection_finalize;
}

static void
imgimport_inspection_init (ImgImportInspection *self)
{
  self->facts = _imgimport_facts_new (0);
}

static ImgImportInspection *
inspection_new_take (ImgImportFacts *facts)
{
  ImgImportInspection *self = g_object_new (IMGIMPORT_TYPE_INSPECTION, NULL);

  _imgimport_facts_free (self->facts);
  self->facts = facts;
  return self;
}

ImgImportInspection *
imgimport_inspector_finish (ImgImportInspector *self)
{
  ImgImportFacts *facts;

  g_return_val_if_fail (IMGIMPORT_IS_INSPECTOR (self), NULL);

  facts = _imgimport_inspector_finish (self);
  return facts != NULL ? inspection_new_take (facts) : NULL;
}

ImgImportInspection *
imgimport_inspection_new_from_json (const char *json, GError **error)
{
  static const char *const what = "inspection";
  g_autoptr (JsonObject) object = NULL;
  ImgImportFacts *facts;

  g_return_val_if_fail (json != NULL, NULL);

  object = _imgimport_json_parse_object (json, what, error);
  if (object == NULL)
    return NULL;
  facts = _imgimport_facts_from_json (object, what, error);
  return facts != NULL ? inspection_new_take (facts) : NULL;
}

char *
imgimport_inspection_to_json (ImgImportInspection *self)
{
  GString *out;

  g_return_val_if_fail (IMGIMPORT_IS_INSPECTION (self), NULL);

  out = g_string_new (NULL);
  _imgimport_facts_write (self->facts, out, NULL);
  return g_string_free (out, FALSE);
}

guint64
imgimport_inspection_get_size (ImgImportInspection *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_INSPECTION (self), 0);

  return self->facts->size;
}

/* NULL unless it is the only one. */
static const ImgImportMatch *
only_match (ImgImportInspection *self)
{
  return self->facts->matches->len == 1 ? g_ptr_array_index (self->facts->matches, 0) : NULL;
}

const char *
imgimport_inspection_get_format (ImgImportInspection *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_INSPECTION (self), NULL);

  if (self->facts->matches->len == 0)
    return IMGIMPORT_FORMAT_RAW;
  return only_match (self) != NULL ? only_match (self)->format : NULL;
}

guint64
imgimport_inspection_get_virtual_size (ImgImportInspection *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_INSPECTION (self), IMGIMPORT_SIZE_UNKNOWN);

  if (self->facts->matches->len == 0)
    return self->facts->size;
  return only_match (self) != NULL ? only_match (self)->virtual_size : IMGIMPORT_SIZE_UNKNOWN;
}

char **
imgimport_inspection_dup_formats (ImgImportInspection *self)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  g_return_val_if_fail (IMGIMPORT_IS_INSPECTION (self), NULL);

  for (guint i = 0; i < self->facts->matches->len; i++)
    {
      const ImgImportMatch *match = g_ptr_array_index (self->facts->matches, i);

      g_strv_builder_add (names, match->format);
    }
  return g_strv_builder_end (names);
}

/* The checks of a format; NULL where it does not match. */
static const GArray *
checks_of (ImgImportInspection *self, const char *format)
{
  for (guint i = 0; i < self->facts->matches->len; i++)
    {
      const ImgImportMatch *match = g_ptr_array_index (self->facts->matches, i);

      if (strcmp (match->format, format) == 0)
        return match->checks;
    }
  return NULL;
}

char **
imgimport_inspection_dup_checks (ImgImportInspection *self, const char *format)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  const GArray *checks;

  g_return_val_if_fail (IMGIMPORT_IS_INSPECTION (self), NULL);
  g_return_val_if_fail (format != NULL, NULL);

  checks = checks_of (self, format);
  for (guint i = 0; checks != NULL && i < checks->len; i++)
    g_strv_builder_add (names, g_array_index (checks, ImgImportCheck, i).name);
  return g_strv_builder_end (names);
}

const char *
imgimport_inspection_get_fault (ImgImportInspection *self, const char *format, const char *check)
{
  const GArray *checks;

  g_return_val_if_fail (IMGIMPORT_IS_INSPECTION (self), NULL);
  g_return_val_if_fail (format != NULL, NULL);
  g_return_val_if_fail (check != NULL, NULL);

  checks = checks_of (self, format);
  for (guint i = 0; checks != NULL && i < checks->len; i++)
    {
      const ImgImportCheck *each = &g_array_index (checks, ImgImportCheck, i);

      if (strcmp (each->name, check) == 0)
        return each->reason;
    }
  return NULL;
}

gboolean
imgimport_inspection_judge (ImgImportInspection *self, ImgImportFormatPolicy *policy,
                            const char *disk_format, const char *container_format,
                            const char **format, guint64 *virtual_size, GError **error)
{
  g_autoptr (ImgImportFormatPolicy) rules = NULL;
  ImgImportVerdict verdict;
  gboolean accepted;

  g_return_val_if_fail (IMGIMPORT_IS_INSPECTION (self), FALSE);
  g_return_val_if_fail (policy == NULL || IMGIMPORT_IS_FORMAT_POLICY (policy), FALSE);

  rules =
      policy != NULL ? g_object_ref (policy) : g_object_new (IMGIMPORT_TYPE_FORMAT_POLICY, NULL);
  accepted =
      _imgimport_facts_judge (self->facts, rules, disk_format, container_format, &verdict, error);
  if (format != NULL)
    *format = verdict.format;
  if (virtual_size != NULL)
    *virtual_size = verdict.virtual_size;
  return accepted;
}
