#include "clones.h"
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

/*
 * Rounding toward zero of |x| <= 2^22: adding and subtracting 2^23 rounds to the nearest integer,
 * and one is taken off where that went up. The negative is a difference, so that zero has no sign.
 */
static inline __attribute__((always_inline)) float truncated(float x)
{
    const float magnitude = x < 0 ? 0.0f - x : x;
    const float nearest = (magnitude + 0x1p23f) - 0x1p23f;
    const float down = nearest > magnitude ? nearest - 1.0f : nearest;
    return x < 0 ? 0.0f - down : down;
}

static inline __attribute__((always_inline)) struct snn_lif_counts
forward(const struct snn_lif_rules *rules, const struct snn_lif_row *row, const bool on_grid,
        const bool inclusive)
{
    const float *threshold = row->threshold;
    const float *leak = row->leak;
    const float *bias = row->bias;
    const float *current = row->current;
    float *membrane = row->membrane;
    float *potential = row->potential;
    float *spike = row->spike;
    const float scale = rules->current_scale;
    const float floor = rules->floor;
    const float ceiling = rules->ceiling;
    const bool subtracts = rules->subtracts;
    const size_t length = row->length;
    uint32_t spikes = 0;
    uint32_t clamps = 0;

    SNN_INDEPENDENT
    for (size_t i = 0; i < length; i++) {
        const float theta = threshold[i];
        float decayed = membrane[i] * leak[i];
        if (on_grid) decayed = truncated(decayed);
        float v = decayed + current[i] * scale + bias[i];
        if (on_grid) {
            const bool below = v < floor;
            const bool above = v > ceiling;
            v = below ? floor : v;
            v = above ? ceiling : v;
            clamps += (uint32_t)(below | above);
        }
        const bool fires = inclusive ? v >= theta : v > theta;
        const float s = fires ? 1.0f : 0.0f;
        spikes += (uint32_t)fires;
        potential[i] = v;
        spike[i] = s;
        const float lowered = v - theta * s;
        const float cleared = v * (1.0f - s);
        membrane[i] = subtracts ? lowered : cleared;
    }
    return (struct snn_lif_counts){spikes, clamps};
}

SNN_CLONES
struct snn_lif_counts snn_lif_forward(const struct snn_lif_rules *rules,
                                      const struct snn_lif_row *row)
{
    if (rules->on_grid) {
        return rules->inclusive ? forward(rules, row, true, true)
                                : forward(rules, row, true, false);
    }
    return rules->inclusive ? forward(rules, row, false, true) : forward(rules, row, false, false);
}
