/* SPDX-License-Identifier: Apache-2.0 */
#include "snn_loader.h"

#include "seal.h"
#include "snn/snn.h"

#include <stdlib.h>

/*
 * libFuzzer: any bytes end in an error or in a model that runs. As the checksum refuses nearly all
 * that the fuzzer makes, its bytes are loaded once as they are and once with a checksum that fits.
 */

static void load_and_run(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    load_and_run(bytes, length);
    if (length >= SEAL_SIZE) {
        uint8_t *sealed = malloc(length);
        if (sealed == NULL) {
            abort();
        }
        memcpy(sealed, bytes, length - SEAL_SIZE);
        load_and_run(sealed, seal(sealed, length - SEAL_SIZE));
        free(sealed);
    }
    return 0;
}

static void load_and_run(const uint8_t *bytes, size_t length)
{
    static uint8_t arena[4 << 20];
    const struct snn_model *model = NULL;
    struct snn_loader_error error;
    if (snn_load(arena, sizeof arena, bytes, length, &model, &error) != SNN_OK) {
        return;
    }
    const size_t size = snn_state_size(model);
    if (size == 0) {
        abort();
    }
    if (size > 16 << 20) {
        return;
    }
    void *memory = malloc(size);
    struct snn *snn = NULL;
    if (memory == NULL || snn_init(&snn, model, memory, size) != SNN_OK) {
        abort();
    }
    for (uint32_t step = 0; step < 3; step++) {
        for (uint32_t port = 0; port < model->input_count; port++) {
            for (uint32_t i = 0; i < 8; i++) {
                (void)snn_event(snn, port, i * 7);
            }
        }
        if (snn_step(snn) != SNN_OK) {
            break;
        }
    }
    (void)snn_class(snn);
    free(memory);
}
