/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

/** False for the frame of an earlier step that is still held: its rows were shown already. */
static bool is_new(const struct snn_gather *gather)
{
    if (SNN_DEVICE_STREAMING == 0 || gather->projection->held == 0) {
        return true;
    }
    return (gather->pixel->network->presented >> gather->projection->source & 1) != 0;
}

/** Adds the rows gathered up to `end` and returns their number. */
static uint32_t flush(const struct snn_gather *gather, const uint16_t *end)
{
    const uint32_t count = (uint32_t)(end - gather->rows);
    if (count == 0) {
        return 0;
    }
    const struct snn_image_projection *projection = gather->projection;
    const struct snn_pixel *pixel = gather->pixel;
    const struct snn_observer *observer = pixel->network->observer;
    const int16_t *values = gather->frame != NULL ? gather->values : NULL;
    const struct snn_packed_rows set = {
        .weights = (const uint8_t *)pixel->network->image + projection->weights,
        .rows = gather->rows,
        .row_bytes = projection->row_bytes,
        .count = count,
        .columns = pixel->layer->columns,
        .shift = projection->shift,
    };
    if (observer != NULL && observer->rows != NULL && is_new(gather)) {
        const uint32_t index = (uint32_t)(projection - snn_projections(pixel->network->image));
        observer->rows(observer->context, index, set.rows, values, set.count);
    }
    if (values != NULL) {
        snn_mac_rows_8((int32_t *)gather->sums, &set, values);
    } else if (SNN_DEVICE_GENERAL != 0 &&
               (projection->rows == SNN_IMAGE_ROWS_LIST || snn_is_wide(pixel->layer))) {
        snn_add_rows_general(gather, &set);
    } else if (projection->rows == SNN_IMAGE_ROWS_4) {
        snn_add_rows_4((uint32_t *)gather->sums, &set);
    } else {
        snn_add_rows_8((uint32_t *)gather->sums, &set);
    }
    return count;
}

/** The taps of one kernel side that fall inside the source, for one pixel of the target. */
struct side {
    uint32_t tap, cell; /**< the first tap inside, and the cell that it lies on */
    int32_t count;      /**< how many taps are inside; not positive: none is */
};

static struct side side_of(uint32_t origin, uint32_t padding, uint32_t kernel, uint32_t extent)
{
    const int32_t cell = (int32_t)origin - (int32_t)padding;
    struct side side;
    side.tap = cell < 0 ? (uint32_t)-cell : 0;
    side.cell = cell < 0 ? 0 : (uint32_t)cell;
    const int32_t taps = (int32_t)kernel - (int32_t)side.tap,
                  cells = (int32_t)extent - (int32_t)side.cell;
    side.count = taps < cells ? taps : cells;
    return side;
}

void snn_find_window(struct snn_gather *gather)
{
    const struct snn_image_projection *p = gather->projection;
    const struct snn_pixel *pixel = gather->pixel;
    const struct side y =
        side_of(pixel->y * p->stride_y, p->padding_y, p->kernel_height, p->pooled_height);
    const struct side x =
        side_of(pixel->x * p->stride_x, p->padding_x, p->kernel_width, p->pooled_width);
    const uint32_t pool = p->pool, cell = pool * p->channels;
    struct snn_window *window = &gather->window;
    window->lines = 0;
    if (y.count <= 0 || x.count <= 0) {
        return;
    }
    window->line = p->width * p->channels;
    window->from = y.cell * pool * window->line + x.cell * cell;
    window->lines = (uint32_t)y.count;
    window->count = (uint32_t)x.count * cell;
    window->row_step = p->kernel_width * p->channels;
    window->row = y.tap * window->row_step;
    window->places = (const uint16_t *)snn_in_image(pixel->network->image, p->places);
    if (window->places != NULL) {
        window->places += x.tap * cell;
    } else {
        window->row += x.tap * cell;
    }
}

uint32_t snn_gather_spikes(struct snn_gather *gather)
{
    const struct snn_window *window = &gather->window;
    const uint16_t *const places = window->places;
    const uint32_t line = window->line, pool = gather->projection->pool;
    uint16_t *rows = gather->rows;
    /*
     * `from`: index of the line's first source. `row`: what the line's row numbers are counted
     * from. `again`: lines of the source that are left of this line of cells.
     */
    uint32_t added = 0, from = window->from, row = window->row, again = pool;
    for (const uint32_t end = from + window->lines * pool * line; from != end; from += line) {
        const uint32_t skip = from & 31, behind = from + window->count;
        const uint32_t *word = gather->map + from / 32, *const last =
                                                            gather->map + (behind - 1) / 32;
        /* Bits before `from` are cut off the first word, bits from `behind` on off the last. */
        uint32_t bits = *word >> skip << skip;
        /* `first`: the place of a word's bit 0 in the window's line, modulo 2^32. */
        for (uint32_t first = 0u - skip;; first += 32, bits = *++word) {
            if (word == last) {
                bits = bits << (-behind & 31) >> (-behind & 31);
            }
            if (bits != 0) {
                /* A word adds 32 rows at most. */
                if (rows > gather->rows + SNN_GATHER - 32) {
                    added += flush(gather, rows);
                    rows = gather->rows;
                }
                do {
                    const uint32_t place = first + snn_lowest_bit(bits);
                    *rows++ = (uint16_t)(row + (places == NULL ? place : places[place]));
                    bits &= bits - 1;
                } while (bits != 0);
            }
            if (word == last) {
                break;
            }
        }
        if (--again == 0) {
            again = pool;
            row += window->row_step;
        }
    }
    return added + flush(gather, rows);
}

uint32_t snn_gather_every(struct snn_gather *gather)
{
    const struct snn_window *window = &gather->window;
    const uint16_t *counts = (const uint16_t *)(const void *)gather->map;
    const uint32_t pool = gather->projection->pool;
    uint16_t *rows = gather->rows;
    uint32_t added = 0, from = window->from, row = window->row, again = pool;
    for (uint32_t line = 0; line < window->lines * pool; line++, from += window->line) {
        for (uint32_t place = 0; place < window->count; place++) {
            for (uint32_t left = counts[from + place]; left != 0; left--) {
                if (rows == gather->rows + SNN_GATHER) {
                    added += flush(gather, rows);
                    rows = gather->rows;
                }
                *rows++ =
                    (uint16_t)(row + (window->places == NULL ? place : window->places[place]));
            }
        }
        if (--again == 0) {
            again = pool;
            row += window->row_step;
        }
    }
    return added + flush(gather, rows);
}

void snn_gather_values(struct snn_gather *gather)
{
    const struct snn_window *window = &gather->window;
    const bool bytes = gather->projection->carries == SNN_CARRIES_U8;
    uint16_t *rows = gather->rows;
    int16_t *values = gather->values;
    uint32_t from = window->from, row = window->row;
    for (uint32_t lines = window->lines; lines != 0;
         lines--, from += window->line, row += window->row_step) {
        for (uint32_t place = 0; place != window->count; place++) {
            const int16_t value = bytes ? ((const uint8_t *)gather->frame)[from + place]
                                        : ((const int16_t *)gather->frame)[from + place];
            if (value == 0) {
                continue;
            }
            if (rows == gather->rows + SNN_GATHER) {
                (void)flush(gather, rows);
                rows = gather->rows;
                values = gather->values;
            }
            *rows++ = (uint16_t)(row + place);
            *values++ = value;
        }
    }
    (void)flush(gather, rows);
}
