/* SPDX-License-Identifier: Apache-2.0 */
#include "any.h"

#include "../../firmware/general.c"

/*
 * What few networks need: rows of every kind into sums of either width, and neurons with all
 * options, on a layer of 11.
 */

enum { ROWS = 9, CHANNELS = 11, COLUMNS = 16, LANES = 12, SYNAPSES = 20 };

/** An image with what general.c reads: rows, starts and lists behind it. */
static struct {
    struct snn_image image;
    struct snn_image_layer layer;
    uint32_t starts[ROWS + 1];
    uint8_t list[2 * SYNAPSES];
    uint8_t rows[ROWS * COLUMNS];
} flash;

static uint32_t arena[64];
static struct snn_device network = {.image = &flash.image, .arena = (uint8_t *)arena};
static struct snn_pixel pixel = {.network = &network, .layer = &flash.layer};
static struct snn_image_projection projection;
static struct snn_gather gather = {.pixel = &pixel, .projection = &projection};
static uint32_t sums[COLUMNS];

static void rows(uint32_t kind, uint32_t flags)
{
    any_bytes(flash.rows, sizeof flash.rows);
    any_bytes(sums, sizeof sums);
    for (uint32_t i = 0; i < SYNAPSES; i++) {
        flash.list[2 * i] = (uint8_t)any_u32(0, CHANNELS - 1);
        flash.list[2 * i + 1] = (uint8_t)any_u32(0, 255);
    }
    /* Starts ascend; here each in a range of its own. */
    for (uint32_t i = 1; i <= ROWS; i++) {
        flash.starts[i] = any_u32(2 * i - 1, 2 * i);
    }
    flash.layer.flags = (uint8_t)flags;
    flash.layer.channels = CHANNELS;
    projection.rows = (uint8_t)kind;
    projection.starts = offsetof(__typeof__(flash), starts);
    for (uint32_t i = 0; i < 3; i++) {
        gather.rows[i] = (uint16_t)any_u32(0, ROWS - 1);
    }
    gather.sums = sums;
    const bool listed = kind == SNN_IMAGE_ROWS_LIST, bytes = kind == SNN_IMAGE_ROWS_8;
    const struct snn_packed_rows set = {.weights = listed ? flash.list : flash.rows,
                                        .rows = gather.rows,
                                        .row_bytes = bytes ? COLUMNS : COLUMNS / 2,
                                        .count = 3,
                                        .columns = COLUMNS,
                                        .shift = any_u32(0, 24)};
    snn_add_rows_general(&gather, &set);
}

static int16_t membrane[LANES], threshold[LANES];
static uint32_t decay[LANES];
static uint32_t spikes[1];

/** `option`: 1 a leak, 2 refractory steps, 4 fires above the threshold. */
static void neurons(uint32_t flags, uint32_t reset, uint32_t option)
{
    flash.layer.flags = (uint8_t)flags;
    flash.layer.reset = (uint8_t)reset;
    flash.layer.channels = CHANNELS;
    flash.layer.lanes = LANES;
    flash.layer.floor = (int16_t)any_s32(INT16_MIN, 0);
    flash.layer.ceiling = (int16_t)any_s32(0, INT16_MAX);
    flash.layer.reset_value = (int16_t)any_s32(INT16_MIN, INT16_MAX);
    flash.layer.refractory = option & 2 ? 16 : 0;
    flash.layer.refractory_steps = (uint8_t)any_u32(0, 255);
    any_bytes(arena, sizeof arena);
    any_bytes(sums, sizeof sums);
    any_bytes(membrane, sizeof membrane);
    for (uint32_t i = 0; i < LANES; i++) {
        threshold[i] = (int16_t)any_s32(0, INT16_MAX);
        decay[i] = i == 0 ? 0x80000001u : 65536u * (uint32_t)any_s32(0, 32767) + 1;
    }
    flash.layer.greater = option & 4 ? 1 : 0;
    const struct snn_lif lif = {
        .membrane = membrane,
        .sums = sums,
        .threshold = threshold,
        .decay = option & 1 ? decay : 0,
        .spikes = spikes,
        .lanes = LANES,
        .rule = {flash.layer.greater, 1, flash.layer.floor, flash.layer.ceiling}};
    (void)snn_lif_general(&pixel, &lif);
}

void main(void)
{
    for (uint32_t kind = SNN_IMAGE_ROWS_8; kind <= SNN_IMAGE_ROWS_LIST; kind++) {
        rows(kind, SNN_LAYER_GENERAL);
        rows(kind, SNN_LAYER_GENERAL | SNN_LAYER_WIDE);
    }
    for (uint32_t option = 0; option < 8; option++) {
        for (uint32_t reset = 0; reset <= SNN_RESET_VALUE; reset++) {
            neurons(SNN_LAYER_GENERAL, reset, option);
            neurons(SNN_LAYER_GENERAL | SNN_LAYER_WIDE, reset, option);
        }
    }
}
