/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A store whose slots answer as they are told to. */

#include "spi/spi-private.h"

#include "slot-answer.h"

typedef struct
{
  guint destroyed; /* first: what count_destroy() counts */
  SlotAnswer answer;
  gboolean answers_nothing;
  gsize n_read;
  guint64 start, end;
  ImgImportAdoption adoption;
  guint open_handles;
  guint aborted;
} Fake;

static inline gboolean
fake_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
            GCancellable *cancellable, GError **error)
{
  Fake *fake = self;
  gboolean ok = slot_answer (fake->answer, error);

  *writer = fake->answers_nothing ? NULL : fake;
  fake->open_handles += ok && *writer != NULL;
  return ok;
}

static inline gboolean
fake_write (gpointer self, gpointer writer, guint64 offset, const void *data, gsize length,
            GCancellable *cancellable, GError **error)
{
  Fake *fake = self;

  g_assert_true (writer == self);
  return slot_answer (fake->answer, error);
}

static inline gboolean
fake_commit (gpointer self, gpointer writer, guint64 size, char **version,
             GCancellable *cancellable, GError **error)
{
  Fake *fake = self;

  fake->open_handles--;
  *version = fake->answers_nothing ? NULL : imgimport_strdup ("v1");
  return slot_answer (fake->answer, error);
}

static inline void
fake_abort (gpointer self, gpointer writer)
{
  Fake *fake = self;

  fake->open_handles--;
  fake->aborted++;
}

static inline gboolean
fake_open (gpointer self, const char *key, gpointer *reader, GCancellable *cancellable,
           GError **error)
{
  return fake_begin (self, key, 0, reader, cancellable, error);
}

static inline gboolean
fake_read (gpointer self, gpointer reader, guint64 offset, void *buffer, gsize length,
           gsize *n_read, GCancellable *cancellable, GError **error)
{
  Fake *fake = self;

  *n_read = fake->n_read;
  return slot_answer (fake->answer, error);
}

static inline void
fake_close (gpointer self, gpointer reader)
{
  Fake *fake = self;

  fake->open_handles--;
}

static inline gboolean
fake_stat (gpointer self, const char *key, guint64 *size, char **version, GCancellable *cancellable,
           GError **error)
{
  Fake *fake = self;

  if (size != NULL)
    *size = 7;
  if (version != NULL)
    *version = fake->answers_nothing ? NULL : imgimport_strdup ("v1");
  return slot_answer (fake->answer, error);
}

static inline gboolean
fake_remove (gpointer self, const char *key, GCancellable *cancellable, GError **error)
{
  Fake *fake = self;

  if (g_str_equal (key, "absent"))
    {
      imgimport_error_set (error, IMGIMPORT_ERROR_NOT_FOUND, "not-found", "no such object");
      return FALSE;
    }
  return slot_answer (fake->answer, error);
}

static inline int
fake_local_fd (gpointer self, gpointer reader)
{
  return -7;
}

static inline gboolean
fake_adopt (gpointer self, const char *key, int fd, guint64 size, char **version,
            ImgImportAdoption *adoption, GCancellable *cancellable, GError **error)
{
  Fake *fake = self;

  *adoption = fake->adoption;
  *version = fake->answers_nothing ? NULL : imgimport_strdup ("v1");
  return slot_answer (fake->answer, error);
}

static inline gboolean
fake_next_extent (gpointer self, gpointer reader, guint64 offset, guint64 *start, guint64 *end,
                  GCancellable *cancellable, GError **error)
{
  Fake *fake = self;

  *start = fake->start;
  *end = fake->end;
  return slot_answer (fake->answer, error);
}

static const ImgImportStoreVTable full_table = {
  IMGIMPORT_STORE_VTABLE_INIT,
  .begin = fake_begin,
  .write = fake_write,
  .commit = fake_commit,
  .abort = fake_abort,
  .open = fake_open,
  .read = fake_read,
  .close = fake_close,
  .stat = fake_stat,
  .remove = fake_remove,
  .local_fd = fake_local_fd,
  .adopt = fake_adopt,
  .next_extent = fake_next_extent,
};

static inline ImgImportStore *
store_of (Fake *fake)
{
  g_autoptr (GError) error = NULL;
  ImgImportStore *store = _imgimport_store_new ("fake", &full_table, fake, count_destroy, &error);

  g_assert_no_error (error);
  return store;
}
