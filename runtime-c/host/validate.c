/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"
#include "model.h"

/*
 * Checks every rule of FORMAT.md about a model, except the bounds of its sums (bounds.c) and the
 * order inside weight rows (weights.c).
 */

static const uint32_t max_neurons = UINT32_C(1) << 20;
static const uint64_t max_weights = UINT64_C(1) << 26;

/** A place under check: what the helpers below need to report a fault. */
struct place {
    struct snn_fault *fault;
    enum snn_part part;
    uint32_t index;
};

static enum snn_status refuse(const struct place *at, enum snn_status status, enum snn_field field,
                              long long expected, long long found)
{
    const struct snn_fault fault = {status, at->part, at->index, field, expected, found};
    return snn_refuse(at->fault, fault);
}

static enum snn_status check_range(const struct place *at, enum snn_field field, long long value,
                                   long long low, long long high)
{
    if (value < low) {
        return refuse(at, SNN_ERROR_LIMIT, field, low, value);
    }
    if (value > high) {
        return refuse(at, SNN_ERROR_LIMIT, field, high, value);
    }
    return SNN_OK;
}

static enum snn_status check_shape(const struct place *at, const struct snn_shape *shape)
{
    const uint32_t sides[3] = {shape->channels, shape->height, shape->width};
    uint64_t size = 1;
    for (int i = 0; i < 3; i++) {
        if (sides[i] == 0) {
            return refuse(at, SNN_ERROR_LIMIT, SNN_FIELD_SHAPE, 1, 0);
        }
        /* size <= 2^20 before, sides < 2^32: below 2^52. */
        size *= sides[i];
        if (size > max_neurons) {
            return refuse(at, SNN_ERROR_LIMIT, SNN_FIELD_SHAPE, max_neurons, (long long)size);
        }
    }
    return SNN_OK;
}

static enum snn_status check_exit(const struct place *at, const struct snn_model *model)
{
    const struct snn_exit *rule = &model->exit;
    const struct snn_shape *scores = &model->populations[model->readout].shape;
    switch (rule->rule) {
    case SNN_EXIT_NEVER: return SNN_OK;
    case SNN_EXIT_MARGIN:
        if (scores->channels < 2 && scores->height < 2 && scores->width < 2) {
            return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_EXIT, 2, 1);
        }
        return check_range(at, SNN_FIELD_EXIT, rule->margin, 1, INT32_MAX);
    case SNN_EXIT_FIRST_SPIKE:
        if (rule->population >= model->population_count ||
            model->populations[rule->population].kind != SNN_LIF) {
            return refuse(at, SNN_ERROR_REFERENCE, SNN_FIELD_EXIT,
                          (long long)model->population_count - 1, rule->population);
        }
        return SNN_OK;
    default: return refuse(at, SNN_ERROR_ENUM, SNN_FIELD_EXIT, SNN_EXIT_FIRST_SPIKE, rule->rule);
    }
}

static enum snn_status check_header(const struct place *at, const struct snn_model *model)
{
    enum snn_status status = SNN_OK;
    if (model->format_major != SNN_FORMAT_MAJOR) {
        return refuse(at, SNN_ERROR_VERSION, SNN_FIELD_FORMAT_MAJOR, SNN_FORMAT_MAJOR,
                      model->format_major);
    }
    if ((status = check_range(at, SNN_FIELD_STEP_MICROSECONDS, model->step_microseconds, 0,
                              INT32_MAX)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_MAX_STEPS, model->max_steps, 1, 65535)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_STEPS, model->steps, 1, model->max_steps)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_INPUTS, model->input_count, 1, SNN_MAX_INPUTS)) !=
            SNN_OK ||
        (status = check_range(at, SNN_FIELD_POPULATIONS, model->population_count, 1,
                              SNN_MAX_POPULATIONS)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_PROJECTIONS, model->projection_count, 1,
                              SNN_MAX_PROJECTIONS)) != SNN_OK) {
        return status;
    }
    if (model->inputs == NULL || model->populations == NULL || model->projections == NULL) {
        return refuse(at, SNN_ERROR_ARGUMENT, SNN_FIELD_NONE, 0, 0);
    }
    if (model->readout >= model->population_count ||
        model->populations[model->readout].kind != SNN_READOUT) {
        return refuse(at, SNN_ERROR_REFERENCE, SNN_FIELD_READOUT,
                      (long long)model->population_count - 1, model->readout);
    }
    return check_exit(at, model);
}

