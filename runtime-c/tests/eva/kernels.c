/* SPDX-License-Identifier: Apache-2.0 */
#include "any.h"

#include "../../firmware/fire.c"
#include "../../firmware/kernels_portable.c"

/*
 * The portable kernels: up to 3 row counts that cross their inner limits, up to 24 columns, every
 * weight, sum, value, parameter and row. Sums of spikes wrap in unsigned types; membranes and
 * finished sums have the bounds of kernels.h.
 */

enum { ROWS = 40, COLUMNS = 24, LANES = 40, STEPS = 3 };

static uint32_t weights[ROWS * COLUMNS / 4];
static uint16_t rows[64];
static uint32_t sums[COLUMNS];
static int16_t values[64];

static void add_rows(void)
{
    static const uint32_t counts[] = {1, 15, 16, 17, 64};
    any_bytes(weights, sizeof weights);
    any_bytes(sums, sizeof sums);
    any_bytes(values, sizeof values);
    for (uint32_t i = 0; i < 64; i++) {
        rows[i] = (uint16_t)any_u32(0, ROWS - 1);
    }
    for (uint32_t columns = 8; columns <= COLUMNS; columns += 8) {
        for (uint32_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            struct snn_packed_rows set = {.weights = (const uint8_t *)weights,
                                          .rows = rows,
                                          .row_bytes = columns,
                                          .count = counts[c],
                                          .columns = columns,
                                          .shift = any_u32(0, 15)};
            snn_add_rows_8(sums, &set);
            snn_mac_rows_8((int32_t *)sums, &set, values);
            set.row_bytes = columns / 2;
            snn_add_rows_4(sums, &set);
        }
    }
}

static int16_t membrane[LANES];
/* Sums in halves, as Eva then keeps the bounds of each. */
static uint32_t step_sums[STEPS * LANES / 2];
static int16_t threshold[LANES];
static uint32_t decay[LANES];
static uint32_t spikes[STEPS * 2];

/**
 * A membrane and a sum add within int16 (kernels.h); here by bounds on both, since Eva relates no
 * array to another. `option`: with a leak, with sums of their own in each step, clamped.
 */
static void neurons(uint32_t lanes, uint32_t option)
{
    uint16_t *halves = (uint16_t *)step_sums;
    for (uint32_t i = 0; i < LANES; i++) {
        membrane[i] = (int16_t)any_s32(-16384, 16383);
        threshold[i] = (int16_t)any_s32(1, INT16_MAX);
        decay[i] = i == 0 ? 0x80000001u : 65536u * (uint32_t)any_s32(0, 32767) + 1;
    }
    for (uint32_t i = 0; i < STEPS * LANES; i++) {
        halves[i] = (uint16_t)any_u32(0x8000 - 4096, 0x8000 + 4095);
    }
    const struct snn_lif lif = {.membrane = membrane,
                                .sums = step_sums,
                                .threshold = threshold,
                                .decay = option & 1 ? decay : 0,
                                .spikes = spikes,
                                .sum_step = option & 2 ? LANES / 2 : 0,
                                .lanes = lanes,
                                .steps = STEPS,
                                .spike_words = (lanes + 31) / 32,
                                .rule.greater = any_u32(0, 1),
                                .rule.clamps = option & 4,
                                .rule.floor = any_s32(-32767, 0),
                                .rule.ceiling = any_s32(0, INT16_MAX)};
    (void)snn_lif_step(&lif);
    struct snn_lif firing = lif;
    static int32_t initial[LANES];
    for (uint32_t i = 0; i < LANES; i++) {
        initial[i] = any_s32(INT16_MIN, INT16_MAX);
    }
    firing.initial = option & 4 ? initial : 0;
    snn_fire(&firing, any_u32(0, 23));
}

static void driven(uint32_t lanes, uint32_t option)
{
    static int32_t current[LANES], drive[LANES], bias[LANES];
    any_bytes(drive, sizeof drive);
    for (uint32_t i = 0; i < LANES; i++) {
        current[i] = any_s32(-0x1000000, 0x1000000);
        bias[i] = any_s32(-0x1000000, 0x1000000);
    }
    const struct snn_lif lif = {.sums = step_sums,
                                .threshold = threshold,
                                .decay = option & 1 ? decay : 0,
                                .spikes = spikes,
                                .lanes = lanes,
                                .steps = STEPS,
                                .spike_words = 2,
                                .rule.greater = any_u32(0, 1),
                                .rule.floor = any_s32(INT16_MIN, 0),
                                .rule.ceiling = any_s32(0, INT16_MAX)};
    const struct snn_driven values = {current, drive, option & 2 ? bias : 0, any_u32(0, 24),
                                      step_sums};
    snn_fire_driven(&lif, &values, any_u32(0, 23));
}

void main(void)
{
    add_rows();
    for (uint32_t option = 0; option < 8; option++) {
        neurons(4, option);
        neurons(LANES, option);
        driven(LANES, option);
    }
}
