/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_TEST_REFERENCE_H
#define SNN_TEST_REFERENCE_H

#include "snn/snn.h"

enum { TEST_INPUTS = 16, TEST_POPULATIONS = 64, TEST_PROJECTIONS = 64 };

/** A model under test, with every weight matrix in full besides. */
struct test_model {
    struct snn_model model;
    struct snn_input inputs[TEST_INPUTS];
    struct snn_population populations[TEST_POPULATIONS];
    struct snn_projection projections[TEST_PROJECTIONS];
    int8_t *matrix[TEST_PROJECTIONS]; /* rows x columns of FORMAT.md */
    void *owned[1024];
    int owned_count;
};

/** Memory that model_release gives back. */
void *model_memory(struct test_model *test, size_t size);
void model_release(struct test_model *test);
/** Counts and pointers of the model from its arrays. */
void model_finish(struct test_model *test, uint32_t inputs, uint32_t populations,
                  uint32_t projections);
/**
 * Puts the matrix of a projection, rows and columns already set, into its weights, FULL or SPARSE.
 */
void model_set_weights(struct test_model *test, uint32_t projection, enum snn_rows layout);
/** A random valid model; false when the dice gave one whose bounds fail. */
bool model_random(struct test_model *test, uint64_t seed);
/** A population with defaults: subtract, greater, whole range. */
struct snn_population model_lif(uint32_t channels, uint32_t height, uint32_t width,
                                const int16_t *threshold);
struct snn_population model_readout(uint32_t neurons);

/** What one step presents at a port: an index list, or a frame, or nothing. */
struct test_presented {
    const uint32_t *events;
    uint32_t event_count;
    const int16_t *frame;
};

/**
 * What a source emitted in its last steps: one number per address, step n in slot n modulo `slots`.
 */
struct emissions {
    int32_t *numbers;
    uint32_t size, slots;
};

/**
 * A slow, plain evaluator: FORMAT.md word by word, every sum in 64 bits, no event skipped or merged
 * with another.
 */
struct reference {
    const struct test_model *test;
    int64_t *membrane[TEST_POPULATIONS];
    int64_t *current[TEST_POPULATIONS]; /**< synaptic currents */
    struct emissions inputs_emitted[TEST_INPUTS];
    struct emissions emitted[TEST_POPULATIONS];
    uint32_t step, seed;
    uint32_t *refractory[TEST_POPULATIONS];
    int16_t *held[TEST_INPUTS];
    bool holds[TEST_INPUTS], fresh[TEST_INPUTS];
    struct snn_population_counters populations[TEST_POPULATIONS];
    struct snn_projection_counters projections[TEST_PROJECTIONS];
    struct snn_input_counters inputs[TEST_INPUTS];
    struct test_model memory;
};

void reference_init(struct reference *reference, const struct test_model *test);
void reference_release(struct reference *reference);
/** Whether the model's exit rule holds after the last step. */
bool reference_is_decided(const struct reference *reference);

void reference_step(struct reference *reference, const struct test_presented *presented);
/** 1 for each neuron of a population that spiked in the last step, else 0; after the first step. */
const int32_t *reference_spikes(const struct reference *reference, uint32_t population);

#endif
