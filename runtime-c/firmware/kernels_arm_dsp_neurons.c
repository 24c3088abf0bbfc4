/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_ARM_DSP

/*
 * Neurons by the DSP extension, beside kernels_arm_dsp_rows.c: four a turn, two lanes of 16 bits to
 * a word. r7 is saved inside the assembly, since a compiler may keep it as frame pointer.
 */

/** A bound, or what a spike adds, in both lanes. */
static uint32_t in_both(uint32_t lane)
{
    return (lane & 0xFFFFu) * UINT32_C(0x00010001);
}

/*
 * The leak of a pair of lanes, v, by the decays of the low lane and of the high, which it destroys:
 * snn_leaked_lane for each. r12 holds 2 in its low half, lr is scratch. 5 instructions.
 */
/* clang-format off */
#define LEAK(v, low, high)                         \
    "smulbb lr, " v ", r12\n"                      \
    "umull " low ", lr, lr, " low "\n"             \
    "smultb " low ", " v ", r12\n"                 \
    "umull " high ", " low ", " low ", " high "\n" \
    "pkhbt " v ", lr, " low ", lsl #16\n"
/* clang-format on */

/* r4 and r5, four membranes, with the decays before r3. 11 instructions. */
/* clang-format off */
#define LEAK_FOUR                                  \
    "ldmdb r3!, {r6, r8, r9, r10}\n"               \
    LEAK("r4", "r6", "r8")                         \
    LEAK("r5", "r9", "r10")
/* clang-format on */

/* Adds their sums; what leaves 16 bits ends at their limit, beyond which it is clamped. */
#define ADD_SUMS            \
    "ldmdb r1!, {r6, r8}\n" \
    "qadd16 r4, r4, r6\n"   \
    "qadd16 r5, r5, r8\n"

/*
 * r6, r8 := r4, r5 less their thresholds; bit 15 or 31 of lr is clear where one of them is not
 * below 0.
 */
#define COMPARE             \
    "ldmdb r2!, {r6, r8}\n" \
    "qsub16 r6, r4, r6\n"   \
    "qsub16 r8, r5, r8\n"   \
    "and lr, r6, r8\n"

/* Lanes of v become those of `reset` where they fire: `above`, v less its threshold, is not < 0. */
/* clang-format off */
#define TAKE(v, above, reset)                      \
    "sadd16 lr, " above ", " above "\n"            \
    "sel " v ", " reset ", " v "\n"
/* clang-format on */

/**
 * Without leak or clamped: runs the first `fours` fours of lanes, the last four first. Stops at a
 * four in which a membrane is below the floor, or fires and is above the ceiling, and yields how
 * many fours are left, including that four; 0: none. A bound at the limit of 16 bits is taken one
 * inside it, because a saturated lane no longer shows whether it was clamped.
 */
