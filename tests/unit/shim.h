/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A catalog and stores in memory that outlive a service, whose slots fail on demand: those of a
 * name, or the n-th of all calls. */

#include "service.h"

#include "catalogs/catalogs-private.h"
#include "stores/stores-private.h"

/* Of all shims of a world together. */
typedef struct
{
  gint n_calls;      /* atomic */
  gint fail_at;      /* atomic: this call fails; 0: none */
  gint lasting;      /* atomic: and all after it */
  gint fail_from;    /* atomic: all from this call on fail too; 0: none */
  guint n_guarded;   /* commits that expect revisions; for one thread */
  guint conflict_at; /* of these, this one meets others; 0: none */
  guint64 services;  /* so many owners were registered; the last one lives */
} Faults;

/* What a plug-in is handed as its self. */
typedef struct
{
  Faults *faults; /* NULL: calls are not counted; a catalog has some */
  gpointer real;  /* in memory; owned */
  GDestroyNotify free_real;
  gpointer world;       /* that it is of, for slots that a test brings */
  const char *bad_slot; /* this one always fails; NULL: none */
  ImgImportError code;  /* with this */
  GMutex lock;
  GCond cond;
  gboolean still;      /* under lock: writes stand still until they are cancelled */
  guint n_waiting;     /* under lock: of them */
  GHashTable *writers; /* under lock: writer → key */
  GHashTable *objects; /* under lock: keys of committed objects */
} Shim;

static inline void
shim_init (Shim *self, Faults *faults, gpointer real, GDestroyNotify free_real)
{
  *self = (Shim){
    .faults = faults, .real = real, .free_real = free_real, .code = IMGIMPORT_ERROR_UNAVAILABLE
  };
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->writers = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  self->objects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static inline void
shim_init_catalog (Shim *self, Faults *faults)
{
  shim_init (self, faults, _imgimport_catalog_memory_new (), _imgimport_catalog_memory_free);
}

static inline void
shim_init_store (Shim *self, Faults *faults)
{
  shim_init (self, faults, _imgimport_store_memory_new (), _imgimport_store_memory_free);
}

static inline void
shim_clear (Shim *self)
{
  self->free_real (self->real);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->cond);
  g_hash_table_unref (self->writers);
  g_hash_table_unref (self->objects);
}

static inline gboolean
faults_spare (Faults *self)
{
  gint n = g_atomic_int_add (&self->n_calls, 1) + 1;
  gint fail_at = g_atomic_int_get (&self->fail_at);
  gint fail_from = g_atomic_int_get (&self->fail_from);

  if (fail_from != 0 && n >= fail_from)
    return FALSE;
  return fail_at == 0 || n < fail_at || (n > fail_at && !g_atomic_int_get (&self->lasting));
}

static inline gboolean
shim_passes (gpointer self, const char *slot, GError **error)
{
  const Shim *shim = self;

  if (g_strcmp0 (shim->bad_slot, slot) == 0)
    {
      imgimport_error_set (error, shim->code, "planted", "the planted failure");
      return FALSE;
    }
  if (shim->faults == NULL || faults_spare (shim->faults))
    return TRUE;
  imgimport_error_set (error, IMGIMPORT_ERROR_UNAVAILABLE, "planted", "the planted failure");
  return FALSE;
}

#define SHIM_REAL(self) (((Shim *)(self))->real)

/* ---- the catalog ----------------------------------------------------------------------------- */

#define SHIM_CATALOG _imgimport_catalog_memory_vtable

static inline gboolean
shim_get (gpointer self, const char *kind, const char *id, ImgImportRecordFunc func,
          gpointer func_data, GError **error)
{
  return shim_passes (self, "get", error) &&
         SHIM_CATALOG.get (SHIM_REAL (self), kind, id, func, func_data, error);
}

static inline gboolean
shim_scan (gpointer self, const ImgImportQuery *query, ImgImportRecordFunc func, gpointer func_data,
           GError **error)
{
  return shim_passes (self, "scan", error) &&
         SHIM_CATALOG.scan (SHIM_REAL (self), query, func, func_data, error);
}

