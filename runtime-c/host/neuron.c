/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/lif.h"
#include "state.h"

#include <string.h>

/*
 * The neuron pass in portable C: snn_lif_update of snn/lif.h, neuron by neuron. Faster passes take
 * whole words of 32 neurons and leave the rest to this one.
 */

/**
 * All that arrives at neuron i: its accumulator, which is cleared, its steady current and the
 * number common to all neurons.
 */
static int32_t arriving(struct snn_lif_pass *pass, uint32_t i, uint32_t steady_index)
{
    /*
     * The finished sum is below 2^24 (B(j) of FORMAT.md, section 5). A sum in between may wrap; the
     * finished one is right all the same.
     */
    uint32_t sum = (uint32_t)pass->common;
    if (pass->accumulator == SNN_ACCUMULATOR_S32) {
        int32_t *accumulator = pass->sum;
        sum += (uint32_t)accumulator[i];
        accumulator[i] = 0;
        if (pass->steady.values != NULL) {
            sum += (uint32_t)((const int32_t *)pass->steady.values)[steady_index];
        }
        return snn_s32(sum);
    }
    if (pass->accumulator == SNN_ACCUMULATOR_S16) {
        int16_t *accumulator = pass->sum;
        const int32_t arrived = accumulator[i];
        sum += (uint32_t)arrived;
        accumulator[i] = 0;
    }
    if (pass->steady.values != NULL) {
        const int32_t steady = ((const int16_t *)pass->steady.values)[steady_index];
        sum += (uint32_t)steady;
    }
    return snn_s16(sum);
}

static uint32_t advance(uint32_t index, uint32_t period)
{
    return index + 1 < period ? index + 1 : 0;
}

void snn_lif_from(struct snn_lif_pass *pass, uint32_t first)
{
    const int16_t *thresholds = pass->threshold.values;
    const uint16_t *leaks = pass->leak.values;
    int16_t *membrane = pass->membrane;
    /* Start indices of the repeating parameters: by remainder, once per pass. */
    uint32_t t = first % pass->threshold.period;
    uint32_t l = pass->leak.values != NULL ? first % pass->leak.period : 0;
    uint32_t s = pass->steady.values != NULL ? first % pass->steady.period : 0;
    const bool direct = pass->accumulator == SNN_ACCUMULATOR_DIRECT;
    const struct snn_lif_rule rule = {pass->compare == SNN_GREATER ? 1 : 0, 1, pass->floor,
                                      pass->ceiling};
    const struct snn_lif_kind kind = {leaks != NULL, false, pass->reset, pass->reset_value, false};
    uint32_t word = 0;
    bool any = pass->any_membrane;
    for (uint32_t i = first; i < pass->count; i++) {
        int32_t sum = arriving(pass, i, s);
        struct snn_lif_neuron neuron = {membrane[i], thresholds[t] + (int32_t)rule.greater,
                                        leaks != NULL ? leaks[l] : 0};
        if (pass->refractory != NULL && pass->refractory[i] > 0) {
            pass->refractory[i]--;
        } else {
            if (direct) {
                /* The membrane holds its weights modulo 2^16 already, and the whole fits int16. */
                neuron.membrane = snn_s16((uint32_t)neuron.membrane + (uint32_t)sum);
                sum = 0;
            }
            if (snn_lif_update(&neuron, sum, &rule, kind, &pass->saturations)) {
                word |= UINT32_C(1) << (i & 31);
                pass->spike_count++;
                if (pass->refractory != NULL) {
                    pass->refractory[i] = pass->refractory_steps;
                }
            }
            membrane[i] = (int16_t)neuron.membrane;
        }
        any = any || neuron.membrane != 0;
        if ((i & 31) == 31 || i + 1 == pass->count) {
            pass->spikes[i >> 5] = word;
            word = 0;
        }
        t = advance(t, pass->threshold.period);
        l = advance(l, pass->leak.period);
        s = advance(s, pass->steady.period);
    }
    pass->any_membrane = any;
}

/* ---- Words of 32 neurons ----
 * No branch depends on a neuron, so compilers make vectors of these loops.
 */

enum { WORD = 32 };

/**
 * 32 entries of a parameter from `index` on. A parameter of one value has it 32 times in `filled`.
 */
static const int16_t *parameter_word(const struct snn_parameter *parameter, uint32_t index,
                                     const int16_t *filled)
{
    return parameter->period == 1 ? filled : (const int16_t *)parameter->values + index;
}

/** A neuron's bit in its half of a word. */
static const uint16_t mark[WORD] = {0x1,   0x2,   0x4,   0x8,   0x10,   0x20,   0x40,   0x80,
                                    0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000,
                                    0x1,   0x2,   0x4,   0x8,   0x10,   0x20,   0x40,   0x80,
                                    0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000};

