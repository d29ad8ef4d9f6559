/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the host opens. Everything a service changes in its catalog goes through a transaction
 * (txn.h): load the records, edit private copies, commit them with the revisions that were read,
 * again from the start where somebody else was faster. A claim's epoch, checked inside the
 * transaction, fences out whoever lost it.
 */

#include "base/base-private.h"
#include "inspect/inspect-private.h"
#include "model/model-private.h"
#include "spi/spi-private.h"
#include "stream/stream-private.h"

#include <imgimport/imgimport.h>

G_BEGIN_DECLS

/* ---- configuration (config.c) ---------------------------------------------------------------- */

/* A plug-in of the configuration that builtins.c can construct. */
typedef struct
{
  char *id;          /* stores and hooks; NULL for catalog and staging */
  char *type;        /* "sqlite", "memory", "file"; NULL for hooks */
  char *path;        /* "path" or "directory", made absolute; NULL where there is none */
  char *description; /* stores; may be NULL */
  JsonObject *options; /* hooks; may be NULL */
} ImgImportPluginConfig;

void _imgimport_plugin_config_free (ImgImportPluginConfig *self);

typedef struct
{
  char *directory;                /* absolute; NULL: none */
  ImgImportPluginConfig *catalog; /* NULL: none configured */
  ImgImportPluginConfig *staging; /* NULL: none configured */
  GPtrArray *stores;              /* of ImgImportPluginConfig */
  GPtrArray *hooks;               /* of ImgImportPluginConfig, in order */
  char *default_store;            /* NULL: the first */
  char **methods;                 /* NULL: every known one */
  guint workers;
  gboolean durable;               /* "durability": "power" */
  char *hashing_algorithm;        /* NULL: none */
  gboolean checksum;              /* compute the MD5 too */
  gboolean verify_on_delivery;
  gboolean allow_empty_images;
  guint64 image_size_cap;         /* bytes; IMGIMPORT_SIZE_UNKNOWN: no limit */
  guint task_time_to_live_hours;
  ImgImportFormatPolicy *format_policy;
  ImgImportModelLimits limits;
} ImgImportConfig;

/* Reads `json` (may be NULL) over the defaults. With a `directory`, what is not configured gets the
 * embedded default. INVALID_ARGUMENT "config-invalid" naming the path. */
ImgImportConfig *_imgimport_config_parse (const char *directory, const char *json,
                                          GError **error);
void _imgimport_config_free (ImgImportConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportConfig, _imgimport_config_free)

/* What the documents of these two files begin their errors with. */
#define IMGIMPORT_CONFIG_WHAT "configuration"

/* Reads names, each valid and none twice; absent leaves `*value` alone (config.c). */
gboolean _imgimport_config_read_names (const ImgImportJsonCursor *cursor, const char *member,
                                       char ***value, GError **error);
/* Reads catalog, staging, stores and hooks (config-plugins.c). */
gboolean _imgimport_config_read_plugins (ImgImportConfig *self, const ImgImportJsonCursor *cursor,
                                         GError **error);

/* ---- built-in plug-ins (builtins.c) ---------------------------------------------------------- */

typedef enum
{
  IMGIMPORT_BUILTIN_CATALOG,
  IMGIMPORT_BUILTIN_STORE
} ImgImportBuiltinKind;

/* Whether this build has the type. `*path_member`: the member that says where it keeps its data;
 * NULL where it keeps none. */
gboolean _imgimport_builtin_is_known (ImgImportBuiltinKind kind, const char *type,
                                      const char **path_member);
/* "memory, sqlite" */
char *_imgimport_builtin_types (ImgImportBuiltinKind kind);
/* Constructs what a configuration names; INVALID_ARGUMENT "config-invalid" for an unknown type. */
ImgImportCatalog *_imgimport_builtin_catalog (const ImgImportPluginConfig *config,
                                              GError **error);
ImgImportStore *_imgimport_builtin_store (const char *id, const ImgImportPluginConfig *config,
                                          gboolean durable, GError **error);
/* Whether no target store may have this id. */
gboolean _imgimport_store_id_is_reserved (const char *id);
gboolean _imgimport_builtin_methods (ImgImportRegistry *methods, GError **error);
gboolean _imgimport_builtin_hooks (ImgImportRegistry *hooks, GError **error);

