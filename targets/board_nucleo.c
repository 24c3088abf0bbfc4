/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"

/*
 * STM32 Nucleo-F446RE: requests and answers over the ST-Link's serial port (USART2, PA2 and PA3,
 * 115200 8N1), cycles from the DWT. The processor runs from its 16 MHz oscillator, as it does after
 * reset. It receives while board_read waits and at no other time, as targets/serial expects.
 * README.md says how to build and use it and how other boards differ.
 */

/** A 32-bit register at an address of the reference manual (RM0390) or of the architecture. */
static volatile uint32_t *at(uint32_t address)
{
    return (volatile uint32_t *)(uintptr_t)address;
}

enum {
    RCC_AHB1ENR = 0x40023830,
    RCC_APB1ENR = 0x40023840,
    GPIOA_MODER = 0x40020000,
    GPIOA_AFRL = 0x40020020,
    USART2_SR = 0x40004400,
    USART2_DR = 0x40004404,
    USART2_BRR = 0x40004408,
    USART2_CR1 = 0x4000440C
};
#define DEMCR 0xE000EDFCu
#define DWT_CTRL 0xE0001000u
#define DWT_CYCCNT 0xE0001004u

void board_init(void)
{
    *at(RCC_AHB1ENR) |= 1u;       /* port A */
    *at(RCC_APB1ENR) |= 1u << 17; /* USART2 */
    /* PA2, PA3: alternate function */
    *at(GPIOA_MODER) = (*at(GPIOA_MODER) & ~0xF0u) | 0xA0u;
    *at(GPIOA_AFRL) = (*at(GPIOA_AFRL) & ~0xFF00u) | 0x7700u; /* number 7 */
    /* 16 MHz / 115200 */
    *at(USART2_BRR) = 139;
    /* on, send, receive */
    *at(USART2_CR1) = 1u << 13 | 1u << 3 | 1u << 2;
    *at(DEMCR) |= 1u << 24;
    *at(DWT_CTRL) |= 1u;
}

bool board_read(void *bytes, uint32_t size)
{
    uint8_t *byte = bytes;
    for (uint32_t i = 0; i < size; i++) {
        while ((*at(USART2_SR) & 1u << 5) == 0) {
        }
        byte[i] = (uint8_t)*at(USART2_DR);
    }
    return true;
}

void board_write(const void *bytes, uint32_t size)
{
    const uint8_t *byte = bytes;
    for (uint32_t i = 0; i < size; i++) {
        while ((*at(USART2_SR) & 1u << 7) == 0) {
        }
        *at(USART2_DR) = byte[i];
    }
}

enum board_unit board_count_unit(void)
{
    return BOARD_UNIT_CYCLES;
}

uint32_t board_count(void)
{
    return *at(DWT_CYCCNT);
}

_Noreturn void board_fault(uint32_t cause, uint32_t pc)
{
    (void)pc;
    board_exit((int)cause);
}

_Noreturn void board_exit(int code)
{
    (void)code; /* for a debugger */
    for (;;) {
    }
}
