# SPDX-License-Identifier: Apache-2.0
"""Two small networks for the tests: as device images, and computed here by models/FORMAT.md alone, traces too.

The image's layout is runtime-c/include/snn/image.h; the two halves of this file share nothing but the numbers.
"""

import random
import struct
import zlib
from collections import namedtuple

Port = namedtuple("Port", "shape kind")  # shape: channels, height, width
EVENTS, U8 = 0, 1
Layer = namedtuple("Layer", "shape threshold leak readout")  # leak: Q15, None for none
Projection = namedtuple("Projection", "port source target kernel padding pool delay shift weights",
                        defaults=(0, 1, 0, 0, None))


class Network:
    def __init__(self, name, ports, layers, projections, steps, block, seed=1):
        self.name, self.ports, self.layers, self.steps, self.block = name, ports, layers, steps, block
        generator = random.Random(seed)
        self.projections = []
        for projection in projections:
            rows = self.source_shape(projection)[0] * projection.kernel[0] * projection.kernel[1]
            columns = layers[projection.target].shape[0]
            weights = [[generator.choice((0, generator.randint(-90, 100))) for _ in range(columns)]
                       for _ in range(rows)]
            self.projections.append(projection._replace(weights=weights))

    def source_shape(self, projection):
        return (self.ports if projection.port else self.layers)[projection.source].shape

    def into(self, target):
        return [(i, p) for i, p in enumerate(self.projections) if p.target == target]


def streaming():
    """Events, a convolution, a pool, a delayed projection of a layer to itself."""
    return Network("streaming", [Port((2, 6, 6), EVENTS)],
                   [Layer((9, 6, 6), 300, 30000, False), Layer((18, 1, 1), 500, 20000, False),
                    Layer((5, 1, 1), 0, None, True)],
                   [Projection(True, 0, 0, (3, 3), 1), Projection(False, 0, 1, (2, 2), 0, 3),
                    Projection(False, 1, 1, (1, 1), 0, 1, 1), Projection(False, 1, 2, (1, 1))],
                   steps=6, block=1)


def held():
    """A picture held through four steps, layer by layer."""
    return Network("held", [Port((1, 8, 8), U8)],
                   [Layer((20, 1, 1), 700, None, False), Layer((4, 1, 1), 0, None, True)],
                   [Projection(True, 0, 0, (8, 8), shift=8), Projection(False, 0, 1, (1, 1))], steps=4, block=4, seed=2)


# ---- The image ----


class Arena:
    """Hands out offsets; none is 0."""

    def __init__(self):
        self.bytes = 4

    def take(self, size):
        offset = self.bytes
        self.bytes += (size + 3) & ~3
        return offset


def up(value, to):
    return (value + to - 1) // to * to


def count(shape):
    return shape[0] * shape[1] * shape[2]


def packed_row(weights, columns):
    """A byte a column, plus 128; the middle two of every four change places."""
    row = [128 + w for w in weights] + [128] * (columns - len(weights))
    return bytes(row[i & ~3 | (0, 2, 1, 3)[i & 3]] for i in range(columns))


