/* SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "guard.h"
#include "network.h"
#include "region.h"

#include <stddef.h>

/*
 * The firmware that answers requests with a network. targets/README.md describes the bytes under
 * "Wire".
 */

enum { WIRE_VERSION = 1, SYNC = 'S', HEADER_BYTES = 8, PIECE_BYTES = 16 };

enum request {
    HELLO = 'H',
    BEGIN = 'B',
    VALUES = 'V',
    EVENTS = 'E',
    RUN = 'R',
    ANSWER = 'A',
    QUIT = 'Q'
};

enum answer { GREETING = 'h', RESULT = 'a', DONE = 'd', REFUSAL = 'x', END = 'q' };

/** Bits of BEGIN's argument. */
enum { COUNTING = 1, MARKING = 2, ANSWERING = 4 };

struct request_header {
    uint8_t type;
    uint16_t argument;
    uint32_t size;
};

static struct network_facts facts;
static uint32_t request_crc, answer_crc;
static uint32_t ticks; /* of the sample's runs */
static uint32_t seed;  /* of the sample */
static bool counting, answering;

/* ---- Bytes in ---- */

/**
 * The next bytes of a request, which its CRC covers. The CRC of a piece is done before a polled
 * line has received two bytes more, which is all that it keeps.
 */
static bool take(void *bytes, uint32_t size)
{
    uint8_t *piece = bytes;
    while (size > 0) {
        const uint32_t part = size < PIECE_BYTES ? size : PIECE_BYTES;
        if (!board_read(piece, part)) {
            return false;
        }
        request_crc = guard_crc(request_crc, piece, part);
        piece += part;
        size -= part;
    }
    return true;
}

static uint32_t word_of(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/** Looks for the start of a request; a serial line may have lost some bytes. */
static bool take_header(struct request_header *header)
{
    uint8_t bytes[HEADER_BYTES];
    do {
        request_crc = 0;
        if (!take(bytes, 1)) {
            return false;
        }
    } while (bytes[0] != SYNC);
    if (!take(bytes + 1, HEADER_BYTES - 1)) {
        return false;
    }
    header->type = bytes[1];
    header->argument = (uint16_t)(bytes[2] | bytes[3] << 8);
    header->size = word_of(bytes + 4);
    return true;
}

/** Whether a request ends as it should. */
static bool take_crc(void)
{
    const uint32_t expected = request_crc;
    uint8_t bytes[4];
    return board_read(bytes, 4) && word_of(bytes) == expected;
}

/* ---- Bytes out ---- */

static void give(const void *bytes, uint32_t size)
{
    answer_crc = guard_crc(answer_crc, bytes, size);
    board_write(bytes, size);
}

static void give_word(uint32_t word)
{
    const uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16),
                              (uint8_t)(word >> 24)};
    give(bytes, 4);
}

static void give_long(uint64_t value)
{
    give_word((uint32_t)value);
    give_word((uint32_t)(value >> 32));
}

static void begin_answer(enum answer type, uint32_t argument, uint32_t words)
{
    answer_crc = 0;
    give_word(SYNC | (uint32_t)type << 8 | argument << 16);
    give_word(4 * words);
}

static void end_answer(void)
{
    give_word(answer_crc);
}

static void refuse(uint8_t request, int32_t status)
{
    begin_answer(REFUSAL, request, 1);
    give_word((uint32_t)status);
    end_answer();
}

static void confirm(uint8_t request)
{
    begin_answer(DONE, request, 0);
    end_answer();
}

static void greet(void)
{
    begin_answer(GREETING, WIRE_VERSION, 10);
    give_word(facts.model_crc);
    give_word(facts.model_bytes);
    give_word(facts.state_bytes);
    give_word(facts.steps);
    give_word(facts.max_steps);
    give_word(facts.block);
    give_word(facts.ports);
    give_word(facts.layers);
    give_word(facts.projections);
    give_word(board_count_unit());
    end_answer();
}

static void give_result(void)
{
    uint32_t score_count;
    const int32_t *scores = network_scores(&score_count);
    const uint32_t layers = counting ? facts.layers : 0,
                   projections = counting ? facts.projections : 0;
    begin_answer(RESULT, 0, 6 + score_count + 6 * layers + 7 * projections);
    give_word(network_class());
    give_word(score_count);
    give_word(layers);
    give_word(projections);
    give_word(ticks);
    give_word(guard_stack_bytes());
    for (uint32_t i = 0; i < score_count; i++) {
        give_word((uint32_t)scores[i]);
    }
    for (uint32_t i = 0; i < layers; i++) {
        struct network_layer layer;
        network_layer(i, &layer);
        give_word(layer.population);
        give_long(layer.spikes_out);
        give_long(layer.saturations);
        give_word(layer.digest);
    }
    for (uint32_t i = 0; i < projections; i++) {
        struct network_projection projection;
        network_projection(i, &projection);
        give_word(projection.projection);
        give_long(projection.spikes_in);
        give_long(projection.synops);
        give_long(projection.macs);
    }
    end_answer();
}

