/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_KERNELS_AVX2_H
#define SNN_HOST_KERNELS_AVX2_H

#include "kernel_table.h"

#if SNN_X86_KERNELS

#include <immintrin.h>

/* What the files of the AVX2 kernels share: their parts, and loads and stores of whole vectors. */

#define AVX2 __attribute__((target("popcnt,avx2")))
#define AVX2_INLINE static inline __attribute__((target("popcnt,avx2"), always_inline))

/* kernels_avx2_taps.c and kernels_avx2_neurons.c: entries of struct snn_kernels. */
uint64_t snn_avx2_add_taps_s16(int16_t *sum, const struct snn_taps *taps,
                               const struct snn_hit *hits, uint32_t count);
uint64_t snn_avx2_add_taps_s32(int32_t *sum, const struct snn_taps *taps,
                               const struct snn_hit *hits, uint32_t count);
void snn_avx2_mac_taps(int32_t *sum, const struct snn_taps *whole, const struct snn_hit *hits,
                       const int32_t *values, uint32_t count);
void snn_avx2_leak(int16_t *membrane, const struct snn_parameter *parameter, uint32_t count);
void snn_avx2_lif(struct snn_lif_pass *pass);
uint32_t snn_avx2_find_spikes(const uint32_t *bits, uint32_t words, uint32_t *word,
                              uint32_t indices[SNN_CHUNK]);

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

/**
 * Puts `value` into the low half of every 32-bit lane, so that madd with a sign-extended weight
 * yields their product.
 */
AVX2_INLINE __m256i low_halves(int32_t value)
{
    return _mm256_set1_epi32(value & 0xFFFF);
}

/** Whether every value fits the 16 bits of a madd. Sums of a pool may not fit. */
static inline bool all_s16(const int32_t *values, uint32_t count)
{
    bool fits = true;
    for (uint32_t i = 0; i < count; i++) {
        fits = fits && values[i] >= INT16_MIN && values[i] <= INT16_MAX;
    }
    return fits;
}

#endif

#endif
