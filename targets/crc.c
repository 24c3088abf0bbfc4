/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"
#include "snn/crc32.h"

/* One copy of the code and its table, for all files of a board's program. */

uint32_t guard_crc(uint32_t crc, const void *bytes, uint32_t size)
{
    return snn_crc32(crc, bytes, size);
}
