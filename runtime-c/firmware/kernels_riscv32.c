/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_RISCV32

#include <stdbool.h>

/*
 * C for RV32IM and gcc. The registers hold 16 columns of eight bits or 32 of four, so that a row
 * costs an address and a branch more than its loads and additions.
 *
 * Every other field of a word is masked and added. The fields between are added together with all
 * bits above them; the surplus is subtracted after the last row. That saves one instruction for
 * every word of every row.
 */

/**
 * Blocks as wide as the registers allow; a build for size makes do with four or eight columns, and
 * with one lane.
 */
#ifdef __OPTIMIZE_SIZE__
enum { WIDE = 0 };
#else
enum { WIDE = 1 };
#endif

/** The most rows that a field of a byte can add up of four-bit columns: 16 * 15 < 256. */
enum { FIELD_ROWS = 16 };

#define BYTES UINT32_C(0x00FF00FF)
#define NIBBLES UINT32_C(0x0F0F0F0F)
#define BOTH UINT32_C(0x00010001)
/** The words of a packed row from `column` bytes on. */
static inline const snn_word *row_words(const uint8_t *weights, uint32_t row, uint32_t row_bytes)
{
    return (const snn_word *)(const void *)(weights + row * row_bytes);
}

/** Adds four columns: sums of bytes 0 and 2, sums of whole words >> 8 less `excess`. */
static inline void add_bytes(uint32_t *sums, uint32_t even, uint32_t rest, uint32_t excess,
                             uint32_t shift)
{
    sums[0] += (even - excess) << shift;
    sums[1] += (rest - (even >> 16 << 8)) << shift;
}

/* A row of 16 columns takes 25 instructions, of 8 columns 15; every four columns 14 more. */
void snn_add_rows_8(uint32_t *sums, const struct snn_packed_rows *set)
{
    const uint32_t row_bytes = set->row_bytes, shift = set->shift, excess = set->count * 128 * BOTH;
    const uint16_t *const end = set->rows + set->count;
    const uint8_t *weights = set->weights;
    uint32_t columns = set->columns;
    for (; WIDE && columns >= 16; columns -= 16) {
        uint32_t a = 0, b = 0, c = 0, d = 0;
        uint32_t p = 0u - excess, q = p, r = p, s = p;
        const uint16_t *row = set->rows;
        do {
            const snn_word *word = row_words(weights, *row++, row_bytes);
            const uint32_t first = word[0], second = word[1], third = word[2], fourth = word[3];
            a += first & BYTES;
            p += first >> 8;
            b += second & BYTES;
            q += second >> 8;
            c += third & BYTES;
            r += third >> 8;
            d += fourth & BYTES;
            s += fourth >> 8;
        } while (row != end);
        add_bytes(sums, a, p, excess, shift);
        add_bytes(sums + 2, b, q, excess, shift);
        add_bytes(sums + 4, c, r, excess, shift);
        add_bytes(sums + 6, d, s, excess, shift);
        sums += 8;
        weights += 16;
    }
    for (; columns != 0; columns -= 8) {
        uint32_t a = 0, b = 0, p = 0u - excess, q = p;
        const uint16_t *row = set->rows;
        do {
            const snn_word *word = row_words(weights, *row++, row_bytes);
            const uint32_t first = word[0], second = word[1];
            a += first & BYTES;
            p += first >> 8;
            b += second & BYTES;
            q += second >> 8;
        } while (row != end);
        add_bytes(sums, a, p, excess, shift);
        add_bytes(sums + 2, b, q, excess, shift);
        sums += 4;
        weights += 8;
    }
}

/**
 * Adds eight columns: sums of the low nibbles, sums of whole words >> 4. At most 16 words >> 4 stay
 * below 2^32.
 */
static void add_nibbles(uint32_t *sums, uint32_t even, uint32_t rest, uint32_t excess,
                        uint32_t shift)
{
    rest -= even >> 8 << 4;
    sums[0] += ((even & BYTES) - excess) << shift;
    sums[1] += ((even >> 8 & BYTES) - excess) << shift;
    sums[2] += ((rest & BYTES) - excess) << shift;
    sums[3] += ((rest >> 8 & BYTES) - excess) << shift;
}

/*
 * A row of 32 columns takes 25 instructions, of 8 columns 10; every eight columns 31 more for up to
 * 16 rows.
 */
