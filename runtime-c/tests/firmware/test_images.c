/* SPDX-License-Identifier: Apache-2.0 */
#include "build_image.h"
#include "exercise.h"

#include "snn/count.h"
#include "snn/snn.h"

#include <string.h>

/*
 * What the firmware engine does with right images: they compute what the host engine does, and
 * input that does not suit them is refused or dropped.
 */

enum { RANDOM_SAMPLES = 20 };

/* ---- Right images ---- */

/** A frame or events for both engines. */
static void present_both(const struct built_model *built, struct snn *core,
                         struct snn_device *device, struct random *random, int16_t frames[][128])
{
    const uint32_t density = random_next(random) % 60;
    for (uint32_t port = 0; port < built->model.input_count; port++) {
        const struct snn_input *input = &built->inputs[port];
        const uint32_t size = snn_shape_size(&input->shape);
        uint8_t *narrow = (uint8_t *)frames[port];
        CHECK(size <= 128);
        if (input->kind == SNN_EVENTS) {
            for (uint32_t i = 0; i < size; i++) {
                if (random_chance(random, density)) {
                    CHECK_EQUAL(snn_event(core, port, i), snn_device_event(device, port, i));
                }
            }
        } else if (device->steps == 0 || input->frame_per_step) {
            const bool bytes = input->min_value == 0 && input->max_value == 255;
            for (uint32_t i = 0; i < size; i++) {
                frames[port][i] = (int16_t)random_in(random, input->min_value, input->max_value);
            }
            CHECK_EQUAL(snn_values_s16(core, port, frames[port], size), SNN_OK);
            for (uint32_t i = 0; bytes && i < size; i++) {
                narrow[i] = (uint8_t)frames[port][i];
            }
            if (bytes) {
                CHECK_EQUAL(snn_device_values_u8(device, port, narrow, size), SNN_OK);
            }
            if (!bytes) {
                CHECK_EQUAL(snn_device_values_s16(device, port, frames[port], size), SNN_OK);
            }
        }
    }
}

static void check_scores(const struct snn_device *device, const struct snn *core)
{
    uint32_t count;
    const int32_t *found = snn_device_scores(device, &count), *expected = snn_scores(core, NULL);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(found[i], expected[i]);
    }
}

static void test_built_images_compute_what_the_core_does(void)
{
    static int16_t frames[SPEC_PORTS][128];
    for (uint32_t s = 0; s < IMAGE_SPECS; s++) {
        const struct image_spec *spec = &image_specs[s];
        size_t size;
        struct snn_image *image = image_build(spec, &size);
        CHECK_EQUAL(snn_image_check(image, size), SNN_OK);
        if (image->needs_general > SNN_DEVICE_GENERAL ||
            (image->block == 1 && SNN_DEVICE_STREAMING == 0)) {
            uint32_t memory;
            struct snn_device device;
            CHECK_EQUAL(snn_device_init(&device, image, &memory, UINT32_MAX), SNN_ERROR_LIMIT);
            free(image);
            continue;
        }
        struct built_model built;
        struct snn_fault fault = {0};
        model_build(&built, spec);
        CHECK_EQUAL(snn_check(&built.model, &fault), SNN_OK);
        struct snn *core = NULL;
        void *state = malloc(snn_state_size(&built.model)), *arena = malloc(image->arena_bytes);
        CHECK_EQUAL(snn_init(&core, &built.model, state, snn_state_size(&built.model)), SNN_OK);
        struct snn_device device;
        CHECK_EQUAL(snn_device_init(&device, image, arena, image->arena_bytes), SNN_OK);
        struct random random = {s + 1};
        uint64_t spikes[SPEC_LAYERS] = {0};
        for (uint32_t sample = 0; sample < RANDOM_SAMPLES; sample++) {
            snn_reset(core);
            snn_device_reset(&device);
            check_scores(&device, core);
            for (uint32_t step = 0; step < spec->steps; step += spec->block) {
                const uint32_t steps = spec->block == 1 ? 1 : spec->steps;
                present_both(&built, core, &device, &random, frames);
                CHECK_EQUAL(snn_run(core, steps), SNN_OK);
                CHECK_EQUAL(snn_device_run(&device, steps), SNN_OK);
                check_scores(&device, core);
            }
            CHECK_EQUAL(snn_device_class(&device), snn_class(core));
            for (uint32_t l = 0; l + 1 < spec->layer_count; l++) {
                spikes[l] += snn_population_counters(core, l).spikes_out;
            }
        }
        for (uint32_t l = 0; l + 1 < spec->layer_count; l++) {
            if (spikes[l] == 0) {
                fprintf(stderr, "layer %u of %s is silent\n", l, spec->name);
            }
            CHECK(spikes[l] > 0);
        }
        exercise_image(image, true, &random, 4);
        built_model_release(&built);
        free(state);
        free(arena);
        free(image);
    }
}

