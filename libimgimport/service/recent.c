/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Records of images as this process last committed them: what was created is staged next, and what
 * was staged imported. A transaction takes one and need not read it again; where somebody else has
 * changed it since, its revision tells at the commit.
 */

#include "service/txn.h"

#define MAX_RECORDS 16

struct _ImgImportRecent
{
  GMutex lock;
  GQueue records; /* under lock: of ImgImportImageRecord, the newest first */
};

static void
free_record (gpointer data)
{
  _imgimport_image_record_free (data);
}

ImgImportRecent *
_imgimport_recent_new (void)
{
  ImgImportRecent *self = g_new0 (ImgImportRecent, 1);

  g_mutex_init (&self->lock);
  g_queue_init (&self->records);
  return self;
}

void
_imgimport_recent_free (ImgImportRecent *self)
{
  g_queue_clear_full (&self->records, free_record);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
_imgimport_recent_give (ImgImportRecent *self, ImgImportImageRecord *record)
{
  g_autoptr (ImgImportImageRecord) surplus = NULL;
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);

  g_queue_push_head (&self->records, record);
  if (self->records.length > MAX_RECORDS)
    surplus = g_queue_pop_tail (&self->records);
}

ImgImportImageRecord *
_imgimport_recent_take (ImgImportRecent *self, const char *image_id)
{
  g_autoptr (ImgImportLocker) locker = _imgimport_locker_new (&self->lock);
  GList *l;

  for (l = self->records.head; l != NULL; l = l->next)
    {
      ImgImportImageRecord *record = l->data;

      if (!g_str_equal (record->image->id, image_id))
        continue;
      g_queue_delete_link (&self->records, l);
      return record;
    }
  return NULL;
}
