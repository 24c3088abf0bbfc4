/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/fixed_point.h"
#include "kernel_table.h"
#include "lanes.h"

/*
 * The kernels in portable C. Inner loops are contiguous, free of branches and in unsigned
 * arithmetic of the width they store, so that compilers turn them into vectors where there are any.
 * Four runs of weights are added at a time: their sum, at most 512, is scaled and stored once.
 */

/**
 * Marks functions that are called with constants: they are inlined even where the compiler would
 * not do so, except in builds for small size.
 */
#if (defined(__GNUC__) || defined(__clang__)) && !defined(__OPTIMIZE_SIZE__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#else
#define ALWAYS_INLINE static inline
#endif

/** sum[j] += (a[j] + b[j] + c[j] + d[j]) * factor modulo 2^16; sums are int16 of the same bits. */
ALWAYS_INLINE void add_four_s16(uint16_t *restrict sum, const int8_t *restrict weights,
                                const uint32_t offsets[4], uint32_t length, uint32_t factor)
{
    const int8_t *restrict a = weights + offsets[0];
    const int8_t *restrict b = weights + offsets[1];
    const int8_t *restrict c = weights + offsets[2];
    const int8_t *restrict d = weights + offsets[3];
    for (uint32_t j = 0; j < length; j++) {
        const uint16_t first = (uint16_t)((uint16_t)a[j] + (uint16_t)b[j]);
        const uint16_t second = (uint16_t)((uint16_t)c[j] + (uint16_t)d[j]);
        const uint16_t total = (uint16_t)(first + second);
        sum[j] = (uint16_t)(sum[j] + (uint16_t)(total * factor));
    }
}

ALWAYS_INLINE void add_one_s16(uint16_t *restrict sum, const int8_t *restrict weights,
                               uint32_t length, uint32_t factor)
{
    for (uint32_t j = 0; j < length; j++) {
        sum[j] = (uint16_t)(sum[j] + (uint16_t)((uint16_t)weights[j] * factor));
    }
}

/**
 * Adds `count` runs of weights to one run of sums. With constant length or factor the compiler
 * simplifies.
 */
ALWAYS_INLINE void add_runs_s16(uint16_t *sum, const int8_t *weights, const uint32_t *offsets,
                                uint32_t count, uint32_t length, uint32_t factor)
{
    uint32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        add_four_s16(sum, weights, offsets + i, length, factor);
    }
    for (; i < count; i++) {
        add_one_s16(sum, weights + offsets[i], length, factor);
    }
}

/** As add_runs_s16 modulo 2^32; runs are summed in 16 bits, four at a time. */
static inline void add_runs_s32(uint32_t *restrict sum, const int8_t *restrict weights,
                                const uint32_t *offsets, uint32_t count, uint32_t length,
                                uint32_t shift)
{
    uint32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const int8_t *restrict a = weights + offsets[i];
        const int8_t *restrict b = weights + offsets[i + 1];
        const int8_t *restrict c = weights + offsets[i + 2];
        const int8_t *restrict d = weights + offsets[i + 3];
        for (uint32_t j = 0; j < length; j++) {
            const int16_t first = (int16_t)(a[j] + b[j]);
            const int16_t second = (int16_t)(c[j] + d[j]);
            sum[j] += (uint32_t)(int16_t)(first + second) << shift;
        }
    }
    for (; i < count; i++) {
        const int8_t *restrict run = weights + offsets[i];
        for (uint32_t j = 0; j < length; j++) {
            sum[j] += (uint32_t)run[j] << shift;
        }
    }
}

static inline void mac_run(int32_t *restrict sum, const int8_t *restrict weights, uint32_t length,
                           int32_t value)
{
    /* Sums of values stay below 2^24 (FORMAT.md, section 5), and so does every part of them. */
    if (value == (int16_t)value) {
        const int16_t narrow = (int16_t)value;
        for (uint32_t j = 0; j < length; j++) {
            sum[j] += narrow * (int16_t)weights[j];
        }
        return;
    }
    for (uint32_t j = 0; j < length; j++) {
        sum[j] += value * weights[j];
    }
}

/* ---- Rows ---- */

/**
 * Writes where each row of the set begins, counted from the first weight: below 2^26, the limit on
 * stored weights.
 */
static void find_rows(const struct snn_row_set *set, uint32_t offsets[SNN_CHUNK])
{
    for (uint32_t i = 0; i < set->count; i++) {
        offsets[i] = set->rows[i] * set->columns;
    }
}

static void add_rows_s16(int16_t *sum, const struct snn_row_set *set)
{
    uint32_t offsets[SNN_CHUNK];
    find_rows(set, offsets);
    add_runs_s16((uint16_t *)sum, set->weights, offsets, set->count, set->columns, set->factor);
}

static void add_rows_s32(int32_t *sum, const struct snn_row_set *set)
{
    uint32_t offsets[SNN_CHUNK];
    find_rows(set, offsets);
    add_runs_s32((uint32_t *)sum, set->weights, offsets, set->count, set->columns, set->shift);
}

static void mac_rows(int32_t *sum, const struct snn_row_set *set, const int32_t *values)
{
    for (uint32_t i = 0; i < set->count; i++) {
        mac_run(sum, set->weights + (size_t)set->rows[i] * set->columns, set->columns, values[i]);
    }
}

/* ---- Taps ---- */

