/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"
#include "network.h"
#include "region.h"
#include "snn/count.h"

/* The firmware engine and the image that model.S has put into flash. */

extern const uint8_t model_image[], model_image_end[];
extern uint8_t model_arena[], model_arena_end[], model_frames[], model_frames_end[];
extern uint8_t model_counters[], model_counters_end[];

static struct snn_device network;
static struct snn_count count;
static uint32_t presented; /* bytes of the frame last asked for */

static const struct snn_image *image(void)
{
    return (const struct snn_image *)(const void *)model_image;
}

static const struct snn_image_port *ports(void)
{
    return (const struct snn_image_port *)(const void *)(model_image + image()->ports);
}

/** Bytes from one label of model.S to another. */
static uint32_t between(const uint8_t *start, const uint8_t *end)
{
    return (uint32_t)((uintptr_t)end - (uintptr_t)start);
}

static uint32_t values_of(const struct snn_image_port *port)
{
    return (uint32_t)port->channels * port->height * port->width;
}

/** 0 for events. Frames lie one behind the other, each from a multiple of 4 on. */
static uint32_t frame_bytes(const struct snn_image_port *port)
{
    return port->kind == SNN_PORT_U8    ? values_of(port)
           : port->kind == SNN_PORT_S16 ? 2 * values_of(port)
                                        : 0;
}

static uint8_t *frame_of(uint32_t place)
{
    uint8_t *frame = model_frames;
    for (uint32_t i = 0; i < place; i++) {
        frame += (frame_bytes(ports() + i) + 3) & ~UINT32_C(3);
    }
    return frame;
}

static void snn_region_mark_layer(void *context, uint32_t layer)
{
    (void)context;
    snn_region_mark(layer < image()->layer_count ? layer : (uint32_t)SNN_REGION_ENGINE);
}

/* ---- Life cycle ---- */

enum snn_status network_open(struct network_facts *facts)
{
    const struct snn_image *model = image();
    const uint32_t size = between(model_image, model_image_end);
    /*
     * An image may be written by itself, or damaged in flash: nothing of it is believed before
     * this.
     */
    enum snn_status status = snn_image_check(model, size);
    if (status != SNN_OK) {
        return status;
    }
    status = snn_device_init(&network, model, model_arena, between(model_arena, model_arena_end));
    if (status != SNN_OK) {
        return status;
    }
    const uint32_t frames = between(model_frames, frame_of(model->port_count));
    const uint32_t counters =
        (uint32_t)(model->layer_count * sizeof(struct snn_layer_count) +
                   model->projection_count * sizeof(struct snn_projection_count));
    if (frames > between(model_frames, model_frames_end) ||
        counters > between(model_counters, model_counters_end)) {
        return SNN_ERROR_MEMORY;
    }
    facts->model_crc = guard_crc(0, model_image, size);
    facts->model_bytes = size;
    facts->state_bytes = model->arena_bytes;
    facts->steps = model->steps;
    facts->max_steps = model->max_steps;
    facts->block = model->block;
    facts->ports = model->port_count;
    facts->layers = model->layer_count;
    facts->projections = model->projection_count;
    return SNN_OK;
}

void network_begin(uint32_t seed, bool counting, bool marking)
{
    static const struct snn_observer marker = {.layer = snn_region_mark_layer};
    struct snn_layer_count *layers = (struct snn_layer_count *)(void *)model_counters;
    if (counting) {
        snn_count_init(&count, &network, layers,
                       (struct snn_projection_count *)(void *)(layers + image()->layer_count));
    } else {
        snn_device_observe(&network, marking ? &marker : NULL);
    }
    snn_region_mark(SNN_REGION_ENGINE);
    snn_device_reset(&network);
    snn_device_seed(&network, seed);
    snn_region_mark(SNN_REGION_OUTSIDE);
}

/* ---- Input ---- */

void *network_frame(uint32_t port, uint32_t size)
{
    if (port >= image()->port_count || size == 0 || size != frame_bytes(ports() + port)) {
        return NULL;
    }
    presented = size;
    return frame_of(port);
}

enum snn_status network_present(uint32_t port)
{
    const void *frame = frame_of(port);
    const bool bytes = ports()[port].kind == SNN_PORT_U8;
    snn_region_mark(SNN_REGION_ENGINE);
    const enum snn_status status =
        bytes ? snn_device_values_u8(&network, port, frame, presented)
              : snn_device_values_s16(&network, port, frame, presented / 2);
    snn_region_mark(SNN_REGION_OUTSIDE);
    return status;
}

bool network_event(uint32_t port, uint32_t index)
{
    if (port >= image()->port_count || frame_bytes(ports() + port) != 0 ||
        index >= values_of(ports() + port)) {
        return false;
    }
    snn_region_mark(SNN_REGION_ENGINE);
    (void)snn_device_event(&network, port, index);
    snn_region_mark(SNN_REGION_OUTSIDE);
    return true;
}

enum snn_status network_run(uint32_t steps)
{
    snn_region_mark(SNN_REGION_ENGINE);
    const enum snn_status status = snn_device_run(&network, steps);
    snn_region_mark(SNN_REGION_OUTSIDE);
    return status;
}

bool network_is_decided(void)
{
    return snn_device_is_decided(&network);
}

/* ---- Answer ---- */

const int32_t *network_scores(uint32_t *score_count)
{
    return snn_device_scores(&network, score_count);
}

uint32_t network_class(void)
{
    return snn_device_class(&network);
}

void network_layer(uint32_t place, struct network_layer *layer)
{
    const uint8_t *layers = model_image + image()->layers;
    layer->population = ((const struct snn_image_layer *)(const void *)layers)[place].population;
    layer->spikes_out = count.layers[place].spikes_out;
    layer->saturations = count.layers[place].saturations;
    layer->digest = count.layers[place].digest;
}

void network_projection(uint32_t place, struct network_projection *projection)
{
    const uint8_t *projections = model_image + image()->projections;
    projection->projection =
        ((const struct snn_image_projection *)(const void *)projections)[place].projection;
    projection->spikes_in = count.projections[place].spikes_in;
    projection->synops = count.projections[place].synops;
    projection->macs = count.projections[place].macs;
}
