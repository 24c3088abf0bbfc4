/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"
#include "snn/poisson.h"
#include "snn/scores.h"

/* What few models need of a step as a whole: encoders before its layers, an exit rule behind them. */

static int32_t value_at(const struct snn_device *network, uint32_t port, uint32_t index)
{
    const void *frame = network->frame[port];
    if (snn_ports(network->image)[port].kind == SNN_PORT_U8) {
        return ((const uint8_t *)frame)[index];
    }
    return ((const int16_t *)frame)[index];
}

/** Writes the spikes of one port's frame to the open slot, which is empty. */
static void encode(const struct snn_device *network, const struct snn_image_ring *ring)
{
    const uint32_t port = ring->source;
    const uint32_t size = snn_port_size(snn_ports(network->image) + port);
    uint32_t *map = (uint32_t *)snn_in_arena(network, snn_slot_of(network, ring, 0));
    for (uint32_t i = 0; i < size; i++) {
        const uint32_t chance = snn_poisson_chance(network->seed, port, network->steps * size + i);
        if (snn_poisson_spikes((uint32_t)value_at(network, port, i), ring->gain, chance)) {
            map[i / 32] |= UINT32_C(1) << (i & 31);
        }
    }
}

void snn_encode(const struct snn_device *network)
{
    const struct snn_image_ring *ring = snn_rings(network->image);
    for (uint32_t i = 0; i < network->image->ring_count; i++) {
        if (ring[i].gain != 0 && network->frame[ring[i].source] != NULL) {
            encode(network, ring + i);
        }
    }
}

bool snn_exits(const struct snn_device *network)
{
    const struct snn_image *image = network->image;
    const struct snn_image_exit *rule = snn_exit_of(image);
    if (rule->margin != 0) {
        uint32_t count = 0;
        const int32_t *scores = snn_device_scores(network, &count);
        return snn_score_margin(scores, count) >= rule->margin;
    }
    const struct snn_image_layer *layer = snn_layers(image) + rule->layer;
    const struct snn_image_ring *ring = snn_ring_of(image, false, rule->layer);
    const uint32_t *map = (const uint32_t *)snn_in_arena(
        network, ring == NULL ? layer->map : snn_slot_of(network, ring, 0));
    uint32_t any = 0;
    for (uint32_t i = 0; i < layer->map_bytes / 4; i++) {
        any |= map[i];
    }
    return any != 0;
}
