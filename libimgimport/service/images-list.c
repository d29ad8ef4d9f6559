/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A page of images. What a caller sees is the union of up to three scans of the catalog, each by
 * one index field and all in one order, merged by their keys: a page costs what it shows, not what
 * the catalog holds.
 */

#include "service/service-private.h"

#define LIMIT_DEFAULT 25
#define LIMIT_MAX 1000
#define SCANS_MAX 3

typedef struct
{
  const char *status;
  const char *owner;
  const char *visibility;
  const char *name;
  const char *marker;
  gboolean os_hidden;
  gint64 limit;
} Filter;

/* One scan, read a piece at a time. */
typedef struct
{
  ImgImportQuery query;
  GPtrArray *images; /* the piece */
  guint next;        /* of the piece */
  gint64 last_created_us;
  char *last_id;
} Scan;

typedef struct
{
  ImgImportService *service;
  Filter filter;
  Scan scans[SCANS_MAX];
  guint n_scans;
} Listing;

static void
listing_clear (Listing *self)
{
  guint i;

  for (i = 0; i < self->n_scans; i++)
    {
      g_clear_pointer (&self->scans[i].images, g_ptr_array_unref);
      g_clear_pointer (&self->scans[i].last_id, g_free);
    }
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Listing, listing_clear)

/* ---- the filter ------------------------------------------------------------------------------ */

static gboolean
check_words (const Filter *self, const ImgImportJsonCursor *cursor, GError **error)
{
  ImgImportStatus status;
  int visibility;

  if (self->status != NULL && !imgimport_status_from_string (self->status, &status, NULL))
    {
      _imgimport_json_set_error (cursor, "status", "filter-invalid", error, "“%s” is no status",
                                 self->status);
      return FALSE;
    }
  if (self->visibility != NULL &&
      !_imgimport_enum_from_word (IMGIMPORT_TYPE_VISIBILITY, self->visibility, &visibility))
    {
      _imgimport_json_set_error (cursor, "visibility", "filter-invalid", error,
                                 "“%s” is no visibility", self->visibility);
      return FALSE;
    }
  return TRUE;
}

static gboolean
read_filter (Filter *self, JsonObject *object, GError **error)
{
  static const char *const known[] = { "status",    "owner", "visibility", "name",
                                       "os_hidden", "limit", "marker",     NULL };
  const ImgImportJsonCursor cursor = { object, "filter", "" };

  return _imgimport_json_only (&cursor, known, error) &&
         _imgimport_json_string (&cursor, "status", &self->status, error) &&
         _imgimport_json_string (&cursor, "owner", &self->owner, error) &&
         _imgimport_json_string (&cursor, "visibility", &self->visibility, error) &&
         _imgimport_json_string (&cursor, "name", &self->name, error) &&
         _imgimport_json_boolean (&cursor, "os_hidden", &self->os_hidden, error) &&
         _imgimport_json_int (&cursor, "limit", 1, LIMIT_MAX, &self->limit, error) &&
         _imgimport_json_string (&cursor, "marker", &self->marker, error) &&
         check_words (self, &cursor, error);
}

static gboolean
filter_passes (const Filter *self, ImgImportImage *image)
{
  return image->os_hidden == self->os_hidden &&
         (self->name == NULL || g_strcmp0 (self->name, image->name) == 0);
}

/* ---- one scan -------------------------------------------------------------------------------- */

/* Adds a scan for what the filter and these have in common, if anything. */
static void
add_scan (Listing *self, const char *owner, const char *visibility)
{
  const Filter *filter = &self->filter;
  Scan *scan = &self->scans[self->n_scans];

  if ((owner != NULL && filter->owner != NULL && !g_str_equal (owner, filter->owner)) ||
      (visibility != NULL && filter->visibility != NULL &&
       !g_str_equal (visibility, filter->visibility)))
    return;
  scan->query = (ImgImportQuery){ .struct_size = sizeof scan->query,
                                  .kind = IMGIMPORT_KIND_IMAGE,
                                  .owner = owner != NULL ? owner : filter->owner,
                                  .status = filter->status,
                                  .label = visibility != NULL ? visibility : filter->visibility,
                                  .created_from_us = G_MININT64,
                                  .created_to_us = G_MAXINT64,
                                  .limit = (guint)filter->limit };
  scan->images = g_ptr_array_new_with_free_func (g_object_unref);
  self->n_scans++;
}

typedef struct
{
  Listing *listing;
  Scan *scan;
  guint n_seen;
} Piece;

/* One record that cannot be read does not hide all others. */
static gboolean
collect (const ImgImportRecord *record, gpointer user_data)
{
  Piece *piece = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportImageRecord) read = _imgimport_image_record_read (record, &error);

  piece->n_seen++;
  piece->scan->last_created_us = record->created_us;
  _imgimport_set_string (&piece->scan->last_id, record->id);
  if (read == NULL)
    _imgimport_log (piece->listing->service->log, G_LOG_LEVEL_WARNING, "not listed: %s",
                    error->message);
  else if (filter_passes (&piece->listing->filter, read->image))
    g_ptr_array_add (piece->scan->images, g_steal_pointer (&read->image));
  return TRUE;
}

