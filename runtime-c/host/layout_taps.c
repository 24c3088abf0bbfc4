/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"
#include "model.h"

/* Where the taps of projections lie, and the maps from source coordinates to targets. */

static uint32_t greatest_common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        const uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/** One axis of a convolution with its pool. */
struct axis {
    uint32_t length, pooled, target; /* source before and after pooling, target */
    uint32_t pool, taps, stride, dilation, padding;
};

/**
 * Writes an entry for each source coordinate: target | tap << 20 | taps << 25. `taps` is the number
 * of kernel taps through which the coordinate reaches targets, `tap` is the first of these, and
 * `target` is the coordinate that this tap reaches. The further taps follow stride / gcd apart, and
 * their targets dilation / gcd, with the greatest common divisor of stride and dilation.
 */
static void map_axis(uint32_t *map, const struct axis *axis)
{
    uint32_t cell = 0;
    uint32_t within = 0;
    for (uint32_t i = 0; i < axis->length; i++) {
        uint32_t entry = 0;
        for (uint32_t k = axis->taps; k-- > 0;) {
            const uint32_t padded = cell + axis->padding;
            if (padded >= k * axis->dilation && (padded - k * axis->dilation) % axis->stride == 0) {
                const uint32_t target = (padded - k * axis->dilation) / axis->stride;
                if (target < axis->target) {
                    entry = target | k << 20 | ((entry >> 25) + 1) << 25;
                }
            }
        }
        map[i] = cell < axis->pooled ? entry : SNN_OUTSIDE;
        if (++within == axis->pool) {
            within = 0;
            cell++;
        }
    }
}

/** Writes for each source coordinate its part of the pooled linear index. */
static void map_pool(uint32_t *map, uint32_t length, uint32_t pooled, uint32_t pool, uint32_t step)
{
    uint32_t cell = 0;
    uint32_t within = 0;
    for (uint32_t i = 0; i < length; i++) {
        map[i] = cell < pooled ? cell * step : SNN_OUTSIDE;
        if (++within == pool) {
            within = 0;
            cell++;
        }
    }
}

/**
 * floor(2^40 / d) + 1, d < 2^31. Long division keeps the compiler's 64-bit division out of small
 * targets.
 */
static uint64_t reciprocal(uint32_t d)
{
    uint64_t quotient = 0;
    uint32_t rest = 0;
    for (int bit = 40; bit >= 0; bit--) {
        rest = rest * 2 + (bit == 40 ? 1u : 0u);
        quotient <<= 1;
        if (rest >= d) {
            rest -= d;
            quotient |= 1;
        }
    }
    return quotient + 1;
}

/**
 * The number of a convolution's lanes: its source channels, times as many pixels of a pooled cell
 * as fit a word of lanes, at least one.
 */
static uint32_t count_lanes(const struct snn_projection_state *state)
{
    const uint32_t channels = state->source.channels;
    uint32_t lanes = channels;
    for (uint32_t i = 1; i < state->pool * state->pool && lanes + channels <= SNN_LANE_BITS; i++) {
        lanes += channels;
    }
    return lanes;
}

static void prepare_lanes(const struct snn_projection_state *state,
                          const struct snn_weights *weights)
{
    const uint32_t lanes = count_lanes(state);
    for (uint32_t i = 0; i < lanes; i++) {
        struct snn_lane *lane = &state->lane[i];
        lane->run = i % state->source.channels * state->kernel_taps;
        lane->synapses = weights->synapse_start == NULL
                             ? weights->columns
                             : weights->synapse_start[lane->run + state->kernel_taps] -
                                   weights->synapse_start[lane->run];
    }
}