/* Whether somebody else was faster: where nothing is expected nobody can be. */
static inline gboolean
shim_conflicts (Faults *faults, const ImgImportOp *const *ops, guint n_ops)
{
  gboolean guarded = FALSE;
  guint i;

  for (i = 0; i < n_ops; i++)
    guarded = guarded || (ops[i]->record != NULL && ops[i]->expected != IMGIMPORT_REVISION_ANY);
  return guarded && faults->conflict_at > 0 && ++faults->n_guarded == faults->conflict_at;
}

/* No job succeeds without telling of its tasks: nobody ever reads one that does not. */
static inline void
shim_judge (const ImgImportOp *const *ops, guint n_ops)
{
  guint i;

  for (i = 0; i < n_ops; i++)
    if (ops[i]->kind == IMGIMPORT_OP_PUT && g_str_equal (ops[i]->record->kind, "job") &&
        g_str_equal (ops[i]->record->status, "success"))
      g_assert_nonnull (strstr (ops[i]->record->body, "\"tasks\""));
}

static inline gboolean
shim_commit (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
             GError **error)
{
  shim_judge (ops, n_ops);
  if (!shim_passes (self, "commit", error))
    return FALSE;
  if (!shim_conflicts (((Shim *)self)->faults, ops, n_ops))
    return SHIM_CATALOG.commit (SHIM_REAL (self), ops, n_ops, durable, error);
  imgimport_error_set (error, IMGIMPORT_ERROR_BUSY, "revision-conflict", "a planted conflict");
  return FALSE;
}

static inline gboolean
shim_journal_load (gpointer self, const char *journal, ImgImportJournalFunc func,
                   gpointer func_data, GError **error)
{
  return shim_passes (self, "journal_load", error) &&
         SHIM_CATALOG.journal_load (SHIM_REAL (self), journal, func, func_data, error);
}

static inline gboolean
shim_owner_register (gpointer self, char **owner_id, GError **error)
{
  if (!shim_passes (self, "owner_register", error))
    return FALSE;
  ((Shim *)self)->faults->services++;
  return SHIM_CATALOG.owner_register (SHIM_REAL (self), owner_id, error);
}

/* Services come one after the other, so that all but the last are dead. */
static inline gboolean
shim_owner_is_alive (gpointer self, const char *owner_id, gboolean *alive, GError **error)
{
  if (!shim_passes (self, "owner_is_alive", error))
    return FALSE;
  *alive = g_ascii_strtoull (owner_id, NULL, 10) == ((Shim *)self)->faults->services;
  return TRUE;
}

static const ImgImportCatalogVTable shim_catalog = {
  IMGIMPORT_CATALOG_VTABLE_INIT,
  .get = shim_get,
  .scan = shim_scan,
  .commit = shim_commit,
  .journal_load = shim_journal_load,
  .owner_register = shim_owner_register,
  .owner_is_alive = shim_owner_is_alive,
};

/* ---- a store --------------------------------------------------------------------------------- */

#define SHIM_STORE _imgimport_store_memory_vtable

static inline void
shim_wake (GCancellable *cancellable, gpointer user_data)
{
  Shim *shim = user_data;

  g_mutex_lock (&shim->lock);
  g_cond_broadcast (&shim->cond);
  g_mutex_unlock (&shim->lock);
}

/* Until it is cancelled. */
static inline void
shim_stand_still (Shim *shim, GCancellable *cancellable)
{
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (shim_wake), shim, NULL);

  g_mutex_lock (&shim->lock);
  shim->n_waiting++;
  g_cond_broadcast (&shim->cond);
  while (shim->still && !g_cancellable_is_cancelled (cancellable))
    g_cond_wait (&shim->cond, &shim->lock);
  shim->n_waiting--;
  g_mutex_unlock (&shim->lock);
  g_cancellable_disconnect (cancellable, handler);
}

static inline void
shim_await_writer (Shim *shim)
{
  g_mutex_lock (&shim->lock);
  while (shim->n_waiting == 0)
    g_cond_wait (&shim->cond, &shim->lock);
  g_mutex_unlock (&shim->lock);
}

