/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Plug-ins as the library sees them: a handle holds the private copy of a vtable and its user_data,
 * and every slot is called through one function here, which makes any error fit to leave the
 * library ("store “fast”: …") and holds no lock. Handles are reference counted and thread-safe;
 * `destroy` runs when the last reference goes.
 */

#include "base/base-private.h"
#include "model/model-private.h"

#include <imgimport/imgimport-call.h>
#include <imgimport/imgimport-catalog.h>
#include <imgimport/imgimport-hook.h>
#include <imgimport/imgimport-method.h>
#include <imgimport/imgimport-store.h>

G_BEGIN_DECLS

/* ---- what all handles begin with ------------------------------------------------------------- */

/* First in a handle, so that a pointer to either is one to both. */
typedef struct
{
  gint ref_count; /* atomic */
  char *name;
  char *what; /* in messages: "store “fast”" */
  gpointer user_data;
  GDestroyNotify destroy;
} ImgImportPlugin;

/* A handle of `size` bytes with one reference. Takes `user_data`. `name` is NULL for a kind of
 * which there is one, or was not given one. */
gpointer _imgimport_plugin_new (gsize size, const char *kind, const char *name, gpointer user_data,
                                GDestroyNotify destroy);
gpointer _imgimport_plugin_ref (gpointer handle);
/* The last one runs `destroy` and frees the handle. */
void _imgimport_plugin_unref (gpointer handle);
/* FALSE with INVALID_ARGUMENT "name-invalid". */
gboolean _imgimport_plugin_check_name (const ImgImportPlugin *self, GError **error);
/* A slot's answer: hands its error on, normalised, where it failed, and drops what a successful one
 * left there. Returns `ok`. */
gboolean _imgimport_plugin_answer (const ImgImportPlugin *self, gboolean ok, GError **slot_error,
                                   GError **error);
/* Sets PLUGIN "contract-broken". Returns FALSE. */
gboolean _imgimport_plugin_broke_contract (const ImgImportPlugin *self, const char *how,
                                           GError **error);
/* As _imgimport_plugin_answer(), of a read slot that answered `n_read` bytes of `length`: more than
 * that breaks its contract. */
gboolean _imgimport_plugin_answer_read (const ImgImportPlugin *self, gboolean ok,
                                        GError **slot_error, gsize n_read, gsize length,
                                        GError **error);

/* ---- store ----------------------------------------------------------------------------------- */

typedef struct _ImgImportStore ImgImportStore;
typedef struct _ImgImportStoreWriter ImgImportStoreWriter;
typedef struct _ImgImportStoreReader ImgImportStoreReader;

/* On failure `destroy` has run. `id` must be a valid name; "staging" in messages for staging. */
ImgImportStore *_imgimport_store_new (const char *id, const ImgImportStoreVTable *vtable,
                                      gpointer user_data, GDestroyNotify destroy, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportStore, _imgimport_plugin_unref)
const char *_imgimport_store_get_id (ImgImportStore *self);

/* A writer frees itself: committed, or aborted when dropped. */
ImgImportStoreWriter *_imgimport_store_begin (ImgImportStore *self, const char *key,
                                              guint64 expected, GCancellable *cancellable,
                                              GError **error);
gboolean _imgimport_store_writer_write (ImgImportStoreWriter *self, guint64 offset,
                                        const void *data, gsize length, GCancellable *cancellable,
                                        GError **error);
/* Consumes the writer, also on failure. */
gboolean _imgimport_store_writer_commit (ImgImportStoreWriter *self, guint64 size, char **version,
                                         GCancellable *cancellable, GError **error);
/* Consumes the writer; NULL is ignored. */
void _imgimport_store_writer_abort (ImgImportStoreWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportStoreWriter, _imgimport_store_writer_abort)

ImgImportStoreReader *_imgimport_store_open (ImgImportStore *self, const char *key,
                                             GCancellable *cancellable, GError **error);
gboolean _imgimport_store_reader_read (ImgImportStoreReader *self, guint64 offset, void *buffer,
                                       gsize length, gsize *n_read, GCancellable *cancellable,
                                       GError **error);
