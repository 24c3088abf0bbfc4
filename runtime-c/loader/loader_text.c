/* SPDX-License-Identifier: Apache-2.0 */
#include "loader_internal.h"

/*
 * The strings of a file. No engine reads them, but a string that is not UTF-8 makes the file no
 * protobuf message.
 */

/** Bytes of the UTF-8 character at `text`, which ends in 0; 0 when it is none. */
static uint32_t character_length(const uint8_t *text)
{
    if (text[0] < 0x80) {
        return 1;
    }
    const uint32_t length = text[0] >= 0xF0 ? 4 : text[0] >= 0xE0 ? 3 : 2;
    uint32_t code = text[0] & (0x7Fu >> length);
    for (uint32_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | (text[i] & 0x3Fu);
    }
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return text[0] < 0xC0 || text[0] > 0xF4 || code < least[length] || code > 0x10FFFF || surrogate
               ? 0
               : length;
}

bool loader_check_text(struct loader *loader, const char *part, int64_t index, const char *field,
                       const char *text)
{
    const uint8_t *at = (const uint8_t *)text;
    while (*at != 0) {
        const uint32_t length = character_length(at);
        if (length == 0) {
            return loader_refuse(loader, SNN_ERROR_SYNTAX, part, index, field, 0, *at);
        }
        at += length;
    }
    return true;
}
