/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_HOST_LAYOUT_H
#define SNN_HOST_LAYOUT_H

#include "checks.h"
#include "state.h"

/* Layout (layout.c, layout_taps.c): where every array of a network lies in memory. */

/** Memory that a walk places arrays in, or counts where there is none. */
struct snn_memory {
    uint8_t *base; /**< null: only count */
    uint64_t used; /**< wider than size_t of 32 bits: a model may ask for more than there can be */
};

/**
 * Places every array from `base` on and returns the bytes used; with a null base it only counts.
 */
size_t snn_lay_out(const struct snn_model *model, const struct snn_plan *plan, uint8_t *base);

/**
 * The place of `count` entries of `size` bytes, behind all that was taken before. At most 2^10 slots
 * of 2^20 entries of 2^8 bytes: 2^38, for fewer than 2^20 arrays.
 */
static inline void *snn_take(struct snn_memory *memory, uint64_t count, size_t size)
{
    void *place = memory->base == NULL ? NULL : memory->base + memory->used;
    memory->used += (count * size + SNN_ALIGNMENT - 1) & ~(uint64_t)(SNN_ALIGNMENT - 1);
    return place;
}

/**
 * One tap of a projection of the model; its maps of source coordinates are those of the tap
 * `before` it, if any.
 */
struct snn_projection_state snn_place_tap(struct snn_memory *memory, const struct snn_model *model,
                                          uint32_t index, uint32_t tap,
                                          const struct snn_projection_state *before);

#endif
