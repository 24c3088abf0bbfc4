/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_SELF_TEST_H
#define SNN_SELF_TEST_H

#include "snn/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A sample and what every engine makes of it. snn-export writes one beside each model,
 * `snn_golden_<name>`.
 */
struct snn_golden {
    /** by port: a frame of uint8 or int16, as the port's kind says; null for a port of events */
    const void *frame[SNN_IMAGE_PORTS];
    /** for each step the number of events, then port << 24 | index of each; null: no such port */
    const uint32_t *events;
    const int32_t *scores; /**< as many as the read-out has */
    uint32_t steps;
    uint32_t digest; /**< sum over layers i of 2 i + 1 times the digest of snn/count.h */
};

/**
 * Runs the sample in `arena`, as snn_device_init takes it, and compares every spike, membrane and
 * score with the golden ones: does this compiler's engine on this processor compute the integers
 * seen in training? SNN_ERROR_VALUE: it does not. SNN_ERROR_LIMIT: this build shows no neurons, see
 * SNN_DEVICE_STREAMING. Fails as the calls of snn/device.h do. A network in the arena is lost.
 */
SNN_MUST_USE enum snn_status snn_self_test(const struct snn_image *image, void *arena, size_t size,
                                           const struct snn_golden *golden);

#ifdef __cplusplus
}
#endif
#endif
