/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_SOURCE_H
#define SNN_HOST_SOURCE_H

#include "state.h"

/*
 * Sources (source.c): the spikes that a population or a port emitted in one step, as a bitmap or a
 * list, and the pooled cell of each spike.
 */

struct snn_delivery;

struct snn_source {
    const uint32_t *bits; /**< null: a list */
    const uint32_t *list;
    uint32_t words, count; /**< words of `bits`; number of spikes */
};

/** A walk through the spikes of a source: what comes next. */
struct snn_cursor {
    const struct snn_source *source;
    const struct snn_kernels *kernels;
    uint32_t position;
};

void snn_cursor_begin(struct snn_cursor *cursor, const struct snn_source *source,
                      const struct snn_kernels *kernels);
/** Writes the indices of up to SNN_CHUNK further spikes and returns their number; 0 at the end. */
uint32_t snn_cursor_next(struct snn_cursor *cursor, uint32_t indices[SNN_CHUNK]);

/**
 * The linear index of the pooled cell in which a source index lies; SNN_OUTSIDE if no full pooling
 * window holds it.
 */
uint32_t snn_pooled_index(const struct snn_projection_state *state, uint32_t index);

/** Sum of the values that fall into one pooled cell. */
int32_t snn_pooled_value(const struct snn_projection_state *state, const int16_t *frame,
                         uint32_t channel, uint32_t y, uint32_t x);

/** Adds a value to one entry of the delivery's sum. */
void snn_sum_add(struct snn_delivery *delivery, uint32_t index, int32_t value);

#endif
