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
 * Adds the sums above 0 of `steps` steps of two lanes to a word. Returns it with the top bits of the halves that got there; a
 * carry out of a half comes later than that, and into the next half it errs on the safe side.
 */
static inline uint32_t count_up(uint32_t count, const uint32_t *sums, uint32_t sum_step, uint32_t steps)
{
#if SNN_SUM_ZERO == 0
    do {
        uint32_t plus;
        __asm__("usat16 %0, #15, %1" : "=r"(plus) : "r"(*sums));
        __asm__("uqadd16 %0, %0, %1" : "+r"(count) : "r"(plus));
        sums += sum_step;
    } while (--steps != 0);
    return count & TOPS;
#else
    uint32_t reached = 0;
    do {
        const uint32_t tops = *sums & TOPS; /* not below 0 */
        count += *sums & (tops - (tops >> 15));
        reached |= count;
        sums += sum_step;
    } while (--steps != 0);
    return reached & TOPS;
#endif
}

/** v + floor(2 v m / 2^32) + (v < 0): the leak of kernels.h. */
static inline int32_t after_leak(int32_t v, int32_t decay)
{
#if SNN_KERNELS == SNN_KERNELS_PORTABLE || SNN_KERNELS == SNN_KERNELS_ARMV6M
    return v * (int32_t)snn_leak_of(decay) / 32768; /* v lies within int16 */
#else
    const uint64_t product = (uint64_t)((int64_t)(2 * v) * decay);
    return v + snn_s32((uint32_t)(product >> 32)) + (v < 0 ? 1 : 0);
#endif
}

/** A sum as it is. */
static inline int32_t finished(snn_half sum)
{
#if SNN_SUM_ZERO == 0
    return snn_s16(sum);
#else
    return (int32_t)sum - (int32_t)SNN_SUM_ZERO;
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
        v = after_leak(v, decay) + finished(*sum);
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
    for (uint32_t lane = 0; lane < lif->lanes; lane += 2) {
        uint32_t reached = count_up(TOPS - *threshold++, sums++, lif->sum_step, lif->steps);
        if (lif->membrane != 0) reached = TOPS;
        if ((reached & 0x8000u) != 0) fire_neuron(lif, lane, bit + lane);
        if (reached > 0x8000u && lane + 1 < lif->lanes) fire_neuron(lif, lane + 1, bit + lane + 1);
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