/** A frame that is held counts once, whenever it comes. */
static void test_multiplications_of_a_late_frame_are_counted(void)
{
    static const uint8_t frames[2][12] = {{9, 9, 9}, {200, 0, 200, 7}};
    struct image_spec spec = image_specs[STREAMING];
    spec.ports[1].frame_per_step = 0;
    size_t size;
    struct snn_image *image = image_build(&spec, &size);
    struct built_model built;
    model_build(&built, &spec);
    struct snn *core = NULL;
    void *state = malloc(snn_state_size(&built.model)), *arena = malloc(image->arena_bytes);
    CHECK_EQUAL(snn_init(&core, &built.model, state, snn_state_size(&built.model)), SNN_OK);
    struct snn_device device;
    CHECK_EQUAL(snn_device_init(&device, image, arena, image->arena_bytes), SNN_OK);
    struct snn_layer_count layers[SPEC_LAYERS];
    struct snn_projection_count projections[SPEC_PROJECTIONS];
    struct snn_count count;
    snn_count_init(&count, &device, layers, projections);
    for (uint32_t step = 0; step < 6; step++) {
        if (step % 2 == 0 && step > 0) {
            const uint8_t *frame = frames[step / 2 - 1];
            CHECK_EQUAL(snn_values_u8(core, 1, frame, 12), SNN_OK);
            CHECK_EQUAL(snn_device_values_u8(&device, 1, frame, 12), SNN_OK);
        }
        CHECK_EQUAL(snn_step(core), SNN_OK);
        CHECK_EQUAL(snn_device_run(&device, 1), SNN_OK);
        check_scores(&device, core);
        CHECK_EQUAL(projections[0].macs, snn_projection_counters(core, 0).macs);
    }
    CHECK(projections[0].macs > 0);
    built_model_release(&built);
    free(state);
    free(arena);
    free(image);
}

/* ---- Input ---- */

static void test_wrong_events_and_values_are_dropped(void)
{
    size_t size;
    struct snn_image *image = image_build(&image_specs[STREAMING], &size);
    uint8_t *arena = malloc(image->arena_bytes);
    struct snn_device device;
    CHECK(arena != NULL);
    CHECK_EQUAL(snn_device_init(&device, image, arena, image->arena_bytes), SNN_OK);
    uint8_t *before = malloc(image->arena_bytes);
    static const uint8_t frame[13];
    static const int16_t wide[13];
    CHECK(before != NULL);
    memcpy(before, arena, image->arena_bytes);
    for (uint32_t bit = 0; bit < 32; bit++) {
        CHECK(!snn_device_event(&device, 0, 32 + (UINT32_C(1) << bit) - 1));
        /* port 1 takes values */
        CHECK(!snn_device_event(&device, 1 + (UINT32_C(1) << bit) - 1, 0));
    }
    CHECK_EQUAL(snn_device_values_u8(&device, 0, frame, 32), SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_values_u8(&device, 1, frame, 11), SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_values_u8(&device, 1, frame, 13), SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_values_u8(&device, 2, frame, 12), SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_values_u8(&device, UINT32_MAX, frame, 12), SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_values_u8(&device, 1, NULL, 12), SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_values_s16(&device, 1, wide, 12), SNN_ERROR_ARGUMENT);
    CHECK(memcmp(before, arena, image->arena_bytes) == 0);
    CHECK_EQUAL(snn_device_values_u8(&device, 1, frame, 12), SNN_OK);
    /* a flood merges */
    for (uint32_t i = 0; i < 100000; i++) {
        CHECK(snn_device_event(&device, 0, i % 32));
    }
    CHECK_EQUAL(snn_device_run(&device, 13), SNN_ERROR_STEPS);
    CHECK_EQUAL(snn_device_run(&device, UINT32_MAX), SNN_ERROR_STEPS);
    CHECK_EQUAL(snn_device_run(&device, 12), SNN_OK);
    CHECK(!snn_device_event(&device, 0, 0)); /* late */
    CHECK_EQUAL(snn_device_run(&device, 1), SNN_ERROR_STEPS);
    CHECK_EQUAL(snn_device_run(&device, 0), SNN_OK);
    free(before);
    free(arena);
    free(image);
}

static void test_values_outside_the_range_are_refused(void)
{
    size_t size;
    struct snn_image *image = image_build(&image_specs[POOLED], &size);
    void *arena = malloc(image->arena_bytes);
    struct snn_device device;
    int16_t frame[72] = {0};
    CHECK_EQUAL(snn_device_init(&device, image, arena, image->arena_bytes), SNN_OK);
    CHECK_EQUAL(snn_device_values_s16(&device, 0, frame, 72), SNN_OK);
    frame[71] = 300;
    CHECK_EQUAL(snn_device_values_s16(&device, 0, frame, 72), SNN_OK);
    frame[71] = 301;
    CHECK_EQUAL(snn_device_values_s16(&device, 0, frame, 72), SNN_ERROR_VALUE);
    frame[71] = -301;
    CHECK_EQUAL(snn_device_values_s16(&device, 0, frame, 72), SNN_ERROR_VALUE);
    free(arena);
    free(image);

    image = image_build(&image_specs[DENSE], &size);
    ((struct snn_image_port *)(void *)((uint8_t *)image + image->ports))->max_value = 16;
    image_seal(image, size);
    CHECK_EQUAL(snn_image_check(image, size), SNN_OK);
    arena = malloc(image->arena_bytes);
    CHECK_EQUAL(snn_device_init(&device, image, arena, image->arena_bytes), SNN_OK);
    uint8_t bytes[36] = {16};
    CHECK_EQUAL(snn_device_values_u8(&device, 0, bytes, 36), SNN_OK);
    bytes[35] = 17;
    CHECK_EQUAL(snn_device_values_u8(&device, 0, bytes, 36), SNN_ERROR_VALUE);
    free(arena);
    free(image);
}

int main(void)
{
    test_built_images_compute_what_the_core_does();
    if (SNN_DEVICE_STREAMING != 0) {
        test_multiplications_of_a_late_frame_are_counted();
    }
    if (SNN_DEVICE_GENERAL == 0) {
        printf("test_images: ok, the small engine\n");
        return 0;
    }
    test_wrong_events_and_values_are_dropped();
    test_values_outside_the_range_are_refused();
    printf("test_images: ok\n");
    return 0;
}
