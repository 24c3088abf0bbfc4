#include "clones.h"
#include "kernels.h"

/* A fused multiply-add rounds once where other machines round twice. */
#pragma STDC FP_CONTRACT OFF

SNN_CLONES
void snn_adam(const struct snn_adam_arrays *arrays, const struct snn_adam_constants *constants)
{
    float *restrict value = arrays->value;
    const float *restrict gradient = arrays->gradient;
    float *restrict mean = arrays->mean;
    float *restrict square = arrays->square;
    const struct snn_adam_constants c = *constants;
    const size_t count = arrays->count;

    SNN_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        const float g = gradient[i] * c.scale + value[i] * c.coupled;
        const float m = mean[i] * c.beta1 + g * c.complement1;
        const float s = square[i] * c.beta2 + g * g * c.complement2;
        const float root = __builtin_elementwise_sqrt(s);
        mean[i] = m;
        square[i] = s;
        value[i] = value[i] - value[i] * c.shrink - m * c.rate / (root * c.root_factor + c.epsilon);
    }
}

typedef float float8 __attribute__((vector_size(32), aligned(4)));
typedef double double8 __attribute__((vector_size(64), aligned(8)));

SNN_CLONES
void snn_sum_of_squares(const float *values, size_t count, double lanes[8])
{
    const size_t whole = count / 8 * 8;
    double8 sums = *(const double8 *)lanes;
    for (size_t i = 0; i < whole; i += 8) {
        const double8 x = __builtin_convertvector(*(const float8 *)(values + i), double8);
        sums += x * x;
    }
    *(double8 *)lanes = sums;
    for (size_t i = whole; i < count; i++) {
        lanes[i - whole] += (double)values[i] * (double)values[i];
    }
}
