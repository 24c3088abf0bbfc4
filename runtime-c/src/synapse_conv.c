/* SPDX-License-Identifier: Apache-2.0 */
#include "fixed_point.h"
#include "internal.h"

/*
 * Convolution by spikes: a spike of channel ci at (y, x) adds, for each kernel tap that reaches a target, one run of
 * C_out / groups weights to contiguous sums. Which taps do is read from two small maps, by row and by column, that fold
 * pooling, padding, stride and dilation (layout.c), so nothing is divided and no edge is tested here.
 */

/** The taps that a source at map entries (row, column) of input channel ci reaches. */
static inline struct snn_hit hit_of(const struct snn_projection_state *state, uint32_t row, uint32_t column, uint32_t ci)
{
    const uint32_t place = (row & 0xFFFFF) * state->target_width + (column & 0xFFFFF);
    const uint32_t tap = (row >> 20 & 31) * state->kernel_width + (column >> 20 & 31);
    struct snn_hit hit = {place * state->target_channels, ci * state->kernel_taps + tap, (uint16_t)(row >> 25),
                          (uint16_t)(column >> 25)};
    if (state->taps.length != state->target_channels) {
        hit.target += snn_divide(ci, state->group_reciprocal) * state->taps.length;
    }
    return hit;
}

/** Synapses of a hit that misses part of the kernel, from the counts before each run. */
static uint32_t count_clipped(const struct snn_projection_state *state, const uint32_t *start, const struct snn_hit *hit)
{
    uint32_t synapses = 0;
    uint32_t run = hit->run;
    for (uint32_t a = 0; a < hit->taps_y; a++) {
        for (uint32_t b = 0, at = run; b < hit->taps_x; b++, at += state->run_step_x) {
            synapses += start[at + 1] - start[at];
        }
        run += state->run_step_y;
    }
    return synapses;
}

/** Synapses, and entries of full rows, of a batch of hits. */
static void count(struct snn_delivery *delivery, const struct snn_hit *hits, uint32_t hit_count, bool values)
{
    const struct snn_projection_state *state = delivery->state;
    const uint32_t *start = delivery->projection->weights.synapse_start;
    const uint32_t kernel_taps = state->kernel_taps;
    uint64_t runs = 0;
    uint64_t synapses = 0;
    for (uint32_t i = 0; i < hit_count; i++) {
        const uint32_t taps = (uint32_t)hits[i].taps_y * hits[i].taps_x;
        runs += taps;
        if (start != NULL) {
            /* All taps of a channel lie in one range. */
            synapses += taps == kernel_taps ? start[hits[i].run + kernel_taps] - start[hits[i].run]
                                            : count_clipped(state, start, &hits[i]);
        }
    }
    if (start == NULL) {
        synapses = runs * state->taps.length;
    }
    if (!values) {
        delivery->state->counters.synops += synapses;
    } else if (delivery->counted) {
        delivery->state->counters.macs += synapses;
    }
    if (delivery->projection->weights.layout == SNN_ROWS_FULL) {
        delivery->snn->weight_bytes += runs * state->taps.length;
    }
}

static void send_sparse(struct snn_delivery *delivery, const struct snn_hit *hit, int32_t factor)
{
    const struct snn_projection_state *state = delivery->state;
    const uint32_t *start = delivery->projection->weights.synapse_start;
    for (uint32_t a = 0; a < hit->taps_y; a++) {
        for (uint32_t b = 0; b < hit->taps_x; b++) {
            const uint32_t at = hit->run + a * state->run_step_y + b * state->run_step_x;
            const uint32_t target = hit->target - a * state->taps.target_step_y - b * state->taps.target_step_x;
            snn_sparse_add(delivery, target, start[at], start[at + 1], factor);
        }
    }
}

/** Adds a batch of hits to the sums; `values` holds their factors, or is null for spikes. */
static void send(struct snn_delivery *delivery, const struct snn_hit *hits, const int32_t *values, uint32_t hit_count)
{
    const struct snn_kernels *kernels = delivery->snn->kernels;
    const struct snn_taps *taps = &delivery->state->taps;
    count(delivery, hits, hit_count, values != NULL);
    if (delivery->projection->weights.layout == SNN_ROWS_SPARSE) {
        for (uint32_t i = 0; i < hit_count; i++) {
            send_sparse(delivery, &hits[i], values != NULL ? values[i] : (int32_t)(UINT32_C(1) << taps->shift));
        }
    } else if (values != NULL) {
        kernels->mac_taps(delivery->sum, taps, hits, values, hit_count);
    } else if (delivery->wide) {
        kernels->add_taps_s32(delivery->sum, taps, hits, hit_count);
    } else {
        kernels->add_taps_s16(delivery->sum, taps, hits, hit_count);
    }
}

void snn_conv_spikes(struct snn_delivery *delivery, const struct snn_source *source)
{
    const struct snn_projection_state *state = delivery->state;
    uint32_t indices[SNN_CHUNK];
    struct snn_hit hits[SNN_CHUNK];
    struct snn_cursor cursor;
    snn_cursor_begin(&cursor, source, delivery->snn->kernels);
    for (uint32_t found; (found = snn_cursor_next(&cursor, indices)) > 0;) {
        uint32_t inside = 0;
        for (uint32_t i = 0; i < found; i++) {
            const uint32_t place = snn_divide(indices[i], state->channel_reciprocal);
            const uint32_t y = snn_divide(place, state->width_reciprocal);
            const uint32_t row = state->map_y[y];
            const uint32_t column = state->map_x[place - y * state->source.width];
            hits[inside] = hit_of(state, row, column, indices[i] - place * state->source.channels);
            inside += row != SNN_OUTSIDE && column != SNN_OUTSIDE ? 1u : 0u;
        }
        delivery->arrived += inside;
        send(delivery, hits, NULL, inside);
    }
}

void snn_conv_values(struct snn_delivery *delivery, const int16_t *frame)
{
    const struct snn_projection_state *state = delivery->state;
    struct snn_hit hits[SNN_CHUNK];
    int32_t values[SNN_CHUNK];
    uint32_t found = 0;
    uint32_t cell = 0;
    for (uint32_t y = 0; y < state->pooled.height; y++) {
        const uint32_t row = state->map_y[y * state->pool];
        for (uint32_t x = 0; x < state->pooled.width; x++) {
            const uint32_t column = state->map_x[x * state->pool];
            for (uint32_t c = 0; c < state->pooled.channels; c++) {
                values[found] = state->pool == 1 ? frame[cell++] : snn_pooled_value(state, frame, c, y, x);
                hits[found] = hit_of(state, row, column, c);
                found += values[found] != 0 ? 1u : 0u;
                if (found == SNN_CHUNK) {
                    send(delivery, hits, values, found);
                    found = 0;
                }
            }
        }
    }
    if (found > 0) {
        send(delivery, hits, values, found);
    }
}
