/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_HELIUM

#include <arm_mve.h>
#include <stdbool.h>

/*
 * Vectors of eight columns or lanes of 16 bits; sums of four-bit rows gather in sixteen lanes of 8 bits first. Rows
 * are read in the order in which they lie, and the sums in memory are gathered and scattered in the same order, once
 * for all rows.
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
static inline void add_words(uint32_t *sums, uint16x8_t columns, uint16_t excess, uint32_t shift, mve_pred16_t some,
                             bool all)
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
 * A byte holds one column in its low half and one in its high half. Sums of whole bytes, modulo 2^8, less 16 times the
 * sums of the high halves are those of the low halves. A row of 32 columns takes 7 instructions, 8 where they are
 * fewer.
 */
static inline void add_rows_32(uint32_t *sums, const uint8_t *weights, const uint16_t *row, uint32_t count,
                               uint32_t columns, const struct snn_row_set *set, bool whole)
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

/** Four bytes, widened. Assembler because gcc 12 finds the offset with additions. */
static inline __attribute__((always_inline)) int32x4_t four_at(const uint8_t *from, int offset)
{
    int32x4_t four;
    __asm__("vldrb.u32 %q0, [%1, %2]"
            : "=w"(four)
            : "r"(from), "i"(offset), "m"(*(const uint8_t(*)[32])(const void *)from));
    return four;
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
            a = vmlaq_n_s32(a, four_at(from, 0), factor);
            b = vmlaq_n_s32(b, four_at(from, 4), factor);
            c = vmlaq_n_s32(c, four_at(from, 8), factor);
            d = vmlaq_n_s32(d, four_at(from, 12), factor);
            e = vmlaq_n_s32(e, four_at(from, 16), factor);
            f = vmlaq_n_s32(f, four_at(from, 20), factor);
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
            a = vmlaq_n_s32(a, four_at(from, 0), factor);
            b = vmlaq_n_s32(b, four_at(from, 4), factor);
        }
        add_four(sums, a, order);
        add_four(sums + 4, b, order);
        sums += 8;
        weights += 8;
    }
}

/*
 * Assembler because gcc 12 moves every predicate to a register and back, where one instruction tests and predicates;
 * volatile because it would else spread the temporaries of two steps over more registers than there are.
 */

/**
 * The leak of eight membranes. A magnitude times 2 * leak has the leaky magnitude in its high half, which gets its
 * sign back; leak 2^15 does not fit.
 */
static inline int16x8_t leaked(int16x8_t v, int16x8_t factor)
{
    int16x8_t result;
    __asm__ volatile("vabs.s16 %q0, %q1\n\t"
                     "vmulh.u16 %q0, %q0, %q2\n\t"
                     "vpt.s16 lt, %q1, zr\n\t"
                     "vnegt.s16 %q0, %q0"
                     : "=&w"(result)
                     : "w"(v), "w"(factor)
                     : "p0");
    return result;
}

/** Takes threshold - greater off the membranes that reach their threshold; yields the sum of their bits. */
static inline uint32_t fire(int16x8_t *v, int16x8_t threshold, int32_t greater, uint16x8_t bits)
{
    uint32_t spikes;
    __asm__ volatile("vpttt.s16 ge, %q0, %q2\n\t"
                     "vsubt.i16 %q0, %q0, %q2\n\t"
                     "vaddt.i16 %q0, %q0, %3\n\t"
                     "vaddvt.u16 %1, %q4"
                     : "+&w"(*v), "=Te"(spikes)
                     : "w"(threshold), "r"(greater), "w"(bits)
                     : "p0");
    return spikes;
}

static const uint16_t bit_of[8] = {1, 2, 4, 8, 16, 32, 64, 128};
/** Places of the high halves of eight decays: leak - 2^15; twice that is 2 * leak modulo 2^16. */
static const uint16_t high_halves[8] = {1, 3, 5, 7, 9, 11, 13, 15};

/**
 * Adds sums to membranes and brings these into floor ... ceiling; `clamps` grows by the `ones` of those that were
 * outside, or beyond 16 bits: there the saturated sum differs from the wrapped. 8 instructions.
 */
static inline void add_clamped(int16x8_t *v, int16x8_t sum, int32_t floor, int32_t ceiling, uint16x8_t ones,
                               uint32_t *clamps)
{
    int16x8_t wrapped;
    __asm__ volatile("vadd.i16 %q2, %q0, %q3\n\t"
                     "vqadd.s16 %q0, %q0, %q3\n\t"
                     "vpt.s16 lt, %q0, %4\n\t"
                     "vdupt.16 %q0, %4\n\t"
                     "vpt.s16 gt, %q0, %5\n\t"
                     "vdupt.16 %q0, %5\n\t"
                     "vpt.i16 ne, %q0, %q2\n\t"
                     "vaddvat.u16 %1, %q6"
                     : "+&w"(*v), "+Te"(*clamps), "=&w"(wrapped)
                     : "w"(sum), "r"(floor), "r"(ceiling), "w"(ones)
                     : "p0");
}

