/* SPDX-License-Identifier: Apache-2.0 */
#include "write_model.h"
#include "check.h"
#include "seal.h"

#include "generated/snn_model.pb-c.h"

#include <string.h>
#include <zlib.h>

enum { MOST = 1 << 20 };

uint32_t model_codings_written[MODEL_CODINGS];

struct bytes {
    uint8_t at[MOST];
    size_t size;
};

static void put_varint(struct bytes *to, uint32_t number)
{
    for (; number >= 0x80; number >>= 7) {
        to->at[to->size++] = (uint8_t)(number | 0x80);
    }
    to->at[to->size++] = (uint8_t)number;
}

static ProtobufCBinaryData keep_bytes(struct test_model *memory, const struct bytes *from,
                                      bool compress_it)
{
    ProtobufCBinaryData data = {from->size, NULL};
    if (compress_it) {
        uLongf size = compressBound((uLong)from->size);
        data.data = model_memory(memory, size);
        CHECK_EQUAL(compress2(data.data, &size, from->at, (uLong)from->size, 6), Z_OK);
        data.len = size;
    } else {
        data.data = model_memory(memory, from->size);
        memcpy(data.data, from->at, from->size);
    }
    return data;
}

/** Bits of the narrowest of TERNARY and INT4 that holds all weights; 8 where none does. */
static uint32_t narrow_bits(const int8_t *matrix, uint32_t entries)
{
    uint32_t bits = 2;
    for (uint32_t i = 0; i < entries; i++) {
        if (matrix[i] < -8 || matrix[i] > 7) {
            return 8;
        }
        bits = matrix[i] < -1 || matrix[i] > 1 ? 4 : bits;
    }
    return bits;
}

/**
 * Matrix of projection q as a Weights message in a random layout; its coding by dice among those
 * that hold it.
 */
static Snnpb__Weights *write_weights(struct test_model *memory, const struct test_model *test,
                                     uint32_t q, struct random *r)
{
    static struct bytes values;
    static struct bytes index;
    const struct snn_weights *weights = &test->projections[q].weights;
    const int8_t *matrix = test->matrix[q];
    const uint32_t entries = weights->rows * weights->columns;
    Snnpb__Weights *to = model_memory(memory, sizeof *to);
    snnpb__weights__init(to);
    to->rows = weights->rows;
    to->columns = weights->columns;
    to->layout = (Snnpb__Weights__Layout)random_in(r, 0, 2);
    to->compression = (Snnpb__Weights__Compression)random_in(r, 0, 1);
    int32_t levels[16] = {0};
    uint32_t level_count = 0;
    for (uint32_t i = 0; i < entries && level_count <= 16; i++) {
        uint32_t k = 0;
        while (k < level_count && k < 16 && levels[k] != matrix[i]) {
            k++;
        }
        if (k == level_count && level_count < 16) {
            levels[level_count++] = matrix[i];
        } else if (k == 16) {
            level_count = 17;
        }
    }
    const uint32_t narrow = random_chance(r, 50) ? narrow_bits(matrix, entries) : 8;
    if (narrow < 8) {
        to->coding = narrow == 2 ? SNNPB__WEIGHTS__CODING__TERNARY : SNNPB__WEIGHTS__CODING__INT4;
    } else if (level_count <= 16 && random_chance(r, 80)) {
        to->coding = SNNPB__WEIGHTS__CODING__CODEBOOK;
        to->n_codebook = level_count <= 2 ? 2 : level_count <= 4 ? 4 : 16;
        to->codebook = model_memory(memory, sizeof levels);
        memcpy(to->codebook, levels, sizeof levels);
    }
    const bool book = to->coding == SNNPB__WEIGHTS__CODING__CODEBOOK;
    const uint32_t bits = !book ? narrow : to->n_codebook == 2 ? 1 : to->n_codebook == 4 ? 2 : 4;
    CHECK((uint32_t)to->coding < MODEL_CODINGS);
    model_codings_written[to->coding]++;
    CHECK(((size_t)entries * bits + 7) / 8 <= sizeof values.at);
    CHECK((size_t)entries <= sizeof index.at / 5); /* a varint each at most */
    memset(&values, 0, sizeof values);
    memset(&index, 0, sizeof index);
    for (uint32_t row = 0; row < weights->rows; row++) {
        const int8_t *from = matrix + (size_t)row * weights->columns;
        uint32_t count = 0;
        for (uint32_t c = 0; c < weights->columns; c++) {
            count += from[c] != 0 ? 1u : 0u;
        }
        if (to->layout == SNNPB__WEIGHTS__LAYOUT__CSR) {
            put_varint(&index, count);
        }
        uint32_t least = 0;
        for (uint32_t c = 0; c < weights->columns; c++) {
            if (to->layout != SNNPB__WEIGHTS__LAYOUT__FULL && from[c] == 0) {
                continue;
            }
            uint32_t code = (uint8_t)from[c] & ((1u << bits) - 1);
            for (uint32_t k = 0; book && k < level_count; k++) {
                code = levels[k] == from[c] ? k : code;
            }
            const uint32_t at = to->stored++ * bits;
            values.at[at >> 3] = (uint8_t)(values.at[at >> 3] | code << (at & 7));
            const uint32_t bit = row * weights->columns + c;
            if (to->layout == SNNPB__WEIGHTS__LAYOUT__CSR) {
                put_varint(&index, c - least);
            } else if (to->layout == SNNPB__WEIGHTS__LAYOUT__BITMAP) {
                index.at[bit >> 3] = (uint8_t)(index.at[bit >> 3] | 1u << (bit & 7));
            }
            least = c + 1;
        }
    }
    values.size = ((size_t)to->stored * bits + 7) / 8;
    if (to->layout == SNNPB__WEIGHTS__LAYOUT__BITMAP) {
        index.size = (entries + 7) / 8;
    }
    const bool packed = to->compression == SNNPB__WEIGHTS__COMPRESSION__ZLIB;
    to->values_size = (uint32_t)values.size;
    to->index_size = (uint32_t)index.size;
    to->values = keep_bytes(memory, &values, packed);
    if (to->layout != SNNPB__WEIGHTS__LAYOUT__FULL) {
        to->index = keep_bytes(memory, &index, packed);
    }
    return to;
}

