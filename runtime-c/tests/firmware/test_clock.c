/* SPDX-License-Identifier: Apache-2.0 */
#include "build_image.h"

#include "../check.h"
#include "snn/clock.h"
#include "snn/snn.h"

#include <string.h>

/*
 * Events with time. snn/event_time.h decides for both engines, so its rules are tested by hand, on
 * the firmware engine. Random calls then show that both engines ask it alike: they take and drop
 * the same events and close the same steps at the same calls. That they compute the same integers
 * in a step is tested by test_images.c and fuzz_events.c.
 */

enum { GUARD = 64, SAMPLES = 400, CALLS = 60 };

/** A network in both engines. */
struct pair {
    const struct image_spec *spec;
    struct snn_image *image;
    struct built_model built;
    void *state;
    uint8_t *memory;
    struct snn *core;
    struct snn_device device;
    struct snn_device_clock clock;
};

/** How often each case came up; a test in which one never did is none. */
static struct {
    uint64_t taken, merged, outside, late, back, gaps, floods, ends;
} seen;

/** Both engines, with a physical time and fewer steps by default than at most. */
static struct pair *make_pair(uint32_t spec, uint32_t step_microseconds)
{
    struct pair *pair = calloc(1, sizeof *pair);
    size_t size;
    CHECK(pair != NULL);
    pair->spec = &image_specs[spec];
    pair->image = image_build(pair->spec, &size);
    pair->image->step_microseconds = step_microseconds;
    pair->image->steps = pair->spec->steps - 1;
    image_seal(pair->image, size);
    CHECK_EQUAL(snn_image_check(pair->image, size), SNN_OK);
    model_build(&pair->built, pair->spec);
    pair->built.model.step_microseconds = step_microseconds;
    pair->built.model.steps = pair->spec->steps - 1;
    const size_t state_size = snn_state_size(&pair->built.model);
    pair->state = malloc(state_size);
    pair->memory = malloc(pair->image->arena_bytes + 2 * (size_t)GUARD);
    CHECK(pair->state != NULL && pair->memory != NULL);
    memset(pair->memory, 0xA5, pair->image->arena_bytes + 2 * (size_t)GUARD);
    CHECK_EQUAL(snn_init(&pair->core, &pair->built.model, pair->state, state_size), SNN_OK);
    const uint32_t bytes = pair->image->arena_bytes;
    CHECK_EQUAL(snn_device_init(&pair->device, pair->image, pair->memory + GUARD, bytes), SNN_OK);
    return pair;
}

static void release_pair(struct pair *pair)
{
    const uint8_t *end = pair->memory + GUARD + pair->image->arena_bytes;
    for (uint32_t i = 0; i < GUARD; i++) {
        CHECK(pair->memory[i] == 0xA5 && end[i] == 0xA5);
    }
    built_model_release(&pair->built);
    free(pair->image);
    free(pair->state);
    free(pair->memory);
    free(pair);
}

/* ---- By hand ---- */

static void check_counters(const struct snn_device_clock *clock, uint64_t events, uint64_t outside,
                           uint64_t late)
{
    CHECK_EQUAL(clock->inputs[0].events, events);
    CHECK_EQUAL(clock->inputs[0].dropped_outside, outside);
    CHECK_EQUAL(clock->inputs[0].dropped_late, late);
}

