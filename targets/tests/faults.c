/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "guard.h"

/* Does what a firmware should not, as the one byte of its request says. */

extern uint32_t __flash_start[], __stack_bottom[];

/** Uses more and more stack; the result keeps the compiler from a loop. */
__attribute__((noinline)) static uint32_t descend(uint32_t depth)
{
    volatile uint32_t frame[16];
    for (uint32_t i = 0; i < 16; i++) {
        frame[i] = depth;
    }
    return depth == 0 ? 0 : descend(depth - 1) + frame[depth & 15];
}

static int misbehave(uint8_t way)
{
    switch (way) {
    case 'e': return 42;
    case 'u':
#if defined(__riscv)
        __asm__ volatile("unimp");
#else
        __asm__ volatile("udf #0");
#endif
        break;
    case 'd': descend(4); break;
    case 's': descend(UINT32_C(1) << 30); break;
    case 'l': return *(volatile int *)(uintptr_t)0xA0000000u;
    case 'f': *(volatile uint32_t *)(__flash_start + 20) ^= 1; break;
    case 'w': *(volatile uint32_t *)__stack_bottom = 0; break;
    default: break;
    }
    return BOARD_OK;
}

int firmware_main(void)
{
    uint8_t way = 0;
    board_init();
    guard_begin();
    if (!board_read(&way, 1)) {
        return BOARD_NO_FILES;
    }
    const int code = misbehave(way);
    const uint32_t stack = guard_stack_bytes();
    board_write(&stack, 4);
    return code == BOARD_OK ? guard_end() : code;
}
