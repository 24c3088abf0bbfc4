/* SPDX-License-Identifier: Apache-2.0 */
#include "loader_internal.h"

#include <string.h>

/*
 * A message becomes structs. What must be checked before it can be stored in narrower types, or
 * before memory is laid out, is checked here; every rule about the model itself is checked by
 * snn_check, on the result.
 */

static bool known(const struct loader_place *at, const char *field, int value, int last)
{
    return (value >= 0 && value <= last) ||
           loader_refuse(at->loader, SNN_ERROR_ENUM, at->part, at->index, field, last, value);
}

/**
 * Refuses a message with a field that this version does not know: FORMAT.md, section 10. `field`
 * names the message within its part.
 */
static bool knows_fields(const struct loader_place *at, const char *field,
                         const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *known_fields = message->descriptor;
    return message->n_unknown_fields == 0 ||
           loader_refuse(at->loader, SNN_ERROR_ENUM, at->part, at->index, field,
                         known_fields->fields[known_fields->n_fields - 1].id,
                         message->unknown_fields[0].tag);
}

static bool text(const struct loader_place *at, const char *field, const char *value)
{
    return loader_check_text(at->loader, at->part, at->index, field, value);
}

/** Refuses a field without its `message`, or with a message that holds unknown fields. */
static bool present(const struct loader_place *at, const char *field, const void *message)
{
    return message == NULL
               ? loader_refuse(at->loader, SNN_ERROR_SHAPE, at->part, at->index, field, 1, 0)
               : knows_fields(at, field, message);
}

static struct snn_shape read_shape(const Snnpb__Shape *from)
{
    const struct snn_shape shape = {from->channels, from->height, from->width};
    return shape;
}

static bool read_encoder(const struct loader_place *at, const Snnpb__Encoder *from,
                         struct snn_input *to)
{
    if (from == NULL) {
        return true;
    }
    if (!knows_fields(at, "encoder", &from->base)) {
        return false;
    }
    if (from->way_case != SNNPB__ENCODER__WAY_POISSON) {
        return loader_refuse(at->loader, SNN_ERROR_ENUM, at->part, at->index, "encoder",
                             SNN_ENCODER_POISSON, 0);
    }
    to->encoder = SNN_ENCODER_POISSON;
    to->gain = from->poisson->gain;
    return knows_fields(at, "encoder.poisson", &from->poisson->base);
}

static bool read_sensor(const struct loader_place *at, const Snnpb__Sensor *from,
                        struct snn_input *to)
{
    if (from == NULL) {
        return true;
    }
    if (to->kind != SNN_EVENTS) {
        return loader_refuse(at->loader, SNN_ERROR_ENUM, at->part, at->index, "sensor", 0, 1);
    }
    if (!knows_fields(at, "sensor", &from->base) ||
        !loader_in_range(at, "sensor.width", from->width, 1, 65536) ||
        !loader_in_range(at, "sensor.coarsening", from->coarsening, 0, 15) ||
        !known(at, "sensor.polarity", (int)from->polarity, SNN_ON_OFF)) {
        return false;
    }
    to->sensor = (struct snn_sensor){from->width, from->height, (uint8_t)from->coarsening,
                                     (uint8_t)from->polarity};
    return true;
}

static bool read_input(struct loader *loader, uint32_t index, const Snnpb__InputPort *from,
                       struct snn_input *to)
{
    const struct loader_place at = {loader, "inputs", index};
    const bool values = from->kind == SNNPB__INPUT_PORT__KIND__VALUES;
    if (!knows_fields(&at, "", &from->base) || !text(&at, "name", from->name) ||
        !text(&at, "origin", from->origin) || !present(&at, "shape", from->shape) ||
        !known(&at, "kind", (int)from->kind, SNN_VALUES) ||
        !known(&at, "multiplicity", (int)from->multiplicity, SNN_EVERY) ||
        (values && (!loader_in_range(&at, "min_value", from->min_value, INT16_MIN, INT16_MAX) ||
                    !loader_in_range(&at, "max_value", from->max_value, INT16_MIN, INT16_MAX)))) {
        return false;
    }
    to->shape = read_shape(from->shape);
    to->kind = (uint8_t)from->kind;
    to->multiplicity = (uint8_t)from->multiplicity;
    to->max_events_per_step = from->max_events_per_step;
    to->min_value = (int16_t)(values ? from->min_value : 0);
    to->max_value = (int16_t)(values ? from->max_value : 0);
    to->frame_per_step = from->frame_per_step != 0;
    return read_encoder(&at, from->encoder, to) && read_sensor(&at, from->sensor, to);
}

