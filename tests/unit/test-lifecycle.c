/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/model-private.h"

#include <string.h>

#define N_STATUSES 9
#define N_ACTIONS 16

/* Written down by hand from Glance's table, plus importing → uploading; not derived from the code.
 * Row: from; column: to; both in the order of the enumeration. */
static const char *const words[N_STATUSES] = { "queued",    "saving",         "uploading",
                                               "importing", "active",         "deactivated",
                                               "killed",    "pending_delete", "deleted" };

static const char *const matrix[N_STATUSES] = {
  /* q s u i a d k p x */
  ".YYYY...Y", /* queued */
  "Y...Y.Y.Y", /* saving */
  "Y..Y....Y", /* uploading */
  "Y.Y.Y...Y", /* importing */
  ".....Y.YY", /* active */
  "....Y...Y", /* deactivated */
  "........Y", /* killed */
  "....Y...Y", /* pending_delete */
  ".........", /* deleted */
};

/* One line an action: its word and, by status, the first letter of what comes next (x: deleted). */
static const struct
{
  const char *word;
  const char *next;
} actions[N_ACTIONS] = {
  { "upload", "s........" },        { "upload-done", ".a......." },
  { "upload-failed", ".q......." }, { "kill", ".k......." },
  { "stage", "u........" },         { "unstage", "..q......" },
  { "import", "i.i......" },        { "activate", "...a....." },
  { "import-failed", "...q....." }, { "import-returned", "...u....." },
  { "register", "a........" },      { "deactivate", "....d...." },
  { "reactivate", ".....a..." },    { "delete", "xxxxxxxx." },
  { "delete-later", "....p...." },  { "restore", ".......a." },
};

static const char letters[N_STATUSES + 1] = "qsuiadkpx";

static void
nine_statuses (void)
{
  for (int i = 0; i < N_STATUSES; i++)
    {
      g_autoptr (GError) error = NULL;
      ImgImportStatus status = IMGIMPORT_STATUS_DELETED;

      g_assert_cmpstr (imgimport_status_to_string ((ImgImportStatus)i), ==, words[i]);
      g_assert_true (imgimport_status_from_string (words[i], &status, &error));
      g_assert_no_error (error);
      g_assert_cmpint ((int)status, ==, i);
    }
  g_assert_null (imgimport_status_to_string ((ImgImportStatus)N_STATUSES));
  g_assert_null (imgimport_status_to_string ((ImgImportStatus)-1));
}

static void
other_words_are_refused (void)
{
  static const char *const wrong[] = { NULL, "", "Queued", "queued ", "pending-delete", "error" };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      ImgImportStatus status = IMGIMPORT_STATUS_KILLED;

      g_assert_false (imgimport_status_from_string (wrong[i], &status, &error));
      g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_ARGUMENT);
      g_assert_cmpstr (imgimport_error_get_reason (error), ==, "status-unknown");
      g_assert_cmpint ((int)status, ==, (int)IMGIMPORT_STATUS_KILLED);
    }
}

static void
every_pair_is_as_in_the_table (void)
{
  for (int from = 0; from < N_STATUSES; from++)
    for (int to = 0; to < N_STATUSES; to++)
      {
        gboolean can = imgimport_status_can_become ((ImgImportStatus)from, (ImgImportStatus)to);

        if (can != (matrix[from][to] == 'Y'))
          g_error ("%s to %s: %d", words[from], words[to], can);
      }
}

static void
no_status_becomes_itself (void)
{
  for (int i = 0; i < N_STATUSES; i++)
    g_assert_false (imgimport_status_can_become ((ImgImportStatus)i, (ImgImportStatus)i));
  g_assert_false (imgimport_status_can_become ((ImgImportStatus)99, IMGIMPORT_STATUS_QUEUED));
}

