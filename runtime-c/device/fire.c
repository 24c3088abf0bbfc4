/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#include "snn/fixed_point.h"

/*
 * Most neurons do not fire at a sample, and that is cheap to see: leak, reset and clamping bring a membrane no further up than
 * 0, so that it never exceeds the sum of what its inputs added where they added anything. Only neurons whose sum of this kind
 * reaches the threshold are computed, one by one.
 */

#define TOPS 0x80008000u

/**
 * Adds the sums above 0 of `steps` steps of four lanes to a and b, where each half counts up to bit 15. Returns a bit a
 * lane that got there: lanes 0 and 2 at 0 and 2, lanes 1 and 3 at 16 and 18. A carry out of a half comes later than that;
 * into the next half it errs on the safe side.
 */
static inline uint32_t count_up(uint32_t a, uint32_t b, const uint32_t *sums, uint32_t sum_step, uint32_t steps)
{
    uint32_t reached_a = 0, reached_b = 0;
#if SNN_SUM_ZERO == 0
    uint32_t c, d;
    __asm__("1:\n"
            "ldrd %[c], %[d], [%[sums]]\n"
            "usat16 %[c], #15, %[c]\n"
            "usat16 %[d], #15, %[d]\n"
            "uqadd16 %[a], %[a], %[c]\n"
            "uqadd16 %[b], %[b], %[d]\n"
            "add %[sums], %[sums], %[step], lsl #2\n"
            "subs %[steps], %[steps], #1\n"
            "bne 1b\n"
            : [a] "+r"(a), [b] "+r"(b), [c] "=&r"(c), [d] "=&r"(d), [sums] "+r"(sums), [steps] "+r"(steps)
            : [step] "r"(sum_step)
            : "cc", "memory");
    reached_a = a;
    reached_b = b;
#else
    do {
        const uint32_t plus_a = sums[0] & TOPS, plus_b = sums[1] & TOPS; /* not below 0 */
        a += sums[0] & (plus_a - (plus_a >> 15));
        b += sums[1] & (plus_b - (plus_b >> 15));
        reached_a |= a;
        reached_b |= b;
        sums += sum_step;
    } while (--steps != 0);
#endif
    return (reached_a & TOPS) >> 15 | (reached_b & TOPS) >> 13;
}

/** v + floor(2 v m / 2^32) + (v < 0): the leak of kernels.h. */
static inline int32_t after_leak(int32_t v, int32_t decay)
{
#if SNN_KERNELS == SNN_KERNELS_PORTABLE || SNN_KERNELS == SNN_KERNELS_ARMV6M
    return snn_leak_s16((int16_t)v, snn_leak_of(decay));
#else
    const uint64_t product = (uint64_t)((int64_t)(2 * v) * decay);
    return v + snn_s32((uint32_t)(product >> 32)) + (v < 0 ? 1 : 0);
#endif
}

/** All steps of a lane whose first spike is bit `bit` of the first map. */
static void fire_neuron(const struct snn_lif *lif, uint32_t lane, uint32_t bit)
{
    const int32_t threshold = lif->threshold[lane], floor = lif->floor, decay = lif->decay == 0 ? 1 : lif->decay[lane];
    const uint32_t steps = lif->steps, sum_step = lif->sum_step;
    const snn_half *sum = (const snn_half *)(const void *)lif->sums + lane;
    int32_t v = 0;
    if (lif->membrane != 0) v = lif->membrane[lane];
    for (uint32_t step = 0; step != steps; step++) {
        v = after_leak(v, decay) + snn_s16(*sum - SNN_SUM_ZERO);
        sum = &sum[2 * sum_step];
        if (v < floor) v = floor;
        if (v < threshold) continue;
        if (v > lif->ceiling) v = lif->ceiling;
        v += (int32_t)lif->greater - threshold;
        lif->spikes[step * lif->spike_words + bit / 32] |= UINT32_C(1) << (bit & 31);
    }
}

/* Each half of a word counts up from 2^15 - threshold, so that its top bit says that the threshold was reached. */
void snn_fire(const struct snn_lif *lif, uint32_t bit)
{
    const snn_word *threshold = (const snn_word *)(const void *)lif->threshold;
    const uint32_t *sums = lif->sums;
    const uint32_t lanes = lif->lanes;
    for (uint32_t lane = 0; lane < lanes; lane += 4, threshold += 2, sums += 2) {
        uint32_t reached = 15;
        if (lif->membrane == 0) {
            reached = count_up(TOPS - threshold[0], TOPS - threshold[1], sums, lif->sum_step, lif->steps);
            if (reached == 0) continue;
            reached = (reached | reached >> 15) & 15;
        }
        for (uint32_t i = lane; reached != 0 && i < lanes; i++, reached >>= 1) {
            if ((reached & 1) != 0) fire_neuron(lif, i, bit + i);
        }
    }
}

void snn_fire_driven(const struct snn_lif *lif, const struct snn_driven *driven, uint32_t bit)
{
    const int32_t *current = driven->current, *const end = current + lif->lanes;
    const int32_t *drive = driven->drive;
    while (current != end) {
        const int32_t sum = *current++;
        if (sum < *drive++) continue;
        const uint32_t lane = (uint32_t)(current - driven->current) - 1;
        uint32_t scaled = (uint32_t)snn_scale_value(sum, driven->shift) + SNN_SUM_ZERO;
        if (driven->bias != 0) scaled += (uint32_t)driven->bias[lane];
        ((snn_half *)(void *)driven->sums)[lane] = (snn_half)scaled;
        fire_neuron(lif, lane, bit + lane);
    }
}
