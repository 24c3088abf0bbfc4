/* SPDX-License-Identifier: Apache-2.0 */
#include "snn_loader.h"

#include "loader_internal.h"

#include <string.h>
#include <zlib.h>

/*
 * From .snnpb bytes to struct snn_model. What must be checked before it can be stored in narrower
 * types, or before memory is laid out, is checked here; every rule about the model itself is
 * checked by snn_check, on the result.
 */

/* ---- Messages to structs ---- */

/** The message under conversion, for errors. */
struct place {
    struct loader *loader;
    const char *part;
    int64_t index;
};

static bool in_range(const struct place *at, const char *field, int64_t value, int64_t low,
                     int64_t high)
{
    return (value >= low && value <= high) ||
           loader_refuse(at->loader, SNN_ERROR_LIMIT, at->part, at->index, field,
                         value < low ? low : high, value);
}

static bool known(const struct place *at, const char *field, int value, int last)
{
    return (value >= 0 && value <= last) ||
           loader_refuse(at->loader, SNN_ERROR_ENUM, at->part, at->index, field, last, value);
}

static bool text(const struct place *at, const char *field, const char *value)
{
    return loader_check_text(at->loader, at->part, at->index, field, value);
}

static bool present(const struct place *at, const char *field, const void *message)
{
    return message != NULL ||
           loader_refuse(at->loader, SNN_ERROR_SHAPE, at->part, at->index, field, 1, 0);
}

static struct snn_shape read_shape(const Snnpb__Shape *from)
{
    const struct snn_shape shape = {from->channels, from->height, from->width};
    return shape;
}

static bool read_input(struct loader *loader, uint32_t index, const Snnpb__InputPort *from,
                       struct snn_input *to)
{
    const struct place at = {loader, "inputs", index};
    const bool values = from->kind == SNNPB__INPUT_PORT__KIND__VALUES;
    if (!text(&at, "name", from->name) || !text(&at, "encoder", from->encoder) ||
        !present(&at, "shape", from->shape) || !known(&at, "kind", (int)from->kind, SNN_VALUES) ||
        !known(&at, "multiplicity", (int)from->multiplicity, SNN_EVERY) ||
        (values && (!in_range(&at, "min_value", from->min_value, INT16_MIN, INT16_MAX) ||
                    !in_range(&at, "max_value", from->max_value, INT16_MIN, INT16_MAX)))) {
        return false;
    }
    to->shape = read_shape(from->shape);
    to->kind = (uint8_t)from->kind;
    to->multiplicity = (uint8_t)from->multiplicity;
    to->max_events_per_step = from->max_events_per_step;
    to->min_value = (int16_t)(values ? from->min_value : 0);
    to->max_value = (int16_t)(values ? from->max_value : 0);
    to->frame_per_step = from->frame_per_step != 0;
    return true;
}

static bool read_leaks(const struct place *at, const char *field, size_t count,
                       const uint32_t *from, uint16_t *to)
{
    for (size_t i = 0; i < count; i++) {
        if (!in_range(at, field, from[i], 0, 32768)) {
            return false;
        }
        to[i] = (uint16_t)from[i];
    }
    return true;
}

