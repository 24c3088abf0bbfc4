/* SPDX-License-Identifier: Apache-2.0 */
#include "build_image.h"
#include "exercise.h"

#include "snn/count.h"
#include "snn/snn.h"

#include <string.h>

/*
 * What the firmware engine does with images that are wrong, cut off or hostile: wrong ones are
 * refused by name, and nothing is ever written outside the arena.
 */

enum { MUTATIONS = 4000 };

/* ---- Wrong images ---- */

enum part { PART_IMAGE, PART_PORT, PART_LAYER, PART_PROJECTION, PART_RING, PART_BYTES };

/**
 * A field set to a value that breaks one rule. PART_BYTES: the array whose offset stands in the
 * field, entry `entry`.
 */
struct breakage {
    uint32_t spec;
    enum part part;
    uint32_t index, offset, size, value;
    enum snn_status expected;
};

#define IMAGE(field) \
    PART_IMAGE, 0, offsetof(struct snn_image, field), sizeof((struct snn_image *)0)->field
#define PORT(i, field) \
    PART_PORT, i, offsetof(struct snn_image_port, field), sizeof((struct snn_image_port *)0)->field
#define LAYER(i, field)                                     \
    PART_LAYER, i, offsetof(struct snn_image_layer, field), \
        sizeof((struct snn_image_layer *)0)->field
#define PROJECTION(i, field)                                          \
    PART_PROJECTION, i, offsetof(struct snn_image_projection, field), \
        sizeof((struct snn_image_projection *)0)->field
#define RING(i, field) \
    PART_RING, i, offsetof(struct snn_image_ring, field), sizeof((struct snn_image_ring *)0)->field

