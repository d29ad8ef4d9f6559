/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What an image, a job, a request and an event are: pure data, no I/O, no locks.
 *
 * The values are immutable once other code holds them. Whoever changes one edits a private copy
 * (_imgimport_image_copy(); a job: what its record is read into) through the plain fields below and
 * lets go of it only when it is done.
 */

#include <json-glib/json-glib.h>

#include <imgimport/imgimport-context.h>
#include <imgimport/imgimport-event.h>
#include <imgimport/imgimport-image.h>
#include <imgimport/imgimport-job.h>
#include <imgimport/imgimport-lifecycle.h>

#include "base/base-private.h"

G_BEGIN_DECLS

/* ---- small things ---------------------------------------------------------------------------- */

/* Replaces an owned string by a copy of `value`, which may be NULL or `*field` itself. */
static inline void
_imgimport_set_string (char **field, const char *value)
{
  char *old = *field;

  *field = g_strdup (value);
  g_free (old);
}

/* The word (nick) of an enumeration's value, NULL for none; and back. */
const char *_imgimport_enum_to_word (GType type, int value);
gboolean _imgimport_enum_from_word (GType type, const char *word, int *value);

/* ---- limits ---------------------------------------------------------------------------------- */

/* What configuration says about records. Quotas: negative is unlimited. */
typedef struct
{
  char **disk_formats;
  char **container_formats;
  gint64 property_quota;
  gint64 tag_quota;
} ImgImportModelLimits;

/* Fills an unset struct with Glance's defaults. */
void _imgimport_model_limits_init (ImgImportModelLimits *self);
void _imgimport_model_limits_clear (ImgImportModelLimits *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ImgImportModelLimits, _imgimport_model_limits_clear)

/* What a caller can put into one record, as bytes of JSON: two of them, a record and the snapshot
 * in its claim, stay well below IMGIMPORT_JSON_MAX_SIZE. */
#define IMGIMPORT_IMAGE_MAX_JSON ((gsize)256 * 1024)
#define IMGIMPORT_REQUEST_MAX_JSON ((gsize)64 * 1024)

/* ---- image ----------------------------------------------------------------------------------- */

typedef enum
{
  IMGIMPORT_VISIBILITY_PRIVATE = 0,
  IMGIMPORT_VISIBILITY_SHARED = 1,
  IMGIMPORT_VISIBILITY_COMMUNITY = 2,
  IMGIMPORT_VISIBILITY_PUBLIC = 3
} ImgImportVisibility;

#define IMGIMPORT_TYPE_VISIBILITY (_imgimport_visibility_get_type ())
GType _imgimport_visibility_get_type (void);

/* One committed object that holds the image's bytes. `key` and `version` are NULL in an image that
 * was read from the public shape. */
typedef struct
{
  char *store;
  char *key;
  char *version;
} ImgImportLocation;

typedef struct
{
  ImgImportStageState state;
  guint64 bytes;
  guint64 expected; /* IMGIMPORT_SIZE_UNKNOWN */
  gint64 since_us;
} ImgImportStage;

struct _ImgImportImage
{
  GObject parent_instance;

  char *id;
  char *name; /* nullable */
  ImgImportStatus status;
  ImgImportVisibility visibility;
  gboolean is_protected;
  gboolean os_hidden;
  char *checksum;         /* nullable */
  char *os_hash_algo;     /* nullable */
  char *os_hash_value;    /* nullable */
  char *owner;            /* nullable */
  guint64 size;           /* IMGIMPORT_SIZE_UNKNOWN is null */
  guint64 virtual_size;   /* IMGIMPORT_SIZE_UNKNOWN is null */
  char *container_format; /* nullable */
  char *disk_format;      /* nullable */
  gint64 created_us;
  gint64 updated_us;
  char **tags; /* sorted, unique, never NULL */
  gint64 min_ram;
  gint64 min_disk;
  GHashTable *properties; /* char * → char *, both owned */
  GPtrArray *locations;   /* ImgImportLocation *, owned; the first is read first */
  ImgImportStage stage;
};

/* A record in status queued with every default of Glance (F015). */
ImgImportImage *_imgimport_image_new (const char *id, gint64 now_us);

/* A deep copy, the caller's to edit. */
ImgImportImage *_imgimport_image_copy (ImgImportImage *self);

/* Applies an action: the table, both formats where they are needed (F003: INVALID_STATE
 * "formats-missing"), null sizes when it becomes queued (F004). On failure nothing changed. */
gboolean _imgimport_image_set_status (ImgImportImage *self, ImgImportAction action, GError **error);

/* Forgets what is staged. */
void _imgimport_image_clear_stage (ImgImportImage *self);

/* Appends a location. */
void _imgimport_image_add_location (ImgImportImage *self, const char *store, const char *key,
                                    const char *version);

/* Replaces; NULL removes. */
void _imgimport_image_set_property (ImgImportImage *self, const char *key, const char *value);

