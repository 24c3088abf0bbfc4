/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "reference.h"
#include "state.h"

#include <signal.h>
#include <string.h>

/*
 * Convolutions at their edges: kernels of 1 to 5, strides, paddings and dilations over images from
 * one pixel on, with and without pool, in every set of kernels this processor has, against the
 * plain evaluator.
 */

static const struct snn_kernels *kernel_sets[3];
static int kernel_set_count = 0;

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

/** One convolution from an EVENTS port to neurons that a read-out watches one by one. */
struct scene {
    uint32_t channels_in, channels_out, height, width, pool;
    struct snn_convolution kernel;
    bool wide, zeros; /* int32 sums; some weights are 0 */
    bool dense;       /* a dense projection; the kernel is as large as the pooled source */
};

/** Output length of an axis; 0: the kernel does not fit. */
static uint32_t output_length(uint32_t padded, uint32_t kernel, uint32_t stride, uint32_t dilation)
{
    const uint32_t span = dilation * (kernel - 1) + 1;
    return padded < span ? 0 : (padded - span) / stride + 1;
}

static bool make_scene(struct test_model *test, const struct scene *scene, struct random *r)
{
    static const int16_t threshold[1] = {60};
    const struct snn_convolution *k = &scene->kernel;
    const uint32_t height =
        output_length(scene->height / scene->pool + k->padding_top + k->padding_bottom,
                      k->kernel_height, k->stride_y, k->dilation_y);
    const uint32_t width =
        output_length(scene->width / scene->pool + k->padding_left + k->padding_right,
                      k->kernel_width, k->stride_x, k->dilation_x);
    if (scene->height < scene->pool || scene->width < scene->pool || height == 0 || width == 0) {
        return false;
    }
    memset(test, 0, sizeof *test);
    test->inputs[0].shape = (struct snn_shape){scene->channels_in, scene->height, scene->width};
    test->populations[0] = model_lif(scene->channels_out, height, width, threshold);
    test->populations[0].floor = scene->wide ? INT16_MIN : -8000;
    test->populations[0].ceiling = scene->wide ? INT16_MAX : 8000;
    test->populations[1] = model_readout(1);
    test->projections[0].from_input = true;
    test->projections[0].topology = scene->dense ? SNN_DENSE : SNN_CONV;
    test->projections[0].pool = (uint8_t)scene->pool;
    test->projections[0].convolution = *k;
    test->projections[0].shift = scene->wide ? 6 : 0;
    test->projections[1].target = 1;
    for (uint32_t q = 0; q < 2; q++) {
        struct snn_weights *weights = &test->projections[q].weights;
        weights->rows = q == 0 ? scene->channels_in : scene->channels_out * height * width;
        weights->columns =
            q == 0 ? (uint32_t)k->kernel_height * k->kernel_width * scene->channels_out : 1;
        const uint32_t entries = weights->rows * weights->columns;
        if (q == 0 && scene->dense) {
            weights->rows = entries / scene->channels_out;
            weights->columns = scene->channels_out;
        }
        test->matrix[q] = model_memory(test, entries);
        for (uint32_t i = 0; i < entries; i++) {
            const int32_t weight = random_in(r, 1, 20) * (random_chance(r, 50) ? 1 : -1);
            test->matrix[q][i] = (int8_t)(q == 1                                 ? 1
                                          : scene->zeros && random_chance(r, 30) ? 0
                                                                                 : weight);
        }
        model_set_weights(test, q, SNN_ROWS_FULL);
    }
    test->model.steps = 3;
    test->model.max_steps = 3;
    model_finish(test, 1, 2, 2);
    return true;
}

static void check_step(const struct snn *snn, const struct reference *reference, uint32_t neurons)
{
    for (uint32_t i = 0; i < neurons; i++) {
        CHECK_EQUAL(snn_membrane(snn, 0, i), reference->membrane[0][i]);
    }
    CHECK_EQUAL(snn_projection_counters(snn, 0).synops, reference->projections[0].synops);
    CHECK_EQUAL(snn_projection_counters(snn, 0).spikes_in, reference->projections[0].spikes_in);
}

