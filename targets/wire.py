# SPDX-License-Identifier: Apache-2.0
"""Writes requests for targets/harness.c and reads its answers; targets/README.md describes the bytes under "Wire".

    python3 targets/wire.py MODEL.snnimg        the compiler's flags for model.S
"""

import re
import struct
import sys
import zlib
from collections import namedtuple
from pathlib import Path

COUNTING, MARKING, ANSWERING = 1, 2, 4

Greeting = namedtuple("Greeting", "version model_crc model_bytes state_bytes steps max_steps block ports layers "
                                  "projections unit")
Result = namedtuple("Result", "winner scores layers projections ticks stack_bytes")
Layer = namedtuple("Layer", "spikes_out saturations digest")
Projection = namedtuple("Projection", "spikes_in synops macs")
Done = namedtuple("Done", "request")
End = namedtuple("End", "code stack_bytes")
STATUSES = Path(__file__).resolve().parent.parent / "runtime-c" / "include" / "snn" / "status.h"


class Refusal(namedtuple("Refusal", "request status")):
    """A request that was refused. `H` is refused only with the model, and nothing is served after it."""

    def __str__(self):
        named = re.search(rf"(SNN_ERROR_\w+) = {self.status}\b", STATUSES.read_text())
        what = "model" if self.request == "H" else f"request {self.request!r}"
        return f"the device refuses the {what}: {named.group(1) if named else 'status'} ({self.status})"


class NoRequests(ValueError):
    """A file of requests, or a golden trace, that is none; the message has the place, what was expected and found."""


# ---- Frames ----


def frames(data):
    """Every frame, as its bytes. ValueError where they are none."""
    at = 0
    while at < len(data):
        if data[at:at + 1] != b"S":
            raise ValueError(f"byte {at}: expected b'S', which begins a frame, found {data[at:at + 1]}")
        left = len(data) - at
        size = 12 + (struct.unpack_from("<I", data, at + 4)[0] if left >= 8 else 0)
        if left < size:
            raise ValueError(f"byte {at}: expected a frame of {size} bytes, found {left}")
        frame, (crc,) = data[at:at + size], struct.unpack_from("<I", data, at + size - 4)
        if zlib.crc32(frame[:-4]) != crc:
            raise ValueError(f"byte {at}: expected a frame of CRC {crc:08x}, found {zlib.crc32(frame[:-4]):08x}")
        yield frame
        at += size


# ---- Requests ----


def read_requests(path):
    data = Path(path).read_bytes()
    if not data:
        raise NoRequests(f"{path}: expected requests, found an empty file")
    try:
        list(frames(data))
    except ValueError as reason:
        raise NoRequests(f"{path}: {reason}") from None
    return data


def frame(kind, argument=0, payload=b""):
    body = b"S" + kind.encode() + struct.pack("<HI", argument, len(payload)) + payload
    return body + struct.pack("<I", zlib.crc32(body))


def hello():
    return frame("H")


def begin(flags=COUNTING, seed=0):
    return frame("B", flags, struct.pack("<I", seed) if seed else b"")


def values_u8(port, values):
    return frame("V", port, bytes(values))


def values_s16(port, values):
    return frame("V", port, struct.pack(f"<{len(values)}h", *values))


def events(port, indices):
    return frame("E", port, struct.pack(f"<{len(indices)}I", *indices))


def run(steps):
    return frame("R", steps)


def answer():
    return frame("A")


def quit():
    return frame("Q")


# ---- Answers ----


def read_answers(data):
    """Every answer, in order. ValueError where the bytes are none."""
    try:
        return [decode(chr(frame[1]), struct.unpack_from("<H", frame, 2)[0], frame[8:-4]) for frame in frames(data)]
    except ValueError as reason:
        raise ValueError(f"answers: {reason}") from None


def stack_bytes(answers):
    """The most that any of them says."""
    return max((answer.stack_bytes for answer in answers if hasattr(answer, "stack_bytes")), default=0)


def decode(kind, argument, payload):
    if kind == "h":
        return Greeting(argument, *struct.unpack("<10I", payload))
    if kind == "x":
        return Refusal(chr(argument), *struct.unpack("<i", payload))
    if kind == "d":
        return Done(chr(argument))
    if kind == "q":
        return End(*struct.unpack("<2I", payload))
    if kind != "a":
        raise ValueError(f"answer of an unknown kind {kind!r}")
    winner, score_count, layer_count, projection_count, ticks, stack = struct.unpack_from("<6I", payload)
    at = 24 + 4 * score_count
    scores = struct.unpack_from(f"<{score_count}i", payload, 24)
    layers, projections = {}, {}
    for _ in range(layer_count):
        population, *counters = struct.unpack_from("<IQQI", payload, at)
        layers[population] = Layer(*counters)
        at += 24
    for _ in range(projection_count):
        projection, *counters = struct.unpack_from("<IQQQ", payload, at)
        # A projection of the model with several taps is several of the image.
        before = projections.get(projection, Projection(0, 0, 0))
        projections[projection] = Projection(*(a + b for a, b in zip(before, counters)))
        at += 28
    return Result(winner, scores, layers, projections, ticks, stack)


