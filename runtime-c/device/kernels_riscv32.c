/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_RISCV32

#include <stdbool.h>

/*
 * C for RV32IM and gcc. The registers hold 16 columns of eight bits or 32 of four, so that a row costs an address and
 * a branch more than its loads and additions.
 *
 * Of a word's fields every other one is added behind a mask. The fields between are added with all that lies above
 * them; what they hold too much is taken off after the last row. That saves an instruction a word and row.
 */

/** Blocks as wide as the registers allow; a build for size makes do with four or eight columns, and with one lane. */
#ifdef __OPTIMIZE_SIZE__
enum { WIDE = 0 };
#else
enum { WIDE = 1 };
#endif

/** Rows that four-bit columns in fields of a byte can take: 16 * 15 < 256. */
enum { FIELD_ROWS = 16 };

#define BYTES UINT32_C(0x00FF00FF)
#define NIBBLES UINT32_C(0x0F0F0F0F)
#define BOTH UINT32_C(0x00010001)
#define LIFT (SNN_SUM_ZERO * BOTH)
#define RARELY(condition) __builtin_expect(condition, 0)

/** The words of a packed row from `column` bytes on. */
static inline const snn_word *row_words(const uint8_t *weights, uint32_t row, uint32_t row_bytes)
{
    return (const snn_word *)(const void *)(weights + row * row_bytes);
}

/** Adds four columns: sums of bytes 0 and 2, sums of whole words >> 8 less `excess`. */
static inline void add_bytes(uint32_t *sums, uint32_t even, uint32_t rest, uint32_t excess, uint32_t shift)
{
    sums[0] += (even - excess) << shift;
    sums[1] += (rest - (even >> 16 << 8)) << shift;
}

/* A row of 16 columns takes 25 instructions, of 8 columns 15; every four columns 14 more. */
void snn_add_rows_8(uint32_t *sums, const struct snn_row_set *set)
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

/** Adds eight columns: sums of the low nibbles, sums of whole words >> 4. At most 16 words >> 4 stay below 2^32. */
static void add_nibbles(uint32_t *sums, uint32_t even, uint32_t rest, uint32_t excess, uint32_t shift)
{
    rest -= even >> 8 << 4;
    sums[0] += ((even & BYTES) - excess) << shift;
    sums[1] += ((even >> 8 & BYTES) - excess) << shift;
    sums[2] += ((rest & BYTES) - excess) << shift;
    sums[3] += ((rest >> 8 & BYTES) - excess) << shift;
}

/* A row of 32 columns takes 25 instructions, of 8 columns 10; every eight columns 31 more for up to 16 rows. */
void snn_add_rows_4(uint32_t *sums, const struct snn_row_set *set)
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

/* A row of eight columns takes 31 instructions: a load, a product and a sum each, and 7 more; for size, of four 19. */
void snn_mac_rows_8(int32_t *sums, const struct snn_row_set *set, const int16_t *values)
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
            if (!WIDE) continue;
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
        if (!WIDE) continue;
        sum[0] += e;
        sum[1] += f;
        sum[2] += g;
        sum[3] += h;
        sum += 4;
        weights += 4;
    } while (sum != last);
}

/*
 * floor(v * m / 2^32) of m = leak * 2^17 + 1 is v * leak / 2^15 rounded down, but 1 below the rounded where v < 0.
 * There the unsigned product, of v + 2^32, has a high word higher by m, which is 1 modulo 2^16: the low half is the
 * leaky membrane.
 */
static inline uint32_t leaked(int32_t v, uint32_t factor)
{
    return (uint32_t)(((uint64_t)(uint32_t)v * factor) >> 32);
}

/* The halves of a word as signed numbers; gcc shifts a negative number arithmetically. */
static inline int32_t low_half(uint32_t word)
{
    return (int32_t)(word << 16) >> 16;
}

static inline int32_t high_half(uint32_t word)
{
    return (int32_t)word >> 16;
}

/** A threshold as it compares with a lifted membrane in the high half of a word. */
static inline uint32_t lifted(int32_t threshold)
{
    return ((uint32_t)threshold + SNN_SUM_ZERO) << 16;
}

/**
 * Four lanes one by one, with any leak or none: m needs 33 bits where a lane does not leak. 15 instructions a step.
 * Returns how often a membrane was clamped.
 */
