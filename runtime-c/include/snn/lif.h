/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_LIF_H
#define SNN_LIF_H

#include "snn/fixed_point.h"
#include "snn/model.h"

/*
 * One step of one LIF neuron, as models/FORMAT.md, section 4, defines it: the one place where C
 * spells it out. Both engines' loops over single neurons call it. Loops that compute several
 * neurons at once do the same by other means, and tests hold them to the same integers.
 */

/** Numbers that the neurons of one population share. Assembly reads them in this order. */
struct snn_lif_rule {
    uint32_t greater;       /**< 1: a neuron fires above its threshold; 0: at its threshold, too */
    uint32_t clamps;        /**< 0: no membrane can leave floor ... ceiling; neither is looked at */
    int32_t floor, ceiling; /**< within int16 */
};

/** Choices that the neurons of one population share. Most callers know them at compile time. */
struct snn_lif_kind {
    bool leaks;          /**< false: every leak is 32768, and none is looked at */
    bool ceiling_fires;  /**< true: no `least` exceeds the ceiling; only a spike looks at it */
    uint8_t reset;       /**< enum snn_reset_kind */
    int16_t reset_value; /**< for SNN_RESET_VALUE */
    bool wraps;          /**< true: membrane + sum may overflow int32, and wraps if it does */
};

/** One neuron. */
struct snn_lif_neuron {
    int32_t membrane; /**< within int16 */
    int32_t least;    /**< the least membrane that fires: threshold + rule.greater */
    uint32_t leak;    /**< Q15, 0 ... 32768 */
};

/**
 * The step of a neuron that is not in its refractory steps: leak, sum, clamp, compare, reset. `sum`
 * is all that arrives, bias included: |sum| < 2^24 in a model that keeps the bounds of FORMAT.md,
 * section 5. Returns whether the neuron fires, and adds 1 to `saturations` if the clamp changes the
 * membrane.
 */
static inline bool snn_lif_update(struct snn_lif_neuron *neuron, int32_t sum,
                                  const struct snn_lif_rule *rule, struct snn_lif_kind kind,
                                  uint32_t *saturations)
{
    const int32_t least = neuron->least;
    int32_t v = neuron->membrane;
    if (kind.leaks) {
        v = snn_leak_s16((int16_t)v, neuron->leak);
    }
    v = kind.wraps ? snn_add_s32(v, sum) : v + sum;
    if (rule->clamps != 0 && v < rule->floor) {
        v = rule->floor;
        ++*saturations;
    }
    if (!kind.ceiling_fires && rule->clamps != 0 && v > rule->ceiling) {
        v = rule->ceiling;
        ++*saturations;
    }
    if (v < least) {
        neuron->membrane = v;
        return false;
    }
    if (kind.ceiling_fires && rule->clamps != 0 && v > rule->ceiling) {
        v = rule->ceiling;
        ++*saturations;
    }
    neuron->membrane = kind.reset == SNN_RESET_SUBTRACT ? v - least + (int32_t)rule->greater
                       : kind.reset == SNN_RESET_ZERO   ? 0
                                                        : kind.reset_value;
    return true;
}

#endif
