/* SPDX-License-Identifier: Apache-2.0 */
#include "../check.h"

#include "snn/device.h"
#include "snn/snn.h"
#include "snn_loader.h"

#include <string.h>

/*
 * test_device MODEL.snnpb MODEL.snnimg ...: the firmware engine on an image against the portable
 * core on the model it was made from, spike for spike and membrane for membrane, on random input.
 * Every buffer is as small as allowed and stands between guards.
 */

enum { SAMPLES = 6, GUARD = 64 };

struct bytes {
    uint8_t *at;
    size_t size;
};

static struct bytes read_file(const char *path)
{
    struct bytes file = {NULL, 0};
    FILE *stream = fopen(path, "rb");
    CHECK(stream != NULL && fseek(stream, 0, SEEK_END) == 0);
    file.size = (size_t)ftell(stream);
    rewind(stream);
    file.at = malloc(file.size + 1);
    CHECK(file.at != NULL && fread(file.at, 1, file.size, stream) == file.size);
    fclose(stream);
    return file;
}

/**
 * What the device engine did in a sample: membranes and spikes by population and step, and its
 * rows.
 */
struct record {
    const struct snn_image *image;
    const struct snn_device *device;
    const struct snn_model *model;
    int32_t *membrane[256];
    uint8_t *spiked[256];
    uint64_t saturations[256], synops[1024];
};

static const struct snn_image_layer *layers_of(const struct snn_image *image)
{
    return (const struct snn_image_layer *)(const void *)((const uint8_t *)image + image->layers);
}

static void on_neurons(void *context, uint32_t layer, uint32_t step, uint32_t pixel,
                       const void *membrane, const uint32_t *spikes)
{
    struct record *record = context;
    const struct snn_image_layer *of = layers_of(record->image) + layer;
    const uint32_t size = snn_shape_size(&record->model->populations[of->population].shape);
    for (uint32_t c = 0; c < of->channels; c++) {
        const uint32_t at = step * size + pixel * of->channels + c;
        record->membrane[of->population][at] =
            of->readout ? ((const int32_t *)membrane)[c] : ((const int16_t *)membrane)[c];
        record->spiked[of->population][at] =
            spikes != NULL && (spikes[c / 32] >> (c & 31) & 1) != 0;
    }
}

static void on_rows(void *context, uint32_t projection, const uint16_t *rows, const int16_t *values,
                    uint32_t count)
{
    struct record *record = context;
    const struct snn_image *image = record->image;
    const struct snn_image_projection *p =
        (const struct snn_image_projection *)(const void *)((const uint8_t *)image +
                                                            image->projections) +
        projection;
    (void)values;
    const uint16_t *synapses =
        (const uint16_t *)(const void *)((const uint8_t *)image + p->synapses);
    for (uint32_t i = 0; i < count; i++) {
        record->synops[p->projection] += synapses[rows[i]];
    }
}

static void on_saturated(void *context, uint32_t layer, uint32_t count)
{
    struct record *record = context;
    record->saturations[layers_of(record->image)[layer].population] += count;
}

/**
 * Layer by layer, the maps of the layer that has ended hold the spikes that were seen when neurons
 * were shown.
 */
static void on_layer(void *context, uint32_t layer)
{
    const struct record *record = context;
    if (record->image->block == 1 || layer == 0 || layer == record->image->layer_count) {
        return;
    }
    const struct snn_image_layer *of = layers_of(record->image) + layer - 1;
    const uint32_t size = snn_shape_size(&record->model->populations[of->population].shape);
    for (uint32_t step = 0; step < record->model->steps; step++) {
        const uint32_t *map = (const uint32_t *)(const void *)(record->device->arena + of->map +
                                                               step * of->map_bytes);
        for (uint32_t i = 0; i < size; i++) {
            CHECK_EQUAL(map[i / 32] >> (i & 31) & 1,
                        record->spiked[of->population][step * size + i]);
        }
    }
}

/** A sample's input, presented to both engines step by step or at once. */
struct input {
    struct random random;
    uint32_t density; /**< percent of events or of values that are not 0 */
};

static void *guarded(size_t size)
{
    uint8_t *memory = malloc(size + 2 * GUARD);
    CHECK(memory != NULL);
    memset(memory, 0xA5, size + 2 * GUARD);
    return memory + GUARD;
}

static void check_guards(const void *memory, size_t size)
{
    const uint8_t *at = memory;
    for (int i = 0; i < GUARD; i++) {
        CHECK(at[-1 - i] == 0xA5 && at[size + (size_t)i] == 0xA5);
    }
}

static void present(struct input *input, const struct snn_model *model, struct snn *core,
                    struct snn_device *device, uint32_t step, int16_t *frames[])
{
    for (uint32_t port = 0; port < model->input_count; port++) {
        const struct snn_input *in = &model->inputs[port];
        const uint32_t size = snn_shape_size(&in->shape);
        if (in->kind == SNN_EVENTS) {
            for (uint32_t i = 0; i < size; i++) {
                if (!random_chance(&input->random, input->density)) {
                    continue;
                }
                CHECK(snn_event(core, port, i) && snn_device_event(device, port, i));
            }
        } else if (step == 0 || in->frame_per_step) {
            const bool bytes = in->min_value >= 0 && in->max_value <= 255;
            for (uint32_t i = 0; i < size; i++) {
                const bool any = random_chance(&input->random, input->density) ||
                                 in->min_value > 0 || in->max_value < 0;
                frames[port][i] =
                    any ? (int16_t)random_in(&input->random, in->min_value, in->max_value) : 0;
            }
            CHECK_EQUAL(snn_values_s16(core, port, frames[port], size), SNN_OK);
            if (bytes) {
                uint8_t *narrow = (uint8_t *)frames[port];
                for (uint32_t i = 0; i < size; i++) {
                    narrow[i] = (uint8_t)frames[port][i];
                }
                CHECK_EQUAL(snn_device_values_u8(device, port, narrow, size), SNN_OK);
            } else {
                CHECK_EQUAL(snn_device_values_s16(device, port, frames[port], size), SNN_OK);
            }
        }
    }
}

