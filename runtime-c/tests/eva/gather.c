/* SPDX-License-Identifier: Apache-2.0 */
#include "any.h"

#include "../../firmware/gather.c"

/*
 * The walk over a window: every pixel of a layer, every stride and padding, kernels that hang over
 * any edge, with and without a pool, spikes and values. Bits are read inside the source's map, rows
 * written inside the gather's, places read inside the line's; the kernels' own reads are shown in
 * kernels.c and general.c.
 */

/*@ assigns sums[0 .. 7]; */
void snn_add_rows_8(uint32_t *sums, const struct snn_packed_rows *set);
/*@ assigns sums[0 .. 7]; */
void snn_add_rows_4(uint32_t *sums, const struct snn_packed_rows *set);
/*@ assigns sums[0 .. 7]; */
void snn_mac_rows_8(int32_t *sums, const struct snn_packed_rows *set, const int16_t *values);
/*@ assigns \nothing; */
void snn_add_rows_general(const struct snn_gather *gather, const struct snn_packed_rows *set);

enum { CHANNELS = 3, HEIGHT = 4, WIDTH = 5, NEURONS = CHANNELS * HEIGHT * WIDTH };

static struct {
    struct snn_image image;
    uint16_t places[2 * 2 * CHANNELS + 2];
} flash;

static uint32_t map[(NEURONS + 31) / 32 + 1], sums[8]; /* a map has a readable word behind it */
static int16_t frame[NEURONS];
static struct snn_device network = {.image = &flash.image};
static struct snn_image_layer layer = {.channels = 8, .lanes = 8, .columns = 8};
static struct snn_image_projection projection = {
    .channels = CHANNELS, .height = HEIGHT, .width = WIDTH, .row_bytes = 8};
static struct snn_pixel pixel = {.network = &network, .layer = &layer};

/** One window; `values`: of an unsigned byte or a signed word each. */
static void walk(uint8_t pool, uint8_t kernel, uint8_t padding, const void *values, uint8_t carries)
{
    any_bytes(map, sizeof map);
    projection.pool = pool;
    projection.pooled_height = HEIGHT / pool;
    projection.pooled_width = WIDTH / pool;
    projection.kernel_height = projection.kernel_width = kernel;
    projection.padding_y = projection.padding_x = padding;
    projection.stride_y = projection.stride_x = 1; /* a place counts, not how the pixel got there */
    projection.carries = carries;
    projection.places = pool > 1 ? offsetof(__typeof__(flash), places) : 0;
    for (uint32_t i = 0; i < 2u * 2u * CHANNELS; i++) {
        flash.places[i] = (uint16_t)any_u32(0, 2 * CHANNELS - 1);
    }
    struct snn_gather gather; /* as the engine has it: nothing is set but this */
    gather.pixel = &pixel;
    gather.projection = &projection;
    gather.map = map;
    gather.sums = sums;
    gather.frame = values;
    for (pixel.y = 0; pixel.y <= HEIGHT + 2u * padding; pixel.y++) {
        for (pixel.x = 0; pixel.x <= WIDTH + 2u * padding; pixel.x++) {
            snn_find_window(&gather);
            if (gather.window.lines == 0) {
                continue;
            }
            if (values != 0) {
                snn_gather_values(&gather);
            } else {
                (void)snn_gather_spikes(&gather);
            }
        }
    }
}

void main(void)
{
    any_bytes(frame, sizeof frame);
    for (uint8_t padding = 0; padding <= 2; padding += 2) {
        for (uint8_t kernel = 1; kernel <= 3; kernel += 2) {
            walk(1, kernel, padding, 0, SNN_CARRIES_SPIKES);
            walk(1, kernel, padding, frame, SNN_CARRIES_U8);
            walk(1, kernel, padding, frame, SNN_CARRIES_S16);
        }
        walk(2, 2, padding, 0, SNN_CARRIES_SPIKES);
    }
}
