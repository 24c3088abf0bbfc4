/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include "check.h"

#include <string.h>

/* Models for the tests: by hand and by dice. */

void *model_memory(struct test_model *test, size_t size)
{
    void *memory = calloc(size == 0 ? 1 : size, 1);
    CHECK(memory != NULL && test->owned_count < 1024);
    test->owned[test->owned_count++] = memory;
    return memory;
}

void model_release(struct test_model *test)
{
    while (test->owned_count > 0) {
        free(test->owned[--test->owned_count]);
    }
}

void model_finish(struct test_model *test, uint32_t inputs, uint32_t populations,
                  uint32_t projections)
{
    struct snn_model *model = &test->model;
    model->format_major = SNN_FORMAT_MAJOR;
    model->name = "test";
    model->inputs = test->inputs;
    model->populations = test->populations;
    model->projections = test->projections;
    model->input_count = inputs;
    model->population_count = populations;
    model->projection_count = projections;
    model->readout = populations - 1;
}

struct snn_population model_lif(uint32_t channels, uint32_t height, uint32_t width,
                                const int16_t *threshold)
{
    struct snn_population population = {0};
    population.shape.channels = channels;
    population.shape.height = height;
    population.shape.width = width;
    population.threshold = threshold;
    population.threshold_count = 1;
    population.floor = INT16_MIN;
    population.ceiling = INT16_MAX;
    return population;
}

struct snn_population model_readout(uint32_t neurons)
{
    struct snn_population population = {0};
    population.shape.channels = neurons;
    population.shape.height = 1;
    population.shape.width = 1;
    population.kind = SNN_READOUT;
    return population;
}

void model_set_weights(struct test_model *test, uint32_t q, enum snn_rows layout)
{
    struct snn_projection *projection = &test->projections[q];
    struct snn_weights *weights = &projection->weights;
    const int8_t *matrix = test->matrix[q];
    const bool has_runs = projection->topology == SNN_DENSE || projection->topology == SNN_CONV;
    uint32_t taps = 1;
    if (projection->topology == SNN_CONV) {
        taps =
            (uint32_t)projection->convolution.kernel_height * projection->convolution.kernel_width;
    }
    const uint32_t runs = weights->rows * taps;
    const uint32_t length = weights->columns / taps;
    weights->layout = (uint8_t)layout;
    weights->values = matrix;
    if (!has_runs) {
        return;
    }
    uint32_t *start = model_memory(test, (runs + 1) * sizeof *start);
    int8_t *values = model_memory(test, (size_t)runs * length);
    uint16_t *columns = model_memory(test, (size_t)runs * length * sizeof *columns);
    uint32_t stored = 0;
    for (uint32_t run = 0; run < runs; run++) {
        start[run] = stored;
        for (uint32_t i = 0; i < length; i++) {
            if (matrix[(size_t)run * length + i] != 0) {
                values[stored] = matrix[(size_t)run * length + i];
                columns[stored++] = (uint16_t)i;
            }
        }
    }
    start[runs] = stored;
    weights->synapse_start = stored == runs * length && layout == SNN_ROWS_FULL ? NULL : start;
    if (layout == SNN_ROWS_SPARSE) {
        weights->values = values;
        weights->column16 = columns;
    }
}

/* ---- By dice ---- */

static struct snn_shape random_shape(struct random *r)
{
    struct snn_shape shape = {(uint32_t)random_in(r, 1, 5), (uint32_t)random_in(r, 1, 6),
                              (uint32_t)random_in(r, 1, 6)};
    if (random_chance(r, 25)) {
        shape.channels = (uint32_t)random_in(r, 1, 100);
        shape.height = 1;
        shape.width = (uint32_t)random_in(r, 1, 2);
    }
    return shape;
}

static uint32_t random_count(struct random *r, const struct snn_shape *shape, bool empty)
{
    const uint32_t counts[4] = {1, shape->channels, snn_shape_size(shape), 0};
    return counts[random_in(r, 0, empty ? 3 : 2)];
}

/** Mostly small, sometimes at an end of the range. */
static int32_t random_extreme(struct random *r, int32_t low, int32_t high, int32_t usual)
{
    if (random_chance(r, 8)) {
        return random_chance(r, 50) ? low : high;
    }
    const int32_t from = -usual > low ? -usual : low;
    return random_in(r, from, usual < high ? usual : high);
}

