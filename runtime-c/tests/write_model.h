/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_TEST_WRITE_MODEL_H
#define SNN_TEST_WRITE_MODEL_H

#include "check.h"
#include "reference.h"

#include <stddef.h>

enum { MODEL_CODINGS = 4 };

/** Matrices written in each coding, to see that the dice reached all. */
extern uint32_t model_codings_written[MODEL_CODINGS];

/**
 * Writes a model as .snnpb bytes, codings and layouts by dice; returns their number. `memory` owns
 * `*bytes`.
 */
size_t model_write(struct test_model *memory, const struct test_model *test, struct random *r,
                   uint8_t **bytes);

#endif
