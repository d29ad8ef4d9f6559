/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is done to staged bytes behind the service's back, by the same uid, and never becomes an
 * active image's. */

#include "import.h"
#include "shim.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE (IMGIMPORT_BUFFER_SIZE + 5)

typedef struct
{
  char *root;
  ImgImportService *service;
  char *id;
  char *staged; /* the file */
  guint8 *data; /* SIZE */
  int fd;       /* opened for writing while the bytes arrived; and a mapping of it */
  guint8 *map;
} World;

#define CONFIG                                                                                     \
  "{" MEMORY_CATALOG ", \"durability\": \"process\", \"workers\": 0, "                             \
  "\"verify_on_delivery\": %s, "                                                                   \
  "\"staging\": {\"type\": \"file\", \"directory\": \"staging\"}, \"stores\": ["                   \
  "{\"id\": \"one\", \"type\": \"file\", \"directory\": \"one\"}]}"

/* The one file of the directory, hidden or not. */
static char *
find_file (World *w, const char *directory)
{
  g_autofree char *path = g_build_filename (w->root, directory, NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name = g_dir_read_name (dir);

  return name != NULL ? g_build_filename (path, name, NULL) : NULL;
}

/* Halfway through its upload somebody opens and maps the file that is to be sealed. */
static void
stage_watched (World *w)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ImgImportUpload) upload =
      imgimport_service_stage_begin (w->service, NULL, w->id, SIZE, &error);
  g_autoptr (ImgImportImage) image = NULL;
  g_autofree char *hidden = NULL;

  g_assert_true (imgimport_upload_write (upload, w->data, SIZE, NULL, &error));
  hidden = find_file (w, "staging");
  w->fd = g_open (hidden, O_RDWR | O_CLOEXEC, 0);
  g_assert_cmpint (w->fd, >=, 0);
  w->map = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
  g_assert_true (w->map != MAP_FAILED);
  w->map[0] = w->data[0];
  image = imgimport_upload_commit (upload, NULL, &error);
  g_assert_no_error (error);
  w->staged = find_file (w, "staging");
}

static void
world_open (World *w, const char *verify)
{
  g_autofree char *config = g_strdup_printf (CONFIG, verify);
  g_autoptr (ImgImportClock) clock = _imgimport_clock_new_fake (EPOCH_US);
  g_autoptr (GError) error = NULL;

  w->root = g_dir_make_tmp ("imgimport-XXXXXX", &error);
  w->service = imgimport_service_new (w->root, config, &error);
  g_assert_no_error (error);
  _imgimport_service_set_clock (w->service, clock);
  service_start (w->service);
  w->id = create (w->service, NULL, RAW);
  w->data = g_malloc (SIZE);
  memset (w->data, 'x', SIZE);
  stage_watched (w);
}

static void
world_close (World *w)
{
  munmap (w->map, 4096);
  _imgimport_fd_close (w->fd);
  g_assert_finalize_object (w->service);
  remove_tree (w->root);
  g_free (w->root);
  g_free (w->staged);
  g_free (w->data);
  g_free (w->id);
}

/* ---- what somebody does ---------------------------------------------------------------------- */

static void
write_through_descriptor (World *w)
{
  g_assert_cmpint (pwrite (w->fd, "y", 1, SIZE - 1), ==, 1);
}

static void
keep_time (World *w, void (*edit) (World *w))
{
  struct stat before;

  g_assert_cmpint (fstat (w->fd, &before), ==, 0);
  edit (w);
  g_assert_cmpint (futimens (w->fd, (const struct timespec[]){ before.st_atim, before.st_mtim }),
                   ==, 0);
}

static void
write_and_restore_the_time (World *w)
{
  keep_time (w, write_through_descriptor);
}

static void
store_through_mapping (World *w)
{
  w->map[0] = 'y';
}

static void
write_another (const char *path, const World *w)
{
  g_autofree guint8 *other = g_malloc (SIZE);

  memset (other, 'y', SIZE);
  g_assert_true (g_file_set_contents (path, (const char *)other, SIZE, NULL));
}

static void
rename_another_over_it (World *w)
{
  g_autofree char *other = g_build_filename (w->root, "other", NULL);

  write_another (other, w);
  g_assert_cmpint (g_rename (other, w->staged), ==, 0);
}