/* The scan's next image, borrowed; NULL at its end, and where the catalog failed. */
static gboolean
peek (Listing *self, Scan *scan, ImgImportImage **image, GError **error)
{
  Piece piece = { self, scan, scan->query.limit };

  while (scan->next == scan->images->len && scan->query.limit > 0)
    {
      g_ptr_array_set_size (scan->images, 0);
      scan->next = 0;
      piece.n_seen = 0;
      if (!_imgimport_catalog_scan (self->service->catalog, &scan->query, collect, &piece, error))
        return FALSE;
      scan->query.marker_created_us = scan->last_created_us;
      scan->query.marker_id = scan->last_id;
      if (piece.n_seen < scan->query.limit)
        scan->query.limit = 0; /* that was the last piece */
    }
  *image = scan->next < scan->images->len ? scan->images->pdata[scan->next] : NULL;
  return TRUE;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Newest first, then by id descending: the order of a scan. */
static gboolean
comes_before (ImgImportImage *a, ImgImportImage *b)
{
  if (a->created_us != b->created_us)
    return a->created_us > b->created_us;
  return strcmp (a->id, b->id) > 0;
}

/* `*image`: the next of all scans, NULL at the end. The scans that hold it go on. */
static gboolean
take_next (Listing *self, ImgImportImage **image, GError **error)
{
  ImgImportImage *heads[SCANS_MAX] = { NULL };
  ImgImportImage *first = NULL;
  guint i;

  for (i = 0; i < self->n_scans; i++)
    {
      if (!peek (self, &self->scans[i], &heads[i], error))
        return FALSE;
      if (heads[i] != NULL && (first == NULL || comes_before (heads[i], first)))
        first = heads[i];
    }
  *image = first != NULL ? g_object_ref (first) : NULL;
  for (i = 0; first != NULL && i < self->n_scans; i++)
    if (heads[i] != NULL && g_str_equal (heads[i]->id, (*image)->id))
      self->scans[i].next++;
  return TRUE;
}

static gboolean
set_marker (Listing *self, ImgImportContext *context, GError **error)
{
  g_autoptr (ImgImportImageRecord) marker = NULL;
  g_autoptr (GError) cause = NULL;
  guint i;

  if (self->filter.marker == NULL)
    return TRUE;
  marker = _imgimport_images_load (self->service, context, self->filter.marker, &cause);
  if (g_error_matches (cause, IMGIMPORT_ERROR, IMGIMPORT_ERROR_NOT_FOUND))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "marker-unknown",
                            "filter: marker: %s", cause->message);
      return FALSE;
    }
  if (marker == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&cause));
      return FALSE;
    }
  for (i = 0; i < self->n_scans; i++)
    {
      self->scans[i].query.marker_created_us = marker->image->created_us;
      self->scans[i].query.marker_id = self->filter.marker;
    }
  return TRUE;
}

static gboolean
fill_page (Listing *self, GPtrArray *page, GError **error)
{
  while (page->len < (guint)self->filter.limit)
    {
      ImgImportImage *image = NULL;

      if (!take_next (self, &image, error))
        return FALSE;
      if (image == NULL)
        return TRUE;
      _imgimport_images_overlay (self->service, image);
      g_ptr_array_add (page, image);
    }
  return TRUE;
}

static void
open_scans (Listing *self, ImgImportContext *context)
{
  if (_imgimport_context_is_admin (context))
    {
      add_scan (self, NULL, NULL);
      return;
    }
  add_scan (self, _imgimport_context_owner (context), NULL);
  add_scan (self, NULL,
            _imgimport_enum_to_word (IMGIMPORT_TYPE_VISIBILITY, IMGIMPORT_VISIBILITY_PUBLIC));
  add_scan (self, NULL,
            _imgimport_enum_to_word (IMGIMPORT_TYPE_VISIBILITY, IMGIMPORT_VISIBILITY_COMMUNITY));
}

GPtrArray *
imgimport_service_list_images (ImgImportService *self, ImgImportContext *context,
                               const char *filter, GError **error)
{
  g_autoptr (ImgImportUse) use = NULL;
  g_autoptr (JsonObject) object = NULL;
  g_auto (Listing) listing = { .service = self, .filter = { .limit = LIMIT_DEFAULT } };
  g_autoptr (GPtrArray) page = NULL;
  g_autoptr (GError) cause = NULL;

  g_return_val_if_fail (IMGIMPORT_IS_SERVICE (self), NULL);

  use = _imgimport_service_enter (self, error);
  if (use == NULL)
    return NULL;
  object = _imgimport_json_parse_object (filter != NULL ? filter : "{}", "filter", &cause);
  if (object == NULL || !read_filter (&listing.filter, object, &cause))
    {
      _imgimport_model_refuse (error, "filter-invalid", g_steal_pointer (&cause));
      return NULL;
    }
  open_scans (&listing, context);
  page = g_ptr_array_new_with_free_func (g_object_unref);
  if (!set_marker (&listing, context, error) || !fill_page (&listing, page, error))
    return NULL;
  return g_steal_pointer (&page);
}
