/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_IMAGE_H
#define SNN_IMAGE_H

#include <stdint.h>

/*
 * A model made ready for a microcontroller: every row packed, every buffer placed, nothing left to
 * parse. The meaning of each field stands in models/IMAGE.md under the same name. The bytes are the
 * same on every target; they lie in flash and are read in place. `snn-export --c-source` writes
 * them as constants, `snn-export --image` as a file.
 *
 * Offsets count bytes from the image's first byte (arrays) or from the arena's (state). 0 means
 * "none" where so said.
 */

/** The bytes "SNNI", in this order. */
#define SNN_IMAGE_MAGIC UINT32_C(0x494E4E53)
/** An unknown major is refused; an unknown minor too, since nothing in an image may be ignored. */
#define SNN_IMAGE_MAJOR 1
#define SNN_IMAGE_MINOR 3

/** Limits of an image: bytes of the image and of its arena, counts, steps of a block. */
enum {
    SNN_IMAGE_BYTES = 0x40000000,
    SNN_IMAGE_PORTS = 4,
    SNN_IMAGE_LAYERS = 256,
    SNN_IMAGE_PROJECTIONS = 1024,
    SNN_IMAGE_BLOCK = 64
};

struct snn_image {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t bytes; /**< of the whole image, a multiple of 4 */
    uint32_t crc;   /**< CRC-32 (zlib's) of everything behind this field */
    uint32_t arena_bytes;
    uint32_t steps, max_steps;
    uint32_t step_microseconds; /**< 0: the model has no physical time */
    /** 1: streaming; more: layer by layer, at most this many steps a sample */
    uint16_t block;
    /**
     * 1: some layer is GENERAL, some projection's rows are LIST, a port takes EVERY event or has an
     * encoder, or has_exit
     */
    uint8_t needs_general;
    uint8_t has_exit; /**< 1: a snn_image_exit stands behind sensors */
    uint16_t port_count, layer_count, projection_count;
    uint8_t ring_count, sensor_count;    /**< they stand behind the projections, rings first */
    uint32_t ports, layers, projections; /**< offsets of the arrays of structs below */
    uint32_t sums; /**< arena: block x the widest layer's columns, 2 or 4 bytes each */
    /** arena: sums of values before their shift, int32 x the columns of the widest DRIVEN layer */
    uint32_t value_sums;
    uint32_t membrane; /**< arena: int16 x the widest layer's lanes; layer by layer only */
    uint32_t spikes;   /**< arena: words of the widest layer's lanes */
    uint32_t scores;   /**< arena: int32 x lanes of the read-out, the last layer */
};

enum snn_image_port_kind {
    SNN_PORT_EVENTS = 0, /**< repetitions merge */
    SNN_PORT_U8 = 1,
    SNN_PORT_S16 = 2,
    SNN_PORT_EVERY = 3 /**< every event counts; GENERAL */
};

struct snn_image_port {
    uint16_t channels, height, width;
    uint8_t kind;           /**< enum snn_image_port_kind */
    uint8_t frame_per_step; /**< values only */
    int16_t min_value, max_value;
    uint32_t
        map; /**< EVENTS; arena: the open step's events, one bit each; with a ring: the ring's */
};

/** What a layer's neurons need beyond leak, threshold and subtraction. */
enum {
    /**
     * The neurons run through snn_lif_general: their reset is not SUBTRACT, they have refractory
     * steps, their sums are WIDE, or a membrane may pass the ceiling without firing.
     */
    SNN_LAYER_GENERAL = 1,
    SNN_LAYER_WIDE = 2, /**< a sum may leave int16: sums have 32 bits */
    /**
     * Set: parameter arrays have an entry for every lane of every pixel. Clear: they have the lanes
     * of one pixel, and all pixels share them.
     */
    SNN_LAYER_PER_NEURON = 4,
    SNN_LAYER_DRIVEN = 8, /**< the layer has a bias or takes values */
    /**
     * Set: sums may carry a membrane past `floor` or `ceiling`, so the kernel clamps. The exporter
     * has proven that whatever passes the ceiling also fires. Clear, and GENERAL clear: no membrane
     * can leave `floor ... ceiling`; the kernel does not clamp.
     */
    SNN_LAYER_CLAMPED = 16,
    /**
     * With GENERAL and WIDE: the neurons have synaptic currents. `drive` is the array of their
     * leaks, as `decay`; the currents, int32 per lane and pixel, lie behind the membranes.
     */
    SNN_LAYER_CURRENT = 32
};

/**
 * A population, in order of evaluation. Neurons lie pixel by pixel; a pixel's channels fill
 * `lanes`, a multiple of 4.
 */
