/* SPDX-License-Identifier: Apache-2.0 */
#include "../runtime-c/firmware/kernels.h"
#include "board.h"
#include "guard.h"
#include "region.h"

/*
 * The kernels alone, on made-up data. Every case is a record of the answers: what was run, and a
 * hash of all that the kernel may have written and of what lies behind. `targets/run --bench`
 * compares the hashes with those of the portable kernels on the host and divides the plugin's count
 * of the case's region by the case's synapses or neurons.
 */

enum kernel { ROWS_8 = 0, ROWS_4 = 1, MAC_8 = 2, LIF = 3, FIRE = 4, DRIVEN = 5, EMPTY = 6 };

/** As written, little-endian. */
struct record {
    uint32_t kernel;
    uint32_t region;         /**< SNN_REGION_OUTSIDE: checked, not counted */
    uint32_t columns, count; /**< from LIF on: lanes, steps */
    uint32_t shift;          /**< from LIF on: of LEAK, ... */
    uint32_t spikes, clamps, hash;
};

enum {
    COLUMNS = 256,
    ROWS = 32, /**< of weights; a call may name more */
    CALL_ROWS = 96,
    SUM_WORDS = 512, /**< 256 sums of 32 bits, or 4 steps of 256 sums of 16 */
    SPIKE_WORDS = 64,
    /** words in front, so that arrays begin at any multiple of 4, and behind, to be left alone */
    MARGIN = 2,
    CHECKS = 64 /**< cases of each kernel that are only checked */
};

static uint32_t weights[ROWS * COLUMNS / 4 + 2 * MARGIN];
static uint32_t sums[SUM_WORDS + 2 * MARGIN];
static uint32_t membrane[COLUMNS / 2 + 2 * MARGIN];
static uint32_t threshold[COLUMNS / 2 + 2 * MARGIN];
static uint32_t decay[COLUMNS + 4 * MARGIN];
/* Neurons have no weights. */
static int32_t *const initial = (int32_t *)weights;
static int32_t *const current = (int32_t *)weights + 2 * COLUMNS;
static int32_t *const drive = (int32_t *)weights + 4 * COLUMNS;
static uint32_t spikes[SPIKE_WORDS + 2 * MARGIN];
static uint16_t rows[CALL_ROWS];
static int16_t values[CALL_ROWS];

static uint32_t state = 1;
static uint32_t next_region;

/** Marsaglia's xorshift32. */
static uint32_t random_word(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/** 0 ... bound - 1, for bounds below 2^16. */
static uint32_t random_below(uint32_t bound)
{
    return ((random_word() >> 16) * bound) >> 16;
}

/** -bound ... bound. */
static int32_t random_around(uint32_t bound)
{
    return (int32_t)random_below(2 * bound + 1) - (int32_t)bound;
}

static uint32_t hash_word(uint32_t hash, uint32_t word)
{
    return ((hash << 5 | hash >> 27) ^ word) * UINT32_C(0x9E3779B1);
}

static uint32_t hash_words(uint32_t hash, const uint32_t *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        hash = hash_word(hash, words[i]);
    }
    return hash;
}

static uint16_t *halves(uint32_t *words)
{
    return (uint16_t *)(void *)words;
}

static uint16_t encoded_sum(int32_t sum)
{
    return (uint16_t)((uint32_t)sum + SNN_SUM_ZERO);
}

static void enter(uint32_t region)
{
    if (region != SNN_REGION_OUTSIDE) {
        snn_region_mark(region);
    }
}

static void leave(uint32_t region)
{
    if (region != SNN_REGION_OUTSIDE) {
        snn_region_mark(SNN_REGION_OUTSIDE);
    }
}

/* ---- Rows of weights ---- */

