/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/fixed_point.h"
#include "synapse.h"
#include "lanes.h"

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

/**
 * How many bits of a cell's line take_cells reads at once: the line, a pixel or a word of lanes. 0:
 * take_cells cannot read it, since neither whole pixels fill a word of lanes nor whole words a pixel.
 */
static uint32_t find_width(const struct snn_projection_state *state)
{
    const uint32_t channels = state->source.channels;
    const uint32_t line = state->pool * channels;
    if (channels % SNN_LANE_BITS != 0 && SNN_LANE_BITS % channels != 0) {
        return 0;
    }
    return line <= SNN_LANE_BITS ? line : channels < SNN_LANE_BITS ? channels : SNN_LANE_BITS;
}

/** Behind a pool: takes the spikes cell by cell, so that their rows need no division. */
static void take_cells(struct snn_delivery *delivery, const uint32_t *bits, uint32_t width)
{
    const struct snn_projection_state *state = delivery->state;
    const uint32_t channels = state->source.channels;
    const uint32_t line = state->pool * channels;
    const uint32_t pixel = channels < SNN_LANE_BITS ? channels : SNN_LANE_BITS;
    uint32_t rows[SNN_CHUNK];
    uint32_t count = 0;
    for (uint32_t y = 0; y < state->pooled.height * state->pool; y++) {
        uint32_t first = y * state->source.width * channels;
        for (uint32_t x = 0; x < state->pooled.width; x++) {
            const uint32_t cell = state->map_y[y] + state->map_x[x * state->pool];
            uint32_t channel = 0;
            for (uint32_t at = 0; at < line; at += width, first += width) {
                snn_lanes left = snn_bits_at(bits, first, width);
                for (; left != 0; left &= left - 1) {
                    rows[count++] = cell + channel + (snn_lowest_lane(left) & (pixel - 1));
                }
                channel = channel + pixel < channels ? channel + pixel : 0;
                if (count > SNN_CHUNK - SNN_LANE_BITS) {
                    delivery->arrived += count;
                    send(delivery, rows, NULL, count);
                    count = 0;
                }
            }
        }
    }
    delivery->arrived += count;
    send(delivery, rows, NULL, count);
}

void snn_dense_spikes(struct snn_delivery *delivery, const struct snn_source *source)
{
    uint32_t indices[SNN_CHUNK];
    const bool pooled = delivery->state->map_y != NULL && source->bits != NULL;
    const uint32_t width = pooled ? find_width(delivery->state) : 0;
    /* Reading a few bits costs as much as the division of a spike or two. */
    if (width > 0 && 2 * source->count >= source->words * 32 / width) {
        take_cells(delivery, source->bits, width);
        return;
    }
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
