/* SPDX-License-Identifier: Apache-2.0 */
/* A firmware's use of the engine: checks an image and runs it. */
#include <stddef.h>
#include <stdint.h>

#include "snn/device.h"

#include "digits.h"

static uint32_t arena[SNN_MODEL_DIGITS_ARENA_BYTES / 4];

/* zlib's CRC-32. */
static uint32_t crc_of(const uint8_t *bytes, uint32_t count)
{
    uint32_t crc = UINT32_MAX;
    while (count-- > 0) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? UINT32_C(0xEDB88320) : 0);
        }
    }
    return ~crc;
}

/* As an image from outside is checked. */
static int is_sound(void)
{
    static struct snn_model_digits copy;
    const uint32_t covered = offsetof(struct snn_image, crc) + sizeof copy.image.crc;
    copy = snn_model_digits;
    copy.image.crc = crc_of((const uint8_t *)&copy + covered, copy.image.bytes - covered);
    return snn_image_check(&copy, sizeof copy) == SNN_OK;
}

int main(void)
{
    static const uint8_t values[4] = {10, 20, 30, 40};
    struct snn_device network;
    uint32_t count = 0;
    if (!is_sound()) {
        return 1;
    }
    if (snn_device_init(&network, &snn_model_digits.image, arena, sizeof arena) != SNN_OK) {
        return 2;
    }
    if (snn_device_values_u8(&network, 0, values, 4) != SNN_OK) {
        return 3;
    }
    if (snn_device_run(&network, SNN_MODEL_DIGITS_STEPS) != SNN_OK) {
        return 4;
    }
    const int32_t *scores = snn_device_scores(&network, &count);
    return count == 2 && scores[0] == 80 && scores[1] == 320 && snn_device_class(&network) == 1 ? 0
                                                                                                : 5;
}
