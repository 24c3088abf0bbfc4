/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"
#include "snn/camera.h"

/*
 * Events with time for the host engine. snn/event_time.h decides which steps are over and which
 * events are late; this file runs the steps and takes the events.
 */

enum snn_status snn_start(struct snn *snn, uint64_t microseconds, uint32_t steps)
{
    if (snn->model->step_microseconds == 0 || steps > snn->model->max_steps) {
        return SNN_ERROR_ARGUMENT;
    }
    snn->time.timed_steps = steps == 0 ? snn->model->steps : steps;
    snn_event_time_start(&snn->time, microseconds);
    return SNN_OK;
}

void snn_advance(struct snn *snn, uint64_t microseconds)
{
    const uint32_t dt = snn->model->step_microseconds;
    while (snn_event_time_is_due(&snn->time, snn->steps, dt, microseconds)) {
        if (snn_step(snn) != SNN_OK) {
            return;
        }
    }
}

/** The camera of a port. */
static struct snn_camera camera_of(const struct snn_input *port)
{
    const struct snn_shape *shape = &port->shape;
    const struct snn_sensor *sensor = &port->sensor;
    if (sensor->width == 0) {
        return (struct snn_camera){.last_x = shape->width - 1,
                                   .last_y = shape->height - 1,
                                   .last_polarity = shape->channels - 1,
                                   .width = shape->width,
                                   .channels = shape->channels};
    }
    return (struct snn_camera){.last_x = sensor->width - 1,
                               .last_y = sensor->height - 1,
                               .last_polarity = 1,
                               .coarsening = sensor->coarsening,
                               .on_first = sensor->polarity == SNN_ON_OFF,
                               .width = shape->width,
                               .channels = shape->channels};
}

bool snn_event_xy(struct snn *snn, uint32_t port, uint32_t x, uint32_t y, uint32_t polarity,
                  uint64_t microseconds)
{
    struct snn_input_state *input = snn_event_port(snn, port);
    if (input == NULL || snn->model->step_microseconds == 0) {
        return false;
    }
    /*
     * Dropped before its time is looked at: an event outside the sensor neither sets t0 nor closes
     * a step.
     */
    const struct snn_camera camera = camera_of(&snn->model->inputs[port]);
    uint32_t index = 0;
    if (!snn_find_index(&camera, x, y, polarity, &index)) {
        input->counters.dropped_outside++;
        return false;
    }
    snn_event_time_begin(&snn->time, microseconds);
    snn_advance(snn, microseconds);
    if (snn_is_over(snn) || !snn_event_time_is_open(&snn->time, snn->steps,
                                                    snn->model->step_microseconds, microseconds)) {
        input->counters.dropped_late++;
        return false;
    }
    return snn_inject(snn, port, index);
}