/* All of an object is data, to IMGIMPORT_SIZE_UNKNOWN, where the store has no such slot. */
gboolean _imgimport_store_reader_next_extent (ImgImportStoreReader *self, guint64 offset,
                                              guint64 *start, guint64 *end,
                                              GCancellable *cancellable, GError **error);
int _imgimport_store_reader_local_fd (ImgImportStoreReader *self);
void _imgimport_store_reader_close (ImgImportStoreReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportStoreReader, _imgimport_store_reader_close)

gboolean _imgimport_store_stat (ImgImportStore *self, const char *key, guint64 *size,
                                char **version, GCancellable *cancellable, GError **error);
/* TRUE also where there is no such object. */
gboolean _imgimport_store_remove (ImgImportStore *self, const char *key, GCancellable *cancellable,
                                  GError **error);
/* NOT_SUPPORTED "adopt-unsupported" where the store has no such slot. `*adoption` is the costliest
 * way that may be taken, and then the one that was; NULL: any. */
gboolean _imgimport_store_adopt (ImgImportStore *self, const char *key, int fd, guint64 size,
                                 char **version, ImgImportAdoption *adoption,
                                 GCancellable *cancellable, GError **error);
const char *_imgimport_adoption_to_string (ImgImportAdoption adoption);

/* ---- catalog --------------------------------------------------------------------------------- */

typedef struct _ImgImportCatalog ImgImportCatalog;

ImgImportCatalog *_imgimport_catalog_new (const ImgImportCatalogVTable *vtable, gpointer user_data,
                                          GDestroyNotify destroy, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportCatalog, _imgimport_plugin_unref)

/* `*body` and `*revision` of a record; `*revision` is IMGIMPORT_REVISION_ABSENT and `*body` NULL
 * where there is none, which is no failure. `body` may be NULL. */
gboolean _imgimport_catalog_get (ImgImportCatalog *self, const char *kind, const char *id,
                                 char **body, gint64 *revision, GError **error);
/* The same of its index field `owner`. */
gboolean _imgimport_catalog_get_owner (ImgImportCatalog *self, const char *kind, const char *id,
                                       char **owner, gint64 *revision, GError **error);
gboolean _imgimport_catalog_scan (ImgImportCatalog *self, const ImgImportQuery *query,
                                  ImgImportRecordFunc func, gpointer func_data, GError **error);
gboolean _imgimport_catalog_commit (ImgImportCatalog *self, const ImgImportOp *const *ops,
                                    guint n_ops, gboolean durable, GError **error);
gboolean _imgimport_catalog_journal_load (ImgImportCatalog *self, const char *journal,
                                          ImgImportJournalFunc func, gpointer func_data,
                                          GError **error);
gboolean _imgimport_catalog_owner_register (ImgImportCatalog *self, char **owner_id,
                                            GError **error);
gboolean _imgimport_catalog_owner_is_alive (ImgImportCatalog *self, const char *owner_id,
                                            gboolean *alive, GError **error);
/* Whether `error` is the refusal of a commit whose expected revision was another. */
gboolean _imgimport_catalog_error_is_conflict (const GError *error);

/* ---- method and hook ------------------------------------------------------------------------- */

typedef struct _ImgImportMethod ImgImportMethod;
typedef struct _ImgImportMethodStream ImgImportMethodStream;

ImgImportMethod *_imgimport_method_new (const char *name, const ImgImportMethodVTable *vtable,
                                        gpointer user_data, GDestroyNotify destroy, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportMethod, _imgimport_plugin_unref)
ImgImportStatus _imgimport_method_get_required_status (ImgImportMethod *self);
gboolean _imgimport_method_check (ImgImportMethod *self, const char *request, GError **error);
/* `*stream` is NULL where the method uses what is staged. Exactly one of stream and use_staged,
 * else PLUGIN "method-no-source". */
