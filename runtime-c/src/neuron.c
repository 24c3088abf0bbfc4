/* SPDX-License-Identifier: Apache-2.0 */
#include "fixed_point.h"
#include "internal.h"

/* The neuron pass of FORMAT.md, section 4, in portable C. Faster passes take whole words of 32 neurons and leave the
 * rest to this one. */

/** What arrives at neuron i: accumulator (cleared), offset and the part common to all. */
static int32_t arriving(struct snn_lif_pass *pass, uint32_t i, uint32_t offset_index)
{
    /* Below 2^24 in the end (B(j) of FORMAT.md, section 5); on the way the sum may wrap, and unwraps. */
    uint32_t sum = (uint32_t)pass->common;
    if (pass->accumulator == SNN_ACCUMULATOR_S32) {
        int32_t *accumulator = pass->sum;
        sum += (uint32_t)accumulator[i];
        accumulator[i] = 0;
        if (pass->offset.values != NULL) {
            sum += (uint32_t)((const int32_t *)pass->offset.values)[offset_index];
        }
        return snn_s32(sum);
    }
    if (pass->accumulator == SNN_ACCUMULATOR_S16) {
        int16_t *accumulator = pass->sum;
        const int32_t arrived = accumulator[i];
        sum += (uint32_t)arrived;
        accumulator[i] = 0;
    }
    if (pass->offset.values != NULL) {
        const int32_t offset = ((const int16_t *)pass->offset.values)[offset_index];
        sum += (uint32_t)offset;
    }
    return snn_s16(sum);
}

/** v + sum; a direct membrane already holds its weights modulo 2^16, and the whole fits int16. */
static int32_t integrate(const struct snn_lif_pass *pass, int16_t v, int32_t sum)
{
    return pass->accumulator == SNN_ACCUMULATOR_DIRECT ? snn_s16((uint32_t)v + (uint32_t)sum) : v + sum;
}

static uint32_t advance(uint32_t index, uint32_t period)
{
    return index + 1 < period ? index + 1 : 0;
}

void snn_lif_from(struct snn_lif_pass *pass, uint32_t first)
{
    const int16_t *thresholds = pass->threshold.values;
    const uint16_t *leaks = pass->leak.values;
    int16_t *membrane = pass->membrane;
    /* Start indices of the repeating parameters: by remainder, once per pass. */
    uint32_t t = first % pass->threshold.period;
    uint32_t l = pass->leak.values != NULL ? first % pass->leak.period : 0;
    uint32_t o = pass->offset.values != NULL ? first % pass->offset.period : 0;
    uint32_t word = 0;
    bool any = pass->any_membrane;
    for (uint32_t i = first; i < pass->count; i++) {
        const int32_t sum = arriving(pass, i, o);
        const int32_t threshold = thresholds[t];
        int32_t v = membrane[i];
        bool spike = false;
        if (pass->refractory != NULL && pass->refractory[i] > 0) {
            pass->refractory[i]--;
        } else {
            const int16_t kept = leaks != NULL ? snn_leak_s16((int16_t)v, leaks[l]) : (int16_t)v;
            const int32_t u = integrate(pass, kept, sum);
            v = u < pass->floor ? pass->floor : u > pass->ceiling ? pass->ceiling : u;
            pass->saturations += v != u ? 1u : 0u;
            spike = pass->compare == SNN_GREATER ? v > threshold : v >= threshold;
            if (spike) {
                v = pass->reset == SNN_RESET_SUBTRACT ? v - threshold
                    : pass->reset == SNN_RESET_ZERO   ? 0
                                                      : pass->reset_value;
                pass->spike_count++;
                if (pass->refractory != NULL) {
                    pass->refractory[i] = pass->refractory_steps;
                }
            }
            membrane[i] = (int16_t)v;
        }
        any = any || v != 0;
        word |= (spike ? UINT32_C(1) : 0) << (i & 31);
        if ((i & 31) == 31 || i + 1 == pass->count) {
            pass->spikes[i >> 5] = word;
            word = 0;
        }
        t = advance(t, pass->threshold.period);
        l = advance(l, pass->leak.period);
        o = advance(o, pass->offset.period);
    }
    pass->any_membrane = any;
}

/* ---- Read-out: int32, no clamp; every partial sum stays below 2^31 by its bound ---- */

void snn_readout_leak(struct snn_population_state *state)
{
    const uint16_t *leaks = state->leak.values;
    int32_t *membrane = state->membrane;
    uint32_t l = 0;
    for (uint32_t i = 0; i < state->size; i++) {
        membrane[i] = snn_leak_s32(membrane[i], leaks[l]);
        l = advance(l, state->leak.period);
    }
}

void snn_readout_offset(struct snn_population_state *state, int32_t common)
{
    const int32_t *offsets = state->offset_parameter.values;
    int32_t *membrane = state->membrane;
    uint32_t o = 0;
    for (uint32_t i = 0; i < state->size; i++) {
        const int32_t offset = offsets != NULL ? offsets[o] : 0;
        membrane[i] = snn_add_s32(membrane[i], snn_add_s32(offset, common));
        o = advance(o, state->offset_parameter.period);
    }
}
