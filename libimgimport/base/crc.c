/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "base/base-private.h"

/* The tables of disk images that have a checksum are nearly all zeros, so those are not counted but
 * jumped over: a zero byte multiplies the remainder, a polynomial over GF(2) with its lowest power
 * in the highest bit, by x^8. */

#define BLOCK ((gsize)256)
#define X_TO_8 ((guint32)1 << (31 - 8))

typedef struct
{
  guint32 polynomial;
  guint32 nibbles[16]; /* what each four bits leave behind */
} Crc;

static const Crc crc32 = { 0xedb88320,
                           { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                             0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                             0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c } };

static const Crc crc32c = {
  0x82f63b78,
  { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 }
};

static guint32
multiply (const Crc *self, guint32 a, guint32 b)
{
  guint32 product = 0;

  for (guint32 bit = (guint32)1 << 31; bit != 0; bit >>= 1)
    {
      product ^= b & (0u - ((a & bit) != 0));
      b = (b >> 1) ^ (self->polynomial & (0u - (b & 1)));
    }
  return product;
}

static guint32
add_zeros (const Crc *self, guint32 crc, gsize length)
{
  guint32 power = X_TO_8;

  for (; length > 0; length >>= 1)
    {
      if ((length & 1) != 0)
        crc = multiply (self, crc, power);
      power = multiply (self, power, power);
    }
  return crc;
}

static guint32
add_bytes (const Crc *self, guint32 crc, const guint8 *data, gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      crc ^= data[i];
      crc = self->nibbles[crc & 15] ^ (crc >> 4);
      crc = self->nibbles[crc & 15] ^ (crc >> 4);
    }
  return crc;
}

static guint32
update (const Crc *self, guint32 crc, const guint8 *data, gsize length)
{
  gsize zeros = 0;

  for (; length >= BLOCK; data += BLOCK, length -= BLOCK)
    {
      if (_imgimport_is_zero (data, BLOCK))
        {
          zeros += BLOCK;
          continue;
        }
      crc = add_zeros (self, crc, zeros);
      crc = add_bytes (self, crc, data, BLOCK);
      zeros = 0;
    }
  crc = add_zeros (self, crc, zeros);
  return add_bytes (self, crc, data, length);
}

guint32
_imgimport_crc32_update (guint32 crc, const guint8 *data, gsize length)
{
  return update (&crc32, crc, data, length);
}

guint32
_imgimport_crc32c_update (guint32 crc, const guint8 *data, gsize length)
{
  return update (&crc32c, crc, data, length);
}