void snn_add_rows_4(uint32_t *sums, const struct snn_packed_rows *set)
{
    const uint32_t row_bytes = set->row_bytes, shift = set->shift;
    const uint16_t *rows = set->rows;
    const uint16_t *const last = rows + set->count;
    do {
        const uint16_t *const end = last - rows > FIELD_ROWS ? rows + FIELD_ROWS : last;
        const uint32_t excess = (uint32_t)(end - rows) * 8 * BOTH;
        const uint8_t *weights = set->weights;
        uint32_t *sum = sums;
        uint32_t columns = set->columns;
        for (; WIDE && columns >= 32; columns -= 32) {
            uint32_t a = 0, b = 0, c = 0, d = 0, p = 0, q = 0, r = 0, s = 0;
            const uint16_t *row = rows;
            do {
                const snn_word *word = row_words(weights, *row++, row_bytes);
                const uint32_t first = word[0], second = word[1], third = word[2], fourth = word[3];
                a += first & NIBBLES;
                p += first >> 4;
                b += second & NIBBLES;
                q += second >> 4;
                c += third & NIBBLES;
                r += third >> 4;
                d += fourth & NIBBLES;
                s += fourth >> 4;
            } while (row != end);
            add_nibbles(sum, a, p, excess, shift);
            add_nibbles(sum + 4, b, q, excess, shift);
            add_nibbles(sum + 8, c, r, excess, shift);
            add_nibbles(sum + 12, d, s, excess, shift);
            sum += 16;
            weights += 16;
        }
        for (; columns != 0; columns -= 8) {
            uint32_t a = 0, p = 0;
            const uint16_t *row = rows;
            do {
                const uint32_t word = *row_words(weights, *row++, row_bytes);
                a += word & NIBBLES;
                p += word >> 4;
            } while (row != end);
            add_nibbles(sum, a, p, excess, shift);
            sum += 4;
            weights += 4;
        }
        rows = end;
    } while (rows != last);
}

/*
 * A row of eight columns takes 31 instructions: a load, a product and a sum each, and 7 more; for
 * size, of four 19.
 */
void snn_mac_rows_8(int32_t *sums, const struct snn_packed_rows *set, const int16_t *values)
{
    const uint32_t row_bytes = set->row_bytes;
    const uint16_t *const end = set->rows + set->count;
    const uint8_t *weights = set->weights;
    uint32_t *sum = (uint32_t *)sums;
    uint32_t *const last = sum + set->columns;
    uint32_t total = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        const int32_t value = values[i];
        total += (uint32_t)value;
    }
    total *= 128;
    do {
        uint32_t a = 0u - total, b = a, c = a, d = a, e = a, f = a, g = a, h = a;
        const uint16_t *row = set->rows;
        const int16_t *value = values;
        do {
            const uint8_t *byte = weights + *row++ * row_bytes;
            const uint32_t factor = (uint32_t)(int32_t)*value++;
            a += factor * byte[0];
            b += factor * byte[2];
            c += factor * byte[1];
            d += factor * byte[3];
            if (!WIDE) {
                continue;
            }
            e += factor * byte[4];
            f += factor * byte[6];
            g += factor * byte[5];
            h += factor * byte[7];
        } while (row != end);
        sum[0] += a;
        sum[1] += b;
        sum[2] += c;
        sum[3] += d;
        sum += 4;
        weights += 4;
        if (!WIDE) {
            continue;
        }
        sum[0] += e;
        sum[1] += f;
        sum[2] += g;
        sum[3] += h;
        sum += 4;
        weights += 4;
    } while (sum != last);
}

/** What a membrane is after its leak. */
static inline __attribute__((always_inline)) int32_t leaked(int32_t v, uint32_t decay)
{
    /* floor(2 v d / 2^32), one too low below 0: see snn_leaked_lane */
    const int64_t product = (int64_t)(2 * v) * (int64_t)(uint64_t)decay;
    return (int32_t)(uint32_t)((uint64_t)product >> 32) + (int32_t)((uint32_t)v >> 31);
}

/**
 * One step of one lane, whose entries the pointers show; `decay` is null without leak. Counts how
 * often the membrane is clamped.
 */
static inline __attribute__((always_inline)) void step_lane(const struct snn_lif *lif,
                                                            int16_t *membrane, const snn_half *sum,
                                                            int32_t threshold,
                                                            const uint32_t *decay, int32_t floor,
                                                            uint32_t *clamps)
{
    int32_t v = *membrane;
    if (decay != NULL) {
        v = leaked(v, *decay);
    }
    v += (int32_t)(uint32_t)*sum - (int32_t)SNN_SUM_ZERO;
    if (RARELY(v < floor)) {
        v = floor;
        ++*clamps;
    }
    if (RARELY(v >= threshold)) {
        const uint32_t lane = (uint32_t)(membrane - lif->membrane);
        if (lif->rule.clamps != 0 && v > lif->rule.ceiling) {
            v = lif->rule.ceiling;
            ++*clamps;
        }
        v += (int32_t)lif->rule.greater - threshold;
        lif->spikes[lane / 32] |= UINT32_C(1) << (lane & 31);
    }
    *membrane = (int16_t)v;
}

