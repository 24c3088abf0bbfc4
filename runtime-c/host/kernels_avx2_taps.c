/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels_avx2.h"

#if SNN_X86_KERNELS

#include "snn/fixed_point.h"
#include "lanes.h"

/* AVX2: the taps of a convolution. */

/** The most lanes that are summed in int16: 3 * 64 weights of int8 stay within it. */
enum { MOST_LANES = 3 * SNN_LANE_BITS };

/** The lanes to be added to a target: where the weights of each begin. */
struct lanes {
    const uint32_t *offsets;
    uint32_t count;
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
 * Adds 32 channels of `rows` taps that lie below each other. The lanes are summed in registers, two
 * at a time, then each sum is loaded and stored once. `rows` is a constant: GCC would unroll the
 * loops over it unasked, but so late that the totals lie in memory.
 */
AVX2_INLINE void add_column_32(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                               size_t target, size_t weight, int rows, bool wide)
{
    __m256i first[3];
    __m256i second[3];
    const __m128i shift = _mm_cvtsi32_si128((int)taps->shift);
    const size_t step = taps->weight_step_y;
    const size_t back = taps->target_step_y;
    const uint32_t *lane = lanes->offsets;
    const uint32_t *const end = lane + lanes->count;
    /*
     * If the number of lanes is odd, the first lane is added alone here, else 0 times: a branch,
     * which would go either way at random, costs more.
     */
    const uint32_t odd = lanes->count & 1;
    const __m256i factor = _mm256_set1_epi8((char)odd);
#pragma GCC unroll 3
    for (int a = 0; a < rows; a++) {
        const __m256i one = load(taps->weights + (weight + lane[0]) + (size_t)a * step);
        const __m256i zero = _mm256_setzero_si256();
        first[a] = _mm256_maddubs_epi16(factor, _mm256_unpacklo_epi8(one, zero));
        second[a] = _mm256_maddubs_epi16(factor, _mm256_unpackhi_epi8(one, zero));
    }
    for (lane += odd; lane < end; lane += 2) {
        const int8_t *one = taps->weights + (weight + lane[0]);
        const int8_t *other = taps->weights + (weight + lane[1]);
#pragma GCC unroll 3
        for (int a = 0; a < rows; a++) {
            add_pair(&first[a], &second[a], load(one + (size_t)a * step),
                     load(other + (size_t)a * step));
        }
    }
#pragma GCC unroll 3
    for (int a = 0; a < rows; a++, target -= back) {
        put(sum, target, _mm256_permute2x128_si256(first[a], second[a], 0x20), shift, wide);
        put(sum, target + 16, _mm256_permute2x128_si256(first[a], second[a], 0x31), shift, wide);
    }
}

/** Does what add_column_32 does for 16 channels, lane by lane. */
AVX2_INLINE void add_column_16(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                               size_t target, size_t weight, int rows, bool wide)
{
    __m256i total[3];
    const __m128i shift = _mm_cvtsi32_si128((int)taps->shift);
    const size_t step = taps->weight_step_y;
    const size_t back = taps->target_step_y;
    for (int a = 0; a < rows; a++) {
        total[a] = _mm256_setzero_si256();
    }
    for (uint32_t i = 0; i < lanes->count; i++) {
        const int8_t *from = taps->weights + (weight + lanes->offsets[i]);
        for (int a = 0; a < rows; a++) {
            total[a] = _mm256_add_epi16(total[a], widen_s16(from + (size_t)a * step));
        }
    }
    for (int a = 0; a < rows; a++, target -= back) {
        put(sum, target, total[a], shift, wide);
    }
}

/** Adds the channels of one tap from channel j on, which do not fill a vector of 16. */
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

/** Adds all channels of `rows` taps that lie below each other; `rows` is a constant. */
AVX2_INLINE void add_column(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                            size_t target, size_t weight, int rows, bool wide)
{
    uint32_t j = 0;
    for (; j + 32 <= taps->length; j += 32) {
        add_column_32(sum, taps, lanes, target + j, weight + j, rows, wide);
    }
    if (j + 16 <= taps->length) {
        add_column_16(sum, taps, lanes, target + j, weight + j, rows, wide);
        j += 16;
    }
    for (int a = 0; j < taps->length && a < rows; a++) {
        add_rest(sum, taps, lanes, target - (size_t)a * taps->target_step_y,
                 weight + (size_t)a * taps->weight_step_y, j, wide);
    }
}

/**
 * Does what add_column_32 does for 3 taps and int16 sums, the most usual case. It is a function of
 * its own so that the sums have the registers to themselves.
 */
AVX2 static __attribute__((noinline)) void add_column_3x32(int16_t *sum,
                                                           const struct snn_taps *taps,
                                                           const struct lanes *lanes, size_t target,
                                                           size_t weight)
{
    add_column_32(sum, taps, lanes, target, weight, 3, false);
}

/** Adds all channels of any number of taps that lie below each other. */
AVX2_INLINE void add_columns(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                             size_t target, size_t weight, uint32_t rows, bool wide)
{
    if (rows == 3 && taps->length == 32 && !wide) {
        add_column_3x32(sum, taps, lanes, target, weight);
        return;
    }
    if (rows == 3) {
        add_column(sum, taps, lanes, target, weight, 3, wide);
        return;
    }
    for (uint32_t a = 0; a < rows; a++) {
        add_column(sum, taps, lanes, target - (size_t)a * taps->target_step_y,
                   weight + (size_t)a * taps->weight_step_y, 1, wide);
    }
}

/** Adds a hit of any size, tap by tap; returns its synapses. */
AVX2 static uint64_t add_hit(void *sum, const struct snn_taps *taps, const struct snn_hit *hit,
                             bool wide)
{
    uint32_t offsets[SNN_LANE_BITS];
    uint64_t synapses = 0;
    const struct lanes lanes = {offsets, snn_expand(taps, hit, offsets, &synapses)};
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
            put(sum, target - b * taps->target_step_x, widen_s16(weights + b * taps->weight_step_x),
                shift, wide);
        }
        target -= taps->target_step_y;
        weights += taps->weight_step_y;
    }
}

