/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

/* Events with time: they close the steps that end before them. */

enum snn_status snn_start(struct snn *snn, uint64_t microseconds, uint32_t steps)
{
    if (snn->model->step_microseconds == 0 || steps > snn->model->max_steps) {
        return SNN_ERROR_ARGUMENT;
    }
    snn->start = microseconds;
    snn->timed_steps = steps == 0 ? snn->model->steps : steps;
    snn->started = true;
    return SNN_OK;
}

/** When so many steps end, in microseconds after t0: at most 2^16 * 2^31. */
static uint64_t end_of(const struct snn *snn, uint32_t steps)
{
    return (uint64_t)steps * snn->model->step_microseconds;
}

void snn_advance(struct snn *snn, uint64_t microseconds)
{
    if (!snn->started || microseconds < snn->start) {
        return;
    }
    const uint64_t elapsed = microseconds - snn->start;
    while (snn->steps < snn->timed_steps && elapsed >= end_of(snn, snn->steps + 1)) {
        /* timed_steps <= max_steps, so the step is always taken. */
        if (snn_step(snn) != SNN_OK) {
            return;
        }
    }
}

bool snn_event_xy(struct snn *snn, uint32_t port, uint32_t x, uint32_t y, uint32_t polarity,
                  uint64_t microseconds)
{
    struct snn_input_state *input = snn_event_port(snn, port);
    if (input == NULL || snn->model->step_microseconds == 0) {
        return false;
    }
    /*
     * Before its time is looked at: an event outside the sensor says nothing about the recording.
     */
    const struct snn_shape *shape = &snn->model->inputs[port].shape;
    if (x >= shape->width || y >= shape->height || polarity >= shape->channels) {
        input->counters.dropped_outside++;
        return false;
    }
    if (!snn->started) {
        snn->start = microseconds;
        snn->started = true;
    }
    snn_advance(snn, microseconds);
    if (snn->steps >= snn->timed_steps || microseconds < snn->start ||
        microseconds - snn->start < end_of(snn, snn->steps)) {
        input->counters.dropped_late++;
        return false;
    }
    return snn_inject(snn, port, (y * shape->width + x) * shape->channels + polarity);
}
