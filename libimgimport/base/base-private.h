/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The layer that knows nothing of images: errors, vtable copy, strict JSON, descriptors,
 * clock, log sink, time stamps.
 */

#include <fcntl.h>
#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <sys/types.h>

#include <imgimport/imgimport-error.h>

#include "base/lock.h"

G_BEGIN_DECLS

/* ---- errors ---------------------------------------------------------------------------------- */

/* `reason` is a static string. */
void _imgimport_set_error (GError **error, ImgImportError code, const char *reason,
                           const char *format, ...) G_GNUC_PRINTF (4, 5);

/* An errno value as an error: ENOSPC, EDQUOT, EFBIG are NO_SPACE "store-full"; EACCES, EPERM, EROFS
 * PERMISSION "access-denied"; ENOENT NOT_FOUND "not-found"; EEXIST EXISTS "exists"; EAGAIN, EBUSY
 * BUSY "busy"; ETIMEDOUT TIMED_OUT "timed-out"; EMFILE, ENFILE, ENOMEM UNAVAILABLE
 * "resources-exhausted"; anything else FAILED "io-error". The message ends in ": " and the system's
 * words. */
void _imgimport_set_error_errno (GError **error, int saved_errno, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/* What a plug-in's slot left behind, made fit to leave the library: an unset error becomes PLUGIN
 * "no-error-given", a foreign domain PLUGIN "foreign-error" with its text kept; ours and
 * G_IO_ERROR_CANCELLED stay. All but the latter get the prefix "<formatted>: ". `error` may be
 * NULL. */
void _imgimport_error_normalize (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* Puts "<formatted>: " before the message, whatever the domain; keeps code and reason. */
void _imgimport_error_prefix (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* The code whose nick is `nick`, FAILED for none; for errors read back from a record. */
const char *_imgimport_error_code_to_string (int code);
int _imgimport_error_code_from_string (const char *nick);

/* A new error of our domain whose reason is copied: for errors read back from a record. */
GError *_imgimport_error_new_dup_reason (ImgImportError code, const char *reason,
                                         const char *message);

/* ---- vtables --------------------------------------------------------------------------------- */

/* Copies MIN (theirs, ours) bytes of a table whose first member is gsize struct_size into a zeroed
 * one. FALSE with INVALID_ARGUMENT "vtable-invalid" for NULL, a struct_size below `minimum` or one
 * that ends within a slot; `what` names the table in the message, such as "store “fast”". */
gboolean _imgimport_vtable_copy (gpointer ours, gsize our_size, gconstpointer theirs,
                                 gsize minimum, const char *what, GError **error);

/* FALSE with INVALID_ARGUMENT "vtable-invalid" naming `slot` where it is NULL. */
gboolean _imgimport_vtable_require (gboolean present, const char *slot, const char *what,
                                    GError **error);

/* ---- strict JSON ----------------------------------------------------------------------------- */

#define IMGIMPORT_JSON_MAX_DEPTH 32
#define IMGIMPORT_JSON_MAX_SIZE ((gsize) 1024 * 1024)
#define IMGIMPORT_JSON_MAX_MEMBERS 1024 /* of one object */

/* Checks one RFC 8259 document: size, depth, members, UTF-8, grammar (no NaN, no trailing comma, no
 * comment), duplicate keys, integers beyond gint64, numbers beyond double, U+0000 in strings.
 * Errors are INVALID_ARGUMENT "json-invalid" and begin "<what>: " with the path, such as
 * "stores/0/id", of what is wrong. */
gboolean _imgimport_json_scan (const char *text, const char *what, GError **error);

/* As above, and answers the text of this member of the object that the document is; "" where there
 * is none. For documents of others that are too large to be parsed for one of their members. */
char *_imgimport_json_scan_member (const char *text, const char *what, const char *member,
                                   GError **error);

/* Reads a document that passes this check. */
JsonNode *_imgimport_json_parse (const char *text, const char *what, GError **error);

/* As above, and the document is an object. */
JsonObject *_imgimport_json_parse_object (const char *text, const char *what, GError **error);

/* A cursor into a document: where errors say they are. Lives on the stack. */
typedef struct
{
  JsonObject *object; /* borrowed */
  const char *what;   /* the document */
  const char *path;   /* of this object, "" for the top */
} ImgImportJsonCursor;

/* Appends a segment to a path that an error will show: shortened, and without what does not print.
 * Both are UTF-8. */
void _imgimport_json_path_append (GString *path, const char *segment);

/* FALSE with "unknown member" for a member that is not in the NULL-terminated list. */
gboolean _imgimport_json_only (const ImgImportJsonCursor *self, const char *const *known,
                               GError **error);

/* Each leaves `*value` alone where the member is absent, and fails with INVALID_ARGUMENT
 * "json-invalid" naming path and types where it is of another type or out of range. The
 * `nullable` one sets NULL for null. Strings are borrowed from the document. */
gboolean _imgimport_json_string (const ImgImportJsonCursor *self, const char *member,
                                 const char **value, GError **error);
gboolean _imgimport_json_nullable_string (const ImgImportJsonCursor *self, const char *member,
                                          const char **value, GError **error);
gboolean _imgimport_json_boolean (const ImgImportJsonCursor *self, const char *member,
                                  gboolean *value, GError **error);
gboolean _imgimport_json_int (const ImgImportJsonCursor *self, const char *member, gint64 minimum,
                              gint64 maximum, gint64 *value, GError **error);
/* A number of bytes: negative is no limit, IMGIMPORT_SIZE_UNKNOWN; 0 is refused. */
gboolean _imgimport_json_limit (const ImgImportJsonCursor *self, const char *member,
                                guint64 *value, GError **error);
/* `*value` is a new array of copies. */
gboolean _imgimport_json_strv (const ImgImportJsonCursor *self, const char *member, char ***value,
                               GError **error);
gboolean _imgimport_json_object (const ImgImportJsonCursor *self, const char *member,
                                 JsonObject **value, GError **error);
gboolean _imgimport_json_array (const ImgImportJsonCursor *self, const char *member,
                                JsonArray **value, GError **error);

/* Sets an error at a member: "<what>: <path>/<member>: <formatted>", INVALID_ARGUMENT. */
void _imgimport_json_set_error (const ImgImportJsonCursor *self, const char *member,
                                const char *reason, GError **error, const char *format, ...)
    G_GNUC_PRINTF (5, 6);

/* Compact UTF-8 text, and never json_to_string(), whose large numbers are not JSON. */
char *_imgimport_json_to_text (JsonNode *node);
char *_imgimport_json_object_to_text (JsonObject *object);

/* Text without nodes: what is appended to an empty string in this way is one document. `name` is that
 * of a member, once in its object; NULL for an element of an array and for the document itself. */
void _imgimport_json_begin_object (GString *out, const char *name);
void _imgimport_json_end_object (GString *out);
void _imgimport_json_begin_array (GString *out, const char *name);
void _imgimport_json_end_array (GString *out);
/* NULL is written as null. */
void _imgimport_json_write_string (GString *out, const char *name, const char *value);
void _imgimport_json_write_int (GString *out, const char *name, gint64 value);
void _imgimport_json_write_boolean (GString *out, const char *name, gboolean value);
/* Of a NULL-terminated array. */
void _imgimport_json_write_strv (GString *out, const char *name, const char *const *values);
void _imgimport_json_write_node (GString *out, const char *name, JsonNode *node);
/* `json` is a document; NULL is written as null. */
void _imgimport_json_write_json (GString *out, const char *name, const char *json);

/* ---- descriptors ----------------------------------------------------------------------------- */

typedef int ImgImportFd;
void _imgimport_fd_close (int fd); /* keeps errno; ignores -1 */
static inline int
_imgimport_fd_steal (int *fd)
{
  int stolen = *fd;
  *fd = -1;
  return stolen;
}
G_DEFINE_AUTO_CLEANUP_FREE_FUNC (ImgImportFd, _imgimport_fd_close, -1)

/* Opens a directory that is ours alone, creating it (0700) and its parents if `create`: owned by
 * this uid, no permission for group or others, not a symbolic link. Else PERMISSION
 * "directory-not-private". Returns the descriptor, -1 on failure. */
int _imgimport_dir_open_private (const char *path, gboolean create, GError **error);

/* Opens `name` in `dirfd` with O_CLOEXEC | O_NOFOLLOW added; where the kernel has openat2, it also
 * may not leave the directory. Returns -1 and keeps errno. */
int _imgimport_openat (int dirfd, const char *name, int flags, mode_t mode);

gboolean _imgimport_fd_write_at (int fd, guint64 offset, const void *data, gsize length,
                                 GError **error);
/* Fills the buffer unless the end comes first; at or after the end `*n_read` is 0. */
gboolean _imgimport_fd_read_at (int fd, guint64 offset, void *buffer, gsize length, gsize *n_read,
                                GError **error);
/* Writes at the descriptor's own position: files, pipes, sockets (no SIGPIPE is raised); waits
 * where it is non-blocking, and ends the wait within 50 ms when `cancellable` fires. */
gboolean _imgimport_fd_write_all (int fd, const void *data, gsize length,
                                  GCancellable *cancellable, GError **error);
/* Reads what is there, at the descriptor's own position; waits for the first byte and ends the wait
 * as above, also where the descriptor is blocking. `*n_read` 0 is the end. */
gboolean _imgimport_fd_read (int fd, void *buffer, gsize length, gsize *n_read,
                             GCancellable *cancellable, GError **error);
gboolean _imgimport_fd_sync (int fd, GError **error);
/* The data of a regular file at or after `offset`: from `*start`, before which all reads as zeros,
 * to `*end`. Both are the file's size where no data follows; `*end` is G_MAXUINT64 where the file
 * system does not tell. Moves the descriptor's position. */
void _imgimport_fd_next_extent (int fd, guint64 offset, guint64 *start, guint64 *end);
/* Whether there is nothing but zeros. */
gboolean _imgimport_is_zero (const void *data, gsize length);
/* Data and size only. */
gboolean _imgimport_fd_sync_data (int fd, GError **error);

/* A descriptor that polls readable as it was set last, at first not. -1 on failure. */
int _imgimport_fd_new_flag (GError **error);
/* FALSE where it was not readable and is to be that. */
gboolean _imgimport_fd_set_flag (int fd, gboolean readable);

/* ---- sources --------------------------------------------------------------------------------- */

/* Reads up to `length` bytes of a stream; `*n_read` 0 is the end. */
typedef gboolean (*ImgImportSourceFunc) (gpointer source, void *buffer, gsize length, gsize *n_read,
                                         GCancellable *cancellable, GError **error);

/* ---- names ----------------------------------------------------------------------------------- */

/* `[a-z0-9][a-z0-9_-]*`, at most 64: ids of stores, names of methods and hooks. */
gboolean _imgimport_name_is_valid (const char *name);
/* What ImgImportStoreVTable calls a key. */
gboolean _imgimport_key_is_valid (const char *key);
/* 8-4-4-4-12 lower-case hexadecimal. */
gboolean _imgimport_uuid_is_valid (const char *uuid);

/* ---- time ------------------------------------------------------------------------------------ */

/* Where time comes from; a test brings its own. Reference counted, thread-safe. */
typedef struct _ImgImportClock ImgImportClock;

ImgImportClock *_imgimport_clock_new_system (void);
/* Stands still but for _imgimport_clock_advance(); a wait until a later time moves it there at
 * once. */
ImgImportClock *_imgimport_clock_new_fake (gint64 wall_us);
ImgImportClock *_imgimport_clock_ref (ImgImportClock *self);
void _imgimport_clock_unref (ImgImportClock *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportClock, _imgimport_clock_unref)

gint64 _imgimport_clock_monotonic_us (ImgImportClock *self);
gint64 _imgimport_clock_wall_us (ImgImportClock *self); /* since 1970, UTC */
/* Waits on `cond` until signalled (TRUE) or until the clock says `monotonic_us` (FALSE); G_MAXINT64
 * is never, for a fake clock too. */
gboolean _imgimport_clock_wait_until (ImgImportClock *self, GCond *cond, GMutex *mutex,
                                      gint64 monotonic_us);
void _imgimport_clock_advance (ImgImportClock *self, gint64 delta_us);

/* "2026-01-31T12:00:00Z", seconds, UTC, years 1 to 9999; and back, also with a fraction. FALSE
 * where it is not. */
char *_imgimport_time_to_iso (gint64 wall_us);
gboolean _imgimport_time_from_iso (const char *text, gint64 *wall_us);

/* ---- checksums ------------------------------------------------------------------------------- */

/* CRC-32 (IEEE 802.3) and CRC-32C (Castagnoli) without the first and the last inversion: begin with
 * G_MAXUINT32, invert at the end. Runs of zeros cost next to nothing. */
guint32 _imgimport_crc32_update (guint32 crc, const guint8 *data, gsize length);
guint32 _imgimport_crc32c_update (guint32 crc, const guint8 *data, gsize length);

/* ---- mailboxes ------------------------------------------------------------------------------- */

/* A bounded queue of events and a descriptor that polls readable while it is not empty. Whoever has
 * it has the lock. */
typedef struct
{
  GQueue items;
  guint max;
  int fd; /* -1 before the initialisation */
} ImgImportMailbox;

gboolean _imgimport_mailbox_init (ImgImportMailbox *self, guint max, GError **error);
void _imgimport_mailbox_clear (ImgImportMailbox *self, GDestroyNotify destroy);
gboolean _imgimport_mailbox_is_full (ImgImportMailbox *self);
void _imgimport_mailbox_push (ImgImportMailbox *self, gpointer item);
/* Puts one item in place of all. */
void _imgimport_mailbox_replace (ImgImportMailbox *self, gpointer item, GDestroyNotify destroy);
/* NULL where it is empty. */
gpointer _imgimport_mailbox_pop (ImgImportMailbox *self);

/* ---- log ------------------------------------------------------------------------------------- */

/* Where a service's log lines go. Reference counted, thread-safe; without a function, nowhere. */
typedef struct _ImgImportLog ImgImportLog;
typedef void (*ImgImportLogSink) (GLogLevelFlags level, const char *message, gpointer user_data);

ImgImportLog *_imgimport_log_new (ImgImportLogSink sink, gpointer user_data,
                                  GDestroyNotify destroy);
ImgImportLog *_imgimport_log_ref (ImgImportLog *self);
void _imgimport_log_unref (ImgImportLog *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImgImportLog, _imgimport_log_unref)

void _imgimport_log (ImgImportLog *self, GLogLevelFlags level, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

G_END_DECLS
