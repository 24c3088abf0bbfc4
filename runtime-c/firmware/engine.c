/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

/*
 * A network runs in one of two orders. A streaming image runs all layers in one step, then the next
 * step. Any other image runs layer by layer: each pixel goes through all steps at once, so that no
 * more membranes are kept than one pixel has.
 *
 * A layer is computed pixel by pixel: gather the spikes of the window, add their weight rows in
 * registers, let the pixel's neurons take the sums, write their spikes to the map.
 */

/* ---- A pixel ---- */

/** 1 in a build without streaming and general layers, which shows observers no neurons. */
#define ONLY_SPIKES (SNN_DEVICE_STREAMING == 0 && SNN_DEVICE_GENERAL == 0)

static bool only_spikes(const struct snn_pixel *pixel)
{
    return ONLY_SPIKES || pixel->only_spikes;
}

/** The index of the pixel's layer in the image. */
static uint32_t index_of(const struct snn_pixel *pixel)
{
    return (uint32_t)(pixel->layer - snn_layers(pixel->network->image));
}

/** An array of 32-bit parameters from the pixel's first lane on, or null. */
static const int32_t *parameters(const struct snn_pixel *pixel, uint32_t offset)
{
    return offset == 0
               ? NULL
               : (const int32_t *)snn_in_image(pixel->network->image, offset) + pixel->parameters;
}

/** Sets `count` words, a multiple of 4. */
static void fill(uint32_t *word, uint32_t count, uint32_t value)
{
    for (const uint32_t *end = word + count; word < end; word += 4) {
        word[0] = value;
        word[1] = value;
        word[2] = value;
        word[3] = value;
    }
}

/** How many of a layer's projections carry values: the first ones, at which `gather` stands. */
static uint32_t count_valued(const struct snn_gather *gather)
{
    const uint32_t all = gather->pixel->layer->projection_count;
    uint32_t count = all != 0 && snn_carries_values(gather->projection) ? 1 : 0;
    /* Several are taps, which only a ring serves. */
    while (SNN_DEVICE_RINGS != 0 && count != 0 && count < all &&
           snn_carries_values(gather->projection + count)) {
        count++;
    }
    return count;
}

/** The frame that a projection of values delivers in the open step, or null. */
static const void *frame_of(const struct snn_device *network,
                            const struct snn_image_projection *projection)
{
    if (SNN_DEVICE_RINGS != 0 && projection->delay != 0) {
        return snn_in_arena(network, snn_map_of(network, projection));
    }
    return network->frame[projection->source];
}

/**
 * Fills the image's `value_sums` with the sums of the frames that arrive at the layer: by the taps
 * of one projection, or by none. Returns the projection's shift, or 0.
 */
static uint32_t add_values(struct snn_gather *gather)
{
    const struct snn_pixel *pixel = gather->pixel;
    uint32_t *current = (uint32_t *)snn_in_arena(pixel->network, pixel->network->image->value_sums);
    uint32_t shift = 0;
    fill(current, pixel->layer->columns, 0);
    const struct snn_image_projection *const first = gather->projection;
    const uint32_t count = count_valued(gather);
    for (uint32_t i = 0; i < count; i++) {
        gather->projection = first + i;
        gather->frame = frame_of(pixel->network, gather->projection);
        gather->sums = current;
        if (gather->frame != NULL) {
            shift = gather->projection->shift;
            snn_find_window(gather);
            if (gather->window.lines != 0) {
                snn_gather_values(gather);
            }
        }
        gather->frame = NULL;
    }
    gather->projection = first;
    return shift;
}

/**
 * Starts the sums of all steps from bias and values. Returns the words from one step's sums to the
 * next; 0: all steps share the same sums.
 */
