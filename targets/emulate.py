# SPDX-License-Identifier: Apache-2.0
"""Builds firmware for the boards of `targets/boards` and runs it under QEMU."""

import configparser
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import wire

TARGETS = Path(__file__).resolve().parent
ROOT = TARGETS.parent
RUNTIME = ROOT / "runtime-c"
BUILD = TARGETS / "build"

WARNINGS = "-Wall -Wextra -Wconversion -Wshadow -pedantic -Werror".split()
# Freestanding gives a stdint.h without a C library; builtins back on, or a memcpy of four bytes is a call.
BARE = "-ffreestanding -fbuiltin -ffunction-sections -fdata-sections -fno-common".split()


class Skip(Exception):
    """A tool is missing; the message says which and where it comes from."""


class Failure(Exception):
    """The build was refused or the run did not end; the message is for the user."""


class DoesNotFit(Failure):
    """The board's memory is too small; the message says by how many bytes."""


EXIT_CODES = {wire.NoRequests: 64, DoesNotFit: 76, Skip: 77}


def command(name, main):
    """The exit code of a command; what stops it becomes a line on standard error."""
    try:
        return main()
    except (Skip, Failure, OSError, ValueError) as reason:
        known = isinstance(reason, OSError) and reason.filename
        print(f"{name}: {f'{reason.filename}: {reason.strerror}' if known else reason}", file=sys.stderr)
        return EXIT_CODES.get(type(reason), 1)


def size_of(text):
    """16K, 4M, or a plain number of bytes."""
    factor = {"K": 1024, "M": 1024 * 1024}.get(text[-1], 1)
    return int(text[:-1] if factor > 1 else text, 0) * factor


class Board:
    def __init__(self, name, entry):
        self.name = name
        self.machine = entry.get("machine", "").split()
        self.compiler = entry["compiler"]
        self.flags = entry["flags"].split()
        self.bare = "flash" in entry
        if self.bare:
            (self.flash, flash), (self.ram, ram) = entry["flash"].split(), entry["ram"].split()
            self.flash_bytes, self.ram_bytes = size_of(flash), size_of(ram)
        self.kernels = entry["kernels"]
        self.stack = int(entry["stack"])
        self.models = entry["models"].split()
        self.packages = entry["packages"]

    def tool(self, name):
        return tool(self.compiler + name, self.name, self.packages)


def boards():
    table = configparser.ConfigParser(delimiters=("=",), comment_prefixes=("#",))
    table.read(TARGETS / "boards")
    return {name: Board(name, table[name]) for name in table.sections()}


def board_named(name):
    table = boards()
    if name not in table:
        raise Failure(f"no board {name!r}; there are: {', '.join(table)}")
    return table[name]


def tool(name, what, packages):
    found = shutil.which(name)
    if found is None:
        raise Skip(f"{what}: {name} not found; it comes with: {packages}")
    return found


def run_tool(command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


# ---- Building ----


def newest_header():
    headers = [*TARGETS.glob("*.h"), *RUNTIME.rglob("*.h")]
    return max(header.stat().st_mtime for header in headers)


def up_to_date(product, command, inputs):
    note = Path(str(product) + ".command")
    if not product.exists() or not note.exists() or note.read_text() != "\n".join(map(str, command)):
        return False
    age = product.stat().st_mtime
    return all(Path(name).stat().st_mtime <= age for name in inputs)


def make(product, command, inputs, headers=0.0):
    """
    Runs a command that writes `product` unless the product is newer than all it is made from. The command runs in a
    folder of its own and names the product there; finished files replace old ones, which others may be reading.
    """
    if up_to_date(product, command, inputs) and product.stat().st_mtime >= headers:
        return product
    product.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=product.parent, prefix="make-") as folder:
        run_tool(command, cwd=folder)
        for made in sorted(Path(folder).iterdir(), key=lambda made: made.name == product.name):
            made.replace(product.with_name(made.name))
    Path(str(product) + ".command").write_text("\n".join(map(str, command)))
    return product


