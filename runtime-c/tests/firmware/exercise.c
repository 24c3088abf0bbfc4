/* SPDX-License-Identifier: Apache-2.0 */
#include "exercise.h"

#include "snn/count.h"

#include <string.h>

enum { GUARD = 64, GUARD_BYTE = 0xA5 };

static const struct snn_image_port *ports_of(const struct snn_image *image)
{
    return (const struct snn_image_port *)(const void *)((const uint8_t *)image + image->ports);
}

static const struct snn_image_layer *layers_of(const struct snn_image *image)
{
    return (const struct snn_image_layer *)(const void *)((const uint8_t *)image + image->layers);
}

static const struct snn_image_projection *projections_of(const struct snn_image *image)
{
    return (const struct snn_image_projection *)(const void *)((const uint8_t *)image +
                                                               image->projections);
}

static uint32_t size_of(const struct snn_image_port *port)
{
    return (uint32_t)port->channels * port->height * port->width;
}

bool exercise_is_small(const struct snn_image *image)
{
    uint64_t work = image->arena_bytes;
    for (uint32_t i = 0; i < image->layer_count; i++) {
        const struct snn_image_layer *layer = layers_of(image) + i;
        const struct snn_image_projection *projection =
            projections_of(image) + layer->first_projection;
        uint64_t pixel = layer->columns + 16u;
        for (uint32_t p = 0; p < layer->projection_count; p++, projection++) {
            const uint32_t pool = projection->pool;
            const uint64_t rows = (uint64_t)projection->channels * projection->kernel_height *
                                  projection->kernel_width;
            pixel += rows * pool * pool * layer->columns;
        }
        work += pixel * layer->height * layer->width;
    }
    return work * image->block < EXERCISE_WORK;
}

/** Reads all that an observer is given. */
struct witness {
    const struct snn_image *image;
    uint32_t sum;
};

static void on_layer(void *context, uint32_t layer)
{
    struct witness *witness = context;
    CHECK(layer <= witness->image->layer_count);
    witness->sum++;
}

static void on_neurons(void *context, uint32_t layer, uint32_t step, uint32_t pixel,
                       const void *membrane, const uint32_t *spikes)
{
    struct witness *witness = context;
    CHECK(layer < witness->image->layer_count && step < witness->image->max_steps);
    const struct snn_image_layer *of = layers_of(witness->image) + layer;
    CHECK(pixel < (uint32_t)of->height * of->width && (spikes == NULL) == (of->readout != 0));
    for (uint32_t c = 0; c < of->channels; c++) {
        witness->sum +=
            of->readout ? ((const uint32_t *)membrane)[c] : ((const uint16_t *)membrane)[c];
        if (spikes != NULL) {
            witness->sum += spikes[c / 32] >> (c & 31) & 1;
        }
    }
}

static void on_rows(void *context, uint32_t projection, const uint16_t *rows, const int16_t *values,
                    uint32_t count)
{
    struct witness *witness = context;
    CHECK(projection < witness->image->projection_count);
    for (uint32_t i = 0; i < count; i++) {
        witness->sum += rows[i] + (values != NULL ? (uint16_t)values[i] : 0u);
    }
}

static void on_saturated(void *context, uint32_t layer, uint32_t count)
{
    struct witness *witness = context;
    CHECK(layer < witness->image->layer_count && count > 0);
}

/** Frames as the image's ports take them, for as long as a sample lasts. */
struct frames {
    void *values[SNN_IMAGE_PORTS];
};

