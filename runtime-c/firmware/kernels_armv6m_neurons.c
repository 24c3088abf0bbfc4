/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_ARMV6M

/*
 * Armv6-M (Cortex-M0, M0+): the neurons, two lanes of 16 bits to a word. r7 is saved inside the
 * assembly, since a compiler may keep it as frame pointer.
 */

/*
 * A lane v after its leak, the upper half of a decay `at` bytes behind r3: x = floor((v leak + (v <
 * 0 ? 32767 : 0)) / 2^15). v scratch. 5 instructions.
 */
/* clang-format off */
#define LEAK(x, v, at)                      \
    "ldrh " x ", [r3, #" at "]\n"           \
    "muls " x ", " v ", " x "\n"            \
    "lsrs " v ", " v ", #17\n"              \
    "adds " x ", " x ", " v "\n"            \
    "asrs " x ", " x ", #15\n"
/* clang-format on */

/* The lanes of r4 after their leak in r5 and r6. 12 instructions. */
/* clang-format off */
#define LEAK_PAIR(low, high)                \
    "asrs r5, r4, #16\n"                    \
    LEAK("r6", "r5", high)                  \
    "sxth r4, r4\n"                         \
    LEAK("r5", "r4", low)
/* clang-format on */

/* Lanes lifted by 2^15 add as one number. */
#define PACK             \
    "lsls r6, r6, #16\n" \
    "adds r5, r5, r6\n"

/*
 * Stores the membranes of r5, lifted, after a call of 6 if one may fire: less its threshold, in r4,
 * one that fires has bit 15 set, as one has that borrows from the other lane. r7 2^15 in both
 * lanes. 6 instructions.
 */
/* clang-format off */
#define COMPARE(spike)                      \
    "ldm r2!, {r4}\n"                       \
    "subs r6, r5, r4\n"                     \
    "eors r5, r7\n"                         \
    "tst r6, r7\n"                          \
    "beq 21f\n"                             \
    "bl " spike "\n"                        \
    "b 22f\n"                               \
    "21:\n"                                 \
    "stm r0!, {r5}\n"                       \
    "22:\n"
/* clang-format on */

/* r5 = a pair of lanes after their leak and their sums, lifted. 17 instructions. */
/* clang-format off */
#define SUM_PAIR(low, high)                 \
    "ldr r4, [r0]\n"                        \
    LEAK_PAIR(low, high)                    \
    PACK                                    \
    "ldm r1!, {r6}\n"                       \
    "adds r5, r5, r6\n"
/* clang-format on */

/* A pair of lanes with leak, not clamped. 23 instructions. */
/* clang-format off */
#define STEP_PAIR(low, high)                \
    SUM_PAIR(low, high)                     \
    COMPARE("6f")
/* clang-format on */

/*
 * A membrane less the floor that lies outside 0 ... r7 goes to 0 or r7, and is counted. r4 scratch.
 */
/* clang-format off */
#define CLAMP(x)                            \
    "cmp " x ", r7\n"                       \
    "bls 11f\n"                             \
    "asrs r4, " x ", #31\n"                 \
    "movs " x ", r7\n"                      \
    "bics " x ", r4\n"                      \
    "ldr r4, [sp, #20]\n"                   \
    "adds r4, r4, #1\n"                     \
    "str r4, [sp, #20]\n"                   \
    "11:\n"
/* clang-format on */

#ifdef __OPTIMIZE_SIZE__
#define CLAMPED_EIGHTS
#define CLAMPED_END
#define FAR(branch, inverse, to) branch " " to "\n"
#else
/* A branch on a condition to a place too far for one instruction. */
/* clang-format off */
#define FAR(branch, inverse, to)            \
    inverse " 40f\n"                        \
    "b " to "\n"                            \
    "40:\n"
/* clang-format on */

/*
 * A pair of lanes with leak, clamped, like STEP_PAIR. A membrane with its sum may not fit its half.
 * So the pair less floor + 2^15 is tested, too: both lifted bits are clear where both membranes lie
 * in floor ... floor + 2^15 - 1, which is within int16. A membrane that does not lie there sets its
 * bit, if the ceiling is less than 2^15 above the floor: it is at most 2^15 below the floor and
 * less than 2^16 above it, since sums are within int16. 27 instructions.
 */
/* clang-format off */
#define CLAMPED_PAIR(low, high)             \
    SUM_PAIR(low, high)                     \
    "ldr r6, [sp, #32]\n"                   \
    "subs r6, r5, r6\n"                     \
    "tst r6, r7\n"                          \
    "bne 36f\n"                             \
    COMPARE("38f")
/* clang-format on */

