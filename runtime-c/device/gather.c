/* SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"
#include "snn/fixed_point.h"

/** Adds the rows gathered so far. */
static void flush(struct snn_gather *gather)
{
    const struct snn_image_projection *projection = gather->projection;
    const struct snn_observer *observer = gather->network->observer;
    const uint32_t count = gather->count;
    if (count == 0) return;
    gather->count = 0;
    gather->arrived += count;
    const int16_t *values = gather->frame != 0 ? gather->values : 0;
    if (observer != 0 && observer->rows != 0 && !gather->silent) {
        observer->rows(observer->context, projection->projection, gather->rows, values, count);
    }
    const struct snn_row_set set = {
        .weights = (const uint8_t *)snn_in_image(gather->network->image, projection->weights),
        .rows = gather->rows,
        .row_bytes = projection->row_bytes,
        .count = count,
        .columns = gather->layer->columns,
        .shift = projection->shift,
    };
    if (values != 0) {
        snn_mac_rows_8((int32_t *)gather->sums, &set, values);
    } else if ((gather->layer->flags & SNN_LAYER_WIDE) != 0 || projection->rows == SNN_ROWS_LIST) {
        snn_add_rows_general(gather, &set);
    } else if (projection->rows == SNN_ROWS_4) {
        snn_add_rows_4((uint32_t *)gather->sums, &set);
    } else {
        snn_add_rows_8((uint32_t *)gather->sums, &set);
    }
}

/** Gathers the rows of `count` spikes from bit `bit` on; the first belongs to row `row`. */
static void scan(struct snn_gather *gather, const uint32_t *map, uint32_t bit, uint32_t count, uint32_t row)
{
    const uint32_t *word = map + bit / 32;
    uint32_t skip = bit & 31;
    for (;;) {
        uint32_t bits = *word++ >> skip;
        const uint32_t taken = 32 - skip;
        if (taken > count) bits &= (UINT32_C(1) << count) - 1;
        if (bits != 0) {
            if (gather->count > SNN_GATHER - 32) flush(gather);
            uint16_t *rows = gather->rows + gather->count;
            do {
                *rows++ = (uint16_t)(row + snn_lowest_bit(bits));
                bits &= bits - 1;
            } while (bits != 0);
            gather->count = (uint32_t)(rows - gather->rows);
        }
        if (taken >= count) return;
        row += taken;
        count -= taken;
        skip = 0;
    }
}

/** The taps of a kernel side that fall inside the source, for one place of the target: first ... last - 1 of `origin` on. */
struct side {
    int32_t origin;
    uint32_t first, last;
};

static struct side side_of(uint32_t place, uint32_t stride, uint32_t padding, uint32_t kernel, uint32_t extent)
{
    struct side side;
    side.origin = (int32_t)(place * stride) - (int32_t)padding;
    const int32_t left = (int32_t)extent - side.origin;
    side.first = side.origin < 0 ? (uint32_t)-side.origin : 0;
    side.last = left < (int32_t)kernel ? (uint32_t)(left < 0 ? 0 : left) : kernel;
    return side;
}

void snn_gather_spikes(struct snn_gather *gather, const uint32_t *map, uint32_t y, uint32_t x)
{
    const struct snn_image_projection *p = gather->projection;
    const struct side sy = side_of(y, p->stride_y, p->padding_y, p->kernel_height, p->pooled_height);
    const struct side sx = side_of(x, p->stride_x, p->padding_x, p->kernel_width, p->pooled_width);
    const uint32_t channels = p->channels, pool = p->pool, line = p->width * channels;
    gather->count = 0;
    if (sx.first >= sx.last) return;
    for (uint32_t ky = sy.first; ky < sy.last; ky++) {
        uint32_t row = (ky * p->kernel_width + sx.first) * channels;
        const uint32_t from_y = (uint32_t)(sy.origin + (int32_t)ky) * pool;
        uint32_t bit = from_y * line + (uint32_t)(sx.origin + (int32_t)sx.first) * pool * channels;
        if (pool == 1) {
            scan(gather, map, bit, (sx.last - sx.first) * channels, row);
            continue;
        }
        for (uint32_t kx = sx.first; kx < sx.last; kx++) {
            for (uint32_t dy = 0; dy < pool; dy++) {
                for (uint32_t dx = 0; dx < pool; dx++) {
                    scan(gather, map, bit + dy * line + dx * channels, channels, row);
                }
            }
            row += channels;
            bit += pool * channels;
        }
    }
    flush(gather);
}

void snn_gather_values(struct snn_gather *gather, uint32_t y, uint32_t x)
{
    const struct snn_image_projection *p = gather->projection;
    const struct side sy = side_of(y, p->stride_y, p->padding_y, p->kernel_height, p->pooled_height);
    const struct side sx = side_of(x, p->stride_x, p->padding_x, p->kernel_width, p->pooled_width);
    const bool bytes = snn_ports(gather->network->image)[p->source].kind == SNN_PORT_U8;
    gather->count = 0;
    for (uint32_t ky = sy.first; ky < sy.last && sx.first < sx.last; ky++) {
        const uint32_t from = (uint32_t)(sy.origin + (int32_t)ky) * p->width + (uint32_t)(sx.origin + (int32_t)sx.first);
        const uint32_t row = (ky * p->kernel_width + sx.first) * p->channels;
        const uint32_t count = (sx.last - sx.first) * p->channels;
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t index = from * p->channels + i;
            const int16_t value =
                bytes ? ((const uint8_t *)gather->frame)[index] : ((const int16_t *)gather->frame)[index];
            if (value == 0) continue;
            if (gather->count == SNN_GATHER) flush(gather);
            gather->rows[gather->count] = (uint16_t)(row + i);
            gather->values[gather->count++] = value;
        }
    }
    flush(gather);
}
