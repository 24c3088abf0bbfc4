/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 199309L
#include "check.h"
#include "reference.h"
#include "state.h"

#include <string.h>
#include <time.h>

/*
 * From which density on full rows are faster than sparse ones: one spiking population of 256
 * sources, 10 % of them active at a time, into `length` entries a run. The loader's
 * FULL_FROM_ONE_IN is read off this table.
 */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/** Nanoseconds per spike of a model whose matrix has one entry in `rarity`. */
static double measure(const struct snn_kernels *kernels, bool conv, uint32_t length,
                      uint32_t rarity, enum snn_rows layout)
{
    static struct test_model test;
    static const int16_t threshold[1] = {32767};
    const struct snn_convolution same = {3, 3, 1, 1, 1, 1, 1, 1, 1};
    struct random r = {rarity * 31 + 5};
    memset(&test, 0, sizeof test);
    test.inputs[0].shape = conv ? (struct snn_shape){16, 8, 8} : (struct snn_shape){256, 1, 1};
    test.populations[0] =
        conv ? model_lif(length, 8, 8, threshold) : model_lif(length, 1, 1, threshold);
    test.populations[1] = model_readout(1);
    test.projections[0].from_input = true;
    test.projections[0].topology = conv ? SNN_CONV : SNN_DENSE;
    test.projections[0].convolution = same;
    test.projections[1].target = 1;
    for (uint32_t q = 0; q < 2; q++) {
        struct snn_weights *weights = &test.projections[q].weights;
        weights->rows = q == 0 ? (conv ? 16 : 256) : snn_shape_size(&test.populations[0].shape);
        weights->columns = q == 1 ? 1 : conv ? 9 * length : length;
        test.matrix[q] = model_memory(&test, (size_t)weights->rows * weights->columns);
        for (uint32_t i = 0; i < weights->rows * weights->columns; i++) {
            test.matrix[q][i] =
                (int8_t)(q == 1 || random_in(&r, 1, (int32_t)rarity) == 1 ? random_in(&r, 1, 9)
                                                                          : 0);
        }
        model_set_weights(&test, q, q == 0 ? layout : SNN_ROWS_FULL);
    }
    test.model.steps = 1;
    test.model.max_steps = 60000;
    model_finish(&test, 1, 2, 2);
    const size_t size = snn_state_size(&test.model);
    void *memory = malloc(size);
    struct snn *snn = NULL;
    CHECK(memory != NULL);
    CHECK_EQUAL(snn_init(&snn, &test.model, memory, size), SNN_OK);
    snn->kernels = kernels;
    double best = 1e9;
    const uint32_t addresses = snn_shape_size(&test.inputs[0].shape);
    for (int round = 0; round < 9; round++) {
        snn_reset(snn);
        struct random spikes = {7};
        const double begin = now();
        for (uint32_t step = 0; step < 200; step++) {
            for (uint32_t i = 0; i < addresses / 10; i++) {
                (void)snn_event(snn, 0, (uint32_t)random_in(&spikes, 0, (int32_t)addresses - 1));
            }
            CHECK_EQUAL(snn_step(snn), SNN_OK);
        }
        const double each = (now() - begin) / (200.0 * (addresses / 10));
        best = each < best ? each : best;
    }
    free(memory);
    model_release(&test);
    return best * 1e9;
}

int main(int count, char **arguments)
{
    static const uint32_t rarities[8] = {2, 4, 6, 8, 12, 16, 24, 32};
    const struct snn_kernels *kernels = count > 1 && strcmp(arguments[1], "portable") == 0
                                            ? &snn_kernels_portable
                                            : snn_best_kernels();
    printf("ns a spike, full / sparse, one entry in");
    for (int i = 0; i < 8; i++) {
        printf(" %11u", rarities[i]);
    }
    for (int shape = 0; shape < 4; shape++) {
        const uint32_t length = shape == 0 ? 128 : shape == 1 ? 512 : shape == 2 ? 16 : 64;
        printf("\n%-35s %4u", shape < 2 ? "dense rows of" : "3 x 3 convolution, channels", length);
        for (int i = 0; i < 8; i++) {
            printf(" %5.0f/%5.0f", measure(kernels, shape >= 2, length, rarities[i], SNN_ROWS_FULL),
                   measure(kernels, shape >= 2, length, rarities[i], SNN_ROWS_SPARSE));
        }
    }
    printf("\n");
    return 0;
}
