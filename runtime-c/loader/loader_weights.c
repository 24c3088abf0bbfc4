/* SPDX-License-Identifier: Apache-2.0 */
#include "loader_internal.h"

#include <string.h>
#include <zlib.h>

/* FORMAT.md, section 7: from packed bytes to rows in memory. */

/*
 * Rows are held full where at least one entry in this many is a synapse. Measured (make bench,
 * table in DESIGN.md): down to one entry in 32, vectors add full rows as fast as sparse ones or
 * faster, and a full row takes one byte an entry where a sparse one takes three.
 */
enum { FULL_FROM_ONE_IN = 32 };

static const uint64_t max_entries = UINT64_C(1) << 26;

/** How far the reading of one projection's weights has come. */
struct reader {
    struct loader *loader;
    uint32_t projection;
    const Snnpb__Weights *from;
    const uint8_t *values, *index;
    size_t values_size, index_size;
    uint32_t bits;
    /* The place of the next stored value. */
    uint64_t entry; /* FULL, BITMAP */
    size_t byte;    /* CSR */
    uint32_t row, left, column;
    bool failed;
};

/** One stored value. */
struct stored {
    uint32_t row, column;
    int8_t value;
};

static bool refuse(struct reader *reader, enum snn_status code, const char *field,
                   uint64_t expected, uint64_t found)
{
    reader->failed = true;
    return loader_refuse(reader->loader, code, "projections", reader->projection, field,
                         (int64_t)expected, (int64_t)found);
}

static voidpf zlib_alloc(voidpf context, uInt items, uInt size)
{
    return loader_scratch(context, (uint64_t)items * size);
}

static void zlib_free(voidpf context, voidpf address)
{
    (void)context;
    (void)address;
}

/** Inflates exactly `size` bytes; more, fewer or left-over input is an error. */
static const uint8_t *inflate_bytes(struct reader *reader, const ProtobufCBinaryData *packed,
                                    size_t size, const char *field)
{
    uint8_t *bytes = loader_scratch(reader->loader, (uint64_t)size + 1);
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (bytes == NULL) {
        return NULL;
    }
    stream.zalloc = zlib_alloc;
    stream.zfree = zlib_free;
    stream.opaque = reader->loader;
    stream.next_in = packed->data;
    stream.avail_in = (uInt)packed->len;
    stream.next_out = bytes;
    stream.avail_out = (uInt)size + 1;
    int result = inflateInit(&stream);
    if (result == Z_OK) {
        result = inflate(&stream, Z_FINISH);
    }
    if (reader->loader->error->code == SNN_ERROR_MEMORY) {
        return NULL;
    }
    if (result != Z_STREAM_END || stream.total_out != size || stream.avail_in != 0) {
        (void)refuse(reader, SNN_ERROR_COMPRESSION, field, size, stream.total_out);
        return NULL;
    }
    return bytes;
}

/** The bytes of `values` or `index`, inflated where need be, `size` of them. */
static const uint8_t *unpack(struct reader *reader, const ProtobufCBinaryData *bytes, size_t size,
                             const char *field)
{
    static const uint8_t none[1] = {0};
    if (reader->from->compression == SNNPB__WEIGHTS__COMPRESSION__ZLIB) {
        return inflate_bytes(reader, bytes, size, field);
    }
    if (bytes->len != size) {
        (void)refuse(reader, SNN_ERROR_SIZE, field, size, bytes->len);
        return NULL;
    }
    return bytes->data != NULL ? bytes->data : none;
}

/**
 * Bits of a stored value; 0, with the error set, for a code book of a wrong size or with a level
 * outside int8.
 */
static uint32_t find_bits(struct reader *reader)
{
    const Snnpb__Weights *from = reader->from;
    switch (from->coding) {
    case SNNPB__WEIGHTS__CODING__INT8: return 8;
    case SNNPB__WEIGHTS__CODING__INT4: return 4;
    case SNNPB__WEIGHTS__CODING__TERNARY: return 2;
    case SNNPB__WEIGHTS__CODING__CODEBOOK:
        for (size_t i = 0; i < from->n_codebook; i++) {
            if (from->codebook[i] < INT8_MIN || from->codebook[i] > INT8_MAX) {
                (void)refuse(reader, SNN_ERROR_LIMIT, "weights.codebook", INT8_MAX,
                             (uint64_t)from->codebook[i]);
                return 0;
            }
        }
        if (from->n_codebook == 2 || from->n_codebook == 4) {
            return from->n_codebook == 2 ? 1 : 2;
        }
        if (from->n_codebook == 16) {
            return 4;
        }
        (void)refuse(reader, SNN_ERROR_SIZE, "weights.codebook", 16, from->n_codebook);
        return 0;
    default:
        (void)refuse(reader, SNN_ERROR_ENUM, "weights.coding", SNNPB__WEIGHTS__CODING__CODEBOOK,
                     (uint64_t)from->coding);
        return 0;
    }
}