static bool read_parameters(const struct place *at, const Snnpb__Population *from,
                            struct snn_population *to)
{
    const size_t most = (size_t)1 << 20;
    if (!in_range(at, "threshold", (int64_t)from->n_threshold, 0, (int64_t)most) ||
        !in_range(at, "leak", (int64_t)from->n_leak, 0, (int64_t)most) ||
        !in_range(at, "bias", (int64_t)from->n_bias, 0, (int64_t)most) ||
        !in_range(at, "initial", (int64_t)from->n_initial, 0, (int64_t)most) ||
        !in_range(at, "current_leak", (int64_t)from->n_current_leak, 0, (int64_t)most)) {
        return false;
    }
    int16_t *threshold = loader_keep(at->loader, from->n_threshold, sizeof *threshold);
    uint16_t *leak = loader_keep(at->loader, from->n_leak, sizeof *leak);
    int32_t *bias = loader_keep(at->loader, from->n_bias, sizeof *bias);
    int32_t *initial = loader_keep(at->loader, from->n_initial, sizeof *initial);
    uint16_t *current_leak = loader_keep(at->loader, from->n_current_leak, sizeof *current_leak);
    if (threshold == NULL || leak == NULL || bias == NULL || initial == NULL ||
        current_leak == NULL || !read_leaks(at, "leak", from->n_leak, from->leak, leak) ||
        !read_leaks(at, "current_leak", from->n_current_leak, from->current_leak, current_leak)) {
        return false;
    }
    for (size_t i = 0; i < from->n_threshold; i++) {
        if (!in_range(at, "threshold", from->threshold[i], 0, INT16_MAX)) {
            return false;
        }
        threshold[i] = (int16_t)from->threshold[i];
    }
    for (size_t i = 0; i < from->n_bias; i++) {
        bias[i] = from->bias[i];
    }
    for (size_t i = 0; i < from->n_initial; i++) {
        initial[i] = from->initial[i];
    }
    to->threshold = threshold;
    to->leak = leak;
    to->bias = bias;
    to->initial = initial;
    to->current_leak = current_leak;
    to->threshold_count = (uint32_t)from->n_threshold;
    to->leak_count = (uint32_t)from->n_leak;
    to->bias_count = (uint32_t)from->n_bias;
    to->initial_count = (uint32_t)from->n_initial;
    to->current_leak_count = (uint32_t)from->n_current_leak;
    return true;
}

static bool read_population(struct loader *loader, uint32_t index, const Snnpb__Population *from,
                            struct snn_population *to)
{
    const struct place at = {loader, "populations", index};
    const bool lif = from->kind == SNNPB__POPULATION__KIND__LIF;
    if (!text(&at, "name", from->name) || !present(&at, "shape", from->shape) ||
        !known(&at, "kind", (int)from->kind, SNN_READOUT) ||
        !known(&at, "reset", (int)from->reset, SNN_RESET_VALUE) ||
        !known(&at, "compare", (int)from->compare, SNN_GREATER_EQUAL) ||
        (lif && (!in_range(&at, "reset_value", from->reset_value, INT16_MIN, INT16_MAX) ||
                 !in_range(&at, "floor", from->floor, INT16_MIN, 0) ||
                 !in_range(&at, "ceiling", from->ceiling, 0, INT16_MAX) ||
                 !in_range(&at, "refractory_steps", from->refractory_steps, 0, UINT8_MAX)))) {
        return false;
    }
    to->shape = read_shape(from->shape);
    to->kind = (uint8_t)from->kind;
    if (lif) {
        to->reset = (uint8_t)from->reset;
        to->compare = (uint8_t)from->compare;
        to->reset_value = (int16_t)from->reset_value;
        to->floor = (int16_t)from->floor;
        to->ceiling = (int16_t)from->ceiling;
        to->refractory_steps = (uint8_t)from->refractory_steps;
    }
    return read_parameters(&at, from, to);
}

static bool read_convolution(const struct place *at, const Snnpb__Convolution *from,
                             struct snn_convolution *to)
{
    if (!present(at, "convolution", from) ||
        !in_range(at, "convolution.kernel_height", from->kernel_height, 1, 31) ||
        !in_range(at, "convolution.kernel_width", from->kernel_width, 1, 31) ||
        !in_range(at, "convolution.stride_y", from->stride_y, 1, 16) ||
        !in_range(at, "convolution.stride_x", from->stride_x, 1, 16) ||
        !in_range(at, "convolution.padding_top", from->padding_top, 0, 30) ||
        !in_range(at, "convolution.padding_bottom", from->padding_bottom, 0, 30) ||
        !in_range(at, "convolution.padding_left", from->padding_left, 0, 30) ||
        !in_range(at, "convolution.padding_right", from->padding_right, 0, 30) ||
        !in_range(at, "convolution.dilation_y", from->dilation_y, 1, 16) ||
        !in_range(at, "convolution.dilation_x", from->dilation_x, 1, 16)) {
        return false;
    }
    to->kernel_height = (uint8_t)from->kernel_height;
    to->kernel_width = (uint8_t)from->kernel_width;
    to->stride_y = (uint8_t)from->stride_y;
    to->stride_x = (uint8_t)from->stride_x;
    to->padding_top = (uint8_t)from->padding_top;
    to->padding_bottom = (uint8_t)from->padding_bottom;
    to->padding_left = (uint8_t)from->padding_left;
    to->padding_right = (uint8_t)from->padding_right;
    to->dilation_y = (uint8_t)from->dilation_y;
    to->dilation_x = (uint8_t)from->dilation_x;
    to->groups = from->groups;
    return true;
}