/** Three steps: few spikes (one by one), many (cell by cell), and all. */
static void check_scene(const struct scene *scene, uint64_t seed)
{
    static struct test_model test;
    struct random r = {seed + 77};
    if (!make_scene(&test, scene, &r)) {
        return;
    }
    const uint32_t addresses = snn_shape_size(&test.inputs[0].shape);
    const size_t size = snn_state_size(&test.model);
    uint32_t *events = model_memory(&test, 3 * addresses * sizeof *events);
    uint32_t counts[3] = {0, 0, 0};
    CHECK(size > 0);
    for (uint32_t step = 0; step < 3; step++) {
        for (uint32_t i = 0; i < addresses; i++) {
            if (random_chance(&r, step == 0 ? 3 : step == 1 ? 35 : 100)) {
                events[step * addresses + counts[step]++] = i;
            }
        }
    }
    for (int k = 0; k < kernel_set_count; k++) {
        struct snn *snn = NULL;
        struct reference reference;
        void *memory = malloc(size);
        CHECK(memory != NULL);
        CHECK_EQUAL(snn_init(&snn, &test.model, memory, size), SNN_OK);
        snn->kernels = kernel_sets[k];
        reference_init(&reference, &test);
        for (uint32_t step = 0; step < 3; step++) {
            const struct test_presented presented[1] = {
                {events + step * addresses, counts[step], NULL}};
            for (uint32_t e = 0; e < counts[step]; e++) {
                CHECK(snn_event(snn, 0, presented[0].events[e]));
            }
            CHECK_EQUAL(snn_step(snn), SNN_OK);
            reference_step(&reference, presented);
            check_step(snn, &reference, snn_shape_size(&test.populations[0].shape));
        }
        reference_release(&reference);
        free(memory);
    }
    model_release(&test);
}

/** One step of values on the same convolution, a third of them 0. */
static void check_values(const struct scene *scene, uint64_t seed)
{
    static struct test_model test;
    struct random r = {seed + 99};
    CHECK(make_scene(&test, scene, &r));
    test.inputs[0].kind = SNN_VALUES;
    test.inputs[0].min_value = -255;
    test.inputs[0].max_value = 255;
    test.projections[0].shift = 6;
    const uint32_t count = snn_shape_size(&test.inputs[0].shape);
    const size_t size = snn_state_size(&test.model);
    int16_t *frame = model_memory(&test, count * sizeof *frame);
    CHECK(size > 0);
    for (uint32_t i = 0; i < count; i++) {
        frame[i] = (int16_t)(random_chance(&r, 33) ? 0 : random_in(&r, -255, 255));
    }
    for (int k = 0; k < kernel_set_count; k++) {
        struct snn *snn = NULL;
        struct reference reference;
        const struct test_presented presented[1] = {{NULL, 0, frame}};
        void *memory = malloc(size);
        CHECK(memory != NULL);
        CHECK_EQUAL(snn_init(&snn, &test.model, memory, size), SNN_OK);
        snn->kernels = kernel_sets[k];
        reference_init(&reference, &test);
        CHECK_EQUAL(snn_values_s16(snn, 0, frame, count), SNN_OK);
        CHECK_EQUAL(snn_step(snn), SNN_OK);
        reference_step(&reference, presented);
        check_step(snn, &reference, snn_shape_size(&test.populations[0].shape));
        CHECK_EQUAL(snn_projection_counters(snn, 0).macs, reference.projections[0].macs);
        reference_release(&reference);
        free(memory);
    }
    model_release(&test);
}

static void print_scene(const struct scene *s)
{
    fprintf(stderr,
            "%ux%ux%u pool %u kernel %ux%u stride %u,%u padding %u,%u dilation %u,%u -> %u "
            "channels%s%s%s\n",
            s->channels_in, s->height, s->width, s->pool, s->kernel.kernel_height,
            s->kernel.kernel_width, s->kernel.stride_y, s->kernel.stride_x, s->kernel.padding_top,
            s->kernel.padding_left, s->kernel.dilation_y, s->kernel.dilation_x, s->channels_out,
            s->wide ? " wide" : "", s->zeros ? " zeros" : "", s->dense ? " dense" : "");
}

static struct scene last;

/** Prints the scene that a failed check was in. */
static void on_abort(int signal)
{
    (void)signal;
    print_scene(&last);
}

/** Every small geometry, at channel counts that fill a word of lanes, half of one, and neither. */
static void test_small_geometries(void)
{
    static const uint32_t channels_in[6] = {1, 3, 16, 24, 64, 70};
    static const uint32_t channels_out[6] = {1, 7, 16, 32, 40, 48};
    static const uint32_t sides[5] = {1, 2, 3, 5, 8};
    uint32_t number = 0;
    for (uint8_t kernel = 1; kernel <= 5; kernel++) {
        for (uint8_t stride = 1; stride <= 3; stride++) {
            for (uint8_t padding = 0; padding <= 3; padding++) {
                for (uint32_t side = 0; side < 5; side++) {
                    for (uint32_t pool = 1; pool <= 3; pool++, number++) {
                        const uint8_t dilation = number % 5 == 0 ? 2 : 1;
                        last.kernel = (struct snn_convolution){kernel,   kernel,  stride,  stride,
                                                               padding,  padding, padding, padding,
                                                               dilation, 1,       1};
                        last.channels_in = channels_in[number % 6];
                        last.channels_out = channels_out[number / 6 % 6];
                        last.height = sides[side];
                        last.width = sides[(side + number % 2) % 5];
                        last.pool = pool;
                        last.wide = number % 7 == 0;
                        last.zeros = number % 2 == 0;
                        check_scene(&last, number);
                    }
                }
            }
        }
    }
}

