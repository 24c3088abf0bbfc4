/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "reference.h"
#include "state.h"

#include <string.h>

/*
 * Random models of every topology against the plain evaluator: spikes, membranes and counters after
 * each step, for every set of kernels this processor has; snn_run against snn_step; shuffled
 * events; two networks at once.
 */

static const struct snn_kernels *kernel_sets[3];
static int kernel_set_count;

static void find_kernels(void)
{
    kernel_sets[kernel_set_count++] = &snn_kernels_portable;
#if SNN_X86_KERNELS
    if (__builtin_cpu_supports("avx2")) {
        kernel_sets[kernel_set_count++] = &snn_kernels_avx2;
    }
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        kernel_sets[kernel_set_count++] = &snn_kernels_avx512;
    }
#endif
}

/** A network in memory of exactly its size, at an odd address. */
struct network {
    struct snn *snn;
    uint8_t *memory;
};

static struct network open_network(const struct test_model *test, const struct snn_kernels *kernels)
{
    struct network network;
    const size_t size = snn_state_size(&test->model);
    CHECK(size > 0);
    network.memory = malloc(size + 1);
    CHECK(network.memory != NULL);
    memset(network.memory, 0xA5, size + 1);
    CHECK_EQUAL(snn_init(&network.snn, &test->model, network.memory + 1, size - 1),
                SNN_ERROR_MEMORY);
    CHECK(network.snn == NULL);
    CHECK_EQUAL(snn_init(&network.snn, &test->model, network.memory + 1, size), SNN_OK);
    network.snn->kernels = kernels;
    return network;
}

/** Everything presented over a sample: [step][port]. */
struct sample {
    uint32_t steps;
    struct test_presented presented[20][TEST_INPUTS];
    struct test_model memory;
};

static void random_sample(struct sample *sample, const struct test_model *test, struct random *r)
{
    memset(sample, 0, sizeof *sample);
    sample->steps = (uint32_t)random_in(r, 1, 20);
    const uint32_t activity = (uint32_t)random_in(r, 0, 40);
    for (uint32_t step = 0; step < sample->steps; step++) {
        for (uint32_t port = 0; port < test->model.input_count; port++) {
            const struct snn_input *input = &test->inputs[port];
            const uint32_t n = snn_shape_size(&input->shape);
            struct test_presented *presented = &sample->presented[step][port];
            if (input->kind == SNN_EVENTS && random_chance(r, 70)) {
                uint32_t *events = model_memory(&sample->memory, (n + 4) * sizeof *events);
                presented->event_count =
                    (uint32_t)random_in(r, 0, (int32_t)(n * activity / 100 + 3));
                for (uint32_t e = 0; e < presented->event_count; e++) {
                    events[e] =
                        (uint32_t)random_in(r, 0, (int32_t)(n - (random_chance(r, 98) ? 1 : 0)));
                }
                presented->events = events;
            } else if (input->kind == SNN_VALUES && random_chance(r, input->frame_per_step ? 80
                                                                     : step == 0           ? 90
                                                                                           : 6)) {
                int16_t *frame = model_memory(&sample->memory, n * sizeof *frame);
                for (uint32_t i = 0; i < n; i++) {
                    frame[i] = (int16_t)(random_chance(r, 30) && input->min_value <= 0
                                             ? 0
                                             : random_in(r, input->min_value, input->max_value));
                }
                presented->frame = frame;
            }
        }
    }
}

static void present(struct snn *snn, const struct test_model *test,
                    const struct test_presented *presented, struct random *shuffle)
{
    for (uint32_t port = 0; port < test->model.input_count; port++) {
        const struct test_presented *at = &presented[port];
        if (at->frame != NULL) {
            CHECK_EQUAL(
                snn_values_s16(snn, port, at->frame, snn_shape_size(&test->inputs[port].shape)),
                SNN_OK);
        }
        /*
         * A rotated order is a shuffle that keeps overflowing ports comparable only where nothing
         * overflows.
         */
        uint32_t first = 0;
        if (shuffle != NULL && at->event_count > 0 &&
            at->event_count <= test->inputs[port].max_events_per_step) {
            first = random_next(shuffle) % at->event_count;
        }
        for (uint32_t e = 0; e < at->event_count; e++) {
            const uint32_t back = at->event_count - 1 - (e + first) % at->event_count;
            (void)snn_event(snn, port, at->events[first == 0 ? e : back]);
        }
    }
}

