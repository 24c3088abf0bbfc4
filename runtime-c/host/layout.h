/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_LAYOUT_H
#define SNN_HOST_LAYOUT_H

#include "checks.h"

/* Layout (layout.c): where every array of a network lies in memory. */

/**
 * Places every array from `base` on and returns the bytes used; with a null base it only counts.
 */
size_t snn_lay_out(const struct snn_model *model, const struct snn_plan *plan, uint8_t *base);

#endif
