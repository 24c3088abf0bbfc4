/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#if SNN_X86_KERNELS

#include "snn/fixed_point.h"
#include "lanes.h"

#include <immintrin.h>

/* The kernels for x86-64 with AVX2: 16 sums of 16 bits a turn. */

#define AVX2 __attribute__((target("popcnt,avx2")))
#define AVX2_INLINE static inline __attribute__((target("popcnt,avx2"), always_inline))

AVX2_INLINE __m256i widen_s16(const int8_t *weights)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)weights));
}

AVX2_INLINE __m256i widen_s32(const int8_t *weights)
{
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)weights));
}

AVX2_INLINE __m256i load(const void *from)
{
    return _mm256_loadu_si256((const __m256i *)from);
}

AVX2_INLINE void store(void *to, __m256i value)
{
    _mm256_storeu_si256((__m256i *)to, value);
}

/* ---- Rows: a block of columns stays in registers while all rows of the set pass ---- */

/**
 * Adds two rows, column by column: their bytes are put side by side, and a multiplication by 1 adds
 * every two neighbours to one int16. The low halves of 128 bits hold columns 0 to 7 and 16
 * to 23 in `first`, the other columns in `second`.
 */
AVX2_INLINE void add_pair(__m256i *first, __m256i *second, __m256i one, __m256i other)
{
    const __m256i ones = _mm256_set1_epi8(1);
    *first = _mm256_add_epi16(*first, _mm256_maddubs_epi16(ones, _mm256_unpacklo_epi8(one, other)));
    *second =
        _mm256_add_epi16(*second, _mm256_maddubs_epi16(ones, _mm256_unpackhi_epi8(one, other)));
}

/**
 * Sum of 16 columns over the rows of a set, as int16: 128 rows of int8 stay within 2^14.
 */
AVX2_INLINE __m256i gather_16(const struct snn_row_set *set, uint32_t column)
{
    __m256i total = _mm256_setzero_si256();
    for (uint32_t i = 0; i < set->count; i++) {
        total = _mm256_add_epi16(
            total, widen_s16(set->weights + (size_t)set->rows[i] * set->columns + column));
    }
    return total;
}

/** The same of 32 * blocks columns, two rows at a time. */
AVX2_INLINE void gather_rows(__m256i *total, const struct snn_row_set *set, uint32_t column,
                             int blocks)
{
    __m256i first[4];
    __m256i second[4];
    const int8_t *weights = set->weights + column;
    const size_t columns = set->columns;
    uint32_t i = 0;
    for (int b = 0; b < blocks; b++) {
        first[b] = _mm256_setzero_si256();
        second[b] = _mm256_setzero_si256();
    }
    for (; i + 2 <= set->count; i += 2) {
        const int8_t *one = weights + set->rows[i] * columns;
        const int8_t *other = weights + set->rows[i + 1] * columns;
        for (int b = 0; b < blocks; b++) {
            add_pair(&first[b], &second[b], load(one + 32 * b), load(other + 32 * b));
        }
    }
    if (i < set->count) {
        const int8_t *one = weights + set->rows[i] * columns;
        for (int b = 0; b < blocks; b++) {
            add_pair(&first[b], &second[b], load(one + 32 * b), _mm256_setzero_si256());
        }
    }
    for (int b = 0; b < blocks; b++) {
        total[2 * b] = _mm256_permute2x128_si256(first[b], second[b], 0x20);
        total[2 * b + 1] = _mm256_permute2x128_si256(first[b], second[b], 0x31);
    }
}

AVX2_INLINE void put_s16(int16_t *to, __m256i total, __m128i shift)
{
    store(to, _mm256_add_epi16(load(to), _mm256_sll_epi16(total, shift)));
}

AVX2_INLINE void put_s32(int32_t *to, __m256i total, __m128i shift)
{
    const __m256i low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(total));
    const __m256i high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(total, 1));
    store(to, _mm256_add_epi32(load(to), _mm256_sll_epi32(low, shift)));
    store(to + 8, _mm256_add_epi32(load(to + 8), _mm256_sll_epi32(high, shift)));
}

AVX2_INLINE void put_rows_s16(int16_t *sum, const struct snn_row_set *set, uint32_t column,
                              int blocks)
{
    __m256i total[8];
    const __m128i shift = _mm_cvtsi32_si128((int)set->shift);
    gather_rows(total, set, column, blocks);
    for (int b = 0; b < 2 * blocks; b++) {
        put_s16(sum + column + 16 * b, total[b], shift);
    }
}

