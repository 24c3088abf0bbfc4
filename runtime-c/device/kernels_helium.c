/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_HELIUM

#include <arm_mve.h>
#include <stdbool.h>

/*
 * Vectors of eight columns or lanes of 16 bits; sums of four-bit rows gather in sixteen lanes of 8 bits first. Rows are read in
 * the order in which they lie, and the sums in memory are gathered and scattered in the same order, once for all rows.
 */

/** Rows that four-bit columns in lanes of 8 bits can take: 16 * 15 < 256. */
enum { FIELD_ROWS = 16 };

#define RARELY(condition) __builtin_expect(condition, 0)

static inline const uint8_t *row_at(const uint8_t *weights, uint32_t row, uint32_t row_bytes)
{
    return weights + row * row_bytes;
}

/** Adds eight columns to their sums. `order`: the columns' order in a row. */
static inline void add_eight(uint32_t *sums, uint16x8_t columns, uint16x8_t order, uint32_t shift)
{
    uint16_t *sum = (uint16_t *)(void *)sums;
    const uint16x8_t before = vldrhq_gather_shifted_offset_u16(sum, order);
    vstrhq_scatter_shifted_offset_u16(sum, order, vaddq_u16(before, vshlq_r_u16(columns, (int32_t)shift)));
}

/* A row of 32 columns takes 11 instructions, of 8 columns 5; every eight columns 6 more. */
void snn_add_rows_8(uint32_t *sums, const struct snn_row_set *set)
{
    static const uint16_t order_of[8] = {0, 2, 1, 3, 4, 6, 5, 7};
    const uint16x8_t order = vldrhq_u16(order_of);
    const uint32_t row_bytes = set->row_bytes, shift = set->shift, count = set->count;
    const uint16x8_t start = vdupq_n_u16((uint16_t)(0u - 128 * count));
    const uint8_t *weights = set->weights;
    uint32_t columns = set->columns;
    for (; columns >= 32; columns -= 32) {
        uint16x8_t a = start, b = start, c = start, d = start;
        const uint16_t *row = set->rows;
        for (uint32_t left = count; left != 0; left--) {
            const uint8_t *from = row_at(weights, *row++, row_bytes);
            a = vaddq_u16(a, vldrbq_u16(from));
            b = vaddq_u16(b, vldrbq_u16(from + 8));
            c = vaddq_u16(c, vldrbq_u16(from + 16));
            d = vaddq_u16(d, vldrbq_u16(from + 24));
        }
        add_eight(sums, a, order, shift);
        add_eight(sums + 4, b, order, shift);
        add_eight(sums + 8, c, order, shift);
        add_eight(sums + 12, d, order, shift);
        sums += 16;
        weights += 32;
    }
    for (; columns != 0; columns -= 8) {
        uint16x8_t a = start;
        const uint16_t *row = set->rows;
        for (uint32_t left = count; left != 0; left--) {
            a = vaddq_u16(a, vldrbq_u16(row_at(weights, *row++, row_bytes)));
        }
        add_eight(sums, a, order, shift);
        sums += 4;
        weights += 8;
    }
}

/** Adds to one word of sums of every eight columns: the first words that `some` says, or all four. */
static inline void add_words(uint32_t *sums, uint16x8_t columns, uint16_t excess, uint32_t shift, mve_pred16_t some, bool all)
{
    static const uint32_t place_of[4] = {0, 4, 8, 12};
    const uint32x4_t place = vldrwq_u32(place_of);
    const uint16x8_t sum = vshlq_r_u16(vsubq_n_u16(columns, excess), (int32_t)shift);
    if (all) {
        const uint16x8_t before = vreinterpretq_u16_u32(vldrwq_gather_shifted_offset_u32(sums, place));
        vstrwq_scatter_shifted_offset_u32(sums, place, vreinterpretq_u32_u16(vaddq_u16(before, sum)));
    } else {
        const uint16x8_t before = vreinterpretq_u16_u32(vldrwq_gather_shifted_offset_z_u32(sums, place, some));
        vstrwq_scatter_shifted_offset_p_u32(sums, place, vreinterpretq_u32_u16(vaddq_u16(before, sum)), some);
    }
}

/*
 * A byte holds one column in its low half and one in its high half. Sums of whole bytes, modulo 2^8, less 16 times the sums of
 * the high halves are those of the low halves. A row of 32 columns takes 7 instructions, 8 where they are fewer.
 */
