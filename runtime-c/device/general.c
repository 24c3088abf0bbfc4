/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"
#include "snn/model.h"

/* What few networks need, in plain C: lists of synapses, sums of 32 bits, clamping, other resets, refractory steps. */

/** Adds to one sum, as wide as the layer's. */
static void add(const struct snn_gather *gather, uint32_t column, int32_t weight, uint32_t shift)
{
    const uint32_t value = (uint32_t)weight << shift;
    if ((gather->pixel->layer->flags & SNN_LAYER_WIDE) != 0) {
        ((uint32_t *)gather->sums)[column] += value;
    } else {
        snn_half *sum = (snn_half *)gather->sums + column;
        *sum = (uint16_t)(*sum + value);
    }
}

/** The weight of a column of a packed row. */
static int32_t packed_weight(const uint8_t *row, uint32_t column, uint32_t rows)
{
    if (rows == SNN_ROWS_8) {
        const uint32_t place = column & 3;
        return (int32_t)row[(column & ~UINT32_C(3)) + (place == 1 ? 2 : place == 2 ? 1 : place)] - 128;
    }
    static const uint8_t place_of[8] = {0, 4, 2, 6, 1, 5, 3, 7};
    const uint32_t place = place_of[column & 7];
    return (int32_t)((row[(column & ~UINT32_C(7)) / 2 + place / 2] >> (4 * (place & 1))) & 15) - 8;
}

void snn_add_rows_general(const struct snn_gather *gather, const struct snn_row_set *set)
{
    const struct snn_image_projection *projection = gather->projection;
    const uint32_t *starts = (const uint32_t *)snn_in_image(gather->pixel->network->image, projection->starts);
    for (uint32_t i = 0; i < set->count; i++) {
        const uint32_t row = set->rows[i];
        if (projection->rows == SNN_ROWS_LIST) {
            const uint8_t *synapse = set->weights + 2 * starts[row];
            const uint8_t *end = set->weights + 2 * starts[row + 1];
            for (; synapse < end; synapse += 2) {
                add(gather, synapse[0], (int32_t)(synapse[1] ^ 0x80u) - 128, set->shift);
            }
        } else {
            for (uint32_t column = 0; column < gather->pixel->layer->channels; column++) {
                add(gather, column, packed_weight(set->weights + row * set->row_bytes, column, projection->rows), set->shift);
            }
        }
    }
}

uint32_t snn_lif_general(const struct snn_pixel *pixel, const struct snn_lif *lif)
{
    const struct snn_image_layer *layer = pixel->layer;
    uint8_t *refractory =
        layer->refractory == 0 ? 0 : (uint8_t *)snn_in_arena(pixel->network, layer->refractory) + pixel->index * layer->lanes;
    uint32_t saturated = 0;
    for (uint32_t i = 0; i < lif->steps * lif->spike_words; i++) lif->spikes[i] = 0;
    for (uint32_t lane = 0; lane < layer->channels; lane++) {
        const int32_t threshold = lif->threshold[lane];
        int32_t v = lif->membrane[lane];
        for (uint32_t step = 0; step < lif->steps; step++) {
            if (refractory != 0 && refractory[lane] > 0) {
                refractory[lane]--;
                continue;
            }
            if (lif->decay != 0) v = snn_leaked(v, lif->decay[lane]);
            const int32_t u = snn_add_s32(v, snn_finished_sum(layer, lif->sums + step * lif->sum_step, lane));
            v = u < layer->floor ? layer->floor : u > layer->ceiling ? layer->ceiling : u;
            if (v != u) saturated++;
            if (v < threshold || (v == threshold && lif->greater != 0)) continue;
            lif->spikes[step * lif->spike_words + lane / 32] |= UINT32_C(1) << (lane & 31);
            v = layer->reset == SNN_RESET_SUBTRACT ? v - threshold
                : layer->reset == SNN_RESET_ZERO   ? 0
                                                   : layer->reset_value;
            if (refractory != 0) refractory[lane] = layer->refractory_steps;
        }
        lif->membrane[lane] = (int16_t)v;
    }
    return saturated;
}
