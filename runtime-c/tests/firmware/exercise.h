/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_TEST_EXERCISE_H
#define SNN_TEST_EXERCISE_H

#include "../check.h"
#include "snn/device.h"

/** Multiples of additions in a step that an image may ask for and still be run. */
enum { EXERCISE_WORK = 1 << 21 };

/** Whether a step of an image that passed its check is short enough for a test. */
bool exercise_is_small(const struct snn_image *image);

/**
 * Runs samples of an image that passed its check on random events and frames, good and bad, in an
 * arena of just the stated size between guards, unseen and seen by observers. Aborts when a guard
 * changes, an index that does not exist is taken, or, where the image is `right`, observers change
 * the scores.
 */
void exercise_image(const struct snn_image *image, bool right, struct random *random,
                    uint32_t samples);

#endif
