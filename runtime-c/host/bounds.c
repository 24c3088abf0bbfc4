/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"
#include "model.h"

/*
 * FORMAT.md, section 5: how large the sums of every neuron can become. Neurons are taken in blocks
 * of channels at one place, so that the weights of a block lie side by side. Places of a
 * convolution that see the same kernel taps share their bound and are visited once.
 */

enum { BLOCK = 64 };

/**
 * Larger sums are cut down to this, as all of them are refused; 1024 of them stay far from 2^64.
 */
static const uint64_t too_large = UINT64_C(1) << 40;

/**
 * For each neuron of the block, the sum of |w| over the entries taken so far; or, if `largest`, the
 * largest |w|, where a source may arrive many times.
 */
struct block_sums {
    uint64_t entry[BLOCK];
    bool largest;
};

static void take(struct block_sums *sums, uint32_t i, int32_t weight)
{
    const uint64_t magnitude = (uint64_t)(weight < 0 ? -weight : weight);
    if (!sums->largest) {
        sums->entry[i] += magnitude;
    } else if (magnitude > sums->entry[i]) {
        sums->entry[i] = magnitude;
    }
}

/** First entry of a sparse run whose column is at least `column`. */
static uint32_t find_column(const struct snn_weights *weights, uint32_t first, uint32_t last,
                            uint32_t column)
{
    while (first < last) {
        const uint32_t middle = first + (last - first) / 2;
        const uint32_t found =
            weights->column16 != NULL ? weights->column16[middle] : weights->column32[middle];
        if (found < column) {
            first = middle + 1;
        } else {
            last = middle;
        }
    }
    return first;
}

/** Takes the entries `from` ... from + count - 1 of a run for the block's neurons from `at` on. */
static void take_run(struct block_sums *sums, const struct snn_weights *weights, uint32_t run,
                     uint32_t length, uint32_t from, uint32_t count, uint32_t at)
{
    if (weights->layout == SNN_ROWS_FULL) {
        const int8_t *values = weights->values + (size_t)run * length + from;
        for (uint32_t i = 0; i < count; i++) {
            take(sums, at + i, values[i]);
        }
        return;
    }
    const uint32_t last = weights->synapse_start[run + 1];
    for (uint32_t k = find_column(weights, weights->synapse_start[run], last, from); k < last;
         k++) {
        const uint32_t column =
            weights->column16 != NULL ? weights->column16[k] : weights->column32[k];
        if (column >= from + count) {
            return;
        }
        take(sums, at + column - from, weights->values[k]);
    }
}

/** A block of `count` channels from `channel` on, at target place (y, x). */
struct block {
    uint32_t channel, count, y, x;
};

/**
 * Whether the coordinate from which kernel tap k feeds target coordinate o lies inside the source.
 */
static bool tap_inside(uint32_t o, uint32_t k, uint32_t stride, uint32_t dilation, uint32_t padding,
                       uint32_t length)
{
    const uint32_t padded = o * stride + k * dilation;
    return padded >= padding && padded - padding < length;
}

static void take_convolution(struct block_sums *sums, const struct snn_projection *projection,
                             const struct snn_weights *weights, const struct snn_shape *source,
                             const struct snn_shape *target, const struct block *block)
{
    const struct snn_convolution *kernel = &projection->convolution;
    const uint32_t sources = source->channels / kernel->groups;
    const uint32_t length = target->channels / kernel->groups;
    uint32_t done = 0;
    while (done < block->count) {
        const uint32_t channel = block->channel + done;
        const uint32_t group = channel / length;
        const uint32_t from = channel - group * length;
        const uint32_t left = block->count - done;
        const uint32_t count = left < length - from ? left : length - from;
        for (uint32_t ky = 0; ky < kernel->kernel_height; ky++) {
            if (!tap_inside(block->y, ky, kernel->stride_y, kernel->dilation_y, kernel->padding_top,
                            source->height)) {
                continue;
            }
            for (uint32_t kx = 0; kx < kernel->kernel_width; kx++) {
                if (!tap_inside(block->x, kx, kernel->stride_x, kernel->dilation_x,
                                kernel->padding_left, source->width)) {
                    continue;
                }
                for (uint32_t ci = group * sources; ci < (group + 1) * sources; ci++) {
                    const uint32_t run =
                        (ci * kernel->kernel_height + ky) * kernel->kernel_width + kx;
                    take_run(sums, weights, run, length, from, count, done);
                }
            }
        }
        done += count;
    }
}