static bool read_leaks(const struct loader_place *at, const char *field, size_t count,
                       const uint32_t *from, uint16_t *to)
{
    for (size_t i = 0; i < count; i++) {
        if (!loader_in_range(at, field, from[i], 0, 32768)) {
            return false;
        }
        to[i] = (uint16_t)from[i];
    }
    return true;
}

static bool read_parameters(const struct loader_place *at, const Snnpb__Population *from,
                            struct snn_population *to)
{
    const size_t most = (size_t)1 << 20;
    if (!loader_in_range(at, "threshold", (int64_t)from->n_threshold, 0, (int64_t)most) ||
        !loader_in_range(at, "leak", (int64_t)from->n_leak, 0, (int64_t)most) ||
        !loader_in_range(at, "bias", (int64_t)from->n_bias, 0, (int64_t)most) ||
        !loader_in_range(at, "initial", (int64_t)from->n_initial, 0, (int64_t)most) ||
        !loader_in_range(at, "current_leak", (int64_t)from->n_current_leak, 0, (int64_t)most)) {
        return false;
    }
    int16_t *threshold = loader_keep(at->loader, from->n_threshold, sizeof *threshold);
    uint16_t *leak = loader_keep(at->loader, from->n_leak, sizeof *leak);
    int32_t *bias = loader_keep(at->loader, from->n_bias, sizeof *bias);
    int32_t *initial = loader_keep(at->loader, from->n_initial, sizeof *initial);
    uint16_t *current_leak = loader_keep(at->loader, from->n_current_leak, sizeof *current_leak);
    if (threshold == NULL || leak == NULL || bias == NULL || initial == NULL ||
        current_leak == NULL || !read_leaks(at, "leak", from->n_leak, from->leak, leak) ||
        !read_leaks(at, "current_leak", from->n_current_leak, from->current_leak, current_leak)) {
        return false;
    }
    for (size_t i = 0; i < from->n_threshold; i++) {
        if (!loader_in_range(at, "threshold", from->threshold[i], 0, INT16_MAX)) {
            return false;
        }
        threshold[i] = (int16_t)from->threshold[i];
    }
    for (size_t i = 0; i < from->n_bias; i++) {
        bias[i] = from->bias[i];
    }
    for (size_t i = 0; i < from->n_initial; i++) {
        initial[i] = from->initial[i];
    }
    to->threshold = threshold;
    to->leak = leak;
    to->bias = bias;
    to->initial = initial;
    to->current_leak = current_leak;
    to->threshold_count = (uint32_t)from->n_threshold;
    to->leak_count = (uint32_t)from->n_leak;
    to->bias_count = (uint32_t)from->n_bias;
    to->initial_count = (uint32_t)from->n_initial;
    to->current_leak_count = (uint32_t)from->n_current_leak;
    return true;
}

static bool read_population(struct loader *loader, uint32_t index, const Snnpb__Population *from,
                            struct snn_population *to)
{
    const struct loader_place at = {loader, "populations", index};
    const bool lif = from->kind == SNNPB__POPULATION__KIND__LIF;
    if (!knows_fields(&at, "", &from->base) || !text(&at, "name", from->name) ||
        !present(&at, "shape", from->shape) || !known(&at, "kind", (int)from->kind, SNN_READOUT) ||
        !known(&at, "reset", (int)from->reset, SNN_RESET_VALUE) ||
        !known(&at, "compare", (int)from->compare, SNN_GREATER_EQUAL) ||
        (lif &&
         (!loader_in_range(&at, "reset_value", from->reset_value, INT16_MIN, INT16_MAX) ||
          !loader_in_range(&at, "floor", from->floor, INT16_MIN, 0) ||
          !loader_in_range(&at, "ceiling", from->ceiling, 0, INT16_MAX) ||
          !loader_in_range(&at, "refractory_steps", from->refractory_steps, 0, UINT8_MAX)))) {
        return false;
    }
    to->shape = read_shape(from->shape);
    to->kind = (uint8_t)from->kind;
    if (lif) {
        to->reset = (uint8_t)from->reset;
        to->compare = (uint8_t)from->compare;
        to->reset_value = (int16_t)from->reset_value;
        to->floor = (int16_t)from->floor;
        to->ceiling = (int16_t)from->ceiling;
        to->refractory_steps = (uint8_t)from->refractory_steps;
    }
    return read_parameters(&at, from, to);
}

