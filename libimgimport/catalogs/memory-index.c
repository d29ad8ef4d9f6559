/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/base-private.h"
#include "catalogs/catalogs-private.h"
#include "catalogs/memory-index.h"

typedef enum
{
  BY_KIND,
  BY_OWNER,
  BY_STATUS,
  BY_LABEL
} Order;

G_STATIC_ASSERT (BY_LABEL + 1 == IMGIMPORT_MEMORY_PLACES);

ImgImportMemoryEntry *
_imgimport_memory_entry_new (const ImgImportRecord *record, gint64 revision)
{
  ImgImportMemoryEntry *self = g_new0 (ImgImportMemoryEntry, 1);

  g_atomic_ref_count_init (&self->references);
  self->record.kind = g_strdup (record->kind);
  self->record.id = g_strdup (record->id);
  self->record.owner = g_strdup (record->owner);
  self->record.status = g_strdup (record->status);
  self->record.label = g_strdup (record->label);
  self->record.created_us = record->created_us;
  self->record.revision = revision;
  self->record.body = g_strdup (record->body);
  return self;
}

ImgImportMemoryEntry *
_imgimport_memory_entry_ref (ImgImportMemoryEntry *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
_imgimport_memory_entry_unref (ImgImportMemoryEntry *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_free ((char *)self->record.kind);
  g_free ((char *)self->record.id);
  g_free ((char *)self->record.owner);
  g_free ((char *)self->record.status);
  g_free ((char *)self->record.label);
  g_free ((char *)self->record.body);
  g_free (self);
}

/* The length keeps two pairs from being written alike. */
static char *
record_key (const char *kind, const char *id)
{
  return g_strdup_printf ("%" G_GSIZE_FORMAT " %s %s", strlen (kind), kind, id);
}

/* NULL where the field is: such a record stands in no order of that field. */
static char *
order_key (Order order, const char *kind, const char *value)
{
  if (value == NULL)
    return NULL;
  return g_strdup_printf ("%d %" G_GSIZE_FORMAT " %s %s", (int)order, strlen (kind), kind, value);
}

static const char *
order_value (Order order, const ImgImportRecord *record)
{
  switch (order)
    {
    case BY_OWNER:
      return record->owner;
    case BY_STATUS:
      return record->status;
    case BY_LABEL:
      return record->label;
    case BY_KIND:
    default:
      return "";
    }
}

/* Newest first. */
static int
compare (gconstpointer a, gconstpointer b, gpointer unused)
{
  const ImgImportRecord *left = &((const ImgImportMemoryEntry *)a)->record;
  const ImgImportRecord *right = &((const ImgImportMemoryEntry *)b)->record;

  if (left->created_us != right->created_us)
    return left->created_us > right->created_us ? -1 : 1;
  return strcmp (right->id, left->id);
}

void
_imgimport_memory_index_init (ImgImportMemoryIndex *self)
{
  self->by_key = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify)_imgimport_memory_entry_unref);
  self->orders =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_sequence_free);
}

void
_imgimport_memory_index_clear (ImgImportMemoryIndex *self)
{
  g_clear_pointer (&self->orders, g_hash_table_unref);
  g_clear_pointer (&self->by_key, g_hash_table_unref);
}

ImgImportMemoryEntry *
_imgimport_memory_index_find (ImgImportMemoryIndex *self, const char *kind, const char *id)
{
  g_autofree char *key = record_key (kind, id);

  return g_hash_table_lookup (self->by_key, key);
}

static void
place (ImgImportMemoryIndex *self, ImgImportMemoryEntry *entry, Order order)
{
  g_autofree char *key = order_key (order, entry->record.kind, order_value (order, &entry->record));
  GSequence *sequence = NULL;

  if (key == NULL)
    return;
  sequence = g_hash_table_lookup (self->orders, key);
  if (sequence == NULL)
    {
      sequence = g_sequence_new (NULL);
      g_hash_table_insert (self->orders, g_steal_pointer (&key), sequence);
    }
  entry->places[order] = g_sequence_insert_sorted (sequence, entry, compare, NULL);
}