/*
 * With leak, clamped, the ceiling less than 2^15 above the floor: 8 lanes a turn. From a pair that
 * fails the test of CLAMPED_PAIR on, or fires above the ceiling, the turn goes through the pairs
 * that are clamped exactly, up to r8; CLAMPED_END comes back here.
 *
 * Stack: 36 end of all lanes, 40 of the eights, 44 ceiling + 2^15 in both lanes.
 */
/* clang-format off */
#define CLAMPED_EIGHTS                      \
    "mov r5, r8\n"                          \
    "str r5, [sp, #36]\n"                   \
    "cmp r3, #0\n"                          \
    FAR("beq", "bne", "34f")                \
    "lsrs r7, r7, #15\n"                    \
    FAR("bne", "beq", "34f")                \
    "ldr r7, [r4, #28]\n"                   \
    "movs r6, #128\n"                       \
    "lsls r6, r6, #8\n"                     \
    "adds r7, r7, r6\n"                     \
    "lsls r6, r7, #16\n"                    \
    "adds r7, r7, r6\n"                     \
    "str r7, [sp, #44]\n"                   \
    "subs r4, r5, r0\n"                     \
    "movs r6, #8\n"                         \
    "ands r4, r6\n"                         \
    "subs r5, r5, r4\n"                     \
    "str r5, [sp, #40]\n"                   \
    "32:\n"                                 \
    "ldr r5, [sp, #40]\n"                   \
    "mov r8, r5\n"                          \
    "mov r7, r12\n"                         \
    "33:\n"                                 \
    "cmp r0, r8\n"                          \
    FAR("beq", "bne", "35f")                \
    CLAMPED_PAIR("2", "6")                  \
    CLAMPED_PAIR("10", "14")                \
    CLAMPED_PAIR("18", "22")                \
    CLAMPED_PAIR("26", "30")                \
    "adds r3, #32\n"                        \
    "b 33b\n"                               \
    "38:\n"                                 \
    "eors r5, r7\n"                         \
    "ldr r6, [sp, #44]\n"                   \
    "subs r6, r6, r5\n"                     \
    "eors r5, r7\n"                         \
    "tst r6, r7\n"                          \
    "bne 37f\n"                             \
    "b 6b\n"                                \
    "37:\n"                                 \
    "subs r2, #4\n"                         \
    "36:\n" /* bytes of membranes before it in this turn: half those of its leaks */ \
    "subs r1, #4\n"                         \
    "ldr r5, [sp]\n"                        \
    "subs r4, r0, r5\n"                     \
    "movs r6, #15\n"                        \
    "movs r7, r4\n"                         \
    "ands r7, r6\n"                         \
    "adds r3, r3, r7\n"                     \
    "adds r3, r3, r7\n"                     \
    "orrs r4, r6\n"                         \
    "adds r4, #1\n"                         \
    "adds r4, r4, r5\n"                     \
    "mov r8, r4\n"                          \
    "b 34f\n"                               \
    "35:\n"                                 \
    "ldr r5, [sp, #36]\n"                   \
    "mov r8, r5\n"                          \
    "34:\n"

/* Behind pairs that are clamped exactly: more eights? */
#define CLAMPED_END                         \
    "ldr r4, [sp, #36]\n"                   \
    "cmp r0, r4\n"                          \
    "beq 39f\n"                             \
    "b 32b\n"                               \
    "39:\n"
/* clang-format on */
#endif

