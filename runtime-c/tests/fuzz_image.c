/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/build_image.h"
#include "firmware/exercise.h"

#include <string.h>

/*
 * libFuzzer: any bytes are refused by snn_image_check, or run between guards in an arena of just
 * the stated size. A run of the target looks at the bytes as they are and, so that mutations get
 * past the CRC, with length and CRC made right.
 */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t most);

static void check_and_run(const void *image, size_t length, struct random *random)
{
    if (snn_image_check(image, length) == SNN_OK && exercise_is_small(image)) {
        exercise_image(image, false, random, 2); /* seen by either observer */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct random random = {length + 1};
    for (size_t i = 0; i < length; i += 7) {
        random.state = random.state * 31 + bytes[i] + 1;
    }
    if (random.state == 0) {
        random.state = 1;
    }
    uint8_t *copy = malloc(length + 1); /* exact but for an empty one */
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, bytes, length);
    check_and_run(copy, length, &random);
    image_seal(copy, length);
    check_and_run(copy, length, &random);
    free(copy);
    return 0;
}

/**
 * Half of the mutations set one field to a number that breaks things; an image's own numbers are
 * among them.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t length, size_t most, unsigned seed)
{
    static const uint32_t likely[] = {
        0,     1,     2,     3,     4,        7,          8,          16,         31,
        32,    33,    63,    64,    65,       127,        128,        255,        256,
        32767, 32768, 65535, 65536, 1u << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF};
    struct random random = {seed + UINT64_C(1)};
    if (length < 80 || random_chance(&random, 50)) {
        length = LLVMFuzzerMutate(bytes, length, most);
    } else {
        const uint32_t width = UINT32_C(1) << random_next(&random) % 3;
        const size_t within = length > 512 && random_chance(&random, 75) ? 512 : length;
        uint32_t value = likely[random_next(&random) % (sizeof likely / sizeof likely[0])];
        if (random_chance(&random, 40)) {
            memcpy(&value, bytes + random_next(&random) % (within / 4) * 4, width);
        }
        if (random_chance(&random, 30)) {
            value += (uint32_t)random_in(&random, -8, 8);
        }
        memcpy(bytes + random_next(&random) % (within / width) * width, &value, width);
    }
    image_seal(bytes, length);
    return length;
}
