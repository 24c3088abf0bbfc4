/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"
#include "snn/crc32.h"
#include "snn/model.h"

/*
 * Everything the engine trusts in an image, checked once. Each rule is one that a field could break
 * to make the engine read or write where it should not, or divide the work wrongly; an image whose
 * numbers are merely wrong computes wrong numbers.
 */

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
static bool lies(uint32_t total, uint32_t offset, uint32_t count, uint32_t size)
{
    return offset != 0 && (offset & 3u) == 0 && offset <= total && count <= (total - offset) / size;
}

static bool in_image(const struct check *check, uint32_t offset, uint32_t count, uint32_t size)
{
    return offset >= sizeof(struct snn_image) && lies(check->image->bytes, offset, count, size);
}

static bool in_arena(const struct check *check, uint32_t offset, uint32_t count, uint32_t size)
{
    return lies(check->image->arena_bytes, offset, count, size);
}

/** Whether all sides are at least 1 and their product is at most 2^20. */
static bool is_shape(uint32_t channels, uint32_t height, uint32_t width)
{
    const uint32_t most = UINT32_C(1) << 20;
    return channels >= 1 && height >= 1 && width >= 1 && channels <= most / height &&
           channels * height <= most / width;
}

static uint32_t product(uint32_t channels, uint32_t height, uint32_t width)
{
    return channels * height * width;
}

