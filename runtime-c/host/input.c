/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/fixed_point.h"
#include "snn/poisson.h"
#include "deliver.h"
#include "input.h"
#include "model.h"

#include <string.h>

/* Input: events, frames of values, and the steady currents that held frames cause. */

/* ---- Events ---- */

struct snn_input_state *snn_event_port(struct snn *snn, uint32_t port)
{
    return port < snn->model->input_count && snn->model->inputs[port].kind == SNN_EVENTS
               ? &snn->inputs[port]
               : NULL;
}

bool snn_is_over(const struct snn *snn)
{
    return snn->decided || snn->steps >= snn->model->max_steps;
}

bool snn_inject(struct snn *snn, uint32_t port, uint32_t index)
{
    struct snn_input_state *input = &snn->inputs[port];
    const uint32_t slot = snn_slot(snn->steps, input->slots);
    if (index >= input->size) {
        input->counters.dropped_outside++;
        return false;
    }
    if (input->list != NULL) {
        const uint32_t most = snn->model->inputs[port].max_events_per_step;
        if (input->count[slot] == most) {
            input->counters.dropped_overflow++;
            return false;
        }
        input->list[(size_t)slot * most + input->count[slot]++] = index;
        input->counters.events++;
        return true;
    }
    uint32_t *word = &input->bits[(size_t)slot * input->words + (index >> 5)];
    const uint32_t bit = UINT32_C(1) << (index & 31);
    if ((*word & bit) == 0) {
        *word |= bit;
        input->count[slot]++;
        input->counters.events++;
    }
    return true;
}

bool snn_event(struct snn *snn, uint32_t port, uint32_t index)
{
    struct snn_input_state *input = snn_event_port(snn, port);
    if (input == NULL) {
        return false;
    }
    if (index < input->size && snn_is_over(snn)) {
        input->counters.dropped_late++;
        return false;
    }
    return snn_inject(snn, port, index);
}

/* ---- Values ---- */

/**
 * Finds where the port keeps a frame of `count` values that is presented now; an error if it does
 * not take one.
 */
static enum snn_status value_port(struct snn *snn, uint32_t port, const void *values,
                                  uint32_t count, int16_t **frame)
{
    if (values == NULL || port >= snn->model->input_count ||
        snn->model->inputs[port].kind != SNN_VALUES || snn->inputs[port].size != count) {
        return SNN_ERROR_ARGUMENT;
    }
    const struct snn_input_state *input = &snn->inputs[port];
    /* An encoder reads the frame in the open step, and keeps what it made of it. */
    const bool encodes = snn->model->inputs[port].encoder != SNN_ENCODER_NONE;
    const uint32_t slot = encodes ? 0 : snn_slot(snn->steps, input->slots);
    *frame = input->frame + (size_t)slot * input->size;
    return snn_is_over(snn) ? SNN_ERROR_STEPS : SNN_OK;
}

/** Takes note that a frame was presented, which counts from the open step on. */
static void take_frame(struct snn *snn, uint32_t port)
{
    struct snn_input_state *input = &snn->inputs[port];
    if (snn->model->inputs[port].encoder == SNN_ENCODER_NONE) {
        input->count[snn_slot(snn->steps, input->slots)] = 1;
    }
    input->presented = true;
    input->fresh = true;
}

