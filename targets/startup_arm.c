/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "guard.h"

#include <stddef.h>

/* From reset to firmware_main on any Cortex-M. */

extern uint32_t __data_load[], __data_start[], __data_end[], __bss_start[], __bss_end[];
extern uint32_t __stack_bottom[], __stack_top[], __fault_stack_top[];

_Noreturn void board_start(void);
_Noreturn void board_report(const uint32_t *frame);

/**
 * Every exception ends here. The stack may be what failed, so another is taken before anything is
 * pushed; the frame that the processor has stacked, with the pc, lies where the old one stood.
 */
__attribute__((naked)) static void fault_entry(void)
{
    __asm__ volatile("mrs r0, msp\n\t"
#if __ARM_ARCH >= 8
                     "movs r1, #0\n\t"
                     "msr msplim, r1\n\t"
#endif
                     "ldr r1, =__fault_stack_top\n\t"
                     "msr msp, r1\n\t"
                     "ldr r1, =board_report\n\t"
                     "bx r1\n\t"
                     ".ltorg");
}

_Noreturn __attribute__((used)) void board_report(const uint32_t *frame)
{
    uint32_t exception;
    __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
    /* At the very bottom, where a stack limit puts it, nothing has been written. */
    const bool whole = frame > __stack_bottom && frame + 8 <= __stack_top;
    board_fault(exception & 0x1FFu, whole ? frame[6] : 0);
}

typedef void entry(void);

/** What the processor reads first: the stack's top, the way in, the exceptions. */
struct vector_table {
    uint32_t *stack;
    entry *handlers[15];
};

__attribute__((section(".vectors"), used)) static const struct vector_table vectors = {
    __stack_top,
    {board_start, fault_entry, fault_entry, fault_entry, fault_entry, fault_entry, fault_entry,
     NULL, NULL, NULL, fault_entry, fault_entry, NULL, fault_entry, fault_entry},
};

#if defined(BOARD_GUARD)
/**
 * With the memory protection unit of ARMv7-M: below RAM, at 0x20000000, no writes. Emulated flash
 * is writable, and under RAM lies nothing that would refuse a stack.
 */
static void guard_low_memory(void)
{
    /* then number, base, attributes and size */
    volatile uint32_t *const control = (volatile uint32_t *)0xE000ED94u;
    control[1] = 0;
    control[2] = 0;
    control[3] = 6u << 24 | 2u << 16 | 28u << 1 | 1; /* read-only, normal memory, 2^29 bytes, on */
    /* on, the rest as without it; off while a fault is handled */
    control[0] = 5;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}
#endif

_Noreturn void board_start(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
    /* Before the loops below: the compiler may make vector code of them. */
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: coprocessors 10 and 11 */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
#if __ARM_ARCH >= 8
    __asm__ volatile("msr msplim, %0" : : "r"(__stack_bottom));
#endif
#if defined(BOARD_GUARD)
    guard_low_memory();
#endif
    uint32_t *used_from;
    __asm__ volatile("mrs %0, msp" : "=r"(used_from));
    for (uint32_t *word = __stack_bottom; word < used_from; word++) {
        *word = GUARD_PAINT;
    }
    const uint32_t *from = __data_load;
    for (uint32_t *word = __data_start; word < __data_end; word++) {
        *word = *from++;
    }
    for (uint32_t *word = __bss_start; word < __bss_end; word++) {
        *word = 0;
    }
    board_exit(firmware_main());
}
