/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 199309L
#include "check.h"
#include "reference.h"
#include "state.h"

#include <string.h>
#include <time.h>

/*
 * Speed of three nets with random int8 weights at about 5 to 10 % activity (printed), one inference
 * at a time, beside two roofs measured in the same run. An argument names the kernels: portable,
 * avx2 or avx512; a second one the net: N3.
 */

static const struct snn_kernels *kernels;
static const char *only;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/**
 * What one core can do: acc16[j] += w8[row][j] over 256 KiB of weights, in blocks of `columns`,
 * compiled for this processor's widest vectors. Inlined so that the call of a kernel is no part of
 * it.
 */
#if SNN_X86_KERNELS
#define TARGETS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TARGETS
#endif

static inline void add_block(uint16_t *restrict sum, const int8_t *restrict row, uint32_t columns)
{
    for (uint32_t j = 0; j < columns; j++) {
        sum[j] = (uint16_t)(sum[j] + (uint16_t)row[j]);
    }
}

enum { ROOF_BYTES = 32768, ROOF_SUMS = 4096 };

TARGETS static void add_rows_256(uint16_t *sum, const int8_t *weights)
{
    for (uint32_t at = 0; at < ROOF_BYTES; at += 256) {
        add_block(sum, weights + at, 256);
    }
}

/** Rows of 32 to places apart, as convolution taps are. */
TARGETS static void add_rows_32(uint16_t *sum, const int8_t *weights)
{
    for (uint32_t at = 0; at < ROOF_BYTES; at += 32) {
        add_block(sum + at * 5 % ROOF_SUMS, weights + at, 32);
    }
}

static double roof(bool narrow)
{
    static int8_t weights[ROOF_BYTES];
    static uint16_t sum[ROOF_SUMS];
    double best = 0;
    for (int round = 0; round < 15; round++) {
        const double begin = now();
        for (int n = 0; n < 2000; n++) {
            if (narrow) {
                add_rows_32(sum, weights);
            } else {
                add_rows_256(sum, weights);
            }
        }
        const double rate = 2000.0 * ROOF_BYTES / (now() - begin);
        best = rate > best ? rate : best;
    }
    return best;
}

static struct snn_projection between(bool from_input, uint32_t source, uint32_t target,
                                     uint8_t pool)
{
    struct snn_projection projection = {0};
    projection.from_input = from_input;
    projection.source = (uint16_t)source;
    projection.target = (uint16_t)target;
    projection.pool = pool;
    return projection;
}

static void fill_weights(struct test_model *test, struct random *r, uint32_t q, uint32_t rows,
                         uint32_t columns, bool conv)
{
    static const struct snn_convolution same = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    struct snn_projection *projection = &test->projections[q];
    int8_t *matrix = model_memory(test, (size_t)rows * columns);
    for (size_t i = 0; i < (size_t)rows * columns; i++) {
        matrix[i] = (int8_t)(random_in(r, -20, 20) + random_in(r, -20, 20));
    }
    projection->topology = conv ? SNN_CONV : SNN_DENSE;
    projection->convolution = same;
    projection->weights.rows = rows;
    projection->weights.columns = columns;
    test->matrix[q] = matrix;
    model_set_weights(test, q, SNN_ROWS_FULL);
}

static int16_t thresholds[4];
static uint16_t leaks[1] = {29491};

static void make_mlp(struct test_model *test, struct random *r)
{
    test->inputs[0].shape = (struct snn_shape){784, 1, 1};
    test->inputs[0].kind = SNN_VALUES;
    test->inputs[0].max_value = 255;
    test->populations[0] = model_lif(256, 1, 1, &thresholds[0]);
    test->populations[1] = model_readout(10);
    test->projections[0] = between(true, 0, 0, 0);
    test->projections[1] = between(false, 0, 1, 0);
    fill_weights(test, r, 0, 784, 256, false);
    fill_weights(test, r, 1, 256, 10, false);
    test->projections[0].shift = 8;
    model_finish(test, 1, 2, 2);
}

static void make_conv(struct test_model *test, struct random *r, uint32_t channels, uint32_t side,
                      bool values)
{
    test->inputs[0].shape = (struct snn_shape){channels, side, side};
    test->inputs[0].kind = values ? SNN_VALUES : SNN_EVENTS;
    test->inputs[0].max_value = 255;
    test->populations[0] = model_lif(16, side, side, &thresholds[0]);
    test->populations[1] = model_lif(32, side / 2, side / 2, &thresholds[1]);
    test->populations[2] = model_lif(128, 1, 1, &thresholds[2]);
    test->populations[3] = model_readout(10);
    test->projections[0] = between(true, 0, 0, 0);
    test->projections[1] = between(false, 0, 1, 2);
    test->projections[2] = between(false, 1, 2, 2);
    test->projections[3] = between(false, 2, 3, 0);
    fill_weights(test, r, 0, channels, 9 * 16, true);
    fill_weights(test, r, 1, 16, 9 * 32, true);
    fill_weights(test, r, 2, 32 * (side / 4) * (side / 4), 128, false);
    fill_weights(test, r, 3, 128, 10, false);
    test->projections[0].shift = values ? 8 : 0;
    model_finish(test, 1, 4, 4);
}

struct workload {
    const uint8_t *image;
    const uint32_t *events; /* per step, `per_step` of them */
    uint32_t per_step, steps;
};

static void infer(struct snn *snn, const struct workload *work)
{
    snn_reset(snn);
    if (work->image != NULL) {
        CHECK_EQUAL(
            snn_values_u8(snn, 0, work->image, snn_shape_size(&snn->model->inputs[0].shape)),
            SNN_OK);
        CHECK_EQUAL(snn_run(snn, work->steps), SNN_OK);
        return;
    }
    for (uint32_t step = 0; step < work->steps; step++) {
        for (uint32_t i = 0; i < work->per_step; i++) {
            (void)snn_event(snn, 0, work->events[step * work->per_step + i]);
        }
        CHECK_EQUAL(snn_step(snn), SNN_OK);
    }
}

