/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_DEVICE_ENGINE_H
#define SNN_DEVICE_ENGINE_H

#include "kernels.h"
#include "snn/device.h"
#include "snn/fixed_point.h"

/* What the engine's files share. */

/** 1 in a build that has exit rules: only models that stream have one. */
#define SNN_DEVICE_EXITS (SNN_DEVICE_GENERAL != 0 && SNN_DEVICE_STREAMING != 0)

/** 1 in a build that has encoders, whose spikes lie in rings. */
#define SNN_DEVICE_ENCODERS (SNN_DEVICE_GENERAL != 0 && SNN_DEVICE_RINGS != 0)

/** The most rows that are gathered for one call of a kernel. */
enum { SNN_GATHER = 64 };

/** An array of the image, or null for offset 0. */
static inline const void *snn_in_image(const struct snn_image *image, uint32_t offset)
{
    return offset == 0 ? NULL : (const void *)((const uint8_t *)image + offset);
}

static inline const struct snn_image_layer *snn_layers(const struct snn_image *image)
{
    return (const struct snn_image_layer *)(const void *)((const uint8_t *)image + image->layers);
}

static inline const struct snn_image_port *snn_ports(const struct snn_image *image)
{
    return (const struct snn_image_port *)(const void *)((const uint8_t *)image + image->ports);
}

static inline const struct snn_image_projection *snn_projections(const struct snn_image *image)
{
    return (const struct snn_image_projection *)(const void *)((const uint8_t *)image +
                                                               image->projections);
}

static inline const struct snn_image_ring *snn_rings(const struct snn_image *image)
{
    return (const struct snn_image_ring *)(const void *)(snn_projections(image) +
                                                         image->projection_count);
}

/** The ring of a port or layer, or null. */
const struct snn_image_ring *snn_ring_of(const struct snn_image *image, bool from_port,
                                         uint32_t source);

static inline void *snn_in_arena(const struct snn_device *network, uint32_t offset)
{
    return network->arena + offset;
}

static inline const struct snn_image_sensor *snn_sensors(const struct snn_image *image)
{
    return (const struct snn_image_sensor *)(const void *)(snn_rings(image) + image->ring_count);
}

static inline const struct snn_image_exit *snn_exit_of(const struct snn_image *image)
{
    return (const struct snn_image_exit *)(const void *)(snn_sensors(image) + image->sensor_count);
}

/** The word that holds the number of a ring's open slot. */
static inline uint32_t *snn_open_slot(const struct snn_device *network,
                                      const struct snn_image_ring *ring)
{
    return (uint32_t *)snn_in_arena(network, ring->map) - 1;
}

/** Where the arena has what a ring's source emitted `delay` steps before the open one. */
static inline uint32_t snn_slot_of(const struct snn_device *network,
                                   const struct snn_image_ring *ring, uint32_t delay)
{
    uint32_t slot = *snn_open_slot(network, ring);
    /* In a hostile image another buffer may lie here. */
    slot = slot < ring->slots ? slot : 0;
    slot = slot < delay ? slot + ring->slots - delay : slot - delay;
    return ring->map + slot * ring->bytes;
}

/** Where the arena has what a projection delivers in the open step. */
static inline uint32_t snn_map_of(const struct snn_device *network,
                                  const struct snn_image_projection *projection)
{
    if (SNN_DEVICE_RINGS == 0 || projection->ring == 0) {
        return projection->map;
    }
    return snn_slot_of(network, snn_rings(network->image) + projection->ring - 1,
                       projection->delay);
}

/** Whether values are presented to a port, not events. */
static inline bool snn_takes_values(const struct snn_image_port *port)
{
    return port->kind == SNN_PORT_U8 || port->kind == SNN_PORT_S16;
}

static inline bool snn_carries_values(const struct snn_image_projection *projection)
{
    if (SNN_DEVICE_RINGS == 0) {
        return projection->carries != SNN_CARRIES_SPIKES;
    }
    return projection->carries == SNN_CARRIES_U8 || projection->carries == SNN_CARRIES_S16;
}

/** Values or possible events of a port. */
static inline uint32_t snn_port_size(const struct snn_image_port *port)
{
    return (uint32_t)port->channels * port->height * port->width;
}

/** Whether the layers run step by step. */
static inline bool snn_streams(const struct snn_image *image)
{
    return SNN_DEVICE_STREAMING != 0 && image->block == 1;
}

