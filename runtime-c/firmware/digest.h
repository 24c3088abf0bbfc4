/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_DEVICE_DIGEST_H
#define SNN_DEVICE_DIGEST_H

#include "engine.h"
#include "snn/state_digest.h"

/**
 * What one step of one pixel adds to the digest of its layer; `fired` receives the number of the
 * pixel's spikes.
 */
static inline uint32_t snn_digest_pixel(const struct snn_image_layer *layer, uint32_t step,
                                        uint32_t pixel, const void *membrane,
                                        const uint32_t *spikes, uint32_t *fired)
{
    const uint32_t channels = layer->channels;
    uint32_t key = step * channels * layer->height * layer->width + pixel * channels + 1;
    uint32_t digest = 0;
    *fired = 0;
    for (uint32_t c = 0; c < channels; c++, key++) {
        const uint32_t spike = spikes == NULL ? 0 : spikes[c / 32] >> (c & 31) & 1;
        const int32_t v =
            layer->readout != 0 ? ((const int32_t *)membrane)[c] : ((const int16_t *)membrane)[c];
        *fired += spike;
        digest += snn_state_digest(key, v, spike);
    }
    return digest;
}

#endif
