/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "reference.h"

#include <string.h>

/*
 * Trajectories worked by hand, feature by feature: one input, one neuron, weight and all else in
 * the test.
 */

struct one {
    struct test_model test;
    struct snn *snn;
    void *memory;
};

static int8_t weight_of_one[1];
static int16_t threshold_of_one[1];

/** One EVENTS address to one LIF neuron (population 0) to a read-out (population 1). */
static void make_one(struct one *one, int8_t weight, int16_t threshold)
{
    static int8_t unit[1] = {1};
    memset(one, 0, sizeof *one);
    weight_of_one[0] = weight;
    threshold_of_one[0] = threshold;
    one->test.inputs[0].shape = (struct snn_shape){1, 1, 1};
    one->test.populations[0] = model_lif(1, 1, 1, threshold_of_one);
    one->test.populations[1] = model_readout(1);
    one->test.projections[0].from_input = true;
    one->test.projections[1].target = 1;
    for (uint32_t q = 0; q < 2; q++) {
        one->test.projections[q].weights.rows = 1;
        one->test.projections[q].weights.columns = 1;
        one->test.projections[q].weights.values = q == 0 ? weight_of_one : unit;
    }
    one->test.model.steps = 10;
    one->test.model.max_steps = 100;
    model_finish(&one->test, 1, 2, 2);
}

static void start_one(struct one *one)
{
    const size_t size = snn_state_size(&one->test.model);
    one->memory = malloc(size);
    CHECK(size > 0 && one->memory != NULL);
    CHECK_EQUAL(snn_init(&one->snn, &one->test.model, one->memory, size), SNN_OK);
}

/** One step with or without an event: the membrane afterwards, and whether it spiked. */
static void expect(struct one *one, bool event, int32_t membrane, uint32_t spikes)
{
    uint32_t count = 0;
    if (event) {
        CHECK(snn_event(one->snn, 0, 0));
    }
    CHECK_EQUAL(snn_step(one->snn), SNN_OK);
    (void)snn_spikes(one->snn, 0, &count);
    CHECK_EQUAL(snn_membrane(one->snn, 0, 0), membrane);
    CHECK_EQUAL(count, spikes);
}

static void test_subtract_reset_keeps_residual_and_fires_again_without_input(void)
{
    struct one one;
    make_one(&one, 100, 40);
    start_one(&one);
    expect(&one, true, 60, 1);
    expect(&one, false, 20, 1);
    expect(&one, false, 20, 0);
    CHECK_EQUAL(snn_scores(one.snn, NULL)[0], 2);
    free(one.memory);
}

static void test_zero_and_value_reset(void)
{
    struct one one;
    make_one(&one, 100, 40);
    one.test.populations[0].reset = SNN_RESET_ZERO;
    start_one(&one);
    expect(&one, true, 0, 1);
    free(one.memory);
    one.test.populations[0].reset = SNN_RESET_VALUE;
    one.test.populations[0].reset_value = -7;
    start_one(&one);
    expect(&one, true, -7, 1);
    expect(&one, true, -7, 1);
    free(one.memory);
}

static void test_greater_and_greater_equal_differ_at_the_threshold(void)
{
    struct one one;
    make_one(&one, 40, 40);
    start_one(&one);
    expect(&one, true, 40, 0);
    free(one.memory);
    one.test.populations[0].compare = SNN_GREATER_EQUAL;
    start_one(&one);
    expect(&one, true, 0, 1);
    free(one.memory);
}

static void test_leak_rounds_toward_zero_on_both_sides(void)
{
    static const uint16_t half[1] = {16384};
    struct one one;
    make_one(&one, -7, 100);
    one.test.populations[0].leak = half;
    one.test.populations[0].leak_count = 1;
    start_one(&one);
    expect(&one, true, -7, 0);
    expect(&one, false, -3, 0);
    expect(&one, false, -1, 0);
    expect(&one, false, 0, 0);
    expect(&one, false, 0, 0);
    CHECK_EQUAL(snn_engine_counters(one.snn).population_steps_skipped > 0, 1);
    free(one.memory);
}

static void test_refractory_steps_hold_the_membrane_and_lose_input(void)
{
    struct one one;
    make_one(&one, 100, 40);
    one.test.populations[0].refractory_steps = 2;
    start_one(&one);
    expect(&one, true, 60, 1);
    expect(&one, true, 60, 0);
    expect(&one, false, 60, 0);
    expect(&one, false, 20, 1);
    free(one.memory);
}

