/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

G_DEFINE_ENUM_TYPE (ImgImportStatus, imgimport_status,
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STATUS_QUEUED, "queued"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STATUS_SAVING, "saving"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STATUS_UPLOADING, "uploading"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STATUS_IMPORTING, "importing"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STATUS_ACTIVE, "active"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STATUS_DEACTIVATED, "deactivated"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STATUS_KILLED, "killed"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STATUS_PENDING_DELETE, "pending_delete"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_STATUS_DELETED, "deleted"))

G_DEFINE_ENUM_TYPE (ImgImportAction, imgimport_action,
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_UPLOAD, "upload"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_UPLOAD_DONE, "upload-done"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_UPLOAD_FAILED, "upload-failed"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_KILL, "kill"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_STAGE, "stage"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_UNSTAGE, "unstage"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_IMPORT, "import"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_ACTIVATE, "activate"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_IMPORT_FAILED, "import-failed"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_IMPORT_RETURNED, "import-returned"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_REGISTER, "register"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_DEACTIVATE, "deactivate"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_REACTIVATE, "reactivate"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_DELETE, "delete"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_DELETE_LATER, "delete-later"),
                    G_DEFINE_ENUM_VALUE (IMGIMPORT_ACTION_RESTORE, "restore"))

typedef struct
{
  ImgImportAction action;
  ImgImportStatus from;
  ImgImportStatus to;
} Edge;

/* The lifecycle: everything below is read from here. */
static const Edge edges[] = {
  { IMGIMPORT_ACTION_UPLOAD, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STATUS_SAVING },
  { IMGIMPORT_ACTION_UPLOAD_DONE, IMGIMPORT_STATUS_SAVING, IMGIMPORT_STATUS_ACTIVE },
  { IMGIMPORT_ACTION_UPLOAD_FAILED, IMGIMPORT_STATUS_SAVING, IMGIMPORT_STATUS_QUEUED },
  { IMGIMPORT_ACTION_KILL, IMGIMPORT_STATUS_SAVING, IMGIMPORT_STATUS_KILLED },
  { IMGIMPORT_ACTION_STAGE, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STATUS_UPLOADING },
  { IMGIMPORT_ACTION_UNSTAGE, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STATUS_QUEUED },
  { IMGIMPORT_ACTION_IMPORT, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STATUS_IMPORTING },
  { IMGIMPORT_ACTION_IMPORT, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STATUS_IMPORTING },
  { IMGIMPORT_ACTION_ACTIVATE, IMGIMPORT_STATUS_IMPORTING, IMGIMPORT_STATUS_ACTIVE },
  { IMGIMPORT_ACTION_IMPORT_FAILED, IMGIMPORT_STATUS_IMPORTING, IMGIMPORT_STATUS_QUEUED },
  { IMGIMPORT_ACTION_IMPORT_RETURNED, IMGIMPORT_STATUS_IMPORTING, IMGIMPORT_STATUS_UPLOADING },
  { IMGIMPORT_ACTION_REGISTER, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STATUS_ACTIVE },
  { IMGIMPORT_ACTION_DEACTIVATE, IMGIMPORT_STATUS_ACTIVE, IMGIMPORT_STATUS_DEACTIVATED },
  { IMGIMPORT_ACTION_REACTIVATE, IMGIMPORT_STATUS_DEACTIVATED, IMGIMPORT_STATUS_ACTIVE },
  { IMGIMPORT_ACTION_DELETE, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STATUS_DELETED },
  { IMGIMPORT_ACTION_DELETE, IMGIMPORT_STATUS_SAVING, IMGIMPORT_STATUS_DELETED },
  { IMGIMPORT_ACTION_DELETE, IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_STATUS_DELETED },
  { IMGIMPORT_ACTION_DELETE, IMGIMPORT_STATUS_IMPORTING, IMGIMPORT_STATUS_DELETED },
  { IMGIMPORT_ACTION_DELETE, IMGIMPORT_STATUS_ACTIVE, IMGIMPORT_STATUS_DELETED },
  { IMGIMPORT_ACTION_DELETE, IMGIMPORT_STATUS_DEACTIVATED, IMGIMPORT_STATUS_DELETED },
  { IMGIMPORT_ACTION_DELETE, IMGIMPORT_STATUS_KILLED, IMGIMPORT_STATUS_DELETED },
  { IMGIMPORT_ACTION_DELETE, IMGIMPORT_STATUS_PENDING_DELETE, IMGIMPORT_STATUS_DELETED },
  { IMGIMPORT_ACTION_DELETE_LATER, IMGIMPORT_STATUS_ACTIVE, IMGIMPORT_STATUS_PENDING_DELETE },
  { IMGIMPORT_ACTION_RESTORE, IMGIMPORT_STATUS_PENDING_DELETE, IMGIMPORT_STATUS_ACTIVE },
};

