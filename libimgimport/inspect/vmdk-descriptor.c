/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "inspect/vmdk.h"

/* The descriptor as in VMware's Virtual Disk Format 5.0: lines that are empty, comments, key=value,
 * or an extent: access, sectors, type, quoted file name, and for some types an offset. Programs
 * that search the text for a key, wherever it stands, must find what is found here, so that a key
 * that counts stands once. */

#define TITLE "# Disk DescriptorFile"
#define MIN_TEXT 64u   /* the least file that is taken for one by a key in it */
#define TEXT_SEEN 512u /* how much of such a file must be text */
#define MAX_NAME 256u
#define MAX_LEFT 8u /* digits of a CID */
/* All but tab and newline: what one program takes for the end of a line and another does not. */
#define CONTROLS "\1\2\3\4\5\6\a\b\v\f\r\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37\177"

/* All that some program takes for a space, so that none finds text where none is found here. */
#define SPACES "\t\n\v\f\r\34\35\36\37"

static const char *const sub_formats[] = { "monolithicSparse", "streamOptimized", NULL };
static const char *const accesses[] = { "RW", "RDONLY", "NOACCESS", NULL };

typedef struct
{
  guint64 capacity; /* 0: stands alone */
  guint n_extents;
  char *grammar; /* why it is refused; likewise all below */
  char *create_type;
  char *extents;
  char *parent;
} Reading;

static gboolean
is_listed (const char *const *words, const char *word)
{
  for (; *words != NULL; words++)
    {
      if (g_ascii_strcasecmp (*words, word) == 0)
        return TRUE;
    }
  return FALSE;
}

/* How often `word` stands in `text`, in whatever case, comments included. */
static guint
count_word (const char *text, const char *word)
{
  gsize length = strlen (word);
  guint n = 0;

  for (; *text != '\0'; text++)
    n += g_ascii_strncasecmp (text, word, length) == 0;
  return n;
}

/* Keeps the first reason. */
static void
refuse (char **reason, const char *what, const char *line)
{
  g_autofree char *begin = g_strndup (line, 64);
  g_autofree char *shown = g_strescape (begin, NULL);

  if (*reason == NULL)
    *reason = g_strdup_printf ("%s: %s", what, shown);
}

/* The value without the quotes around it. */
static char *
unquote (const char *value)
{
  gsize length = strlen (value);

  if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
    return g_strndup (value + 1, length - 2);
  return g_strdup (value);
}

/* A name in quotes that no program takes for a path, a drive or a protocol. */
static gboolean
is_plain_name (const char *quoted)
{
  gsize length = strlen (quoted);

  if (length <= 2 || length > MAX_NAME || quoted[0] != '"' ||
      strchr (quoted + 1, '"') != quoted + length - 1)
    return FALSE;
  return strpbrk (quoted, "/\\:\t") == NULL && quoted[1] != '.' && strstr (quoted, "..") == NULL;
}

static void
read_extent (Reading *self, const char *line)
{
  /* Access, sectors and type have no spaces; the name may, and nothing follows it. */
  g_auto (GStrv) words = g_strsplit (line, " ", 4);
  guint64 sectors = 0;

  self->n_extents++;
  if (g_strv_length (words) != 4 ||
      !g_ascii_string_to_unsigned (words[1], 10, 0, G_MAXUINT64, &sectors, NULL))
    refuse (&self->grammar, "this extent cannot be read", line);
  else if (self->capacity == 0)
    refuse (&self->extents, "a descriptor that stands alone names another file", line);
  else if (g_ascii_strcasecmp (words[2], "SPARSE") != 0)
    refuse (&self->extents, "this extent is not of type SPARSE", line);
  else if (!is_plain_name (words[3]))
    refuse (&self->extents, "this extent has no plain file name", line);
  else if (sectors > self->capacity)
    refuse (&self->extents, "this extent is larger than the disk", line);
  else if (self->n_extents > 1)
    refuse (&self->extents, "this extent is not the only one", line);
}

static void
read_pair (Reading *self, const char *line, const char *equals)
{
  g_autofree char *key = g_strndup (line, (gsize)(equals - line));
  g_autofree char *value = unquote (equals + 1);

  if (g_ascii_strcasecmp (key, "createType") == 0 && !is_listed (sub_formats, value))
    refuse (&self->create_type, "only monolithicSparse and streamOptimized hold a whole disk",
            line);
  if (g_ascii_strcasecmp (key, "parentCID") == 0 && g_ascii_strcasecmp (value, "ffffffff") != 0)
    refuse (&self->parent, "it has a parent", line);
  if (g_ascii_strcasecmp (key, "changeTrackPath") == 0)
    refuse (&self->extents, "this names another file", line);
}