static double rate_of(const struct snn *snn, uint32_t population)
{
    const struct snn_population_counters counters = snn_population_counters(snn, population);
    return (double)counters.spikes_out / (double)counters.updates;
}

static void open_network(struct snn **snn, const struct test_model *test, void *memory, size_t size)
{
    CHECK_EQUAL(snn_init(snn, &test->model, memory, size), SNN_OK);
    (*snn)->kernels = kernels;
}

/** Sets thresholds layer by layer so that each spiking population fires at about `activity`. */
static struct snn *tune(struct test_model *test, const struct workload *work, void *memory,
                        size_t size, double activity)
{
    struct snn *snn = NULL;
    for (uint32_t p = 0; p + 1 < test->model.population_count; p++) {
        int low = 1;
        int high = 32767;
        while (low < high) {
            thresholds[p] = (int16_t)((low + high) / 2);
            open_network(&snn, test, memory, size);
            infer(snn, work);
            if (rate_of(snn, p) > activity) {
                low = thresholds[p] + 1;
            } else {
                high = thresholds[p];
            }
        }
        thresholds[p] = (int16_t)low;
    }
    open_network(&snn, test, memory, size);
    return snn;
}

static void measure(const char *name, struct test_model *test, const struct workload *work,
                    double activity, double peak, bool leaky)
{
    if (only != NULL && strncmp(name, only, strlen(only)) != 0) {
        return;
    }
    test->model.steps = work->steps;
    test->model.max_steps = work->steps;
    for (uint32_t p = 0; p + 1 < test->model.population_count; p++) {
        thresholds[p] = 32767;
        test->populations[p].leak = leaks;
        test->populations[p].leak_count = leaky ? 1 : 0;
        test->populations[p].floor = -16384;
        test->populations[p].ceiling = 16383;
    }
    const size_t size = snn_state_size(&test->model);
    void *memory = malloc(size);
    CHECK(size > 0 && memory != NULL);
    struct snn *snn = tune(test, work, memory, size, activity);
    double best = 1e9;
    for (int round = 0; round < 15; round++) {
        const double begin = now();
        for (int n = 0; n < 50; n++) {
            infer(snn, work);
        }
        const double seconds = (now() - begin) / 50;
        best = seconds < best ? seconds : best;
    }
    double adds = 0;
    printf("%s%s  %7.4f ms", name, leaky ? " leak" : "     ", best * 1e3);
    for (uint32_t q = 0; q < test->model.projection_count; q++) {
        adds += (double)snn_projection_counters(snn, q).synops;
    }
    printf("  %6.2f M adds, %5.1f G adds/s (%3.0f %% of roof)  state %zu B  activity %%",
           adds * 1e-6, adds / best * 1e-9, 100 * adds / best / peak, size);
    for (uint32_t p = 0; p + 1 < test->model.population_count; p++) {
        printf(" %.1f(%d)", 100 * rate_of(snn, p), (int)snn_accumulator(snn, p));
    }
    printf("\n");
    free(memory);
}

/** The kernels of that name, or null. */
static const struct snn_kernels *find_kernels(const char *name)
{
#if SNN_X86_KERNELS
    if (strcmp(name, "avx512") == 0 && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl")) {
        return &snn_kernels_avx512;
    }
    if (strcmp(name, "avx2") == 0 && __builtin_cpu_supports("avx2")) {
        return &snn_kernels_avx2;
    }
#endif
    return strcmp(name, "portable") == 0 ? &snn_kernels_portable : NULL;
}

int main(int count, char **arguments)
{
    struct random r = {12345};
    static struct test_model test;
    static uint8_t image[784];
    static uint32_t events[20 * 512];
    const double peak = roof(true);
    kernels = count > 1 ? find_kernels(arguments[1]) : snn_best_kernels();
    only = count > 2 ? arguments[2] : NULL;
    if (kernels == NULL) {
        (void)fprintf(stderr, "bench: this processor has no kernels named %s\n", arguments[1]);
        return 1;
    }
    printf("roof: int16 += int8, weights in L1: %.1f G adds/s in rows of 256, %.1f in rows of 32\n",
           roof(false) * 1e-9, peak * 1e-9);
    for (uint32_t i = 0; i < 784; i++) {
        image[i] = (uint8_t)(random_chance(&r, 50) ? 0 : random_in(&r, 1, 255));
    }
    for (uint32_t i = 0; i < 20 * 512; i++) {
        events[i] = (uint32_t)random_in(&r, 0, 2 * 34 * 34 - 1);
    }
    for (int leaky = 0; leaky < 2; leaky++) {
        const struct workload mlp = {image, NULL, 0, 10};
        make_mlp(&test, &r);
        measure("N1 784-256-10, T=10     ", &test, &mlp, 0.10, peak, leaky == 1);
        model_release(&test);
        for (int percent = 5; percent <= 10; percent += 5) {
            const struct workload conv = {image, NULL, 0, 5};
            memset(&test, 0, sizeof test);
            make_conv(&test, &r, 1, 28, true);
            measure("N2 conv 1x28x28, T=5    ", &test, &conv, percent * 0.01, peak, leaky == 1);
            model_release(&test);
            const struct workload dvs = {NULL, events, percent == 5 ? 120 : 240, 20};
            memset(&test, 0, sizeof test);
            make_conv(&test, &r, 2, 34, false);
            measure("N3 conv 2x34x34, T=20   ", &test, &dvs, percent * 0.01, peak, leaky == 1);
            model_release(&test);
        }
    }
    return 0;
}
