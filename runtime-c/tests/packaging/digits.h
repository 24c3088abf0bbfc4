/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device image by hand, in the form of those that snn-export writes: four values, two scores, no
 * hidden layer.
 */
#ifndef DIGITS_H
#define DIGITS_H

#include "snn/image.h"

#define SNN_MODEL_DIGITS_ARENA_BYTES 116
#define SNN_MODEL_DIGITS_STEPS 4
#define SNN_MODEL_DIGITS_INPUTS 4

#ifdef __cplusplus
extern "C" {
#endif

struct snn_model_digits {
    struct snn_image image;
    struct snn_image_port ports[1];
    struct snn_image_layer layers[1];
    struct snn_image_projection projections[1];
    uint8_t weights[4 * 8];
    uint16_t synapses[4];
};

extern const struct snn_model_digits snn_model_digits;

#ifdef __cplusplus
}
#endif
#endif
