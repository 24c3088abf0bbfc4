/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_table.h"

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
 * Sum of 16 * blocks columns over the rows of a set, as int16: 128 rows of int8 stay within 2^14.
 */
AVX2_INLINE void gather_rows(__m256i *total, const struct snn_row_set *set, uint32_t column,
                             int blocks)
{
    for (int b = 0; b < blocks; b++) {
        total[b] = _mm256_setzero_si256();
    }
    for (uint32_t i = 0; i < set->count; i++) {
        const int8_t *row = set->weights + (size_t)set->rows[i] * set->columns + column;
        for (int b = 0; b < blocks; b++) {
            total[b] = _mm256_add_epi16(total[b], widen_s16(row + 16 * b));
        }
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
    for (int b = 0; b < blocks; b++) {
        put_s16(sum + column + 16 * b, total[b], shift);
    }
}

AVX2_INLINE void put_rows_s32(int32_t *sum, const struct snn_row_set *set, uint32_t column,
                              int blocks)
{
    __m256i total[8];
    const __m128i shift = _mm_cvtsi32_si128((int)set->shift);
    gather_rows(total, set, column, blocks);
    for (int b = 0; b < blocks; b++) {
        put_s32(sum + column + 16 * b, total[b], shift);
    }
}

AVX2 static void add_rows_s16(int16_t *sum, const struct snn_row_set *set)
{
    uint32_t column = 0;
    for (; column + 128 <= set->columns; column += 128) {
        put_rows_s16(sum, set, column, 8);
    }
    for (; column + 16 <= set->columns; column += 16) {
        put_rows_s16(sum, set, column, 1);
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
        put_rows_s32(sum, set, column, 8);
    }
    for (; column + 16 <= set->columns; column += 16) {
        put_rows_s32(sum, set, column, 1);
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

/** A hit at work: where its lanes' weights begin. */
struct lanes {
    uint32_t count;
    uint32_t offsets[SNN_LANE_BITS];
};

/**
 * A grid of taps x 16 channels from channel j on: the lanes are summed in registers, then each sum
 * is loaded and stored once. 64 lanes of int8 stay within 2^13. Constant `rows` and `columns`
 * unroll it.
 */
AVX2_INLINE void add_grid(void *sum, const struct snn_taps *taps, const struct lanes *lanes,
                          size_t target, uint32_t j, int rows, int columns, bool wide)
{
    __m256i total[9];
    const __m128i shift = _mm_cvtsi32_si128((int)taps->shift);
    const int8_t *weights = taps->weights + j;
    const size_t step_y = taps->weight_step_y;
    const size_t step_x = taps->weight_step_x;
    for (int k = 0; k < rows * columns; k++) {
        total[k] = _mm256_setzero_si256();
    }
    for (uint32_t i = 0; i < lanes->count; i++) {
        const int8_t *from = weights + lanes->offsets[i];
        for (int a = 0; a < rows; a++) {
            for (int b = 0; b < columns; b++) {
                const int8_t *tap = from + (size_t)a * step_y + (size_t)b * step_x;
                total[a * columns + b] = _mm256_add_epi16(total[a * columns + b], widen_s16(tap));
            }
        }
    }
    for (int a = 0; a < rows; a++) {
        for (int b = 0; b < columns; b++) {
            const __m256i one = total[a * columns + b];
            const size_t at =
                target + j - (size_t)a * taps->target_step_y - (size_t)b * taps->target_step_x;
            if (wide) {
                put_s32((int32_t *)sum + at, one, shift);
            } else {
                put_s16((int16_t *)sum + at, one, shift);
            }
        }
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

AVX2_INLINE uint64_t scatter(void *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                             uint32_t count, bool wide)
{
    struct lanes lanes;
    uint64_t synapses = 0;
    for (uint32_t i = 0; i < count; i++) {
        lanes.count = snn_expand(taps, &hits[i], lanes.offsets, &synapses);
        const size_t target = hits[i].target;
        if (hits[i].taps_y == 3 && hits[i].taps_x == 3 && taps->length % 16 == 0) {
            for (uint32_t j = 0; j < taps->length; j += 16) {
                add_grid(sum, taps, &lanes, target, j, 3, 3, wide);
            }
            continue;
        }
        for (uint32_t a = 0; a < hits[i].taps_y; a++) {
            for (uint32_t b = 0; b < hits[i].taps_x; b++) {
                const size_t weight =
                    (size_t)a * taps->weight_step_y + (size_t)b * taps->weight_step_x;
                const size_t back =
                    (size_t)a * taps->target_step_y + (size_t)b * taps->target_step_x;
                struct snn_taps tap = *taps;
                uint32_t j = 0;
                tap.weights += weight;
                for (; j + 16 <= taps->length; j += 16) {
                    add_grid(sum, &tap, &lanes, target - back, j, 1, 1, wide);
                }
                add_rest(sum, taps, &lanes, target - back, weight, j, wide);
            }
        }
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

AVX2 static void mac_taps(int32_t *sum, const struct snn_taps *taps, const struct snn_hit *hits,
                          const int32_t *values, uint32_t count)
{
    if (!all_s16(values, count)) {
        snn_kernels_portable.mac_taps(sum, taps, hits, values, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const __m256i value = low_halves(values[i]);
        for (uint32_t a = 0; a < hits[i].taps_y; a++) {
            for (uint32_t b = 0; b < hits[i].taps_x; b++) {
                mac_run(sum + (hits[i].target - a * taps->target_step_y - b * taps->target_step_x),
                        snn_hit_weights(taps, &hits[i]) + a * taps->weight_step_y +
                            b * taps->weight_step_x,
                        taps->length, values[i], value);
            }
        }
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
 * v + sum + steady + common in 32 bits, clamped: 8 lanes; `changed` gains -1 where the clamp did
 * something.
 */
AVX2_INLINE __m256i integrate_8(const struct snn_lif_pass *pass, __m128i v, int32_t *sum,
                                uint32_t steady_index, __m256i *changed)
{
    __m256i u = _mm256_add_epi32(_mm256_cvtepi16_epi32(v), load(sum));
    u = _mm256_add_epi32(u, _mm256_set1_epi32(pass->common));
    if (pass->steady.values != NULL) {
        u = _mm256_add_epi32(u, load((const int32_t *)pass->steady.values + steady_index));
    }
    store(sum, _mm256_setzero_si256());
    const __m256i clamped = _mm256_min_epi32(_mm256_max_epi32(u, _mm256_set1_epi32(pass->floor)),
                                             _mm256_set1_epi32(pass->ceiling));
    *changed = _mm256_xor_si256(_mm256_cmpeq_epi32(clamped, u), _mm256_set1_epi32(-1));
    return clamped;
}

/** Integrates 16 neurons; `changed` is -1 in lanes that saturated. */
AVX2_INLINE __m256i integrate_16(const struct snn_lif_pass *pass, __m256i v, uint32_t i,
                                 uint32_t steady_index, __m256i *changed, int accumulator)
{
    if (accumulator == SNN_ACCUMULATOR_S32) {
        int32_t *sum = (int32_t *)pass->sum + i;
        __m256i low_changed;
        __m256i high_changed;
        const __m256i low =
            integrate_8(pass, _mm256_castsi256_si128(v), sum, steady_index, &low_changed);
        const __m256i high = integrate_8(pass, _mm256_extracti128_si256(v, 1), sum + 8,
                                         steady_index + 8, &high_changed);
        *changed = _mm256_permute4x64_epi64(_mm256_packs_epi32(low_changed, high_changed), 0xD8);
        return _mm256_permute4x64_epi64(_mm256_packs_epi32(low, high), 0xD8);
    }
    __m256i sum = _mm256_set1_epi16(snn_s16((uint32_t)pass->common));
    if (accumulator == SNN_ACCUMULATOR_S16) {
        int16_t *from = (int16_t *)pass->sum + i;
        sum = _mm256_add_epi16(sum, load(from));
        store(from, _mm256_setzero_si256());
    }
    if (pass->steady.values != NULL) {
        sum = _mm256_add_epi16(sum, load((const int16_t *)pass->steady.values + steady_index));
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
    *changed = _mm256_xor_si256(_mm256_cmpeq_epi16(clamped, wrapped), _mm256_set1_epi16(-1));
    return clamped;
}

/** Places of the parameters of a word of 32 neurons. */
struct places {
    uint32_t threshold, leak, steady;
};

/** 16 neurons: new membranes are stored, lanes that spike returned. */
AVX2_INLINE __m256i step_16(const struct snn_lif_pass *pass, uint32_t i, const struct places *at,
                            uint32_t half, __m256i *changed, __m256i *any, int accumulator,
                            bool leaky)
{
    __m256i v = load(pass->membrane + i);
    if (leaky) {
        v = leak_16(v, parameter_16(&pass->leak, at->leak + half));
    }
    v = integrate_16(pass, v, i, at->steady + half, changed, accumulator);
    const __m256i threshold = parameter_16(&pass->threshold, at->threshold + half);
    const __m256i spikes =
        pass->compare == SNN_GREATER
            ? _mm256_cmpgt_epi16(v, threshold)
            : _mm256_xor_si256(_mm256_cmpgt_epi16(threshold, v), _mm256_set1_epi16(-1));
    if (pass->reset == SNN_RESET_SUBTRACT) {
        v = _mm256_sub_epi16(v, _mm256_and_si256(spikes, threshold));
    } else {
        const int16_t to = pass->reset == SNN_RESET_ZERO ? 0 : pass->reset_value;
        v = _mm256_blendv_epi8(v, _mm256_set1_epi16(to), spikes);
    }
    store(pass->membrane + i, v);
    *any = _mm256_or_si256(*any, v);
    return spikes;
}

AVX2_INLINE void step_words(struct snn_lif_pass *whole, int accumulator, bool leaky)
{
    /*
     * A copy whose address stays here, which stores through other pointers cannot change: it lives
     * in registers.
     */
    const struct snn_lif_pass copy = *whole;
    const struct snn_lif_pass *pass = &copy;
    const uint32_t words = pass->count / 32;
    uint32_t spike_count = 0;
    uint32_t saturations = 0;
    struct places at = {0, 0, 0};
    __m256i any = _mm256_setzero_si256();
    for (uint32_t word = 0; word < words; word++) {
        __m256i changed[2];
        const __m256i first =
            step_16(pass, word * 32, &at, 0, &changed[0], &any, accumulator, leaky);
        const __m256i second =
            step_16(pass, word * 32 + 16, &at, 16, &changed[1], &any, accumulator, leaky);
        const uint32_t spikes = to_bits(first, second);
        pass->spikes[word] = spikes;
        spike_count += (uint32_t)__builtin_popcount(spikes);
        saturations += (uint32_t)__builtin_popcount(to_bits(changed[0], changed[1]));
        at.threshold = at.threshold + 32 < pass->threshold.period ? at.threshold + 32 : 0;
        at.leak = at.leak + 32 < pass->leak.period ? at.leak + 32 : 0;
        at.steady = at.steady + 32 < pass->steady.period ? at.steady + 32 : 0;
    }
    whole->spike_count += spike_count;
    whole->saturations += saturations;
    whole->any_membrane = whole->any_membrane || _mm256_testz_si256(any, any) == 0;
    snn_lif_from(whole, words * 32);
}

AVX2 static void lif(struct snn_lif_pass *pass)
{
    const bool leaky = pass->leak.values != NULL;
    if (pass->refractory != NULL) {
        snn_lif_from(pass, 0);
    } else if (pass->accumulator == SNN_ACCUMULATOR_DIRECT) {
        step_words(pass, SNN_ACCUMULATOR_DIRECT, false);
    } else if (pass->accumulator == SNN_ACCUMULATOR_S32) {
        step_words(pass, SNN_ACCUMULATOR_S32, leaky);
    } else if (leaky) {
        step_words(pass, SNN_ACCUMULATOR_S16, true);
    } else {
        step_words(pass, SNN_ACCUMULATOR_S16, false);
    }
}

static uint32_t find_spikes(const uint32_t *bits, uint32_t words, uint32_t *word,
                            uint32_t indices[SNN_CHUNK])
{
    return snn_kernels_portable.find_spikes(bits, words, word, indices);
}

const struct snn_kernels snn_kernels_avx2 = {add_rows_s16, add_rows_s32, add_taps_s16,
                                             add_taps_s32, mac_rows,     mac_taps,
                                             leak,         lif,          find_spikes};

#endif