static enum snn_status check_header(const struct snn_image *image, size_t size)
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
    if (image->needs_general > 1 || image->reserved != 0) {
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

static enum snn_status check_port(const struct check *check, const struct snn_image_port *port)
{
    if (!is_shape(port->channels, port->height, port->width)) {
        return SNN_ERROR_SHAPE;
    }
    if (port->kind > SNN_PORT_S16) {
        return SNN_ERROR_ENUM;
    }
    const uint32_t words = (snn_port_size(port) + 31) / 32;
    if (port->kind == SNN_PORT_EVENTS && check->image->block > 1) {
        return SNN_ERROR_LIMIT;
    }
    if (port->kind == SNN_PORT_EVENTS && !in_arena(check, port->map, words + 1, 4)) {
        return SNN_ERROR_SIZE;
    }
    return port->frame_per_step == 0 || check->image->block == 1 ? SNN_OK : SNN_ERROR_LIMIT;
}

/** Whether a list's starts ascend from 0 and its columns lie inside the target. */
static enum snn_status check_list(const struct check *check,
                                  const struct snn_image_projection *projection, uint32_t rows)
{
    if (!in_image(check, projection->starts, rows + 1, 4)) {
        return SNN_ERROR_SIZE;
    }
    const uint32_t *starts = (const uint32_t *)snn_in_image(check->image, projection->starts);
    uint32_t before = 0;
    for (uint32_t row = 0; row <= rows; row++) {
        if (starts[row] < before || (row == 0 && starts[0] != 0)) {
            return SNN_ERROR_INDEX;
        }
        before = starts[row];
    }
    if (!in_image(check, projection->weights, before, 2)) {
        return SNN_ERROR_SIZE;
    }
    const uint8_t *synapse = (const uint8_t *)snn_in_image(check->image, projection->weights);
    for (uint32_t i = 0; i < before; i++) {
        if (synapse[2 * i] >= check->layer->channels) {
            return SNN_ERROR_INDEX;
        }
    }
    return SNN_OK;
}

/**
 * Whether a projection's source exists, has the shape and the map that the projection states, and
 * is a port, an earlier layer or, with a delay, any layer that spikes.
 */
static enum snn_status check_source(const struct check *check,
                                    const struct snn_image_projection *projection)
{
    const struct snn_image *image = check->image;
    if (projection->from_port != 0) {
        if (projection->source >= image->port_count || projection->delay != 0) {
            return SNN_ERROR_REFERENCE;
        }
        const struct snn_image_port *port = snn_ports(image) + projection->source;
        if (projection->channels != port->channels || projection->height != port->height ||
            projection->width != port->width || projection->carries != port->kind) {
            return SNN_ERROR_SHAPE;
        }
        if (port->kind == SNN_PORT_EVENTS) {
            return projection->map == port->map && projection->slot_mask == 0 ? SNN_OK
                                                                              : SNN_ERROR_REFERENCE;
        }
        /* Values come first, by one projection, in whole rows, to a layer that asks for them. */
        const bool first = projection == snn_projections(image) + check->layer->first_projection;
        if (!first || projection->pool != 1 || projection->rows != SNN_IMAGE_ROWS_8) {
            return SNN_ERROR_SHAPE;
        }
        return (check->layer->flags & SNN_LAYER_DRIVEN) != 0 ? SNN_OK : SNN_ERROR_LIMIT;
    }
    if (projection->source + 1u >= image->layer_count || projection->delay > 1) {
        return SNN_ERROR_REFERENCE;
    }
    if (projection->delay == 0 && projection->source >= check->index) {
        return SNN_ERROR_REFERENCE;
    }
    const struct snn_image_layer *source = snn_layers(image) + projection->source;
    if (projection->delay == 1 && source->slot_mask != 1) {
        return SNN_ERROR_REFERENCE;
    }
    const bool same = projection->channels == source->channels &&
                      projection->height == source->height && projection->width == source->width &&
                      projection->carries == SNN_CARRIES_SPIKES;
    if (!same) {
        return SNN_ERROR_SHAPE;
    }
    const bool reads = projection->map == source->map &&
                       projection->map_bytes == source->map_bytes &&
                       projection->slot_mask == source->slot_mask;
    return reads ? SNN_OK : SNN_ERROR_REFERENCE;
}

/** Whether every entry of `places` is the number of a row of the line. */
static bool check_places(const struct check *check, const struct snn_image_projection *projection)
{
    const uint32_t rows = (uint32_t)projection->kernel_width * projection->channels;
    if (!in_image(check, projection->places, rows * projection->pool, 2)) {
        return false;
    }
    const uint16_t *row = (const uint16_t *)snn_in_image(check->image, projection->places);
    for (uint32_t i = 0; i < rows * projection->pool; i++) {
        if (row[i] >= rows) {
            return false;
        }
    }
    return true;
}

static enum snn_status check_projection(const struct check *check,
                                        const struct snn_image_projection *projection)
{
    const uint32_t pool = projection->pool;
    if (pool < 1 || pool > 16 || projection->shift > 24 || projection->reserved != 0) {
        return SNN_ERROR_LIMIT;
    }
    const enum snn_status status = check_source(check, projection);
    if (status != SNN_OK) {
        return status;
    }
    if (projection->pooled_height != projection->height / pool ||
        projection->pooled_width != projection->width / pool) {
        return SNN_ERROR_SHAPE;
    }
    if (!is_shape(projection->channels, projection->kernel_height, projection->kernel_width)) {
        return SNN_ERROR_SHAPE;
    }
    const uint32_t rows =
        product(projection->channels, projection->kernel_height, projection->kernel_width);
    /* The number of a row has 16 bits. */
    if (rows > 65536) {
        return SNN_ERROR_SHAPE;
    }
    if (!in_image(check, projection->synapses, rows, 2)) {
        return SNN_ERROR_SIZE;
    }
    if (pool > 1 && !check_places(check, projection)) {
        return SNN_ERROR_INDEX;
    }
    if (pool == 1 && projection->places != 0) {
        return SNN_ERROR_INDEX;
    }
    if (projection->rows == SNN_IMAGE_ROWS_LIST) {
        return check->image->needs_general == 1 ? check_list(check, projection, rows)
                                                : SNN_ERROR_LIMIT;
    }
    if (projection->rows > SNN_IMAGE_ROWS_LIST) {
        return SNN_ERROR_ENUM;
    }
    const uint32_t columns = check->layer->columns;
    if (projection->row_bytes != (projection->rows == SNN_IMAGE_ROWS_8 ? columns : columns / 2)) {
        return SNN_ERROR_SIZE;
    }
    return in_image(check, projection->weights, rows, projection->row_bytes) ? SNN_OK
                                                                             : SNN_ERROR_SIZE;
}

/** Whether the buffers that all layers share are large enough for this layer. */
static enum snn_status check_shared(const struct check *check)
{
    const struct snn_image *image = check->image;
    const struct snn_image_layer *layer = check->layer;
    const uint32_t block = image->block;
    const uint32_t sum_bytes = (layer->flags & SNN_LAYER_WIDE) != 0 ? 4 : 2;
    const uint32_t words = (layer->lanes + 31u) / 32;
    if (!in_arena(check, image->sums, block * layer->columns, sum_bytes)) {
        return SNN_ERROR_SIZE;
    }
    if ((layer->flags & SNN_LAYER_DRIVEN) != 0 &&
        !in_arena(check, image->value_sums, layer->columns, 4)) {
        return SNN_ERROR_SIZE;
    }
    if (layer->readout != 0) {
        return in_arena(check, image->scores, layer->lanes, 4) ? SNN_OK : SNN_ERROR_SIZE;
    }
    if (block > 1 && !in_arena(check, image->membrane, layer->lanes, 2)) {
        return SNN_ERROR_SIZE;
    }
    return in_arena(check, image->spikes, words, 4) ? SNN_OK : SNN_ERROR_SIZE;
}

/** Whether each of `count` decays has the form of image.h: leak * 65536 + 1. */
static bool check_decays(const struct check *check, uint32_t count)
{
    const uint32_t *decay = (const uint32_t *)snn_in_image(check->image, check->layer->decay);
    for (uint32_t i = 0; decay != NULL && i < count; i++) {
        if (decay[i] > 0x80000001u || (decay[i] & 0xFFFFu) != 1) {
            return false;
        }
    }
    return true;
}

/**
 * Whether a layer keeps what the fast kernels count on: floor <= 0 <= ceiling, initial membranes
 * between them, and thresholds of at least 1. The image has parameters of `count` neurons.
 */
static bool check_neurons(const struct check *check, uint32_t count)
{
    const struct snn_image_layer *layer = check->layer;
    const int16_t *threshold = (const int16_t *)snn_in_image(check->image, layer->threshold);
    const int32_t *initial = (const int32_t *)snn_in_image(check->image, layer->initial);
    if ((layer->flags & SNN_LAYER_GENERAL) != 0) {
        return true;
    }
    if (layer->floor > 0 || layer->ceiling < 0) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (threshold[i] < 1) {
            return false;
        }
        if (initial == NULL) {
            continue;
        }
        if (initial[i] < layer->floor || initial[i] > layer->ceiling) {
            return false;
        }
    }
    return true;
}

