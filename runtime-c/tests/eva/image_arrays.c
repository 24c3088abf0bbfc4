/* SPDX-License-Identifier: Apache-2.0 */
#include "any.h"

#include "../../firmware/image_check.c"

/*
 * Where arrays of an image may lie: `lies` lets none through that ends behind the total, for every
 * total, offset and count of a small image and every size in use; and checks of lists and of the
 * places of a pool read nothing outside, whatever the offsets, counts and bytes.
 */

enum { SIZE = 128, ROWS = 4 };

static uint32_t buffer[SIZE / 4];
static struct snn_image_layer layer;
static struct snn_image_projection projection;

static void arrays(uint32_t offset, uint32_t total)
{
    static const uint32_t sizes[] = {1, 2, 4, sizeof(struct snn_image_port),
                                     sizeof(struct snn_image_layer)};
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const uint32_t count = any_u32(0, UINT32_MAX);
        if (lies(total, offset, count, sizes[i])) {
            const uint32_t most = (total - offset) / sizes[i];
            //@ check offset + most * sizes[i] <= total && (offset & 3) == 0;
        }
    }
}

static void lists(uint32_t starts, uint32_t weights, uint32_t rows)
{
    struct check check = {.image = (const struct snn_image *)buffer, .layer = &layer};
    any_bytes(buffer, sizeof buffer);
    ((struct snn_image *)buffer)->bytes = SIZE;
    layer.channels = (uint16_t)any_u32(1, UINT16_MAX);
    projection.starts = starts;
    projection.weights = weights;
    (void)check_list(&check, &projection, rows);
}

static void neurons(uint32_t offset, uint32_t count)
{
    struct check check = {.image = (const struct snn_image *)buffer, .layer = &layer};
    any_bytes(buffer, sizeof buffer);
    ((struct snn_image *)buffer)->bytes = SIZE;
    any_bytes(&layer, sizeof layer);
    layer.threshold = offset;
    layer.decay = offset;
    layer.initial = any_u32(0, 1) == 0 ? 0 : offset;
    if (!in_image(&check, offset, count, 4)) {
        return;
    }
    (void)check_decays(&check, layer.decay, count);
    (void)check_neurons(&check, count);
}

static void pools(uint32_t places, uint16_t channels, uint8_t pool)
{
    struct check check = {.image = (const struct snn_image *)buffer, .layer = &layer};
    any_bytes(buffer, sizeof buffer);
    ((struct snn_image *)buffer)->bytes = SIZE;
    projection.places = places;
    projection.channels = channels;
    projection.pool = pool;
    projection.kernel_width = 1;
    (void)check_places(&check, &projection);
}

void main(void)
{
    for (uint32_t offset = 0; offset <= SIZE; offset += 8) {
        for (uint32_t total = 0; total <= SIZE; total += 12) {
            arrays(offset, total);
        }
    }
    for (uint32_t offset = 72; offset <= SIZE; offset += 4) {
        for (uint32_t rows = 1; rows <= 14; rows++) {
            lists(offset, 76, rows);
            lists(76, offset, rows);
            neurons(offset, rows);
            pools(offset, (uint16_t)rows, 2);
            pools(offset, (uint16_t)rows, 3);
        }
    }
}
