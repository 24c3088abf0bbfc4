/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/fixed_point.h"
#include "synapse.h"
#include "lanes.h"

/*
 * Convolution by spikes: a spike of channel ci at (y, x) adds, for each kernel tap that reaches a
 * target, one run of C_out / groups weights to contiguous sums. Two small maps, one by row and one
 * by column, say which taps reach a target. The maps contain pooling, padding, stride and dilation
 * (layout_taps.c), so no edge is tested here. All spikes of a pooled cell reach the same sums: they go
 * to the kernels as one hit, whose bits are those of the spike map, and each sum is loaded and
 * stored once.
 */

/**
 * The hit of the spikes `lanes`, whose first lane is `lane`, at the place with the map entries
 * `row` and `column`. The lanes belong to one group, that of `lane`.
 */
static inline struct snn_hit hit_of(const struct snn_projection_state *state, uint32_t row,
                                    uint32_t column, uint32_t lane, snn_lanes lanes)
{
    const uint32_t place = (row & 0xFFFFF) * state->target_width + (column & 0xFFFFF);
    const uint32_t tap = (row >> 20 & 31) * state->kernel_width + (column >> 20 & 31);
    struct snn_hit hit = {place * state->target_channels, tap,  lane, (uint16_t)(row >> 25),
                          (uint16_t)(column >> 25),       lanes};
    if (state->taps.length != state->target_channels) {
        hit.target += snn_divide(lane, state->group_reciprocal) * state->taps.length;
    }
    return hit;
}

/* ---- Counting ---- */

/**
 * The number of synapses of one lane of a hit that reaches targets through a part of the kernel
 * only; `start`: where those of the lane's runs begin, from the first run of that part on.
 */
static uint32_t count_clipped(const struct snn_projection_state *state, const uint32_t *start,
                              const struct snn_hit *hit)
{
    /* Runs side by side are counted at once. */
    const bool adjacent = state->run_step_x == 1;
    const uint32_t length = adjacent ? hit->taps_x : 1;
    const uint32_t end = adjacent ? 1 : hit->taps_x * state->run_step_x;
    uint32_t synapses = 0;
    for (uint32_t a = hit->taps_y; a > 0; a--, start += state->run_step_y) {
        for (uint32_t b = 0; b < end; b += state->run_step_x) {
            synapses += start[b + length] - start[b];
        }
    }
    return synapses;
}

/**
 * The number of synapses in the parts of the kernel that hits at edges miss. Also takes back the
 * bytes of these weights, which were counted as if every hit used the whole kernel.
 */
static uint64_t count_missed(struct snn_delivery *delivery, const struct snn_hit *hits,
                             uint32_t hit_count)
{
    const struct snn_projection_state *state = delivery->state;
    const uint32_t *start = delivery->projection->weights.synapse_start;
    uint64_t missed = 0;
    uint64_t runs = 0;
    for (uint32_t i = 0; i < hit_count; i++) {
        const uint32_t taps = (uint32_t)hits[i].taps_y * hits[i].taps_x;
        if (taps == state->kernel_taps) {
            continue;
        }
        runs += (uint64_t)snn_count_lanes(hits[i].lanes) * (state->kernel_taps - taps);
        for (snn_lanes left = hits[i].lanes; start != NULL && left != 0; left &= left - 1) {
            const struct snn_lane *lane = &state->lane[hits[i].lane + snn_lowest_lane(left)];
            missed +=
                lane->synapses - count_clipped(state, start + lane->run + hits[i].tap, &hits[i]);
        }
    }
    if (delivery->projection->weights.layout == SNN_ROWS_FULL) {
        delivery->snn->weight_bytes -= runs * state->taps.length;
    }
    return start == NULL ? runs * state->taps.length : missed;
}

/** Counts spikes or values that arrive, and the bytes of their full rows. */
static void count_arrived(struct snn_delivery *delivery, uint32_t count)
{
    const struct snn_projection_state *state = delivery->state;
    delivery->arrived += count;
    if (delivery->projection->weights.layout == SNN_ROWS_FULL) {
        delivery->snn->weight_bytes += (uint64_t)count * state->kernel_taps * state->taps.length;
    }
}

/* ---- Adding ---- */

static void send_sparse(struct snn_delivery *delivery, const struct snn_hit *hit, uint32_t run,
                        int32_t factor)
{
    const struct snn_projection_state *state = delivery->state;
    const uint32_t *start = delivery->projection->weights.synapse_start;
    for (uint32_t a = 0; a < hit->taps_y; a++) {
        for (uint32_t b = 0; b < hit->taps_x; b++) {
            const uint32_t at = run + a * state->run_step_y + b * state->run_step_x;
            const uint32_t target =
                hit->target - a * state->taps.target_step_y - b * state->taps.target_step_x;
            snn_sparse_add(delivery, target, start[at], start[at + 1], factor);
        }
    }
}