class Program:
    """What a firmware is made of, less the board: sources, choices, perhaps a model."""

    def __init__(self, name, sources, model=None, opt="-O2", kernels=None, stack=None, defines=()):
        self.name, self.sources = name, list(sources)
        self.model = None if model is None else Path(model).resolve()
        self.opt, self.kernels, self.stack, self.defines = opt, kernels, stack, list(defines)

    @property
    def loads(self):
        """Whether the model is a file that the loader reads."""
        return self.model is not None and self.model.suffix == ".snnpb"


def harness(model, **choices):
    """The firmware that answers requests with a model's network."""
    program = Program("harness", [TARGETS / "harness.c"], model=model, **choices)
    if program.loads:
        program.name = "loader"
        program.sources += [TARGETS / "network_loader.c", RUNTIME / "loader" / "generated" / "snn_model.pb-c.c"]
        program.sources += sorted((RUNTIME / "host").glob("*.c")) + sorted((RUNTIME / "loader").glob("*.c"))
    else:
        program.sources += [TARGETS / "network_device.c", *engine_sources()]
    return program


def engine_sources():
    firmware = RUNTIME / "firmware"
    return sorted(firmware.glob("*.c")) + sorted(firmware.glob("*.S"))


def kernel_sources():
    return [source for source in engine_sources() if source.name.startswith(("kernels_", "fire"))]


def kernels_exist(kernels):
    pattern = re.compile(rf"SNN_KERNELS\s*==\s*SNN_KERNELS_{kernels}\b")
    return any(pattern.search(source.read_text()) for source in kernel_sources())


# Sets of kernels, each for processors that run those before it too.
KERNELS = ("PORTABLE ARMV6M ARMV7M ARM_DSP HELIUM".split(), "PORTABLE RISCV32".split())


def chosen_kernels(board, program):
    kernels = program.kernels or board.kernels
    family = next(family for family in KERNELS if board.kernels in family)
    possible = family[:family.index(board.kernels) + 1]
    if kernels not in possible:
        raise Failure(f"{board.name}: kernels {kernels}: expected one of {', '.join(possible)}")
    if not kernels_exist(kernels):
        if program.kernels:
            raise Failure(f"runtime-c/firmware has no kernels {kernels}")
        kernels = "PORTABLE"
    return kernels


def source_flags(source):
    """Of one file, beside what all share: others' code and generated code keep their own manners."""
    if source.suffix == ".S":
        return ["-Wa,--fatal-warnings"]
    if BUILD in source.parents or source.parent.name == "generated":
        return ["-std=gnu11", "-w"]
    more = ["-fno-tree-loop-distribute-patterns"] if source.name == "memory.c" else []
    return ["-std=c11", *WARNINGS, *more]


def board_sources(board):
    names = ["region.c", "crc.c"]
    if board.bare:
        names += ["board_qemu.c", "guard.c", "memory.c"]
        names.append("startup_arm.c" if board.compiler.startswith("arm") else "startup_riscv.S")
    else:
        names += ["board_linux.c", "guard_none.c"]
    return [TARGETS / name for name in names]


def link_flags(board, program):
    if not board.bare:
        return []
    memory = {"FLASH_ORIGIN": board.flash, "FLASH_LENGTH": board.flash_bytes, "RAM_ORIGIN": board.ram,
              "RAM_LENGTH": board.ram_bytes, "STACK_BYTES": program.stack or board.stack}
    return ["-nostdlib", "-T", TARGETS / "image.ld", "-Wl,--gc-sections", "-Wl,--no-warn-rwx-segments",
            *(f"-Wl,--defsym={key}={value}" for key, value in memory.items())]


