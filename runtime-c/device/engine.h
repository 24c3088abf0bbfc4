/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_DEVICE_ENGINE_H
#define SNN_DEVICE_ENGINE_H

#include "kernels.h"
#include "snn/device.h"

/* What the engine's files share. */

/** Rows gathered before a kernel call; a word of spikes may add 32 more. */
enum { SNN_GATHER = 64 };

/** An array of the image, or null for offset 0. */
static inline const void *snn_in_image(const struct snn_image *image, uint32_t offset)
{
    return offset == 0 ? 0 : (const void *)((const uint8_t *)image + offset);
}

static inline const struct snn_image_layer *snn_layers(const struct snn_image *image)
{
    return (const struct snn_image_layer *)snn_in_image(image, image->layers);
}

static inline const struct snn_image_port *snn_ports(const struct snn_image *image)
{
    return (const struct snn_image_port *)snn_in_image(image, image->ports);
}

static inline const struct snn_image_projection *snn_projections(const struct snn_image *image)
{
    return (const struct snn_image_projection *)snn_in_image(image, image->projections);
}

static inline void *snn_in_arena(const struct snn_device *network, uint32_t offset)
{
    return network->arena + offset;
}

/** The spike map of the layer's step `step`. */
static inline uint32_t *snn_layer_map(const struct snn_device *network, const struct snn_image_layer *layer, uint32_t step)
{
    uint32_t *map = (uint32_t *)snn_in_arena(network, layer->map);
    return map + (layer->slots == 2 ? step & 1 : layer->slots == 1 ? 0 : step) * layer->map_words;
}

/** One pixel of a layer at work. */
struct snn_pixel {
    struct snn_device *network;
    const struct snn_image_layer *layer;
    uint32_t index;
    uint32_t first, steps; /**< of its steps */
};

/** Adds rows to sums, 16 or 32 bits wide by the layer. */
struct snn_gather {
    const struct snn_device *network;
    const struct snn_image_layer *layer;
    const struct snn_image_projection *projection;
    void *sums;
    const void *frame; /**< values; null: spikes */
    uint32_t count, arrived; /**< rows gathered; rows added so far */
    bool silent;             /**< hide the rows from the observer: the frame was presented in an earlier step */
    uint16_t rows[SNN_GATHER];
    int16_t values[SNN_GATHER];
};

/** Adds what the window of the target pixel (y, x) holds in a spike map, or in a frame, to sums. */
void snn_gather_spikes(struct snn_gather *gather, const uint32_t *map, uint32_t y, uint32_t x);
void snn_gather_values(struct snn_gather *gather, uint32_t y, uint32_t x);

/** Adds the gathered rows of a projection that no kernel takes: lists, or sums of 32 bits. */
void snn_add_rows_general(const struct snn_gather *gather, const struct snn_row_set *set);

/** A finished sum of a layer. */
int32_t snn_finished_sum(const struct snn_image_layer *layer, const uint32_t *sums, uint32_t lane);

/** trunc0(v * leak / 2^15) by the decay of image.h. */
int32_t snn_leaked(int32_t v, int32_t decay);

/** A pixel's neurons with all that snn_lif_steps leaves out. */
void snn_lif_general(const struct snn_pixel *pixel, const struct snn_lif *lif);

#endif
