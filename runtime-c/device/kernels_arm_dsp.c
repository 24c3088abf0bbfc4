/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_ARM_DSP

/*
 * Armv7-M and Armv8-M with the DSP extension (Cortex-M4, M7, M33): two lanes of 16 bits to a word, added lane by
 * lane. r7 is saved inside the assembly, since a compiler may keep it as frame pointer.
 */

/** A lane's value in both lanes. */
static uint32_t both(uint32_t lane)
{
    return (lane & 0xFFFFu) * UINT32_C(0x00010001);
}

/*
 * Row *r0++ of the rows at r2, 16 columns: r4-r11 += its bytes. r1 bytes a row; r3, r12, lr scratch. 12 instructions.
 */
#define ADD_ROW_8                          \
    "ldrh r3, [r0], #2\n"                  \
    "mla r3, r3, r1, r2\n"                 \
    "ldrd r12, lr, [r3]\n"                 \
    "uxtab16 r4, r4, r12\n"                \
    "uxtab16 r5, r5, r12, ror #8\n"        \
    "uxtab16 r6, r6, lr\n"                 \
    "uxtab16 r7, r7, lr, ror #8\n"         \
    "ldrd r12, lr, [r3, #8]\n"             \
    "uxtab16 r8, r8, r12\n"                \
    "uxtab16 r9, r9, r12, ror #8\n"        \
    "uxtab16 r10, r10, lr\n"               \
    "uxtab16 r11, r11, lr, ror #8\n"