class Packer:
    """Lays out one image: constants behind the structs, buffers in the arena."""

    def __init__(self, network):
        self.network, self.arena, self.constants = network, Arena(), bytearray()
        self.rings = [i for i, _ in enumerate(network.layers) if self.is_late(i)]
        self.first_constant = (76 + 16 * len(network.ports) + 64 * len(network.layers) + 60 * len(network.projections)
                               + 20 * len(self.rings))
        self.port_maps = [self.arena.take(up(count(port.shape), 32) // 8) for port in network.ports]
        self.maps = [self.spike_map(i, layer) for i, layer in enumerate(network.layers)]

    def constant(self, form, values):
        offset = self.first_constant + len(self.constants)
        data = struct.pack(f"<{len(values)}{form}", *values)
        self.constants.extend(data + bytes(-len(data) % 4))
        return offset

    def spike_map(self, i, layer):
        """Offset and bytes of the layer's map; the maps of a ring lie behind the number of the open slot."""
        map_bytes = 0 if layer.readout else up(count(layer.shape), 32) // 8
        if i in self.rings:
            return self.arena.take(4 + 2 * map_bytes) + 4, map_bytes
        return self.arena.take(self.network.block * map_bytes), map_bytes

    def is_late(self, i):
        """Whether a projection reads layer i a step later: the only delay here."""
        return any(p.delay and p.source == i and not p.port for p in self.network.projections)

    def ring(self, i):
        offset, map_bytes = self.maps[i]
        return struct.pack("<4H3I", i, 0, 2, 0, 0, offset, map_bytes)

    def takes_values(self, projection):
        return projection.port and self.network.ports[projection.source].kind != EVENTS

    def port(self, port, at):
        return struct.pack("<3H2B2hI", *port.shape, port.kind, 0, 0, 255 if port.kind else 1, at)

    def layer(self, i, layer):
        channels, height, width = layer.shape
        lanes, into, driven = up(channels, 4), self.network.into(i), 8
        if not any(self.takes_values(p) for _, p in into):
            driven = 0
        threshold = self.constant("h", [layer.threshold or 1] * lanes)
        decay = 0 if layer.leak is None else self.constant("I", [layer.leak * 65536 + 1] * lanes)
        offset, map_bytes = self.maps[i]
        fields = [i, channels, height, width, lanes, up(channels, 8)]
        fields += [driven, layer.readout, 0, 0, 0, 0]
        fields += [-32768, 32767, 0]  # floor, ceiling, reset_value
        membrane = 0 if layer.readout else self.arena.take(2 * lanes * height * width)
        fields += [threshold, decay, 0, 0, 0, membrane, 0, 0 if layer.readout else offset, map_bytes]
        return struct.pack("<6H6B3h9I2H", *fields, into[0][0], len(into))

    def projection(self, i, p):
        channels, height, width = self.network.source_shape(p)
        columns = up(self.network.layers[p.target].shape[0], 8)
        offset, map_bytes = (self.port_maps[p.source], 0) if p.port else self.maps[p.source]
        ring = 0 if p.port or p.source not in self.rings else self.rings.index(p.source) + 1
        weights = self.constant("B", b"".join(packed_row(row, columns) for row in p.weights))
        synapses = self.constant("H", [sum(w != 0 for w in row) for row in p.weights])
        places = 0
        if p.pool > 1:
            line = range(p.kernel[1] * p.pool)
            places = self.constant("H", [x // p.pool * channels + c for x in line for c in range(channels)])
        values = self.takes_values(p)
        fields = [i, p.source, p.port, U8 if values else 0, 0, values, p.pool, p.shift, 1, 1, p.padding, p.padding]
        fields += [channels, height, width, height // p.pool, width // p.pool, *p.kernel, p.delay, ring]
        fields += [offset, map_bytes, columns, weights, 0, places, synapses]
        return struct.pack("<2H10B9H7I", *fields)

    def shared(self):
        """Sums, current, membrane, spikes, scores."""
        block, widest = self.network.block, max(layer.shape[0] for layer in self.network.layers)
        amounts = (2 * block * up(widest, 8), 4 * up(widest, 8), 2 * up(widest, 4), up(widest, 32) // 8,
                   4 * up(self.network.layers[-1].shape[0], 4))
        return [self.arena.take(amount) for amount in amounts]


def image(network):
    """The bytes of a device image."""
    packer = Packer(network)
    parts = [b"".join(packer.port(*pair) for pair in zip(network.ports, packer.port_maps)),
             b"".join(packer.layer(*pair) for pair in enumerate(network.layers)),
             b"".join(packer.projection(*pair) for pair in enumerate(network.projections)),
             b"".join(packer.ring(i) for i in packer.rings)]
    offsets = [76, 76 + len(parts[0]), 76 + len(parts[0]) + len(parts[1])]
    counts = [len(network.ports), len(network.layers), len(network.projections)]
    shared = packer.shared()
    rest = struct.pack("<4I2H4H8I", packer.arena.bytes, network.steps, network.steps, 0, network.block, 0, *counts, len(packer.rings),
                       *offsets, *shared) + b"".join(parts) + packer.constants
    return struct.pack("<I2H2I", 0x494E4E53, 1, 3, 16 + len(rest), zlib.crc32(rest)) + rest


# ---- The computation ----


def presented(network, projection, source):
    """The pooled cells of a source given by linear index: (channel, y, x) to sum."""
    channels, height, width = network.source_shape(projection)
    pool, cells = projection.pool, {}
    for index, value in source.items():
        c, x, y = index % channels, index // channels % width, index // channels // width
        if y < height // pool * pool and x < width // pool * pool:
            cell = (c, y // pool, x // pool)
            cells[cell] = cells.get(cell, 0) + value
    return cells


def scatter(network, projection, cells):
    """Sums by linear index of the target, and how many synapses the spikes (or values) met."""
    channels = network.source_shape(projection)[0]
    columns, height, width = network.layers[projection.target].shape
    sums, spikes_met, values_met = [0] * (columns * height * width), 0, 0
    for (c, y, x), value in cells.items():
        for ky in range(projection.kernel[0]):
            for kx in range(projection.kernel[1]):
                ty, tx = y + projection.padding - ky, x + projection.padding - kx
                if not (0 <= ty < height and 0 <= tx < width):
                    continue
                for column, weight in enumerate(projection.weights[(ky * projection.kernel[1] + kx) * channels + c]):
                    sums[(ty * width + tx) * columns + column] += weight * value
                    spikes_met += value * (weight != 0)
                    values_met += weight != 0 and value != 0
    return sums, spikes_met, values_met


def mixed(key, membrane, spike):
    """What a neuron adds to the state digest of models/FORMAT.md, section 8."""
    mask = 0xFFFFFFFF
    x = (key * 0x9E3779B1 & mask) ^ ((membrane * 0x85EBCA6B + spike) & mask)
    x ^= x >> 15
    x = x * 0x2C1B3C6D & mask
    return x ^ x >> 12


def compute(network, sample):
    """Scores, and counters by layer and projection as in wire.Result. `sample`: events by step, or values."""
    layers = network.layers
    membranes = [[0] * count(layer.shape) for layer in layers]
    spikes = [{} for _ in layers]
    layer_counts = [[0, 0, 0] for _ in layers]
    projection_counts = [[0, 0, 0] for _ in network.projections]
    for step in range(network.steps):
        before, spikes = spikes, [{} for _ in layers]
        for target, layer in enumerate(layers):
            total = [0] * count(layer.shape)
            for i, p in network.into(target):
                values = p.port and network.ports[p.source].kind != EVENTS
                source = dict(enumerate(sample)) if values else dict.fromkeys(sample[step], 1) if p.port else (
                    before if p.delay else spikes)[p.source]
                cells = presented(network, p, source)
                sums, spikes_met, values_met = scatter(network, p, cells)
                if p.shift:  # values alone are scaled down
                    sums = [(a + (1 << (p.shift - 1))) >> p.shift for a in sums]
                total = [a + b for a, b in zip(total, sums)]
                counters = projection_counts[i]
                counters[0] += 0 if values else sum(cells.values())
                counters[1] += 0 if values else spikes_met
                counters[2] += values_met if values and step == 0 else 0
            for n, add in enumerate(total):
                v = membranes[target][n]
                if layer.leak is not None:
                    v = abs(v) * layer.leak // 32768 * (-1 if v < 0 else 1)
                v += add
                fires = not layer.readout and v >= layer.threshold
                if fires:
                    v -= layer.threshold
                    spikes[target][n] = 1
                membranes[target][n] = v
                layer_counts[target][0] += fires
                key = step * len(total) + n + 1
                layer_counts[target][2] = (layer_counts[target][2] + mixed(key, v, int(fires))) & 0xFFFFFFFF
    return (tuple(membranes[-1]), {i: tuple(counters) for i, counters in enumerate(layer_counts)},
            {i: tuple(counters) for i, counters in enumerate(projection_counts)})


def samples(network, number, seed=7):
    generator = random.Random(seed)
    size = count(network.ports[0].shape)
    for _ in range(number):
        if network.ports[0].kind == EVENTS:
            yield [generator.sample(range(size), generator.randrange(20)) for _ in range(network.steps)]
        else:
            yield [generator.choice((0, generator.randrange(256))) for _ in range(size)]


def trace(network, number=2, wrong=0):
    """The text of a golden trace, less hashes; `wrong` is added to a score of the last sample."""
    lines = [("snntrace", 1, network.name)]
    for sample in samples(network, number):
        scores, layers, projections = compute(network, sample)
        lines.append(("sample", -1, network.steps))
        if network.ports[0].kind == EVENTS:
            lines += [("events", 0, step, *indices) for step, indices in enumerate(sample)]
        else:
            lines.append(("values", 0, *sample))
        lines += [("population", i, 0, spikes, 0, clamped) for i, (spikes, clamped, _) in layers.items()]
        lines += [("projection", i, *counters) for i, counters in projections.items()]
        lines += [("scores", *scores), ("end",)]
    lines[-2] = ("scores", scores[0] + wrong, *scores[1:])
    return "".join(" ".join(map(str, line)) + "\n" for line in lines)
