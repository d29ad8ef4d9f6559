/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-catalog.h>
#include <imgimport/imgimport-event.h>
#include <imgimport/imgimport-hook.h>
#include <imgimport/imgimport-method.h>
#include <imgimport/imgimport-store.h>

G_BEGIN_DECLS

#define IMGIMPORT_TYPE_SERVICE (imgimport_service_get_type ())

/**
 * ImgImportService:
 *
 * What a host opens: a catalog of images, a staging store, target stores, methods, hooks and an
 * engine, under one configuration. All functions may be called from any thread, block unless they
 * say otherwise, and answer errors of #ImgImportError or %G_IO_ERROR_CANCELLED. Not usable across
 * fork(): a call in a forked child is refused with %IMGIMPORT_ERROR_INVALID_STATE, reason "forked".
 *
 * Beside what each function lists, those that need a started service fail with
 * %IMGIMPORT_ERROR_INVALID_STATE ("service-not-started", "service-closed"), and all with what the
 * catalog or a store failed with, such as %IMGIMPORT_ERROR_NO_SPACE ("catalog-full", "store-full").
 *
 * Dropping the last reference closes the service, see imgimport_service_close().
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportService, imgimport_service, IMGIMPORT, SERVICE, GObject)

/**
 * imgimport_service_open:
 * @directory: where everything is kept; created with mode 0700 if absent
 * @config: (nullable): a configuration, see docs/configuration.md; %NULL for the defaults
 * @error: return location
 *
 * The embedded default, ready to use: imgimport_service_new() and imgimport_service_start().
 *
 * Returns: (transfer full): the service; %NULL as these two do
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportService *imgimport_service_open (const char *directory, const char *config,
                                          GError **error);

/**
 * imgimport_service_new:
 * @directory: (nullable): where the configuration's relative paths begin and where, unless the
 *   configuration says otherwise, the embedded defaults lie: a SQLite catalog, file staging and
 *   one file store named "local". %NULL: there are no defaults
 * @config: (nullable): a configuration
 * @error: return location
 *
 * Reads the configuration and touches nothing. Plug-ins are added next, then
 * imgimport_service_start() is called.
 *
 * Returns: (transfer full): the service; %NULL with %IMGIMPORT_ERROR_INVALID_ARGUMENT, reason
 *   "config-invalid", naming the path of the member that is unknown, of the wrong type or out of
 *   range
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportService *imgimport_service_new (const char *directory, const char *config,
                                         GError **error);

/**
 * imgimport_service_set_catalog: (skip)
 * @self: a service not yet started
 * @vtable: copied
 * @user_data: the `self` of the slots
 * @destroy: (nullable): frees @user_data exactly once, also on failure
 * @error: return location
 *
 * Uses a catalog of the host's in place of the configured one.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_ARGUMENT ("vtable-invalid") naming the slot that is
 *   missing, or %IMGIMPORT_ERROR_INVALID_STATE ("service-started") after the start
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_service_set_catalog (ImgImportService *self,
                                        const ImgImportCatalogVTable *vtable, gpointer user_data,
                                        GDestroyNotify destroy, GError **error);

/**
 * imgimport_service_set_staging: (skip)
 * @self: a service not yet started
 * @vtable: copied
 * @user_data: the `self` of the slots
 * @destroy: (nullable): frees @user_data exactly once, also on failure
 * @error: return location
 *
 * Stages in a store of the host's in place of the configured one.
 *
 * Returns: %FALSE as imgimport_service_set_catalog() does
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_service_set_staging (ImgImportService *self, const ImgImportStoreVTable *vtable,
                                        gpointer user_data, GDestroyNotify destroy,
                                        GError **error);

/**
 * imgimport_service_add_store: (skip)
 * @self: a service not yet started
 * @id: unique, `[a-z0-9][a-z0-9_-]*`, at most 64 characters; neither `staging` nor beginning with
 *   `os_glance_`
 * @vtable: copied
 * @user_data: the `self` of the slots
 * @destroy: (nullable): frees @user_data exactly once, also on failure
 * @error: return location
 *
 * Adds a target store. The first store, configured ones before added ones, is the default unless
 * the configuration names another.
 *
 * Returns: %FALSE as imgimport_service_set_catalog() does, and with
 *   %IMGIMPORT_ERROR_INVALID_ARGUMENT ("name-invalid") or %IMGIMPORT_ERROR_EXISTS ("name-taken")
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_service_add_store (ImgImportService *self, const char *id,
                                      const ImgImportStoreVTable *vtable, gpointer user_data,
                                      GDestroyNotify destroy, GError **error);

/**
 * imgimport_service_add_method: (skip)
 * @self: a service not yet started
 * @name: unique, `[a-z0-9][a-z0-9_-]*`, at most 64 characters
 * @vtable: copied
 * @user_data: the `self` of the slots
 * @destroy: (nullable): frees @user_data exactly once, also on failure
 * @error: return location
 *
 * Makes a method known. It is offered if the configuration's `methods` lists it, or has no such
 * list.
 *
 * Returns: %FALSE as imgimport_service_add_store() does
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_service_add_method (ImgImportService *self, const char *name,
                                       const ImgImportMethodVTable *vtable, gpointer user_data,
                                       GDestroyNotify destroy, GError **error);

/**
 * imgimport_service_add_hook: (skip)
 * @self: a service not yet started
 * @name: unique, `[a-z0-9][a-z0-9_-]*`, at most 64 characters
 * @vtable: copied
 * @user_data: the `self` of the slots
 * @destroy: (nullable): frees @user_data exactly once, also on failure
 * @error: return location
 *
 * Makes a hook known. It runs if the configuration's `hooks` lists it, in the order of that list.
 *
 * Returns: %FALSE as imgimport_service_add_store() does
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_service_add_hook (ImgImportService *self, const char *name,
                                     const ImgImportHookVTable *vtable, gpointer user_data,
                                     GDestroyNotify destroy, GError **error);

/**
 * ImgImportLogFunc:
 * @level: one of %G_LOG_LEVEL_WARNING, %G_LOG_LEVEL_MESSAGE, %G_LOG_LEVEL_INFO, %G_LOG_LEVEL_DEBUG
 * @message: one line, no secrets
 * @user_data: what came with the function
 *
 * Called on any thread, several at a time, with no lock held; must not call the service.
 *
 * Since: 0.1
 */
