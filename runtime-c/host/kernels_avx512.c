/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_table.h"

#if SNN_X86_KERNELS

#include "snn/fixed_point.h"
#include "lanes.h"

#include <immintrin.h>

/*
 * The kernels for x86-64 with AVX-512 BW and VL: 32 sums of 16 bits a turn, and masks for the rest.
 * Kernels that would differ little from those of AVX2 are taken from there.
 */

#define AVX512 __attribute__((target("popcnt,avx2,avx512f,avx512bw,avx512vl")))
#define AVX512_INLINE \
    static inline __attribute__((target("popcnt,avx2,avx512f,avx512bw,avx512vl"), always_inline))

/** A mask of the lowest `count` of 32 lanes. */
AVX512_INLINE __mmask32 lanes_of(uint32_t count)
{
    return count >= 32 ? UINT32_MAX : (__mmask32)((UINT32_C(1) << count) - 1);
}

AVX512_INLINE __m512i widen_s16(const int8_t *weights)
{
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)weights));
}

AVX512_INLINE __m512i widen_some_s16(const int8_t *weights, __mmask32 mask)
{
    return _mm512_cvtepi8_epi16(_mm256_maskz_loadu_epi8(mask, weights));
}

/* ---- Rows ---- */

AVX512_INLINE void gather_rows(__m512i *total, const struct snn_row_set *set, uint32_t column,
                               int blocks)
{
    for (int b = 0; b < blocks; b++) {
        total[b] = _mm512_setzero_si512();
    }
    for (uint32_t i = 0; i < set->count; i++) {
        const int8_t *row = set->weights + (size_t)set->rows[i] * set->columns + column;
        for (int b = 0; b < blocks; b++) {
            total[b] = _mm512_add_epi16(total[b], widen_s16(row + 32 * b));
        }
    }
}

AVX512_INLINE __m512i gather_some_rows(const struct snn_row_set *set, uint32_t column,
                                       __mmask32 mask)
{
    __m512i total = _mm512_setzero_si512();
    for (uint32_t i = 0; i < set->count; i++) {
        const int8_t *row = set->weights + (size_t)set->rows[i] * set->columns + column;
        total = _mm512_add_epi16(total, widen_some_s16(row, mask));
    }
    return total;
}

AVX512_INLINE void put_s16(int16_t *to, __m512i total, __m128i shift, __mmask32 mask)
{
    const __m512i sum =
        _mm512_add_epi16(_mm512_maskz_loadu_epi16(mask, to), _mm512_sll_epi16(total, shift));
    _mm512_mask_storeu_epi16(to, mask, sum);
}

AVX512_INLINE void put_s32(int32_t *to, __m512i total, __m128i shift, __mmask32 mask)
{
    const __m512i low = _mm512_cvtepi16_epi32(_mm512_castsi512_si256(total));
    const __m512i high = _mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(total, 1));
    const __mmask16 low_mask = (__mmask16)(mask & 0xFFFF);
    const __mmask16 high_mask = (__mmask16)(mask >> 16);
    const __m512i low_sum = _mm512_maskz_loadu_epi32(low_mask, to);
    _mm512_mask_storeu_epi32(to, low_mask, _mm512_add_epi32(low_sum, _mm512_sll_epi32(low, shift)));
    if (high_mask != 0) {
        const __m512i high_sum = _mm512_maskz_loadu_epi32(high_mask, to + 16);
        _mm512_mask_storeu_epi32(to + 16, high_mask,
                                 _mm512_add_epi32(high_sum, _mm512_sll_epi32(high, shift)));
    }
}

AVX512 static void add_rows_s16(int16_t *sum, const struct snn_row_set *set)
{
    const __m128i shift = _mm_cvtsi32_si128((int)set->shift);
    uint32_t column = 0;
    for (; column + 128 <= set->columns; column += 128) {
        __m512i total[4];
        gather_rows(total, set, column, 4);
        for (int b = 0; b < 4; b++) {
            put_s16(sum + column + 32 * b, total[b], shift, UINT32_MAX);
        }
    }
    for (; column < set->columns; column += 32) {
        const __mmask32 mask = lanes_of(set->columns - column);
        put_s16(sum + column, gather_some_rows(set, column, mask), shift, mask);
    }
}

