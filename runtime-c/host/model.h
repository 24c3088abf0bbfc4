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

/** Whether the source presents integers rather than spikes; `held`: constant over the sample. */
bool snn_is_from_values(const struct snn_model *model, const struct snn_projection *projection);
bool snn_is_held(const struct snn_model *model, const struct snn_projection *projection);

#endif
