/**
 * Loops of training that need the machine's widest lanes.
 *
 * Every function is compiled for several instruction sets and the best one is taken at start. Sums and
 * products are never fused, and every loop is elementwise or has a fixed order: results are the same
 * bits on every machine.
 */
#ifndef SNN_KERNELS_H
#define SNN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Adam ---- */

/** What is the same for all elements of an update. */
struct snn_adam_constants {
    float beta1;
    float complement1; /**< 1 - beta1 */
    float beta2;
    float complement2; /**< 1 - beta2 */
    float rate;        /**< learning rate over 1 - beta1^t */
    float root_factor; /**< 1 / sqrt(1 - beta2^t) */
    float epsilon;
    float coupled;     /**< decay added to the gradient */
    float shrink;      /**< decay of the value itself, times the learning rate */
    float scale;       /**< what gradients are multiplied with */
};

/** The arrays of `count` elements that an update reads and writes; none overlaps another. */
struct snn_adam_arrays {
    size_t count;
    float *value;
    const float *gradient;
    float *mean;
    float *square;
};

/** One update (equations: Learning/Optimizer). Roots and quotients are rounded as IEEE 754 demands. */
void snn_adam(const struct snn_adam_arrays *arrays, const struct snn_adam_constants *constants);

/** Adds the squares of elements i, i + 8, i + 16 ... to lane i, in double precision. */
void snn_sum_of_squares(const float *values, size_t count, double lanes[8]);

#endif