const char *
imgimport_status_to_string (ImgImportStatus status)
{
  return _imgimport_enum_to_word (IMGIMPORT_TYPE_STATUS, (int)status);
}

gboolean
imgimport_status_from_string (const char *text, ImgImportStatus *status, GError **error)
{
  int value;

  g_return_val_if_fail (status != NULL, FALSE);

  if (!_imgimport_enum_from_word (IMGIMPORT_TYPE_STATUS, text, &value))
    {
      _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_ARGUMENT, "status-unknown",
                            "“%.64s” is no status of an image", text != NULL ? text : "");
      return FALSE;
    }
  *status = (ImgImportStatus)value;
  return TRUE;
}

const char *
imgimport_action_to_string (ImgImportAction action)
{
  return _imgimport_enum_to_word (IMGIMPORT_TYPE_ACTION, (int)action);
}

gboolean
imgimport_status_can_become (ImgImportStatus from, ImgImportStatus to)
{
  for (gsize i = 0; i < G_N_ELEMENTS (edges); i++)
    if (edges[i].from == from && edges[i].to == to)
      return TRUE;
  return FALSE;
}

static const Edge *
find_edge (ImgImportStatus status, ImgImportAction action)
{
  for (gsize i = 0; i < G_N_ELEMENTS (edges); i++)
    if (edges[i].from == status && edges[i].action == action)
      return &edges[i];
  return NULL;
}

static char *
allowed_statuses (ImgImportAction action)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (edges); i++)
    if (edges[i].action == action)
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "",
                              imgimport_status_to_string (edges[i].from));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
imgimport_lifecycle_next (ImgImportStatus status, ImgImportAction action, ImgImportStatus *next,
                          GError **error)
{
  const Edge *edge = find_edge (status, action);
  const char *status_word = imgimport_status_to_string (status);
  const char *action_word = imgimport_action_to_string (action);
  g_autofree char *allowed = NULL;

  if (edge != NULL)
    {
      if (next != NULL)
        *next = edge->to;
      return TRUE;
    }

  allowed = allowed_statuses (action);
  _imgimport_set_error (error, IMGIMPORT_ERROR_INVALID_STATE, "status-transition",
                        "action %s is not possible in status %s, only in: %s",
                        action_word != NULL ? action_word : "(unknown)",
                        status_word != NULL ? status_word : "(unknown)",
                        *allowed != '\0' ? allowed : "none");
  return FALSE;
}

gboolean
imgimport_lifecycle_needs_formats (ImgImportStatus status, ImgImportAction action)
{
  const Edge *edge = find_edge (status, action);

  if (edge == NULL)
    return FALSE;
  return (edge->from == IMGIMPORT_STATUS_QUEUED || edge->from == IMGIMPORT_STATUS_UPLOADING) &&
         (edge->to == IMGIMPORT_STATUS_SAVING || edge->to == IMGIMPORT_STATUS_IMPORTING ||
          edge->to == IMGIMPORT_STATUS_ACTIVE);
}

char *
imgimport_lifecycle_to_dot (void)
{
  g_autoptr (GString) text = g_string_new ("digraph lifecycle {\n");

  for (gsize i = 0; i < G_N_ELEMENTS (edges); i++)
    g_string_append_printf (
        text, "  %s -> %s [label=\"%s\"];\n", imgimport_status_to_string (edges[i].from),
        imgimport_status_to_string (edges[i].to), imgimport_action_to_string (edges[i].action));
  g_string_append (text, "}\n");
  return g_string_free (g_steal_pointer (&text), FALSE);
}
