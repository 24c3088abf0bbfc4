/* SPDX-License-Identifier: Apache-2.0 */
#include "any.h"

#include "../../firmware/clock.c"

/*
 * Events with time: a bound clock in any state, given any call with any arguments. Bits are set
 * inside the port's map, counters inside their array, and no step runs beyond max_steps.
 */

enum { CHANNELS = 2, HEIGHT = 3, WIDTH = 11, MAX_STEPS = 6 };
enum { MAP_WORDS = (CHANNELS * HEIGHT * WIDTH + 31) / 32 };

static struct {
    struct snn_image image;
    struct snn_image_port ports[SNN_IMAGE_PORTS];
} flash;

/** The last port's map ends the arena. */
static uint32_t arena[SNN_IMAGE_PORTS * MAP_WORDS];
static struct snn_device network = {.image = &flash.image, .arena = (uint8_t *)arena};
static struct snn_device_clock clock;

/* What the clock needs of the engine, whose steps are shown elsewhere. */

void snn_device_reset(struct snn_device *device)
{
    device->steps = 0;
}

enum snn_status snn_device_run(struct snn_device *device, uint32_t steps)
{
    //@ assert device->steps < MAX_STEPS && steps == 1;
    device->steps += steps;
    return SNN_OK;
}

enum snn_taken snn_take_event(const struct snn_device *device, uint32_t port, uint32_t index)
{
    const struct snn_image_port *shape = flash.ports + port;
    //@ assert port < SNN_IMAGE_PORTS && index < shape->channels * shape->height * shape->width;
    (void)device;
    const uint32_t taken = any_u32(0, 2);
    return taken == 0 ? SNN_TAKEN_NOT : taken == 1 ? SNN_TAKEN_MERGED : SNN_TAKEN_NEW;
}

/** What calls may have left, and more. */
static void any_clock(void)
{
    any_bytes(arena, sizeof arena);
    any_bytes(&clock, sizeof clock);
    clock.network = &network;
    clock.time.timed_steps = any_u32(0, MAX_STEPS);
    clock.time.started = any_u32(0, 1) != 0;
    network.steps = any_u32(0, MAX_STEPS);
}

static uint64_t any_time(void)
{
    return (uint64_t)any_u32(0, UINT32_MAX) << 32 | any_u32(0, UINT32_MAX);
}

static void call(void)
{
    any_clock();
    (void)snn_device_event_xy(&clock, any_u32(0, UINT32_MAX), any_u32(0, UINT32_MAX),
                              any_u32(0, UINT32_MAX), any_u32(0, UINT32_MAX), any_time());
    any_clock();
    snn_device_advance(&clock, any_time());
    (void)snn_device_start(&clock, any_time(), any_u32(0, UINT32_MAX));
    snn_device_advance(&clock, any_time());
    (void)snn_device_steps(&clock);
}

void main(void)
{
    for (uint32_t port = 0; port < SNN_IMAGE_PORTS; port++) {
        flash.ports[port].channels = CHANNELS;
        flash.ports[port].height = HEIGHT;
        flash.ports[port].width = WIDTH;
        flash.ports[port].kind = port == 1 ? SNN_PORT_U8 : SNN_PORT_EVENTS;
        flash.ports[port].map = port * MAP_WORDS * 4;
    }
    flash.image.ports = offsetof(__typeof__(flash), ports);
    flash.image.port_count = (uint16_t)any_u32(0, SNN_IMAGE_PORTS);
    flash.image.block = (uint16_t)any_u32(1, 2);
    flash.image.max_steps = MAX_STEPS;
    flash.image.steps = any_u32(1, MAX_STEPS);
    flash.image.step_microseconds = any_u32(0, UINT32_MAX);
    (void)snn_device_clock_init(0, &network);
    (void)snn_device_clock_init(&clock, 0);
    if (snn_device_clock_init(&clock, &network) != SNN_OK) {
        return;
    }
    call();
}
