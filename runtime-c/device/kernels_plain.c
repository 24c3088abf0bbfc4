/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"
#include "snn/fixed_point.h"

/** floor(2 v m / 2^32) + (v < 0) more than v: the leak of kernels.h by way of the magnitude, 32 bits wide. */
static int32_t leaked(int32_t v, int32_t decay)
{
    const uint32_t leak = 32768u - ((1u - (uint32_t)decay) >> 16);
    return snn_leak_s16((int16_t)v, leak);
}

uint32_t snn_lif_plain(const struct snn_lif *lif)
{
    uint32_t clamps = 0;
    for (uint32_t i = 0; i < lif->steps * lif->spike_words; i++) lif->spikes[i] = 0;
    for (uint32_t lane = 0; lane < lif->lanes; lane++) {
        const snn_half *sum = (const snn_half *)(const void *)lif->sums + lane;
        const int32_t threshold = lif->threshold[lane];
        int32_t v = lif->membrane[lane];
        for (uint32_t step = 0; step < lif->steps; step++) {
            if (lif->decay != 0) v = leaked(v, lif->decay[lane]);
            v += snn_s16((uint32_t)sum[0] - SNN_SUM_ZERO);
            if (lif->clamped != 0 && v < lif->floor) {
                v = lif->floor;
                clamps++;
            }
            if (v >= threshold) {
                if (lif->clamped != 0 && v > lif->ceiling) {
                    v = lif->ceiling;
                    clamps++;
                }
                v = v - threshold + (int32_t)lif->greater;
                lif->spikes[step * lif->spike_words + lane / 32] |= UINT32_C(1) << (lane & 31);
            }
            sum += 2 * lif->sum_step;
        }
        lif->membrane[lane] = (int16_t)v;
    }
    return clamps;
}
