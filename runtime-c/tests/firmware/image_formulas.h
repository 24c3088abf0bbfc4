/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_TEST_IMAGE_FORMULAS_H
#define SNN_TEST_IMAGE_FORMULAS_H

#include "build_image.h"

/* The shapes and numbers that a spec's image and its model have in common. */

struct shape {
    uint32_t channels, height, width;
};

static inline uint32_t size_of(struct shape shape)
{
    return shape.channels * shape.height * shape.width;
}

static inline struct shape source_of(const struct image_spec *spec,
                                     const struct projection_spec *projection)
{
    const struct port_spec *port = &spec->ports[projection->source];
    const struct layer_spec *layer = &spec->layers[projection->source];
    if (projection->from_port) {
        return (struct shape){port->channels, port->height, port->width};
    }
    return (struct shape){layer->channels, layer->height, layer->width};
}

/** The window of a projection: its kernel, or the whole pooled source. */
static inline struct shape window_of(const struct image_spec *spec,
                                     const struct projection_spec *projection)
{
    const struct shape source = source_of(spec, projection);
    if (projection->kernel_height) {
        return (struct shape){source.channels, projection->kernel_height, projection->kernel_width};
    }
    return (struct shape){source.channels, source.height / projection->pool,
                          source.width / projection->pool};
}

/** -8 ... 7, or -7 ... 7, so that every way to store rows takes it; a third are 0. */
static inline int32_t weight_of(const struct image_spec *spec, uint32_t projection, uint32_t row,
                                uint32_t column)
{
    const uint32_t mixed = (projection * 977 + row * 131 + column + 7) * UINT32_C(2654435761) >> 7;
    if (mixed % 3 == 0) {
        return 0;
    }
    if (spec->balanced) {
        return (int32_t)((mixed ^ mixed >> 11) / 3 % 15) - 7;
    }
    return (int32_t)(mixed / 3 % 16) - 8;
}

/** What parameter arrays add to the value of neuron 0. */
static inline int32_t spread(uint32_t entry)
{
    return (int32_t)(entry % 5);
}

#endif
