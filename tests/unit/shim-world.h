/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a service stands on and what outlives it: a catalog, staging and the store "one", all of
 * them shims. A test's own world begins with this one. */

#include "shim.h"

typedef struct
{
  Faults faults; /* of all three */
  Shim catalog;
  Shim staging;
  Shim one;
  ImgImportCatalogVTable catalog_slots; /* a test may put slots of its own here */
  ImgImportStoreVTable staging_slots;
  ImgImportStoreVTable one_slots;
} ShimWorld;

static inline void
shim_world_init (ShimWorld *self)
{
  self->faults = (Faults){ 0 };
  shim_init_catalog (&self->catalog, &self->faults);
  shim_init_store (&self->staging, &self->faults);
  shim_init_store (&self->one, &self->faults);
  self->catalog.world = self->staging.world = self->one.world = self;
  self->catalog_slots = shim_catalog;
  self->staging_slots = shim_store;
  self->one_slots = shim_store;
}

static inline void
shim_world_clear (ShimWorld *self)
{
  shim_clear (&self->catalog);
  shim_clear (&self->staging);
  shim_clear (&self->one);
}

/* A service that has still to be started. */
static inline ImgImportService *
shim_world_service (ShimWorld *self, const char *config)
{
  g_autoptr (GError) error = NULL;
  ImgImportService *service = service_new (config);

  imgimport_service_set_catalog (service, &self->catalog_slots, &self->catalog, NULL, &error);
  g_assert_no_error (error);
  imgimport_service_set_staging (service, &self->staging_slots, &self->staging, NULL, &error);
  g_assert_no_error (error);
  imgimport_service_add_store (service, "one", &self->one_slots, &self->one, NULL, &error);
  g_assert_no_error (error);
  return service;
}
