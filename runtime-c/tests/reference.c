/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include "check.h"

#include <string.h>

/* Written from models/FORMAT.md alone; shares no line with the engine. */

static int64_t parameter(const int32_t *values, uint32_t count, const struct snn_shape *shape,
                         uint32_t neuron, int64_t otherwise)
{
    if (count == 0) {
        return otherwise;
    }
    return values[count == 1                       ? 0
                  : count == snn_shape_size(shape) ? neuron
                                                   : neuron % shape->channels];
}

static int64_t threshold_of(const struct snn_population *p, uint32_t neuron)
{
    const uint32_t n = p->threshold_count;
    return p->threshold[n == 1                           ? 0
                        : n == snn_shape_size(&p->shape) ? neuron
                                                         : neuron % p->shape.channels];
}

static int64_t leak_of(const struct snn_population *p, uint32_t neuron)
{
    const uint32_t n = p->leak_count;
    return n == 0 ? 32768
                  : p->leak[n == 1                           ? 0
                            : n == snn_shape_size(&p->shape) ? neuron
                                                             : neuron % p->shape.channels];
}

static int64_t current_leak_of(const struct snn_population *p, uint32_t neuron)
{
    const uint32_t n = p->current_leak_count;
    return p->current_leak[n == 1                           ? 0
                           : n == snn_shape_size(&p->shape) ? neuron
                                                            : neuron % p->shape.channels];
}

static int32_t *emission(const struct emissions *emissions, uint32_t step)
{
    return emissions->numbers + (size_t)(step % emissions->slots) * emissions->size;
}

static void make_emissions(struct reference *reference, struct emissions *emissions,
                           bool from_input, uint32_t source, uint32_t size)
{
    uint32_t reach = 0;
    for (uint32_t q = 0; q < reference->test->model.projection_count; q++) {
        const struct snn_projection *projection = &reference->test->projections[q];
        if (projection->from_input == from_input && projection->source == source) {
            const uint32_t later = projection->taps > 1 ? projection->taps - 1u : 0;
            const uint32_t delay = projection->delay + later * projection->tap_step;
            reach = delay > reach ? delay : reach;
        }
    }
    emissions->size = size;
    emissions->slots = reach + 1;
    emissions->numbers =
        model_memory(&reference->memory, (size_t)emissions->slots * size * sizeof(int32_t));
}

void reference_init(struct reference *reference, const struct test_model *test)
{
    memset(reference, 0, sizeof *reference);
    reference->test = test;
    for (uint32_t p = 0; p < test->model.population_count; p++) {
        const struct snn_population *population = &test->populations[p];
        const uint32_t n = snn_shape_size(&population->shape);
        reference->membrane[p] = model_memory(&reference->memory, n * sizeof(int64_t));
        make_emissions(reference, &reference->emitted[p], false, p, n);
        reference->current[p] = model_memory(&reference->memory, n * sizeof(int64_t));
        reference->refractory[p] = model_memory(&reference->memory, n * sizeof(uint32_t));
        for (uint32_t i = 0; i < n; i++) {
            reference->membrane[p][i] =
                parameter(population->initial, population->initial_count, &population->shape, i, 0);
        }
    }
    for (uint32_t i = 0; i < test->model.input_count; i++) {
        const uint32_t n = snn_shape_size(&test->inputs[i].shape);
        reference->held[i] = model_memory(&reference->memory, n * 2);
        make_emissions(reference, &reference->inputs_emitted[i], true, i, n);
    }
}

void reference_release(struct reference *reference)
{
    model_release(&reference->memory);
}

static int64_t trunc_leak(int64_t v, int64_t leak)
{
    return v * leak / 32768;
}

/**
 * Weight from pooled cell (c, y, x) to target (co, oy, ox) through a convolution: 0 where there is
 * no tap.
 */
