/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_table.h"
#include "layout.h"
#include "model.h"
#include "state.h"

#include <string.h>

/*
 * Where every array of a network lies. The same walk runs twice: without memory it only counts
 * bytes, with memory it places the arrays. An array that can be used as the model holds it is not
 * copied.
 */

/**
 * Smallest multiple of `channels` that is a multiple of 32, or the whole population where that is
 * less.
 */
static uint32_t tile_period(uint32_t channels, uint32_t neurons)
{
    uint32_t period = channels;
    while (period % 32 != 0 && period < neurons) {
        period *= 2;
    }
    return period < neurons ? period : neurons;
}

/**
 * An array parameter of `count` entries of `size` bytes, repeated so that kernels may read 32 at a
 * time.
 */
static struct snn_parameter make_parameter(struct snn_memory *memory, const void *values,
                                           uint32_t count, size_t size,
                                           const struct snn_shape *shape)
{
    const uint32_t neurons = snn_shape_size(shape);
    struct snn_parameter parameter = {values, count};
    if (count > 1 && count != neurons && count % 32 != 0) {
        parameter.period = tile_period(count, neurons);
        uint8_t *tiles = snn_take(memory, parameter.period, size);
        for (uint32_t i = 0; tiles != NULL && i < parameter.period; i += count) {
            const uint32_t left = parameter.period - i;
            memcpy(tiles + i * size, values, (left < count ? left : count) * size);
        }
        parameter.values = tiles;
    }
    return parameter;
}

static bool leaks(const struct snn_population *population)
{
    for (uint32_t i = 0; i < population->leak_count; i++) {
        if (population->leak[i] != 32768) {
            return true;
        }
    }
    return false;
}

static bool has_held_input(const struct snn_model *model, uint32_t population)
{
    for (uint32_t q = 0; q < model->projection_count; q++) {
        if (model->projections[q].target == population &&
            snn_is_held(model, &model->projections[q])) {
            return true;
        }
    }
    return false;
}

/**
 * Decides where the steady current of a population lies: in an array of its own, in the model's
 * array of biases, or in one number, `common_bias`.
 */
static void place_steady(struct snn_memory *memory, const struct snn_model *model, uint32_t index,
                         struct snn_population_state *state)
{
    const struct snn_population *population = &model->populations[index];
    const bool held = has_held_input(model, index);
    const bool wide = population->kind == SNN_READOUT || state->accumulator == SNN_ACCUMULATOR_S32;
    const bool has_current = population->current_leak_count > 0;
    state->driven = held;
    for (uint32_t i = 0; i < population->bias_count; i++) {
        state->driven = state->driven || population->bias[i] != 0;
    }
    if (has_current && population->bias_count > 1) {
        state->bias = make_parameter(memory, population->bias, population->bias_count,
                                     sizeof(int32_t), &population->shape);
    }
    if (has_current && !held) {
        return;
    }
    if (held) {
        state->steady_parameter.period = state->size;
    } else if (population->bias_count <= 1) {
        state->common_bias = population->bias_count == 1 ? population->bias[0] : 0;
        return;
    } else if (wide &&
               (population->bias_count == state->size || population->bias_count % 32 == 0)) {
        state->steady_parameter.values = population->bias;
        state->steady_parameter.period = population->bias_count;
        return;
    } else {
        state->steady_parameter.period = tile_period(population->bias_count, state->size);
    }
    state->steady =
        snn_take(memory, state->steady_parameter.period, wide ? sizeof(int32_t) : sizeof(int16_t));
    state->steady_parameter.values = state->steady;
}

