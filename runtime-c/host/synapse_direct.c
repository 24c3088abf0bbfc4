/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/fixed_point.h"
#include "synapse.h"

/* Synapses without a matrix: one to one, and one weight to all others (lateral inhibition). */

/** Pooled index of a source spike; counts it as arrived. */
static uint32_t arrive(struct snn_delivery *delivery, uint32_t index)
{
    const uint32_t cell =
        delivery->state->map_y == NULL ? index : snn_pooled_index(delivery->state, index);
    delivery->arrived += cell != SNN_OUTSIDE ? 1u : 0u;
    return cell;
}

/** Weight of the one synapse onto neuron i. */
static int32_t weight_of(const struct snn_delivery *delivery, uint32_t i)
{
    const struct snn_weights *weights = &delivery->projection->weights;
    const struct snn_projection_state *state = delivery->state;
    if (weights->columns == 1) {
        return weights->values[0];
    }
    if (weights->columns == state->target_size) {
        return weights->values[i];
    }
    return weights->values[i - snn_divide(i, state->channel_reciprocal) * state->target_channels];
}

void snn_one_to_one_spikes(struct snn_delivery *delivery, const struct snn_source *source)
{
    uint32_t indices[SNN_CHUNK];
    struct snn_cursor cursor;
    snn_cursor_begin(&cursor, source, delivery->snn->kernels);
    for (uint32_t count; (count = snn_cursor_next(&cursor, indices)) > 0;) {
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t cell = arrive(delivery, indices[i]);
            const int32_t weight = cell != SNN_OUTSIDE ? weight_of(delivery, cell) : 0;
            if (weight != 0) {
                snn_sum_add(delivery, cell,
                            snn_shift_left_s32(weight, delivery->projection->shift));
                delivery->state->counters.synops++;
                delivery->snn->weight_bytes++;
            }
        }
    }
}

/**
 * Adds each non-zero value times its weight to its own neuron; with `lateral` subtracts it instead,
 * as the caller adds the total to all neurons.
 */
static uint32_t take_values(struct snn_delivery *delivery, const int16_t *frame, bool lateral,
                            uint32_t *total)
{
    const struct snn_projection_state *state = delivery->state;
    uint32_t presented = 0;
    uint32_t cell = 0;
    for (uint32_t y = 0; y < state->pooled.height; y++) {
        for (uint32_t x = 0; x < state->pooled.width; x++) {
            for (uint32_t c = 0; c < state->pooled.channels; c++, cell++) {
                const int32_t value = snn_pooled_value(state, frame, c, y, x);
                const int32_t weight =
                    lateral ? -delivery->projection->weights.values[0] : weight_of(delivery, cell);
                if (value != 0 && weight != 0) {
                    /* Modulo 2^32; the sum of all that reaches a neuron is below 2^24. */
                    snn_sum_add(delivery, cell, snn_s32((uint32_t)value * (uint32_t)weight));
                    *total += (uint32_t)value;
                    presented++;
                }
            }
        }
    }
    return presented;
}

void snn_one_to_one_values(struct snn_delivery *delivery, const int16_t *frame)
{
    uint32_t total = 0;
    const uint32_t macs = take_values(delivery, frame, false, &total);
    delivery->state->counters.macs += delivery->counted ? macs : 0;
}

/*
 * Lateral: a neuron gets weight * (all spikes - its own). weight * all is the same for every
 * neuron: the neuron pass gets it as one number, `common`. Here each neuron's own spikes are
 * subtracted.
 */

void snn_lateral_spikes(struct snn_delivery *delivery, const struct snn_source *source)
{
    uint32_t indices[SNN_CHUNK];
    struct snn_cursor cursor;
    const int32_t weight =
        snn_shift_left_s32(delivery->projection->weights.values[0], delivery->projection->shift);
    const uint32_t others = delivery->state->target_size - 1;
    snn_cursor_begin(&cursor, source, delivery->snn->kernels);
    for (uint32_t count; (count = snn_cursor_next(&cursor, indices)) > 0;) {
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t cell = arrive(delivery, indices[i]);
            if (cell != SNN_OUTSIDE && weight != 0) {
                snn_sum_add(delivery, cell, -weight);
                delivery->common = snn_add_s32(delivery->common, weight);
                delivery->state->counters.synops += others;
                delivery->snn->weight_bytes++;
            }
        }
    }
}

void snn_lateral_values(struct snn_delivery *delivery, const int16_t *frame)
{
    uint32_t total = 0;
    const uint32_t presented = take_values(delivery, frame, true, &total);
    const int32_t weight = delivery->projection->weights.values[0];
    delivery->common = snn_s32(total * (uint32_t)weight);
    if (delivery->counted) {
        delivery->state->counters.macs += (uint64_t)presented * (delivery->state->target_size - 1);
    }
}