/** The geometry with code of its own, 3 x 3 and stride 1, at every channel count. */
static void test_three_by_three(void)
{
    for (uint32_t channels = 1; channels <= 72; channels++) {
        last = (struct scene){.channels_in = channels,
                              .channels_out = channels,
                              .height = 4,
                              .width = 5,
                              .pool = 1 + channels % 2,
                              .kernel = {3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1},
                              .wide = channels % 3 == 0,
                              .zeros = channels % 4 < 2};
        check_scene(&last, channels);
    }
}

/**
 * Cells of 2 x 2 pixels of 16 channels, whose lines are words of the spike map, before targets of
 * whole vectors of 16 and 32 channels, and of no whole vectors.
 */
static void test_cells_of_two_words(void)
{
    static const uint32_t channels_out[5] = {16, 24, 32, 48, 64};
    for (uint32_t number = 0; number < 5 * 36 * 2; number++) {
        const uint32_t height = 2 + number / 5 % 6;
        const uint32_t width = 2 + number / 30 % 6;
        last =
            (struct scene){16,   channels_out[number % 5],          height,        width,
                           2,    {3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1}, number >= 180, number % 7 < 3,
                           false};
        check_scene(&last, number);
    }
}

/**
 * Kernels and strides that differ by axis, before whole vectors of channels: where the stride
 * passes the kernel's height, several lines of the source reach the same targets, and some none.
 */
static void test_sides_that_differ(void)
{
    for (uint32_t number = 0; number < 4 * 4 * 5 * 8; number++) {
        const uint8_t stride_y = (uint8_t)(1 + number / 16 % 5);
        const uint8_t stride_x = (uint8_t)(number % 8 == 0 ? 2 : 1);
        last = (struct scene){.channels_in = 5,
                              .channels_out = number % 3 == 0 ? 32 : 16,
                              .height = 7,
                              .width = 6,
                              .pool = 1,
                              .kernel = {(uint8_t)(1 + number % 4), (uint8_t)(1 + number / 4 % 4),
                                         stride_y, stride_x, 3, 1, 0, 3, 1, 1, 1}};
        check_scene(&last, number);
    }
}

/**
 * Dense projections behind pools, at channel counts that fill words of lanes, parts of one, and
 * neither.
 */
static void test_dense_behind_pools(void)
{
    static const uint32_t channels_in[10] = {1, 2, 3, 16, 24, 32, 64, 70, 96, 128};
    for (uint32_t number = 0; number < 10 * 4 * 6; number++) {
        const uint32_t pool = 2 + number / 10 % 4;
        const uint32_t height = pool + number / 40;
        const uint32_t width = 2 * pool + number % 3;
        last = (struct scene){.channels_in = channels_in[number % 10],
                              .channels_out = number % 2 == 0 ? 32 : 7,
                              .height = height,
                              .width = width,
                              .pool = pool,
                              .kernel = {(uint8_t)(height / pool), (uint8_t)(width / pool), 1, 1, 0,
                                         0, 0, 0, 1, 1, 1},
                              .wide = number % 3 == 0,
                              .zeros = number % 4 < 2,
                              .dense = true};
        check_scene(&last, number);
    }
}

static void test_values(void)
{
    static const uint32_t channels_out[6] = {1, 8, 16, 24, 32, 40};
    for (uint32_t number = 0; number < 6 * 5; number++) {
        const uint8_t kernel = (uint8_t)(1 + number / 6);
        last = (struct scene){1 + number % 2,
                              channels_out[number % 6],
                              5,
                              6,
                              1,
                              {kernel, kernel, 1, 1, 1, 1, 1, 1, 1, 1, 1},
                              false,
                              number % 3 == 0,
                              false};
        check_values(&last, number);
    }
}

int main(void)
{
    (void)signal(SIGABRT, on_abort);
    find_kernels();
    test_small_geometries();
    test_three_by_three();
    test_cells_of_two_words();
    test_sides_that_differ();
    test_dense_behind_pools();
    test_values();
    printf("test_conv: ok\n");
    return 0;
}