AVX2_INLINE void put_rows_s32(int32_t *sum, const struct snn_row_set *set, uint32_t column,
                              int blocks)
{
    __m256i total[8];
    const __m128i shift = _mm_cvtsi32_si128((int)set->shift);
    gather_rows(total, set, column, blocks);
    for (int b = 0; b < 2 * blocks; b++) {
        put_s32(sum + column + 16 * b, total[b], shift);
    }
}

AVX2 static void add_rows_s16(int16_t *sum, const struct snn_row_set *set)
{
    uint32_t column = 0;
    for (; column + 128 <= set->columns; column += 128) {
        put_rows_s16(sum, set, column, 4);
    }
    for (; column + 32 <= set->columns; column += 32) {
        put_rows_s16(sum, set, column, 1);
    }
    if (column + 16 <= set->columns) {
        put_s16(sum + column, gather_16(set, column), _mm_cvtsi32_si128((int)set->shift));
        column += 16;
    }
    for (uint32_t i = 0; column < set->columns && i < set->count; i++) {
        const int8_t *row = set->weights + (size_t)set->rows[i] * set->columns;
        for (uint32_t j = column; j < set->columns; j++) {
            sum[j] = snn_s16((uint32_t)sum[j] + ((uint32_t)row[j] << set->shift));
        }
    }
}

AVX2 static void add_rows_s32(int32_t *sum, const struct snn_row_set *set)
{
    uint32_t column = 0;
    for (; column + 128 <= set->columns; column += 128) {
        put_rows_s32(sum, set, column, 4);
    }
    for (; column + 32 <= set->columns; column += 32) {
        put_rows_s32(sum, set, column, 1);
    }
    if (column + 16 <= set->columns) {
        put_s32(sum + column, gather_16(set, column), _mm_cvtsi32_si128((int)set->shift));
        column += 16;
    }
    for (uint32_t i = 0; column < set->columns && i < set->count; i++) {
        const int8_t *row = set->weights + (size_t)set->rows[i] * set->columns;
        for (uint32_t j = column; j < set->columns; j++) {
            sum[j] = snn_s32((uint32_t)sum[j] + ((uint32_t)row[j] << set->shift));
        }
    }
}

/**
 * `value` in the low half of every 32-bit lane: madd with a sign-extended weight is then their
 * product.
 */
AVX2_INLINE __m256i low_halves(int32_t value)
{
    return _mm256_set1_epi32(value & 0xFFFF);
}

AVX2_INLINE void mac_block(int32_t *sum, const struct snn_row_set *set, const int32_t *values,
                           uint32_t column, int blocks)
{
    __m256i total[8];
    for (int b = 0; b < blocks; b++) {
        total[b] = load(sum + column + 8 * b);
    }
    for (uint32_t i = 0; i < set->count; i++) {
        const int8_t *row = set->weights + (size_t)set->rows[i] * set->columns + column;
        const __m256i value = low_halves(values[i]);
        for (int b = 0; b < blocks; b++) {
            total[b] = _mm256_add_epi32(total[b], _mm256_madd_epi16(widen_s32(row + 8 * b), value));
        }
    }
    for (int b = 0; b < blocks; b++) {
        store(sum + column + 8 * b, total[b]);
    }
}

/** Whether every value fits the 16 bits of a madd; sums of a pool may not. */
static bool all_s16(const int32_t *values, uint32_t count)
{
    bool fits = true;
    for (uint32_t i = 0; i < count; i++) {
        fits = fits && values[i] >= INT16_MIN && values[i] <= INT16_MAX;
    }
    return fits;
}

AVX2 static void mac_rows(int32_t *sum, const struct snn_row_set *set, const int32_t *values)
{
    uint32_t column = 0;
    if (!all_s16(values, set->count)) {
        snn_kernels_portable.mac_rows(sum, set, values);
        return;
    }
    for (; column + 64 <= set->columns; column += 64) {
        mac_block(sum, set, values, column, 8);
    }
    for (; column + 8 <= set->columns; column += 8) {
        mac_block(sum, set, values, column, 1);
    }
    for (uint32_t i = 0; column < set->columns && i < set->count; i++) {
        const int8_t *row = set->weights + (size_t)set->rows[i] * set->columns;
        for (uint32_t j = column; j < set->columns; j++) {
            sum[j] += values[i] * row[j];
        }
    }
}