/* Adds or removes a store of a comma list kept in a property: sorted, unique; NULL and "" are
 * ignored; removing the last one leaves ""; removing an absent one is no error (E12, F067, F068).
 */
void _imgimport_image_merge_store_list (ImgImportImage *self, const char *property,
                                        const char *store, gboolean add);

#define IMGIMPORT_PROPERTY_IMPORTING "os_glance_importing_to_stores"
#define IMGIMPORT_PROPERTY_FAILED "os_glance_failed_import"

/* The document, as _imgimport_json_write_json() would: `internal` is what a catalog keeps
 * (locations with keys and versions, times in microseconds, properties in an object of their own),
 * else the public v2 shape. */
void _imgimport_image_write (ImgImportImage *self, GString *out, const char *name,
                             gboolean internal);

/* Reads the internal form. `what` begins the error. */
ImgImportImage *_imgimport_image_from_object (JsonObject *object, const char *what, GError **error);

/* ---- what callers may set -------------------------------------------------------------------- */

/* Whether a property belongs to the library: its name begins with "os_glance" (F017). */
gboolean _imgimport_property_is_internal (const char *key);

/* Whether a name is taken by the v2 shape: base properties, links, and what Glance reserves. */
gboolean _imgimport_property_is_base (const char *key);

/* Whether an additional property may be set by somebody outside: PERMISSION "property-reserved"
 * for the library's names and those of base properties and links, INVALID_ARGUMENT
 * "property-invalid" for a name of 0 or more than 255 characters, or text that is not UTF-8. */
gboolean _imgimport_property_check (const char *key, const char *value, GError **error);

/* LIMIT "property-quota", "tag-quota" where `self` has more than allowed and more than `before`
 * (nullable) had; "property-quota" too where the record grew too large to keep. */
gboolean _imgimport_image_check_quotas (ImgImportImage *self, ImgImportImage *before,
                                        const ImgImportModelLimits *limits, GError **error);

/* The record that a caller describes, in status queued. `attributes` may be NULL, as may `context`:
 * the embedding program. `new_id` is taken where the attributes have no id. Errors are those of
 * imgimport_service_create_image(). */
ImgImportImage *_imgimport_image_new_from_attributes (const ImgImportModelLimits *limits,
                                                      const char *attributes,
                                                      ImgImportContext *context, const char *new_id,
                                                      gint64 now_us, GError **error);

/* Edits `self`, a private copy, by a JSON merge patch. `claimed`: an attempt holds the image. After
 * a failure the copy is of no use. Errors are those of imgimport_service_update_image(). */
gboolean _imgimport_image_apply_patch (ImgImportImage *self, const ImgImportModelLimits *limits,
                                       const char *patch, ImgImportContext *context,
                                       gboolean claimed, gint64 now_us, GError **error);

/* ---- job ------------------------------------------------------------------------------------- */

/* How a store got its copy. */
typedef struct
{
  char *store;
  char *way; /* "link", "reflink", "copy", "stream" */
  char *why; /* "" where there is nothing to say */
} ImgImportDelivery;

struct _ImgImportJob
{
  GObject parent_instance;

  char *id;
  char *image_id;
  ImgImportJobStatus status;
  char *owner;      /* nullable */
  char *user_id;    /* nullable */
  char *request_id; /* nullable */
  char *input;      /* JSON, one object: {"image_id", "import_req", "backend": [stores]} */
  char *message;    /* never NULL */
  char *reason;     /* nullable: unless failed */
  char *code;       /* nullable: unless failed; nick of an ImgImportError, or "cancelled" */
  char *phase;      /* nullable */
  guint64 bytes;
  guint64 total;         /* IMGIMPORT_SIZE_UNKNOWN */
  char *tasks;           /* JSON, what came of the tasks of its flow; NULL: not known */
  char **warnings;       /* never NULL */
  GPtrArray *deliveries; /* ImgImportDelivery *, owned */
  gint64 created_us;
  gint64 updated_us;
  gint64 expires_us; /* 0: does not expire */
  gboolean cancel_requested;
};

/* A pending job of `context` (nullable). */
ImgImportJob *_imgimport_job_new (const char *id, const char *image_id, ImgImportContext *context,
                                  const char *input, gint64 now_us);

/* Pending → processing or failure, processing → success or failure (F053); else INVALID_STATE
 * "job-transition". A final status expires `time_to_live_us` later; negative: never (F055). */
gboolean _imgimport_job_set_status (ImgImportJob *self, ImgImportJobStatus status, gint64 now_us,
                                    gint64 time_to_live_us, GError **error);

/* The same to failure, keeping message (at most 4096 bytes), reason and code of `cause`. */
gboolean _imgimport_job_fail (ImgImportJob *self, const GError *cause, gint64 now_us,
                              gint64 time_to_live_us, GError **error);