/* ---- Requests ---- */

/** Reads bytes that nobody wants. */
static bool skip(uint32_t size)
{
    uint8_t piece[PIECE_BYTES];
    while (size > 0) {
        const uint32_t part = size < PIECE_BYTES ? size : PIECE_BYTES;
        if (!take(piece, part)) {
            return false;
        }
        size -= part;
    }
    return true;
}

/** Events go to the network as they come: no device needs room for a step of them. */
static bool take_events(const struct request_header *header, int32_t *status)
{
    uint8_t piece[PIECE_BYTES];
    uint32_t left = header->size;
    if ((left & 3) != 0) {
        *status = SNN_ERROR_SIZE;
        return skip(left);
    }
    while (left > 0) {
        const uint32_t part = left < PIECE_BYTES ? left : PIECE_BYTES;
        if (!take(piece, part)) {
            return false;
        }
        for (uint32_t i = 0; i < part; i += 4) {
            if (!network_event(header->argument, word_of(piece + i))) {
                *status = SNN_ERROR_VALUE;
            }
        }
        left -= part;
    }
    return true;
}

/** The request's own bytes. False: they ended too early. */
static bool take_payload(const struct request_header *header, int32_t *status)
{
    if (header->type == EVENTS) {
        return take_events(header, status);
    }
    if (header->type == VALUES) {
        void *frame = network_frame(header->argument, header->size);
        if (frame != NULL) {
            return take(frame, header->size);
        }
        *status = SNN_ERROR_ARGUMENT;
    } else if (header->type == BEGIN && header->size == 4) {
        uint8_t bytes[4];
        if (!take(bytes, 4)) {
            return false;
        }
        seed = word_of(bytes);
        return true;
    } else if (header->size != 0) {
        *status = SNN_ERROR_SIZE;
    }
    return skip(header->size);
}

static int32_t run(uint32_t steps)
{
    const uint32_t start = board_count();
    const int32_t status = network_run(steps);
    ticks += board_count() - start;
    return status;
}

/** Does what a request that came whole asks for. */
static int32_t serve(const struct request_header *header)
{
    switch (header->type) {
    case HELLO: greet(); break;
    case BEGIN:
        counting = (header->argument & COUNTING) != 0;
        answering = (header->argument & ANSWERING) != 0;
        ticks = 0;
        network_begin(header->size == 0 ? 0 : seed, counting, (header->argument & MARKING) != 0);
        break;
    case VALUES: return network_is_decided() ? SNN_OK : network_present(header->argument);
    case EVENTS: break;
    case RUN: return network_is_decided() ? SNN_OK : run(header->argument);
    case ANSWER: give_result(); break;
    case QUIT: break;
    default: return SNN_ERROR_ENUM;
    }
    return SNN_OK;
}

/** Whether a request that was served has no other answer. */
static bool is_silent(uint8_t type)
{
    return type == BEGIN || type == VALUES || type == EVENTS || type == RUN;
}

int firmware_main(void)
{
    board_init();
    guard_begin();
    snn_region_mark(SNN_REGION_OUTSIDE);
    const enum snn_status opened = network_open(&facts);
    if (opened != SNN_OK) {
        refuse(HELLO, opened);
        return BOARD_NO_MODEL;
    }
    struct request_header header = {0, 0, 0};
    while (header.type != QUIT && take_header(&header)) {
        int32_t status = SNN_OK;
        if (!take_payload(&header, &status)) {
            break;
        }
        if (!take_crc()) {
            header.type = 0;
            status = SNN_ERROR_SYNTAX;
        }
        if (status == SNN_OK) {
            status = serve(&header);
        }
        if (status != SNN_OK) {
            refuse(header.type, status);
        } else if (answering && is_silent(header.type)) {
            confirm(header.type);
        }
    }
    const int code = guard_end();
    begin_answer(END, 0, 2);
    give_word((uint32_t)code);
    give_word(guard_stack_bytes());
    end_answer();
    return code;
}
