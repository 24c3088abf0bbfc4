/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A firmware with two models as snn-export --c-source writes them, over one engine. Each model gives
 * the answer of its golden sample when it runs alone, and when the two run step by step in turn.
 */
#include "board.h"
#include "guard.h"

#include "snn/count.h"
#include "snn/device.h"
#include "snn/self_test.h"

#include "moving_shapes.h"
#include "moving_shapes_golden.h"
#include "nmnist_diet.h"
#include "nmnist_diet_golden.h"

enum { LAYERS = 8, PROJECTIONS = 8 };

/** Exit codes of the firmware, beside those of board.h. */
enum result {
    PASSED = BOARD_OK,
    SELF_TEST_FAILED = 1, /**< a model alone does not pass its self-test */
    REFUSED = 2,          /**< the engine refuses a model, an arena, an event or a step */
    WRONG_IN_TURN = 3,    /**< in turn with the other, a model gives another answer */
    UNNOTICED = 4 /**< two networks in one arena give the right answers: nothing was tested */
};

/** A model's network at work on the model's golden sample. */
struct run {
    const struct snn_image *image;
    const struct snn_golden *golden;
    uint32_t *arena;
    size_t arena_bytes;
    const uint32_t *event; /**< in golden->events: the number of events of the next step */
    struct snn_device network;
    struct snn_count count;
    struct snn_layer_count layers[LAYERS];
    struct snn_projection_count projections[PROJECTIONS];
};

static uint32_t shapes_arena[SNN_MODEL_MOVING_SHAPES_ARENA_BYTES / 4];
static uint32_t digits_arena[SNN_MODEL_NMNIST_DIET_ARENA_BYTES / 4];

static struct run shapes = {.image = &snn_model_moving_shapes.image,
                            .golden = &snn_golden_moving_shapes,
                            .arena = shapes_arena,
                            .arena_bytes = sizeof shapes_arena};
static struct run digits = {.image = &snn_model_nmnist_diet.image,
                            .golden = &snn_golden_nmnist_diet,
                            .arena = digits_arena,
                            .arena_bytes = sizeof digits_arena};

static bool passes_alone(const struct run *run)
{
    return snn_self_test(run->image, run->arena, run->arena_bytes, run->golden) == SNN_OK;
}

/** Both models take events and stream, so that their steps may be interleaved. */
static bool begin(struct run *run)
{
    if (run->image->block != 1 || run->golden->events == NULL || run->image->layer_count > LAYERS ||
        run->image->projection_count > PROJECTIONS) {
        return false;
    }
    run->event = run->golden->events;
    if (snn_device_init(&run->network, run->image, run->arena, run->arena_bytes) != SNN_OK) {
        return false;
    }
    snn_count_init(&run->count, &run->network, run->layers, run->projections);
    return true;
}

/** Runs the sample's next step. */
static bool step(struct run *run)
{
    for (uint32_t left = *run->event++; left > 0; left--, run->event++) {
        if (!snn_device_event(&run->network, *run->event >> 24, *run->event & 0xFFFFFFu)) {
            return false;
        }
    }
    return snn_device_run(&run->network, 1) == SNN_OK;
}

/** Runs both samples, a step of one after a step of the other. */
static bool run_in_turn(struct run *first, struct run *second)
{
    if (!begin(first) || !begin(second)) {
        return false;
    }
    for (uint32_t i = 0; i < first->golden->steps || i < second->golden->steps; i++) {
        if (i < first->golden->steps && !step(first)) {
            return false;
        }
        if (i < second->golden->steps && !step(second)) {
            return false;
        }
    }
    return true;
}

/** Whether scores, spikes and membranes were the golden ones. */
static bool is_golden(const struct run *run)
{
    uint32_t count, digest = 0;
    const int32_t *scores = snn_device_scores(&run->network, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (scores[i] != run->golden->scores[i]) {
            return false;
        }
    }
    for (uint32_t i = 0; i < run->image->layer_count; i++) {
        digest += (2 * i + 1) * run->layers[i].digest;
    }
    return digest == run->golden->digest;
}

static enum result test(void)
{
    if (!passes_alone(&shapes) || !passes_alone(&digits)) {
        return SELF_TEST_FAILED;
    }
    if (!run_in_turn(&shapes, &digits)) {
        return REFUSED;
    }
    if (!is_golden(&shapes) || !is_golden(&digits)) {
        return WRONG_IN_TURN;
    }
    /* Both in the larger arena: whatever the networks share must show. */
    struct run *smaller = shapes.arena_bytes < digits.arena_bytes ? &shapes : &digits;
    const struct run *larger = smaller == &shapes ? &digits : &shapes;
    smaller->arena = larger->arena;
    if (!run_in_turn(&shapes, &digits)) {
        return REFUSED;
    }
    return is_golden(&shapes) && is_golden(&digits) ? UNNOTICED : PASSED;
}

int firmware_main(void)
{
    board_init();
    guard_begin();
    const enum result result = test();
    return result == PASSED ? guard_end() : (int)result;
}
