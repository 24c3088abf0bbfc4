/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels.h"

#if SNN_KERNELS == SNN_KERNELS_ARMV6M

/*
 * Armv6-M (Cortex-M0, M0+): two lanes of 16 bits to a word, added as 32 bits; the high registers serve as
 * accumulators. r7 is saved inside the assembly, since a compiler may keep it as frame pointer.
 *
 * Addresses of rows are worked out once for a group of rows; each is moved on as its row is read, block of columns by
 * block.
 */
enum { GROUP = 32, FIELD_ROWS = 16 };

struct group {
    const uint8_t *rows[GROUP];
};

/** Fills in rows first ... end - 1. Out of line, for three callers are larger than one call is slow. */
__attribute__((noinline))
static void find_rows(struct group *group, const struct snn_row_set *set, uint32_t first, uint32_t end)
{
    const uint8_t **row = group->rows;
    const uint32_t row_bytes = set->row_bytes;
    const uint8_t *weights = set->weights;
    for (const uint16_t *index = set->rows + first; index < set->rows + end; index++) {
        *row++ = weights + *index * row_bytes;
    }
}

/*
 * A word of weights goes to two accumulators with four instructions: all of it shifted right by one field, and its
 * even fields, masked by r4. What the first holds of the even fields is taken out once, at the end. r3 scratch.
 */
#define ADD_WORD(even, all, word, bits)     \
    "lsrs r3, " word ", #" bits "\n"        \
    "add " all ", r3\n"                     \
    "ands " word ", r4\n"                   \
    "add " even ", " word "\n"

/* Four words of the row that *r0++ points to, moved on. r1, r2, r3, r7 scratch. 20 instructions. */
#define ADD_ROW(bits)                       \
    "ldr r1, [r0]\n"                        \
    "ldm r1!, {r2, r7}\n"                   \
    ADD_WORD("r5", "r6", "r2", bits)        \
    ADD_WORD("r8", "r9", "r7", bits)        \
    "ldm r1!, {r2, r7}\n"                   \
    ADD_WORD("r10", "r11", "r2", bits)      \
    ADD_WORD("r12", "lr", "r7", bits)       \
    "stm r0!, {r1}\n"

/*
 * One block of columns: the sums of four words over the rows of a group in r5, r6, r8-r12 and lr, or near the end
 * those of one word in r12 and lr, with r0 = 0. Leaves through label 9 when no word is left. Stack: 0 first row, 4
 * end, 16 words to go.
 */
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

/*
 * An even and an odd accumulator in r0, r2 to two sums at r7. r3 shift, r5 pairs, r6 surplus, r1 scratch. 12
 * instructions.
 */
#define FINISH_8                            \
    "lsrs r1, r0, #15\n"                    \
    "adds r1, r1, r5\n"                     \
    "lsls r1, r1, #7\n"                     \
    "subs r2, r2, r1\n"                     \
    "lsls r0, r3\n"                         \
    "lsls r2, r3\n"                         \
    "adds r0, r0, r6\n"                     \
    "ldr r1, [r7]\n"                        \
    "adds r0, r0, r1\n"                     \
    "ldr r1, [r7, #4]\n"                    \
    "adds r2, r2, r1\n"                     \
    "stm r7!, {r0, r2}\n"

void snn_add_rows_8(uint32_t *sums, const struct snn_row_set *set)
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
        register uint32_t surplus __asm__("r6") = (0u - rows * (128 * UINT32_C(0x00010001))) << set->shift;
        /*
         * Stack: 0 row, 4 end, 8 sums, 12 shift, 16 words, 20 pairs, 24 surplus, 28 r7. 16 columns a turn, then 4;
         * two rows of 16 columns are 43 instructions. At the end an odd accumulator loses 256 times the upper even
         * sum, which is the even accumulator >> 15 twice, for no sum of 32 bytes reaches bit 15, and 128 for every
         * weight.
         */
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
    }
}

void snn_add_rows_4(uint32_t *sums, const struct snn_row_set *set)
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
        register uint32_t surplus __asm__("r5") = (0u - rows * (8 * UINT32_C(0x00010001))) << set->shift;
        /*
         * Stack: 0 row, 4 end, 8 sums, 12 shift, 16 words, 20 surplus, 24 r7, 28 an accumulator. 32 columns a turn,
         * then 8; two rows of 32 columns are 43 instructions. Fields of a byte hold 16 rows: 16 * 15 < 256.
         */
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
            "10:\n" /* even and odd accumulator in r0, r2 to four sums at r5; r4 mask, r6 shift; r1, r3, r7 lost */
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
    }
}

/* Four bytes of a word, lost, times r4 to int32 accumulators. r5 scratch. 14 instructions. */
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

/* Two int32 accumulators, less the surplus r4, to two sums at r3. r0-r2 scratch. 9 instructions. */
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

void snn_mac_rows_8(int32_t *sums, const struct snn_row_set *set, const int16_t *values)
{
    struct group group;
    for (uint32_t first = 0; first < set->count; first += GROUP) {
        const uint32_t rows = set->count - first > GROUP ? GROUP : set->count - first;
        find_rows(&group, set, first, first + rows);
        int32_t total = 0;
        for (uint32_t i = 0; i < rows; i++) total += values[first + i];
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
    }
}

/*
 * A lane v, brought into r7 by `cut`, after its leak: x = floor((v leak + (v < 0 ? 32767 : 0)) / 2^15), where x holds
 * m = (leak - 2^15) 2^16 + 1. r12 2^15 in both lanes. 7 instructions.
 */
