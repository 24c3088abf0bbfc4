/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_EVENT_TIME_H
#define SNN_EVENT_TIME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The time of a stream of events, for both engines: step n holds n*dt <= t - t0 < (n+1)*dt. An
 * event at time t goes through these three calls, in this order:
 *
 *     snn_event_time_begin(&time, t);                                      the first event is t0
 *     while (snn_event_time_is_due(&time, steps, dt, t)) run a step;       it closes past steps
 *     if (snn_event_time_is_open(&time, steps, dt, t)) accept the event;   else it is late
 *
 * with `steps` the steps that the engine has closed so far. Times are compared as differences to
 * t0, so that no time is too large; an event costs no division.
 */

/** What an engine remembers of the time of a sample. */
struct snn_event_time {
    uint64_t start;       /**< t0 in microseconds, once `started` */
    uint32_t timed_steps; /**< of this sample, at most max_steps */
    bool started;
};

/** Begins a sample of `timed_steps` steps whose t0 is not known yet. */
static inline void snn_event_time_reset(struct snn_event_time *time, uint32_t timed_steps)
{
    time->start = 0;
    time->timed_steps = timed_steps;
    time->started = false;
}

/** Sets t0 to `microseconds`. */
static inline void snn_event_time_start(struct snn_event_time *time, uint64_t microseconds)
{
    time->start = microseconds;
    time->started = true;
}

/**
 * Takes note of an event at `microseconds` that lies inside its sensor: if t0 is not known yet,
 * this is t0.
 */
static inline void snn_event_time_begin(struct snn_event_time *time, uint64_t microseconds)
{
    if (!time->started) {
        snn_event_time_start(time, microseconds);
    }
}

/**
 * The time at which `steps` steps of dt have ended, in microseconds after t0: below 2^16 * 2^32.
 */
static inline uint64_t snn_event_time_end(uint32_t steps, uint32_t dt)
{
    return (uint64_t)steps * dt;
}

/**
 * Whether the open step, number `steps`, belongs to the sample and ends at or before
 * `microseconds`. Then steps < max_steps: the engine can close it. Never before t0 is known.
 */
static inline bool snn_event_time_is_due(const struct snn_event_time *time, uint32_t steps,
                                         uint32_t dt, uint64_t microseconds)
{
    return time->started && microseconds >= time->start && steps < time->timed_steps &&
           microseconds - time->start >= snn_event_time_end(steps + 1, dt);
}

/**
 * Whether an event at `microseconds` belongs to the open step, number `steps`, once that step is no
 * longer due. Otherwise the event is late: its time lies before the open step, or after the last
 * step of the sample.
 */
static inline bool snn_event_time_is_open(const struct snn_event_time *time, uint32_t steps,
                                          uint32_t dt, uint64_t microseconds)
{
    return steps < time->timed_steps && microseconds >= time->start &&
           microseconds - time->start >= snn_event_time_end(steps, dt);
}

#endif