static bool read_convolution(const struct loader_place *at, const Snnpb__Convolution *from,
                             struct snn_convolution *to)
{
    if (!present(at, "convolution", from) ||
        !loader_in_range(at, "convolution.kernel_height", from->kernel_height, 1, 31) ||
        !loader_in_range(at, "convolution.kernel_width", from->kernel_width, 1, 31) ||
        !loader_in_range(at, "convolution.stride_y", from->stride_y, 1, 16) ||
        !loader_in_range(at, "convolution.stride_x", from->stride_x, 1, 16) ||
        !loader_in_range(at, "convolution.padding_top", from->padding_top, 0, 30) ||
        !loader_in_range(at, "convolution.padding_bottom", from->padding_bottom, 0, 30) ||
        !loader_in_range(at, "convolution.padding_left", from->padding_left, 0, 30) ||
        !loader_in_range(at, "convolution.padding_right", from->padding_right, 0, 30) ||
        !loader_in_range(at, "convolution.dilation_y", from->dilation_y, 1, 16) ||
        !loader_in_range(at, "convolution.dilation_x", from->dilation_x, 1, 16)) {
        return false;
    }
    to->kernel_height = (uint8_t)from->kernel_height;
    to->kernel_width = (uint8_t)from->kernel_width;
    to->stride_y = (uint8_t)from->stride_y;
    to->stride_x = (uint8_t)from->stride_x;
    to->padding_top = (uint8_t)from->padding_top;
    to->padding_bottom = (uint8_t)from->padding_bottom;
    to->padding_left = (uint8_t)from->padding_left;
    to->padding_right = (uint8_t)from->padding_right;
    to->dilation_y = (uint8_t)from->dilation_y;
    to->dilation_x = (uint8_t)from->dilation_x;
    to->groups = from->groups;
    return true;
}

static bool read_projection(struct loader *loader, uint32_t index, const Snnpb__Projection *from,
                            struct snn_projection *to)
{
    const struct loader_place at = {loader, "projections", index};
    const bool input = from->source_case == SNNPB__PROJECTION__SOURCE_INPUT;
    if (from->source_case == SNNPB__PROJECTION__SOURCE__NOT_SET) {
        return loader_refuse(loader, SNN_ERROR_REFERENCE, at.part, at.index, "source", 1, 0);
    }
    const uint32_t source = input ? from->input : from->population;
    /* No valid index is larger. Whether there is such a port or population, snn_check finds out. */
    if (source > UINT16_MAX || from->target > UINT16_MAX) {
        const bool bad_source = source > UINT16_MAX;
        return loader_refuse(loader, SNN_ERROR_REFERENCE, at.part, at.index,
                             bad_source ? "source" : "target", UINT16_MAX,
                             bad_source ? source : from->target);
    }
    if (!knows_fields(&at, "", &from->base) || !text(&at, "name", from->name) ||
        !known(&at, "topology", (int)from->topology, SNN_LATERAL) ||
        !loader_in_range(&at, "delay", from->delay, 0, 255) ||
        !loader_in_range(&at, "taps", from->taps, 0, 32) ||
        !loader_in_range(&at, "tap_step", from->tap_step, 0, 16) ||
        !loader_in_range(&at, "pool", from->pool, 0, 16) ||
        !loader_in_range(&at, "shift", from->shift, 0, 24) ||
        !present(&at, "weights", from->weights)) {
        return false;
    }
    to->source = (uint16_t)source;
    to->from_input = input;
    to->target = (uint16_t)from->target;
    to->topology = (uint8_t)from->topology;
    to->delay = (uint8_t)from->delay;
    to->taps = (uint8_t)from->taps;
    to->tap_step = (uint8_t)from->tap_step;
    to->pool = (uint8_t)from->pool;
    to->shift = (uint8_t)from->shift;
    if (to->topology == SNN_CONV && !read_convolution(&at, from->convolution, &to->convolution)) {
        return false;
    }
    return loader_read_weights(loader, index, from->weights, to);
}

/**
 * Checks what no engine reads: there is one class name per read-out neuron or none, and a digest of
 * 4 bytes or none.
 */
