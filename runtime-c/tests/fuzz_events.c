/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/build_image.h"

#include "check.h"
#include "snn/clock.h"
#include "snn/device.h"
#include "snn/snn.h"

#include <string.h>

/*
 * libFuzzer: calls in any order with any arguments, on the firmware engine and on the portable
 * core, which must answer alike. The first byte chooses the network; each call takes a byte for
 * itself and up to 22 for its arguments. Streaming images have a clock; calls with and without time
 * may mix.
 */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { GUARD = 16, FRAME = 256, STEP_MICROSECONDS = 100 };

/** A network in both engines. */
struct pair {
    const struct image_spec *spec;
    struct snn_image *image;
    struct built_model built;
    struct snn *core;
    struct snn_device device;
    struct snn_device_clock clock; /* of a streaming image */
    uint64_t now;
    uint64_t untimed[SPEC_PORTS][3]; /* taken, outside, late: without time, the core counts too */
    uint8_t *state, *memory;
    int16_t frames[SPEC_PORTS][FRAME];
};

static struct pair pairs[IMAGE_SPECS];

static void make_pair(struct pair *pair, const struct image_spec *spec)
{
    size_t size;
    pair->spec = spec;
    pair->image = image_build(spec, &size);
    model_build(&pair->built, spec);
    pair->image->step_microseconds = pair->built.model.step_microseconds = STEP_MICROSECONDS;
    pair->image->steps = pair->built.model.steps = spec->steps - 1;
    image_seal(pair->image, size);
    const size_t state_size = snn_state_size(&pair->built.model);
    pair->state = malloc(state_size);
    pair->memory = malloc(pair->image->arena_bytes + 2 * GUARD);
    CHECK(pair->state != NULL && pair->memory != NULL &&
          snn_image_check(pair->image, size) == SNN_OK);
    memset(pair->memory, 0xA5, pair->image->arena_bytes + 2 * GUARD);
    CHECK_EQUAL(snn_init(&pair->core, &pair->built.model, pair->state, state_size), SNN_OK);
    CHECK_EQUAL(
        snn_device_init(&pair->device, pair->image, pair->memory + GUARD, pair->image->arena_bytes),
        SNN_OK);
    CHECK_EQUAL(snn_device_clock_init(&pair->clock, &pair->device),
                spec->block == 1 ? SNN_OK : SNN_ERROR_STEPS);
}

static void reset(struct pair *pair)
{
    snn_reset(pair->core);
    pair->now = 0;
    memset(pair->untimed, 0, sizeof pair->untimed);
    if (pair->spec->block == 1) {
        snn_device_clock_reset(&pair->clock);
    } else {
        snn_device_reset(&pair->device);
    }
}

/** The fuzzer's bytes, 0 behind their end. */
struct source {
    const uint8_t *at, *end;
};

static uint32_t take(struct source *source, uint32_t bytes)
{
    uint32_t value = 0;
    for (uint32_t i = 0; i < bytes && source->at < source->end; i++) {
        value |= (uint32_t)*source->at++ << (8 * i);
    }
    return value;
}

static void event(struct pair *pair, struct source *source, uint32_t width)
{
    const uint32_t port = take(source, width == 4 ? 4 : 1), index = take(source, width);
    const struct snn_input_counters before = snn_input_counters(pair->core, port);
    const bool taken = snn_device_event(&pair->device, port, index);
    CHECK_EQUAL(snn_event(pair->core, port, index), taken);
    if (port >= pair->spec->port_count) {
        return;
    }
    const struct snn_input_counters after = snn_input_counters(pair->core, port);
    pair->untimed[port][0] += after.events - before.events;
    pair->untimed[port][1] += after.dropped_outside - before.dropped_outside;
    pair->untimed[port][2] += after.dropped_late - before.dropped_late;
}

/**
 * A frame of any count; the engine keeps a pointer to it, so a refused one must leave the last in
 * place.
 */
static void values(struct pair *pair, struct source *source)
{
    const uint32_t port = take(source, 1), some = take(source, 1), first = take(source, 2),
                   step = take(source, 1);
    if (port >= pair->spec->port_count) {
        CHECK_EQUAL(snn_device_values_u8(&pair->device, port, (uint8_t *)pair->frames, some),
                    SNN_ERROR_ARGUMENT);
        CHECK_EQUAL(snn_device_values_s16(&pair->device, port, pair->frames[0], some),
                    SNN_ERROR_ARGUMENT);
        return;
    }
    const struct port_spec *of = &pair->spec->ports[port];
    const uint32_t size = (uint32_t)of->channels * of->height * of->width,
                   count = some & 0x80 ? some : size;
    /*
     * A held frame counts in the core from the step on in which it comes, in the device from step 0
     * on.
     */
    if (of->kind != SNN_PORT_EVENTS && (pair->device.steps > 0 && !of->frame_per_step)) {
        return;
    }
    if (pair->device.steps >= pair->spec->steps) {
        return;
    }
    int16_t frame[FRAME];
    uint8_t narrow[FRAME];
    for (uint32_t i = 0; i < FRAME; i++) {
        frame[i] = (int16_t)(uint16_t)(first + i * step);
        narrow[i] = (uint8_t)(first + i * step);
        if (of->kind == SNN_PORT_U8) {
            frame[i] = narrow[i];
        }
    }
    enum snn_status expected = snn_values_s16(pair->core, port, frame, count);
    enum snn_status found;
    if (of->kind == SNN_PORT_U8) {
        found = snn_device_values_u8(&pair->device, port, narrow, count);
        if (found == SNN_OK) {
            memcpy(pair->frames[port], narrow, count);
        }
        if (found == SNN_OK) {
            CHECK_EQUAL(
                snn_device_values_u8(&pair->device, port, (uint8_t *)pair->frames[port], count),
                found);
        }
    } else {
        found = snn_device_values_s16(&pair->device, port, frame, count);
        if (found == SNN_OK) {
            memcpy(pair->frames[port], frame, count * sizeof frame[0]);
        }
        if (found == SNN_OK) {
            CHECK_EQUAL(snn_device_values_s16(&pair->device, port, pair->frames[port], count),
                        found);
        }
    }
    CHECK_EQUAL(found, expected);
}

