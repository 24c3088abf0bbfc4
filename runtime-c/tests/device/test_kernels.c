/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

/*
 * The kernels chosen by SNN_KERNELS against the portable ones, on random rows and neurons within the bounds that the
 * engine keeps: every sum fits 16 bits, and so does a membrane that is not clamped. Freestanding; main yields 0, or
 * 1 + the number of the first case that failed modulo 200. -DSNN_KERNEL_CASES=n sets how many cases run.
 */
#ifndef SNN_KERNEL_CASES
#define SNN_KERNEL_CASES 12000
#endif

/* The portable kernels under names of their own, with sums lifted as theirs are. */
enum { CHOSEN_ZERO = SNN_SUM_ZERO };
#undef SNN_SUM_ZERO
#undef SNN_KERNELS
#define SNN_SUM_ZERO 0x8000u
#define SNN_KERNELS SNN_KERNELS_PORTABLE
#define snn_add_rows_8 portable_add_rows_8
#define snn_add_rows_4 portable_add_rows_4
#define snn_mac_rows_8 portable_mac_rows_8
#define snn_lif_steps portable_lif_steps
void portable_add_rows_8(uint32_t *sums, const struct snn_row_set *set);
void portable_add_rows_4(uint32_t *sums, const struct snn_row_set *set);
void portable_mac_rows_8(int32_t *sums, const struct snn_row_set *set, const int16_t *values);
uint32_t portable_lif_steps(const struct snn_lif *lif);
#include "../../device/kernels_portable.c"
#undef snn_add_rows_8
#undef snn_add_rows_4
#undef snn_mac_rows_8
#undef snn_lif_steps

enum { WIDEST = 264, ROWS = 12, MOST = 64, LANES = 256, STEPS = 5, GUARD = 2, FILL = 0x5AA5 };

/** 16-bit sums and membranes as the two kernels see them, with guard words on both sides. */
static union {
    uint32_t words[STEPS * LANES / 2 + 2 * GUARD];
    int32_t wide[WIDEST + 2 * GUARD];
} found, expected;
static union {
    uint32_t words[ROWS * (WIDEST + 4) / 4];
    uint8_t bytes[ROWS * (WIDEST + 4)];
} weights;
static uint16_t rows[MOST];
static int16_t values[MOST];
static int16_t found_membrane[LANES + 2 * GUARD], expected_membrane[LANES + 2 * GUARD], threshold[LANES];
static int32_t decay[LANES];
static uint32_t found_spikes[STEPS * (LANES / 32 + 1) + 2 * GUARD];
static uint32_t expected_spikes[STEPS * (LANES / 32 + 1) + 2 * GUARD];

/** xorshift32 */
static uint32_t random_state = 2463534242u;

static uint32_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/** low ... high, both included. */
static int32_t random_in(int32_t low, int32_t high)
{
    return low + (int32_t)(random_next() % (uint32_t)(high - low + 1));
}

/** Uniform, or one of the ends. */
static int32_t random_or_end(int32_t low, int32_t high)
{
    const uint32_t way = random_next() & 3;
    return way == 0 ? low : way == 1 ? high : random_in(low, high);
}

static int same_words(const uint32_t *a, const uint32_t *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (a[i] != b[i]) return 0;
    }
    return 1;
}

/** Word `pair` of sums, low and high, in both arrays. */
static void set_pair(uint32_t pair, int32_t low, int32_t high)
{
    found.words[pair] = (((uint32_t)low + CHOSEN_ZERO) & 0xFFFFu) | ((uint32_t)high + CHOSEN_ZERO) << 16;
    expected.words[pair] = (((uint32_t)low + SNN_SUM_ZERO) & 0xFFFFu) | ((uint32_t)high + SNN_SUM_ZERO) << 16;
}

/** Gives the chosen kernel's finished words the lift of the portable one's; both lifts are 0 or 2^15. */
static void lift_found(uint32_t first, uint32_t count)
{
    const uint32_t lift = (SNN_SUM_ZERO - CHOSEN_ZERO) * UINT32_C(0x00010001);
    for (uint32_t i = first; i < first + count; i++) found.words[i] ^= lift;
}