void snn_add_rows_8(uint32_t *sums, const struct snn_row_set *set)
{
    const uint32_t from = both(0u - 128u * set->count), kept = both(0xFFFFu >> set->shift);
    /*
     * Where the compiler leaves them; the first instruction spreads them over registers and stack. Between these lines
     * nothing may be called, here and below.
     */
    register const uint16_t *rows __asm__("r0") = set->rows;
    register uint32_t row_bytes __asm__("r1") = set->row_bytes;
    register const uint8_t *base __asm__("r2") = set->weights;
    register const uint16_t *end __asm__("r3") = set->rows + set->count;
    register uint32_t *sum __asm__("r4") = sums;
    register uint32_t shift __asm__("r5") = set->shift;
    register uint32_t bias __asm__("r6") = from;
    register const uint8_t *base_end __asm__("r8") = set->weights + (set->columns & ~UINT32_C(15));
    register uint32_t mask __asm__("r9") = kept;
    register uint32_t rest __asm__("r10") = set->columns & 8;
    /*
     * Stack: 0 rows, 4 end, 8 sums, 12 shift, 16 bias, 20 r7, 24 base_end, 28 mask, 32 rest.
     * 16 columns a turn in r4-r11, from the sums themselves where nothing is shifted; 8 columns remain or none.
     */
    __asm__ volatile(
        ".syntax unified\n"
        "push {r0, r3, r4, r5, r6, r7, r8, r9, r10}\n"
        "cmp r2, r8\n"
        "beq 7f\n"
        "1:\n"
        "ldrd r0, r3, [sp, #12]\n"
        "cbz r0, 2f\n"
        "mov r4, r3\n"
        "mov r5, r3\n"
        "mov r6, r3\n"
        "mov r7, r3\n"
        "mov r8, r3\n"
        "mov r9, r3\n"
        "mov r10, r3\n"
        "mov r11, r3\n"
        "b 3f\n"
        "2:\n"
        "ldr r12, [sp, #8]\n"
        "ldm r12, {r4-r11}\n"
        "sadd16 r4, r4, r3\n"
        "sadd16 r5, r5, r3\n"
        "sadd16 r6, r6, r3\n"
        "sadd16 r7, r7, r3\n"
        "sadd16 r8, r8, r3\n"
        "sadd16 r9, r9, r3\n"
        "sadd16 r10, r10, r3\n"
        "sadd16 r11, r11, r3\n"
        "3:\n" /* two rows a turn, 27 instructions; of an odd count the first turn does one */
        "ldrd r0, r12, [sp]\n"
        "subs r12, r12, r0\n"
        "lsls r12, r12, #30\n"
        "bmi 5f\n"
        "4:\n" ADD_ROW_8 "5:\n" ADD_ROW_8
        "ldr r12, [sp, #4]\n"
        "cmp r0, r12\n"
        "bne 4b\n"
        "ldrd r12, r0, [sp, #8]\n"
        "cbz r0, 6f\n"
        "ldr r3, [sp, #28]\n"
        "and r8, r8, r3\n"
        "and r9, r9, r3\n"
        "and r10, r10, r3\n"
        "and r11, r11, r3\n"
        "lsl r8, r8, r0\n"
        "lsl r9, r9, r0\n"
        "lsl r10, r10, r0\n"
        "lsl r11, r11, r0\n"
        "ldrd r3, lr, [r12, #16]\n"
        "sadd16 r8, r8, r3\n"
        "sadd16 r9, r9, lr\n"
        "ldrd r3, lr, [r12, #24]\n"
        "sadd16 r10, r10, r3\n"
        "sadd16 r11, r11, lr\n"
        "ldr r3, [sp, #28]\n"
        "bl 9f\n"
        "6:\n"
        "stm r12!, {r4-r11}\n"
        "str r12, [sp, #8]\n"
        "ldr r3, [sp, #24]\n"
        "adds r2, r2, #16\n"
        "cmp r2, r3\n"
        "bne 1b\n"
        "7:\n" /* the last 8 columns: r4-r7, 9 instructions a row */
        "ldr r3, [sp, #32]\n"
        "cbz r3, 10f\n"
        "ldrd r0, r8, [sp]\n"
        "ldr r4, [sp, #16]\n"
        "mov r5, r4\n"
        "mov r6, r4\n"
        "mov r7, r4\n"
        "8:\n"
        "ldrh r3, [r0], #2\n"
        "mla r3, r3, r1, r2\n"
        "ldrd r12, lr, [r3]\n"
        "uxtab16 r4, r4, r12\n"
        "uxtab16 r5, r5, r12, ror #8\n"
        "uxtab16 r6, r6, lr\n"
        "uxtab16 r7, r7, lr, ror #8\n"
        "cmp r0, r8\n"
        "bne 8b\n"
        "ldrd r12, r0, [sp, #8]\n"
        "ldr r3, [sp, #28]\n"
        "bl 9f\n"
        "stm r12, {r4-r7}\n"
        "b 10f\n"
        "9:\n" /* r4-r7, masked by r3 so that no lane enters the next, << r0, and the sums at r12 */
        "and r4, r4, r3\n"
        "and r5, r5, r3\n"
        "and r6, r6, r3\n"
        "and r7, r7, r3\n"
        "lsls r4, r0\n"
        "lsls r5, r0\n"
        "lsls r6, r0\n"
        "lsls r7, r0\n"
        "ldrd r0, r3, [r12]\n"
        "sadd16 r4, r4, r0\n"
        "sadd16 r5, r5, r3\n"
        "ldrd r0, r3, [r12, #8]\n"
        "sadd16 r6, r6, r0\n"
        "sadd16 r7, r7, r3\n"
        "bx lr\n"
        "10:\n"
        "ldr r7, [sp, #20]\n"
        "add sp, sp, #36\n"
        : "+r"(rows), "+r"(row_bytes), "+r"(base), "+r"(end), "+r"(sum), "+r"(shift), "+r"(bias), "+r"(base_end),
          "+r"(mask), "+r"(rest)
        :
        : "r11", "r12", "lr", "cc", "memory");
}

/*
 * Row *r0++ of the rows at r2, 32 columns: r4, r6, r8, r10 += the even nibbles of a word as fields of a byte; r5, r7,
 * r9, r11 += the word >> 4, which leaves 16 times the even nibbles in. r1 bytes a row; r3, r12, lr scratch. 16
 * instructions.
 */
#define ADD_ROW_4                     \
    "ldrh r3, [r0], #2\n"             \
    "mla r3, r3, r1, r2\n"            \
    "ldrd r12, lr, [r3]\n"            \
    "add r5, r5, r12, lsr #4\n"       \
    "and r12, r12, #0x0F0F0F0F\n"     \
    "add r4, r12\n"                   \
    "add r7, r7, lr, lsr #4\n"        \
    "and lr, lr, #0x0F0F0F0F\n"       \
    "add r6, lr\n"                    \
    "ldrd r12, lr, [r3, #8]\n"        \
    "add r9, r9, r12, lsr #4\n"       \
    "and r12, r12, #0x0F0F0F0F\n"     \
    "add r8, r12\n"                   \
    "add r11, r11, lr, lsr #4\n"      \
    "and lr, lr, #0x0F0F0F0F\n"       \
    "add r10, lr\n"

