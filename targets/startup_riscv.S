/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

/* From reset to firmware_main on RV32, in machine mode. */

    .section .vectors, "ax"
    .globl board_start
board_start:
    .option push
    .option norelax
    la      gp, __global_pointer$
    .option pop
    la      t0, trap
    csrw    mtvec, t0
#ifdef BOARD_GUARD
    /* Below RAM no writes, even in machine mode: stores to "flash" and a stack that grows out of RAM fault. */
    la      t0, __stack_bottom
    srli    t0, t0, 2
    csrw    pmpaddr0, t0
    li      t0, 0x8D /* locked, up to the address, execute and read */
    csrw    pmpcfg0, t0
#endif
    la      sp, __stack_top
    la      t0, __stack_bottom
    li      t1, GUARD_PAINT
1:  sw      t1, 0(t0)
    addi    t0, t0, 4
    bltu    t0, sp, 1b
    la      t0, __data_load
    la      t1, __data_start
    la      t2, __data_end
    j       3f
2:  lw      a0, 0(t0)
    sw      a0, 0(t1)
    addi    t0, t0, 4
    addi    t1, t1, 4
3:  bltu    t1, t2, 2b
    la      t1, __bss_start
    la      t2, __bss_end
    j       5f
4:  sw      zero, 0(t1)
    addi    t1, t1, 4
5:  bltu    t1, t2, 4b
    call    firmware_main
    tail    board_exit

    /* The stack may be what failed: take another. */
    .balign 4
trap:
    la      sp, __fault_stack_top
    csrr    a0, mcause
    csrr    a1, mepc
    tail    board_fault
