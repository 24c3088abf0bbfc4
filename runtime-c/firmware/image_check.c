/* SPDX-License-Identifier: Apache-2.0 */
#include "image_check.h"
#include "snn/model.h"

/*
 * Everything the engine trusts in an image, checked once. Each rule is one that a field could break
 * to make the engine read or write where it should not, or divide the work wrongly; an image whose
 * numbers are merely wrong computes wrong numbers.
 */

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

static enum snn_status check_port(const struct check *check, const struct snn_image_port *port)
{
    if (!is_shape(port->channels, port->height, port->width)) {
        return SNN_ERROR_SHAPE;
    }
    if (port->kind > SNN_PORT_EVERY) {
        return SNN_ERROR_ENUM;
    }
    if (port->kind == SNN_PORT_EVERY) {
        const uint32_t index = (uint32_t)(port - snn_ports(check->image));
        return check->image->needs_general == 1 && snn_ring_of(check->image, true, index) != NULL
                   ? SNN_OK
                   : SNN_ERROR_LIMIT;
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
    const uint32_t index = projection->source;
    if (projection->from_port != 0) {
        if (index >= image->port_count) {
            return SNN_ERROR_REFERENCE;
        }
        const struct snn_image_port *port = snn_ports(image) + index;
        const struct snn_image_ring *ring = snn_ring_of(image, true, index);
        const bool encodes = ring != NULL && ring->gain != 0;
        if (projection->channels != port->channels || projection->height != port->height ||
            projection->width != port->width ||
            projection->carries != (encodes ? SNN_CARRIES_SPIKES : port->kind)) {
            return SNN_ERROR_SHAPE;
        }
        if (encodes) {
            return SNN_OK;
        }
        if (!snn_takes_values(port)) {
            return projection->map == port->map ? SNN_OK : SNN_ERROR_REFERENCE;
        }
        /* Values come first, by the taps of one projection, in whole rows, where asked for. */
        const bool first = projection == snn_projections(image) + check->layer->first_projection ||
                           (snn_carries_values(projection - 1) &&
                            projection->projection == (projection - 1)->projection);
        if (!first || projection->pool != 1 || projection->rows != SNN_IMAGE_ROWS_8) {
            return SNN_ERROR_SHAPE;
        }
        return (check->layer->flags & SNN_LAYER_DRIVEN) != 0 ? SNN_OK : SNN_ERROR_LIMIT;
    }
    if (index + 1u >= image->layer_count) {
        return SNN_ERROR_REFERENCE;
    }
    if (projection->delay == 0 && index >= check->index) {
        return SNN_ERROR_REFERENCE;
    }
    const struct snn_image_layer *source = snn_layers(image) + index;
    const bool same = projection->channels == source->channels &&
                      projection->height == source->height && projection->width == source->width &&
                      projection->carries == SNN_CARRIES_SPIKES;
    if (!same) {
        return SNN_ERROR_SHAPE;
    }
    const bool reads = projection->map == source->map && projection->map_bytes == source->map_bytes;
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
    if (pool < 1 || pool > 16 || projection->shift > 24) {
        return SNN_ERROR_LIMIT;
    }
    const enum snn_status status = check_source(check, projection);
    if (status != SNN_OK) {
        return status;
    }
    if (!snn_reads_ring(check->image, projection)) {
        return SNN_ERROR_REFERENCE;
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
static bool check_decays(const struct check *check, uint32_t offset, uint32_t count)
{
    const uint32_t *decay = (const uint32_t *)snn_in_image(check->image, offset);
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
    if (!check_decays(check, layer->decay, parameters)) {
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
    /* check_ring sees to the maps of a ring. */
    const struct snn_image_ring *ring = snn_ring_of(image, false, check->index);
    if (ring != NULL && ring->map != layer->map) {
        return SNN_ERROR_REFERENCE;
    }
    if (layer->map_bytes != (layer->channels * pixels + 31) / 32 * 4) {
        return SNN_ERROR_SIZE;
    }
    if (!in_arena(check, layer->map, image->block * (layer->map_bytes / 4) + 1u, 4)) {
        return SNN_ERROR_SIZE;
    }
    const bool has_current = (layer->flags & SNN_LAYER_CURRENT) != 0;
    if (image->block == 1 && !in_arena(check, layer->membrane, count, has_current ? 6 : 2)) {
        return SNN_ERROR_SIZE;
    }
    if (has_current) {
        const uint32_t wide = SNN_LAYER_GENERAL | SNN_LAYER_WIDE;
        if ((layer->flags & wide) != wide || image->block > 1 || layer->drive == 0 ||
            !check_decays(check, layer->drive, parameters)) {
            return SNN_ERROR_LIMIT;
        }
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
    if (layer->drive == 0 || (layer->flags & SNN_LAYER_CURRENT) != 0) {
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
                           SNN_LAYER_DRIVEN | SNN_LAYER_CLAMPED | SNN_LAYER_CURRENT;
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
    if (layer->reserved != 0) {
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
    enum snn_status status = snn_check_image_header(image, size);
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
    const uint32_t behind = image->projections +
                            image->projection_count * (uint32_t)sizeof(struct snn_image_projection);
    const uint32_t words = (image->ring_count * (uint32_t)sizeof(struct snn_image_ring) +
                            image->sensor_count * (uint32_t)sizeof(struct snn_image_sensor) +
                            image->has_exit * (uint32_t)sizeof(struct snn_image_exit)) /
                           4;
    if (words != 0 && !in_image(&check, behind, words, 4)) {
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
    for (uint32_t i = 0; i < image->ring_count; i++) {
        status = snn_check_ring(&check, snn_rings(image) + i);
        if (status != SNN_OK) {
            return status;
        }
    }
    for (uint32_t i = 0; i < image->sensor_count; i++) {
        status = snn_check_sensor(image, snn_sensors(image) + i);
        if (status != SNN_OK) {
            return status;
        }
    }
    if (image->has_exit != 0 && !snn_check_exit(image)) {
        return SNN_ERROR_LIMIT;
    }
    return check.next_projection == image->projection_count ? SNN_OK : SNN_ERROR_REFERENCE;
}