def overflow(board, failure):
    """The linker's complaint about full memory in one line each, or what it said."""
    found = re.findall(r"region `(\w+)' overflowed by (\d+) bytes", str(failure))
    room = {"flash": ("flash", board.flash_bytes), "ram": ("RAM", board.ram_bytes)} if board.bare else {}
    lines = [f"{board.name}: {room[name][0]} overflows by {excess} bytes of {room[name][1]}" for name, excess in found]
    return DoesNotFit("\n".join(lines)) if lines else failure


def build(board, program):
    """Returns the ELF file's path."""
    kind = "snnpb" if program.loads else "snnimg"
    if program.model is not None and kind not in board.models:
        raise Failure(f"{board.name} runs models of {' and '.join(board.models)}, not .{kind}")
    kernels = "PORTABLE" if program.loads else chosen_kernels(board, program)
    compiler = board.tool("gcc")
    choices = [program.opt, f"-DSNN_KERNELS=SNN_KERNELS_{kernels}", *program.defines]
    folder = BUILD / board.name / hashlib.sha1(" ".join(choices).encode()).hexdigest()[:8]
    common = [compiler, *board.flags, *choices, *(BARE if board.bare else [])]
    common += [f"-I{folder}" for folder in (RUNTIME / "include", RUNTIME / "firmware", TARGETS)]
    sources, libraries = program.sources + board_sources(board), ["-lgcc"] if board.bare else []
    if program.loads:
        common += [f"-I{RUNTIME / 'loader' / 'include'}", f"-I{RUNTIME / 'loader'}"]
        if board.machine:
            files, flags = third_party()
            sources, common = sources + files, common + flags
        else:
            libraries = ["-lprotobuf-c", "-lz"]
    headers = newest_header()
    objects = []
    for source in sources:
        product = folder / os.path.relpath(source, ROOT).replace("../", "").replace("targets/build/", "")
        product = product.with_suffix(".o")
        command = [*common, *source_flags(source), "-c", source, "-o", product.name]
        objects.append(make(product, command, [source], headers))
    name = program.name
    if program.model is not None and not program.loads:
        name += "-" + hashlib.sha1(program.model.read_bytes()).hexdigest()[:8]
        product = folder / f"model-{name}.o"
        command = [*common, *wire.flags(program.model), "-c", TARGETS / "model.S", "-o", product.name]
        objects.append(make(product, command, [TARGETS / "model.S", program.model]))
    elf = folder / f"{name}{program.stack or ''}.elf"
    command = [compiler, *board.flags, program.opt, *objects, *link_flags(board, program),
               f"-Wl,-Map={elf.with_suffix('.map').name}", *libraries, "-o", elf.name]
    try:
        return make(elf, command, [*objects, TARGETS / "image.ld"])
    except Failure as failure:
        raise overflow(board, failure) from None


def third_party():
    import libraries
    return libraries.sources()


def sizes(board, elf):
    """Bytes of a linked firmware."""
    sections = {}
    for line in run_tool([board.tool("size"), "-A", elf]).splitlines():
        words = line.split()
        if len(words) == 3 and words[0].startswith(".") and words[1].isdigit():
            sections[words[0]] = int(words[1])
    part = sections.get
    flash = sum(part(name, 0) for name in (".text", ".rodata", ".model", ".ARM.exidx", ".data"))
    ram = sum(part(name, 0) for name in (".stack", ".data", ".bss", ".arena"))
    return {"flash": flash, "ram": ram, "model": part(".model", 0), "stack_reserved": part(".stack", 0),
            **code_bytes(elf)}


def code_bytes(elf):
    """Flash by where it came from: the engine, what checks an image, what counts, the compiler's library, the rest."""
    text = elf.with_suffix(".map").read_text()
    text = text[text.index("Linker script and memory map"):]
    entry = re.compile(r"^ \.(?:text|rodata|srodata)\S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+(\S+)$", re.M)
    parts = {"runtime": 0, "checking": 0, "counting": 0, "library": 0, "harness": 0}
    for _, size, source in entry.findall(text):
        if source.endswith("/firmware/image_check.o"):
            part = "checking"
        elif source.endswith("/count.o"):
            part = "counting"
        elif "/runtime-c/" in source:
            part = "runtime"
        else:
            part = "library" if ".a(" in source or "/sources/" in source else "harness"
        parts[part] += int(size, 16)
    return parts