typedef void (*ImgImportLogFunc) (GLogLevelFlags level, const char *message, gpointer user_data);

/**
 * imgimport_service_set_log_func:
 * @self: a service not yet started
 * @func: (nullable) (scope notified) (closure user_data) (destroy destroy): where logs go; %NULL:
 *   nowhere, which is the default
 * @user_data: for @func
 * @destroy: (nullable): frees @user_data exactly once
 *
 * After the start it changes nothing.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_service_set_log_func (ImgImportService *self, ImgImportLogFunc func,
                                     gpointer user_data, GDestroyNotify destroy);

/**
 * imgimport_service_start:
 * @self: a service not yet started
 * @cancellable: (nullable): cancels
 * @error: return location
 *
 * Opens catalog and stores, checks names and directories, and brings what a process that died left
 * behind into a documented state: its half-received uploads are gone and their images queued, its
 * imports failed (or completed, past activation) and can be asked for again, its ownerless bytes
 * are removed, and its pending jobs are taken over. The cost grows with what was unfinished, not
 * with what is stored.
 *
 * Returns: %FALSE with %IMGIMPORT_ERROR_INVALID_STATE ("service-started", "service-closed"); or,
 *   and the service can then only be dropped, with %IMGIMPORT_ERROR_INVALID_ARGUMENT
 *   ("config-invalid": what can be known only now, such as the name of a method, hook or default
 *   store), %IMGIMPORT_ERROR_PERMISSION ("directory-not-private"), %IMGIMPORT_ERROR_CORRUPT
 *   ("catalog-corrupt"), %IMGIMPORT_ERROR_NOT_SUPPORTED ("catalog-schema": of a newer version) or
 *   %G_IO_ERROR_CANCELLED
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_service_start (ImgImportService *self, GCancellable *cancellable,
                                  GError **error);

/**
 * imgimport_service_close:
 * @self: a service
 * @cancellable: (nullable): stops waiting: running imports are cancelled, then awaited
 * @error: return location
 *
 * Accepts nothing more, waits for running imports, aborts open uploads, and leaves pending jobs to
 * the next service that opens the catalog. With `workers` 0 nothing can be waited for: imports that
 * have begun are cancelled. Closing twice does nothing.
 *
 * A plug-in that does not return is awaited without end, whether or not its cancellable has fired: a
 * thread cannot be taken out of foreign code. A host that cannot wait ends the process; the next
 * start makes good what was unfinished. One that wants to be sure gives what its plug-ins call
 * deadlines of its own.
 *
 * Returns: %FALSE with %G_IO_ERROR_CANCELLED where it cancelled imports; the service is closed
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_service_close (ImgImportService *self, GCancellable *cancellable,
                                  GError **error);

/**
 * imgimport_service_iterate:
 * @self: a service
 *
 * With `workers` 0: does one step of the imports that wait, on the caller's thread, which may be a
 * pass over all bytes of an image. Never waits for a step to be ready.
 *
 * Returns: whether anything was done
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_service_iterate (ImgImportService *self);

/**
 * imgimport_service_subscribe:
 * @self: a service
 * @image_id: (nullable): only events of this image; %NULL: all
 * @error: return location
 *
 * Before the start too. Never blocks.
 *
 * Returns: (transfer full): a queue of events from now on; %NULL with
 *   %IMGIMPORT_ERROR_INVALID_STATE ("service-closed") after the close, or
 *   %IMGIMPORT_ERROR_UNAVAILABLE ("resources-exhausted") where no descriptor is to be had
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportSubscription *imgimport_service_subscribe (ImgImportService *self, const char *image_id,
                                                    GError **error);

/**
 * imgimport_service_info_import:
 * @self: a started service
 *
 * Glance's discovery of methods (F031): `{"import-methods": {"description", "type": "array",
 * "value": […]}}`.
 *
 * Returns: (transfer full) (nullable): UTF-8 JSON; %NULL unless the service is started
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_service_info_import (ImgImportService *self);

/**
 * imgimport_service_info_stores:
 * @self: a started service
 *
 * Glance's discovery of stores (F032): `{"stores": [{"id", "description"?, "default": "true"?}]}`.
 *
 * Returns: (transfer full) (nullable): UTF-8 JSON; %NULL unless the service is started
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_service_info_stores (ImgImportService *self);

G_END_DECLS
