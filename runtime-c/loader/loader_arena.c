/* SPDX-License-Identifier: Apache-2.0 */
#include "loader_internal.h"

#include <string.h>

/* The memory of a load, and the error that ends one. */

static bool out_of_memory(struct loader *loader, uint64_t more)
{
    struct snn_loader_error *error = loader->error;
    const uint64_t size = loader->low + loader->high + more;
    error->code = more > SNN_LOADER_MAX_ARENA / 2 ? SNN_ERROR_LIMIT : SNN_ERROR_MEMORY;
    error->needed = (size_t)(size < SNN_LOADER_MAX_ARENA ? size : SNN_LOADER_MAX_ARENA);
    return false;
}

void *loader_keep(struct loader *loader, uint64_t count, size_t size)
{
    /* count < 2^33 and size <= 256: the product is below 2^42. */
    const uint64_t bytes = (count * size + 15) & ~UINT64_C(15);
    if (bytes > loader->high - loader->low) {
        (void)out_of_memory(loader, bytes);
        return NULL;
    }
    void *place = loader->base + loader->low;
    loader->low += (size_t)bytes;
    memset(place, 0, (size_t)bytes);
    return place;
}

void *loader_scratch(struct loader *loader, uint64_t size)
{
    const uint64_t bytes = (size + 15) & ~UINT64_C(15);
    if (size > UINT64_MAX - 15 || bytes > loader->high - loader->low) {
        (void)out_of_memory(loader, size > SNN_LOADER_MAX_ARENA ? SNN_LOADER_MAX_ARENA : bytes);
        return NULL;
    }
    loader->high -= (size_t)bytes;
    return loader->base + loader->high;
}

/** Appends as much of a text as fits and returns the new end of the path. */
static size_t append(char path[SNN_LOADER_PATH], size_t at, const char *text)
{
    while (*text != 0 && at + 1 < SNN_LOADER_PATH) {
        path[at++] = *text++;
    }
    path[at] = 0;
    return at;
}

static size_t append_index(char path[SNN_LOADER_PATH], size_t at, int64_t index)
{
    char digits[24];
    size_t first = sizeof digits - 1;
    digits[first] = 0;
    digits[--first] = ']';
    do {
        digits[--first] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    digits[--first] = '[';
    return append(path, at, digits + first);
}

bool loader_refuse(struct loader *loader, enum snn_status code, const char *part, int64_t index,
                   const char *field, int64_t expected, int64_t found)
{
    struct snn_loader_error *error = loader->error;
    size_t at = append(error->path, 0, part);
    if (index >= 0) {
        at = append_index(error->path, at, index);
    }
    if (at > 0 && field[0] != 0) {
        at = append(error->path, at, ".");
    }
    (void)append(error->path, at, field);
    error->code = code;
    error->expected = expected;
    error->found = found;
    return false;
}
