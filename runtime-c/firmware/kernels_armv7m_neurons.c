/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_ARMV7M

/*
 * Armv7-M without the DSP extension (Cortex-M3): the neurons, two lanes of 16 bits to a word. r7 is
 * saved inside the assembly, since a compiler may keep it as frame pointer.
 */

/*
 * x becomes 2^15 times a lane v after its leak, with a fraction: v x + (v < 0 ? 32767 : 0), where x
 * holds the leak. `mul` may be mla, whose `addend` is 2^15 times what to add to v. 2 instructions.
 */
/* clang-format off */
#define LEAK(x, v, mul, addend)                     \
    mul " " x ", " x ", " v addend "\n"             \
    "add " x ", " x ", " v ", lsr #17\n"
/* clang-format on */

/* The leak of a lane, 4 bytes an entry in the upper half of its decay. */
#define LOAD_LEAK(x, at) "ldrh " x ", [r3, #" at "]\n"

/* The four lanes of the pairs at r0 after their leak, in r6, r4, r9, r5. 21 instructions. */
/* clang-format off */
#define LEAK_FOUR(mul, addend)                      \
    "ldrd r4, r5, [r0]\n"                           \
    LOAD_LEAK("r6", "4")                            \
    LOAD_LEAK("r8", "8")                            \
    LOAD_LEAK("r9", "12")                           \
    "ldrh r10, [r3, #16]!\n"                        \
    "sxth r7, r4\n"                                 \
    LEAK("r6", "r7", mul, addend)                   \
    "asrs r6, r6, #15\n"                            \
    "asrs r4, r4, #16\n"                            \
    LEAK("r8", "r4", mul, addend)                   \
    "asr r4, r8, #15\n"                             \
    "sxth r7, r5\n"                                 \
    LEAK("r9", "r7", mul, addend)                   \
    "asr r9, r9, #15\n"                             \
    "asrs r5, r5, #16\n"                            \
    LEAK("r10", "r5", mul, addend)                  \
    "asr r5, r10, #15\n"
/* clang-format on */

/* Lanes lifted by 2^15 add as one number. */
#define PACK                    \
    "add r4, r6, r4, lsl #16\n" \
    "add r5, r9, r5, lsl #16\n"

/*
 * Stores the membranes of r4 and r5, lifted, or goes to `spike` if one may fire: less its
 * threshold, one that fires has bit 15 set, as one has that borrows from the other lane. 9
 * instructions.
 */
/* clang-format off */
#define COMPARE(spike)                      \
    "ldm r2!, {r6, r7}\n"                   \
    "subs r6, r4, r6\n"                     \
    "subs r7, r5, r7\n"                     \
    "eor r4, r4, #0x80008000\n"             \
    "eor r5, r5, #0x80008000\n"             \
    "orrs r6, r6, r7\n"                     \
    "tst r6, #0x80008000\n"                 \
    "bne " spike "\n"                       \
    "stm r0!, {r4, r5}\n"
/* clang-format on */

/* A lane less the floor that lies outside 0 ... lr goes to 0 or lr; r8 counts. r7 scratch. */
/* clang-format off */
#define CLAMP(x)                            \
    "asr r7, " x ", #31\n"                  \
    "cmp " x ", lr\n"                       \
    "itt hi\n"                              \
    "bichi " x ", lr, r7\n"                 \
    "addhi r8, r8, #1\n"
/* clang-format on */

#ifdef __OPTIMIZE_SIZE__
#define EIGHTS
#define CLAMPED_EIGHTS
#define CLAMPED_END
#else
/* Adds a pair of lanes, v, after their leaks, x and y, to their sums. c scratch. 9 instructions. */
/* clang-format off */
#define LEAK_PAIR(sums, v, x, y, c)                 \
    "sxth " c ", " v "\n"                           \
    LEAK(x, c, "mul", "")                           \
    "add " sums ", " sums ", " x ", asr #15\n"      \
    "asr " v ", " v ", #16\n"                       \
    LEAK(y, v, "mul", "")                           \
    "asr " y ", " y ", #15\n"                       \
    "add " sums ", " sums ", " y ", lsl #16\n"
/* clang-format on */

