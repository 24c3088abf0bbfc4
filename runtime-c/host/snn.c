/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/fixed_point.h"
#include "snn/scores.h"
#include "checks.h"
#include "deliver.h"
#include "input.h"
#include "layout.h"
#include "model.h"

#include <string.h>

/* The life of a network and its time step. */

/* ---- Life cycle ---- */

size_t snn_state_size(const struct snn_model *model)
{
    struct snn_plan plan;
    if (snn_plan_model(model, &plan, NULL) != SNN_OK) {
        return 0;
    }
    return snn_lay_out(model, &plan, NULL) + SNN_ALIGNMENT - 1;
}

enum snn_status snn_init(struct snn **snn, const struct snn_model *model, void *memory, size_t size)
{
    struct snn_plan plan;
    if (snn == NULL) {
        return SNN_ERROR_ARGUMENT;
    }
    *snn = NULL;
    if (model == NULL || memory == NULL) {
        return SNN_ERROR_ARGUMENT;
    }
    const enum snn_status status = snn_plan_model(model, &plan, NULL);
    if (status != SNN_OK) {
        return status;
    }
    if (size < snn_lay_out(model, &plan, NULL) + SNN_ALIGNMENT - 1) {
        return SNN_ERROR_MEMORY;
    }
    const uintptr_t misaligned = (uintptr_t)memory & (SNN_ALIGNMENT - 1);
    uint8_t *base = (uint8_t *)memory + (misaligned == 0 ? 0 : SNN_ALIGNMENT - misaligned);
    (void)snn_lay_out(model, &plan, base);
    *snn = (struct snn *)(void *)base;
    (*snn)->kernels = snn_best_kernels();
    snn_reset(*snn);
    return SNN_OK;
}

/** Sets membranes to their initial values. */
static void reset_membranes(const struct snn_population *population,
                            struct snn_population_state *state)
{
    uint32_t k = 0;
    state->any_membrane = false;
    if (population->initial_count == 0) {
        memset(state->membrane, 0,
               state->size * (population->kind == SNN_READOUT ? sizeof(int32_t) : sizeof(int16_t)));
        return;
    }
    for (uint32_t i = 0; i < state->size; i++) {
        const int32_t v = population->initial[k];
        k = ++k < population->initial_count ? k : 0;
        state->any_membrane = state->any_membrane || v != 0;
        if (population->kind == SNN_READOUT) {
            ((int32_t *)state->membrane)[i] = v;
        } else {
            ((int16_t *)state->membrane)[i] = (int16_t)v;
        }
    }
}

void snn_reset(struct snn *snn)
{
    for (uint32_t i = 0; i < snn->model->input_count; i++) {
        struct snn_input_state *input = &snn->inputs[i];
        if (input->bits != NULL) {
            memset(input->bits, 0, (size_t)input->slots * input->words * sizeof(uint32_t));
        }
        memset(input->count, 0, input->slots * sizeof(uint32_t));
        input->presented = false;
        input->fresh = false;
        memset(&input->counters, 0, sizeof input->counters);
    }
    for (uint32_t p = 0; p < snn->model->population_count; p++) {
        struct snn_population_state *state = &snn->populations[p];
        reset_membranes(&snn->model->populations[p], state);
        if (state->spikes != NULL) {
            memset(state->spikes, 0, (size_t)state->words * state->slots * sizeof(uint32_t));
            memset(state->spike_count, 0, state->slots * sizeof(uint32_t));
        }
        if (state->refractory != NULL) {
            memset(state->refractory, 0, state->size);
        }
        if (state->current != NULL) {
            memset(state->current, 0, state->size * sizeof(int32_t));
        }
        state->any_current = false;
        state->active_steps = state->any_membrane ? 1 : 0;
        state->spikes_out = 0;
        state->saturations = 0;
        state->skipped = 0;
        snn_set_steady(snn, p);
    }
    for (uint32_t i = 0; i < snn->tap_count; i++) {
        memset(&snn->taps[i].counters, 0, sizeof snn->taps[i].counters);
    }
    snn->seed = 0;
    snn->steps = 0;
    snn->decided = false;
    snn_event_time_reset(&snn->time, snn->model->steps);
    snn->weight_bytes = 0;
}

/* ---- The time step ---- */

/**
 * The spikes that a tap delivers in `step`: those that its source emitted tap->delay steps before.
 */
