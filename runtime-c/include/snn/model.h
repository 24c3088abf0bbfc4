/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_MODEL_H
#define SNN_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A model in memory: constant structs and arrays, read in place, from flash or from the loader's
 * arena. The meaning of every field and its limits stand in models/FORMAT.md under the same name;
 * here stands only how memory holds it. Whoever makes these structs keeps them, and all they point
 * to, unchanged for as long as a network uses them.
 */

/** The format version this header describes. An unknown major is refused. */
#define SNN_FORMAT_MAJOR 2
#define SNN_FORMAT_MINOR 0

/** channels x height x width; linear index (y * width + x) * channels + channel. */
struct snn_shape {
    uint32_t channels, height, width;
};

enum snn_input_kind { SNN_EVENTS = 0, SNN_VALUES = 1 };
enum snn_multiplicity { SNN_ONCE = 0, SNN_EVERY = 1 };
enum snn_population_kind { SNN_LIF = 0, SNN_READOUT = 1 };
enum snn_reset_kind { SNN_RESET_SUBTRACT = 0, SNN_RESET_ZERO = 1, SNN_RESET_VALUE = 2 };
enum snn_compare { SNN_GREATER = 0, SNN_GREATER_EQUAL = 1 };
enum snn_topology { SNN_DENSE = 0, SNN_CONV = 1, SNN_ONE_TO_ONE = 2, SNN_LATERAL = 3 };

/** How weight rows lie in memory. */
enum snn_rows {
    SNN_ROWS_FULL = 0, /**< every entry, zeros included */
    /** the entries that are not zero, with their columns; DENSE and CONV only */
    SNN_ROWS_SPARSE = 1
};

enum snn_encoder { SNN_ENCODER_NONE = 0, SNN_ENCODER_POISSON = 1 };
enum snn_polarity_order { SNN_OFF_ON = 0, SNN_ON_OFF = 1 };

/** The camera of an EVENTS port; width 0: none, addresses are the port's own. */
struct snn_sensor {
    uint32_t width, height;
    uint8_t coarsening; /**< x and y are shifted right by so many bits, 0 ... 15 */
    uint8_t polarity;   /**< enum snn_polarity_order */
};

struct snn_input {
    struct snn_shape shape;
    uint8_t kind;                 /**< enum snn_input_kind */
    uint8_t multiplicity;         /**< enum snn_multiplicity; EVENTS only */
    bool frame_per_step;          /**< VALUES only */
    uint32_t max_events_per_step; /**< EVERY only, 1 ... 65535 */
    int16_t min_value, max_value; /**< VALUES only */
    uint8_t encoder;              /**< enum snn_encoder; VALUES only */
    uint32_t gain;                /**< POISSON only: max_value * gain <= 2^24 */
    struct snn_sensor sensor;     /**< EVENTS only */
};

/**
 * Each parameter array has 1 (population), channels, or C*H*W entries; a count of 0 takes the
 * default.
 */
struct snn_population {
    struct snn_shape shape;
    const int16_t *threshold;     /**< LIF only; no default */
    const uint16_t *leak;         /**< Q15, 0 ... 32768; default 32768 */
    const int32_t *bias;          /**< default 0 */
    const int32_t *initial;       /**< default 0 */
    const uint16_t *current_leak; /**< Q15, 0 ... 32768; LIF only; none: no synaptic current */
    uint32_t threshold_count, leak_count, bias_count, initial_count, current_leak_count;
    int16_t reset_value, floor, ceiling; /**< LIF only */
    uint8_t kind;                        /**< enum snn_population_kind */
    uint8_t reset;                       /**< enum snn_reset_kind; LIF only */
    uint8_t compare;                     /**< enum snn_compare; LIF only */
    uint8_t refractory_steps;            /**< LIF only */
};

/**
 * The matrix of FORMAT.md, section 3: rows belong to the (pooled) source; those of the taps of a
 * projection follow each other.
 *
 * FULL: `values` has rows * columns entries, row-major. SPARSE: `values` has one entry per synapse,
 * none of them zero, row by row, and exactly one of `column16` (columns <= 65536) and `column32`
 * gives its column, ascending in each row.
 *
 * `synapse_start` counts synapses: entry r is the number of non-zero weights before run r. A run is
 * a row (DENSE) or one kernel tap of a row (CONV: run (ci * kernel_height + ky) * kernel_width + kx
 * of C_out / groups entries; a SPARSE column then counts within the run). It has runs + 1 entries.
 * FULL rows without a zero may leave it null; SPARSE rows may not. ONE_TO_ONE and LATERAL use
 * `values` alone, FULL.
 */
struct snn_weights {
    uint32_t rows, columns;
    uint8_t layout; /**< enum snn_rows */
    const int8_t *values;
    const uint32_t *synapse_start;
    const uint16_t *column16;
    const uint32_t *column32;
};

struct snn_convolution {
    uint8_t kernel_height, kernel_width, stride_y, stride_x, padding_top, padding_left,
        padding_bottom, padding_right, dilation_y, dilation_x;
    uint32_t groups;
};

struct snn_projection {
    struct snn_weights weights;
    struct snn_convolution convolution; /**< CONV only */
    uint16_t source;                    /**< index of an input port or a population */
    uint16_t target;                    /**< index of a population */
    bool from_input;                    /**< `source` is an input port */
    uint8_t topology;                   /**< enum snn_topology */
    uint8_t delay;                      /**< 0 ... 255 steps, of tap 0; 0 from a held frame */
    uint8_t taps;                       /**< 0 or 1: one; at most 32; one from a held frame */
    uint8_t tap_step;                   /**< 1 ... 16 with several taps; else 0 */
    /** 0 or 1: none; k: sum-pool of k x k, stride k, in front */
    uint8_t pool;
    uint8_t shift; /**< 0 ... 15 for spikes, 0 ... 24 for values */
};

enum snn_exit_rule { SNN_EXIT_NEVER = 0, SNN_EXIT_MARGIN = 1, SNN_EXIT_FIRST_SPIKE = 2 };

/** When an inference ends before its last step. */
struct snn_exit {
    uint8_t rule;        /**< enum snn_exit_rule */
    uint16_t population; /**< FIRST_SPIKE: the population that ends it by a spike */
    uint32_t margin;     /**< MARGIN: 1 ... 2^31 - 1 */
};

struct snn_model {
    uint32_t format_major;
    const char *name;           /**< UTF-8, ends in 0; no engine reads it; may be null */
    uint32_t step_microseconds; /**< 0: the model has no physical time */
    uint32_t steps, max_steps;
    const struct snn_input *inputs;
    const struct snn_population *populations;
    const struct snn_projection *projections;
    uint32_t input_count, population_count, projection_count;
    uint32_t readout; /**< index of the population the answer is read from */
    struct snn_exit exit;
};

/** Number of neurons or addresses of a shape within the limits of FORMAT.md. */
static inline uint32_t snn_shape_size(const struct snn_shape *shape)
{
    return shape->channels * shape->height * shape->width;
}

#ifdef __cplusplus
}
#endif
#endif
