/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_POISSON_H
#define SNN_POISSON_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The poisson encoder of models/FORMAT.md, section 2: in each step a value x spikes with the
 * probability x * gain / 2^24. Both engines call it.
 */

/**
 * 24 bits by chance for one address in one step. `seed`: the sample's. `position`: step * N + index
 * for a port of N addresses, modulo 2^32.
 */
static inline uint32_t snn_poisson_chance(uint32_t seed, uint32_t port, uint32_t position)
{
    uint32_t x = seed + port * 0x85EBCA6Bu;
    x ^= (position + 1) * 0x9E3779B1u;
    x = (x ^ x >> 16) * 0x7FEB352Du;
    x = (x ^ x >> 15) * 0x846CA68Bu;
    return (x ^ x >> 16) >> 8;
}

/** Whether a value spikes by such a chance; value * gain is at most 2^24, and never negative. */
static inline bool snn_poisson_spikes(uint32_t value, uint32_t gain, uint32_t chance)
{
    return chance < value * gain;
}

#endif