static void check_answer(const struct pair *pair)
{
    uint32_t count;
    const int32_t *found = snn_device_scores(&pair->device, &count);
    const int32_t *expected = snn_scores(pair->core, NULL);
    if (pair->device.steps == 0) {
        return; /* before step 0 the core shows the initial membranes */
    }
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(found[i], expected[i]);
    }
    CHECK_EQUAL(snn_device_class(&pair->device), snn_class(pair->core));
}

/** Time moves on a little, or to anywhere. */
static uint64_t move(struct pair *pair, struct source *source)
{
    const uint32_t how = take(source, 1) % 8, by = take(source, how == 2 || how == 3 ? 4 : 1);
    switch (how) {
    case 0: break;
    case 1: pair->now -= by; break;
    case 3: pair->now = (uint64_t)by << 32 | take(source, 4); break;
    case 4: pair->now = UINT64_MAX - by; break;
    default: pair->now += by;
    }
    return pair->now;
}

/** A call that takes the time; steps may close in it. */
static void timed(struct pair *pair, struct source *source, uint32_t call)
{
    if (pair->spec->block != 1) {
        return;
    }
    const uint64_t time = move(pair, source);
    if (call == 0) {
        const uint32_t steps = take(source, 1), any = steps == 255 ? take(source, 4) : steps % 16;
        const enum snn_status status = snn_device_start(&pair->clock, time, any);
        CHECK_EQUAL(snn_start(pair->core, time, any), status);
    } else if (call == 1) {
        snn_device_advance(&pair->clock, time);
        snn_advance(pair->core, time);
    } else {
        const uint32_t port = take(source, 1), width = call == 2 ? 4 : 1;
        const uint32_t x = take(source, width), y = take(source, width);
        const uint32_t polarity = take(source, width);
        const bool taken = snn_device_event_xy(&pair->clock, port, x, y, polarity, time);
        CHECK_EQUAL(snn_event_xy(pair->core, port, x, y, polarity, time), taken);
    }
    CHECK_EQUAL(snn_device_steps(&pair->clock), snn_steps(pair->core));
    for (uint32_t port = 0; port < pair->spec->port_count; port++) {
        const struct snn_input_counters expected = snn_input_counters(pair->core, port);
        const struct snn_device_input_counters *found = &pair->clock.inputs[port];
        CHECK_EQUAL(found->events + pair->untimed[port][0], expected.events);
        CHECK_EQUAL(found->dropped_outside + pair->untimed[port][1], expected.dropped_outside);
        CHECK_EQUAL(found->dropped_late + pair->untimed[port][2], expected.dropped_late);
    }
    check_answer(pair);
}

static void run(struct pair *pair, uint32_t steps)
{
    const bool streaming = pair->image->block == 1, fresh = pair->device.steps == 0;
    const uint32_t left = pair->spec->steps - pair->device.steps;
    const enum snn_status status = snn_device_run(&pair->device, steps);
    CHECK_EQUAL(status, steps <= left && (streaming || fresh) ? SNN_OK : SNN_ERROR_STEPS);
    if (status == SNN_OK) {
        CHECK_EQUAL(snn_run(pair->core, steps), SNN_OK);
    }
    check_answer(pair);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct source source = {bytes, bytes + length};
    struct pair *pair = &pairs[take(&source, 1) % IMAGE_SPECS];
    if (pair->spec == NULL) {
        make_pair(pair, &image_specs[pair - pairs]);
    }
    reset(pair);
    while (source.at < source.end) {
        switch (take(&source, 1) % 16) {
        case 0: event(pair, &source, 4); break;
        case 1: event(pair, &source, 2); break;
        case 2:
        case 3: event(pair, &source, 1); break;
        case 4: values(pair, &source); break;
        case 5: run(pair, take(&source, 4)); break;
        case 6: run(pair, take(&source, 1) % 4); break;
        case 7: reset(pair); break;
        case 8: timed(pair, &source, 0); break;
        case 9:
        case 10: timed(pair, &source, 1); break;
        case 11: timed(pair, &source, 2); break;
        default: timed(pair, &source, 3);
        }
    }
    for (uint32_t i = 0; i < GUARD; i++) {
        CHECK(pair->memory[i] == 0xA5 &&
              pair->memory[GUARD + pair->image->arena_bytes + i] == 0xA5);
    }
    return 0;
}
