/* SPDX-License-Identifier: Apache-2.0 */
#include "image_check.h"
#include "snn/model.h"

/* What stands behind the projections of an image: rings, sensors and the exit rule. */

/** The bytes of one slot of a ring; 0: its source does not exist, or has no ring. */
static uint32_t slot_bytes(const struct snn_image *image, const struct snn_image_ring *ring)
{
    if (ring->from_port == 0) {
        const struct snn_image_layer *layer = snn_layers(image) + ring->source;
        return ring->source + 1u < image->layer_count ? layer->map_bytes : 0;
    }
    if (ring->source >= image->port_count) {
        return 0;
    }
    const struct snn_image_port *port = snn_ports(image) + ring->source;
    const uint32_t size = snn_port_size(port);
    if (ring->gain != 0) {
        return snn_takes_values(port) ? (size + 31) / 32 * 4 : 0;
    }
    switch (port->kind) {
    case SNN_PORT_EVENTS: return (size + 31) / 32 * 4;
    case SNN_PORT_U8: return (size + 3) / 4 * 4;
    default: return (size + 1) / 2 * 4;
    }
}

/** Whether a ring fits its source and the arena; layers and ports are known to be sound. */
enum snn_status snn_check_ring(const struct check *check, const struct snn_image_ring *ring)
{
    const struct snn_image *image = check->image;
    const uint32_t bytes = slot_bytes(image, ring);
    if (ring->from_port > 1 || bytes == 0 || bytes != ring->bytes) {
        return SNN_ERROR_REFERENCE;
    }
    if (ring->slots < 1 || ring->slots > 752) {
        return SNN_ERROR_LIMIT;
    }
    const bool every =
        ring->from_port != 0 && snn_ports(image)[ring->source].kind == SNN_PORT_EVERY;
    if (every != (ring->most != 0)) {
        return SNN_ERROR_LIMIT;
    }
    if (ring->gain != 0 && (ring->from_port == 0 || image->needs_general == 0)) {
        return SNN_ERROR_LIMIT;
    }
    if (snn_ring_of(image, ring->from_port != 0, ring->source) != ring) {
        return SNN_ERROR_REFERENCE;
    }
    uint32_t head = 4;
    if (every) {
        head = 8;
    }
    if (ring->map <= head || !in_arena(check, ring->map - head, 1, 4)) {
        return SNN_ERROR_SIZE;
    }
    return in_arena(check, ring->map, ring->slots * (bytes / 4) + 1, 4) ? SNN_OK : SNN_ERROR_SIZE;
}

/** Whether every address of a sensor lies in its port after the coarsening. */
enum snn_status snn_check_sensor(const struct snn_image *image,
                                 const struct snn_image_sensor *sensor)
{
    if (sensor->port >= image->port_count || snn_takes_values(snn_ports(image) + sensor->port)) {
        return SNN_ERROR_REFERENCE;
    }
    if (sensor->coarsening > 15 || sensor->polarity > SNN_ON_OFF) {
        return SNN_ERROR_LIMIT;
    }
    const struct snn_image_port *port = snn_ports(image) + sensor->port;
    const bool fits = sensor->last_x >> sensor->coarsening < port->width &&
                      sensor->last_y >> sensor->coarsening < port->height && port->channels <= 2;
    return fits ? SNN_OK : SNN_ERROR_SHAPE;
}

/** Whether an exit rule names a layer that spikes, of an image that streams. */
bool snn_check_exit(const struct snn_image *image)
{
    const struct snn_image_exit *rule = snn_exit_of(image);
    return image->needs_general == 1 && image->block == 1 && rule->reserved == 0 &&
           rule->margin <= INT32_MAX &&
           (rule->margin != 0 || rule->layer + 1u < image->layer_count);
}

/** Whether a projection names its source's ring, if that has one, and reads inside of it. */
bool snn_reads_ring(const struct snn_image *image, const struct snn_image_projection *projection)
{
    const struct snn_image_ring *ring =
        snn_ring_of(image, projection->from_port != 0, projection->source);
    if (ring == NULL) {
        return projection->ring == 0 && projection->delay == 0;
    }
    return projection->ring == ring - snn_rings(image) + 1 && projection->delay < ring->slots &&
           projection->map == ring->map && projection->map_bytes == ring->bytes;
}
