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

static inline __attribute__((always_inline)) struct snn_lif_counts forward(
    const struct snn_lif_rules *rules, const struct snn_lif_row *row, const bool on_grid,
    const bool inclusive, const bool subtracts, const bool wide_leak, const bool refractory)
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
    const float reset_value = rules->reset_value;
    const float refractory_steps = (float)rules->refractory_steps;
    float *left_to_lose = row->refractory;
    float *blocked = row->blocked;
    const size_t length = row->length;
    uint32_t spikes = 0;
    uint32_t clamps = 0;

    SNN_INDEPENDENT
    for (size_t i = 0; i < length; i++) {
        const float theta = threshold[i];
        float decayed = membrane[i] * leak[i];
        /* 16 bits of membrane and 9 of leak fit a float's product; 16 of leak need a double's. */
        if (wide_leak) {
            decayed = (float)(int32_t)((double)membrane[i] * (double)leak[i]);
        } else if (on_grid) {
            decayed = truncated(decayed);
        }
        float v = decayed + current[i] * scale + bias[i];
        if (on_grid) {
            const bool below = v < floor;
            const bool above = v > ceiling;
            v = below ? floor : v;
            v = above ? ceiling : v;
            const bool counts = !refractory || left_to_lose[i] <= 0;
            clamps += (uint32_t)((below | above) & counts);
        }
        bool fires = inclusive ? v >= theta : v > theta;
        if (refractory) {
            const bool lost = left_to_lose[i] > 0;
            v = lost ? membrane[i] : v;
            fires = fires && !lost;
            blocked[i] = lost ? 1.0f : 0.0f;
            left_to_lose[i] = fires ? refractory_steps : left_to_lose[i] - (lost ? 1.0f : 0.0f);
        }
        const float s = fires ? 1.0f : 0.0f;
        spikes += (uint32_t)fires;
        potential[i] = v;
        spike[i] = s;
        const float lowered = v - theta * s;
        const float cleared = v * (1.0f - s) + reset_value * s;
        membrane[i] = subtracts ? lowered : cleared;
    }
    return (struct snn_lif_counts){spikes, clamps};
}

SNN_CLONES
struct snn_lif_counts snn_lif_forward(const struct snn_lif_rules *rules,
                                      const struct snn_lif_row *row)
{
    const bool on_grid = rules->on_grid;
    const bool inclusive = rules->inclusive;
    const bool subtracts = rules->subtracts;
    if (rules->refractory_steps > 0) {
        return forward(rules, row, on_grid, inclusive, subtracts, on_grid && rules->wide_leak,
                       true);
    }
    if (on_grid && rules->wide_leak) {
        return forward(rules, row, true, inclusive, subtracts, true, false);
    }
    /* The plain neurons, each a loop of its own. */
    if (!subtracts) {
        return forward(rules, row, on_grid, inclusive, false, false, false);
    }
    if (on_grid) {
        return inclusive ? forward(rules, row, true, true, true, false, false)
                         : forward(rules, row, true, false, true, false, false);
    }
    return inclusive ? forward(rules, row, false, true, true, false, false)
                     : forward(rules, row, false, false, true, false, false);
}
