/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_MODEL_H
#define SNN_HOST_MODEL_H

#include "snn/snn.h"

/* Facts that follow from a model alone (model.c), and how a fault in it is reported. */

/** Fills `fault` where there is one; returns fault.status. */
enum snn_status snn_refuse(struct snn_fault *to, struct snn_fault fault);

/** The source shape of a projection, before and after its sum-pool. */
struct snn_shape snn_source_shape(const struct snn_model *model,
                                  const struct snn_projection *projection);
struct snn_shape snn_pooled_shape(const struct snn_model *model,
                                  const struct snn_projection *projection);

/**
 * Whether values arrive from the source, not spikes; and whether it also holds one frame for the whole
 * sample.
 */
bool snn_is_from_values(const struct snn_model *model, const struct snn_projection *projection);
bool snn_is_held(const struct snn_model *model, const struct snn_projection *projection);

/** The number of a projection's taps, at least 1, and the delay of each. */
uint32_t snn_tap_count(const struct snn_projection *projection);
uint32_t snn_tap_delay(const struct snn_projection *projection, uint32_t tap);
/** The weights of one tap. They lie inside the arrays of the projection's weights. */
struct snn_weights snn_tap_weights(const struct snn_projection *projection, uint32_t tap);

#endif
