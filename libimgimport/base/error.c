/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/base-private.h"

#include <errno.h>

#define REASON_UNKNOWN "failed"

typedef struct
{
  char *reason; /* NULL where the error was made by g_set_error() */
} ImgImportErrorPrivate;

static void
imgimport_error_private_init (ImgImportErrorPrivate *priv)
{
  priv->reason = NULL;
}

static void
imgimport_error_private_copy (const ImgImportErrorPrivate *source, ImgImportErrorPrivate *target)
{
  target->reason = g_strdup (source->reason);
}

static void
imgimport_error_private_clear (ImgImportErrorPrivate *priv)
{
  g_free (priv->reason);
}

/* GLib aligns the private part; clang cannot see that through the macro's byte arithmetic. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-align"
G_DEFINE_EXTENDED_ERROR (ImgImportError, imgimport_error)
#pragma GCC diagnostic pop

G_DEFINE_ENUM_TYPE (ImgImportError, imgimport_error,
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_FAILED, "failed"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_INVALID_ARGUMENT, "invalid-argument"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_INVALID_STATE, "invalid-state"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_NOT_FOUND, "not-found"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_EXISTS, "exists"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_NOT_SUPPORTED, "not-supported"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_PERMISSION, "permission"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_NO_SPACE, "no-space"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_LIMIT, "limit"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_CORRUPT, "corrupt"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_UNAVAILABLE, "unavailable"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_TIMED_OUT, "timed-out"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_BUSY, "busy"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ERROR_PLUGIN, "plugin"))

const char *
imgimport_error_get_reason (const GError *error)
{
  g_return_val_if_fail (error != NULL, REASON_UNKNOWN);

  if (imgimport_error_is_cancelled (error))
    return "cancelled";
  if (error->domain != IMGIMPORT_ERROR || imgimport_error_get_private (error)->reason == NULL)
    return REASON_UNKNOWN;
  return imgimport_error_get_private (error)->reason;
}

gboolean
imgimport_error_is_retryable (const GError *error)
{
  g_return_val_if_fail (error != NULL, FALSE);

  return g_error_matches (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_UNAVAILABLE) ||
         g_error_matches (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_TIMED_OUT) ||
         g_error_matches (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_BUSY);
}

gboolean
imgimport_error_is_cancelled (const GError *error)
{
  g_return_val_if_fail (error != NULL, FALSE);

  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
imgimport_error_get_code (const GError *error)
{
  g_return_val_if_fail (error != NULL, IMGIMPORT_ERROR_FAILED);

  return error->domain == IMGIMPORT_ERROR ? error->code : (int)IMGIMPORT_ERROR_FAILED;
}

const char *
imgimport_error_get_message (const GError *error)
{
  g_return_val_if_fail (error != NULL, "");

  return error->message;
}

void
imgimport_error_free (GError *error)
{
  if (error != NULL)
    g_error_free (error);
}

void
imgimport_error_set (GError **error, ImgImportError code, const char *reason, const char *message)
{
  g_return_if_fail (message != NULL);

  /* A slot that reports twice: the first cause stands. */
  if (error == NULL || *error != NULL)
    return;
  *error = _imgimport_error_new_dup_reason (code, reason, message);
}

static gboolean
code_is_known (int code)
{
  return code >= (int)IMGIMPORT_ERROR_FAILED && code <= (int)IMGIMPORT_ERROR_PLUGIN;
}

GError *
_imgimport_error_new_dup_reason (ImgImportError code, const char *reason, const char *message)
{
  g_autofree char *valid = g_utf8_make_valid (message, -1);
  GError *error = NULL;

  /* Code and reason come from a plug-in or a record, and go into JSON. */
  if (!code_is_known ((int)code))
    code = IMGIMPORT_ERROR_FAILED;
  error = g_error_new_literal (IMGIMPORT_ERROR, (int)code, valid);
  if (_imgimport_name_is_valid (reason))
    imgimport_error_get_private (error)->reason = g_strdup (reason);
  return error;
}

void
_imgimport_set_error (GError **error, ImgImportError code, const char *reason, const char *format,
                      ...)
{
  g_autofree char *message = NULL;
  va_list args;

  if (error == NULL)
    return;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_propagate_error (error, _imgimport_error_new_dup_reason (code, reason, message));
}

static ImgImportError
code_of_errno (int saved_errno, const char **reason)
{
  switch (saved_errno)
    {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      *reason = "store-full";
      return IMGIMPORT_ERROR_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS:
      *reason = "access-denied";
      return IMGIMPORT_ERROR_PERMISSION;
    case ENOENT:
      *reason = "not-found";
      return IMGIMPORT_ERROR_NOT_FOUND;
    case EEXIST:
      *reason = "exists";
      return IMGIMPORT_ERROR_EXISTS;
    case EAGAIN:
    case EBUSY:
      *reason = "busy";
      return IMGIMPORT_ERROR_BUSY;
    case ETIMEDOUT:
      *reason = "timed-out";
      return IMGIMPORT_ERROR_TIMED_OUT;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      *reason = "resources-exhausted";
      return IMGIMPORT_ERROR_UNAVAILABLE;
    default:
      *reason = "io-error";
      return IMGIMPORT_ERROR_FAILED;
    }
}

void
_imgimport_set_error_errno (GError **error, int saved_errno, const char *format, ...)
{
  g_autofree char *message = NULL;
  const char *reason = NULL;
  ImgImportError code = code_of_errno (saved_errno, &reason);
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  _imgimport_set_error (error, code, reason, "%s: %s", message, g_strerror (saved_errno));
}

/* GLib's own g_prefix_error() keeps text that is not UTF-8. */
static void
prefix_message (GError *error, const char *prefix)
{
  g_autofree char *text = g_strdup_printf ("%s: %s", prefix, error->message);

  g_free (error->message);
  error->message = g_utf8_make_valid (text, -1);
}

void
_imgimport_error_prefix (GError **error, const char *format, ...)
{
  g_autofree char *prefix = NULL;
  va_list args;

  if (error == NULL || *error == NULL)
    return;
  va_start (args, format);
  prefix = g_strdup_vprintf (format, args);
  va_end (args);
  prefix_message (*error, prefix);
}

void
_imgimport_error_normalize (GError **error, const char *format, ...)
{
  g_autofree char *prefix = NULL;
  va_list args;

  if (error == NULL || (*error != NULL && imgimport_error_is_cancelled (*error)))
    return;
  va_start (args, format);
  prefix = g_strdup_vprintf (format, args);
  va_end (args);

  if (*error == NULL)
    _imgimport_set_error (error, IMGIMPORT_ERROR_PLUGIN, "no-error-given",
                          "failed without saying why");
  else if ((*error)->domain != IMGIMPORT_ERROR)
    {
      g_autoptr (GError) foreign = g_steal_pointer (error);

      *error = _imgimport_error_new_dup_reason (IMGIMPORT_ERROR_PLUGIN, "foreign-error",
                                                foreign->message);
    }
  prefix_message (*error, prefix);
}

const char *
_imgimport_error_code_to_string (int code)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (IMGIMPORT_TYPE_ERROR);
  const GEnumValue *value = g_enum_get_value (klass, code);

  return value != NULL ? value->value_nick : REASON_UNKNOWN;
}

int
_imgimport_error_code_from_string (const char *nick)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (IMGIMPORT_TYPE_ERROR);
  const GEnumValue *value = nick != NULL ? g_enum_get_value_by_nick (klass, nick) : NULL;

  return value != NULL ? value->value : (int)IMGIMPORT_ERROR_FAILED;
}