static void gather_convolution(const struct test_model *test, uint32_t q, const int8_t *matrix,
                               const struct snn_shape *source, const struct snn_shape *target,
                               const int64_t *x, int64_t *sum,
                               struct snn_projection_counters *counters, bool values)
{
    const struct snn_projection *projection = &test->projections[q];
    const struct snn_convolution *k = &projection->convolution;
    const uint32_t cog = target->channels / k->groups;
    const uint32_t cig = source->channels / k->groups;
    for (uint32_t oy = 0; oy < target->height; oy++) {
        for (uint32_t ox = 0; ox < target->width; ox++) {
            for (uint32_t co = 0; co < target->channels; co++) {
                for (uint32_t ci = co / cog * cig; ci < (co / cog + 1) * cig; ci++) {
                    for (int64_t ky = 0; ky < k->kernel_height; ky++) {
                        for (int64_t kx = 0; kx < k->kernel_width; kx++) {
                            const int64_t y =
                                (int64_t)oy * k->stride_y + ky * k->dilation_y - k->padding_top;
                            const int64_t z =
                                (int64_t)ox * k->stride_x + kx * k->dilation_x - k->padding_left;
                            if (y < 0 || z < 0 || y >= source->height || z >= source->width) {
                                continue;
                            }
                            const int64_t w =
                                matrix[(size_t)ci * projection->weights.columns +
                                       (size_t)((ky * k->kernel_width + kx) * cog + co % cog)];
                            const int64_t from = x[(y * source->width + z) * source->channels + ci];
                            sum[(oy * target->width + ox) * target->channels + co] += from * w;
                            if (w != 0 && from != 0) {
                                counters->synops += values ? 0 : (uint64_t)from;
                                counters->macs += values ? 1 : 0;
                            }
                        }
                    }
                }
            }
        }
    }
}

static int64_t weight_between(const struct snn_projection *projection, const int8_t *matrix,
                              uint32_t i, uint32_t j, uint32_t neurons, uint32_t channels)
{
    const uint32_t columns = projection->weights.columns;
    switch (projection->topology) {
    case SNN_DENSE: return matrix[(size_t)i * columns + j];
    case SNN_ONE_TO_ONE:
        return i != j ? 0 : matrix[columns == 1 ? 0 : columns == neurons ? j : j % channels];
    default: return i == j ? 0 : matrix[0];
    }
}

/** Adds the sums of what one tap of a projection delivers, x: one number per source address. */
static void deliver_tap(struct reference *reference, uint32_t q, uint32_t tap, const int32_t *x,
                        bool values, bool count, int64_t *sum)
{
    const struct test_model *test = reference->test;
    const struct snn_projection *projection = &test->projections[q];
    const struct snn_shape source = projection->from_input
                                        ? test->inputs[projection->source].shape
                                        : test->populations[projection->source].shape;
    const struct snn_shape target = test->populations[projection->target].shape;
    const uint32_t n = snn_shape_size(&target);
    const uint32_t k = projection->pool > 1 ? projection->pool : 1;
    const uint32_t taps = projection->taps > 1 ? projection->taps : 1;
    const int8_t *matrix = test->matrix[q] + (size_t)tap * (projection->weights.rows / taps) *
                                                 projection->weights.columns;
    const struct snn_shape pooled = {source.channels, source.height / k, source.width / k};
    const uint32_t cells = snn_shape_size(&pooled);
    int64_t *cell = calloc(cells, sizeof *cell);
    struct snn_projection_counters counters = {0, 0, 0};
    CHECK(cell != NULL);
    for (uint32_t y = 0; y < pooled.height * k; y++) {
        for (uint32_t z = 0; z < pooled.width * k; z++) {
            for (uint32_t c = 0; c < source.channels; c++) {
                const int64_t from = x[(y * source.width + z) * source.channels + c];
                cell[(y / k * pooled.width + z / k) * source.channels + c] += from;
                counters.spikes_in += values ? 0 : (uint64_t)from;
            }
        }
    }
    if (projection->topology == SNN_CONV) {
        gather_convolution(test, q, matrix, &pooled, &target, cell, sum, &counters, values);
    } else {
        for (uint32_t j = 0; j < n; j++) {
            for (uint32_t i = 0; i < cells; i++) {
                const int64_t w = weight_between(projection, matrix, i, j, n, target.channels);
                sum[j] += cell[i] * w;
                if (w != 0 && cell[i] != 0) {
                    counters.synops += values ? 0 : (uint64_t)cell[i];
                    counters.macs += values ? 1 : 0;
                }
            }
        }
    }
    if (count) {
        reference->projections[q].spikes_in += counters.spikes_in;
        reference->projections[q].synops += counters.synops;
        reference->projections[q].macs += counters.macs;
    }
    free(cell);
}

