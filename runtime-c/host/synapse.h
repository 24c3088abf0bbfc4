/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_SYNAPSE_H
#define SNN_HOST_SYNAPSE_H

#include "source.h"

/*
 * Synapses: each kind adds what arrives to `sum`, int32 when `wide` and int16 otherwise, and
 * counts. synapse_dense.c, synapse_conv.c and synapse_direct.c hold the kinds; synapse_sparse.c
 * adds the runs of sparse rows for the first two.
 */

/** One delivery of a projection in one step. */
struct snn_delivery {
    struct snn *snn;
    const struct snn_projection *projection;
    struct snn_projection_state *state;
    void *sum; /**< spikes: the accumulator or the membranes; values: snn->value_sum */
    bool wide;
    bool counted;     /**< values: count macs */
    int32_t common;   /**< out: to be added to every target */
    uint32_t arrived; /**< out: spikes inside the windows */
};

void snn_dense_spikes(struct snn_delivery *delivery, const struct snn_source *source);
void snn_dense_values(struct snn_delivery *delivery, const int16_t *frame);
void snn_conv_spikes(struct snn_delivery *delivery, const struct snn_source *source);
void snn_conv_values(struct snn_delivery *delivery, const int16_t *frame);
void snn_one_to_one_spikes(struct snn_delivery *delivery, const struct snn_source *source);
void snn_one_to_one_values(struct snn_delivery *delivery, const int16_t *frame);
void snn_lateral_spikes(struct snn_delivery *delivery, const struct snn_source *source);
void snn_lateral_values(struct snn_delivery *delivery, const int16_t *frame);

/** Adds weight * factor of the sparse entries first ... last - 1 to sum[base + column]. */
void snn_sparse_add(struct snn_delivery *delivery, uint32_t base, uint32_t first, uint32_t last,
                    int32_t factor);

#endif
