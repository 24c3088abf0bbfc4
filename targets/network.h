/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NETWORK_H
#define NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "snn/status.h"

/*
 * What the harness asks of a network. network_device.c answers with the engine for firmware and an
 * image, network_loader.c with the host engine and a .snnpb file.
 */

/** What a network is, for the harness's greeting. */
struct network_facts {
    uint32_t model_crc; /**< CRC-32 of the image or file, whole */
    uint32_t model_bytes;
    uint32_t state_bytes;
    /** block 1: step by step; more: a sample in one run of at most so many steps */
    uint32_t steps, max_steps, block;
    uint32_t ports, layers, projections;
};

/** Of one layer, or population. */
struct network_layer {
    uint32_t population; /**< index in the model */
    uint64_t spikes_out, saturations;
    uint32_t digest;
};

struct network_projection {
    uint32_t projection; /**< index in the model */
    uint64_t spikes_in, synops, macs;
};

/** Looks at the model and gets ready. */
enum snn_status network_open(struct network_facts *facts);

/**
 * Begins a sample. `seed`: what its encoders draw from. `counting`: keep counters and digests.
 * `marking`: tell the plugin which layer is at work.
 */
void network_begin(uint32_t seed, bool counting, bool marking);

/**
 * Where a frame of `size` bytes for a port belongs; null: no such port, or its frames have another
 * size.
 */
void *network_frame(uint32_t port, uint32_t size);

/** Presents the frame that was written there. */
enum snn_status network_present(uint32_t port);

/**
 * Presents an event. False: no such port of events, or no such address of it; an event beyond those
 * that a step takes, or after the network has decided, is dropped as models/FORMAT.md has it.
 */
bool network_event(uint32_t port, uint32_t index);

enum snn_status network_run(uint32_t steps);

/** Whether the model's exit rule has held: frames and steps are refused until the next sample. */
bool network_is_decided(void);

const int32_t *network_scores(uint32_t *count);
uint32_t network_class(void);

/** Counters since network_begin(true, ...). */
void network_layer(uint32_t place, struct network_layer *layer);
void network_projection(uint32_t place, struct network_projection *projection);

#endif
