/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

/** Adds the rows gathered so far and returns their number. */
static uint32_t flush(struct snn_gather *gather)
{
    const struct snn_image_projection *projection = gather->projection;
    const struct snn_pixel *pixel = gather->pixel;
    const struct snn_observer *observer = pixel->network->observer;
    const int16_t *values = gather->frame != 0 ? gather->values : 0;
    const struct snn_row_set set = {
        .weights = (const uint8_t *)pixel->network->image + projection->weights,
        .rows = gather->rows,
        .row_bytes = projection->row_bytes,
        .count = gather->count,
        .columns = pixel->layer->columns,
        .shift = projection->shift,
    };
    if (set.count == 0) return 0;
    gather->count = 0;
    if (observer != 0 && observer->rows != 0 && (pixel->first == 0 || projection->held == 0)) {
        observer->rows(observer->context, projection->projection, set.rows, values, set.count);
    }
    if (values != 0) {
        snn_mac_rows_8((int32_t *)gather->sums, &set, values);
    } else if (SNN_DEVICE_GENERAL != 0 && (projection->rows == SNN_ROWS_LIST || (pixel->layer->flags & SNN_LAYER_WIDE) != 0)) {
        snn_add_rows_general(gather, &set);
    } else if (projection->rows == SNN_ROWS_4) {
        snn_add_rows_4((uint32_t *)gather->sums, &set);
    } else {
        snn_add_rows_8((uint32_t *)gather->sums, &set);
    }
    return set.count;
}

/**
 * Gathers the rows of the spikes among `count` bits from bit `bit` on. Bit i of them belongs to row `row` + i, or where
 * there is a pool to row `row` + places[i].
 */
static uint32_t scan_spikes(struct snn_gather *gather, uint32_t bit, uint32_t count, uint32_t row, const uint16_t *places)
{
    const uint32_t *word = gather->map + bit / 32;
    uint32_t skip = bit & 31, added = 0;
    for (;;) {
        uint32_t bits = *word++ >> skip;
        const uint32_t taken = 32 - skip;
        if (taken > count) bits &= (UINT32_C(1) << count) - 1;
        if (bits != 0) {
            if (gather->count > SNN_GATHER - 32) added += flush(gather);
            uint16_t *rows = gather->rows + gather->count;
            do {
                const uint32_t place = snn_lowest_bit(bits);
                *rows++ = (uint16_t)(row + (places == 0 ? place : places[place]));
                bits &= bits - 1;
            } while (bits != 0);
            gather->count = (uint32_t)(rows - gather->rows);
        }
        if (taken >= count) return added;
        if (places == 0) {
            row += taken;
        } else {
            places += taken;
        }
        count -= taken;
        skip = 0;
    }
}

/** Gathers the rows of the values that are not 0 among `count` from entry `index` on. */
static uint32_t scan_values(struct snn_gather *gather, uint32_t index, uint32_t count, uint32_t row)
{
    uint32_t added = 0;
    for (const uint32_t end = index + count; index < end; index++, row++) {
        const int16_t value = gather->projection->carries == SNN_CARRIES_U8 ? ((const uint8_t *)gather->frame)[index]
                                                                            : ((const int16_t *)gather->frame)[index];
        if (value == 0) continue;
        if (gather->count == SNN_GATHER) added += flush(gather);
        gather->rows[gather->count] = (uint16_t)row;
        gather->values[gather->count++] = value;
    }
    return added;
}

/** The taps of a kernel side that fall inside the source at one place of the target: first ... last - 1. */
struct side {
    int32_t origin; /**< cell of tap 0 */
    int32_t first, last;
};

static struct side side_of(uint32_t origin, uint32_t padding, uint32_t kernel, uint32_t extent)
{
    struct side side;
    side.origin = (int32_t)origin - (int32_t)padding;
    side.first = side.origin < 0 ? -side.origin : 0;
    side.last = (int32_t)extent - side.origin;
    if (side.last > (int32_t)kernel) side.last = (int32_t)kernel;
    return side;
}

uint32_t snn_gather_window(struct snn_gather *gather)
{
    const struct snn_image_projection *p = gather->projection;
    const struct side sy = side_of(gather->pixel->y * p->stride_y, p->padding_y, p->kernel_height, p->pooled_height);
    const struct side sx = side_of(gather->pixel->x * p->stride_x, p->padding_x, p->kernel_width, p->pooled_width);
    const uint32_t pool = p->pool, cell = pool * p->channels, line = p->width * p->channels;
    uint32_t added = 0;
    gather->count = 0;
    if (sx.first >= sx.last) return 0;
    const uint32_t count = (uint32_t)(sx.last - sx.first) * cell;
    const uint16_t *places = (const uint16_t *)snn_in_image(gather->pixel->network->image, p->places);
    if (places != 0) places += (uint32_t)sx.first * cell;
    for (int32_t ky = sy.first; ky < sy.last; ky++) {
        const uint32_t row = (uint32_t)ky * p->kernel_width * p->channels;
        uint32_t from = (uint32_t)(sy.origin + ky) * pool * line + (uint32_t)(sx.origin + sx.first) * cell;
        if (gather->frame != 0) {
            added += scan_values(gather, from, count, row + (uint32_t)sx.first * cell);
            continue;
        }
        for (uint32_t y = 0; y < pool; y++, from += line) {
            added += scan_spikes(gather, from, count, places != 0 ? row : row + (uint32_t)sx.first * cell, places);
        }
    }
    return added + flush(gather);
}