static void test_clamp_counts_one_saturation(void)
{
    struct one one;
    make_one(&one, -100, 40);
    one.test.populations[0].floor = -150;
    start_one(&one);
    expect(&one, true, -100, 0);
    expect(&one, true, -150, 0);
    expect(&one, true, -150, 0);
    CHECK_EQUAL(snn_population_counters(one.snn, 0).saturations, 2);
    CHECK_EQUAL(snn_population_counters(one.snn, 0).updates, 3);
    free(one.memory);
}

static void test_shift_and_multiplicity(void)
{
    struct one one;
    make_one(&one, 3, 10000);
    one.test.projections[0].shift = 4;
    start_one(&one);
    CHECK(snn_event(one.snn, 0, 0));
    expect(&one, true, 48, 0);
    CHECK_EQUAL(snn_input_counters(one.snn, 0).events, 1);
    free(one.memory);
    one.test.inputs[0].multiplicity = SNN_EVERY;
    one.test.inputs[0].max_events_per_step = 2;
    start_one(&one);
    CHECK(snn_event(one.snn, 0, 0) && snn_event(one.snn, 0, 0) && !snn_event(one.snn, 0, 0));
    CHECK(!snn_event(one.snn, 0, 1));
    expect(&one, false, 96, 0);
    CHECK_EQUAL(snn_input_counters(one.snn, 0).dropped_overflow, 1);
    CHECK_EQUAL(snn_input_counters(one.snn, 0).dropped_outside, 1);
    free(one.memory);
}

static void test_delay_of_one_step(void)
{
    struct one one;
    make_one(&one, 100, 40);
    one.test.populations[0].reset = SNN_RESET_ZERO;
    one.test.projections[1].delay = 1;
    start_one(&one);
    expect(&one, true, 0, 1);
    CHECK_EQUAL(snn_scores(one.snn, NULL)[0], 0);
    expect(&one, false, 0, 0);
    CHECK_EQUAL(snn_scores(one.snn, NULL)[0], 1);
    free(one.memory);
}

/** Rings of 752 frames of 2^20 values at three ports: more than 32 bits count. */
static void test_a_state_beyond_32_bits_is_not_called_small(void)
{
    static struct test_model test;
    static int8_t weights[32];
    static const int16_t threshold = 1;
    struct snn *snn = NULL;
    memset(&test, 0, sizeof test);
    memset(weights, 1, sizeof weights);
    for (uint32_t i = 0; i < 3; i++) {
        test.inputs[i] = (struct snn_input){
            .shape = {1, 1024, 1024}, .kind = SNN_VALUES, .max_value = 1, .frame_per_step = true};
        test.projections[i] =
            (struct snn_projection){.source = (uint16_t)i,
                                    .from_input = true,
                                    .topology = SNN_ONE_TO_ONE,
                                    .delay = 255,
                                    .taps = 32,
                                    .tap_step = 16,
                                    .weights = {32, 1, SNN_ROWS_FULL, weights, NULL, NULL, NULL}};
    }
    test.populations[0] = model_lif(1, 1024, 1024, &threshold);
    test.populations[1] = model_readout(1);
    test.populations[1].shape = test.populations[0].shape;
    test.projections[3] = (struct snn_projection){
        .target = 1, .topology = SNN_ONE_TO_ONE, .weights = test.projections[0].weights};
    test.projections[3].weights.rows = 1;
    model_finish(&test, 3, 2, 4);
    test.model.steps = test.model.max_steps = 1;
    test.model.readout = 1;
    CHECK_EQUAL(snn_check(&test.model, NULL), SNN_OK);
    CHECK(snn_state_size(&test.model) > UINT32_C(0xFFFF0000));
    CHECK_EQUAL(snn_init(&snn, &test.model, weights, UINT32_C(0xFFFF0000)), SNN_ERROR_MEMORY);
    model_release(&test);
}

static void test_values_round_to_nearest_and_are_held(void)
{
    struct one one;
    int16_t value = 3;
    make_one(&one, 5, 1000);
    one.test.inputs[0].kind = SNN_VALUES;
    one.test.inputs[0].min_value = -10;
    one.test.inputs[0].max_value = 10;
    one.test.projections[0].shift = 1;
    start_one(&one);
    CHECK_EQUAL(snn_values_s16(one.snn, 0, &value, 1), SNN_OK);
    expect(&one, false, 8, 0); /* 15 / 2 rounds to 8 */
    expect(&one, false, 16, 0);
    value = -3;
    CHECK_EQUAL(snn_values_s16(one.snn, 0, &value, 1), SNN_OK);
    expect(&one, false, 9, 0); /* -15 / 2 rounds to -7 */
    CHECK_EQUAL(snn_projection_counters(one.snn, 0).macs, 2);
    value = 11;
    CHECK_EQUAL(snn_values_s16(one.snn, 0, &value, 1), SNN_ERROR_VALUE);
    free(one.memory);
}

