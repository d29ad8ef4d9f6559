/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The documents of a catalog: the image or job in its internal form, and beside it what belongs to
 * the service: claim, staged object, owner.
 */

#include "service/service-private.h"

#define QUOTED_MAX 64  /* bytes */
#define BODY_SIZE 2048 /* bytes; more than most have */

static const char *const claim_words[] = { "none", "upload", "import" };

void
_imgimport_staged_clear (ImgImportStaged *self)
{
  g_clear_pointer (&self->key, g_free);
  g_clear_pointer (&self->version, g_free);
  g_clear_pointer (&self->digests, g_hash_table_unref);
  g_clear_pointer (&self->facts, _imgimport_facts_free);
  self->size = 0;
}

void
_imgimport_claim_clear (ImgImportClaim *self)
{
  g_clear_pointer (&self->owner, g_free);
  g_clear_pointer (&self->job, g_free);
  memset (self, 0, sizeof *self);
}

void
_imgimport_image_record_free (ImgImportImageRecord *self)
{
  if (self == NULL)
    return;
  g_clear_object (&self->image);
  _imgimport_claim_clear (&self->claim);
  _imgimport_staged_clear (&self->staged);
  _imgimport_staged_clear (&self->original);
  g_free (self);
}

static void
copy_staged (ImgImportStaged *to, const ImgImportStaged *from)
{
  if (from->key == NULL)
    return;
  to->key = g_strdup (from->key);
  to->version = g_strdup (from->version);
  to->size = from->size;
  to->digests = g_hash_table_ref (from->digests);
  to->facts = _imgimport_facts_copy (from->facts);
}

ImgImportImageRecord *
_imgimport_image_record_copy (const ImgImportImageRecord *self)
{
  ImgImportImageRecord *copy = g_new0 (ImgImportImageRecord, 1);

  copy->revision = self->revision;
  copy->image = _imgimport_image_copy (self->image);
  copy->epoch = self->epoch;
  copy->claim = self->claim;
  copy->claim.owner = g_strdup (self->claim.owner);
  copy->claim.job = g_strdup (self->claim.job);
  copy_staged (&copy->staged, &self->staged);
  copy_staged (&copy->original, &self->original);
  return copy;
}

void
_imgimport_job_record_free (ImgImportJobRecord *self)
{
  if (self == NULL)
    return;
  g_clear_object (&self->job);
  g_clear_object (&self->context);
  g_free (self->owner);
  g_free (self);
}

