/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "semihosting.h"

/*
 * A board inside QEMU. Its serial line is two files, named by the program's arguments: requests and
 * answers. They travel by semihosting, which costs no device model and loses nothing.
 */

static intptr_t requests = -1, answers = -1;

/** Modes of fopen, numbered by the standard. */
enum { READ_BINARY = 1, WRITE_BINARY = 5 };

static intptr_t open_file(const char *name, uintptr_t length, uintptr_t mode)
{
    const uintptr_t block[3] = {(uintptr_t)name, mode, length};
    return semihosting(SEMIHOSTING_OPEN, block);
}

void board_init(void)
{
    char line[96];
    uintptr_t block[2] = {(uintptr_t)line, sizeof line};
    if (semihosting(SEMIHOSTING_COMMAND_LINE, block) != 0) {
        board_exit(BOARD_NO_FILES);
    }
    char *word[3];
    uintptr_t length[3] = {0, 0, 0};
    char *next = line;
    for (int i = 0; i < 3; i++) {
        word[i] = next;
        while (*next != 0 && *next != ' ') {
            next++;
        }
        length[i] = (uintptr_t)(next - word[i]);
        if (*next == ' ') {
            *next++ = 0;
        }
    }
    requests = open_file(word[1], length[1], READ_BINARY);
    answers = open_file(word[2], length[2], WRITE_BINARY);
    if (length[2] == 0 || requests < 0 || answers < 0) {
        board_exit(BOARD_NO_FILES);
    }
}

bool board_read(void *bytes, uint32_t size)
{
    const uintptr_t block[3] = {(uintptr_t)requests, (uintptr_t)bytes, size};
    return semihosting(SEMIHOSTING_READ, block) == 0;
}

void board_write(const void *bytes, uint32_t size)
{
    const uintptr_t block[3] = {(uintptr_t)answers, (uintptr_t)bytes, size};
    if (semihosting(SEMIHOSTING_WRITE, block) != 0) {
        board_exit(BOARD_NO_FILES);
    }
}

#if defined(BOARD_COUNTS)

/* minstret is exact under -icount; otherwise it is the host's clock. */

enum board_unit board_count_unit(void)
{
    return BOARD_UNIT_INSTRUCTIONS;
}

uint32_t board_count(void)
{
    uint32_t count;
    __asm__ volatile("csrr %0, minstret" : "=r"(count));
    return count;
}

#else

/* QEMU has no cycle counter on Cortex-M; the plugin counts. */

enum board_unit board_count_unit(void)
{
    return BOARD_UNIT_NONE;
}

uint32_t board_count(void)
{
    return 0;
}

#endif

/** `text` ends in eight zeros, which become `value`. */
static void print_with_hex(char *end, uint32_t value)
{
    for (int digit = 0; digit < 8; digit++, value >>= 4) {
        *--end = "0123456789abcdef"[value & 15];
    }
}

_Noreturn void board_fault(uint32_t cause, uint32_t pc)
{
#if defined(__riscv)
    const uint32_t base = 80;
    const char *name = cause == 0   ? "instruction address misaligned"
                       : cause == 1 ? "instruction access fault"
                       : cause == 2 ? "illegal instruction"
                       : cause == 3 ? "breakpoint"
                       : cause == 4 ? "load address misaligned"
                       : cause == 5 ? "load access fault"
                       : cause == 6 ? "store address misaligned"
                       : cause == 7 ? "store access fault"
                                    : "exception";
#else
    const uint32_t base = 70;
    const char *name = cause == 2   ? "NMI"
                       : cause == 3 ? "HardFault"
                       : cause == 4 ? "MemManage"
                       : cause == 5 ? "BusFault"
                       : cause == 6 ? "UsageFault"
                       : cause == 7 ? "SecureFault"
                                    : "exception";
#endif
    char where[] = " at pc 0x00000000\n";
    print_with_hex(where + sizeof where - 2, pc);
    semihosting(SEMIHOSTING_PRINT, "fault: ");
    semihosting(SEMIHOSTING_PRINT, name);
    semihosting(SEMIHOSTING_PRINT, pc == 0 ? ", the stack is lost\n" : where);
    board_exit((int)(base + (cause < 16 ? cause : 15)));
}

_Noreturn void board_exit(int code)
{
    const uintptr_t block[2] = {0x20026, (uintptr_t)code}; /* "application exit" */
    semihosting(SEMIHOSTING_EXIT, block);
    for (;;) {
    }
}
