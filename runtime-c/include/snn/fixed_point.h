/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_FIXED_POINT_H
#define SNN_FIXED_POINT_H

#include <stdint.h>

/*
 * The arithmetic of FORMAT.md that C99 leaves to the implementation, or undefined, written so that
 * it is neither: sums wrap in unsigned types, and negative numbers are never shifted.
 */

/** The int32 of the same bits. Conversions below are exact on every two's-complement compiler. */
static inline int32_t snn_s32(uint32_t bits)
{
    return bits <= INT32_MAX ? (int32_t)bits : -(int32_t)(UINT32_MAX - bits) - 1;
}

/** The int16 of the low 16 bits. */
static inline int16_t snn_s16(uint32_t bits)
{
    bits &= 0xFFFFu;
    return (int16_t)((int32_t)(bits ^ 0x8000u) - 0x8000);
}

/** a + b modulo 2^32. */
static inline int32_t snn_add_s32(int32_t a, int32_t b)
{
    return snn_s32((uint32_t)a + (uint32_t)b);
}

/** a * 2^shift modulo 2^32. */
static inline int32_t snn_shift_left_s32(int32_t a, uint32_t shift)
{
    return snn_s32((uint32_t)a << shift);
}

/**
 * The scaled sum of a projection from values: floor((a + 2^(shift-1)) / 2^shift), with |a| +
 * 2^(shift-1) < 2^24, so that shift <= 24. Adding 2^30, a multiple of 2^shift, makes the number
 * positive before it is shifted.
 */
static inline int32_t snn_scale_value(int32_t a, uint32_t shift)
{
    const uint32_t lift = UINT32_C(1) << 30;
    const uint32_t half = (UINT32_C(1) << shift) >> 1;
    return snn_s32((((uint32_t)a + half + lift) >> shift) - (lift >> shift));
}

/** trunc0(v * leak / 2^15); |v| * leak <= 2^15 * 2^15 fits 31 bits. */
static inline int16_t snn_leak_s16(int16_t v, uint32_t leak)
{
    return (int16_t)(v * (int32_t)leak / 32768);
}

/** trunc0(v * leak / 2^15), in 32 bits: the high 17 bits of |v| times the leak are at most 2^31. */
static inline int32_t snn_leak_s32(int32_t v, uint32_t leak)
{
    const uint32_t magnitude = v < 0 ? 0u - (uint32_t)v : (uint32_t)v;
    const uint32_t kept = (magnitude >> 15) * leak + ((magnitude & 32767u) * leak >> 15);
    return snn_s32(v < 0 ? 0u - kept : kept);
}

/**
 * n div d as (n * r) >> 40 for n, d <= 2^20: r = floor(2^40 / d) + 1 exceeds 2^40 / d by at most 1,
 * so the quotient errs by less than n / 2^40 < 1 / d. The product is below 2^61.
 */
static inline uint32_t snn_divide(uint32_t n, uint64_t reciprocal)
{
    return (uint32_t)((n * reciprocal) >> 40);
}

/** Index of the lowest set bit of a word that is not 0. */
static inline uint32_t snn_lowest_bit(uint32_t word)
{
#if defined(__x86_64__) || defined(__aarch64__) || defined(__ARM_FEATURE_CLZ) || \
    defined(__riscv_zbb)
    return (uint32_t)__builtin_ctz(word);
#else
    /*
     * Every five bits in a row of this number differ from all others (de Bruijn), so its shifts by
     * 0 ... 31 name themselves.
     */
    static const uint8_t shift_of[32] = {0,  1,  28, 2,  29, 14, 24, 3,  30, 22, 20,
                                         15, 25, 17, 4,  8,  31, 27, 13, 23, 21, 19,
                                         16, 7,  26, 12, 18, 6,  11, 5,  10, 9};
    return shift_of[(word & (~word + 1u)) * 0x077CB531u >> 27];
#endif
}

/** Set bits of a word, by sums in ever wider fields. */
static inline uint32_t snn_count_bits(uint32_t word)
{
    word -= (word >> 1) & 0x55555555u;
    word = (word & 0x33333333u) + ((word >> 2) & 0x33333333u);
    word = (word + (word >> 4)) & 0x0F0F0F0Fu;
    return (word * 0x01010101u) >> 24;
}

#endif
