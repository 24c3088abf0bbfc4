/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_COUNT_H
#define SNN_COUNT_H

#include "snn/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The counters of models/FORMAT.md, section 6, and a digest of every membrane and spike, for a
 * network on a device. They are an observer like any other: a firmware that does not count does not
 * link them.
 *
 *     struct snn_layer_count layers[...layer_count];
 *     struct snn_projection_count projections[...projection_count];
 *     struct snn_count count;
 *     snn_count_init(&count, &network, layers, projections);      after snn_device_init
 *     snn_device_reset(&network);  snn_count_clear(&count);       at every sample
 */

/** The counters of one layer; layers are in the image's order. */
struct snn_layer_count {
    uint64_t spikes_out, saturations;
    /** The state digest of FORMAT.md, section 8: a sum over all steps and neurons. */
    uint32_t digest;
};

/**
 * The counters of one projection; projections are in the image's order. The taps of a projection of
 * the model are several projections of the image, whose counters add up to its own.
 */
struct snn_projection_count {
    uint64_t spikes_in, synops, macs;
};

/** A network's counters; `observer` is what the network sees. */
struct snn_count {
    struct snn_observer observer;
    const struct snn_device *network;
    struct snn_layer_count *layers;           /**< the image's layer_count */
    struct snn_projection_count *projections; /**< the image's projection_count */
};

/**
 * Clears the counters and sets them as the network's observer. All four structs must live for as
 * long as the network runs with this observer.
 */
void snn_count_init(struct snn_count *count, struct snn_device *network,
                    struct snn_layer_count *layers, struct snn_projection_count *projections);

/** Sets all counters to 0, for a new sample. */
void snn_count_clear(struct snn_count *count);

#ifdef __cplusplus
}
#endif
#endif