static enum snn_status check_encoder(const struct place *at, const struct snn_input *input)
{
    const enum snn_status status =
        check_range(at, SNN_FIELD_ENCODER, input->encoder, SNN_ENCODER_NONE, SNN_ENCODER_POISSON);
    if (status != SNN_OK || input->encoder == SNN_ENCODER_NONE) {
        return status;
    }
    if (input->min_value < 0) {
        return refuse(at, SNN_ERROR_LIMIT, SNN_FIELD_MIN_VALUE, 0, input->min_value);
    }
    const int32_t largest = input->max_value > 1 ? input->max_value : 1;
    return check_range(at, SNN_FIELD_ENCODER, input->gain, 1, (1 << 24) / largest);
}

static enum snn_status check_sensor(const struct place *at, const struct snn_input *input)
{
    const struct snn_sensor *sensor = &input->sensor;
    enum snn_status status = SNN_OK;
    if (sensor->width == 0) {
        return SNN_OK;
    }
    if ((status = check_range(at, SNN_FIELD_SENSOR, sensor->width, 1, 65536)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_SENSOR, sensor->height, 1, 65536)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_SENSOR, sensor->coarsening, 0, 15)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_SENSOR, sensor->polarity, SNN_OFF_ON, SNN_ON_OFF)) !=
            SNN_OK) {
        return status;
    }
    const uint32_t width = ((sensor->width - 1) >> sensor->coarsening) + 1;
    const uint32_t height = ((sensor->height - 1) >> sensor->coarsening) + 1;
    if (input->shape.width != width) {
        return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_SENSOR, width, input->shape.width);
    }
    if (input->shape.height != height) {
        return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_SENSOR, height, input->shape.height);
    }
    return input->shape.channels > 2
               ? refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_SENSOR, 2, input->shape.channels)
               : SNN_OK;
}

static enum snn_status check_input(const struct place *at, const struct snn_input *input)
{
    enum snn_status status = check_shape(at, &input->shape);
    if (status != SNN_OK) {
        return status;
    }
    if ((status = check_range(at, SNN_FIELD_KIND, input->kind, SNN_EVENTS, SNN_VALUES)) != SNN_OK) {
        return status;
    }
    if (input->kind == SNN_VALUES) {
        status =
            check_range(at, SNN_FIELD_MIN_VALUE, input->min_value, INT16_MIN, input->max_value);
        return status != SNN_OK ? status : check_encoder(at, input);
    }
    if (input->encoder != SNN_ENCODER_NONE) {
        return refuse(at, SNN_ERROR_ENUM, SNN_FIELD_ENCODER, SNN_ENCODER_NONE, input->encoder);
    }
    if ((status = check_sensor(at, input)) != SNN_OK) {
        return status;
    }
    if ((status = check_range(at, SNN_FIELD_MULTIPLICITY, input->multiplicity, SNN_ONCE,
                              SNN_EVERY)) != SNN_OK) {
        return status;
    }
    return input->multiplicity == SNN_EVERY ? check_range(at, SNN_FIELD_MAX_EVENTS_PER_STEP,
                                                          input->max_events_per_step, 1, 65535)
                                            : SNN_OK;
}

static enum snn_status check_parameter(const struct place *at, enum snn_field field,
                                       const void *values, uint32_t count,
                                       const struct snn_shape *shape)
{
    const uint32_t size = snn_shape_size(shape);
    if (count != 0 && values == NULL) {
        return refuse(at, SNN_ERROR_ARGUMENT, field, count, 0);
    }
    if (count > 1 && count != shape->channels && count != size) {
        return refuse(at, SNN_ERROR_SHAPE, field, size, count);
    }
    return SNN_OK;
}