/** Stored value number `i`; a ternary 10 is refused. */
static int8_t decode(struct reader *reader, uint64_t i)
{
    const uint64_t at = i * reader->bits;
    const uint32_t code =
        (uint32_t)(reader->values[at >> 3] >> (at & 7)) & ((1u << reader->bits) - 1);
    const uint32_t sign = 1u << (reader->bits - 1);
    if (reader->from->coding == SNNPB__WEIGHTS__CODING__CODEBOOK) {
        return (int8_t)reader->from->codebook[code];
    }
    if (reader->from->coding == SNNPB__WEIGHTS__CODING__TERNARY && code == 2) {
        (void)refuse(reader, SNN_ERROR_CODE, "weights.values", 3, 2);
    }
    return (int8_t)((int32_t)(code ^ sign) - (int32_t)sign);
}

/** A LEB128 number in its shortest form, below 2^32. */
static bool read_varint(struct reader *reader, uint32_t *number)
{
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < 35; shift += 7) {
        if (reader->byte == reader->index_size) {
            return refuse(reader, SNN_ERROR_INDEX, "weights.index", reader->index_size,
                          reader->index_size + 1);
        }
        const uint8_t byte = reader->index[reader->byte++];
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            if ((byte == 0 && shift > 0) || value > UINT32_MAX) {
                break;
            }
            *number = (uint32_t)value;
            return true;
        }
    }
    return refuse(reader, SNN_ERROR_INDEX, "weights.index", UINT32_MAX, value);
}

static void restart(struct reader *reader)
{
    reader->entry = 0;
    reader->byte = 0;
    reader->row = UINT32_MAX; /* before row 0 */
    reader->left = 0;
    reader->column = 0;
}

/** Row and column of the next stored value, in file order. */
static bool next_place(struct reader *reader, struct stored *stored)
{
    const Snnpb__Weights *from = reader->from;
    if (from->layout == SNNPB__WEIGHTS__LAYOUT__CSR) {
        const bool first = reader->left == 0;
        while (reader->left == 0) {
            reader->row++;
            if (reader->row == from->rows) {
                return refuse(reader, SNN_ERROR_INDEX, "weights.index", from->stored, from->rows);
            }
            if (!read_varint(reader, &reader->left)) {
                return false;
            }
        }
        uint32_t delta = 0;
        if (!read_varint(reader, &delta)) {
            return false;
        }
        const uint64_t column = first ? delta : (uint64_t)reader->column + 1 + delta;
        if (column >= from->columns) {
            return refuse(reader, SNN_ERROR_INDEX, "weights.index", (uint64_t)from->columns - 1,
                          column);
        }
        reader->column = (uint32_t)column;
        reader->left--;
        stored->row = reader->row;
        stored->column = reader->column;
        return true;
    }
    const uint64_t entries = (uint64_t)from->rows * from->columns;
    if (from->layout == SNNPB__WEIGHTS__LAYOUT__BITMAP) {
        while (reader->entry < entries &&
               (reader->index[reader->entry >> 3] >> (reader->entry & 7) & 1) == 0) {
            reader->entry++;
        }
        if (reader->entry == entries) {
            return refuse(reader, SNN_ERROR_INDEX, "weights.index", from->stored, entries);
        }
    }
    stored->row = (uint32_t)(reader->entry / from->columns);
    stored->column = (uint32_t)(reader->entry % from->columns);
    reader->entry++;
    return true;
}

/** Nothing may follow the last stored value: no further CSR entry or byte, no further bit set. */
static bool check_end(struct reader *reader)
{
    const Snnpb__Weights *from = reader->from;
    if (from->layout == SNNPB__WEIGHTS__LAYOUT__CSR) {
        if (reader->left != 0) {
            return refuse(reader, SNN_ERROR_INDEX, "weights.index", from->stored,
                          (uint64_t)from->stored + 1);
        }
        for (uint32_t row = reader->row + 1; row < from->rows; row++) {
            uint32_t count = 0;
            if (!read_varint(reader, &count)) {
                return false;
            }
            if (count != 0) {
                return refuse(reader, SNN_ERROR_INDEX, "weights.index", 0, count);
            }
        }
        if (reader->byte != reader->index_size) {
            return refuse(reader, SNN_ERROR_INDEX, "weights.index", reader->byte,
                          reader->index_size);
        }
    } else if (from->layout == SNNPB__WEIGHTS__LAYOUT__BITMAP) {
        for (; reader->entry < (uint64_t)reader->index_size * 8; reader->entry++) {
            if ((reader->index[reader->entry >> 3] >> (reader->entry & 7) & 1) != 0) {
                return refuse(reader, SNN_ERROR_INDEX, "weights.index", from->stored,
                              (uint64_t)from->stored + 1);
            }
        }
    }
    return true;
}

