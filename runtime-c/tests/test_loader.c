/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "reference.h"
#include "seal.h"
#include "write_model.h"

#include "generated/snn_model.pb-c.h"
#include "snn/crc32.h"
#include "snn_loader.h"

#include <string.h>
#include <zlib.h>

/*
 * Random models written as .snnpb bytes in every coding and layout, read back and compared; then
 * files cut short and with flipped bits.
 */

/** Loads with as much arena as asked for. */
static enum snn_status load(const uint8_t *bytes, size_t length, uint8_t **arena,
                            const struct snn_model **model, struct snn_loader_error *error)
{
    size_t size = 0;
    *arena = NULL;
    for (int round = 0; round < 20; round++) {
        const enum snn_status status = snn_load(*arena, size, bytes, length, model, error);
        if (status != SNN_ERROR_MEMORY) {
            return status;
        }
        CHECK(*model == NULL && error->needed > size);
        size = error->needed;
        free(*arena);
        *arena = malloc(size);
        CHECK(*arena != NULL);
    }
    CHECK(false);
    return SNN_ERROR_MEMORY;
}

static uint32_t run_hash(const struct snn_model *model)
{
    const size_t size = snn_state_size(model);
    uint8_t *memory = malloc(size);
    struct snn *snn = NULL;
    struct random r = {99};
    uint32_t hash = SNN_HASH_START;
    CHECK(memory != NULL);
    CHECK_EQUAL(snn_init(&snn, model, memory, size), SNN_OK);
    for (uint32_t step = 0; step < 6 && !snn_is_decided(snn); step++) {
        for (uint32_t port = 0; port < model->input_count; port++) {
            const struct snn_input *input = &model->inputs[port];
            const uint32_t n = snn_shape_size(&input->shape);
            int16_t frame[8192] = {0};
            for (uint32_t i = 0; i < n; i++) {
                frame[i] = (int16_t)random_in(&r, input->min_value, input->max_value);
                if (input->kind == SNN_EVENTS && random_chance(&r, 20)) {
                    (void)snn_event(snn, port, i);
                }
            }
            if (input->kind == SNN_VALUES && (step == 0 || input->frame_per_step)) {
                CHECK_EQUAL(snn_values_s16(snn, port, frame, n), SNN_OK);
            }
        }
        CHECK_EQUAL(snn_step(snn), SNN_OK);
        for (uint32_t p = 0; p < model->population_count; p++) {
            hash = snn_hash_population(hash, snn, p);
        }
    }
    for (uint32_t q = 0; q < model->projection_count; q++) {
        const struct snn_projection_counters counters = snn_projection_counters(snn, q);
        hash = snn_hash_word(hash, (uint32_t)(counters.synops + counters.macs));
    }
    free(memory);
    return hash;
}

static void test_written_models_read_back(uint64_t models)
{
    static struct test_model test;
    static struct test_model memory;
    for (uint64_t seed = 0; seed < models; seed++) {
        struct random r = {seed + 7};
        if (model_random(&test, seed)) {
            uint8_t *bytes = NULL;
            uint8_t *arena = NULL;
            const struct snn_model *model = NULL;
            struct snn_loader_error error;
            const size_t length = model_write(&memory, &test, &r, &bytes);
            const enum snn_status status = load(bytes, length, &arena, &model, &error);
            if (status != SNN_OK) {
                fprintf(stderr, "seed %llu: %s: %s, expected %lld, found %lld\n",
                        (unsigned long long)seed, error.path, snn_status_text(status),
                        (long long)error.expected, (long long)error.found);
                abort();
            }
            CHECK_EQUAL(run_hash(model), run_hash(&test.model));
            free(arena);
            model_release(&memory);
        }
        model_release(&test);
    }
}

/**
 * A dense model of one input and `columns` neurons, one projection in, one out; its weights by
 * `weight`.
 */
static void make_dense(struct test_model *test, uint32_t columns, int8_t (*weight)(uint32_t entry))
{
    static const int16_t threshold[1] = {3};
    memset(test, 0, sizeof *test);
    test->inputs[0].shape = (struct snn_shape){1, 1, 1};
    test->populations[0] = model_lif(columns, 1, 1, threshold);
    test->populations[1] = model_readout(1);
    test->projections[0].from_input = true;
    test->projections[1].target = 1;
    for (uint32_t q = 0; q < 2; q++) {
        struct snn_weights *weights = &test->projections[q].weights;
        weights->rows = q == 0 ? 1 : columns;
        weights->columns = q == 0 ? columns : 1;
        test->matrix[q] = model_memory(test, columns);
        for (uint32_t i = 0; i < columns; i++) {
            test->matrix[q][i] = q == 0 ? weight(i) : (int8_t)(i % 3 == 0);
        }
        model_set_weights(test, q, SNN_ROWS_FULL);
    }
    test->model.steps = 6;
    test->model.max_steps = 6;
    model_finish(test, 1, 2, 2);
}