static __attribute__((noinline)) uint32_t each_lane(const struct snn_lif *lif, uint32_t lane)
{
    const uint32_t spike_words = lif->spike_words, sum_step = 2 * lif->sum_step;
    const int32_t floor = lif->clamped != 0 ? lif->floor : INT32_MIN;
    const uint32_t end = lane + 4;
    uint32_t clamps = 0;
    do {
        const snn_half *sum = (const snn_half *)(const void *)lif->sums + lane;
        const int32_t threshold = lif->threshold[lane];
        const int32_t decay = lif->decay == 0 ? 1 : lif->decay[lane];
        uint32_t *spike = lif->spikes + lane / 32;
        int32_t v = lif->membrane[lane];
        uint32_t left = lif->steps;
        do {
            const int32_t doubled = 2 * v;
            v += (int32_t)((int64_t)doubled * decay >> 32) + (v < 0);
            v += (int32_t)(uint32_t)*sum - (int32_t)SNN_SUM_ZERO;
            if (RARELY(v < floor)) v = floor, clamps++;
            if (RARELY(v >= threshold)) {
                if (lif->clamped != 0 && v > lif->ceiling) v = lif->ceiling, clamps++;
                v -= threshold - (int32_t)lif->greater;
                *spike |= UINT32_C(1) << (lane & 31);
            }
            spike += spike_words;
            sum += sum_step;
        } while (--left != 0);
        lif->membrane[lane] = (int16_t)v;
    } while (++lane != end);
    return clamps;
}

/*
 * Four lanes without leak take 15 instructions a step and 30 besides, a spike 7 more. Membranes lie lifted, two to a
 * word, and are compared unsigned in the high half.
 */
static inline void no_leak(const struct snn_lif *lif, uint32_t *spikes_end)
{
    const uint32_t spike_words = lif->spike_words, sum_step = lif->sum_step;
    const uint32_t spike_back = lif->steps * spike_words, sum_back = lif->steps * sum_step - 2;
    snn_word *membrane = (snn_word *)(void *)lif->membrane;
    const snn_word *const end = membrane + lif->lanes / 2;
    const int16_t *threshold = lif->threshold;
    const uint32_t *sum = lif->sums;
    uint32_t *spike = lif->spikes;
    uint32_t bit = 1;
    do {
        const uint32_t p = lifted(threshold[0]), q = lifted(threshold[1]);
        const uint32_t r = lifted(threshold[2]), s = lifted(threshold[3]);
        uint32_t ab = membrane[0] ^ LIFT, cd = membrane[1] ^ LIFT;
        do {
            ab += sum[0] - LIFT;
            cd += sum[1] - LIFT;
            if (RARELY(ab << 16 >= p)) {
                *spike |= bit;
                ab -= (p >> 16) - SNN_SUM_ZERO - lif->greater;
            }
            if (RARELY(ab >= q)) {
                *spike |= bit << 1;
                ab -= q - ((SNN_SUM_ZERO + lif->greater) << 16);
            }
            if (RARELY(cd << 16 >= r)) {
                *spike |= bit << 2;
                cd -= (r >> 16) - SNN_SUM_ZERO - lif->greater;
            }
            if (RARELY(cd >= s)) {
                *spike |= bit << 3;
                cd -= s - ((SNN_SUM_ZERO + lif->greater) << 16);
            }
            spike += spike_words;
            sum += sum_step;
        } while (spike != spikes_end);
        spike -= spike_back;
        sum -= sum_back;
        membrane[0] = ab ^ LIFT;
        membrane[1] = cd ^ LIFT;
        membrane += 2;
        threshold += 4;
        bit <<= 4;
        if (RARELY(bit == 0)) bit = 1, spike++, spikes_end++;
    } while (membrane != end);
}

/** A membrane above the ceiling, which is no lower than the threshold, is brought down to it before it fires. */
static inline int32_t below_ceiling(const struct snn_lif *lif, int32_t v, uint32_t *clamps)
{
    if (v <= lif->ceiling) return v;
    ++*clamps;
    return lif->ceiling;
}

/*
 * Four lanes take 27 instructions a step, 10 more where clamped, and 37 besides; a spike takes 7. Clamped lanes take
 * this way even without leak, for with their sums they may leave 16 bits; 12 instructions less.
 */