/** Eight lanes from `lane` on, or the last four; some need not leak. A step takes 17 instructions, clamped 24. */
static inline __attribute__((always_inline)) uint32_t run_eight(const struct snn_lif *lif, uint32_t lane, bool clamped)
{
    const mve_pred16_t some = vctp16q(lif->lanes - lane);
    const uint16x8_t bits = vldrhq_z_u16(bit_of, some), ones = vminq_u16(bits, vdupq_n_u16(1));
    const int16x8_t threshold = vldrhq_z_s16(lif->threshold + lane, some);
    int16x8_t v = vldrhq_z_s16(lif->membrane + lane, some), less = vdupq_n_s16(0);
    if (lif->decay != 0) {
        const int16_t *decay = (const int16_t *)(const void *)(lif->decay + lane);
        less = vldrhq_gather_shifted_offset_z_s16(decay, vldrhq_u16(high_halves), some);
    }
    const mve_pred16_t leaky = vcmpneq_n_s16(less, 0);
    const int16x8_t factor = vshlq_n_s16(less, 1);
    const int16_t *sum = (const int16_t *)(const void *)lif->sums + lane;
    uint8_t *spikes = (uint8_t *)(void *)lif->spikes + lane / 8;
    const uint32_t sum_step = 2 * lif->sum_step, spike_step = 4 * lif->spike_words;
    const int32_t greater = (int32_t)lif->greater, floor = lif->floor, ceiling = lif->ceiling;
    uint32_t left = lif->steps, clamps = 0;
    do {
        v = vpselq_s16(leaked(v, factor), v, leaky);
        if (clamped) {
            add_clamped(&v, vldrhq_s16(sum), floor, ceiling, ones, &clamps);
        } else {
            v = vaddq_s16(v, vldrhq_s16(sum));
        }
        *spikes = (uint8_t)fire(&v, threshold, greater, bits);
        sum += sum_step;
        spikes += spike_step;
    } while (--left != 0);
    vstrhq_p_s16(lif->membrane + lane, v, some);
    return clamps;
}

static __attribute__((noinline)) void run_some(const struct snn_lif *lif, uint32_t lane)
{
    (void)run_eight(lif, lane, false);
}

static __attribute__((noinline)) uint32_t run_clamped(const struct snn_lif *lif)
{
    uint32_t clamps = 0;
    for (uint32_t lane = 0; lane < lif->lanes; lane += 8) clamps += run_eight(lif, lane, true);
    return clamps;
}

/* Sixteen lanes that all leak, or of which none does. A step takes 25 instructions, without leak 17. */
static inline __attribute__((always_inline)) void run_sixteen(const struct snn_lif *lif, uint32_t lane,
                                                              int16x8_t factor, int16x8_t factor_2, bool leak)
{
    const uint16x8_t bits = vldrhq_u16(bit_of);
    int16_t *const membrane = lif->membrane + lane;
    const int16_t *sum = (const int16_t *)(const void *)lif->sums + lane;
    uint8_t *spikes = (uint8_t *)(void *)lif->spikes + lane / 8;
    const uint32_t sum_step = 2 * lif->sum_step - 8, spike_step = 4 * lif->spike_words;
    const int32_t greater = (int32_t)lif->greater;
    const int16x8_t threshold = vldrhq_s16(lif->threshold + lane), threshold_2 = vldrhq_s16(lif->threshold + lane + 8);
    int16x8_t v = vldrhq_s16(membrane), v_2 = vldrhq_s16(membrane + 8);
    uint32_t left = lif->steps;
    do {
        v = vaddq_s16(leak ? leaked(v, factor) : v, vldrhq_s16(sum));
        sum += 8;
        spikes[0] = (uint8_t)fire(&v, threshold, greater, bits);
        v_2 = vaddq_s16(leak ? leaked(v_2, factor_2) : v_2, vldrhq_s16(sum));
        spikes[1] = (uint8_t)fire(&v_2, threshold_2, greater, bits);
        sum += sum_step;
        spikes += spike_step;
    } while (--left != 0);
    vstrhq_s16(membrane, v);
    vstrhq_s16(membrane + 8, v_2);
}

uint32_t snn_lif_step(const struct snn_lif *lif)
{
    const uint32_t lanes = lif->lanes;
    if (lanes != 32 * lif->spike_words) {
        const uint32_t *const end = lif->spikes + lif->steps * lif->spike_words;
        for (uint32_t *word = lif->spikes; word != end; word++) *word = 0;
    }
    if (lif->clamped != 0) return run_clamped(lif);
    uint32_t lane = 0;
    for (; lane + 16 <= lanes; lane += 16) {
        if (lif->decay == 0) {
            run_sixteen(lif, lane, vdupq_n_s16(0), vdupq_n_s16(0), false);
            continue;
        }
        const int16_t *decay = (const int16_t *)(const void *)(lif->decay + lane);
        const uint16x8_t high = vldrhq_u16(high_halves);
        const int16x8_t less = vldrhq_gather_shifted_offset_s16(decay, high);
        const int16x8_t less_2 = vldrhq_gather_shifted_offset_s16(decay + 16, high);
        if (RARELY(vmaxvq_s16(vmaxvq_s16(-1, less), less_2) == 0)) {
            run_some(lif, lane);
            run_some(lif, lane + 8);
        } else {
            run_sixteen(lif, lane, vshlq_n_s16(less, 1), vshlq_n_s16(less_2, 1), true);
        }
    }
    for (; lane < lanes; lane += 8) run_some(lif, lane);
    return 0;
}

#endif
