/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <imgimport/imgimport-error.h>

G_BEGIN_DECLS

/**
 * ImgImportRecord: (skip)
 *
 * A document in a catalog. `body` is JSON that the catalog keeps and never reads; the other fields
 * are what it can be asked for. All strings are UTF-8; only `owner`, `status` and `label` may be
 * %NULL.
 *
 * Since: 0.1
 */
typedef struct
{
  const char *kind;   /* such as "image": together with id the key; at most 255 bytes */
  const char *id;     /* at most 255 bytes */
  const char *owner;  /* index field */
  const char *status; /* index field */
  const char *label;  /* index field; an image's visibility, a job's image */
  gint64 created_us;  /* index field and order; µs since 1970, UTC */
  gint64 revision;    /* 1 when first put (again, once removed), one more with every put; ignored in
                         a put */
  const char *body;
} ImgImportRecord;

/**
 * ImgImportRecordFunc: (skip)
 * @record: a record, valid during the call
 * @user_data: what came with the function
 *
 * Must not call the catalog.
 *
 * Returns: %FALSE to be called no more
 * Since: 0.1
 */
typedef gboolean (*ImgImportRecordFunc) (const ImgImportRecord *record, gpointer user_data);

/**
 * ImgImportJournalFunc: (skip)
 * @data: one journal record as it was appended, valid during the call
 * @length: its bytes
 * @user_data: what came with the function
 *
 * Returns: %FALSE to be called no more
 * Since: 0.1
 */
typedef gboolean (*ImgImportJournalFunc) (const void *data, gsize length, gpointer user_data);

/**
 * ImgImportQuery: (skip)
 *
 * A scan: every field that is set must match. Newest first: by `created_us`, then by the bytes of
 * `id`, both descending. A page begins after where (`marker_created_us`, `marker_id`) stands or
 * would stand. Begin with #IMGIMPORT_QUERY_INIT, since an all-zero query asks for 1970.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize struct_size;       /* sizeof (ImgImportQuery) */
  const char *kind;        /* mandatory */
  const char *owner;       /* NULL: any */
  const char *status;      /* NULL: any */
  const char *label;       /* NULL: any */
  gint64 created_from_us;  /* inclusive; G_MININT64: no bound */
  gint64 created_to_us;    /* exclusive; G_MAXINT64: no bound */
  gint64 marker_created_us;
  const char *marker_id;   /* NULL: from the newest */
  guint limit;             /* 0: no limit */
} ImgImportQuery;

#define IMGIMPORT_QUERY_INIT                                                                       \
  .struct_size = sizeof (ImgImportQuery), .created_from_us = G_MININT64,                           \
  .created_to_us = G_MAXINT64

/**
 * ImgImportOpKind: (skip)
 * @IMGIMPORT_OP_PUT: writes `record` if its revision is `expected`
 * @IMGIMPORT_OP_REMOVE: removes `record->kind`, `record->id` if its revision is `expected`
 * @IMGIMPORT_OP_CHECK: changes nothing; the commit fails unless the revision is `expected`
 * @IMGIMPORT_OP_JOURNAL_APPEND: appends `data` to the journal named `journal`
 * @IMGIMPORT_OP_JOURNAL_FORGET: drops the journal named `journal`; it need not exist
 *
 * Since: 0.1
 */
typedef enum
{
  IMGIMPORT_OP_PUT = 1,
  IMGIMPORT_OP_REMOVE = 2,
  IMGIMPORT_OP_CHECK = 3,
  IMGIMPORT_OP_JOURNAL_APPEND = 4,
  IMGIMPORT_OP_JOURNAL_FORGET = 5
} ImgImportOpKind;

/* Expected revisions that are none: the record must not exist; it may or may not exist. */
#define IMGIMPORT_REVISION_ABSENT G_GINT64_CONSTANT (0)
#define IMGIMPORT_REVISION_ANY G_GINT64_CONSTANT (-1)

/**
 * ImgImportOp: (skip)
 *
 * One operation of a commit. Catalogs are handed pointers, so that this struct can grow.
 *
 * Since: 0.1
 */
typedef struct
{
  ImgImportOpKind kind;
  gint64 expected;               /* PUT, REMOVE, CHECK */
  const ImgImportRecord *record; /* PUT; of REMOVE and CHECK only kind and id are read */
  const char *journal;           /* JOURNAL_…: at most 255 bytes */
  const void *data;              /* JOURNAL_APPEND */
  gsize length;                  /* JOURNAL_APPEND */
} ImgImportOp;

/**
 * ImgImportCatalogVTable: (skip)
 *
 * What a catalog implements: keyed documents with revisions, atomic commits, journals and the
 * liveness of owners. All slots are mandatory. The rules of #ImgImportStoreVTable for `self`,
 * threads, errors and `struct_size` hold. A catalog waits out its own contention: no "busy" of a
 * database reaches the caller within 30 s, and IMGIMPORT_ERROR_BUSY never means anything but a
 * revision.
 *
 * Since: 0.1
 */
typedef struct
{
  gsize struct_size;

  /* Calls `func` once if the record exists. Returns TRUE also if it does not. */
  gboolean (*get) (gpointer self, const char *kind, const char *id, ImgImportRecordFunc func,
                   gpointer func_data, GError **error);

  /* Calls `func` for each record that matches, in order, until it returns FALSE. One consistent
   * view. Answered by index for kind alone or with any one of owner, status, label. */
  gboolean (*scan) (gpointer self, const ImgImportQuery *query, ImgImportRecordFunc func,
                    gpointer func_data, GError **error);

  /* All operations or none, in order. A revision that is not as expected fails with
   * IMGIMPORT_ERROR_BUSY, reason "revision-conflict"; each operation sees what those before it did.
   * With `durable`, everything committed so far survives a power cut once the call returns, even if
   * these operations change nothing; without, it survives the end of the process. An operation
   * without a mandatory member, of an unknown kind or with a key or journal of more than 255 bytes
   * fails with IMGIMPORT_ERROR_INVALID_ARGUMENT, reason "operation-invalid". */
  gboolean (*commit) (gpointer self, const ImgImportOp *const *ops, guint n_ops, gboolean durable,
                      GError **error);

  /* Calls `func` for each record of a journal in the order of appending; not at all where there is
   * no such journal. */
  gboolean (*journal_load) (gpointer self, const char *journal, ImgImportJournalFunc func,
                            gpointer func_data, GError **error);

  /* Registers a new owner and answers its id, never used before, allocated by imgimport_strdup().
   * It is alive until the catalog object is freed or its process ends, however it ends. */
  gboolean (*owner_register) (gpointer self, char **owner_id, GError **error);

  /* Answers whether an owner lives; an unknown one does not. Any process may ask. */
  gboolean (*owner_is_alive) (gpointer self, const char *owner_id, gboolean *alive,
                              GError **error);
} ImgImportCatalogVTable;

#define IMGIMPORT_CATALOG_VTABLE_INIT .struct_size = sizeof (ImgImportCatalogVTable)

G_END_DECLS
