/* SPDX-License-Identifier: Apache-2.0 */
#include "snn/scores.h"
#include "state.h"

/* What can be asked of a network: answers, spikes, membranes, counters, and the hash of a trace. */

const int32_t *snn_scores(const struct snn *snn, uint32_t *count)
{
    const struct snn_population_state *readout = &snn->populations[snn->model->readout];
    if (count != NULL) {
        *count = readout->size;
    }
    return readout->membrane;
}

uint32_t snn_class(const struct snn *snn)
{
    uint32_t count = 0;
    const int32_t *scores = snn_scores(snn, &count);
    return snn_best_score(scores, count);
}

const uint32_t *snn_spikes(const struct snn *snn, uint32_t population, uint32_t *count)
{
    const bool spiking =
        population < snn->model->population_count && snn->populations[population].spikes != NULL;
    if (count != NULL) {
        *count = 0;
    }
    if (!spiking) {
        return NULL;
    }
    /* The spikes of the last closed step; before step 0 every slot is empty. */
    const struct snn_population_state *state = &snn->populations[population];
    const uint32_t slot = snn_slot(snn->steps > 0 ? snn->steps - 1 : 0, state->slots);
    if (count != NULL) {
        *count = state->spike_count[slot];
    }
    return state->spikes + (size_t)slot * state->words;
}

int32_t snn_membrane(const struct snn *snn, uint32_t population, uint32_t neuron)
{
    if (population >= snn->model->population_count || neuron >= snn->populations[population].size) {
        return 0;
    }
    const void *membrane = snn->populations[population].membrane;
    return snn->model->populations[population].kind == SNN_READOUT
               ? ((const int32_t *)membrane)[neuron]
               : ((const int16_t *)membrane)[neuron];
}

void snn_set_trace(struct snn *snn, snn_trace_function *function, void *context)
{
    snn->trace = function;
    snn->trace_context = context;
}

struct snn_population_counters snn_population_counters(const struct snn *snn, uint32_t population)
{
    struct snn_population_counters counters = {0, 0, 0};
    if (population < snn->model->population_count) {
        const struct snn_population_state *state = &snn->populations[population];
        counters.spikes_out = state->spikes_out;
        counters.updates = (uint64_t)state->size * snn->steps;
        counters.saturations = state->saturations;
    }
    return counters;
}

struct snn_projection_counters snn_projection_counters(const struct snn *snn, uint32_t projection)
{
    struct snn_projection_counters counters = {0, 0, 0};
    for (uint32_t i = 0; i < snn->tap_count; i++) {
        const struct snn_projection_state *tap = &snn->taps[i];
        if (tap->index == projection) {
            counters.spikes_in += tap->counters.spikes_in;
            counters.synops += tap->counters.synops;
            counters.macs += tap->counters.macs;
        }
    }
    return counters;
}

struct snn_input_counters snn_input_counters(const struct snn *snn, uint32_t port)
{
    const struct snn_input_counters none = {0, 0, 0, 0};
    return port < snn->model->input_count ? snn->inputs[port].counters : none;
}

struct snn_engine_counters snn_engine_counters(const struct snn *snn)
{
    struct snn_engine_counters counters = {0, snn->weight_bytes};
    for (uint32_t p = 0; p < snn->model->population_count; p++) {
        counters.population_steps_skipped += snn->populations[p].skipped;
    }
    return counters;
}

enum snn_accumulator snn_accumulator(const struct snn *snn, uint32_t population)
{
    return population < snn->model->population_count
               ? (enum snn_accumulator)snn->populations[population].accumulator
               : SNN_ACCUMULATOR_S32;
}

uint32_t snn_hash_word(uint32_t hash, uint32_t word)
{
    return (((hash << 5) | (hash >> 27)) ^ word) * UINT32_C(0x9E3779B1);
}

uint32_t snn_hash_population(uint32_t hash, const struct snn *snn, uint32_t population)
{
    if (population >= snn->model->population_count) {
        return hash;
    }
    const uint32_t size = snn->populations[population].size;
    const uint32_t *spikes = snn_spikes(snn, population, NULL);
    for (uint32_t i = 0; spikes != NULL && i < size; i++) {
        if ((spikes[i >> 5] >> (i & 31) & 1) != 0) {
            hash = snn_hash_word(hash, i);
        }
    }
    hash = snn_hash_word(hash, UINT32_MAX);
    for (uint32_t i = 0; i < size; i++) {
        hash = snn_hash_word(hash, (uint32_t)snn_membrane(snn, population, i));
    }
    return hash;
}
