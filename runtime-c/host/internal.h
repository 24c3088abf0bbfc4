/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_INTERNAL_H
#define SNN_INTERNAL_H

#include "snn/snn.h"

/* Limits of FORMAT.md that size arrays here. */
enum { SNN_MAX_INPUTS = 16, SNN_MAX_POPULATIONS = 256, SNN_MAX_PROJECTIONS = 1024 };

/**
 * Spikes handled per kernel call, a multiple of 32; 128 rows of int8 sum to at most 2^14, inside
 * int16.
 */
enum { SNN_CHUNK = 128 };

/** Hits handled per kernel call. */
enum { SNN_HITS = 64 };

/** In a map of source coordinates: this row or column lies outside every full pooling window. */
#define SNN_OUTSIDE UINT32_MAX

/* ---- Kernels: everything whose speed depends on the instruction set ---- */

/**
 * Spikes that reach the same targets: bit i stands for lane `hit.lane` + i. As wide as a register.
 */
#ifndef SNN_LANE_BITS
#if UINTPTR_MAX > UINT32_MAX
#define SNN_LANE_BITS 64
#else
#define SNN_LANE_BITS 32
#endif
#endif
#if SNN_LANE_BITS == 64
typedef uint64_t snn_lanes;
#else
typedef uint32_t snn_lanes;
#endif

/**
 * A source channel of a convolution. Lanes repeat the channels, once per pixel that a word of lanes
 * holds.
 */
struct snn_lane {
    uint32_t run;      /**< the channel's first run of weights */
    uint32_t synapses; /**< synapses of all runs of the channel */
};

/** Spikes at one place of a convolution, or one value: a grid of taps_y x taps_x kernel taps. */
struct snn_hit {
    uint32_t target; /**< index of the first tap's first sum */
    uint32_t tap;    /**< the first tap's run of weights, counted from the lane's first run */
    uint32_t lane;
    uint16_t taps_y, taps_x;
    snn_lanes lanes; /**< not 0; 1 for a value */
};

/** What all hits of a projection share. From tap to tap weights go forward and targets go back. */
struct snn_taps {
    const int8_t *weights;
    const struct snn_lane *lane;
    uint32_t length; /**< entries of a tap: C_out / groups */
    uint32_t shift;
    uint16_t factor; /**< 2^shift: as a plain number, compilers multiply 16-bit lanes by it */
    uint32_t weight_step_y, weight_step_x, target_step_y, target_step_x;
};

/** Rows of a dense projection to add. */
struct snn_row_set {
    const int8_t *weights;
    uint32_t columns, shift, count; /**< count <= SNN_CHUNK */
    const uint32_t *rows;
    uint16_t factor; /**< 2^shift */
};

/** An array parameter of a population: entry i mod period; period 1, or N, or a multiple of 32. */
struct snn_parameter {
    const void *values;
    uint32_t period;
};

/** One step of a LIF population over its neurons. */
struct snn_lif_pass {
    int16_t *membrane;
    void *sum; /**< int16 or int32 accumulator, left all zero; unused when DIRECT */
    uint8_t *refractory; /**< steps left; null: the population has none */
    uint32_t *spikes;    /**< (count + 31) / 32 words */
    struct snn_parameter threshold; /**< int16 */
    struct snn_parameter leak;      /**< uint16; null: no leak in this pass */
    /** int32 for S32, else int16; bias plus held current; null: none */
    struct snn_parameter offset;
    int32_t common;                 /**< added to every neuron */
    uint32_t count;
    int16_t floor, ceiling, reset_value;
    uint8_t accumulator, reset, compare, refractory_steps;
    /* What the pass finds. */
    uint32_t spike_count, saturations;
    bool any_membrane; /**< some membrane is not 0 afterwards */
};

struct snn_kernels {
    void (*add_rows_s16)(int16_t *sum, const struct snn_row_set *set);
    void (*add_rows_s32)(int32_t *sum, const struct snn_row_set *set);
    /** Adds spikes; returns their synapses as if each hit had the whole kernel. */
    uint64_t (*add_taps_s16)(int16_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                             uint32_t count);
    uint64_t (*add_taps_s32)(int32_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                             uint32_t count);
    /** sum += values[i] * row rows[i]; |values[i]| <= 2^15 * k^2, k^2 of the pool. */
    void (*mac_rows)(int32_t *sum, const struct snn_row_set *set, const int32_t *values);
    void (*mac_taps)(int32_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                     const int32_t *values, uint32_t count);
    void (*leak)(int16_t *membrane, const struct snn_parameter *leak, uint32_t count);
    void (*lif)(struct snn_lif_pass *pass);
    /**
     * Indices of the set bits from word *word on, as whole words, until SNN_CHUNK may not hold
     * another; 0 at the end.
     */
    uint32_t (*find_spikes)(const uint32_t *bits, uint32_t words, uint32_t *word,
                            uint32_t indices[SNN_CHUNK]);
};

