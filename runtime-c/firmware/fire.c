/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#include "snn/fixed_point.h"

/*
 * Most neurons do not fire during a sample, and that is cheap to see. Leak, reset and clamping may
 * raise a membrane, but not above 0. So a membrane never exceeds the total of its initial value and
 * its sums, if only positive numbers are counted. Only neurons whose total reaches the threshold
 * are computed, one by one.
 */

#define TOPS 0x80008000u

#if defined(__GNUC__) || defined(__clang__)
#define APART __attribute__((noinline))
#else
#define APART
#endif

/* PAIRS: how many pairs of lanes one turn of a loop takes; more where code may be larger. */
#if defined(__GNUC__) && !defined(__OPTIMIZE_SIZE__)
#define UNROLLED _Pragma("GCC unroll 4")
#define PAIRS 2u
#else
#define UNROLLED
#define PAIRS 1u
#endif

/**
 * The totals of two lanes. Each counts up from 2^15 - threshold, so that its bit 15 is set once the
 * threshold is reached.
 */
struct tally {
    uint32_t now, reached; /**< where lanes of 16 bits saturate, `reached` is `now` */
};

/**
 * Adds the sums of two lanes where they are above 0. Each 16-bit half counts up; bit 15 is set once
 * the threshold may have been reached, and `reached` keeps it. A half that later overflows adds 1
 * to its neighbour, which can only make that neuron be computed without need.
 */
static inline void count_up(struct tally *tally, uint32_t sums)
{
#if SNN_SUM_ZERO == 0
    uint32_t plus;
    __asm__("usat16 %0, #15, %1" : "=r"(plus) : "r"(sums));
    __asm__("uqadd16 %0, %1, %2" : "=r"(tally->now) : "r"(tally->now), "r"(plus));
    tally->reached = tally->now;
#else
    const uint32_t tops = sums & TOPS; /* set: the sum, which is lifted by 2^15, is not below 0 */
    tally->now += sums & (tops - (tops >> 15));
    tally->reached |= tally->now;
#endif
}

/** trunc0(v leak / 2^15). */
static inline int32_t after_leak(int32_t v, uint32_t decay)
{
#if SNN_KERNELS == SNN_KERNELS_PORTABLE || SNN_KERNELS == SNN_KERNELS_ARMV6M
    return v * (int32_t)snn_leak_of(decay) / 32768; /* v lies within int16 */
#else
    return snn_s16(snn_leaked_lane(v, decay));
#endif
}

/** The sum that a half holds. */
static inline int32_t finished(snn_half sum)
{
#if SNN_SUM_ZERO == 0
    return snn_s16(sum);
#else
    return (int32_t)sum - (int32_t)SNN_SUM_ZERO;
#endif
}

/**
 * Runs all steps of a lane; does nothing for a lane beyond lif->lanes. It computes what
 * snn_lif_update computes for a neuron of snn_lif_step. It is written out because only a neuron
 * that fires can have passed the ceiling, and only a neuron that does not fire the floor: on a
 * Cortex-M4 this saves 3 % of what a neuron that may fire costs.
 */
static APART void fire_neuron(const struct snn_lif *lif, uint32_t lane, uint32_t bit)
{
    if (lane >= lif->lanes) {
        return;
    }
    const int32_t threshold = lif->threshold[lane], floor = lif->rule.floor;
    const uint32_t decay = lif->decay == NULL ? 0x80000001u : lif->decay[lane];
    const uint32_t mask = UINT32_C(1) << ((bit + lane) & 31), spike_words = lif->spike_words,
                   sum_step = 2 * lif->sum_step;
    uint32_t *spikes = lif->spikes + (bit + lane) / 32, left = lif->steps;
    const snn_half *sum = (const snn_half *)(const void *)lif->sums + lane;
    int32_t v = lif->initial == NULL ? 0 : lif->initial[lane];
    for (;;) {
        if (v != 0) {
            v = after_leak(v, decay);
        }
        v += finished(*sum);
        if (v >= threshold) {
            if (v > lif->rule.ceiling) {
                v = lif->rule.ceiling;
            }
            v += (int32_t)lif->rule.greater - threshold;
            *spikes |= mask;
        } else if (v < floor) {
            v = floor;
        }
        if (--left == 0) {
            return;
        }
        sum = &sum[sum_step];
        spikes += spike_words;
    }
}

/** Runs those lanes of a pair whose top bit in `reached` says that they may fire. */
static APART void fire_pair(const struct snn_lif *lif, uint32_t lane, uint32_t bit,
                            uint32_t reached)
{
    if ((reached & 0x8000u) != 0) {
        fire_neuron(lif, lane, bit);
    }
    if (reached > 0xFFFFu) {
        fire_neuron(lif, lane + 1, bit);
    }
}

/** The totals of a pair of lanes before the first step. */
static inline struct tally tally_from(uint32_t thresholds, const int32_t *initial)
{
    uint32_t now = TOPS - thresholds;
    if (initial != NULL && initial[0] > 0) {
        now += (uint32_t)initial[0];
    }
    if (initial != NULL && initial[1] > 0) {
        now += (uint32_t)initial[1] << 16;
    }
    return (struct tally){now, now};
}

void snn_fire(const struct snn_lif *lif, uint32_t bit)
{
    const snn_word *threshold = (const snn_word *)(const void *)lif->threshold;
    const uint32_t *sums = lif->sums;
    const int32_t *initial = lif->initial;
    const uint32_t sum_step = lif->sum_step, steps = lif->steps, lanes = lif->lanes;
    for (uint32_t lane = 0; lane < lanes; lane += 2 * PAIRS) {
        struct tally tallies[PAIRS];
        UNROLLED
        for (uint32_t i = 0; i != PAIRS; i++) {
            tallies[i] = tally_from(*threshold++, initial);
            if (initial != NULL) {
                initial += 2;
            }
        }
        const uint32_t *sum = sums;
        uint32_t left = steps;
        do {
            UNROLLED
            for (uint32_t i = 0; i != PAIRS; i++) {
                count_up(&tallies[i], sum[i]);
            }
            sum += sum_step;
        } while (--left != 0);
        sums += PAIRS;
        UNROLLED
        for (uint32_t i = 0; i != PAIRS; i++) {
            const uint32_t reached = tallies[i].reached & TOPS;
            if (RARELY(reached != 0)) {
                fire_pair(lif, lane + 2 * i, bit, reached);
            }
        }
    }
}

/** Runs a driven lane whose current, to which `current` points, makes it fire. */
static APART void fire_driven(const struct snn_lif *lif, const struct snn_driven *driven,
                              const int32_t *current, uint32_t bit)
{
    const uint32_t lane = (uint32_t)(current - driven->current);
    uint32_t sum = (uint32_t)snn_scale_value(*current, driven->shift) + SNN_SUM_ZERO;
    if (driven->bias != NULL) {
        sum += (uint32_t)driven->bias[lane];
    }
    ((snn_half *)(void *)driven->sums)[lane] = (snn_half)sum;
    fire_neuron(lif, lane, bit);
}

void snn_fire_driven(const struct snn_lif *lif, const struct snn_driven *driven, uint32_t bit)
{
    const int32_t *current = driven->current, *drive = driven->drive;
    const int32_t *const end = current + lif->lanes;
    do {
        UNROLLED
        for (uint32_t i = 0; i != 4; i++) {
            if (RARELY(current[i] >= drive[i])) {
                fire_driven(lif, driven, current + i, bit);
            }
        }
        current += 4;
        drive += 4;
    } while (current < end);
}