/** The sensor is 6 wide, 7 high, of 2 polarities; 5 steps of 1000, at most 6. */
static void test_time_closes_steps(void)
{
    struct pair *pair = make_pair(CONVOLUTION, 1000);
    struct snn_device_clock *clock = &pair->clock;
    CHECK_EQUAL(snn_device_clock_init(clock, &pair->device), SNN_OK);
    snn_device_advance(clock, UINT64_MAX); /* nothing has begun */
    CHECK_EQUAL(snn_device_steps(clock), 0);
    CHECK(!snn_device_event_xy(clock, 0, 6, 0, 0, 100)); /* outside: it is not t0 */
    CHECK(!snn_device_event_xy(clock, 0, 0, 7, 0, 100));
    CHECK(!snn_device_event_xy(clock, 0, 0, 0, 2, 100));
    CHECK(snn_device_event_xy(clock, 0, 5, 6, 1, 5000));  /* t0 */
    CHECK(!snn_device_event_xy(clock, 0, 6, 0, 0, 9000)); /* outside: it closes nothing */
    CHECK_EQUAL(snn_device_steps(clock), 0);
    CHECK(snn_device_event_xy(clock, 0, 5, 6, 1, 5999)); /* merges */
    check_counters(clock, 1, 4, 0);
    CHECK(!snn_device_event_xy(clock, 0, 0, 0, 0, 4999)); /* before t0 */
    CHECK(snn_device_event_xy(clock, 0, 5, 6, 1, 6000));  /* the next step's first microsecond */
    CHECK_EQUAL(snn_device_steps(clock), 1);
    CHECK(!snn_device_event_xy(clock, 0, 0, 0, 0, 5999)); /* that step has closed */
    check_counters(clock, 2, 4, 2);
    CHECK(snn_device_event_xy(clock, 0, 0, 0, 0, 6999));
    CHECK(snn_device_event_xy(clock, 0, 1, 0, 0, 6000)); /* back within the open step */
    snn_device_advance(clock, 7999);
    CHECK_EQUAL(snn_device_steps(clock), 2);
    snn_device_advance(clock, 4000); /* a clock that goes back says nothing */
    snn_device_advance(clock, 7000);
    CHECK_EQUAL(snn_device_steps(clock), 2);
    CHECK(snn_device_event_xy(clock, 0, 0, 0, 0, 9999)); /* over two boundaries, to the last */
    CHECK_EQUAL(snn_device_steps(clock), 4);
    CHECK(!snn_device_event_xy(clock, 0, 0, 0, 0, 10000)); /* after the last */
    CHECK_EQUAL(snn_device_steps(clock), 5);
    CHECK(!snn_device_event_xy(clock, 0, 0, 0, 0, 9999));
    check_counters(clock, 5, 4, 4);
    snn_device_clock_reset(clock);
    check_counters(clock, 0, 0, 0);
    CHECK_EQUAL(snn_device_steps(clock), 0);
    snn_device_advance(clock, 5000); /* t0 is forgotten */
    CHECK_EQUAL(snn_device_steps(clock), 0);
    release_pair(pair);
}

static void test_start_states_time_and_steps(void)
{
    struct pair *pair = make_pair(CONVOLUTION, 1000);
    struct snn_device_clock *clock = &pair->clock;
    CHECK_EQUAL(snn_device_clock_init(clock, &pair->device), SNN_OK);
    CHECK_EQUAL(snn_device_start(clock, 300, 7), SNN_ERROR_ARGUMENT);
    CHECK_EQUAL(snn_device_start(clock, 300, UINT32_MAX), SNN_ERROR_ARGUMENT);
    CHECK(!clock->time.started);
    CHECK_EQUAL(snn_device_start(clock, 300, 6), SNN_OK);
    CHECK(!snn_device_event_xy(clock, 0, 0, 0, 0, 299));
    CHECK(snn_device_event_xy(clock, 0, 0, 0, 0, 2300)); /* silence closed two steps */
    CHECK_EQUAL(snn_device_steps(clock), 2);
    snn_device_advance(clock, UINT64_MAX);
    CHECK_EQUAL(snn_device_steps(clock), 6);
    snn_device_advance(clock, UINT64_MAX);
    CHECK_EQUAL(snn_device_steps(clock), 6);
    check_counters(clock, 1, 0, 1);
    /* Another number of steps holds for one sample. */
    snn_device_clock_reset(clock);
    snn_device_advance(clock, UINT64_MAX);
    CHECK_EQUAL(snn_device_steps(clock), 0);
    CHECK_EQUAL(snn_device_start(clock, 0, 6), SNN_OK);
    CHECK_EQUAL(snn_device_start(clock, 0, 0), SNN_OK);
    snn_device_advance(clock, UINT64_MAX);
    CHECK_EQUAL(snn_device_steps(clock), 5);
    release_pair(pair);
}