/** Adds the scaled sums of what all taps of a projection deliver in this step to acc. */
static void project(struct reference *reference, uint32_t q, int64_t *acc)
{
    const struct test_model *test = reference->test;
    const struct snn_projection *projection = &test->projections[q];
    const struct snn_input *input =
        projection->from_input ? &test->inputs[projection->source] : NULL;
    const struct emissions *emitted = input != NULL ? &reference->inputs_emitted[projection->source]
                                                    : &reference->emitted[projection->source];
    const bool values =
        input != NULL && input->kind == SNN_VALUES && input->encoder == SNN_ENCODER_NONE;
    const bool held = values && !input->frame_per_step;
    const uint32_t n = snn_shape_size(&test->populations[projection->target].shape);
    int64_t *sum = calloc(n, sizeof *sum);
    CHECK(sum != NULL);
    for (uint32_t tap = 0; tap == 0 || tap < projection->taps; tap++) {
        const uint32_t delay = projection->delay + tap * projection->tap_step;
        if (delay <= reference->step) {
            deliver_tap(reference, q, tap, emission(emitted, reference->step - delay), values,
                        !held || reference->fresh[projection->source], sum);
        }
    }
    for (uint32_t j = 0; j < n; j++) {
        const int64_t s = projection->shift;
        if (!values) {
            acc[j] += sum[j] * ((int64_t)1 << s);
        } else if (s == 0) {
            acc[j] += sum[j];
        } else {
            const int64_t rounded = sum[j] + ((int64_t)1 << (s - 1));
            const int64_t unit = (int64_t)1 << s;
            acc[j] += rounded >= 0 ? rounded / unit : -((-rounded + unit - 1) / unit);
        }
    }
    free(sum);
}

static void step_neurons(struct reference *reference, uint32_t p, const int64_t *acc)
{
    const struct snn_population *population = &reference->test->populations[p];
    const uint32_t n = snn_shape_size(&population->shape);
    for (uint32_t i = 0; i < n; i++) {
        int64_t v = reference->membrane[p][i];
        const int64_t bias =
            parameter(population->bias, population->bias_count, &population->shape, i, 0);
        uint32_t spike = 0;
        int64_t arrived = acc[i];
        if (population->current_leak_count > 0) {
            arrived += trunc_leak(reference->current[p][i], current_leak_of(population, i));
            reference->current[p][i] = arrived;
            CHECK(arrived > -16777216 && arrived < 16777216);
        }
        if (population->kind == SNN_READOUT) {
            v = trunc_leak(v, leak_of(population, i)) + acc[i] + bias;
            CHECK(v > -2147483648LL && v < 2147483648LL);
        } else if (reference->refractory[p][i] > 0) {
            reference->refractory[p][i]--;
        } else {
            v = trunc_leak(v, leak_of(population, i));
            const int64_t u = v + arrived + bias;
            v = u < population->floor ? population->floor : u;
            v = v > population->ceiling ? population->ceiling : v;
            reference->populations[p].saturations += v != u ? 1 : 0;
            const int64_t threshold = threshold_of(population, i);
            if (population->compare == SNN_GREATER ? v > threshold : v >= threshold) {
                spike = 1;
                v = population->reset == SNN_RESET_SUBTRACT ? v - threshold
                    : population->reset == SNN_RESET_ZERO   ? 0
                                                            : population->reset_value;
                reference->refractory[p][i] = population->refractory_steps;
            }
        }
        reference->membrane[p][i] = v;
        emission(&reference->emitted[p], reference->step)[i] = (int32_t)spike;
        reference->populations[p].spikes_out += spike;
    }
    reference->populations[p].updates += n;
}

/** Whether value x spikes: FORMAT.md, section 2. */
static int32_t poisson(uint32_t seed, uint32_t port, uint32_t place, int32_t x, uint32_t gain)
{
    uint32_t r = (seed + port * 0x85EBCA6Bu) ^ ((place + 1) * 0x9E3779B1u);
    r = (r ^ (r >> 16)) * 0x7FEB352Du;
    r = (r ^ (r >> 15)) * 0x846CA68Bu;
    r = (r ^ (r >> 16)) >> 8;
    return (int64_t)r < (int64_t)x * gain ? 1 : 0;
}

