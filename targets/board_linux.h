/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARD_LINUX_H
#define BOARD_LINUX_H

/** The program's third argument, a model file; null: there is none. */
extern const char *board_model_path;

#endif
