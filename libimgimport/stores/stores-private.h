/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The stores that come with the library: files in a private directory, and memory. */

#include <imgimport/imgimport-store.h>

#include "base/base-private.h"

G_BEGIN_DECLS

/* ---- file ------------------------------------------------------------------------------------ */

extern const ImgImportStoreVTable _imgimport_store_file_vtable;

/* Objects are the files of `directory`, which is created where it is missing and must be ours
 * alone. `durable`: a commit survives a power cut. */
gpointer _imgimport_store_file_new (const char *directory, gboolean durable, GError **error);
void _imgimport_store_file_free (gpointer self);

/* ---- memory ---------------------------------------------------------------------------------- */

extern const ImgImportStoreVTable _imgimport_store_memory_vtable;

gpointer _imgimport_store_memory_new (void);
void _imgimport_store_memory_free (gpointer self);

/* ---- for this folder ------------------------------------------------------------------------- */

/* INVALID_ARGUMENT "key-invalid". */
gboolean _imgimport_store_check_key (const char *key, GError **error);

typedef struct
{
  int dirfd;
  gboolean durable;
} ImgImportFileStore;

/* A file that becomes an object: named ".<key>" until it is published, so that no two writers and
 * no committed object can have one key, and a dead writer's leftover can be found by its key. */
typedef struct
{
  char *key;
  char *hidden;
  int fd;
  guint64 flushed; /* up to where the kernel was told to write back */
} ImgImportFileWriter;

/* EXISTS where the key is taken, by a committed object or by one that is being written. */
ImgImportFileWriter *_imgimport_file_writer_new (const ImgImportFileStore *store, const char *key,
                                                 GError **error);
/* Both consume the writer; a failed commit leaves nothing behind. */
gboolean _imgimport_file_writer_commit (const ImgImportFileStore *store, ImgImportFileWriter *self,
                                        guint64 size, char **version, GError **error);
void _imgimport_file_writer_abort (const ImgImportFileStore *store, ImgImportFileWriter *self);

/* Whether a committed object has this key: an error is "yes", for it may. */
gboolean _imgimport_file_store_has (const ImgImportFileStore *self, const char *key);
/* Removes a name that still is the file `fd`; another's file of that name stays. */
void _imgimport_file_store_drop_name (const ImgImportFileStore *self, const char *name, int fd);
/* Gives the file `fd`, named `hidden`, its final name; on failure neither name is left. Its bytes
 * are synced first, unless a store that committed them has done so. */
gboolean _imgimport_file_store_publish (const ImgImportFileStore *self, const char *hidden,
                                        const char *key, int fd, gboolean is_committed,
                                        GError **error);
char *_imgimport_file_store_version (int fd, const char *key, GError **error);

/* Slots of the file store that lie in files of their own. */
gboolean _imgimport_store_file_begin (gpointer self, const char *key, guint64 expected,
                                      gpointer *writer, GCancellable *cancellable, GError **error);
gboolean _imgimport_store_file_write (gpointer self, gpointer writer, guint64 offset,
                                      const void *data, gsize length, GCancellable *cancellable,
                                      GError **error);
gboolean _imgimport_store_file_adopt (gpointer self, const char *key, int fd, guint64 size,
                                      char **version, ImgImportAdoption *adoption,
                                      GCancellable *cancellable, GError **error);

G_END_DECLS