static const struct breakage breakages[] = {
    /* The header. */
    {DENSE, IMAGE(steps), 0, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(max_steps), 4, SNN_ERROR_LIMIT},
    {CONVOLUTION, IMAGE(max_steps), 65536, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(max_steps), 9, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(arena_bytes), 0x40000004u, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(block), 0, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(block), 65, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(block), 1, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(needs_general), 2, SNN_ERROR_LIMIT},
    {LISTS, IMAGE(needs_general), 0, SNN_ERROR_LIMIT},
    {GENERAL, IMAGE(needs_general), 0, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(ring_count), 1, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(port_count), 0, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(port_count), 5, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(layer_count), 0, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(layer_count), 257, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(projection_count), 0, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(projection_count), 1025, SNN_ERROR_LIMIT},
    {DENSE, IMAGE(projection_count), 3, SNN_ERROR_REFERENCE},
    {DENSE, IMAGE(projection_count), 1, SNN_ERROR_REFERENCE},
    {DENSE, IMAGE(arena_bytes), 4001, SNN_ERROR_SIZE},
    {DENSE, IMAGE(arena_bytes), 16, SNN_ERROR_SIZE},
    {DENSE, IMAGE(ports), 0, SNN_ERROR_SIZE},
    {DENSE, IMAGE(ports), 78, SNN_ERROR_SIZE},
    {DENSE, IMAGE(ports), 72, SNN_ERROR_SIZE},
    {DENSE, IMAGE(layers), UINT32_MAX - 3, SNN_ERROR_SIZE},
    {DENSE, IMAGE(layers), 0x80000000u, SNN_ERROR_SIZE},
    {DENSE, IMAGE(projections), 0, SNN_ERROR_SIZE},
    {DENSE, IMAGE(sums), 0, SNN_ERROR_SIZE},
    {DENSE, IMAGE(sums), 6, SNN_ERROR_SIZE},
    {DENSE, IMAGE(sums), 0xFFFFFFF0u, SNN_ERROR_SIZE},
    {DENSE, IMAGE(value_sums), 0, SNN_ERROR_SIZE},
    {DENSE, IMAGE(membrane), 0, SNN_ERROR_SIZE},
    {DENSE, IMAGE(spikes), 0, SNN_ERROR_SIZE},
    {DENSE, IMAGE(scores), 0, SNN_ERROR_SIZE},
    /* A port. */
    {CONVOLUTION, PORT(0, channels), 0, SNN_ERROR_SHAPE},
    {CONVOLUTION, PORT(0, width), 65535, SNN_ERROR_SIZE},
    {CONVOLUTION, PORT(0, height), 0, SNN_ERROR_SHAPE},
    {CONVOLUTION, PORT(0, kind), 4, SNN_ERROR_ENUM},
    {CONVOLUTION, PORT(0, kind), SNN_PORT_EVERY, SNN_ERROR_LIMIT},
    {CONVOLUTION, PORT(0, map), 0, SNN_ERROR_SIZE},
    {CONVOLUTION, PORT(0, map), 0xFFFFFFFCu, SNN_ERROR_SIZE},
    {DENSE, PORT(0, kind), SNN_PORT_EVENTS, SNN_ERROR_LIMIT},
    {DENSE, PORT(0, frame_per_step), 1, SNN_ERROR_LIMIT},
    {STREAMING, PORT(0, channels), 1, SNN_ERROR_SHAPE},
    /* A layer. */
    {CONVOLUTION, LAYER(0, channels), 0, SNN_ERROR_SHAPE},
    {CONVOLUTION, LAYER(0, channels), 65535, SNN_ERROR_SHAPE},
    {CONVOLUTION, LAYER(0, height), 65535, SNN_ERROR_SHAPE},
    {CONVOLUTION, LAYER(0, lanes), 4, SNN_ERROR_SHAPE},
    {CONVOLUTION, LAYER(0, lanes), 12, SNN_ERROR_SHAPE},
    {CONVOLUTION, LAYER(0, columns), 16, SNN_ERROR_SHAPE},
    {CONVOLUTION, LAYER(0, flags), 64, SNN_ERROR_ENUM},
    {CONVOLUTION, LAYER(0, flags), SNN_LAYER_CURRENT, SNN_ERROR_SIZE},
    {GENERAL, LAYER(0, flags), SNN_LAYER_GENERAL | SNN_LAYER_WIDE | SNN_LAYER_CURRENT,
     SNN_ERROR_SIZE},
    {CONVOLUTION, LAYER(0, flags), SNN_LAYER_WIDE, SNN_ERROR_ENUM},
    {CONVOLUTION, LAYER(0, flags), SNN_LAYER_GENERAL, SNN_ERROR_LIMIT},
    {CONVOLUTION, LAYER(0, flags), SNN_LAYER_DRIVEN, SNN_ERROR_SIZE},
    {CONVOLUTION, LAYER(0, reset), 3, SNN_ERROR_ENUM},
    {CONVOLUTION, LAYER(0, greater), 2, SNN_ERROR_ENUM},
    {CONVOLUTION, LAYER(0, readout), 1, SNN_ERROR_REFERENCE},
    {CONVOLUTION, LAYER(2, readout), 0, SNN_ERROR_REFERENCE},
    {CONVOLUTION, LAYER(2, height), 2, SNN_ERROR_SHAPE},
    {CONVOLUTION, LAYER(2, map_bytes), 4, SNN_ERROR_SIZE},
    {CONVOLUTION, LAYER(2, map), 4, SNN_ERROR_SIZE},
    {CONVOLUTION, LAYER(2, membrane), 4, SNN_ERROR_SIZE},
    {CONVOLUTION, LAYER(2, flags), SNN_LAYER_PER_NEURON, SNN_ERROR_ENUM},
    {CONVOLUTION, LAYER(0, reserved), 1, SNN_ERROR_LIMIT},
    {CONVOLUTION, LAYER(1, first_projection), 0, SNN_ERROR_REFERENCE},
    {CONVOLUTION, LAYER(1, projection_count), 3, SNN_ERROR_REFERENCE},
    {CONVOLUTION, LAYER(0, threshold), 0, SNN_ERROR_SIZE},
    {CONVOLUTION, LAYER(0, threshold), 64, SNN_ERROR_SIZE},
    {CONVOLUTION, LAYER(0, threshold), 76, SNN_ERROR_LIMIT}, /* a port is no threshold */
    {CONVOLUTION, LAYER(0, decay), 0x7FFFFFFCu, SNN_ERROR_SIZE},
    {CONVOLUTION, LAYER(0, decay), 76, SNN_ERROR_LIMIT},
    {CONVOLUTION, LAYER(0, initial), 76, SNN_ERROR_LIMIT},
    {CONVOLUTION, LAYER(0, floor), 1, SNN_ERROR_LIMIT},
    {CONVOLUTION, LAYER(0, ceiling), 0xFFFF, SNN_ERROR_LIMIT},
    {DENSE, LAYER(0, bias), 0x7FFFFFFCu, SNN_ERROR_SIZE},
    {DENSE, LAYER(0, initial), 2, SNN_ERROR_SIZE},
    {DENSE, LAYER(0, drive), 0x7FFFFFFCu, SNN_ERROR_SIZE},
    {DENSE, LAYER(1, drive), 64, SNN_ERROR_LIMIT},
    {POOLED, LAYER(1, drive), 64, SNN_ERROR_LIMIT},
    {STREAMING, LAYER(0, drive), 64, SNN_ERROR_LIMIT},
    {CONVOLUTION, LAYER(0, membrane), 0, SNN_ERROR_SIZE},
    {CONVOLUTION, LAYER(0, map), 0, SNN_ERROR_SIZE},
    {CONVOLUTION, LAYER(0, map_bytes), 4, SNN_ERROR_SIZE},
    {GENERAL, LAYER(0, refractory), 0xFFFFFFFCu, SNN_ERROR_SIZE},
    {DENSE, LAYER(0, flags), 0, SNN_ERROR_LIMIT},
    /* A projection. */
    {POOLED, PROJECTION(1, pool), 0, SNN_ERROR_LIMIT},
    {POOLED, PROJECTION(1, pool), 17, SNN_ERROR_LIMIT},
    {POOLED, PROJECTION(1, pool), 3, SNN_ERROR_SHAPE},
    {POOLED, PROJECTION(1, pooled_height), 4, SNN_ERROR_SHAPE},
    {POOLED, PROJECTION(1, places), 0, SNN_ERROR_INDEX},
    {POOLED, PROJECTION(0, places), 80, SNN_ERROR_INDEX},
    {DENSE, PROJECTION(0, shift), 25, SNN_ERROR_LIMIT},
    {DENSE, PROJECTION(0, ring), 1, SNN_ERROR_REFERENCE},
    {DENSE, PROJECTION(0, source), 1, SNN_ERROR_REFERENCE},
    {DENSE, PROJECTION(0, delay), 1, SNN_ERROR_REFERENCE},
    {DENSE, PROJECTION(0, width), 5, SNN_ERROR_SHAPE},
    {DENSE, PROJECTION(0, carries), SNN_CARRIES_S16, SNN_ERROR_SHAPE},
    {DENSE, PROJECTION(0, rows), SNN_IMAGE_ROWS_4, SNN_ERROR_SHAPE},
    {DENSE, PROJECTION(1, source), 1, SNN_ERROR_REFERENCE},
    {DENSE, PROJECTION(1, delay), 1, SNN_ERROR_REFERENCE},
    {DENSE, PROJECTION(1, delay), 2, SNN_ERROR_REFERENCE},
    {DENSE, PROJECTION(1, carries), SNN_CARRIES_U8, SNN_ERROR_SHAPE},
    {DENSE, PROJECTION(1, map), 8, SNN_ERROR_REFERENCE},
    {DENSE, PROJECTION(1, map_bytes), 4, SNN_ERROR_REFERENCE},
    {DENSE, PROJECTION(1, ring), 1, SNN_ERROR_REFERENCE},
    {DENSE, PROJECTION(1, rows), 3, SNN_ERROR_ENUM},
    {DENSE, PROJECTION(1, rows), SNN_IMAGE_ROWS_LIST, SNN_ERROR_LIMIT},
    {DENSE, PROJECTION(1, rows), SNN_IMAGE_ROWS_8, SNN_ERROR_SIZE},
    {DENSE, PROJECTION(1, row_bytes), 16, SNN_ERROR_SIZE},
    {DENSE, PROJECTION(1, weights), 0, SNN_ERROR_SIZE},
    {DENSE, PROJECTION(1, weights), 75, SNN_ERROR_SIZE},
    {DENSE, PROJECTION(1, weights), 0xFFFFFF00u, SNN_ERROR_SIZE},
    {DENSE, PROJECTION(1, synapses), 4, SNN_ERROR_SIZE},
    {DENSE, PROJECTION(1, kernel_height), 0, SNN_ERROR_SHAPE},
    {DENSE, PROJECTION(1, kernel_height), 65535, SNN_ERROR_SHAPE},
    {DENSE, PROJECTION(1, kernel_width), 1000, SNN_ERROR_SIZE},
    {CONVOLUTION, PROJECTION(0, map), 4004, SNN_ERROR_REFERENCE},
    {CONVOLUTION, PROJECTION(0, ring), 1, SNN_ERROR_REFERENCE},
    {STREAMING, PROJECTION(2, source), 1, SNN_ERROR_REFERENCE},
    {STREAMING, PROJECTION(2, delay), 0, SNN_ERROR_REFERENCE},
    {STREAMING, PROJECTION(2, delay), 2, SNN_ERROR_REFERENCE},
    /* A ring: of an EVERY port, a port of values, and the two layers. */
    {LATE, IMAGE(ring_count), 0, SNN_ERROR_LIMIT},
    {LATE, IMAGE(ring_count), 3, SNN_ERROR_REFERENCE},
    {LATE, IMAGE(ring_count), 65535, SNN_ERROR_SIZE},
    {LATE, RING(0, slots), 3, SNN_ERROR_REFERENCE},
    {LATE, RING(0, slots), 753, SNN_ERROR_LIMIT},
    {LATE, RING(3, slots), 752, SNN_ERROR_SIZE},
    {LATE, RING(0, most), 0, SNN_ERROR_LIMIT},
    {LATE, RING(1, most), 1, SNN_ERROR_LIMIT},
    {LATE, RING(0, map), 4, SNN_ERROR_REFERENCE},
    {LATE, RING(1, map), 0xFFFFFFFCu, SNN_ERROR_REFERENCE},
    {LATE, RING(0, bytes), 4, SNN_ERROR_REFERENCE},
    {LATE, RING(1, source), 0, SNN_ERROR_REFERENCE},
    {LATE, RING(1, from_port), 0, SNN_ERROR_REFERENCE},
    {LATE, RING(0, gain), 1, SNN_ERROR_SHAPE},
    {LATE, RING(2, gain), 1, SNN_ERROR_LIMIT},
    {LATE, IMAGE(sensor_count), 255, SNN_ERROR_REFERENCE},
    {LATE, IMAGE(has_exit), 2, SNN_ERROR_LIMIT},
    {STREAMING, IMAGE(has_exit), 1, SNN_ERROR_LIMIT},
    {LATE, PROJECTION(0, delay), 4, SNN_ERROR_REFERENCE},
    {LATE, PROJECTION(0, ring), 2, SNN_ERROR_REFERENCE},
    {LATE, PROJECTION(0, ring), 0, SNN_ERROR_REFERENCE},
    {LATE, PROJECTION(2, ring), 65535, SNN_ERROR_REFERENCE},
    {LATE, LAYER(0, map), 4, SNN_ERROR_REFERENCE},
    {LISTS, PROJECTION(0, starts), 4, SNN_ERROR_SIZE},
    {LISTS, PROJECTION(0, weights), 4, SNN_ERROR_SIZE},
};