static void run_rows(struct record *record, uint32_t bytes_of_columns)
{
    const uint32_t offset = record->region == SNN_REGION_OUTSIDE ? random_below(MARGIN) : 0;
    for (uint32_t i = 0; i < sizeof weights / 4; i++) {
        weights[i] = random_word();
    }
    for (uint32_t i = 0; i < record->count; i++) {
        rows[i] = (uint16_t)random_below(ROWS);
        values[i] =
            (int16_t)(record->shift != 0 ? random_around(1000) : (int32_t)random_below(256));
    }
    /* |row sums| <= 96 * 128 * 2 < 24576, so that a finished sum lies in 16 bits. */
    const struct snn_packed_rows set = {
        .weights = (const uint8_t *)(weights + offset),
        .rows = rows,
        .row_bytes = bytes_of_columns,
        .count = record->count,
        .columns = record->columns,
        .shift = record->shift,
    };
    uint32_t *const target = sums + offset;
    if (record->kernel == MAC_8) {
        for (uint32_t i = 0; i < sizeof sums / 4; i++) {
            sums[i] = (uint32_t)random_around(30000);
        }
        enter(record->region);
        snn_mac_rows_8((int32_t *)target, &set, values);
        leave(record->region);
        record->hash = hash_words(0, sums, sizeof sums / 4);
        return;
    }
    for (uint32_t i = 0; i < sizeof sums / 2; i++) {
        halves(sums)[i] = encoded_sum(random_around(8000));
    }
    if (record->kernel == ROWS_8) {
        enter(record->region);
        snn_add_rows_8(target, &set);
        leave(record->region);
    } else {
        enter(record->region);
        snn_add_rows_4(target, &set);
        leave(record->region);
    }
    for (uint32_t i = 0; i < sizeof sums / 2; i++) {
        record->hash = hash_word(record->hash, (uint16_t)(halves(sums)[i] - SNN_SUM_ZERO));
    }
}

/* ---- Neurons ---- */

enum { LEAK = 1, SAME_SUMS = 2, GREATER = 4, CLAMPED = 8, FAR = 16 };

/**
 * Counted: one neuron in 25 fires in a step. Every lane has its own threshold, within a tenth of
 * 1000, and its own leak, one of 200 ... 255 of 256, the grid that training rounds leaks to.
 */
static void fill_typical(void)
{
    for (uint32_t i = 0; i < sizeof membrane / 2; i++) {
        halves(membrane)[i] = (uint16_t)random_around(300);
        halves(threshold)[i] = (uint16_t)(900 + i * 37 % 200);
        decay[i] = (200 + i * 23 % 56) * 128 * 65536 + 1;
        drive[i] = 1000;
    }
    for (uint32_t i = 0; i < sizeof sums / 2; i++) {
        halves(sums)[i] = encoded_sum(random_below(25) == 0 ? 1350 : random_around(20));
    }
    for (uint32_t i = 0; i < COLUMNS; i++) {
        current[i] = i % 25 == 12 ? 1350 : random_around(20);
    }
}

/**
 * Checked: thresholds, leaks, floor and ceiling also at their limits. |membrane| <= 8000 + 8 * 2000
 * < 2^15.
 */
static void fill_any(struct snn_lif *lif)
{
    if (lif->rule.clamps != 0) {
        lif->rule.floor = -(int32_t)random_below(3000);
        lif->rule.ceiling = 3000 + (int32_t)random_below(3000);
    }
    for (uint32_t i = 0; i < sizeof membrane / 2; i++) {
        const bool high = lif->rule.clamps == 0 && random_below(8) == 0;
        const uint32_t span = (uint32_t)(lif->rule.ceiling - lif->rule.floor);
        const uint32_t leak = random_below(8) == 0 ? 32768 * random_below(2) : random_below(32769);
        const int32_t v = lif->rule.clamps == 0 ? random_around(8000)
                                                : lif->rule.floor + (int32_t)random_below(span + 1);
        halves(membrane)[i] = (uint16_t)v;
        halves(threshold)[i] = (uint16_t)(1 + random_below(high ? 32766 : 3000));
        decay[i] = leak * 65536 + 1;
        initial[i] = v;
        current[i] = random_around(2000);
        drive[i] = random_around(2000);
    }
    for (uint32_t i = 0; i < sizeof sums / 2; i++) {
        halves(sums)[i] = encoded_sum(random_around(2000));
    }
}

