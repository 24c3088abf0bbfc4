/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_ARMV7M

/*
 * Armv7-M without the DSP extension (Cortex-M3): rows, two lanes of 16 bits to a word, added as 32
 * bits. r7 is saved inside the assembly, since a compiler may keep it as frame pointer.
 *
 * A word of weights goes to two accumulators with three instructions: its even fields masked, and
 * all of it shifted right by one field. What the second holds of the even fields is taken out once,
 * at the end.
 */
/* clang-format off */
#define ADD_WORD(even, all, word, bits, mask)             \
    "add " all ", " all ", " word ", lsr #" bits "\n"     \
    "and " word ", " word ", #" mask "\n"                 \
    "add " even ", " word "\n"
/* clang-format on */

/* Row *r0++ of the rows at r2 to r4-r11. r1 bytes a row; r3, r12, lr scratch. 16 instructions. */
/* clang-format off */
#define ADD_ROW(bits, mask)                     \
    "ldrh r3, [r0], #2\n"                       \
    "mla r3, r3, r1, r2\n"                      \
    "ldrd r12, lr, [r3]\n"                      \
    ADD_WORD("r4", "r5", "r12", bits, mask)     \
    ADD_WORD("r6", "r7", "lr", bits, mask)      \
    "ldrd r12, lr, [r3, #8]\n"                  \
    ADD_WORD("r8", "r9", "r12", bits, mask)     \
    ADD_WORD("r10", "r11", "lr", bits, mask)
/* clang-format on */

void snn_add_rows_8(uint32_t *sums, const struct snn_packed_rows *set)
{
    register const uint16_t *rows __asm__("r0") = set->rows;
    register uint32_t row_bytes __asm__("r1") = set->row_bytes;
    register const uint8_t *base __asm__("r2") = set->weights;
    register const uint16_t *end __asm__("r3") = set->rows + set->count;
    register uint32_t *sum __asm__("r4") = sums;
    register uint32_t scale __asm__("r5") = UINT32_C(1) << set->shift;
    register uint32_t pairs __asm__("r6") = set->count * UINT32_C(0x00010001);
    register const uint8_t *base_end __asm__("r8") = set->weights + (set->columns & ~UINT32_C(15));
    register uint32_t surplus __asm__("r9") = (set->count * (128 * UINT32_C(0x00010001)))
                                              << set->shift;
    register uint32_t rest __asm__("r10") = set->columns & 8;
    /*
     * Stack: 0 rows, 4 row_bytes, 8 end, 12 sums, 16 scale, 20 pairs, 24 r7, 28 base_end, 32
     * surplus, 36 rest. 16 columns a turn; 8 remain or none. At the end an odd accumulator loses
     * 256 times the upper even sum, which is the even accumulator >> 15 twice, for no sum of 64
     * bytes reaches bit 15, and 128 for every weight.
     */
    /* clang-format off */
    __asm__ volatile(
        ".syntax unified\n"
        "push {r0, r1, r3, r4, r5, r6, r7, r8, r9, r10}\n"
        "cmp r2, r8\n"
        "beq 6f\n"
        "1:\n" /* the first row sets the accumulators */
        "ldrd r0, r1, [sp]\n"
        "ldrh r3, [r0], #2\n"
        "mla r3, r3, r1, r2\n"
        "ldrd r12, lr, [r3]\n"
        "lsr r5, r12, #8\n"
        "and r4, r12, #0x00FF00FF\n"
        "lsr r7, lr, #8\n"
        "and r6, lr, #0x00FF00FF\n"
        "ldrd r12, lr, [r3, #8]\n"
        "lsr r9, r12, #8\n"
        "and r8, r12, #0x00FF00FF\n"
        "lsr r11, lr, #8\n"
        "and r10, lr, #0x00FF00FF\n"
        "ldr r3, [sp, #8]\n"
        "subs r3, r3, r0\n"
        "beq 4f\n"
        "lsls r3, r3, #30\n"
        "bmi 3f\n"
        /* two rows a turn, 35 instructions */
        "2:\n" ADD_ROW("8", "0x00FF00FF") "3:\n" ADD_ROW("8", "0x00FF00FF")
        "ldr r3, [sp, #8]\n"
        "cmp r0, r3\n"
        "bne 2b\n"
        "4:\n"
        "ldr r3, [sp, #20]\n"
        "ldrd r12, r0, [sp, #12]\n"
        "add lr, r3, r8, lsr #15\n"
        "sub r9, r9, lr, lsl #7\n"
        "add lr, r3, r10, lsr #15\n"
        "sub r11, r11, lr, lsl #7\n"
        "ldrd lr, r1, [r12, #16]\n"
        "mla r8, r8, r0, lr\n"
        "mla r9, r9, r0, r1\n"
        "ldrd lr, r1, [r12, #24]\n"
        "mla r10, r10, r0, lr\n"
        "mla r11, r11, r0, r1\n"
        "ldr lr, [sp, #32]\n"
        "sub r8, r8, lr\n"
        "sub r10, r10, lr\n"
        "add r1, r12, #16\n"
        "stm r1!, {r8, r9, r10, r11}\n"
        "str r1, [sp, #12]\n"
        "5:\n"
        "add lr, r3, r4, lsr #15\n"
        "sub r5, r5, lr, lsl #7\n"
        "add lr, r3, r6, lsr #15\n"
        "sub r7, r7, lr, lsl #7\n"
        "ldrd lr, r1, [r12]\n"
        "mla r4, r4, r0, lr\n"
        "mla r5, r5, r0, r1\n"
        "ldrd lr, r1, [r12, #8]\n"
        "mla r6, r6, r0, lr\n"
        "mla r7, r7, r0, r1\n"
        "ldr lr, [sp, #32]\n"
        "sub r4, r4, lr\n"
        "sub r6, r6, lr\n"
        "stm r12, {r4, r5, r6, r7}\n"
        "ldr r3, [sp, #28]\n"
        "adds r2, r2, #16\n"
        "cmp r2, r3\n"
        "blo 1b\n"
        "bhi 8f\n"
        "6:\n" /* the last 8 columns: r4-r7, 11 instructions a row */
        "ldr r3, [sp, #36]\n"
        "cbz r3, 8f\n"
        "ldrd r0, r1, [sp]\n"
        "ldr r8, [sp, #8]\n"
        "movs r4, #0\n"
        "movs r5, #0\n"
        "movs r6, #0\n"
        "movs r7, #0\n"
        "7:\n"
        "ldrh r3, [r0], #2\n"
        "mla r3, r3, r1, r2\n"
        "ldrd r12, lr, [r3]\n"
        ADD_WORD("r4", "r5", "r12", "8", "0x00FF00FF")
        ADD_WORD("r6", "r7", "lr", "8", "0x00FF00FF")
        "cmp r0, r8\n"
        "bne 7b\n"
        "ldr r3, [sp, #20]\n"
        "ldrd r12, r0, [sp, #12]\n"
        "b 5b\n"
        "8:\n"
        "ldr r7, [sp, #24]\n"
        "add sp, sp, #40\n"
        : "+r"(rows), "+r"(row_bytes), "+r"(base), "+r"(end), "+r"(sum), "+r"(scale), "+r"(pairs),
          "+r"(base_end),
          "+r"(surplus), "+r"(rest)
        :
        : "r11", "r12", "lr", "cc", "memory");
    /* clang-format on */
}