/** Takes one tap of a projection. */
static void take_tap(struct block_sums *sums, const struct snn_model *model,
                     const struct snn_projection *projection, uint32_t tap,
                     const struct block *block)
{
    const struct snn_shape source = snn_pooled_shape(model, projection);
    const struct snn_shape target = model->populations[projection->target].shape;
    const struct snn_weights own = snn_tap_weights(projection, tap);
    const struct snn_weights *weights = &own;
    const uint32_t neurons = snn_shape_size(&target);
    const uint32_t first = (block->y * target.width + block->x) * target.channels + block->channel;
    switch (projection->topology) {
    case SNN_DENSE:
        for (uint32_t row = 0; row < weights->rows; row++) {
            take_run(sums, weights, row, weights->columns, first, block->count, 0);
        }
        break;
    case SNN_CONV: take_convolution(sums, projection, weights, &source, &target, block); break;
    case SNN_ONE_TO_ONE:
        for (uint32_t i = 0; i < block->count; i++) {
            const uint32_t column = weights->columns == neurons ? first + i : block->channel + i;
            take(sums, i, weights->values[weights->columns == 1 ? 0 : column]);
        }
        break;
    default:
        for (uint32_t i = 0; i < block->count; i++) {
            const int32_t weight = weights->values[0];
            const uint64_t magnitude = (uint64_t)(weight < 0 ? -weight : weight);
            sums->entry[i] = sums->largest && neurons > 1 ? magnitude : magnitude * (neurons - 1);
        }
        break;
    }
}

/**
 * Adds B_p(j) of one projection; false, with the sum in `found`, when a sum of values reaches 2^24.
 */
static bool add_projection(uint64_t bound[BLOCK], const struct snn_model *model,
                           const struct snn_projection *projection, const struct block *block,
                           uint64_t *found)
{
    uint64_t arriving[BLOCK] = {0};
    bool largest_only = false;
    const bool from_values = snn_is_from_values(model, projection);
    const uint32_t pool = projection->pool > 1 ? projection->pool : 1;
    uint64_t factor = (uint64_t)pool * pool;
    if (from_values) {
        const int32_t low = model->inputs[projection->source].min_value;
        const int32_t high = model->inputs[projection->source].max_value;
        const int32_t largest = -low > high ? -low : high;
        factor *= (uint64_t)(largest > -high ? largest : -high);
    } else if (projection->from_input &&
               model->inputs[projection->source].multiplicity == SNN_EVERY) {
        largest_only = true;
        factor = model->inputs[projection->source].max_events_per_step;
    }
    for (uint32_t tap = 0; tap < snn_tap_count(projection); tap++) {
        struct block_sums sums = {{0}, largest_only};
        take_tap(&sums, model, projection, tap, block);
        for (uint32_t i = 0; i < block->count; i++) {
            arriving[i] += sums.entry[i];
        }
    }
    for (uint32_t i = 0; i < block->count; i++) {
        /*
         * At most 2^56: `arriving` comes from 2^26 entries of 2^7, or from 2^20 sources of one
         * lateral weight in 2^5 taps, and `factor` is at most 2^23.
         */
        uint64_t a = arriving[i] * factor;
        if (from_values) {
            a += (UINT64_C(1) << projection->shift) >> 1;
            if (a >= UINT64_C(1) << 24) {
                *found = a;
                return false;
            }
            a >>= projection->shift;
        } else {
            a = a > too_large ? too_large : a << projection->shift;
        }
        bound[i] += a > too_large ? too_large : a;
    }
    return true;
}

