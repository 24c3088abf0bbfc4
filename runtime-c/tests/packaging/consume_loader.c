/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the .snnpb file of its argument. */
#include <stdint.h>
#include <stdio.h>

#include "snn/snn.h"
#include "snn_loader.h"

static uint8_t bytes[1 << 20], arena[1 << 24];

int main(int count, char **arguments)
{
    const struct snn_model *model = NULL;
    struct snn_loader_error error;
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : NULL;
    if (file == NULL) {
        return 1;
    }
    const size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    if (snn_load(arena, sizeof arena, bytes, length, &model, &error) != SNN_OK) {
        return 2;
    }
    return snn_state_size(model) > 0 ? 0 : 3;
}
