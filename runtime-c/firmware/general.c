/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"
#include "snn/lif.h"

/*
 * What few networks need, in plain C: lists of synapses, sums of 32 bits, membranes that stop at
 * the ceiling without firing, resets to zero or a value, refractory steps.
 */

/** The weight of a column of a packed row. */
static int32_t packed_weight(const uint8_t *row, uint32_t column, uint32_t rows)
{
    if (rows == SNN_IMAGE_ROWS_8) {
        const uint32_t lane = column & 3;
        const uint32_t place = lane == 1 ? 2 : lane == 2 ? 1 : lane;
        return (int32_t)row[(column & ~UINT32_C(3)) + place] - 128;
    }
    static const uint8_t place_of[8] = {0, 4, 2, 6, 1, 5, 3, 7};
    const uint32_t place = place_of[column & 7];
    return (int32_t)((row[(column & ~UINT32_C(7)) / 2 + place / 2] >> (4 * (place & 1))) & 15) - 8;
}

/** The weight of a synapse of a list. */
static uint32_t listed_weight(const uint8_t *synapse, uint32_t shift)
{
    return (uint32_t)((int32_t)(synapse[1] ^ 0x80u) - 128) << shift;
}

/**
 * Adds rows of lists. Fields are copied to locals first: `sums` may alias any of these structs, so
 * the compiler would reload them after every store.
 */
static void add_lists(const struct snn_gather *gather, const struct snn_packed_rows *set)
{
    const uint32_t *starts =
        (const uint32_t *)snn_in_image(gather->pixel->network->image, gather->projection->starts);
    const uint8_t *synapses = set->weights;
    const uint16_t *rows = set->rows;
    const uint32_t shift = set->shift;
    const bool wide = snn_is_wide(gather->pixel->layer);
    uint32_t *wide_sums = (uint32_t *)gather->sums;
    snn_half *sums = (snn_half *)gather->sums;
    for (const uint16_t *end_row = rows + set->count; rows < end_row; rows++) {
        const uint8_t *synapse = synapses + 2 * starts[*rows],
                      *end = synapses + 2 * starts[*rows + 1];
        if (wide) {
            for (; synapse < end; synapse += 2) {
                wide_sums[synapse[0]] += listed_weight(synapse, shift);
            }
        } else {
            for (; synapse < end; synapse += 2) {
                sums[synapse[0]] = (uint16_t)(sums[synapse[0]] + listed_weight(synapse, shift));
            }
        }
    }
}

void snn_add_rows_general(const struct snn_gather *gather, const struct snn_packed_rows *set)
{
    const uint32_t packing = gather->projection->rows, channels = gather->pixel->layer->channels;
    if (packing == SNN_IMAGE_ROWS_LIST) {
        add_lists(gather, set);
        return;
    }
    uint32_t *sums = (uint32_t *)gather->sums;
    for (uint32_t i = 0; i < set->count; i++) {
        const uint8_t *row = set->weights + set->rows[i] * set->row_bytes;
        for (uint32_t column = 0; column < channels; column++) {
            sums[column] += (uint32_t)packed_weight(row, column, packing) << set->shift;
        }
    }
}

/**
 * The synaptic current of a lane after it has lost its leak and taken `arrived`. An image from
 * outside may hold any numbers, so the sum wraps.
 */
static int32_t current_after(const struct snn_pixel *pixel, uint32_t lane, int32_t arrived)
{
    const struct snn_image_layer *layer = pixel->layer;
    const uint32_t neurons = (uint32_t)layer->lanes * layer->height * layer->width;
    int32_t *current = (int32_t *)snn_in_arena(pixel->network, layer->membrane + 2 * neurons) +
                       pixel->index * layer->lanes + lane;
    const uint32_t *leak =
        (const uint32_t *)snn_in_image(pixel->network->image, layer->drive) + pixel->parameters;
    *current = snn_add_s32(snn_leaked(*current, leak[lane]), arrived);
    return *current;
}

uint32_t snn_lif_general(const struct snn_pixel *pixel, const struct snn_lif *lif)
{
    const struct snn_image_layer *layer = pixel->layer;
    const int32_t *bias =
        (const int32_t *)snn_in_image(pixel->network->image, layer->bias) + pixel->parameters;
    uint8_t *refractory = layer->refractory == 0
                              ? NULL
                              : (uint8_t *)snn_in_arena(pixel->network, layer->refractory) +
                                    pixel->index * layer->lanes;
    uint32_t saturations = 0;
    for (uint32_t lane = 0; lane < layer->channels; lane++) {
        int32_t sum = snn_finished_sum(layer, lif->sums, lane);
        if ((layer->flags & SNN_LAYER_CURRENT) != 0) {
            sum = current_after(pixel, lane, sum);
            sum = layer->bias == 0 ? sum : snn_add_s32(sum, bias[lane]);
        }
        if ((lane & 31) == 0) {
            lif->spikes[lane / 32] = 0;
        }
        if (refractory != NULL && refractory[lane] > 0) {
            refractory[lane]--;
            continue;
        }
        /*
         * The exporter bounds sums, but an image from outside may hold any: membrane + sum wraps.
         */
        const struct snn_lif_kind kind = {lif->decay != NULL, false, layer->reset,
                                          layer->reset_value, true};
        struct snn_lif_neuron neuron = {lif->membrane[lane],
                                        lif->threshold[lane] + (int32_t)layer->greater,
                                        kind.leaks ? snn_leak_of(lif->decay[lane]) : 0};
        if (snn_lif_update(&neuron, sum, &lif->rule, kind, &saturations)) {
            lif->spikes[lane / 32] |= UINT32_C(1) << (lane & 31);
            if (refractory != NULL) {
                refractory[lane] = layer->refractory_steps;
            }
        }
        lif->membrane[lane] = (int16_t)neuron.membrane;
    }
    return saturations;
}