extern const struct snn_kernels snn_kernels_portable;
#if SNN_X86_KERNELS
extern const struct snn_kernels snn_kernels_avx2;
extern const struct snn_kernels snn_kernels_avx512;
#endif

/** The fastest kernels of this processor. */
const struct snn_kernels *snn_best_kernels(void);

/**
 * Neurons first ... count - 1 of a pass, in portable C; `first` is a multiple of 32. Adds to the
 * findings.
 */
void snn_lif_from(struct snn_lif_pass *pass, uint32_t first);

/**
 * All whole words of 32 neurons of a pass without leak and refractory steps, in portable C. Adds to
 * the findings.
 */
void snn_lif_words(struct snn_lif_pass *pass);

/* ---- State ---- */

struct snn_input_state {
    uint32_t *bits;   /**< ONCE: the open step's events */
    uint32_t *list;   /**< EVERY: the open step's events in order of arrival */
    int16_t *frame;   /**< VALUES */
    uint32_t size, words, pending; /**< pending: events of the open step */
    bool presented;   /**< VALUES: there is a frame */
    bool fresh;       /**< VALUES: it has not been through a step */
    struct snn_input_counters counters;
};

struct snn_population_state {
    void *membrane;          /**< int16, or int32 for READOUT */
    uint32_t *spikes;        /**< slots x words */
    uint32_t *spike_count;   /**< per slot */
    uint8_t *refractory;
    void *offset;            /**< the writable values of `offset_parameter`; null: none */
    struct snn_parameter threshold, leak, offset_parameter;
    int32_t common_bias;     /**< a bias of one value that no offset holds */
    uint32_t size, words;
    uint32_t incoming, incoming_count; /**< range of snn.incoming */
    uint32_t active_steps;   /**< steps to come in which a neuron may fire without input */
    bool any_membrane;
    bool driven;             /**< bias or held current: every step is due */
    uint8_t accumulator;     /**< enum snn_accumulator */
    uint64_t spikes_out, saturations, skipped;
};

struct snn_projection_state {
    /** source row, column -> where it goes (see snn_map_axis); null: identity */
    uint32_t *map_y, *map_x;
    struct snn_taps taps;    /**< CONV */
    uint32_t run_step_y, run_step_x; /**< CONV: runs from tap to tap */
    uint32_t kernel_width, kernel_taps;
    /** CONV: the channels, repeated for every pixel that a word of lanes holds */
    struct snn_lane *lane;
    uint64_t channel_reciprocal, width_reciprocal;
    uint64_t group_reciprocal; /**< CONV: of the source channels of a group */
    struct snn_shape source;      /**< before pooling */
    struct snn_shape pooled;
    uint32_t target_size, target_channels, target_width;
    uint32_t pool;                /**< at least 1 */
    struct snn_projection_counters counters;
};

struct snn {
    const struct snn_model *model;
    const struct snn_kernels *kernels;
    struct snn_input_state *inputs;
    struct snn_population_state *populations;
    struct snn_projection_state *projections;
    uint16_t *order;    /**< populations in order of evaluation */
    uint16_t *incoming; /**< projections by target, then index */
    void *sum;          /**< the accumulator of the population at work; zero between populations */
    int32_t *value_sum; /**< sums of one projection from values; zero between uses; may be `sum` */
    size_t value_sum_size; /**< entries */
    uint32_t slots;     /**< spike maps kept per population */
    uint32_t slot;      /**< of the last closed step */
    uint32_t steps;     /**< closed since the reset */
    bool layer_major;   /**< populations may run ahead of each other */
    bool started;       /**< t0 is known */
    uint32_t timed_steps; /**< of this sample, for events with time */
    uint64_t start; /**< t0 */
    uint64_t weight_bytes;
    snn_trace_function *trace;
    void *trace_context;
};

/* ---- Checks (validate.c, weights.c, bounds.c) ---- */

/** What snn_check learns beyond yes or no. */
struct snn_plan {
    uint16_t order[SNN_MAX_POPULATIONS];
    uint8_t accumulator[SNN_MAX_POPULATIONS];
};

enum snn_status snn_plan_model(const struct snn_model *model, struct snn_plan *plan,
                               struct snn_fault *fault);
enum snn_status snn_check_weights(const struct snn_projection *projection, uint32_t index,
                                  struct snn_fault *fault);
enum snn_status snn_check_bounds(const struct snn_model *model, struct snn_plan *plan,
                                 struct snn_fault *fault);

