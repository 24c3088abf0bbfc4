/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

/* What a firmware presents before a step: events, and frames of values. */

bool snn_device_event(struct snn_device *network, uint32_t port, uint32_t index)
{
    const struct snn_image *image = network->image;
    if (port >= image->port_count || network->steps >= image->max_steps) {
        return false;
    }
    const struct snn_image_port *input = snn_ports(image) + port;
    if (input->kind != SNN_PORT_EVENTS || index >= snn_port_size(input)) {
        return false;
    }
    uint32_t *map = (uint32_t *)snn_in_arena(network, input->map);
    map[index / 32] |= UINT32_C(1) << (index & 31);
    return true;
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

static void hold_frame(struct snn_device *network, uint32_t port, const void *values)
{
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
    hold_frame(network, port, values);
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
    hold_frame(network, port, values);
    return SNN_OK;
}