char *
_imgimport_object_key (const char *image_id, guint64 epoch, guint n)
{
  return g_strdup_printf ("%s.%" G_GUINT64_FORMAT ".%u", image_id, epoch, n);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void
write_claim (const ImgImportClaim *self, GString *out)
{
  _imgimport_json_begin_object (out, "claim");
  _imgimport_json_write_string (out, "kind", claim_words[self->kind]);
  _imgimport_json_write_string (out, "owner", self->owner);
  _imgimport_json_write_int (out, "epoch", (gint64)self->epoch);
  if (self->job != NULL)
    {
      _imgimport_json_write_string (out, "job", self->job);
      _imgimport_json_write_string (out, "from", imgimport_status_to_string (self->from));
    }
  _imgimport_json_end_object (out);
}

static void
write_staged (const ImgImportStaged *self, GString *out, const char *member)
{
  GHashTableIter iter;
  gpointer name, value;

  _imgimport_json_begin_object (out, member);
  _imgimport_json_write_string (out, "key", self->key);
  _imgimport_json_write_string (out, "version", self->version);
  _imgimport_json_write_int (out, "size", (gint64)self->size);
  _imgimport_json_begin_object (out, "digests");
  g_hash_table_iter_init (&iter, self->digests);
  while (g_hash_table_iter_next (&iter, &name, &value))
    _imgimport_json_write_string (out, name, value);
  _imgimport_json_end_object (out);
  _imgimport_facts_write (self->facts, out, "facts");
  _imgimport_json_end_object (out);
}

char *
_imgimport_image_record_to_body (const ImgImportImageRecord *self)
{
  GString *out = g_string_sized_new (BODY_SIZE);

  _imgimport_json_begin_object (out, NULL);
  _imgimport_image_write (self->image, out, "image", TRUE);
  _imgimport_json_write_int (out, "epoch", (gint64)self->epoch);
  if (self->claim.kind != IMGIMPORT_CLAIM_NONE)
    write_claim (&self->claim, out);
  if (self->staged.key != NULL)
    write_staged (&self->staged, out, "staged");
  if (self->original.key != NULL)
    write_staged (&self->original, out, "original");
  _imgimport_json_end_object (out);
  return g_string_free (out, FALSE);
}

char *
_imgimport_job_record_to_body (const ImgImportJobRecord *self)
{
  g_autofree char *context =
      self->context != NULL ? imgimport_context_to_json (self->context) : NULL;
  GString *out = g_string_sized_new (BODY_SIZE);

  _imgimport_json_begin_object (out, NULL);
  _imgimport_job_write (self->job, out, "job", TRUE);
  _imgimport_json_write_string (out, "owner", self->owner);
  _imgimport_json_write_int (out, "epoch", (gint64)self->epoch);
  if (context != NULL)
    _imgimport_json_write_string (out, "context", context);
  _imgimport_json_end_object (out);
  return g_string_free (out, FALSE);
}

/* ---- reading --------------------------------------------------------------------------------- */

static gboolean
read_claim (ImgImportClaim *self, JsonObject *object, const char *what, GError **error)
{
  const ImgImportJsonCursor cursor = { object, what, "claim" };
  const char *kind = NULL, *owner = NULL, *job = NULL, *from = NULL;
  gint64 epoch = 0;
  guint i;

  if (!_imgimport_json_string (&cursor, "kind", &kind, error) ||
      !_imgimport_json_string (&cursor, "owner", &owner, error) ||
      !_imgimport_json_int (&cursor, "epoch", 1, G_MAXINT64, &epoch, error) ||
      !_imgimport_json_string (&cursor, "job", &job, error) ||
      !_imgimport_json_string (&cursor, "from", &from, error))
    return FALSE;

  for (i = IMGIMPORT_CLAIM_UPLOAD; i < G_N_ELEMENTS (claim_words); i++)
    if (g_strcmp0 (kind, claim_words[i]) == 0)
      self->kind = (ImgImportClaimKind)i;
  if (self->kind == IMGIMPORT_CLAIM_NONE || owner == NULL)
    {
      _imgimport_json_set_error (&cursor, "kind", "record-corrupt", error, "not a claim");
      return FALSE;
    }
  self->owner = g_strdup (owner);
  self->epoch = (guint64)epoch;
  self->job = g_strdup (job);
  return from == NULL || imgimport_status_from_string (from, &self->from, error);
}

static gboolean
read_digests (ImgImportStaged *self, JsonObject *object, const char *what, GError **error)
{
  const ImgImportJsonCursor cursor = { object, what, "staged/digests" };
  g_autoptr (GList) names = json_object_get_members (object);
  GList *l;

  for (l = names; l != NULL; l = l->next)
    {
      const char *value = NULL;

      if (!_imgimport_json_string (&cursor, l->data, &value, error))
        return FALSE;
      g_hash_table_insert (self->digests, g_strdup (l->data), g_strdup (value));
    }
  return TRUE;
}

static gboolean
read_staged (ImgImportStaged *self, JsonObject *object, const char *what, GError **error)
{
  const ImgImportJsonCursor cursor = { object, what, "staged" };
  const char *key = NULL, *version = NULL;
  JsonObject *digests = NULL, *facts = NULL;
  gint64 size = 0;

  if (!_imgimport_json_string (&cursor, "key", &key, error) ||
      !_imgimport_json_string (&cursor, "version", &version, error) ||
      !_imgimport_json_int (&cursor, "size", 0, G_MAXINT64, &size, error) ||
      !_imgimport_json_object (&cursor, "digests", &digests, error) ||
      !_imgimport_json_object (&cursor, "facts", &facts, error))
    return FALSE;
  if (key == NULL || version == NULL || digests == NULL || facts == NULL)
    {
      _imgimport_json_set_error (&cursor, "key", "record-corrupt", error, "not a staged object");
      return FALSE;
    }
  self->key = g_strdup (key);
  self->version = g_strdup (version);
  self->size = (guint64)size;
  self->digests = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->facts = _imgimport_facts_from_json (facts, what, error);
  return self->facts != NULL && read_digests (self, digests, what, error);
}

static gboolean
read_image (ImgImportImageRecord *self, JsonObject *object, const char *what, GError **error)
{
  const ImgImportJsonCursor cursor = { object, what, "" };
  JsonObject *image = NULL, *claim = NULL, *staged = NULL, *original = NULL;
  gint64 epoch = 0;

  if (!_imgimport_json_object (&cursor, "image", &image, error) ||
      !_imgimport_json_int (&cursor, "epoch", 0, G_MAXINT64, &epoch, error) ||
      !_imgimport_json_object (&cursor, "claim", &claim, error) ||
      !_imgimport_json_object (&cursor, "staged", &staged, error) ||
      !_imgimport_json_object (&cursor, "original", &original, error))
    return FALSE;
  if (image == NULL)
    {
      _imgimport_json_set_error (&cursor, "image", "record-corrupt", error, "missing");
      return FALSE;
    }
  self->epoch = (guint64)epoch;
  self->image = _imgimport_image_from_object (image, what, error);
  return self->image != NULL && (claim == NULL || read_claim (&self->claim, claim, what, error)) &&
         (staged == NULL || read_staged (&self->staged, staged, what, error)) &&
         (original == NULL || read_staged (&self->original, original, what, error));
}

static gboolean
read_job (ImgImportJobRecord *self, JsonObject *object, const char *what, GError **error)
{
  const ImgImportJsonCursor cursor = { object, what, "" };
  const char *owner = NULL, *context = NULL;
  JsonObject *job = NULL;
  gint64 epoch = 0;

  if (!_imgimport_json_object (&cursor, "job", &job, error) ||
      !_imgimport_json_string (&cursor, "owner", &owner, error) ||
      !_imgimport_json_int (&cursor, "epoch", 0, G_MAXINT64, &epoch, error) ||
      !_imgimport_json_string (&cursor, "context", &context, error))
    return FALSE;
  if (job == NULL || owner == NULL)
    {
      _imgimport_json_set_error (&cursor, "job", "record-corrupt", error, "missing");
      return FALSE;
    }
  self->owner = g_strdup (owner);
  self->epoch = (guint64)epoch;
  self->job = _imgimport_job_from_object (job, what, error);
  if (self->job == NULL)
    return FALSE;
  if (context != NULL)
    self->context = imgimport_context_new_from_json (context, error);
  return context == NULL || self->context != NULL;
}

/* What is wrong with a record is no fault of the caller's argument. */
static void
blame_record (GError **error, const char *kind, const char *id)
{
  g_autoptr (GError) cause = NULL;

  if (error == NULL)
    return;
  cause = g_steal_pointer (error);
  _imgimport_set_error (error, IMGIMPORT_ERROR_CORRUPT, "record-corrupt",
                        "the catalog's record of %s %s cannot be read: %s", kind, id,
                        cause->message);
}

static JsonObject *
parse_body (const char *kind, const char *id, const char *body, GError **error)
{
  g_autofree char *what = g_strdup_printf ("%s %s", kind, id);

  return _imgimport_json_parse_object (body, what, error);
}

ImgImportImageRecord *
_imgimport_image_record_read (const ImgImportRecord *record, GError **error)
{
  g_autoptr (ImgImportImageRecord) self = g_new0 (ImgImportImageRecord, 1);
  g_autoptr (JsonObject) object = parse_body ("image", record->id, record->body, error);

  self->revision = record->revision;
  if (object == NULL || !read_image (self, object, record->id, error))
    {
      blame_record (error, "image", record->id);
      return NULL;
    }
  return g_steal_pointer (&self);
}

ImgImportJobRecord *
_imgimport_job_record_read (const ImgImportRecord *record, GError **error)
{
  g_autoptr (ImgImportJobRecord) self = g_new0 (ImgImportJobRecord, 1);
  g_autoptr (JsonObject) object = parse_body ("job", record->id, record->body, error);

  self->revision = record->revision;
  if (object == NULL || !read_job (self, object, record->id, error))
    {
      blame_record (error, "job", record->id);
      return NULL;
    }
  return g_steal_pointer (&self);
}

/* ---- loading --------------------------------------------------------------------------------- */

/* Whatever the caller called an id, fit for a message: printable and short. */
static char *
quote (const char *id)
{
  g_autofree char *begin = g_strndup (id, QUOTED_MAX);

  return g_strescape (begin, NULL);
}

/* FALSE where the record cannot be had; `reason` is for one that does not exist. */
static gboolean
fetch (ImgImportService *service, ImgImportRecord *record, char **body, const char *reason,
       GError **error)
{
  /* An id becomes part of keys and messages: nothing but a UUID is ever looked up. */
  if (!_imgimport_uuid_is_valid (record->id))
    {
      g_autofree char *quoted = quote (record->id);

      _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_FOUND, reason,
                            "no %s “%s”: ids are UUIDs in lower case", record->kind, quoted);
      return FALSE;
    }
  if (!_imgimport_catalog_get (service->catalog, record->kind, record->id, body, &record->revision,
                               error))
    return FALSE;
  if (*body == NULL)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_NOT_FOUND, reason, "no %s “%s”", record->kind,
                            record->id);
      return FALSE;
    }
  record->body = *body;
  return TRUE;
}

ImgImportImageRecord *
_imgimport_image_record_load (ImgImportService *service, const char *id, GError **error)
{
  ImgImportRecord record = { .kind = IMGIMPORT_KIND_IMAGE, .id = id };
  g_autofree char *body = NULL;

  if (!fetch (service, &record, &body, "image-not-found", error))
    return NULL;
  return _imgimport_image_record_read (&record, error);
}

ImgImportJobRecord *
_imgimport_job_record_load (ImgImportService *service, const char *id, GError **error)
{
  ImgImportRecord record = { .kind = IMGIMPORT_KIND_JOB, .id = id };
  g_autofree char *body = NULL;

  if (!fetch (service, &record, &body, "job-not-found", error))
    return NULL;
  return _imgimport_job_record_read (&record, error);
}
