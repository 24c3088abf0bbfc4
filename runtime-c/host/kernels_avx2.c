/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels_avx2.h"

#if SNN_X86_KERNELS

#include "snn/fixed_point.h"

/*
 * The kernels for x86-64 with AVX2: 16 sums of 16 bits a turn. Here: rows of a matrix. A block of
 * columns stays in registers while all rows of the set pass.
 */

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

/** Sums of 32 * blocks columns over the rows of a set, two rows at a time. */
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

const struct snn_kernels snn_kernels_avx2 = {
    add_rows_s16,      add_rows_s32,  snn_avx2_add_taps_s16, snn_avx2_add_taps_s32, mac_rows,
    snn_avx2_mac_taps, snn_avx2_leak, snn_avx2_lif,          snn_avx2_find_spikes};

#endif