uint32_t snn_lif_step(const struct snn_lif *lif)
{
    register uint32_t clamps __asm__("r4");
    register uint32_t greater __asm__("r5") = lif->rule.greater * UINT32_C(0x00010001);
    register uint32_t lift __asm__("r6") = UINT32_C(0x80008000);
    /*
     * Stack: 0 first membrane, 4 `greater` in both lanes, 8 spikes, 12 r7; clamped: 20 clamps, 24
     * floor + 2^15, 28 ceiling less floor, 32 floor + 2^15 in both lanes. r0 membranes, r1 sums, r2
     * thresholds, r3 decays, r12 2^15 in both lanes, r8 end of the membranes. With leak two pairs a
     * turn, else one: r5 becomes its membranes, 24.5 instructions, without leak 13, clamped 43; 28
     * more where one fires.
     */
    /* clang-format off */
    __asm__ volatile(
        ".syntax unified\n"
        "mov r12, r6\n"
        "ldm r4!, {r0, r1, r2, r3, r6}\n"
        "sub sp, sp, #32\n"
        "push {r0, r5, r6, r7}\n"
        "ldr r5, [r4, #4]\n" /* lanes */
        "lsls r7, r5, #1\n"
        "adds r7, r7, r0\n"
        "mov r8, r7\n"
        "movs r7, #0\n"
        "1:\n"
        "stm r6!, {r7}\n"
        "subs r5, r5, #32\n"
        "bhi 1b\n"
        "ldr r5, [r4, #20]\n" /* clamped */
        "cmp r5, #0\n"
        FAR("bne", "beq", "7f")
        "cmp r3, #0\n"
        "bne 4f\n"
        "2:\n" /* no leak */
        "mov r7, r12\n"
        "cmp r0, r8\n"
        "beq 9f\n"
        "3:\n"
        "ldr r4, [r0]\n"
        "eors r4, r7\n"
        "ldm r1!, {r5}\n"
        "adds r5, r5, r4\n"
        "subs r5, r5, r7\n"
        COMPARE("6f")
        "cmp r0, r8\n"
        "bne 3b\n"
        "b 9f\n"
        "4:\n"
        "cmp r0, r8\n"
        "beq 9f\n"
        "mov r7, r12\n"
        "5:\n"
        STEP_PAIR("2", "6")
        STEP_PAIR("10", "14")
        "adds r3, #16\n"
        "cmp r0, r8\n"
        "bne 5b\n"
        "9:\n"
        "movs r4, #0\n"
        "b 10f\n"
        /* the lanes of r5 fire that are not below 0 and, bit 15 set, do not borrow from it */
        "6:\n"
        "movs r6, r5\n"
        "orrs r6, r7\n"
        "subs r6, r6, r4\n"
        "bics r6, r5\n"
        "ands r6, r7\n"
        "lsrs r6, r6, #15\n" /* 1 in each lane that fires */
        "ldr r7, [sp, #4]\n"
        "subs r4, r4, r7\n"
        "lsls r7, r6, #16\n"
        "subs r7, r7, r6\n"
        "ands r4, r7\n"
        "subs r5, r5, r4\n"
        "ldr r7, [sp]\n"
        "subs r4, r0, r7\n"
        "stm r0!, {r5}\n"
        "lsrs r7, r6, #15\n"
        "orrs r6, r7\n"
        "lsls r7, r4, #28\n"
        "lsrs r7, r7, #29\n"
        "lsls r6, r7\n" /* its low byte is that of lanes 8 i ... 8 i + 7 */
        "lsrs r4, r4, #4\n"
        "ldr r7, [sp, #8]\n"
        "ldrb r5, [r7, r4]\n"
        "orrs r5, r6\n"
        "strb r5, [r7, r4]\n"
        "mov r7, r12\n"
        "bx lr\n"
        "7:\n" /* r7 = 0 */
        "str r7, [sp, #20]\n"
        "ldr r6, [r4, #24]\n" /* floor */
        "ldr r7, [r4, #28]\n" /* ceiling */
        "subs r7, r7, r6\n"
        "movs r5, #128\n"
        "lsls r5, r5, #8\n"
        "adds r5, r5, r6\n"
        "lsls r6, r5, #16\n"
        "adds r6, r6, r5\n"
        "str r5, [sp, #24]\n"
        "str r7, [sp, #28]\n"
        "str r6, [sp, #32]\n"
        CLAMPED_EIGHTS
        "7:\n" /* clamped: the lanes one by one, for with their sums they may leave 16 bits */
        "cmp r0, r8\n"
        "beq 15f\n"
        "8:\n"
        "ldr r4, [r0]\n"
        "cmp r3, #0\n"
        "beq 12f\n"
        LEAK_PAIR("2", "6")
        "adds r3, #8\n"
        "13:\n"
        "ldm r1!, {r4}\n"
        "uxth r7, r4\n"
        "adds r5, r5, r7\n"
        "lsrs r4, r4, #16\n"
        "adds r6, r6, r4\n"
        "ldr r7, [sp, #24]\n"
        "subs r5, r5, r7\n"
        "subs r6, r6, r7\n"
        "ldr r7, [sp, #28]\n"
        "cmp r5, r7\n"
        "bhi 14f\n"
        "cmp r6, r7\n"
        "bhi 14f\n"
        "16:\n"
        PACK
        "ldr r7, [sp, #32]\n"
        "adds r5, r5, r7\n"
        "mov r7, r12\n"
        COMPARE("6b")
        "cmp r0, r8\n"
        "bne 8b\n"
        "15:\n"
        CLAMPED_END
        "ldr r4, [sp, #20]\n"
        "b 10f\n"
        "12:\n"
        "sxth r5, r4\n"
        "asrs r6, r4, #16\n"
        "b 13b\n"
        /*
         * below the floor or above the ceiling; a membrane above the ceiling fires, so it may be
         * set to the ceiling at once
         */
        "14:\n"
        CLAMP("r5")
        CLAMP("r6")
        "b 16b\n"
        "10:\n"
        "ldr r7, [sp, #12]\n"
        "add sp, sp, #48\n"
        : "=r"(clamps), "+r"(greater), "+r"(lift)
        : "0"(lif)
        : "r0", "r1", "r2", "r3", "r8", "r12", "lr", "cc", "memory");
    /* clang-format on */
    return clamps;
}

#endif
