/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What bytes look like: a streaming inspector that shows every format the same stream at once, in
 * whatever chunks it comes. Facts only; the verdict on them is a function of its own, so that
 * policy can change without inspecting again.
 */

#include "base/base-private.h"

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
JsonNode *_imgimport_facts_to_json (const ImgImportFacts *self);
ImgImportFacts *_imgimport_facts_from_json (JsonObject *object, const char *what, GError **error);

typedef struct _ImgImportInspector ImgImportInspector;

ImgImportInspector *_imgimport_inspector_new (void);
void _imgimport_inspector_free (ImgImportInspector *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportInspector, _imgimport_inspector_free)
/* The next bytes of the stream. Cannot fail. Cheap once every format has seen what it needs. */
void _imgimport_inspector_feed (ImgImportInspector *self, const void *data, gsize length);
/* The next `length` bytes are zeros: as feeding them, at a cost that does not grow with them. */
void _imgimport_inspector_skip (ImgImportInspector *self, guint64 length);
/* Ends the stream; once. */
ImgImportFacts *_imgimport_inspector_finish (ImgImportInspector *self);

/* What the operator allows. */
typedef struct
{
  gboolean require_match;          /* declared and detected format must agree */
  const char *const *gpt_nonfatal; /* checks of gpt whose failure is tolerated; may be NULL */
  guint64 max_virtual_size;        /* bytes; IMGIMPORT_SIZE_UNKNOWN: no limit */
} ImgImportFormatPolicy;

typedef struct
{
  const char *format;   /* borrowed: what the bytes are */
  guint64 virtual_size; /* IMGIMPORT_SIZE_UNKNOWN where not known */
} ImgImportVerdict;

/* The rules of Glance (F127 to F132) for an image declared `disk_format` in `container_format`:
 * only a bare container is looked into; else the verdict is the declared format and no virtual
 * size. CORRUPT with reason "format-mismatch", "format-ambiguous" or "format-unsafe", naming each
 * failed check with its reason; LIMIT "virtual-size-limit".
 *
 * Declared and detected format also agree where gpt is declared raw (the verdict is then gpt), and
 * where a format without an inspector looks raw. Stricter than Glance: anything else that is
 * declared raw is a mismatch. A mismatch that `require_match` does not ask for leaves the virtual
 * size unknown, or that of a raw disk where raw was declared. Several matches, failed checks and
 * the limit are fatal whatever was declared. */
gboolean _imgimport_facts_judge (const ImgImportFacts *self, const ImgImportFormatPolicy *policy,
                                 const char *disk_format, const char *container_format,
                                 ImgImportVerdict *verdict, GError **error);

G_END_DECLS