static void
assert_refused (int status, int action)
{
  g_autoptr (GError) error = NULL;
  ImgImportStatus next = IMGIMPORT_STATUS_KILLED;

  g_assert_false (
      imgimport_lifecycle_next ((ImgImportStatus)status, (ImgImportAction)action, &next, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_STATE);
  g_assert_cmpstr (imgimport_error_get_reason (error), ==, "status-transition");
  g_assert_cmpint ((int)next, ==, (int)IMGIMPORT_STATUS_KILLED);
  g_assert_nonnull (strstr (error->message, words[status]));
  g_assert_nonnull (strstr (error->message, actions[action].word));
  for (int from = 0; from < N_STATUSES; from++)
    if (actions[action].next[from] != '.')
      g_assert_nonnull (strstr (error->message, words[from]));
}

static void
every_action_in_every_status (void)
{
  for (int action = 0; action < N_ACTIONS; action++)
    for (int status = 0; status < N_STATUSES; status++)
      {
        const char expected = actions[action].next[status];
        ImgImportStatus next = IMGIMPORT_STATUS_QUEUED;

        if (expected == '.')
          {
            assert_refused (status, action);
            continue;
          }
        g_assert_true (imgimport_lifecycle_next ((ImgImportStatus)status, (ImgImportAction)action,
                                                 &next, NULL));
        g_assert_cmpint (letters[next], ==, expected);
        g_assert_true (imgimport_status_can_become ((ImgImportStatus)status, next));
        g_assert_true (imgimport_lifecycle_next ((ImgImportStatus)status, (ImgImportAction)action,
                                                 NULL, NULL));
      }
}

/* What no action leads to, the table must not allow either. */
static void
every_pair_has_an_action (void)
{
  for (int from = 0; from < N_STATUSES; from++)
    for (int to = 0; to < N_STATUSES; to++)
      {
        gboolean found = FALSE;

        for (int action = 0; action < N_ACTIONS; action++)
          found = found || actions[action].next[from] == letters[to];
        g_assert_cmpint (found, ==, matrix[from][to] == 'Y');
      }
}

static void
action_words (void)
{
  for (int i = 0; i < N_ACTIONS; i++)
    g_assert_cmpstr (imgimport_action_to_string ((ImgImportAction)i), ==, actions[i].word);
  g_assert_null (imgimport_action_to_string ((ImgImportAction)N_ACTIONS));
}

static void
values_beyond_the_enumeration (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (
      imgimport_lifecycle_next ((ImgImportStatus)42, (ImgImportAction)42, NULL, &error));
  g_assert_error (error, IMGIMPORT_ERROR, IMGIMPORT_ERROR_INVALID_STATE);
  g_assert_false (imgimport_lifecycle_needs_formats ((ImgImportStatus)42, (ImgImportAction)42));
}

static void
formats_are_needed_on_the_way_to_data (void)
{
  static const struct
  {
    ImgImportStatus status;
    ImgImportAction action;
  } needing[] = {
    { IMGIMPORT_STATUS_QUEUED, IMGIMPORT_ACTION_UPLOAD },
    { IMGIMPORT_STATUS_QUEUED, IMGIMPORT_ACTION_IMPORT },
    { IMGIMPORT_STATUS_QUEUED, IMGIMPORT_ACTION_REGISTER },
    { IMGIMPORT_STATUS_UPLOADING, IMGIMPORT_ACTION_IMPORT },
  };
  guint n = 0;

  for (int action = 0; action < N_ACTIONS; action++)
    for (int status = 0; status < N_STATUSES; status++)
      if (imgimport_lifecycle_needs_formats ((ImgImportStatus)status, (ImgImportAction)action))
        n++;
  g_assert_cmpuint (n, ==, G_N_ELEMENTS (needing));
  for (gsize i = 0; i < G_N_ELEMENTS (needing); i++)
    g_assert_true (imgimport_lifecycle_needs_formats (needing[i].status, needing[i].action));
}

/* Deactivate and reactivate from where Glance forbids them (A40 to A50). */
static void
deactivation_elsewhere_is_refused (void)
{
  for (int status = 0; status < N_STATUSES; status++)
    {
      if (status != (int)IMGIMPORT_STATUS_ACTIVE)
        assert_refused (status, (int)IMGIMPORT_ACTION_DEACTIVATE);
      if (status != (int)IMGIMPORT_STATUS_DEACTIVATED)
        assert_refused (status, (int)IMGIMPORT_ACTION_REACTIVATE);
    }
}

static int
index_of (const char *word)
{
  for (int i = 0; i < N_STATUSES; i++)
    if (strcmp (words[i], word) == 0)
      return i;
  g_error ("“%s” is no status", word);
}

static void
dot_shows_every_edge_once (void)
{
  g_autofree char *dot = imgimport_lifecycle_to_dot ();
  g_auto (GStrv) lines = g_strsplit (dot, "\n", -1);
  g_autoptr (GRegex) edge =
      g_regex_new ("^  ([a-z_]+) -> ([a-z_]+) \\[label=\"([a-z-]+)\"\\];$", 0, 0, NULL);
  guint n = 0;
  guint expected = 0;

  g_assert_true (g_str_has_prefix (dot, "digraph lifecycle {\n"));
  g_assert_true (g_str_has_suffix (dot, "}\n"));
  for (gsize i = 1; lines[i] != NULL && strcmp (lines[i], "}") != 0; i++, n++)
    {
      g_autoptr (GMatchInfo) match = NULL;
      g_autofree char *from = NULL;
      g_autofree char *to = NULL;
      g_autofree char *label = NULL;
      int action = 0;

      g_assert_true (g_regex_match (edge, lines[i], 0, &match));
      from = g_match_info_fetch (match, 1);
      to = g_match_info_fetch (match, 2);
      label = g_match_info_fetch (match, 3);
      while (action < N_ACTIONS && strcmp (actions[action].word, label) != 0)
        action++;
      g_assert_cmpint (action, <, N_ACTIONS);
      g_assert_cmpint (actions[action].next[index_of (from)], ==, letters[index_of (to)]);
      g_assert_false (g_strv_contains ((const char *const *)lines + i + 1, lines[i]));
    }
  for (int action = 0; action < N_ACTIONS; action++)
    for (int status = 0; status < N_STATUSES; status++)
      expected += actions[action].next[status] != '.' ? 1 : 0;
  g_assert_cmpuint (n, ==, expected);
}

static void
enumerations_are_registered (void)
{
  g_assert_true (G_TYPE_IS_ENUM (IMGIMPORT_TYPE_STATUS));
  g_assert_true (G_TYPE_IS_ENUM (IMGIMPORT_TYPE_ACTION));
  g_assert_true (G_TYPE_IS_ENUM (IMGIMPORT_TYPE_STAGE_STATE));
  g_assert_true (G_TYPE_IS_ENUM (IMGIMPORT_TYPE_JOB_STATUS));
  g_assert_true (G_TYPE_IS_ENUM (IMGIMPORT_TYPE_EVENT_KIND));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/F001/nine-statuses", nine_statuses);
  g_test_add_func ("/conformance/F001/other-words-are-refused", other_words_are_refused);
  g_test_add_func ("/conformance/F002/every-pair-is-as-in-the-table",
                   every_pair_is_as_in_the_table);
  g_test_add_func ("/conformance/F002/no-status-becomes-itself", no_status_becomes_itself);
  g_test_add_func ("/conformance/F002/every-action-in-every-status", every_action_in_every_status);
  g_test_add_func ("/conformance/F002/every-pair-has-an-action", every_pair_has_an_action);
  g_test_add_func ("/conformance/F003/formats-are-needed-on-the-way-to-data",
                   formats_are_needed_on_the_way_to_data);
  g_test_add_func ("/conformance/A40-A50/deactivation-elsewhere-is-refused",
                   deactivation_elsewhere_is_refused);
  g_test_add_func ("/model/lifecycle/action-words", action_words);
  g_test_add_func ("/model/lifecycle/values-beyond-the-enumeration", values_beyond_the_enumeration);
  g_test_add_func ("/model/lifecycle/dot-shows-every-edge-once", dot_shows_every_edge_once);
  g_test_add_func ("/model/lifecycle/enumerations-are-registered", enumerations_are_registered);
  return g_test_run ();
}
