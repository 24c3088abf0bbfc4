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
 * The leak of a pair of lanes: v += floor(2 v m / 2^32) + (v < 0), m of the low lane and of the
 * high. r12 holds 2 in its low half. The product of 2 v and m is added to v * 2^32 + (2 v modulo
 * 2^32): the low word takes the rounding along, since m is 1 modulo 2^16. r11, lr scratch. 6
 * instructions.
 */
#define LEAK(v, low, high)                         \
    "asr r11, " v ", #16\n"                        \
    "smultb lr, " v ", r12\n"                      \
    "smlal lr, r11, lr, " high "\n"                \
    "smulbb lr, " v ", r12\n"                      \
    "smlal lr, " v ", lr, " low "\n"               \
    "pkhbt " v ", " v ", r11, lsl #16\n"

/* r4 and r5, four membranes, with the decays before r3. 13 instructions. */
#define LEAK_FOUR                                  \
    "ldmdb r3!, {r6, r8, r9, r10}\n"               \
    LEAK("r4", "r6", "r8")                         \
    LEAK("r5", "r9", "r10")

/* Adds their sums; what leaves 16 bits ends at their limit, beyond which it is clamped. */
#define ADD_SUMS                                   \
    "ldmdb r1!, {r6, r8}\n"                        \
    "qadd16 r4, r4, r6\n"                          \
    "qadd16 r5, r5, r8\n"

/*
 * r6, r8 := r4, r5 less their thresholds; bit 15 or 31 of lr is clear where one of them is not
 * below 0.
 */
#define COMPARE                                    \
    "ldmdb r2!, {r6, r8}\n"                        \
    "qsub16 r6, r4, r6\n"                          \
    "qsub16 r8, r5, r8\n"                          \
    "and lr, r6, r8\n"

/**
 * Runs the first `fours` fours of lanes, the last four first. Stops at a four in which a membrane
 * is below the floor, or fires and is above the ceiling, and yields how many fours are left,
 * including that four; 0: none. A bound at the limit of 16 bits is taken one inside it, because a
 * saturated lane no longer shows whether it was clamped.
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
     * membranes in r4 and r5: 26 instructions with leak, 13 without, 24 more if any fires; clamped
     * 5 more, 10 if any fires.
     */
    __asm__ volatile(
        ".syntax unified\n"
        "push {r4, r5, r6, r7}\n"
        "mov r7, r8\n"
        "ldm r10, {r0, r1, r2, r3}\n"
        "add r0, r0, r9, lsl #3\n"
        "add r1, r1, r9, lsl #3\n"
        "add r2, r2, r9, lsl #3\n"
        "cmp r12, #0\n"
        "cbz r3, 11f\n"
        "add r3, r3, r9, lsl #4\n"
        "bmi 4f\n"
        "1:\n"
        "ldrd r4, r5, [r0, #-8]!\n"
        LEAK_FOUR
        ADD_SUMS
        COMPARE
        "tst lr, lr, lsl #16\n"
        "bpl 8f\n"
        "2:\n"
        "strd r4, r5, [r0]\n"
        "subs r12, r12, #0x10000\n"
        "bcs 1b\n"
        "b 10f\n"
        "11:\n"
        "bmi 4f\n"
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
        "sadd16 lr, r6, r6\n"
        "qadd16 lr, r6, r9\n"
        "sel r4, lr, r4\n"
        "sadd16 lr, r8, r8\n"
        "qadd16 lr, r8, r9\n"
        "sel r5, lr, r5\n"
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
        "cmp r3, #0\n"
        "bne 2b\n"
        "b 9b\n"
        "10:\n"
        "pop {r4, r5, r6, r7}\n"
        : "+r"(greater), "+r"(spikes), "+r"(ceiling), "+r"(floor), "+r"(count), "+r"(neurons),
          "+r"(turns)
        :
        : "r0", "r1", "r2", "r3", "r11", "lr", "cc", "memory");
    return ((turns >> 16) + 1) & 0x7FFFu;
}

/** Four lanes one by one, clamped exactly. Returns the clamps. */
static __attribute__((noinline)) uint32_t step_four(const struct snn_lif *lif, uint32_t lane)
{
    uint32_t clamps = 0;
    for (const uint32_t end = lane + 4; lane != end; lane++) {
        const int32_t threshold = lif->threshold[lane];
        int32_t v = lif->membrane[lane];
        if (lif->decay != 0) v += (int32_t)((2 * (int64_t)v * lif->decay[lane]) >> 32) + (v < 0);
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
    uint32_t fours = lif->lanes / 4, clamps = 0;
    uint32_t *word = lif->spikes;
    const uint32_t *const end = word + (fours + 7) / 8;
    do {
        *word++ = 0;
        __asm__ volatile(""); /* or compilers call memset for a word or two */
    } while (word != end);
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
