/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

/* Facts that follow from a model alone, and how a fault in it is reported. */

enum snn_status snn_refuse(struct snn_fault *to, struct snn_fault fault)
{
    if (to != NULL) {
        *to = fault;
    }
    return fault.status;
}

struct snn_shape snn_source_shape(const struct snn_model *model,
                                  const struct snn_projection *projection)
{
    return projection->from_input ? model->inputs[projection->source].shape
                                  : model->populations[projection->source].shape;
}

struct snn_shape snn_pooled_shape(const struct snn_model *model,
                                  const struct snn_projection *projection)
{
    struct snn_shape shape = snn_source_shape(model, projection);
    if (projection->pool > 1) {
        shape.height /= projection->pool;
        shape.width /= projection->pool;
    }
    return shape;
}

bool snn_is_from_values(const struct snn_model *model, const struct snn_projection *projection)
{
    return projection->from_input && model->inputs[projection->source].kind == SNN_VALUES &&
           model->inputs[projection->source].encoder == SNN_ENCODER_NONE;
}

bool snn_is_held(const struct snn_model *model, const struct snn_projection *projection)
{
    return snn_is_from_values(model, projection) &&
           !model->inputs[projection->source].frame_per_step;
}

uint32_t snn_tap_count(const struct snn_projection *projection)
{
    return projection->taps > 1 ? projection->taps : 1;
}

uint32_t snn_tap_delay(const struct snn_projection *projection, uint32_t tap)
{
    return projection->delay + tap * projection->tap_step;
}

struct snn_weights snn_tap_weights(const struct snn_projection *projection, uint32_t tap)
{
    struct snn_weights weights = projection->weights;
    weights.rows /= snn_tap_count(projection);
    if (weights.layout == SNN_ROWS_FULL) {
        weights.values += (size_t)tap * weights.rows * weights.columns;
    }
    if (weights.synapse_start != NULL) {
        const uint32_t runs = projection->topology == SNN_CONV
                                  ? (uint32_t)projection->convolution.kernel_height *
                                        projection->convolution.kernel_width
                                  : 1;
        weights.synapse_start += (size_t)tap * weights.rows * runs;
    }
    return weights;
}