/* Eight lanes at r0 after their leak and their sums, lifted, in r6 ... r9. 48 instructions. */
/* clang-format off */
#define SUM_EIGHT                                   \
    "ldrd r4, r5, [r0]\n"                           \
    "ldm r1!, {r6, r7}\n"                           \
    LOAD_LEAK("r8", "4")                            \
    LOAD_LEAK("r9", "8")                            \
    LEAK_PAIR("r6", "r4", "r8", "r9", "r10")        \
    LOAD_LEAK("r8", "12")                           \
    LOAD_LEAK("r9", "16")                           \
    LEAK_PAIR("r7", "r5", "r8", "r9", "r10")        \
    "ldrd r4, r5, [r0, #8]\n"                       \
    "ldm r1!, {r8, r9}\n"                           \
    LOAD_LEAK("r10", "20")                          \
    LOAD_LEAK("r11", "24")                          \
    LEAK_PAIR("r8", "r4", "r10", "r11", "lr")       \
    LOAD_LEAK("r10", "28")                          \
    "ldrh r11, [r3, #32]!\n"                        \
    LEAK_PAIR("r9", "r5", "r10", "r11", "lr")
/* clang-format on */

/*
 * Stores the membranes of r6 ... r9 and goes to `spike` if one may fire, r4, r5, r10 and r11 less
 * their thresholds. 15 instructions.
 */
/* clang-format off */
#define COMPARE_EIGHT(spike)                        \
    "ldm r2!, {r4, r5, r10, r11}\n"                 \
    "subs r4, r6, r4\n"                             \
    "subs r5, r7, r5\n"                             \
    "sub r10, r8, r10\n"                            \
    "sub r11, r9, r11\n"                            \
    "eor r6, r6, #0x80008000\n"                     \
    "eor r7, r7, #0x80008000\n"                     \
    "eor r8, r8, #0x80008000\n"                     \
    "eor r9, r9, #0x80008000\n"                     \
    "stm r0!, {r6, r7, r8, r9}\n"                   \
    "orr r6, r4, r5\n"                              \
    "orr r7, r10, r11\n"                            \
    "orrs r6, r6, r7\n"                             \
    "tst r6, #0x80008000\n"                         \
    "bne " spike "\n"
/* clang-format on */

/*
 * Resets a lane of the eight before r0 and r2 if it fires, and sets its bit in r9. `clamp` is what
 * follows the comparison, r6 the membrane less its threshold, r7. lr `greater`. 4 instructions, 3
 * more if it fires.
 */
/* clang-format off */
#define FIRE(at, bit, clamp)                        \
    "ldrsh r6, [r0, #-" at "]\n"                    \
    "ldrsh r7, [r2, #-" at "]\n"                    \
    "subs r6, r6, r7\n"                             \
    "bmi 19f\n"                                     \
    clamp                                           \
    "add r6, r6, lr\n"                              \
    "strh r6, [r0, #-" at "]\n"                     \
    "orr r9, r9, #" bit "\n"                        \
    "19:\n"
/* clang-format on */

/* Takes what exceeds the ceiling, r8, from r6 and counts it in r9 from bit 8 on. 3 instructions. */
/* clang-format off */
#define LOWER                                       \
    "add r7, r7, r6\n"                              \
    "subs r7, r7, r8\n"                             \
    "ble 17f\n"                                     \
    "sub r6, r6, r7\n"                              \
    "add r9, r9, #256\n"                            \
    "17:\n"
/* clang-format on */

/* The lanes of a pair, of which one may fire where bits of `above` are set. */
/* clang-format off */
#define FIRE_PAIR(above, low, low_bit, high, high_bit, clamp) \
    "tst " above ", #0x80008000\n"                  \
    "beq 18f\n"                                     \
    FIRE(low, low_bit, clamp)                       \
    FIRE(high, high_bit, clamp)                     \
    "18:\n"
/* clang-format on */

/* r9 := the bits of the eight before r0 and r2; bits from 8 on count its clamps. */
/* clang-format off */
#define FIRE_EIGHT(clamp)                               \
    "mov r9, #0\n"                                      \
    FIRE_PAIR("r4", "16", "1", "14", "2", clamp)        \
    FIRE_PAIR("r5", "12", "4", "10", "8", clamp)        \
    FIRE_PAIR("r10", "8", "16", "6", "32", clamp)       \
    FIRE_PAIR("r11", "4", "64", "2", "128", clamp)
/* clang-format on */

