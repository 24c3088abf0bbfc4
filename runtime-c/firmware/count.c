/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/count.h"
#include "digest.h"

static struct snn_count *counters(void *context)
{
    return (struct snn_count *)context;
}

/** Whether a pixel of the source lies in a full pooling window. */
static bool arrives(const struct snn_image_projection *projection, uint32_t y, uint32_t x)
{
    const uint32_t pool = projection->pool;
    return y < projection->pooled_height * pool && x < projection->pooled_width * pool;
}

/* ---- The observer's functions ---- */

/**
 * The number of spikes that a projection delivers in the open step from what its source's map
 * holds already: events of a port, or spikes of earlier steps.
 */
static uint32_t arriving(const struct snn_device *network,
                         const struct snn_image_projection *projection)
{
    const void *map = snn_in_arena(network, snn_map_of(network, projection));
    const bool every = projection->carries == SNN_CARRIES_EVERY;
    const uint32_t size = (uint32_t)projection->channels * projection->height * projection->width;
    uint32_t count = 0;
    for (uint32_t i = 0; i < size; i++) {
        const uint32_t spikes =
            every ? ((const uint16_t *)map)[i] : ((const uint32_t *)map)[i / 32] >> (i & 31) & 1;
        const uint32_t pixel = i / projection->channels;
        if (spikes != 0 &&
            arrives(projection, pixel / projection->width, pixel % projection->width)) {
            count += spikes;
        }
    }
    return count;
}

/**
 * Counts events and delayed spikes as the first layer begins: a step if the image streams, else the
 * whole sample.
 */
static void on_layer(void *context, uint32_t layer)
{
    struct snn_count *count = counters(context);
    const struct snn_image *image = count->network->image;
    const struct snn_image_projection *projection = snn_projections(image);
    struct snn_projection_count *into = count->projections;
    for (uint32_t i = 0; i < image->projection_count && layer == 0; i++, projection++, into++) {
        if (!snn_carries_values(projection) &&
            (projection->from_port != 0 || projection->delay != 0)) {
            into->spikes_in += arriving(count->network, projection);
        }
    }
}

/** Counts the spikes of one pixel at every projection that starts in its layer. */
static void deliver(struct snn_count *count, uint32_t layer, uint32_t pixel, uint32_t spikes)
{
    const struct snn_image *image = count->network->image;
    const uint32_t width = snn_layers(image)[layer].width;
    const struct snn_image_projection *projection = snn_projections(image);
    struct snn_projection_count *into = count->projections;
    for (uint32_t i = 0; i < image->projection_count; i++, projection++, into++) {
        if (projection->from_port != 0 || projection->source != layer || projection->delay != 0) {
            continue;
        }
        if (!arrives(projection, pixel / width, pixel % width)) {
            continue;
        }
        into->spikes_in += spikes;
    }
}

static void on_neurons(void *context, uint32_t layer, uint32_t step, uint32_t pixel,
                       const void *membrane, const uint32_t *spikes)
{
    struct snn_count *count = counters(context);
    uint32_t fired;
    const uint32_t digest = snn_digest_pixel(snn_layers(count->network->image) + layer, step, pixel,
                                             membrane, spikes, &fired);
    count->layers[layer].digest += digest;
    count->layers[layer].spikes_out += fired;
    if (fired != 0) {
        deliver(count, layer, pixel, fired);
    }
}

static void on_rows(void *context, uint32_t projection, const uint16_t *rows, const int16_t *values,
                    uint32_t row_count)
{
    struct snn_count *count = counters(context);
    const struct snn_image *image = count->network->image;
    const uint16_t *synapses =
        (const uint16_t *)snn_in_image(image, snn_projections(image)[projection].synapses);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        sum += synapses[rows[i]];
    }
    if (values == NULL) {
        count->projections[projection].synops += sum;
    } else {
        count->projections[projection].macs += sum;
    }
}

static void on_saturated(void *context, uint32_t layer, uint32_t clamps)
{
    counters(context)->layers[layer].saturations += clamps;
}

/* ---- Life cycle ---- */

void snn_count_clear(struct snn_count *count)
{
    static const struct snn_layer_count no_layer = {0, 0, 0};
    static const struct snn_projection_count no_projection = {0, 0, 0};
    const struct snn_image *image = count->network->image;
    for (uint32_t i = 0; i < image->layer_count; i++) {
        count->layers[i] = no_layer;
    }
    for (uint32_t i = 0; i < image->projection_count; i++) {
        count->projections[i] = no_projection;
    }
}

void snn_count_init(struct snn_count *count, struct snn_device *network,
                    struct snn_layer_count *layers, struct snn_projection_count *projections)
{
    count->observer.context = count;
    count->observer.layer = on_layer;
    count->observer.neurons = on_neurons;
    count->observer.rows = on_rows;
    count->observer.saturated = on_saturated;
    count->network = network;
    count->layers = layers;
    count->projections = projections;
    snn_count_clear(count);
    snn_device_observe(network, &count->observer);
}
