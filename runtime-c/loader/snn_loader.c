/* SPDX-License-Identifier: Apache-2.0 */
#include "snn_loader.h"

#include "loader_internal.h"

#include <string.h>
#include <zlib.h>

/*
 * A file: its checksum and version, the memory of its reading, and its errors. loader_model.c makes
 * structs of its message.
 */

/** FORMAT.md, section 9: a file ends with the tag of *checksum* and the CRC-32 of all before. */
static bool check_checksum(struct loader *loader, const uint8_t *bytes, size_t length)
{
    const size_t size = 6;
    const uint8_t *end = bytes + (length < size ? 0 : length - size);
    if (length < size || end[0] != 0xFD || end[1] != 0x7F) {
        return loader_refuse(loader, SNN_ERROR_CHECKSUM, "", -1, "checksum", (int64_t)size, 0);
    }
    const uint32_t stored =
        (uint32_t)end[2] | (uint32_t)end[3] << 8 | (uint32_t)end[4] << 16 | (uint32_t)end[5] << 24;
    const uint32_t sum = (uint32_t)crc32_z(0, bytes, length - size);
    return stored == sum ||
           loader_refuse(loader, SNN_ERROR_CHECKSUM, "", -1, "checksum", sum, stored);
}

/**
 * FORMAT.md, section 10: turns a message of 1.0 into one of this version, so that all that follows
 * knows one version only. A message of this version must have its checksum.
 */
static bool check_version(struct loader *loader, Snnpb__Model *from, const uint8_t *bytes,
                          size_t length)
{
    if (from->format_major == SNN_FORMAT_MAJOR) {
        return check_checksum(loader, bytes, length);
    }
    if (from->format_major != 1) {
        return loader_refuse(loader, SNN_ERROR_VERSION, "", -1, "format_major", SNN_FORMAT_MAJOR,
                             from->format_major);
    }
    const struct loader_place at = {loader, "", -1};
    if (!loader_in_range(&at, "checksum", from->checksum, 0, 0) ||
        !loader_in_range(&at, "exit", from->exit != NULL, 0, 0)) {
        return false;
    }
    for (size_t i = 0; i < from->n_inputs; i++) {
        const struct loader_place input = {loader, "inputs", (int64_t)i};
        if (!loader_in_range(&input, "encoder", from->inputs[i]->encoder != NULL, 0, 0) ||
            !loader_in_range(&input, "sensor", from->inputs[i]->sensor != NULL, 0, 0)) {
            return false;
        }
    }
    for (size_t i = 0; i < from->n_populations; i++) {
        const struct loader_place population = {loader, "populations", (int64_t)i};
        const int64_t count = (int64_t)from->populations[i]->n_current_leak;
        if (!loader_in_range(&population, "current_leak", count, 0, 0)) {
            return false;
        }
    }
    for (size_t i = 0; i < from->n_projections; i++) {
        const struct loader_place projection = {loader, "projections", (int64_t)i};
        const Snnpb__Projection *older = from->projections[i];
        const bool input = older->source_case == SNNPB__PROJECTION__SOURCE_INPUT;
        Snnpb__Convolution *kernel = older->convolution;
        if (!loader_in_range(&projection, "delay", older->delay, 0, input ? 0 : 1) ||
            !loader_in_range(&projection, "taps", older->taps, 0, 0) ||
            !loader_in_range(&projection, "tap_step", older->tap_step, 0, 0)) {
            return false;
        }
        if (kernel != NULL) {
            if (!loader_in_range(&projection, "padding_bottom", kernel->padding_bottom, 0, 0) ||
                !loader_in_range(&projection, "padding_right", kernel->padding_right, 0, 0)) {
                return false;
            }
            kernel->padding_bottom = kernel->padding_top;
            kernel->padding_right = kernel->padding_left;
        }
    }
    return true;
}

