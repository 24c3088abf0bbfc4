# SPDX-License-Identifier: Apache-2.0
"""Tests of targets/serial: against the firmware of this machine, and that of the Nucleo on an emulated STM32F405."""

import json
import os
import pty
import re
import select
import subprocess
import threading
import tty

import emulate
import tiny

README = emulate.TARGETS / "README.md"
TIMEOUT = "2"


def ask(line, model, golden):
    """Exit code, report and errors of targets/serial; the line is called LINE."""
    command = [emulate.TARGETS / "serial", line, model, "--trace", golden, "--timeout", TIMEOUT]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr.replace(line, "LINE").splitlines()


# ---- This machine ----


def test(board, check, folder):
    built, golden, wrong = {}, folder / "golden", folder / "wrong"
    for network in (tiny.streaming(), tiny.held()):
        model = folder / f"{network.name}.snnimg"
        model.write_bytes(tiny.image(network))
        elf = emulate.build(board, emulate.harness(model))
        built[network.name] = elf, model
        golden.write_text(tiny.trace(network))
        code, report, errors = ask_firmware(elf, model, golden)
        check.equal(f"serial line, {network.name}: exit code and errors", (code, errors), (0, []))
        check.equal(f"serial line, {network.name}: report", (report.get("samples"), report.get("wrong")), (2, 0))
    scores = tiny.compute(network, list(tiny.samples(network, 2))[1])[0]
    wrong.write_text(tiny.trace(network, wrong=1))
    check.equal("serial line, wrong answer", ask_firmware(elf, model, wrong)[::2],
                (1, [f"LINE: trace of held: sample 1: scores {scores}, expected {(scores[0] + 1, *scores[1:])}"]))
    place = "targets/serial: LINE: answer to request 'H', 1 of 10:"
    check.equal("serial line, no answer", ask_firmware(elf, model, golden, lambda piece: b"")[::2],
                (1, [f"{place} none within {TIMEOUT} s"]))
    code, _, errors = ask_firmware(elf, model, golden, lambda piece: piece[:-1] + bytes([piece[-1] ^ 1]))
    check.equal("serial line, damaged answer: exit code", code, 1)
    check.true(f"serial line, damaged answer: {errors}", errors[0].startswith(f"{place} answers: byte 0: expected"))
    code, _, errors = ask_firmware(built["streaming"][0], model, golden)
    check.equal("serial line, another model: exit code", code, 1)
    check.true(f"serial line, another model: {errors}", errors[0].startswith("targets/serial: LINE: expected a model"))


def ask_firmware(elf, model, golden, change=lambda piece: piece):
    """Of a firmware on this machine, its answers changed on the way."""
    line, other_end = pty.openpty()
    tty.setraw(other_end)
    firmware = threading.Thread(target=serve, args=(elf, line, change))
    firmware.start()
    result = ask(os.ttyname(other_end), model, golden)
    os.close(other_end)
    firmware.join()
    os.close(line)
    return result


def serve(elf, line, change):
    """Joins a line to the pipes of a firmware until one of them ends."""
    command = [elf, "/dev/stdin", "/dev/stdout"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as firmware:
        requests, answers = firmware.stdin.fileno(), firmware.stdout.fileno()
        while True:
            for end in select.select([line, answers], [], [])[0]:
                try:
                    piece = os.read(end, 4096)
                except OSError:  # nobody holds the line's other end
                    piece = b""
                if not piece:
                    firmware.kill()
                    return
                os.write(requests if end == line else line, piece if end == line else change(piece))


# ---- Nucleo ----


def test_nucleo(board, check, folder):
    """The command of README.md, and what it builds, on the serial port of a relative of the Nucleo's processor."""
    network = tiny.held()
    (folder / "model.snnimg").write_bytes(tiny.image(network))
    (folder / "golden").write_text(tiny.trace(network))
    build = re.search(r"^    arm-none-eabi-gcc(?:.*\\\n)*.*", README.read_text(), re.M).group()
    build = build.replace("model.snnimg", f"{folder}/model.snnimg").replace("nucleo.elf", f"{folder}/nucleo.elf")
    emulate.run_tool(["bash", "-ec", build], cwd=emulate.ROOT)
    command = [*board.machine, "-nographic", "-monitor", "none", "-serial", "null", "-chardev", "pty,id=line",
               "-serial", "chardev:line", "-kernel", folder / "nucleo.elf"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as machine:
        try:
            said = machine.stdout.readline()
            code, report, errors = ask(said.split()[4], folder / "model.snnimg", folder / "golden")
        finally:
            machine.kill()
    check.equal("Nucleo: exit code and errors", (code, errors), (0, []))
    check.equal("Nucleo: samples, wrong", (report.get("samples"), report.get("wrong")), (2, 0))
