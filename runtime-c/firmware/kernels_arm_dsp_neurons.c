/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_ARM_DSP

/*
 * Neurons by the DSP extension, beside kernels_arm_dsp_rows.c: two lanes of 16 bits to a word. r7
 * is saved inside the assembly, since a compiler may keep it as frame pointer.
 */

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

/* Adds their sums; what leaves 16 bits ends at their limit, beyond which it is clamped. */
#define ADD_SUMS            \
    "ldmdb r1!, {r6, r8}\n" \
    "qadd16 r4, r4, r6\n"   \
    "qadd16 r5, r5, r8\n"

/* r6, r8 := r4, r5 less their thresholds; bit 15 or 31 of lr is clear: one is not below 0. */
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

/* The bounds in both lanes, at the limit of 16 bits one inside: a saturated lane hides a clamp. */
static uint32_t lowest(const struct snn_lif *lif)
{
    return in_both((uint32_t)(lif->rule.floor < -32767 ? -32767 : lif->rule.floor));
}

static uint32_t highest(const struct snn_lif *lif)
{
    return in_both((uint32_t)(lif->rule.ceiling > 32766 ? 32766 : lif->rule.ceiling));
}

/**
 * Without leak or clamped: runs the first `fours` fours of lanes, the last four first. Stops at a
 * four in which a membrane is below the floor, or fires and is above the ceiling, and yields how
 * many fours are left, including that four; 0: none.
 */
