/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An upload from inside: its claim (upload-claim.c) and its life (upload.c). */

#include "service/txn.h"

G_BEGIN_DECLS

struct _ImgImportUpload
{
  GObject parent_instance;

  ImgImportService *service;
  GCancellable *cancellable; /* its own: fired by the caller's, by a lost claim, by the close */
  char *image_id;
  char *key; /* NULL once there is nothing to clean up */
  guint64 epoch;
  guint64 expected;
  gint64 next_tick_us;
  GError *lost;        /* why the claim is no longer held */
  ImgImportKnown known; /* its image, between its commits */
  ImgImportPass *pass; /* NULL once it has ended */

  gboolean busy; /* under the service's lock: a call is inside */
  guint64 bytes; /* under the service's lock */
};

/* Claims the image for `self`, notes the object, answers the digests to compute. */
gboolean _imgimport_upload_claim (ImgImportUpload *self, ImgImportContext *context, char ***digests,
                                  GError **error);
/* Puts the count of bytes into the record; fails where the claim is lost. */
gboolean _imgimport_upload_tell (ImgImportUpload *self, guint64 bytes, GError **error);
/* The image is queued again. */
gboolean _imgimport_upload_give_back (ImgImportUpload *self, GError **error);
/* The commit that makes the bytes the image's; answers the image. */
ImgImportImage *_imgimport_upload_seal (ImgImportUpload *self, const ImgImportPassResult *result,
                                        GError **error);

/* Pulls a source to its end, as imgimport_upload_write() would push it. */
gboolean _imgimport_upload_pull (ImgImportUpload *self, ImgImportSource *source,
                                 GCancellable *cancellable, GError **error);

G_END_DECLS
