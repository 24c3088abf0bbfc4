#include "clones.h"
#include "kernels.h"

#pragma STDC FP_CONTRACT OFF

#define SNN_INLINE static inline __attribute__((always_inline))

SNN_INLINE float magnitude(float x)
{
    return x < 0 ? 0.0f - x : x;
}

/* The slope at z; `table` is the neuron's own entry. */
SNN_INLINE float slope_at(float z, enum snn_slope_kind kind, float scale, float half_width,
                          float table)
{
    switch (kind) {
    case SNN_SLOPE_TRIANGULAR: {
        const float height = 1.0f - magnitude(z);
        return (height < 0 ? 0.0f : height) * scale;
    }
    case SNN_SLOPE_ARCTAN: {
        const float x = z * (scale * 0x1.921fb4p1f / 2.0f);
        return (scale / 2.0f) / (1.0f + x * x);
    }
    case SNN_SLOPE_FAST_SIGMOID: {
        const float x = 1.0f + magnitude(z) * scale;
        return 1.0f / (x * x);
    }
    case SNN_SLOPE_RECTANGULAR: return magnitude(z) < half_width ? scale : 0.0f;
    case SNN_SLOPE_TABLE: break;
    }
    return table;
}

float snn_slope_at(const struct snn_slope *slope, float z)
{
    const float table = slope->kind == SNN_SLOPE_TABLE ? slope->table[0] : 0.0f;
    return slope_at(z, slope->kind, slope->scale, slope->half_width, table);
}

SNN_INLINE void backward(const struct snn_lif_rules *rules, const struct snn_slope *slope,
                         const struct snn_lif_backward_row *row, const enum snn_slope_kind kind,
                         const bool refractory, const bool is_first)
{
    const float *restrict threshold = row->threshold;
    const float *restrict inverse_threshold = row->inverse_threshold;
    const float *restrict leak = row->leak;
    const float *restrict potential = row->potential;
    /* At step 0 nothing came before: any readable row serves, `before` is then 0. */
    const float *restrict earlier = is_first ? row->potential : row->earlier;
    /* Where a step may be lost, whether a neuron fired does not follow from its potential. */
    const float *restrict spikes = refractory ? row->spike : row->potential;
    const float *restrict earlier_spikes =
        refractory && !is_first ? row->earlier_spike : row->potential;
    const float *restrict blocked = refractory ? row->blocked : row->potential;
    const float *restrict initial = row->initial;
    const float *restrict table = kind == SNN_SLOPE_TABLE ? slope->table : row->potential;
    float *restrict gradient = row->gradient;
    float *restrict carried = row->carried;
    float *restrict threshold_gradient = row->threshold_gradient;
    float *restrict leak_gradient = row->leak_gradient;
    float *restrict bias_gradient = row->bias_gradient;
    const struct snn_lif_rules r = *rules;
    const float scale = slope->scale;
    const float half_width = slope->half_width;
    const float offset = row->spike_offset;
    const size_t length = row->length;

    SNN_INDEPENDENT
    for (size_t i = 0; i < length; i++) {
        const float theta = threshold[i];
        const float inverse = inverse_threshold[i];
        const float v = potential[i];
        const float spike = refractory                               ? spikes[i]
                            : (r.inclusive ? v >= theta : v > theta) ? 1.0f
                                                                     : 0.0f;
        const bool lost = refractory && blocked[i] != 0;
        const float after = carried[i];
        const float from_spike = gradient[i] + offset;
        const float psi = slope_at(v * inverse - 1.0f, kind, scale, half_width, table[i]);
        const float by_spike = lost ? 0.0f : from_spike * psi * inverse;
        float inner = after * (r.subtracts ? 1.0f : 1.0f - spike) + by_spike;
        const float through_slope = (0.0f - by_spike) * v * inverse;
        const float by_threshold = r.subtracts ? through_slope - spike * after : through_slope;
        /* A clamped membrane does not move with its inputs. */
        const bool is_clamped = r.on_grid & ((v <= r.floor) | (v >= r.ceiling));
        inner = (is_clamped | lost) ? 0.0f : inner;
        const float previous = earlier[i];
        const float fired = refractory ? earlier_spikes[i]
                            : (r.inclusive ? previous >= theta : previous > theta) ? 1.0f
                                                                                   : 0.0f;
        const float left = r.subtracts ? previous - theta * fired
                                       : previous * (1.0f - fired) + r.reset_value * fired;
        const float before = is_first ? initial[i] : left;
        gradient[i] = inner * r.current_scale;
        /* A membrane whose step is lost stays as it was. */
        carried[i] = lost ? after : inner * leak[i];
        threshold_gradient[i] += by_threshold;
        leak_gradient[i] += inner * before;
        bias_gradient[i] += inner;
    }
}

SNN_INLINE void any_slope(const struct snn_lif_rules *rules, const struct snn_slope *slope,
                          const struct snn_lif_backward_row *row, const bool refractory,
                          const bool is_first)
{
    switch (slope->kind) {
    case SNN_SLOPE_TRIANGULAR:
        backward(rules, slope, row, SNN_SLOPE_TRIANGULAR, refractory, is_first);
        break;
    case SNN_SLOPE_ARCTAN:
        backward(rules, slope, row, SNN_SLOPE_ARCTAN, refractory, is_first);
        break;
    case SNN_SLOPE_FAST_SIGMOID:
        backward(rules, slope, row, SNN_SLOPE_FAST_SIGMOID, refractory, is_first);
        break;
    case SNN_SLOPE_RECTANGULAR:
        backward(rules, slope, row, SNN_SLOPE_RECTANGULAR, refractory, is_first);
        break;
    case SNN_SLOPE_TABLE: backward(rules, slope, row, SNN_SLOPE_TABLE, refractory, is_first); break;
    }
}

SNN_CLONES
void snn_lif_backward(const struct snn_lif_rules *rules, const struct snn_slope *slope,
                      const struct snn_lif_backward_row *row)
{
    const bool is_first = row->earlier == NULL;
    if (rules->refractory_steps > 0) {
        any_slope(rules, slope, row, true, is_first);
    } else if (is_first) {
        any_slope(rules, slope, row, false, true);
    } else {
        any_slope(rules, slope, row, false, false);
    }
}
