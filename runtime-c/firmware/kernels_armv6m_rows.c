/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_ARMV6M

/*
 * Armv6-M (Cortex-M0, M0+): rows, two lanes of 16 bits to a word, added as 32 bits; the high
 * registers serve as accumulators. r7 is saved inside the assembly, since a compiler may keep it as
 * frame pointer.
 *
 * The addresses of rows are worked out once for a group of rows. Each address moves on as its row
 * is read, one block of columns after the other.
 */
enum { GROUP = 32, FIELD_ROWS = 16 };

struct group {
    const uint8_t *rows[GROUP];
};

/**
 * Fills in rows first ... end - 1. Out of line: three copies would cost more flash than the call
 * costs time.
 */
__attribute__((noinline)) static void find_rows(struct group *group,
                                                const struct snn_packed_rows *set, uint32_t first,
                                                uint32_t end)
{
    const uint8_t **row = group->rows;
    const uint32_t row_bytes = set->row_bytes;
    const uint8_t *weights = set->weights;
    for (const uint16_t *index = set->rows + first; index < set->rows + end; index++) {
        *row++ = weights + *index * row_bytes;
    }
}

/*
 * A word of weights goes to two accumulators with four instructions: all of it shifted right by one
 * field, and its even fields, masked by r4. What the first holds of the even fields is taken out
 * once, at the end. r3 scratch.
 */
/* clang-format off */
#define ADD_WORD(even, all, word, bits)     \
    "lsrs r3, " word ", #" bits "\n"        \
    "add " all ", r3\n"                     \
    "ands " word ", r4\n"                   \
    "add " even ", " word "\n"
/* clang-format on */

/* Four words of the row that *r0++ points to, moved on. r1, r2, r3, r7 scratch. 20 instructions. */
/* clang-format off */
#define ADD_ROW(bits)                       \
    "ldr r1, [r0]\n"                        \
    "ldm r1!, {r2, r7}\n"                   \
    ADD_WORD("r5", "r6", "r2", bits)        \
    ADD_WORD("r8", "r9", "r7", bits)        \
    "ldm r1!, {r2, r7}\n"                   \
    ADD_WORD("r10", "r11", "r2", bits)      \
    ADD_WORD("r12", "lr", "r7", bits)       \
    "stm r0!, {r1}\n"
/* clang-format on */

/*
 * One block of columns: the sums of four words over the rows of a group in r5, r6, r8-r12 and lr,
 * or near the end those of one word in r12 and lr, with r0 = 0. Leaves through label 9 when no word
 * is left. Stack: 0 first row, 4 end, 16 words to go.
 */
/* clang-format off */
#define ADD_ROWS(bits)                      \
    "movs r5, #0\n"                         \
    "mov r12, r5\n"                         \
    "mov lr, r5\n"                          \
    "ldr r0, [sp]\n"                        \
    "ldr r7, [sp, #4]\n"                    \
    "ldr r3, [sp, #16]\n"                   \
    "subs r3, r3, #4\n"                     \
    "bcc 4f\n"                              \
    "str r3, [sp, #16]\n"                   \
    "movs r6, #0\n"                         \
    "mov r8, r5\n"                          \
    "mov r9, r5\n"                          \
    "mov r10, r5\n"                         \
    "mov r11, r5\n"                         \
    "subs r7, r7, r0\n"                     \
    "lsls r7, r7, #29\n"                    \
    "bmi 3f\n"                              \
    "2:\n" ADD_ROW(bits) "3:\n" ADD_ROW(bits) \
    "ldr r3, [sp, #4]\n"                    \
    "cmp r0, r3\n"                          \
    "bne 2b\n"                              \
    "b 6f\n"                                \
    "4:\n"                                  \
    "adds r3, r3, #3\n"                     \
    "bcs 8f\n"                              \
    "b 9f\n"                                \
    "8:\n"                                  \
    "str r3, [sp, #16]\n"                   \
    "5:\n"                                  \
    "ldr r1, [r0]\n"                        \
    "ldm r1!, {r2}\n"                       \
    "stm r0!, {r1}\n"                       \
    ADD_WORD("r12", "lr", "r2", bits)       \
    "cmp r0, r7\n"                          \
    "bne 5b\n"                              \
    "movs r0, #0\n"                         \
    "6:\n"