gboolean _imgimport_method_open (ImgImportMethod *self, ImgImportCall *call,
                                 ImgImportMethodStream **stream, GCancellable *cancellable,
                                 GError **error);
guint64 _imgimport_method_stream_get_size (ImgImportMethodStream *self);
gboolean _imgimport_method_stream_read (ImgImportMethodStream *self, void *buffer, gsize length,
                                        gsize *n_read, GCancellable *cancellable, GError **error);
void _imgimport_method_stream_close (ImgImportMethodStream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportMethodStream, _imgimport_method_stream_close)

typedef struct _ImgImportHook ImgImportHook;

ImgImportHook *_imgimport_hook_new (const char *name, const ImgImportHookVTable *vtable,
                                    gpointer user_data, GDestroyNotify destroy, GError **error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportHook, _imgimport_plugin_unref)
const char *_imgimport_hook_get_name (ImgImportHook *self);
/* INVALID_ARGUMENT "config-invalid" where the hook takes no options and `options` has members. */
gboolean _imgimport_hook_configure (ImgImportHook *self, JsonObject *options, GError **error);
gboolean _imgimport_hook_has_metadata (ImgImportHook *self);
gboolean _imgimport_hook_is_filter (ImgImportHook *self);
gboolean _imgimport_hook_metadata (ImgImportHook *self, ImgImportCall *call,
                                   GCancellable *cancellable, GError **error);

/* `source` is borrowed. */
ImgImportUpstream *_imgimport_upstream_new (ImgImportSourceFunc read, gpointer source);
void _imgimport_upstream_free (ImgImportUpstream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportUpstream, _imgimport_upstream_free)
guint64 _imgimport_upstream_get_taken (ImgImportUpstream *self); /* bytes */

typedef struct _ImgImportHookFilter ImgImportHookFilter;

/* `*filter` is NULL where the hook is no filter or has nothing to do; else it borrows `upstream`,
 * which it reads to its end. PLUGIN "contract-broken" where it does not. */
gboolean _imgimport_hook_open (ImgImportHook *self, ImgImportCall *call,
                               ImgImportUpstream *upstream, ImgImportHookFilter **filter,
                               GCancellable *cancellable, GError **error);
/* An ImgImportSourceFunc. */
gboolean _imgimport_hook_filter_read (gpointer filter, void *buffer, gsize length, gsize *n_read,
                                      GCancellable *cancellable, GError **error);
void _imgimport_hook_filter_close (ImgImportHookFilter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportHookFilter, _imgimport_hook_filter_close)

/* ---- call ------------------------------------------------------------------------------------ */

/* `staged_key` may be NULL, `context` too (the host). All are referenced or copied. */
ImgImportCall *_imgimport_call_new (ImgImportImage *image, ImgImportContext *context,
                                    const char *request, const char *job_id, const char *staged_key,
                                    ImgImportLog *log);
void _imgimport_call_free (ImgImportCall *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportCall, _imgimport_call_free)
gboolean _imgimport_call_uses_staged (ImgImportCall *self);
/* Properties that the plug-in set: string → string; borrowed. */
GHashTable *_imgimport_call_get_properties (ImgImportCall *self);

/* ---- registry -------------------------------------------------------------------------------- */

/* Named handles in order of addition. Not thread-safe: filled before the start, read after. */
typedef struct _ImgImportRegistry ImgImportRegistry;

ImgImportRegistry *_imgimport_registry_new (const char *what);
void _imgimport_registry_free (ImgImportRegistry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportRegistry, _imgimport_registry_free)
/* Takes `handle`; EXISTS "name-taken" drops it. */
gboolean _imgimport_registry_add (ImgImportRegistry *self, const char *name, gpointer handle,
                                  GError **error);
gpointer _imgimport_registry_lookup (ImgImportRegistry *self, const char *name); /* borrowed */
guint _imgimport_registry_get_size (ImgImportRegistry *self);
gpointer _imgimport_registry_get (ImgImportRegistry *self, guint index); /* borrowed */
const char *_imgimport_registry_get_name (ImgImportRegistry *self, guint index);

G_END_DECLS
