/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_TEST_FREESTANDING_STRING_H
#define SNN_TEST_FREESTANDING_STRING_H

/*
 * All of the library that the host engine asks for, to compile it with a compiler that comes
 * without one.
 */

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);

#endif
