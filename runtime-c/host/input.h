/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_INPUT_H
#define SNN_HOST_INPUT_H

#include "synapse.h"

/* Input (input.c): event ports, frames of values, and the currents that held frames leave. */

/** Whether the sample takes no further step: max_steps have run, or its exit rule held. */
bool snn_is_over(const struct snn *snn);
/** The port's state if the model has such a port and it takes events; else null. */
struct snn_input_state *snn_event_port(struct snn *snn, uint32_t port);
/**
 * Puts an event into the open step of a port that takes events, before max_steps. Counts the event,
 * or why it was dropped; true when it was taken.
 */
bool snn_inject(struct snn *snn, uint32_t port, uint32_t index);
/** Turns newly held frames into the steady currents of the populations they reach. */
void snn_begin_step(struct snn *snn);
/**
 * Clears the slots of the step that is open now. What they held is older than any projection
 * reaches back for.
 */
void snn_open_step(struct snn *snn);
/**
 * Computes the steady currents of one population anew: its bias plus the currents of all held
 * frames.
 */
void snn_set_steady(struct snn *snn, uint32_t population);
/**
 * Adds the scaled sums that a delivery of values left in snn->value_sum to `sum`, and clears them.
 */
void snn_add_value_sums(struct snn *snn, const struct snn_delivery *delivery, void *sum, bool wide);

#endif