/** A lane takes 13 instructions with leak, 8 without; the loop 5 and 4. */
static inline __attribute__((always_inline)) uint32_t run(const struct snn_lif *lif, bool leak,
                                                          uint32_t from)
{
    enum { AT_ONCE = WIDE ? 4 : 1 };
    const int32_t floor = lif->rule.clamps != 0 ? lif->rule.floor : INT32_MIN;
    int16_t *membrane = lif->membrane + from;
    const int16_t *const end = lif->membrane + lif->lanes, *threshold = lif->threshold + from;
    const snn_half *sum = (const snn_half *)(const void *)lif->sums + from;
    const uint32_t *decay = leak ? lif->decay + from : NULL;
    uint32_t clamps = 0;
    do {
        step_lane(lif, membrane, sum, threshold[0], leak ? decay : NULL, floor, &clamps);
        if (WIDE) {
            step_lane(lif, membrane + 1, sum + 1, threshold[1], leak ? decay + 1 : NULL, floor,
                      &clamps);
            step_lane(lif, membrane + 2, sum + 2, threshold[2], leak ? decay + 2 : NULL, floor,
                      &clamps);
            step_lane(lif, membrane + 3, sum + 3, threshold[3], leak ? decay + 3 : NULL, floor,
                      &clamps);
        }
        membrane += AT_ONCE;
        sum += AT_ONCE;
        threshold += AT_ONCE;
        if (leak) {
            decay += AT_ONCE;
        }
    } while (membrane != end);
    return clamps;
}

#ifndef __OPTIMIZE_SIZE__
/** The lanes that are tested for spikes together; a group has a byte of spikes. */
enum { GROUP = 8 };

/** A group from lane `from` on, lane by lane, clamped. Returns the clamps. */
static __attribute__((noinline)) uint32_t step_clamped(const struct snn_lif *lif, uint32_t from)
{
    uint32_t clamps = 0;
    for (uint32_t lane = from; lane != from + GROUP; lane++) {
        const snn_half *sum = (const snn_half *)(const void *)lif->sums + lane;
        step_lane(lif, lif->membrane + lane, sum, lif->threshold[lane], lif->decay + lane,
                  lif->rule.floor, &clamps);
    }
    return clamps;
}

/**
 * The least bit of a lane that fires, `at`, or of none, 0; resets its membrane. `clamps` is null
 * where nothing clamps.
 */
static inline __attribute__((always_inline)) uint32_t fired(const struct snn_lif *lif,
                                                            int16_t *membrane, int32_t threshold,
                                                            uint32_t at, uint32_t *clamps)
{
    int32_t v = *membrane;
    if (v < threshold) {
        return 0;
    }
    if (clamps != NULL && v > lif->rule.ceiling) {
        v = lif->rule.ceiling;
        ++*clamps;
    }
    *membrane = (int16_t)(v - threshold + (int32_t)lif->rule.greater);
    return at;
}

/** The spikes of a group, in whose pairs a lane may fire if `above` has a lifted bit. */
static inline __attribute__((always_inline)) void fire_group(const struct snn_lif *lif,
                                                             int16_t *membrane,
                                                             const int16_t *threshold,
                                                             const uint32_t *above, uint32_t lift,
                                                             uint32_t *clamps)
{
    uint32_t bits = 0;
#pragma GCC unroll 4
    for (uint32_t i = 0; i < GROUP; i += 2) {
        if ((above[i / 2] & lift) == 0) {
            continue;
        }
        bits |= fired(lif, membrane + i, threshold[i], 1u << i, clamps);
        bits |= fired(lif, membrane + i + 1, threshold[i + 1], 2u << i, clamps);
    }
    const uint32_t bytes = (uint32_t)((const uint8_t *)membrane - (const uint8_t *)lif->membrane);
    ((uint8_t *)lif->spikes)[bytes / (GROUP * sizeof *membrane)] = (uint8_t)bits;
}