#define LEAK(x, cut)                        \
    "add " x ", r12\n"                      \
    "lsrs " x ", " x ", #16\n"              \
    cut                                     \
    "muls " x ", r7, " x "\n"               \
    "lsrs r7, r7, #17\n"                    \
    "adds " x ", " x ", r7\n"               \
    "asrs " x ", " x ", #15\n"

/* The lanes of r4 after their leak in r5 and r6. 15 instructions. */
#define LEAK_PAIR                           \
    "ldm r3!, {r5, r6}\n"                   \
    LEAK("r5", "sxth r7, r4\n")             \
    LEAK("r6", "asrs r7, r4, #16\n")

/* Lanes lifted by 2^15 add as one number. */
#define PACK                                \
    "lsls r6, r6, #16\n"                    \
    "adds r5, r5, r6\n"

/*
 * Stores the membranes of r5, lifted, or goes to `spike` if one may fire: less its threshold, in r4, one that
 * fires has bit 15 set, as one has that borrows from the other lane. r7 2^15 in both lanes. 6 instructions.
 */
#define COMPARE(spike)                      \
    "ldm r2!, {r4}\n"                       \
    "subs r6, r5, r4\n"                     \
    "eors r5, r7\n"                         \
    "tst r6, r7\n"                          \
    "bne " spike "\n"                       \
    "stm r0!, {r5}\n"

/* A membrane less the floor that lies outside 0 ... r7 goes to 0 or r7, and is counted. r4 scratch. */
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

uint32_t snn_lif_step(const struct snn_lif *lif)
{
    register uint32_t clamps __asm__("r4");
    register uint32_t greater __asm__("r5") = lif->greater * UINT32_C(0x00010001);
    register uint32_t lift __asm__("r6") = UINT32_C(0x80008000);
    /*
     * Stack: 0 first membrane, 4 `greater` in both lanes, 8 spikes, 12 r7, 16 where to go on after a spike; clamped: 20
     * clamps, 24 floor + 2^15, 28 ceiling less floor, 32 floor + 2^15 in both lanes. r0 membranes, r1 sums, r2
     * thresholds, r3 decays, r12 2^15 in both lanes, lr end of the membranes. A pair of lanes a turn: r5 becomes its
     * membranes, 29 instructions, without leak 13, clamped 44; 26 more where one fires.
     */
    __asm__ volatile(
        ".syntax unified\n"
        "mov r12, r6\n"
        "ldm r4!, {r0, r1, r2, r3, r6}\n"
        "sub sp, sp, #20\n"
        "push {r0, r5, r6, r7}\n"
        "ldr r5, [r4, #4]\n" /* lanes */
        "lsls r7, r5, #1\n"
        "adds r7, r7, r0\n"
        "mov lr, r7\n"
        "movs r7, #0\n"
        "1:\n"
        "stm r6!, {r7}\n"
        "subs r5, r5, #32\n"
        "bhi 1b\n"
        "ldr r5, [r4, #20]\n" /* clamped */
        "cmp r5, #0\n"
        "bne 7f\n"
        "cmp r3, #0\n"
        "bne 4f\n"
        "adr r7, 2f\n"
        "str r7, [sp, #16]\n"
        ".balign 4\n"
        "2:\n" /* no leak */
        "mov r7, r12\n"
        "cmp r0, lr\n"
        "beq 9f\n"
        "3:\n"
        "ldr r4, [r0]\n"
        "eors r4, r7\n"
        "ldm r1!, {r5}\n"
        "adds r5, r5, r4\n"
        "subs r5, r5, r7\n"
        COMPARE("6f")
        "cmp r0, lr\n"
        "bne 3b\n"
        "b 9f\n"
        "4:\n"
        "adr r7, 4f\n"
        "str r7, [sp, #16]\n"
        ".balign 4\n"
        "4:\n"
        "cmp r0, lr\n"
        "beq 9f\n"
        "5:\n"
        "ldr r4, [r0]\n"
        LEAK_PAIR
        PACK
        "ldm r1!, {r6}\n"
        "adds r5, r5, r6\n"
        "mov r7, r12\n"
        COMPARE("6f")
        "cmp r0, lr\n"
        "bne 5b\n"
        "9:\n"
        "movs r4, #0\n"
        "b 10f\n"
        "6:\n" /* the lanes of r5 fire that are not below 0 and, bit 15 set, do not borrow from it */
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
        "ldr r4, [sp, #16]\n"
        "mov pc, r4\n"
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
        "adr r7, 7f\n"
        "str r7, [sp, #16]\n"
        ".balign 4\n"
        "7:\n" /* clamped: the lanes one by one, for with their sums they may leave 16 bits */
        "cmp r0, lr\n"
        "beq 15f\n"
        "8:\n"
        "ldr r4, [r0]\n"
        "cmp r3, #0\n"
        "beq 12f\n"
        LEAK_PAIR
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
        "cmp r0, lr\n"
        "bne 8b\n"
        "15:\n"
        "ldr r4, [sp, #20]\n"
        "b 10f\n"
        "12:\n"
        "sxth r5, r4\n"
        "asrs r6, r4, #16\n"
        "b 13b\n"
        "14:\n" /* below the floor or above the ceiling; what is above fires, so that it may come down at once */
        CLAMP("r5")
        CLAMP("r6")
        "b 16b\n"
        "10:\n"
        "ldr r7, [sp, #12]\n"
        "add sp, sp, #36\n"
        : "=r"(clamps), "+r"(greater), "+r"(lift)
        : "0"(lif)
        : "r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory");
    return clamps;
}

#endif