static Snnpb__Shape *write_shape(struct test_model *memory, struct snn_shape shape)
{
    Snnpb__Shape *to = model_memory(memory, sizeof *to);
    snnpb__shape__init(to);
    to->channels = shape.channels;
    to->height = shape.height;
    to->width = shape.width;
    return to;
}

static Snnpb__Population *write_population(struct test_model *memory,
                                           const struct snn_population *from)
{
    Snnpb__Population *to = model_memory(memory, sizeof *to);
    snnpb__population__init(to);
    to->shape = write_shape(memory, from->shape);
    to->kind = (Snnpb__Population__Kind)from->kind;
    to->n_threshold = from->threshold_count;
    to->n_leak = from->leak_count;
    to->n_bias = from->bias_count;
    to->n_initial = from->initial_count;
    to->n_current_leak = from->current_leak_count;
    to->threshold = model_memory(memory, to->n_threshold * 4);
    to->leak = model_memory(memory, to->n_leak * 4);
    to->bias = model_memory(memory, to->n_bias * 4);
    to->initial = model_memory(memory, to->n_initial * 4);
    to->current_leak = model_memory(memory, to->n_current_leak * 4);
    for (uint32_t i = 0; i < from->threshold_count; i++) {
        to->threshold[i] = from->threshold[i];
    }
    for (uint32_t i = 0; i < from->leak_count; i++) {
        to->leak[i] = from->leak[i];
    }
    for (uint32_t i = 0; i < from->current_leak_count; i++) {
        to->current_leak[i] = from->current_leak[i];
    }
    for (uint32_t i = 0; i < from->bias_count; i++) {
        to->bias[i] = from->bias[i];
    }
    for (uint32_t i = 0; i < from->initial_count; i++) {
        to->initial[i] = from->initial[i];
    }
    to->reset = (Snnpb__Population__Reset)from->reset;
    to->reset_value = from->reset_value;
    to->compare = (Snnpb__Population__Compare)from->compare;
    to->refractory_steps = from->refractory_steps;
    to->floor = from->floor;
    to->ceiling = from->ceiling;
    return to;
}