/* ---- Taps ---- */

/** Lanes that are summed in int16: 3 * 64 of int8 stay within it. */
enum { MOST_LANES = 3 * SNN_LANE_BITS };

/** Lanes at work: where their weights begin. */
struct lanes {
    uint32_t count;
    uint32_t offsets[MOST_LANES];
};

AVX2_INLINE void put(void *sum, size_t at, __m256i total, __m128i shift, bool wide)
{
    if (wide) {
        put_s32((int32_t *)sum + at, total, shift);
    } else {
        put_s16((int16_t *)sum + at, total, shift);
    }
}

/**
 * 32 channels of `rows` taps below each other: the lanes are summed in registers, two at a time,
 * then each sum is loaded and stored once. A constant `rows` unrolls the loops.
 */
AVX2_INLINE void add_column_32(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                               size_t target, const int8_t *weights, int rows, bool wide)
{
    __m256i first[3];
    __m256i second[3];
    const __m128i shift = _mm_cvtsi32_si128((int)taps->shift);
    const size_t step = taps->weight_step_y;
    const size_t back = taps->target_step_y;
    const uint32_t *lane = lanes->offsets;
    const uint32_t *const end = lane + lanes->count;
    /* An odd lane, else 0 times a lane: a branch that goes either way at random costs more. */
    const uint32_t odd = lanes->count & 1;
    const __m256i factor = _mm256_set1_epi8((char)odd);
    for (int a = 0; a < rows; a++) {
        const __m256i one = load(weights + lane[0] + (size_t)a * step);
        const __m256i zero = _mm256_setzero_si256();
        first[a] = _mm256_maddubs_epi16(factor, _mm256_unpacklo_epi8(one, zero));
        second[a] = _mm256_maddubs_epi16(factor, _mm256_unpackhi_epi8(one, zero));
    }
    for (lane += odd; lane < end; lane += 2) {
        const int8_t *one = weights + lane[0];
        const int8_t *other = weights + lane[1];
        for (int a = 0; a < rows; a++) {
            add_pair(&first[a], &second[a], load(one + (size_t)a * step),
                     load(other + (size_t)a * step));
        }
    }
    for (int a = 0; a < rows; a++, target -= back) {
        put(sum, target, _mm256_permute2x128_si256(first[a], second[a], 0x20), shift, wide);
        put(sum, target + 16, _mm256_permute2x128_si256(first[a], second[a], 0x31), shift, wide);
    }
}

/** The same for 16 channels, lane by lane. */
AVX2_INLINE void add_column_16(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                               size_t target, const int8_t *weights, int rows, bool wide)
{
    __m256i total[3];
    const __m128i shift = _mm_cvtsi32_si128((int)taps->shift);
    const size_t step = taps->weight_step_y;
    const size_t back = taps->target_step_y;
    for (int a = 0; a < rows; a++) {
        total[a] = _mm256_setzero_si256();
    }
    for (uint32_t i = 0; i < lanes->count; i++) {
        const int8_t *from = weights + lanes->offsets[i];
        for (int a = 0; a < rows; a++) {
            total[a] = _mm256_add_epi16(total[a], widen_s16(from + (size_t)a * step));
        }
    }
    for (int a = 0; a < rows; a++, target -= back) {
        put(sum, target, total[a], shift, wide);
    }
}

/** Channels that do not fill 16 lanes, one tap. */
AVX2_INLINE void add_rest(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                          size_t target, size_t weight, uint32_t j, bool wide)
{
    for (; j < taps->length; j++) {
        int32_t lane_sum = 0;
        for (uint32_t i = 0; i < lanes->count; i++) {
            lane_sum += taps->weights[weight + lanes->offsets[i] + j];
        }
        const uint32_t total = (uint32_t)lane_sum << taps->shift;
        if (wide) {
            int32_t *to = (int32_t *)sum + target + j;
            *to = snn_s32((uint32_t)*to + total);
        } else {
            int16_t *to = (int16_t *)sum + target + j;
            *to = snn_s16((uint32_t)*to + total);
        }
    }
}

