/* SPDX-License-Identifier: Apache-2.0 */
#include "any.h"
#include "snn/fixed_point.h"

/*
 * Every helper of fixed_point.h on every argument that its comment allows; a leak of 32768 is none.
 */

static void conversions(void)
{
    const int32_t s32 = snn_s32(any_u32(0, UINT32_MAX));
    const int16_t s16 = snn_s16(any_u32(0, UINT32_MAX));
    const int32_t sum = snn_add_s32(any_s32(INT32_MIN, INT32_MAX), any_s32(INT32_MIN, INT32_MAX));
    for (uint32_t shift = 0; shift < 32; shift++) {
        snn_shift_left_s32(any_s32(INT32_MIN, INT32_MAX), shift);
    }
    //@ check INT32_MIN <= s32 <= INT32_MAX && INT16_MIN <= s16 <= INT16_MAX;
    //@ check INT32_MIN <= sum <= INT32_MAX;
}

static void scales(void)
{
    for (uint32_t shift = 0; shift <= 24; shift++) {
        const int32_t most = (1 << 24) - 1 - (int32_t)((UINT32_C(1) << shift) >> 1);
        snn_scale_value(any_s32(-most, most), shift);
    }
}

static void leaks(void)
{
    const uint32_t leak = any_u32(0, 32768);
    const int16_t quiet = snn_leak_s16((int16_t)any_s32(INT16_MIN, -1), leak);
    const int16_t loud = snn_leak_s16((int16_t)any_s32(0, INT16_MAX), leak);
    //@ check quiet <= 0 <= loud;
    const int32_t high = snn_leak_s32(any_s32(0, INT32_MAX), leak);
    //@ check 0 <= high;
    (void)snn_leak_s32(any_s32(INT32_MIN, -1), leak);
}

static void bits(void)
{
    const uint32_t lowest = snn_lowest_bit(any_u32(1, UINT32_MAX));
    const uint32_t count = snn_count_bits(any_u32(0, UINT32_MAX));
    const uint32_t quotient = snn_divide(
        any_u32(0, 1 << 20), any_u32(0, UINT32_MAX) + (uint64_t)any_u32(0, UINT32_MAX) * 256);
    //@ check lowest <= 31 && count <= 255;
    (void)quotient;
}

void main(void)
{
    conversions();
    scales();
    leaks();
    bits();
}
