/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "flow/flow-private.h"

struct _ImgImportEngine
{
  GObject parent_instance;
  ImgImportPool *pool;
};

G_DEFINE_FINAL_TYPE (ImgImportEngine, imgimport_engine, G_TYPE_OBJECT)

/* No run is left: each keeps a reference from its start to its end. */
static void
imgimport_engine_finalize (GObject *object)
{
  ImgImportEngine *self = IMGIMPORT_ENGINE (object);

  if (!_imgimport_pool_is_forked (self->pool))
    {
      _imgimport_pool_close (self->pool);
      _imgimport_pool_unref (self->pool);
    }
  G_OBJECT_CLASS (imgimport_engine_parent_class)->finalize (object);
}

static void
imgimport_engine_class_init (ImgImportEngineClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_engine_finalize;
}

static void
imgimport_engine_init (ImgImportEngine *self)
{
}

ImgImportEngine *
_imgimport_engine_new_with_clock (guint threads, ImgImportClock *clock)
{
  ImgImportEngine *self = g_object_new (IMGIMPORT_TYPE_ENGINE, NULL);

  self->pool = _imgimport_pool_new (threads, clock);
  return self;
}

ImgImportEngine *
imgimport_engine_new (guint threads)
{
  g_autoptr (ImgImportClock) clock = _imgimport_clock_new_system ();

  return _imgimport_engine_new_with_clock (threads, clock);
}

ImgImportPool *
_imgimport_engine_get_pool (ImgImportEngine *self)
{
  return self->pool;
}

gboolean
imgimport_engine_iterate (ImgImportEngine *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_ENGINE (self), FALSE);

  return _imgimport_pool_iterate (self->pool);
}

void
_imgimport_engine_stop (ImgImportEngine *self)
{
  _imgimport_pool_stop (self->pool);
}

void
imgimport_engine_set_limit (ImgImportEngine *self, ImgImportTaskClass task_class, guint limit)
{
  g_return_if_fail (IMGIMPORT_IS_ENGINE (self));
  g_return_if_fail (task_class > IMGIMPORT_TASK_CLASS_ANY &&
                    task_class <= IMGIMPORT_TASK_CLASS_CPU);

  _imgimport_pool_set_limit (self->pool, task_class, limit);
}

gboolean
imgimport_engine_drain (ImgImportEngine *self, gint64 timeout_ms)
{
  g_return_val_if_fail (IMGIMPORT_IS_ENGINE (self), FALSE);

  return _imgimport_pool_drain (self->pool, timeout_ms);
}