AVX512 static void add_rows_s32(int32_t *sum, const struct snn_row_set *set)
{
    const __m128i shift = _mm_cvtsi32_si128((int)set->shift);
    uint32_t column = 0;
    for (; column + 128 <= set->columns; column += 128) {
        __m512i total[4];
        gather_rows(total, set, column, 4);
        for (int b = 0; b < 4; b++) {
            put_s32(sum + column + 32 * b, total[b], shift, UINT32_MAX);
        }
    }
    for (; column < set->columns; column += 32) {
        const __mmask32 mask = lanes_of(set->columns - column);
        put_s32(sum + column, gather_some_rows(set, column, mask), shift, mask);
    }
}

/* ---- Taps ---- */

/** The lanes of a hit: where the weights of each begin. */
struct lanes {
    uint32_t count;
    uint32_t offsets[SNN_LANE_BITS];
};

/** The channels that a block has: 32, 16 in a half vector, or those of a mask. */
enum width { WHOLE, HALF, SOME };

/** How far apart the weights of neighbouring taps lie. */
struct steps {
    size_t y, x;
};

/**
 * Adds 32 channels, from channel j on, of a grid of rows x columns taps. The lanes are summed in
 * registers, then each sum is loaded and stored once. The sum of 64 weights of int8 stays within
 * 2^13. With constant `rows`, `columns`, `steps` and `width` the compiler unrolls all loops over
 * taps.
 */
AVX512_INLINE void add_grid(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                            size_t target, uint32_t j, int rows, int columns, struct steps steps,
                            enum width width, bool wide)
{
    __m512i total[9];
    const __mmask32 mask = lanes_of(taps->length - j);
    const __m128i shift = _mm_cvtsi32_si128((int)taps->shift);
    const int8_t *weights = taps->weights + j;
    for (int k = 0; k < rows * columns; k++) {
        total[k] = _mm512_setzero_si512();
    }
    for (uint32_t i = 0; i < lanes->count; i++) {
        const int8_t *from = weights + lanes->offsets[i];
        for (int a = 0; a < rows; a++) {
            for (int b = 0; b < columns; b++) {
                const int8_t *tap = from + (size_t)a * steps.y + (size_t)b * steps.x;
                __m512i *to = &total[a * columns + b];
                if (width == WHOLE) {
                    *to = _mm512_add_epi16(*to, widen_s16(tap));
                } else if (width == HALF) {
                    const __m128i packed = _mm_loadu_si128((const __m128i *)(const void *)tap);
                    *to = _mm512_castsi256_si512(_mm256_add_epi16(_mm512_castsi512_si256(*to),
                                                                  _mm256_cvtepi8_epi16(packed)));
                } else {
                    *to = _mm512_add_epi16(*to, widen_some_s16(tap, mask));
                }
            }
        }
    }
    for (int a = 0; a < rows; a++) {
        for (int b = 0; b < columns; b++) {
            const __m512i one = total[a * columns + b];
            const size_t at =
                target + j - (size_t)a * taps->target_step_y - (size_t)b * taps->target_step_x;
            if (wide) {
                put_s32((int32_t *)sum + at, one, shift, width == WHOLE ? UINT32_MAX : mask);
            } else if (width == HALF) {
                __m256i *to = (__m256i *)(void *)((int16_t *)sum + at);
                const __m256i scaled = _mm256_sll_epi16(_mm512_castsi512_si256(one), shift);
                _mm256_storeu_si256(to, _mm256_add_epi16(_mm256_loadu_si256(to), scaled));
            } else {
                put_s16((int16_t *)sum + at, one, shift, width == WHOLE ? UINT32_MAX : mask);
            }
        }
    }
}

/** Adds all channels of a grid of taps. */
AVX512_INLINE void add_grids(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                             size_t target, int rows, int columns, bool wide)
{
    const struct steps steps = {taps->weight_step_y, taps->weight_step_x};
    uint32_t j = 0;
    for (; j + 32 <= taps->length; j += 32) {
        add_grid(sum, taps, lanes, target, j, rows, columns, steps, WHOLE, wide);
    }
    if (j + 16 == taps->length) {
        add_grid(sum, taps, lanes, target, j, rows, columns, steps, HALF, wide);
    } else if (j < taps->length) {
        add_grid(sum, taps, lanes, target, j, rows, columns, steps, SOME, wide);
    }
}

