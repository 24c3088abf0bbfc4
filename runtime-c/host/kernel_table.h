/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_KERNEL_TABLE_H
#define SNN_HOST_KERNEL_TABLE_H

#include "snn/snn.h"
#include "neuron.h"

/*
 * Kernels: the loops whose speed depends on the instruction set, and the structs that they work on.
 */

/**
 * Spikes handled per kernel call, a multiple of 32; 128 rows of int8 sum to at most 2^14, inside
 * int16.
 */
enum { SNN_CHUNK = 128 };

/** Hits handled per kernel call. */
enum { SNN_HITS = 64 };

/**
 * A word of spikes that reach the same targets: bit i is the spike of lane `hit.lane` + i. The word
 * is as wide as a register.
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
 * What a lane stands for: a source channel of a convolution. A word of lanes may hold several
 * pixels of a pooled cell, so the lanes repeat the channels once for each of these pixels. A run is
 * the weights of one channel at one kernel tap, `length` of snn_taps entries.
 */
struct snn_lane {
    uint32_t run;      /**< the channel's first run of weights */
    uint32_t synapses; /**< synapses of all runs of the channel */
};

/**
 * Spikes at one place of a convolution's source, or one value, and the grid of taps_y x taps_x
 * kernel taps through which they reach targets.
 */
struct snn_hit {
    uint32_t target; /**< index of the first sum that the first tap reaches */
    uint32_t tap;    /**< the first tap's run of weights, counted from the lane's first run */
    uint32_t lane;
    uint16_t taps_y, taps_x;
    snn_lanes lanes; /**< not 0; 1 for a value */
};

/**
 * What all hits of a projection share. From one tap to the next, weights lie the weight step
 * further on and sums the target step further back.
 */
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

struct snn_kernels {
    void (*add_rows_s16)(int16_t *sum, const struct snn_row_set *set);
    void (*add_rows_s32)(int32_t *sum, const struct snn_row_set *set);
    /**
     * Adds the weights of spikes to the sums. Returns the number of their synapses as if every hit
     * reached targets through the whole kernel; the caller subtracts what hits at edges miss.
     */
    uint64_t (*add_taps_s16)(int16_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                             uint32_t count);
    uint64_t (*add_taps_s32)(int32_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                             uint32_t count);
    /** sum += values[i] * row rows[i], where |values[i]| <= 2^15 * k^2 behind a pool of k x k. */
    void (*mac_rows)(int32_t *sum, const struct snn_row_set *set, const int32_t *values);
    void (*mac_taps)(int32_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                     const int32_t *values, uint32_t count);
    void (*leak)(int16_t *membrane, const struct snn_parameter *leak, uint32_t count);
    void (*lif)(struct snn_lif_pass *pass);
    /**
     * Writes the indices of the set bits from word `*word` on, word by word, as long as `indices`
     * surely holds those of another word. Moves `*word` on and returns the number of indices; 0: no
     * word is left.
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

#endif
