/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_SCORES_H
#define SNN_SCORES_H

#include <stdint.h>

/*
 * The scores of a read-out, for both engines: the class they tell, and by how much.
 */

/** The index of the highest of `count` >= 1 scores, the lowest of equals. */
static inline uint32_t snn_best_score(const int32_t *scores, uint32_t count)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (scores[i] > scores[best]) {
            best = i;
        }
    }
    return best;
}

/** By how much the highest of `count` >= 2 scores exceeds the second highest: 0 ... 2^32 - 1. */
static inline uint32_t snn_score_margin(const int32_t *scores, uint32_t count)
{
    const uint32_t best = snn_best_score(scores, count);
    uint32_t margin = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t behind = (uint32_t)scores[best] - (uint32_t)scores[i];
        if (i != best && behind < margin) {
            margin = behind;
        }
    }
    return margin;
}

#endif
