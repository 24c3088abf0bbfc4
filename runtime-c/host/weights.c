/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"
#include "model.h"

/* Weight rows as memory holds them (model.h): are they all there, in order, and counted right? */

static enum snn_status refuse(uint32_t projection, struct snn_fault *fault, long long expected,
                              long long found)
{
    const struct snn_fault found_fault = {
        SNN_ERROR_WEIGHTS, SNN_PART_PROJECTION, projection, SNN_FIELD_WEIGHTS, expected, found};
    return snn_refuse(fault, found_fault);
}

/**
 * Checks FULL rows: if there are synapse counts, they must be those of the values; if there are
 * none, no value may be 0.
 */
static enum snn_status check_full(const struct snn_weights *weights, uint64_t runs, uint32_t length,
                                  uint32_t index, struct snn_fault *fault)
{
    uint32_t before = 0;
    for (uint64_t run = 0; run < runs; run++) {
        const int8_t *values = weights->values + run * length;
        uint32_t synapses = 0;
        for (uint32_t i = 0; i < length; i++) {
            synapses += values[i] != 0 ? 1u : 0u;
        }
        if (weights->synapse_start == NULL) {
            if (synapses != length) {
                return refuse(index, fault, length, synapses);
            }
        } else {
            if (weights->synapse_start[run] != before) {
                return refuse(index, fault, before, weights->synapse_start[run]);
            }
            before += synapses;
        }
    }
    if (weights->synapse_start != NULL && weights->synapse_start[runs] != before) {
        return refuse(index, fault, before, weights->synapse_start[runs]);
    }
    return SNN_OK;
}

static enum snn_status check_sparse(const struct snn_weights *weights, uint64_t runs,
                                    uint32_t length, uint32_t index, struct snn_fault *fault)
{
    if (weights->synapse_start == NULL ||
        (weights->column16 == NULL) == (weights->column32 == NULL)) {
        return refuse(index, fault, 1, 0);
    }
    const uint32_t *start = weights->synapse_start;
    if (start[0] != 0) {
        return refuse(index, fault, 0, start[0]);
    }
    /*
     * First the starts alone, so that the entries they span are known to lie within 2^26 before any
     * is read.
     */
    for (uint64_t run = 0; run < runs; run++) {
        if (start[run + 1] < start[run] || start[run + 1] > UINT32_C(1) << 26) {
            return refuse(index, fault, start[run], start[run + 1]);
        }
    }
    for (uint64_t run = 0; run < runs; run++) {
        uint32_t least = 0;
        for (uint32_t i = start[run]; i < start[run + 1]; i++) {
            const uint32_t column =
                weights->column16 != NULL ? weights->column16[i] : weights->column32[i];
            if (column < least || column >= length) {
                return refuse(index, fault, least, column);
            }
            if (weights->values[i] == 0) {
                return refuse(index, fault, 1, 0);
            }
            least = column + 1;
        }
    }
    return SNN_OK;
}

enum snn_status snn_check_weights(const struct snn_projection *projection, uint32_t index,
                                  struct snn_fault *fault)
{
    const struct snn_weights *weights = &projection->weights;
    const bool matrix = projection->topology == SNN_DENSE || projection->topology == SNN_CONV;
    uint64_t runs = weights->rows;
    uint32_t length = weights->columns;
    if (projection->topology == SNN_CONV) {
        const uint32_t taps =
            (uint32_t)projection->convolution.kernel_height * projection->convolution.kernel_width;
        runs *= taps;
        length /= taps;
    }
    if (weights->values == NULL || weights->layout > (matrix ? SNN_ROWS_SPARSE : SNN_ROWS_FULL)) {
        return refuse(index, fault, SNN_ROWS_FULL, weights->layout);
    }
    if (!matrix) {
        return SNN_OK;
    }
    return weights->layout == SNN_ROWS_SPARSE ? check_sparse(weights, runs, length, index, fault)
                                              : check_full(weights, runs, length, index, fault);
}
