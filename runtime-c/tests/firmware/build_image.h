/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_TEST_BUILD_IMAGE_H
#define SNN_TEST_BUILD_IMAGE_H

#include "snn/image.h"
#include "snn/model.h"

#include <stddef.h>

/*
 * Tiny images for tests and fuzzers, written from a description in C, and the same network as a
 * model of the host engine. Weights and parameters come from a formula of the description, so
 * that both have the same ones.
 */

enum { SPEC_PORTS = 2, SPEC_LAYERS = 4, SPEC_PROJECTIONS = 6, SPEC_RINGS = 6 };

/** Events that a port of EVERY event takes in a step. */
enum { SPEC_MOST_EVENTS = 5 };

struct port_spec {
    uint16_t channels, height, width;
    uint8_t kind, frame_per_step;
    int16_t min_value, max_value;
};

/** A leak of 1 in Q15. */
enum { NO_LEAK = 32768 };

struct layer_spec {
    uint16_t channels, height, width;
    uint8_t flags, reset, refractory_steps, greater;
    int16_t threshold, floor, ceiling, reset_value;
    uint16_t leak;         /**< 32768: none */
    int32_t bias, initial; /**< of neuron 0; 0: none */
};

/** From a port or a layer to the layer `target`; a kernel of height 0 is dense. */
struct projection_spec {
    uint8_t target, from_port, source, delay, pool, shift, rows;
    uint8_t stride, padding, kernel_height, kernel_width;
};

struct image_spec {
    const char *name;
    uint16_t block;
    uint8_t balanced; /**< 1: the weights' mean is about 0 */
    uint32_t steps;
    uint32_t port_count, layer_count, projection_count;
    struct port_spec ports[SPEC_PORTS];
    struct layer_spec layers[SPEC_LAYERS];                /**< the last is the read-out */
    struct projection_spec projections[SPEC_PROJECTIONS]; /**< by target; those of values first */
};

/** Places in image_specs that tests name. */
enum { DENSE = 0, CONVOLUTION = 1, POOLED = 2, LISTS = 3, GENERAL = 4, STREAMING = 5, LATE = 7 };

/**
 * Dense, convolution, pooled, lists, general, streaming with recurrence, neurons of every fast
 * kind, and delays from every kind of source.
 */
enum { IMAGE_SPECS = 8 };
extern const struct image_spec image_specs[IMAGE_SPECS];

/** The image; its size in bytes comes in `size`. The caller frees it. */
struct snn_image *image_build(const struct image_spec *spec, size_t *size);

/**
 * Length and CRC as the first `size` bytes have them, so that only deeper checks can refuse them.
 */
void image_seal(void *image, size_t size);

/** The same network for the host engine. The caller releases it. */
struct built_model {
    struct snn_model model;
    struct snn_input inputs[SPEC_PORTS];
    struct snn_population populations[SPEC_LAYERS];
    struct snn_projection projections[SPEC_PROJECTIONS];
    void *owned[SPEC_LAYERS * 4 + SPEC_PROJECTIONS * 2];
    uint32_t owned_count;
};
void model_build(struct built_model *built, const struct image_spec *spec);
void built_model_release(struct built_model *built);

#endif