struct snn_image_layer {
    uint16_t population; /**< index in the model */
    uint16_t channels, height, width;
    uint16_t lanes, columns; /**< channels rounded up to 4 and to 8 */
    uint8_t flags;
    uint8_t readout; /**< 1: read-out, int32 membranes, no spikes; the last layer and only it */
    uint8_t reset, refractory_steps; /**< enum snn_reset_kind; GENERAL */
    uint8_t greater;                 /**< 1: fires above threshold, 0: at it */
    uint8_t reserved;                /**< 0 */
    int16_t floor, ceiling;          /**< of membranes */
    int16_t reset_value;             /**< GENERAL */
    uint32_t threshold; /**< int16: the least membrane that fires; GENERAL: the model's threshold */
    uint32_t decay;     /**< uint32, leak * 65536 + 1 of a leak in Q15; 0: no leak */
    uint32_t bias;      /**< int32; 0: none */
    uint32_t initial;   /**< int32; 0: all 0 */
    /**
     * int32: the neuron fires in some step if this sum of values, not yet shifted, arrives in every
     * step and nothing else arrives; with a smaller sum it never fires. 0: no such array
     */
    uint32_t drive;
    uint32_t membrane;   /**< arena: int16 per lane and pixel; streaming only */
    uint32_t refractory; /**< arena: uint8 per lane and pixel; 0: none */
    /** arena: the spike maps, one bit a neuron: block of them; with a ring: the ring's */
    uint32_t map;
    uint32_t map_bytes; /**< of one, a multiple of 4 */
    /** the projections that end in this layer; at most one carries values, and it comes first */
    uint16_t first_projection, projection_count;
};

enum snn_image_rows {
    /** a byte a column, weight + 128; of every four columns the middle two have changed places */
    SNN_IMAGE_ROWS_8 = 0,
    /** four bits a column, weight + 8; of every eight columns the order is 0 4 2 6 1 5 3 7 */
    SNN_IMAGE_ROWS_4 = 1,
    SNN_IMAGE_ROWS_LIST = 2 /**< only the synapses: `starts`, and pairs of column and weight */
};

/** What a projection carries. */
enum snn_image_carries {
    SNN_CARRIES_SPIKES = 0,
    SNN_CARRIES_U8 = 1,
    SNN_CARRIES_S16 = 2,
    SNN_CARRIES_EVERY = 3 /**< spikes, of which an address may have several */
};

/**
 * A window of kernel_height x kernel_width pooled cells slides over the source; a dense projection
 * has one window, all of it. Row (ky * kernel_width + kx) * channels + channel holds the weights of
 * a cell of the window.
 */
struct snn_image_projection {
    uint16_t projection; /**< index in the model */
    uint16_t source;     /**< index of a port, or of a layer */
    uint8_t from_port;
    uint8_t carries; /**< enum snn_image_carries */
    uint8_t rows;    /**< enum snn_image_rows; values: ROWS_8 */
    uint8_t held;    /**< values: the frame is that of step 0 */
    uint8_t pool, shift;
    uint8_t stride_y, stride_x, padding_y, padding_x;
    uint16_t channels, height, width; /**< of the source */
    uint16_t pooled_height, pooled_width;
    uint16_t kernel_height, kernel_width;
    uint16_t delay;          /**< steps back; of a tap, its own */
    uint16_t ring;           /**< 1 + the index of the source's ring; 0: it has none */
    uint32_t map, map_bytes; /**< the source's; 0 for values without a ring */
    uint32_t row_bytes;      /**< a multiple of 4; LIST: 0 */
    uint32_t weights;        /**< the rows; LIST: uint8 column, int8 weight of every synapse */
    /** LIST: uint32, the number of every row's first synapse, and last the number of synapses */
    uint32_t starts;
    /**
     * Only with a pool, else 0. Table of uint16, kernel_width * pool * channels entries: for source
     * i of one line of the window (i = x * channels + c) the number of the weight row that its
     * spike adds, counted from the line's first row: (x div pool) * channels + c.
     */
    uint32_t places;
    uint32_t synapses; /**< uint16, how many weights of each row are not zero, for counting */
};

/**
 * What a source emitted in its last steps. A source has a ring where a projection reads an earlier
 * step, and a port of EVERY event always has one. The rings stand behind the projections.
 *
 * `slots` maps lie in the arena from `map` on. The word before the first map holds the number of
 * the open step's slot; before that word lies, for EVERY alone, the number of events that the open
 * step has taken.
 */
struct snn_image_ring {
    uint16_t source;    /**< index of a port, or of a layer */
    uint16_t from_port; /**< 1: a port */
    uint16_t slots;     /**< one more than the longest delay */
    uint16_t most;      /**< EVERY: events that a step takes; else 0 */
    uint32_t gain;      /**< a port of values whose encoder makes spikes of them; else 0 */
    uint32_t map;       /**< arena */
    /**
     * of one slot, a multiple of 4: a bitmap; a frame of uint8 or int16; EVERY: a uint16 for each
     * address, how often it spiked
     */
    uint32_t bytes;
};

/** The camera of a port of events. */
struct snn_image_sensor {
    uint16_t port;
    uint8_t coarsening;      /**< x and y are shifted right by so many bits */
    uint8_t polarity;        /**< enum snn_polarity_order */
    uint16_t last_x, last_y; /**< its columns and rows, less 1 */
};

/** When an inference ends before its last step. */
struct snn_image_exit {
    uint32_t margin; /**< the two best scores differ by so much; 0: `layer` spiked */
    uint16_t layer;
    uint16_t reserved; /**< 0 */
};

#endif