/** First pass: checks that everything is well formed, and counts the values that are not zero. */
static bool count_synapses(struct reader *reader, uint64_t *synapses)
{
    struct stored stored;
    restart(reader);
    for (uint32_t i = 0; i < reader->from->stored; i++) {
        if (!next_place(reader, &stored)) {
            return false;
        }
        *synapses += decode(reader, i) != 0 ? 1 : 0;
        if (reader->failed) {
            return false;
        }
    }
    const uint64_t used = (uint64_t)reader->from->stored * reader->bits;
    if ((used & 7) != 0 && reader->values[used >> 3] >> (used & 7) != 0) {
        return refuse(reader, SNN_ERROR_CODE, "weights.values", 0, reader->values[used >> 3]);
    }
    return check_end(reader);
}

/** Second pass: writes full rows, with synapse counts where some entry is zero. */
static bool fill_full(struct reader *reader, uint64_t runs, uint32_t length, bool some_zero,
                      struct snn_weights *to)
{
    int8_t *values = loader_keep(reader->loader, (uint64_t)to->rows * to->columns, 1);
    uint32_t *start = some_zero ? loader_keep(reader->loader, runs + 1, sizeof *start) : NULL;
    struct stored stored;
    if (values == NULL || (some_zero && start == NULL)) {
        return false;
    }
    restart(reader);
    for (uint32_t i = 0; i < reader->from->stored && next_place(reader, &stored); i++) {
        values[(uint64_t)stored.row * to->columns + stored.column] = decode(reader, i);
    }
    for (uint64_t run = 0; some_zero && run < runs; run++) {
        uint32_t synapses = 0;
        for (uint32_t i = 0; i < length; i++) {
            synapses += values[run * length + i] != 0 ? 1u : 0u;
        }
        start[run + 1] = start[run] + synapses;
    }
    to->layout = SNN_ROWS_FULL;
    to->values = values;
    to->synapse_start = start;
    return true;
}

/** Second pass: writes sparse runs; entries of one run follow each other in the file. */
static bool fill_sparse(struct reader *reader, uint64_t runs, uint32_t length, uint64_t synapses,
                        struct snn_weights *to)
{
    uint32_t *start = loader_keep(reader->loader, runs + 1, sizeof *start);
    int8_t *values = loader_keep(reader->loader, synapses + 1, 1);
    const bool narrow = length <= 65536;
    void *columns =
        loader_keep(reader->loader, synapses + 1, narrow ? sizeof(uint16_t) : sizeof(uint32_t));
    const uint32_t taps = to->columns / length;
    uint32_t count = 0;
    uint64_t run = 0;
    struct stored stored;
    if (start == NULL || values == NULL || columns == NULL) {
        return false;
    }
    restart(reader);
    for (uint32_t i = 0; i < reader->from->stored && next_place(reader, &stored); i++) {
        const int8_t value = decode(reader, i);
        const uint64_t at = (uint64_t)stored.row * taps + stored.column / length;
        if (value == 0) {
            continue;
        }
        while (run < at) {
            start[++run] = count;
        }
        values[count] = value;
        if (narrow) {
            ((uint16_t *)columns)[count] = (uint16_t)(stored.column % length);
        } else {
            ((uint32_t *)columns)[count] = stored.column % length;
        }
        count++;
    }
    while (run < runs) {
        start[++run] = count;
    }
    to->layout = SNN_ROWS_SPARSE;
    to->values = values;
    to->synapse_start = start;
    to->column16 = narrow ? columns : NULL;
    to->column32 = narrow ? NULL : columns;
    return true;
}

