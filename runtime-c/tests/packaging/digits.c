/* SPDX-License-Identifier: Apache-2.0 */
#include "digits.h"

#include <stddef.h>

#define AT(member) (uint32_t) offsetof(struct snn_model_digits, member)

/*
 * Score 0 takes 1 2 -1 0 times the four values, score 1 takes 0 -1 2 1 times them; the column of
 * score 1 stands third. The CRC is left open: snn_image_check alone looks at it.
 */
const struct snn_model_digits snn_model_digits = {
    .image = {.magic = SNN_IMAGE_MAGIC,
              .major = SNN_IMAGE_MAJOR,
              .minor = SNN_IMAGE_MINOR,
              .bytes = sizeof(struct snn_model_digits),
              .crc = 0,
              .arena_bytes = SNN_MODEL_DIGITS_ARENA_BYTES,
              .steps = SNN_MODEL_DIGITS_STEPS,
              .max_steps = SNN_MODEL_DIGITS_STEPS,
              .block = 4,
              .port_count = 1,
              .layer_count = 1,
              .projection_count = 1,
              .ports = AT(ports),
              .layers = AT(layers),
              .projections = AT(projections),
              .sums = 4,
              .value_sums = 68,
              .scores = 100},
    .ports = {{.channels = 4,
               .height = 1,
               .width = 1,
               .kind = SNN_PORT_U8,
               .min_value = 0,
               .max_value = 255}},
    .layers = {{.channels = 2,
                .height = 1,
                .width = 1,
                .lanes = 4,
                .columns = 8,
                .flags = SNN_LAYER_DRIVEN,
                .readout = 1,
                .projection_count = 1}},
    .projections = {{.from_port = 1,
                     .carries = SNN_CARRIES_U8,
                     .held = 1,
                     .rows = SNN_IMAGE_ROWS_8,
                     .pool = 1,
                     .stride_y = 1,
                     .stride_x = 1,
                     .channels = 4,
                     .height = 1,
                     .width = 1,
                     .pooled_height = 1,
                     .pooled_width = 1,
                     .kernel_height = 1,
                     .kernel_width = 1,
                     .row_bytes = 8,
                     .weights = AT(weights),
                     .synapses = AT(synapses)}},
    .weights = {129, 128, 128, 128, 128, 128, 128, 128, 130, 128, 127, 128, 128, 128, 128, 128,
                127, 128, 130, 128, 128, 128, 128, 128, 128, 128, 129, 128, 128, 128, 128, 128},
    .synapses = {1, 2, 2, 1}};