/** Leak and bias, which both kinds of population have, and the sizes of all parameters. */
static enum snn_status check_common_parameters(const struct place *at,
                                               const struct snn_population *population)
{
    const struct snn_shape *shape = &population->shape;
    enum snn_status status = SNN_OK;
    if ((status = check_parameter(at, SNN_FIELD_THRESHOLD, population->threshold,
                                  population->threshold_count, shape)) != SNN_OK ||
        (status = check_parameter(at, SNN_FIELD_LEAK, population->leak, population->leak_count,
                                  shape)) != SNN_OK ||
        (status = check_parameter(at, SNN_FIELD_BIAS, population->bias, population->bias_count,
                                  shape)) != SNN_OK ||
        (status = check_parameter(at, SNN_FIELD_INITIAL, population->initial,
                                  population->initial_count, shape)) != SNN_OK ||
        (status = check_parameter(at, SNN_FIELD_CURRENT_LEAK, population->current_leak,
                                  population->current_leak_count, shape)) != SNN_OK) {
        return status;
    }
    for (uint32_t i = 0; i < population->leak_count; i++) {
        if ((status = check_range(at, SNN_FIELD_LEAK, population->leak[i], 0, 32768)) != SNN_OK) {
            return status;
        }
    }
    for (uint32_t i = 0; i < population->current_leak_count; i++) {
        if ((status = check_range(at, SNN_FIELD_CURRENT_LEAK, population->current_leak[i], 0,
                                  32768)) != SNN_OK) {
            return status;
        }
    }
    for (uint32_t i = 0; i < population->bias_count; i++) {
        if ((status = check_range(at, SNN_FIELD_BIAS, population->bias[i], -16777215, 16777215)) !=
            SNN_OK) {
            return status;
        }
    }
    return SNN_OK;
}

static enum snn_status check_lif(const struct place *at, const struct snn_population *population)
{
    enum snn_status status = SNN_OK;
    if ((status = check_range(at, SNN_FIELD_RESET, population->reset, SNN_RESET_SUBTRACT,
                              SNN_RESET_VALUE)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_COMPARE, population->compare, SNN_GREATER,
                              SNN_GREATER_EQUAL)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_FLOOR, population->floor, INT16_MIN, 0)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_CEILING, population->ceiling, 0, INT16_MAX)) !=
            SNN_OK ||
        (status = check_range(at, SNN_FIELD_RESET_VALUE, population->reset_value, population->floor,
                              population->ceiling)) != SNN_OK) {
        return status;
    }
    if (population->threshold_count == 0) {
        return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_THRESHOLD, 1, 0);
    }
    const int16_t least = population->compare == SNN_GREATER_EQUAL ? 1 : 0;
    for (uint32_t i = 0; i < population->threshold_count; i++) {
        if ((status = check_range(at, SNN_FIELD_THRESHOLD, population->threshold[i], least,
                                  INT16_MAX)) != SNN_OK) {
            return status;
        }
    }
    for (uint32_t i = 0; i < population->initial_count; i++) {
        if ((status = check_range(at, SNN_FIELD_INITIAL, population->initial[i], population->floor,
                                  population->ceiling)) != SNN_OK) {
            return status;
        }
    }
    return SNN_OK;
}

static enum snn_status check_population(const struct place *at,
                                        const struct snn_population *population)
{
    enum snn_status status = check_shape(at, &population->shape);
    if (status != SNN_OK ||
        (status = check_range(at, SNN_FIELD_KIND, population->kind, SNN_LIF, SNN_READOUT)) !=
            SNN_OK ||
        (status = check_common_parameters(at, population)) != SNN_OK) {
        return status;
    }
    if (population->kind == SNN_LIF) {
        return check_lif(at, population);
    }
    if (population->threshold_count != 0) {
        return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_THRESHOLD, 0, population->threshold_count);
    }
    return population->current_leak_count != 0 ? refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_CURRENT_LEAK,
                                                        0, population->current_leak_count)
                                               : SNN_OK;
}

/** Length of one axis of a convolution's output; 0 when the kernel does not fit. */
static uint32_t convolved(uint32_t padded, uint32_t dilation, uint32_t kernel, uint32_t stride)
{
    const uint32_t span = dilation * (kernel - 1) + 1;
    return padded < span ? 0 : (padded - span) / stride + 1;
}

