/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "board_linux.h"
#include "guard.h"
#include "network.h"
#include "snn/snn.h"
#include "snn/state_digest.h"
#include "snn_loader.h"

/* The host engine on a machine with Linux, its model read from a .snnpb file by the loader. */

static const struct snn_model *model;
static struct snn *network;
static uint32_t *digests; /* by population */
static void *frame;       /* of the largest port */
static uint32_t presented;

/** The state digest of FORMAT.md, section 8: what a population adds after a step. */
static void on_step(void *context, const struct snn *snn, uint32_t step, uint32_t population)
{
    (void)context;
    const uint32_t neurons = snn_shape_size(&model->populations[population].shape);
    const uint32_t *spikes = snn_spikes(snn, population, NULL);
    uint32_t digest = 0;
    for (uint32_t i = 0; i < neurons; i++) {
        const uint32_t spike = spikes == NULL ? 0 : spikes[i / 32] >> (i & 31) & 1;
        digest += snn_state_digest(step * neurons + i + 1, snn_membrane(snn, population, i), spike);
    }
    digests[population] += digest;
}

/** The file of the program's third argument; null: none that can be read. */
static uint8_t *read_model(uint32_t *size)
{
    FILE *file = board_model_path == NULL ? NULL : fopen(board_model_path, "rb");
    if (file == NULL) {
        return NULL;
    }
    uint8_t *bytes = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        const long end = ftell(file);
        rewind(file);
        *size = end < 0 ? 0 : (uint32_t)end;
        bytes = malloc(*size + 1u);
        if (bytes != NULL && fread(bytes, 1, *size, file) != *size) {
            *size = 0;
        }
    }
    fclose(file);
    return bytes;
}

static enum snn_status load(const uint8_t *bytes, uint32_t size)
{
    struct snn_loader_error error;
    void *arena = NULL;
    size_t arena_bytes = 0;
    enum snn_status status;
    while ((status = snn_load(arena, arena_bytes, bytes, size, &model, &error)) ==
           SNN_ERROR_MEMORY) {
        free(arena);
        arena_bytes = error.needed;
        arena = malloc(arena_bytes);
        if (arena == NULL) {
            return SNN_ERROR_MEMORY;
        }
    }
    return status;
}

enum snn_status network_open(struct network_facts *facts)
{
    uint32_t size = 0, values = 1;
    uint8_t *bytes = read_model(&size);
    if (bytes == NULL) {
        return SNN_ERROR_ARGUMENT;
    }
    facts->model_crc = guard_crc(0, bytes, size);
    facts->model_bytes = size;
    enum snn_status status = load(bytes, size);
    free(bytes);
    if (status != SNN_OK) {
        return status;
    }
    for (uint32_t port = 0; port < model->input_count; port++) {
        const uint32_t count = snn_shape_size(&model->inputs[port].shape);
        if (count > values) {
            values = count;
        }
    }
    const size_t state_bytes = snn_state_size(model);
    void *state = malloc(state_bytes);
    frame = calloc(values, sizeof(int16_t));
    digests = calloc(model->population_count, sizeof *digests);
    if (state == NULL || frame == NULL || digests == NULL) {
        return SNN_ERROR_MEMORY;
    }
    facts->state_bytes = (uint32_t)state_bytes;
    facts->steps = model->steps;
    facts->max_steps = model->max_steps;
    facts->block = 1;
    facts->ports = model->input_count;
    facts->layers = model->population_count;
    facts->projections = model->projection_count;
    return snn_init(&network, model, state, state_bytes);
}

void network_begin(uint32_t seed, bool counting, bool marking)
{
    (void)marking;
    snn_set_trace(network, counting ? on_step : NULL, NULL);
    snn_reset(network);
    snn_seed(network, seed);
    for (uint32_t i = 0; i < model->population_count; i++) {
        digests[i] = 0;
    }
}

/* ---- Input ---- */

/** Whether a port's values travel as bytes, as they do to a device. */
static bool takes_bytes(const struct snn_input *input)
{
    return input->min_value >= 0 && input->max_value <= 255;
}

void *network_frame(uint32_t port, uint32_t size)
{
    if (port >= model->input_count || model->inputs[port].kind == SNN_EVENTS) {
        return NULL;
    }
    const struct snn_input *input = &model->inputs[port];
    presented = snn_shape_size(&input->shape);
    return size == (takes_bytes(input) ? presented : 2 * presented) ? frame : NULL;
}

enum snn_status network_present(uint32_t port)
{
    if (takes_bytes(&model->inputs[port])) {
        return snn_values_u8(network, port, frame, presented);
    }
    const uint8_t *bytes = frame;
    int16_t *values = frame;
    for (uint32_t i = 0; i < presented; i++) {
        values[i] = (int16_t)(uint16_t)(bytes[2 * i] | (uint32_t)bytes[2 * i + 1] << 8);
    }
    return snn_values_s16(network, port, values, presented);
}

bool network_event(uint32_t port, uint32_t index)
{
    if (port >= model->input_count || model->inputs[port].kind != SNN_EVENTS ||
        index >= snn_shape_size(&model->inputs[port].shape)) {
        return false;
    }
    (void)snn_event(network, port, index);
    return true;
}

enum snn_status network_run(uint32_t steps)
{
    return snn_run(network, steps);
}

bool network_is_decided(void)
{
    return snn_is_decided(network);
}

/* ---- Answer ---- */

const int32_t *network_scores(uint32_t *count)
{
    return snn_scores(network, count);
}

uint32_t network_class(void)
{
    return snn_class(network);
}

void network_layer(uint32_t place, struct network_layer *layer)
{
    const struct snn_population_counters counters = snn_population_counters(network, place);
    layer->population = place;
    layer->spikes_out = counters.spikes_out;
    layer->saturations = counters.saturations;
    layer->digest = digests[place];
}

void network_projection(uint32_t place, struct network_projection *projection)
{
    const struct snn_projection_counters counters = snn_projection_counters(network, place);
    projection->projection = place;
    projection->spikes_in = counters.spikes_in;
    projection->synops = counters.synops;
    projection->macs = counters.macs;
}