/** Bytes of an array that a field points to. */
static const struct breakage array_breakages[] = {
    {LISTS, PROJECTION(0, starts), 1, SNN_ERROR_INDEX},      /* the first is not 0 */
    {LISTS, PROJECTION(0, weights), 33, SNN_ERROR_INDEX},    /* a column past the last */
    {POOLED, PROJECTION(1, places), 3 * 4, SNN_ERROR_INDEX}, /* a row past the line's last */
};

static uint8_t *field_of(struct snn_image *image, const struct breakage *breakage)
{
    uint8_t *bytes = (uint8_t *)image;
    switch (breakage->part) {
    case PART_PORT:
        return bytes + image->ports + breakage->index * sizeof(struct snn_image_port) +
               breakage->offset;
    case PART_LAYER:
        return bytes + image->layers + breakage->index * sizeof(struct snn_image_layer) +
               breakage->offset;
    case PART_RING:
        return bytes + image->projections +
               image->projection_count * sizeof(struct snn_image_projection) +
               breakage->index * sizeof(struct snn_image_ring) + breakage->offset;
    case PART_PROJECTION:
        return bytes + image->projections + breakage->index * sizeof(struct snn_image_projection) +
               breakage->offset;
    default: return bytes + breakage->offset;
    }
}

static void check_refused(const struct breakage *breakage, uint32_t number, bool array)
{
    size_t size;
    struct snn_image *image = image_build(&image_specs[breakage->spec], &size);
    uint8_t *field = field_of(image, breakage);
    if (array) {
        uint32_t at;
        memcpy(&at, field, sizeof at);
        ((uint8_t *)image)[at] = (uint8_t)breakage->value;
    } else {
        memcpy(field, &breakage->value, breakage->size); /* little-endian */
    }
    image_seal(image, size);
    const enum snn_status found = snn_image_check(image, size);
    if (found != breakage->expected) {
        fprintf(stderr, "breakage %u of %s:\n", number, image_specs[breakage->spec].name);
    }
    CHECK_EQUAL(found, breakage->expected);
    free(image);
}

