/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GUARD_H
#define GUARD_H

/** What an unused word of the stack holds. */
#define GUARD_PAINT 0x5AA5C33C

#ifndef __ASSEMBLER__
#include <stdint.h>

/*
 * Emulated flash may be writable, and a stack may outgrow its place without a fault: both are
 * looked at instead.
 */

/** Notes the CRC of the program in flash. */
void guard_begin(void);

/** The most bytes of stack that were in use so far; 0 where it is not known. */
uint32_t guard_stack_bytes(void);

/** BOARD_OK, BOARD_FLASH_CHANGED or BOARD_STACK_SPENT. */
int guard_end(void);

/** CRC-32 (zlib's) of some bytes after others; starts from 0. */
uint32_t guard_crc(uint32_t crc, const void *bytes, uint32_t size);

#endif
#endif
