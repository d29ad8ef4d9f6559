/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/format.h"

#define RAW "raw"

static char *
list_formats (const ImgImportFacts *facts)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < facts->matches->len; i++)
    {
      const ImgImportMatch *match = g_ptr_array_index (facts->matches, i);

      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", match->format);
    }
  return g_string_free (g_steal_pointer (&names), FALSE);
}

static gboolean
is_inspectable (const char *format)
{
  return g_strcmp0 (format, RAW) == 0 || _imgimport_format_lookup (format) != NULL;
}

static gboolean
is_tolerated (const ImgImportMatch *match, const char *check, const ImgImportFormatPolicy *policy)
{
  return strcmp (match->format, "gpt") == 0 && policy->gpt_nonfatal != NULL &&
         g_strv_contains (policy->gpt_nonfatal, check);
}

static gboolean
judge_safety (const ImgImportMatch *match, const ImgImportFormatPolicy *policy, GError **error)
{
  g_autoptr (GString) faults = g_string_new (NULL);

  for (guint i = 0; i < match->checks->len; i++)
    {
      const ImgImportCheck *check = &g_array_index (match->checks, ImgImportCheck, i);

      if (!check->passed && !is_tolerated (match, check->name, policy))
        g_string_append_printf (faults, "%s%s (%s)", faults->len > 0 ? ", " : "", check->name,
                                check->reason);
    }
  if (faults->len == 0)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "format-unsafe",
                        "the image is %s and failed safety checks: %s", match->format, faults->str);
  return FALSE;
}

/* Sets what the image is and how large, where declared and detected format agree. Every disk with a
 * partition table is also a raw one; formats that cannot be told from their bytes look raw. */
static gboolean
agree (const ImgImportFacts *facts, const ImgImportMatch *match, const char *declared,
       ImgImportVerdict *verdict)
{
  gboolean declared_raw = g_strcmp0 (declared, RAW) == 0;

  verdict->format = match != NULL ? match->format : RAW;
  verdict->virtual_size = declared_raw ? facts->size : IMGIMPORT_SIZE_UNKNOWN;
  if (match == NULL)
    return declared_raw || !is_inspectable (declared);
  if (g_strcmp0 (declared, match->format) != 0)
    return declared_raw && strcmp (match->format, "gpt") == 0;
  verdict->virtual_size = match->virtual_size;
  return TRUE;
}

static gboolean
judge_virtual_size (guint64 virtual_size, const ImgImportFormatPolicy *policy, GError **error)
{
  if (virtual_size == IMGIMPORT_SIZE_UNKNOWN || virtual_size <= policy->max_virtual_size)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_LIMIT, "virtual-size-limit",
                        "the disk inside has %" G_GUINT64_FORMAT
                        " bytes, max_virtual_size allows %" G_GUINT64_FORMAT,
                        virtual_size, policy->max_virtual_size);
  return FALSE;
}

gboolean
_imgimport_facts_judge (const ImgImportFacts *self, const ImgImportFormatPolicy *policy,
                        const char *disk_format, const char *container_format,
                        ImgImportVerdict *verdict, GError **error)
{
  const ImgImportMatch *match = NULL;

  *verdict = (ImgImportVerdict){ disk_format, IMGIMPORT_SIZE_UNKNOWN };
  if (g_strcmp0 (container_format, "bare") != 0)
    return TRUE;
  if (self->matches->len > 1)
    {
      g_autofree char *names = list_formats (self);

      _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "format-ambiguous",
                            "the image is of several formats at once: %s", names);
      return FALSE;
    }
  if (self->matches->len == 1)
    match = g_ptr_array_index (self->matches, 0);
  if (!agree (self, match, disk_format, verdict) && policy->require_match)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "format-mismatch",
                            "the image is declared %s but is %s", disk_format, verdict->format);
      return FALSE;
    }
  if (match != NULL && (!judge_safety (match, policy, error) ||
                        !judge_virtual_size (match->virtual_size, policy, error)))
    return FALSE;
  return judge_virtual_size (verdict->virtual_size, policy, error);
}