/** Steps that the caller closed before time began lie behind t0, in both engines. */
static void test_steps_before_the_start_have_passed(void)
{
    struct pair *pair = make_pair(CONVOLUTION, INT32_MAX);
    struct snn_device_clock *clock = &pair->clock;
    const uint64_t open = 3 * (uint64_t)INT32_MAX;
    CHECK_EQUAL(snn_device_clock_init(clock, &pair->device), SNN_OK);
    CHECK_EQUAL(snn_run(pair->core, 3), SNN_OK);
    CHECK_EQUAL(snn_device_run(&pair->device, 3), SNN_OK);
    CHECK_EQUAL(snn_start(pair->core, 9, 0), SNN_OK);
    CHECK_EQUAL(snn_device_start(clock, 9, 0), SNN_OK);
    CHECK(!snn_event_xy(pair->core, 0, 0, 0, 0, 9 + open - 1));
    CHECK(!snn_device_event_xy(clock, 0, 0, 0, 0, 9 + open - 1));
    CHECK(snn_event_xy(pair->core, 0, 0, 0, 0, 9 + open));
    CHECK(snn_device_event_xy(clock, 0, 0, 0, 0, 9 + open));
    CHECK_EQUAL(snn_steps(pair->core), 3);
    CHECK_EQUAL(snn_device_steps(clock), 3);
    release_pair(pair);
}

/** At either end of time, with the longest step, no more steps run than the sample has. */
static void test_extreme_times_run_no_more_than_the_sample(void)
{
    static const uint32_t steps[] = {1, 1000, INT32_MAX, UINT32_MAX};
    for (uint32_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct pair *pair = make_pair(CONVOLUTION, 1);
        struct snn_device_clock *clock = &pair->clock;
        pair->image->step_microseconds = steps[i]; /* the core takes none from 2^31 on */
        CHECK_EQUAL(snn_device_clock_init(clock, &pair->device), SNN_OK);
        CHECK(snn_device_event_xy(clock, 0, 0, 0, 0, 0));
        CHECK(!snn_device_event_xy(clock, 0, 1, 0, 0, UINT64_MAX));
        CHECK_EQUAL(snn_device_steps(clock), 5);
        for (uint32_t n = 0; n < 100000; n++) {
            CHECK(!snn_device_event_xy(clock, 0, n % 6, 0, 0, UINT64_MAX - n));
        }
        CHECK_EQUAL(snn_device_steps(clock), 5);
        check_counters(clock, 1, 0, 100001);
        snn_device_clock_reset(clock);
        CHECK(snn_device_event_xy(clock, 0, 0, 0, 0, UINT64_MAX)); /* t0: nothing can come after */
        CHECK_EQUAL(snn_device_steps(clock), 0);
        CHECK(!snn_device_event_xy(clock, 0, 0, 0, 0, 0)); /* a timer that wrapped */
        snn_device_advance(clock, 0);
        CHECK_EQUAL(snn_device_steps(clock), 0);
        release_pair(pair);
    }
}

static void test_wrong_ports_and_addresses_are_dropped(void)
{
    struct pair *pair = make_pair(STREAMING, 1000); /* 2 x 4 x 4, and a port of values */
    struct snn_device_clock *clock = &pair->clock;
    uint8_t *before = malloc(pair->image->arena_bytes);
    CHECK(before != NULL);
    CHECK_EQUAL(snn_device_clock_init(clock, &pair->device), SNN_OK);
    memcpy(before, pair->memory + GUARD, pair->image->arena_bytes);
    for (uint32_t bit = 0; bit < 32; bit++) {
        const uint32_t by = UINT32_C(1) << bit;
        CHECK(!snn_device_event_xy(clock, by, 0, 0, 0, 0)); /* port 1 takes values */
        if (bit >= 2) {
            CHECK(!snn_device_event_xy(clock, 0, by, 0, 0, 0));
        }
        if (bit >= 2) {
            CHECK(!snn_device_event_xy(clock, 0, 0, by, 0, 0));
        }
        if (bit >= 1) {
            CHECK(!snn_device_event_xy(clock, 0, 0, 0, by, 0));
        }
    }
    CHECK(!snn_device_event_xy(clock, 0, UINT32_MAX, UINT32_MAX, UINT32_MAX, 0));
    CHECK(memcmp(before, pair->memory + GUARD, pair->image->arena_bytes) == 0);
    check_counters(clock, 0, 30 + 30 + 31 + 1, 0);
    for (uint32_t port = 1; port < SNN_IMAGE_PORTS; port++) {
        const struct snn_device_input_counters *of = &clock->inputs[port];
        CHECK(of->events == 0 && of->dropped_outside == 0 && of->dropped_late == 0);
    }
    CHECK(!clock->time.started);
    free(before);
    release_pair(pair);
}

