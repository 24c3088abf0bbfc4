/* SPDX-License-Identifier: Apache-2.0 */
#include "image_formulas.h"

#include "../check.h"
#include "snn/crc32.h"
#include "snn/fixed_point.h"

#include <string.h>

enum { CAPACITY = 1 << 20 };

struct builder {
    uint8_t *bytes;
    uint32_t size, arena;
    uint32_t rings, ring_count; /**< where the rings lie, and how many there are */
};

static uint32_t place(struct builder *builder, uint32_t size)
{
    const uint32_t at = builder->size;
    builder->size += (size + 3) & ~UINT32_C(3);
    CHECK(builder->size <= CAPACITY);
    return at;
}

static uint32_t reserve(struct builder *builder, uint32_t size)
{
    const uint32_t at = builder->arena;
    builder->arena += (size + 3) & ~UINT32_C(3);
    return at;
}

static uint32_t at_most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/** Parameters as words or half words; a channel beyond the layer's holds `beyond`. */
static uint32_t place_parameters(struct builder *builder, const struct snn_image_layer *layer,
                                 uint32_t size, int32_t first, int32_t step, int32_t beyond)
{
    const uint32_t pixels =
        (layer->flags & SNN_LAYER_PER_NEURON) ? (uint32_t)layer->height * layer->width : 1;
    const uint32_t at = place(builder, layer->lanes * pixels * size);
    for (uint32_t i = 0; i < layer->lanes * pixels; i++) {
        const uint32_t pixel = i / layer->lanes, lane = i % layer->lanes;
        const int32_t value =
            lane < layer->channels ? first + step * spread(pixel * layer->channels + lane) : beyond;
        const int16_t narrow = (int16_t)value;
        memcpy(builder->bytes + at + i * size,
               size == 2 ? (const void *)&narrow : (const void *)&value, size);
    }
    return at;
}

/**
 * Whether a neuron fires that gets a sum of values in every step; its parameters are the layer's
 * first and `more`.
 */
static bool fires(const struct image_spec *spec, const struct layer_spec *from, uint32_t shift,
                  int32_t more, int32_t sum)
{
    const int32_t floor = (from->flags & SNN_LAYER_CLAMPED) != 0 ? from->floor : INT16_MIN;
    int32_t v = from->initial == 0 ? 0 : from->initial + more;
    for (uint32_t step = 0; step < spec->steps; step++) {
        v = v * from->leak / 32768 + snn_scale_value(sum, shift) +
            (from->bias == 0 ? 0 : from->bias + more);
        if (v < floor) {
            v = floor;
        }
        if (v >= from->threshold + more + from->greater) {
            return true;
        }
    }
    return false;
}

/**
 * Where one projection of values ends, layer by layer: the least sum of values with which each
 * neuron fires.
 */
static void place_drive(struct builder *builder, const struct image_spec *spec, uint32_t index,
                        struct snn_image_layer *layer)
{
    const struct projection_spec *projection = &spec->projections[layer->first_projection];
    if (spec->block == 1 || layer->projection_count != 1 || !projection->from_port) {
        return;
    }
    layer->drive = place_parameters(builder, layer, 4, 0, 1, INT32_MAX);
    int32_t *drive = (int32_t *)(void *)(builder->bytes + layer->drive);
    const uint32_t pixels =
        (layer->flags & SNN_LAYER_PER_NEURON) ? (uint32_t)layer->height * layer->width : 1;
    for (uint32_t i = 0; i < layer->lanes * pixels; i++) {
        if (drive[i] == INT32_MAX) {
            continue;
        }
        int32_t below = -100000, least = 100000;
        while (least - below > 1) {
            const int32_t middle = below + (least - below) / 2;
            if (fires(spec, &spec->layers[index], projection->shift, drive[i], middle)) {
                least = middle;
            } else {
                below = middle;
            }
        }
        drive[i] = least;
    }
}

/** The ring of a port or layer; null: it has none. */
static struct snn_image_ring *ring_of(const struct builder *builder, bool from_port,
                                      uint32_t source)
{
    struct snn_image_ring *rings =
        (struct snn_image_ring *)(void *)(builder->bytes + builder->rings);
    for (uint32_t i = 0; i < builder->ring_count; i++) {
        if (rings[i].source == source && (rings[i].from_port != 0) == from_port) {
            return rings + i;
        }
    }
    return NULL;
}

static void place_ring(struct builder *builder, struct snn_image_ring *ring, uint32_t bytes)
{
    const uint32_t head = ring->most != 0 ? 8 : 4;
    ring->bytes = bytes;
    ring->map = reserve(builder, head + bytes * ring->slots) + head;
}

