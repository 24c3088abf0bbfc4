/* SPDX-License-Identifier: Apache-2.0 */
#include "any.h"

#include "../../firmware/image_extras.c"

/*
 * The checks of rings, sensors and the exit rule on bytes of any value, behind two layers, a port
 * and a projection: whatever they read lies in the buffer.
 */

enum { RINGS = 2, SIZE = 512 };

static uint32_t buffer[SIZE / 4];

static void check(void)
{
    struct snn_image *image = (struct snn_image *)buffer;
    any_bytes(buffer, sizeof buffer);
    image->port_count = 1;
    image->layer_count = 2;
    image->projection_count = 1;
    image->ports = sizeof(struct snn_image);
    image->layers = image->ports + sizeof(struct snn_image_port);
    image->projections = image->layers + 2 * sizeof(struct snn_image_layer);
    image->ring_count = RINGS;
    image->sensor_count = 1;
    struct check check = {.image = image};
    for (uint32_t i = 0; i < RINGS; i++) {
        (void)snn_check_ring(&check, snn_rings(image) + i);
    }
    (void)snn_reads_ring(image, snn_projections(image));
    (void)snn_check_sensor(image, snn_sensors(image));
    (void)snn_check_exit(image);
}

const struct snn_image_ring *snn_ring_of(const struct snn_image *image, bool from_port,
                                         uint32_t source)
{
    const struct snn_image_ring *ring = snn_rings(image);
    for (uint32_t i = 0; i < RINGS; i++) {
        if (ring[i].source == source && (ring[i].from_port != 0) == from_port) {
            return ring + i;
        }
    }
    return NULL;
}

void main(void)
{
    check();
}
