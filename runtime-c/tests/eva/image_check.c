/* SPDX-License-Identifier: Apache-2.0 */
#include "any.h"

#include "../../firmware/image_check.h"

/* Shown on their own in image_arrays.c. */
/*@ assigns \result \from rows; */
static enum snn_status check_list(const struct check *check,
                                  const struct snn_image_projection *projection, uint32_t rows);
/*@ assigns \result \from count; ensures \result == 0 || \result == 1; */
static bool check_neurons(const struct check *check, uint32_t count);
/*@ assigns \result \from count; ensures \result == 0 || \result == 1; */
static bool check_decays(const struct check *check, uint32_t offset, uint32_t count);
/*@ assigns \result \from projection->places; ensures \result == 0 || \result == 1; */
static bool check_places(const struct check *check, const struct snn_image_projection *projection);

/* Shown on their own in image_extras.c. */

enum snn_status snn_check_ring(const struct check *check, const struct snn_image_ring *ring)
{
    (void)check;
    (void)ring;
    return any_u32(0, 1) == 0 ? SNN_OK : SNN_ERROR_LIMIT;
}

enum snn_status snn_check_sensor(const struct snn_image *image,
                                 const struct snn_image_sensor *sensor)
{
    (void)image;
    (void)sensor;
    return any_u32(0, 1) == 0 ? SNN_OK : SNN_ERROR_LIMIT;
}

bool snn_check_exit(const struct snn_image *image)
{
    (void)image;
    return any_u32(0, 1) != 0;
}

bool snn_reads_ring(const struct snn_image *image, const struct snn_image_projection *projection)
{
    (void)image;
    (void)projection;
    return any_u32(0, 1) != 0;
}

/* A ring of any content, or none. */
static struct snn_image_ring some_ring;

const struct snn_image_ring *snn_ring_of(const struct snn_image *image, bool from_port,
                                         uint32_t source)
{
    (void)image;
    (void)from_port;
    (void)source;
    return any_u32(0, 1) == 0 ? NULL : &some_ring;
}

#include "../../firmware/image_check.c"
#include "../../firmware/image_header.c"

/*
 * The check of an image on bytes of any value: counts and places of the three arrays of structs are
 * chosen, so that Eva tells one struct from the next; every other byte is free. Whatever is read of
 * them lies in the buffer. That the arrays are inside where in_image says so, and what lists and
 * places of pools point to, is shown in image_arrays.c.
 */

enum { SIZE = 512 };

static uint32_t buffer[SIZE / 4];

/** `first`, `second`: projections of the two layers. */
static void check(uint16_t ports, uint16_t first, uint16_t second, uint32_t at)
{
    struct snn_image *image = (struct snn_image *)buffer;
    struct snn_image_layer *layers =
        (struct snn_image_layer *)((uint8_t *)buffer + at + ports * sizeof(struct snn_image_port));
    any_bytes(buffer, sizeof buffer);
    any_bytes(&some_ring, sizeof some_ring);
    image->port_count = ports;
    image->layer_count = 2;
    image->projection_count = (uint16_t)(first + second);
    image->ports = at;
    image->layers = at + ports * sizeof(struct snn_image_port);
    image->projections = image->layers + 2 * sizeof(struct snn_image_layer);
    layers[0].projection_count = first;
    layers[1].projection_count = second;
    (void)snn_image_check(buffer, any_u32(0, SIZE));
}

void main(void)
{
    check(1, 1, 1, sizeof(struct snn_image));
    check(2, 2, 0, sizeof(struct snn_image) + 8);
    check(1, 0, 1,
          SIZE - sizeof(struct snn_image_port) - 2 * sizeof(struct snn_image_layer) -
              sizeof(struct snn_image_projection));
}
