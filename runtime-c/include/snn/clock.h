/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_CLOCK_H
#define SNN_CLOCK_H

#include "snn/device.h"
#include "snn/event_time.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Events with time for the firmware engine: step n holds n*dt <= t - t0 < (n+1)*dt, with dt the
 * step_microseconds of the image. The calls are those of snn/snn.h and decide alike. A firmware
 * that closes its steps itself does not link them.
 *
 *     struct snn_device_clock clock;
 *     snn_device_clock_init(&clock, &network);                         after snn_device_init
 *     snn_device_clock_reset(&clock);                                  at every sample
 *     snn_device_event_xy(&clock, 0, x, y, polarity, microseconds);    as they come
 *     snn_device_advance(&clock, microseconds);                        in silence time passes too
 */

/**
 * What became of the events of one port since the reset. Events given to snn_device_event are not
 * counted.
 */
struct snn_device_input_counters {
    uint64_t events; /**< accepted, after merging */
    uint64_t dropped_outside, dropped_late;
    uint64_t dropped_overflow; /**< a step of a port of EVERY event had taken as many as it may */
};

/**
 * A network's time, 152 bytes. The counters may be read, the other fields are the engine's; the
 * struct is open so that its size is known before linking.
 */
struct snn_device_clock {
    struct snn_device *network;
    struct snn_event_time time;
    struct snn_device_input_counters inputs[SNN_IMAGE_PORTS]; /**< by port; of values: all 0 */
};

/**
 * Binds a clock to a network that snn_device_init has accepted, and resets both. The network must
 * outlive the clock; after another snn_device_init of the network, bind the clock again.
 * SNN_ERROR_ARGUMENT: null, or the model has no physical time; SNN_ERROR_STEPS: the image does not
 * stream, it runs all steps in one call. After an error the clock must not be used.
 */
SNN_MUST_USE enum snn_status snn_device_clock_init(struct snn_device_clock *clock,
                                                   struct snn_device *network);

/**
 * Begins a new sample, in the place of snn_device_reset: also forgets t0 and sets all counters to
 * 0.
 */
void snn_device_clock_reset(struct snn_device_clock *clock);

/**
 * States the recording's start t0 and the number of steps of this sample (0: the image's `steps`;
 * at most max_steps). Without it the first event is t0. Call it after the reset, before any event.
 * SNN_ERROR_ARGUMENT, and nothing happens, when `steps` exceeds max_steps.
 */
SNN_MUST_USE enum snn_status snn_device_start(struct snn_device_clock *clock, uint64_t microseconds,
                                              uint32_t steps);

/**
 * An address event. Closes every step that ends at or before its time, then injects the index that
 * FORMAT.md, section 2, gives its address, as snn_device_event does. Time may go back within the
 * open step. False when dropped, which is counted: outside the sensor, which neither sets t0 nor
 * closes a step, or late (before the open step, or after the sample's last). False, uncounted,
 * when `port` takes no events.
 * Any number of steps up to the sample's may run inside this call, and no more whatever the time.
 * A timer of 32 bits is to be extended: time that wraps is late.
 */
bool snn_device_event_xy(struct snn_device_clock *clock, uint32_t port, uint32_t x, uint32_t y,
                         uint32_t polarity, uint64_t microseconds);

/**
 * The caller's clock says `microseconds`: closes every step that ends at or before it, up to the
 * sample's last. Does nothing before snn_device_start or the first event. To finish a sample, pass
 * UINT64_MAX.
 */
void snn_device_advance(struct snn_device_clock *clock, uint64_t microseconds);

/** Steps closed since the reset. */
uint32_t snn_device_steps(const struct snn_device_clock *clock);

#ifdef __cplusplus
}
#endif
#endif