/* clang-format on */

/*
 * An even and an odd accumulator in r0, r2 to two sums at r7. r3 shift, r5 pairs, r6 surplus, r1
 * scratch. 12 instructions.
 */
#define FINISH_8         \
    "lsrs r1, r0, #15\n" \
    "adds r1, r1, r5\n"  \
    "lsls r1, r1, #7\n"  \
    "subs r2, r2, r1\n"  \
    "lsls r0, r3\n"      \
    "lsls r2, r3\n"      \
    "adds r0, r0, r6\n"  \
    "ldr r1, [r7]\n"     \
    "adds r0, r0, r1\n"  \
    "ldr r1, [r7, #4]\n" \
    "adds r2, r2, r1\n"  \
    "stm r7!, {r0, r2}\n"

void snn_add_rows_8(uint32_t *sums, const struct snn_packed_rows *set)
{
    struct group group;
    for (uint32_t first = 0; first < set->count; first += GROUP) {
        const uint32_t rows = set->count - first > GROUP ? GROUP : set->count - first;
        find_rows(&group, set, first, first + rows);
        register const uint8_t **row __asm__("r0") = group.rows;
        register const uint8_t **end __asm__("r1") = group.rows + rows;
        register uint32_t *sum __asm__("r2") = sums;
        register uint32_t shift __asm__("r3") = set->shift;
        register uint32_t words __asm__("r4") = set->columns / 4;
        register uint32_t pairs __asm__("r5") = rows * UINT32_C(0x00010001);
        register uint32_t surplus __asm__("r6") = (0u - rows * (128 * UINT32_C(0x00010001)))
                                                  << set->shift;
        /*
         * Stack: 0 row, 4 end, 8 sums, 12 shift, 16 words, 20 pairs, 24 surplus, 28 r7. 16 columns
         * a turn, then 4; two rows of 16 columns are 43 instructions. At the end an odd accumulator
         * loses 256 times the upper even sum, which is the even accumulator >> 15 twice, for no sum
         * of 32 bytes reaches bit 15, and 128 for every weight.
         */
        /* clang-format off */
        __asm__ volatile(
            ".syntax unified\n"
            "push {r0, r1, r2, r3, r4, r5, r6, r7}\n"
            "movs r4, #255\n"
            "lsls r3, r4, #16\n"
            "orrs r4, r3\n"
            "1:\n" ADD_ROWS("8")
            "mov r1, r5\n"
            "mov r2, r6\n"
            "ldr r3, [sp, #12]\n"
            "ldr r5, [sp, #20]\n"
            "ldr r6, [sp, #24]\n"
            "ldr r7, [sp, #8]\n"
            "cmp r0, #0\n"
            "beq 7f\n"
            "mov r0, r1\n" FINISH_8
            "mov r0, r8\n"
            "mov r2, r9\n" FINISH_8
            "mov r0, r10\n"
            "mov r2, r11\n" FINISH_8
            "7:\n"
            "mov r0, r12\n"
            "mov r2, lr\n" FINISH_8
            "str r7, [sp, #8]\n"
            "b 1b\n"
            "9:\n"
            "ldr r7, [sp, #28]\n"
            "add sp, sp, #32\n"
            : "+r"(row), "+r"(end), "+r"(sum), "+r"(shift), "+r"(words), "+r"(pairs), "+r"(surplus)
            :
            : "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
        /* clang-format on */
    }
}

void snn_add_rows_4(uint32_t *sums, const struct snn_packed_rows *set)
{
    struct group group;
    for (uint32_t first = 0; first < set->count; first += FIELD_ROWS) {
        const uint32_t rows = set->count - first > FIELD_ROWS ? FIELD_ROWS : set->count - first;
        find_rows(&group, set, first, first + rows);
        register const uint8_t **row __asm__("r0") = group.rows;
        register const uint8_t **end __asm__("r1") = group.rows + rows;
        register uint32_t *sum __asm__("r2") = sums;
        register uint32_t shift __asm__("r3") = set->shift;
        register uint32_t words __asm__("r4") = set->columns / 8;
        register uint32_t surplus __asm__("r5") = (0u - rows * (8 * UINT32_C(0x00010001)))
                                                  << set->shift;
        /*
         * Stack: 0 row, 4 end, 8 sums, 12 shift, 16 words, 20 surplus, 24 r7, 28 an accumulator. 32
         * columns a turn, then 8; two rows of 32 columns are 43 instructions. Fields of a byte hold
         * 16 rows: 16 * 15 < 256.
         */
        /* clang-format off */
        __asm__ volatile(
            ".syntax unified\n"
            "sub sp, sp, #4\n"
            "push {r0, r1, r2, r3, r4, r5, r7}\n"
            "1:\n"
            "movs r4, #255\n"
            "lsls r3, r4, #16\n"
            "orrs r4, r3\n"
            "lsls r3, r4, #4\n"
            "eors r4, r3\n" /* 0x00FF00FF ^ 0x0FF00FF0 = 0x0F0F0F0F */
            ADD_ROWS("4")
            "mov r1, r5\n"
            "mov r2, r6\n"
            "movs r4, #255\n"
            "lsls r3, r4, #16\n"
            "orrs r4, r3\n"
            "mov r3, lr\n"
            "str r3, [sp, #28]\n"
            "ldr r5, [sp, #8]\n"
            "ldr r6, [sp, #12]\n"
            "cmp r0, #0\n"
            "beq 7f\n"
            "mov r0, r1\n"
            "bl 10f\n"
            "mov r0, r8\n"
            "mov r2, r9\n"
            "bl 10f\n"
            "mov r0, r10\n"
            "mov r2, r11\n"
            "bl 10f\n"
            "7:\n"
            "mov r0, r12\n"
            "ldr r2, [sp, #28]\n"
            "bl 10f\n"
            "str r5, [sp, #8]\n"
            "b 1b\n"
            /*
             * even and odd accumulator in r0, r2 to four sums at r5; r4 mask, r6 shift; r1, r3, r7
             * lost
             */
            "10:\n"
            "lsrs r1, r0, #8\n"
            "lsls r3, r1, #4\n"
            "subs r2, r2, r3\n"
            "lsrs r3, r2, #8\n"
            "ands r0, r4\n"
            "ands r1, r4\n"
            "ands r2, r4\n"
            "ands r3, r4\n"
            "lsls r0, r6\n"
            "lsls r1, r6\n"
            "lsls r2, r6\n"
            "lsls r3, r6\n"
            "ldr r7, [sp, #20]\n"
            "adds r0, r0, r7\n"
            "adds r1, r1, r7\n"
            "adds r2, r2, r7\n"
            "adds r3, r3, r7\n"
            "ldr r7, [r5]\n"
            "adds r0, r0, r7\n"
            "ldr r7, [r5, #4]\n"
            "adds r1, r1, r7\n"
            "ldr r7, [r5, #8]\n"
            "adds r2, r2, r7\n"
            "ldr r7, [r5, #12]\n"
            "adds r3, r3, r7\n"
            "stm r5!, {r0, r1, r2, r3}\n"
            "bx lr\n"
            "9:\n"
            "ldr r7, [sp, #24]\n"
            "add sp, sp, #32\n"
            : "+r"(row), "+r"(end), "+r"(sum), "+r"(shift), "+r"(words), "+r"(surplus)
            :
            : "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
        /* clang-format on */
    }
}

/* Four bytes of a word, lost, times r4 to int32 accumulators. r5 scratch. 14 instructions. */
/* clang-format off */
#define MAC_WORD(a, b, c, d, word)          \
    "uxtb r5, " word "\n"                   \
    "muls r5, r4, r5\n"                     \
    "add " a ", r5\n"                       \
    "lsrs r5, " word ", #16\n"              \
    "uxtb r5, r5\n"                         \
    "muls r5, r4, r5\n"                     \
    "add " b ", r5\n"                       \
    "lsrs r5, " word ", #8\n"               \
    "uxtb r5, r5\n"                         \
    "muls r5, r4, r5\n"                     \
    "add " c ", r5\n"                       \
    "lsrs " word ", " word ", #24\n"        \
    "muls " word ", r4, " word "\n"         \
    "add " d ", " word "\n"
/* clang-format on */

/* Two int32 accumulators, less the surplus r4, to two sums at r3. r0-r2 scratch. 9 instructions. */
/* clang-format off */
#define FINISH_MAC(a, b)                    \
    "mov r0, " a "\n"                       \
    "mov r1, " b "\n"                       \
    "subs r0, r0, r4\n"                     \
    "subs r1, r1, r4\n"                     \
    "ldr r2, [r3]\n"                        \
    "adds r0, r0, r2\n"                     \
    "ldr r2, [r3, #4]\n"                    \
    "adds r1, r1, r2\n"                     \
    "stm r3!, {r0, r1}\n"
/* clang-format on */

void snn_mac_rows_8(int32_t *sums, const struct snn_packed_rows *set, const int16_t *values)
{
    struct group group;
    for (uint32_t first = 0; first < set->count; first += GROUP) {
        const uint32_t rows = set->count - first > GROUP ? GROUP : set->count - first;
        find_rows(&group, set, first, first + rows);
        int32_t total = 0;
        for (uint32_t i = 0; i < rows; i++) {
            total += values[first + i];
        }
        register const uint8_t **row __asm__("r0") = group.rows;
        register const int16_t *value __asm__("r1") = values + first;
        register const uint8_t **end __asm__("r2") = group.rows + rows;
        register int32_t *sum __asm__("r3") = sums;
        register int32_t surplus __asm__("r4") = 128 * total;
        register uint32_t blocks __asm__("r5") = set->columns / 8;
        /*
         * Stack: 0 row, 4 values, 8 end, 12 sums, 16 surplus, 20 blocks to go, 24 r7.
         * 8 columns a turn in r6, r7, r8-r12 and lr, 37 instructions a row.
         */
        /* clang-format off */
        __asm__ volatile(
            ".syntax unified\n"
            "push {r0, r1, r2, r3, r4, r5, r7}\n"
            "1:\n"
            "movs r6, #0\n"
            "movs r7, #0\n"
            "mov r8, r6\n"
            "mov r9, r6\n"
            "mov r10, r6\n"
            "mov r11, r6\n"
            "mov r12, r6\n"
            "mov lr, r6\n"
            "ldr r0, [sp]\n"
            "ldr r1, [sp, #4]\n"
            "2:\n"
            "ldr r5, [r0]\n"
            "ldm r5!, {r2, r3}\n"
            "stm r0!, {r5}\n"
            "ldrh r4, [r1]\n"
            "sxth r4, r4\n"
            "adds r1, r1, #2\n"
            MAC_WORD("r6", "r7", "r8", "r9", "r2")
            MAC_WORD("r10", "r11", "r12", "lr", "r3")
            "ldr r5, [sp, #8]\n"
            "cmp r0, r5\n"
            "bne 2b\n"
            "ldr r3, [sp, #12]\n"
            "ldr r4, [sp, #16]\n"
            FINISH_MAC("r6", "r7")
            FINISH_MAC("r8", "r9")
            FINISH_MAC("r10", "r11")
            FINISH_MAC("r12", "lr")
            "str r3, [sp, #12]\n"
            "ldr r5, [sp, #20]\n"
            "subs r5, r5, #1\n"
            "str r5, [sp, #20]\n"
            "bne 1b\n"
            "ldr r7, [sp, #24]\n"
            "add sp, sp, #28\n"
            : "+r"(row), "+r"(value), "+r"(end), "+r"(sum), "+r"(surplus), "+r"(blocks)
            :
            : "r6", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
        /* clang-format on */
    }
}

#endif