static int8_t int4_weight(uint32_t entry)
{
    return (int8_t)((int32_t)(entry % 16) - 8);
}

static int8_t ternary_weight(uint32_t entry)
{
    return (int8_t)((int32_t)(entry % 3) - 1);
}

static int8_t rare_weight(uint32_t entry)
{
    return entry % 997 == 0 || entry >= 65536 + 100 ? (int8_t)(1 + entry % 7) : 0;
}

/** Makes a message one of 1.0; whether that version can say it. */
static bool make_older(Snnpb__Model *message)
{
    message->format_major = 1;
    message->checksum = 0;
    if (message->exit != NULL) {
        return false;
    }
    for (size_t i = 0; i < message->n_inputs; i++) {
        if (message->inputs[i]->encoder != NULL || message->inputs[i]->sensor != NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < message->n_populations; i++) {
        if (message->populations[i]->n_current_leak != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < message->n_projections; i++) {
        const Snnpb__Projection *projection = message->projections[i];
        const bool input = projection->source_case == SNNPB__PROJECTION__SOURCE_INPUT;
        Snnpb__Convolution *kernel = projection->convolution;
        if (projection->taps != 0 || projection->tap_step != 0 ||
            projection->delay > (input ? 0 : 1)) {
            return false;
        }
        if (kernel != NULL && (kernel->padding_top != kernel->padding_bottom ||
                               kernel->padding_left != kernel->padding_right)) {
            return false;
        }
        if (kernel != NULL) {
            kernel->padding_bottom = kernel->padding_right = 0;
        }
    }
    return true;
}

/** Files of 1.0 give the integers of the model; one that has a checksum is none. */
static void test_files_of_version_1_are_read(void)
{
    static struct test_model test;
    static struct test_model memory;
    uint32_t read = 0, padded = 0;
    for (uint64_t seed = 0; seed < 1500; seed++) {
        struct random r = {seed};
        uint8_t *bytes = NULL;
        bool small = model_random(&test, seed);
        if (small) {
            for (uint32_t q = 0; q < test.model.projection_count; q++) {
                const struct snn_weights *weights = &test.projections[q].weights;
                small = small && (uint64_t)weights->rows * weights->columns < 65536;
            }
        }
        if (small) {
            const size_t length = model_write(&memory, &test, &r, &bytes);
            Snnpb__Model *message = snnpb__model__unpack(NULL, length, bytes);
            CHECK(message != NULL);
            if (make_older(message)) {
                uint8_t *arena = NULL;
                const struct snn_model *model = NULL;
                struct snn_loader_error error;
                CHECK_EQUAL(load(bytes, snnpb__model__pack(message, bytes), &arena, &model, &error),
                            SNN_OK);
                CHECK_EQUAL(run_hash(model), run_hash(&test.model));
                free(arena);
                read++;
                for (uint32_t q = 0; q < test.model.projection_count; q++) {
                    padded += test.projections[q].topology == SNN_CONV &&
                              test.projections[q].convolution.padding_top != 0;
                }
                message->checksum = 1;
                CHECK_EQUAL(load(bytes, snnpb__model__pack(message, bytes), &arena, &model, &error),
                            SNN_ERROR_LIMIT);
                CHECK(strcmp(error.path, "checksum") == 0);
                free(arena);
            }
            snnpb__model__free_unpacked(message, NULL);
            model_release(&memory);
        }
        model_release(&test);
    }
    CHECK(read > 50 && padded > 3);
}

/**
 * Loads the model with a field of number 1000 in its message `at`: refused at `path`, or read where
 * `path` is null. Counts in `tried`; a message that the model lacks is passed over.
 */
static void try_unknown_field(Snnpb__Model *model, ProtobufCMessage *at, const char *path,
                              uint32_t *tried)
{
    uint8_t content[1] = {5};
    ProtobufCMessageUnknownField field = {1000, PROTOBUF_C_WIRE_TYPE_VARINT, 1, content};
    struct snn_loader_error error;
    const struct snn_model *read = NULL;
    uint8_t *arena = NULL;
    if (at == NULL) {
        return;
    }
    at->n_unknown_fields = 1;
    at->unknown_fields = &field;
    uint8_t *bytes = malloc(snnpb__model__get_packed_size(model) + SEAL_SIZE);
    CHECK(bytes != NULL);
    const size_t length = seal(bytes, snnpb__model__pack(model, bytes));
    const enum snn_status status = load(bytes, length, &arena, &read, &error);
    if (path == NULL) {
        CHECK_EQUAL(status, SNN_OK);
    } else {
        CHECK_EQUAL(status, SNN_ERROR_ENUM);
        CHECK(strcmp(error.path, path) == 0 && error.found == 1000);
    }
    (*tried)++;
    free(bytes);
    free(arena);
    at->n_unknown_fields = 0;
    at->unknown_fields = NULL;
}

/** FORMAT.md, section 10: in every message but *task*. */
static void test_unknown_fields_are_refused(void)
{
    static struct test_model test;
    static struct test_model memory;
    uint32_t tried[13] = {0};
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct random r = {seed};
        uint8_t *bytes = NULL;
        if (model_random(&test, seed)) {
            const size_t length = model_write(&memory, &test, &r, &bytes);
            Snnpb__Model *model = snnpb__model__unpack(NULL, length, bytes);
            CHECK(model != NULL);
            model->checksum = 0;
            Snnpb__InputPort *input = model->inputs[0];
            Snnpb__Population *population = model->populations[0];
            Snnpb__Projection *projection = model->projections[0];
            Snnpb__Task task = SNNPB__TASK__INIT;
            Snnpb__Task *own = model->task;
            const struct {
                void *message;
                const char *path;
            } cases[12] = {
                {model, "model"},
                {model->exit, "exit"},
                {input, "inputs[0]"},
                {input->shape, "inputs[0].shape"},
                {input->encoder, "inputs[0].encoder"},
                {input->encoder == NULL ? NULL : input->encoder->poisson,
                 "inputs[0].encoder.poisson"},
                {population, "populations[0]"},
                {population->shape, "populations[0].shape"},
                {projection, "projections[0]"},
                {projection->weights, "projections[0].weights"},
                {projection->convolution, "projections[0].convolution"},
                {&task, NULL},
            };
            Snnpb__Sensor sensor = SNNPB__SENSOR__INIT;
            if (input->kind == SNNPB__INPUT_PORT__KIND__EVENTS) {
                input->sensor = &sensor;
                try_unknown_field(model, &sensor.base, "inputs[0].sensor", &tried[12]);
                input->sensor = NULL;
            }
            model->task = &task;
            for (uint32_t i = 0; i < 12; i++) {
                try_unknown_field(model, cases[i].message, cases[i].path, &tried[i]);
            }
            model->task = own;
            snnpb__model__free_unpacked(model, NULL);
            model_release(&memory);
        }
        model_release(&test);
    }
    for (uint32_t i = 0; i < 13; i++) {
        CHECK(tried[i] > 0);
    }
}

/** Every value of a coding, in every layout the dice give, comes back. */
static void test_narrow_codings_and_wide_rows(void)
{
    static struct test_model test;
    static struct test_model memory;
    for (uint32_t round = 0; round < 60; round++) {
        struct random r = {round + 1000};
        uint8_t *bytes = NULL;
        uint8_t *arena = NULL;
        const struct snn_model *model = NULL;
        struct snn_loader_error error;
        /* Rows longer than 2^16 need columns of 32 bits when sparse. */
        make_dense(&test, round % 3 == 2 ? 65536 + 103 : 19 + round,
                   round % 3 == 0   ? int4_weight
                   : round % 3 == 1 ? ternary_weight
                                    : rare_weight);
        const size_t length = model_write(&memory, &test, &r, &bytes);
        CHECK_EQUAL(load(bytes, length, &arena, &model, &error), SNN_OK);
        CHECK_EQUAL(model->projections[0].weights.column32 != NULL, round % 3 == 2);
        CHECK_EQUAL(run_hash(model), run_hash(&test.model));
        free(arena);
        model_release(&memory);
        model_release(&test);
    }
}

static void test_names_that_are_not_utf8_are_refused(void)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {{"caf\xC3\xA9", true},
                 {"\xE2\x82\xAC", true},
                 {"\xF0\x9F\x98\x80", true},
                 {"\x80", false},
                 {"\xC3", false},
                 {"\xC0\xAF", false},
                 {"\xE0\x80\x80", false},
                 {"\xED\xA0\x80", false},
                 {"\xF4\x90\x80\x80", false},
                 {"\xF8\x88\x80\x80\x80", false},
                 {"\xF0\x9F\x98", false},
                 {"a\xFF", false}};
    static struct test_model test;
    static struct test_model memory;
    struct random r = {5};
    make_dense(&test, 4, int4_weight);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *bytes = NULL;
        uint8_t *arena = NULL;
        const struct snn_model *model = NULL;
        struct snn_loader_error error;
        test.model.name = cases[i].text;
        const size_t length = model_write(&memory, &test, &r, &bytes);
        CHECK_EQUAL(load(bytes, length, &arena, &model, &error),
                    cases[i].valid ? SNN_OK : SNN_ERROR_SYNTAX);
        CHECK(cases[i].valid || strcmp(error.path, "name") == 0);
        free(arena);
        model_release(&memory);
    }
    model_release(&test);
}

