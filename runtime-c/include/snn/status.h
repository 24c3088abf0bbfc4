/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SNN_STATUS_H
#define SNN_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/** Marks a result the caller must look at. */
#if defined(__GNUC__) || defined(__clang__)
#define SNN_MUST_USE __attribute__((warn_unused_result))
#else
#define SNN_MUST_USE
#endif

/**
 * What a call found: zero is success, every failure is negative. A failure leaves the network as it
 * was, unless the call says otherwise.
 */
enum snn_status {
    SNN_OK = 0,
    SNN_ERROR_ARGUMENT = -1, /**< a null pointer, no such port, or a port of the other kind */
    SNN_ERROR_MEMORY = -2,   /**< the memory given is too small */
    SNN_ERROR_VERSION = -3,  /**< a model or image of another version */
    /** a number outside the limits of FORMAT.md or IMAGE.md, or more than this build has */
    SNN_ERROR_LIMIT = -4,
    SNN_ERROR_SHAPE = -5, /**< shapes or counts that do not fit each other */
    /** an index to a port or population that does not exist or may not stand here */
    SNN_ERROR_REFERENCE = -6,
    SNN_ERROR_CYCLE = -7,   /**< the delay-0 projections form a cycle */
    SNN_ERROR_BOUND = -8,   /**< sums could leave the bounds of FORMAT.md, section 5 */
    SNN_ERROR_WEIGHTS = -9, /**< weight rows that are not well formed in memory */
    /** a presented value outside the port's min_value ... max_value; a self-test that failed */
    SNN_ERROR_VALUE = -10,
    /** more than max_steps steps since the reset, or a second call where one takes them all */
    SNN_ERROR_STEPS = -11,
    SNN_ERROR_SYNTAX = -12, /**< the bytes are no model, or an image cut off or corrupt */
    SNN_ERROR_ENUM = -13,   /**< an enum value, field or flag this version does not know */
    SNN_ERROR_SIZE = -14,   /**< a stated size or count disagrees with the bytes */
    /** loader: a broken zlib stream, or one of another size than stated */
    SNN_ERROR_COMPRESSION = -15,
    /** an index of rows, columns or a pool's places that is not well formed */
    SNN_ERROR_INDEX = -16,
    /** loader: a packed weight that has no value (ternary 10), or bits set behind the last */
    SNN_ERROR_CODE = -17,
    /** loader: a file that does not end with the checksum of its bytes: it was cut or changed */
    SNN_ERROR_CHECKSUM = -18
};

/** Where a model breaks a rule: the part and the field, named as in the schema. */
enum snn_part {
    SNN_PART_MODEL = 0,
    SNN_PART_INPUT = 1,
    SNN_PART_POPULATION = 2,
    SNN_PART_PROJECTION = 3
};

/** The field at fault, by its name in the schema. */
enum snn_field {
    SNN_FIELD_NONE = 0,
    SNN_FIELD_FORMAT_MAJOR,
    SNN_FIELD_STEP_MICROSECONDS,
    SNN_FIELD_STEPS,
    SNN_FIELD_MAX_STEPS,
    SNN_FIELD_INPUTS,
    SNN_FIELD_POPULATIONS,
    SNN_FIELD_PROJECTIONS,
    SNN_FIELD_READOUT,
    SNN_FIELD_EXIT,
    SNN_FIELD_SHAPE,
    SNN_FIELD_KIND,
    SNN_FIELD_MULTIPLICITY,
    SNN_FIELD_MAX_EVENTS_PER_STEP,
    SNN_FIELD_MIN_VALUE,
    SNN_FIELD_MAX_VALUE,
    SNN_FIELD_ENCODER,
    SNN_FIELD_SENSOR,
    SNN_FIELD_THRESHOLD,
    SNN_FIELD_LEAK,
    SNN_FIELD_BIAS,
    SNN_FIELD_INITIAL,
    SNN_FIELD_CURRENT_LEAK,
    SNN_FIELD_RESET,
    SNN_FIELD_RESET_VALUE,
    SNN_FIELD_COMPARE,
    SNN_FIELD_REFRACTORY_STEPS,
    SNN_FIELD_FLOOR,
    SNN_FIELD_CEILING,
    SNN_FIELD_SOURCE,
    SNN_FIELD_TARGET,
    SNN_FIELD_DELAY,
    SNN_FIELD_TAPS,
    SNN_FIELD_TAP_STEP,
    SNN_FIELD_TOPOLOGY,
    SNN_FIELD_CONVOLUTION,
    SNN_FIELD_POOL,
    SNN_FIELD_SHIFT,
    SNN_FIELD_WEIGHTS,
    SNN_FIELD_ROWS,
    SNN_FIELD_COLUMNS,
    SNN_FIELD_COUNT
};

/**
 * The first rule a model breaks. `expected` is the limit that was crossed, `found` what stood
 * there.
 */
struct snn_fault {
    enum snn_status status;
    enum snn_part part;
    unsigned index; /**< of the input, population or projection; 0 for the model */
    enum snn_field field;
    long long expected;
    long long found;
};

#ifdef __cplusplus
}
#endif
#endif