/** Adds a batch of spikes to the sums. */
static void send_spikes(struct snn_delivery *delivery, const struct snn_hit *hits,
                        uint32_t hit_count)
{
    const struct snn_kernels *kernels = delivery->snn->kernels;
    const struct snn_taps *taps = &delivery->state->taps;
    uint64_t synapses = 0;
    if (delivery->projection->weights.layout == SNN_ROWS_SPARSE) {
        for (uint32_t i = 0; i < hit_count; i++) {
            for (snn_lanes left = hits[i].lanes; left != 0; left &= left - 1) {
                const struct snn_lane *lane = &taps->lane[hits[i].lane + snn_lowest_lane(left)];
                send_sparse(delivery, &hits[i], lane->run + hits[i].tap,
                            (int32_t)(UINT32_C(1) << taps->shift));
                synapses += lane->synapses;
            }
        }
    } else if (delivery->wide) {
        synapses = kernels->add_taps_s32(delivery->sum, taps, hits, hit_count);
    } else {
        synapses = kernels->add_taps_s16(delivery->sum, taps, hits, hit_count);
    }
    delivery->state->counters.synops += synapses - count_missed(delivery, hits, hit_count);
}

/** Adds a batch of values, one a hit. */
static void send_values(struct snn_delivery *delivery, const struct snn_hit *hits,
                        const int32_t *values, uint32_t hit_count)
{
    const struct snn_taps *taps = &delivery->state->taps;
    uint64_t synapses = 0;
    for (uint32_t i = 0; i < hit_count; i++) {
        synapses += taps->lane[hits[i].lane].synapses;
        if (delivery->projection->weights.layout == SNN_ROWS_SPARSE) {
            send_sparse(delivery, &hits[i], taps->lane[hits[i].lane].run + hits[i].tap, values[i]);
        }
    }
    if (delivery->projection->weights.layout == SNN_ROWS_FULL) {
        delivery->snn->kernels->mac_taps(delivery->sum, taps, hits, values, hit_count);
    }
    count_arrived(delivery, hit_count);
    synapses -= count_missed(delivery, hits, hit_count);
    delivery->state->counters.macs += delivery->counted ? synapses : 0;
}

/* ---- Finding hits ---- */

/** Hits on their way to the kernels. */
struct batch {
    struct snn_delivery *delivery;
    uint32_t count;
    uint32_t arrived; /**< spikes of all hits so far */
    struct snn_hit hits[SNN_HITS];
};

static inline void push(struct batch *batch, struct snn_hit hit)
{
    batch->hits[batch->count++] = hit;
    if (batch->count == SNN_HITS) {
        send_spikes(batch->delivery, batch->hits, SNN_HITS);
        batch->count = 0;
    }
}

/**
 * Pushes the spikes of the pooled cell whose first pixel is (y, x), as many to a hit as a word of
 * lanes holds. Pixels of a line lie side by side in the bitmap, so `width` bits, a whole number of
 * pixels, are read at a time.
 */
static inline void push_cell(struct batch *batch, const uint32_t *bits, uint32_t width, uint32_t y,
                             uint32_t x, struct snn_hit hit)
{
    const struct snn_projection_state *state = batch->delivery->state;
    const uint32_t channels = state->source.channels;
    uint32_t used = 0;
    for (uint32_t dy = 0; dy < state->pool; dy++) {
        const uint32_t first = ((y + dy) * state->source.width + x) * channels;
        for (uint32_t at = 0; at < state->pool * channels; at += width) {
            if (used + width > SNN_LANE_BITS) {
                if (hit.lanes != 0) {
                    push(batch, hit);
                }
                hit.lanes = 0;
                used = 0;
            }
            hit.lanes |= snn_bits_at(bits, first + at, width) << used;
            used += width;
        }
    }
    if (hit.lanes != 0) {
        push(batch, hit);
    }
}

/** Does what push_cell does, where the channels of one pixel fill more than a word of lanes. */
static void push_deep_cell(struct batch *batch, const uint32_t *bits, uint32_t y, uint32_t x,
                           struct snn_hit hit)
{
    const struct snn_projection_state *state = batch->delivery->state;
    const uint32_t channels = state->source.channels;
    for (uint32_t i = 0; i < state->pool * state->pool; i++) {
        const uint32_t dy = i / state->pool;
        const uint32_t pixel = (y + dy) * state->source.width + x + i - dy * state->pool;
        for (hit.lane = 0; hit.lane < channels; hit.lane += SNN_LANE_BITS) {
            const uint32_t left = channels - hit.lane;
            hit.lanes = snn_bits_at(bits, pixel * channels + hit.lane,
                                    left < SNN_LANE_BITS ? left : SNN_LANE_BITS);
            if (hit.lanes != 0) {
                push(batch, hit);
            }
        }
    }
}

#if SNN_LANE_BITS == 64
/** Takes cells of 2 x 2 pixels of 16 channels: each of their two lines is a word of the map. */
static void take_cells_of_two_words(struct batch *batch, const uint32_t *bits)
{
    const struct snn_projection_state *state = batch->delivery->state;
    const uint32_t line = state->source.width * state->source.channels / 32;
    for (uint32_t y = 0; y < state->pooled.height; y++) {
        const uint32_t row = state->map_y[2 * y];
        const uint32_t *upper = bits + 2 * y * line;
        for (uint32_t x = 0; x < state->pooled.width; x++) {
            const snn_lanes lanes = upper[x] | (snn_lanes)upper[line + x] << 32;
            if (lanes != 0) {
                push(batch, hit_of(state, row, state->map_x[2 * x], 0, lanes));
            }
        }
    }
}
#endif