static void random_population(struct test_model *test, struct random *r, uint32_t p, bool readout)
{
    struct snn_population *population = &test->populations[p];
    const struct snn_shape shape = population->shape;
    population->kind = readout ? SNN_READOUT : SNN_LIF;
    population->floor =
        (int16_t)(random_chance(r, 50) ? INT16_MIN : random_extreme(r, -32768, 0, 3000));
    population->ceiling =
        (int16_t)(random_chance(r, 50) ? INT16_MAX : random_extreme(r, 0, 32767, 3000));
    population->reset = (uint8_t)random_in(r, 0, 2);
    population->compare = (uint8_t)random_in(r, 0, 1);
    population->reset_value =
        (int16_t)random_in(r, population->floor, random_chance(r, 80) ? 0 : population->ceiling);
    population->refractory_steps =
        (uint8_t)(random_chance(r, 70) ? 0 : random_extreme(r, 0, 255, 3));
    population->threshold_count = readout ? 0 : random_count(r, &shape, false);
    population->leak_count = random_count(r, &shape, true);
    population->bias_count = random_chance(r, 60) ? 0 : random_count(r, &shape, true);
    population->initial_count = random_chance(r, 60) ? 0 : random_count(r, &shape, true);
    population->current_leak_count =
        readout || random_chance(r, 70) ? 0 : random_count(r, &shape, true);
    int16_t *threshold = model_memory(test, population->threshold_count * sizeof *threshold);
    uint16_t *leak = model_memory(test, population->leak_count * sizeof *leak);
    int32_t *bias = model_memory(test, population->bias_count * sizeof *bias);
    int32_t *initial = model_memory(test, population->initial_count * sizeof *initial);
    uint16_t *current_leak = model_memory(test, population->current_leak_count * sizeof *leak);
    const bool no_leak = random_chance(r, 20);
    for (uint32_t i = 0; i < population->threshold_count; i++) {
        threshold[i] =
            (int16_t)random_extreme(r, population->compare == SNN_GREATER ? 0 : 1, 32767, 400);
    }
    for (uint32_t i = 0; i < population->leak_count; i++) {
        leak[i] = (uint16_t)(no_leak || random_chance(r, 10) ? 32768
                             : random_chance(r, 10)          ? 0
                                                             : random_in(r, 0, 32768));
    }
    for (uint32_t i = 0; i < population->current_leak_count; i++) {
        current_leak[i] = (uint16_t)(random_chance(r, 10)   ? 32768
                                     : random_chance(r, 10) ? 0
                                                            : random_in(r, 0, 32768));
    }
    for (uint32_t i = 0; i < population->bias_count; i++) {
        bias[i] = random_chance(r, 3) ? random_in(r, -40000, 40000) : random_in(r, -20, 20);
    }
    for (uint32_t i = 0; i < population->initial_count; i++) {
        const int32_t low = readout ? -100000 : population->floor;
        initial[i] = random_in(r, low, readout ? 100000 : population->ceiling);
    }
    population->threshold = threshold;
    population->leak = leak;
    population->bias = bias;
    population->initial = initial;
    population->current_leak = current_leak;
}

static uint32_t random_side(struct random *r, uint32_t length, uint8_t *kernel, uint8_t *stride,
                            uint8_t *before, uint8_t *after, uint8_t *dilation)
{
    for (;;) {
        *kernel = (uint8_t)random_in(r, 1, random_chance(r, 90) ? 4 : 31);
        *stride = (uint8_t)(random_chance(r, 60) ? 1 : random_in(r, 1, 5));
        *dilation = (uint8_t)(random_chance(r, 60) ? 1 : random_in(r, 1, 4));
        *before = (uint8_t)(random_chance(r, 90) ? random_in(r, 0, 3) : random_in(r, 0, 30));
        *after = (uint8_t)(random_chance(r, 90) ? random_in(r, 0, 3) : random_in(r, 0, 30));
        const int32_t room = (int32_t)length + *before + *after - *dilation * (*kernel - 1) - 1;
        if (room >= 0 && room / *stride < 7) {
            return (uint32_t)(room / *stride) + 1;
        }
    }
}

/**
 * Makes projection q between ends already set. With `free_shape` the target takes the shape that
 * suits.
 */
