/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_PORTABLE

#include "snn/lif.h"

/*
 * C99 for any 32-bit machine: two or four columns to a word, eight columns at a time in registers.
 */

/** The most rows that a field of a byte can add up of four-bit columns: 16 * 15 < 256. */
enum { FIELD_ROWS = 16 };

#define BYTES UINT32_C(0x00FF00FF)
#define NIBBLES UINT32_C(0x0F0F0F0F)

/** How much the sums of `count` rows are too large, in both halves of a word. */
static uint32_t surplus(uint32_t count, uint32_t bias)
{
    return count * bias * UINT32_C(0x00010001);
}

void snn_add_rows_8(uint32_t *sums, const struct snn_packed_rows *set)
{
    const uint32_t excess = surplus(set->count, 128);
    for (uint32_t column = 0; column < set->columns; column += 8) {
        uint32_t a = 0u - excess, b = a, c = a, d = a;
        for (uint32_t i = 0; i < set->count; i++) {
            const uint32_t *row =
                (const uint32_t *)(const void *)(set->weights + set->rows[i] * set->row_bytes +
                                                 column);
            const uint32_t first = row[0], second = row[1];
            a += first & BYTES;
            b += (first >> 8) & BYTES;
            c += second & BYTES;
            d += (second >> 8) & BYTES;
        }
        sums[0] += a << set->shift;
        sums[1] += b << set->shift;
        sums[2] += c << set->shift;
        sums[3] += d << set->shift;
        sums += 4;
    }
}

void snn_add_rows_4(uint32_t *sums, const struct snn_packed_rows *set)
{
    const uint32_t excess = surplus(set->count, 8);
    for (uint32_t column = 0; column < set->columns; column += 8) {
        uint32_t a = 0u - excess, b = a, c = a, d = a;
        for (uint32_t i = 0; i < set->count;) {
            const uint32_t end = set->count - i > FIELD_ROWS ? i + FIELD_ROWS : set->count;
            uint32_t low = 0, high = 0;
            for (; i < end; i++) {
                const uint32_t word =
                    *(const uint32_t *)(const void *)(set->weights + set->rows[i] * set->row_bytes +
                                                      column / 2);
                low += word & NIBBLES;
                high += (word >> 4) & NIBBLES;
            }
            a += low & BYTES;
            b += (low >> 8) & BYTES;
            c += high & BYTES;
            d += (high >> 8) & BYTES;
        }
        sums[0] += a << set->shift;
        sums[1] += b << set->shift;
        sums[2] += c << set->shift;
        sums[3] += d << set->shift;
        sums += 4;
    }
}

void snn_mac_rows_8(int32_t *sums, const struct snn_packed_rows *set, const int16_t *values)
{
    for (uint32_t column = 0; column < set->columns; column += 4) {
        uint32_t a = 0, b = 0, c = 0, d = 0, total = 0;
        for (uint32_t i = 0; i < set->count; i++) {
            const uint8_t *row = set->weights + set->rows[i] * set->row_bytes + column;
            const uint32_t value = (uint32_t)(int32_t)values[i];
            total += value;
            a += value * row[0];
            b += value * row[2];
            c += value * row[1];
            d += value * row[3];
        }
        total *= 128;
        sums[0] = snn_add_s32(sums[0], snn_s32(a - total));
        sums[1] = snn_add_s32(sums[1], snn_s32(b - total));
        sums[2] = snn_add_s32(sums[2], snn_s32(c - total));
        sums[3] = snn_add_s32(sums[3], snn_s32(d - total));
        sums += 4;
    }
}

uint32_t snn_lif_step(const struct snn_lif *lif)
{
    const snn_half *sum = (const snn_half *)(const void *)lif->sums;
    const int16_t *threshold = lif->threshold;
    const uint32_t *decay = lif->decay;
    int16_t *membrane = lif->membrane;
    uint32_t *spikes = lif->spikes;
    uint32_t left = lif->lanes, clamps = 0, bit = 1;
    *spikes = 0;
    for (;;) {
        const struct snn_lif_kind kind = {decay != NULL, true, SNN_RESET_SUBTRACT, 0, false};
        const int32_t arrived = (int32_t)*sum - (int32_t)SNN_SUM_ZERO;
        struct snn_lif_neuron neuron = {*membrane, *threshold, 0};
        if (kind.leaks) {
            neuron.leak = snn_leak_of(*decay++);
        }
        sum++;
        threshold++;
        if (snn_lif_update(&neuron, arrived, &lif->rule, kind, &clamps)) {
            *spikes |= bit;
        }
        *membrane++ = (int16_t)neuron.membrane;
        if (--left == 0) {
            return clamps;
        }
        bit <<= 1;
        if (bit == 0) {
            *++spikes = 0;
            bit = 1;
        }
    }
}

#endif
