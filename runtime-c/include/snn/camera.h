/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_CAMERA_H
#define SNN_CAMERA_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Addresses of an event camera, for both engines: which neuron of a port hears the event of a pixel.
 */

/**
 * A port and the camera in front of it. A port without a stated sensor has a camera of its own
 * width and height, coarsening 0, and as many polarities as channels.
 */
struct snn_camera {
    uint32_t last_x, last_y, last_polarity; /**< the greatest of each that the camera sends */
    uint32_t coarsening;                    /**< x and y are shifted right by so many bits */
    bool on_first;                          /**< polarity 0 is channel 1 */
    uint32_t width, channels;               /**< of the port */
};

/** The linear index of an address; false where the camera has no such address. */
static inline bool snn_find_index(const struct snn_camera *camera, uint32_t x, uint32_t y,
                                  uint32_t polarity, uint32_t *index)
{
    if (x > camera->last_x || y > camera->last_y || polarity > camera->last_polarity) {
        return false;
    }
    const uint32_t pixel = (y >> camera->coarsening) * camera->width + (x >> camera->coarsening);
    const uint32_t channel = camera->channels == 1 ? 0 : camera->on_first ? 1 - polarity : polarity;
    *index = pixel * camera->channels + channel;
    return true;
}

#endif