static bool check_task(struct loader *loader, const Snnpb__Model *from)
{
    if (from->golden_digest.len != 0 && from->golden_digest.len != 4) {
        return loader_refuse(loader, SNN_ERROR_SIZE, "", -1, "golden_digest", 4,
                             (int64_t)from->golden_digest.len);
    }
    const struct loader_place at = {loader, "", -1};
    for (size_t i = 0; from->task != NULL && i < from->task->n_class_names; i++) {
        if (!text(&at, "task.class_names", from->task->class_names[i])) {
            return false;
        }
    }
    if (from->task != NULL && (!text(&at, "task.dataset", from->task->dataset) ||
                               !text(&at, "task.recipe", from->task->recipe))) {
        return false;
    }
    if (from->task == NULL || from->task->n_class_names == 0 ||
        from->readout >= from->n_populations) {
        return true;
    }
    /* Three numbers below 2^32 may pass 2^64; snn_check refuses such a shape in any case. */
    const Snnpb__Shape *shape = from->populations[from->readout]->shape;
    const uint64_t neurons = (uint64_t)shape->channels * shape->height * shape->width;
    return from->task->n_class_names == neurons ||
           loader_refuse(loader, SNN_ERROR_SHAPE, "", -1, "task.class_names", (int64_t)neurons,
                         (int64_t)from->task->n_class_names);
}

static bool read_exit(struct loader *loader, const Snnpb__Exit *from, struct snn_exit *to)
{
    const struct loader_place at = {loader, "", -1};
    if (from == NULL) {
        return true;
    }
    if (!knows_fields(&at, "exit", &from->base)) {
        return false;
    }
    switch (from->rule_case) {
    case SNNPB__EXIT__RULE_MARGIN:
        to->rule = SNN_EXIT_MARGIN;
        to->margin = from->margin;
        return true;
    case SNNPB__EXIT__RULE_FIRST_SPIKE:
        to->rule = SNN_EXIT_FIRST_SPIKE;
        to->population = (uint16_t)from->first_spike;
        /* Wider than any valid index; which ones exist, snn_check knows. */
        return loader_in_range(&at, "exit", from->first_spike, 0, UINT16_MAX);
    default: return loader_refuse(loader, SNN_ERROR_ENUM, "", -1, "exit", 1, 0);
    }
}

/** `producer` and `task` are checked, but no struct holds them. */
struct snn_model *loader_read_model(struct loader *loader, const Snnpb__Model *from)
{
    const struct loader_place at = {loader, "", -1};
    if (!knows_fields(&at, "model", &from->base) || !text(&at, "name", from->name) ||
        !text(&at, "producer", from->producer) ||
        !loader_in_range(&at, "name", (int64_t)strlen(from->name), 0, 64) ||
        !loader_in_range(&at, "producer", (int64_t)strlen(from->producer), 0, 256) ||
        !loader_in_range(&at, "inputs", (int64_t)from->n_inputs, 1, 16) ||
        !loader_in_range(&at, "populations", (int64_t)from->n_populations, 1, 256) ||
        !loader_in_range(&at, "projections", (int64_t)from->n_projections, 1, 1024)) {
        return NULL;
    }
    struct snn_model *model = loader_keep(loader, 1, sizeof *model);
    char *name = loader_keep(loader, strlen(from->name) + 1, 1);
    struct snn_input *inputs = loader_keep(loader, from->n_inputs, sizeof *inputs);
    struct snn_population *populations =
        loader_keep(loader, from->n_populations, sizeof *populations);
    struct snn_projection *projections =
        loader_keep(loader, from->n_projections, sizeof *projections);
    if (model == NULL || name == NULL || inputs == NULL || populations == NULL ||
        projections == NULL) {
        return NULL;
    }
    memcpy(name, from->name, strlen(from->name));
    for (uint32_t i = 0; i < from->n_inputs; i++) {
        if (!read_input(loader, i, from->inputs[i], &inputs[i])) {
            return NULL;
        }
    }
    for (uint32_t i = 0; i < from->n_populations; i++) {
        if (!read_population(loader, i, from->populations[i], &populations[i])) {
            return NULL;
        }
    }
    for (uint32_t i = 0; i < from->n_projections; i++) {
        if (!read_projection(loader, i, from->projections[i], &projections[i])) {
            return NULL;
        }
    }
    if (!check_task(loader, from)) {
        return NULL;
    }
    model->format_major = SNN_FORMAT_MAJOR;
    model->name = name;
    model->step_microseconds = from->step_microseconds;
    model->steps = from->steps;
    model->max_steps = from->max_steps;
    model->inputs = inputs;
    model->populations = populations;
    model->projections = projections;
    model->input_count = (uint32_t)from->n_inputs;
    model->population_count = (uint32_t)from->n_populations;
    model->projection_count = (uint32_t)from->n_projections;
    model->readout = from->readout;
    if (!read_exit(loader, from->exit, &model->exit)) {
        return NULL;
    }
    return model;
}