static inline __attribute__((always_inline)) uint32_t step_fours(const struct snn_lif *lif,
                                                                 uint32_t fours)
{
    uint32_t top = 0, bottom = 0, last = (fours << 16) - 65536u + 2u;
    if (lif->rule.clamps != 0) {
        top = highest(lif);
        bottom = lowest(lif);
        last += UINT32_C(1) << 31;
    }
    register uint32_t greater __asm__("r4") = lif->rule.greater * UINT32_C(0x00010001);
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
        "ldmdb r3!, {r6, r8, r9, r10}\n"
        LEAK("r4", "r6", "r8")
        LEAK("r5", "r9", "r10")
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

/* Eight lanes at r0 after their leak and their sums in r4 ... r7. 28 instructions. */
/* clang-format off */
#define SUM_EIGHT                         \
    "ldm r0, {r4, r5, r6, r7}\n"          \
    "ldm r3!, {r8, r9, r10, r11}\n"       \
    LEAK("r4", "r8", "r9")                \
    LEAK("r5", "r10", "r11")              \
    "ldm r3!, {r8, r9, r10, r11}\n"       \
    LEAK("r6", "r8", "r9")                \
    LEAK("r7", "r10", "r11")              \
    "ldm r1!, {r8, r9, r10, r11}\n"       \
    "qadd16 r4, r4, r8\n"                 \
    "qadd16 r5, r5, r9\n"                 \
    "qadd16 r6, r6, r10\n"                \
    "qadd16 r7, r7, r11\n"

/* r8 ... r11 := r4 ... r7 less their thresholds; goes to `spike` if one is not below 0. 10. */
#define COMPARE_EIGHT(spike)              \
    "ldm r2!, {r8, r9, r10, r11}\n"       \
    "qsub16 r8, r4, r8\n"                 \
    "qsub16 r9, r5, r9\n"                 \
    "qsub16 r10, r6, r10\n"               \
    "qsub16 r11, r7, r11\n"               \
    "and lr, r8, r9\n"                    \
    "and lr, lr, r10\n"                   \
    "and lr, lr, r11\n"                   \
    "tst lr, lr, lsl #16\n"               \
    "bpl " spike "\n"

/* Stores the eight; the next is at 2, behind the last the flag Z says that no four are left. */
#define NEXT_EIGHT                        \
    "3:\n"                                \
    "stm r0!, {r4, r5, r6, r7}\n"         \
    "adds r12, r12, #0x10000\n"           \
    "bmi 2b\n"                            \
    "4:\n"                                \
    "ldr r6, [sp, #4]\n"                  \
    "lsls r6, r6, #29\n"

/* Four lanes at r0, the last, after their leak and their sums in r4 and r5. 15 instructions. */
#define SUM_LAST                          \
    "ldm r0, {r4, r5}\n"                  \
    "ldm r3, {r6, r8, r9, r10}\n"         \
    LEAK("r4", "r6", "r8")                \
    LEAK("r5", "r9", "r10")               \
    "ldm r1, {r6, r8}\n"                  \
    "qadd16 r4, r4, r6\n"                 \
    "qadd16 r5, r5, r8\n"

/* Lets the last four lanes fire, stores them and their bits. */
#define FIRE_LAST                         \
    "ldm r2, {r6, r8}\n"                  \
    "qsub16 r6, r4, r6\n"                 \
    "qsub16 r8, r5, r8\n"                 \
    "ldr r9, [sp, #12]\n"                 \
    "qadd16 r10, r6, r9\n"                \
    TAKE("r4", "r6", "r10")               \
    "qadd16 r10, r8, r9\n"                \
    TAKE("r5", "r8", "r10")               \
    "stm r0, {r4, r5}\n"                  \
    "mov lr, #0x00010001\n"               \
    "bic r6, lr, r6, lsr #15\n"           \
    "bic r8, lr, r8, lsr #15\n"           \
    "orr r6, r6, r8, lsl #2\n"            \
    "orr r6, r6, r6, lsr #15\n"           \
    "ldr r7, [sp]\n"                      \
    "strb r6, [r7]\n"

/*
 * Lanes of v fire whose `above`, v less its threshold, is not below 0: that, one more if `greater`,
 * becomes their membrane, and `above` the bits of both lanes. Goes to 7 where v is above the
 * ceiling. `bits` and `none` are what follows. 2 instructions, 14 more if one fires.
 */
#define FIRE_PAIR(v, above, bits, none)              \
    "tst " above ", " above ", lsl #16\n"            \
    "bmi 11f\n"                                      \
    "ldr lr, [sp, #20]\n"                            \
    "qsub16 lr, lr, " v "\n"                         \
    "tst lr, #0x80008000\n"                          \
    "bne 7f\n"                                       \
    TAKE(v, above, above)                            \
    "mov lr, #0x00010001\n"                          \
    "bic " above ", lr, " above ", lsr #15\n"        \
    "ldr lr, [sp, #12]\n"                            \
    "and lr, lr, " above "\n"                        \
    "sadd16 " v ", " v ", lr\n"                      \
    "orr " above ", " above ", " above ", lsr #15\n" \
    bits                                             \
    "11:\n"                                          \
    none
/* clang-format on */

static inline __attribute__((always_inline)) void clear_spikes(const struct snn_lif *lif)
{
    uint32_t *word = lif->spikes;
    const uint32_t *const end = word + (lif->lanes + 31) / 32;
    do {
        *word++ = 0;
        /* or compilers call memset for a word or two */
        __asm__ volatile("");
    } while (word != end);
}

/**
 * With leak, not clamped: a step of all lanes.
 *
 * Stack: 0 the end of the bytes of spikes, 4 lanes, 8 r7, 12 `greater` in both lanes. r0 membranes,
 * r1 sums, r2 thresholds, r3 decays. r12: 2 for LEAK, above it less than 0 by the turns that are
 * left. 8 lanes a turn, membranes in r4 ... r7: 41 instructions, 24 more if any fires, 29 if
 * `greater`. The last four of an odd number of fours take a turn of their own.
 */
static __attribute__((noinline)) uint32_t step_eights(const struct snn_lif *lif)
{
    clear_spikes(lif);
    register const struct snn_lif *neurons __asm__("r4") = lif;
    register uint32_t greater __asm__("r8") = lif->rule.greater * UINT32_C(0x00010001);
    /* clang-format off */
    __asm__ volatile(
        ".syntax unified\n"
        "ldm r4!, {r0, r1, r2, r3, r5}\n"
        "ldr r6, [r4, #4]\n" /* lanes */
        "mov r12, #2\n"
        "lsrs r9, r6, #3\n"
        "add r5, r5, r9\n"
        "sub r12, r12, r9, lsl #16\n"
        "push {r5, r6, r7, r8}\n"
        "beq 4f\n"
        "2:\n"
        SUM_EIGHT
        COMPARE_EIGHT("5f")
        NEXT_EIGHT
        "beq 9f\n"
        SUM_LAST
        FIRE_LAST
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
    return 0;
}

#ifndef __OPTIMIZE_SIZE__
/**
 * With leak, clamped: the last `left` lanes, after a whole number of eights. Stops where a membrane
 * is below the floor, or fires and is above the ceiling; yields the lanes that are left, the eight
 * or the last four with that membrane first, or 0.
 *
 * Stack and registers as in step_eights, and 16 the floor, 20 the ceiling. 51 instructions a turn,
 * 28 more if one fires.
 */
static inline __attribute__((always_inline)) uint32_t step_clamped_eights(const struct snn_lif *lif,
                                                                          uint32_t left)
{
    register const struct snn_lif *neurons __asm__("r4") = lif;
    register uint32_t greater __asm__("r8") = lif->rule.greater * UINT32_C(0x00010001);
    register uint32_t floor __asm__("r9") = lowest(lif);
    register uint32_t ceiling __asm__("r10") = highest(lif);
    register uint32_t lanes __asm__("r12") = left;
    /* clang-format off */
    __asm__ volatile(
        ".syntax unified\n"
        "ldm r4!, {r0, r1, r2, r3, r5}\n"
        "ldr r6, [r4, #4]\n" /* lanes */
        "add r5, r5, r6, lsr #3\n"
        "sub r11, r6, r12\n"
        "add r0, r0, r11, lsl #1\n"
        "add r1, r1, r11, lsl #1\n"
        "add r2, r2, r11, lsl #1\n"
        "add r3, r3, r11, lsl #2\n"
        "push {r5, r6, r7, r8, r9, r10}\n"
        "mov r11, #2\n"
        "lsrs r12, r12, #3\n"
        "sub r12, r11, r12, lsl #16\n"
        "beq 4f\n"
        "2:\n"
        SUM_EIGHT
        "ldr lr, [sp, #16]\n"
        "qsub16 r8, r4, lr\n"
        "qsub16 r9, r5, lr\n"
        "qsub16 r10, r6, lr\n"
        "qsub16 r11, r7, lr\n"
        "orr r8, r8, r9\n"
        "orr r10, r10, r11\n"
        "orr r8, r8, r10\n"
        "tst r8, #0x80008000\n"
        "bne 7f\n"
        COMPARE_EIGHT("5f")
        NEXT_EIGHT
        "beq 8f\n"
        SUM_LAST
        "ldrd r6, r8, [sp, #16]\n"
        "qsub16 r9, r4, r6\n"
        "qsub16 r10, r5, r6\n"
        "orr r9, r9, r10\n"
        "qsub16 r10, r8, r4\n"
        "orr r9, r9, r10\n"
        "qsub16 r10, r8, r5\n"
        "orr r9, r9, r10\n"
        "tst r9, #0x80008000\n"
        "bne 7f\n"
        FIRE_LAST
        "8:\n"
        "movs r12, #0\n"
        "b 9f\n"
        "5:\n"
        FIRE_PAIR("r4", "r8", "b 12f\n", "mov r8, #0\n12:\n")
        FIRE_PAIR("r5", "r9", "orr r8, r8, r9, lsl #2\n", "")
        FIRE_PAIR("r6", "r10", "orr r8, r8, r10, lsl #4\n", "")
        FIRE_PAIR("r7", "r11", "orr r8, r8, r11, lsl #6\n", "")
        "ldr r9, [sp]\n"
        "asr lr, r12, #16\n"
        "strb r8, [r9, lr]\n" /* the byte of the eight; other bits lie above it */
        "b 3b\n"
        "7:\n"
        "ldr r6, [sp, #4]\n"
        "and r6, r6, #4\n"
        "asrs r12, r12, #16\n"
        "sub r12, r6, r12, lsl #3\n"
        "9:\n"
        "ldr r7, [sp, #8]\n"
        "add sp, sp, #24\n"
        : "+r"(neurons), "+r"(greater), "+r"(floor), "+r"(ceiling), "+r"(lanes)
        :
        : "r0", "r1", "r2", "r3", "r5", "r6", "r11", "lr", "cc", "memory");
    /* clang-format on */
    return lanes;
}
#endif

/** `count` lanes one by one, clamped exactly. Returns the clamps. */
static __attribute__((noinline)) uint32_t step_lanes(const struct snn_lif *lif, uint32_t lane,
                                                     uint32_t count)
{
    uint32_t clamps = 0;
    for (const uint32_t end = lane + count; lane != end; lane++) {
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

/** Without leak or clamped: a step of all lanes. Returns the clamps. */
static __attribute__((noinline)) uint32_t step_others(const struct snn_lif *lif)
{
    uint32_t clamps = 0;
    clear_spikes(lif);
#ifndef __OPTIMIZE_SIZE__
    if (lif->decay != NULL) {
        uint32_t left = lif->lanes;
        do {
            left = step_clamped_eights(lif, left);
            if (RARELY(left != 0)) {
                const uint32_t count = left < 8 ? left : 8;
                clamps += step_lanes(lif, lif->lanes - left, count);
                left -= count;
            }
        } while (left != 0);
        return clamps;
    }
#endif
    uint32_t fours = lif->lanes / 4;
    do {
        fours = step_fours(lif, fours);
        if (RARELY(fours != 0)) {
            fours--;
            clamps += step_lanes(lif, 4 * fours, 4);
        }
    } while (RARELY(fours != 0));
    return clamps;
}

uint32_t snn_lif_step(const struct snn_lif *lif)
{
    return lif->decay != NULL && lif->rule.clamps == 0 ? step_eights(lif) : step_others(lif);
}

#endif