/* ---- events (events.c) ----------------------------------------------------------------------- */

/* Where events of a service go: to the queues of its subscriptions. */
typedef struct _ImgImportBus ImgImportBus;

ImgImportBus *_imgimport_bus_new (void);
void _imgimport_bus_unref (ImgImportBus *self); /* subscriptions keep a reference */
ImgImportSubscription *_imgimport_bus_subscribe (ImgImportBus *self, const char *image_id,
                                                 GError **error);
/* The same for nothing but the end of a job, which is told once. */
ImgImportSubscription *_imgimport_bus_subscribe_end (ImgImportBus *self, const char *job_id,
                                                     GError **error);
void _imgimport_bus_publish (ImgImportBus *self, ImgImportEvent *event);
/* Whether anybody would get it: an event need not be made for nobody. */
gboolean _imgimport_bus_is_heard (ImgImportBus *self, ImgImportEventKind kind);

/* ---- the service (service.c) ----------------------------------------------------------------- */

typedef enum
{
  IMGIMPORT_SERVICE_NEW,
  IMGIMPORT_SERVICE_STARTING,
  IMGIMPORT_SERVICE_STARTED,
  IMGIMPORT_SERVICE_CLOSING, /* imports that have begun are awaited, no further one begins */
  IMGIMPORT_SERVICE_CLOSED   /* calls that are inside are awaited, then the plug-ins are dropped */
} ImgImportServiceState;

struct _ImgImportService
{
  GObject parent_instance;

  /* Set before the start, then read only. */
  guint64 pid;
  ImgImportConfig *config;
  ImgImportClock *clock;
  ImgImportLog *log;
  ImgImportCatalog *catalog;
  ImgImportStore *staging;
  ImgImportRegistry *stores;  /* of ImgImportStore */
  ImgImportRegistry *methods; /* of ImgImportMethod: the enabled ones */
  ImgImportRegistry *hooks;   /* of ImgImportHook: those that run, in order */
  char *default_store;
  ImgImportBus *bus;
  char *owner;                /* this service in the catalog */
  ImgImportEngine *engine;
  ImgImportJournal *journal;
  struct _ImgImportBacklog *backlog; /* of the journal */
  struct _ImgImportRecent *recent;   /* records that the next writer need not read */

  /* What is known, from which the configuration selects; the other two before the start only. */
  ImgImportRegistry *known_methods;
  ImgImportRegistry *known_hooks;
  ImgImportRegistry *added_stores;

  GMutex lock;
  GCond cond;                    /* a run or an upload has ended */
  ImgImportServiceState state;   /* under lock */
  guint uses;                    /* under lock: calls that are inside */
  GHashTable *imports;           /* under lock: job id → ImgImportImport */
  GHashTable *stalled;           /* under lock: job id → what stalled.c keeps */
  guint n_starting;              /* under lock: jobs becoming this service's, not yet in imports */
  gint64 expiry_due_us;          /* under lock: when to look for expired jobs */
  gint64 expiry_created_us;      /* under lock: where to go on then, with the next */
  char *expiry_marker;           /* under lock: NULL: from the newest */
  GPtrArray *uploads;            /* under lock: ImgImportUpload not ended, borrowed */
};

/* The first line of every public call: refuses one before the start, after the close or in a forked
 * child. INVALID_STATE "service-not-started", "service-closed", "forked". */
gboolean _imgimport_service_check (ImgImportService *self, GError **error);
/* Of these only the last. */
gboolean _imgimport_service_check_process (ImgImportService *self, GError **error);

/* The same, and until the use is dropped a close does not take away the plug-ins: what every public
 * call holds while it is inside. A call that waits ends when the state is CLOSING. */
typedef struct _ImgImportUse ImgImportUse;
ImgImportUse *_imgimport_service_enter (ImgImportService *self, GError **error);
void _imgimport_service_leave (ImgImportUse *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportUse, _imgimport_service_leave)

/* Builds all plug-ins and checks names and directories (service-plugins.c). */
gboolean _imgimport_service_open_plugins (ImgImportService *self, GError **error);
void _imgimport_service_drop_plugins (ImgImportService *self);

/* For tests: before the start. */
void _imgimport_service_set_clock (ImgImportService *self, ImgImportClock *clock);