static struct snn_source find_source(const struct snn *snn, const struct snn_projection_state *tap,
                                     uint32_t step)
{
    struct snn_source source = {0};
    const struct snn_projection *projection = tap->projection;
    if (projection->from_input) {
        const struct snn_input_state *input = &snn->inputs[projection->source];
        const uint32_t slot = snn_slot(step - tap->delay, input->slots);
        if (input->bits != NULL) {
            source.bits = input->bits + (size_t)slot * input->words;
        } else {
            source.list = input->list +
                          (size_t)slot * snn->model->inputs[projection->source].max_events_per_step;
        }
        source.words = input->words;
        source.count = input->count[slot];
    } else {
        const struct snn_population_state *population = &snn->populations[projection->source];
        const uint32_t slot = snn_slot(step - tap->delay, population->slots);
        source.bits = population->spikes + (size_t)slot * population->words;
        source.words = population->words;
        source.count = population->spike_count[slot];
    }
    return source;
}

/** Delivers everything that arrives at a population in this step; true when something did. */
static bool deliver(struct snn *snn, uint32_t index, uint32_t step, int32_t *common)
{
    struct snn_population_state *state = &snn->populations[index];
    const bool readout = snn->model->populations[index].kind == SNN_READOUT;
    const bool direct = state->accumulator == SNN_ACCUMULATOR_DIRECT;
    const bool wide = readout || state->accumulator == SNN_ACCUMULATOR_S32;
    void *sum = direct ? state->membrane : snn->sum;
    bool arrived = false;
    bool valued = false;       /* a tap of a projection from values has delivered */
    int32_t valued_common = 0; /* what its taps add to all neurons */
    for (uint32_t i = 0; i < state->incoming_count; i++) {
        struct snn_projection_state *tap = &snn->taps[snn->incoming[state->incoming + i]];
        const struct snn_projection *projection = tap->projection;
        struct snn_delivery delivery = {snn, projection, tap, NULL, true, true, 0, 0};
        /* Before step 0 there was neither spike nor frame. */
        const bool under_way = tap->delay <= step;
        if (!snn_is_from_values(snn->model, projection)) {
            if (!under_way) {
                continue;
            }
            const struct snn_source source = find_source(snn, tap, step);
            delivery.sum = sum;
            delivery.wide = wide;
            if (source.count > 0) {
                snn_deliver_spikes(&delivery, &source);
                *common = snn_add_s32(*common, delivery.common);
                arrived = arrived || delivery.arrived > 0;
            }
        } else if (!snn_is_held(snn->model, projection)) {
            const struct snn_input_state *input = &snn->inputs[projection->source];
            const uint32_t slot = snn_slot(step - tap->delay, input->slots);
            if (under_way && input->count[slot] > 0) {
                snn_deliver_values(&delivery, input->frame + (size_t)slot * input->size);
                valued_common = snn_add_s32(valued_common, delivery.common);
                valued = true;
            }
            if (valued && tap->last) {
                /* The sum of all taps is rounded once. */
                delivery.common = valued_common;
                snn_add_value_sums(snn, &delivery, sum, wide);
                arrived = true;
                valued = false;
                valued_common = 0;
            }
        }
    }
    return arrived;
}

static void step_lif(struct snn *snn, uint32_t index, uint32_t step)
{
    const struct snn_population *population = &snn->model->populations[index];
    struct snn_population_state *state = &snn->populations[index];
    const bool leaky = state->leak.values != NULL;
    const bool direct = state->accumulator == SNN_ACCUMULATOR_DIRECT;
    const uint32_t slot = snn_slot(step, state->slots);
    uint32_t *spikes = state->spikes + (size_t)slot * state->words;
    int32_t common = state->common_bias;
    if (direct && leaky && state->any_membrane) {
        snn->kernels->leak(state->membrane, &state->leak, state->size);
    }
    const bool arrived = deliver(snn, index, step, &common);
    /*
     * Skip this population: no input, no bias, no neuron waiting to fire, no membrane that leaks. A
     * membrane at 0 does not fire: 0 > threshold and 0 >= threshold are false for every threshold
     * allowed.
     */
    if (!arrived && !state->driven && !state->any_current && state->active_steps == 0 &&
        !(leaky && state->any_membrane)) {
        if (state->spike_count[slot] != 0) {
            memset(spikes, 0, state->words * sizeof(uint32_t));
            state->spike_count[slot] = 0;
        }
        state->skipped++;
        return;
    }
    struct snn_lif_pass pass = {0};
    pass.steady = state->steady_parameter;
    pass.common = common;
    if (state->current != NULL) {
        snn_current_step(state, snn->sum, common);
        pass.steady = state->bias;
        pass.common = population->bias_count == 1 ? population->bias[0] : 0;
    }
    pass.membrane = state->membrane;
    pass.sum = snn->sum;
    pass.refractory = state->refractory;
    pass.spikes = spikes;
    pass.threshold = state->threshold;
    pass.leak = state->leak;
    if (direct) {
        pass.leak.values = NULL;
    }
    pass.count = state->size;
    pass.floor = population->floor;
    pass.ceiling = population->ceiling;
    pass.reset_value = population->reset_value;
    pass.accumulator = state->accumulator;
    pass.reset = population->reset;
    pass.compare = population->compare;
    pass.refractory_steps = population->refractory_steps;
    snn->kernels->lif(&pass);
    state->spike_count[slot] = pass.spike_count;
    state->spikes_out += pass.spike_count;
    state->saturations += pass.saturations;
    state->any_membrane = pass.any_membrane;
    /*
     * A reset may leave a neuron above the threshold. It fires again after its refractory steps, so
     * the population is not skipped until then.
     */
    if (pass.spike_count > 0) {
        state->active_steps = (uint32_t)population->refractory_steps + 1;
    } else if (state->active_steps > 0) {
        state->active_steps--;
    }
}