/** Fills `fault` where there is one; returns fault.status. */
enum snn_status snn_refuse(struct snn_fault *to, struct snn_fault fault);

/** The source shape of a projection, before and after its sum-pool. */
struct snn_shape snn_source_shape(const struct snn_model *model,
                                  const struct snn_projection *projection);
struct snn_shape snn_pooled_shape(const struct snn_model *model,
                                  const struct snn_projection *projection);

/** Whether the source presents integers rather than spikes; `held`: constant over the sample. */
bool snn_is_from_values(const struct snn_model *model, const struct snn_projection *projection);
bool snn_is_held(const struct snn_model *model, const struct snn_projection *projection);

/* ---- Layout (layout.c) ---- */

/**
 * Places every array from `base` on and returns the bytes used; with a null base it only counts.
 */
size_t snn_lay_out(const struct snn_model *model, const struct snn_plan *plan, uint8_t *base);

/* ---- Sources: spikes of one step, as a bitmap or a list ---- */

struct snn_source {
    const uint32_t *bits; /**< null: a list */
    const uint32_t *list;
    uint32_t words, count; /**< count of spikes */
};

/** A place in a source. */
struct snn_cursor {
    const struct snn_source *source;
    const struct snn_kernels *kernels;
    uint32_t position;
};

void snn_cursor_begin(struct snn_cursor *cursor, const struct snn_source *source,
                      const struct snn_kernels *kernels);
/** Up to SNN_CHUNK further spikes into `indices`; 0 at the end. */
uint32_t snn_cursor_next(struct snn_cursor *cursor, uint32_t indices[SNN_CHUNK]);

/* ---- Synapses: each adds to `sum`, int32 when `wide` and int16 otherwise, and counts ---- */

/** One delivery of a projection in one step. */
struct snn_delivery {
    struct snn *snn;
    const struct snn_projection *projection;
    struct snn_projection_state *state;
    void *sum;       /**< spikes: the accumulator or the membranes; values: snn->value_sum */
    bool wide;
    bool counted;    /**< values: count macs */
    int32_t common;  /**< out: to be added to every target */
    uint32_t arrived; /**< out: spikes inside the windows */
};

void snn_deliver_spikes(struct snn_delivery *delivery, const struct snn_source *source);
void snn_deliver_values(struct snn_delivery *delivery, const int16_t *frame);

void snn_dense_spikes(struct snn_delivery *delivery, const struct snn_source *source);
void snn_dense_values(struct snn_delivery *delivery, const int16_t *frame);
void snn_conv_spikes(struct snn_delivery *delivery, const struct snn_source *source);
void snn_conv_values(struct snn_delivery *delivery, const int16_t *frame);
void snn_one_to_one_spikes(struct snn_delivery *delivery, const struct snn_source *source);
void snn_one_to_one_values(struct snn_delivery *delivery, const int16_t *frame);
void snn_lateral_spikes(struct snn_delivery *delivery, const struct snn_source *source);
void snn_lateral_values(struct snn_delivery *delivery, const int16_t *frame);

/** Adds weight * factor of `count` sparse entries from `first` on to sum[base + column]. */
void snn_sparse_add(struct snn_delivery *delivery, uint32_t base, uint32_t first, uint32_t last,
                    int32_t factor);

/** Adds a value to one entry of the delivery's sum. */
void snn_sum_add(struct snn_delivery *delivery, uint32_t index, int32_t value);

/**
 * Pooled linear index of a source index through the maps; SNN_OUTSIDE when outside every window.
 */
uint32_t snn_pooled_index(const struct snn_projection_state *state, uint32_t index);

/** Sum of the values that fall into one pooled cell. */
int32_t snn_pooled_value(const struct snn_projection_state *state, const int16_t *frame,
                         uint32_t channel, uint32_t y, uint32_t x);

/* ---- Input (input.c) ---- */

/** Turns newly held frames into the offsets of the populations they reach. */
void snn_begin_step(struct snn *snn);
/** Forgets the events and frames of the step just closed. */
void snn_end_step(struct snn *snn);
/** Offsets of one population anew: its bias and the currents of all frames held. */
void snn_set_offset(struct snn *snn, uint32_t population);
/**
 * Adds the scaled sums that a delivery of values left in snn->value_sum to `sum`, and clears them.
 */
void snn_add_value_sums(struct snn *snn, const struct snn_delivery *delivery, void *sum, bool wide);

/* ---- Neurons (neuron.c) ---- */

/** One step of a READOUT: leak before the sums arrive, offsets after. */
void snn_readout_leak(struct snn_population_state *state);
void snn_readout_offset(struct snn_population_state *state, int32_t common);

#endif