static void test_each_broken_rule_is_named(void)
{
    const uint32_t count = sizeof breakages / sizeof breakages[0];
    for (uint32_t i = 0; i < count; i++) {
        check_refused(&breakages[i], i, false);
    }
    for (uint32_t i = 0; i < sizeof array_breakages / sizeof array_breakages[0]; i++) {
        check_refused(&array_breakages[i], i, true);
    }
}

static void test_a_list_that_descends_is_refused(void)
{
    size_t size;
    struct snn_image *image = image_build(&image_specs[LISTS], &size);
    const struct snn_image_projection *list =
        (const struct snn_image_projection *)(const void *)((const uint8_t *)image +
                                                            image->projections);
    uint32_t *starts = (uint32_t *)(void *)((uint8_t *)image + list->starts);
    starts[2] = starts[1] - 1;
    image_seal(image, size);
    CHECK_EQUAL(snn_image_check(image, size), SNN_ERROR_INDEX);
    free(image);
}

static void test_every_cut_and_every_flip_is_refused(void)
{
    for (uint32_t s = 0; s < IMAGE_SPECS; s++) {
        size_t size;
        struct snn_image *image = image_build(&image_specs[s], &size);
        uint8_t *bytes = (uint8_t *)image;
        for (size_t length = 0; length < size; length++) {
            CHECK(snn_image_check(image, length) != SNN_OK);
        }
        for (size_t at = 0; at < size; at++) {
            for (uint32_t flip = 0; flip < 2; flip++) {
                const uint8_t bits = flip == 0 ? (uint8_t)(1u << (at % 8)) : 0xFF;
                bytes[at] ^= bits;
                CHECK(snn_image_check(image, size) != SNN_OK);
                bytes[at] ^= bits;
            }
        }
        CHECK_EQUAL(snn_image_check(image, size), SNN_OK);
        free(image);
    }
}

