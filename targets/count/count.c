/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plugin for QEMU that counts a firmware's instructions, loads and stores, per function and per
 * region.
 *
 *     -plugin count.so,symbols=FILE,base=ADDRESS,regions=N,out=FILE[,mem=off]
 *
 * FILE of symbols: lines "address name" in rising order, addresses in hex without the Thumb bit. A
 * function ends where the next begins. The function snn_region_mark of region.c reads the byte at
 * base + region; from that load on, counts belong to the region. Instructions of functions whose
 * name begins with "snn_region_" belong to no region, so that marks cost nothing. Without mem=off:
 * loads and stores, each an access as the processor's port sees it (LDM of four registers: four),
 * and misaligned ones, which QEMU lets pass on cores that refuse them.
 *
 * Debian ships neither plugins nor qemu-plugin.h. The declarations below are those of the plugin
 * API's version 1 that are used.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- QEMU's side ---- */

typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;

enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS = 0 };
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_RW = 3 };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 = 0 };

typedef void tb_trans_callback(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void mem_callback(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address,
                          void *context);
typedef void exit_callback(qemu_plugin_id_t id, void *context);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_callback *callback);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
                                                enum qemu_plugin_op op, void *value,
                                                uint64_t immediate);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, mem_callback *callback,
                                      enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw,
                                      void *context);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, exit_callback *callback, void *context);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t info);
unsigned qemu_plugin_mem_size_shift(qemu_plugin_meminfo_t info);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int count,
                        char **arguments);

/* ---- Counters ---- */

struct counters {
    uint64_t insns, loads, stores, words;
};

struct function {
    uint64_t start;
    char name[96];
    bool mark;             /**< belongs to no region */
    struct counters total; /**< QEMU adds to insns; everything else is added here */
    struct counters seen;  /**< of total, what a region already has */
};

static struct function *functions; /* the first, "?", takes what lies before every symbol */
static size_t function_count;
static struct counters *regions; /* region_count x function_count */
static size_t region_count, region;
static uint64_t base, misaligned, misaligned_pc;
static bool count_memory = true;
static FILE *out;

static void *checked(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "count: out of memory\n");
        exit(1);
    }
    return memory;
}

static struct function *function_at(uint64_t address)
{
    size_t low = 0, high = function_count;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (functions[middle].start <= address) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &functions[low];
}

static void add_difference(struct counters *sum, const struct counters *now,
                           const struct counters *before)
{
    sum->insns += now->insns - before->insns;
    sum->loads += now->loads - before->loads;
    sum->stores += now->stores - before->stores;
    sum->words += now->words - before->words;
}

/** Gives the region what was counted since the last mark. */
static void close_region(void)
{
    for (size_t i = 0; i < function_count; i++) {
        struct function *function = &functions[i];
        add_difference(&regions[region * function_count + i], &function->total, &function->seen);
        function->seen = function->total;
    }
}

/* ---- While the firmware runs ---- */

/** The address of an access, of an instruction whose own address is `context`. */
static void on_access(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *context)
{
    (void)vcpu;
    const uint64_t pc = (uint64_t)(uintptr_t)context;
    struct counters *counters = &function_at(pc)->total;
    const unsigned shift = qemu_plugin_mem_size_shift(info);
    if (qemu_plugin_mem_is_store(info)) {
        counters->stores++;
    } else {
        counters->loads++;
    }
    counters->words += shift > 2 ? UINT64_C(1) << (shift - 2) : 1;
    /* Accesses of 64 bits and more are made of words. */
    const uint64_t mask = shift > 2 ? 3 : (UINT64_C(1) << shift) - 1;
    if ((address & mask) != 0 && misaligned++ == 0) {
        misaligned_pc = pc;
    }
}

static void on_mark(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *context)
{
    (void)vcpu;
    (void)context;
    if (qemu_plugin_mem_is_store(info) || address < base || address - base >= region_count) {
        return;
    }
    close_region();
    region = (size_t)(address - base);
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    (void)id;
    const size_t count = qemu_plugin_tb_n_insns(tb);
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const uint64_t address = qemu_plugin_insn_vaddr(insn);
        struct function *function = function_at(address);
        qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
                                                   &function->total.insns, 1);
        if (function->mark) {
            qemu_plugin_register_vcpu_mem_cb(insn, on_mark, QEMU_PLUGIN_CB_NO_REGS,
                                             QEMU_PLUGIN_MEM_RW, NULL);
        } else if (count_memory) {
            /* The inline form counts wrongly in QEMU 7.2: loads land among stores. */
            qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS,
                                             QEMU_PLUGIN_MEM_RW, (void *)(uintptr_t)address);
        }
    }
}