/** Reports the rule that snn_check found broken, with the schema's names. */
static bool report_fault(struct loader *loader, const struct snn_fault *fault)
{
    static const char *const parts[] = {"", "inputs", "populations", "projections"};
    static const char *const fields[SNN_FIELD_COUNT] = {"",
                                                        "format_major",
                                                        "step_microseconds",
                                                        "steps",
                                                        "max_steps",
                                                        "inputs",
                                                        "populations",
                                                        "projections",
                                                        "readout",
                                                        "exit",
                                                        "shape",
                                                        "kind",
                                                        "multiplicity",
                                                        "max_events_per_step",
                                                        "min_value",
                                                        "max_value",
                                                        "encoder",
                                                        "sensor",
                                                        "threshold",
                                                        "leak",
                                                        "bias",
                                                        "initial",
                                                        "current_leak",
                                                        "reset",
                                                        "reset_value",
                                                        "compare",
                                                        "refractory_steps",
                                                        "floor",
                                                        "ceiling",
                                                        "source",
                                                        "target",
                                                        "delay",
                                                        "taps",
                                                        "tap_step",
                                                        "topology",
                                                        "convolution",
                                                        "pool",
                                                        "shift",
                                                        "weights",
                                                        "weights.rows",
                                                        "weights.columns"};
    return loader_refuse(loader, fault->status, parts[fault->part],
                         fault->part == SNN_PART_MODEL ? -1 : (int64_t)fault->index,
                         fields[fault->field], fault->expected, fault->found);
}

static void *unpack_alloc(void *context, size_t size)
{
    return loader_scratch(context, size);
}

static void unpack_free(void *context, void *pointer)
{
    (void)context;
    (void)pointer;
}

enum snn_status snn_load(void *arena, size_t size, const void *bytes, size_t length,
                         const struct snn_model **model, struct snn_loader_error *error)
{
    uint8_t nothing[1] = {0};
    const size_t misaligned = (size_t)(-(uintptr_t)arena & 15);
    struct loader loader = {nothing, 0, 0, 0, error};
    if (error == NULL || model == NULL || bytes == NULL || (arena == NULL && size != 0)) {
        return SNN_ERROR_ARGUMENT;
    }
    memset(error, 0, sizeof *error);
    *model = NULL;
    if (length > SNN_LOADER_MAX_ARENA / 4) {
        (void)loader_refuse(&loader, SNN_ERROR_LIMIT, "", -1, "",
                            (int64_t)(SNN_LOADER_MAX_ARENA / 4), (int64_t)length);
        return error->code;
    }
    if (size < 2 * length + 65536) {
        error->code = SNN_ERROR_MEMORY;
        error->needed = 3 * length + 131072;
        return error->code;
    }
    if (arena != NULL) {
        loader.base = (uint8_t *)arena + misaligned;
        loader.high = (size - misaligned) & ~(size_t)15;
    }
    ProtobufCAllocator allocator = {unpack_alloc, unpack_free, &loader};
    Snnpb__Model *message = snnpb__model__unpack(&allocator, length, bytes);
    const struct snn_model *made = NULL;
    if (message != NULL) {
        made = check_version(&loader, message, bytes, length) ? loader_read_model(&loader, message)
                                                              : NULL;
    } else if (error->code == SNN_OK) {
        (void)loader_refuse(&loader, SNN_ERROR_SYNTAX, "", -1, "", 0, 0);
    }
    struct snn_fault fault;
    if (made != NULL && snn_check(made, &fault) != SNN_OK) {
        (void)report_fault(&loader, &fault);
    }
    if (error->code == SNN_ERROR_MEMORY) {
        /*
         * Asking for twice as much each time ends in few rounds, whatever the file turns out to
         * hold.
         */
        const size_t twice = size < SNN_LOADER_MAX_ARENA / 2 ? 2 * size : SNN_LOADER_MAX_ARENA;
        error->needed = error->needed > twice ? error->needed : twice;
        if (size >= SNN_LOADER_MAX_ARENA) {
            error->code = SNN_ERROR_LIMIT;
        }
    }
    if (error->code == SNN_OK) {
        *model = made;
        error->used = loader.low + misaligned;
    }
    return error->code;
}

const char *snn_status_text(enum snn_status status)
{
    static const char *const texts[] = {"success",
                                        "argument is null or names nothing",
                                        "not enough memory",
                                        "format version not supported",
                                        "number outside its limits",
                                        "shapes or counts do not fit",
                                        "reference to something that is not there",
                                        "delay-0 projections form a cycle",
                                        "sums could overflow",
                                        "weight rows are not well formed",
                                        "value outside the port's range",
                                        "max_steps reached",
                                        "not a .snnpb message, or one that is cut short",
                                        "unknown enum value or field",
                                        "stated size disagrees with the bytes",
                                        "compressed bytes are broken",
                                        "weight index is not well formed",
                                        "weight code without a value",
                                        "file cut short or damaged"};
    const int number = -(int)status;
    return number >= 0 && number < (int)(sizeof texts / sizeof texts[0]) ? texts[number]
                                                                         : "unknown status";
}
