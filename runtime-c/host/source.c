/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/fixed_point.h"
#include "source.h"
#include "synapse.h"

/* Spikes on their way: walking through those of a step, and finding the pooled cell of each. */

void snn_cursor_begin(struct snn_cursor *cursor, const struct snn_source *source,
                      const struct snn_kernels *kernels)
{
    cursor->source = source;
    cursor->kernels = kernels;
    cursor->position = 0;
}

uint32_t snn_cursor_next(struct snn_cursor *cursor, uint32_t indices[SNN_CHUNK])
{
    const struct snn_source *source = cursor->source;
    uint32_t count = 0;
    if (source->bits != NULL) {
        return cursor->kernels->find_spikes(source->bits, source->words, &cursor->position,
                                            indices);
    }
    while (count < SNN_CHUNK && cursor->position < source->count) {
        indices[count++] = source->list[cursor->position++];
    }
    return count;
}

uint32_t snn_pooled_index(const struct snn_projection_state *state, uint32_t index)
{
    const uint32_t place = snn_divide(index, state->channel_reciprocal);
    const uint32_t y = snn_divide(place, state->width_reciprocal);
    const uint32_t channel = index - place * state->source.channels;
    const uint32_t row = state->map_y[y];
    const uint32_t column = state->map_x[place - y * state->source.width];
    return row == SNN_OUTSIDE || column == SNN_OUTSIDE ? SNN_OUTSIDE : row + column + channel;
}

int32_t snn_pooled_value(const struct snn_projection_state *state, const int16_t *frame,
                         uint32_t channel, uint32_t y, uint32_t x)
{
    /* At most 16 * 16 * 2^15 = 2^23. */
    int32_t sum = 0;
    for (uint32_t dy = 0; dy < state->pool; dy++) {
        for (uint32_t dx = 0; dx < state->pool; dx++) {
            const uint32_t place =
                (y * state->pool + dy) * state->source.width + x * state->pool + dx;
            sum += frame[place * state->source.channels + channel];
        }
    }
    return sum;
}

void snn_sum_add(struct snn_delivery *delivery, uint32_t index, int32_t value)
{
    if (delivery->wide) {
        int32_t *sum = delivery->sum;
        sum[index] = snn_add_s32(sum[index], value);
    } else {
        int16_t *sum = delivery->sum;
        sum[index] = snn_s16((uint32_t)sum[index] + (uint32_t)value);
    }
}
