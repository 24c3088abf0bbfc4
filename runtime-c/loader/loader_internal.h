/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_LOADER_INTERNAL_H
#define SNN_LOADER_INTERNAL_H

#include "generated/snn_model.pb-c.h"
#include "snn_loader.h"

#include "snn/snn.h"

/** The caller's arena: the model grows from below, what is needed only while loading from above. */
struct loader {
    uint8_t *base;
    size_t low, high; /* free bytes lie between */
    uint64_t entries; /* rows * columns of the projections read so far */
    struct snn_loader_error *error;
};

/**
 * Zeroed memory that the model keeps, `count` items of `size` bytes: count < 2^33 and size <= 256.
 * Null, with the error set, when the arena is used up.
 */
void *loader_keep(struct loader *loader, uint64_t count, size_t size);
/**
 * Memory of any `size` until snn_load returns; null, with the error set, when the arena is used up.
 */
void *loader_scratch(struct loader *loader, uint64_t size);

/**
 * Sets the error and returns false. Its path is part[index].field, such as
 * "projections[2].weights"; a negative index is left out.
 */
bool loader_refuse(struct loader *loader, enum snn_status code, const char *part, int64_t index,
                   const char *field, int64_t expected, int64_t found);

/** The message under conversion, for errors. */
struct loader_place {
    struct loader *loader;
    const char *part;
    int64_t index;
};

static inline bool loader_in_range(const struct loader_place *at, const char *field, int64_t value,
                                   int64_t low, int64_t high)
{
    return (value >= low && value <= high) ||
           loader_refuse(at->loader, SNN_ERROR_LIMIT, at->part, at->index, field,
                         value < low ? low : high, value);
}

/** Structs of a whole message; null, with the error set, where it makes none. */
struct snn_model *loader_read_model(struct loader *loader, const Snnpb__Model *from);

/** Refuses text, which ends in 0, that is not UTF-8. */
bool loader_check_text(struct loader *loader, const char *part, int64_t index, const char *field,
                       const char *text);

/** Reads the weights of projection `index`, whose topology and convolution are set. */
bool loader_read_weights(struct loader *loader, uint32_t index, const Snnpb__Weights *from,
                         struct snn_projection *projection);

#endif