static bool read_projection(struct loader *loader, uint32_t index, const Snnpb__Projection *from,
                            struct snn_projection *to)
{
    const struct place at = {loader, "projections", index};
    const bool input = from->source_case == SNNPB__PROJECTION__SOURCE_INPUT;
    if (from->source_case == SNNPB__PROJECTION__SOURCE__NOT_SET) {
        return loader_refuse(loader, SNN_ERROR_REFERENCE, at.part, at.index, "source", 1, 0);
    }
    const uint32_t source = input ? from->input : from->population;
    /* No valid index is larger. Whether there is such a port or population, snn_check finds out. */
    if (source > UINT16_MAX || from->target > UINT16_MAX) {
        const bool bad_source = source > UINT16_MAX;
        return loader_refuse(loader, SNN_ERROR_REFERENCE, at.part, at.index,
                             bad_source ? "source" : "target", UINT16_MAX,
                             bad_source ? source : from->target);
    }
    if (!text(&at, "name", from->name) ||
        !known(&at, "topology", (int)from->topology, SNN_LATERAL) ||
        !in_range(&at, "delay", from->delay, 0, 255) || !in_range(&at, "taps", from->taps, 0, 32) ||
        !in_range(&at, "tap_step", from->tap_step, 0, 16) ||
        !in_range(&at, "pool", from->pool, 0, 16) || !in_range(&at, "shift", from->shift, 0, 24) ||
        !present(&at, "weights", from->weights)) {
        return false;
    }
    to->source = (uint16_t)source;
    to->from_input = input;
    to->target = (uint16_t)from->target;
    to->topology = (uint8_t)from->topology;
    to->delay = (uint8_t)from->delay;
    to->taps = (uint8_t)from->taps;
    to->tap_step = (uint8_t)from->tap_step;
    to->pool = (uint8_t)from->pool;
    to->shift = (uint8_t)from->shift;
    if (to->topology == SNN_CONV && !read_convolution(&at, from->convolution, &to->convolution)) {
        return false;
    }
    return loader_read_weights(loader, index, from->weights, to);
}

/**
 * Checks what no engine reads: there is one class name per read-out neuron or none, and a digest of
 * 4 bytes or none.
 */
static bool check_task(struct loader *loader, const Snnpb__Model *from)
{
    if (from->golden_digest.len != 0 && from->golden_digest.len != 4) {
        return loader_refuse(loader, SNN_ERROR_SIZE, "", -1, "golden_digest", 4,
                             (int64_t)from->golden_digest.len);
    }
    const struct place at = {loader, "", -1};
    for (size_t i = 0; from->task != NULL && i < from->task->n_class_names; i++) {
        if (!text(&at, "task.class_names", from->task->class_names[i])) {
            return false;
        }
    }
    if (from->task != NULL && (!text(&at, "task.dataset", from->task->dataset) ||
                               !text(&at, "task.recipe", from->task->recipe))) {
        return false;
    }
    if (from->task == NULL || from->task->n_class_names == 0 ||
        from->readout >= from->n_populations) {
        return true;
    }
    /* Three numbers below 2^32 may pass 2^64; snn_check refuses such a shape in any case. */
    const Snnpb__Shape *shape = from->populations[from->readout]->shape;
    const uint64_t neurons = (uint64_t)shape->channels * shape->height * shape->width;
    return from->task->n_class_names == neurons ||
           loader_refuse(loader, SNN_ERROR_SHAPE, "", -1, "task.class_names", (int64_t)neurons,
                         (int64_t)from->task->n_class_names);
}

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
    const struct place at = {loader, "", -1};
    if (!in_range(&at, "checksum", from->checksum, 0, 0)) {
        return false;
    }
    for (size_t i = 0; i < from->n_projections; i++) {
        const struct place projection = {loader, "projections", (int64_t)i};
        const Snnpb__Projection *older = from->projections[i];
        const bool input = older->source_case == SNNPB__PROJECTION__SOURCE_INPUT;
        Snnpb__Convolution *kernel = older->convolution;
        if (!in_range(&projection, "delay", older->delay, 0, input ? 0 : 1) ||
            !in_range(&projection, "taps", older->taps, 0, 0)) {
            return false;
        }
        if (kernel != NULL) {
            if (!in_range(&projection, "padding_bottom", kernel->padding_bottom, 0, 0) ||
                !in_range(&projection, "padding_right", kernel->padding_right, 0, 0)) {
                return false;
            }
            kernel->padding_bottom = kernel->padding_top;
            kernel->padding_right = kernel->padding_left;
        }
    }
    return true;
}

