/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A model image as the program's constants, and the memory it asks for. `targets/run` defines MODEL and the sizes. A
 * maker's linker script may have other places for constants and zeros: MODEL_SECTION, ARENA_SECTION.
 */
#ifndef MODEL_SECTION
#define MODEL_SECTION .model
#endif
#ifndef ARENA_SECTION
#define ARENA_SECTION .arena
#endif

    .section MODEL_SECTION, "a"
    .globl model_image, model_image_end
    .balign 8
model_image:
    .incbin MODEL
model_image_end:

    .section ARENA_SECTION, "aw", %nobits
    .globl model_arena, model_arena_end, model_frames, model_frames_end, model_counters, model_counters_end
    .balign 8
model_arena:
    .skip ARENA_BYTES
model_arena_end:
    .balign 8
model_frames:
#if FRAME_BYTES > 0
    .skip FRAME_BYTES
#endif
model_frames_end:
    .balign 8
model_counters:
    .skip COUNTER_BYTES
model_counters_end:
#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits
#endif