/** Takes spikes cell by cell, so that the spikes that reach the same targets are added together. */
static void take_cells(struct batch *batch, const uint32_t *bits)
{
    const struct snn_projection_state *state = batch->delivery->state;
    const uint32_t channels = state->source.channels;
    const uint32_t width =
        state->pool * channels <= SNN_LANE_BITS ? state->pool * channels : channels;
#if SNN_LANE_BITS == 64
    if (state->pool == 2 && channels == 16 && state->source.width % 2 == 0) {
        take_cells_of_two_words(batch, bits);
        return;
    }
#endif
    for (uint32_t y = 0; y + state->pool <= state->source.height; y += state->pool) {
        const uint32_t row = state->map_y[y];
        for (uint32_t x = 0; x + state->pool <= state->source.width; x += state->pool) {
            const struct snn_hit hit = hit_of(state, row, state->map_x[x], 0, 0);
            if (channels <= SNN_LANE_BITS) {
                push_cell(batch, bits, width, y, x, hit);
            } else {
                push_deep_cell(batch, bits, y, x, hit);
            }
        }
    }
}

/** The number of spikes beyond the last whole cell of a line or column. */
static uint32_t count_outside(const struct snn_projection_state *state, const uint32_t *bits)
{
    const uint32_t width = state->source.width;
    const uint32_t inside_y = state->source.height - state->source.height % state->pool;
    const uint32_t inside_x = width - width % state->pool;
    uint32_t count = 0;
    if (inside_y == state->source.height && inside_x == width) {
        return 0;
    }
    for (uint32_t y = 0; y < state->source.height; y++) {
        const uint32_t first = (y * width + (y < inside_y ? inside_x : 0)) * state->source.channels;
        const uint32_t end = (y + 1) * width * state->source.channels;
        for (uint32_t at = first; at < end; at += 32) {
            count += snn_count_lanes(snn_bits_at(bits, at, end - at < 32 ? end - at : 32));
        }
    }
    return count;
}

/** Takes spikes one by one, each as a hit of one lane. */
static void take_spikes(struct batch *batch, const struct snn_source *source)
{
    const struct snn_projection_state *state = batch->delivery->state;
    uint32_t indices[SNN_CHUNK];
    struct snn_cursor cursor;
    snn_cursor_begin(&cursor, source, batch->delivery->snn->kernels);
    for (uint32_t found; (found = snn_cursor_next(&cursor, indices)) > 0;) {
        for (uint32_t i = 0; i < found; i++) {
            const uint32_t place = snn_divide(indices[i], state->channel_reciprocal);
            const uint32_t y = snn_divide(place, state->width_reciprocal);
            const uint32_t row = state->map_y[y];
            const uint32_t column = state->map_x[place - y * state->source.width];
            if (row != SNN_OUTSIDE && column != SNN_OUTSIDE) {
                batch->arrived++;
                push(batch,
                     hit_of(state, row, column, indices[i] - place * state->source.channels, 1));
            }
        }
    }
}

void snn_conv_spikes(struct snn_delivery *delivery, const struct snn_source *source)
{
    const struct snn_projection_state *state = delivery->state;
    struct batch batch;
    batch.delivery = delivery;
    batch.count = 0;
    batch.arrived = 0;
    /*
     * A cell costs a few instructions even when it is empty, so few spikes are taken one by one. So
     * are spikes of several groups: those of one cell do not reach the same targets.
     */
    if (source->bits != NULL && delivery->projection->convolution.groups == 1 &&
        source->count >= state->pooled.height * state->pooled.width / 2) {
        take_cells(&batch, source->bits);
        batch.arrived = source->count - count_outside(state, source->bits);
    } else {
        take_spikes(&batch, source);
    }
    send_spikes(delivery, batch.hits, batch.count);
    count_arrived(delivery, batch.arrived);
}

void snn_conv_values(struct snn_delivery *delivery, const int16_t *frame)
{
    const struct snn_projection_state *state = delivery->state;
    struct snn_hit hits[SNN_HITS];
    int32_t values[SNN_HITS];
    uint32_t found = 0;
    uint32_t cell = 0;
    for (uint32_t y = 0; y < state->pooled.height; y++) {
        const uint32_t row = state->map_y[y * state->pool];
        for (uint32_t x = 0; x < state->pooled.width; x++) {
            const uint32_t column = state->map_x[x * state->pool];
            for (uint32_t c = 0; c < state->pooled.channels; c++) {
                values[found] =
                    state->pool == 1 ? frame[cell++] : snn_pooled_value(state, frame, c, y, x);
                hits[found] = hit_of(state, row, column, c, 1);
                found += values[found] != 0 ? 1u : 0u;
                if (found == SNN_HITS) {
                    send_values(delivery, hits, values, found);
                    found = 0;
                }
            }
        }
    }
    send_values(delivery, hits, values, found);
}
