/* SPDX-License-Identifier: Apache-2.0 */
/* What a sketch includes. */
#ifndef SNN_ARDUINO_H
#define SNN_ARDUINO_H

#include "snn/device.h"

#endif
