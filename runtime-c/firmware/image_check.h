/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_DEVICE_IMAGE_CHECK_H
#define SNN_DEVICE_IMAGE_CHECK_H

#include "engine.h"

/* What the files share that check an image. */

/** The image being checked. */
struct check {
    const struct snn_image *image;
    const struct snn_image_layer *layer; /**< the layer being checked */
    uint32_t index;                      /**< its index */
    uint32_t next_projection;            /**< the first projection that no layer has claimed */
};

/**
 * Whether `count` items of `size` bytes lie inside `total` bytes from `offset` on, which is a
 * multiple of 4 and not 0.
 */
static inline bool lies(uint32_t total, uint32_t offset, uint32_t count, uint32_t size)
{
    return offset != 0 && (offset & 3u) == 0 && offset <= total && count <= (total - offset) / size;
}

static inline bool in_image(const struct check *check, uint32_t offset, uint32_t count,
                            uint32_t size)
{
    return offset >= sizeof(struct snn_image) && lies(check->image->bytes, offset, count, size);
}

static inline bool in_arena(const struct check *check, uint32_t offset, uint32_t count,
                            uint32_t size)
{
    return lies(check->image->arena_bytes, offset, count, size);
}

/** Whether a ring fits its source and the arena; layers and ports are known to be sound. */
enum snn_status snn_check_ring(const struct check *check, const struct snn_image_ring *ring);

/** Whether a projection names its source's ring, if that has one, and reads inside of it. */
bool snn_reads_ring(const struct snn_image *image, const struct snn_image_projection *projection);

/** Whether every address of a sensor lies in its port after the coarsening. */
enum snn_status snn_check_sensor(const struct snn_image *image,
                                 const struct snn_image_sensor *sensor);

/** Whether an exit rule names a layer that spikes, of an image that streams. */
bool snn_check_exit(const struct snn_image *image);

#endif