AVX512_INLINE uint64_t scatter(void *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                               uint32_t count, bool wide)
{
    /* A 3 x 3 kernel of stride 1, the common one: steps are constants then. */
    const bool packed =
        taps->weight_step_x == taps->length && taps->weight_step_y == 3 * taps->length;
    struct lanes lanes;
    uint64_t synapses = 0;
    for (uint32_t i = 0; i < count; i++) {
        lanes.count = snn_expand(taps, &hits[i], lanes.offsets, &synapses);
        const size_t target = hits[i].target;
        if (hits[i].taps_y == 3 && hits[i].taps_x == 3) {
            if (packed && taps->length == 32) {
                add_grid(sum, taps, &lanes, target, 0, 3, 3, (struct steps){96, 32}, WHOLE, wide);
            } else if (packed && taps->length == 16) {
                add_grid(sum, taps, &lanes, target, 0, 3, 3, (struct steps){48, 16}, HALF, wide);
            } else {
                add_grids(sum, taps, &lanes, target, 3, 3, wide);
            }
            continue;
        }
        for (uint32_t a = 0; a < hits[i].taps_y; a++) {
            struct snn_taps row = *taps;
            size_t to = target - (size_t)a * taps->target_step_y;
            uint32_t b = 0;
            row.weights += (size_t)a * taps->weight_step_y;
            for (; b + 2 <= hits[i].taps_x; b += 2) {
                add_grids(sum, &row, &lanes, to, 1, 2, wide);
                row.weights += 2 * (size_t)taps->weight_step_x;
                to -= 2 * (size_t)taps->target_step_x;
            }
            if (b < hits[i].taps_x) {
                add_grids(sum, &row, &lanes, to, 1, 1, wide);
            }
        }
    }
    return synapses;
}

AVX512 static uint64_t add_taps_s16(int16_t *sum, const struct snn_taps *taps,
                                    const struct snn_hit *hits, uint32_t count)
{
    return scatter(sum, taps, hits, count, false);
}

AVX512 static uint64_t add_taps_s32(int32_t *sum, const struct snn_taps *taps,
                                    const struct snn_hit *hits, uint32_t count)
{
    return scatter(sum, taps, hits, count, true);
}

static bool all_s16(const int32_t *values, uint32_t count)
{
    bool fits = true;
    for (uint32_t i = 0; i < count; i++) {
        fits = fits && values[i] >= INT16_MIN && values[i] <= INT16_MAX;
    }
    return fits;
}

