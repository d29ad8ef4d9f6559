/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Records by key and by what they can be asked for. Not thread-safe, but entries are immutable and
 * counted, so that they can be read after the caller's lock is dropped.
 */

#include <imgimport/imgimport-catalog.h>

G_BEGIN_DECLS

#define IMGIMPORT_MEMORY_PLACES 4

typedef struct
{
  gatomicrefcount references;
  ImgImportRecord record; /* its strings are owned */
  /* Where it stands in the order of all of its kind, owner, status and label; the index's. */
  GSequenceIter *places[IMGIMPORT_MEMORY_PLACES];
} ImgImportMemoryEntry;

ImgImportMemoryEntry *_imgimport_memory_entry_new (const ImgImportRecord *record, gint64 revision);
ImgImportMemoryEntry *_imgimport_memory_entry_ref (ImgImportMemoryEntry *self);
void _imgimport_memory_entry_unref (ImgImportMemoryEntry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportMemoryEntry, _imgimport_memory_entry_unref)

typedef struct
{
  GHashTable *by_key; /* char * → ImgImportMemoryEntry * */
  GHashTable *orders; /* char * → GSequence * of borrowed entries, newest first; none is empty */
} ImgImportMemoryIndex;

void _imgimport_memory_index_init (ImgImportMemoryIndex *self);
void _imgimport_memory_index_clear (ImgImportMemoryIndex *self);

/* Borrowed; NULL for none. */
ImgImportMemoryEntry *_imgimport_memory_index_find (ImgImportMemoryIndex *self, const char *kind,
                                                    const char *id);
/* Takes the entry in place of the one of the same key, if any. */
void _imgimport_memory_index_put (ImgImportMemoryIndex *self, ImgImportMemoryEntry *entry);
void _imgimport_memory_index_remove (ImgImportMemoryIndex *self, const char *kind, const char *id);
/* References to what matches, in order, no more than the query's limit. */
GPtrArray *_imgimport_memory_index_query (ImgImportMemoryIndex *self, const ImgImportQuery *query);

G_END_DECLS
