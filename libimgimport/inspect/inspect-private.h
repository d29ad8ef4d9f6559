/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What bytes look like: a streaming inspector that shows every format the same stream at once, in
 * whatever chunks it comes. Facts only; the verdict on them is a function of its own, so that
 * policy can change without inspecting again.
 */

#include "base/base-private.h"

#include <imgimport/imgimport-inspect.h>

G_BEGIN_DECLS

/* One safety check that a matching format made. */
typedef struct
{
  const char *name; /* static: "backing_file", … */
  gboolean passed;
  char *reason; /* why it failed; NULL where it passed */
} ImgImportCheck;

/* One format that matches. raw never is one: it is what is left when nothing matches. */
typedef struct
{
  const char *format;   /* static: "qcow2", "gpt", … */
  guint64 virtual_size; /* bytes; IMGIMPORT_SIZE_UNKNOWN where the format does not tell */
  GArray *checks;       /* of ImgImportCheck */
} ImgImportMatch;

/* Immutable once finished. */
typedef struct
{
  guint64 size;       /* bytes seen */
  GPtrArray *matches; /* of ImgImportMatch, in the order of the table of formats */
} ImgImportFacts;

void _imgimport_facts_free (ImgImportFacts *self);
ImgImportFacts *_imgimport_facts_copy (const ImgImportFacts *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportFacts, _imgimport_facts_free)
/* As _imgimport_json_write_json() would. */
void _imgimport_facts_write (const ImgImportFacts *self, GString *out, const char *name);
ImgImportFacts *_imgimport_facts_from_json (JsonObject *object, const char *what, GError **error);

/* As imgimport_inspector_finish(), for those who keep the facts. */
ImgImportFacts *_imgimport_inspector_finish (ImgImportInspector *self);
/* The offset of the next byte that is needed, at or after what was fed: all bytes before it may be
 * skipped whatever they are, but for the last IMGIMPORT_INSPECT_TAIL ones of the stream. */
guint64 _imgimport_inspector_next (ImgImportInspector *self);

/* `policy` is an object at the cursor's member, or absent: the default. */
ImgImportFormatPolicy *_imgimport_format_policy_read (const ImgImportJsonCursor *parent,
                                                      const char *member, GError **error);

typedef struct
{
  const char *format;   /* borrowed: what the bytes are */
  guint64 virtual_size; /* IMGIMPORT_SIZE_UNKNOWN where not known */
} ImgImportVerdict;

/* imgimport_inspection_judge() of facts: the rules of Glance (F127 to F132). Declared and detected
 * format also agree where a partition table is declared raw (the verdict is then its format), and
 * where a format without an inspector looks raw. Stricter than Glance: anything else that is
 * declared raw is a mismatch. A mismatch that the policy does not mind leaves the virtual size
 * unknown, or that of a raw disk where raw was declared. */
gboolean _imgimport_facts_judge (const ImgImportFacts *self, ImgImportFormatPolicy *policy,
                                 const char *disk_format, const char *container_format,
                                 ImgImportVerdict *verdict, GError **error);

G_END_DECLS
