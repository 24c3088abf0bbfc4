/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"
#include "snn/fixed_point.h"

/*
 * A layer is computed pixel by pixel: gather the spikes of the window, add their weight rows in registers, let the
 * pixel's neurons take the sums, write their spikes to the map. Layer by layer a pixel goes through all steps at once,
 * so that no more membranes are kept than one pixel has.
 */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "images are little-endian; use the portable core with the loader on this machine"
#endif

/* ---- Life cycle ---- */

enum snn_status snn_device_init(struct snn_device *network, const struct snn_image *image, void *arena, size_t size)
{
    if (network == 0 || image == 0 || arena == 0) return SNN_ERROR_ARGUMENT;
    if ((((uintptr_t)image | (uintptr_t)arena) & 3u) != 0) return SNN_ERROR_ARGUMENT;
    if (image->magic != SNN_IMAGE_MAGIC || image->major != SNN_IMAGE_MAJOR || image->minor != SNN_IMAGE_MINOR) {
        return SNN_ERROR_VERSION;
    }
    if (size < image->arena_bytes) return SNN_ERROR_MEMORY;
    network->image = image;
    network->arena = (uint8_t *)arena;
    network->observer = 0;
    snn_device_reset(network);
    return SNN_OK;
}

/** Membranes of one pixel before step 0. */
static void set_initial(const struct snn_device *network, const struct snn_image_layer *layer, uint32_t pixel,
                        int16_t *membrane)
{
    const int32_t *initial = (const int32_t *)snn_in_image(network->image, layer->initial);
    if (initial != 0 && (layer->flags & SNN_LAYER_PER_NEURON) != 0) initial += pixel * layer->lanes;
    for (uint32_t lane = 0; lane < layer->lanes; lane++) membrane[lane] = initial == 0 ? 0 : (int16_t)initial[lane];
}

void snn_device_reset(struct snn_device *network)
{
    const struct snn_image *image = network->image;
    const struct snn_image_layer *layer = snn_layers(image);
    uint32_t *words = (uint32_t *)(void *)network->arena;
    for (uint32_t i = 0; i < image->arena_bytes / 4; i++) words[i] = 0;
    for (uint32_t port = 0; port < SNN_IMAGE_PORTS; port++) network->frame[port] = 0;
    network->steps = 0;
    for (uint32_t i = 0; i + 1 < image->layer_count && image->block == 1; i++, layer++) {
        if (layer->initial == 0) continue;
        int16_t *membrane = (int16_t *)snn_in_arena(network, layer->membrane);
        const uint32_t pixels = (uint32_t)layer->height * layer->width;
        for (uint32_t pixel = 0; pixel < pixels; pixel++, membrane += layer->lanes) {
            set_initial(network, layer, pixel, membrane);
        }
    }
    layer = snn_layers(image) + image->layer_count - 1;
    const int32_t *initial = (const int32_t *)snn_in_image(image, layer->initial);
    int32_t *scores = (int32_t *)snn_in_arena(network, image->scores);
    for (uint32_t lane = 0; initial != 0 && lane < layer->lanes; lane++) scores[lane] = initial[lane];
}

void snn_device_observe(struct snn_device *network, const struct snn_observer *observer)
{
    network->observer = observer;
}

/* ---- Input ---- */

bool snn_device_event(struct snn_device *network, uint32_t port, uint32_t index)
{
    const struct snn_image *image = network->image;
    if (port >= image->port_count || network->steps >= image->max_steps) return false;
    const struct snn_image_port *input = snn_ports(image) + port;
    const uint32_t count = (uint32_t)input->channels * input->height * input->width;
    if (input->kind != SNN_PORT_EVENTS || index >= count) return false;
    uint32_t *map = (uint32_t *)snn_in_arena(network, input->map);
    map[index / 32] |= UINT32_C(1) << (index & 31);
    return true;
}

/** Whether a frame of `count` values of a kind may be presented. */
static bool accepts(const struct snn_device *network, uint32_t port, uint32_t kind, const void *values, uint32_t count)
{
    if (port >= network->image->port_count || values == 0) return false;
    const struct snn_image_port *input = snn_ports(network->image) + port;
    return input->kind == kind && count == (uint32_t)input->channels * input->height * input->width;
}