# ---- Running ----


def plugin():
    compiler = tool("gcc", "count plugin", "gcc")
    source = TARGETS / "count" / "count.c"
    product = BUILD / "count.so"
    command = [compiler, "-std=c11", "-O2", *WARNINGS, "-shared", "-fPIC", "-fvisibility=hidden", source, "-o",
               product.name]
    return make(product, command, [source])


def symbols(board, elf):
    """Functions by rising address, and where the regions' base lies."""
    functions, base = {}, None
    for line in run_tool([board.tool("nm"), "-n", elf]).splitlines():
        words = line.split()
        if len(words) != 3:
            continue
        address, kind, name = int(words[0], 16), words[1], words[2]
        if name == "snn_region_base":
            base = address
        if kind in "tTwW" and not name.startswith((".", "$")):
            functions.setdefault(address & ~1 if "arm" in board.compiler else address, name.split(".")[0])
    return sorted(functions.items()), base


def emulate(board, elf, requests, model=None, count=None, memory=True, timeout=120):
    """Runs a firmware on requests. Returns its exit code, its answers, what it printed; `count` names a JSON file."""
    if board.machine:
        tool(board.machine[0], board.name, board.packages)
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="run-") as folder:
        folder = Path(folder)
        (folder / "requests").write_bytes(requests)
        command = list(board.machine)
        if count is not None:
            if not board.machine:
                raise Failure(f"{board.name}: no emulator, so nothing counts instructions")
            functions, base = symbols(board, elf)
            (folder / "symbols").write_text("".join(f"{address:x} {name}\n" for address, name in functions))
            command += ["-plugin", f"{os.path.relpath(plugin(), folder)},symbols=symbols,base={base},regions=258,"
                        f"out=count,mem={'on' if memory else 'off'}"]
        if board.bare:
            command += ["-nographic", "-monitor", "none", "-serial", "none", "-semihosting-config",
                        "enable=on,target=native,arg=firmware,arg=requests,arg=answers", "-kernel", str(elf)]
        else:
            command += [str(elf), "requests", "answers", *([str(model)] if model else [])]
        try:
            done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"{board.name}: no end after {timeout} s") from None
        answers = folder / "answers"
        if count is not None and (folder / "count").exists():
            report = load_count(folder / "count")
            for region in report["regions"].values():
                for name, function in region["functions"].items():
                    function["part"] = part_of(name)
            Path(count).write_text(json.dumps(report))
        return done.returncode, answers.read_bytes() if answers.exists() else b"", done.stdout.decode(errors="replace")


def load_count(path):
    return json.loads(Path(path).read_text())


# What functions of the engine and its kernels work at, by the start of their names.
PARTS = {"synapses": ("snn_add_rows", "snn_mac_rows", "snn_gather", "snn_find_window", "flush", "find_rows", "add_"),
         "neurons": ("snn_lif", "snn_fire", "fire_", "step_")}


def part_of(function):
    """A key of PARTS; None: the function does what an engine does beside synapses and neurons."""
    return next((part for part, starts in PARTS.items() if function.startswith(starts)), None)


def kernel_functions(elf):
    """The functions of a bare board's firmware that come from files of kernels, of which each belongs to a part."""
    text = elf.with_suffix(".map").read_text()
    text = text[text.index("Linker script and memory map"):]
    entry = re.compile(r"^ \.text\.(\w+)\S*\s+0x[0-9a-f]+\s+0x0*[1-9a-f]\w*\s+\S*/firmware/(?:kernels_\w+|fire|gather)\.o$",
                       re.M)
    return entry.findall(text)
