/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"
#include "board.h"

extern const uint32_t __flash_start[], __flash_end[];
extern const uint32_t __stack_bottom[], __stack_top[];

static uint32_t flash_crc;

/** Read as volatile: nothing in the program says that flash can change. */
static uint32_t crc_of_flash(void)
{
    const uint32_t *volatile start = __flash_start;
    return guard_crc(0, start, (uint32_t)((uintptr_t)__flash_end - (uintptr_t)start));
}

void guard_begin(void)
{
    flash_crc = crc_of_flash();
}

uint32_t guard_stack_bytes(void)
{
    const volatile uint32_t *word = __stack_bottom;
    while (word < __stack_top && *word == GUARD_PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)__stack_top - (uintptr_t)word);
}

int guard_end(void)
{
    if (crc_of_flash() != flash_crc) {
        return BOARD_FLASH_CHANGED;
    }
    return *(const volatile uint32_t *)__stack_bottom == GUARD_PAINT ? BOARD_OK : BOARD_STACK_SPENT;
}
