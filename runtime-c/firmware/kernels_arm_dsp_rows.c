/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_ARM_DSP

/*
 * Rows of weights on Armv7-M and Armv8-M with the DSP extension (Cortex-M4, M7, M33): two lanes of
 * 16 bits to a word, added lane by lane. r7 is saved inside the assembly, since a compiler may keep
 * it as frame pointer.
 */

/** A lane's value in both lanes. */
static uint32_t both(uint32_t lane)
{
    return (lane & 0xFFFFu) * UINT32_C(0x00010001);
}

/*
 * Row *r0++ of the rows at r2, 16 columns: r4-r11 += its bytes. r1 bytes a row; r3, r12, lr
 * scratch. 12 instructions.
 */
#define ADD_ROW_8                   \
    "ldrh r3, [r0], #2\n"           \
    "mla r3, r3, r1, r2\n"          \
    "ldrd r12, lr, [r3]\n"          \
    "uxtab16 r4, r4, r12\n"         \
    "uxtab16 r5, r5, r12, ror #8\n" \
    "uxtab16 r6, r6, lr\n"          \
    "uxtab16 r7, r7, lr, ror #8\n"  \
    "ldrd r12, lr, [r3, #8]\n"      \
    "uxtab16 r8, r8, r12\n"         \
    "uxtab16 r9, r9, r12, ror #8\n" \
    "uxtab16 r10, r10, lr\n"        \
    "uxtab16 r11, r11, lr, ror #8\n"

void snn_add_rows_8(uint32_t *sums, const struct snn_packed_rows *set)
{
    const uint32_t from = both(0u - 128u * set->count), kept = both(0xFFFFu >> set->shift);
    /*
     * Where the compiler leaves them; the first instruction spreads them over registers and stack.
     * Between these lines nothing may be called, here and below.
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
     * 16 columns a turn in r4-r11, from the sums themselves where nothing is shifted; 8 columns
     * remain or none.
     */
    /* clang-format off */
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
        : "+r"(rows), "+r"(row_bytes), "+r"(base), "+r"(end), "+r"(sum), "+r"(shift), "+r"(bias),
          "+r"(base_end),
          "+r"(mask), "+r"(rest)
        :
        : "r11", "r12", "lr", "cc", "memory");
    /* clang-format on */
}

/*
 * Row *r0++ of the rows at r2, 32 columns: r4, r6, r8, r10 += the even nibbles of a word as fields
 * of a byte; r5, r7, r9, r11 += the word >> 4, which leaves 16 times the even nibbles in. r1 bytes
 * a row; r3, r12, lr scratch. 16 instructions.
 */
#define ADD_ROW_4                 \
    "ldrh r3, [r0], #2\n"         \
    "mla r3, r3, r1, r2\n"        \
    "ldrd r12, lr, [r3]\n"        \
    "add r5, r5, r12, lsr #4\n"   \
    "and r12, r12, #0x0F0F0F0F\n" \
    "add r4, r12\n"               \
    "add r7, r7, lr, lsr #4\n"    \
    "and lr, lr, #0x0F0F0F0F\n"   \
    "add r6, lr\n"                \
    "ldrd r12, lr, [r3, #8]\n"    \
    "add r9, r9, r12, lsr #4\n"   \
    "and r12, r12, #0x0F0F0F0F\n" \
    "add r8, r12\n"               \
    "add r11, r11, lr, lsr #4\n"  \
    "and lr, lr, #0x0F0F0F0F\n"   \
    "add r10, lr\n"

void snn_add_rows_4(uint32_t *sums, const struct snn_packed_rows *set)
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
     * Stack: 0-31 fields of the words in work; of a group of at most 16 rows, 16 * 15 < 256, 32 the
     * end and 36 the length in bytes; 40 rows, 44 row_bytes, 48 end, 52 base_end, 56 sums, 60
     * shift, 64 r7, 68 mask.
     */
    /* clang-format off */
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
        /* two rows a turn, 35 instructions; first only one of an odd number */
        "3:\n" ADD_ROW_4 "4:\n" ADD_ROW_4
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
        /*
         * nothing to shift: the fields less their surplus are signed bytes; 13 instructions a word
         */
        "8:\n"
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
        : "+r"(rows), "+r"(row_bytes), "+r"(base), "+r"(end), "+r"(base_end), "+r"(sum),
          "+r"(shift), "+r"(mask)
        :
        : "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    /* clang-format on */
}

/*
 * Row *r0++ times value *r1++, 8 columns: int32 r4-r11 += byte * value. Row bytes and base lie at
 * sp; r2, r3, r12, lr scratch. 17 instructions.
 */
#define MAC_ROW_8               \
    "ldrh r2, [r0], #2\n"       \
    "ldrd r3, r12, [sp]\n"      \
    "mla r2, r2, r3, r12\n"     \
    "ldrsh lr, [r1], #2\n"      \
    "ldrd r2, r3, [r2]\n"       \
    "uxtb16 r12, r2\n"          \
    "uxtb16 r2, r2, ror #8\n"   \
    "smlabb r4, r12, lr, r4\n"  \
    "smlatb r5, r12, lr, r5\n"  \
    "smlabb r6, r2, lr, r6\n"   \
    "smlatb r7, r2, lr, r7\n"   \
    "uxtb16 r12, r3\n"          \
    "uxtb16 r3, r3, ror #8\n"   \
    "smlabb r8, r12, lr, r8\n"  \
    "smlatb r9, r12, lr, r9\n"  \
    "smlabb r10, r3, lr, r10\n" \
    "smlatb r11, r3, lr, r11\n"

void snn_mac_rows_8(int32_t *sums, const struct snn_packed_rows *set, const int16_t *values)
{
    int32_t total = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        total += values[i];
    }
    register const uint16_t *rows __asm__("r0") = set->rows;
    register const int16_t *value __asm__("r1") = values;
    register uint32_t row_bytes __asm__("r2") = set->row_bytes;
    register const uint8_t *base __asm__("r3") = set->weights;
    register const uint16_t *end __asm__("r4") = set->rows + set->count;
    register const uint8_t *base_end __asm__("r5") = set->weights + set->columns;
    register int32_t *sum __asm__("r6") = sums;
    register int32_t surplus __asm__("r8") = 128 * total;
    /*
     * Stack: 0 row_bytes, 4 base, 8 end, 12 base_end, 16 sums, 20 r7, 24 surplus, 28 rows, 32
     * values.
     */
    /* clang-format off */
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
        /* two rows a turn, 37 instructions; first only one of an odd number */
        "2:\n" MAC_ROW_8 "3:\n" MAC_ROW_8
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
        : "+r"(rows), "+r"(value), "+r"(row_bytes), "+r"(base), "+r"(end), "+r"(base_end),
          "+r"(sum), "+r"(surplus)
        :
        : "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    /* clang-format on */
}

#endif