static void random_topology(struct test_model *test, struct random *r, uint32_t q, bool free_shape)
{
    struct snn_projection *projection = &test->projections[q];
    struct snn_shape source = projection->from_input ? test->inputs[projection->source].shape
                                                     : test->populations[projection->source].shape;
    struct snn_shape *target = &test->populations[projection->target].shape;
    const uint32_t least = source.height < source.width ? source.height : source.width;
    projection->pool =
        (uint8_t)(random_chance(r, 70) ? random_in(r, 0, 1)
                                       : random_in(r, 1, (int32_t)(least < 16 ? least : 16)));
    const uint32_t pool = projection->pool > 1 ? projection->pool : 1;
    const struct snn_shape unpooled = source;
    source.height /= pool;
    source.width /= pool;
    projection->topology = SNN_DENSE;
    if (free_shape && random_chance(r, 55)) {
        struct snn_convolution *k = &projection->convolution;
        projection->topology = SNN_CONV;
        target->height = random_side(r, source.height, &k->kernel_height, &k->stride_y,
                                     &k->padding_top, &k->padding_bottom, &k->dilation_y);
        target->width = random_side(r, source.width, &k->kernel_width, &k->stride_x,
                                    &k->padding_left, &k->padding_right, &k->dilation_x);
        k->groups = 1;
        for (uint32_t g = 2; g <= source.channels; g++) {
            k->groups = source.channels % g == 0 && random_chance(r, 30) ? g : k->groups;
        }
        target->channels = k->groups * (uint32_t)random_in(r, 1, random_chance(r, 20) ? 36 : 4);
        if (snn_shape_size(target) > 400) {
            target->channels = k->groups;
        }
    } else if (free_shape && random_chance(r, 40)) {
        *target = source;
    } else if (free_shape) {
        *target = random_shape(r);
    }
    if (projection->topology == SNN_DENSE && source.channels == target->channels &&
        source.height == target->height && source.width == target->width && random_chance(r, 60)) {
        projection->topology = (uint8_t)random_in(r, SNN_ONE_TO_ONE, SNN_LATERAL);
    } else if (projection->topology == SNN_DENSE && !free_shape &&
               unpooled.height == target->height && unpooled.width == target->width &&
               random_chance(r, 50)) {
        projection->pool = 0;
        const struct snn_convolution same = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1};
        projection->topology = SNN_CONV;
        projection->convolution = same;
    }
}

static void random_weights(struct test_model *test, struct random *r, uint32_t q, bool held_only)
{
    struct snn_projection *projection = &test->projections[q];
    struct snn_weights *weights = &projection->weights;
    struct snn_shape source = projection->from_input ? test->inputs[projection->source].shape
                                                     : test->populations[projection->source].shape;
    const struct snn_shape target = test->populations[projection->target].shape;
    if (projection->pool > 1) {
        source.height /= projection->pool;
        source.width /= projection->pool;
    }
    weights->rows = 1;
    weights->columns = 1;
    if (projection->topology == SNN_DENSE) {
        weights->rows = snn_shape_size(&source);
        weights->columns = snn_shape_size(&target);
    } else if (projection->topology == SNN_CONV) {
        weights->rows = source.channels;
        weights->columns = (uint32_t)projection->convolution.kernel_height *
                           projection->convolution.kernel_width *
                           (target.channels / projection->convolution.groups);
    } else if (projection->topology == SNN_ONE_TO_ONE) {
        weights->columns = random_count(r, &target, false);
    }
    const bool held = projection->from_input &&
                      test->inputs[projection->source].kind == SNN_VALUES &&
                      test->inputs[projection->source].encoder == SNN_ENCODER_NONE &&
                      !test->inputs[projection->source].frame_per_step;
    const bool small = (uint64_t)weights->rows * weights->columns < 4096;
    if (!held && !held_only && small && random_chance(r, 15)) {
        projection->taps = (uint8_t)random_in(r, 1, random_chance(r, 80) ? 4 : 32);
        projection->tap_step =
            (uint8_t)(projection->taps == 1 ? 0 : random_in(r, 1, random_chance(r, 80) ? 2 : 16));
        weights->rows *= projection->taps;
    }
    const size_t size = (size_t)weights->rows * weights->columns;
    int8_t *matrix = model_memory(test, size);
    const uint32_t zeros = random_chance(r, 40) ? 0 : (uint32_t)random_in(r, 0, 100);
    const int32_t usual = random_chance(r, 30) ? 127 : 20;
    for (size_t i = 0; i < size; i++) {
        matrix[i] = (int8_t)(random_chance(r, zeros) ? 0 : random_extreme(r, -128, 127, usual));
    }
    test->matrix[q] = matrix;
    const bool may_be_sparse =
        projection->topology == SNN_DENSE || projection->topology == SNN_CONV;
    model_set_weights(test, q,
                      may_be_sparse && random_chance(r, 35) ? SNN_ROWS_SPARSE : SNN_ROWS_FULL);
    const bool values = projection->from_input &&
                        test->inputs[projection->source].kind == SNN_VALUES &&
                        test->inputs[projection->source].encoder == SNN_ENCODER_NONE;
    projection->shift = (uint8_t)(random_chance(r, 50) ? 0
                                  : values ? random_in(r, 0, random_chance(r, 90) ? 10 : 24)
                                           : random_in(r, 0, random_chance(r, 90) ? 3 : 15));
}