static inline __attribute__((always_inline)) uint32_t run_fours(const struct snn_lif *lif,
                                                                uint32_t fours)
{
    uint32_t top = 0, bottom = 0, last = (fours << 16) - 65536u + 2u;
    if (lif->rule.clamps != 0) {
        top = in_both((uint32_t)(lif->rule.ceiling > 32766 ? 32766 : lif->rule.ceiling));
        bottom = in_both((uint32_t)(lif->rule.floor < -32767 ? -32767 : lif->rule.floor));
        last += UINT32_C(1) << 31;
    }
    const uint32_t more = in_both(lif->rule.greater);
    register uint32_t greater __asm__("r4") = more;
    register uint32_t *spikes __asm__("r5") = lif->spikes;
    register uint32_t ceiling __asm__("r6") = top;
    register uint32_t floor __asm__("r8") = bottom;
    register uint32_t count __asm__("r9") = fours;
    register const struct snn_lif *neurons __asm__("r10") = lif;
    register uint32_t turns __asm__("r12") = last;
    /*
     * Stack: 0 greater, 4 spikes, 8 ceiling, 12 r7, which is the floor meanwhile. Ends of r0
     * membranes, r1 sums, r2 thresholds, r3 decays. r12: 2 for LEAK, above it the turns that are
     * left and so the lane, and in the sign whether membranes are clamped. 4 lanes a turn,
     * membranes in r4 and r5: 13 instructions, 24 more if any fires; clamped with leak 29, 10 more
     * if any fires.
     */
    /* clang-format off */
    __asm__ volatile(
        ".syntax unified\n"
        "push {r4, r5, r6, r7}\n"
        "mov r7, r8\n"
        "ldm r10, {r0, r1, r2, r3}\n"
        "add r0, r0, r9, lsl #3\n"
        "add r1, r1, r9, lsl #3\n"
        "add r2, r2, r9, lsl #3\n"
        "cmp r12, #0\n"
        "bpl 3f\n"
        "cbz r3, 4f\n"
        "add r3, r3, r9, lsl #4\n"
        "b 4f\n"
        "3:\n" /* without leak */
        "ldrd r4, r5, [r0, #-8]!\n"
        ADD_SUMS
        COMPARE
        "tst lr, lr, lsl #16\n"
        "bpl 8f\n"
        "9:\n"
        "strd r4, r5, [r0]\n"
        "subs r12, r12, #0x10000\n"
        "bcs 3b\n"
        "b 10f\n"
        "4:\n" /* clamped */
        "ldrd r4, r5, [r0, #-8]!\n"
        "cbz r3, 5f\n"
        LEAK_FOUR
        "5:\n"
        ADD_SUMS
        "qsub16 r9, r4, r7\n"
        "qsub16 r10, r5, r7\n"
        "orr r9, r9, r10\n"
        COMPARE
        "orn lr, r9, lr\n"
        "tst lr, #0x80008000\n"
        "bne 7f\n"
        "6:\n"
        "strd r4, r5, [r0]\n"
        "subs r12, r12, #0x10000\n"
        "bvc 4b\n"
        "b 10f\n"
        "7:\n" /* within the bounds? */
        "ldr lr, [sp, #8]\n"
        "qsub16 r10, lr, r4\n"
        "orr r9, r9, r10\n"
        "qsub16 r10, lr, r5\n"
        "orr r9, r9, r10\n"
        "tst r9, #0x80008000\n"
        "bne 10f\n"
        /* lanes of r6 and r8 not below 0 fire and become the membrane, one more if `greater` */
        "8:\n"
        "ldrd r9, r11, [sp]\n"
        "qadd16 r10, r6, r9\n"
        TAKE("r4", "r6", "r10")
        "qadd16 r10, r8, r9\n"
        TAKE("r5", "r8", "r10")
        "mov lr, #0x00010001\n"
        "bic r6, lr, r6, lsr #15\n"
        "bic r8, lr, r8, lsr #15\n"
        "orr r6, r6, r8, lsl #2\n"
        "orr r6, r6, r6, lsr #15\n"
        "lsls lr, r12, #15\n" /* the upper four bits of a byte? */
        "it mi\n"
        "lslmi r6, r6, #4\n"
        "ubfx lr, r12, #17, #14\n"
        "ldrb r8, [r11, lr]\n"
        "orr r6, r6, r8\n"
        "strb r6, [r11, lr]\n"
        "cmp r12, #0\n"
        "bmi 6b\n"
        "b 9b\n"
        "10:\n"
        "pop {r4, r5, r6, r7}\n"
        : "+r"(greater), "+r"(spikes), "+r"(ceiling), "+r"(floor), "+r"(count), "+r"(neurons),
          "+r"(turns)
        :
        : "r0", "r1", "r2", "r3", "r11", "lr", "cc", "memory");
    /* clang-format on */
    return ((turns >> 16) + 1) & 0x7FFFu;
}

/**
 * With leak, not clamped: a step of all lanes.
 *
 * Stack: 0 the end of the bytes of spikes, 4 lanes, 8 r7, 12 `greater` in both lanes. r0 membranes,
 * r1 sums, r2 thresholds, r3 decays. r12: 2 for LEAK, above it less than 0 by the turns that are
 * left. 8 lanes a turn, membranes in r4 ... r7: 41 instructions, 24 more if any fires, 29 if
 * `greater`. The last four of an odd number of fours take a turn of their own.
 */
