/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_DEVICE_KERNELS_H
#define SNN_DEVICE_KERNELS_H

#include "snn/image.h"
#include "snn/lif.h"

#include <stddef.h>

/*
 * The loops whose speed depends on the instruction set. Each instruction set has one or two files
 * of kernels. All files are compiled, but only the files of the set chosen here have content. Every
 * set computes the same integers.
 */
#define SNN_KERNELS_PORTABLE 0
#define SNN_KERNELS_ARMV6M 1
#define SNN_KERNELS_ARMV7M 2
#define SNN_KERNELS_ARM_DSP 3
#define SNN_KERNELS_HELIUM 4
#define SNN_KERNELS_RISCV32 5

/*
 * The instruction set that the compiler says it writes for; -DSNN_KERNELS=SNN_KERNELS_PORTABLE
 * takes the portable kernels on any.
 */
#ifndef SNN_KERNELS
#if defined(__ARM_FEATURE_MVE)
#define SNN_KERNELS SNN_KERNELS_HELIUM
#elif defined(__ARM_FEATURE_DSP)
#define SNN_KERNELS SNN_KERNELS_ARM_DSP
#elif defined(__ARM_ARCH_7M__) || defined(__ARM_ARCH_7EM__) || defined(__ARM_ARCH_8M_MAIN__) || \
    defined(__ARM_ARCH_8_1M_MAIN__)
#define SNN_KERNELS SNN_KERNELS_ARMV7M
#elif defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
#define SNN_KERNELS SNN_KERNELS_ARMV6M
#elif defined(__riscv) && __riscv_xlen == 32
#define SNN_KERNELS SNN_KERNELS_RISCV32
#else
#define SNN_KERNELS SNN_KERNELS_PORTABLE
#endif
#endif

#if SNN_KERNELS < SNN_KERNELS_PORTABLE || SNN_KERNELS > SNN_KERNELS_RISCV32
#error "SNN_KERNELS is none of SNN_KERNELS_PORTABLE, _ARMV6M, _ARMV7M, _ARM_DSP, _HELIUM, _RISCV32"
#endif
/** To the preprocessor a misspelt name is 0, portable; here it is undeclared. */
enum { SNN_KERNELS_CHOSEN = SNN_KERNELS };

/*
 * Sums lie two to a word, the even column in the low half, each as sum + SNN_SUM_ZERO modulo 2^16.
 * With plain 32-bit adds a word is low + 65536 high modulo 2^32 whatever carries pass between, and
 * every finished sum, lifted by 2^15, lies in its half. Instruction sets with lanes of 16 bits add
 * lane by lane and lift nothing.
 */
#if SNN_KERNELS == SNN_KERNELS_ARM_DSP || SNN_KERNELS == SNN_KERNELS_HELIUM
#define SNN_SUM_ZERO 0u
#else
#define SNN_SUM_ZERO 0x8000u
#endif

/** A condition that seldom holds. */
#if defined(__GNUC__) || defined(__clang__)
#define RARELY(condition) __builtin_expect(condition, 0)
#else
#define RARELY(condition) (condition)
#endif

/**
 * The same array is read as 32-bit words here and as 16-bit halves there. `may_alias` forbids the
 * compiler to assume that the two never overlap.
 */
#if defined(__GNUC__) || defined(__clang__)
typedef uint32_t __attribute__((may_alias)) snn_word;
typedef uint16_t __attribute__((may_alias)) snn_half;
#else
typedef uint32_t snn_word;
typedef uint16_t snn_half;
#endif

/**
 * Rows to add: row rows[i] begins at weights + rows[i] * row_bytes and has `columns` weights, a
 * multiple of 8.
 */
struct snn_packed_rows {
    const uint8_t *weights;
    const uint16_t *rows;
    uint32_t row_bytes, count, columns, shift; /**< count >= 1 */
};

/** Adds weight << shift of every row, packed as SNN_IMAGE_ROWS_8, to columns / 2 words of sums. */
void snn_add_rows_8(uint32_t *sums, const struct snn_packed_rows *set);
/** Adds weight << shift of every row, packed as SNN_IMAGE_ROWS_4, to columns / 2 words of sums. */
void snn_add_rows_4(uint32_t *sums, const struct snn_packed_rows *set);
/**
 * Adds values[i] times row rows[i], packed as SNN_IMAGE_ROWS_8, to `columns` sums of 32 bits. Does
 * not look at `shift`.
 */