/* With all that a time can tell. */
static void
rename_a_twin_over_it (World *w)
{
  struct stat before;

  g_assert_cmpint (fstat (w->fd, &before), ==, 0);
  rename_another_over_it (w);
  g_assert_cmpint (utimensat (AT_FDCWD, w->staged,
                              (const struct timespec[]){ before.st_atim, before.st_mtim }, 0),
                   ==, 0);
}

static void
swap_for_a_link (World *w)
{
  g_autofree char *target = g_build_filename (w->root, "target", NULL);

  write_another (target, w);
  g_assert_cmpint (g_unlink (w->staged), ==, 0);
  g_assert_cmpint (symlink (target, w->staged), ==, 0);
}

static void
truncate_it (World *w)
{
  g_assert_cmpint (ftruncate (w->fd, SIZE - 1), ==, 0);
}

static void
truncate_and_restore_the_time (World *w)
{
  keep_time (w, truncate_it);
}

static void
remove_it (World *w)
{
  g_assert_cmpint (g_unlink (w->staged), ==, 0);
}

static void
write_through_another_name (World *w)
{
  g_autofree char *name = g_build_filename (w->root, "name", NULL);
  g_auto (ImgImportFd) fd = -1;

  g_assert_cmpint (link (w->staged, name), ==, 0);
  g_assert_cmpint (g_chmod (name, 0600), ==, 0);
  fd = g_open (name, O_WRONLY | O_CLOEXEC, 0);
  g_assert_cmpint (pwrite (fd, "y", 1, 7), ==, 1);
}

static void
give_it_another_name (World *w)
{
  g_autofree char *name = g_build_filename (w->root, "name", NULL);

  g_assert_cmpint (link (w->staged, name), ==, 0);
}

static void
touch_nothing (World *w)
{
}

/* ---- rows ------------------------------------------------------------------------------------ */

typedef struct
{
  const char *name;
  void (*tamper) (World *w);
  const char *verify; /* verify_on_delivery */
  const char *reason; /* NULL: the import succeeds, with the bytes that were sealed */
} Row;

static const Row rows[] = {
  { "written-through-an-old-descriptor", write_through_descriptor, "false", "staging-changed" },
  { "written-through-another-name", write_through_another_name, "false", "staging-changed" },
  { "another-renamed-over-it", rename_another_over_it, "false", "staging-changed" },
  { "twin-renamed-over-it", rename_a_twin_over_it, "false", "staging-changed" },
  { "swapped-for-a-symbolic-link", swap_for_a_link, "false", "object-invalid" },
  { "truncated", truncate_it, "false", "staging-changed" },
  { "truncated-and-time-restored", truncate_and_restore_the_time, "false", "staging-changed" },
  { "removed", remove_it, "false", "not-found" },
  { "another-name-alone-harms-nobody", give_it_another_name, "false", NULL },
  { "untouched", touch_nothing, "false", NULL },
  { "untouched-is-verified", touch_nothing, "true", NULL },
  { "written-and-time-restored-is-found", write_and_restore_the_time, "true", "staging-changed" },
  { "stored-through-a-mapping-is-found", store_through_mapping, "true", "" },
};

static void
assert_stored (World *w)
{
  g_autofree char *path = find_file (w, "one");
  g_autofree char *found = NULL;
  gsize length = 0;
  struct stat info;

  g_assert_true (g_file_get_contents (path, &found, &length, NULL));
  g_assert_cmpuint (length, ==, SIZE);
  g_assert_true (memcmp (found, w->data, SIZE) == 0);
  /* Nobody else has a name of it. */
  g_assert_cmpint (g_lstat (path, &info), ==, 0);
  g_assert_cmpuint (info.st_nlink, ==, 1);
}