/* ---- discovery (discovery.c) ----------------------------------------------------------------- */

/* The names of a registry, in order, as _imgimport_json_write_strv() would. */
void _imgimport_service_write_names (ImgImportRegistry *registry, GString *out,
                                     const char *member);

/* ---- who may do what (access.c) -------------------------------------------------------------- */

/* NOT_FOUND "image-not-found" for one who may not even see the image. `context` may be NULL. */
gboolean _imgimport_access_see (ImgImportImage *image, ImgImportContext *context, GError **error);
/* And PERMISSION "not-owner" for one who may see it only. */
gboolean _imgimport_access_modify (ImgImportImage *image, ImgImportContext *context,
                                   GError **error);

/* ---- records (record.c) ---------------------------------------------------------------------- */

#define IMGIMPORT_KIND_IMAGE "image"
#define IMGIMPORT_KIND_TOMBSTONE "tombstone" /* the id of a deleted image */
#define IMGIMPORT_KIND_JOB "job"
#define IMGIMPORT_KIND_OBJECT "object" /* bytes that no record refers to: to be written or removed */
#define IMGIMPORT_KIND_RUN "run"       /* a job that is not over, and who runs it */

typedef enum
{
  IMGIMPORT_CLAIM_NONE,
  IMGIMPORT_CLAIM_UPLOAD,
  IMGIMPORT_CLAIM_IMPORT
} ImgImportClaimKind;

/* The right to change an image's bytes and status. */
typedef struct
{
  ImgImportClaimKind kind;
  char *owner;          /* of a service */
  guint64 epoch;
  char *job;            /* IMPORT */
  ImgImportStatus from; /* IMPORT: the status it goes back to */
} ImgImportClaim;

/* A sealed object in staging. */
typedef struct
{
  char *key; /* NULL: nothing is sealed */
  char *version;
  guint64 size;
  GHashTable *digests; /* algorithm → hexadecimal */
  ImgImportFacts *facts;
} ImgImportStaged;

void _imgimport_staged_clear (ImgImportStaged *self);
void _imgimport_claim_clear (ImgImportClaim *self); /* to NONE */

typedef struct
{
  gint64 revision;
  ImgImportImage *image; /* a private copy, to be edited */
  guint64 epoch;         /* the last one given out */
  ImgImportClaim claim;
  ImgImportStaged staged;   /* what would be delivered */
  ImgImportStaged original; /* what filters made of it was staged; no key: they made nothing */
} ImgImportImageRecord;

typedef struct
{
  gint64 revision;
  ImgImportJob *job;         /* a private copy, to be edited */
  char *owner;               /* the service that runs it */
  guint64 epoch;             /* of its claim */
  ImgImportContext *context; /* who asked; NULL: the host */
} ImgImportJobRecord;

void _imgimport_image_record_free (ImgImportImageRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportImageRecord, _imgimport_image_record_free)
void _imgimport_job_record_free (ImgImportJobRecord *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportJobRecord, _imgimport_job_record_free)

/* NOT_FOUND "image-not-found", "job-not-found"; CORRUPT "record-corrupt". */
ImgImportImageRecord *_imgimport_image_record_load (ImgImportService *service, const char *id,
                                                    GError **error);
ImgImportJobRecord *_imgimport_job_record_load (ImgImportService *service, const char *id,
                                                GError **error);
ImgImportImageRecord *_imgimport_image_record_copy (const ImgImportImageRecord *self);
/* From the body of a scanned record. */
ImgImportImageRecord *_imgimport_image_record_read (const ImgImportRecord *record,
                                                    GError **error);
ImgImportJobRecord *_imgimport_job_record_read (const ImgImportRecord *record, GError **error);
char *_imgimport_image_record_to_body (const ImgImportImageRecord *self);
char *_imgimport_job_record_to_body (const ImgImportJobRecord *self);

/* "<image>.<epoch>.<n>" */
char *_imgimport_object_key (const char *image_id, guint64 epoch, guint n);

/* ---- images (images.c) ----------------------------------------------------------------------- */

/* The record of an image that the caller may see, its live stage in it. */
ImgImportImageRecord *_imgimport_images_load (ImgImportService *self, ImgImportContext *context,
                                              const char *id, GError **error);
