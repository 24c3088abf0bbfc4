/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"
#include "snn/scores.h"

/* A network between steps: its life cycle and its answer. */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "images are little-endian; use the host engine with the loader on this machine"
#endif

/** The last layer. */
static const struct snn_image_layer *readout_of(const struct snn_image *image)
{
    return snn_layers(image) + image->layer_count - 1;
}

const struct snn_image_ring *snn_ring_of(const struct snn_image *image, bool from_port,
                                         uint32_t source)
{
    const struct snn_image_ring *ring = snn_rings(image);
    for (uint32_t i = 0; i < image->ring_count; i++) {
        if (ring[i].source == source && (ring[i].from_port != 0) == from_port) {
            return ring + i;
        }
    }
    return NULL;
}

/* ---- Life cycle ---- */

enum snn_status snn_device_init(struct snn_device *network, const struct snn_image *image,
                                void *arena, size_t size)
{
    if (network == NULL || image == NULL || arena == NULL) {
        return SNN_ERROR_ARGUMENT;
    }
    if ((((uintptr_t)image | (uintptr_t)arena) & 3u) != 0) {
        return SNN_ERROR_ARGUMENT;
    }
    if (image->magic != SNN_IMAGE_MAGIC || image->major != SNN_IMAGE_MAJOR ||
        image->minor != SNN_IMAGE_MINOR) {
        return SNN_ERROR_VERSION;
    }
    if (image->needs_general > SNN_DEVICE_GENERAL ||
        (image->block == 1 && SNN_DEVICE_STREAMING == 0) ||
        (image->ring_count != 0 && SNN_DEVICE_RINGS == 0)) {
        return SNN_ERROR_LIMIT;
    }
    if (size < image->arena_bytes) {
        return SNN_ERROR_MEMORY;
    }
    network->image = image;
    network->arena = (uint8_t *)arena;
    network->observer = NULL;
    snn_device_reset(network);
    return SNN_OK;
}

void snn_device_reset(struct snn_device *network)
{
    const struct snn_image *image = network->image;
    /*
     * An image that runs layer by layer writes everything before it reads it, except scores and
     * refractory steps: only these need zeros.
     */
    const bool all = snn_streams(image) || (SNN_DEVICE_GENERAL != 0 && image->needs_general != 0);
    snn_word *word = (snn_word *)(void *)(network->arena + (all ? 0 : image->scores));
    const uint32_t bytes = all ? image->arena_bytes : 4u * readout_of(image)->lanes;
    for (const snn_word *end = word + bytes / 4; word < end; word++) {
        *word = 0;
    }
    const struct snn_image_layer *readout = readout_of(image);
    const int32_t *initial = (const int32_t *)snn_in_image(image, readout->initial);
    int32_t *scores = (int32_t *)snn_in_arena(network, image->scores);
    for (uint32_t i = 0; initial != NULL && i < readout->channels; i++) {
        scores[i] = initial[i];
    }
    for (uint32_t port = 0; port < SNN_IMAGE_PORTS; port++) {
        network->frame[port] = NULL;
    }
    network->presented = 0;
    network->seed = 0;
    network->steps = 0;
    network->decided = false;
}

void snn_device_seed(struct snn_device *network, uint32_t seed)
{
    network->seed = seed;
}

void snn_device_observe(struct snn_device *network, const struct snn_observer *observer)
{
    network->observer = observer;
}

/* ---- Answer ---- */

const int32_t *snn_device_scores(const struct snn_device *network, uint32_t *count)
{
    const struct snn_image *image = network->image;
    if (count != NULL) {
        *count = readout_of(image)->channels;
    }
    return (const int32_t *)snn_in_arena(network, image->scores);
}

bool snn_device_is_decided(const struct snn_device *network)
{
    return network->decided;
}

uint32_t snn_device_class(const struct snn_device *network)
{
    const struct snn_image *image = network->image;
    const int32_t *scores = (const int32_t *)snn_in_arena(network, image->scores);
    return snn_best_score(scores, readout_of(image)->channels);
}