/**
 * Clamped, within all of int16. One membrane in 16 stays at a bound, without leak, and its sum
 * leads far beyond; the others lie near 0, so that kernels that test several together rely on the
 * test.
 */
static void fill_far(struct snn_lif *lif)
{
    state *= UINT32_C(0x9E3779B1); /* the cases' seeds have little between them */
    lif->rule.floor = random_below(4) == 0 ? INT16_MIN : -(int32_t)random_below(32768);
    lif->rule.ceiling = random_below(4) == 0 ? INT16_MAX : (int32_t)random_below(32767);
    const uint32_t thresholds =
        lif->rule.ceiling < INT16_MAX ? (uint32_t)lif->rule.ceiling + 1 : INT16_MAX;
    for (uint32_t i = 0; i < sizeof membrane / 2; i++) {
        const bool at_bound = random_below(16) == 0, high = random_below(2) != 0;
        const int32_t bound = high ? lif->rule.ceiling : lif->rule.floor;
        const int32_t beyond = (int32_t)(32767 - random_below(2) * random_below(200));
        halves(membrane)[i] = (uint16_t)(at_bound ? bound : bound / 64);
        halves(threshold)[i] = (uint16_t)(1 + random_below(thresholds));
        decay[i] = (at_bound ? 32768 : random_below(32769)) * 65536 + 1;
        halves(sums)[i] = encoded_sum(!at_bound ? random_around(100) : high ? beyond : -beyond);
    }
}

static void run_lif(struct record *record)
{
    const bool checked = record->region == SNN_REGION_OUTSIDE;
    const uint32_t offset = checked ? random_below(MARGIN) : 0;
    const uint32_t lanes = record->columns, columns = (lanes + 7) & ~UINT32_C(7);
    struct snn_lif lif = {
        .membrane = (int16_t *)(void *)(membrane + offset),
        .sums = sums + offset,
        .threshold = (const int16_t *)(const void *)(threshold + offset),
        .decay = (record->shift & LEAK) != 0 ? decay + offset : NULL,
        .spikes = spikes + offset,
        .sum_step = (record->shift & SAME_SUMS) != 0 ? 0 : columns / 2,
        .lanes = lanes,
        .steps = record->count,
        .spike_words = (lanes + 31) / 32,
        .rule.greater = (record->shift & GREATER) != 0,
        .rule.clamps = (record->shift & CLAMPED) != 0,
        .rule.floor = (record->shift & FAR) != 0 ? -32000 : -310,
        .rule.ceiling = (record->shift & FAR) != 0 ? 32000 : 2000,
    };
    if (record->kernel != LIF && lif.rule.clamps == 0) {
        lif.rule.floor = INT16_MIN;
        lif.rule.ceiling = INT16_MAX;
    }
    if (checked) {
        fill_any(&lif);
        if ((record->shift & FAR) != 0) {
            fill_far(&lif);
        }
    } else {
        fill_typical();
    }
    for (uint32_t i = 0; i < sizeof spikes / 4; i++) {
        spikes[i] = record->kernel != LIF ? 0 : random_word();
    }
    if (record->kernel != LIF && checked && random_below(4) == 0) {
        lif.initial = initial + offset;
    }
    const struct snn_driven driven = {current + offset, drive + offset,
                                      checked ? current + offset : NULL, 0, sums + offset};
    if (record->kernel == DRIVEN) {
        lif.sum_step = 0;
    }
    if (record->kernel == DRIVEN) {
        enter(record->region);
        snn_fire_driven(&lif, &driven, 0);
        leave(record->region);
    } else if (record->kernel == FIRE) {
        enter(record->region);
        snn_fire(&lif, 0);
        leave(record->region);
    } else {
        enter(record->region);
        record->clamps = snn_lif_step(&lif);
        leave(record->region);
    }
    for (uint32_t i = 0; i < lif.steps * lif.spike_words; i++) {
        for (uint32_t bits = lif.spikes[i]; bits != 0; bits &= bits - 1) {
            record->spikes++;
        }
    }
    for (uint32_t i = 0; i < sizeof membrane / 2; i++) {
        record->hash = hash_word(record->hash, halves(membrane)[i]);
    }
    record->hash = hash_words(record->hash, spikes, sizeof spikes / 4);
}

