# SPDX-License-Identifier: Apache-2.0
"""The tables of targets/README.md, from what was measured: results.json, dense.csv and the text budget of runtime-c."""

import csv
import json
from pathlib import Path

TARGETS = Path(__file__).resolve().parent
MODELS = TARGETS.parent / "models"
TEXT_BUDGET = TARGETS.parent / "runtime-c" / "tests" / "text_budget.csv"
CORES = {"cortex-m0": "Cortex-M0", "cortex-m3": "Cortex-M3", "cortex-m4": "Cortex-M4", "rv32imc": "RV32IMC",
         "cortex-m55": "Cortex-M55"}
BOARDS = {"cortex-m0": "cortex-m0-large"}  # where that of the core's name is too small for some networks


def markdown(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines) + "\n"


def records(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def number(value, scale=1.0, digits=0):
    return "–" if value is None else f"{value / scale:,.{digits}f}"


def ratio(report, part, whole, only=lambda region: True):
    """A sum over regions by another; None where there is nothing to divide by."""
    parts = [region for region in report.get("regions", []) if only(region)]
    total = sum(region[whole] for region in parts)
    return sum(region[part] for region in parts) / total if total else None


def per_update(report):
    return ratio(report, "neuron_instructions", "updates", lambda region: region["neuron_instructions"] > 0)


# ---- All runs ----


def run_row(board, report):
    if report.get("skipped"):
        reason = report["skipped"].removeprefix("targets/run: ").removeprefix(f"{board}: ").replace("\n", "; ")
        return f"| {board} | | {reason} | | | | | | | |"
    cells = [board, str(report["samples"]), f"{100 * report['accuracy']:.1f} %", "yes" if report["identical"] else "NO",
             number(report.get("instructions_per_inference"), 1000),
             number(ratio(report, "synapse_instructions", "synaptic_operations"), digits=2),
             number(per_update(report), digits=2),
             number(report.get("flash_bytes"), 1024, 1), number(report.get("ram_bytes"), 1024, 1),
             number(report.get("stack_bytes") or None)]
    return "| " + " | ".join(cells) + " |"


def runs(results):
    lines = []
    for name, reports in results.items():
        lines += [f"### {name}", "",
                  "| target | samples | accuracy on device | identical | 1000 instructions an inference | "
                  "instructions a synaptic operation | a neuron update | flash kB | RAM kB | stack bytes |",
                  "|---|---|---|---|---|---|---|---|---|---|"]
        lines += [run_row(board, report) for board, report in reports.items()] + [""]
    return "\n".join(lines)


# ---- Summaries ----


def test_accuracy(path, stage=-1):
    stages = json.loads(path.read_text())
    return 100 * (stages if isinstance(stages, list) else stages["stages"])[stage]["testAccuracy"]


def measured(reports, core):
    return reports[BOARDS.get(core, core)]


def beside_dense(results):
    rows = []
    for dense in records(TARGETS / "dense.csv"):
        rows.append([f"dense {dense['network']}", "", *(f"{int(dense[core]):,}" for core in CORES)])
        for name in dense["models"].split():
            accuracies = [test_accuracy(MODELS / name / file) for file in ("results.json", "dense.json")]
            cells = []
            for core in CORES:
                thousands = measured(results[name], core)["instructions_per_inference"] / 1000
                cells.append(f"{thousands:,.0f} ({thousands / int(dense[core]):.2f})")
            rows.append([name, ", ".join(f"{accuracy:.2f}" for accuracy in accuracies), *cells])
    return markdown(["network", "accuracy, dense int8", *CORES.values()], rows)


def updates(results):
    rows = []
    for name, reports in results.items():
        rows.append([name, *(number(per_update(measured(reports, core)), digits=1) for core in CORES)])
    return markdown(["", *CORES.values()], rows)


def text(results):
    budget = {(line["kernels"], line["build"], line["target"]): int(line["bytes"]) for line in records(TEXT_BUDGET)}
    cores = [core for core in CORES if ("tuned", "held", core) in budget]
    rows = [[f"{build}, {kernels}", *(f"{budget[kernels, build, core]:,}" for core in cores)]
            for build in ("held", "events", "delays", "general", "every") for kernels in ("tuned", "portable")]
    return markdown(["", *(CORES[core] for core in cores)], rows)


TABLES = {"results": runs, "dense": beside_dense, "updates": updates, "text": text}


def anew(readme, results):
    """The README with each table between its marks, <!-- NAME: targets/report --> and <!-- end of NAME -->."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: targets/report -->\n", f"<!-- end of {name} -->\n"
        head, rest = readme.split(begin)
        readme = head + begin + table(results) + end + rest.split(end)[1]
    return readme
