/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGION_H
#define REGION_H

#include <stdint.h>

/*
 * Parts of a run that the plugin counts apart. Below SNN_REGION_ENGINE: layers, or the cases of a
 * benchmark.
 */
enum snn_region { SNN_REGION_ENGINE = 256, SNN_REGION_OUTSIDE = 257, SNN_REGION_COUNT = 258 };

/**
 * From here on instructions belong to `region`. The function reads the byte at snn_region_base +
 * region, and the plugin, which sees addresses but no registers, takes the region from there.
 */
void snn_region_mark(uint32_t region);

extern const uint8_t snn_region_base[];

#endif