static inline __attribute__((always_inline)) void run_eights(const struct snn_lif *lif)
{
    register const struct snn_lif *neurons __asm__("r4") = lif;
    register uint32_t greater __asm__("r8") = lif->rule.greater * UINT32_C(0x00010001);
    /* clang-format off */
    __asm__ volatile(
        ".syntax unified\n"
        "ldm r4!, {r0, r1, r2, r3, r5}\n"
        "ldr r6, [r4, #4]\n" /* lanes */
        "movs r4, #0\n"
        "mov r9, r5\n"
        "mov r10, r6\n"
        "1:\n"
        "str r4, [r9], #4\n"
        "subs r10, r10, #32\n"
        "bhi 1b\n"
        "mov r12, #2\n"
        "lsrs r9, r6, #3\n"
        "add r5, r5, r9\n"
        "sub r12, r12, r9, lsl #16\n"
        "push {r5, r6, r7, r8}\n"
        "beq 4f\n"
        "2:\n"
        "ldm r0, {r4, r5, r6, r7}\n"
        "ldm r3!, {r8, r9, r10, r11}\n"
        LEAK("r4", "r8", "r9")
        LEAK("r5", "r10", "r11")
        "ldm r3!, {r8, r9, r10, r11}\n"
        LEAK("r6", "r8", "r9")
        LEAK("r7", "r10", "r11")
        "ldm r1!, {r8, r9, r10, r11}\n"
        "qadd16 r4, r4, r8\n"
        "qadd16 r5, r5, r9\n"
        "qadd16 r6, r6, r10\n"
        "qadd16 r7, r7, r11\n"
        "ldm r2!, {r8, r9, r10, r11}\n"
        "qsub16 r8, r4, r8\n"
        "qsub16 r9, r5, r9\n"
        "qsub16 r10, r6, r10\n"
        "qsub16 r11, r7, r11\n"
        "and lr, r8, r9\n"
        "and lr, lr, r10\n"
        "and lr, lr, r11\n"
        "tst lr, lr, lsl #16\n"
        "bpl 5f\n"
        "3:\n"
        "stm r0!, {r4, r5, r6, r7}\n"
        "adds r12, r12, #0x10000\n"
        "bmi 2b\n"
        "4:\n"
        "ldr r6, [sp, #4]\n"
        "lsls r6, r6, #29\n"
        "beq 9f\n"
        "ldm r0, {r4, r5}\n"
        "ldm r3, {r6, r8, r9, r10}\n"
        LEAK("r4", "r6", "r8")
        LEAK("r5", "r9", "r10")
        "ldm r1, {r6, r8}\n"
        "qadd16 r4, r4, r6\n"
        "qadd16 r5, r5, r8\n"
        "ldm r2, {r6, r8}\n"
        "qsub16 r6, r4, r6\n"
        "qsub16 r8, r5, r8\n"
        "ldr r9, [sp, #12]\n"
        "qadd16 r10, r6, r9\n"
        TAKE("r4", "r6", "r10")
        "qadd16 r10, r8, r9\n"
        TAKE("r5", "r8", "r10")
        "stm r0, {r4, r5}\n"
        "mov lr, #0x00010001\n"
        "bic r6, lr, r6, lsr #15\n"
        "bic r8, lr, r8, lsr #15\n"
        "orr r6, r6, r8, lsl #2\n"
        "orr r6, r6, r6, lsr #15\n"
        "ldr r7, [sp]\n"
        "strb r6, [r7]\n"
        "b 9f\n"
        /* lanes of r8 ... r11 not below 0 fire and become the membrane, one more if `greater` */
        "5:\n"
        TAKE("r4", "r8", "r8")
        TAKE("r5", "r9", "r9")
        TAKE("r6", "r10", "r10")
        TAKE("r7", "r11", "r11")
        "mov lr, #0x00010001\n"
        "bic r8, lr, r8, lsr #15\n"
        "bic r9, lr, r9, lsr #15\n"
        "bic r10, lr, r10, lsr #15\n"
        "bic r11, lr, r11, lsr #15\n"
        "ldr lr, [sp, #12]\n"
        "cmp lr, #0\n"
        "bne 7f\n"
        "6:\n"
        "orr r8, r8, r9, lsl #2\n"
        "orr r10, r10, r11, lsl #2\n"
        "orr r8, r8, r10, lsl #4\n"
        "orr r8, r8, r8, lsr #15\n"
        "ldr r9, [sp]\n"
        "asr lr, r12, #16\n"
        "strb r8, [r9, lr]\n"
        "b 3b\n"
        "7:\n"
        "sadd16 r4, r4, r8\n"
        "sadd16 r5, r5, r9\n"
        "sadd16 r6, r6, r10\n"
        "sadd16 r7, r7, r11\n"
        "b 6b\n"
        "9:\n"
        "ldr r7, [sp, #8]\n"
        "add sp, sp, #16\n"
        : "+r"(neurons), "+r"(greater)
        :
        : "r0", "r1", "r2", "r3", "r5", "r6", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    /* clang-format on */
}

/** Four lanes one by one, clamped exactly. Returns the clamps. */
static __attribute__((noinline)) uint32_t step_four(const struct snn_lif *lif, uint32_t lane)
{
    uint32_t clamps = 0;
    for (const uint32_t end = lane + 4; lane != end; lane++) {
        const int32_t threshold = lif->threshold[lane];
        int32_t v = lif->membrane[lane];
        if (lif->decay != NULL) {
            v = (int16_t)snn_leaked_lane(v, lif->decay[lane]);
        }
        v += ((const int16_t *)(const void *)lif->sums)[lane];
        if (v < lif->rule.floor) {
            v = lif->rule.floor;
            clamps++;
        }
        if (v >= threshold) {
            if (v > lif->rule.ceiling) {
                v = lif->rule.ceiling;
                clamps++;
            }
            v = v - threshold + (int32_t)lif->rule.greater;
            lif->spikes[lane / 32] |= UINT32_C(1) << (lane & 31);
        }
        lif->membrane[lane] = (int16_t)v;
    }
    return clamps;
}

uint32_t snn_lif_step(const struct snn_lif *lif)
{
    if (lif->decay != NULL && lif->rule.clamps == 0) {
        run_eights(lif);
        return 0;
    }
    uint32_t fours = lif->lanes / 4, clamps = 0;
    uint32_t *word = lif->spikes;
    const uint32_t *const end = word + (fours + 7) / 8;
    do {
        *word++ = 0;
        /* clang-format off */
        __asm__ volatile(""); /* or compilers call memset for a word or two */
    } while (word != end);
    /* clang-format on */
    do {
        fours = run_fours(lif, fours);
        if (RARELY(fours != 0)) {
            fours--;
            clamps += step_four(lif, 4 * fours);
        }
    } while (RARELY(fours != 0));
    return clamps;
}

#endif
