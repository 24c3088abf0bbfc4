/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/fixed_point.h"
#include "synapse.h"

/*
 * Sparse runs hold only the entries that are not zero, each with its column. Dense projections and
 * convolutions add them here, run by run.
 */

void snn_sparse_add(struct snn_delivery *delivery, uint32_t base, uint32_t first, uint32_t last,
                    int32_t factor)
{
    const struct snn_weights *weights = &delivery->projection->weights;
    const int8_t *values = weights->values;
    delivery->snn->weight_bytes += (uint64_t)(last - first) * (weights->column16 != NULL ? 3 : 5);
    if (weights->column32 != NULL) {
        for (uint32_t k = first; k < last; k++) {
            snn_sum_add(delivery, base + weights->column32[k],
                        snn_s32((uint32_t)values[k] * (uint32_t)factor));
        }
    } else if (delivery->wide) {
        int32_t *sum = (int32_t *)delivery->sum + base;
        for (uint32_t k = first; k < last; k++) {
            const uint32_t column = weights->column16[k];
            sum[column] = snn_s32((uint32_t)sum[column] + (uint32_t)values[k] * (uint32_t)factor);
        }
    } else {
        int16_t *sum = (int16_t *)delivery->sum + base;
        for (uint32_t k = first; k < last; k++) {
            const uint32_t column = weights->column16[k];
            sum[column] = snn_s16((uint32_t)sum[column] + (uint32_t)values[k] * (uint32_t)factor);
        }
    }
}
