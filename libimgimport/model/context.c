/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

#define NAME_MAX_BYTES 255
#define ROLES_MAX 128

struct _ImgImportContext
{
  GObject parent_instance;

  char *owner;
  char *user;
  char **roles;
  gboolean is_admin;
  char *request_id;
};

G_DEFINE_FINAL_TYPE (ImgImportContext, imgimport_context, G_TYPE_OBJECT)

static void
imgimport_context_finalize (GObject *object)
{
  ImgImportContext *self = IMGIMPORT_CONTEXT (object);

  g_free (self->owner);
  g_free (self->user);
  g_strfreev (self->roles);
  g_free (self->request_id);
  G_OBJECT_CLASS (imgimport_context_parent_class)->finalize (object);
}

static void
imgimport_context_class_init (ImgImportContextClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = imgimport_context_finalize;
}

static void
imgimport_context_init (ImgImportContext *self)
{
}

static gboolean
check_name (const char *name, const char *what, GError **error)
{
  if (name == NULL)
    return TRUE;
  if (strlen (name) > NAME_MAX_BYTES)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "context-invalid",
                            "context: %s is longer than %d bytes", what, NAME_MAX_BYTES);
      return FALSE;
    }
  if (!g_utf8_validate (name, -1, NULL))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "context-invalid",
                            "context: %s is not UTF-8", what);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_roles (const char *const *roles, GError **error)
{
  gsize n = 0;

  for (; roles != NULL && roles[n] != NULL; n++)
    if (!check_name (roles[n], "a role", error))
      return FALSE;
  if (n > ROLES_MAX)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "context-invalid",
                            "context: more than %d roles", ROLES_MAX);
      return FALSE;
    }
  return TRUE;
}

ImgImportContext *
imgimport_context_new (const char *owner, const char *user, const char *const *roles,
                       gboolean is_admin, const char *request_id, GError **error)
{
  static const char *const no_roles[] = { NULL };
  ImgImportContext *self;

  if (!check_name (owner, "the owner", error) || !check_name (user, "the user", error) ||
      !check_roles (roles, error) || !check_name (request_id, "the request id", error))
    return NULL;
  if (owner != NULL && *owner == '\0')
    owner = NULL;
  if (!is_admin && owner == NULL)
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "context-invalid",
                            "context: a caller who is no administrator needs an owner");
      return NULL;
    }

  self = g_object_new (IMGIMPORT_TYPE_CONTEXT, NULL);
  self->owner = g_strdup (owner);
  self->user = g_strdup (user);
  self->roles = g_strdupv ((char **)(roles != NULL ? roles : no_roles));
  self->is_admin = is_admin ? TRUE : FALSE;
  self->request_id = g_strdup (request_id);
  return self;
}

const char *
imgimport_context_get_owner (ImgImportContext *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_CONTEXT (self), NULL);
  return self->owner;
}

const char *
imgimport_context_get_user (ImgImportContext *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_CONTEXT (self), NULL);
  return self->user;
}

const char *const *
imgimport_context_get_roles (ImgImportContext *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_CONTEXT (self), NULL);
  return (const char *const *)self->roles;
}

gboolean
imgimport_context_get_is_admin (ImgImportContext *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_CONTEXT (self), FALSE);
  return self->is_admin;
}

const char *
imgimport_context_get_request_id (ImgImportContext *self)
{
  g_return_val_if_fail (IMGIMPORT_IS_CONTEXT (self), NULL);
  return self->request_id;
}

char *
imgimport_context_to_json (ImgImportContext *self)
{
  GString *out;

  g_return_val_if_fail (IMGIMPORT_IS_CONTEXT (self), NULL);

  out = g_string_new (NULL);
  _imgimport_json_begin_object (out, NULL);
  _imgimport_json_write_string (out, "owner", self->owner);
  _imgimport_json_write_string (out, "user", self->user);
  _imgimport_json_write_strv (out, "roles", (const char *const *)self->roles);
  _imgimport_json_write_boolean (out, "is_admin", self->is_admin);
  _imgimport_json_write_string (out, "request_id", self->request_id);
  _imgimport_json_end_object (out);
  return g_string_free (out, FALSE);
}

ImgImportContext *
imgimport_context_new_from_json (const char *json, GError **error)
{
  static const char *const known[] = { "owner", "user", "roles", "is_admin", "request_id", NULL };
  g_autoptr (JsonObject) object = NULL;
  g_auto (GStrv) roles = NULL;
  const char *owner = NULL;
  const char *user = NULL;
  const char *request_id = NULL;
  gboolean is_admin = FALSE;
  ImgImportJsonCursor cursor = { .what = "context", .path = "" };

  g_return_val_if_fail (json != NULL, NULL);

  object = _imgimport_json_parse_object (json, cursor.what, error);
  if (object == NULL)
    return NULL;
  cursor.object = object;
  if (!_imgimport_json_only (&cursor, known, error) ||
      !_imgimport_json_nullable_string (&cursor, "owner", &owner, error) ||
      !_imgimport_json_nullable_string (&cursor, "user", &user, error) ||
      !_imgimport_json_strv (&cursor, "roles", &roles, error) ||
      !_imgimport_json_boolean (&cursor, "is_admin", &is_admin, error) ||
      !_imgimport_json_nullable_string (&cursor, "request_id", &request_id, error))
    return NULL;
  return imgimport_context_new (owner, user, (const char *const *)roles, is_admin, request_id,
                                error);
}

gboolean
_imgimport_context_is_admin (ImgImportContext *self)
{
  return self == NULL || self->is_admin;
}

const char *
_imgimport_context_owner (ImgImportContext *self)
{
  return self != NULL ? self->owner : NULL;
}
