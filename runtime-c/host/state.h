/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_STATE_H
#define SNN_HOST_STATE_H

#include "snn/event_time.h"
#include "snn/snn.h"
#include "kernel_table.h"

/* State: what a network keeps in the memory that its caller gave, beside the model. */

/** In a map of source coordinates: this row or column lies outside every full pooling window. */
#define SNN_OUTSIDE UINT32_MAX

/**
 * A source keeps what it emitted in its last `slots` steps, as many as any projection reaches back
 * for: step n lies in slot n modulo `slots`.
 */
static inline uint32_t snn_slot(uint32_t step, uint32_t slots)
{
    return slots == 1 ? 0 : step % slots;
}

struct snn_input_state {
    uint32_t *bits;  /**< ONCE, encoders: slots x words, the events or spikes of a step */
    uint32_t *list;  /**< EVERY: slots x max_events_per_step, in order of arrival */
    int16_t *frame;  /**< VALUES: slots x size; with an encoder: size */
    uint32_t *count; /**< per slot: events of the step, or whether a frame was presented in it */
    uint32_t size, words, slots;
    bool presented; /**< a held frame is there */
    bool fresh;     /**< the held frame has not been through a step yet */
    struct snn_input_counters counters;
};

struct snn_population_state {
    void *membrane;        /**< int16, or int32 for READOUT */
    uint32_t *spikes;      /**< slots x words */
    uint32_t *spike_count; /**< per slot */
    uint8_t *refractory;
    /**
     * The steady current of each neuron, its bias and the currents of all frames held, which is the
     * same in every step: the writable values of `steady_parameter`; null: none
     */
    void *steady;
    struct snn_parameter threshold, leak, steady_parameter;
    /**
     * the synaptic current of each neuron; null: none. Where there is one, held frames arrive at
     * it and `steady` holds their sums alone; `bias`, of several values, reaches the membrane
     */
    int32_t *current;
    struct snn_parameter current_leak, bias;
    int32_t common_bias; /**< a bias of one value that `steady` does not hold */
    uint32_t size, words, slots;
    uint32_t incoming, incoming_count; /**< range of snn.incoming */
    uint32_t active_steps; /**< steps to come in which a neuron may fire without input */
    bool any_membrane, any_current;
    bool driven;         /**< bias or held current: every step is due */
    uint8_t accumulator; /**< enum snn_accumulator */
    uint64_t spikes_out, saturations, skipped;
};

/** The state of one tap of a projection. */
struct snn_projection_state {
    /** the projection with the weights of this tap alone: the model's, or `own` */
    const struct snn_projection *projection;
    /** a copy of the projection that has this tap alone; null: the projection has no other tap */
    struct snn_projection *own;
    uint32_t index; /**< of the projection in the model */
    uint32_t delay;
    bool last; /**< no tap of the projection follows */
    /**
     * an entry for each source row and column: map_axis of layout_taps.c says what it holds for CONV,
     * map_pool for other topologies; null: neither convolution nor pool
     */
    uint32_t *map_y, *map_x;
    struct snn_taps taps; /**< CONV */
    /** CONV: runs from one tap that reaches a target to the next */
    uint32_t run_step_y, run_step_x;
    uint32_t kernel_width, kernel_taps;
    /** CONV: the channels, repeated for every pixel that a word of lanes holds */
    struct snn_lane *lane;
    uint64_t channel_reciprocal, width_reciprocal;
    uint64_t group_reciprocal; /**< CONV: of the source channels of a group */
    struct snn_shape source;   /**< before pooling */
    struct snn_shape pooled;
    uint32_t target_size, target_channels, target_width;
    uint32_t pool; /**< at least 1 */
    struct snn_projection_counters counters;
};

struct snn {
    const struct snn_model *model;
    const struct snn_kernels *kernels;
    struct snn_input_state *inputs;
    struct snn_population_state *populations;
    struct snn_projection_state *taps; /**< of all projections, in order */
    uint32_t tap_count;
    uint16_t *order;    /**< populations in order of evaluation */
    uint16_t *incoming; /**< taps by target, then index */
    void *sum;          /**< the accumulator of the population at work; zero between populations */
    int32_t *value_sum; /**< sums of one projection from values; zero between uses; may be `sum` */
    size_t value_sum_size; /**< entries */
    uint32_t block;        /**< steps that a population may run ahead of those behind it */
    uint32_t seed;         /**< of this sample */
    uint32_t steps;        /**< closed since the reset */
    bool decided;          /**< the exit rule held after the last of them */
    struct snn_event_time time;
    uint64_t weight_bytes;
    snn_trace_function *trace;
    void *trace_context;
};

#endif