/* Whether it has expired by then. */
gboolean _imgimport_job_is_expired (const ImgImportJob *self, gint64 now_us);

void _imgimport_job_add_warning (ImgImportJob *self, const char *warning);
void _imgimport_job_add_delivery (ImgImportJob *self, const char *store, const char *way,
                                  const char *why);

/* As for images; the internal form differs by its times in microseconds only. */
void _imgimport_job_write (ImgImportJob *self, GString *out, const char *name, gboolean internal);
ImgImportJob *_imgimport_job_from_object (JsonObject *object, const char *what, GError **error);

/* ---- request --------------------------------------------------------------------------------- */

typedef struct
{
  char *method;          /* method.name */
  char **stores;         /* NULL where the request has none */
  gboolean all_stores;   /* never TRUE beside `stores` */
  gboolean must_succeed; /* all_stores_must_succeed */
  char *digest_name;     /* expected_digest: its algorithm, one that all builds compute; or NULL */
  char *digest_value;    /* lower-case hexadecimal; NULL where there is none */
  char *text;            /* the request as it is kept: known members, all defaults filled in */
} ImgImportRequest;

/* Reads an import request; NULL is glance-direct into the default store. Shape only: whether method
 * and stores exist is not known here. INVALID_ARGUMENT with "request-invalid" (F037, F038),
 * "stores-conflict" (F042), "stores-empty", "store-duplicate" (D15), for a reserved id
 * "store-unknown", or "digest-malformed" (D11). */
ImgImportRequest *_imgimport_request_parse (const char *json, GError **error);
void _imgimport_request_free (ImgImportRequest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportRequest, _imgimport_request_free)

/* What a job keeps as its input. */
char *_imgimport_request_to_input (const ImgImportRequest *self, const char *image_id,
                                   const char *const *stores);

/* ---- event ----------------------------------------------------------------------------------- */

ImgImportEvent *_imgimport_event_new_image (ImgImportImage *image);
/* A job that has ended is the event's too: nobody changes it any more. */
ImgImportEvent *_imgimport_event_new_job (ImgImportJob *job);
/* Borrowed; NULL where the event is not the end of a job. */
ImgImportJob *_imgimport_event_get_ended (ImgImportEvent *self);
/* `job_id` and `phase` may be NULL: an upload. */
ImgImportEvent *_imgimport_event_new_progress (const char *image_id, const char *job_id,
                                               const char *phase, guint64 bytes, guint64 total);
ImgImportEvent *_imgimport_event_new_resync (void);

/* ---- context --------------------------------------------------------------------------------- */

/* NULL is an administrator without a name. */
gboolean _imgimport_context_is_admin (ImgImportContext *self);
const char *_imgimport_context_owner (ImgImportContext *self);

/* ---- reading and writing documents, for this folder ------------------------------------------ */

/* A size: null is IMGIMPORT_SIZE_UNKNOWN; absent leaves `*value` alone. */
gboolean _imgimport_model_read_size (const ImgImportJsonCursor *self, const char *member,
                                     guint64 *value, GError **error);
/* A time as ISO 8601; null is 0; absent leaves `*value` alone. */
gboolean _imgimport_model_read_time (const ImgImportJsonCursor *self, const char *member,
                                     gint64 *value, GError **error);
/* An owned, nullable string of at most `max` characters; absent leaves `*value` alone. */
gboolean _imgimport_model_read_string (const ImgImportJsonCursor *self, const char *member,
                                       glong max, char **value, GError **error);
/* A word of an enumeration. */
gboolean _imgimport_model_read_word (const ImgImportJsonCursor *self, const char *member,
                                     GType type, int *value, GError **error);
/* The object at `index`; `path` names it in the error. */
gboolean _imgimport_model_read_element (const ImgImportJsonCursor *self, JsonArray *array,
                                        guint index, const char *path, JsonObject **value,
                                        GError **error);
/* FALSE where one of the NULL-terminated members is absent or null. */
gboolean _imgimport_model_require (const ImgImportJsonCursor *self, const char *const *members,
                                   GError **error);
/* Tags: each of at most 255 characters; answers them sorted and unique. */
gboolean _imgimport_model_read_tags (const ImgImportJsonCursor *self, const char *member,
                                     char ***value, GError **error);
void _imgimport_model_write_size (GString *out, const char *member, guint64 value);
void _imgimport_model_write_time (GString *out, const char *member, gint64 value);
/* The nullable strings of an image that a document names as they are; ends with a NULL member. */
typedef struct
{
  const char *member;
  gsize offset;
  glong max; /* characters */
} ImgImportImageString;
const ImgImportImageString *_imgimport_image_strings (void);
#define IMGIMPORT_IMAGE_STRING(image, entry) G_STRUCT_MEMBER_P (image, (entry)->offset)

/* Answers `cause`, which it takes, under another reason; always FALSE. */
gboolean _imgimport_model_refuse (GError **error, const char *reason, GError *cause);

G_END_DECLS