static enum snn_status check_convolution(const struct place *at,
                                         const struct snn_convolution *kernel,
                                         const struct snn_shape *source,
                                         const struct snn_shape *target)
{
    const uint8_t sizes[4] = {kernel->stride_y, kernel->stride_x, kernel->dilation_y,
                              kernel->dilation_x};
    const uint8_t paddings[4] = {kernel->padding_top, kernel->padding_bottom, kernel->padding_left,
                                 kernel->padding_right};
    enum snn_status status = SNN_OK;
    for (int i = 0; i < 4; i++) {
        if ((status = check_range(at, SNN_FIELD_CONVOLUTION, sizes[i], 1, 16)) != SNN_OK ||
            (status = check_range(at, SNN_FIELD_CONVOLUTION, paddings[i], 0, 30)) != SNN_OK) {
            return status;
        }
    }
    if ((status = check_range(at, SNN_FIELD_CONVOLUTION, kernel->kernel_height, 1, 31)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_CONVOLUTION, kernel->kernel_width, 1, 31)) != SNN_OK) {
        return status;
    }
    if (kernel->groups == 0 || source->channels % kernel->groups != 0 ||
        target->channels % kernel->groups != 0) {
        return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_CONVOLUTION, target->channels, kernel->groups);
    }
    const uint32_t height = convolved(source->height + kernel->padding_top + kernel->padding_bottom,
                                      kernel->dilation_y, kernel->kernel_height, kernel->stride_y);
    const uint32_t width = convolved(source->width + kernel->padding_left + kernel->padding_right,
                                     kernel->dilation_x, kernel->kernel_width, kernel->stride_x);
    if (height != target->height) {
        return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_CONVOLUTION, target->height, height);
    }
    if (width != target->width) {
        return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_CONVOLUTION, target->width, width);
    }
    return SNN_OK;
}

/** Source, target, delay, pool and shift. */
static enum snn_status check_ends(const struct place *at, const struct snn_model *model,
                                  const struct snn_projection *projection)
{
    const uint32_t sources = projection->from_input ? model->input_count : model->population_count;
    enum snn_status status = SNN_OK;
    if (projection->source >= sources) {
        return refuse(at, SNN_ERROR_REFERENCE, SNN_FIELD_SOURCE, (long long)sources - 1,
                      projection->source);
    }
    if (projection->target >= model->population_count) {
        return refuse(at, SNN_ERROR_REFERENCE, SNN_FIELD_TARGET,
                      (long long)model->population_count - 1, projection->target);
    }
    if (!projection->from_input && model->populations[projection->source].kind != SNN_LIF) {
        return refuse(at, SNN_ERROR_REFERENCE, SNN_FIELD_SOURCE, SNN_LIF, SNN_READOUT);
    }
    const bool held = snn_is_held(model, projection);
    const bool tapped = projection->taps > 1;
    if ((held && (status = check_range(at, SNN_FIELD_DELAY, projection->delay, 0, 0)) != SNN_OK) ||
        (status = check_range(at, SNN_FIELD_TAPS, projection->taps, 0, held ? 1 : 32)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_TAP_STEP, projection->tap_step, tapped ? 1 : 0,
                              tapped ? 16 : 0)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_POOL, projection->pool, 0, 16)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_SHIFT, projection->shift, 0,
                              snn_is_from_values(model, projection) ? 24 : 15)) != SNN_OK ||
        (status = check_range(at, SNN_FIELD_TOPOLOGY, projection->topology, SNN_DENSE,
                              SNN_LATERAL)) != SNN_OK) {
        return status;
    }
    const struct snn_shape pooled = snn_pooled_shape(model, projection);
    if (pooled.height == 0 || pooled.width == 0) {
        return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_POOL, 1, 0);
    }
    return SNN_OK;
}

/** Checks rows and columns of the weights against the shapes at both ends. */
static enum snn_status check_matrix(const struct place *at, const struct snn_model *model,
                                    const struct snn_projection *projection)
{
    const struct snn_shape source = snn_pooled_shape(model, projection);
    const struct snn_shape target = model->populations[projection->target].shape;
    const struct snn_weights *weights = &projection->weights;
    const uint32_t neurons = snn_shape_size(&target);
    uint64_t rows = 1;
    uint64_t columns = 1;
    enum snn_status status = SNN_OK;
    switch (projection->topology) {
    case SNN_DENSE:
        rows = snn_shape_size(&source);
        columns = neurons;
        break;
    case SNN_CONV:
        if ((status = check_convolution(at, &projection->convolution, &source, &target)) !=
            SNN_OK) {
            return status;
        }
        rows = source.channels;
        columns = (uint64_t)projection->convolution.kernel_height *
                  projection->convolution.kernel_width *
                  (target.channels / projection->convolution.groups);
        break;
    default:
        if (source.channels != target.channels || source.height != target.height ||
            source.width != target.width) {
            return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_SHAPE, neurons, snn_shape_size(&source));
        }
        if (projection->topology == SNN_ONE_TO_ONE &&
            (weights->columns == target.channels || weights->columns == neurons)) {
            columns = weights->columns;
        }
        break;
    }
    rows *= snn_tap_count(projection);
    if (weights->rows != rows) {
        return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_ROWS, (long long)rows, weights->rows);
    }
    if (weights->columns != columns) {
        return refuse(at, SNN_ERROR_SHAPE, SNN_FIELD_COLUMNS, (long long)columns, weights->columns);
    }
    return SNN_OK;
}