static uint64_t magnitude_at(const int32_t *values, uint32_t count, uint32_t channel,
                             uint32_t neuron, uint32_t neurons)
{
    if (count == 0) {
        return 0;
    }
    const int64_t value = values[count == 1 ? 0 : count == neurons ? neuron : channel];
    return (uint64_t)(value < 0 ? -value : value);
}

/** I(j): how large the synaptic current of a neuron becomes at which `arriving` arrives at most. */
static uint64_t current_bound(const struct snn_model *model,
                              const struct snn_population *population, uint64_t arriving,
                              uint32_t channel, uint32_t neuron)
{
    const uint32_t count = population->current_leak_count;
    if (count == 0) {
        return arriving;
    }
    const uint32_t neurons = snn_shape_size(&population->shape);
    const uint32_t at = count == 1 ? 0 : count == neurons ? neuron : channel;
    const uint32_t lost = 32768u - population->current_leak[at];
    const uint64_t refused = UINT64_C(1) << 24;
    const uint64_t most = arriving < refused ? arriving : refused;
    const uint64_t all = model->max_steps * most;
    if (lost == 0) {
        return all;
    }
    const uint64_t geometric = most * 32768 / lost;
    return all < geometric ? all : geometric;
}

/** Whether target coordinates o and o - 1 of an axis see the same kernel taps. */
static bool same_taps(uint32_t o, uint32_t taps, uint32_t stride, uint32_t dilation,
                      uint32_t padding, uint32_t length)
{
    for (uint32_t k = 0; k < taps; k++) {
        if (tap_inside(o, k, stride, dilation, padding, length) !=
            tap_inside(o - 1, k, stride, dilation, padding, length)) {
            return false;
        }
    }
    return true;
}

/** Whether all neurons of a channel have one bound wherever they see the same kernel taps. */
static bool is_uniform(const struct snn_model *model, uint32_t index)
{
    const struct snn_population *population = &model->populations[index];
    const uint32_t channels = population->shape.channels;
    if (population->bias_count > channels || population->initial_count > channels ||
        population->current_leak_count > channels) {
        return false;
    }
    for (uint32_t q = 0; q < model->projection_count; q++) {
        const struct snn_projection *projection = &model->projections[q];
        if (projection->target == index &&
            (projection->topology == SNN_DENSE ||
             (projection->topology == SNN_ONE_TO_ONE && projection->weights.columns > channels))) {
            return false;
        }
    }
    return true;
}

/** Whether the row (or column) o of a uniform population repeats the one before. */
static bool repeats(const struct snn_model *model, uint32_t index, uint32_t o, bool row)
{
    for (uint32_t q = 0; q < model->projection_count; q++) {
        const struct snn_projection *projection = &model->projections[q];
        if (projection->target != index || projection->topology != SNN_CONV) {
            continue;
        }
        const struct snn_shape source = snn_pooled_shape(model, projection);
        const struct snn_convolution *k = &projection->convolution;
        if (row ? !same_taps(o, k->kernel_height, k->stride_y, k->dilation_y, k->padding_top,
                             source.height)
                : !same_taps(o, k->kernel_width, k->stride_x, k->dilation_x, k->padding_left,
                             source.width)) {
            return false;
        }
    }
    return true;
}

static enum snn_status refuse(struct snn_fault *fault, enum snn_part part, uint32_t index,
                              uint64_t expected, uint64_t found)
{
    const struct snn_fault here = {SNN_ERROR_BOUND,
                                   part,
                                   index,
                                   part == SNN_PART_PROJECTION ? SNN_FIELD_WEIGHTS
                                                               : SNN_FIELD_PROJECTIONS,
                                   (long long)expected,
                                   (long long)found};
    return snn_refuse(fault, here);
}