/** `rows` taps below each other, all channels. */
AVX2_INLINE void add_column(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                            size_t target, size_t weight, int rows, bool wide)
{
    const int8_t *weights = taps->weights + weight;
    uint32_t j = 0;
    for (; j + 32 <= taps->length; j += 32) {
        add_column_32(sum, taps, lanes, target + j, weights + j, rows, wide);
    }
    if (j + 16 <= taps->length) {
        add_column_16(sum, taps, lanes, target + j, weights + j, rows, wide);
        j += 16;
    }
    for (int a = 0; j < taps->length && a < rows; a++) {
        add_rest(sum, taps, lanes, target - (size_t)a * taps->target_step_y,
                 weight + (size_t)a * taps->weight_step_y, j, wide);
    }
}

/** All taps below each other. */
AVX2_INLINE void add_columns(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                             size_t target, uint32_t rows, bool wide)
{
    if (rows == 3) {
        add_column(sum, taps, lanes, target, 0, 3, wide);
        return;
    }
    for (uint32_t a = 0; a < rows; a++) {
        add_column(sum, taps, lanes, target - (size_t)a * taps->target_step_y,
                   (size_t)a * taps->weight_step_y, 1, wide);
    }
}

/** Adds a hit of any size, tap by tap; returns its synapses. */
AVX2 static uint64_t add_hit(void *sum, const struct snn_taps *taps, const struct snn_hit *hit,
                             bool wide)
{
    struct lanes lanes;
    uint64_t synapses = 0;
    lanes.count = snn_expand(taps, hit, lanes.offsets, &synapses);
    for (uint32_t a = 0; a < hit->taps_y; a++) {
        for (uint32_t b = 0; b < hit->taps_x; b++) {
            add_column(sum, taps, &lanes,
                       hit->target - (size_t)a * taps->target_step_y -
                           (size_t)b * taps->target_step_x,
                       (size_t)a * taps->weight_step_y + (size_t)b * taps->weight_step_x, 1, wide);
        }
    }
    return synapses;
}

/** Adds a hit of one lane and 3 x 3 taps of 16 channels. */
AVX2_INLINE void add_single(void *sum, const struct snn_taps *taps, const struct snn_hit *hit,
                            uint32_t offset, bool wide)
{
    const __m128i shift = _mm_cvtsi32_si128((int)taps->shift);
    size_t target = hit->target;
    const int8_t *weights = taps->weights + offset;
    for (int a = 0; a < 3; a++) {
        for (uint32_t b = 0; b < 3; b++) {
            put(sum, target - b * taps->target_step_x,
                widen_s16(weights + b * taps->weight_step_x), shift, wide);
        }
        target -= taps->target_step_y;
        weights += taps->weight_step_y;
    }
}

/**
 * Hits of neighbouring cells share targets. For each of up to three targets side by side a window
 * collects the lanes of all hits that reach it, so that its sums are loaded and stored once.
 */
struct window {
    struct lanes lanes[3]; /**< of the targets at `target` and at one and two steps more */
    size_t target;
    uint32_t used; /**< targets */
    uint32_t rows; /**< taps below each other, of all hits */
};

/**
 * Appends a hit's lanes to those of the targets that its columns of taps reach, the first column's
 * last. Adds their synapses.
 */
AVX2_INLINE void join(struct lanes *const order[3], const struct snn_taps *taps,
                      const struct snn_hit *hit, uint32_t columns, uint64_t *synapses)
{
    const struct snn_lane *lane = taps->lane + hit->lane;
    const uint32_t first = hit->tap * taps->length;
    uint32_t *to[3];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < columns; i++) {
        to[i] = order[i]->offsets + order[i]->count;
    }
    size_t count = 0;
    for (snn_lanes left = hit->lanes; left != 0; left &= left - 1, count++) {
        const struct snn_lane *one = lane + snn_lowest_lane(left);
        const uint32_t offset = one->run * taps->length + first;
        for (uint32_t i = 0; i < columns; i++) {
            to[i][count] = offset + (columns - 1 - i) * taps->weight_step_x;
        }
        sum += one->synapses;
    }
    for (uint32_t i = 0; i < columns; i++) {
        order[i]->count += (uint32_t)count;
    }
    *synapses += sum;
}