/**
 * Finds the topological order over the delay-0 projections, lowest index first, in about
 * populations x (populations + projections) operations.
 */
static enum snn_status find_order(const struct place *at, const struct snn_model *model,
                                  struct snn_plan *plan)
{
    /*
     * For each population, the number of its delay-0 projections whose source has no place in the
     * order yet. It is at most SNN_MAX_PROJECTIONS, so `placed` can mark populations that have one.
     */
    const uint16_t placed = UINT16_MAX;
    uint16_t waiting[SNN_MAX_POPULATIONS] = {0};
    for (uint32_t q = 0; q < model->projection_count; q++) {
        const struct snn_projection *projection = &model->projections[q];
        if (!projection->from_input && projection->delay == 0) {
            waiting[projection->target]++;
        }
    }
    for (uint32_t n = 0; n < model->population_count; n++) {
        uint32_t next = 0;
        while (next < model->population_count && waiting[next] != 0) {
            next++;
        }
        if (next == model->population_count) {
            return refuse(at, SNN_ERROR_CYCLE, SNN_FIELD_PROJECTIONS, model->population_count, n);
        }
        waiting[next] = placed;
        plan->order[n] = (uint16_t)next;
        for (uint32_t q = 0; q < model->projection_count; q++) {
            const struct snn_projection *projection = &model->projections[q];
            if (!projection->from_input && projection->delay == 0 && projection->source == next) {
                waiting[projection->target]--;
            }
        }
    }
    return SNN_OK;
}

enum snn_status snn_plan_model(const struct snn_model *model, struct snn_plan *plan,
                               struct snn_fault *fault)
{
    struct place at = {fault, SNN_PART_MODEL, 0};
    if (model == NULL) {
        return refuse(&at, SNN_ERROR_ARGUMENT, SNN_FIELD_NONE, 0, 0);
    }
    enum snn_status status = check_header(&at, model);
    at.part = SNN_PART_INPUT;
    for (uint32_t i = 0; status == SNN_OK && i < model->input_count; i++) {
        at.index = i;
        status = check_input(&at, &model->inputs[i]);
    }
    at.part = SNN_PART_POPULATION;
    for (uint32_t i = 0; status == SNN_OK && i < model->population_count; i++) {
        at.index = i;
        status = check_population(&at, &model->populations[i]);
    }
    at.part = SNN_PART_PROJECTION;
    uint64_t entries = 0;
    for (uint32_t i = 0; status == SNN_OK && i < model->projection_count; i++) {
        const struct snn_projection *projection = &model->projections[i];
        at.index = i;
        if ((status = check_ends(&at, model, projection)) != SNN_OK ||
            (status = check_matrix(&at, model, projection)) != SNN_OK) {
            break;
        }
        /* rows <= 2^20, columns < 2^31: no overflow; beyond the limit no entry is read. */
        entries += (uint64_t)projection->weights.rows * projection->weights.columns;
        status = entries > max_weights ? refuse(&at, SNN_ERROR_LIMIT, SNN_FIELD_WEIGHTS,
                                                (long long)max_weights, (long long)entries)
                                       : snn_check_weights(projection, i, fault);
    }
    at.part = SNN_PART_MODEL;
    at.index = 0;
    if (status == SNN_OK) {
        status = find_order(&at, model, plan);
    }
    return status != SNN_OK ? status : snn_check_bounds(model, plan, fault);
}

enum snn_status snn_check(const struct snn_model *model, struct snn_fault *fault)
{
    struct snn_plan plan;
    return snn_plan_model(model, &plan, fault);
}