static inline void add_rows_32(uint32_t *sums, const uint8_t *weights, const uint16_t *row, uint32_t count, uint32_t columns,
                               const struct snn_row_set *set, bool whole)
{
    const uint32_t row_bytes = set->row_bytes, shift = set->shift;
    const mve_pred16_t bytes = vctp8q(columns / 2), words = vctp32q(columns / 8);
    const uint16_t excess = (uint16_t)(8 * count);
    uint8x16_t both = vdupq_n_u8(0), high = both;
    for (; count != 0; count--) {
        const uint8_t *from = row_at(weights, *row++, row_bytes);
        const uint8x16_t pairs = whole ? vldrbq_u8(from) : vldrbq_z_u8(from, bytes);
        both = vaddq_u8(both, pairs);
        high = vaddq_u8(high, vshrq_n_u8(pairs, 4));
    }
    both = vsubq_u8(both, vshlq_n_u8(high, 4));
    add_words(sums, vmovlbq_u8(both), excess, shift, words, whole);
    add_words(sums + 1, vmovltq_u8(both), excess, shift, words, whole);
    add_words(sums + 2, vmovlbq_u8(high), excess, shift, words, whole);
    add_words(sums + 3, vmovltq_u8(high), excess, shift, words, whole);
}

void snn_add_rows_4(uint32_t *sums, const struct snn_row_set *set)
{
    for (uint32_t first = 0; first < set->count; first += FIELD_ROWS) {
        const uint32_t count = set->count - first < FIELD_ROWS ? set->count - first : FIELD_ROWS;
        const uint16_t *rows = set->rows + first;
        const uint8_t *weights = set->weights;
        uint32_t *sum = sums;
        uint32_t columns = set->columns;
        for (; columns >= 32; columns -= 32) {
            add_rows_32(sum, weights, rows, count, 32, set, true);
            sum += 16;
            weights += 16;
        }
        if (columns != 0) add_rows_32(sum, weights, rows, count, columns, set, false);
    }
}

/** Adds four columns, which lie in the order 0 2 1 3. */
static inline void add_four(int32_t *sums, int32x4_t columns, uint32x4_t order)
{
    vstrwq_scatter_shifted_offset_s32(sums, order, vaddq_s32(columns, vldrwq_gather_shifted_offset_s32(sums, order)));
}

/* A row of 24 columns takes 16 instructions, of 8 columns 8. */
void snn_mac_rows_8(int32_t *sums, const struct snn_row_set *set, const int16_t *values)
{
    static const uint32_t order_of[4] = {0, 2, 1, 3};
    const uint32x4_t order = vldrwq_u32(order_of);
    const uint32_t row_bytes = set->row_bytes, count = set->count;
    const uint8_t *weights = set->weights;
    uint32_t columns = set->columns;
    int32_t total = 0;
    for (uint32_t i = 0; i < count; i++) total += values[i];
    const int32x4_t start = vdupq_n_s32(-128 * total);
    for (; columns >= 24; columns -= 24) {
        int32x4_t a = start, b = start, c = start, d = start, e = start, f = start;
        const uint16_t *row = set->rows;
        const int16_t *value = values;
        for (uint32_t left = count; left != 0; left--) {
            const uint8_t *from = row_at(weights, *row++, row_bytes);
            const int32_t factor = *value++;
            a = vmlaq_n_s32(a, vreinterpretq_s32_u32(vldrbq_u32(from)), factor);
            b = vmlaq_n_s32(b, vreinterpretq_s32_u32(vldrbq_u32(from + 4)), factor);
            c = vmlaq_n_s32(c, vreinterpretq_s32_u32(vldrbq_u32(from + 8)), factor);
            d = vmlaq_n_s32(d, vreinterpretq_s32_u32(vldrbq_u32(from + 12)), factor);
            e = vmlaq_n_s32(e, vreinterpretq_s32_u32(vldrbq_u32(from + 16)), factor);
            f = vmlaq_n_s32(f, vreinterpretq_s32_u32(vldrbq_u32(from + 20)), factor);
        }
        add_four(sums, a, order);
        add_four(sums + 4, b, order);
        add_four(sums + 8, c, order);
        add_four(sums + 12, d, order);
        add_four(sums + 16, e, order);
        add_four(sums + 20, f, order);
        sums += 24;
        weights += 24;
    }
    for (; columns != 0; columns -= 8) {
        int32x4_t a = start, b = start;
        const uint16_t *row = set->rows;
        const int16_t *value = values;
        for (uint32_t left = count; left != 0; left--) {
            const uint8_t *from = row_at(weights, *row++, row_bytes);
            const int32_t factor = *value++;
            a = vmlaq_n_s32(a, vreinterpretq_s32_u32(vldrbq_u32(from)), factor);
            b = vmlaq_n_s32(b, vreinterpretq_s32_u32(vldrbq_u32(from + 4)), factor);
        }
        add_four(sums, a, order);
        add_four(sums + 4, b, order);
        sums += 8;
        weights += 8;
    }
}

/** What the lanes of a vector do before they take a sum. */
enum leaks { NONE, ALL, SOME };

/* Assembler because gcc 12 moves every predicate to a register and back, where one instruction tests and predicates. */

/**
 * The membranes after their leak. A magnitude times 2 * leak has the leaky magnitude in its high half; leak 2^15 does not fit.
 * Negative membranes get their sign back.
 */
