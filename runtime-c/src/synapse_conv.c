/* SPDX-License-Identifier: Apache-2.0 */
#include "fixed_point.h"
#include "internal.h"

/*
 * Convolution by spikes: a spike of channel ci at (y, x) adds, for each kernel tap that reaches a target, one run of
 * C_out / groups weights to contiguous sums. Which taps do is read from two small maps, by row and by column, that fold
 * pooling, padding, stride and dilation (layout.c), so nothing is divided and no edge is tested here.
 */

/** First run of the taps that a source at map entries (row, column) of input channel ci reaches. */
static uint32_t run_of(const struct snn_delivery *delivery, uint32_t row, uint32_t column, uint32_t ci)
{
    const struct snn_convolution *kernel = &delivery->projection->convolution;
    const uint32_t ky = row >> 20 & 31;
    const uint32_t kx = column >> 20 & 31;
    return (ci * kernel->kernel_height + ky) * kernel->kernel_width + kx;
}

static struct snn_hit hit_of(const struct snn_delivery *delivery, uint32_t row, uint32_t column, uint32_t ci)
{
    const struct snn_projection_state *state = delivery->state;
    const uint32_t length = state->taps.length;
    const uint32_t place = (row & 0xFFFFF) * state->target_width + (column & 0xFFFFF);
    struct snn_hit hit = {place * state->target_channels, run_of(delivery, row, column, ci) * length,
                          (uint16_t)(row >> 25), (uint16_t)(column >> 25)};
    if (length != state->target_channels) {
        hit.target += snn_divide(ci, state->group_reciprocal) * length;
    }
    return hit;
}

/** Synapses of a hit whose first run is `run`. */
static uint32_t count_synapses(const struct snn_delivery *delivery, const struct snn_hit *hit, uint32_t run)
{
    const uint32_t *start = delivery->projection->weights.synapse_start;
    const struct snn_projection_state *state = delivery->state;
    uint32_t synapses = 0;
    if (start == NULL) {
        return (uint32_t)hit->taps_y * hit->taps_x * state->taps.length;
    }
    for (uint32_t a = 0; a < hit->taps_y; a++) {
        if (state->run_step_x == 1) {
            synapses += start[run + hit->taps_x] - start[run];
        } else {
            for (uint32_t b = 0, at = run; b < hit->taps_x; b++, at += state->run_step_x) {
                synapses += start[at + 1] - start[at];
            }
        }
        run += state->run_step_y;
    }
    return synapses;
}

static void send_sparse(struct snn_delivery *delivery, const struct snn_hit *hit, uint32_t run, int32_t factor)
{
    const struct snn_projection_state *state = delivery->state;
    const uint32_t *start = delivery->projection->weights.synapse_start;
    for (uint32_t a = 0; a < hit->taps_y; a++) {
        for (uint32_t b = 0; b < hit->taps_x; b++) {
            const uint32_t at = run + a * state->run_step_y + b * state->run_step_x;
            const uint32_t target = hit->target - a * state->taps.target_step_y - b * state->taps.target_step_x;
            snn_sparse_add(delivery, target, start[at], start[at + 1], factor);
        }
    }
}

/** A batch of hits on their way, with their factors for values. */
struct batch {
    struct snn_hit hits[SNN_CHUNK];
    int32_t values[SNN_CHUNK];
    uint32_t count;
    bool from_values;
};

static void send(struct snn_delivery *delivery, struct batch *batch)
{
    const struct snn_kernels *kernels = delivery->snn->kernels;
    const struct snn_taps *taps = &delivery->state->taps;
    if (delivery->projection->weights.layout == SNN_ROWS_SPARSE) {
        batch->count = 0;
        return;
    }
    if (batch->from_values) {
        kernels->mac_taps(delivery->sum, taps, batch->hits, batch->values, batch->count);
    } else if (delivery->wide) {
        kernels->add_taps_s32(delivery->sum, taps, batch->hits, batch->count);
    } else {
        kernels->add_taps_s16(delivery->sum, taps, batch->hits, batch->count);
    }
    batch->count = 0;
}

/** Takes one spike (value 1) or value at map entries (row, column), channel ci. */
static uint32_t take(struct snn_delivery *delivery, struct batch *batch, uint32_t row, uint32_t column, uint32_t ci,
                     int32_t value)
{
    const struct snn_projection_state *state = delivery->state;
    const struct snn_hit hit = hit_of(delivery, row, column, ci);
    const uint32_t run = run_of(delivery, row, column, ci);
    if (delivery->projection->weights.layout == SNN_ROWS_SPARSE) {
        send_sparse(delivery, &hit, run, batch->from_values ? value : (int32_t)(UINT32_C(1) << state->taps.shift));
    } else {
        batch->hits[batch->count] = hit;
        batch->values[batch->count] = value;
        batch->count++;
        delivery->snn->weight_bytes += (uint64_t)hit.taps_y * hit.taps_x * state->taps.length;
        if (batch->count == SNN_CHUNK) {
            send(delivery, batch);
        }
    }
    return count_synapses(delivery, &hit, run);
}

void snn_conv_spikes(struct snn_delivery *delivery, const struct snn_source *source)
{
    const struct snn_projection_state *state = delivery->state;
    uint32_t indices[SNN_CHUNK];
    struct batch batch;
    struct snn_cursor cursor;
    uint64_t synops = 0;
    batch.count = 0;
    batch.from_values = false;
    snn_cursor_begin(&cursor, source);
    for (uint32_t count; (count = snn_cursor_next(&cursor, indices)) > 0;) {
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t place = snn_divide(indices[i], state->channel_reciprocal);
            const uint32_t y = snn_divide(place, state->width_reciprocal);
            const uint32_t row = state->map_y[y];
            const uint32_t column = state->map_x[place - y * state->source.width];
            if (row != SNN_OUTSIDE && column != SNN_OUTSIDE) {
                delivery->arrived++;
                synops += take(delivery, &batch, row, column, indices[i] - place * state->source.channels, 1);
            }
        }
    }
    send(delivery, &batch);
    delivery->state->counters.synops += synops;
}

void snn_conv_values(struct snn_delivery *delivery, const int16_t *frame)
{
    const struct snn_projection_state *state = delivery->state;
    struct batch batch;
    uint64_t macs = 0;
    batch.count = 0;
    batch.from_values = true;
    for (uint32_t y = 0; y < state->pooled.height; y++) {
        for (uint32_t x = 0; x < state->pooled.width; x++) {
            const uint32_t row = state->map_y[y * state->pool];
            const uint32_t column = state->map_x[x * state->pool];
            for (uint32_t c = 0; c < state->pooled.channels; c++) {
                const int32_t value = snn_pooled_value(state, frame, c, y, x);
                if (value != 0) {
                    macs += take(delivery, &batch, row, column, c, value);
                }
            }
        }
    }
    send(delivery, &batch);
    delivery->state->counters.macs += delivery->counted ? macs : 0;
}