static uint32_t begin_sums(struct snn_gather *gather)
{
    const struct snn_pixel *pixel = gather->pixel;
    uint32_t *const sums = pixel->sums;
    const struct snn_image_layer *layer = pixel->layer;
    const bool wide = snn_is_wide(layer);
    const uint32_t zero = wide ? 0 : SNN_SUM_ZERO, sum_words = snn_sum_words(layer);
    if ((layer->flags & SNN_LAYER_DRIVEN) == 0) {
        fill(sums, pixel->steps * sum_words, zero * UINT32_C(0x00010001));
        return sum_words;
    }
    const int32_t *current =
        (const int32_t *)snn_in_arena(pixel->network, pixel->network->image->value_sums);
    const uint32_t shift = add_values(gather);
    /* A synaptic current takes what arrives, the bias goes to the membrane. */
    const bool has_current = SNN_DEVICE_GENERAL != 0 && (layer->flags & SNN_LAYER_CURRENT) != 0;
    const int32_t *bias = has_current ? NULL : parameters(pixel, layer->bias);
    for (uint32_t lane = 0; lane < layer->columns; lane++) {
        uint32_t sum = (uint32_t)snn_scale_value(current[lane], shift) + zero;
        if (bias != NULL && lane < layer->lanes) {
            sum += (uint32_t)bias[lane];
        }
        if (wide) {
            sums[lane] = sum;
        } else {
            ((snn_half *)(void *)sums)[lane] = (snn_half)sum;
        }
    }
    if (layer->projection_count == count_valued(gather)) {
        return 0;
    }
    for (uint32_t word = 0; word < (pixel->steps - 1) * sum_words; word++) {
        sums[sum_words + word] = sums[word];
    }
    return sum_words;
}

/**
 * Appends the spikes of a pixel to the layer's map of one step. Spikes of lanes beyond the channels
 * are dropped: a hostile image may have made some.
 */
static void write_spikes(const struct snn_pixel *pixel, uint32_t step, const uint32_t *spikes)
{
    const struct snn_image_layer *layer = pixel->layer;
    uint32_t bit = pixel->index * layer->channels;
    for (uint32_t left = layer->channels;; left -= 32, bit += 32) {
        uint32_t bits = *spikes++;
        if (left < 32) {
            bits &= (UINT32_C(1) << left) - 1;
        }
        if (bits != 0) {
            const uint32_t at = pixel->map + (step - pixel->first) * layer->map_bytes;
            uint32_t *map = (uint32_t *)snn_in_arena(pixel->network, at) + bit / 32;
            const uint32_t skip = bit & 31;
            const uint32_t rest = bits >> 1 >> (31 - skip);
            map[0] |= bits << skip;
            if (rest != 0) {
                map[1] |= rest;
            }
        }
        if (left <= 32) {
            return;
        }
    }
}

/** The membranes of a pixel before step 0. */
static void set_initial(const struct snn_pixel *pixel)
{
    const int32_t *initial = pixel->neurons.initial;
    snn_word *pair = (snn_word *)(void *)pixel->neurons.membrane;
    for (const snn_word *end = pair + pixel->layer->lanes / 2u; pair < end; pair++) {
        *pair = 0;
        if (initial == NULL) {
            continue;
        }
        *pair = ((uint32_t)initial[0] & 0xFFFFu) | (uint32_t)initial[1] << 16;
        initial += 2;
    }
}

static bool all_zero(const int16_t *membrane, uint32_t lanes)
{
    const snn_word *pair = (const snn_word *)(const void *)membrane;
    uint32_t any = 0;
    for (uint32_t i = 0; i < lanes / 2; i++) {
        any |= pair[i];
    }
    return any == 0;
}

/** Runs those of a pixel's driven neurons whose sum makes them fire. */
static void run_driven(struct snn_gather *gather)
{
    const struct snn_pixel *pixel = gather->pixel;
    const struct snn_image_layer *layer = pixel->layer;
    const struct snn_driven driven = {
        .shift = add_values(gather),
        .current = (const int32_t *)snn_in_arena(pixel->network, pixel->network->image->value_sums),
        .drive = parameters(pixel, layer->drive),
        .bias = parameters(pixel, layer->bias),
        .sums = pixel->sums,
    };
    snn_fire_driven(&pixel->neurons, &driven, pixel->index * layer->channels);
}

