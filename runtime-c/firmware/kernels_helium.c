/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_HELIUM

#include <arm_mve.h>
#include <stdbool.h>

/*
 * Vectors of eight columns or lanes of 16 bits; sums of four-bit rows gather in sixteen lanes of 8
 * bits first. Rows are read in the order in which they lie, and the sums in memory are gathered and
 * scattered in the same order, once for all rows.
 */

/** The most rows that a lane of 8 bits can add up of four-bit columns: 16 * 15 < 256. */
enum { FIELD_ROWS = 16 };

static inline const uint8_t *row_at(const uint8_t *weights, uint32_t row, uint32_t row_bytes)
{
    return weights + row * row_bytes;
}

/** Adds eight columns to their sums. `order`: the columns' order in a row. */
static inline void add_eight(uint32_t *sums, uint16x8_t columns, uint16x8_t order, uint32_t shift)
{
    uint16_t *sum = (uint16_t *)(void *)sums;
    const uint16x8_t before = vldrhq_gather_shifted_offset_u16(sum, order);
    vstrhq_scatter_shifted_offset_u16(sum, order,
                                      vaddq_u16(before, vshlq_r_u16(columns, (int32_t)shift)));
}

/* A row of 32 columns takes 11 instructions, of 8 columns 5; every eight columns 6 more. */
void snn_add_rows_8(uint32_t *sums, const struct snn_packed_rows *set)
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

/**
 * Adds to one word of sums of every eight columns: the first words that `some` says, or all four.
 */
static inline void add_words(uint32_t *sums, uint16x8_t columns, uint16_t excess, uint32_t shift,
                             mve_pred16_t some, bool all)
{
    static const uint32_t place_of[4] = {0, 4, 8, 12};
    const uint32x4_t place = vldrwq_u32(place_of);
    const uint16x8_t sum = vshlq_r_u16(vsubq_n_u16(columns, excess), (int32_t)shift);
    if (all) {
        const uint16x8_t before =
            vreinterpretq_u16_u32(vldrwq_gather_shifted_offset_u32(sums, place));
        vstrwq_scatter_shifted_offset_u32(sums, place,
                                          vreinterpretq_u32_u16(vaddq_u16(before, sum)));
    } else {
        const uint16x8_t before =
            vreinterpretq_u16_u32(vldrwq_gather_shifted_offset_z_u32(sums, place, some));
        vstrwq_scatter_shifted_offset_p_u32(sums, place,
                                            vreinterpretq_u32_u16(vaddq_u16(before, sum)), some);
    }
}

/*
 * A byte holds one column in its low half and one in its high half. Sums of whole bytes, modulo
 * 2^8, less 16 times the sums of the high halves are those of the low halves. A row of 32 columns
 * takes 7 instructions, 8 where they are fewer.
 */
static inline void add_rows_32(uint32_t *sums, const uint8_t *weights, const uint16_t *row,
                               uint32_t count, uint32_t columns, const struct snn_packed_rows *set,
                               bool whole)
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

void snn_add_rows_4(uint32_t *sums, const struct snn_packed_rows *set)
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
        if (columns != 0) {
            add_rows_32(sum, weights, rows, count, columns, set, false);
        }
    }
}

/** Adds four columns, which lie in the order 0 2 1 3. */
static inline void add_four(int32_t *sums, int32x4_t columns, uint32x4_t order)
{
    vstrwq_scatter_shifted_offset_s32(
        sums, order, vaddq_s32(columns, vldrwq_gather_shifted_offset_s32(sums, order)));
}

/*
 * A row of 24 columns takes 16 instructions, of 8 columns 8. Assembler because gcc 12 adds to find
 * the bytes.
 */
void snn_mac_rows_8(int32_t *sums, const struct snn_packed_rows *set, const int16_t *values)
{
    static const uint32_t order_of[4] = {0, 2, 1, 3};
    const uint32x4_t order = vldrwq_u32(order_of);
    const uint32_t row_bytes = set->row_bytes, count = set->count;
    const uint8_t *weights = set->weights;
    uint32_t columns = set->columns;
    int32_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        total += values[i];
    }
    const int32x4_t start = vdupq_n_s32(-128 * total);
    for (; columns >= 24; columns -= 24) {
        int32x4_t a = start, b = start, c = start, d = start, e = start, f = start;
        const uint16_t *row = set->rows;
        const int16_t *value = values;
        for (uint32_t left = count; left != 0; left--) {
            const uint8_t *from = row_at(weights, *row++, row_bytes);
            const int32_t factor = *value++;
            int32x4_t bytes;
            __asm__("vldrb.u32 %q[bytes], [%[from]]\n\t"
                    "vmla.s32 %q[a], %q[bytes], %[factor]\n\t"
                    "vldrb.u32 %q[bytes], [%[from], #4]\n\t"
                    "vmla.s32 %q[b], %q[bytes], %[factor]\n\t"
                    "vldrb.u32 %q[bytes], [%[from], #8]\n\t"
                    "vmla.s32 %q[c], %q[bytes], %[factor]\n\t"
                    "vldrb.u32 %q[bytes], [%[from], #12]\n\t"
                    "vmla.s32 %q[d], %q[bytes], %[factor]\n\t"
                    "vldrb.u32 %q[bytes], [%[from], #16]\n\t"
                    "vmla.s32 %q[e], %q[bytes], %[factor]\n\t"
                    "vldrb.u32 %q[bytes], [%[from], #20]\n\t"
                    "vmla.s32 %q[f], %q[bytes], %[factor]"
                    : [a] "+w"(a), [b] "+w"(b), [c] "+w"(c), [d] "+w"(d), [e] "+w"(e), [f] "+w"(f),
                      [bytes] "=w"(bytes)
                    : [from] "l"(from), [factor] "r"(factor),
                      "m"(*(const uint8_t(*)[24])(const void *)from));
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
            int32x4_t bytes;
            __asm__("vldrb.u32 %q[bytes], [%[from]]\n\t"
                    "vmla.s32 %q[a], %q[bytes], %[factor]\n\t"
                    "vldrb.u32 %q[bytes], [%[from], #4]\n\t"
                    "vmla.s32 %q[b], %q[bytes], %[factor]"
                    : [a] "+w"(a), [b] "+w"(b), [bytes] "=w"(bytes)
                    : [from] "l"(from), [factor] "r"(factor),
                      "m"(*(const uint8_t(*)[8])(const void *)from));
        }
        add_four(sums, a, order);
        add_four(sums + 4, b, order);
        sums += 8;
        weights += 8;
    }
}