/*
 * With leak, not clamped: 8 lanes a turn, until 4 or none are left; a build for size takes four a
 * turn. r12 is the end of the eights. On the stack lie, in front of what snn_lif_step keeps there,
 * 0 where the byte of spikes of an eight would be if membranes began at address 0, 4 the bytes
 * behind the eights. A turn takes 65 instructions, where one fires 25 more.
 */
/* clang-format off */
#define EIGHTS                                      \
    "sub r7, r12, r0\n"                             \
    "and r7, r7, #8\n"                              \
    "sub r12, r12, r7\n"                            \
    "ldr r6, [sp, #8]\n"                            \
    "sub r6, r6, r0, lsr #4\n"                      \
    "push {r6, r7}\n"                               \
    "cmp r0, r12\n"                                 \
    "beq 22f\n"                                     \
    "20:\n"                                         \
    SUM_EIGHT                                       \
    COMPARE_EIGHT("23f")                            \
    "21:\n"                                         \
    "cmp r0, r12\n"                                 \
    "bne 20b\n"                                     \
    "22:\n"                                         \
    "pop {r6, r7}\n"                                \
    "add r12, r12, r7\n"                            \
    "b 24f\n"                                       \
    "23:\n"                                         \
    "ldr lr, [sp, #12]\n"                           \
    FIRE_EIGHT("")                                  \
    "ldr r7, [sp]\n"                                \
    "add r7, r7, r0, lsr #4\n"                      \
    "strb r9, [r7, #-1]\n"                          \
    "b 21b\n"                                       \
    "24:\n"
/* clang-format on */

/*
 * The same, clamped, if the ceiling is at most 2^15 above the floor. A membrane with its sum may
 * not fit its half. So the pairs less floor + 2^15 are tested, too: both lifted bits are clear
 * where both membranes lie in floor ... floor + 2^15 - 1, which is within int16. A membrane that
 * does not lie there sets its bit: it is at most 2^15 below the floor and less than 2^16 above it,
 * since sums are within int16. Such an eight takes two turns of the four lanes behind, up to r12,
 * which come back here by CLAMPED_END. A turn takes 75 instructions, where one fires 32 more.
 *
 * Stack: 28 r11 and 32 lr of the four lanes, 36 end of all lanes, 40 of the eights, 44 ceiling, 48
 * where the byte of spikes of an eight would be if membranes began at address 0.
 */
/* clang-format off */
#define CLAMPED_EIGHTS                              \
    "str r11, [sp, #28]\n"                          \
    "str lr, [sp, #32]\n"                           \
    "str r12, [sp, #36]\n"                          \
    "cmp r3, #0\n"                                  \
    "beq 29f\n"                                     \
    "cmp lr, #0x8000\n"                             \
    "bhi 29f\n"                                     \
    "ldr r7, [r4, #28]\n"                           \
    "str r7, [sp, #44]\n"                           \
    "sub r7, r12, r0\n"                             \
    "and r7, r7, #8\n"                              \
    "sub r12, r12, r7\n"                            \
    "str r12, [sp, #40]\n"                          \
    "ldr r6, [sp, #8]\n"                            \
    "sub r6, r6, r0, lsr #4\n"                      \
    "str r6, [sp, #48]\n"                           \
    "24:\n"                                         \
    "cmp r0, r12\n"                                 \
    "beq 27f\n"                                     \
    "25:\n"                                         \
    SUM_EIGHT                                       \
    "ldr r4, [sp, #24]\n"                           \
    "subs r5, r6, r4\n"                             \
    "sub r10, r7, r4\n"                             \
    "sub r11, r8, r4\n"                             \
    "sub lr, r9, r4\n"                              \
    "orr r5, r5, r10\n"                             \
    "orr r11, r11, lr\n"                            \
    "orr r5, r5, r11\n"                             \
    "tst r5, #0x80008000\n"                         \
    "bne 28f\n"                                     \
    COMPARE_EIGHT("23f")                            \
    "26:\n"                                         \
    "cmp r0, r12\n"                                 \
    "bne 25b\n"                                     \
    "27:\n"                                         \
    "ldr r12, [sp, #36]\n"                          \
    "b 29f\n"                                       \
    "28:\n"                                         \
    "subs r1, r1, #16\n"                            \
    "subs r3, r3, #32\n"                            \
    "add r12, r0, #16\n"                            \
    "b 29f\n"                                       \
    "23:\n"                                         \
    "ldr lr, [sp, #4]\n"                            \
    "ldr r8, [sp, #44]\n"                           \
    FIRE_EIGHT(LOWER)                               \
    "ldr r7, [sp, #48]\n"                           \
    "add r7, r7, r0, lsr #4\n"                      \
    "strb r9, [r7, #-1]\n"                          \
    "ldr r6, [sp, #20]\n"                           \
    "add r6, r6, r9, lsr #8\n"                      \
    "str r6, [sp, #20]\n"                           \
    "b 26b\n"                                       \
    "29:\n"                                         \
    "ldrd r11, lr, [sp, #28]\n"

