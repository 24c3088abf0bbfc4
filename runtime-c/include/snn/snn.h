/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_SNN_H
#define SNN_SNN_H

#include "snn/config.h"
#include "snn/model.h"
#include "snn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An event-driven engine for spiking networks in integers. It computes the integers of
 * models/FORMAT.md and no others.
 *
 *     memory  <- snn_state_size(model)                 once
 *     snn_init                                         once: all checks happen here
 *     snn_reset, snn_values_u8 | snn_event, snn_run    per sample
 *     snn_class, snn_scores
 *
 * One network is used by one thread at a time; networks share nothing but the constant model. No
 * call allocates.
 */

/** Version of this library; the format has its own, SNN_FORMAT_MAJOR. */
#define SNN_VERSION_MAJOR 0
#define SNN_VERSION_MINOR 1

/**
 * A network at work: its membranes, spikes under way and counters, inside the memory given to
 * snn_init.
 */
struct snn;

/* ---- Life cycle ---- */

/**
 * Checks every rule of FORMAT.md: limits, shapes, references, order, bounds, weight rows.
 * SNN_OK, or the status of the first rule broken with its place in `fault` (may be null). Reads the
 * whole model once; a linear pass over the weights for most models.
 */
SNN_MUST_USE enum snn_status snn_check(const struct snn_model *model, struct snn_fault *fault);

/**
 * Bytes of memory that snn_init needs for this model at any alignment; 0 when snn_check refuses the
 * model.
 */
size_t snn_state_size(const struct snn_model *model);

/**
 * Lays out a network in `memory` of `size` bytes, at any alignment, and resets it.
 * The memory and the model belong to the caller and must outlive the network; there is nothing to
 * release. Fails as snn_check, with SNN_ERROR_ARGUMENT for null pointers and with SNN_ERROR_MEMORY
 * when `size` is less than snn_state_size; then `*snn` is null. After success no later call fails
 * for want of memory or a bad model.
 */
SNN_MUST_USE enum snn_status snn_init(struct snn **snn, const struct snn_model *model, void *memory,
                                      size_t size);

/**
 * Begins a new sample: sets membranes to `initial` and all counters to 0, and forgets spikes under
 * way, held frames and t0.
 */
void snn_reset(struct snn *snn);

/* ---- Input ---- */

/** States the seed from which encoders draw in this sample; snn_reset sets it to 0. */
void snn_seed(struct snn *snn, uint32_t seed);

/**
 * An event at linear `index` for the open step, the one that the next snn_step closes.
 * False when it is dropped, which is counted: outside the shape, late (the sample is over), or over max_events_per_step (EVERY). A repetition on a ONCE port merges and returns true. False,
 * uncounted, when `port` is no EVENTS port.
 */
bool snn_event(struct snn *snn, uint32_t port, uint32_t index);

/**
 * Presents `count` integers in the order of the linear index; `count` is the shape's size. A port
 * with frame_per_step holds them for the open step only; any other holds them until replaced or
 * reset, and their current is computed once. SNN_ERROR_ARGUMENT: no such VALUES port, or another
 * count. SNN_ERROR_VALUE: one is outside the port's range. SNN_ERROR_STEPS: the sample is over. The
 * values are copied.
 */
SNN_MUST_USE enum snn_status snn_values_u8(struct snn *snn, uint32_t port, const uint8_t *values,
                                           uint32_t count);
/** As snn_values_u8. */
SNN_MUST_USE enum snn_status snn_values_s16(struct snn *snn, uint32_t port, const int16_t *values,
                                            uint32_t count);

/* ---- Steps ---- */

/**
 * Closes the open step. SNN_ERROR_STEPS, and nothing happens, when the sample is over: max_steps
 * have run since the reset, or snn_is_decided.
 */
SNN_MUST_USE enum snn_status snn_step(struct snn *snn);

/**
 * Does what `steps` calls of snn_step do, with the same integers and counters. It is faster where
 * held values feed the model, nothing is delayed and there is no exit rule. Where max_steps leaves
 * fewer steps, it runs those and returns SNN_ERROR_STEPS. It stops early, and returns SNN_OK, where
 * the exit rule holds.
 */
SNN_MUST_USE enum snn_status snn_run(struct snn *snn, uint32_t steps);

/**
 * Whether the model's exit rule held after the last step: the answer stands, and no further step
 * runs before the next reset.
 */
bool snn_is_decided(const struct snn *snn);

/** Steps closed since the reset. */
uint32_t snn_steps(const struct snn *snn);

/* ---- Events with time ----
 * Step n holds n*dt <= t - t0 < (n+1)*dt, dt = step_microseconds of the model.
 */

