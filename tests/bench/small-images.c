/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 *     small-images DIRECTORY DURABILITY CLIENTS COUNT BYTES
 *
 * Many small images, each created, staged, imported and awaited by one of CLIENTS threads; answers
 * one line of JSON. Every call that makes the kernel write back is counted: this program's own
 * definitions of them come before those of the C library, in all of the process.
 */

#include <errno.h>
#include <fcntl.h>
#include <imgimport/imgimport.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ATTRIBUTES "{\"disk_format\": \"raw\", \"container_format\": \"bare\"}"
#define MAX_CLIENTS 64
#define CHUNK_SIZE ((gsize)1024 * 1024)

/* ---- syncs ----------------------------------------------------------------------------------- */

static gint n_syncs; /* atomic */

int
fsync (int fd)
{
  g_atomic_int_inc (&n_syncs);
  return (int)syscall (SYS_fsync, fd);
}

int
fdatasync (int fd)
{
  g_atomic_int_inc (&n_syncs);
  return (int)syscall (SYS_fdatasync, fd);
}

int
syncfs (int fd)
{
  g_atomic_int_inc (&n_syncs);
  return (int)syscall (SYS_syncfs, fd);
}

int
msync (void *start, size_t length, int flags)
{
  g_atomic_int_inc (&n_syncs);
  return (int)syscall (SYS_msync, start, length, flags);
}

int
sync_file_range (int fd, off64_t offset, off64_t length, unsigned int flags)
{
  g_atomic_int_inc (&n_syncs);
  return (int)syscall (SYS_sync_file_range, fd, offset, length, flags);
}

/* ---- one image ------------------------------------------------------------------------------- */

typedef struct
{
  ImgImportService *service;
  gint left;          /* atomic: images nobody has begun */
  gssize n_import_us; /* atomic: in all imports, from the request until the image is active */
  gsize n_bytes;
} Bench;

/* Each image's bytes are its own. */
static void
fill (guint8 *data, gsize length, guint seed)
{
  GRand *random = g_rand_new_with_seed (seed);
  gsize i;

  for (i = 0; i + sizeof (guint32) <= length; i += sizeof (guint32))
    {
      guint32 word = g_rand_int (random);

      memcpy (data + i, &word, sizeof word);
    }
  g_rand_free (random);
}

static gboolean
stage_one (const Bench *self, const char *id, const guint8 *data, GError **error)
{
  g_autoptr (ImgImportUpload) upload =
      imgimport_service_stage_begin (self->service, NULL, id, self->n_bytes, error);
  g_autoptr (ImgImportImage) staged = NULL;
  gsize left = self->n_bytes;

  while (upload != NULL && left > 0)
    {
      gsize n = MIN (left, CHUNK_SIZE);

      if (!imgimport_upload_write (upload, data, n, NULL, error))
        return FALSE;
      left -= n;
    }
  if (upload != NULL)
    staged = imgimport_upload_commit (upload, NULL, error);
  return staged != NULL;
}

static gboolean
import_one (Bench *self, const guint8 *data, GError **error)
{
  g_autoptr (ImgImportImage) queued =
      imgimport_service_create_image (self->service, NULL, ATTRIBUTES, NULL, error);
  g_autoptr (ImgImportJob) job = NULL;
  g_autofree char *job_id = NULL;
  const char *id = queued != NULL ? imgimport_image_get_id (queued) : NULL;
  gint64 start_us;

  if (id == NULL || !stage_one (self, id, data, error))
    return FALSE;
  start_us = g_get_monotonic_time ();
  job_id = imgimport_service_import_image (self->service, NULL, id, NULL, error);
  if (job_id == NULL)
    return FALSE;
  job = imgimport_service_wait_job (self->service, job_id, -1, NULL, error);
  g_atomic_pointer_add (&self->n_import_us, (gssize)(g_get_monotonic_time () - start_us));
  return job != NULL && imgimport_job_get_error (job, error);
}

static gpointer
client (gpointer data)
{
  Bench *self = data;
  const gsize length = MIN (self->n_bytes, CHUNK_SIZE);
  g_autofree guint8 *bytes = g_malloc (length);
  g_autoptr (GError) error = NULL;
  gint n;

  fill (bytes, length, g_random_int ());
  while ((n = g_atomic_int_add (&self->left, -1)) > 0)
    {
      memcpy (bytes, &n, MIN (length, sizeof n));
      if (!import_one (self, bytes, &error))
        {
          fprintf (stderr, "small-images: %s\n", error->message);
          exit (1);
        }
    }
  return NULL;
}

/* ---- all ------------------------------------------------------------------------------------- */

static double
cpu_s (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The highest since this program began: what getrusage() tells began before. */
static double
peak_mib (void)
{
  g_autofree char *status = NULL;
  const char *line;

  g_file_get_contents ("/proc/self/status", &status, NULL, NULL);
  line = status != NULL ? strstr (status, "VmHWM:") : NULL;
  return line != NULL ? g_ascii_strtod (line + strlen ("VmHWM:"), NULL) / 1024 : 0;
}

static void
run (Bench *self, guint n_clients, guint n_images)
{
  GThread *threads[MAX_CLIENTS];
  gint64 start_us = g_get_monotonic_time ();
  double start_cpu_s = cpu_s ();
  double wall_s;
  guint i;

  g_atomic_int_set (&n_syncs, 0);
  g_atomic_int_set (&self->left, (gint)n_images);
  for (i = 0; i < n_clients; i++)
    threads[i] = g_thread_new ("client", client, self);
  for (i = 0; i < n_clients; i++)
    g_thread_join (threads[i]);
  wall_s = (double)((gssize)(g_get_monotonic_time () - start_us)) / 1e6;
  printf ("{\"images\": %u, \"clients\": %u, \"wall_s\": %.6f, \"cpu_s\": %.6f, "
          "\"import_s\": %.6f, \"syncs\": %d, \"peak_mib\": %.1f}\n",
          n_images, n_clients, wall_s, cpu_s () - start_cpu_s, (double)self->n_import_us / 1e6,
          g_atomic_int_get (&n_syncs), peak_mib ());
}

int
main (int argc, char **argv)
{
  Bench self = { 0 };
  g_autofree char *config = NULL;
  g_autoptr (GError) error = NULL;
  guint n_clients = argc == 6 ? (guint)strtoul (argv[3], NULL, 10) : 0;
  guint n_images = argc == 6 ? (guint)strtoul (argv[4], NULL, 10) : 0;

  if (n_clients == 0 || n_clients > MAX_CLIENTS || n_images == 0)
    {
      fputs ("usage: small-images DIRECTORY DURABILITY CLIENTS COUNT BYTES\n", stderr);
      return 2;
    }
  self.n_bytes = strtoul (argv[5], NULL, 10);
  config = g_strdup_printf ("{\"durability\": \"%s\"}", argv[2]);
  self.service = imgimport_service_open (argv[1], config, &error);
  if (self.service == NULL)
    {
      fprintf (stderr, "small-images: %s\n", error->message);
      return 1;
    }
  run (&self, n_clients, n_images);
  g_object_unref (self.service);
  return 0;
}
