/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

/*
 * The debugger's services for a program without an operating system: Arm's semihosting, which
 * RISC-V took over.
 */

enum semihosting_operation {
    SEMIHOSTING_OPEN = 0x01,
    SEMIHOSTING_PRINT = 0x04,
    SEMIHOSTING_WRITE = 0x05,
    SEMIHOSTING_READ = 0x06,
    SEMIHOSTING_COMMAND_LINE = 0x15,
    SEMIHOSTING_EXIT = 0x20
};

/** One call. `argument` is a block of words, or for PRINT the text. */
static inline intptr_t semihosting(enum semihosting_operation operation, const void *argument)
{
#if defined(__riscv)
    register intptr_t a0 __asm__("a0") = (intptr_t)operation;
    register const void *a1 __asm__("a1") = argument;
    /*
     * Three instructions of full size, in one page, are how the emulator tells this from a
     * breakpoint.
     */
    __asm__ volatile(".balign 16\n\t"
                     ".option push\n\t"
                     ".option norvc\n\t"
                     "slli zero, zero, 0x1f\n\t"
                     "ebreak\n\t"
                     "srai zero, zero, 7\n\t"
                     ".option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
#else
    register intptr_t r0 __asm__("r0") = (intptr_t)operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory", "cc");
    return r0;
#endif
}

#endif