# ---- Images ----


class Image:
    """What a firmware's builder must know of a device image; runtime-c/include/snn/image.h has the layout."""

    HEADER = struct.Struct("<I2H3I3I6H8I")
    PORT = struct.Struct("<3H2B2hI")
    LAYER = struct.Struct("<6H6B3h9I2H")
    PROJECTION = struct.Struct("<2H10B9H7I")
    EVENTS, U8, S16, EVERY = range(4)
    CHECKED = 16  # the first byte behind the CRC

    def __init__(self, data):
        if len(data) < self.HEADER.size or data[:4] != b"SNNI":
            raise ValueError(f"not a device image: expected b'SNNI' and a header, found {data[:4]}")
        fields = self.HEADER.unpack_from(data)
        if fields[1:3] != (1, 3):
            raise ValueError(f"device image: expected version 1.3, found {fields[1]}.{fields[2]}")
        self.bytes, self.crc, self.arena_bytes, self.steps, self.max_steps = fields[3:8]
        if self.bytes != len(data):
            raise ValueError(f"device image: expected {self.bytes} bytes, found {len(data)}")
        found = zlib.crc32(data[self.CHECKED:])
        if found != self.crc:
            raise ValueError(f"device image: expected CRC {self.crc:08x}, found {found:08x}: its bytes are damaged")
        self.block = fields[9]
        port_count, layer_count, self.projection_count = fields[11:14]
        ports, layers, projections = fields[15:18]
        self.ports = self.table(data, "ports", self.PORT, ports, port_count)
        self.layers = self.table(data, "layers", self.LAYER, layers, layer_count)
        # A projection of the model with several taps is several of the image.
        self.projections = {entry[0] for entry in self.table(data, "projections", self.PROJECTION, projections,
                                                             self.projection_count)}
        if not self.layers or any(port[3] not in range(4) for port in self.ports):
            raise ValueError("device image: expected a layer at least and ports of the kinds 0 to 3, found others")

    @staticmethod
    def table(data, name, layout, offset, count):
        """The entries of a table of the image."""
        end = offset + count * layout.size
        if end > len(data):
            raise ValueError(f"device image: {name}: expected {count} within {len(data)} bytes, found that they end at {end}")
        return [layout.unpack_from(data, offset + i * layout.size) for i in range(count)]

    def frame_size(self, port):
        """Bytes of a port's frame; 0 for events."""
        channels, height, width, kind = port[:4]
        return channels * height * width * {self.EVENTS: 0, self.U8: 1, self.S16: 2, self.EVERY: 0}[kind]

    def value_count(self, port, *kinds):
        """Values or addresses of a port; 0 where there is no such port, or of another kind."""
        if port >= len(self.ports) or self.ports[port][3] not in kinds:
            return 0
        channels, height, width = self.ports[port][:3]
        return channels * height * width

    @property
    def score_count(self):
        channels, height, width = self.layers[-1][1:4]
        return channels * height * width

    @property
    def frame_bytes(self):
        """Of all frames, each from a multiple of 4 on."""
        return sum((self.frame_size(port) + 3) & ~3 for port in self.ports)

    @property
    def counter_bytes(self):
        """Of snn/count.h's structs: 24 bytes a layer, 24 a projection."""
        return 24 * len(self.layers) + 24 * self.projection_count


def read_image(path):
    try:
        return Image(Path(path).read_bytes())
    except ValueError as reason:
        raise ValueError(f"{path}: {reason}") from None


def model_name(path):
    """That of a .snnpb file, whose first fields are version and name; None where they are others."""
    data = Path(path).read_bytes()
    fields = re.match(rb"(?:[\x08\x10][\x00-\x7f])*\x1a([\x01-\x40])", data)
    return fields and data[fields.end():fields.end() + fields[1][0]].decode(errors="replace")


def flags(path):
    """What `model.S` asks of the compiler."""
    image = read_image(path)
    return [f'-DMODEL="{path}"', f"-DARENA_BYTES={image.arena_bytes}", f"-DFRAME_BYTES={image.frame_bytes}",
            f"-DCOUNTER_BYTES={image.counter_bytes}"]


if __name__ == "__main__":
    print(*flags(Path(sys.argv[1]).resolve()))