void snn_mac_rows_8(int32_t *sums, const struct snn_packed_rows *set, const int16_t *values);

/**
 * The neurons of a pixel: they leak, add their sums, fire at `threshold` and subtract it. Sums lie
 * within int16. `rule.clamps` set: v + sum may overflow int16; it is clamped to floor ... ceiling,
 * and a membrane above the ceiling fires. `rule.clamps` clear: v + sum stays inside, as the exporter
 * has proven, or since all sums are 0. Assembly reads the fields up to `rule` by their offsets: 4
 * bytes each, in this order.
 */
struct snn_lif {
    int16_t *membrane;
    const uint32_t *sums;
    const int16_t *threshold; /**< the least membrane that fires, at least 1 */
    const uint32_t *decay;    /**< leak * 65536 + 1: see snn_leaked_lane; null: no leak */
    uint32_t *spikes;
    /** for snn_fire: words from one step's sums to the next; 0: all steps share the same sums */
    uint32_t sum_step;
    uint32_t lanes; /**< for snn_lif_step a multiple of 4 */
    /** for snn_fire: steps, at least 1; words from one step's spikes to the next */
    uint32_t steps, spike_words;
    struct snn_lif_rule rule;
    /** for snn_fire: membranes before the first step, within int16; null: zeros */
    const int32_t *initial;
};
#if SNN_KERNELS == SNN_KERNELS_ARMV6M || SNN_KERNELS == SNN_KERNELS_ARMV7M || \
    SNN_KERNELS == SNN_KERNELS_ARM_DSP
/** Does not compile where a field is not at the offset that assembly reads. */
typedef char snn_lif_layout[offsetof(struct snn_lif, spikes) == 16 &&
                                    offsetof(struct snn_lif, rule.greater) == 36 &&
                                    offsetof(struct snn_lif, rule.ceiling) == 48
                                ? 1
                                : -1];
#endif

/**
 * One step. Writes (lanes + 31) / 32 words of spikes: bit i & 31 of word i >> 5 is set where lane i
 * fires. Returns how often a membrane was clamped.
 */
uint32_t snn_lif_step(const struct snn_lif *lif);

/**
 * The spikes of `steps` steps, where membranes are not needed: neurons that cannot fire are not
 * computed. There is at least one lane; the arrays of thresholds, sums and `initial` have entries
 * up to a multiple of 4 lanes. Does not look at `membrane` and `rule.clamps`; always clamps to
 * floor ... ceiling, where floor <= 0. The spike of lane i in step t sets bit `bit` + i counted
 * from spikes + t * spike_words; no other bit changes.
 */
void snn_fire(const struct snn_lif *lif, uint32_t bit);

/**
 * What reaches driven neurons: the same sum in every step, of values and bias. The arrays have
 * entries up to a multiple of 4 lanes.
 */
struct snn_driven {
    const int32_t *current; /**< the sums of values before their shift */
    const int32_t *drive;   /**< the least current with which a neuron fires in some step */
    const int32_t *bias;    /**< may be null */
    uint32_t shift;
    uint32_t *sums; /**< the neurons' sums, overwritten */
};
/** Does what snn_fire does, for driven neurons; only neurons that fire are computed. */
void snn_fire_driven(const struct snn_lif *lif, const struct snn_driven *driven, uint32_t bit);

/** The leak in Q15 of a decay. */
static inline uint32_t snn_leak_of(uint32_t decay)
{
    return decay >> 16;
}

#if SNN_KERNELS != SNN_KERNELS_PORTABLE && SNN_KERNELS != SNN_KERNELS_ARMV6M
/**
 * trunc0(v * leak / 2^15) modulo 2^16, of a decay d = leak * 65536 + 1 and v within int16: the high
 * word of 2 v d, where 2 v is taken modulo 2^32. The high word is a floor. The last bit of d adds
 * (2 v) / 2^32 to the quotient: too little to matter above 0, but below 0 it makes every floor one
 * less than the truncated quotient. A negative 2 v modulo 2^32 is 2 v + 2^32, which adds d to the
 * high word. d is 1 modulo 2^16, so this adds the 1 that was missing.
 */
static inline uint32_t snn_leaked_lane(int32_t v, uint32_t decay)
{
    return (uint32_t)(((uint64_t)(2 * (uint32_t)v) * decay) >> 32);
}
#endif

#endif
