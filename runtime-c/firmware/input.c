/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

/* What a firmware presents before a step: events, and frames of values. */

/** An event of a port that counts every one; the step may have taken as many as it may. */
static enum snn_taken take_every(const struct snn_device *network,
                                 const struct snn_image_ring *ring, uint32_t index)
{
    uint32_t *taken = snn_open_slot(network, ring) - 1;
    if (*taken >= ring->most) {
        return SNN_TAKEN_NOT;
    }
    ++*taken;
    ++((uint16_t *)snn_in_arena(network, snn_slot_of(network, ring, 0)))[index];
    return SNN_TAKEN_NEW;
}

enum snn_taken snn_take_event(const struct snn_device *network, uint32_t port, uint32_t index)
{
    const struct snn_image_port *input = snn_ports(network->image) + port;
    const struct snn_image_ring *ring =
        SNN_DEVICE_RINGS != 0 ? snn_ring_of(network->image, true, port) : NULL;
    if (SNN_DEVICE_GENERAL != 0 && ring != NULL && input->kind == SNN_PORT_EVERY) {
        return take_every(network, ring, index);
    }
    uint32_t *map = (uint32_t *)snn_in_arena(network, ring == NULL ? input->map
                                                                   : snn_slot_of(network, ring, 0));
    const uint32_t bit = UINT32_C(1) << (index & 31);
    if ((map[index / 32] & bit) != 0) {
        return SNN_TAKEN_MERGED;
    }
    map[index / 32] |= bit;
    return SNN_TAKEN_NEW;
}

bool snn_device_event(struct snn_device *network, uint32_t port, uint32_t index)
{
    const struct snn_image *image = network->image;
    if (port >= image->port_count || network->steps >= image->max_steps ||
        (SNN_DEVICE_EXITS && network->decided)) {
        return false;
    }
    const struct snn_image_port *input = snn_ports(image) + port;
    if (snn_takes_values(input) || index >= snn_port_size(input)) {
        return false;
    }
    return snn_take_event(network, port, index) != SNN_TAKEN_NOT;
}

/** Whether a frame of `count` values of a kind may be presented. */
static bool accepts(const struct snn_device *network, uint32_t port, uint32_t kind,
                    const void *values, uint32_t count)
{
    if (port >= network->image->port_count || values == NULL) {
        return false;
    }
    const struct snn_image_port *input = snn_ports(network->image) + port;
    return input->kind == kind && count == snn_port_size(input);
}

/** Holds a frame; where a later step reads it, its ring keeps a copy of the `bytes`. */
static void hold_frame(struct snn_device *network, uint32_t port, const void *values,
                       uint32_t bytes)
{
    const struct snn_image_ring *ring =
        SNN_DEVICE_RINGS != 0 ? snn_ring_of(network->image, true, port) : NULL;
    if (ring != NULL && ring->gain == 0) {
        uint8_t *copy = (uint8_t *)snn_in_arena(network, snn_slot_of(network, ring, 0));
        for (uint32_t i = 0; i < bytes; i++) {
            copy[i] = ((const uint8_t *)values)[i];
        }
    }
    network->frame[port] = values;
    if (SNN_DEVICE_STREAMING != 0) {
        network->presented |= UINT32_C(1) << port;
    }
}

enum snn_status snn_device_values_u8(struct snn_device *network, uint32_t port,
                                     const uint8_t *values, uint32_t count)
{
    if (!accepts(network, port, SNN_PORT_U8, values, count)) {
        return SNN_ERROR_ARGUMENT;
    }
    const struct snn_image_port *input = snn_ports(network->image) + port;
    const bool any = input->min_value <= 0 && input->max_value >= 255;
    for (uint32_t i = 0; !any && i < count; i++) {
        if (values[i] < input->min_value || values[i] > input->max_value) {
            return SNN_ERROR_VALUE;
        }
    }
    hold_frame(network, port, values, count);
    return SNN_OK;
}

enum snn_status snn_device_values_s16(struct snn_device *network, uint32_t port,
                                      const int16_t *values, uint32_t count)
{
    if (!accepts(network, port, SNN_PORT_S16, values, count)) {
        return SNN_ERROR_ARGUMENT;
    }
    const struct snn_image_port *input = snn_ports(network->image) + port;
    for (uint32_t i = 0; i < count; i++) {
        if (values[i] < input->min_value || values[i] > input->max_value) {
            return SNN_ERROR_VALUE;
        }
    }
    hold_frame(network, port, values, 2 * count);
    return SNN_OK;
}