/** Adds hits whose targets and weights lie side by side in whole vectors. */
AVX2_INLINE uint64_t scatter_dense(void *sum, const struct snn_taps *taps,
                                   const struct snn_hit *hits, uint32_t count, bool wide)
{
    struct window window;
    struct lanes *order[3] = {&window.lanes[0], &window.lanes[1], &window.lanes[2]};
    uint64_t synapses = 0;
    window.target = 0;
    window.used = 0;
    window.rows = 0;
    for (int i = 0; i < 3; i++) {
        window.lanes[i].count = 0;
    }
    for (const struct snn_hit *hit = hits;; hit++) {
        const bool end = hit == hits + count;
        const uint32_t columns = end ? 0 : hit->taps_x;
        if (!end && columns - 1 > 2) {
            synapses += add_hit(sum, taps, hit, wide);
            continue;
        }
        if (taps->length == 16 && columns == 3 && hit->taps_y == 3 &&
            (hit->lanes & (hit->lanes - 1)) == 0) {
            const struct snn_lane *lane = taps->lane + hit->lane + snn_lowest_lane(hit->lanes);
            add_single(sum, taps, hit, (lane->run + hit->tap) * taps->length, wide);
            synapses += lane->synapses;
            continue;
        }
        /* A cell of many spikes has several hits, which may be more than a target's lanes hold. */
        const size_t low = end ? 0 : hit->target - (size_t)((columns - 1) * taps->length);
        const bool all = end || hit->taps_y != window.rows || low < window.target ||
                         order[0]->count > MOST_LANES - SNN_LANE_BITS;
        while (window.used > 0 && (all || window.target < low)) {
            struct lanes *const done = order[0];
            add_columns(sum, taps, done, window.target, window.rows, wide);
            done->count = 0;
            order[0] = order[1];
            order[1] = order[2];
            order[2] = done;
            window.used--;
            window.target += taps->length;
        }
        if (end) {
            return synapses;
        }
        window.target = low;
        window.rows = hit->taps_y;
        window.used = columns;
        if (columns == 3) {
            join(order, taps, hit, 3, &synapses);
        } else {
            join(order, taps, hit, columns, &synapses);
        }
    }
}

/** Adds hits; the usual lengths are constants to the compiler. */
AVX2_INLINE uint64_t scatter(void *sum, const struct snn_taps *whole, const struct snn_hit *hits,
                             uint32_t count, bool wide)
{
    struct snn_taps taps = *whole; /* a copy that stores to `sum` cannot change */
    const bool dense = taps.length == taps.target_step_x && taps.length == taps.weight_step_x &&
                       taps.length % 16 == 0;
    if (dense && taps.length == 32 && !wide) {
        taps.length = taps.target_step_x = taps.weight_step_x = 32;
        return scatter_dense(sum, &taps, hits, count, wide);
    }
    if (dense && taps.length == 16 && !wide) {
        taps.length = taps.target_step_x = taps.weight_step_x = 16;
        return scatter_dense(sum, &taps, hits, count, wide);
    }
    if (dense) {
        return scatter_dense(sum, &taps, hits, count, wide);
    }
    uint64_t synapses = 0;
    for (uint32_t i = 0; i < count; i++) {
        synapses += add_hit(sum, &taps, &hits[i], wide);
    }
    return synapses;
}

AVX2 static uint64_t add_taps_s16(int16_t *sum, const struct snn_taps *taps,
                                  const struct snn_hit *hits, uint32_t count)
{
    return scatter(sum, taps, hits, count, false);
}

AVX2 static uint64_t add_taps_s32(int32_t *sum, const struct snn_taps *taps,
                                  const struct snn_hit *hits, uint32_t count)
{
    return scatter(sum, taps, hits, count, true);
}

AVX2_INLINE void mac_run(int32_t *sum, const int8_t *weights, uint32_t length, int32_t value,
                         __m256i halves)
{
    uint32_t j = 0;
    for (; j + 8 <= length; j += 8) {
        store(sum + j,
              _mm256_add_epi32(load(sum + j), _mm256_madd_epi16(widen_s32(weights + j), halves)));
    }
    for (; j < length; j++) {
        sum[j] += value * weights[j];
    }
}

