/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include "snn/snn.h"
#include "snn_loader.h"

#include <dirent.h>
#include <string.h>

/*
 * Replays golden.snntrace (FORMAT.md, section 8) of every model in ../models on the engine and
 * compares every line. A model without a trace fails, and so does a folder without models.
 */

enum { SAMPLE_STEPS = 65536 };

struct file {
    char *bytes;
    size_t size;
};

static struct file read_file(const char *path)
{
    struct file file = {NULL, 0};
    FILE *stream = fopen(path, "rb");
    if (stream != NULL) {
        CHECK(fseek(stream, 0, SEEK_END) == 0);
        const long size = ftell(stream);
        rewind(stream);
        CHECK(size >= 0);
        file.size = (size_t)size;
        file.bytes = calloc(file.size + 1, 1);
        CHECK(file.bytes != NULL && fread(file.bytes, 1, file.size, stream) == file.size);
        fclose(stream);
    }
    return file;
}

/**
 * A sample's input lines wait until its first expected line, since frames and events of one step
 * arrive together.
 */
struct replay {
    struct snn *snn;
    const struct snn_model *model;
    uint32_t hashes[256];
    uint32_t digest;
    char *inputs[1 << 16];
    uint32_t input_count, steps, next_frame[16];
    bool ran;
};

static void add_hash(void *context, const struct snn *snn, uint32_t step, uint32_t population)
{
    struct replay *replay = context;
    (void)step;
    replay->hashes[population] = snn_hash_population(replay->hashes[population], snn, population);
}

static long next_number(char **at)
{
    char *end = NULL;
    const long number = strtol(*at, &end, 10);
    CHECK(end != *at);
    *at = end;
    return number;
}

static bool more_numbers(const char *at)
{
    return at[strspn(at, " \r")] != 0;
}

/** Presents what a line holds for `step`; true when the line is used up. */
static bool present_line(struct replay *replay, char *line, uint32_t step)
{
    char *at = line + strcspn(line, " ");
    const bool values = strncmp(line, "values", 6) == 0;
    const uint32_t port = (uint32_t)next_number(&at);
    CHECK(port < replay->model->input_count);
    if (values) {
        if (replay->next_frame[port] != step) {
            return false;
        }
        const uint32_t n = snn_shape_size(&replay->model->inputs[port].shape);
        int16_t *frame = calloc(n, sizeof *frame);
        CHECK(frame != NULL);
        for (uint32_t i = 0; i < n; i++) {
            frame[i] = (int16_t)next_number(&at);
        }
        CHECK(!more_numbers(at));
        CHECK_EQUAL(snn_values_s16(replay->snn, port, frame, n), SNN_OK);
        free(frame);
        replay->next_frame[port] = UINT32_MAX;
        return true;
    }
    if ((uint32_t)next_number(&at) != step) {
        return false;
    }
    while (more_numbers(at)) {
        (void)snn_event(replay->snn, port, (uint32_t)next_number(&at));
    }
    return true;
}

static void run_sample(struct replay *replay)
{
    for (uint32_t step = 0; step < replay->steps && !snn_is_decided(replay->snn); step++) {
        for (uint32_t i = 0; i < 16; i++) {
            replay->next_frame[i] = step;
        }
        for (uint32_t i = 0; i < replay->input_count; i++) {
            if (replay->inputs[i] != NULL && present_line(replay, replay->inputs[i], step)) {
                replay->inputs[i] = NULL;
            }
        }
        CHECK_EQUAL(snn_step(replay->snn), SNN_OK);
    }
    replay->ran = true;
}