/**
 * Ors 16 marks into one. Four at a time are read as a number of 64 bits, which gives the same in
 * either order of bytes.
 */
static uint32_t gather_marks(const uint16_t marks[16])
{
    uint64_t four[4];
    memcpy(four, marks, sizeof four);
    const uint64_t all = (four[0] | four[1]) | (four[2] | four[3]);
    const uint32_t two = (uint32_t)(all | all >> 32);
    return (two | two >> 16) & 0xFFFFu;
}

/** sum[j] += common + steady[j] modulo 2^16; where `steady` is null it is 0. */
static void add_steady_s16(uint16_t *restrict sum, uint32_t common, const int16_t *restrict steady)
{
    for (uint32_t j = 0; j < WORD; j++) {
        sum[j] = (uint16_t)(sum[j] + (uint16_t)common);
    }
    for (uint32_t j = 0; steady != NULL && j < WORD; j++) {
        sum[j] = (uint16_t)(sum[j] + (uint16_t)steady[j]);
    }
}

static void add_steady_s32(uint32_t *restrict sum, uint32_t common, const int32_t *restrict steady)
{
    for (uint32_t j = 0; j < WORD; j++) {
        sum[j] += common;
    }
    for (uint32_t j = 0; steady != NULL && j < WORD; j++) {
        sum[j] += (uint32_t)steady[j];
    }
}

/** What 32 neurons have in common. */
struct rule {
    int16_t floor, ceiling, reset_to;
    int16_t subtract; /* -1: subtract reset */
    /* 1: a membrane at the threshold fires, so it need only exceed threshold - 1 */
    int16_t below;
};

/** Clamps membranes in place; returns how many changed. */
static uint32_t clamp_s16(int16_t *restrict membrane, const struct rule *rule)
{
    const int16_t floor = rule->floor;
    const int16_t ceiling = rule->ceiling;
    uint16_t changed = 0;
    for (uint32_t j = 0; j < WORD; j++) {
        const int16_t u = membrane[j];
        const int16_t raised = u < floor ? floor : u;
        const int16_t v = raised > ceiling ? ceiling : raised;
        membrane[j] = v;
        changed = (uint16_t)(changed + (v != u ? 1 : 0));
    }
    return changed;
}

/** membrane[j] + sum[j], clamped; returns how many the clamp changed. */
static uint32_t clamp_sum_s16(int16_t *restrict membrane, const int16_t *restrict sum,
                              const struct rule *rule)
{
    const int32_t floor = rule->floor;
    const int32_t ceiling = rule->ceiling;
    uint32_t changed = 0;
    for (uint32_t j = 0; j < WORD; j++) {
        const int32_t u = membrane[j] + sum[j];
        const int32_t raised = u < floor ? floor : u;
        const int32_t v = raised > ceiling ? ceiling : raised;
        membrane[j] = (int16_t)v;
        changed += v != u ? 1u : 0u;
    }
    return changed;
}

static uint32_t clamp_sum_s32(int16_t *restrict membrane, const int32_t *restrict sum,
                              const struct rule *rule)
{
    const int32_t floor = rule->floor;
    const int32_t ceiling = rule->ceiling;
    uint32_t changed = 0;
    for (uint32_t j = 0; j < WORD; j++) {
        const int32_t u = membrane[j] + sum[j];
        const int32_t raised = u < floor ? floor : u;
        const int32_t v = raised > ceiling ? ceiling : raised;
        membrane[j] = (int16_t)v;
        changed += v != u ? 1u : 0u;
    }
    return changed;
}

/**
 * Compares membranes with thresholds and resets those that fire; writes the marks of the neurons
 * that fire. Returns whether a membrane is not 0.
 */
static bool fire(int16_t *restrict membrane, const int16_t *restrict threshold,
                 uint16_t *restrict marks, const struct rule *rule)
{
    const int16_t subtract = rule->subtract;
    const int16_t reset_to = rule->reset_to;
    const int16_t below = rule->below;
    int16_t any = 0;
    for (uint32_t j = 0; j < WORD; j++) {
        const int16_t v = membrane[j];
        /* Thresholds are at least 1 where `below` is 1. */
        const int16_t spike = (int16_t) - (v > (int16_t)(threshold[j] - below));
        const int16_t lowered = (int16_t)(v - (int16_t)(threshold[j] & spike & subtract));
        const int16_t reset = (int16_t)(spike & ~subtract);
        const int16_t after = (int16_t)((lowered & ~reset) | (reset_to & reset));
        membrane[j] = after;
        marks[j] = (uint16_t)((uint16_t)spike & mark[j]);
        any = (int16_t)(any | after);
    }
    return any != 0;
}

