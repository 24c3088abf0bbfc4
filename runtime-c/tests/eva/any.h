/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_EVA_ANY_H
#define SNN_EVA_ANY_H

#include "__fc_builtin.h"

#include <stddef.h>
#include <stdint.h>

/* Values that Eva takes for all there are. */

static uint32_t any_u32(uint32_t low, uint32_t high)
{
    return Frama_C_unsigned_int_interval(low, high);
}

static int32_t any_s32(int32_t low, int32_t high)
{
    return Frama_C_int_interval(low, high);
}

/** Fills memory with bytes of any value. */
static void any_bytes(void *memory, size_t size)
{
    Frama_C_make_unknown((char *)memory, size);
}

#endif