static void test_a_cut_image_with_a_good_crc_stays_inside(void)
{
    struct random random = {5};
    for (uint32_t s = 0; s < IMAGE_SPECS; s++) {
        size_t size;
        struct snn_image *image = image_build(&image_specs[s], &size);
        for (size_t length = sizeof *image; length < size; length += 4) {
            struct snn_image *cut = malloc(length); /* exact, for the sanitizer and valgrind */
            CHECK(cut != NULL);
            memcpy(cut, image, length);
            image_seal(cut, length);
            if (snn_image_check(cut, length) == SNN_OK) {
                exercise_image(cut, false, &random, 1);
            }
            free(cut);
        }
        free(image);
    }
}

static void test_wrong_headers_and_arguments(void)
{
    size_t size;
    struct snn_image *image = image_build(&image_specs[DENSE], &size);
    uint8_t *moved = malloc(size + 4);
    uint32_t *arena = malloc(image->arena_bytes + 4);
    struct snn_device device;
    CHECK(moved != NULL && arena != NULL);
    for (uint32_t by = 1; by < 4; by++) {
        memcpy(moved + by, image, size);
        const void *misaligned = moved + by;
        CHECK_EQUAL(snn_image_check(misaligned, size), SNN_ERROR_ARGUMENT);
        CHECK_EQUAL(snn_device_init(&device, misaligned, arena, image->arena_bytes),
                    SNN_ERROR_ARGUMENT);
        CHECK_EQUAL(snn_device_init(&device, image, (uint8_t *)arena + by, image->arena_bytes),
                    SNN_ERROR_ARGUMENT);
    }
    CHECK_EQUAL(snn_image_check(NULL, size), SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_init(NULL, image, arena, image->arena_bytes), SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_init(&device, NULL, arena, image->arena_bytes), SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_init(&device, image, NULL, image->arena_bytes), SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_init(&device, image, arena, image->arena_bytes - 1), SNN_ERROR_MEMORY);
    CHECK_EQUAL(snn_device_init(&device, image, arena, 0), SNN_ERROR_MEMORY);
    image->major++;
    CHECK_EQUAL(snn_image_check(image, size), SNN_ERROR_VERSION);
    CHECK_EQUAL(snn_device_init(&device, image, arena, image->arena_bytes), SNN_ERROR_VERSION);
    image->major--;
    image->minor++;
    CHECK_EQUAL(snn_image_check(image, size), SNN_ERROR_VERSION);
    CHECK_EQUAL(snn_device_init(&device, image, arena, image->arena_bytes), SNN_ERROR_VERSION);
    image->minor--;
    image->magic++;
    CHECK_EQUAL(snn_image_check(image, size), SNN_ERROR_SYNTAX);
    CHECK_EQUAL(snn_device_init(&device, image, arena, image->arena_bytes), SNN_ERROR_VERSION);
    image->magic--;
    image->bytes += 4;
    CHECK_EQUAL(snn_image_check(image, size), SNN_ERROR_SYNTAX);
    image->bytes -= 6;
    CHECK_EQUAL(snn_image_check(image, size), SNN_ERROR_SYNTAX);
    image->bytes += 2;
    CHECK_EQUAL(snn_image_check(image, size), SNN_OK);
    free(moved);
    free(arena);
    free(image);
}

