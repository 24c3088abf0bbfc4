/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What a firmware of this folder asks of its board. Someone with a real board writes this one file
 * anew (and brings the maker's start-up code); board_qemu.c and board_linux.c are the ones used
 * here.
 */

/**
 * The firmware itself: harness.c, bench.c. Start-up code calls it and passes its result to
 * board_exit.
 */
int firmware_main(void);

/** Clocks, serial line, whatever the rest needs. */
void board_init(void);

/**
 * The next `size` bytes of the requests; waits for them. False at the end: a file has one, a serial
 * line need not.
 */
bool board_read(void *bytes, uint32_t size);

/** Sends `size` bytes of answers. */
void board_write(const void *bytes, uint32_t size);

enum board_unit { BOARD_UNIT_NONE = 0, BOARD_UNIT_INSTRUCTIONS = 1, BOARD_UNIT_CYCLES = 2 };

/** What board_count counts. */
enum board_unit board_count_unit(void);

/** A counter that wraps at 2^32: DWT's CYCCNT, mcycle, minstret. 0 when there is none. */
uint32_t board_count(void);

/**
 * Says where a fault came from, as well as it can, and ends. `pc` is 0 when the stack that held it
 * is lost.
 */
_Noreturn void board_fault(uint32_t cause, uint32_t pc);

/** Ends the program; a real board stops here, in whatever way shows the code. */
_Noreturn void board_exit(int code);

/* Exit codes. Above 70, faults: 70 + exception number on Arm, 80 + cause on RISC-V. */
enum board_code {
    BOARD_OK = 0,
    BOARD_NO_FILES = 64,      /**< no requests, or nowhere to answer */
    BOARD_FLASH_CHANGED = 65, /**< something wrote to the program */
    BOARD_STACK_SPENT = 66,   /**< the stack was used to its last word */
    /** the engine refuses the model, or it does not fit the memory set aside */
    BOARD_NO_MODEL = 67
};

#endif