void snn_add_rows_4(uint32_t *sums, const struct snn_row_set *set)
{
    const uint32_t kept = both(0xFFu & (0xFFFFu >> set->shift));
    register const uint16_t *rows __asm__("r0") = set->rows;
    register uint32_t row_bytes __asm__("r1") = set->row_bytes;
    register const uint8_t *base __asm__("r2") = set->weights;
    register const uint16_t *end __asm__("r3") = set->rows + set->count;
    register const uint8_t *base_end __asm__("r4") = set->weights + set->columns / 2;
    register uint32_t *sum __asm__("r5") = sums;
    register uint32_t shift __asm__("r6") = set->shift;
    register uint32_t mask __asm__("r8") = kept;
    /*
     * Stack: 0-31 fields of the words in work; of a group of at most 16 rows, 16 * 15 < 256, 32 the end and 36 the
     * length in bytes; 40 rows, 44 row_bytes, 48 end, 52 base_end, 56 sums, 60 shift, 64 r7, 68 mask.
     */
    __asm__ volatile(
        ".syntax unified\n"
        "push {r0, r1, r3, r4, r5, r6, r7, r8}\n"
        "sub sp, sp, #40\n"
        "1:\n" /* 32 columns or, near the end, 16 or 8 */
        "ldr r0, [sp, #40]\n"
        "2:\n" /* a group of rows */
        "ldrd r3, r8, [sp, #48]\n"
        "add r12, r0, #32\n"
        "cmp r12, r3\n"
        "it hi\n"
        "movhi r12, r3\n"
        "subs r3, r12, r0\n"
        "strd r12, r3, [sp, #32]\n"
        "lsls r3, r3, #30\n"
        "mov r4, #0\n"
        "mov r5, r4\n"
        "mov r6, r4\n"
        "mov r7, r4\n"
        "sub r3, r8, r2\n"
        "mov r8, r4\n"
        "mov r9, r4\n"
        "mov r10, r4\n"
        "mov r11, r4\n"
        "bmi 10f\n"
        "cmp r3, #16\n"
        "blo 5f\n"
        "3:\n" ADD_ROW_4 "4:\n" ADD_ROW_4 /* two rows a turn, 35 instructions; first only one of an odd number */
        "ldr r12, [sp, #32]\n"
        "cmp r0, r12\n"
        "bne 3b\n"
        "mov lr, #4\n"
        "b 7f\n"
        "10:\n"
        "cmp r3, #16\n"
        "bhs 4b\n"
        "5:\n" /* two words or, at the last, one word twice: 12 instructions a row */
        "cmp r3, #4\n"
        "ite eq\n"
        "moveq r3, #0\n"
        "movne r3, #4\n"
        "6:\n"
        "ldrh lr, [r0], #2\n"
        "mla lr, lr, r1, r2\n"
        "ldr r8, [lr]\n"
        "ldr r9, [lr, r3]\n"
        "add r5, r5, r8, lsr #4\n"
        "and r8, r8, #0x0F0F0F0F\n"
        "add r4, r8\n"
        "add r7, r7, r9, lsr #4\n"
        "and r9, r9, #0x0F0F0F0F\n"
        "add r6, r9\n"
        "cmp r0, r12\n"
        "bne 6b\n"
        "mov lr, #1\n"
        "add lr, lr, r3, lsr #2\n"
        "7:\n" /* lr words of fields to the sums at r12 */
        "stm sp, {r4-r11}\n"
        "mov r3, sp\n"
        "ldrd r12, r7, [sp, #56]\n"
        "ldr r11, [sp, #36]\n"
        "cbz r7, 8f\n"
        "ldr r10, [sp, #68]\n"
        "lsl r11, r11, #2\n"
        "lsl r11, r11, r7\n"
        "pkhbt r11, r11, r11, lsl #16\n"
        "11:\n" /* 25 instructions a word */
        "ldrd r4, r5, [r3], #8\n"
        "lsrs r6, r4, #8\n"
        "sub r5, r5, r6, lsl #4\n"
        "and r4, r4, r10\n"
        "and r6, r6, r10\n"
        "lsls r4, r7\n"
        "lsls r6, r7\n"
        "ldrd r8, r9, [r12]\n"
        "ssub16 r8, r8, r11\n"
        "ssub16 r9, r9, r11\n"
        "sadd16 r8, r8, r4\n"
        "sadd16 r9, r9, r6\n"
        "strd r8, r9, [r12], #8\n"
        "and r4, r10, r5\n"
        "and r6, r10, r5, lsr #8\n"
        "lsls r4, r7\n"
        "lsls r6, r7\n"
        "ldrd r8, r9, [r12]\n"
        "ssub16 r8, r8, r11\n"
        "ssub16 r9, r9, r11\n"
        "sadd16 r8, r8, r4\n"
        "sadd16 r9, r9, r6\n"
        "strd r8, r9, [r12], #8\n"
        "subs lr, lr, #1\n"
        "bne 11b\n"
        "b 9f\n"
        "8:\n" /* nothing to shift: the fields less their surplus are signed bytes; 13 instructions a word */
        "mov r10, #0x04040404\n"
        "mul r11, r11, r10\n"
        "12:\n"
        "ldrd r4, r5, [r3], #8\n"
        "lsrs r6, r4, #8\n"
        "sub r5, r5, r6, lsl #4\n"
        "ssub8 r4, r4, r11\n"
        "ssub8 r5, r5, r11\n"
        "ldm r12, {r6-r9}\n"
        "sxtab16 r6, r6, r4\n"
        "sxtab16 r7, r7, r4, ror #8\n"
        "sxtab16 r8, r8, r5\n"
        "sxtab16 r9, r9, r5, ror #8\n"
        "stm r12!, {r6-r9}\n"
        "subs lr, lr, #1\n"
        "bne 12b\n"
        "9:\n"
        "ldrd r3, r4, [sp, #48]\n"
        "cmp r0, r3\n"
        "bne 2b\n"
        "ldr r3, [sp, #56]\n"
        "str r12, [sp, #56]\n"
        "sub r12, r12, r3\n"
        "add r2, r2, r12, lsr #2\n"
        "cmp r2, r4\n"
        "bne 1b\n"
        "ldr r7, [sp, #64]\n"
        "add sp, sp, #72\n"
        : "+r"(rows), "+r"(row_bytes), "+r"(base), "+r"(end), "+r"(base_end), "+r"(sum), "+r"(shift), "+r"(mask)
        :
        : "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

/*
 * Row *r0++ times value *r1++, 8 columns: int32 r4-r11 += byte * value. Row bytes and base lie at sp; r2, r3, r12, lr
 * scratch. 17 instructions.
 */
#define MAC_ROW_8                  \
    "ldrh r2, [r0], #2\n"          \
    "ldrd r3, r12, [sp]\n"         \
    "mla r2, r2, r3, r12\n"        \
    "ldrsh lr, [r1], #2\n"         \
    "ldrd r2, r3, [r2]\n"          \
    "uxtb16 r12, r2\n"             \
    "uxtb16 r2, r2, ror #8\n"      \
    "smlabb r4, r12, lr, r4\n"     \
    "smlatb r5, r12, lr, r5\n"     \
    "smlabb r6, r2, lr, r6\n"      \
    "smlatb r7, r2, lr, r7\n"      \
    "uxtb16 r12, r3\n"             \
    "uxtb16 r3, r3, ror #8\n"      \
    "smlabb r8, r12, lr, r8\n"     \
    "smlatb r9, r12, lr, r9\n"     \
    "smlabb r10, r3, lr, r10\n"    \
    "smlatb r11, r3, lr, r11\n"

void snn_mac_rows_8(int32_t *sums, const struct snn_row_set *set, const int16_t *values)
{
    int32_t total = 0;
    for (uint32_t i = 0; i < set->count; i++) total += values[i];
    register const uint16_t *rows __asm__("r0") = set->rows;
    register const int16_t *value __asm__("r1") = values;
    register uint32_t row_bytes __asm__("r2") = set->row_bytes;
    register const uint8_t *base __asm__("r3") = set->weights;
    register const uint16_t *end __asm__("r4") = set->rows + set->count;
    register const uint8_t *base_end __asm__("r5") = set->weights + set->columns;
    register int32_t *sum __asm__("r6") = sums;
    register int32_t surplus __asm__("r8") = 128 * total;
    /* Stack: 0 row_bytes, 4 base, 8 end, 12 base_end, 16 sums, 20 r7, 24 surplus, 28 rows, 32 values. */
    __asm__ volatile(
        ".syntax unified\n"
        "push {r0, r1}\n"
        "push {r2, r3, r4, r5, r6, r7, r8}\n"
        "1:\n"
        "ldrd r0, r1, [sp, #28]\n"
        "ldr r12, [sp, #16]\n"
        "ldr lr, [sp, #24]\n"
        "ldm r12, {r4-r11}\n"
        "sub r4, r4, lr\n"
        "sub r5, r5, lr\n"
        "sub r6, r6, lr\n"
        "sub r7, r7, lr\n"
        "sub r8, r8, lr\n"
        "sub r9, r9, lr\n"
        "sub r10, r10, lr\n"
        "sub r11, r11, lr\n"
        "ldr r3, [sp, #8]\n"
        "subs r3, r3, r0\n"
        "lsls r3, r3, #30\n"
        "bmi 3f\n"
        "2:\n" MAC_ROW_8 "3:\n" MAC_ROW_8 /* two rows a turn, 37 instructions; first only one of an odd number */
        "ldr r3, [sp, #8]\n"
        "cmp r0, r3\n"
        "bne 2b\n"
        "ldrd r2, r3, [sp, #12]\n"
        "stm r3!, {r4-r11}\n"
        "str r3, [sp, #16]\n"
        "ldr r3, [sp, #4]\n"
        "adds r3, r3, #8\n"
        "str r3, [sp, #4]\n"
        "cmp r3, r2\n"
        "bne 1b\n"
        "ldr r7, [sp, #20]\n"
        "add sp, sp, #36\n"
        : "+r"(rows), "+r"(value), "+r"(row_bytes), "+r"(base), "+r"(end), "+r"(base_end), "+r"(sum), "+r"(surplus)
        :
        : "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

/*
 * The leak of a pair of lanes: v += floor(2 v m / 2^32) + (v < 0), m of the low lane and of the high. r12 holds 2 in
 * its low half. The product of 2 v and m is added to v * 2^32 + (2 v modulo 2^32): the low word takes the rounding
 * along, since m is 1 modulo 2^16. h, lr scratch. 6 instructions.
 */
#define LEAK(v, low, high, h)                      \
    "asr " h ", " v ", #16\n"                      \
    "smultb lr, " v ", r12\n"                      \
    "smlal lr, " h ", lr, " high "\n"              \
    "smulbb lr, " v ", r12\n"                      \
    "smlal lr, " v ", lr, " low "\n"               \
    "pkhbt " v ", " v ", " h ", lsl #16\n"

/* Adds 8 sums to r4-r7; what leaves 16 bits ends at their limit, beyond which it is clamped. 5 instructions. */
#define ADD_SUMS                    \
    "ldm r1!, {r8-r11}\n"           \
    "qadd16 r4, r4, r8\n"           \
    "qadd16 r5, r5, r9\n"           \
    "qadd16 r6, r6, r10\n"          \
    "qadd16 r7, r7, r11\n"

/* r8-r11 := r4-r7 less their thresholds; PL if any is not below 0. 9 instructions. */
#define COMPARE                     \
    "ldm r2!, {r8-r11}\n"           \
    "qsub16 r8, r4, r8\n"           \
    "qsub16 r9, r5, r9\n"           \
    "qsub16 r10, r6, r10\n"         \
    "qsub16 r11, r7, r11\n"         \
    "and lr, r8, r9\n"              \
    "and lr, lr, r10\n"             \
    "and lr, lr, r11\n"             \
    "tst lr, lr, lsl #16\n"

/*
 * Clamping, a pair of lanes at a time: GE says which lanes are within the bound, which lr holds first. r8 bound, r9 1
 * in both lanes, r10 counts, r11 0.
 */
#define BEGIN_CLAMPS                \
    "mov r8, lr\n"                  \
    "mov r9, #0x00010001\n"         \
    "mov r10, #0\n"                 \
    "mov r11, #0\n"
#define CLAMP(v)                    \
    "sel " v ", " v ", r8\n"        \
    "sel lr, r11, r9\n"             \
    "add r10, r10, lr\n"
#define END_CLAMPS                  \
    "add r10, r10, r10, lsl #16\n"  \
    "ldr lr, [sp, #16]\n"           \
    "add lr, lr, r10, lsr #16\n"    \
    "str lr, [sp, #16]\n"

#define RARELY(condition) __builtin_expect(condition, 0)

enum { GREATER = 1, FLOOR_LEAVES = 2, CEILING_LEAVES = 4 };

/** Where the steps of eights of lanes stand. */
struct run {
    uint32_t bytes;          /**< address of the step's spikes less the membranes' / 16 */
    uint32_t choices;        /**< of GREATER, ... */
    uint32_t floor, ceiling; /**< in both lanes */
    uint32_t clamps;         /**< so far */
    const uint32_t *sums;    /**< of the step */
    uint32_t steps;          /**< to go */
    uint32_t turns;          /**< of a step, as r12 counts them */
    uint32_t first;          /**< lane of the step, a multiple of 8 */
};

/**
 * The steps to go, eight lanes at a time. A bound at the limit of 16 bits lies one inside it: whether a lane beyond has
 * been clamped is not seen any more, so there it ends, before the eight in question; `first` is then the address of
 * their membranes.
 */
static inline __attribute__((always_inline)) void run_eights(const struct snn_lif *lif, struct run *run)
{
    register uint32_t first __asm__("r0") = run->first;
    register uint32_t bytes __asm__("r1") = run->bytes;
    register uint32_t choices __asm__("r2") = run->choices;
    register uint32_t floor __asm__("r3") = run->floor;
    register uint32_t ceiling __asm__("r4") = run->ceiling;
    register uint32_t clamps __asm__("r5") = run->clamps;
    register const uint32_t *sums __asm__("r6") = run->sums;
    register uint32_t steps __asm__("r8") = run->steps;
    register uint32_t turns __asm__("r9") = run->turns;
    register const struct snn_lif *neurons __asm__("r10") = lif;
    /*
     * Stack: 0 to 28 bytes to turns, 32 lif, 36 room for two, 44 r7. r0 membranes, r1 sums, r2 thresholds, r3 decays.
     * r12: 2 for LEAK, above it the turns that are left, and in the sign whether membranes are clamped, which stays in
     * N through a turn. 8 lanes a turn, membranes in r4-r7: 47 instructions with leak, 22 without, 28 more if any
     * fires; clamped 12 more, 13 if any fires, 28 if any is below the floor, 50 if any is above the ceiling.
     */
    __asm__ volatile(
        ".syntax unified\n"
        "push {r1, r2, r7}\n"
        "push {r1, r2, r3, r4, r5, r6, r8, r9, r10}\n"
        "mov r11, r0\n"
        "ldm r10, {r0, r1, r2, r3}\n"
        "mov r1, r6\n"
        "mov r12, r9\n"
        "cmp r11, #0\n"
        "bne 17f\n"
        "18:\n"
        "movs lr, r12\n"
        "b 6f\n"
        "17:\n"
        "add r0, r0, r11, lsl #1\n"
        "add r1, r1, r11, lsl #1\n"
        "add r2, r2, r11, lsl #1\n"
        "sub r12, r12, r11, lsl #13\n"
        "cmp r3, #0\n"
        "it ne\n"
        "addne r3, r3, r11, lsl #2\n"
        "b 18b\n"
        "1:\n"
        "ldm r0, {r4-r6}\n"
        "ldm r3!, {r8-r11}\n"
        LEAK("r4", "r8", "r9", "r7")
        LEAK("r5", "r10", "r11", "r7")
        "ldm r3!, {r8-r11}\n"
        LEAK("r6", "r8", "r9", "r7")
        "ldr r7, [r0, #12]\n"
        LEAK("r7", "r10", "r11", "r8")
        ADD_SUMS
        "bmi 5f\n"
        COMPARE
        "bpl 8f\n"
        "2:\n"
        "stm r0!, {r4-r7}\n"
        "subs r12, r12, #0x10000\n"
        "bcs 1b\n"
        "b 16f\n"
        "3:\n" /* without leak */
        "ldm r0, {r4-r7}\n"
        ADD_SUMS
        "bmi 5f\n"
        COMPARE
        "bpl 8f\n"
        "4:\n"
        "stm r0!, {r4-r7}\n"
        "subs r12, r12, #0x10000\n"
        "bcs 3b\n"
        "b 16f\n"
        "5:\n" /* clamped: is any below the floor? */
        "ldr lr, [sp, #8]\n"
        "qsub16 r8, r4, lr\n"
        "qsub16 r9, r5, lr\n"
        "qsub16 r10, r6, lr\n"
        "qsub16 r11, r7, lr\n"
        "orr r8, r8, r9\n"
        "orr r8, r8, r10\n"
        "orr r8, r8, r11\n"
        "tst r8, #0x80008000\n"
        "bne 11f\n"
        "12:\n"
        COMPARE
        "bpl 7f\n"
        "13:\n"
        "stm r0!, {r4-r7}\n"
        "subs r12, r12, #0x10000\n"
        "bvs 16f\n"
        "6:\n"
        "cbz r3, 15f\n"
        "b 1b\n"
        "15:\n"
        "b 3b\n"
        "7:\n" /* some fire: is any beyond the ceiling? */
        "strd r3, r12, [sp, #36]\n"
        "ldr lr, [sp, #12]\n"
        "qsub16 r3, lr, r4\n"
        "qsub16 r12, lr, r5\n"
        "orr r3, r3, r12\n"
        "qsub16 r12, lr, r6\n"
        "orr r3, r3, r12\n"
        "qsub16 r12, lr, r7\n"
        "orr r3, r3, r12\n"
        "tst r3, #0x80008000\n"
        "ldrd r3, r12, [sp, #36]\n"
        "bne 10f\n"
        "8:\n" /* lanes of r8-r11 not below 0 fire and become the membrane, one more if `greater` */
        "sadd16 lr, r8, r8\n"
        "sel r4, r8, r4\n"
        "sadd16 lr, r9, r9\n"
        "sel r5, r9, r5\n"
        "sadd16 lr, r10, r10\n"
        "sel r6, r10, r6\n"
        "sadd16 lr, r11, r11\n"
        "sel r7, r11, r7\n"
        "mov lr, #0x00010001\n"
        "bic r8, lr, r8, lsr #15\n"
        "bic r9, lr, r9, lsr #15\n"
        "bic r10, lr, r10, lsr #15\n"
        "bic r11, lr, r11, lsr #15\n"
        "ldr lr, [sp, #4]\n"
        "lsls lr, lr, #31\n"
        "beq 9f\n"
        "sadd16 r4, r4, r8\n"
        "sadd16 r5, r5, r9\n"
        "sadd16 r6, r6, r10\n"
        "sadd16 r7, r7, r11\n"
        "9:\n"
        "orr r8, r8, r9, lsl #2\n"
        "orr r8, r8, r10, lsl #4\n"
        "orr r8, r8, r11, lsl #6\n"
        "orr r8, r8, r8, lsr #15\n"
        "ldr lr, [sp]\n"
        "add lr, lr, r0, lsr #4\n"
        "strb r8, [lr]\n"
        "cmp r12, #0\n"
        "bmi 13b\n"
        "cmp r3, #0\n"
        "bne 2b\n"
        "b 4b\n"
        "10:\n"
        "ldr r9, [sp, #4]\n"
        "tst r9, #4\n"
        "bne 14f\n"
        BEGIN_CLAMPS
        "ssub16 lr, r8, r4\n" CLAMP("r4")
        "ssub16 lr, r8, r5\n" CLAMP("r5")
        "ssub16 lr, r8, r6\n" CLAMP("r6")
        "ssub16 lr, r8, r7\n" CLAMP("r7")
        END_CLAMPS
        "sub r2, r2, #16\n"
        "b 12b\n"
        "11:\n"
        "ldr r9, [sp, #4]\n"
        "tst r9, #6\n" /* also for the ceiling, or the eight would be clamped twice */
        "bne 14f\n"
        BEGIN_CLAMPS
        "ssub16 lr, r4, r8\n" CLAMP("r4")
        "ssub16 lr, r5, r8\n" CLAMP("r5")
        "ssub16 lr, r6, r8\n" CLAMP("r6")
        "ssub16 lr, r7, r8\n" CLAMP("r7")
        END_CLAMPS
        "b 12b\n"
        "16:\n" /* the next step */
        "ldr lr, [sp, #24]\n"
        "subs lr, lr, #1\n"
        "str lr, [sp, #24]\n"
        "beq 14f\n"
        "ldr r9, [sp, #32]\n"
        "ldr r1, [sp, #20]\n"
        "ldr r10, [r9, #20]\n" /* sum_step */
        "add r4, r1, r10, lsl #2\n"
        "str r4, [sp, #20]\n"
        "ldr r1, [sp]\n"
        "ldr r10, [r9, #32]\n" /* spike_words */
        "add r1, r1, r10, lsl #2\n"
        "str r1, [sp]\n"
        "ldm r9, {r0, r1, r2, r3}\n"
        "mov r1, r4\n"
        "ldr r12, [sp, #28]\n"
        "movs lr, r12\n"
        "b 6b\n"
        "14:\n"
        "pop {r1, r2, r3, r4, r5, r6, r8, r9, r10}\n"
        "add sp, sp, #8\n"
        "pop {r7}\n"
        : "+r"(first), "+r"(bytes), "+r"(choices), "+r"(floor), "+r"(ceiling), "+r"(clamps), "+r"(sums), "+r"(steps),
          "+r"(turns), "+r"(neurons)
        :
        : "r11", "r12", "lr", "cc", "memory");
    run->clamps = clamps;
    run->steps = steps;
    run->bytes = bytes;
    run->sums = sums;
    run->first = first;
}

/** One step of some lanes, one after the other, clamped exactly. Returns the clamps. */
static __attribute__((noinline)) uint32_t step_lanes(const struct snn_lif *lif, const uint32_t *sums, uint32_t lane,
                                                     uint32_t end, uint32_t *spikes)
{
    uint32_t clamps = 0;
    for (; lane < end; lane++) {
        const int32_t threshold = lif->threshold[lane];
        int32_t v = lif->membrane[lane];
        if (lif->decay != 0) v += (int32_t)((2 * (int64_t)v * lif->decay[lane]) >> 32) + (v < 0);
        v += ((const int16_t *)(const void *)sums)[lane];
        if (lif->clamped != 0 && v < lif->floor) {
            v = lif->floor;
            clamps++;
        }
        if (v >= threshold) {
            if (lif->clamped != 0 && v > lif->ceiling) {
                v = lif->ceiling;
                clamps++;
            }
            v = v - threshold + (int32_t)lif->greater;
            spikes[lane / 32] |= UINT32_C(1) << (lane & 31);
        }
        lif->membrane[lane] = (int16_t)v;
    }
    return clamps;
}

uint32_t snn_lif_step(const struct snn_lif *lif)
{
    const uint32_t lanes = lif->lanes, eights = lanes & ~UINT32_C(7), steps = lif->steps;
    uint32_t *spikes = lif->spikes;
    for (uint32_t i = 0; i < steps * lif->spike_words; i++) spikes[i] = 0;
    uint32_t clamps = 0;
    if (eights != 0) {
        struct run run = {
            .bytes = (uint32_t)(uintptr_t)spikes - ((uint32_t)(uintptr_t)lif->membrane >> 4),
            .choices = lif->greater,
            .sums = lif->sums,
            .steps = steps,
            .turns = (eights / 8 - 1) << 16 | 2u,
        };
        if (lif->clamped != 0) {
            int32_t floor = lif->floor, ceiling = lif->ceiling;
            if (floor < -32767) floor = -32767, run.choices |= FLOOR_LEAVES;
            if (ceiling > 32766) ceiling = 32766, run.choices |= CEILING_LEAVES;
            run.floor = both((uint32_t)floor);
            run.ceiling = both((uint32_t)ceiling);
            run.turns |= UINT32_C(1) << 31;
        }
        while (run_eights(lif, &run), RARELY(run.steps != 0)) {
            run.first = (run.first - (uint32_t)(uintptr_t)lif->membrane) / 2;
            const uint32_t byte = run.bytes + ((uint32_t)(uintptr_t)lif->membrane >> 4);
            run.clamps += step_lanes(lif, run.sums, run.first, run.first + 8, (uint32_t *)(uintptr_t)byte);
            run.first += 8;
            if (run.first < eights) continue;
            run.first = 0;
            run.sums += lif->sum_step;
            run.bytes += 4 * lif->spike_words;
            if (--run.steps == 0) break;
        }
        clamps = run.clamps;
    }
    if (eights != lanes) {
        const uint32_t *sums = lif->sums;
        for (uint32_t left = steps; left != 0; left--) {
            clamps += step_lanes(lif, sums, eights, lanes, spikes);
            sums += lif->sum_step;
            spikes += lif->spike_words;
        }
    }
    return clamps;
}

#endif