static void test_only_streaming_images_with_time_take_a_clock(void)
{
    for (uint32_t spec = 0; spec < IMAGE_SPECS; spec++) {
        for (uint32_t timed = 0; timed < 2; timed++) {
            struct pair *pair = make_pair(spec, timed);
            const bool streaming = pair->image->block == 1;
            CHECK_EQUAL(snn_device_clock_init(NULL, &pair->device), SNN_ERROR_ARGUMENT);
            CHECK_EQUAL(snn_device_clock_init(&pair->clock, NULL), SNN_ERROR_ARGUMENT);
            CHECK_EQUAL(snn_device_clock_init(&pair->clock, &pair->device),
                        !streaming   ? SNN_ERROR_STEPS
                        : timed == 0 ? SNN_ERROR_ARGUMENT
                                     : SNN_OK);
            release_pair(pair);
        }
    }
    CHECK(sizeof(struct snn_device_clock) <= 160);
}

/* ---- Against the host engine ---- */

static void check_alike(const struct pair *pair)
{
    CHECK_EQUAL(snn_device_steps(&pair->clock), snn_steps(pair->core));
    for (uint32_t port = 0; port < pair->spec->port_count; port++) {
        const struct snn_input_counters expected = snn_input_counters(pair->core, port);
        const struct snn_device_input_counters *found = &pair->clock.inputs[port];
        CHECK_EQUAL(found->events, expected.events);
        CHECK_EQUAL(found->dropped_outside, expected.dropped_outside);
        CHECK_EQUAL(found->dropped_late, expected.dropped_late);
        CHECK_EQUAL(found->dropped_overflow, expected.dropped_overflow);
    }
    if (snn_steps(pair->core) == 0) {
        return; /* before step 0 the core shows the initial membranes */
    }
    uint32_t count;
    const int32_t *found = snn_device_scores(&pair->device, &count);
    const int32_t *expected = snn_scores(pair->core, NULL);
    for (uint32_t i = 0; i < count; i++) {
        CHECK_EQUAL(found[i], expected[i]);
    }
    CHECK_EQUAL(snn_device_class(&pair->device), snn_class(pair->core));
}

/** An address of a port of any kind, mostly inside, to both. */
static void send(struct pair *pair, struct random *random, uint64_t time)
{
    const uint32_t any = random_next(random) % (pair->spec->port_count + 2);
    const uint32_t port = random_chance(random, 95) ? 0 : any;
    const struct port_spec *of = &pair->spec->ports[0];
    uint32_t x = random_next(random) % of->width, y = random_next(random) % of->height;
    uint32_t polarity = random_next(random) % of->channels;
    if (random_chance(random, 6)) {
        x = random_chance(random, 50) ? of->width : random_next(random);
    }
    if (random_chance(random, 6)) {
        y = random_chance(random, 50) ? of->height : random_next(random);
    }
    if (random_chance(random, 6)) {
        polarity = random_chance(random, 50) ? of->channels : random_next(random);
    }
    const struct snn_input_counters before = snn_input_counters(pair->core, port);
    const uint32_t steps = snn_steps(pair->core);
    const bool taken = snn_event_xy(pair->core, port, x, y, polarity, time);
    CHECK_EQUAL(snn_device_event_xy(&pair->clock, port, x, y, polarity, time), taken);
    const struct snn_input_counters after = snn_input_counters(pair->core, port);
    seen.taken += after.events - before.events;
    seen.outside += after.dropped_outside - before.dropped_outside;
    seen.late += after.dropped_late - before.dropped_late;
    seen.merged += taken && after.events == before.events;
    seen.gaps += taken && snn_steps(pair->core) > steps + 1;
}

/** Where a recording may begin: at 0, anywhere, and where its end does not fit into 64 bits. */
static uint64_t origin(struct random *random, uint32_t step_microseconds)
{
    const uint32_t shift = random_next(random) % 31;
    switch (random_next(random) % 4) {
    case 0: return 0;
    case 1: return UINT64_MAX - random_next(random) % (4 * (uint64_t)step_microseconds);
    default: return (uint64_t)random_next(random) << shift;
    }
}