static void check_step(const struct record *record, struct snn *core, uint32_t step)
{
    for (uint32_t p = 0; p < record->model->population_count; p++) {
        const uint32_t size = snn_shape_size(&record->model->populations[p].shape);
        const uint32_t *spikes = snn_spikes(core, p, NULL);
        for (uint32_t i = 0; i < size; i++) {
            CHECK_EQUAL(record->membrane[p][step * size + i], snn_membrane(core, p, i));
            CHECK_EQUAL(record->spiked[p][step * size + i],
                        spikes != NULL ? (int)(spikes[i / 32] >> (i & 31) & 1) : 0);
        }
    }
}

static void check_answer(const struct record *record, struct snn *core, struct snn_device *device)
{
    uint32_t count = 0;
    const int32_t *expected = snn_scores(core, NULL), *found = snn_device_scores(device, &count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(found[i], expected[i]);
    }
    CHECK_EQUAL(snn_device_class(device), snn_class(core));
    if (record == NULL) {
        return;
    }
    for (uint32_t p = 0; p < record->model->population_count; p++) {
        CHECK_EQUAL(record->saturations[p], snn_population_counters(core, p).saturations);
    }
    for (uint32_t q = 0; q < record->model->projection_count; q++) {
        const struct snn_projection_counters counters = snn_projection_counters(core, q);
        CHECK_EQUAL(record->synops[q], counters.synops + counters.macs);
    }
}

static void run_sample(const struct record *record, struct input input, struct snn *core,
                       struct snn_device *device, int16_t *frames[])
{
    const struct snn_model *model = record->model;
    const bool streaming = record->image->block == 1;
    snn_reset(core);
    snn_device_reset(device);
    for (uint32_t step = 0; step < model->steps; step++) {
        if (streaming || step == 0) {
            present(&input, model, core, device, step, frames);
        }
        if (streaming || step == 0) {
            CHECK_EQUAL(snn_device_run(device, streaming ? 1 : model->steps), SNN_OK);
        }
        CHECK_EQUAL(snn_step(core), SNN_OK);
        if (device->observer->neurons != NULL) {
            check_step(record, core, step);
        }
    }
    check_answer(device->observer->neurons != NULL ? record : NULL, core, device);
}

static void check_pair(const char *model_path, const char *image_path)
{
    static struct record record;
    struct bytes file = read_file(model_path), image = read_file(image_path);
    struct snn_loader_error error;
    uint8_t *arena = NULL;
    size_t size = 0;
    memset(&record, 0, sizeof record);
    while (snn_load(arena, size, file.at, file.size, &record.model, &error) == SNN_ERROR_MEMORY) {
        size = error.needed;
        free(arena);
        arena = malloc(size);
    }
    CHECK(record.model != NULL);
    record.image = (const struct snn_image *)(const void *)image.at;
    CHECK_EQUAL(snn_image_check(image.at, image.size), SNN_OK);
    CHECK_EQUAL(record.image->bytes, image.size);
    for (uint32_t p = 0; p < record.model->population_count; p++) {
        const size_t entries =
            (size_t)record.model->steps * snn_shape_size(&record.model->populations[p].shape);
        record.membrane[p] = calloc(entries, sizeof *record.membrane[p]);
        record.spiked[p] = calloc(entries, 1);
    }
    int16_t *frames[16];
    for (uint32_t port = 0; port < record.model->input_count; port++) {
        frames[port] =
            calloc(snn_shape_size(&record.model->inputs[port].shape), sizeof *frames[port]);
    }
    struct snn *core = NULL;
    void *state = malloc(snn_state_size(record.model));
    CHECK_EQUAL(snn_init(&core, record.model, state, snn_state_size(record.model)), SNN_OK);
    const uint32_t bytes = record.image->arena_bytes;
    void *memory = guarded(bytes);
    struct snn_device device;
    CHECK_EQUAL(snn_device_init(&device, record.image, memory, bytes - 1), SNN_ERROR_MEMORY);
    CHECK_EQUAL(snn_device_init(&device, record.image, (uint8_t *)memory + 2, bytes),
                SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_init(&device, record.image, memory, bytes), SNN_OK);
    record.device = &device;
    const struct snn_observer observer = {
        .context = &record, .neurons = on_neurons, .rows = on_rows, .saturated = on_saturated};
    const struct snn_observer quiet = {.context = &record, .layer = on_layer};
    for (uint32_t sample = 0; sample < SAMPLES; sample++) {
        const struct input input = {.random = {sample + 1}, .density = sample * 20};
        snn_device_observe(&device, &observer);
        memset(record.saturations, 0, sizeof record.saturations);
        memset(record.synops, 0, sizeof record.synops);
        run_sample(&record, input, core, &device, frames);
        snn_device_observe(&device, &quiet);
        run_sample(&record, input, core, &device, frames);
        check_guards(memory, bytes);
    }
    for (uint32_t p = 0; p < record.model->population_count; p++) {
        free(record.membrane[p]);
        free(record.spiked[p]);
    }
    for (uint32_t port = 0; port < record.model->input_count; port++) {
        free(frames[port]);
    }
    free((uint8_t *)memory - GUARD);
    free(state);
    free(arena);
    free(file.at);
    free(image.at);
}

int main(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        check_pair(argv[i], argv[i + 1]);
    }
    printf("test_device: %d images equal to their models\n", (argc - 1) / 2);
    return 0;
}