/**
 * Runs all steps of a pixel's neurons on their sums. `quiet`: nothing arrived, so that membranes at
 * 0 stay there; refractory steps pass all the same.
 */
static void run_neurons(struct snn_pixel *pixel, bool quiet)
{
    const struct snn_image_layer *layer = pixel->layer;
    const struct snn_observer *observer = pixel->network->observer;
    const bool observed = observer != NULL && observer->neurons != NULL;
    struct snn_lif *lif = &pixel->neurons;
    if (only_spikes(pixel)) {
        if (!quiet || lif->initial != NULL) {
            snn_fire(lif, pixel->index * layer->channels);
        }
        return;
    }
    if (pixel->first == 0) {
        set_initial(pixel);
    }
    if (quiet && !observed && layer->refractory == 0 && all_zero(lif->membrane, lif->lanes)) {
        return;
    }
    /* A leak alone brings membranes nearer to 0, and no bound lies between. */
    lif->rule.clamps = quiet ? 0 : layer->flags & (SNN_LAYER_CLAMPED | SNN_LAYER_GENERAL);
    for (uint32_t step = pixel->first; step < pixel->first + pixel->steps; step++) {
        const bool general = SNN_DEVICE_GENERAL != 0 && (layer->flags & SNN_LAYER_GENERAL) != 0;
        const uint32_t clamps = general ? snn_lif_general(pixel, lif) : snn_lif_step(lif);
        if (clamps != 0 && observer != NULL && observer->saturated != NULL) {
            observer->saturated(observer->context, index_of(pixel), clamps);
        }
        if (observed) {
            observer->neurons(observer->context, index_of(pixel), step, pixel->index, lif->membrane,
                              lif->spikes);
        }
        write_spikes(pixel, step, lif->spikes);
        lif->sums += lif->sum_step;
    }
    lif->sums = pixel->sums;
}

/** Runs all steps of the read-out on its sums. */
static void run_readout(const struct snn_pixel *pixel)
{
    const uint32_t *sums = pixel->sums;
    const struct snn_device *network = pixel->network;
    const struct snn_image *image = network->image;
    const struct snn_image_layer *layer = pixel->layer;
    const struct snn_observer *observer = network->observer;
    const uint32_t *decay = (const uint32_t *)parameters(pixel, layer->decay);
    int32_t *scores = (int32_t *)snn_in_arena(network, image->scores);
    for (uint32_t step = pixel->first; step < pixel->first + pixel->steps;
         step++, sums += pixel->neurons.sum_step) {
        for (uint32_t lane = 0; lane < layer->channels; lane++) {
            int32_t v = scores[lane];
            if (decay != NULL) {
                v = snn_leaked(v, decay[lane]);
            }
            scores[lane] = snn_add_s32(v, snn_finished_sum(layer, sums, lane));
        }
        if (!ONLY_SPIKES && observer != NULL && observer->neurons != NULL) {
            observer->neurons(observer->context, index_of(pixel), step, 0, scores, NULL);
        }
    }
}

/** Adds the rows of one projection's spikes in every step; returns their number. */
static uint32_t add_spikes(struct snn_gather *gather)
{
    const struct snn_pixel *pixel = gather->pixel;
    uint32_t *sums = pixel->sums;
    const struct snn_image_projection *projection = gather->projection;
    uint32_t added = 0, map = snn_map_of(pixel->network, projection);
    snn_find_window(gather);
    if (gather->window.lines == 0) {
        return 0;
    }
    for (uint32_t step = pixel->first; step < pixel->first + pixel->steps;
         step++, sums += pixel->neurons.sum_step, map += projection->map_bytes) {
        gather->map = (const uint32_t *)snn_in_arena(pixel->network, map);
        gather->sums = sums;
        if (SNN_DEVICE_RINGS != 0 && SNN_DEVICE_GENERAL != 0 &&
            projection->carries == SNN_CARRIES_EVERY) {
            added += snn_gather_every(gather);
        } else {
            added += snn_gather_spikes(gather);
        }
    }
    return added;
}