/* ---- Report ---- */

static void print_counters(const struct counters *counters)
{
    fprintf(out,
            "\"insns\": %" PRIu64 ", \"loads\": %" PRIu64 ", \"stores\": %" PRIu64
            ", \"words\": %" PRIu64,
            counters->insns, counters->loads, counters->stores, counters->words);
}

/**
 * The functions of a region, those of one name (a function and its clones) as one, and their sum.
 */
static void print_region(const struct counters *row)
{
    static const struct counters zero;
    struct counters sum = zero;
    for (size_t i = 0; i < function_count; i++) {
        if (!functions[i].mark) {
            add_difference(&sum, &row[i], &zero);
        }
    }
    print_counters(&sum);
    fprintf(out, ", \"functions\": {");
    const char *separator = "";
    for (size_t i = 0; i < function_count; i++) {
        bool first = row[i].insns != 0 && !functions[i].mark;
        struct counters same = zero;
        for (size_t j = 0; j < function_count && first; j++) {
            if (strcmp(functions[i].name, functions[j].name) != 0 || row[j].insns == 0) {
                continue;
            }
            if (j < i) {
                first = false;
            }
            add_difference(&same, &row[j], &zero);
        }
        if (!first) {
            continue;
        }
        fprintf(out, "%s\n      \"%s\": {", separator, functions[i].name);
        print_counters(&same);
        fprintf(out, "}");
        separator = ",";
    }
    fprintf(out, "}");
}

static void on_exit_of_firmware(qemu_plugin_id_t id, void *context)
{
    (void)id;
    (void)context;
    close_region();
    fprintf(out,
            "{\n  \"misaligned\": %" PRIu64 ", \"misaligned_pc\": %" PRIu64 ",\n  \"regions\": {",
            misaligned, misaligned_pc);
    const char *separator = "";
    for (size_t i = 0; i < region_count; i++) {
        const struct counters *row = &regions[i * function_count];
        bool any = false;
        for (size_t j = 0; j < function_count; j++) {
            any |= row[j].insns != 0;
        }
        if (!any) {
            continue;
        }
        fprintf(out, "%s\n    \"%zu\": {", separator, i);
        print_region(row);
        fprintf(out, "}");
        separator = ",";
    }
    fprintf(out, "\n  }\n}\n");
    fclose(out);
}

/* ---- Arguments ---- */

static bool read_symbols(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    size_t room = 64;
    functions = checked(calloc(room, sizeof *functions));
    strcpy(functions[0].name, "?");
    function_count = 1;
    uint64_t start;
    char name[sizeof functions->name];
    while (fscanf(file, "%" SCNx64 " %95s", &start, name) == 2) {
        if (function_count == room) {
            room *= 2;
            functions = checked(realloc(functions, room * sizeof *functions));
        }
        struct function *function = &functions[function_count++];
        memset(function, 0, sizeof *function);
        function->start = start;
        strcpy(function->name, name);
        function->mark = strncmp(name, "snn_region_", 11) == 0;
    }
    fclose(file);
    return function_count > 1;
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const struct qemu_info_t *info,
                                                               int count, char **arguments)
{
    (void)info;
    for (int i = 0; i < count; i++) {
        char *value = strchr(arguments[i], '=');
        bool known = value != NULL;
        if (known) {
            *value++ = 0;
        }
        if (known && strcmp(arguments[i], "symbols") == 0) {
            known = read_symbols(value);
        } else if (known && strcmp(arguments[i], "base") == 0) {
            base = strtoull(value, NULL, 0);
        } else if (known && strcmp(arguments[i], "regions") == 0) {
            region_count = (size_t)strtoul(value, NULL, 0);
        } else if (known && strcmp(arguments[i], "mem") == 0) {
            count_memory = strcmp(value, "off") != 0;
        } else if (known && strcmp(arguments[i], "out") == 0) {
            known = (out = fopen(value, "w")) != NULL;
        } else {
            known = false;
        }
        if (!known) {
            fprintf(stderr, "count: argument %d, %s, is not understood or its file not usable\n", i,
                    arguments[i]);
            return 1;
        }
    }
    if (functions == NULL || region_count == 0 || out == NULL) {
        fprintf(stderr, "count: symbols, regions and out are required\n");
        return 1;
    }
    regions = checked(calloc(region_count * function_count, sizeof *regions));
    region = region_count - 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit_of_firmware, NULL);
    return 0;
}