AVX512 static void mac_taps(int32_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                            const int32_t *values, uint32_t count)
{
    if (taps->length % 16 != 0 || !all_s16(values, count)) {
        snn_kernels_avx2.mac_taps(sum, taps, hits, values, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        /*
         * The value stands in the low half of each 32-bit lane, so that madd with a sign-extended
         * weight yields their product.
         */
        const __m512i value = _mm512_set1_epi32(values[i] & 0xFFFF);
        for (uint32_t a = 0; a < hits[i].taps_y; a++) {
            for (uint32_t b = 0; b < hits[i].taps_x; b++) {
                const int8_t *weights = snn_hit_weights(taps, &hits[i]) + a * taps->weight_step_y +
                                        b * taps->weight_step_x;
                int32_t *to =
                    sum + (hits[i].target - a * taps->target_step_y - b * taps->target_step_x);
                for (uint32_t j = 0; j < taps->length; j += 16) {
                    const __m128i packed =
                        _mm_loadu_si128((const __m128i *)(const void *)(weights + j));
                    const __m512i product = _mm512_madd_epi16(_mm512_cvtepi8_epi32(packed), value);
                    _mm512_storeu_si512(to + j,
                                        _mm512_add_epi32(_mm512_loadu_si512(to + j), product));
                }
            }
        }
    }
}

/* ---- Neurons ---- */

/**
 * trunc0(v * leak / 2^15). The magnitude of v, at most 2^15 and unsigned, is multiplied by the
 * unsigned leak; then the result gets the sign of v.
 */
AVX512_INLINE __m512i leak_32(__m512i v, __m512i leak)
{
    const __m512i magnitude = _mm512_abs_epi16(v);
    const __m512i high = _mm512_slli_epi16(_mm512_mulhi_epu16(magnitude, leak), 1);
    const __m512i low = _mm512_srli_epi16(_mm512_mullo_epi16(magnitude, leak), 15);
    const __m512i kept = _mm512_or_si512(high, low);
    return _mm512_mask_sub_epi16(kept, _mm512_movepi16_mask(v), _mm512_setzero_si512(), kept);
}

AVX512_INLINE __m512i parameter_32(const struct snn_parameter *parameter, uint32_t index)
{
    const int16_t *values = parameter->values;
    return parameter->period == 1 ? _mm512_set1_epi16(values[0])
                                  : _mm512_loadu_si512(values + index);
}

/** Does for 16 neurons, in 32 bits, what integrate_32 does for 32. */
AVX512_INLINE __m512i integrate_16(const struct snn_lif_pass *pass, __m256i v, int32_t *sum,
                                   uint32_t steady_index, __mmask16 *changed)
{
    __m512i u = _mm512_add_epi32(_mm512_cvtepi16_epi32(v), _mm512_loadu_si512(sum));
    u = _mm512_add_epi32(u, _mm512_set1_epi32(pass->common));
    if (pass->steady.values != NULL) {
        u = _mm512_add_epi32(
            u, _mm512_loadu_si512((const int32_t *)pass->steady.values + steady_index));
    }
    _mm512_storeu_si512(sum, _mm512_setzero_si512());
    const __m512i clamped = _mm512_min_epi32(_mm512_max_epi32(u, _mm512_set1_epi32(pass->floor)),
                                             _mm512_set1_epi32(pass->ceiling));
    *changed = _mm512_cmpneq_epi32_mask(clamped, u);
    return clamped;
}

/**
 * v + sum + steady + common of 32 neurons from i on, clamped; `changed` has the lanes that
 * saturated.
 */
AVX512_INLINE __m512i integrate_32(const struct snn_lif_pass *pass, __m512i v, uint32_t i,
                                   uint32_t steady_index, __mmask32 *changed, int accumulator)
{
    if (accumulator == SNN_ACCUMULATOR_S32) {
        int32_t *sum = (int32_t *)pass->sum + i;
        __mmask16 low_changed;
        __mmask16 high_changed;
        const __m512i low =
            integrate_16(pass, _mm512_castsi512_si256(v), sum, steady_index, &low_changed);
        const __m512i high = integrate_16(pass, _mm512_extracti64x4_epi64(v, 1), sum + 16,
                                          steady_index + 16, &high_changed);
        *changed = (__mmask32)low_changed | (__mmask32)high_changed << 16;
        return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(low)),
                                  _mm512_cvtepi32_epi16(high), 1);
    }
    __m512i sum = _mm512_set1_epi16(snn_s16((uint32_t)pass->common));
    if (accumulator == SNN_ACCUMULATOR_S16) {
        int16_t *from = (int16_t *)pass->sum + i;
        sum = _mm512_add_epi16(sum, _mm512_loadu_si512(from));
        _mm512_storeu_si512(from, _mm512_setzero_si512());
    }
    if (pass->steady.values != NULL) {
        sum = _mm512_add_epi16(
            sum, _mm512_loadu_si512((const int16_t *)pass->steady.values + steady_index));
    }
    /*
     * integrate_16 of kernels_avx2_neurons.c argues why comparing with the wrapped sum finds every
     * saturation.
     */
    const __m512i wrapped = _mm512_add_epi16(v, sum);
    const __m512i u = accumulator == SNN_ACCUMULATOR_DIRECT ? wrapped : _mm512_adds_epi16(v, sum);
    const __m512i clamped = _mm512_min_epi16(_mm512_max_epi16(u, _mm512_set1_epi16(pass->floor)),
                                             _mm512_set1_epi16(pass->ceiling));
    *changed = _mm512_cmpneq_epi16_mask(clamped, wrapped);
    return clamped;
}

AVX512_INLINE void step_words(struct snn_lif_pass *whole, int accumulator, bool leaky,
                              bool refractory)
{
    /*
     * Fields are copied to a local first: a store through `membrane` may alias the struct, so the
     * compiler would reload them after every store.
     */
    const struct snn_lif_pass copy = *whole;
    const struct snn_lif_pass *pass = &copy;
    const uint32_t words = pass->count / 32;
    const int16_t reset_to = pass->reset == SNN_RESET_ZERO ? 0 : pass->reset_value;
    uint32_t t = 0;
    uint32_t l = 0;
    uint32_t s = 0;
    uint32_t spike_count = 0;
    uint32_t saturations = 0;
    __m512i any = _mm512_setzero_si512();
    for (uint32_t word = 0; word < words; word++) {
        const uint32_t i = word * 32;
        const __m512i before = _mm512_loadu_si512(pass->membrane + i);
        const __m512i threshold = parameter_32(&pass->threshold, t);
        __mmask32 changed;
        __m512i v = leaky ? leak_32(before, parameter_32(&pass->leak, l)) : before;
        v = integrate_32(pass, v, i, s, &changed, accumulator);
        __mmask32 spikes = pass->compare == SNN_GREATER ? _mm512_cmpgt_epi16_mask(v, threshold)
                                                        : _mm512_cmpge_epi16_mask(v, threshold);
        v = pass->reset == SNN_RESET_SUBTRACT
                ? _mm512_mask_sub_epi16(v, spikes, v, threshold)
                : _mm512_mask_mov_epi16(v, spikes, _mm512_set1_epi16(reset_to));
        if (refractory) {
            uint8_t *left = pass->refractory + i;
            const __m256i counters = _mm256_loadu_si256((const __m256i *)(const void *)left);
            const __mmask32 resting = _mm256_test_epi8_mask(counters, counters);
            v = _mm512_mask_mov_epi16(v, resting, before);
            spikes &= ~resting;
            changed &= ~resting;
            __m256i next = _mm256_subs_epu8(counters, _mm256_set1_epi8(1));
            next =
                _mm256_mask_mov_epi8(next, spikes, _mm256_set1_epi8((char)pass->refractory_steps));
            _mm256_storeu_si256((__m256i *)(void *)left, next);
        }
        _mm512_storeu_si512(pass->membrane + i, v);
        any = _mm512_or_si512(any, v);
        pass->spikes[word] = spikes;
        spike_count += (uint32_t)__builtin_popcount(spikes);
        saturations += (uint32_t)__builtin_popcount(changed);
        t = t + 32 < pass->threshold.period ? t + 32 : 0;
        l = l + 32 < pass->leak.period ? l + 32 : 0;
        s = s + 32 < pass->steady.period ? s + 32 : 0;
    }
    whole->spike_count += spike_count;
    whole->saturations += saturations;
    whole->any_membrane = whole->any_membrane || _mm512_test_epi16_mask(any, any) != 0;
    snn_lif_from(whole, words * 32);
}