enum snn_status snn_device_values_u8(struct snn_device *network, uint32_t port, const uint8_t *values, uint32_t count)
{
    if (!accepts(network, port, SNN_PORT_U8, values, count)) return SNN_ERROR_ARGUMENT;
    network->frame[port] = values;
    return SNN_OK;
}

enum snn_status snn_device_values_s16(struct snn_device *network, uint32_t port, const int16_t *values, uint32_t count)
{
    if (!accepts(network, port, SNN_PORT_S16, values, count)) return SNN_ERROR_ARGUMENT;
    const struct snn_image_port *input = snn_ports(network->image) + port;
    for (uint32_t i = 0; i < count; i++) {
        if (values[i] < input->min_value || values[i] > input->max_value) return SNN_ERROR_VALUE;
    }
    network->frame[port] = values;
    return SNN_OK;
}

/** Forgets the events and frames of the step just closed. */
static void end_step(struct snn_device *network)
{
    const struct snn_image_port *input = snn_ports(network->image);
    for (uint32_t port = 0; port < network->image->port_count; port++, input++) {
        if (input->kind == SNN_PORT_EVENTS) {
            const uint32_t words = ((uint32_t)input->channels * input->height * input->width + 31) / 32;
            uint32_t *map = (uint32_t *)snn_in_arena(network, input->map);
            for (uint32_t i = 0; i < words; i++) map[i] = 0;
        } else if (input->frame_per_step != 0) {
            network->frame[port] = 0;
        }
    }
}

/* ---- A pixel ---- */

static uint32_t index_of(const struct snn_image *image, const struct snn_image_layer *layer)
{
    return (uint32_t)(layer - snn_layers(image));
}

/** Parameters of a pixel's first lane in an array of the image, counted in entries of 32 bits or, halved, of 16. */
static uint32_t first_parameter(const struct snn_pixel *pixel)
{
    return (pixel->layer->flags & SNN_LAYER_PER_NEURON) != 0 ? pixel->index * pixel->layer->lanes : 0;
}

/** Bias and currents of presented values in every lane, or null where there are none. */
static const int32_t *currents(const struct snn_pixel *pixel, struct snn_gather *gather, uint32_t y, uint32_t x)
{
    const struct snn_device *network = pixel->network;
    const struct snn_image_layer *layer = pixel->layer;
    const struct snn_image_projection *projection = snn_projections(network->image) + layer->first_projection;
    int32_t *current = (int32_t *)snn_in_arena(network, network->image->current);
    const int32_t *bias = (const int32_t *)snn_in_image(network->image, layer->bias);
    bool any = bias != 0;
    if (bias != 0) bias += first_parameter(pixel);
    for (uint32_t lane = 0; lane < layer->columns; lane++) {
        current[lane] = bias == 0 || lane >= layer->lanes ? 0 : bias[lane];
    }
    for (uint32_t i = 0; i < layer->projection_count; i++, projection++) {
        const struct snn_image_port *port = snn_ports(network->image) + projection->source;
        if (projection->from_port == 0 || port->kind == SNN_PORT_EVENTS) continue;
        if (network->frame[projection->source] == 0) continue;
        int32_t *sums = any ? current + layer->columns : current;
        for (uint32_t lane = 0; any && lane < layer->columns; lane++) sums[lane] = 0;
        gather->projection = projection;
        gather->frame = network->frame[projection->source];
        gather->sums = sums;
        gather->silent = port->frame_per_step == 0 && pixel->first != 0;
        snn_gather_values(gather, y, x);
        for (uint32_t lane = 0; lane < layer->columns; lane++) {
            const int32_t scaled = snn_scale_value(sums[lane], projection->shift);
            current[lane] = any ? current[lane] + scaled : scaled;
        }
        any = true;
    }
    return any ? current : 0;
}

/** Starts the sums of a step from the currents. */
static void begin_sums(const struct snn_image_layer *layer, const int32_t *current, uint32_t *sums)
{
    if ((layer->flags & SNN_LAYER_WIDE) != 0) {
        for (uint32_t lane = 0; lane < layer->columns; lane++) sums[lane] = current == 0 ? 0 : (uint32_t)current[lane];
    } else {
        for (uint32_t pair = 0; pair < layer->columns / 2u; pair++) {
            uint32_t word = SNN_SUM_ZERO * UINT32_C(0x00010001);
            if (current != 0) {
                word = (((uint32_t)current[2 * pair] + SNN_SUM_ZERO) & 0xFFFFu) |
                       ((uint32_t)current[2 * pair + 1] + SNN_SUM_ZERO) << 16;
            }
            sums[pair] = word;
        }
    }
}

