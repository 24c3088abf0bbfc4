/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_DEVICE_H
#define SNN_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snn/image.h"
#include "snn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The engine for firmware. It computes the integers of models/FORMAT.md from a model made ready by
 * snn-export, in a buffer of known size, without heap, without writable globals and without
 * parsing.
 *
 *     static uint32_t arena[SNN_MODEL_DIGITS_ARENA_BYTES / 4];
 *     struct snn_device network;
 *     snn_device_init(&network, &snn_model_digits.image, arena, sizeof arena);
 *     snn_device_reset(&network);
 *     snn_device_values_u8(&network, 0, pixels, 784);
 *     snn_device_run(&network, SNN_MODEL_DIGITS_STEPS);
 *     snn_device_class(&network);
 *
 * A network on events gets those of a step by snn_device_event and then runs that step.
 */

struct snn_observer;

/**
 * 0 leaves out of the engine what few models need: resets to zero or a value, refractory steps,
 * wide sums, lists of synapses, synaptic currents, a ceiling that keeps membranes below the
 * threshold, exit rules, encoders, and ports of which every event counts.
 */
#ifndef SNN_DEVICE_GENERAL
#define SNN_DEVICE_GENERAL 1
#endif

/**
 * 0 leaves out of the engine what images that stream need: events, a frame a step, delays, more
 * than 64 steps. Where SNN_DEVICE_GENERAL is 0 too, observers are shown no neurons and no clamps:
 * snn_count counts no spikes then, and snn_self_test has nothing to compare.
 */
#ifndef SNN_DEVICE_STREAMING
#define SNN_DEVICE_STREAMING 1
#endif

/**
 * 0 leaves out of the engine what images with rings need: delays, taps, encoders, and ports of
 * which every event counts.
 */
#ifndef SNN_DEVICE_RINGS
#define SNN_DEVICE_RINGS SNN_DEVICE_STREAMING
#endif

/**
 * A network at work. Its fields are the engine's; the struct is open so that its size is known
 * before linking.
 */
struct snn_device {
    const struct snn_image *image;
    uint8_t *arena;
    const struct snn_observer *observer;
    const void *frame[SNN_IMAGE_PORTS];
    uint32_t presented; /**< bits: ports whose frame came in the open step */
    uint32_t seed;
    uint32_t steps;
    bool decided; /**< the exit rule held after the last step */
};

/**
 * Checks an image that did not come with the program: CRC, version, every offset, index and size.
 * After SNN_OK no use of it reads or writes outside the image and the arena. SNN_ERROR_SYNTAX: not
 * an image, cut off or corrupt (magic, length, CRC); SNN_ERROR_VERSION; SNN_ERROR_ARGUMENT: null or
 * not at a multiple of 4; SNN_ERROR_LIMIT, _SHAPE, _REFERENCE, _SIZE, _INDEX, _ENUM: which rule the
 * content breaks. `size`: bytes that may be read at `image`.
 */
SNN_MUST_USE enum snn_status snn_image_check(const void *image, size_t size);

/**
 * Binds a network to its image and memory and resets it. `arena` starts at a multiple of 4 and both
 * outlive the network. SNN_ERROR_ARGUMENT: null or misaligned; SNN_ERROR_VERSION: no image of this
 * version; SNN_ERROR_LIMIT: it needs what SNN_DEVICE_GENERAL, _STREAMING or _RINGS left out;
 * SNN_ERROR_MEMORY: `size` is less than the image's arena_bytes.
 */
SNN_MUST_USE enum snn_status snn_device_init(struct snn_device *network,
                                             const struct snn_image *image, void *arena,
                                             size_t size);

/**
 * Begins a new sample: sets membranes to `initial`, and forgets spikes under way and held frames.
 */
void snn_device_reset(struct snn_device *network);

/** States the seed from which encoders draw in this sample; snn_device_reset sets it to 0. */
void snn_device_seed(struct snn_device *network, uint32_t seed);

/**
 * An event at linear `index` for the open step; repetitions merge, or count where the port takes
 * EVERY event. False when the event is dropped: there is no such port of events, the index lies
 * outside it, the sample is over, or the step has taken as many events as it may.
 */
bool snn_device_event(struct snn_device *network, uint32_t port, uint32_t index);

/**
 * Presents `count` integers in the order of the linear index. They are not copied: they stay as
 * they are until the last step that uses them has run. A frame_per_step port forgets them after the
 * step. SNN_ERROR_ARGUMENT: no such port, another type or count; SNN_ERROR_VALUE: one is outside
 * the port's range.
 */
SNN_MUST_USE enum snn_status snn_device_values_u8(struct snn_device *network, uint32_t port,
                                                  const uint8_t *values, uint32_t count);
/** As snn_device_values_u8, for a port of kind SNN_PORT_S16. */
SNN_MUST_USE enum snn_status snn_device_values_s16(struct snn_device *network, uint32_t port,
                                                   const int16_t *values, uint32_t count);

/**
 * Runs `steps` steps. A streaming image may be run step by step, with events between; any other
 * runs a sample in one call. SNN_ERROR_STEPS, and nothing happens: more than max_steps in all, a
 * second call on an image that is not streaming, or a network that is decided. Where the model's
 * exit rule holds, fewer steps are run.
 */
SNN_MUST_USE enum snn_status snn_device_run(struct snn_device *network, uint32_t steps);

/**
 * Whether the model's exit rule held after the last step: the answer stands, and no further step
 * runs before the next reset.
 */
bool snn_device_is_decided(const struct snn_device *network);

/**
 * Membranes of the read-out population, valid until the next run or reset; `count` (may be null)
 * receives their number.
 */
const int32_t *snn_device_scores(const struct snn_device *network, uint32_t *count);

/** Index of the highest score, the lowest on ties. */
uint32_t snn_device_class(const struct snn_device *network);

/**
 * Functions that the engine calls as it works, for tests and counting; each may be null. Observing
 * changes no integer and costs some time. `layer` and `projection` are indices in the image; the
 * arrays that pointers show are valid during the call only. If the image streams, the calls come
 * step by step, otherwise layer by layer and pixel by pixel.
 */
struct snn_observer {
    void *context;
    /** A layer begins; layer_count: the last one ended. */
    void (*layer)(void *context, uint32_t layer);
    /**
     * Neurons of one pixel after one step, an entry a channel. `membrane`: int32 for the read-out,
     * else int16. `spikes`: bits by channel; null for the read-out.
     */
    void (*neurons)(void *context, uint32_t layer, uint32_t step, uint32_t pixel,
                    const void *membrane, const uint32_t *spikes);
    /**
     * Weight rows that are about to be added for a pixel, numbered within the projection's window.
     * `values` null: spikes add them; else row i is added values[i] times. The rows of a held frame
     * are shown once, in the step in which the frame is presented.
     */
    void (*rows)(void *context, uint32_t projection, const uint16_t *rows, const int16_t *values,
                 uint32_t count);
    /** Membranes of a pixel that were clamped in one step. */
    void (*saturated)(void *context, uint32_t layer, uint32_t count);
};

/** Sets the observer, or none with null; it survives a reset. */
void snn_device_observe(struct snn_device *network, const struct snn_observer *observer);

#ifdef __cplusplus
}
#endif
#endif
