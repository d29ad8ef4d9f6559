/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/judge.h"

static const ImgImportMatch *
match_at (const ImgImportFacts *facts, guint index)
{
  return g_ptr_array_index (facts->matches, index);
}

/* Whether each match but the first `format` is listed as what that may be too. */
static gboolean
is_hybrid (const ImgImportFacts *facts, guint index, const ImgImportFormatPolicy *policy)
{
  const char *const *others =
      g_hash_table_lookup (policy->hybrids, match_at (facts, index)->format);

  if (others == NULL)
    return FALSE;
  for (guint i = 0; i < facts->matches->len; i++)
    {
      if (i != index && !g_strv_contains (others, match_at (facts, i)->format))
        return FALSE;
    }
  return TRUE;
}

/* Finds the one match that counts; NULL where there is none at all. */
static gboolean
find_match (const ImgImportFacts *facts, const ImgImportFormatPolicy *policy,
            const ImgImportMatch **match, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  *match = NULL;
  for (guint i = 0; i < facts->matches->len; i++)
    {
      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", match_at (facts, i)->format);
      if (facts->matches->len == 1 || (*match == NULL && is_hybrid (facts, i, policy)))
        *match = match_at (facts, i);
    }
  if (*match != NULL || facts->matches->len == 0)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "format-ambiguous",
                        "the image is of several formats at once: %s", names->str);
  return FALSE;
}

static gboolean
is_raw (const char *format)
{
  return strcmp (format, IMGIMPORT_FORMAT_RAW) == 0;
}

static ImgImportFormatKind
kind_of (const ImgImportMatch *match)
{
  return match != NULL ? _imgimport_format_lookup (match->format)->kind : IMGIMPORT_FORMAT_DISK;
}

/* Whether a match may be declared so. Every disk with a partition table is also a raw one, and to
 * Glance any such table is gpt; ploop keeps its bytes as Parallels does. */
static gboolean
may_be_declared (const ImgImportMatch *match, const char *declared)
{
  if (strcmp (declared, match->format) == 0)
    return TRUE;
  if (kind_of (match) == IMGIMPORT_FORMAT_PARTITIONS)
    return is_raw (declared) || strcmp (declared, "gpt") == 0;
  return strcmp (declared, "ploop") == 0 && strcmp (match->format, "parallels") == 0;
}

/* Formats that cannot be told from their bytes look raw; what is packed is no disk. */
static gboolean
agrees (const ImgImportMatch *match, const char *declared)
{
  if (kind_of (match) == IMGIMPORT_FORMAT_ENVELOPE)
    return FALSE;
  if (declared == NULL)
    return TRUE;
  if (match == NULL)
    return is_raw (declared) || _imgimport_format_lookup (declared) == NULL;
  return may_be_declared (match, declared);
}

/* Sets what the image is taken for and how large, where declared and detected format agree. */
static gboolean
judge_match (const ImgImportFacts *facts, const ImgImportMatch *match,
             const ImgImportFormatPolicy *policy, const char *declared, ImgImportVerdict *verdict,
             GError **error)
{
  gboolean is_disk = kind_of (match) != IMGIMPORT_FORMAT_ENVELOPE;

  verdict->format = match != NULL ? match->format : IMGIMPORT_FORMAT_RAW;
  verdict->virtual_size =
      is_raw (declared != NULL ? declared : verdict->format) ? facts->size : IMGIMPORT_SIZE_UNKNOWN;
  if (agrees (match, declared))
    {
      if (match != NULL)
        verdict->virtual_size = match->virtual_size;
      return TRUE;
    }
  if (!policy->require_match)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "format-mismatch",
                        "the image is declared %s but is %s%s",
                        declared != NULL ? declared : "a disk", verdict->format,
                        is_disk ? "" : ", and nothing unpacked it");
  return FALSE;
}

static gboolean
judge_allowed (const ImgImportMatch *match, const ImgImportFormatPolicy *policy, GError **error)
{
  const char *const *allowed = (const char *const *)policy->allowed;
  const char *format = match != NULL ? match->format : IMGIMPORT_FORMAT_RAW;
  g_autofree char *names = NULL;

  if (allowed == NULL || g_strv_contains (allowed, format) ||
      (kind_of (match) == IMGIMPORT_FORMAT_PARTITIONS &&
       g_strv_contains (allowed, IMGIMPORT_FORMAT_RAW)))
    return TRUE;
  names = g_strjoinv (", ", policy->allowed);
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "format-not-allowed",
                        "the image is %s, allowed_formats has %s", format, names);
  return FALSE;
}

static gboolean
judge_safety (const ImgImportMatch *match, const ImgImportFormatPolicy *policy, GError **error)
{
  const char *const *tolerated = g_hash_table_lookup (policy->nonfatal, match->format);
  g_autoptr (GString) faults = g_string_new (NULL);

  for (guint i = 0; i < match->checks->len; i++)
    {
      const ImgImportCheck *check = &g_array_index (match->checks, ImgImportCheck, i);

      if (!check->passed && (tolerated == NULL || !g_strv_contains (tolerated, check->name)))
        g_string_append_printf (faults, "%s%s (%s)", faults->len > 0 ? ", " : "", check->name,
                                check->reason);
    }
  if (faults->len == 0)
    return TRUE;
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "format-unsafe",
                        "the image is %s and failed safety checks: %s", match->format, faults->str);
  return FALSE;
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
_imgimport_facts_judge (const ImgImportFacts *self, ImgImportFormatPolicy *policy,
                        const char *disk_format, const char *container_format,
                        ImgImportVerdict *verdict, GError **error)
{
  const ImgImportMatch *match;

  *verdict = (ImgImportVerdict){ NULL, IMGIMPORT_SIZE_UNKNOWN };
  if (container_format != NULL && strcmp (container_format, "bare") != 0)
    return TRUE;
  if (!find_match (self, policy, &match, error) ||
      !judge_match (self, match, policy, disk_format, verdict, error) ||
      !judge_allowed (match, policy, error))
    return FALSE;
  if (match != NULL && (!judge_safety (match, policy, error) ||
                        !judge_virtual_size (match->virtual_size, policy, error)))
    return FALSE;
  return judge_virtual_size (verdict->virtual_size, policy, error);
}