/** Checks the stated sizes against each other and the limits, before any byte is read. */
static bool check_sizes(struct reader *reader)
{
    const Snnpb__Weights *from = reader->from;
    const uint64_t entries = (uint64_t)from->rows * from->columns;
    const uint64_t values_size = ((uint64_t)from->stored * reader->bits + 7) / 8;
    if (from->rows == 0 || from->rows > UINT32_C(1) << 20 || from->columns == 0 ||
        from->columns >= UINT32_C(1) << 31) {
        return refuse(reader, SNN_ERROR_SHAPE, "weights.rows", UINT32_C(1) << 20, from->rows);
    }
    reader->loader->entries += entries;
    if (reader->loader->entries > max_entries) {
        return refuse(reader, SNN_ERROR_LIMIT, "weights.rows", max_entries,
                      reader->loader->entries);
    }
    if (from->layout < SNNPB__WEIGHTS__LAYOUT__FULL ||
        from->layout > SNNPB__WEIGHTS__LAYOUT__BITMAP) {
        return refuse(reader, SNN_ERROR_ENUM, "weights.layout", SNNPB__WEIGHTS__LAYOUT__BITMAP,
                      (uint64_t)from->layout);
    }
    if (from->compression < SNNPB__WEIGHTS__COMPRESSION__STORED ||
        from->compression > SNNPB__WEIGHTS__COMPRESSION__ZLIB) {
        return refuse(reader, SNN_ERROR_ENUM, "weights.compression",
                      SNNPB__WEIGHTS__COMPRESSION__ZLIB, (uint64_t)from->compression);
    }
    if (from->stored > entries ||
        (from->layout == SNNPB__WEIGHTS__LAYOUT__FULL && from->stored != entries)) {
        return refuse(reader, SNN_ERROR_SIZE, "weights.stored", entries, from->stored);
    }
    if (from->values_size != values_size) {
        return refuse(reader, SNN_ERROR_SIZE, "weights.values_size", values_size,
                      from->values_size);
    }
    if (from->layout == SNNPB__WEIGHTS__LAYOUT__FULL &&
        (from->index.len != 0 || from->index_size != 0)) {
        return refuse(reader, SNN_ERROR_SIZE, "weights.index", 0, from->index.len);
    }
    if (from->layout == SNNPB__WEIGHTS__LAYOUT__BITMAP && from->index_size != (entries + 7) / 8) {
        return refuse(reader, SNN_ERROR_SIZE, "weights.index_size", (entries + 7) / 8,
                      from->index_size);
    }
    /* A varint below 2^32 has at most 5 bytes. */
    const uint64_t most = ((uint64_t)from->rows + from->stored) * 5;
    if (from->layout == SNNPB__WEIGHTS__LAYOUT__CSR && from->index_size > most) {
        return refuse(reader, SNN_ERROR_SIZE, "weights.index_size", most, from->index_size);
    }
    return true;
}

bool loader_read_weights(struct loader *loader, uint32_t index, const Snnpb__Weights *from,
                         struct snn_projection *projection)
{
    struct reader reader = {loader, index, from, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, false};
    struct snn_weights *to = &projection->weights;
    const bool matrix = projection->topology == SNN_DENSE || projection->topology == SNN_CONV;
    const size_t high = loader->high;
    reader.bits = find_bits(&reader);
    if (reader.bits == 0 || !check_sizes(&reader)) {
        return false;
    }
    uint32_t taps = 1;
    if (projection->topology == SNN_CONV) {
        taps =
            (uint32_t)projection->convolution.kernel_height * projection->convolution.kernel_width;
        if (taps == 0 || from->columns % taps != 0) {
            return refuse(&reader, SNN_ERROR_SHAPE, "weights.columns", taps, from->columns);
        }
    }
    reader.values_size = from->values_size;
    reader.index_size = from->index_size;
    reader.values = unpack(&reader, &from->values, reader.values_size, "weights.values");
    if (reader.values == NULL) {
        return false;
    }
    if (from->layout != SNNPB__WEIGHTS__LAYOUT__FULL) {
        reader.index = unpack(&reader, &from->index, reader.index_size, "weights.index");
        if (reader.index == NULL) {
            return false;
        }
    }
    uint64_t synapses = 0;
    if (!count_synapses(&reader, &synapses)) {
        return false;
    }
    const uint64_t entries = (uint64_t)from->rows * from->columns;
    const uint64_t runs = (uint64_t)from->rows * taps;
    const uint32_t length = from->columns / taps;
    to->rows = from->rows;
    to->columns = from->columns;
    bool read = false;
    if (!matrix || synapses * FULL_FROM_ONE_IN >= entries) {
        read = fill_full(&reader, runs, length, matrix && synapses != entries, to);
    } else {
        read = fill_sparse(&reader, runs, length, synapses, to);
    }
    loader->high = high;
    return read;
}
