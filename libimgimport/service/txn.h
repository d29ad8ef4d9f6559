/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Transactions on the records of a service, and what goes with them: claims and journals. */

#include "service/service-private.h"

G_BEGIN_DECLS

/* ---- transactions (txn.c) -------------------------------------------------------------------- */

typedef struct _ImgImportTxn ImgImportTxn;

/* Edits what the transaction has loaded and says so; called again from fresh copies after a
 * conflict, so it must have no other effect. FALSE: nothing is committed. */
typedef gboolean (*ImgImportTxnFunc) (ImgImportTxn *txn, gpointer data, GError **error);

/* Loads the image and the job that are named (either id may be NULL), calls `func`, commits. What
 * was loaded and not changed is checked to be still the same. Events are published after it. Where
 * the catalog says that the commit failed and has it all the same, that is a success. */
gboolean _imgimport_txn_run (ImgImportService *service, const char *image_id, const char *job_id,
                             gboolean durable, ImgImportTxnFunc func, gpointer data,
                             GError **error);

/* The records as one writer's last commit left them, so that it need not read them again: their
 * revisions tell, at its next commit, whether somebody else has been there since. For one thread at
 * a time. */
typedef struct
{
  ImgImportImageRecord *image; /* NULL: not known */
  ImgImportJobRecord *job;     /* NULL: not known */
} ImgImportKnown;

void _imgimport_known_clear (ImgImportKnown *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ImgImportKnown, _imgimport_known_clear)

/* What a transaction is about. */
typedef struct
{
  const char *image_id;  /* NULL: none */
  const char *job_id;    /* NULL: none */
  const char *journal;   /* a run whose backlog goes with the commit; NULL: none */
  gboolean durable;
  ImgImportKnown *known; /* may be NULL; what was not committed is unknown afterwards */
} ImgImportTxnSpec;

/* _imgimport_txn_run() for a writer that comes back. */
gboolean _imgimport_txn_run_spec (ImgImportService *service, const ImgImportTxnSpec *spec,
                                  ImgImportTxnFunc func, gpointer data, GError **error);

gint64 _imgimport_txn_now (ImgImportTxn *self); /* wall clock, µs: one moment a try */
ImgImportImageRecord *_imgimport_txn_image (ImgImportTxn *self);
ImgImportJobRecord *_imgimport_txn_job (ImgImportTxn *self);

/* The image's updated_at moves with it. */
void _imgimport_txn_image_changed (ImgImportTxn *self);
void _imgimport_txn_job_changed (ImgImportTxn *self);
/* A new record in place of one loaded; takes it. */
void _imgimport_txn_create_image (ImgImportTxn *self, ImgImportImageRecord *record);
void _imgimport_txn_create_job (ImgImportTxn *self, ImgImportJobRecord *record);
/* Removes the loaded image and keeps its id for ever. */
void _imgimport_txn_remove_image (ImgImportTxn *self);
/* The note that says who is to clean up an object: written before its bytes, dropped in the commit
 * that makes a record refer to it, written again in the commit that makes none do. */
void _imgimport_txn_note_object (ImgImportTxn *self, const char *store, const char *image_id,
                                 const char *key);
void _imgimport_txn_drop_object (ImgImportTxn *self, const char *store, const char *key);
/* The note of a job that is not over, by which a later owner finds it. */
void _imgimport_txn_note_run (ImgImportTxn *self, const char *job_id);
void _imgimport_txn_drop_run (ImgImportTxn *self, const char *job_id);
void _imgimport_txn_journal_append (ImgImportTxn *self, const char *journal, GBytes *record);
void _imgimport_txn_journal_forget (ImgImportTxn *self, const char *journal);

/* ---- records for the next writer (recent.c) -------------------------------------------------- */

/* A few of them, for any thread. */
typedef struct _ImgImportRecent ImgImportRecent;

ImgImportRecent *_imgimport_recent_new (void);
void _imgimport_recent_free (ImgImportRecent *self);
/* Takes a record as it was committed, which nobody else has a part of. */
void _imgimport_recent_give (ImgImportRecent *self, ImgImportImageRecord *record);
/* NULL where there is none. */
ImgImportImageRecord *_imgimport_recent_take (ImgImportRecent *self, const char *image_id);

/* ---- claims (claim.c) ------------------------------------------------------------------------ */

/* Remembers whose claim stands in the way; NULL for nobody's. */
void _imgimport_claim_note_holder (const ImgImportImageRecord *record, char **holder);
/* BUSY "image-claimed". */
gboolean _imgimport_claim_require_free (const ImgImportImageRecord *record, GError **error);
/* Whether a transaction failed because the image is deleted or claimed by somebody else. */
gboolean _imgimport_claim_is_gone (const GError *error);
/* A transaction on an image that, where it fails and `func` noted a `*holder` that is dead, recovers
 * what that one left behind and tries again. */
gboolean _imgimport_claim_run (ImgImportService *service, const ImgImportTxnSpec *spec,
                               ImgImportTxnFunc func, gpointer data, char **holder,
                               GError **error);
/* Uploading → queued: no claim, nothing staged. */
gboolean _imgimport_record_unstage (ImgImportTxn *txn, GError **error);
/* The first sink of a pass is the image's sealed object. */
void _imgimport_record_set_staged (ImgImportImageRecord *self, const char *key,
                                   const ImgImportPassResult *result);

/* ---- journals (journal.c, backlog.c) -------------------------------------------------------- */

/* Records of runs that are not in the catalog yet. */
typedef struct _ImgImportBacklog ImgImportBacklog;

ImgImportBacklog *_imgimport_backlog_new (void);
ImgImportBacklog *_imgimport_backlog_ref (ImgImportBacklog *self);
void _imgimport_backlog_unref (ImgImportBacklog *self);
/* Takes `record`. */
void _imgimport_backlog_add (ImgImportBacklog *self, const char *run, GBytes *record);
/* A copy, of GBytes, in order; NULL for none. */
GPtrArray *_imgimport_backlog_dup (ImgImportBacklog *self, const char *run);
/* The first `n` of a run stand in the catalog now. */
void _imgimport_backlog_written (ImgImportBacklog *self, const char *run, guint n);
void _imgimport_backlog_forget (ImgImportBacklog *self, const char *run);

/* Journals of runs in the catalog, for an owner that is registered there. A run is claimed by its
 * note ("run"): that of a dead owner is replaced, and once it is, the owner before cannot append.
 * With a `backlog` it appends to that. */
ImgImportJournal *_imgimport_journal_new_catalog (ImgImportCatalog *catalog, const char *owner,
                                                  ImgImportBacklog *backlog, gboolean durable,
                                                  GError **error);

/* ---- inside ---------------------------------------------------------------------------------- */

/* One operation and what it points to. */
typedef struct
{
  ImgImportOp op;
  ImgImportRecord record;
  char *id;
  char *body;
  char *text; /* the journal's name, or the label of a note */
  GBytes *bytes;
} ImgImportTxnStep;

struct _ImgImportTxn
{
  ImgImportService *service;
  gint64 now_us;
  ImgImportImageRecord *image;
  ImgImportJobRecord *job;
  gboolean image_changed;
  gboolean image_removed;
  gboolean job_changed;
  GPtrArray *steps; /* of ImgImportTxnStep: notes and journal */
};

/* ---- txn-ops.c ------------------------------------------------------------------------------- */

void _imgimport_txn_step_free (gpointer step);
/* Appends the operations on the image and the job: what was changed is put, what was not is checked
 * to be still the same. */
void _imgimport_txn_add_records (ImgImportTxn *self);

G_END_DECLS
