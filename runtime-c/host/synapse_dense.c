/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/fixed_point.h"
#include "synapse.h"

/* Dense projections: every source reaches every target, so a spike adds the row of its source. */

/**
 * Adds a batch of rows to the sums and counts their synapses: row i `values[i]` times or, for
 * spikes, where `values` is null, 2^shift times.
 */
static void send(struct snn_delivery *delivery, const uint32_t *rows, const int32_t *values,
                 uint32_t count)
{
    const struct snn_weights *weights = &delivery->projection->weights;
    const uint32_t *start = weights->synapse_start;
    const uint32_t shift = values == NULL ? delivery->projection->shift : 0;
    uint64_t synapses = (uint64_t)count * weights->columns;
    if (start != NULL) {
        synapses = 0;
        for (uint32_t i = 0; i < count; i++) {
            synapses += start[rows[i] + 1] - start[rows[i]];
        }
    }
    if (values == NULL) {
        delivery->state->counters.synops += synapses;
    } else if (delivery->counted) {
        delivery->state->counters.macs += synapses;
    }
    if (weights->layout == SNN_ROWS_SPARSE) {
        for (uint32_t i = 0; i < count; i++) {
            const int32_t factor = values != NULL ? values[i] : (int32_t)(UINT32_C(1) << shift);
            snn_sparse_add(delivery, 0, start[rows[i]], start[rows[i] + 1], factor);
        }
        return;
    }
    const struct snn_kernels *kernels = delivery->snn->kernels;
    const struct snn_row_set set = {
        weights->values, weights->columns, shift, count, rows, (uint16_t)(UINT32_C(1) << shift)};
    delivery->snn->weight_bytes += (uint64_t)count * weights->columns;
    if (values != NULL) {
        kernels->mac_rows(delivery->sum, &set, values);
    } else if (delivery->wide) {
        kernels->add_rows_s32(delivery->sum, &set);
    } else {
        kernels->add_rows_s16(delivery->sum, &set);
    }
}

/**
 * Behind a pool: replaces the source indices of a chunk of spikes by the rows of their pooled
 * cells. Drops spikes outside every full window and returns how many are left.
 */
static uint32_t find_cells(const struct snn_projection_state *state, uint32_t *indices,
                           uint32_t count)
{
    const uint32_t width = state->source.width;
    uint32_t inside = 0;
    /* first pixel of the line in which the spike before lies; `row`: that line's map entry */
    uint32_t line = 0;
    uint32_t row = state->map_y[0];
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t place = snn_divide(indices[i], state->channel_reciprocal);
        if (place - line >= width) {
            const uint32_t y = snn_divide(place, state->width_reciprocal);
            line = y * width;
            row = state->map_y[y];
        }
        const uint32_t column = state->map_x[place - line];
        const uint32_t channel = indices[i] - place * state->source.channels;
        indices[inside] = row + column + channel;
        inside += row != SNN_OUTSIDE && column != SNN_OUTSIDE ? 1u : 0u;
    }
    return inside;
}

void snn_dense_spikes(struct snn_delivery *delivery, const struct snn_source *source)
{
    uint32_t indices[SNN_CHUNK];
    struct snn_cursor cursor;
    snn_cursor_begin(&cursor, source, delivery->snn->kernels);
    for (uint32_t count; (count = snn_cursor_next(&cursor, indices)) > 0;) {
        if (delivery->state->map_y != NULL) {
            count = find_cells(delivery->state, indices, count);
        }
        delivery->arrived += count;
        send(delivery, indices, NULL, count);
    }
}

void snn_dense_values(struct snn_delivery *delivery, const int16_t *frame)
{
    const struct snn_projection_state *state = delivery->state;
    uint32_t rows[SNN_CHUNK];
    int32_t values[SNN_CHUNK];
    uint32_t count = 0;
    uint32_t row = 0;
    for (uint32_t y = 0; y < state->pooled.height; y++) {
        for (uint32_t x = 0; x < state->pooled.width; x++) {
            for (uint32_t c = 0; c < state->pooled.channels; c++, row++) {
                const int32_t value =
                    state->pool == 1 ? frame[row] : snn_pooled_value(state, frame, c, y, x);
                rows[count] = row;
                values[count] = value;
                count += value != 0 ? 1u : 0u;
                if (count == SNN_CHUNK) {
                    send(delivery, rows, values, count);
                    count = 0;
                }
            }
        }
    }
    send(delivery, rows, values, count);
}
