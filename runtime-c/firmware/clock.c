/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/clock.h"
#include "engine.h"
#include "snn/camera.h"
#include "snn/model.h"

/*
 * Events with time for the firmware engine. snn/event_time.h decides which steps are over and which
 * events are late; this file runs the steps and takes the events.
 */

/* ---- Life cycle ---- */

enum snn_status snn_device_clock_init(struct snn_device_clock *clock, struct snn_device *network)
{
    if (clock == NULL || network == NULL) {
        return SNN_ERROR_ARGUMENT;
    }
    if (network->image->block != 1) {
        return SNN_ERROR_STEPS;
    }
    if (network->image->step_microseconds == 0) {
        return SNN_ERROR_ARGUMENT;
    }
    clock->network = network;
    snn_device_clock_reset(clock);
    return SNN_OK;
}

void snn_device_clock_reset(struct snn_device_clock *clock)
{
    const struct snn_device_input_counters none = {0, 0, 0, 0};
    snn_device_reset(clock->network);
    for (uint32_t port = 0; port < SNN_IMAGE_PORTS; port++) {
        clock->inputs[port] = none;
    }
    snn_event_time_reset(&clock->time, clock->network->image->steps);
}

/* ---- Time ---- */

enum snn_status snn_device_start(struct snn_device_clock *clock, uint64_t microseconds,
                                 uint32_t steps)
{
    const struct snn_image *image = clock->network->image;
    if (steps > image->max_steps) {
        return SNN_ERROR_ARGUMENT;
    }
    clock->time.timed_steps = steps == 0 ? image->steps : steps;
    snn_event_time_start(&clock->time, microseconds);
    return SNN_OK;
}

void snn_device_advance(struct snn_device_clock *clock, uint64_t microseconds)
{
    struct snn_device *network = clock->network;
    const uint32_t dt = network->image->step_microseconds;
    while (snn_event_time_is_due(&clock->time, network->steps, dt, microseconds)) {
        if (snn_device_run(network, 1) != SNN_OK) {
            return;
        }
    }
}

uint32_t snn_device_steps(const struct snn_device_clock *clock)
{
    return clock->network->steps;
}

/* ---- Events ---- */

/** The camera of a port. */
static struct snn_camera camera_of(const struct snn_image *image, uint32_t port)
{
    const struct snn_image_port *shape = snn_ports(image) + port;
    struct snn_camera camera = {.last_x = shape->width - 1u,
                                .last_y = shape->height - 1u,
                                .last_polarity = shape->channels - 1u,
                                .width = shape->width,
                                .channels = shape->channels};
    const struct snn_image_sensor *sensor = snn_sensors(image);
    for (uint32_t i = 0; i < image->sensor_count; i++) {
        if (sensor[i].port == port) {
            camera.last_x = sensor[i].last_x;
            camera.last_y = sensor[i].last_y;
            camera.last_polarity = 1;
            camera.coarsening = sensor[i].coarsening;
            camera.on_first = sensor[i].polarity == SNN_ON_OFF;
        }
    }
    return camera;
}

bool snn_device_event_xy(struct snn_device_clock *clock, uint32_t port, uint32_t x, uint32_t y,
                         uint32_t polarity, uint64_t microseconds)
{
    const struct snn_device *network = clock->network;
    const struct snn_image *image = network->image;
    if (port >= image->port_count) {
        return false;
    }
    if (snn_takes_values(snn_ports(image) + port)) {
        return false;
    }
    const struct snn_camera camera = camera_of(image, port);
    uint32_t index = 0;
    /*
     * Dropped before its time is looked at: an event outside the sensor neither sets t0 nor closes
     * a step.
     */
    if (!snn_find_index(&camera, x, y, polarity, &index)) {
        clock->inputs[port].dropped_outside++;
        return false;
    }
    snn_event_time_begin(&clock->time, microseconds);
    snn_device_advance(clock, microseconds);
    if (network->decided || !snn_event_time_is_open(&clock->time, network->steps,
                                                    image->step_microseconds, microseconds)) {
        clock->inputs[port].dropped_late++;
        return false;
    }
    const enum snn_taken taken = snn_take_event(network, port, index);
    clock->inputs[port].events += taken == SNN_TAKEN_NEW ? 1u : 0u;
    clock->inputs[port].dropped_overflow += taken == SNN_TAKEN_NOT ? 1u : 0u;
    return taken != SNN_TAKEN_NOT;
}
