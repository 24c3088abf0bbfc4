/**
 * Loops of training that need the machine's widest lanes.
 *
 * Every function is compiled for several instruction sets and the best one is taken at start. Sums
 * and products are never fused, and every loop is elementwise or has a fixed order: results are the
 * same bits on every machine.
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
    float coupled; /**< decay added to the gradient */
    float shrink;  /**< decay of the value itself, times the learning rate */
    float scale;   /**< what gradients are multiplied with */
};

/** The arrays of `count` elements that an update reads and writes; none overlaps another. */
struct snn_adam_arrays {
    size_t count;
    float *value;
    const float *gradient;
    float *mean;
    float *square;
};

/**
 * One update (equations: Learning/Optimizer). Roots and quotients are rounded as IEEE 754 demands.
 */
void snn_adam(const struct snn_adam_arrays *arrays, const struct snn_adam_constants *constants);

/** Adds the squares of elements i, i + 8, i + 16 ... to lane i, in double precision. */
void snn_sum_of_squares(const float *values, size_t count, double lanes[8]);

/* ---- Events through dense synapses ---- */

/** The sources of one row that are not zero. */
struct snn_active {
    size_t count;
    const uint32_t *indices;
    const float *values;
};

/** sum[j] += value * rows[index][j] over the active sources, in their order. */
void snn_add_rows(const struct snn_active *active, const float *rows, size_t columns, float *sum);

/** rows[index][j] += value * row[j] over the active sources. */
void snn_add_to_rows(const struct snn_active *active, float *rows, size_t columns,
                     const float *row);

/* ---- Leaky integrate-and-fire neurons (equations: Spiking/Neurons/LIF) ---- */

/** What is the same for all neurons of a population. */
struct snn_lif_rules {
    float current_scale; /**< what currents are multiplied with */
    bool on_grid;        /**< leaks truncate toward zero and membranes are clamped */
    float floor;         /**< of the membrane, on the grid */
    float ceiling;
    bool subtracts;    /**< a spike takes the threshold off; otherwise it resets to a value */
    float reset_value; /**< the membrane after a spike that does not subtract */
    bool inclusive;    /**< fires at V >= threshold; otherwise at V > threshold */
    bool wide_leak;    /**< on the grid: leaks are any multiple of 2^-15, not only of 2^-8 */
    uint32_t refractory_steps; /**< after a spike, steps in which input is lost; 0: none */
};

/** One step of `length` neighbouring neurons. */
struct snn_lif_row {
    size_t length;
    const float *threshold;
    const float *leak;
    const float *bias;
    const float *current; /**< may be `potential` itself */
    float *membrane;      /**< carried from step to step */
    float *potential;     /**< out: the membrane before reset */
    float *spike;         /**< out: 0 or 1 */
    float *refractory;    /**< steps still to lose, carried; null where no step is lost */
    float *blocked;       /**< out: 1 where this step's input is lost; null as above */
};

struct snn_lif_counts {
    uint32_t spikes;
    uint32_t clamps;
};

struct snn_lif_counts snn_lif_forward(const struct snn_lif_rules *rules,
                                      const struct snn_lif_row *row);

enum snn_slope_kind {
    SNN_SLOPE_TRIANGULAR,
    SNN_SLOPE_ARCTAN,
    SNN_SLOPE_FAST_SIGMOID,
    SNN_SLOPE_RECTANGULAR,
    SNN_SLOPE_TABLE
};

/** A surrogate slope of z = V / threshold - 1, with the constants its kind needs. */
struct snn_slope {
    enum snn_slope_kind kind;
    float scale;        /**< triangular, rectangular: height; arctan, fast sigmoid: sharpness */
    float half_width;   /**< rectangular */
    const float *table; /**< the slopes of this row's neurons, where they do not depend on z */
};

/** The slope at z; `table`'s first entry where the kind has one. */
float snn_slope_at(const struct snn_slope *slope, float z);

/** One step, backward. No array overlaps another. */
struct snn_lif_backward_row {
    size_t length;
    const float *threshold;
    const float *inverse_threshold;
    const float *leak;
    const float *potential;
    const float *earlier;       /**< the potentials of the step before; null at step 0 */
    const float *initial;       /**< the membranes before step 0 */
    const float *spike;         /**< this step's spikes, the next of the step before (null at */
    const float *earlier_spike; /**< step 0), then ::snn_lif_row's `blocked`: read only where */
    const float *blocked;       /**< `rules` have refractory steps, null otherwise */
    float spike_offset;         /**< added to every spike's gradient */
    float *gradient;            /**< in: of the spikes; out: of the currents */
    float *carried; /**< in: of the membrane after reset; out: of the one before this step */
    float *threshold_gradient; /**< added to, as are the next two */
    float *leak_gradient;
    float *bias_gradient;
};

void snn_lif_backward(const struct snn_lif_rules *rules, const struct snn_slope *slope,
                      const struct snn_lif_backward_row *row);

#endif
