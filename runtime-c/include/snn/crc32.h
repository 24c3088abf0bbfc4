/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_CRC32_H
#define SNN_CRC32_H

#include <stdint.h>

/**
 * zlib's CRC-32 of `count` more bytes after those whose CRC is `crc`; that of no bytes is 0. Four
 * bits at a time, from a table of 64 bytes. It protects device images (models/IMAGE.md).
 */
static inline uint32_t snn_crc32(uint32_t crc, const uint8_t *bytes, uint32_t count)
{
    /* Remainders of the sixteen half bytes by the reflected polynomial 0xEDB88320. */
    static const uint32_t remainders[16] = {0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu,
                                            0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
                                            0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
                                            0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
    uint32_t left = ~crc;
    for (uint32_t i = 0; i < count; i++) {
        left ^= bytes[i];
        left = (left >> 4) ^ remainders[left & 15];
        left = (left >> 4) ^ remainders[left & 15];
    }
    return ~left;
}

#endif