static void compare_step(const struct snn *snn, const struct reference *reference)
{
    const struct snn_model *model = &reference->test->model;
    for (uint32_t p = 0; p < model->population_count; p++) {
        const uint32_t n = snn_shape_size(&model->populations[p].shape);
        const uint32_t *spikes = snn_spikes(snn, p, NULL);
        const int32_t *expected = reference_spikes(reference, p);
        for (uint32_t i = 0; i < n; i++) {
            CHECK_EQUAL(snn_membrane(snn, p, i), reference->membrane[p][i]);
            CHECK_EQUAL(spikes != NULL ? spikes[i >> 5] >> (i & 31) & 1 : 0, (uint32_t)expected[i]);
        }
    }
}

static void compare_counters(const struct snn *snn, const struct reference *reference)
{
    const struct snn_model *model = &reference->test->model;
    for (uint32_t p = 0; p < model->population_count; p++) {
        const struct snn_population_counters counters = snn_population_counters(snn, p);
        CHECK_EQUAL(counters.spikes_out, reference->populations[p].spikes_out);
        CHECK_EQUAL(counters.updates, reference->populations[p].updates);
        CHECK_EQUAL(counters.saturations, reference->populations[p].saturations);
    }
    for (uint32_t q = 0; q < model->projection_count; q++) {
        const struct snn_projection_counters counters = snn_projection_counters(snn, q);
        CHECK_EQUAL(counters.spikes_in, reference->projections[q].spikes_in);
        CHECK_EQUAL(counters.synops, reference->projections[q].synops);
        CHECK_EQUAL(counters.macs, reference->projections[q].macs);
    }
    for (uint32_t i = 0; i < model->input_count; i++) {
        const struct snn_input_counters counters = snn_input_counters(snn, i);
        CHECK_EQUAL(counters.events, reference->inputs[i].events);
        CHECK_EQUAL(counters.dropped_outside, reference->inputs[i].dropped_outside);
        CHECK_EQUAL(counters.dropped_overflow, reference->inputs[i].dropped_overflow);
    }
}

/** One sample, step by step; twice, to see that reset forgets everything. */
static void check_steps(const struct test_model *test, const struct sample *sample,
                        const struct snn_kernels *kernels, struct random *shuffle)
{
    struct network network = open_network(test, kernels);
    for (int round = 0; round < 2; round++) {
        struct reference reference;
        reference_init(&reference, test);
        snn_reset(network.snn);
        reference.seed = round == 0 ? 0 : 0x12345678;
        snn_seed(network.snn, reference.seed);
        for (uint32_t step = 0; step < sample->steps; step++) {
            present(network.snn, test, sample->presented[step], round == 0 ? NULL : shuffle);
            CHECK_EQUAL(snn_step(network.snn), SNN_OK);
            reference_step(&reference, sample->presented[step]);
            compare_step(network.snn, &reference);
            CHECK_EQUAL(snn_is_decided(network.snn), reference_is_decided(&reference));
            if (snn_is_decided(network.snn)) {
                CHECK_EQUAL(snn_step(network.snn), SNN_ERROR_STEPS);
                CHECK_EQUAL(snn_steps(network.snn), step + 1);
                break;
            }
        }
        compare_counters(network.snn, &reference);
        reference_release(&reference);
    }
    free(network.memory);
}

struct hashes {
    uint32_t of[TEST_POPULATIONS];
};

static void add_hash(void *context, const struct snn *snn, uint32_t step, uint32_t population)
{
    struct hashes *hashes = context;
    CHECK_EQUAL(snn_steps(snn), step + 1);
    hashes->of[population] = snn_hash_population(hashes->of[population], snn, population);
}