static inline __attribute__((always_inline)) uint32_t four_lanes(const struct snn_lif *lif, uint32_t *spikes_end,
                                                                 bool leak, bool clamped)
{
    const uint32_t spike_words = lif->spike_words, sum_step = lif->sum_step;
    const uint32_t spike_back = lif->steps * spike_words, sum_back = lif->steps * sum_step - 2;
    int16_t *membrane = lif->membrane;
    const int16_t *const end = membrane + lif->lanes;
    const int16_t *threshold = lif->threshold;
    const int32_t *decay = lif->decay;
    const uint32_t *sum = lif->sums;
    uint32_t *spike = lif->spikes;
    uint32_t bit = 1, clamps = 0;
    const int32_t floor = lif->floor;
    do {
        int32_t i = -1, j = -1, k = -1, l = -1;
        if (leak) i = decay[0], j = decay[1], k = decay[2], l = decay[3];
        if (RARELY((i & j & k & l) >= 0)) {
            const uint32_t count = each_lane(lif, (uint32_t)(membrane - lif->membrane));
            if (clamped) clamps += count;
            sum += 2;
        } else {
            const uint32_t e = 2 * (uint32_t)i - 1, f = 2 * (uint32_t)j - 1;
            const uint32_t g = 2 * (uint32_t)k - 1, h = 2 * (uint32_t)l - 1;
            int32_t a = membrane[0], b = membrane[1], c = membrane[2], d = membrane[3];
            const int32_t p = threshold[0], q = threshold[1], r = threshold[2], s = threshold[3];
            do {
                const uint32_t first = sum[0] ^ LIFT, second = sum[1] ^ LIFT;
                if (clamped) { /* a membrane and its sum may leave 16 bits */
                    if (leak) a = low_half(leaked(a, e)), b = low_half(leaked(b, f));
                    if (leak) c = low_half(leaked(c, g)), d = low_half(leaked(d, h));
                    a += low_half(first);
                    b += high_half(first);
                    c += low_half(second);
                    d += high_half(second);
                } else {
                    a = low_half(leaked(a, e) + first);
                    b = high_half((leaked(b, f) << 16) + first);
                    c = low_half(leaked(c, g) + second);
                    d = high_half((leaked(d, h) << 16) + second);
                }
                if (clamped && RARELY(a < floor)) a = floor, clamps++;
                if (RARELY(a >= p)) {
                    if (clamped) a = below_ceiling(lif, a, &clamps);
                    *spike |= bit;
                    a -= p - (int32_t)lif->greater;
                }
                if (clamped && RARELY(b < floor)) b = floor, clamps++;
                if (RARELY(b >= q)) {
                    if (clamped) b = below_ceiling(lif, b, &clamps);
                    *spike |= bit << 1;
                    b -= q - (int32_t)lif->greater;
                }
                if (clamped && RARELY(c < floor)) c = floor, clamps++;
                if (RARELY(c >= r)) {
                    if (clamped) c = below_ceiling(lif, c, &clamps);
                    *spike |= bit << 2;
                    c -= r - (int32_t)lif->greater;
                }
                if (clamped && RARELY(d < floor)) d = floor, clamps++;
                if (RARELY(d >= s)) {
                    if (clamped) d = below_ceiling(lif, d, &clamps);
                    *spike |= bit << 3;
                    d -= s - (int32_t)lif->greater;
                }
                spike += spike_words;
                sum += sum_step;
            } while (spike != spikes_end);
            spike -= spike_back;
            sum -= sum_back;
            membrane[0] = (int16_t)a;
            membrane[1] = (int16_t)b;
            membrane[2] = (int16_t)c;
            membrane[3] = (int16_t)d;
        }
        membrane += 4;
        threshold += 4;
        decay += 4;
        bit <<= 4;
        if (RARELY(bit == 0)) bit = 1, spike++, spikes_end++;
    } while (membrane != end);
    return clamps;
}

static inline __attribute__((always_inline)) uint32_t run(const struct snn_lif *lif, bool clamped)
{
    uint32_t *const spikes_end = lif->spikes + lif->steps * lif->spike_words;
    for (uint32_t *word = lif->spikes; word != spikes_end; word++) *word = 0;
    if (WIDE && lif->decay != 0) return four_lanes(lif, spikes_end, true, clamped);
    if (WIDE && clamped) return four_lanes(lif, spikes_end, false, true);
    if (WIDE) {
        no_leak(lif, spikes_end);
        return 0;
    }
    uint32_t clamps = 0;
    for (uint32_t lane = 0; lane != lif->lanes; lane += 4) clamps += each_lane(lif, lane);
    return clamps;
}

/** Apart, so that its loop takes no registers from those that do not clamp. */
static __attribute__((noinline)) uint32_t run_clamped(const struct snn_lif *lif)
{
    return run(lif, true);
}

uint32_t snn_lif_step(const struct snn_lif *lif)
{
    return WIDE && lif->clamped != 0 ? run_clamped(lif) : run(lif, false);
}

#endif