static void test_time_closes_steps_and_drops_late_events(void)
{
    struct one one;
    make_one(&one, 1, 100);
    one.test.model.step_microseconds = 1000;
    one.test.model.steps = 3;
    start_one(&one);
    /* An event off the sensor neither sets t0 nor closes a step. */
    CHECK(!snn_event_xy(one.snn, 0, 1, 0, 0, 100));
    CHECK(snn_event_xy(one.snn, 0, 0, 0, 0, 5000));
    CHECK(!snn_event_xy(one.snn, 0, 1, 0, 0, 7500));
    CHECK(snn_event_xy(one.snn, 0, 0, 0, 0, 5999));
    CHECK_EQUAL(snn_steps(one.snn), 0);
    CHECK(snn_event_xy(one.snn, 0, 0, 0, 0, 6000));
    CHECK_EQUAL(snn_steps(one.snn), 1);
    CHECK(!snn_event_xy(one.snn, 0, 0, 0, 0, 5999));
    CHECK(!snn_event_xy(one.snn, 0, 1, 0, 0, 6001));
    snn_advance(one.snn, 6999);
    CHECK_EQUAL(snn_steps(one.snn), 1);
    snn_advance(one.snn, UINT64_MAX);
    CHECK_EQUAL(snn_steps(one.snn), 3);
    CHECK(!snn_event_xy(one.snn, 0, 0, 0, 0, 9000));
    CHECK_EQUAL(snn_membrane(one.snn, 0, 0), 2);
    CHECK_EQUAL(snn_input_counters(one.snn, 0).dropped_late, 2);
    CHECK_EQUAL(snn_input_counters(one.snn, 0).dropped_outside, 3);
    free(one.memory);
}

static void test_an_event_outside_the_sensor_neither_starts_the_clock_nor_moves_it(void)
{
    struct one one;
    make_one(&one, 1, 100);
    one.test.model.step_microseconds = 1000;
    start_one(&one);
    CHECK(!snn_event_xy(one.snn, 0, 0, 1, 0, 100));
    CHECK(snn_event_xy(one.snn, 0, 0, 0, 0, 5000));
    CHECK(!snn_event_xy(one.snn, 0, 0, 0, 1, 9000));
    CHECK_EQUAL(snn_steps(one.snn), 0);
    CHECK(snn_event_xy(one.snn, 0, 0, 0, 0, 5999));
    CHECK(snn_event_xy(one.snn, 0, 0, 0, 0, 6999)); /* step 1, and back within it: */
    CHECK(snn_event_xy(one.snn, 0, 0, 0, 0, 6000));
    CHECK_EQUAL(snn_steps(one.snn), 1);
    CHECK(!snn_event_xy(one.snn, 0, 0, 0, 0, 5999));
    CHECK_EQUAL(snn_input_counters(one.snn, 0).dropped_outside, 2);
    CHECK_EQUAL(snn_input_counters(one.snn, 0).dropped_late, 1);
    free(one.memory);
}

/** 2^27 entries of which memory holds one. */
static void test_matrices_beyond_the_limit_are_refused_unread(void)
{
    static const int16_t threshold[1] = {1};
    struct one one;
    struct snn_fault fault;
    make_one(&one, 1, 10);
    one.test.inputs[0].shape = (struct snn_shape){1 << 14, 1, 1};
    one.test.populations[0] = model_lif(1 << 13, 1, 1, threshold);
    one.test.projections[0].weights.rows = 1 << 14;
    one.test.projections[0].weights.columns = 1 << 13;
    CHECK_EQUAL(snn_check(&one.test.model, &fault), SNN_ERROR_LIMIT);
    CHECK_EQUAL(fault.field, SNN_FIELD_WEIGHTS);
    CHECK_EQUAL(fault.found, 1 << 27);
}

static void test_models_that_break_a_rule_are_refused(void)
{
    struct one one;
    struct snn_fault fault;
    make_one(&one, 1, 10);
    one.test.projections[1].source = 1;
    CHECK_EQUAL(snn_check(&one.test.model, &fault), SNN_ERROR_REFERENCE);
    make_one(&one, 1, 10);
    one.test.projections[1].target = 0;
    CHECK_EQUAL(snn_check(&one.test.model, &fault), SNN_ERROR_CYCLE);
    make_one(&one, 1, -1);
    CHECK_EQUAL(snn_check(&one.test.model, &fault), SNN_ERROR_LIMIT);
    CHECK(fault.part == SNN_PART_POPULATION && fault.field == SNN_FIELD_THRESHOLD &&
          fault.found == -1);
    make_one(&one, 127, 10);
    one.test.inputs[0].multiplicity = SNN_EVERY;
    one.test.inputs[0].max_events_per_step = 65535;
    one.test.projections[0].shift = 15;
    CHECK_EQUAL(snn_check(&one.test.model, &fault), SNN_ERROR_BOUND);
    CHECK_EQUAL(snn_state_size(&one.test.model), 0);
}