static int add_rows_case(uint32_t bits)
{
    const uint32_t columns = 8 * (uint32_t)random_in(1, random_next() & 1 ? 10 : WIDEST / 8);
    const uint32_t row_bytes = columns * bits / 8 + 4 * (random_next() & 1);
    const uint32_t count = (uint32_t)random_or_end(1, random_next() & 1 ? 10 : MOST);
    const int32_t most = bits == 8 ? 128 : 8;
    /* |start| + count * largest << shift <= 32767 */
    uint32_t shift = random_next() & 1 ? 0 : (uint32_t)random_in(0, 15);
    int32_t largest = most;
    while (shift > 0 && (int32_t)count << shift > 32767) shift--;
    if (largest * ((int32_t)count << shift) > 32767) largest = 32767 / ((int32_t)count << shift);
    const int32_t room = 32767 - largest * ((int32_t)count << shift);
    const int32_t high = largest == most ? most - 1 : largest;
    const uint32_t kind = random_next() & 3;
    for (uint32_t i = 0; i < sizeof weights.bytes; i++) {
        uint32_t byte = 0;
        for (uint32_t field = 0; field < 8; field += bits) {
            const int32_t weight = kind == 0 ? -largest : kind == 1 ? high : random_or_end(-largest, high);
            byte |= (uint32_t)(weight + most) << field;
        }
        weights.bytes[i] = (uint8_t)byte;
    }
    for (uint32_t i = 0; i < count; i++) rows[i] = (uint16_t)random_in(0, ROWS - 1);
    const uint32_t words = columns / 2;
    for (uint32_t i = 0; i < words + 2 * GUARD; i++) {
        set_pair(i, random_or_end(-room, room), random_or_end(-room, room));
    }
    const struct snn_row_set set = {weights.bytes, rows, row_bytes, count, columns, shift};
    if (bits == 8) {
        snn_add_rows_8(found.words + GUARD, &set);
        portable_add_rows_8(expected.words + GUARD, &set);
    } else {
        snn_add_rows_4(found.words + GUARD, &set);
        portable_add_rows_4(expected.words + GUARD, &set);
    }
    lift_found(0, words + 2 * GUARD);
    return same_words(found.words, expected.words, words + 2 * GUARD);
}

static int mac_rows_case(void)
{
    const uint32_t columns = 8 * (uint32_t)random_in(1, random_next() & 1 ? 10 : WIDEST / 8);
    const uint32_t row_bytes = columns + 4 * (random_next() & 1);
    const uint32_t count = (uint32_t)random_or_end(1, MOST);
    const uint32_t kind = random_next() & 3;
    for (uint32_t i = 0; i < sizeof weights.bytes; i++) {
        weights.bytes[i] = (uint8_t)(kind == 0 ? 0 : kind == 1 ? 255 : random_or_end(0, 255));
    }
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = (uint16_t)random_in(0, ROWS - 1);
        values[i] = (int16_t)(kind < 2 ? random_or_end(-32768, 32767) : random_in(-32768, 32767));
    }
    for (uint32_t i = 0; i < columns + 2 * GUARD; i++) {
        found.wide[i] = expected.wide[i] = random_or_end(-1000000000, 1000000000);
    }
    const struct snn_row_set set = {weights.bytes, rows, row_bytes, count, columns, random_next() & 15};
    snn_mac_rows_8(found.wide + GUARD, &set, values);
    portable_mac_rows_8(expected.wide + GUARD, &set, values);
    return same_words(found.words, expected.words, columns + 2 * GUARD);
}

static int32_t random_leak(uint32_t kind)
{
    static const uint16_t usual[7] = {0, 1, 15104, 16384, 32640, 32767, 32768};
    return kind < 2 ? usual[random_next() % 7] : random_in(0, 32768);
}

