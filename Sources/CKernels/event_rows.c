#include "clones.h"
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

SNN_CLONES
void snn_add_rows(const struct snn_active *active, const float *rows, size_t columns, float *sum)
{
    for (size_t k = 0; k < active->count; k++) {
        const float *restrict row = rows + (size_t)active->indices[k] * columns;
        float *restrict target = sum;
        const float value = active->values[k];
        SNN_INDEPENDENT
        for (size_t j = 0; j < columns; j++) {
            target[j] += value * row[j];
        }
    }
}

SNN_CLONES
void snn_add_to_rows(const struct snn_active *active, float *rows, size_t columns, const float *row)
{
    for (size_t k = 0; k < active->count; k++) {
        float *restrict target = rows + (size_t)active->indices[k] * columns;
        const float *restrict source = row;
        const float value = active->values[k];
        SNN_INDEPENDENT
        for (size_t j = 0; j < columns; j++) {
            target[j] += value * source[j];
        }
    }
}
