/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a host calls. */
#include <imgimport/imgimport-import.h>
#include <imgimport/imgimport-staging.h>

/* What a plug-in implements. */
#include <imgimport/imgimport-catalog.h>
#include <imgimport/imgimport-hook.h>
#include <imgimport/imgimport-method.h>
#include <imgimport/imgimport-store.h>

/* The inspector of formats, usable with no service. */
#include <imgimport/imgimport-inspect.h>

/* The task-flow engine, usable with no image anywhere. */
#include <imgimport/imgimport-watch.h>