/** The rings of sources that a later step reads, and of ports of EVERY event, not yet placed. */
static void find_rings(struct builder *builder, const struct image_spec *spec)
{
    struct snn_image_ring *rings =
        (struct snn_image_ring *)(void *)(builder->bytes + builder->rings);
    for (uint32_t i = 0; i < spec->port_count + spec->layer_count; i++) {
        const bool from_port = i < spec->port_count;
        const uint32_t source = from_port ? i : i - spec->port_count;
        uint32_t longest = 0;
        for (uint32_t p = 0; p < spec->projection_count; p++) {
            const struct projection_spec *projection = &spec->projections[p];
            if (projection->source == source && (projection->from_port != 0) == from_port &&
                projection->delay > longest) {
                longest = projection->delay;
            }
        }
        const uint16_t most =
            from_port && spec->ports[i].kind == SNN_PORT_EVERY ? SPEC_MOST_EVENTS : 0;
        if (longest > 0 || most > 0) {
            CHECK(builder->ring_count < SPEC_RINGS);
            rings[builder->ring_count++] = (struct snn_image_ring){
                (uint16_t)source, from_port, (uint16_t)(longest + 1), most, 0, 0, 0};
        }
    }
}

static void build_layer(struct builder *builder, const struct image_spec *spec, uint32_t index,
                        struct snn_image_layer *layer)
{
    const struct layer_spec *from = &spec->layers[index];
    const bool readout = index + 1 == spec->layer_count;
    const uint32_t pixels = (uint32_t)from->height * from->width;
    const bool clamped = (from->flags & (SNN_LAYER_GENERAL | SNN_LAYER_CLAMPED)) != 0;
    *layer = (struct snn_image_layer){.population = (uint16_t)index,
                                      .channels = from->channels,
                                      .height = from->height,
                                      .width = from->width,
                                      .lanes = (uint16_t)((from->channels + 3) & ~3),
                                      .columns = (uint16_t)((from->channels + 7) & ~7),
                                      .flags = from->flags,
                                      .readout = readout,
                                      .reset = from->reset,
                                      .refractory_steps = from->refractory_steps,
                                      .greater = from->greater,
                                      .floor = clamped ? from->floor : INT16_MIN,
                                      .ceiling = clamped ? from->ceiling : INT16_MAX,
                                      .reset_value = from->reset_value};
    while (layer->first_projection < spec->projection_count &&
           spec->projections[layer->first_projection].target < index) {
        layer->first_projection++;
    }
    for (uint32_t p = 0; p < spec->projection_count; p++) {
        const struct projection_spec *projection = &spec->projections[p];
        if (projection->target == index) {
            layer->projection_count++;
        }
    }
    if (from->leak != NO_LEAK) {
        layer->decay =
            place_parameters(builder, layer, 4, (int32_t)from->leak * 65536 + 1, 0, INT32_MIN + 1);
    }
    if (from->bias) {
        layer->bias = place_parameters(builder, layer, 4, from->bias, 1, 0);
    }
    if (from->initial) {
        layer->initial = place_parameters(builder, layer, 4, from->initial, 1, 0);
    }
    if (readout) {
        return;
    }
    const int32_t above = from->greater && !(from->flags & SNN_LAYER_GENERAL) ? 1 : 0;
    layer->threshold = place_parameters(builder, layer, 2, from->threshold + above, 1, 32767);
    place_drive(builder, spec, index, layer);
    if (spec->block == 1) {
        layer->membrane = reserve(builder, layer->lanes * pixels * 2);
    }
    if (from->refractory_steps) {
        layer->refractory = reserve(builder, layer->lanes * pixels);
    }
    layer->map_bytes = (from->channels * pixels + 31) / 32 * 4;
    struct snn_image_ring *ring = ring_of(builder, false, index);
    if (ring != NULL) {
        place_ring(builder, ring, layer->map_bytes);
        layer->map = ring->map;
    } else {
        layer->map = reserve(builder, layer->map_bytes * spec->block);
    }
}