enum snn_status snn_values_u8(struct snn *snn, uint32_t port, const uint8_t *values, uint32_t count)
{
    int16_t *frame = NULL;
    const enum snn_status status = value_port(snn, port, values, count, &frame);
    if (status != SNN_OK) {
        return status;
    }
    uint8_t low = UINT8_MAX;
    uint8_t high = 0;
    for (uint32_t i = 0; i < count; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    if (low < snn->model->inputs[port].min_value || high > snn->model->inputs[port].max_value) {
        return SNN_ERROR_VALUE;
    }
    for (uint32_t i = 0; i < count; i++) {
        frame[i] = values[i];
    }
    take_frame(snn, port);
    return SNN_OK;
}

enum snn_status snn_values_s16(struct snn *snn, uint32_t port, const int16_t *values,
                               uint32_t count)
{
    int16_t *frame = NULL;
    const enum snn_status status = value_port(snn, port, values, count, &frame);
    if (status != SNN_OK) {
        return status;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (values[i] < snn->model->inputs[port].min_value ||
            values[i] > snn->model->inputs[port].max_value) {
            return SNN_ERROR_VALUE;
        }
    }
    memcpy(frame, values, count * sizeof(int16_t));
    take_frame(snn, port);
    return SNN_OK;
}

/** Makes the spikes of the open step from the frame of a port that has an encoder. */
static void encode(struct snn *snn, uint32_t port)
{
    struct snn_input_state *input = &snn->inputs[port];
    const uint32_t slot = snn_slot(snn->steps, input->slots);
    const uint32_t gain = snn->model->inputs[port].gain;
    const uint32_t first = snn->steps * input->size;
    uint32_t *bits = input->bits + (size_t)slot * input->words;
    uint32_t count = 0;
    for (uint32_t i = 0; input->presented && i < input->size; i++) {
        const uint32_t chance = snn_poisson_chance(snn->seed, port, first + i);
        if (snn_poisson_spikes((uint32_t)input->frame[i], gain, chance)) {
            bits[i >> 5] |= UINT32_C(1) << (i & 31);
            count++;
        }
    }
    input->count[slot] = count;
    input->counters.events += count;
}

void snn_seed(struct snn *snn, uint32_t seed)
{
    snn->seed = seed;
}

void snn_add_value_sums(struct snn *snn, const struct snn_delivery *delivery, void *sum, bool wide)
{
    int32_t *values = snn->value_sum;
    const uint32_t shift = delivery->projection->shift;
    const uint32_t size = delivery->state->target_size;
    const uint32_t common = (uint32_t)delivery->common;
    if (wide) {
        int32_t *to = sum;
        for (uint32_t i = 0; i < size; i++) {
            to[i] =
                snn_add_s32(to[i], snn_scale_value(snn_s32((uint32_t)values[i] + common), shift));
        }
    } else {
        int16_t *to = sum;
        for (uint32_t i = 0; i < size; i++) {
            const uint32_t scaled =
                (uint32_t)snn_scale_value(snn_s32((uint32_t)values[i] + common), shift);
            to[i] = snn_s16((uint32_t)to[i] + scaled);
        }
    }
    memset(values, 0, size * sizeof *values);
}

/** The bias of a population into its steady currents. */
static void set_bias(const struct snn_population *population, struct snn_population_state *state,
                     bool wide)
{
    uint32_t k = 0;
    if (population->bias_count == 0 || state->current != NULL) {
        memset(state->steady, 0,
               state->steady_parameter.period * (wide ? sizeof(int32_t) : sizeof(int16_t)));
        return;
    }
    for (uint32_t i = 0; i < state->steady_parameter.period; i++) {
        const int32_t bias = population->bias[k];
        k = ++k < population->bias_count ? k : 0;
        if (wide) {
            ((int32_t *)state->steady)[i] = bias;
        } else {
            ((int16_t *)state->steady)[i] = (int16_t)bias;
        }
    }
}

void snn_set_steady(struct snn *snn, uint32_t index)
{
    const struct snn_population *population = &snn->model->populations[index];
    struct snn_population_state *state = &snn->populations[index];
    const bool wide = population->kind == SNN_READOUT || state->accumulator == SNN_ACCUMULATOR_S32;
    if (state->steady == NULL) {
        return;
    }
    set_bias(population, state, wide);
    for (uint32_t i = 0; i < state->incoming_count; i++) {
        struct snn_projection_state *tap = &snn->taps[snn->incoming[state->incoming + i]];
        const struct snn_projection *projection = tap->projection;
        if (snn_is_held(snn->model, projection) && snn->inputs[projection->source].presented) {
            const struct snn_input_state *input = &snn->inputs[projection->source];
            struct snn_delivery delivery = {snn, projection, tap, NULL, true, input->fresh, 0, 0};
            snn_deliver_values(&delivery, input->frame);
            snn_add_value_sums(snn, &delivery, state->steady, wide);
        }
    }
}

void snn_begin_step(struct snn *snn)
{
    bool any = false;
    for (uint32_t i = 0; i < snn->model->input_count; i++) {
        if (snn->model->inputs[i].encoder != SNN_ENCODER_NONE) {
            encode(snn, i);
        }
        any = any || (snn->inputs[i].fresh && !snn->model->inputs[i].frame_per_step);
    }
    for (uint32_t p = 0; any && p < snn->model->population_count; p++) {
        const struct snn_population_state *state = &snn->populations[p];
        for (uint32_t i = 0; i < state->incoming_count; i++) {
            const struct snn_projection *projection =
                snn->taps[snn->incoming[state->incoming + i]].projection;
            if (snn_is_held(snn->model, projection) && snn->inputs[projection->source].fresh) {
                snn_set_steady(snn, p);
                break;
            }
        }
    }
    for (uint32_t i = 0; any && i < snn->model->input_count; i++) {
        if (!snn->model->inputs[i].frame_per_step) {
            snn->inputs[i].fresh = false;
        }
    }
}

void snn_open_step(struct snn *snn)
{
    for (uint32_t i = 0; i < snn->model->input_count; i++) {
        struct snn_input_state *input = &snn->inputs[i];
        const uint32_t slot = snn_slot(snn->steps, input->slots);
        if (input->count[slot] > 0 && input->bits != NULL) {
            memset(input->bits + (size_t)slot * input->words, 0, input->words * sizeof(uint32_t));
        }
        input->count[slot] = 0;
        input->fresh = false;
        if (snn->model->inputs[i].frame_per_step) {
            input->presented = false;
        }
    }
}