static struct snn_population_state place_population(struct snn_memory *memory,
                                                    const struct snn_model *model, uint32_t index,
                                                    uint8_t accumulator, uint32_t slots)
{
    const struct snn_population *population = &model->populations[index];
    struct snn_population_state state = {0};
    state.size = snn_shape_size(&population->shape);
    state.words = (state.size + 31) / 32;
    state.accumulator = accumulator;
    state.slots = slots;
    if (leaks(population)) {
        state.leak = make_parameter(memory, population->leak, population->leak_count,
                                    sizeof(uint16_t), &population->shape);
    } else {
        state.leak.period = 0;
    }
    place_steady(memory, model, index, &state);
    if (population->kind == SNN_READOUT) {
        state.membrane = snn_take(memory, state.size, sizeof(int32_t));
        return state;
    }
    state.threshold = make_parameter(memory, population->threshold, population->threshold_count,
                                     sizeof(int16_t), &population->shape);
    state.membrane = snn_take(memory, state.size, sizeof(int16_t));
    state.spikes = snn_take(memory, (uint64_t)state.words * slots, sizeof(uint32_t));
    state.spike_count = snn_take(memory, slots, sizeof(uint32_t));
    if (population->current_leak_count > 0) {
        state.current = snn_take(memory, state.size, sizeof(int32_t));
        state.current_leak =
            make_parameter(memory, population->current_leak, population->current_leak_count,
                           sizeof(uint16_t), &population->shape);
    }
    if (population->refractory_steps > 0) {
        state.refractory = snn_take(memory, state.size, sizeof(uint8_t));
    }
    return state;
}

static struct snn_input_state place_input(struct snn_memory *memory, const struct snn_input *input,
                                          uint32_t slots)
{
    struct snn_input_state state = {0};
    state.slots = slots;
    state.count = snn_take(memory, slots, sizeof(uint32_t));
    state.size = snn_shape_size(&input->shape);
    state.words = (state.size + 31) / 32;
    if (input->encoder != SNN_ENCODER_NONE) {
        state.frame = snn_take(memory, state.size, sizeof(int16_t));
        state.bits = snn_take(memory, (uint64_t)slots * state.words, sizeof(uint32_t));
    } else if (input->kind == SNN_VALUES) {
        state.frame = snn_take(memory, (uint64_t)slots * state.size, sizeof(int16_t));
    } else if (input->multiplicity == SNN_EVERY) {
        state.list =
            snn_take(memory, (uint64_t)slots * input->max_events_per_step, sizeof(uint32_t));
    } else {
        state.bits = snn_take(memory, (uint64_t)slots * state.words, sizeof(uint32_t));
    }
    return state;
}

/**
 * How many steps a population may run before the next population begins: a block where all input is
 * held and nothing is delayed, else 1.
 */
static uint32_t count_block(const struct snn_model *model)
{
    if (model->exit.rule != SNN_EXIT_NEVER) {
        return 1;
    }
    for (uint32_t i = 0; i < model->input_count; i++) {
        if (model->inputs[i].kind != SNN_VALUES || model->inputs[i].frame_per_step ||
            model->inputs[i].encoder != SNN_ENCODER_NONE) {
            return 1;
        }
    }
    for (uint32_t q = 0; q < model->projection_count; q++) {
        if (model->projections[q].delay != 0 || model->projections[q].taps > 1) {
            return 1;
        }
    }
    return SNN_RUN_BLOCK;
}

/**
 * How many steps of a source are kept: one more than the longest delay with which a tap reads the
 * source.
 */
static uint32_t count_slots(const struct snn_model *model, bool from_input, uint32_t source)
{
    uint32_t reach = 0;
    for (uint32_t q = 0; q < model->projection_count; q++) {
        const struct snn_projection *projection = &model->projections[q];
        if (projection->from_input == from_input && projection->source == source) {
            const uint32_t delay = snn_tap_delay(projection, snn_tap_count(projection) - 1);
            reach = delay > reach ? delay : reach;
        }
    }
    return reach + 1;
}

/**
 * Places the accumulator that all populations share, and the sums of values. These lie in the
 * accumulator's memory too, unless both are in use at once.
 */