static void run_pixel(struct snn_pixel *pixel)
{
    const struct snn_image_layer *layer = pixel->layer;
    uint32_t added = 0;
    struct snn_gather gather; /* its arrays need no initial values */
    gather.pixel = pixel;
    gather.frame = NULL;
    gather.projection = snn_projections(pixel->network->image) + layer->first_projection;
    if (layer->drive != 0 && only_spikes(pixel)) {
        run_driven(&gather);
        return;
    }
    pixel->neurons.sum_step = begin_sums(&gather);
    for (uint32_t i = 0; i < layer->projection_count; i++, gather.projection++) {
        if (!snn_carries_values(gather.projection)) {
            added += add_spikes(&gather);
        }
    }
    if (layer->readout != 0) {
        run_readout(pixel);
    } else {
        run_neurons(pixel,
                    (layer->flags & (SNN_LAYER_DRIVEN | SNN_LAYER_CURRENT)) == 0 && added == 0);
    }
}

/* ---- A layer ---- */

/** Sets up the neurons: what all pixels of the layer share, and the first pixel's parameters. */
static void set_neurons(struct snn_pixel *pixel)
{
    const struct snn_device *network = pixel->network;
    const struct snn_image *image = network->image;
    const struct snn_observer *observer = network->observer;
    const struct snn_image_layer *layer = pixel->layer;
    struct snn_lif *lif = &pixel->neurons;
    pixel->sums = (uint32_t *)snn_in_arena(network, image->sums);
    lif->sums = pixel->sums;
    lif->threshold = (const int16_t *)snn_in_image(image, layer->threshold);
    lif->decay = (const uint32_t *)snn_in_image(image, layer->decay);
    lif->initial = parameters(pixel, layer->initial);
    lif->sum_step = 0;
    lif->steps = pixel->steps;
    lif->spike_words = layer->map_bytes / 4;
    lif->rule.greater = layer->greater;
    lif->rule.floor = layer->floor;
    lif->rule.ceiling = layer->ceiling;
    if (!ONLY_SPIKES) {
        pixel->only_spikes =
            !snn_streams(image) && (layer->flags & SNN_LAYER_GENERAL) == 0 &&
            (observer == NULL || (observer->neurons == NULL && observer->saturated == NULL));
    }
    if (only_spikes(pixel)) {
        lif->lanes = layer->channels;
        lif->spikes = (uint32_t *)snn_in_arena(network, layer->map);
    } else {
        lif->membrane = (int16_t *)snn_in_arena(network, snn_streams(image) ? layer->membrane
                                                                            : image->membrane);
        lif->lanes = layer->lanes;
        lif->spikes = (uint32_t *)snn_in_arena(network, image->spikes);
    }
}

/** Runs all pixels of a layer, whose spike maps are empty so far. */
static void run_layer(struct snn_pixel *pixel)
{
    const struct snn_image_layer *layer = pixel->layer;
    struct snn_lif *lif = &pixel->neurons;
    set_neurons(pixel);
    for (pixel->y = 0; pixel->y < layer->height; pixel->y++) {
        for (pixel->x = 0; pixel->x < layer->width; pixel->x++, pixel->index++) {
            run_pixel(pixel);
            if (snn_streams(pixel->network->image)) {
                lif->membrane += layer->lanes;
            }
            if ((layer->flags & SNN_LAYER_PER_NEURON) == 0) {
                continue;
            }
            pixel->parameters += layer->lanes;
            lif->threshold += layer->lanes;
            if (lif->decay != NULL) {
                lif->decay += layer->lanes;
            }
            if (lif->initial != NULL) {
                lif->initial += layer->lanes;
            }
        }
    }
}