static void
only_sealed_bytes_become_active (gconstpointer data)
{
  const Row *row = data;
  World w = { 0 };
  g_autoptr (ImgImportJob) job = NULL;
  g_autoptr (ImgImportImage) image = NULL;
  g_autofree char *stored = NULL;

  world_open (&w, row->verify);
  row->tamper (&w);
  job = run_import (w.service, w.id, DIRECT "}");
  image = get (w.service, w.id);
  g_assert_true ((imgimport_image_get_status (image) == IMGIMPORT_STATUS_ACTIVE) ==
                 (row->reason == NULL));
  if (row->reason == NULL)
    {
      assert_success (job);
      assert_stored (&w);
    }
  else
    {
      /* Where the kernel notices the store through the mapping, that is told instead. */
      if (*row->reason != '\0')
        assert_failure (job, row->reason, "");
      if (g_str_equal (row->reason, "staging-changed"))
        g_assert_cmpint (imgimport_image_get_status (image), ==, IMGIMPORT_STATUS_QUEUED);
      stored = find_file (&w, "one");
      g_assert_null (stored);
    }
  world_close (&w);
}

/* What is staged from the caller's own file is no longer the caller's. */
static void
file_of_the_caller_may_change_afterwards (void)
{
  World w = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  g_autoptr (ImgImportImage) image = NULL;
  g_auto (ImgImportFd) fd = -1;

  world_open (&w, "false");
  image = imgimport_service_unstage (w.service, NULL, w.id, &error);
  g_clear_object (&image);
  fd = g_file_open_tmp ("imgimport-XXXXXX", &path, &error);
  g_assert_cmpint (write (fd, w.data, SIZE), ==, (gssize)SIZE);
  g_assert_cmpint (lseek (fd, 0, SEEK_SET), ==, 0);
  image = imgimport_service_stage_fd (w.service, NULL, w.id, fd, SIZE, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (pwrite (fd, "y", 1, 0), ==, 1);
  import (w.service, w.id, DIRECT "}");
  assert_stored (&w);
  g_unlink (path);
  world_close (&w);
}

typedef struct
{
  Shim staging; /* first: it is what the slots are handed */
  int fd;       /* the caller's */
  int other;
} Swap;

/* Once the service has looked at what it is to stage, the caller makes it something else. */
static gboolean
swapping_begin (gpointer self, const char *key, guint64 expected, gpointer *writer,
                GCancellable *cancellable, GError **error)
{
  const Swap *swap = self;

  g_assert_cmpint (dup2 (swap->other, swap->fd), ==, swap->fd);
  return shim_begin (self, key, expected, writer, cancellable, error);
}

static void
descriptor_that_becomes_a_pipe_is_refused (void)
{
  ImgImportStoreVTable store = shim_store;
  Swap swap = { .fd = -1 };
  g_autoptr (ImgImportService) service =
      service_new ("{" MEMORY_CATALOG ", " MEMORY_STORES ", \"workers\": 0}");
  g_autoptr (GError) error = NULL;
  g_autofree char *id = NULL;
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  swap.fd = memfd_create ("staged", MFD_CLOEXEC);
  swap.other = ends[0];
  g_assert_cmpint (ftruncate (swap.fd, 5), ==, 0);
  shim_init_store (&swap.staging, NULL);
  store.begin = swapping_begin;
  imgimport_service_set_staging (service, &store, &swap, NULL, &error);
  g_assert_no_error (error);
  service_start (service);
  id = create (service, NULL, RAW);
  g_assert_null (imgimport_service_stage_fd (service, NULL, id, swap.fd, IMGIMPORT_SIZE_UNKNOWN,
                                             NULL, &error));
  g_assert_nonnull (strstr (error->message, id));
  g_assert_nonnull (strstr (error->message, "descriptor"));
  assert_refused (&error, IMGIMPORT_ERROR_FAILED, "io-error");
  assert_image_is (service, id, IMGIMPORT_STATUS_QUEUED, IMGIMPORT_STAGE_NONE);
  assert_no_notes (service);
  g_assert_finalize_object (g_steal_pointer (&service));
  shim_clear (&swap.staging);
  _imgimport_fd_close (swap.fd);
  _imgimport_fd_close (ends[0]);
  _imgimport_fd_close (ends[1]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *path = g_strdup_printf ("/seal/security-50/%s", rows[i].name);

      g_test_add_data_func (path, &rows[i], only_sealed_bytes_become_active);
    }
  g_test_add_func ("/seal/security-72/file-of-the-caller-may-change-afterwards",
                   file_of_the_caller_may_change_afterwards);
  g_test_add_func ("/seal/descriptor-that-becomes-a-pipe-is-refused",
                   descriptor_that_becomes_a_pipe_is_refused);
  return g_test_run ();
}