/**
 * With leak: a step of whole groups, which are tested for spikes together. Yields their lanes and
 * adds to `clamps`, null where nothing clamps. Two lanes take 19 instructions, clamped 21, a group
 * of them 9 more, clamped 10; 27 more where one fires.
 *
 * A pair is two membranes lifted by 2^15, as sums are. Less its threshold, a lane that fires has
 * the lifted bit set, as one has that borrows from the other lane.
 *
 * Clamped, a membrane with its sum may not fit its half. So the pair less floor + 2^15 is tested,
 * too: both lifted bits are clear where both membranes lie in floor ... floor + 2^15 - 1, which is
 * within int16. A membrane that does not lie there sets its bit: it is at most 2^15 below the floor
 * and less than 2^16 above it, since sums are within int16 and the ceiling is at most 2^15 above
 * the floor. Such a group runs lane by lane.
 */
static inline __attribute__((always_inline)) uint32_t step_groups(const struct snn_lif *lif,
                                                                  uint32_t *clamps)
{
    const bool clamped = clamps != NULL;
    uint32_t lift = SNN_SUM_ZERO * BOTH;
    __asm__("" : "+r"(lift)); /* or compilers make it anew for every pair of a group that fires */
    const uint32_t bottom = ((uint32_t)lif->rule.floor + SNN_SUM_ZERO) * BOTH;
    const uint32_t lanes = lif->lanes & ~(GROUP - 1u);
    const int16_t *threshold = lif->threshold;
    const uint32_t *sums = lif->sums, *decay = lif->decay;
    const uint32_t *const end = decay + lanes;
    int16_t *membrane = lif->membrane;
    for (; decay != end; decay += GROUP) {
        const snn_word *const least = (const snn_word *)(const void *)threshold;
        snn_word *const pairs = (snn_word *)(void *)membrane;
        uint32_t pair[GROUP / 2], above[GROUP / 2], below = 0;
#pragma GCC unroll 4
        for (uint32_t i = 0; i < GROUP / 2; i++) {
            pair[i] = sums[i] + (uint32_t)leaked(membrane[2 * i], decay[2 * i]) +
                      (snn_leaked_lane(membrane[2 * i + 1], decay[2 * i + 1]) << 16);
            above[i] = pair[i] - least[i];
            below |= pair[i] - bottom;
            if (!clamped) {
                pairs[i] = pair[i] ^ lift;
            }
        }
        if (clamped && RARELY((below & lift) != 0)) {
            *clamps += step_clamped(lif, (uint32_t)(membrane - lif->membrane));
        } else {
            if (clamped) {
#pragma GCC unroll 4
                for (uint32_t i = 0; i < GROUP / 2; i++) {
                    pairs[i] = pair[i] ^ lift;
                }
            }
            if (RARELY(((above[0] | above[1] | above[2] | above[3]) & lift) != 0)) {
                fire_group(lif, membrane, threshold, above, lift, clamps);
            }
        }
        membrane += GROUP;
        sums += GROUP / 2;
        threshold += GROUP;
    }
    return lanes;
}

/*
 * Steps of all lanes, or from `from` on: not clamped, clamped, without leak or lane by lane. Apart,
 * so that each saves only the registers that it needs.
 */
static __attribute__((noinline)) uint32_t step_rest(const struct snn_lif *lif, uint32_t from)
{
    return run(lif, true, from);
}

static __attribute__((noinline)) uint32_t step_open(const struct snn_lif *lif)
{
    const uint32_t done = step_groups(lif, NULL);
    return done == lif->lanes ? 0 : step_rest(lif, done);
}

static __attribute__((noinline)) uint32_t step_narrow(const struct snn_lif *lif)
{
    uint32_t clamps = 0;
    const uint32_t done = step_groups(lif, &clamps);
    return done == lif->lanes ? clamps : clamps + step_rest(lif, done);
}

static __attribute__((noinline)) uint32_t step_without_leak(const struct snn_lif *lif)
{
    return run(lif, false, 0);
}
#endif

uint32_t snn_lif_step(const struct snn_lif *lif)
{
    uint32_t *word = lif->spikes;
    const uint32_t *const end = word + (lif->lanes + 31) / 32;
    do {
        *word++ = 0;
        /* clang-format off */
        __asm__ volatile(""); /* or compilers call memset for a word or two */
    } while (word != end);
    /* clang-format on */
#ifdef __OPTIMIZE_SIZE__
    return run(lif, lif->decay != NULL, 0);
#else
    if (lif->decay == NULL) {
        return step_without_leak(lif);
    }
    if (lif->rule.clamps == 0) {
        return step_open(lif);
    }
    return lif->rule.ceiling - lif->rule.floor <= 32768 ? step_narrow(lif) : step_rest(lif, 0);
#endif
}

#endif
