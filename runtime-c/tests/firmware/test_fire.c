/* SPDX-License-Identifier: Apache-2.0 */
#include "../../firmware/kernels.h"

#include "../check.h"
#include "snn/fixed_point.h"

#include <stdbool.h>
#include <string.h>

/*
 * snn_fire and snn_fire_driven on pixels of random neurons, against every step of every neuron as
 * FORMAT.md has it.
 */

enum { LANES = 72, STEPS = 8, WORDS = 4, PIXELS = 40000 };

/** Arrays from the heap that end where a pixel's may, for a sanitizer to see what lies beyond. */
struct pixel {
    struct snn_lif lif;
    uint32_t bit, spikes[STEPS * WORDS], expected[STEPS * WORDS];
    int16_t *threshold;
    int32_t *initial, *current, *drive, *bias;
    uint32_t *sums, *decay;
};

/** How often each case came up; a test in which one never did is none. */
static struct {
    uint64_t silent, once, often, floors, ceilings, begun, undriven, always;
} seen;

static struct random numbers = {20};

static int32_t any(int32_t low, int32_t high)
{
    return random_in(&numbers, low, high);
}

static void *memory(uint32_t count, size_t size)
{
    void *allocated = malloc(count * size);
    CHECK(allocated != NULL);
    return allocated;
}

/** The steps in which a neuron fires that gets sums[step], by bits. */
static uint32_t fired(const struct snn_lif *lif, uint32_t lane, const int32_t *sums)
{
    const int32_t leak = lif->decay == NULL ? 32768 : (int32_t)(lif->decay[lane] >> 16);
    const int32_t threshold = lif->threshold[lane];
    int32_t v = lif->initial == NULL ? 0 : lif->initial[lane];
    uint32_t steps = 0;
    for (uint32_t step = 0; step < lif->steps; step++) {
        v = v * leak / 32768 + sums[step];
        if (v < lif->rule.floor) {
            v = lif->rule.floor;
        }
        if (v > lif->rule.ceiling) {
            v = lif->rule.ceiling;
        }
        seen.floors += v == lif->rule.floor;
        seen.ceilings += v == lif->rule.ceiling;
        if (v < threshold) {
            continue;
        }
        v = v - threshold + (int32_t)lif->rule.greater;
        steps |= UINT32_C(1) << step;
    }
    return steps;
}

static void expect(struct pixel *pixel, uint32_t lane, const int32_t *sums)
{
    const uint32_t bit = pixel->bit + lane, steps = fired(&pixel->lif, lane, sums);
    for (uint32_t step = 0; step < STEPS; step++) {
        pixel->expected[step * WORDS + bit / 32] |= (steps >> step & 1) << (bit & 31);
    }
    *(steps == 0 ? &seen.silent : (steps & (steps - 1)) == 0 ? &seen.once : &seen.often) += 1;
}

/** Neurons of any kind, whose sums are still to come. */
static void begin_pixel(struct pixel *pixel)
{
    const uint32_t lanes = (uint32_t)any(1, LANES), fours = (lanes + 3) / 4 * 4,
                   columns = (lanes + 7) / 8 * 8;
    const int32_t high = (1 << any(4, 15)) - 1;
    memset(pixel, 0, sizeof *pixel);
    pixel->bit = (uint32_t)any(0, 40);
    pixel->threshold = memory(fours, sizeof *pixel->threshold);
    pixel->decay = memory(lanes, sizeof *pixel->decay);
    pixel->initial = memory(fours, sizeof *pixel->initial);
    pixel->sums = memory(STEPS * columns / 2, sizeof *pixel->sums);
    pixel->current = memory(fours, sizeof *pixel->current);
    pixel->drive = memory(fours, sizeof *pixel->drive);
    pixel->bias = memory(fours, sizeof *pixel->bias);
    pixel->lif = (struct snn_lif){
        .sums = pixel->sums,
        .threshold = pixel->threshold,
        .decay = any(0, 2) == 0 ? NULL : pixel->decay,
        .spikes = pixel->spikes,
        .sum_step = columns / 2,
        .lanes = lanes,
        .steps = (uint32_t)any(1, STEPS),
        .spike_words = WORDS,
        .rule.greater = (uint32_t)any(0, 1),
        .rule.floor = any(0, 1) == 0 ? INT16_MIN : -any(0, high),
        .rule.ceiling = any(0, 1) == 0 ? INT16_MAX : any(high, INT16_MAX),
        .initial = any(0, 2) == 0 ? pixel->initial : NULL,
    };
    for (uint32_t lane = 0; lane < fours; lane++) {
        pixel->threshold[lane] = (int16_t)any(1, high);
        pixel->initial[lane] =
            any(0, 1) == 0 ? 0 : any(pixel->lif.rule.floor, pixel->lif.rule.ceiling);
        seen.begun += pixel->lif.initial != NULL && pixel->initial[lane] >= pixel->threshold[lane];
    }
    for (uint32_t lane = 0; lane < lanes; lane++) {
        pixel->decay[lane] = (any(0, 7) == 0 ? 32768u : (uint32_t)any(0, 32768)) * 65536u + 1;
    }
    for (uint32_t word = 0; word < STEPS * WORDS; word++) {
        pixel->spikes[word] = random_next(&numbers);
        if (word % WORDS == pixel->bit / 32) {
            pixel->spikes[word] &= (UINT32_C(1) << (pixel->bit & 31)) - 1;
        }
        if (word % WORDS > pixel->bit / 32) {
            pixel->spikes[word] = 0;
        }
        pixel->expected[word] = pixel->spikes[word];
    }
}