/**
 * Makes the structs of a whole message. `producer` and `task` are checked, but no struct holds
 * them.
 */
static struct snn_model *read_model(struct loader *loader, const Snnpb__Model *from)
{
    const struct place at = {loader, "", -1};
    if (!text(&at, "name", from->name) || !text(&at, "producer", from->producer) ||
        !in_range(&at, "name", (int64_t)strlen(from->name), 0, 64) ||
        !in_range(&at, "producer", (int64_t)strlen(from->producer), 0, 256) ||
        !in_range(&at, "inputs", (int64_t)from->n_inputs, 1, 16) ||
        !in_range(&at, "populations", (int64_t)from->n_populations, 1, 256) ||
        !in_range(&at, "projections", (int64_t)from->n_projections, 1, 1024)) {
        return NULL;
    }
    struct snn_model *model = loader_keep(loader, 1, sizeof *model);
    char *name = loader_keep(loader, strlen(from->name) + 1, 1);
    struct snn_input *inputs = loader_keep(loader, from->n_inputs, sizeof *inputs);
    struct snn_population *populations =
        loader_keep(loader, from->n_populations, sizeof *populations);
    struct snn_projection *projections =
        loader_keep(loader, from->n_projections, sizeof *projections);
    if (model == NULL || name == NULL || inputs == NULL || populations == NULL ||
        projections == NULL) {
        return NULL;
    }
    memcpy(name, from->name, strlen(from->name));
    for (uint32_t i = 0; i < from->n_inputs; i++) {
        if (!read_input(loader, i, from->inputs[i], &inputs[i])) {
            return NULL;
        }
    }
    for (uint32_t i = 0; i < from->n_populations; i++) {
        if (!read_population(loader, i, from->populations[i], &populations[i])) {
            return NULL;
        }
    }
    for (uint32_t i = 0; i < from->n_projections; i++) {
        if (!read_projection(loader, i, from->projections[i], &projections[i])) {
            return NULL;
        }
    }
    if (!check_task(loader, from)) {
        return NULL;
    }
    model->format_major = SNN_FORMAT_MAJOR;
    model->name = name;
    model->step_microseconds = from->step_microseconds;
    model->steps = from->steps;
    model->max_steps = from->max_steps;
    model->inputs = inputs;
    model->populations = populations;
    model->projections = projections;
    model->input_count = (uint32_t)from->n_inputs;
    model->population_count = (uint32_t)from->n_populations;
    model->projection_count = (uint32_t)from->n_projections;
    model->readout = from->readout;
    return model;
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
                                                        "shape",
                                                        "kind",
                                                        "multiplicity",
                                                        "max_events_per_step",
                                                        "min_value",
                                                        "max_value",
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
        made = check_version(&loader, message, bytes, length) ? read_model(&loader, message) : NULL;
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
                                        "unknown enum value",
                                        "stated size disagrees with the bytes",
                                        "compressed bytes are broken",
                                        "weight index is not well formed",
                                        "weight code without a value",
                                        "file cut short or damaged"};
    const int number = -(int)status;
    return number >= 0 && number < (int)(sizeof texts / sizeof texts[0]) ? texts[number]
                                                                         : "unknown status";
}
