/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_TEST_SEAL_H
#define SNN_TEST_SEAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

/** Bytes of the checksum field that ends a file: FORMAT.md, section 9. */
enum { SEAL_SIZE = 6 };

/** Puts the checksum behind `length` bytes of a message; returns the file's length. */
static inline size_t seal(uint8_t *bytes, size_t length)
{
    const uint32_t sum = (uint32_t)crc32_z(0, bytes, length);
    const uint8_t field[SEAL_SIZE] = {
        0xFD, 0x7F, (uint8_t)sum, (uint8_t)(sum >> 8), (uint8_t)(sum >> 16), (uint8_t)(sum >> 24)};
    memcpy(bytes + length, field, sizeof field);
    return length + sizeof field;
}

#endif