static enum snn_status check_buffers(const struct check *check)
{
    const struct snn_image *image = check->image;
    const struct snn_image_layer *layer = check->layer;
    const uint32_t pixels = (uint32_t)layer->height * layer->width, count = layer->lanes * pixels;
    const uint32_t parameters = (layer->flags & SNN_LAYER_PER_NEURON) != 0 ? count : layer->lanes;
    if ((layer->flags & SNN_LAYER_PER_NEURON) != 0 && pixels == 1) {
        return SNN_ERROR_ENUM;
    }
    if (layer->decay != 0 && !in_image(check, layer->decay, parameters, 4)) {
        return SNN_ERROR_SIZE;
    }
    if (layer->bias != 0 && !in_image(check, layer->bias, parameters, 4)) {
        return SNN_ERROR_SIZE;
    }
    if (layer->initial != 0 && !in_image(check, layer->initial, parameters, 4)) {
        return SNN_ERROR_SIZE;
    }
    if (layer->drive != 0 && !in_image(check, layer->drive, parameters, 4)) {
        return SNN_ERROR_SIZE;
    }
    if (!check_decays(check, parameters)) {
        return SNN_ERROR_LIMIT;
    }
    if (layer->readout != 0) {
        return (layer->map | layer->map_bytes | layer->membrane) == 0 ? SNN_OK : SNN_ERROR_SIZE;
    }
    if (!in_image(check, layer->threshold, parameters, 2)) {
        return SNN_ERROR_SIZE;
    }
    if (!check_neurons(check, parameters)) {
        return SNN_ERROR_LIMIT;
    }
    const uint32_t maps = image->block > 1 ? image->block : layer->slot_mask + 1u;
    if (layer->map_bytes != (layer->channels * pixels + 31) / 32 * 4) {
        return SNN_ERROR_SIZE;
    }
    if (!in_arena(check, layer->map, maps * (layer->map_bytes / 4) + 1, 4)) {
        return SNN_ERROR_SIZE;
    }
    if (image->block == 1 && !in_arena(check, layer->membrane, count, 2)) {
        return SNN_ERROR_SIZE;
    }
    return layer->refractory == 0 || in_arena(check, layer->refractory, count, 1) ? SNN_OK
                                                                                  : SNN_ERROR_SIZE;
}

