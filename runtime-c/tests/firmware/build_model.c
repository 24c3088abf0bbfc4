/* SPDX-License-Identifier: Apache-2.0 */
#include "image_formulas.h"

#include "../check.h"

/* The model of which build_image.c builds the image, for the host engine. */

static void *owned(struct built_model *built, size_t size)
{
    void *memory = calloc(1, size + 1);
    CHECK(memory != NULL && built->owned_count < sizeof built->owned / sizeof built->owned[0]);
    built->owned[built->owned_count++] = memory;
    return memory;
}

static const int32_t *model_parameters(struct built_model *built, uint32_t count, int32_t first)
{
    int32_t *values = owned(built, count * sizeof *values);
    for (uint32_t i = 0; i < count; i++) {
        values[i] = first + spread(i);
    }
    return values;
}

static void build_population(struct built_model *built, const struct image_spec *spec,
                             uint32_t index)
{
    const struct layer_spec *from = &spec->layers[index];
    struct snn_population *to = &built->populations[index];
    const bool readout = index + 1 == spec->layer_count;
    const bool clamped = (from->flags & (SNN_LAYER_GENERAL | SNN_LAYER_CLAMPED)) != 0;
    *to = (struct snn_population){.shape = {from->channels, from->height, from->width},
                                  .kind = readout ? SNN_READOUT : SNN_LIF};
    const uint32_t count =
        (from->flags & SNN_LAYER_PER_NEURON) ? snn_shape_size(&to->shape) : from->channels;
    if (from->leak != NO_LEAK) {
        uint16_t *leak = owned(built, sizeof *leak);
        *leak = from->leak;
        to->leak = leak;
        to->leak_count = 1;
    }
    if (from->bias) {
        to->bias = model_parameters(built, to->bias_count = count, from->bias);
    }
    if (from->initial) {
        to->initial = model_parameters(built, to->initial_count = count, from->initial);
    }
    if (readout) {
        return;
    }
    int16_t *threshold = owned(built, count * sizeof *threshold);
    for (uint32_t i = 0; i < count; i++) {
        threshold[i] = (int16_t)(from->threshold + spread(i));
    }
    to->threshold = threshold;
    to->threshold_count = count;
    to->floor = clamped ? from->floor : INT16_MIN;
    to->ceiling = clamped ? from->ceiling : INT16_MAX;
    to->reset_value = from->reset_value;
    to->reset = from->reset;
    to->compare = from->greater ? SNN_GREATER : SNN_GREATER_EQUAL;
    to->refractory_steps = from->refractory_steps;
}

static void build_weights(struct built_model *built, const struct image_spec *spec, uint32_t index)
{
    const struct projection_spec *from = &spec->projections[index];
    struct snn_projection *to = &built->projections[index];
    const struct shape window = window_of(spec, from);
    const uint32_t taps = window.height * window.width,
                   targets = spec->layers[from->target].channels;
    const bool dense = from->kernel_height == 0;
    const uint32_t rows = dense ? window.channels * taps : window.channels,
                   columns = dense ? targets : taps * targets;
    const uint32_t runs = dense ? rows : rows * taps;
    int8_t *values = owned(built, (size_t)rows * columns);
    uint32_t *starts = owned(built, (runs + 1) * sizeof *starts);
    for (uint32_t run = 0; run < runs; run++) {
        /* A run of a convolution is a channel's tap; the image has a tap's channel. */
        const uint32_t row = dense ? run : run % taps * window.channels + run / taps;
        starts[run + 1] = starts[run];
        for (uint32_t c = 0; c < targets; c++) {
            const int32_t weight = weight_of(spec, index, row, c);
            values[run * targets + c] = (int8_t)weight;
            starts[run + 1] += weight != 0;
        }
    }
    to->weights = (struct snn_weights){
        .rows = rows, .columns = columns, .values = values, .synapse_start = starts};
}

void model_build(struct built_model *built, const struct image_spec *spec)
{
    *built = (struct built_model){.model = {.format_major = SNN_FORMAT_MAJOR,
                                            .steps = spec->steps,
                                            .max_steps = spec->steps,
                                            .input_count = spec->port_count,
                                            .population_count = spec->layer_count,
                                            .projection_count = spec->projection_count,
                                            .readout = spec->layer_count - 1}};
    built->model.inputs = built->inputs;
    built->model.populations = built->populations;
    built->model.projections = built->projections;
    for (uint32_t i = 0; i < spec->port_count; i++) {
        const struct port_spec *from = &spec->ports[i];
        built->inputs[i] = (struct snn_input){
            .shape = {from->channels, from->height, from->width},
            .kind = from->kind == SNN_PORT_EVENTS || from->kind == SNN_PORT_EVERY ? SNN_EVENTS
                                                                                  : SNN_VALUES,
            .multiplicity = from->kind == SNN_PORT_EVERY ? SNN_EVERY : SNN_ONCE,
            .max_events_per_step = from->kind == SNN_PORT_EVERY ? SPEC_MOST_EVENTS : 0,
            .frame_per_step = from->frame_per_step != 0,
            .min_value = from->min_value,
            .max_value = from->max_value};
    }
    for (uint32_t i = 0; i < spec->layer_count; i++) {
        build_population(built, spec, i);
    }
    for (uint32_t i = 0; i < spec->projection_count; i++) {
        const struct projection_spec *from = &spec->projections[i];
        struct snn_projection *to = &built->projections[i];
        *to = (struct snn_projection){.source = from->source,
                                      .target = from->target,
                                      .from_input = from->from_port != 0,
                                      .delay = from->delay,
                                      .pool = from->pool,
                                      .shift = from->shift};
        if (from->kernel_height) {
            to->topology = SNN_CONV;
            to->convolution = (struct snn_convolution){.kernel_height = from->kernel_height,
                                                       .kernel_width = from->kernel_width,
                                                       .stride_y = from->stride,
                                                       .stride_x = from->stride,
                                                       .padding_top = from->padding,
                                                       .padding_bottom = from->padding,
                                                       .padding_left = from->padding,
                                                       .padding_right = from->padding,
                                                       .dilation_y = 1,
                                                       .dilation_x = 1,
                                                       .groups = 1};
        }
        build_weights(built, spec, i);
    }
}

void built_model_release(struct built_model *built)
{
    for (uint32_t i = 0; i < built->owned_count; i++) {
        free(built->owned[i]);
    }
    built->owned_count = 0;
}