/**
 * States the recording's start t0 and the number of steps of this sample (0: the model's `steps`;
 * at most max_steps). Without it the first event is t0. Call it after snn_reset, before any event.
 * SNN_ERROR_ARGUMENT when the model has no physical time or `steps` exceeds max_steps.
 */
SNN_MUST_USE enum snn_status snn_start(struct snn *snn, uint64_t microseconds, uint32_t steps);

/**
 * An address event. Closes every step that ends at or before its time, then injects the index that
 * FORMAT.md, section 2, gives its address, as snn_event does. Time may go back within the open step.
 * False when dropped: outside the sensor, which neither sets t0 nor closes a step, or late (before
 * the open step, or after the sample's last). Any number of steps up to the sample's may run inside
 * this call.
 */
bool snn_event_xy(struct snn *snn, uint32_t port, uint32_t x, uint32_t y, uint32_t polarity,
                  uint64_t microseconds);

/**
 * The caller's clock says `microseconds`: closes every step that ends at or before it, up to the
 * sample's last. Does nothing before snn_start or the first event. To finish a sample, pass
 * UINT64_MAX.
 */
void snn_advance(struct snn *snn, uint64_t microseconds);

/* ---- Answer ---- */

/**
 * Membranes of the read-out population, one int32 per class; valid until the next step or reset.
 */
const int32_t *snn_scores(const struct snn *snn, uint32_t *count);

/** Index of the highest score, the lowest on ties. */
uint32_t snn_class(const struct snn *snn);

/* ---- Inside ---- */

/**
 * The spikes of the last closed step: bit (i & 31) of word i >> 5 is neuron i, (N + 31) / 32 words,
 * later bits 0. Null for a READOUT or no such population. `count` (may be null) receives the number
 * of spikes.
 */
const uint32_t *snn_spikes(const struct snn *snn, uint32_t population, uint32_t *count);

/** Membrane of one neuron after the last closed step; 0 when there is no such neuron. */
int32_t snn_membrane(const struct snn *snn, uint32_t population, uint32_t neuron);

/**
 * A function that the engine calls after each step, once for every population, in order of index.
 * It may read the network but not change it.
 */
typedef void snn_trace_function(void *context, const struct snn *snn, uint32_t step,
                                uint32_t population);

/**
 * Sets the trace function, or none with null; it survives snn_reset. With it snn_run goes step by
 * step.
 */
void snn_set_trace(struct snn *snn, snn_trace_function *function, void *context);

/**
 * The counters of FORMAT.md, section 6, as totals since the reset. They are equal in every engine.
 */
struct snn_population_counters {
    uint64_t spikes_out, updates, saturations;
};
struct snn_projection_counters {
    uint64_t spikes_in, synops, macs;
};
struct snn_input_counters {
    uint64_t events, dropped_outside, dropped_late, dropped_overflow;
};

/** All zero when the index names nothing. */
struct snn_population_counters snn_population_counters(const struct snn *snn, uint32_t population);
/** All zero when the index names nothing. */
struct snn_projection_counters snn_projection_counters(const struct snn *snn, uint32_t projection);
/** All zero when the index names nothing. */
struct snn_input_counters snn_input_counters(const struct snn *snn, uint32_t port);

/**
 * What this engine did since the reset. Another engine, or a later version of this one, may count
 * otherwise for the same sample.
 */
struct snn_engine_counters {
    uint64_t population_steps_skipped; /**< (population, step) pairs without any work */
    uint64_t weight_bytes_read;        /**< weights and sparse columns that the scatter read */
};
struct snn_engine_counters snn_engine_counters(const struct snn *snn);

/** How a population sums its input; chosen by snn_init from the bounds of FORMAT.md, section 5. */
enum snn_accumulator {
    SNN_ACCUMULATOR_S32 = 0,
    SNN_ACCUMULATOR_S16 = 1,
    SNN_ACCUMULATOR_DIRECT = 2 /**< weights are added straight to the membranes; no accumulator */
};
enum snn_accumulator snn_accumulator(const struct snn *snn, uint32_t population);

/* ---- Trace hash of FORMAT.md, section 8 ---- */

/** Where a hash starts. */
#define SNN_HASH_START UINT32_C(0x811C9DC5)

/** The hash after one more word. */
uint32_t snn_hash_word(uint32_t hash, uint32_t word);

/** The hash after the last closed step of a population: its spikes, 0xFFFFFFFF, its membranes. */
uint32_t snn_hash_population(uint32_t hash, const struct snn *snn, uint32_t population);

#ifdef __cplusplus
}
#endif
#endif