static inline gboolean
shim_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
            GCancellable *cancellable, GError **error)
{
  Shim *shim = self;
  g_autoptr (ImgImportLocker) locker = NULL;

  if (!shim_passes (self, "begin", error) ||
      !SHIM_STORE.begin (SHIM_REAL (self), key, expected, writer, cancellable, error))
    return FALSE;
  locker = _imgimport_locker_new (&shim->lock);
  g_hash_table_insert (shim->writers, *writer, g_strdup (key));
  return TRUE;
}

/* The key of a writer that ends. */
static inline char *
shim_take_writer (Shim *shim, gpointer writer)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&shim->lock);
  gpointer key = NULL;

  g_assert_true (g_hash_table_steal_extended (shim->writers, writer, NULL, &key));
  return key;
}

static inline gboolean
shim_write (gpointer self, gpointer writer, guint64 offset, const void *data, gsize length,
            GCancellable *cancellable, GError **error)
{
  if (!shim_passes (self, "write", error))
    return FALSE;
  shim_stand_still (self, cancellable);
  return !g_cancellable_set_error_if_cancelled (cancellable, error) &&
         SHIM_STORE.write (SHIM_REAL (self), writer, offset, data, length, cancellable, error);
}

static inline gboolean
shim_store_commit (gpointer self, gpointer writer, guint64 size, char **version,
                   GCancellable *cancellable, GError **error)
{
  Shim *shim = self;
  g_autofree char *key = shim_take_writer (shim, writer);
  g_autoptr (ImgImportLocker) locker = NULL;

  if (!shim_passes (self, "commit", error))
    {
      SHIM_STORE.abort (SHIM_REAL (self), writer);
      return FALSE;
    }
  if (!SHIM_STORE.commit (SHIM_REAL (self), writer, size, version, cancellable, error))
    return FALSE;
  locker = _imgimport_locker_new (&shim->lock);
  g_hash_table_add (shim->objects, g_steal_pointer (&key));
  return TRUE;
}

static inline void
shim_abort (gpointer self, gpointer writer)
{
  g_free (shim_take_writer (self, writer));
  SHIM_STORE.abort (SHIM_REAL (self), writer);
}

static inline gboolean
shim_open (gpointer self, const char *key, gpointer *reader, GCancellable *cancellable,
           GError **error)
{
  return shim_passes (self, "open", error) &&
         SHIM_STORE.open (SHIM_REAL (self), key, reader, cancellable, error);
}

static inline gboolean
shim_read (gpointer self, gpointer reader, guint64 offset, void *buffer, gsize length,
           gsize *n_read, GCancellable *cancellable, GError **error)
{
  return shim_passes (self, "read", error) &&
         SHIM_STORE.read (SHIM_REAL (self), reader, offset, buffer, length, n_read, cancellable,
                          error);
}

static inline void
shim_close (gpointer self, gpointer reader)
{
  SHIM_STORE.close (SHIM_REAL (self), reader);
}

static inline gboolean
shim_stat (gpointer self, const char *key, guint64 *size, char **version, GCancellable *cancellable,
           GError **error)
{
  return shim_passes (self, "stat", error) &&
         SHIM_STORE.stat (SHIM_REAL (self), key, size, version, cancellable, error);
}

static inline gboolean
shim_remove (gpointer self, const char *key, GCancellable *cancellable, GError **error)
{
  Shim *shim = self;
  g_autoptr (ImgImportLocker) locker = NULL;

  if (!shim_passes (self, "remove", error) ||
      !SHIM_STORE.remove (SHIM_REAL (self), key, cancellable, error))
    return FALSE;
  locker = _imgimport_locker_new (&shim->lock);
  g_hash_table_remove (shim->objects, key);
  return TRUE;
}

static const ImgImportStoreVTable shim_store = {
  IMGIMPORT_STORE_VTABLE_INIT, .begin = shim_begin, .write = shim_write,
  .commit = shim_store_commit, .abort = shim_abort, .open = shim_open,
  .read = shim_read,           .close = shim_close, .stat = shim_stat,
  .remove = shim_remove,
};