/* ---- Hostile images ---- */

/**
 * Random fields set to random values, CRC repaired: what the check lets through runs between
 * guards.
 */
static void test_hostile_images_stay_inside(void)
{
    static const uint32_t likely[] = {
        0,     1,     2,     3,     4,          5,          7,          8,         15,
        16,    31,    32,    63,    64,         127,        128,        255,       256,
        32767, 32768, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF};
    uint32_t passed = 0;
    struct random random = {99};
    for (uint32_t i = 0; i < MUTATIONS; i++) {
        size_t size;
        struct snn_image *image = image_build(&image_specs[i % IMAGE_SPECS], &size);
        const uint32_t head =
            image->projections +
            image->projection_count * (uint32_t)sizeof(struct snn_image_projection);
        for (uint32_t change = random_next(&random) % 3 + 1; change > 0; change--) {
            const uint32_t width = UINT32_C(1) << random_next(&random) % 3;
            const uint32_t within = random_chance(&random, 70) ? head : (uint32_t)size;
            const uint32_t at = random_next(&random) % (within - 20) / width * width + 16;
            uint32_t value = random_chance(&random, 70)
                                 ? likely[random_next(&random) % (sizeof likely / sizeof likely[0])]
                                 : random_next(&random);
            if (random_chance(&random, 30)) {
                value += *(uint32_t *)(void *)((uint8_t *)image + at / 4 * 4);
            }
            memcpy((uint8_t *)image + at, &value, width);
        }
        image_seal(image, size);
        if (snn_image_check(image, size) == SNN_OK && exercise_is_small(image)) {
            passed++;
            exercise_image(image, false, &random, 2);
        }
        free(image);
    }
    CHECK(passed > MUTATIONS / 10);
}

int main(void)
{
    test_each_broken_rule_is_named();
    test_a_list_that_descends_is_refused();
    test_every_cut_and_every_flip_is_refused();
    test_a_cut_image_with_a_good_crc_stays_inside();
    test_wrong_headers_and_arguments();
    test_hostile_images_stay_inside();
    printf("test_image_check: ok\n");
    return 0;
}