/** `columns` taps side by side. */
AVX2_INLINE void mac_line(int32_t *sum, const struct snn_taps *taps, const int8_t *weights,
                          uint32_t columns, int32_t value, __m256i halves)
{
    for (uint32_t b = 0; b < columns; b++) {
        mac_run(sum, weights, taps->length, value, halves);
        sum -= taps->target_step_x;
        weights += taps->weight_step_x;
    }
}

AVX2_INLINE void mac_hits(int32_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                          const int32_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const __m256i value = low_halves(values[i]);
        const int8_t *weights = snn_hit_weights(taps, &hits[i]);
        int32_t *to = sum + hits[i].target;
        for (uint32_t a = 0; a < hits[i].taps_y; a++) {
            mac_line(to, taps, weights, hits[i].taps_x, values[i], value);
            to -= taps->target_step_y;
            weights += taps->weight_step_y;
        }
    }
}

AVX2 static void mac_taps(int32_t *sum, const struct snn_taps *whole, const struct snn_hit *hits,
                          const int32_t *values, uint32_t count)
{
    struct snn_taps taps = *whole;
    if (!all_s16(values, count)) {
        snn_kernels_portable.mac_taps(sum, whole, hits, values, count);
    } else if (taps.length == 16 && taps.target_step_x == 16 && taps.weight_step_x == 16) {
        taps.length = taps.target_step_x = taps.weight_step_x = 16;
        mac_hits(sum, &taps, hits, values, count);
    } else {
        mac_hits(sum, &taps, hits, values, count);
    }
}

/* ---- Neurons ---- */

/**
 * trunc0(v * leak / 2^15): the magnitude, at most 2^15 and unsigned, times an unsigned leak, then
 * the sign back.
 */
AVX2_INLINE __m256i leak_16(__m256i v, __m256i leak)
{
    const __m256i magnitude = _mm256_abs_epi16(v);
    const __m256i high = _mm256_slli_epi16(_mm256_mulhi_epu16(magnitude, leak), 1);
    const __m256i low = _mm256_srli_epi16(_mm256_mullo_epi16(magnitude, leak), 15);
    const __m256i sign = _mm256_srai_epi16(v, 15);
    return _mm256_sub_epi16(_mm256_xor_si256(_mm256_or_si256(high, low), sign), sign);
}

/** 16 parameters for the neurons at `index` of a period. */
AVX2_INLINE __m256i parameter_16(const struct snn_parameter *parameter, uint32_t index)
{
    const int16_t *values = parameter->values;
    return parameter->period == 1 ? _mm256_set1_epi16(values[0]) : load(values + index);
}

AVX2 static void leak(int16_t *membrane, const struct snn_parameter *parameter, uint32_t count)
{
    uint32_t at = 0;
    uint32_t i = 0;
    for (; i + 32 <= count; i += 32) {
        store(membrane + i, leak_16(load(membrane + i), parameter_16(parameter, at)));
        store(membrane + i + 16,
              leak_16(load(membrane + i + 16),
                      parameter_16(parameter, parameter->period == 1 ? 0 : at + 16)));
        at = at + 32 < parameter->period ? at + 32 : 0;
    }
    const uint16_t *leaks = parameter->values;
    for (; i < count; i++) {
        membrane[i] = snn_leak_s16(membrane[i], leaks[at]);
        at = at + 1 < parameter->period ? at + 1 : 0;
    }
}

/** 32 lanes of 0 or -1, in two halves, as bits. */
AVX2_INLINE uint32_t to_bits(__m256i first, __m256i second)
{
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(first, second), 0xD8);
    return (uint32_t)_mm256_movemask_epi8(packed);
}

/**
 * v + sum + offset + common in 32 bits, clamped: 8 lanes; `kept` is 0 where the clamp did
 * something, else -1.
 */
AVX2_INLINE __m256i integrate_8(const struct snn_lif_pass *pass, __m128i v, int32_t *sum,
                                uint32_t offset_index, __m256i *kept)
{
    __m256i u = _mm256_add_epi32(_mm256_cvtepi16_epi32(v), load(sum));
    u = _mm256_add_epi32(u, _mm256_set1_epi32(pass->common));
    if (pass->offset.values != NULL) {
        u = _mm256_add_epi32(u, load((const int32_t *)pass->offset.values + offset_index));
    }
    store(sum, _mm256_setzero_si256());
    const __m256i clamped = _mm256_min_epi32(_mm256_max_epi32(u, _mm256_set1_epi32(pass->floor)),
                                             _mm256_set1_epi32(pass->ceiling));
    *kept = _mm256_cmpeq_epi32(clamped, u);
    return clamped;
}