static void random_input(struct random *r, struct snn_input *input, bool held_only)
{
    memset(input, 0, sizeof *input);
    input->shape = random_shape(r);
    if (held_only || random_chance(r, 40)) {
        input->kind = SNN_VALUES;
        input->min_value = (int16_t)(random_chance(r, 50) ? 0 : random_extreme(r, -32768, 0, 255));
        input->max_value = (int16_t)random_extreme(r, 0, 32767, 255);
        input->frame_per_step = !held_only && random_chance(r, 50);
        if (!held_only && input->min_value == 0 && random_chance(r, 40)) {
            const int32_t most = (1 << 24) / (input->max_value > 1 ? input->max_value : 1);
            input->encoder = SNN_ENCODER_POISSON;
            input->gain = (uint32_t)random_in(r, 1, most);
        }
    } else {
        input->multiplicity = (uint8_t)random_in(r, 0, 1);
        input->max_events_per_step = (uint32_t)random_in(r, 1, random_chance(r, 50) ? 10 : 200);
    }
}

/** One model in four ends early: by a margin, or by the first spike of a population. */
static void random_exit(struct test_model *test, struct random *r, uint32_t populations)
{
    struct snn_exit *rule = &test->model.exit;
    const uint32_t population = (uint32_t)random_in(r, 0, (int32_t)populations - 1);
    if (random_chance(r, 75)) {
        return;
    }
    rule->population = (uint16_t)population;
    rule->margin = (uint32_t)(random_chance(r, 10) ? INT32_MAX : random_in(r, 1, 2000));
    rule->rule = SNN_EXIT_FIRST_SPIKE;
    if (test->populations[population].kind == SNN_READOUT) {
        const struct snn_shape *scores = &test->populations[test->model.readout].shape;
        rule->rule = snn_shape_size(scores) > 1 ? SNN_EXIT_MARGIN : SNN_EXIT_NEVER;
    }
}

bool model_random(struct test_model *test, uint64_t seed)
{
    struct random r = {seed * 2654435761u + 88172645463325252u};
    memset(test, 0, sizeof *test);
    const bool held_only = random_chance(&r, 25);
    const uint32_t inputs = (uint32_t)random_in(&r, 1, held_only ? 2 : 3);
    const uint32_t populations = (uint32_t)random_in(&r, 1, 5);
    uint32_t projections = 0;
    for (uint32_t i = 0; i < inputs; i++) {
        random_input(&r, &test->inputs[i], held_only);
    }
    /* Ranks: population of rank n has index rank[n]; delay-0 projections go up in rank. */
    uint32_t rank[8] = {0};
    for (uint32_t n = 0; n < populations; n++) {
        const uint32_t at = (uint32_t)random_in(&r, 0, (int32_t)n);
        rank[n] = rank[at];
        rank[at] = n;
    }
    for (uint32_t n = 0; n < populations; n++) {
        const uint32_t p = rank[n];
        const bool readout = n + 1 == populations;
        const uint32_t count = (uint32_t)random_in(&r, 1, 3);
        for (uint32_t i = 0; i < count; i++) {
            struct snn_projection *projection = &test->projections[projections];
            projection->from_input = n == 0 || random_chance(&r, 30);
            projection->source =
                (uint16_t)(projection->from_input ? (uint32_t)random_in(&r, 0, (int32_t)inputs - 1)
                                                  : rank[random_in(&r, 0, (int32_t)n - 1)]);
            projection->target = (uint16_t)p;
            const bool held = projection->from_input &&
                              test->inputs[projection->source].encoder == SNN_ENCODER_NONE &&
                              test->inputs[projection->source].kind == SNN_VALUES &&
                              !test->inputs[projection->source].frame_per_step;
            if (!held && !held_only && random_chance(&r, 20)) {
                projection->delay = (uint8_t)random_extreme(&r, 1, 255, 4);
            }
            random_topology(test, &r, projections++, i == 0);
        }
        random_population(test, &r, p, readout);
        if (!readout && !held_only && random_chance(&r, 30)) {
            struct snn_projection *projection = &test->projections[projections];
            projection->source = (uint16_t)p;
            projection->target = (uint16_t)p;
            projection->delay = (uint8_t)random_extreme(&r, 1, 255, 3);
            random_topology(test, &r, projections++, false);
        }
    }
    for (uint32_t q = 0; q < projections; q++) {
        random_weights(test, &r, q, held_only);
    }
    test->model.steps = (uint32_t)random_in(&r, 1, 20);
    test->model.max_steps = 20;

    model_finish(test, inputs, populations, projections);
    test->model.readout = rank[populations - 1];
    random_exit(test, &r, populations);
    struct snn_fault fault;
    const enum snn_status status = snn_check(&test->model, &fault);
    if (status != SNN_OK && status != SNN_ERROR_BOUND) {
        fprintf(stderr, "seed %llu: status %d part %d index %u field %d expected %lld found %lld\n",
                (unsigned long long)seed, (int)status, (int)fault.part, fault.index,
                (int)fault.field, fault.expected, fault.found);
        abort();
    }
    return status == SNN_OK;
}