/** Every cut and every flipped bit is refused, under the sanitizers' eyes. */
static void test_broken_files(uint64_t seed, const char *corpus)
{
    static struct test_model test;
    static struct test_model memory;
    struct random r = {seed};
    uint8_t *bytes = NULL;
    const struct snn_model *model = NULL;
    struct snn_loader_error error;
    if (!model_random(&test, seed)) {
        model_release(&test);
        return;
    }
    const size_t length = model_write(&memory, &test, &r, &bytes);
    const size_t size = (size_t)1 << 21;
    uint8_t *arena = malloc(size);
    CHECK(arena != NULL);
    if (corpus != NULL) {
        char path[256];
        snprintf(path, sizeof path, "%s/random-%llu.snnpb", corpus, (unsigned long long)seed);
        FILE *file = fopen(path, "wb");
        CHECK(file != NULL && fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
    }
    CHECK_EQUAL(snn_load(arena, size, bytes, length, &model, &error), SNN_OK);
    const size_t stride = length > 1000 ? length / 1000 : 1;
    for (size_t cut = 0; cut < length; cut += stride) {
        uint8_t *copy = malloc(cut + 1);
        CHECK(copy != NULL);
        memcpy(copy, bytes, cut);
        CHECK(snn_load(arena, size, copy, cut, &model, &error) != SNN_OK && model == NULL);
        free(copy);
    }
    for (size_t at = 0; at < length; at += stride) {
        const uint8_t was = bytes[at];
        for (uint32_t bit = 0; bit < 8; bit++) {
            bytes[at] = (uint8_t)(was ^ (1u << bit));
            CHECK(snn_load(arena, size, bytes, length, &model, &error) != SNN_OK && model == NULL);
        }
        bytes[at] = was;
    }
    free(arena);
    model_release(&memory);
    model_release(&test);
}

/** Device images are sealed by zlib and checked without it. */
static void test_the_crc_of_images_is_zlibs(void)
{
    uint8_t bytes[256];
    for (uint32_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 167 + 13);
    }
    for (uint32_t length = 0; length <= sizeof bytes; length++) {
        const uint32_t expected = (uint32_t)crc32(0, bytes, length);
        CHECK_EQUAL(snn_crc32(0, bytes, length), expected);
        const uint32_t part = length / 3;
        CHECK_EQUAL(snn_crc32(snn_crc32(0, bytes, part), bytes + part, length - part), expected);
    }
}

int main(int argc, char **argv)
{
    const char *corpus = argc > 1 ? argv[1] : NULL;
    test_written_models_read_back(corpus != NULL ? 0 : 150);
    if (corpus == NULL) {
        test_files_of_version_1_are_read();
        test_unknown_fields_are_refused();
        test_narrow_codings_and_wide_rows();
        test_names_that_are_not_utf8_are_refused();
        test_the_crc_of_images_is_zlibs();
        for (uint32_t coding = 0; coding < MODEL_CODINGS; coding++) {
            CHECK(model_codings_written[coding] > 0);
        }
    }
    for (uint64_t seed = 1; seed < 9; seed++) {
        test_broken_files(seed, corpus);
    }
    printf("test_loader: ok\n");
    return 0;
}
