/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_LOADER_H
#define SNN_LOADER_H

#include "snn/model.h"
#include "snn/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Longest place in an error, with its final 0. */
#define SNN_LOADER_PATH 64

/**
 * Why a file was refused, in a form that makes one clear line: "<path>: expected <expected>, found
 * <found>".
 */
struct snn_loader_error {
    enum snn_status code;
    /** e.g. "projections[2].weights.index"; empty: the file as a whole */
    char path[SNN_LOADER_PATH];
    /** the limit or size that the rule states, and what the file holds */
    int64_t expected, found;
    /** SNN_ERROR_MEMORY: bytes of arena to try next; larger than those given */
    size_t needed;
    /** SNN_OK: leading bytes of the arena that the model occupies; the rest is free */
    size_t used;
};

/**
 * Reads the `length` bytes of a .snnpb file into a model that snn_init accepts. Every count, index,
 * size and bound is checked before use; hostile bytes end in an error, never in undefined
 * behaviour.
 *
 * All memory comes from `arena` (any alignment; null with size 0 to ask). When it is too small the
 * call returns SNN_ERROR_MEMORY with `error->needed`: ask, provide, call again. A few rounds end
 * it: what a file holds is known only once it is unpacked. `needed` never exceeds
 * SNN_LOADER_MAX_ARENA, whatever the file says.
 *
 * `*model` points into the arena, or is null after an error. `bytes` may be released afterwards.
 * `error` must not be null. Codes: all of status.h except ARGUMENT (only for null pointers), VALUE
 * and STEPS.
 */
SNN_MUST_USE enum snn_status snn_load(void *arena, size_t size, const void *bytes, size_t length,
                                      const struct snn_model **model,
                                      struct snn_loader_error *error);

/**
 * Most bytes of arena that snn_load asks for; a file that would need more is refused with
 * SNN_ERROR_LIMIT.
 */
#define SNN_LOADER_MAX_ARENA ((size_t)1 << 31)

/** One line of English for a status, constant, never null. */
const char *snn_status_text(enum snn_status status);

#ifdef __cplusplus
}
#endif
#endif
