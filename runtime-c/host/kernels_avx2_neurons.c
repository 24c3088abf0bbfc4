/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels_avx2.h"

#if SNN_X86_KERNELS

#include "snn/fixed_point.h"

/* AVX2: the neurons of a step, and the search for their spikes. */

/**
 * trunc0(v * leak / 2^15). The magnitude of v, at most 2^15 and unsigned, is multiplied by the
 * unsigned leak; then the result gets the sign of v.
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

AVX2 void snn_avx2_leak(int16_t *membrane, const struct snn_parameter *parameter, uint32_t count)
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

/** Makes a bit of each of 32 lanes, which come in two halves and are 0 or -1. */
AVX2_INLINE uint32_t to_bits(__m256i first, __m256i second)
{
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi16(first, second), 0xD8);
    return (uint32_t)_mm256_movemask_epi8(packed);
}

/**
 * v + sum + steady + common of 8 neurons in 32 bits, clamped. A lane of `kept` is 0 if the clamp
 * changed the number, else -1.
 */
AVX2_INLINE __m256i integrate_8(const struct snn_lif_pass *pass, __m128i v, int32_t *sum,
                                uint32_t steady_index, __m256i *kept)
{
    __m256i u = _mm256_add_epi32(_mm256_cvtepi16_epi32(v), load(sum));
    u = _mm256_add_epi32(u, _mm256_set1_epi32(pass->common));
    if (pass->steady.values != NULL) {
        u = _mm256_add_epi32(u, load((const int32_t *)pass->steady.values + steady_index));
    }
    store(sum, _mm256_setzero_si256());
    const __m256i clamped = _mm256_min_epi32(_mm256_max_epi32(u, _mm256_set1_epi32(pass->floor)),
                                             _mm256_set1_epi32(pass->ceiling));
    *kept = _mm256_cmpeq_epi32(clamped, u);
    return clamped;
}

/**
 * v + sum + steady + common of 16 neurons, clamped. A lane of `kept` is 0 if the neuron saturated,
 * else -1.
 */
AVX2_INLINE __m256i integrate_16(const struct snn_lif_pass *pass, __m256i v, uint32_t i,
                                 uint32_t steady_index, __m256i *kept, int accumulator)
{
    if (accumulator == SNN_ACCUMULATOR_S32) {
        int32_t *sum = (int32_t *)pass->sum + i;
        __m256i low_kept;
        __m256i high_kept;
        const __m256i low =
            integrate_8(pass, _mm256_castsi256_si128(v), sum, steady_index, &low_kept);
        const __m256i high = integrate_8(pass, _mm256_extracti128_si256(v, 1), sum + 8,
                                         steady_index + 8, &high_kept);
        *kept = _mm256_permute4x64_epi64(_mm256_packs_epi32(low_kept, high_kept), 0xD8);
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
     * Let u = v + sum, with |v| <= 2^15 and |sum| < 2^15. If u fits int16, the saturated sum and
     * the wrapped sum are both u. If it does not, the saturated sum clamps to what u clamps to, and
     * the wrapped sum has the sign opposite to u's. The clamped value has the sign of u or is 0,
     * and only u = -2^16, which is out of reach, would wrap to 0: so clamped and wrapped differ, as
     * they must where a neuron saturates. DIRECT: u fits int16, but v held its weights modulo 2^16
     * so far, so that the wrapped sum is u.
     */
    const __m256i wrapped = _mm256_add_epi16(v, sum);
    const __m256i u = accumulator == SNN_ACCUMULATOR_DIRECT ? wrapped : _mm256_adds_epi16(v, sum);
    const __m256i clamped = _mm256_min_epi16(_mm256_max_epi16(u, _mm256_set1_epi16(pass->floor)),
                                             _mm256_set1_epi16(pass->ceiling));
    *kept = _mm256_cmpeq_epi16(clamped, wrapped);
    return clamped;
}

/** Where a word of 32 neurons has its entries in the arrays of parameters. */
struct places {
    uint32_t threshold, leak, steady;
};

/** What the neurons of a pass have in common. */
struct rule {
    const int16_t *threshold; /**< if all neurons have the same threshold: 32 copies of it */
    /** 1 where a membrane at the threshold fires, and thresholds are at least 1; else 0 */
    __m256i below;
    __m256i reset_to;
    bool subtract;
};

/** Runs 16 neurons: stores their membranes and returns -1 in the lanes of those that fire. */
AVX2_INLINE __m256i step_16(const struct snn_lif_pass *pass, const struct rule *rule, uint32_t i,
                            const struct places *at, uint32_t half, __m256i *kept, __m256i *any,
                            int accumulator, bool leaky)
{
    __m256i v = load(pass->membrane + i);
    if (leaky) {
        v = leak_16(v, parameter_16(&pass->leak, at->leak + half));
    }
    v = integrate_16(pass, v, i, at->steady + half, kept, accumulator);
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
     * Fields are copied to a local first: a store through `membrane` may alias the struct, so the
     * compiler would reload them after every store.
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
        copy.steady.values = NULL;
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
            at.steady = next_place(at.steady, pass->steady.period);
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

AVX2 void snn_avx2_lif(struct snn_lif_pass *pass)
{
    const bool leaky = pass->leak.values != NULL;
    const bool plain = pass->steady.values == NULL && pass->reset == SNN_RESET_SUBTRACT;
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
 * Takes two words of the map at a time. The processor cannot predict how many spikes a piece of
 * the map holds; with larger pieces it guesses half as often.
 */
AVX2 uint32_t snn_avx2_find_spikes(const uint32_t *bits, uint32_t words, uint32_t *word,
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

#endif
