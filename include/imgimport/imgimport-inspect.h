/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <imgimport/imgimport-error.h>

G_BEGIN_DECLS

/*
 * What the bytes of an image are, and whether they are safe: of use with no service. An inspector
 * is shown the bytes once, in any pieces, and keeps less than 1 MiB of them; an inspection tells
 * what it found; a policy says what of that is accepted.
 */

#define IMGIMPORT_TYPE_FORMAT_POLICY (imgimport_format_policy_get_type ())

/**
 * ImgImportFormatPolicy:
 *
 * What an operator accepts: an immutable value, safe in any thread.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportFormatPolicy, imgimport_format_policy, IMGIMPORT, FORMAT_POLICY,
                      GObject)

/**
 * imgimport_format_policy_new_from_json:
 * @json: (nullable): an object; %NULL is `{}`, the default policy
 * @error: return location
 *
 * Reads the object that the member `format_policy` of a service's configuration is. All members are
 * optional:
 *
 * - `require_match` (boolean, default true): declared and detected format must agree (Glance's
 *   `require_image_format_match`, F129)
 * - `allowed_formats` (array of strings, default: all): what the bytes may be; `raw` stands for all
 *   bytes that no format matches, and also for partition tables
 * - `nonfatal_checks` (object of arrays of strings, default `{}`): by format, the safety checks
 *   whose failure is tolerated, such as `{"gpt": ["mbr"]}` (F130)
 * - `allowed_hybrids` (object of arrays of strings, default
 *   `{"iso": ["gpt", "mbr"], "vhd": ["gpt", "mbr"]}`): by format, the further ones that it may be at
 *   the same time; it is then taken for the former, and judged by its checks (F128). What is given
 *   takes the place of the whole default
 * - `max_virtual_size` (integer, bytes, not 0, default -1): the largest disk inside; negative: no
 *   limit
 *
 * Returns: (transfer full): the policy; %NULL with %IMGIMPORT_ERROR_INVALID_ARGUMENT
 *   ("json-invalid") naming the path of what is wrong
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportFormatPolicy *imgimport_format_policy_new_from_json (const char *json, GError **error);

#define IMGIMPORT_TYPE_INSPECTION (imgimport_inspection_get_type ())

/**
 * ImgImportInspection:
 *
 * What an inspector found: an immutable value, safe in any thread. Facts only; see
 * imgimport_inspection_judge() for the verdict.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportInspection, imgimport_inspection, IMGIMPORT, INSPECTION, GObject)

/**
 * imgimport_inspection_new_from_fd:
 * @fd: a descriptor open for reading; it stays the caller's
 * @cancellable: (nullable): cancels
 * @error: return location
 *
 * Inspects what a descriptor reads. Of a regular file only what a format needs is read, at most
 * 1 MiB of a file of any size, from its first byte, and the descriptor's position stays; of
 * anything else everything is read from where it is. Blocks; any thread.
 *
 * Returns: (transfer full): what was found; %NULL with the error of the read,
 *   %IMGIMPORT_ERROR_CORRUPT ("source-changed": the file got shorter meanwhile) or
 *   %G_IO_ERROR_CANCELLED
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportInspection *imgimport_inspection_new_from_fd (int fd, GCancellable *cancellable,
                                                       GError **error);

/**
 * imgimport_inspection_new_from_stream:
 * @stream: a stream; it is not closed
 * @cancellable: (nullable): cancels
 * @error: return location
 *
 * Inspects a stream from its current position to its end. Where it can seek, only what a format
 * needs is read, and the position afterwards is anywhere. Blocks; the thread that uses @stream.
 *
 * Returns: (transfer full): what was found; %NULL with %IMGIMPORT_ERROR_PLUGIN ("foreign-error",
 *   with the stream's words), %IMGIMPORT_ERROR_CORRUPT ("source-changed": it got shorter meanwhile)
 *   or %G_IO_ERROR_CANCELLED
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportInspection *imgimport_inspection_new_from_stream (GInputStream *stream,
                                                           GCancellable *cancellable,
                                                           GError **error);

/**
 * imgimport_inspection_new_from_json:
 * @json: what imgimport_inspection_to_json() wrote, at most 1 MiB
 * @error: return location
 *
 * Returns: (transfer full): the inspection; %NULL with %IMGIMPORT_ERROR_INVALID_ARGUMENT
 *   ("json-invalid") naming the path of what is wrong
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportInspection *imgimport_inspection_new_from_json (const char *json, GError **error);

/**
 * imgimport_inspection_to_json:
 * @self: an inspection
 *
 * `{"size": bytes, "matches": [{"format", "virtual_size": bytes, "checks": [{"name", "reason"}]}]}`.
 * `virtual_size` is absent where the format does not tell, `reason` where the check passed.
 *
 * Returns: (transfer full): UTF-8 JSON, one object
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char *imgimport_inspection_to_json (ImgImportInspection *self);

/**
 * imgimport_inspection_get_size:
 * @self: an inspection
 *
 * Returns: the bytes seen
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint64 imgimport_inspection_get_size (ImgImportInspection *self);

/**
 * imgimport_inspection_get_format:
 * @self: an inspection
 *
 * Returns: (nullable) (transfer none): the one format that matches, `raw` where none does, %NULL
 *   where several do
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_inspection_get_format (ImgImportInspection *self);

/**
 * imgimport_inspection_get_virtual_size:
 * @self: an inspection
 *
 * Returns: bytes of the disk inside: what the one format that matches tells, the bytes seen where
 *   none does; else %IMGIMPORT_SIZE_UNKNOWN
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
guint64 imgimport_inspection_get_virtual_size (ImgImportInspection *self);

/**
 * imgimport_inspection_dup_formats:
 * @self: an inspection
 *
 * Returns: (transfer full) (array zero-terminated=1): all formats that match; empty for raw bytes
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char **imgimport_inspection_dup_formats (ImgImportInspection *self);

/**
 * imgimport_inspection_dup_checks:
 * @self: an inspection
 * @format: one of imgimport_inspection_dup_formats()
 *
 * Returns: (transfer full) (array zero-terminated=1): the names of the safety checks that were made;
 *   empty where @format does not match
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
char **imgimport_inspection_dup_checks (ImgImportInspection *self, const char *format);

/**
 * imgimport_inspection_get_fault:
 * @self: an inspection
 * @format: one of imgimport_inspection_dup_formats()
 * @check: one of imgimport_inspection_dup_checks()
 *
 * Returns: (nullable) (transfer none): why the check failed; %NULL where it passed
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
const char *imgimport_inspection_get_fault (ImgImportInspection *self, const char *format,
                                            const char *check);

/**
 * imgimport_inspection_judge:
 * @self: an inspection
 * @policy: (nullable): what is accepted; %NULL: the default policy
 * @disk_format: (nullable): what the image is declared to be, such as `qcow2`; %NULL: nothing, and
 *   then declared and detected format agree
 * @container_format: (nullable): only `bare` images and, %NULL, undeclared ones are looked into;
 *   any other is accepted as it is declared
 * @format: (out) (optional) (transfer none) (nullable): what the image is taken for; static
 * @virtual_size: (out) (optional): bytes of the disk inside, or %IMGIMPORT_SIZE_UNKNOWN
 * @error: return location
 *
 * The verdict, as an import gives it. Bytes with a partition table may be declared raw or gpt,
 * those of parallels ploop; a format that no bytes tell may be declared of bytes that look raw;
 * anything else must be what it is declared. Several formats at once, failed checks, formats that
 * are not allowed and the limit are refused whatever was declared.
 *
 * Returns: whether the image is accepted; else %IMGIMPORT_ERROR_CORRUPT with "format-ambiguous"
 *   (several formats at once), "format-mismatch", "format-not-allowed" or "format-unsafe" (a safety
 *   check failed), or %IMGIMPORT_ERROR_LIMIT with "virtual-size-limit". The message tells all
 *   matches, or each failed check with its reason
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
gboolean imgimport_inspection_judge (ImgImportInspection *self, ImgImportFormatPolicy *policy,
                                     const char *disk_format, const char *container_format,
                                     const char **format, guint64 *virtual_size, GError **error);

#define IMGIMPORT_TYPE_INSPECTOR (imgimport_inspector_get_type ())

/**
 * ImgImportInspector:
 *
 * Looks at a stream of bytes on its way: raw disks, and every format that a disk image is known to
 * come in, at the same time. How the stream is cut into pieces never matters. One thread at a time.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ImgImportInspector, imgimport_inspector, IMGIMPORT, INSPECTOR, GObject)

/**
 * imgimport_inspector_new:
 *
 * Returns: (transfer full): an inspector that has seen nothing
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportInspector *imgimport_inspector_new (void);

/**
 * imgimport_inspector_feed:
 * @self: an inspector that is not finished
 * @data: (array length=length) (element-type guint8): the next bytes
 * @length: how many; at most 2^63-1 in all
 *
 * Cannot fail. Costs next to nothing once every format has seen what it needs.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_inspector_feed (ImgImportInspector *self, const void *data, gsize length);

/**
 * imgimport_inspector_skip:
 * @self: an inspector that is not finished
 * @length: how many bytes; at most 2^63-1 in all
 *
 * Says that the next bytes are zeros, a hole. The cost does not grow with @length.
 *
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
void imgimport_inspector_skip (ImgImportInspector *self, guint64 length);

/**
 * imgimport_inspector_finish:
 * @self: an inspector; can be called once
 *
 * Ends the stream.
 *
 * Returns: (transfer full): what was found
 * Since: 0.1
 */
IMGIMPORT_AVAILABLE_IN_0_1
ImgImportInspection *imgimport_inspector_finish (ImgImportInspector *self);

G_END_DECLS
