/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

#include <imgimport/imgimport-version.h>

/*
 * Every exported declaration carries IMGIMPORT_AVAILABLE_IN_x_y: it is the export mark and says
 * since when the symbol exists. Anything without it is not part of the library's interface.
 */
#if defined(__GNUC__) || defined(__clang__)
#define _IMGIMPORT_EXTERN __attribute__ ((visibility ("default"))) extern
#else
#define _IMGIMPORT_EXTERN extern
#endif

#define IMGIMPORT_AVAILABLE_IN_0_1 _IMGIMPORT_EXTERN

G_BEGIN_DECLS

/**
 * IMGIMPORT_SIZE_UNKNOWN:
 *
 * Stands where a size in bytes is not known. All sizes are `guint64` bytes.
 *
 * Since: 0.1
 */
#define IMGIMPORT_SIZE_UNKNOWN G_MAXUINT64

/**
 * imgimport_version:
 *
 * Returns: (transfer none): the version of the library at run time, such as "0.1.0"
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_version (void);

/**
 * imgimport_ref: (skip)
 * @object: any object of this library
 *
 * Takes a reference. It is g_object_ref() for callers that load this library only.
 *
 * Returns: @object
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gpointer imgimport_ref (gpointer object);

/**
 * imgimport_unref: (skip)
 * @object: (nullable): any object of this library
 *
 * Drops a reference. %NULL is ignored.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_unref (gpointer object);

/**
 * imgimport_free: (skip)
 * @memory: (nullable): a string or buffer that this library handed over
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_free (gpointer memory);

/**
 * imgimport_strdup: (skip)
 * @text: (nullable): a string
 *
 * Copies @text into memory that the library may free: what a plug-in in another language returns
 * where a slot's contract says "allocated".
 *
 * Returns: (transfer full) (nullable): the copy; %NULL of %NULL
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_strdup (const char *text);

/**
 * imgimport_strv_free: (skip)
 * @strings: (nullable): a %NULL-terminated array that this library handed over
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_strv_free (char **strings);

G_END_DECLS
