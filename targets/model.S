/* SPDX-License-Identifier: Apache-2.0 */

/* A model image as the program's constants, and the memory it asks for. `targets/run` defines MODEL and the sizes. */

    .section .model, "a"
    .globl model_image, model_image_end
    .balign 8
model_image:
    .incbin MODEL
model_image_end:

    .section .arena, "aw", %nobits
    .globl model_arena, model_arena_end, model_frames, model_frames_end, model_counters, model_counters_end
    .balign 8
model_arena:
    .skip ARENA_BYTES
model_arena_end:
    .balign 8
model_frames:
    .skip FRAME_BYTES
model_frames_end:
    .balign 8
model_counters:
    .skip COUNTER_BYTES
model_counters_end:
#if defined(__linux__)
    .section .note.GNU-stack, "", %progbits
#endif