/**
 * Hits of neighbouring cells share targets, so the lanes of all hits of a call stand in one list,
 * and a target takes a stretch of it: its sums are loaded and stored once. The window holds
 * the targets side by side that have lanes already and may get more. Each of them has all lanes
 * from its first one to the end of the list.
 */
struct window {
    size_t target;     /**< the first */
    uint32_t first[3]; /**< by target: the number in the list of its first lane */
    uint32_t used;     /**< number of targets */
    uint32_t rows;     /**< taps below each other, the same of all hits in the window */
    uint32_t count;    /**< lanes in the list */
    uint32_t offsets[SNN_HITS * SNN_LANE_BITS];
};

/** Adds the lanes of the first target of the window, which moves on to the next. */
AVX2_INLINE void add_first(void *sum, const struct snn_taps *taps, struct window *window, bool wide)
{
    const struct lanes lanes = {window->offsets + window->first[0],
                                window->count - window->first[0]};
    add_columns(sum, taps, &lanes, window->target, -window->target, window->rows, wide);
    window->first[0] = window->first[1];
    window->first[1] = window->first[2];
    window->target += taps->length;
    window->used--;
}

/** Appends the lanes of a hit to the list. Returns the number of their synapses. */
AVX2_INLINE uint64_t join(struct window *window, const struct snn_taps *taps,
                          const struct snn_hit *hit)
{
    const struct snn_lane *lane = taps->lane + hit->lane;
    const uint32_t first = hit->tap * taps->length + hit->target;
    uint32_t *to = window->offsets + window->count;
    uint64_t synapses = 0;
    for (snn_lanes left = hit->lanes; left != 0; left &= left - 1) {
        const struct snn_lane *one = lane + snn_lowest_lane(left);
        *to++ = one->run * taps->length + first;
        synapses += one->synapses;
    }
    window->count = (uint32_t)(to - window->offsets);
    return synapses;
}

/** Adds hits whose targets and weights lie side by side in whole vectors. */
AVX2_INLINE uint64_t scatter_dense(void *sum, const struct snn_taps *taps,
                                   const struct snn_hit *hits, uint32_t count, bool wide)
{
    struct window window;
    uint64_t synapses = 0;
    window.target = 0;
    window.used = 0;
    window.rows = 0;
    window.count = 0;
    window.first[0] = 0;
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
        /*
         * The window is emptied before a hit that begins or ends to the left of it, as a line of
         * the source below may, and before the lanes of a target are too many for int16.
         */
        const size_t low = end ? 0 : hit->target - (size_t)((columns - 1) * taps->length);
        const bool all = end || hit->taps_y != window.rows || low < window.target ||
                         hit->target < window.target + (window.used - 1) * taps->length ||
                         window.count - window.first[0] > MOST_LANES - SNN_LANE_BITS;
        while (window.used > 0 && (all || window.target < low)) {
            add_first(sum, taps, &window, wide);
        }
        if (end) {
            return synapses;
        }
        window.target = low;
        window.rows = hit->taps_y;
        for (; window.used < columns; window.used++) {
            window.first[window.used] = window.count;
        }
        synapses += join(&window, taps, hit);
    }
}

/** Adds hits; the usual lengths are constants to the compiler. */
AVX2_INLINE uint64_t scatter(void *sum, const struct snn_taps *whole, const struct snn_hit *hits,
                             uint32_t count, bool wide)
{
    struct snn_taps taps = *whole; /* stores to `sum` may alias `whole`, not this copy */
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

AVX2 uint64_t snn_avx2_add_taps_s16(int16_t *sum, const struct snn_taps *taps,
                                    const struct snn_hit *hits, uint32_t count)
{
    return scatter(sum, taps, hits, count, false);
}

AVX2 uint64_t snn_avx2_add_taps_s32(int32_t *sum, const struct snn_taps *taps,
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

/** Adds a value times the weights of `columns` taps that lie side by side. */
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

AVX2 void snn_avx2_mac_taps(int32_t *sum, const struct snn_taps *whole, const struct snn_hit *hits,
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

#endif