/** Bounds of the neurons of one block; the largest B(j) so far is kept in `largest`. */
static enum snn_status check_block(const struct snn_model *model, uint32_t index,
                                   const struct block *block, uint64_t *largest,
                                   struct snn_fault *fault)
{
    const struct snn_population *population = &model->populations[index];
    const uint32_t neurons = snn_shape_size(&population->shape);
    uint64_t bound[BLOCK] = {0};
    for (uint32_t q = 0; q < model->projection_count; q++) {
        uint64_t found = 0;
        if (model->projections[q].target == index &&
            !add_projection(bound, model, &model->projections[q], block, &found)) {
            return refuse(fault, SNN_PART_PROJECTION, q, (UINT64_C(1) << 24) - 1, found);
        }
    }
    for (uint32_t i = 0; i < block->count; i++) {
        const uint32_t channel = block->channel + i;
        const uint32_t neuron =
            (block->y * population->shape.width + block->x) * population->shape.channels + channel;
        bound[i] = current_bound(model, population, bound[i], channel, neuron) +
                   magnitude_at(population->bias, population->bias_count, channel, neuron, neurons);
        if (population->kind == SNN_LIF) {
            if (bound[i] + 32768 >= UINT64_C(1) << 24) {
                return refuse(fault, SNN_PART_POPULATION, index, (UINT64_C(1) << 24) - 32769,
                              bound[i]);
            }
        } else {
            const uint64_t initial = magnitude_at(population->initial, population->initial_count,
                                                  channel, neuron, neurons);
            if (initial + model->max_steps * bound[i] >= UINT64_C(1) << 31) {
                return refuse(fault, SNN_PART_POPULATION, index, (UINT64_C(1) << 31) - 1,
                              initial + model->max_steps * bound[i]);
            }
        }
        *largest = bound[i] > *largest ? bound[i] : *largest;
    }
    return SNN_OK;
}

static enum snn_status check_population(const struct snn_model *model, uint32_t index,
                                        uint64_t *largest, struct snn_fault *fault)
{
    const struct snn_shape *shape = &model->populations[index].shape;
    const bool uniform = is_uniform(model, index);
    for (uint32_t y = 0; y < shape->height; y++) {
        if (uniform && y > 0 && repeats(model, index, y, true)) {
            continue;
        }
        for (uint32_t x = 0; x < shape->width; x++) {
            if (uniform && x > 0 && repeats(model, index, x, false)) {
                continue;
            }
            for (uint32_t channel = 0; channel < shape->channels; channel += BLOCK) {
                const uint32_t left = shape->channels - channel;
                const struct block block = {channel, left < BLOCK ? left : BLOCK, y, x};
                const enum snn_status status = check_block(model, index, &block, largest, fault);
                if (status != SNN_OK) {
                    return status;
                }
            }
        }
    }
    return SNN_OK;
}

/** How a LIF population whose largest B(j) is known adds up its input. */
static uint8_t choose_accumulator(const struct snn_population *population, uint64_t largest)
{
    const int32_t below = -(int32_t)population->floor;
    const uint64_t range = (uint64_t)(below > population->ceiling ? below : population->ceiling);
    if (population->kind == SNN_READOUT) {
        return SNN_ACCUMULATOR_DIRECT;
    }
    if (population->current_leak_count > 0) {
        return SNN_ACCUMULATOR_S32;
    }
    /* Input that arrives in a refractory step is lost, so it cannot go to the membrane first. */
    if (population->refractory_steps == 0 && range + largest < 32768) {
        return SNN_ACCUMULATOR_DIRECT;
    }
    return largest < 32768 ? SNN_ACCUMULATOR_S16 : SNN_ACCUMULATOR_S32;
}

enum snn_status snn_check_bounds(const struct snn_model *model, struct snn_plan *plan,
                                 struct snn_fault *fault)
{
    for (uint32_t p = 0; p < model->population_count; p++) {
        uint64_t largest = 0;
        const enum snn_status status = check_population(model, p, &largest, fault);
        if (status != SNN_OK) {
            return status;
        }
        plan->accumulator[p] = choose_accumulator(&model->populations[p], largest);
    }
    return SNN_OK;
}
