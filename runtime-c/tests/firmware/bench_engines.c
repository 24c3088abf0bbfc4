/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 199309L
#include "build_image.h"

#include "../check.h"
#include "snn/device.h"
#include "snn/snn.h"

#include <string.h>
#include <time.h>

/*
 * The nets N1 to N3 of `make bench` on both engines: as models on the host engine and as images on
 * the firmware engine, inference about inference, so that load on the machine slows both alike.
 * Both engines must yield the same scores. Weights are those of build_image.c: -7 ... 7, a third of
 * them 0.
 */

enum { ROUNDS = 40, MOST_STEPS = 20, MOST_EVENTS = 240 };

static const char *const names[3] = {"N1 784-256-10, T=10  ", "N2 conv 1x28x28, T=5 ",
                                     "N3 conv 2x34x34, T=20"};

/** One net of the three; `rows` is how the image stores the rows of spikes. */
static struct image_spec spec_of(uint32_t net, uint8_t rows, bool leaky)
{
    struct image_spec spec = {.block = net == 2   ? 1
                                       : net == 0 ? 10
                                                  : 5,
                              .steps = net == 2   ? MOST_STEPS
                                       : net == 0 ? 10
                                                  : 5,
                              .balanced = 1,
                              .port_count = 1,
                              .layer_count = net == 0 ? 2 : 4,
                              .projection_count = net == 0 ? 2 : 4};
    const uint16_t side = net == 2 ? 34 : 28, leak = leaky ? 29491 : 32768;
    const uint8_t values = net == 2 ? 0 : SNN_LAYER_DRIVEN;
    const struct projection_spec first = {.from_port = 1,
                                          .pool = 1,
                                          .rows = values != 0 ? SNN_ROWS_8 : rows,
                                          .shift = values != 0 ? 4 : 0};
    if (net == 0) {
        spec.ports[0] = (struct port_spec){784, 1, 1, SNN_PORT_U8, 0, 0, 255};
        spec.layers[0] = (struct layer_spec){256, 1, 1, .flags = values, .leak = leak};
        spec.layers[1] = (struct layer_spec){10, 1, 1, .leak = 32768};
        spec.projections[0] = first;
        spec.projections[1] = (struct projection_spec){.target = 1, .pool = 1, .rows = rows};
        return spec;
    }
    spec.ports[0] = (struct port_spec){
        net == 2 ? 2 : 1, side, side, net == 2 ? SNN_PORT_EVENTS : SNN_PORT_U8, 0, 0, 255};
    spec.layers[0] = (struct layer_spec){16, side, side, .flags = values, .leak = leak};
    spec.layers[1] = (struct layer_spec){32, side / 2, side / 2, .leak = leak};
    spec.layers[2] = (struct layer_spec){128, 1, 1, .leak = leak};
    spec.layers[3] = (struct layer_spec){10, 1, 1, .leak = 32768};
    spec.projections[0] = first;
    spec.projections[1] = (struct projection_spec){.target = 1, .pool = 2, .rows = rows};
    for (uint32_t i = 0; i < 2; i++) {
        spec.projections[i].kernel_height = spec.projections[i].kernel_width = 3;
        spec.projections[i].stride = spec.projections[i].padding = 1;
    }
    spec.projections[2] =
        (struct projection_spec){.target = 2, .source = 1, .pool = 2, .rows = rows};
    spec.projections[3] =
        (struct projection_spec){.target = 3, .source = 2, .pool = 1, .rows = rows};
    return spec;
}

static uint8_t frame[784];
static uint32_t events[MOST_STEPS * MOST_EVENTS];
static uint32_t events_per_step;

static void infer_on_host(struct snn *snn, const struct image_spec *spec)
{
    snn_reset(snn);
    if (spec->ports[0].kind != SNN_PORT_EVENTS) {
        CHECK_EQUAL(snn_values_u8(snn, 0, frame, 784), SNN_OK);
        CHECK_EQUAL(snn_run(snn, spec->steps), SNN_OK);
        return;
    }
    for (uint32_t step = 0; step < spec->steps; step++) {
        for (uint32_t i = 0; i < events_per_step; i++) {
            (void)snn_event(snn, 0, events[step * MOST_EVENTS + i]);
        }
        CHECK_EQUAL(snn_step(snn), SNN_OK);
    }
}

static void infer_on_firmware(struct snn_device *device, const struct image_spec *spec)
{
    snn_device_reset(device);
    if (spec->ports[0].kind != SNN_PORT_EVENTS) {
        CHECK_EQUAL(snn_device_values_u8(device, 0, frame, 784), SNN_OK);
        CHECK_EQUAL(snn_device_run(device, spec->steps), SNN_OK);
        return;
    }
    for (uint32_t step = 0; step < spec->steps; step++) {
        for (uint32_t i = 0; i < events_per_step; i++) {
            (void)snn_device_event(device, 0, events[step * MOST_EVENTS + i]);
        }
        CHECK_EQUAL(snn_device_run(device, 1), SNN_OK);
    }
}

/** The net on the host engine. */
struct host {
    struct built_model built;
    void *memory;
    struct snn *snn;
};