static void check_line(struct replay *replay, char *line)
{
    char *at = line + strcspn(line, " ");
    if (strncmp(line, "population ", 11) == 0) {
        const uint32_t p = (uint32_t)next_number(&at);
        CHECK(p < replay->model->population_count);
        const struct snn_population_counters counters = snn_population_counters(replay->snn, p);
        CHECK_EQUAL(replay->hashes[p], strtoul(at, &at, 16));
        replay->digest = snn_hash_word(replay->digest, replay->hashes[p]);
        CHECK_EQUAL(counters.spikes_out, next_number(&at));
        CHECK_EQUAL(counters.updates, next_number(&at));
        CHECK_EQUAL(counters.saturations, next_number(&at));
    } else if (strncmp(line, "projection ", 11) == 0) {
        const struct snn_projection_counters counters =
            snn_projection_counters(replay->snn, (uint32_t)next_number(&at));
        CHECK_EQUAL(counters.spikes_in, next_number(&at));
        CHECK_EQUAL(counters.synops, next_number(&at));
        CHECK_EQUAL(counters.macs, next_number(&at));
    } else if (strncmp(line, "scores ", 7) == 0) {
        uint32_t count = 0;
        const int32_t *scores = snn_scores(replay->snn, &count);
        for (uint32_t i = 0; i < count; i++) {
            CHECK_EQUAL(scores[i], next_number(&at));
        }
        CHECK(!more_numbers(at));
    } else {
        CHECK(strncmp(line, "end", 3) == 0 || line[0] == 0);
    }
}

static void replay_trace(struct replay *replay, char *text)
{
    char *save = NULL;
    char *line = strtok_r(text, "\n", &save);
    CHECK(line != NULL && strncmp(line, "snntrace 1 ", 11) == 0);
    while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
        if (strncmp(line, "sample ", 7) == 0) {
            char *at = line + 7;
            (void)next_number(&at);
            replay->steps = (uint32_t)next_number(&at);
            replay->input_count = 0;
            replay->ran = false;
            snn_reset(replay->snn);
            for (uint32_t p = 0; p < 256; p++) {
                replay->hashes[p] = SNN_HASH_START;
            }
        } else if (strncmp(line, "seed ", 5) == 0) {
            snn_seed(replay->snn, (uint32_t)strtoul(line + 5, NULL, 10));
        } else if (strncmp(line, "values ", 7) == 0 || strncmp(line, "events ", 7) == 0) {
            CHECK(replay->input_count < 1 << 16);
            replay->inputs[replay->input_count++] = line;
        } else {
            if (!replay->ran) {
                run_sample(replay);
            }
            check_line(replay, line);
        }
    }
}

/** Whether a folder holds a model; one it holds is replayed. */
static bool check_model(const char *folder, const char *name)
{
    static struct replay replay;
    char path[512];
    snprintf(path, sizeof path, "%s/%s/model.snnpb", folder, name);
    struct file file = read_file(path);
    snprintf(path, sizeof path, "%s/%s/golden.snntrace", folder, name);
    struct file trace = read_file(path);
    const bool found = file.bytes != NULL;
    if (found) {
        if (trace.bytes == NULL) {
            fprintf(stderr, "%s: no such file, but a model beside it\n", path);
        }
        CHECK(trace.bytes != NULL);
        struct snn_loader_error error;
        uint8_t *arena = NULL;
        size_t size = 0;
        enum snn_status status = SNN_ERROR_MEMORY;
        memset(&replay, 0, sizeof replay);
        while ((status = snn_load(arena, size, file.bytes, file.size, &replay.model, &error)) ==
               SNN_ERROR_MEMORY) {
            size = error.needed;
            free(arena);
            arena = malloc(size);
            CHECK(arena != NULL);
        }
        CHECK_EQUAL(status, SNN_OK);
        void *memory = malloc(snn_state_size(replay.model));
        CHECK_EQUAL(snn_init(&replay.snn, replay.model, memory, snn_state_size(replay.model)),
                    SNN_OK);
        snn_set_trace(replay.snn, add_hash, &replay);
        replay.digest = SNN_HASH_START;
        replay_trace(&replay, trace.bytes);
        free(memory);
        free(arena);
    }
    free(file.bytes);
    free(trace.bytes);
    return found;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : "../models";
    int models = 0;
    DIR *directory = opendir(folder);
    if (directory != NULL) {
        for (struct dirent *entry = NULL; (entry = readdir(directory)) != NULL;) {
            models += entry->d_name[0] != '.' && check_model(folder, entry->d_name) ? 1 : 0;
        }
        closedir(directory);
    }
    if (models == 0) {
        fprintf(stderr, "%s: no folder with a model.snnpb\n", folder);
    }
    CHECK(models > 0);
    printf("test_golden: %d models replayed\n", models);
    return 0;
}