/** The open step's input of a port as one number per address. */
static void take_input(struct reference *reference, uint32_t port,
                       const struct test_presented *presented, int32_t *x)
{
    const struct snn_input *input = &reference->test->inputs[port];
    const uint32_t n = snn_shape_size(&input->shape);
    uint32_t accepted = 0;
    reference->fresh[port] = false;
    if (input->kind == SNN_VALUES) {
        if (presented->frame != NULL) {
            memcpy(reference->held[port], presented->frame, n * sizeof(int16_t));
            reference->holds[port] = true;
            reference->fresh[port] = true;
        } else if (input->frame_per_step) {
            reference->holds[port] = false;
        }
        for (uint32_t i = 0; i < n; i++) {
            x[i] = reference->holds[port] ? reference->held[port][i] : 0;
            if (input->encoder == SNN_ENCODER_POISSON) {
                x[i] = poisson(reference->seed, port, reference->step * n + i, x[i], input->gain);
                reference->inputs[port].events += (uint64_t)x[i];
            }
        }
        return;
    }
    for (uint32_t e = 0; e < presented->event_count; e++) {
        const uint32_t index = presented->events[e];
        if (index >= n) {
            reference->inputs[port].dropped_outside++;
        } else if (input->multiplicity == SNN_ONCE) {
            reference->inputs[port].events += x[index] == 0 ? 1 : 0;
            x[index] = 1;
        } else if (accepted == input->max_events_per_step) {
            reference->inputs[port].dropped_overflow++;
        } else {
            accepted++;
            x[index]++;
            reference->inputs[port].events++;
        }
    }
}

/** Evaluates population p once all its delay-0 sources are done. */
static void step_population(struct reference *reference, uint32_t p)
{
    const struct test_model *test = reference->test;
    const uint32_t n = snn_shape_size(&test->populations[p].shape);
    int64_t *acc = calloc(n, sizeof *acc);
    CHECK(acc != NULL);
    for (uint32_t q = 0; q < test->model.projection_count; q++) {
        if (test->projections[q].target == p) {
            project(reference, q, acc);
        }
    }
    step_neurons(reference, p, acc);
    free(acc);
}

void reference_step(struct reference *reference, const struct test_presented *presented)
{
    const struct test_model *test = reference->test;
    bool done[TEST_POPULATIONS] = {false};
    for (uint32_t i = 0; i < test->model.input_count; i++) {
        int32_t *x = emission(&reference->inputs_emitted[i], reference->step);
        memset(x, 0, snn_shape_size(&test->inputs[i].shape) * sizeof *x);
        take_input(reference, i, &presented[i], x);
    }
    for (uint32_t n = 0; n < test->model.population_count; n++) {
        for (uint32_t p = 0; p < test->model.population_count; p++) {
            bool ready = !done[p];
            for (uint32_t q = 0; q < test->model.projection_count; q++) {
                const struct snn_projection *projection = &test->projections[q];
                ready = ready && (projection->target != p || projection->from_input ||
                                  projection->delay != 0 || done[projection->source]);
            }
            if (ready) {
                step_population(reference, p);
                done[p] = true;
                break;
            }
        }
    }
    reference->step++;
}

const int32_t *reference_spikes(const struct reference *reference, uint32_t population)
{
    return emission(&reference->emitted[population], reference->step - 1);
}

bool reference_is_decided(const struct reference *reference)
{
    const struct snn_model *model = &reference->test->model;
    const struct snn_exit *rule = &model->exit;
    if (rule->rule == SNN_EXIT_FIRST_SPIKE) {
        const int32_t *spikes = reference_spikes(reference, rule->population);
        const uint32_t n = snn_shape_size(&model->populations[rule->population].shape);
        for (uint32_t i = 0; i < n; i++) {
            if (spikes[i] != 0) {
                return true;
            }
        }
        return false;
    }
    if (rule->rule != SNN_EXIT_MARGIN) {
        return false;
    }
    /* Some score exceeds every other by the margin. */
    const uint32_t n = snn_shape_size(&model->populations[model->readout].shape);
    const int64_t *score = reference->membrane[model->readout];
    for (uint32_t i = 0; i < n; i++) {
        bool beats_all = true;
        for (uint32_t j = 0; j < n; j++) {
            beats_all = beats_all && (i == j || score[i] - score[j] >= (int64_t)rule->margin);
        }
        if (beats_all) {
            return true;
        }
    }
    return false;
}