/* Behind four clamped lanes: more eights? */
#define CLAMPED_END                                 \
    "ldr r7, [sp, #36]\n"                           \
    "cmp r0, r7\n"                                  \
    "beq 30f\n"                                     \
    "ldr r12, [sp, #40]\n"                          \
    "b 24b\n"                                       \
    "30:\n"
/* clang-format on */
#endif

uint32_t snn_lif_step(const struct snn_lif *lif)
{
    register uint32_t clamps __asm__("r4");
    register uint32_t greater __asm__("r5") = lif->rule.greater * UINT32_C(0x00010001);
    /*
     * Stack: 0 first membrane, 4 `greater` in both lanes, 8 spikes, 12 r7, 16 where to go on after
     * a spike; clamped: 20 clamps, 24 floor + 2^15 in both lanes. r0 membranes, r1 sums, r2
     * thresholds, r3 decays, r12 end of the membranes; clamped: r11 -(floor + 2^15) 2^15, where
     * floor <= 0, and lr ceiling less floor. 4 lanes a turn: r4 and r5 become their membranes, 37
     * instructions, without leak 19, clamped 52; 32 more where one fires.
     */
    /* clang-format off */
    __asm__ volatile(
        ".syntax unified\n"
        "ldm r4!, {r0, r1, r2, r3, r6}\n"
        "sub sp, sp, #40\n"
        "push {r0, r5, r6, r7}\n"
        "ldr r5, [r4, #4]\n" /* lanes */
        "add r12, r0, r5, lsl #1\n"
        "movs r7, #0\n"
        "1:\n"
        "str r7, [r6], #4\n"
        "subs r5, r5, #32\n"
        "bhi 1b\n"
        "ldr r5, [r4, #20]\n" /* clamped */
        "cbz r3, 1f\n"
        "subs r3, r3, #2\n" /* for LOAD_LEAK */
        "1:\n"
        "cmp r5, #0\n"
        "bne 7f\n"
        "cbnz r3, 4f\n"
        "adr r7, 2f\n"
        "str r7, [sp, #16]\n"
        "2:\n" /* no leak */
        "cmp r0, r12\n"
        "beq 9f\n"
        "3:\n"
        "ldrd r4, r5, [r0]\n"
        "eor r4, r4, #0x80008000\n"
        "eor r5, r5, #0x80008000\n"
        "ldm r1!, {r6, r7}\n"
        "adds r4, r4, r6\n"
        "adds r5, r5, r7\n"
        "sub r4, r4, #0x80008000\n"
        "sub r5, r5, #0x80008000\n"
        COMPARE("6f")
        "cmp r0, r12\n"
        "bne 3b\n"
        "b 9f\n"
        "4:\n"
        EIGHTS
        "adr r7, 4f\n"
        "str r7, [sp, #16]\n"
        "4:\n"
        "cmp r0, r12\n"
        "beq 9f\n"
        "5:\n"
        LEAK_FOUR("mul", "")
        PACK
        "ldm r1!, {r6, r7}\n"
        "adds r4, r4, r6\n"
        "adds r5, r5, r7\n"
        COMPARE("6f")
        "cmp r0, r12\n"
        "bne 5b\n"
        "9:\n"
        "movs r4, #0\n"
        "b 10f\n"
        /*
         * the lanes of r4 and r5 fire that are not below 0 and, bit 15 set, do not borrow from it
         */
        "6:\n"
        "ldrd r6, r7, [r2, #-8]\n"
        "mov r10, #0x00010001\n"
        "orr r8, r4, #0x80008000\n"
        "sub r8, r8, r6\n"
        "bic r8, r8, r4\n"
        "and r8, r10, r8, lsr #15\n" /* 1 in each lane that fires */
        "orr r9, r5, #0x80008000\n"
        "sub r9, r9, r7\n"
        "bic r9, r9, r5\n"
        "and r9, r10, r9, lsr #15\n"
        "ldr r10, [sp, #4]\n"
        "sub r6, r6, r10\n"
        "sub r7, r7, r10\n"
        "rsb r10, r8, r8, lsl #16\n"
        "and r6, r6, r10\n"
        "subs r4, r4, r6\n"
        "rsb r10, r9, r9, lsl #16\n"
        "and r7, r7, r10\n"
        "subs r5, r5, r7\n"
        "orr r8, r8, r9, lsl #2\n"
        "orr r8, r8, r8, lsr #15\n"
        "ldr r7, [sp]\n"
        "subs r6, r0, r7\n"
        "stm r0!, {r4, r5}\n"
        "ldr r7, [sp, #8]\n"
        "ubfx r5, r6, #1, #3\n"
        "lsl r8, r8, r5\n" /* its low byte is that of lanes 8 i ... 8 i + 7 */
        "lsrs r6, r6, #4\n"
        "ldrb r5, [r7, r6]\n"
        "orr r5, r5, r8\n"
        "strb r5, [r7, r6]\n"
        "ldr r4, [sp, #16]\n"
        "mov pc, r4\n"
        ".balign 4\n" /* of the section, which adr counts on */
        "7:\n" /* r7 = 0 */
        "str r7, [sp, #20]\n"
        "ldrd r6, lr, [r4, #24]\n" /* floor, ceiling */
        "sub lr, lr, r6\n"
        "add r6, r6, #0x8000\n"
        "add r5, r6, r6, lsl #16\n"
        "str r5, [sp, #24]\n"
        "lsls r6, r6, #15\n"
        "rsb r11, r6, #0\n"
        CLAMPED_EIGHTS
        "adr r7, 7f\n"
        "str r7, [sp, #16]\n"
        "7:\n" /* clamped: the lanes one by one, for with their sums they may leave 16 bits */
        "cmp r0, r12\n"
        "beq 15f\n"
        "8:\n"
        "cmp r3, #0\n"
        "beq 12f\n"
        LEAK_FOUR("mla", ", r11")
        "13:\n"
        "ldm r1!, {r7, r8}\n"
        "uxth r10, r7\n"
        "add r6, r10\n"
        "add r4, r4, r7, lsr #16\n"
        "uxth r10, r8\n"
        "add r9, r10\n"
        "add r5, r5, r8, lsr #16\n"
        "cmp r6, lr\n"
        "ittt ls\n"
        "cmpls r4, lr\n"
        "cmpls r9, lr\n"
        "cmpls r5, lr\n"
        "bhi 14f\n"
        "16:\n"
        "ldr r7, [sp, #24]\n"
        PACK
        "adds r4, r4, r7\n"
        "adds r5, r5, r7\n"
        COMPARE("6b")
        "cmp r0, r12\n"
        "bne 8b\n"
        "15:\n"
        CLAMPED_END
        "ldr r4, [sp, #20]\n"
        "b 10f\n"
        "12:\n"
        "ldrd r4, r5, [r0]\n"
        "sxth r6, r4\n"
        "add r6, r6, r11, asr #15\n"
        "asrs r4, r4, #16\n"
        "add r4, r4, r11, asr #15\n"
        "sxth r9, r5\n"
        "add r9, r9, r11, asr #15\n"
        "asrs r5, r5, #16\n"
        "add r5, r5, r11, asr #15\n"
        "b 13b\n"
        /*
         * below the floor or above the ceiling; a membrane above the ceiling fires, so it may be
         * set to the ceiling at once
         */
        "14:\n"
        "ldr r8, [sp, #20]\n"
        CLAMP("r6")
        CLAMP("r4")
        CLAMP("r9")
        CLAMP("r5")
        "str r8, [sp, #20]\n"
        "b 16b\n"
        "10:\n"
        "ldr r7, [sp, #12]\n"
        "add sp, sp, #56\n"
        : "=r"(clamps), "+r"(greater)
        : "0"(lif)
        : "r0", "r1", "r2", "r3", "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    /* clang-format on */
    return clamps;
}

#endif