static void end_pixel(struct pixel *pixel)
{
    CHECK(memcmp(pixel->spikes, pixel->expected, sizeof pixel->spikes) == 0);
    free(pixel->threshold);
    free(pixel->decay);
    free(pixel->initial);
    free(pixel->sums);
    free(pixel->current);
    free(pixel->drive);
    free(pixel->bias);
}

/** Sums of their own in each step, or the same in all. */
static void fires_as_all_steps_do(void)
{
    struct pixel pixel;
    begin_pixel(&pixel);
    if (any(0, 3) == 0) {
        pixel.lif.sum_step = 0;
    }
    const int32_t reach = (1 << any(3, 15)) - 1;
    snn_half *halves = (snn_half *)(void *)pixel.sums;
    for (uint32_t i = 0; i < STEPS * ((pixel.lif.lanes + 7) / 8 * 8); i++) {
        halves[i] = (snn_half)((uint32_t)any(-reach - 1, reach) + SNN_SUM_ZERO);
    }
    for (uint32_t lane = 0; lane < pixel.lif.lanes; lane++) {
        int32_t sums[STEPS];
        for (uint32_t step = 0; step < STEPS; step++) {
            sums[step] = snn_s16(halves[2 * step * pixel.lif.sum_step + lane] - SNN_SUM_ZERO);
        }
        expect(&pixel, lane, sums);
    }
    snn_fire(&pixel.lif, pixel.bit);
    end_pixel(&pixel);
}

static int32_t driven_sum(const struct pixel *pixel, uint32_t lane, int32_t current, uint32_t shift,
                          bool biased)
{
    return snn_scale_value(current, shift) + (biased ? pixel->bias[lane] : 0);
}

static uint32_t fired_by(const struct pixel *pixel, uint32_t lane, int32_t sum)
{
    const int32_t sums[STEPS] = {sum, sum, sum, sum, sum, sum, sum, sum};
    return fired(&pixel->lif, lane, sums);
}

/** Currents about the least with which a neuron fires, found one by one. */
static void fires_when_driven(void)
{
    struct pixel pixel;
    begin_pixel(&pixel);
    pixel.lif.sum_step = 0;
    const uint32_t shift = (uint32_t)any(0, 3), fours = (pixel.lif.lanes + 3) / 4 * 4;
    const bool biased = any(0, 1) == 0;
    const int32_t reach = 1 << any(3, 9);
    for (uint32_t lane = 0; lane < fours; lane++) {
        pixel.current[lane] = any(-reach, reach);
        pixel.bias[lane] = any(-reach, reach);
        pixel.drive[lane] = INT32_MIN; /* of a lane beyond */
        if (lane >= pixel.lif.lanes) {
            continue;
        }
        int32_t drive = -reach;
        while (drive <= reach &&
               fired_by(&pixel, lane, driven_sum(&pixel, lane, drive, shift, biased)) == 0) {
            drive++;
        }
        pixel.drive[lane] = drive;
        seen.undriven += drive > reach;
        seen.always += drive == -reach;
        const int32_t sum = driven_sum(&pixel, lane, pixel.current[lane], shift, biased);
        const int32_t sums[STEPS] = {sum, sum, sum, sum, sum, sum, sum, sum};
        expect(&pixel, lane, sums);
    }
    const struct snn_driven driven = {pixel.current, pixel.drive, biased ? pixel.bias : NULL, shift,
                                      pixel.sums};
    snn_fire_driven(&pixel.lif, &driven, pixel.bit);
    end_pixel(&pixel);
}

int main(void)
{
    for (uint32_t i = 0; i < PIXELS; i++) {
        fires_as_all_steps_do();
    }
    for (uint32_t i = 0; i < PIXELS / 20; i++) {
        fires_when_driven();
    }
    CHECK(seen.silent != 0 && seen.once != 0 && seen.often != 0 && seen.floors != 0 &&
          seen.ceilings != 0);
    CHECK(seen.begun != 0 && seen.undriven != 0 && seen.always != 0);
    printf("test_fire: %d pixels, neurons silent %llu, once %llu, more often %llu\n",
           PIXELS + PIXELS / 20, (unsigned long long)seen.silent, (unsigned long long)seen.once,
           (unsigned long long)seen.often);
    return 0;
}
