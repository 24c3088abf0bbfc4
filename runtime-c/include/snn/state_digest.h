/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_STATE_DIGEST_H
#define SNN_STATE_DIGEST_H

#include <stdint.h>

/**
 * What one neuron adds to the state digest of its population in one step: models/FORMAT.md, section
 * 8. `key` is t * N + i + 1, `membrane` the membrane after the reset, `spike` 0 or 1.
 */
static inline uint32_t snn_state_digest(uint32_t key, int32_t membrane, uint32_t spike)
{
    uint32_t x = key * 0x9E3779B1u ^ ((uint32_t)membrane * 0x85EBCA6Bu + spike);
    x ^= x >> 15;
    x *= 0x2C1B3C6Du;
    return x ^ x >> 12;
}

#endif