/* ---- A step ends ---- */

/**
 * Moves a ring to the slot of the next step. What that held is older than any projection reaches
 * back for.
 */
static void advance(const struct snn_device *network, const struct snn_image_ring *ring)
{
    uint32_t *open = snn_open_slot(network, ring);
    *open = *open + 1 < ring->slots ? *open + 1 : 0;
    uint32_t *word = (uint32_t *)snn_in_arena(network, snn_slot_of(network, ring, 0));
    for (uint32_t i = 0; i < ring->bytes / 4; i++) {
        word[i] = 0;
    }
    if (ring->most != 0) {
        open[-1] = 0;
    }
}

/** Forgets the events and frames of the step just closed, but for those that later steps read. */
static void end_step(struct snn_device *network)
{
    const struct snn_image_ring *ring = snn_rings(network->image);
    for (uint32_t i = 0; SNN_DEVICE_RINGS != 0 && i < network->image->ring_count; i++) {
        advance(network, ring + i);
    }
    const struct snn_image_port *input = snn_ports(network->image);
    network->presented = 0;
    for (uint32_t port = 0; port < network->image->port_count; port++, input++) {
        if (input->kind == SNN_PORT_EVENTS &&
            (SNN_DEVICE_RINGS == 0 || snn_ring_of(network->image, true, port) == NULL)) {
            const uint32_t words = (snn_port_size(input) + 31) / 32;
            uint32_t *map = (uint32_t *)snn_in_arena(network, input->map);
            for (uint32_t i = 0; i < words; i++) {
                map[i] = 0;
            }
        } else if (input->frame_per_step != 0) {
            network->frame[port] = NULL;
        }
    }
}

/* ---- Steps ---- */

static void run_layers(struct snn_device *network, uint32_t first, uint32_t steps)
{
    const struct snn_image *image = network->image;
    const struct snn_observer *observer = network->observer;
    const struct snn_image_layer *layer = snn_layers(image);
    for (uint32_t i = 0; i <= image->layer_count; i++, layer++) {
        if (observer != NULL && observer->layer != NULL) {
            observer->layer(observer->context, i);
        }
        if (i == image->layer_count) {
            break;
        }
        const struct snn_image_ring *ring =
            SNN_DEVICE_RINGS != 0 ? snn_ring_of(image, false, i) : NULL;
        const uint32_t open = ring == NULL ? layer->map : snn_slot_of(network, ring, 0);
        uint32_t *map = (uint32_t *)snn_in_arena(network, open);
        for (uint32_t word = 0; word < steps * (layer->map_bytes / 4); word++) {
            map[word] = 0;
        }
        struct snn_pixel pixel = {
            .network = network, .layer = layer, .first = first, .steps = steps, .map = open};
        run_layer(&pixel);
    }
}

enum snn_status snn_device_run(struct snn_device *network, uint32_t steps)
{
    const struct snn_image *image = network->image;
    if (steps > image->max_steps - network->steps || (SNN_DEVICE_EXITS && network->decided)) {
        return SNN_ERROR_STEPS;
    }
    if (!snn_streams(image)) {
        if (network->steps != 0 || steps > image->block) {
            return SNN_ERROR_STEPS;
        }
        if (steps != 0) {
            run_layers(network, 0, steps);
        }
        network->steps = steps;
    } else {
        for (; steps > 0; steps--) {
            if (SNN_DEVICE_ENCODERS && image->ring_count != 0) {
                snn_encode(network);
            }
            run_layers(network, network->steps, 1);
            network->decided = SNN_DEVICE_EXITS && image->has_exit != 0 && snn_exits(network);
            end_step(network);
            network->steps++;
            if (SNN_DEVICE_EXITS && network->decided) {
                break;
            }
        }
    }
    return SNN_OK;
}