static void prepare_taps(struct snn_projection_state *state,
                         const struct snn_projection *projection, const struct snn_shape *target)
{
    const struct snn_convolution *kernel = &projection->convolution;
    const uint32_t common_y = greatest_common_divisor(kernel->stride_y, kernel->dilation_y);
    const uint32_t common_x = greatest_common_divisor(kernel->stride_x, kernel->dilation_x);
    struct snn_taps *taps = &state->taps;
    state->kernel_width = kernel->kernel_width;
    state->kernel_taps = (uint32_t)kernel->kernel_height * kernel->kernel_width;
    state->run_step_y = kernel->stride_y / common_y * kernel->kernel_width;
    state->run_step_x = kernel->stride_x / common_x;
    state->group_reciprocal = reciprocal(state->source.channels / kernel->groups);
    prepare_lanes(state, &projection->weights);
    taps->weights = projection->weights.values;
    taps->lane = state->lane;
    taps->length = target->channels / kernel->groups;
    taps->shift = projection->shift;
    taps->factor = (uint16_t)(UINT32_C(1) << (projection->shift & 15));
    taps->weight_step_y = state->run_step_y * taps->length;
    taps->weight_step_x = state->run_step_x * taps->length;
    taps->target_step_y = kernel->dilation_y / common_y * target->width * target->channels;
    taps->target_step_x = kernel->dilation_x / common_x * target->channels;
    const struct axis y = {state->source.height, state->pooled.height,  target->height,
                           state->pool,          kernel->kernel_height, kernel->stride_y,
                           kernel->dilation_y,   kernel->padding_top};
    const struct axis x = {state->source.width, state->pooled.width,  target->width,
                           state->pool,         kernel->kernel_width, kernel->stride_x,
                           kernel->dilation_x,  kernel->padding_left};
    map_axis(state->map_y, &y);
    map_axis(state->map_x, &x);
}

/**
 * Places one tap of a projection. All taps share the maps of source coordinates, so a further tap
 * takes those of `before`, the tap before it.
 */
struct snn_projection_state snn_place_tap(struct snn_memory *memory, const struct snn_model *model,
                                          uint32_t index, uint32_t tap,
                                          const struct snn_projection_state *before)
{
    const struct snn_projection *projection = &model->projections[index];
    const struct snn_shape target = model->populations[projection->target].shape;
    const uint32_t taps = snn_tap_count(projection);
    struct snn_projection_state state = {0};
    state.projection = projection;
    state.index = index;
    state.delay = snn_tap_delay(projection, tap);
    state.last = tap + 1 == taps;
    if (taps > 1) {
        state.own = snn_take(memory, 1, sizeof(struct snn_projection));
        if (state.own != NULL) {
            *state.own = *projection;
            state.own->weights = snn_tap_weights(projection, tap);
            state.projection = state.own;
        }
    }
    state.source = snn_source_shape(model, projection);
    state.pooled = snn_pooled_shape(model, projection);
    state.target_size = snn_shape_size(&target);
    state.target_channels = target.channels;
    state.target_width = target.width;
    state.pool = projection->pool > 1 ? projection->pool : 1;
    state.channel_reciprocal = reciprocal(state.source.channels);
    state.width_reciprocal = reciprocal(state.source.width);
    if (tap > 0) {
        state.map_y = before->map_y;
        state.map_x = before->map_x;
    } else if (projection->topology == SNN_CONV || state.pool > 1) {
        state.map_y = snn_take(memory, state.source.height, sizeof(uint32_t));
        state.map_x = snn_take(memory, state.source.width, sizeof(uint32_t));
    }
    if (projection->topology == SNN_CONV) {
        state.lane = snn_take(memory, count_lanes(&state), sizeof(struct snn_lane));
    }
    if (memory->base == NULL || state.map_y == NULL) {
        return state;
    }
    if (projection->topology == SNN_CONV) {
        prepare_taps(&state, state.projection, &target);
    } else {
        const uint32_t channels = state.source.channels;
        map_pool(state.map_y, state.source.height, state.pooled.height, state.pool,
                 state.pooled.width * channels);
        map_pool(state.map_x, state.source.width, state.pooled.width, state.pool, channels);
    }
    return state;
}
