# SPDX-License-Identifier: Apache-2.0
"""Tests of what targets/run says of files and names that are not what they should be: one line, with the place."""

import subprocess
import threading
import time

import emulate
import tiny
import wire

NO_REQUESTS = 64


def said(*arguments):
    """Exit code and errors of targets/run."""
    done = subprocess.run([emulate.TARGETS / "run", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True)
    return done.returncode, done.stderr.removesuffix("\n")


def check_said(check, what, arguments, code, reason):
    """The reason begins the one line of errors."""
    found, errors = said(*arguments)
    expected = f"targets/run: {reason}"
    check.equal(f"{what}: exit code", found, code)
    check.equal(what, (errors[:len(expected)], errors.count("\n")), (expected, 0))


def test(board, check, folder):
    model = folder / "model.snnimg"
    model.write_bytes(tiny.image(tiny.held()))
    test_requests(board, check, folder, model)
    test_traces(board, check, folder, model)
    test_models(board, check, folder, model)
    test_kernels(check, model)
    test_making(check, folder)


def test_requests(board, check, folder, model):
    path, whole = folder / "requests", wire.hello() + wire.quit()
    for what, data, reason in (
            ("empty", b"", "expected requests, found an empty file"),
            ("junk", b"junk", "byte 0: expected b'S', which begins a frame, found b'j'"),
            ("cut off", whole[:-1], "byte 12: expected a frame of 12 bytes, found 11"),
            ("damaged", whole[:-1] + b"?", "byte 12: expected a frame of CRC 3f")):
        path.write_bytes(data)
        asked = board.name, model, path, folder / "answers"
        check_said(check, f"requests, {what}", asked, NO_REQUESTS, f"{path}: {reason}")
    path.unlink()
    check_said(check, "requests, missing", asked, 1, f"{path}: No such file or directory")


def test_traces(board, check, folder, model):
    golden, path = folder / "golden", folder / "trace"
    golden.write_text(tiny.trace(tiny.held()))
    lines = golden.read_text().splitlines(keepends=True)
    for what, data, reason in (
            ("empty", b"", ":1: expected 'snntrace 1 ' and a model's name, found the end of the file"),
            ("of another kind", b"\x08\x01\xff\xfe", ":1: expected 'snntrace 1 ' and a model's name, found "),
            ("without samples", lines[0].encode(), ":2: expected a sample, found the end of the file"),
            ("cut off", "".join(lines[:5]).encode(), ":6: expected more of a sample, found the end of the file"),
            ("damaged", "".join(lines[:3] + ["population 0\n"]).encode(),
             ":4: expected a line of a sample, found 'population 0'"),
            ("of another model", tiny.trace(tiny.streaming()).encode(),
             ": sample 0 of streaming: addresses at port 0: expected 0 by the image, found")):
        path.write_bytes(data)
        check_said(check, f"trace, {what}", (board.name, model, "--trace", path), NO_REQUESTS, f"{path}{reason}")
    file = emulate.ROOT / "models" / "mnist-mlp" / "model.snnpb"
    check_said(check, "trace, of another file's model", (board.name, file, "--trace", golden), NO_REQUESTS,
               f"{golden}:1: expected the trace of mnist-mlp, the model of {file}, found that of held")


def test_models(board, check, folder, model):
    data, path = model.read_bytes(), folder / "broken.snnimg"
    for what, broken, reason in (
            ("of another kind", b"junk", "not a device image: expected b'SNNI' and a header, found b'junk'"),
            ("cut off", data[:-4], f"device image: expected {len(data)} bytes, found {len(data) - 4}")):
        path.write_bytes(broken)
        check_said(check, f"image, {what}", (board.name, path, "--size"), 1, f"{path}: {reason}")


def test_kernels(check, model):
    check_said(check, "kernels that the processor has not", ("cortex-m0", model, "--size", "--kernels", "ARM_DSP"), 1,
               "cortex-m0: kernels ARM_DSP: expected one of PORTABLE, ARMV6M")


def test_making(check, folder):
    """What is built anew stays readable until it is done."""
    product = folder / "product"
    product.write_text("old")
    making = threading.Thread(target=emulate.make, args=(product, ["sh", "-c", "sleep 0.2; echo new > product"], []))
    making.start()
    found = set()
    while making.is_alive():
        found.add(product.read_text())
        time.sleep(0.01)
    making.join()
    check.equal("product while it is built", found - {"new\n"}, {"old"})
    check.equal("product when it is built", product.read_text(), "new\n")