/* ---- Cases ---- */

static void run(enum kernel kernel, bool counted, uint32_t columns, uint32_t count, uint32_t shift)
{
    struct record record = {
        .kernel = kernel,
        .region = counted ? next_region++ : (uint32_t)SNN_REGION_OUTSIDE,
        .columns = columns,
        .count = count,
        .shift = shift,
    };
    /* A case's data depend on nothing but the case. */
    state = 1 + kernel + 8 * columns + 8192 * count + 1048576 * shift;
    if (kernel == EMPTY) {
        enter(record.region);
        leave(record.region);
    } else if (kernel == LIF || kernel == FIRE || kernel == DRIVEN) {
        run_lif(&record);
    } else {
        run_rows(&record, kernel == ROWS_4 ? columns / 2 : columns);
    }
    board_write(&record, sizeof record);
}

static void run_counted(void)
{
    static const uint16_t some_columns[] = {16, 32, 64, 128, 256};
    static const uint8_t some_rows[] = {2, 8, 16, 32};
    run(EMPTY, true, 0, 0, 0);
    for (uint32_t kernel = ROWS_8; kernel <= MAC_8; kernel++) {
        for (uint32_t i = 0; i < 5; i++) {
            for (uint32_t j = 0; j < 4; j++) {
                run((enum kernel)kernel, true, some_columns[i], some_rows[j], 0);
            }
        }
    }
    static const uint8_t some_choices[] = {0, LEAK, LEAK | CLAMPED};
    for (uint32_t choice = 0; choice < 3; choice++) {
        for (uint32_t i = 1; i < 5; i++) {
            run(LIF, true, some_columns[i], 1, some_choices[choice]);
            run(FIRE, true, some_columns[i], 4, some_choices[choice]);
            run(DRIVEN, true, some_columns[i], 4, some_choices[choice]);
        }
    }
    for (uint32_t i = 1; i < 5; i++) {
        run(LIF, true, some_columns[i], 1, LEAK | CLAMPED | FAR);
    }
}

static void run_checked(void)
{
    for (uint32_t i = 0; i < CHECKS; i++) {
        for (uint32_t kernel = ROWS_8; kernel <= MAC_8; kernel++) {
            state = 1 + i + 256 * kernel;
            const uint32_t columns = 8 + 8 * (i < COLUMNS / 8 ? i : random_below(COLUMNS / 8));
            const uint32_t count = i < 8 ? i + 1 : 1 + random_below(CALL_ROWS);
            run((enum kernel)kernel, false, columns, count, random_below(2));
        }
        state = 1 + i + 1024;
        const uint32_t lanes = 4 + 4 * i;
        const uint32_t steps = lanes <= 128 ? 1 + random_below(8) : 1 + random_below(4);
        run(LIF, false, lanes, 1, random_below(16));
        run(LIF, false, lanes, 1, random_below(8) | CLAMPED | FAR);
        run(LIF, false, lanes, 1, LEAK | CLAMPED | FAR);
        run(FIRE, false, lanes, steps, random_below(16));
        run(DRIVEN, false, lanes, steps, random_below(16));
    }
}

int firmware_main(void)
{
    board_init();
    guard_begin();
    snn_region_mark(SNN_REGION_OUTSIDE);
    run_counted();
    run_checked();
    return guard_end();
}