/** Addresses of a sensor of 7 x 3 pixels, coarsened to one, with two polarities. */
static void test_a_sensor_coarsens_its_addresses_and_orders_polarities(void)
{
    static int8_t weights[2] = {1, 10};
    for (uint8_t order = SNN_OFF_ON; order <= SNN_ON_OFF; order++) {
        struct one one;
        make_one(&one, 1, 100);
        one.test.model.step_microseconds = 1000;
        one.test.inputs[0].shape.channels = 2;
        one.test.inputs[0].sensor = (struct snn_sensor){7, 3, 3, order};
        one.test.projections[0].weights.rows = 2;
        one.test.projections[0].weights.values = weights;
        start_one(&one);
        CHECK(snn_event_xy(one.snn, 0, 6, 2, 1, 0));
        CHECK(snn_event_xy(one.snn, 0, 0, 0, 1, 10));
        CHECK(!snn_event_xy(one.snn, 0, 7, 0, 1, 20));
        CHECK(!snn_event_xy(one.snn, 0, 0, 3, 1, 20));
        CHECK(!snn_event_xy(one.snn, 0, 0, 0, 2, 20));
        CHECK_EQUAL(snn_step(one.snn), SNN_OK);
        CHECK_EQUAL(snn_membrane(one.snn, 0, 0), order == SNN_OFF_ON ? 10 : 1);
        CHECK_EQUAL(snn_input_counters(one.snn, 0).events, 1);
        CHECK_EQUAL(snn_input_counters(one.snn, 0).dropped_outside, 3);
        free(one.memory);
    }
    struct one one;
    struct snn_fault fault;
    make_one(&one, 1, 100);
    one.test.inputs[0].sensor = (struct snn_sensor){9, 3, 3, SNN_OFF_ON};
    CHECK_EQUAL(snn_check(&one.test.model, &fault), SNN_ERROR_SHAPE);
    CHECK(fault.field == SNN_FIELD_SENSOR && fault.expected == 2 && fault.found == 1);
}

/** A certain encoder spikes in every step while a frame is held. */
static void test_an_encoder_makes_spikes_of_values(void)
{
    struct one one;
    make_one(&one, 3, 100);
    one.test.inputs[0].kind = SNN_VALUES;
    one.test.inputs[0].max_value = 4;
    one.test.inputs[0].encoder = SNN_ENCODER_POISSON;
    one.test.inputs[0].gain = (1 << 24) / 4;
    start_one(&one);
    const uint8_t most[1] = {4};
    expect(&one, false, 0, 0);
    CHECK_EQUAL(snn_values_u8(one.snn, 0, most, 1), SNN_OK);
    expect(&one, false, 3, 0);
    expect(&one, false, 6, 0);
    CHECK_EQUAL(snn_input_counters(one.snn, 0).events, 2);
    CHECK_EQUAL(snn_projection_counters(one.snn, 0).synops, 2);
    CHECK_EQUAL(snn_projection_counters(one.snn, 0).macs, 0);
    free(one.memory);
    struct snn_fault fault;
    one.test.inputs[0].gain++;
    CHECK_EQUAL(snn_check(&one.test.model, &fault), SNN_ERROR_LIMIT);
    CHECK(fault.field == SNN_FIELD_ENCODER);
}

int main(void)
{
    test_subtract_reset_keeps_residual_and_fires_again_without_input();
    test_zero_and_value_reset();
    test_greater_and_greater_equal_differ_at_the_threshold();
    test_leak_rounds_toward_zero_on_both_sides();
    test_refractory_steps_hold_the_membrane_and_lose_input();
    test_clamp_counts_one_saturation();
    test_shift_and_multiplicity();
    test_delay_of_one_step();
    test_a_state_beyond_32_bits_is_not_called_small();
    test_values_round_to_nearest_and_are_held();
    test_a_sensor_coarsens_its_addresses_and_orders_polarities();
    test_an_encoder_makes_spikes_of_values();
    test_time_closes_steps_and_drops_late_events();
    test_an_event_outside_the_sensor_neither_starts_the_clock_nor_moves_it();
    test_matrices_beyond_the_limit_are_refused_unread();
    test_models_that_break_a_rule_are_refused();
    printf("test_steps: ok\n");
    return 0;
}