static void place_sums(struct snn_memory *memory, const struct snn_model *model,
                       const struct snn_plan *plan, struct snn *snn)
{
    size_t sum = 0;
    size_t values = 0;
    bool at_once = false;
    for (uint32_t p = 0; p < model->population_count; p++) {
        const size_t size = snn_shape_size(&model->populations[p].shape);
        const size_t bytes = plan->accumulator[p] == SNN_ACCUMULATOR_DIRECT ? 0
                             : plan->accumulator[p] == SNN_ACCUMULATOR_S16  ? size * sizeof(int16_t)
                                                                           : size * sizeof(int32_t);
        sum = bytes > sum ? bytes : sum;
    }
    for (uint32_t q = 0; q < model->projection_count; q++) {
        const struct snn_projection *projection = &model->projections[q];
        const size_t size = snn_shape_size(&model->populations[projection->target].shape);
        if (snn_is_from_values(model, projection)) {
            values = size > values ? size : values;
            at_once = at_once || !snn_is_held(model, projection);
        }
    }
    snn->value_sum_size = values;
    if (at_once) {
        snn->value_sum = snn_take(memory, values, sizeof(int32_t));
    } else if (values * sizeof(int32_t) > sum) {
        sum = values * sizeof(int32_t);
    }
    snn->sum = snn_take(memory, sum, 1);
    if (!at_once) {
        snn->value_sum = snn->sum;
    }
}

size_t snn_lay_out(const struct snn_model *model, const struct snn_plan *plan, uint8_t *base)
{
    struct snn_memory memory = {base, 0};
    struct snn *snn = snn_take(&memory, 1, sizeof(struct snn));
    struct snn made = {0};
    made.model = model;
    made.inputs = snn_take(&memory, model->input_count, sizeof(struct snn_input_state));
    made.populations =
        snn_take(&memory, model->population_count, sizeof(struct snn_population_state));
    for (uint32_t q = 0; q < model->projection_count; q++) {
        made.tap_count += snn_tap_count(&model->projections[q]);
    }
    made.taps = snn_take(&memory, made.tap_count, sizeof(struct snn_projection_state));
    made.order = snn_take(&memory, model->population_count, sizeof(uint16_t));
    made.incoming = snn_take(&memory, made.tap_count, sizeof(uint16_t));
    made.block = count_block(model);
    for (uint32_t i = 0; i < model->input_count; i++) {
        const struct snn_input_state state =
            place_input(&memory, &model->inputs[i], count_slots(model, true, i));
        if (base != NULL) {
            made.inputs[i] = state;
        }
    }
    uint32_t incoming = 0;
    for (uint32_t p = 0; p < model->population_count; p++) {
        const uint32_t slots = made.block > 1 ? made.block : count_slots(model, false, p);
        struct snn_population_state state =
            place_population(&memory, model, p, plan->accumulator[p], slots);
        if (base == NULL) {
            continue;
        }
        made.order[p] = plan->order[p];
        state.incoming = incoming;
        uint32_t tap = 0;
        for (uint32_t q = 0; q < model->projection_count; q++) {
            for (uint32_t k = snn_tap_count(&model->projections[q]); k > 0; k--, tap++) {
                if (model->projections[q].target == p) {
                    made.incoming[incoming++] = (uint16_t)tap;
                }
            }
        }
        state.incoming_count = incoming - state.incoming;
        made.populations[p] = state;
    }
    uint32_t placed = 0;
    struct snn_projection_state state = {0};
    for (uint32_t q = 0; q < model->projection_count; q++) {
        for (uint32_t tap = 0; tap < snn_tap_count(&model->projections[q]); tap++, placed++) {
            state = snn_place_tap(&memory, model, q, tap, &state);
            if (base != NULL) {
                made.taps[placed] = state;
            }
        }
    }
    place_sums(&memory, model, plan, &made);
    if (base != NULL) {
        memset(made.sum, 0, (size_t)(base + memory.used - (uint8_t *)made.sum));
        memset(made.value_sum, 0, made.value_sum_size * sizeof(int32_t));
        *snn = made;
    }
    const uint64_t most = SIZE_MAX - SNN_ALIGNMENT;
    return (size_t)(memory.used < most ? memory.used : most);
}