void snn_add_rows_4(uint32_t *sums, const struct snn_packed_rows *set)
{
    register const uint16_t *rows __asm__("r0") = set->rows;
    register uint32_t row_bytes __asm__("r1") = set->row_bytes;
    register const uint8_t *base __asm__("r2") = set->weights;
    register const uint16_t *end __asm__("r3") = set->rows + set->count;
    register const uint8_t *base_end __asm__("r4") = set->weights + set->columns / 2;
    register uint32_t *sum __asm__("r5") = sums;
    register uint32_t scale __asm__("r6") = UINT32_C(1) << set->shift;
    /*
     * Stack: 0-31 accumulators of four words, in fields of a byte; of a group of at most 16 rows,
     * 16 * 15 < 256, 32 the end and 36 the length in bytes; 40 rows, 44 row_bytes, 48 end, 52
     * base_end, 56 sums, 60 scale, 64 r7.
     */
    /* clang-format off */
    __asm__ volatile(
        ".syntax unified\n"
        "push {r0, r1, r3, r4, r5, r6, r7}\n"
        "sub sp, sp, #40\n"
        "1:\n" /* 32 columns or, near the end, 16 or 8 */
        "ldrd r0, r1, [sp, #40]\n"
        "2:\n" /* a group of rows */
        "ldrd r3, r8, [sp, #48]\n"
        "add r12, r0, #32\n"
        "cmp r12, r3\n"
        "it hi\n"
        "movhi r12, r3\n"
        "sub r3, r12, r0\n"
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
        "bmi 5f\n"
        "cmp r3, #16\n"
        "blo 6f\n"
        /* two rows a turn, 35 instructions */
        "3:\n" ADD_ROW("4", "0x0F0F0F0F") "4:\n" ADD_ROW("4", "0x0F0F0F0F")
        "ldr r12, [sp, #32]\n"
        "cmp r0, r12\n"
        "bne 3b\n"
        "mov lr, #4\n"
        "b 8f\n"
        "5:\n"
        "cmp r3, #16\n"
        "bhs 4b\n"
        "6:\n" /* two words or, at the last, one word twice: 12 instructions a row */
        "cmp r3, #4\n"
        "ite eq\n"
        "moveq r3, #0\n"
        "movne r3, #4\n"
        "7:\n"
        "ldrh lr, [r0], #2\n"
        "mla lr, lr, r1, r2\n"
        "ldr r8, [lr]\n"
        "ldr r9, [lr, r3]\n"
        ADD_WORD("r4", "r5", "r8", "4", "0x0F0F0F0F")
        ADD_WORD("r6", "r7", "r9", "4", "0x0F0F0F0F")
        "cmp r0, r12\n"
        "bne 7b\n"
        "mov lr, #1\n"
        "add lr, lr, r3, lsr #2\n"
        /* lr words to the sums at r12, r0 scale, r1 the surplus of a sum: 20 instructions a word */
        "8:\n"
        "stm sp, {r4-r11}\n"
        "mov r3, sp\n"
        "ldrd r12, r0, [sp, #56]\n"
        "ldr r4, [sp, #36]\n"
        "mov r1, #0x00040004\n"
        "muls r4, r0, r4\n"
        "mul r1, r1, r4\n"
        "9:\n"
        "ldrd r4, r5, [r3], #8\n"
        "lsrs r6, r4, #8\n"
        "sub r5, r5, r6, lsl #4\n"
        "lsrs r7, r5, #8\n"
        "and r4, r4, #0x00FF00FF\n"
        "and r5, r5, #0x00FF00FF\n"
        "and r6, r6, #0x00FF00FF\n"
        "and r7, r7, #0x00FF00FF\n"
        "ldm r12, {r8-r11}\n"
        "mla r8, r4, r0, r8\n"
        "mla r9, r6, r0, r9\n"
        "mla r10, r5, r0, r10\n"
        "mla r11, r7, r0, r11\n"
        "sub r8, r8, r1\n"
        "sub r9, r9, r1\n"
        "sub r10, r10, r1\n"
        "sub r11, r11, r1\n"
        "stm r12!, {r8-r11}\n"
        "subs lr, lr, #1\n"
        "bne 9b\n"
        "ldr r0, [sp, #32]\n"
        "ldr r1, [sp, #44]\n"
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
        "add sp, sp, #68\n"
        : "+r"(rows), "+r"(row_bytes), "+r"(base), "+r"(end), "+r"(base_end), "+r"(sum), "+r"(scale)
        :
        : "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    /* clang-format on */
}

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
     * values. 8 columns a turn in r4-r11, 24 instructions a row.
     */
    __asm__ volatile(".syntax unified\n"
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
                     "2:\n"
                     "ldrh r12, [r0], #2\n"
                     "ldrd r2, r3, [sp]\n"
                     "mla r12, r12, r2, r3\n"
                     "ldrsh lr, [r1], #2\n"
                     "ldrd r2, r3, [r12]\n"
                     "uxtb r12, r2\n"
                     "mla r4, r12, lr, r4\n"
                     "uxtb r12, r2, ror #16\n"
                     "mla r5, r12, lr, r5\n"
                     "uxtb r12, r2, ror #8\n"
                     "mla r6, r12, lr, r6\n"
                     "lsrs r2, r2, #24\n"
                     "mla r7, r2, lr, r7\n"
                     "uxtb r12, r3\n"
                     "mla r8, r12, lr, r8\n"
                     "uxtb r12, r3, ror #16\n"
                     "mla r9, r12, lr, r9\n"
                     "uxtb r12, r3, ror #8\n"
                     "mla r10, r12, lr, r10\n"
                     "lsrs r3, r3, #24\n"
                     "mla r11, r3, lr, r11\n"
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
                     : "+r"(rows), "+r"(value), "+r"(row_bytes), "+r"(base), "+r"(end),
                       "+r"(base_end), "+r"(sum), "+r"(surplus)
                     :
                     : "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

#endif