static void open_host(struct host *host, const struct image_spec *spec)
{
    model_build(&host->built, spec);
    const size_t size = snn_state_size(&host->built.model);
    host->memory = malloc(size);
    CHECK(size > 0 && host->memory != NULL);
    CHECK_EQUAL(snn_init(&host->snn, &host->built.model, host->memory, size), SNN_OK);
}

static void close_host(struct host *host)
{
    free(host->memory);
    built_model_release(&host->built);
}

static double rate_of(const struct snn *snn, uint32_t population)
{
    const struct snn_population_counters counters = snn_population_counters(snn, population);
    return (double)counters.spikes_out / (double)counters.updates;
}

/** Sets thresholds layer by layer so that each spiking layer fires at about `activity`. */
static void tune(struct image_spec *spec, double activity)
{
    for (uint32_t p = 0; p + 1 < spec->layer_count; p++) {
        spec->layers[p].threshold = 32000;
    }
    for (uint32_t p = 0; p + 1 < spec->layer_count; p++) {
        int32_t low = 1, high = 32000;
        while (low < high) {
            struct host host;
            spec->layers[p].threshold = (int16_t)((low + high) / 2);
            open_host(&host, spec);
            infer_on_host(host.snn, spec);
            const bool more = rate_of(host.snn, p) > activity;
            low = more ? spec->layers[p].threshold + 1 : low;
            high = more ? high : spec->layers[p].threshold;
            close_host(&host);
        }
        spec->layers[p].threshold = (int16_t)low;
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void check_scores(const struct snn *snn, const struct snn_device *device)
{
    uint32_t count;
    const int32_t *found = snn_device_scores(device, &count), *expected = snn_scores(snn, NULL);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(found[i], expected[i]);
    }
}

static void measure(uint32_t net, uint32_t percent, uint8_t rows, bool leaky, const char *only)
{
    struct image_spec spec = spec_of(net, rows, leaky);
    struct host host;
    struct snn_device device;
    size_t size;
    events_per_step = percent == 5 ? 120 : MOST_EVENTS;
    tune(&spec, percent * 0.01);
    open_host(&host, &spec);
    struct snn_image *image = image_build(&spec, &size);
    CHECK_EQUAL(snn_image_check(image, size), SNN_OK);
    void *arena = malloc(image->arena_bytes);
    CHECK(arena != NULL);
    CHECK_EQUAL(snn_device_init(&device, image, arena, image->arena_bytes), SNN_OK);
    infer_on_host(host.snn, &spec);
    infer_on_firmware(&device, &spec);
    check_scores(host.snn, &device);
    double on_host = 1e9, on_firmware = 1e9;
    const int again = net == 0 ? 100 : net == 1 ? 20 : 5;
    for (int round = 0; round < ROUNDS; round++) {
        const double begin = now();
        for (int n = 0; n < again && only[0] != 'f'; n++) {
            infer_on_host(host.snn, &spec);
        }
        const double middle = now();
        for (int n = 0; n < again && only[0] != 'h'; n++) {
            infer_on_firmware(&device, &spec);
        }
        const double end = now();
        on_host = middle - begin < on_host ? middle - begin : on_host;
        on_firmware = end - middle < on_firmware ? end - middle : on_firmware;
    }
    printf("%s %2u %% %s rows of %u bits: host %.4f ms, firmware %.4f ms, %.2f times; activity %%",
           names[net], percent, leaky ? "leak" : "    ", rows == SNN_ROWS_4 ? 4u : 8u,
           on_host / again * 1e3, on_firmware / again * 1e3, on_firmware / on_host);
    for (uint32_t p = 0; p + 1 < spec.layer_count; p++) {
        printf(" %.1f(%d)", 100 * rate_of(host.snn, p), (int)snn_accumulator(host.snn, p));
    }
    printf("\n");
    free(arena);
    free(image);
    close_host(&host);
}

/** Arguments: `host` or `firmware`, to time only one of them; the net, 1 to 3; the bits of rows. */
int main(int count, char **arguments)
{
    struct random r = {12345};
    const char *only = count > 1 ? arguments[1] : "both";
    const uint32_t net = count > 2 ? (uint32_t)atoi(arguments[2]) : 0;
    const uint32_t bits = count > 3 ? (uint32_t)atoi(arguments[3]) : 0;
    for (uint32_t i = 0; i < 784; i++) {
        frame[i] = (uint8_t)(random_chance(&r, 50) ? 0 : random_in(&r, 1, 255));
    }
    for (uint32_t i = 0; i < MOST_STEPS * MOST_EVENTS; i++) {
        events[i] = (uint32_t)random_in(&r, 0, 2 * 34 * 34 - 1);
    }
    for (uint32_t n = 0; n < 3; n++) {
        for (uint32_t percent = n == 0 ? 10 : 5; percent <= 10; percent += 5) {
            for (int leaky = 0; leaky < 2 && (net == 0 || net == n + 1); leaky++) {
                if (bits != 4) {
                    measure(n, percent, SNN_ROWS_8, leaky == 1, only);
                }
                if (bits != 8) {
                    measure(n, percent, SNN_ROWS_4, leaky == 1, only);
                }
            }
        }
    }
    return 0;
}
