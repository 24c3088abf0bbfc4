/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_DELIVER_H
#define SNN_HOST_DELIVER_H

#include "synapse.h"

/*
 * Delivery (deliver.c): brings the spikes or values of a source through one tap of a projection to
 * the sums of its target.
 */

/** Adds the spikes of `source` to the sums of `delivery` and counts those inside the windows. */
void snn_deliver_spikes(struct snn_delivery *delivery, const struct snn_source *source);
/**
 * Adds a frame of values, times their weights, to snn->value_sum, unscaled: snn_add_value_sums
 * takes the sums from there.
 */
void snn_deliver_values(struct snn_delivery *delivery, const int16_t *frame);

#endif
