/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_CONFIG_H
#define SNN_CONFIG_H

/*
 * Build choices. They change speed and the size of the state, never a result and never a public
 * struct. Define them on the compiler's command line, for every file alike.
 */

/**
 * How many steps snn_run computes of one population before it turns to the next, where the model
 * allows it (all input is held, nothing is delayed). 1 turns this off. Each step more costs one bit
 * of memory per spiking neuron. Range 1 ... 64.
 */
#ifndef SNN_RUN_BLOCK
#define SNN_RUN_BLOCK 8
#endif

/**
 * 1: use AVX2 and AVX-512 where the processor has them (x86-64 with GCC or Clang). 0: portable C
 * only.
 */
#ifndef SNN_X86_KERNELS
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define SNN_X86_KERNELS 1
#else
#define SNN_X86_KERNELS 0
#endif
#endif

/**
 * Alignment in bytes of every array of the state, a power of two >= 8; costs up to this much per
 * array.
 */
#ifndef SNN_ALIGNMENT
#if SNN_X86_KERNELS
#define SNN_ALIGNMENT 64
#else
#define SNN_ALIGNMENT 8
#endif
#endif

#endif