/** One pixel of a layer at work. */
struct snn_pixel {
    struct snn_device *network;
    const struct snn_image_layer *layer;
    uint32_t index, y, x;
    uint32_t first, steps; /**< the first step that the pixel runs, and how many it runs */
    uint32_t map;          /**< where the arena has the layer's spike map of step `first` */
    uint32_t parameters;   /**< index of the pixel's first entry in arrays of parameters */
    uint32_t *sums;
    struct snn_lif neurons;
    /** only the neurons' spikes are needed, no membranes: snn_fire runs all steps at once */
    bool only_spikes;
};

/**
 * The part of a projection's source that a pixel sees: some lines of the source, and in each of
 * them the same run of neighbouring spikes or values.
 */
struct snn_window {
    uint32_t from; /**< index of the window's first source */
    uint32_t line; /**< sources from one line of the source to the next */
    /**
     * lines of cells, each of `pool` lines of the source; 0: the window lies outside the source,
     * and no other field is set
     */
    uint32_t lines;
    uint32_t count; /**< sources of one line that lie in the window */
    /**
     * the weight row of the window's first source. With `places`: the row from which the entries of
     * `places` count, in the first line of cells
     */
    uint32_t row;
    uint32_t row_step; /**< weight rows from one line of cells to the next */
    /** with a pool: the weight row of every source of a line; null: they follow one another */
    const uint16_t *places;
};

/** The search for the weight rows that reach a pixel through one projection. */
struct snn_gather {
    const struct snn_pixel *pixel;
    const struct snn_image_projection *projection;
    struct snn_window window;
    /** where rows are added: for spikes as wide as the layer's sums, for values int32 */
    void *sums;
    const void *frame;   /**< the frame whose values are gathered; null: spikes are gathered */
    const uint32_t *map; /**< the spike map that is searched for spikes */
    uint16_t rows[SNN_GATHER];
    int16_t values[SNN_GATHER];
};

/** What became of an event inside its port. */
enum snn_taken { SNN_TAKEN_NOT = 0, SNN_TAKEN_MERGED = 1, SNN_TAKEN_NEW = 2 };

/** Puts an event into the open step of a port that takes events; `index` is inside the port. */
enum snn_taken snn_take_event(const struct snn_device *network, uint32_t port, uint32_t index);

/** Makes the spikes of the open step from the frames of ports with an encoder. */
void snn_encode(const struct snn_device *network);

/** Whether the image's exit rule holds in the open step, whose layers have all run. */
bool snn_exits(const struct snn_device *network);

/**
 * Whether the image's header is sound and its bytes are as they were written. Offsets and all that
 * lies behind the header are not looked at.
 */
enum snn_status snn_check_image_header(const struct snn_image *image, size_t size);

/** Finds the window: the part of the projection's source that the pixel sees. */
void snn_find_window(struct snn_gather *gather);

/** Adds the rows of the spikes in the window; returns their number. */
uint32_t snn_gather_spikes(struct snn_gather *gather);

/**
 * Adds the rows of the spikes in the window, of which an address may have several; returns their
 * number.
 */
uint32_t snn_gather_every(struct snn_gather *gather);

/** Adds the rows of the values in the window. */
void snn_gather_values(struct snn_gather *gather);

/** Adds the rows that no kernel adds: rows in a list, and rows to sums of 32 bits. */
void snn_add_rows_general(const struct snn_gather *gather, const struct snn_packed_rows *set);

/**
 * One step of a pixel's neurons by every rule, also those that snn_lif_step leaves out. Returns how
 * often a membrane was clamped.
 */
uint32_t snn_lif_general(const struct snn_pixel *pixel, const struct snn_lif *lif);

/** trunc0(v * leak / 2^15) by the decay of image.h. */
static inline int32_t snn_leaked(int32_t v, uint32_t decay)
{
    return snn_leak_s32(v, snn_leak_of(decay));
}

/** Whether a layer's sums have 32 bits. */
static inline bool snn_is_wide(const struct snn_image_layer *layer)
{
    return SNN_DEVICE_GENERAL != 0 && (layer->flags & SNN_LAYER_WIDE) != 0;
}

/** Words of a pixel's sums in one step. */
static inline uint32_t snn_sum_words(const struct snn_image_layer *layer)
{
    return snn_is_wide(layer) ? layer->columns : layer->columns / 2u;
}

/** A finished sum of a layer. */
static inline int32_t snn_finished_sum(const struct snn_image_layer *layer, const uint32_t *sums,
                                       uint32_t lane)
{
    if (snn_is_wide(layer)) {
        return snn_s32(sums[lane]);
    }
    return snn_s16((uint32_t)((const snn_half *)(const void *)sums)[lane] - SNN_SUM_ZERO);
}

#endif