static Snnpb__Projection *write_projection(struct test_model *memory, const struct test_model *test,
                                           uint32_t q, struct random *r)
{
    const struct snn_projection *from = &test->projections[q];
    Snnpb__Projection *to = model_memory(memory, sizeof *to);
    snnpb__projection__init(to);
    to->source_case =
        from->from_input ? SNNPB__PROJECTION__SOURCE_INPUT : SNNPB__PROJECTION__SOURCE_POPULATION;
    to->input = from->source;
    to->target = from->target;
    to->delay = from->delay;
    to->taps = from->taps;
    to->tap_step = from->tap_step;
    to->topology = (Snnpb__Projection__Topology)from->topology;
    to->pool = from->pool;
    to->shift = from->shift;
    if (from->topology == SNN_CONV) {
        Snnpb__Convolution *k = model_memory(memory, sizeof *k);
        snnpb__convolution__init(k);
        k->kernel_height = from->convolution.kernel_height;
        k->kernel_width = from->convolution.kernel_width;
        k->stride_y = from->convolution.stride_y;
        k->stride_x = from->convolution.stride_x;
        k->padding_top = from->convolution.padding_top;
        k->padding_left = from->convolution.padding_left;
        k->padding_bottom = from->convolution.padding_bottom;
        k->padding_right = from->convolution.padding_right;
        k->dilation_y = from->convolution.dilation_y;
        k->dilation_x = from->convolution.dilation_x;
        k->groups = from->convolution.groups;
        to->convolution = k;
    }
    to->weights = write_weights(memory, test, q, r);
    return to;
}

size_t model_write(struct test_model *memory, const struct test_model *test, struct random *r,
                   uint8_t **bytes)
{
    Snnpb__Model model = SNNPB__MODEL__INIT;
    char name[65];
    snprintf(name, sizeof name, "%s", test->model.name);
    model.format_major = SNN_FORMAT_MAJOR;
    model.name = name;
    model.steps = test->model.steps;
    model.max_steps = test->model.max_steps;
    model.step_microseconds = test->model.step_microseconds;
    model.readout = test->model.readout;
    Snnpb__Exit exit_rule = SNNPB__EXIT__INIT;
    if (test->model.exit.rule == SNN_EXIT_MARGIN) {
        exit_rule.rule_case = SNNPB__EXIT__RULE_MARGIN;
        exit_rule.margin = test->model.exit.margin;
    } else {
        exit_rule.rule_case = SNNPB__EXIT__RULE_FIRST_SPIKE;
        exit_rule.first_spike = test->model.exit.population;
    }
    model.exit = test->model.exit.rule == SNN_EXIT_NEVER ? NULL : &exit_rule;
    model.n_inputs = test->model.input_count;
    model.n_populations = test->model.population_count;
    model.n_projections = test->model.projection_count;
    model.inputs = model_memory(memory, model.n_inputs * sizeof(void *));
    model.populations = model_memory(memory, model.n_populations * sizeof(void *));
    model.projections = model_memory(memory, model.n_projections * sizeof(void *));
    for (uint32_t i = 0; i < model.n_inputs; i++) {
        const struct snn_input *from = &test->inputs[i];
        Snnpb__InputPort *to = model_memory(memory, sizeof *to);
        snnpb__input_port__init(to);
        to->shape = write_shape(memory, from->shape);
        to->kind = (Snnpb__InputPort__Kind)from->kind;
        to->multiplicity = (Snnpb__InputPort__Multiplicity)from->multiplicity;
        to->max_events_per_step = from->max_events_per_step;
        to->min_value = from->min_value;
        to->max_value = from->max_value;
        to->frame_per_step = from->frame_per_step;
        if (from->encoder == SNN_ENCODER_POISSON) {
            to->encoder = model_memory(memory, sizeof *to->encoder);
            snnpb__encoder__init(to->encoder);
            to->encoder->way_case = SNNPB__ENCODER__WAY_POISSON;
            to->encoder->poisson = model_memory(memory, sizeof *to->encoder->poisson);
            snnpb__poisson__init(to->encoder->poisson);
            to->encoder->poisson->gain = from->gain;
        }
        if (from->sensor.width != 0) {
            to->sensor = model_memory(memory, sizeof *to->sensor);
            snnpb__sensor__init(to->sensor);
            to->sensor->width = from->sensor.width;
            to->sensor->height = from->sensor.height;
            to->sensor->coarsening = from->sensor.coarsening;
            to->sensor->polarity = (Snnpb__Sensor__PolarityOrder)from->sensor.polarity;
        }
        model.inputs[i] = to;
    }
    for (uint32_t i = 0; i < model.n_populations; i++) {
        model.populations[i] = write_population(memory, &test->populations[i]);
    }
    for (uint32_t i = 0; i < model.n_projections; i++) {
        model.projections[i] = write_projection(memory, test, i, r);
    }
    *bytes = model_memory(memory, snnpb__model__get_packed_size(&model) + SEAL_SIZE);
    return seal(*bytes, snnpb__model__pack(&model, *bytes));
}
