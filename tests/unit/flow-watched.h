/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "flow-fixture.h"

#include <imgimport/imgimport-watch.h>

/* A linear flow whose clock does not say 0. */
static inline Fixture *
watched_flow (void)
{
  Fixture *f = fixture_new (0, TRUE);

  _imgimport_clock_advance (f->clock, G_USEC_PER_SEC);
  return f;
}

static inline void
go (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  imgimport_run_start (f->run, f->engine, &error);
  g_assert_no_error (error);
}
