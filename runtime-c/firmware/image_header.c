/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"
#include "snn/crc32.h"

/* What an image says of itself: its mark, version, length, checksum and counts. */

enum snn_status snn_check_image_header(const struct snn_image *image, size_t size)
{
    if (image == NULL || ((uintptr_t)image & 3u) != 0) {
        return SNN_ERROR_ARGUMENT;
    }
    if (size < sizeof *image || image->magic != SNN_IMAGE_MAGIC) {
        return SNN_ERROR_SYNTAX;
    }
    if (image->major != SNN_IMAGE_MAJOR || image->minor != SNN_IMAGE_MINOR) {
        return SNN_ERROR_VERSION;
    }
    if (image->bytes > size || image->bytes < sizeof *image || (image->bytes & 3u) != 0) {
        return SNN_ERROR_SYNTAX;
    }
    const uint32_t covered = offsetof(struct snn_image, crc) + sizeof image->crc;
    if (snn_crc32(0, (const uint8_t *)image + covered, image->bytes - covered) != image->crc) {
        return SNN_ERROR_SYNTAX;
    }
    if (image->steps < 1 || image->max_steps < image->steps || image->max_steps > 65535) {
        return SNN_ERROR_LIMIT;
    }
    if (image->block < 1 || image->block > SNN_IMAGE_BLOCK) {
        return SNN_ERROR_LIMIT;
    }
    if (image->block > 1 && image->max_steps > image->block) {
        return SNN_ERROR_LIMIT;
    }
    if (image->port_count < 1 || image->port_count > SNN_IMAGE_PORTS) {
        return SNN_ERROR_LIMIT;
    }
    if (image->needs_general > 1 || image->has_exit > 1 ||
        (image->ring_count != 0 && image->block != 1)) {
        return SNN_ERROR_LIMIT;
    }
    if (image->layer_count < 1 || image->layer_count > SNN_IMAGE_LAYERS) {
        return SNN_ERROR_LIMIT;
    }
    if (image->projection_count < 1 || image->projection_count > SNN_IMAGE_PROJECTIONS) {
        return SNN_ERROR_LIMIT;
    }
    if (image->bytes > SNN_IMAGE_BYTES || image->arena_bytes > SNN_IMAGE_BYTES) {
        return SNN_ERROR_LIMIT;
    }
    return (image->arena_bytes & 3u) == 0 ? SNN_OK : SNN_ERROR_SIZE;
}
