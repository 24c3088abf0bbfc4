/* SPDX-License-Identifier: Apache-2.0 */
#include "fixed_point.h"
#include "internal.h"

/* The kernels in portable C, and the choice among those that the build and the processor offer. */

static void add_rows_s16(int16_t *sum, const struct snn_row_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        const int8_t *row = set->weights + (size_t)set->rows[i] * set->columns;
        for (uint32_t j = 0; j < set->columns; j++) {
            sum[j] = snn_s16((uint32_t)sum[j] + ((uint32_t)row[j] << set->shift));
        }
    }
}

static void add_rows_s32(int32_t *sum, const struct snn_row_set *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        const int8_t *row = set->weights + (size_t)set->rows[i] * set->columns;
        for (uint32_t j = 0; j < set->columns; j++) {
            sum[j] = snn_s32((uint32_t)sum[j] + ((uint32_t)row[j] << set->shift));
        }
    }
}

static void add_taps_s16(int16_t *sum, const struct snn_taps *taps, const struct snn_hit *hits, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t a = 0; a < hits[i].taps_y; a++) {
            for (uint32_t b = 0; b < hits[i].taps_x; b++) {
                const int8_t *run =
                    taps->weights + (size_t)hits[i].run * taps->length + a * taps->weight_step_y + b * taps->weight_step_x;
                int16_t *to = sum + (hits[i].target - a * taps->target_step_y - b * taps->target_step_x);
                for (uint32_t j = 0; j < taps->length; j++) {
                    to[j] = snn_s16((uint32_t)to[j] + ((uint32_t)run[j] << taps->shift));
                }
            }
        }
    }
}

static void add_taps_s32(int32_t *sum, const struct snn_taps *taps, const struct snn_hit *hits, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t a = 0; a < hits[i].taps_y; a++) {
            for (uint32_t b = 0; b < hits[i].taps_x; b++) {
                const int8_t *run =
                    taps->weights + (size_t)hits[i].run * taps->length + a * taps->weight_step_y + b * taps->weight_step_x;
                int32_t *to = sum + (hits[i].target - a * taps->target_step_y - b * taps->target_step_x);
                for (uint32_t j = 0; j < taps->length; j++) {
                    to[j] = snn_s32((uint32_t)to[j] + ((uint32_t)run[j] << taps->shift));
                }
            }
        }
    }
}

/* Sums of values stay below 2^24 (FORMAT.md, section 5), and so does every part of them. */

static void mac_rows(int32_t *sum, const struct snn_row_set *set, const int32_t *values)
{
    for (uint32_t i = 0; i < set->count; i++) {
        const int8_t *row = set->weights + (size_t)set->rows[i] * set->columns;
        for (uint32_t j = 0; j < set->columns; j++) {
            sum[j] += values[i] * row[j];
        }
    }
}

static void mac_taps(int32_t *sum, const struct snn_taps *taps, const struct snn_hit *hits, const int32_t *values,
                     uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t a = 0; a < hits[i].taps_y; a++) {
            for (uint32_t b = 0; b < hits[i].taps_x; b++) {
                const int8_t *run =
                    taps->weights + (size_t)hits[i].run * taps->length + a * taps->weight_step_y + b * taps->weight_step_x;
                int32_t *to = sum + (hits[i].target - a * taps->target_step_y - b * taps->target_step_x);
                for (uint32_t j = 0; j < taps->length; j++) {
                    to[j] += values[i] * run[j];
                }
            }
        }
    }
}

static void leak(int16_t *membrane, const struct snn_parameter *parameter, uint32_t count)
{
    const uint16_t *leaks = parameter->values;
    uint32_t l = 0;
    for (uint32_t i = 0; i < count; i++) {
        membrane[i] = snn_leak_s16(membrane[i], leaks[l]);
        l = l + 1 < parameter->period ? l + 1 : 0;
    }
}

static void lif(struct snn_lif_pass *pass)
{
    snn_lif_from(pass, 0);
}

static uint32_t find_spikes(const uint32_t *bits, uint32_t words, uint32_t *word, uint32_t indices[SNN_CHUNK])
{
    uint32_t count = 0;
    uint32_t at = *word;
    while (at < words && count <= SNN_CHUNK - 32) {
        for (uint32_t left = bits[at]; left != 0; left &= left - 1) {
            indices[count++] = at * 32 + snn_lowest_bit(left);
        }
        at++;
    }
    *word = at;
    return count;
}

const struct snn_kernels snn_kernels_portable = {add_rows_s16, add_rows_s32, add_taps_s16, add_taps_s32,
                                                 mac_rows,     mac_taps,     leak,         lif,          find_spikes};

const struct snn_kernels *snn_best_kernels(void)
{
#if SNN_X86_KERNELS
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        return &snn_kernels_avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return &snn_kernels_avx2;
    }
#endif
    return &snn_kernels_portable;
}