/** Integrates 16 neurons; `kept` is 0 in lanes that saturated, else -1. */
AVX2_INLINE __m256i integrate_16(const struct snn_lif_pass *pass, __m256i v, uint32_t i,
                                 uint32_t offset_index, __m256i *kept, int accumulator)
{
    if (accumulator == SNN_ACCUMULATOR_S32) {
        int32_t *sum = (int32_t *)pass->sum + i;
        __m256i low_kept;
        __m256i high_kept;
        const __m256i low =
            integrate_8(pass, _mm256_castsi256_si128(v), sum, offset_index, &low_kept);
        const __m256i high = integrate_8(pass, _mm256_extracti128_si256(v, 1), sum + 8,
                                         offset_index + 8, &high_kept);
        *kept = _mm256_permute4x64_epi64(_mm256_packs_epi32(low_kept, high_kept), 0xD8);
        return _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
    }
    __m256i sum = _mm256_set1_epi16(snn_s16((uint32_t)pass->common));
    if (accumulator == SNN_ACCUMULATOR_S16) {
        int16_t *from = (int16_t *)pass->sum + i;
        sum = _mm256_add_epi16(sum, load(from));
        store(from, _mm256_setzero_si256());
    }
    if (pass->offset.values != NULL) {
        sum = _mm256_add_epi16(sum, load((const int16_t *)pass->offset.values + offset_index));
    }
    /*
     * u = v + sum with |v| <= 2^15, |sum| < 2^15. Where it fits int16 both sums below are u. Where
     * it does not, the saturated one clamps as u would, and the wrapped one has the other sign: it
     * cannot equal the clamped value, which has u's sign or is 0, as only u = -2^16 wraps to 0.
     * DIRECT: u fits, but v holds it modulo 2^16 until here, so the wrapped sum is u.
     */
    const __m256i wrapped = _mm256_add_epi16(v, sum);
    const __m256i u = accumulator == SNN_ACCUMULATOR_DIRECT ? wrapped : _mm256_adds_epi16(v, sum);
    const __m256i clamped = _mm256_min_epi16(_mm256_max_epi16(u, _mm256_set1_epi16(pass->floor)),
                                             _mm256_set1_epi16(pass->ceiling));
    *kept = _mm256_cmpeq_epi16(clamped, wrapped);
    return clamped;
}

/** Places of the parameters of a word of 32 neurons. */
struct places {
    uint32_t threshold, leak, offset;
};

/** What the neurons of a pass have in common. */
struct rule {
    const int16_t *threshold; /**< where all have the same one: 32 of it */
    /** 1 where a membrane at the threshold fires, and thresholds are at least 1; else 0 */
    __m256i below;
    __m256i reset_to;
    bool subtract;
};

/** 16 neurons: new membranes are stored, lanes that spike returned. */
AVX2_INLINE __m256i step_16(const struct snn_lif_pass *pass, const struct rule *rule, uint32_t i,
                            const struct places *at, uint32_t half, __m256i *kept, __m256i *any,
                            int accumulator, bool leaky)
{
    __m256i v = load(pass->membrane + i);
    if (leaky) {
        v = leak_16(v, parameter_16(&pass->leak, at->leak + half));
    }
    v = integrate_16(pass, v, i, at->offset + half, kept, accumulator);
    const __m256i threshold = load(rule->threshold + at->threshold + half);
    const __m256i spikes = _mm256_cmpgt_epi16(v, _mm256_sub_epi16(threshold, rule->below));
    v = rule->subtract ? _mm256_sub_epi16(v, _mm256_and_si256(spikes, threshold))
                       : _mm256_blendv_epi8(v, rule->reset_to, spikes);
    store(pass->membrane + i, v);
    *any = _mm256_or_si256(*any, v);
    return spikes;
}

AVX2_INLINE uint32_t next_place(uint32_t at, uint32_t period)
{
    return at + 32 < period ? at + 32 : 0;
}

