/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_NEURON_H
#define SNN_HOST_NEURON_H

#include "snn/snn.h"

/* Neurons (neuron.c): one step of a population, once all that arrives has been summed. */

struct snn_population_state;

/**
 * An array of parameters of a population. Neuron i has entry i modulo `period`, and the period is
 * 1, N or a multiple of 32.
 */
struct snn_parameter {
    const void *values;
    uint32_t period;
};

/** One step of a LIF population over its neurons. */
struct snn_lif_pass {
    int16_t *membrane;
    void *sum;           /**< int16 or int32 accumulator, left all zero; unused when DIRECT */
    uint8_t *refractory; /**< steps left; null: the population has none */
    uint32_t *spikes;    /**< (count + 31) / 32 words */
    struct snn_parameter threshold; /**< int16 */
    struct snn_parameter leak;      /**< uint16; null: no leak in this pass */
    /** the steady current, bias plus held current: int32 for S32, else int16; null: none */
    struct snn_parameter steady;
    int32_t common; /**< added to every neuron */
    uint32_t count;
    int16_t floor, ceiling, reset_value;
    uint8_t accumulator, reset, compare, refractory_steps;
    /* What the pass finds. */
    uint32_t spike_count, saturations;
    bool any_membrane; /**< some membrane is not 0 afterwards */
};

/**
 * Runs neurons `first` ... count - 1 of a pass, in portable C; `first` is a multiple of 32. Adds to
 * what the pass has found.
 */
void snn_lif_from(struct snn_lif_pass *pass, uint32_t first);

/**
 * All whole words of 32 neurons of a pass without leak and refractory steps, in portable C. Adds to
 * the findings.
 */
void snn_lif_words(struct snn_lif_pass *pass);

/**
 * One step of the synaptic currents of a population: each loses its leak and takes all that
 * arrives, which lies in `sum`. `sum` holds the currents afterwards.
 */
void snn_current_step(struct snn_population_state *state, int32_t *sum, int32_t common);

/** One step of a READOUT: leak before the sums arrive, steady currents after. */
void snn_readout_leak(struct snn_population_state *state);
void snn_readout_steady(struct snn_population_state *state, int32_t common);

#endif