static void step_readout(struct snn *snn, uint32_t index, uint32_t step)
{
    struct snn_population_state *state = &snn->populations[index];
    int32_t common = state->common_bias;
    const bool leaky = state->leak.values != NULL && state->any_membrane;
    if (leaky) {
        snn_readout_leak(state);
    }
    const bool arrived = deliver(snn, index, step, &common);
    if (common != 0 || state->steady_parameter.values != NULL) {
        snn_readout_steady(state, common);
    }
    if (arrived || state->driven) {
        state->any_membrane = true;
    } else if (!leaky) {
        state->skipped++;
    }
}

static void step_population(struct snn *snn, uint32_t index, uint32_t step)
{
    if (snn->model->populations[index].kind == SNN_LIF) {
        step_lif(snn, index, step);
    } else {
        step_readout(snn, index, step);
    }
}

/** Whether the model's exit rule holds after the last step. */
static bool exits(const struct snn *snn)
{
    const struct snn_exit *rule = &snn->model->exit;
    if (rule->rule == SNN_EXIT_MARGIN) {
        uint32_t count = 0;
        const int32_t *scores = snn_scores(snn, &count);
        return snn_score_margin(scores, count) >= rule->margin;
    }
    uint32_t spikes = 0;
    if (rule->rule == SNN_EXIT_FIRST_SPIKE) {
        (void)snn_spikes(snn, rule->population, &spikes);
    }
    return spikes > 0;
}

/**
 * Runs `count` steps, 1 <= count <= block. Each population runs all of them before the next one
 * begins.
 */
static void step_block(struct snn *snn, uint32_t count)
{
    snn_begin_step(snn);
    for (uint32_t n = 0; n < snn->model->population_count; n++) {
        for (uint32_t t = 0; t < count; t++) {
            step_population(snn, snn->order[n], snn->steps + t);
        }
    }
    snn->steps += count;
    snn_open_step(snn);
    snn->decided = exits(snn);
}

enum snn_status snn_step(struct snn *snn)
{
    if (snn_is_over(snn)) {
        return SNN_ERROR_STEPS;
    }
    step_block(snn, 1);
    if (snn->trace != NULL) {
        for (uint32_t p = 0; p < snn->model->population_count; p++) {
            snn->trace(snn->trace_context, snn, snn->steps - 1, p);
        }
    }
    return SNN_OK;
}

enum snn_status snn_run(struct snn *snn, uint32_t steps)
{
    if (steps > 0 && snn_is_over(snn)) {
        return SNN_ERROR_STEPS;
    }
    const uint32_t left = snn->model->max_steps - snn->steps;
    const uint32_t end = snn->steps + (steps < left ? steps : left);
    while (snn->steps < end && !snn->decided) {
        if (snn->block > 1 && snn->trace == NULL) {
            step_block(snn, end - snn->steps < snn->block ? end - snn->steps : snn->block);
        } else if (snn_step(snn) != SNN_OK) {
            return SNN_ERROR_STEPS;
        }
    }
    return steps <= left || snn->decided ? SNN_OK : SNN_ERROR_STEPS;
}

bool snn_is_decided(const struct snn *snn)
{
    return snn->decided;
}

uint32_t snn_steps(const struct snn *snn)
{
    return snn->steps;
}