/** Rows as `rows` says, of the weights of the formula. */
static void place_rows(struct builder *builder, const struct image_spec *spec,
                       struct snn_image_projection *to, uint32_t index, uint32_t rows,
                       const struct snn_image_layer *layer)
{
    static const uint8_t eight[4] = {0, 2, 1, 3}, four[8] = {0, 4, 2, 6, 1, 5, 3, 7};
    to->synapses = place(builder, rows * 2);
    uint16_t *synapses = (uint16_t *)(void *)(builder->bytes + to->synapses);
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t c = 0; c < layer->channels; c++) {
            synapses[row] += weight_of(spec, index, row, c) != 0;
        }
    }
    if (to->rows == SNN_IMAGE_ROWS_LIST) {
        to->starts = place(builder, (rows + 1) * 4);
        uint32_t *starts = (uint32_t *)(void *)(builder->bytes + to->starts), count = 0;
        for (uint32_t row = 0; row < rows; row++) {
            starts[row + 1] = starts[row] + synapses[row];
        }
        to->weights = place(builder, starts[rows] * 2);
        for (uint32_t row = 0; row < rows; row++) {
            for (uint32_t c = 0; c < layer->channels; c++) {
                const int32_t weight = weight_of(spec, index, row, c);
                if (weight == 0) {
                    continue;
                }
                builder->bytes[to->weights + 2 * count] = (uint8_t)c;
                builder->bytes[to->weights + 2 * count++ + 1] = (uint8_t)weight;
            }
        }
        return;
    }
    to->row_bytes = to->rows == SNN_IMAGE_ROWS_8 ? layer->columns : layer->columns / 2u;
    to->weights = place(builder, rows * to->row_bytes);
    for (uint32_t i = 0; i < rows * layer->columns; i++) {
        const uint32_t row = i / layer->columns, c = i % layer->columns;
        const int32_t weight = c < layer->channels ? weight_of(spec, index, row, c) : 0;
        uint8_t *bytes = builder->bytes + to->weights + row * to->row_bytes;
        if (to->rows == SNN_IMAGE_ROWS_8) {
            bytes[c / 4 * 4 + eight[c % 4]] = (uint8_t)(weight + 128);
        } else {
            const uint32_t nibble = four[c % 8];
            bytes[c / 8 * 4 + nibble / 2] |=
                (uint8_t)((uint32_t)(weight + 8) << (4 * (nibble % 2)));
        }
    }
}

static void build_projection(struct builder *builder, const struct image_spec *spec, uint32_t index,
                             const struct snn_image *image, struct snn_image_projection *to)
{
    const struct projection_spec *from = &spec->projections[index];
    const struct shape source = source_of(spec, from), window = window_of(spec, from);
    const struct snn_image_port *port =
        (const struct snn_image_port *)(void *)(builder->bytes + image->ports) + from->source;
    const struct snn_image_layer *layers =
        (const struct snn_image_layer *)(void *)(builder->bytes + image->layers);
    *to =
        (struct snn_image_projection){.projection = (uint16_t)index,
                                      .source = from->source,
                                      .from_port = from->from_port,
                                      .carries = from->from_port ? port->kind : SNN_CARRIES_SPIKES,
                                      .rows = from->rows,
                                      .delay = from->delay,
                                      .pool = from->pool,
                                      .shift = from->shift,
                                      .stride_y = from->stride,
                                      .stride_x = from->stride,
                                      .padding_y = from->padding,
                                      .padding_x = from->padding,
                                      .channels = (uint16_t)source.channels,
                                      .height = (uint16_t)source.height,
                                      .width = (uint16_t)source.width,
                                      .pooled_height = (uint16_t)(source.height / from->pool),
                                      .pooled_width = (uint16_t)(source.width / from->pool),
                                      .kernel_height = (uint16_t)window.height,
                                      .kernel_width = (uint16_t)window.width};
    if (!from->from_port) {
        to->map = layers[from->source].map;
        to->map_bytes = layers[from->source].map_bytes;
    } else if (port->kind == SNN_PORT_EVENTS || port->kind == SNN_PORT_EVERY) {
        to->map = port->map;
    } else {
        to->held = port->frame_per_step == 0;
    }
    const struct snn_image_ring *ring = ring_of(builder, from->from_port != 0, from->source);
    if (ring != NULL) {
        to->ring =
            (uint16_t)(ring -
                       (const struct snn_image_ring *)(void *)(builder->bytes + builder->rings) +
                       1);
        to->map = ring->map;
        to->map_bytes = ring->bytes;
    }
    if (from->pool > 1) {
        const uint32_t line = window.width * from->pool * window.channels;
        to->places = place(builder, line * 2);
        uint16_t *places = (uint16_t *)(void *)(builder->bytes + to->places);
        for (uint32_t i = 0; i < line; i++) {
            places[i] = (uint16_t)(i / window.channels / from->pool * window.channels +
                                   i % window.channels);
        }
    }
    place_rows(builder, spec, to, index, size_of(window), layers + from->target);
}

