/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/self_test.h"
#include "digest.h"

/** The sum of digests while the sample runs, each times its layer's factor. */
struct tested {
    const struct snn_image *image;
    uint32_t digest;
};

static void on_neurons(void *context, uint32_t layer, uint32_t step, uint32_t pixel,
                       const void *membrane, const uint32_t *spikes)
{
    struct tested *tested = (struct tested *)context;
    uint32_t fired;
    const uint32_t digest =
        snn_digest_pixel(snn_layers(tested->image) + layer, step, pixel, membrane, spikes, &fired);
    tested->digest += (2 * layer + 1) * digest;
}

static enum snn_status present(struct snn_device *network, const struct snn_golden *golden)
{
    const struct snn_image_port *port = snn_ports(network->image);
    enum snn_status status = SNN_OK;
    for (uint32_t i = 0; i < network->image->port_count && status == SNN_OK; i++, port++) {
        const uint32_t count = (uint32_t)port->channels * port->height * port->width;
        if (port->kind == SNN_PORT_U8) {
            status = snn_device_values_u8(network, i, (const uint8_t *)golden->frame[i], count);
        } else if (port->kind == SNN_PORT_S16) {
            status = snn_device_values_s16(network, i, (const int16_t *)golden->frame[i], count);
        }
    }
    return status;
}

/** A streaming image takes its frames and the step's events before each step. */
static enum snn_status run(struct snn_device *network, const struct snn_golden *golden)
{
    const uint32_t *event = golden->events;
    if (network->image->block > 1) {
        const enum snn_status status = present(network, golden);
        return status == SNN_OK ? snn_device_run(network, golden->steps) : status;
    }
    for (uint32_t step = 0; step < golden->steps; step++) {
        enum snn_status status = present(network, golden);
        for (uint32_t left = event == NULL ? 0 : *event++; left > 0; left--, event++) {
            (void)snn_device_event(network, *event >> 24, *event & 0xFFFFFFu);
        }
        if (status == SNN_OK) {
            status = snn_device_run(network, 1);
        }
        if (status != SNN_OK) {
            return status;
        }
    }
    return SNN_OK;
}

enum snn_status snn_self_test(const struct snn_image *image, void *arena, size_t size,
                              const struct snn_golden *golden)
{
    struct snn_device network;
    struct tested tested = {image, 0};
    const struct snn_observer observer = {.context = &tested, .neurons = on_neurons};
    if (SNN_DEVICE_STREAMING == 0 && SNN_DEVICE_GENERAL == 0) {
        return SNN_ERROR_LIMIT;
    }
    enum snn_status status = snn_device_init(&network, image, arena, size);
    if (status != SNN_OK) {
        return status;
    }
    snn_device_observe(&network, &observer);
    status = run(&network, golden);
    if (status != SNN_OK) {
        return status;
    }
    uint32_t count;
    const int32_t *scores = snn_device_scores(&network, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (scores[i] != golden->scores[i]) {
            return SNN_ERROR_VALUE;
        }
    }
    return tested.digest == golden->digest ? SNN_OK : SNN_ERROR_VALUE;
}