/**
 * Whether a layer that states a drive may: it is fast, runs layer by layer, and takes one
 * projection of values and nothing else, so that its sums are the same in all steps.
 */
static enum snn_status check_drive(const struct check *check)
{
    const struct snn_image_layer *layer = check->layer;
    if (layer->drive == 0) {
        return SNN_OK;
    }
    const bool fast = layer->readout == 0 && (layer->flags & SNN_LAYER_GENERAL) == 0;
    if (!fast || check->image->block == 1 || layer->projection_count != 1) {
        return SNN_ERROR_LIMIT;
    }
    const struct snn_image_projection *projection =
        snn_projections(check->image) + layer->first_projection;
    return projection->carries != SNN_CARRIES_SPIKES ? SNN_OK : SNN_ERROR_LIMIT;
}

static enum snn_status check_layer(struct check *check)
{
    const struct snn_image *image = check->image;
    const struct snn_image_layer *layer = check->layer;
    const uint32_t known = SNN_LAYER_GENERAL | SNN_LAYER_WIDE | SNN_LAYER_PER_NEURON |
                           SNN_LAYER_DRIVEN | SNN_LAYER_CLAMPED;
    const bool last = check->index + 1 == image->layer_count;
    if (!is_shape(layer->channels, layer->height, layer->width)) {
        return SNN_ERROR_SHAPE;
    }
    if (layer->lanes != (layer->channels + 3u) / 4u * 4u ||
        layer->columns != (layer->channels + 7u) / 8u * 8u) {
        return SNN_ERROR_SHAPE;
    }
    if ((layer->flags & ~known) != 0 || layer->reset > SNN_RESET_VALUE || layer->greater > 1) {
        return SNN_ERROR_ENUM;
    }
    const bool general = (layer->flags & SNN_LAYER_GENERAL) != 0;
    if ((layer->flags & SNN_LAYER_WIDE) != 0 && !general) {
        return SNN_ERROR_ENUM;
    }
    if (general && image->needs_general == 0) {
        return SNN_ERROR_LIMIT;
    }
    if (layer->readout != (last ? 1 : 0)) {
        return SNN_ERROR_REFERENCE;
    }
    if (last && (layer->height != 1 || layer->width != 1)) {
        return SNN_ERROR_SHAPE;
    }
    if (!last &&
        (image->block > 1 ? layer->slot_mask != SNN_IMAGE_BLOCK - 1 : layer->slot_mask > 1)) {
        return SNN_ERROR_LIMIT;
    }
    if (layer->first_projection != check->next_projection) {
        return SNN_ERROR_REFERENCE;
    }
    if (layer->projection_count > image->projection_count - check->next_projection) {
        return SNN_ERROR_REFERENCE;
    }
    check->next_projection += layer->projection_count;
    enum snn_status status = check_drive(check);
    if (status == SNN_OK) {
        status = check_buffers(check);
    }
    if (status == SNN_OK) {
        status = check_shared(check);
    }
    const struct snn_image_projection *projection =
        snn_projections(image) + layer->first_projection;
    for (uint32_t i = 0; i < layer->projection_count && status == SNN_OK; i++) {
        status = check_projection(check, projection + i);
    }
    return status;
}

enum snn_status snn_image_check(const void *bytes, size_t size)
{
    const struct snn_image *image = (const struct snn_image *)bytes;
    enum snn_status status = check_header(image, size);
    if (status != SNN_OK) {
        return status;
    }
    struct check check = {.image = image};
    if (!in_image(&check, image->ports, image->port_count, sizeof(struct snn_image_port)) ||
        !in_image(&check, image->layers, image->layer_count, sizeof(struct snn_image_layer)) ||
        !in_image(&check, image->projections, image->projection_count,
                  sizeof(struct snn_image_projection))) {
        return SNN_ERROR_SIZE;
    }
    for (uint32_t i = 0; i < image->port_count; i++) {
        status = check_port(&check, snn_ports(image) + i);
        if (status != SNN_OK) {
            return status;
        }
    }
    for (check.index = 0; check.index < image->layer_count; check.index++) {
        check.layer = snn_layers(image) + check.index;
        status = check_layer(&check);
        if (status != SNN_OK) {
            return status;
        }
    }
    return check.next_projection == image->projection_count ? SNN_OK : SNN_ERROR_REFERENCE;
}