static gboolean
is_key (const char *line, const char *end)
{
  for (const char *c = line; c < end; c++)
    {
      if (!g_ascii_isalnum (*c) && *c != '.' && *c != '_')
        return FALSE;
    }
  return end > line;
}

static void
read_line (Reading *self, const char *line)
{
  g_autofree char *first = g_strndup (line, strcspn (line, " "));
  const char *equals = strchr (line, '=');

  if (strpbrk (line, CONTROLS) != NULL)
    refuse (&self->grammar, "a control character stands in this line", line);
  if (*line == '\0' || *line == '#' || g_ascii_strncasecmp (line, "ddb.", 4) == 0)
    return;
  if (is_listed (accesses, first))
    read_extent (self, line);
  else if (equals != NULL && is_key (line, equals))
    read_pair (self, line, equals);
  else
    refuse (&self->grammar, "this line cannot be read", line);
}

static void
read_text (Reading *self, const char *text)
{
  for (const char *at = text; *at != '\0'; at += *at == '\n')
    {
      gsize length = strcspn (at, "\n");
      g_autofree char *line = g_strndup (at, length);

      read_line (self, g_strstrip (line));
      at += length;
    }
  if (self->n_extents == 0)
    refuse (&self->extents, "there is none", "");
  if (count_word (text, "createType") != 1)
    refuse (&self->create_type, "this does not stand there once", "createType");
  if (count_word (text, "parentCID") > 1 || count_word (text, "parentFileNameHint") > 0)
    refuse (&self->parent, "there is more than one parentCID, or this", "parentFileNameHint");
}

/* Why these bytes are no text, with zeros after it; its length. Only the end of a text that was
 * longer may follow, which QEMU leaves there when it writes a CID with fewer digits. */
static char *
text_fault (const guint8 *text, gsize length, gsize *end)
{
  gsize left_end, n_left;

  *end = strnlen ((const char *)text, length);
  left_end = MIN (length, *end + 1 + MAX_LEFT);
  if (!_imgimport_is_zero (text + left_end, length - left_end))
    return g_strdup ("there is more after the end of the text");
  while (left_end > *end && text[left_end - 1] == '\0')
    left_end--;
  n_left = left_end > *end ? left_end - *end - 1 : 0;
  if (n_left > *end || memcmp (text + left_end - n_left, text + *end - n_left, n_left) != 0)
    return g_strdup ("there is more after the end of the text");
  if (!g_utf8_validate ((const char *)text, (gssize)*end, NULL))
    return g_strdup ("it is no UTF-8 text");
  return NULL;
}

void
_imgimport_vmdk_check_descriptor (ImgImportMatch *match, const guint8 *text, gsize length,
                                  guint64 capacity)
{
  Reading reading = { .capacity = capacity };
  gsize end = 0;
  g_autofree char *copy = NULL;

  reading.grammar = text_fault (text, length, &end);
  if (reading.grammar != NULL)
    {
      _imgimport_match_add_check (match, "descriptor", reading.grammar);
      return;
    }
  copy = g_strndup ((const char *)text, end);
  read_text (&reading, copy);
  _imgimport_match_add_check (match, "descriptor", reading.grammar);
  _imgimport_match_add_check (match, "create_type", reading.create_type);
  _imgimport_match_add_check (match, "extents", reading.extents);
  _imgimport_match_add_check (match, "parent", reading.parent);
}

/* Whether the first line that is neither empty nor a comment says which version this is: how QEMU
 * knows it. */
static gboolean
begins_with_version (const char *text)
{
  static const char version[] = "version=";
  const char *at = text + strspn (text, " \r\n");

  while (*at == '#')
    {
      at += strcspn (at, "\n");
      at += strspn (at, " \r\n");
    }
  return g_ascii_strncasecmp (at, version, sizeof version - 1) == 0;
}

gboolean
_imgimport_vmdk_is_descriptor (const ImgImportRange *head)
{
  g_autofree char *text = NULL;
  gsize end = 0;

  if (head->length >= sizeof TITLE - 1 &&
      g_ascii_strncasecmp ((const char *)head->data, TITLE, sizeof TITLE - 1) == 0)
    return TRUE;
  end = strnlen ((const char *)head->data, head->length);
  text = g_strndup ((const char *)head->data, end);
  if (begins_with_version (text))
    return TRUE;
  for (gsize i = 0; i < MIN (end, TEXT_SEEN); i++)
    {
      if (!g_ascii_isprint (text[i]) && strchr (SPACES, text[i]) == NULL)
        return FALSE;
    }
  return end >= MIN_TEXT && count_word (text, "createType=") > 0;
}
