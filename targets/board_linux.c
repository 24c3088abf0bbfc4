/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "board.h"
#include "board_linux.h"

/* A board with Linux: the files are arguments, the kernel guards memory. */

const char *board_model_path;

static FILE *requests, *answers;

void board_init(void)
{
}

bool board_read(void *bytes, uint32_t size)
{
    /* Whoever asks may wait for them. */
    if (fflush(answers) != 0) {
        board_exit(BOARD_NO_FILES);
    }
    return fread(bytes, 1, size, requests) == size;
}

void board_write(const void *bytes, uint32_t size)
{
    if (fwrite(bytes, 1, size, answers) != size) {
        board_exit(BOARD_NO_FILES);
    }
}

enum board_unit board_count_unit(void)
{
    return BOARD_UNIT_NONE;
}

uint32_t board_count(void)
{
    return 0;
}

_Noreturn void board_fault(uint32_t cause, uint32_t pc)
{
    fprintf(stderr, "fault: %u at pc 0x%08x\n", (unsigned)cause, (unsigned)pc);
    board_exit(70);
}

_Noreturn void board_exit(int code)
{
    if (answers != NULL && fclose(answers) != 0 && code == 0) {
        code = BOARD_NO_FILES;
    }
    exit(code);
}

int main(int count, char **arguments)
{
    if (count < 3) {
        board_exit(BOARD_NO_FILES);
    }
    requests = fopen(arguments[1], "rb");
    answers = fopen(arguments[2], "wb");
    board_model_path = count > 3 ? arguments[3] : NULL;
    if (requests == NULL || answers == NULL) {
        board_exit(BOARD_NO_FILES);
    }
    board_exit(firmware_main());
}