AVX512 static void lif(struct snn_lif_pass *pass)
{
    const bool leaky = pass->leak.values != NULL;
    if (pass->accumulator == SNN_ACCUMULATOR_DIRECT) {
        step_words(pass, SNN_ACCUMULATOR_DIRECT, false, false);
    } else if (pass->accumulator == SNN_ACCUMULATOR_S32) {
        step_words(pass, SNN_ACCUMULATOR_S32, leaky, pass->refractory != NULL);
    } else if (pass->refractory != NULL) {
        step_words(pass, SNN_ACCUMULATOR_S16, leaky, true);
    } else if (leaky) {
        step_words(pass, SNN_ACCUMULATOR_S16, true, false);
    } else {
        step_words(pass, SNN_ACCUMULATOR_S16, false, false);
    }
}

AVX512 static void leak(int16_t *membrane, const struct snn_parameter *parameter, uint32_t count)
{
    uint32_t at = 0;
    uint32_t i = 0;
    for (; i + 32 <= count; i += 32) {
        const __m512i v = _mm512_loadu_si512(membrane + i);
        _mm512_storeu_si512(membrane + i, leak_32(v, parameter_32(parameter, at)));
        at = at + 32 < parameter->period ? at + 32 : 0;
    }
    const uint16_t *leaks = parameter->values;
    for (; i < count; i++) {
        membrane[i] = snn_leak_s16(membrane[i], leaks[at]);
        at = at + 1 < parameter->period ? at + 1 : 0;
    }
}

/** Held values pass here once a sample, so the AVX2 kernel is fast enough. */
static void mac_rows(int32_t *sum, const struct snn_row_set *set, const int32_t *values)
{
    snn_kernels_avx2.mac_rows(sum, set, values);
}

/** Has no branch per spike, as such a branch would be mispredicted every few spikes. */
AVX512 static uint32_t find_spikes(const uint32_t *bits, uint32_t words, uint32_t *word,
                                   uint32_t indices[SNN_CHUNK])
{
    const __m512i steps = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    uint32_t count = 0;
    uint32_t at = *word;
    while (at < words && count <= SNN_CHUNK - 32) {
        const __mmask16 low = (__mmask16)bits[at];
        const __mmask16 high = (__mmask16)(bits[at] >> 16);
        const __m512i first = _mm512_add_epi32(steps, _mm512_set1_epi32((int)(at * 32)));
        const __m512i second = _mm512_add_epi32(first, _mm512_set1_epi32(16));
        /* Whole vectors are stored: 16 + 16 entries from a count of at most SNN_CHUNK - 32. */
        _mm512_storeu_si512(indices + count, _mm512_maskz_compress_epi32(low, first));
        count += (uint32_t)__builtin_popcount(low);
        _mm512_storeu_si512(indices + count, _mm512_maskz_compress_epi32(high, second));
        count += (uint32_t)__builtin_popcount(high);
        at++;
    }
    *word = at;
    return count;
}

const struct snn_kernels snn_kernels_avx512 = {add_rows_s16, add_rows_s32, add_taps_s16,
                                               add_taps_s32, mac_rows,     mac_taps,
                                               leak,         lif,          find_spikes};

#endif
