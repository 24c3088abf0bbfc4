# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the kernels: builds bench.c, compares hashes with the portable ones on the host, prints a table."""

import json
import struct
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import emulate

RECORD = struct.Struct("<8I")
Record = namedtuple("Record", "kernel region columns count shift spikes clamps hash")
KERNELS = ("rows 8 bit", "rows 4 bit", "mac 8 bit", "lif", "fire", "driven", "empty")
ROWS_8, ROWS_4, MAC_8, LIF, FIRE, DRIVEN, EMPTY = range(7)
FUNCTIONS = ("snn_add_rows_8", "snn_add_rows_4", "snn_mac_rows_8", "snn_lif_step", "snn_fire", "snn_fire_driven")
LEAK, CLAMPED, FAR = 1, 8, 16
OUTSIDE = 257


def program(options, kernels):
    sources = [emulate.TARGETS / "bench.c", *emulate.kernel_sources()]
    return emulate.Program("bench", sources, opt=options.opt, kernels=kernels)


def records(board, options, kernels, count=None):
    elf = emulate.build(board, program(options, kernels))
    code, answers, text = emulate.emulate(board, elf, b"", count=count, timeout=options.timeout)
    if code != 0:
        raise emulate.Failure(f"{board.name}: the benchmark ended with {code}\n{text}")
    return elf, [Record(*fields) for fields in RECORD.iter_unpack(answers)]


def differences(found, expected):
    if len(found) != len(expected):
        return [f"{len(found)} records, expected {len(expected)}"]
    lines = []
    for ours, theirs in zip(found, expected):
        if ours != theirs:
            lines.append(f"{KERNELS[ours.kernel]}: columns/lanes {ours.columns}, rows/steps {ours.count}, "
                         f"shift/choices {ours.shift}, spikes {ours.spikes} expected {theirs.spikes}, "
                         f"clamps {ours.clamps} expected {theirs.clamps}, "
                         f"hash {ours.hash:08x} expected {theirs.hash:08x}")
    return lines


def figures(found, counts):
    """One entry per counted case: instructions of the whole call, and those over synapses or neurons."""
    regions = counts["regions"]
    empty = regions[str(next(record.region for record in found if record.kernel == EMPTY))]
    result = []
    for record in found:
        if record.region == OUTSIDE or record.kernel == EMPTY:
            continue
        region = regions[str(record.region)]
        spent = {key: region[key] - empty[key] for key in ("insns", "loads", "stores", "words")}
        work = record.columns * record.count
        result.append({"kernel": KERNELS[record.kernel], "columns": record.columns, "count": record.count,
                       "choices": record.shift, "spikes": record.spikes, **spent,
                       "inside": region["functions"].get(FUNCTIONS[record.kernel], {}).get("insns", 0),
                       "insns_each": spent["insns"] / work,
                       "with_words_each": (spent["insns"] + spent["words"]) / work})
    return result


def cell(entry):
    return f"{entry['insns_each']:8.2f} [{entry['with_words_each']:5.2f}]"


def print_table(board, kernels, entries):
    print(f"{board.name}, kernels {kernels}: instructions per synapse or neuron [with data words moved]")
    for kernel in KERNELS[:3]:
        counts = sorted({entry["count"] for entry in entries if entry["kernel"] == kernel})
        print(f"  {kernel:12}" + "".join(f"{count:>9} rows   " for count in counts))
        for columns in sorted({entry["columns"] for entry in entries if entry["kernel"] == kernel}):
            row = [entry for entry in entries if entry["kernel"] == kernel and entry["columns"] == columns]
            print(f"  {columns:5} columns" + "".join(map(cell, row)))
    for choices, name in ((0, "no leak"), (LEAK, "leak"), (LEAK | CLAMPED, "leak, clamp"),
                          (LEAK | CLAMPED | FAR, "leak, far")):
        print(f"  lif {name:12}{'a step':>12}{'4, only spikes':>16}{'4, driven':>16}{'spikes per neuron and step':>32}")
        lif = [entry for entry in entries if entry["kernel"] in ("lif", "fire", "driven") and entry["choices"] == choices]
        for lanes in sorted({entry["columns"] for entry in lif}):
            row = [entry for entry in lif if entry["columns"] == lanes]
            fired = sum(e["spikes"] for e in row) / sum(e["columns"] * e["count"] for e in row)
            print(f"  {lanes:5} lanes  " + "".join(map(cell, row)) + f"{fired:12.3f}")


def run(board, options):
    if "snnimg" not in board.models:
        raise emulate.Skip(f"{board.name}: the kernels are for little-endian machines")
    asked = program(options, options.kernels)
    kernels = emulate.chosen_kernels(board, asked)
    if kernels != board.kernels and not options.kernels:
        print(f"{board.name}: there are no kernels {board.kernels}; the portable ones run instead", file=sys.stderr)
    _, expected = records(emulate.board_named("host"), options, "PORTABLE")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "count.json" if board.machine else None
        _, found = records(board, options, options.kernels, count=path)
        counts = emulate.load_count(path) if path else None
    wrong = differences(found, expected)
    for line in wrong:
        print(f"{board.name}: WRONG {line}", file=sys.stderr)
    if counts is None:
        print(f"{board.name}: {len(found)} cases, {len(wrong)} wrong; nothing counted")
        return 1 if wrong else 0
    entries = figures(found, counts)
    misaligned = board.bare and counts["misaligned"] != 0
    if misaligned:
        print(f"{board.name}: {counts['misaligned']} misaligned accesses, the first at pc {counts['misaligned_pc']:#x}",
              file=sys.stderr)
    if options.json:
        print(json.dumps({"board": board.name, "kernels": kernels, "wrong": len(wrong), "cases": entries}, indent=1))
    else:
        print_table(board, kernels, entries)
        print(f"  {len(found)} cases, {len(wrong)} wrong")
    return 1 if wrong or misaligned else 0
