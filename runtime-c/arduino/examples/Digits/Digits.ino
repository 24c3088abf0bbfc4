/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes frames from the serial port, a byte a value, and answers each with its class, its scores and the time it took.
 *
 * The network stands beside this file as digits.h and digits.c, which snn-export writes for a model named digits.
 */
#include <SNN.h>

#include "digits.h"

static uint32_t arena[SNN_MODEL_DIGITS_ARENA_BYTES / 4];
static uint8_t values[SNN_MODEL_DIGITS_INPUTS];
static struct snn_device network;

void setup() {
    Serial.begin(115200);
    while (snn_device_init(&network, &snn_model_digits.image, arena, sizeof arena) != SNN_OK) {
        Serial.println("image and library are of different versions");
        delay(1000);
    }
}

void loop() {
    for (uint32_t i = 0; i < sizeof values; i++) {
        while (Serial.available() == 0) delay(1);
        values[i] = (uint8_t)Serial.read();
    }
    const uint32_t start = micros();
    snn_device_reset(&network);
    if (snn_device_values_u8(&network, 0, values, sizeof values) != SNN_OK ||
        snn_device_run(&network, SNN_MODEL_DIGITS_STEPS) != SNN_OK) {
        Serial.println("the network takes other input");
        return;
    }
    const uint32_t taken = micros() - start;
    uint32_t count;
    const int32_t *scores = snn_device_scores(&network, &count);
    Serial.print("class ");
    Serial.print(snn_device_class(&network));
    Serial.print(", scores");
    for (uint32_t i = 0; i < count; i++) {
        Serial.print(" ");
        Serial.print(scores[i]);
    }
    Serial.print(", us ");
    Serial.println(taken);
}