static void present(const struct snn_image *image, struct snn_device *device, struct frames *frames,
                    struct random *random)
{
    for (uint32_t i = 0; i < image->port_count; i++) {
        const struct snn_image_port *port = ports_of(image) + i;
        const uint32_t size = size_of(port), events = random_next(random) % 64;
        const bool takes_events = port->kind == SNN_PORT_EVENTS || port->kind == SNN_PORT_EVERY;
        if (takes_events) {
            for (uint32_t n = 0; n < events; n++) {
                const uint32_t index = random_next(random) % (size + size / 8 + 1);
                if (snn_device_event(device, i, index) && index >= size) {
                    abort();
                }
            }
            CHECK(!snn_device_event(device, i, size) && !snn_device_event(device, i, UINT32_MAX));
        }
        if (!takes_events && (port->frame_per_step || device->steps == 0) &&
            random_chance(random, 90)) {
            uint8_t *bytes = frames->values[i];
            int16_t *words = frames->values[i];
            const bool narrow = port->kind == SNN_PORT_U8, any = port->min_value <= port->max_value;
            for (uint32_t n = 0; n < size; n++) {
                if (narrow) {
                    bytes[n] = random_chance(random, 50) ? (uint8_t)random_next(random) : 0;
                }
                if (!narrow) {
                    words[n] =
                        any ? (int16_t)random_in(random, port->min_value, port->max_value) : 0;
                }
            }
            if (narrow) {
                (void)!snn_device_values_u8(device, i, bytes, size);
            }
            if (!narrow) {
                (void)!snn_device_values_s16(device, i, words, size);
            }
            CHECK_EQUAL(snn_device_values_u8(device, i, bytes, size + 1), SNN_ERROR_ARGUMENT);
            CHECK_EQUAL(snn_device_values_s16(device, i, NULL, size), SNN_ERROR_ARGUMENT);
        }
    }
    CHECK(!snn_device_event(device, image->port_count, 0) &&
          !snn_device_event(device, UINT32_MAX, 0));
}

/** Returns the bytes of the scores. */
static uint32_t run_sample(const struct snn_image *image, struct snn_device *device,
                           struct frames *frames, struct random *random)
{
    const bool streaming = image->block == 1;
    const uint32_t most = streaming && image->max_steps > 4 ? 4 : image->max_steps;
    snn_device_reset(device);
    present(image, device, frames, random);
    CHECK_EQUAL(snn_device_run(device, image->max_steps + 1), SNN_ERROR_STEPS);
    CHECK_EQUAL(snn_device_run(device, 0), SNN_OK);
    for (uint32_t step = 0; streaming && step < most; step++) {
        CHECK_EQUAL(snn_device_run(device, 1), SNN_OK);
        present(image, device, frames, random);
    }
    if (!streaming) {
        CHECK_EQUAL(snn_device_run(device, most), SNN_OK);
    }
    uint32_t count = 0;
    const int32_t *scores = snn_device_scores(device, &count);
    CHECK(count > 0 && snn_device_class(device) < count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(scores[i] <= scores[snn_device_class(device)]);
    }
    return count * (uint32_t)sizeof *scores;
}

static void *memory_of(size_t bytes)
{
    void *memory = malloc(bytes);
    CHECK(memory != NULL);
    return memory;
}

void exercise_image(const struct snn_image *image, bool right, struct random *random,
                    uint32_t samples)
{
    const uint32_t size = image->arena_bytes;
    uint8_t *memory = memory_of(size + 2 * (size_t)GUARD);
    struct frames frames = {{NULL}};
    struct snn_device device;
    struct witness witness = {.image = image};
    const struct snn_observer observer = {&witness, on_layer, on_neurons, on_rows, on_saturated};
    struct snn_layer_count *layers = memory_of(image->layer_count * sizeof *layers);
    struct snn_projection_count *projections =
        memory_of(image->projection_count * sizeof *projections);
    struct snn_count count;
    memset(memory, GUARD_BYTE, size + 2 * (size_t)GUARD);
    for (uint32_t i = 0; i < image->port_count; i++) {
        const struct snn_image_port *port = ports_of(image) + i;
        frames.values[i] = memory_of(size_of(port) * (port->kind == SNN_PORT_S16 ? 2 : 1));
    }
    CHECK_EQUAL(snn_device_init(&device, image, memory + GUARD, size), SNN_OK);
    for (uint32_t sample = 0; sample < samples; sample++) {
        const struct random before = *random;
        snn_device_observe(&device, NULL);
        const uint32_t bytes = run_sample(image, &device, &frames, random);
        void *scores = memory_of(bytes);
        memcpy(scores, snn_device_scores(&device, NULL), bytes);
        snn_device_observe(&device, &observer);
        if (sample % 2 == 1) {
            snn_count_init(&count, &device, layers, projections);
        }
        *random = before;
        (void)run_sample(image, &device, &frames, random);
        CHECK(!right || memcmp(scores, snn_device_scores(&device, NULL), bytes) == 0);
        free(scores);
    }
    for (uint32_t i = 0; i < GUARD; i++) {
        CHECK(memory[i] == GUARD_BYTE && memory[GUARD + size + i] == GUARD_BYTE);
    }
    for (uint32_t i = 0; i < image->port_count; i++) {
        free(frames.values[i]);
    }
    free(projections);
    free(layers);
    free(memory);
}