/* Puts the live count of an upload of this service into the copy. */
void _imgimport_images_overlay (ImgImportService *self, ImgImportImage *image);

/* ---- objects (objects.c) --------------------------------------------------------------------- */

/* What messages and records call the staging store. */
#define IMGIMPORT_STAGING_ID "staging"

/* Borrowed; NOT_FOUND "store-unknown". */
ImgImportStore *_imgimport_service_store (ImgImportService *self, const char *id, GError **error);
/* Removes the bytes of a noted object, then its note. */
gboolean _imgimport_object_remove (ImgImportService *self, const char *store, const char *key,
                                   GError **error);
/* The same for all noted objects of an image's epoch; goes on after a failure, reports the first. */
gboolean _imgimport_objects_sweep (ImgImportService *self, const char *image_id, guint64 epoch,
                                   GError **error);

/* ---- staging (upload.c, stage.c) ------------------------------------------------------------- */

/* Ends all uploads of this service. */
void _imgimport_uploads_abort (ImgImportService *self);
/* The digests to compute for an image, NULL-terminated, without duplicates. */
char **_imgimport_service_digests (ImgImportService *self, ImgImportImage *image);
/* CORRUPT "image-empty" for 0 bytes, unless the configuration allows them. */
gboolean _imgimport_service_check_empty (ImgImportService *self, const char *image_id,
                                         guint64 size, GError **error);

/* ---- imports (import.c, plan.c, tasks) ------------------------------------------------------- */

/* One import of this process, as its tasks see it. */
typedef struct _ImgImportImport ImgImportImport;

ImgImportImport *_imgimport_import_ref (ImgImportImport *self);
void _imgimport_import_unref (ImgImportImport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportImport, _imgimport_import_unref)
ImgImportRun *_imgimport_import_get_run (ImgImportImport *self);
/* Whether a task is or was called: until then the job is pending, and can be left to others. May be
 * asked with the service's lock held. */
gboolean _imgimport_import_is_begun (ImgImportImport *self);
/* Ends a run that has not begun, so that nothing has been done that its journal does not tell: its
 * job stays pending. */
void _imgimport_import_leave (ImgImportImport *self);
/* The live phase and bytes of a job, put into a copy of its record. */
void _imgimport_import_overlay (ImgImportImport *self, ImgImportJob *job);
/* Between these two a job of this service may have no import yet. */
void _imgimport_service_begin_starting (ImgImportService *self);
void _imgimport_service_end_starting (ImgImportService *self);
/* Whether a job of this service has no import, and none is coming. */
gboolean _imgimport_service_is_job_left (ImgImportService *self, const char *job_id);
/* The import of a job of this process; NULL for none. */
ImgImportImport *_imgimport_service_find_import (ImgImportService *self, const char *job_id);
/* All imports of this process: ImgImportImport *, owned. */
GPtrArray *_imgimport_service_list_imports (ImgImportService *self);
/* Cancels all imports of this process that are not past the pivot. */
void _imgimport_imports_cancel (ImgImportService *self);

/* ---- jobs that are neither over nor under way (stalled.c) ------------------------------------ */

GHashTable *_imgimport_stalled_table_new (void);
/* One is not stalled any more; NULL: none is. */
void _imgimport_service_drop_stalled (ImgImportService *self, const char *job_id);
/* Why the job could not be ended; NULL where it is not stalled. */
char *_imgimport_service_dup_stall (ImgImportService *self, const char *job_id);
/* Takes up a job of this service, unless it is under way, without waiting for its end. Whether it is
 * under way then. */
gboolean _imgimport_service_resume_job (ImgImportService *self, const char *job_id);

/* ---- jobs that have expired (expiry.c) ------------------------------------------------------- */

/* Removes some, if it is time to. */
void _imgimport_service_expire_jobs (ImgImportService *self);

/* ---- recovery (recovery.c) ------------------------------------------------------------------- */

/* Brings into a documented state what owners that are dead left behind; takes over their jobs. */
gboolean _imgimport_service_recover (ImgImportService *self, GError **error);
/* The same where `owner` is dead, so that a claim of its can be taken. `*recovered` says so. */
gboolean _imgimport_service_recover_owner (ImgImportService *self, const char *owner,
                                           gboolean *recovered, GError **error);

G_END_DECLS