/** snn_run with and without a trace against the reference, all input in the first step. */
static void check_run(const struct test_model *test, const struct sample *sample,
                      const struct snn_kernels *kernels)
{
    struct network network = open_network(test, kernels);
    struct network traced = open_network(test, kernels);
    struct reference reference;
    struct test_presented nothing[TEST_INPUTS];
    struct hashes hashes;
    memset(nothing, 0, sizeof nothing);
    memset(&hashes, 0, sizeof hashes);
    reference_init(&reference, test);
    snn_set_trace(traced.snn, add_hash, &hashes);
    present(network.snn, test, sample->presented[0], NULL);
    present(traced.snn, test, sample->presented[0], NULL);
    for (uint32_t step = 0; step < 20 && (step == 0 || !reference_is_decided(&reference)); step++) {
        reference_step(&reference, step == 0 ? sample->presented[0] : nothing);
    }
    CHECK_EQUAL(snn_run(network.snn, 1), SNN_OK);
    if (!snn_is_decided(network.snn)) {
        CHECK_EQUAL(snn_run(network.snn, 18), SNN_OK);
    }
    CHECK_EQUAL(snn_run(network.snn, 5),
                reference_is_decided(&reference) && !snn_is_decided(network.snn) ? SNN_OK
                                                                                 : SNN_ERROR_STEPS);
    CHECK_EQUAL(snn_steps(network.snn), reference.step);
    CHECK_EQUAL(snn_step(network.snn), SNN_ERROR_STEPS);
    CHECK_EQUAL(snn_run(traced.snn, 20), SNN_OK);
    compare_step(network.snn, &reference);
    compare_counters(network.snn, &reference);
    compare_step(traced.snn, &reference);
    compare_counters(traced.snn, &reference);
    reference_release(&reference);
    free(network.memory);
    free(traced.memory);
}

/** Two networks of one model, taking turns, do not meet. */
static void check_two(const struct test_model *test, const struct sample *first,
                      const struct sample *second)
{
    const struct sample *samples[2] = {first, second};
    struct network networks[2];
    struct reference references[2];
    for (int i = 0; i < 2; i++) {
        networks[i] = open_network(test, snn_best_kernels());
        reference_init(&references[i], test);
    }
    for (uint32_t step = 0; step < 20; step++) {
        for (int i = 0; i < 2; i++) {
            if (step < samples[i]->steps && !snn_is_decided(networks[i].snn)) {
                present(networks[i].snn, test, samples[i]->presented[step], NULL);
                CHECK_EQUAL(snn_step(networks[i].snn), SNN_OK);
                reference_step(&references[i], samples[i]->presented[step]);
            }
        }
    }
    for (int i = 0; i < 2; i++) {
        compare_step(networks[i].snn, &references[i]);
        compare_counters(networks[i].snn, &references[i]);
        reference_release(&references[i]);
        free(networks[i].memory);
    }
}

int main(int argc, char **argv)
{
    const uint64_t models = argc > 1 ? strtoull(argv[1], NULL, 10) : 500;
    const uint64_t from = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    static struct test_model test;
    static struct sample sample;
    static struct sample other;
    uint32_t seen[3] = {0, 0, 0};
    uint32_t checked = 0, late = 0, tapped = 0;
    find_kernels();
    for (uint64_t seed = from; seed < from + models; seed++) {
        struct random r = {seed + 12345};
        if (argc > 3) {
            fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
        }
        if (model_random(&test, seed)) {
            random_sample(&sample, &test, &r);
            random_sample(&other, &test, &r);
            for (int k = 0; k < kernel_set_count; k++) {
                check_steps(&test, &sample, kernel_sets[k], &r);
            }
            check_run(&test, &sample, kernel_sets[seed % (uint64_t)kernel_set_count]);
            check_two(&test, &sample, &other);
            struct network network = open_network(&test, snn_best_kernels());
            for (uint32_t p = 0; p < test.model.population_count; p++) {
                seen[snn_accumulator(network.snn, p)]++;
            }
            for (uint32_t q = 0; q < test.model.projection_count; q++) {
                late += test.projections[q].delay > 1;
                tapped += test.projections[q].taps > 1;
            }
            free(network.memory);
            model_release(&sample.memory);
            model_release(&other.memory);
            checked++;
        }
        model_release(&test);
    }
    printf("test_random: %u models, %d kernel sets; populations summed in int32 %u, int16 %u, "
           "direct %u; projections of delay above 1: %u, with taps: %u\n",
           checked, kernel_set_count, seen[SNN_ACCUMULATOR_S32], seen[SNN_ACCUMULATOR_S16],
           seen[SNN_ACCUMULATOR_DIRECT], late, tapped);
    CHECK(checked * 3 > models && (models < 500 || (late > 100 && tapped > 100)));
    return 0;
}