/**
 * Adds all taps of the hits, `block` channels at a time: a constant, which the compiler unrolls, or
 * the number of all channels.
 */
ALWAYS_INLINE uint64_t scatter_s16(uint16_t *sum, const struct snn_taps *taps,
                                   const struct snn_hit *hits, uint32_t count, uint32_t block)
{
    const uint32_t factor = taps->factor;
    const uint32_t length = taps->length;
    uint32_t offsets[SNN_LANE_BITS];
    uint64_t synapses = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t lanes = snn_expand(taps, &hits[i], offsets, &synapses);
        for (uint32_t a = 0; a < hits[i].taps_y; a++) {
            const int8_t *weights = taps->weights + a * taps->weight_step_y;
            for (uint32_t b = 0; b < hits[i].taps_x; b++) {
                uint16_t *to =
                    sum + (hits[i].target - a * taps->target_step_y - b * taps->target_step_x);
                for (uint32_t j = 0; j < length; j += block) {
                    add_runs_s16(to + j, weights + j, offsets, lanes, block, factor);
                }
                weights += taps->weight_step_x;
            }
        }
    }
    return synapses;
}

static uint64_t add_taps_s16(int16_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                             uint32_t count)
{
#ifndef __OPTIMIZE_SIZE__
    if (taps->length % 32 == 0) {
        return scatter_s16((uint16_t *)sum, taps, hits, count, 32);
    }
#endif
    return scatter_s16((uint16_t *)sum, taps, hits, count, taps->length);
}

static uint64_t add_taps_s32(int32_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                             uint32_t count)
{
    uint32_t offsets[SNN_LANE_BITS];
    uint64_t synapses = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t lanes = snn_expand(taps, &hits[i], offsets, &synapses);
        for (uint32_t a = 0; a < hits[i].taps_y; a++) {
            for (uint32_t b = 0; b < hits[i].taps_x; b++) {
                int32_t *to =
                    sum + (hits[i].target - a * taps->target_step_y - b * taps->target_step_x);
                add_runs_s32((uint32_t *)to,
                             taps->weights + a * taps->weight_step_y + b * taps->weight_step_x,
                             offsets, lanes, taps->length, taps->shift);
            }
        }
    }
    return synapses;
}

static void mac_taps(int32_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                     const int32_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t a = 0; a < hits[i].taps_y; a++) {
            for (uint32_t b = 0; b < hits[i].taps_x; b++) {
                mac_run(sum + (hits[i].target - a * taps->target_step_y - b * taps->target_step_x),
                        snn_hit_weights(taps, &hits[i]) + a * taps->weight_step_y +
                            b * taps->weight_step_x,
                        taps->length, values[i]);
            }
        }
    }
}

/**
 * snn_leak_s16 in 16-bit lanes. Magnitude and leak are at most 2^15 each, so their product has 31
 * bits at most. Its bits 15 to 30 are the result; they come from both 16-bit halves of the product.
 */
static inline void leak_run(int16_t *restrict membrane, const uint16_t *restrict leaks,
                            uint32_t count)
{
    for (uint32_t j = 0; j < count; j++) {
        const int16_t v = membrane[j];
        const uint16_t sign = v < 0 ? UINT16_MAX : 0;
        const uint16_t magnitude = (uint16_t)(((uint16_t)v ^ sign) - sign);
        const uint32_t product = (uint32_t)magnitude * leaks[j];
        const uint16_t high = (uint16_t)(product >> 16);
        const uint16_t low = (uint16_t)product;
        const uint16_t kept = (uint16_t)((uint16_t)(high << 1) | (uint16_t)(low >> 15));
        ((uint16_t *)membrane)[j] = (uint16_t)((kept ^ sign) - sign);
    }
}

static void leak(int16_t *membrane, const struct snn_parameter *parameter, uint32_t count)
{
    const uint16_t *leaks = parameter->values;
    uint16_t filled[32];
    uint32_t l = 0;
    for (uint32_t j = 0; j < 32; j++) {
        filled[j] = leaks[0];
    }
    uint32_t i = 0;
    for (; i + 32 <= count; i += 32) {
        leak_run(membrane + i, parameter->period == 1 ? filled : leaks + l, 32);
        l = l + 32 < parameter->period ? l + 32 : 0;
    }
    leak_run(membrane + i, parameter->period == 1 ? filled : leaks + l, count - i);
}

static void lif(struct snn_lif_pass *pass)
{
    uint32_t done = 0;
    if (pass->refractory == NULL) {
        done = pass->count - pass->count % 32;
        if (pass->leak.values != NULL) {
            leak(pass->membrane, &pass->leak, done);
        }
        snn_lif_words(pass);
    }
    snn_lif_from(pass, done);
}

static uint32_t find_spikes(const uint32_t *bits, uint32_t words, uint32_t *word,
                            uint32_t indices[SNN_CHUNK])
{
    uint32_t count = 0;
    uint32_t at = *word;
    while (at < words && count <= SNN_CHUNK - 32) {
        for (uint32_t left = bits[at]; left != 0; left &= left - 1) {
            indices[count++] = at * 32 + snn_lowest_bit(left);
        }
        at++;
    }
    *word = at;
    return count;
}

const struct snn_kernels snn_kernels_portable = {add_rows_s16, add_rows_s32, add_taps_s16,
                                                 add_taps_s32, mac_rows,     mac_taps,
                                                 leak,         lif,          find_spikes};