struct snn_image *image_build(const struct image_spec *spec, size_t *size)
{
    struct builder builder = {.bytes = calloc(1, CAPACITY), .arena = 4};
    CHECK(builder.bytes != NULL);
    struct snn_image *image = (struct snn_image *)(void *)builder.bytes;
    place(&builder, sizeof *image);
    *image = (struct snn_image){.steps = spec->steps,
                                .max_steps = spec->steps,
                                .block = spec->block,
                                .port_count = (uint16_t)spec->port_count,
                                .layer_count = (uint16_t)spec->layer_count,
                                .projection_count = (uint16_t)spec->projection_count};
    image->ports = place(&builder, spec->port_count * (uint32_t)sizeof(struct snn_image_port));
    image->layers = place(&builder, spec->layer_count * (uint32_t)sizeof(struct snn_image_layer));
    image->projections =
        place(&builder, spec->projection_count * (uint32_t)sizeof(struct snn_image_projection));
    builder.rings = place(&builder, SPEC_RINGS * (uint32_t)sizeof(struct snn_image_ring));
    find_rings(&builder, spec);
    image->ring_count = (uint16_t)builder.ring_count;
    struct snn_image_port *ports = (struct snn_image_port *)(void *)(builder.bytes + image->ports);
    struct snn_image_layer *layers =
        (struct snn_image_layer *)(void *)(builder.bytes + image->layers);
    struct snn_image_projection *projections =
        (struct snn_image_projection *)(void *)(builder.bytes + image->projections);
    for (uint32_t i = 0; i < spec->port_count; i++) {
        const struct port_spec *from = &spec->ports[i];
        ports[i] = (struct snn_image_port){
            from->channels,       from->height,    from->width,     from->kind,
            from->frame_per_step, from->min_value, from->max_value, 0};
        const uint32_t count = (uint32_t)from->channels * from->height * from->width;
        struct snn_image_ring *ring = ring_of(&builder, true, i);
        if (ring != NULL) {
            place_ring(&builder, ring,
                       from->kind == SNN_PORT_EVENTS ? (count + 31) / 32 * 4
                       : from->kind == SNN_PORT_U8   ? (count + 3) / 4 * 4
                                                     : (count + 1) / 2 * 4);
            ports[i].map = ring->map;
        } else if (from->kind == SNN_PORT_EVENTS) {
            ports[i].map = reserve(&builder, (count + 31) / 32 * 4);
        }
        image->needs_general = image->needs_general != 0 || from->kind == SNN_PORT_EVERY;
    }
    uint32_t lanes = 0, sums = 0, current = 0;
    for (uint32_t i = 0; i < spec->layer_count; i++) {
        build_layer(&builder, spec, i, &layers[i]);
        lanes = at_most(lanes, layers[i].lanes);
        sums = at_most(sums, layers[i].columns * ((layers[i].flags & SNN_LAYER_WIDE) ? 4u : 2u));
        if (layers[i].flags & SNN_LAYER_DRIVEN) {
            current = at_most(current, layers[i].columns * 4u);
        }
        if (layers[i].flags & SNN_LAYER_GENERAL) {
            image->needs_general = 1;
        }
    }
    for (uint32_t i = 0; i < spec->projection_count; i++) {
        if (spec->projections[i].rows == SNN_IMAGE_ROWS_LIST) {
            image->needs_general = 1;
        }
        build_projection(&builder, spec, i, image, &projections[i]);
    }
    image->sums = reserve(&builder, sums * spec->block);
    if (current != 0) {
        image->value_sums = reserve(&builder, current);
    }
    if (spec->block > 1) {
        image->membrane = reserve(&builder, lanes * 2);
    }
    image->spikes = reserve(&builder, (lanes + 31) / 32 * 4);
    image->scores = reserve(&builder, layers[spec->layer_count - 1].lanes * 4u);
    image->arena_bytes = builder.arena;
    image_seal(builder.bytes, builder.size);
    *size = builder.size;
    image = realloc(builder.bytes, builder.size);
    CHECK(image != NULL);
    return image;
}

void image_seal(void *memory, size_t size)
{
    struct snn_image *image = memory;
    if (size < sizeof *image) {
        return;
    }
    image->magic = SNN_IMAGE_MAGIC;
    image->major = SNN_IMAGE_MAJOR;
    image->minor = SNN_IMAGE_MINOR;
    image->bytes = (uint32_t)size & ~UINT32_C(3);
    const uint32_t from = offsetof(struct snn_image, crc) + sizeof image->crc;
    image->crc = snn_crc32(0, (const uint8_t *)memory + from, image->bytes - from);
}