/** Clamped: any sums. Else such that no membrane leaves 16 bits, the neurons followed by their definition. */
static void fill_lanes(struct snn_lif *lif, int32_t firing)
{
    const uint32_t kind = random_next() & 3;
    const int32_t one_leak = random_leak(kind), small = random_in(0, 32767);
    for (uint32_t lane = 0; lane < lif->lanes; lane++) {
        const int32_t leak = kind & 1 ? one_leak : random_leak(kind);
        decay[lane] = (leak - 32768) * 65536 + 1;
        const int32_t most = lif->clamped ? lif->ceiling : 32767;
        threshold[lane] = (int16_t)(firing ? random_or_end(1, random_next() & 1 && most > 100 ? 100 : most) : most);
        const int32_t start = lif->clamped ? random_or_end(lif->floor, lif->ceiling) : random_or_end(-32768, 32767);
        const int32_t few = (32767 - (start < 0 ? -(start + 1) : start)) / STEPS;
        int32_t v = start;
        for (uint32_t step = 0; step < (lif->sum_step == 0 ? 1 : lif->steps); step++) {
            if (lif->decay != 0) v = v * leak / 32768;
            int32_t sum;
            if (lif->clamped) {
                sum = random_next() & 1 ? random_in(-small, small) : random_or_end(-32768, 32767);
            } else if (lif->sum_step == 0) {
                sum = random_or_end(start == -32768 ? 0 : -few, few);
            } else {
                sum = random_next() & 1 ? random_in(-300, 300) : random_or_end(-32767, 32767);
                if (v + sum > 32767 || v + sum < -32768) sum = v > 0 ? -(sum & 32767) : sum & 32767;
            }
            v += sum;
            if (lif->clamped && v < lif->floor) v = lif->floor;
            if (v >= threshold[lane]) {
                if (lif->clamped && v > lif->ceiling) v = lif->ceiling;
                v -= threshold[lane] - (int32_t)lif->greater;
            }
            const uint32_t at = GUARD + step * lif->sum_step + lane / 2, half = 16 * (lane & 1);
            const uint32_t keep = UINT32_C(0xFFFF0000) >> half;
            found.words[at] = (found.words[at] & keep) | (((uint32_t)sum + CHOSEN_ZERO) & 0xFFFFu) << half;
            expected.words[at] = (expected.words[at] & keep) | (((uint32_t)sum + SNN_SUM_ZERO) & 0xFFFFu) << half;
        }
        found_membrane[GUARD + lane] = expected_membrane[GUARD + lane] = (int16_t)start;
    }
}

static int lif_case(void)
{
    struct snn_lif lif = {.threshold = threshold, .decay = random_next() % 4 == 0 ? 0 : decay};
    lif.lanes = 4 * (uint32_t)random_in(1, random_next() & 1 ? 10 : LANES / 4);
    lif.steps = (uint32_t)random_in(1, STEPS);
    lif.sum_step = random_next() & 1 ? 0 : (lif.lanes + 7) / 8 * 4;
    lif.spike_words = (lif.lanes + 31) / 32 + (random_next() % 8 == 0);
    lif.greater = random_next() & 1;
    if (random_next() & 1) {
        lif.clamped = UINT32_C(1) << (random_next() & 31);
        lif.floor = -random_or_end(0, INT32_C(1) << random_in(0, 15));
        lif.ceiling = random_or_end(1, (INT32_C(1) << random_in(1, 15)) - 1);
    }
    fill_lanes(&lif, random_next() % 4 != 0);
    for (uint32_t i = 0; i < GUARD; i++) {
        found_membrane[i] = expected_membrane[i] = FILL;
        found_membrane[GUARD + lif.lanes + i] = expected_membrane[GUARD + lif.lanes + i] = FILL;
    }
    const uint32_t words = lif.steps * lif.spike_words + 2 * GUARD;
    for (uint32_t i = 0; i < words; i++) found_spikes[i] = expected_spikes[i] = FILL;
    struct snn_lif other = lif;
    lif.membrane = found_membrane + GUARD;
    lif.sums = found.words + GUARD;
    lif.spikes = found_spikes + GUARD;
    other.membrane = expected_membrane + GUARD;
    other.sums = expected.words + GUARD;
    other.spikes = expected_spikes + GUARD;
    if (snn_lif_steps(&lif) != portable_lif_steps(&other)) return 0;
    for (uint32_t i = 0; i < lif.lanes + 2 * GUARD; i++) {
        if (found_membrane[i] != expected_membrane[i]) return 0;
    }
    return same_words(found_spikes, expected_spikes, words);
}

int main(void)
{
    for (uint32_t i = 0; i < SNN_KERNEL_CASES; i++) {
        const uint32_t kind = i & 3;
        const int passed = kind == 0   ? add_rows_case(8)
                           : kind == 1 ? add_rows_case(4)
                           : kind == 2 ? mac_rows_case()
                                       : lif_case();
        if (!passed) return (int)(1 + i % 200);
    }
    return 0;
}