/** Time until the next call: mostly ties and fractions of a step, now and then more, or back. */
static uint64_t later(struct random *random, uint64_t time, uint32_t step_microseconds)
{
    const uint32_t dt = step_microseconds, kind = random_next(random) % 100;
    if (kind < 30) {
        return time;
    }
    if (kind < 85) {
        return time + random_next(random) % (dt / 4 + 1);
    }
    if (kind < 90) {
        return time + dt;
    }
    if (kind < 94) {
        const uint32_t steps = random_next(random) % 4;
        return time + (uint64_t)dt * steps + random_next(random) % dt;
    }
    if (kind < 99) {
        seen.back++;
        return time - random_next(random) % (2 * (uint64_t)dt);
    }
    seen.floods++;
    return random_chance(random, 50) ? UINT64_MAX : time + ((uint64_t)random_next(random) << 20);
}

static void run_sample(struct pair *pair, struct random *random)
{
    const uint32_t dt = pair->image->step_microseconds;
    uint64_t time = origin(random, dt);
    snn_reset(pair->core);
    snn_device_clock_reset(&pair->clock);
    check_alike(pair);
    if (random_chance(random, 50)) {
        const uint32_t steps = random_next(random) % (pair->spec->steps + 2);
        const uint64_t before = random_next(random) % (2 * (uint64_t)dt);
        const uint64_t start = random_chance(random, 50) ? time : time - before;
        const enum snn_status status = snn_start(pair->core, start, steps);
        CHECK_EQUAL(snn_device_start(&pair->clock, start, steps), status);
    }
    for (uint32_t call = random_next(random) % CALLS; call > 0; call--) {
        const uint64_t now = later(random, time, dt);
        /* What goes back or far ahead is mostly an event gone wrong, not the time from then on. */
        const bool kept = now >= time && now - time < 5 * (uint64_t)dt;
        if (kept || random_chance(random, 30)) {
            time = now;
        }
        if (random_chance(random, 3)) { /* a step by hand */
            CHECK_EQUAL(snn_device_run(&pair->device, 1), snn_step(pair->core));
        }
        if (random_chance(random, 10)) {
            snn_advance(pair->core, now);
            snn_device_advance(&pair->clock, now);
        } else {
            uint32_t burst = random_next(random) % 12 + 1;
            for (; burst > 0; burst--) {
                send(pair, random, now);
            }
        }
        check_alike(pair);
    }
    if (random_chance(random, 80)) {
        snn_advance(pair->core, UINT64_MAX);
        snn_device_advance(&pair->clock, UINT64_MAX);
        check_alike(pair);
    }
    seen.ends += snn_steps(pair->core) >= pair->image->steps;
}

static void test_the_core_takes_and_drops_the_same_events(void)
{
    static const uint32_t durations[] = {1, 7, 1000, 50000, INT32_MAX};
    for (uint32_t spec = 0; spec < IMAGE_SPECS; spec++) {
        if (image_specs[spec].block != 1) {
            continue;
        }
        for (uint32_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
            struct pair *pair = make_pair(spec, durations[i]);
            struct random random = {spec * 100 + i + 1};
            CHECK_EQUAL(snn_device_clock_init(&pair->clock, &pair->device), SNN_OK);
            for (uint32_t sample = 0; sample < SAMPLES; sample++) {
                run_sample(pair, &random);
            }
            release_pair(pair);
        }
    }
    CHECK(seen.taken > 1000 && seen.merged > 1000 && seen.outside > 1000 && seen.late > 1000);
    CHECK(seen.back > 1000 && seen.gaps > 100 && seen.floods > 100 && seen.ends > 1000);
}

int main(void)
{
    test_time_closes_steps();
    test_start_states_time_and_steps();
    test_steps_before_the_start_have_passed();
    test_extreme_times_run_no_more_than_the_sample();
    test_wrong_ports_and_addresses_are_dropped();
    test_only_streaming_images_with_time_take_a_clock();
    test_the_core_takes_and_drops_the_same_events();
    printf("test_clock: ok\n");
    return 0;
}