/*
 * Eight lanes a turn, the last four or eight under the loop's own predicate. Assembler because gcc
 * 12 writes no such loop and moves every predicate to a register and back; the predicate has no
 * name that both gcc and clang know.
 *
 * The leak: a magnitude times 2 * leak has the leaky magnitude in its high half, which gets its
 * sign back. The high half of a decay is the leak; 2^15, negative as int16, is left out, for twice
 * that does not fit.
 *
 * A lane was clamped where the saturated sum, brought into floor ... ceiling, differs from the
 * wrapped sum. Layers that never clamp take the same path, with bounds that no lane reaches. A turn
 * takes 26 instructions, without leak 17.
 */
uint32_t snn_lif_step(const struct snn_lif *lif)
{
    const bool clamped = lif->rule.clamps != 0;
    const int16x8_t floor = vdupq_n_s16((int16_t)(clamped ? lif->rule.floor : INT16_MIN));
    const int16x8_t ceiling = vdupq_n_s16((int16_t)(clamped ? lif->rule.ceiling : INT16_MAX));
    const uint16x8_t lane = vidupq_n_u16(0, 1), ones = vdupq_n_u16(1);
    const uint16x8_t bits = vshlq_u16(ones, vreinterpretq_s16_u16(lane));
    const uint16x8_t high_halves = vaddq_u16(vaddq_u16(lane, lane), ones);
    int16x8_t v, a, b;
    const int16_t *membrane = lif->membrane, *threshold = lif->threshold;
    const uint32_t *sums = lif->sums;
    const uint32_t *decay = lif->decay;
    uint8_t *spikes = (uint8_t *)(void *)lif->spikes;
    uint32_t clamps = 0, fired;
    lif->spikes[(lif->lanes - 1) / 32] = 0;
    __asm__ volatile(
        "dlstp.16 lr, %[lanes]\n"
        "1:\n\t"
        "vldrh.16 %q[v], [%[membrane]]\n\t"
        "cbz %[decay], 2f\n\t"
        "vldrh.u16 %q[b], [%[decay], %q[high_halves], uxtw #1]\n\t"
        "adds %[decay], #32\n\t"
        "vabs.s16 %q[a], %q[v]\n\t"
        "vptt.s16 ge, %q[b], zr\n\t"
        "vaddt.i16 %q[b], %q[b], %q[b]\n\t"
        "vmulht.u16 %q[a], %q[a], %q[b]\n\t"
        "vpte.s16 lt, %q[v], zr\n\t"
        "vnegt.s16 %q[v], %q[a]\n\t"
        "vmove %q[v], %q[a]\n"
        "2:\n\t"
        "vldrh.16 %q[a], [%[sums]], #16\n\t"
        "vadd.i16 %q[b], %q[v], %q[a]\n\t"
        "vqadd.s16 %q[v], %q[v], %q[a]\n\t"
        "vmax.s16 %q[v], %q[v], %q[floor]\n\t"
        "vmin.s16 %q[v], %q[v], %q[ceiling]\n\t"
        "vpt.i16 ne, %q[v], %q[b]\n\t"
        "vaddvat.u16 %[clamps], %q[ones]\n\t"
        "vldrh.16 %q[a], [%[threshold]], #16\n\t"
        "vpttt.s16 ge, %q[v], %q[a]\n\t"
        "vsubt.i16 %q[v], %q[v], %q[a]\n\t"
        "vaddt.i16 %q[v], %q[v], %[greater]\n\t"
        "vaddvt.u16 %[fired], %q[bits]\n\t"
        "strb %[fired], [%[spikes]], #1\n\t"
        "vstrh.16 %q[v], [%[membrane]], #16\n\t"
        "letp lr, 1b"
        : [membrane] "+&r"(membrane), [sums] "+&r"(sums), [threshold] "+&r"(threshold),
          [decay] "+&l"(decay), [spikes] "+&r"(spikes), [clamps] "+&Te"(clamps),
          [fired] "=&Te"(fired), [v] "=&w"(v), [a] "=&w"(a), [b] "=&w"(b)
        : [greater] "r"(lif->rule.greater), [lanes] "r"(lif->lanes), [floor] "w"(floor),
          [ceiling] "w"(ceiling), [ones] "w"(ones), [bits] "w"(bits), [high_halves] "w"(high_halves)
        : "lr", "cc", "memory");
    return clamps;
}

#endif
