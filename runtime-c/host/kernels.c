/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_table.h"

/* Chooses among the kernels that the build and the processor offer. */

const struct snn_kernels *snn_best_kernels(void)
{
#if SNN_X86_KERNELS
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        return &snn_kernels_avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return &snn_kernels_avx2;
    }
#endif
    return &snn_kernels_portable;
}
