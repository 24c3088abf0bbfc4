/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_CHECKS_H
#define SNN_HOST_CHECKS_H

#include "snn/snn.h"

/* Checks of a model, once, in snn_init and snn_check (validate.c, weights.c, bounds.c). */

/* Limits of FORMAT.md that size arrays here. */
enum { SNN_MAX_INPUTS = 16, SNN_MAX_POPULATIONS = 256, SNN_MAX_PROJECTIONS = 1024 };

/** What the checks of a model find out for snn_init. */
struct snn_plan {
    uint16_t order[SNN_MAX_POPULATIONS];
    uint8_t accumulator[SNN_MAX_POPULATIONS];
};

enum snn_status snn_plan_model(const struct snn_model *model, struct snn_plan *plan,
                               struct snn_fault *fault);
enum snn_status snn_check_weights(const struct snn_projection *projection, uint32_t index,
                                  struct snn_fault *fault);
enum snn_status snn_check_bounds(const struct snn_model *model, struct snn_plan *plan,
                                 struct snn_fault *fault);

#endif