/** Appends the spikes of a pixel to the layer's map of one step; lanes beyond the channels have none, whatever
 * an image says. */
static void write_spikes(const struct snn_pixel *pixel, uint32_t step, const uint32_t *spikes)
{
    uint32_t *map = snn_layer_map(pixel->network, pixel->layer, step);
    uint32_t bit = pixel->index * pixel->layer->channels;
    for (uint32_t left = pixel->layer->channels;; left -= 32, bit += 32) {
        uint32_t bits = *spikes++;
        if (left < 32) bits &= (UINT32_C(1) << left) - 1;
        if (bits != 0) {
            const uint32_t skip = bit & 31;
            const uint32_t rest = bits >> 1 >> (31 - skip);
            map[bit / 32] |= bits << skip;
            if (rest != 0) map[bit / 32 + 1] |= rest;
        }
        if (left <= 32) return;
    }
}

static bool all_zero(const int16_t *membrane, uint32_t lanes)
{
    uint32_t any = 0;
    for (uint32_t lane = 0; lane < lanes; lane++) any |= (uint16_t)membrane[lane];
    return any == 0;
}

/** The pixel's neurons take their sums. */
static void run_neurons(const struct snn_pixel *pixel, const uint32_t *sums, uint32_t sum_step, bool quiet)
{
    const struct snn_device *network = pixel->network;
    const struct snn_image *image = network->image;
    const struct snn_image_layer *layer = pixel->layer;
    const struct snn_observer *observer = network->observer;
    const bool observed = observer != 0 && observer->neurons != 0;
    const uint32_t parameter = first_parameter(pixel);
    struct snn_lif lif = {
        .membrane = (int16_t *)snn_in_arena(network, image->block > 1 ? image->membrane : layer->membrane),
        .sums = sums,
        .threshold = (const int16_t *)snn_in_image(image, layer->threshold) + parameter,
        .decay = (const int32_t *)snn_in_image(image, layer->decay),
        .spikes = (uint32_t *)snn_in_arena(network, image->spikes),
        .sum_step = sum_step,
        .lanes = layer->lanes,
        .steps = observed ? 1 : pixel->steps,
        .spike_words = (layer->lanes + 31u) / 32,
        .greater = layer->greater,
    };
    if (lif.decay != 0) lif.decay += parameter;
    if (image->block > 1) {
        set_initial(network, layer, pixel->index, lif.membrane);
    } else {
        lif.membrane += pixel->index * layer->lanes;
        if (quiet && !observed && all_zero(lif.membrane, lif.lanes)) return;
    }
    for (uint32_t step = 0; step < pixel->steps; step += lif.steps, lif.sums += sum_step) {
        if ((layer->flags & SNN_LAYER_GENERAL) != 0) {
            snn_lif_general(pixel, &lif);
        } else {
            snn_lif_steps(&lif);
        }
        for (uint32_t i = 0; i < lif.steps; i++) {
            write_spikes(pixel, pixel->first + step + i, lif.spikes + i * lif.spike_words);
        }
        if (observed) {
            observer->neurons(observer->context, index_of(image, layer), pixel->first + step, pixel->index, lif.membrane,
                              lif.spikes);
        }
    }
}

/** The read-out takes its sums. */
static void run_readout(const struct snn_pixel *pixel, const uint32_t *sums, uint32_t sum_step)
{
    const struct snn_device *network = pixel->network;
    const struct snn_image *image = network->image;
    const struct snn_image_layer *layer = pixel->layer;
    const struct snn_observer *observer = network->observer;
    const int32_t *decay = (const int32_t *)snn_in_image(image, layer->decay);
    int32_t *scores = (int32_t *)snn_in_arena(network, image->scores);
    for (uint32_t step = 0; step < pixel->steps; step++, sums += sum_step) {
        for (uint32_t lane = 0; lane < layer->channels; lane++) {
            const int32_t v = decay == 0 ? scores[lane] : snn_leaked(scores[lane], decay[lane]);
            scores[lane] = snn_add_s32(v, snn_finished_sum(layer, sums, lane));
        }
        if (observer != 0 && observer->neurons != 0) {
            observer->neurons(observer->context, index_of(image, layer), pixel->first + step, 0, scores, 0);
        }
    }
}