static void
displace (ImgImportMemoryIndex *self, ImgImportMemoryEntry *entry, Order order)
{
  g_autofree char *key = NULL;
  GSequence *sequence = NULL;

  if (entry->places[order] == NULL)
    return;
  sequence = g_sequence_iter_get_sequence (entry->places[order]);
  g_sequence_remove (g_steal_pointer (&entry->places[order]));
  if (!g_sequence_is_empty (sequence))
    return;
  key = order_key (order, entry->record.kind, order_value (order, &entry->record));
  g_hash_table_remove (self->orders, key);
}

void
_imgimport_memory_index_remove (ImgImportMemoryIndex *self, const char *kind, const char *id)
{
  g_autofree char *key = record_key (kind, id);
  ImgImportMemoryEntry *entry = g_hash_table_lookup (self->by_key, key);

  if (entry == NULL)
    return;
  for (Order order = BY_KIND; order <= BY_LABEL; order++)
    displace (self, entry, order);
  g_hash_table_remove (self->by_key, key);
}

void
_imgimport_memory_index_put (ImgImportMemoryIndex *self, ImgImportMemoryEntry *entry)
{
  _imgimport_memory_index_remove (self, entry->record.kind, entry->record.id);
  for (Order order = BY_KIND; order <= BY_LABEL; order++)
    place (self, entry, order);
  g_hash_table_insert (self->by_key, record_key (entry->record.kind, entry->record.id), entry);
}

/* The shortest order that holds all that match; NULL where nothing does. */
static GSequence *
choose_order (ImgImportMemoryIndex *self, const ImgImportQuery *query)
{
  const char *const values[] = { "", query->owner, query->status, query->label };
  GSequence *best = NULL;

  for (Order order = BY_KIND; order <= BY_LABEL; order++)
    {
      g_autofree char *key = order_key (order, query->kind, values[order]);
      GSequence *sequence = NULL;

      if (key == NULL)
        continue;
      sequence = g_hash_table_lookup (self->orders, key);
      if (sequence == NULL)
        return NULL;
      if (best == NULL || g_sequence_get_length (sequence) < g_sequence_get_length (best))
        best = sequence;
    }
  return best;
}

/* The first place after the marker or, where that is later, at or before the newest time asked. */
static GSequenceIter *
first_place (GSequence *sequence, const ImgImportQuery *query)
{
  ImgImportMemoryEntry probe = { .record = { .created_us = query->created_to_us, .id = "" } };
  gboolean to_any = query->created_to_us == G_MAXINT64;

  /* No identifier sorts below "", so that the probe stands after everything at its time. */
  if (query->marker_id != NULL && (to_any || query->marker_created_us < query->created_to_us))
    {
      probe.record.created_us = query->marker_created_us;
      probe.record.id = query->marker_id;
    }
  else if (to_any)
    {
      return g_sequence_get_begin_iter (sequence);
    }
  /* Searching answers the place after everything that is equal. */
  return g_sequence_search (sequence, &probe, compare, NULL);
}

GPtrArray *
_imgimport_memory_index_query (ImgImportMemoryIndex *self, const ImgImportQuery *query)
{
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify)_imgimport_memory_entry_unref);
  GSequence *sequence = choose_order (self, query);
  GSequenceIter *place_at = sequence == NULL ? NULL : first_place (sequence, query);

  while (place_at != NULL && !g_sequence_iter_is_end (place_at) &&
         (query->limit == 0 || found->len < query->limit))
    {
      ImgImportMemoryEntry *entry = g_sequence_get (place_at);

      if (entry->record.created_us < query->created_from_us)
        break;
      if (_imgimport_catalog_query_matches (query, &entry->record))
        g_ptr_array_add (found, _imgimport_memory_entry_ref (entry));
      place_at = g_sequence_iter_next (place_at);
    }
  return found;
}
