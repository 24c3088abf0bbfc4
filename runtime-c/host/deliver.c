/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver.h"

/* Calls the synapses of a projection's topology. */

void snn_deliver_spikes(struct snn_delivery *delivery, const struct snn_source *source)
{
    switch (delivery->projection->topology) {
    case SNN_DENSE: snn_dense_spikes(delivery, source); break;
    case SNN_CONV: snn_conv_spikes(delivery, source); break;
    case SNN_ONE_TO_ONE: snn_one_to_one_spikes(delivery, source); break;
    default: snn_lateral_spikes(delivery, source); break;
    }
    delivery->state->counters.spikes_in += delivery->arrived;
}

void snn_deliver_values(struct snn_delivery *delivery, const int16_t *frame)
{
    delivery->sum = delivery->snn->value_sum;
    delivery->wide = true;
    switch (delivery->projection->topology) {
    case SNN_DENSE: snn_dense_values(delivery, frame); break;
    case SNN_CONV: snn_conv_values(delivery, frame); break;
    case SNN_ONE_TO_ONE: snn_one_to_one_values(delivery, frame); break;
    default: snn_lateral_values(delivery, frame); break;
    }
}