static void run_pixel(const struct snn_pixel *pixel, uint32_t y, uint32_t x)
{
    struct snn_device *network = pixel->network;
    const struct snn_image_layer *layer = pixel->layer;
    const struct snn_image_projection *projection = snn_projections(network->image) + layer->first_projection;
    const uint32_t sum_words = (layer->flags & SNN_LAYER_WIDE) != 0 ? layer->columns : layer->columns / 2u;
    uint32_t *sums = (uint32_t *)snn_in_arena(network, network->image->sums);
    struct snn_gather gather = {.network = network, .layer = layer};
    const int32_t *current = (layer->flags & SNN_LAYER_DRIVEN) != 0 ? currents(pixel, &gather, y, x) : 0;
    bool by_spikes = false;
    gather.frame = 0;
    gather.silent = false;
    gather.arrived = 0;
    begin_sums(layer, current, sums);
    for (uint32_t i = 0; i < layer->projection_count; i++, projection++) {
        const bool from_port = projection->from_port != 0;
        if (from_port && snn_ports(network->image)[projection->source].kind != SNN_PORT_EVENTS) continue;
        for (uint32_t step = 0; step < pixel->steps; step++) {
            gather.sums = sums + step * sum_words;
            if (step != 0 && !by_spikes) begin_sums(layer, current, (uint32_t *)gather.sums);
            if (pixel->first + step < projection->delay) continue;
            gather.projection = projection;
            const uint32_t *map =
                from_port ? (const uint32_t *)snn_in_arena(network, snn_ports(network->image)[projection->source].map)
                          : snn_layer_map(network, snn_layers(network->image) + projection->source,
                                          pixel->first + step - projection->delay);
            snn_gather_spikes(&gather, map, y, x);
        }
        by_spikes = true;
    }
    const uint32_t sum_step = by_spikes ? sum_words : 0;
    if (layer->readout != 0) {
        run_readout(pixel, sums, sum_step);
    } else {
        run_neurons(pixel, sums, sum_step, current == 0 && gather.arrived == 0);
    }
}

/* ---- Steps ---- */

static void run_layers(struct snn_device *network, uint32_t first, uint32_t steps)
{
    const struct snn_image *image = network->image;
    const struct snn_observer *observer = network->observer;
    const struct snn_image_layer *layer = snn_layers(image);
    for (uint32_t i = 0; i <= image->layer_count; i++, layer++) {
        if (observer != 0 && observer->layer != 0) observer->layer(observer->context, i);
        if (i == image->layer_count) break;
        for (uint32_t step = 0; step < steps && layer->readout == 0; step++) {
            uint32_t *map = snn_layer_map(network, layer, first + step);
            for (uint32_t word = 0; word < layer->map_words; word++) map[word] = 0;
        }
        struct snn_pixel pixel = {.network = network, .layer = layer, .first = first, .steps = steps};
        for (uint32_t y = 0; y < layer->height; y++) {
            for (uint32_t x = 0; x < layer->width; x++, pixel.index++) run_pixel(&pixel, y, x);
        }
    }
}

enum snn_status snn_device_run(struct snn_device *network, uint32_t steps)
{
    const struct snn_image *image = network->image;
    if (steps > image->max_steps - network->steps) return SNN_ERROR_STEPS;
    if (image->block > 1) {
        if (network->steps != 0 || steps > image->block) return SNN_ERROR_STEPS;
        run_layers(network, 0, steps);
        network->steps = steps;
    } else {
        for (; steps > 0; steps--) {
            run_layers(network, network->steps, 1);
            end_step(network);
            network->steps++;
        }
    }
    return SNN_OK;
}

/* ---- Answer ---- */

const int32_t *snn_device_scores(const struct snn_device *network, uint32_t *count)
{
    const struct snn_image *image = network->image;
    if (count != 0) *count = snn_layers(image)[image->layer_count - 1].channels;
    return (const int32_t *)snn_in_arena(network, image->scores);
}

uint32_t snn_device_class(const struct snn_device *network)
{
    uint32_t count, best = 0;
    const int32_t *scores = snn_device_scores(network, &count);
    for (uint32_t i = 1; i < count; i++) {
        if (scores[i] > scores[best]) best = i;
    }
    return best;
}