static inline int16x8_t leaked(int16x8_t v, int16x8_t factor)
{
    int16x8_t result;
    __asm__("vabs.s16 %q0, %q1\n\t"
            "vmulh.u16 %q0, %q0, %q2\n\t"
            "vpt.s16 lt, %q1, zr\n\t"
            "vnegt.s16 %q0, %q0"
            : "=&w"(result)
            : "w"(v), "w"(factor)
            : "p0");
    return result;
}

/** Takes `less` off the membranes that reach their threshold; yields the sum of their bits. */
static inline uint32_t fire(int16x8_t *v, int16x8_t threshold, int16x8_t less, uint16x8_t bits)
{
    uint32_t spikes;
    __asm__("vptt.s16 ge, %q0, %q2\n\t"
            "vsubt.i16 %q0, %q0, %q3\n\t"
            "vaddvt.u16 %1, %q4"
            : "+w"(*v), "=Te"(spikes)
            : "w"(threshold), "w"(less), "w"(bits)
            : "p0");
    return spikes;
}

/** Eight lanes at work. */
struct group {
    int16_t *membrane;
    const int16_t *threshold, *sums;
    uint8_t *spikes;
};

/* A step of eight lanes takes 13 instructions with leak, 9 without, and 2 more where some leak; sums are there for eight. */
static inline void run_group(const struct snn_lif *lif, const struct group *group, int16x8_t v, int16x8_t threshold,
                             uint16x8_t bits, int16x8_t factor, enum leaks leaks, mve_pred16_t leaky, int16x8_t *out)
{
    const uint32_t sum_step = 2 * lif->sum_step, spike_step = 4 * lif->spike_words;
    const int16x8_t less = vsubq_n_s16(threshold, (int16_t)lif->greater);
    const int16_t *sum = group->sums;
    uint8_t *spikes = group->spikes;
    uint32_t left = lif->steps;
    do {
        if (leaks == ALL) v = leaked(v, factor);
        if (leaks == SOME) v = vpselq_s16(leaked(v, factor), v, leaky);
        v = vaddq_s16(v, vldrhq_s16(sum));
        *spikes = (uint8_t)fire(&v, threshold, less, bits);
        sum += sum_step;
        spikes += spike_step;
    } while (--left != 0);
    *out = v;
}

/*
 * Fewer than eight lanes, or some that do not leak. The high half of a decay is leak - 2^15; twice that is 2 * leak modulo 2^16.
 */
static void run_some(const struct snn_lif *lif, const struct group *group, const int16_t *decay, uint16x8_t bits,
                     uint16x8_t high, mve_pred16_t some)
{
    const int16x8_t less = decay == 0 ? vdupq_n_s16(0) : vldrhq_gather_shifted_offset_z_s16(decay, high, some);
    const int16x8_t threshold = vldrhq_z_s16(group->threshold, some);
    int16x8_t v = vldrhq_z_s16(group->membrane, some);
    bits = vpselq_u16(bits, vdupq_n_u16(0), some);
    run_group(lif, group, v, threshold, bits, vshlq_n_s16(less, 1), SOME, vcmpneq_n_s16(less, 0), &v);
    vstrhq_p_s16(group->membrane, v, some);
}

/* Eight lanes take 20 instructions besides their steps. */
void snn_lif_steps(const struct snn_lif *lif)
{
    static const uint16_t high_of[8] = {1, 3, 5, 7, 9, 11, 13, 15}, bit_of[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    const uint16x8_t high = vldrhq_u16(high_of), bits = vldrhq_u16(bit_of);
    const uint32_t words = lif->steps * lif->spike_words;
    struct group group = {lif->membrane, lif->threshold, (const int16_t *)(const void *)lif->sums,
                          (uint8_t *)(void *)lif->spikes};
    const int16_t *decay = (const int16_t *)(const void *)lif->decay;
    for (uint32_t i = 0; i < words; i++) lif->spikes[i] = 0;
    uint32_t lanes = lif->lanes;
    for (; lanes >= 8; lanes -= 8) {
        const int16x8_t v = vldrhq_s16(group.membrane), threshold = vldrhq_s16(group.threshold);
        int16x8_t after;
        if (decay == 0) {
            run_group(lif, &group, v, threshold, bits, v, NONE, 0, &after);
            vstrhq_s16(group.membrane, after);
        } else {
            const int16x8_t less = vldrhq_gather_shifted_offset_s16(decay, high);
            if (RARELY(vcmpeqq_n_s16(less, 0) != 0)) {
                run_some(lif, &group, decay, bits, high, vctp16q(8));
            } else {
                run_group(lif, &group, v, threshold, bits, vshlq_n_s16(less, 1), ALL, 0, &after);
                vstrhq_s16(group.membrane, after);
            }
            decay += 16;
        }
        group.membrane += 8;
        group.threshold += 8;
        group.sums += 8;
        group.spikes++;
    }
    if (lanes != 0) run_some(lif, &group, decay, bits, high, vctp16q(lanes));
}

#endif