static uint32_t next_word(uint32_t index, uint32_t period)
{
    return index + WORD < period ? index + WORD : 0;
}

void snn_lif_words(struct snn_lif_pass *whole)
{
    /*
     * Fields are copied to a local first: a store through `membrane` may alias the struct, so the
     * compiler would reload them after every store.
     */
    const struct snn_lif_pass copy = *whole;
    const struct snn_lif_pass *pass = &copy;
    uint32_t spike_count = 0;
    uint32_t saturations = 0;
    bool any = false;
    const uint32_t words = pass->count / WORD;
    const struct rule rule = {
        pass->floor, pass->ceiling, pass->reset == SNN_RESET_VALUE ? pass->reset_value : 0,
        pass->reset == SNN_RESET_SUBTRACT ? -1 : 0, pass->compare == SNN_GREATER ? 0 : 1};
    int16_t *membrane = pass->membrane;
    int16_t filled[WORD];
    uint16_t marks[WORD];
    uint32_t t = 0;
    uint32_t s = 0;
    for (uint32_t j = 0; j < WORD; j++) {
        filled[j] = ((const int16_t *)pass->threshold.values)[0];
    }
    for (uint32_t word = 0; word < words; word++, membrane += WORD) {
        if (pass->accumulator == SNN_ACCUMULATOR_S32) {
            int32_t *sum = (int32_t *)pass->sum + word * WORD;
            const int32_t *steady = pass->steady.values;
            add_steady_s32((uint32_t *)sum, (uint32_t)pass->common,
                           steady == NULL ? NULL : steady + s);
            saturations += clamp_sum_s32(membrane, sum, &rule);
            memset(sum, 0, WORD * sizeof *sum);
        } else {
            const bool direct = pass->accumulator == SNN_ACCUMULATOR_DIRECT;
            int16_t *sum = direct ? membrane : (int16_t *)pass->sum + word * WORD;
            const int16_t *steady = pass->steady.values;
            add_steady_s16((uint16_t *)sum, (uint32_t)pass->common,
                           steady == NULL ? NULL : steady + s);
            if (direct) {
                saturations += clamp_s16(membrane, &rule);
            } else {
                saturations += clamp_sum_s16(membrane, sum, &rule);
                memset(sum, 0, WORD * sizeof *sum);
            }
        }
        any = fire(membrane, parameter_word(&pass->threshold, t, filled), marks, &rule) || any;
        const uint32_t bits = gather_marks(marks) | gather_marks(marks + 16) << 16;
        pass->spikes[word] = bits;
        spike_count += snn_count_bits(bits);
        t = next_word(t, pass->threshold.period);
        s = next_word(s, pass->steady.period);
    }
    whole->spike_count += spike_count;
    whole->saturations += saturations;
    whole->any_membrane = whole->any_membrane || any;
}

/* ---- Synaptic currents ---- */

void snn_current_step(struct snn_population_state *state, int32_t *sum, int32_t common)
{
    const uint16_t *leaks = state->current_leak.values;
    const int32_t *held = state->steady;
    int32_t *current = state->current;
    uint32_t l = 0;
    state->any_current = false;
    for (uint32_t i = 0; i < state->size; i++) {
        int32_t arrived = snn_add_s32(sum[i], common);
        if (held != NULL) {
            arrived = snn_add_s32(arrived, held[i]);
        }
        current[i] = snn_add_s32(snn_leak_s32(current[i], leaks[l]), arrived);
        sum[i] = current[i];
        state->any_current = state->any_current || current[i] != 0;
        l = advance(l, state->current_leak.period);
    }
}

/* ---- Read-out: int32, no clamp; every partial sum stays below 2^31 by its bound ---- */

void snn_readout_leak(struct snn_population_state *state)
{
    const uint16_t *leaks = state->leak.values;
    int32_t *membrane = state->membrane;
    uint32_t l = 0;
    for (uint32_t i = 0; i < state->size; i++) {
        membrane[i] = snn_leak_s32(membrane[i], leaks[l]);
        l = advance(l, state->leak.period);
    }
}

void snn_readout_steady(struct snn_population_state *state, int32_t common)
{
    const int32_t *values = state->steady_parameter.values;
    int32_t *membrane = state->membrane;
    uint32_t s = 0;
    for (uint32_t i = 0; i < state->size; i++) {
        const int32_t steady = values != NULL ? values[s] : 0;
        membrane[i] = snn_add_s32(membrane[i], snn_add_s32(steady, common));
        s = advance(s, state->steady_parameter.period);
    }
}