AVX2_INLINE void step_words(struct snn_lif_pass *whole, int accumulator, bool leaky, bool plain)
{
    /*
     * A copy whose address stays here, which stores through other pointers cannot change: it lives
     * in registers.
     */
    struct snn_lif_pass copy = *whole;
    const struct snn_lif_pass *pass = &copy;
    const uint32_t words = pass->count / 32;
    const int16_t to = pass->reset == SNN_RESET_ZERO ? 0 : pass->reset_value;
    const int16_t *thresholds = pass->threshold.values;
    int16_t same[32];
    for (int i = 0; i < 32; i++) {
        same[i] = thresholds[0];
    }
    const struct rule rule = {pass->threshold.period == 1 ? same : thresholds,
                              _mm256_set1_epi16(pass->compare == SNN_GREATER ? 0 : 1),
                              _mm256_set1_epi16(to), plain || pass->reset == SNN_RESET_SUBTRACT};
    if (plain) {
        copy.offset.values = NULL;
    }
    uint32_t spike_count = 0;
    uint32_t saturations = 0;
    struct places at = {0, 0, 0};
    __m256i any = _mm256_setzero_si256();
    for (uint32_t word = 0; word < words; word++) {
        __m256i kept[2];
        const __m256i first =
            step_16(pass, &rule, word * 32, &at, 0, &kept[0], &any, accumulator, leaky);
        const __m256i second =
            step_16(pass, &rule, word * 32 + 16, &at, 16, &kept[1], &any, accumulator, leaky);
        const uint32_t spikes = to_bits(first, second);
        pass->spikes[word] = spikes;
        spike_count += (uint32_t)__builtin_popcount(spikes);
        if (_mm256_movemask_epi8(_mm256_and_si256(kept[0], kept[1])) != -1) {
            saturations += (uint32_t)__builtin_popcount(~to_bits(kept[0], kept[1]));
        }
        at.threshold = next_place(at.threshold, pass->threshold.period);
        if (!plain) {
            at.offset = next_place(at.offset, pass->offset.period);
        }
        if (leaky) {
            at.leak = next_place(at.leak, pass->leak.period);
        }
    }
    whole->spike_count += spike_count;
    whole->saturations += saturations;
    whole->any_membrane = whole->any_membrane || _mm256_testz_si256(any, any) == 0;
    snn_lif_from(whole, words * 32);
}

AVX2 static void lif(struct snn_lif_pass *pass)
{
    const bool leaky = pass->leak.values != NULL;
    const bool plain = pass->offset.values == NULL && pass->reset == SNN_RESET_SUBTRACT;
    if (pass->refractory != NULL) {
        snn_lif_from(pass, 0);
    } else if (pass->accumulator == SNN_ACCUMULATOR_DIRECT) {
        if (plain) {
            step_words(pass, SNN_ACCUMULATOR_DIRECT, false, true);
        } else {
            step_words(pass, SNN_ACCUMULATOR_DIRECT, false, false);
        }
    } else if (pass->accumulator == SNN_ACCUMULATOR_S32) {
        step_words(pass, SNN_ACCUMULATOR_S32, leaky, false);
    } else if (leaky && plain) {
        step_words(pass, SNN_ACCUMULATOR_S16, true, true);
    } else if (leaky) {
        step_words(pass, SNN_ACCUMULATOR_S16, true, false);
    } else if (plain) {
        step_words(pass, SNN_ACCUMULATOR_S16, false, true);
    } else {
        step_words(pass, SNN_ACCUMULATOR_S16, false, false);
    }
}

/**
 * Takes two words at a time: how many spikes a piece of the map holds is hard to predict, so the
 * loop asks half as often.
 */
AVX2 static uint32_t find_spikes(const uint32_t *bits, uint32_t words, uint32_t *word,
                                 uint32_t indices[SNN_CHUNK])
{
    uint32_t *to = indices;
    uint32_t at = *word;
    for (; at < words && to <= indices + SNN_CHUNK - 64; at += 2) {
        const uint64_t upper = at + 1 < words ? bits[at + 1] : 0;
        for (uint64_t left = bits[at] | upper << 32; left != 0; left &= left - 1) {
            *to++ = at * 32 + (uint32_t)__builtin_ctzll(left);
        }
    }
    *word = at;
    return (uint32_t)(to - indices);
}

const struct snn_kernels snn_kernels_avx2 = {add_rows_s16, add_rows_s32, add_taps_s16,
                                             add_taps_s32, mac_rows,     mac_taps,
                                             leak,         lif,          find_spikes};

#endif
