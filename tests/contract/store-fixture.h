/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What every store must do, whoever wrote it: one set of checks, run over each factory here. */

#include "spi/spi-private.h"

/* g_assert_cmpmem() counts in int. */
static inline void
assert_bytes (const void *bytes, gsize length, const void *expected, gsize expected_length)
{
  g_assert_cmpuint (length, ==, expected_length);
  g_assert_true (length == 0 || memcmp (bytes, expected, length) == 0);
}

typedef struct
{
  const ImgImportStoreVTable *vtable;
  gpointer self;
  ImgImportStore *store; /* the same, through the library's own calls */
  char *directory;       /* of a store that keeps files; removed afterwards */
} StoreFixture;

typedef struct
{
  const char *name;
  void (*open) (StoreFixture *f);
} StoreFactory;

/* NULL-terminated by name. */
extern const StoreFactory store_factories[];

/* The least that is a store: no optional slot. */
extern const ImgImportStoreVTable minimal_store_vtable;
gpointer minimal_store_new (void);
void minimal_store_free (gpointer self);

void store_fixture_set_up (StoreFixture *f, gconstpointer factory);
void store_fixture_tear_down (StoreFixture *f, gconstpointer factory);

/* Removes a directory that holds only files. */
void remove_directory (const char *path);

/* Commits `length` bytes as one object. */
void put_object (StoreFixture *f, const char *key, const void *data, gsize length);
char *put_object_version (StoreFixture *f, const char *key, const void *data, gsize length);
/* Commits the object "k" of these bytes and opens it. */
ImgImportStoreReader *put_and_open (StoreFixture *f, const char *text);
void assert_object (StoreFixture *f, const char *key, const void *data, gsize length);
/* The object is not there, and its key is free. */
void assert_no_object (StoreFixture *f, const char *key);
ImgImportStoreWriter *begin_object (StoreFixture *f, const char *key);
void write_object (ImgImportStoreWriter *writer, guint64 offset, const void *data, gsize length);
void assert_zeros (StoreFixture *f, const char *key, guint64 from, guint64 to);

typedef void (*StoreCheck) (StoreFixture *f, gconstpointer factory);

typedef struct
{
  const char *name;
  StoreCheck check;
} StoreCheckEntry;

/* Each ends with an entry without a name. */
extern const StoreCheckEntry store_write_checks[];
extern const StoreCheckEntry store_object_checks[];
extern const StoreCheckEntry store_adopt_checks[];
