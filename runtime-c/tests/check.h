/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_TEST_CHECK_H
#define SNN_TEST_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The test harness: a failed check prints where and what, and ends the program. */

static inline void check_true(int holds, const char *what, const char *file, int line)
{
    if (!holds) {
        fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
        abort();
    }
}

static inline void check_equal(long long found, long long expected, const char *what,
                               const char *file, int line)
{
    if (found != expected) {
        fprintf(stderr, "%s:%d: %s is %lld, expected %lld\n", file, line, what, found, expected);
        abort();
    }
}

#define CHECK(condition) check_true((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(found, expected) \
    check_equal((long long)(found), (long long)(expected), #found, __FILE__, __LINE__)

/** xorshift64*: the tests' own numbers, the same on every machine. */
struct random {
    uint64_t state;
};

static inline uint32_t random_next(struct random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return (uint32_t)((random->state * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
}

/** low ... high, both included. */
static inline int32_t random_in(struct random *random, int32_t low, int32_t high)
{
    const uint64_t span = (uint64_t)((int64_t)high - low + 1);
    return (int32_t)(low + (int64_t)(random_next(random) % span));
}

static inline int random_chance(struct random *random, uint32_t percent)
{
    return random_next(random) % 100 < percent;
}

#endif
