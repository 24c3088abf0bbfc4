/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_LANES_H
#define SNN_LANES_H

#include "snn/fixed_point.h"
#include "kernel_table.h"

/* Words of lanes: the spikes at one place of a convolution's source, a bit a lane. */

/**
 * The number of set bits of a word of lanes, by sums in ever wider fields. It takes the whole word
 * at once, not half after half, because it runs once a hit.
 */
static inline uint32_t snn_count_lanes(snn_lanes lanes)
{
    const snn_lanes ones = (snn_lanes)-1;
    lanes -= (lanes >> 1) & (ones / 3);
    lanes = (lanes & (ones / 5)) + ((lanes >> 2) & (ones / 5));
    lanes = (lanes + (lanes >> 4)) & (ones / 17);
    return (uint32_t)((lanes * (ones / 255)) >> (SNN_LANE_BITS - 8));
}

/** Index of the lowest set lane of a word that is not 0. */
static inline uint32_t snn_lowest_lane(snn_lanes lanes)
{
#if SNN_LANE_BITS == 64
#if defined(__GNUC__) || defined(__clang__)
    return (uint32_t)__builtin_ctzll(lanes);
#else
    const uint32_t low = (uint32_t)(lanes & UINT32_MAX);
    return low != 0 ? snn_lowest_bit(low) : 32 + snn_lowest_bit((uint32_t)(lanes >> 32));
#endif
#else
    return snn_lowest_bit(lanes);
#endif
}

/** The `width` <= SNN_LANE_BITS bits of a bitmap from bit `first` on. */
static inline snn_lanes snn_bits_at(const uint32_t *bits, uint32_t first, uint32_t width)
{
    const uint32_t *word = bits + (first >> 5);
    const uint32_t have = 32 - (first & 31);
    snn_lanes lanes = (snn_lanes)(*word >> (first & 31));
    if (have < width) {
        lanes |= (snn_lanes)word[1] << have;
    }
    if (have + 32 < width) {
        lanes |= (snn_lanes)word[2] << (have + 32);
    }
    return width < SNN_LANE_BITS ? lanes & (((snn_lanes)1 << width) - 1) : lanes;
}

/**
 * Writes where the weights of each lane of a hit begin, counted from taps->weights. Returns the
 * number of lanes and adds to `synapses` the synapses that these lanes have in the whole kernel.
 * Offsets stay below 2^26, the limit on stored weights.
 */
static inline uint32_t snn_expand(const struct snn_taps *taps, const struct snn_hit *hit,
                                  uint32_t offsets[SNN_LANE_BITS], uint64_t *synapses)
{
    const struct snn_lane *lane = taps->lane + hit->lane;
    const uint32_t length = taps->length;
    const uint32_t first = hit->tap * length;
    snn_lanes left = hit->lanes;
    uint32_t *offset = offsets;
    uint64_t sum = 0;
    do {
        const struct snn_lane *one = lane + snn_lowest_lane(left);
        *offset++ = one->run * length + first;
        sum += one->synapses;
        left &= left - 1;
    } while (left != 0);
    *synapses += sum;
    return (uint32_t)(offset - offsets);
}

/** The first tap's weights of a hit of one lane, such as a value. */
static inline const int8_t *snn_hit_weights(const struct snn_taps *taps, const struct snn_hit *hit)
{
    return taps->weights + (size_t)(taps->lane[hit->lane].run + hit->tap) * taps->length;
}

#endif
