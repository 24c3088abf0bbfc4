"""Writes graph_<name>.json: five small networks of any wiring, trained for five steps by PyTorch's
automatic differentiation.

    recurrent   delay-1 projections back to an earlier population, to itself, lateral; leaking read-out
    delays      a projection with two taps, a read-out that hears late spikes
    residual    two ports, dilated and flat convolutions, one-to-one sums, initial membranes, a pool
    depthwise   grouped and strided convolutions in one dimension on frames, one a step
    batchnorm   a normalised sum of two projections

The spike, its slope and the loss are make_oracle.py's. Spikes, currents and membranes are rows [B, N],
index (y W + x) C + c; parameters by channel repeat along such a row.

Everything is computed in float64 from inputs and parameters that float32 holds exactly, and written with
nine digits. Seeds are tried until no membrane of any pass lies within MARGIN of its threshold, so that
float32 yields the same spikes, no gradient is so small that its rounding would turn Adam's step, every
population fires at a rate in RATES, LIVELY of each gradient is not zero and every step lowers the loss.

    python make_graph_oracles.py [name ...]        # needs torch; a few seconds
"""
import contextlib
import itertools
import json
import pathlib
import sys
from math import prod
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from make_oracle import LEARNING_RATE, LEAST_GRADIENT, MARGIN, STEP_WEIGHT, UPDATES, Spike, numbers

ORIGIN = "Tests/SpikingTests/Oracle/make_graph_oracles.py"
STEPS, BATCH, CLASSES, EPSILON, RATES, LIVELY = 6, 5, 4, 1e-5, (0.05, 0.6), 0.75
# Where parameters start: five steps of 1e-2 reach no constraint of theirs.
RANGES = {"threshold": (0.4, 0.9), "leak": (0.6, 0.9), "bias": (-0.1, 0.2), "initial": (0.06, 0.2),
          "scale": (0.5, 1.2)}


class Port(NamedTuple):
    """kind: `events`, 0 or 1 in every step; `held`, bytes for all steps; `frames`, integers a step."""
    name: str
    shape: tuple  # channels, height, width
    kind: str = "events"


class Population(NamedTuple):
    """roles: parameters by channel, but the read-out's leak is one value."""
    name: str
    shape: tuple
    roles: tuple = ("threshold", "leak")


class Convolution(NamedTuple):
    kernel: tuple  # height, width; the rest in the order of functional.conv2d
    stride: tuple = (1, 1)
    padding: tuple = (0, 0)
    dilation: tuple = (1, 1)
    groups: int = 1


class Projection(NamedTuple):
    """topology: `dense`, `lateral`, a Convolution, or the number of weights of a one-to-one one."""
    name: str
    source: str
    target: str
    topology: object = "dense"
    delays: tuple = (0,)
    pool: int = 1


# Populations end with the read-out; delay-0 projections come from earlier ones.
Graph = NamedTuple("Graph", [("ports", list), ("populations", list), ("projections", list)])
READOUT, IMAGE, MAPS = Population("readout", (CLASSES, 1, 1), ()), (2, 6, 6), (4, 6, 6)
GRAPHS = {
    "recurrent": Graph(
        [Port("in", (8, 1, 1))],
        [Population("a", (10, 1, 1), ("threshold", "leak", "bias")), Population("b", (7, 1, 1)),
         Population("readout", (CLASSES, 1, 1), ("leak",))],
        [Projection("in_a", "in", "a"), Projection("a_b", "a", "b"),
         Projection("b_a", "b", "a", delays=(1,)), Projection("a_a", "a", "a", delays=(1,)),
         Projection("b_lateral", "b", "b", "lateral", delays=(1,)), Projection("b_out", "b", "readout")]),
    "delays": Graph(
        [Port("in", (9, 1, 1))],
        [Population("a", (8, 1, 1)), Population("b", (6, 1, 1)), READOUT],
        [Projection("in_a", "in", "a"), Projection("a_b", "a", "b", delays=(1, 3)),
         Projection("a_out", "a", "readout", delays=(3,)), Projection("b_out", "b", "readout")]),
    "residual": Graph(
        [Port("values", IMAGE, "held"), Port("events", IMAGE)],
        [Population("a", MAPS), Population("b", MAPS),
         Population("c", MAPS, ("threshold", "leak", "initial")), READOUT],
        [Projection("values_a", "values", "a", Convolution((3, 3), padding=(1, 1))),
         Projection("events_a", "events", "a", Convolution((1, 3), padding=(0, 1))),
         Projection("a_b", "a", "b", Convolution((3, 3), padding=(2, 2), dilation=(2, 2))),
         Projection("b_c", "b", "c", 4), Projection("a_c", "a", "c", 1),
         Projection("c_out", "c", "readout", pool=2)]),
    "depthwise": Graph(
        [Port("in", (3, 1, 12), "frames")],
        [Population("a", (6, 1, 12)), Population("b", (6, 1, 6)), READOUT],
        [Projection("in_a", "in", "a", Convolution((1, 5), padding=(0, 2), groups=3)),
         Projection("a_b", "a", "b", Convolution((1, 3), stride=(1, 2), padding=(0, 1), groups=6)),
         Projection("b_out", "b", "readout")]),
    "batchnorm": Graph(
        [Port("in", (10, 1, 1)), Port("in2", (4, 1, 1))],
        [Population("a", (8, 1, 1), ("threshold", "leak", "bias", "scale")), Population("b", (6, 1, 1)),
         READOUT],
        [Projection("in_a", "in", "a"), Projection("in2_a", "in2", "a"), Projection("a_b", "a", "b"),
         Projection("b_out", "b", "readout")]),
}


class Refused(Exception):
    """This seed's network lies too close to an edge."""


def draw_input(port, generator):
    """The port's integers, [T, B, N] or held [B, N], and the values they stand for, [T, B, N]."""
    many = (STEPS, BATCH, prod(port.shape))
    if port.kind == "events":
        integers = (torch.rand(many, generator=generator) < 0.3).long()
        return integers, integers.double()
    if port.kind == "held":
        integers, scale = torch.randint(0, 256, many[1:], generator=generator), 1 / 255
    else:
        integers, scale = torch.randint(-60, 61, many, generator=generator), 1 / 64
    scale = torch.tensor(scale, dtype=torch.float32)
    return integers, (integers.float() * scale).double().expand(many)  # as float32 rounds the products


def draw_parameters(graph, generator):
    shapes = {node.name: node.shape for node in graph.ports + graph.populations}

    def uniform(low, high, count):
        values = torch.rand(count, generator=generator, dtype=torch.float64) * (high - low) + low
        return values.float().double().requires_grad_()

    def weight(projection):
        source, target, topology = shapes[projection.source], shapes[projection.target], projection.topology
        if topology == "lateral":
            return uniform(-0.3, -0.1, 1)
        if isinstance(topology, int):
            return uniform(0.4, 0.8, topology)
        if isinstance(topology, Convolution):
            shape = (source[0], *topology.kernel, target[0] // topology.groups)
            fan_in = source[0] // topology.groups * topology.kernel[0] * topology.kernel[1]
        else:
            shape = (prod(source) // projection.pool**2, prod(target))
            fan_in = shape[0] * len(projection.delays)
        taps = (len(projection.delays),) if len(projection.delays) > 1 else ()
        values = torch.randn(taps + shape, generator=generator, dtype=torch.float64)
        return (values * (2 / fan_in) ** 0.5).float().double().requires_grad_()

    parameters = {f"{p.name}.weight": weight(p) for p in graph.projections}
    for population in graph.populations:
        count = 1 if population.name == "readout" else population.shape[0]
        parameters |= {f"{population.name}.{r}": uniform(*RANGES[r], count) for r in population.roles}
    return parameters


class Network:
    def __init__(self, graph, inputs, parameters):
        self.graph, self.inputs, self.parameters = graph, inputs, parameters
        self.shapes = {node.name: node.shape for node in graph.ports + graph.populations}

    def row(self, population, role):
        """A parameter repeated along the population's row, channels last."""
        values = self.parameters[f"{population.name}.{role}"]
        return values.repeat(prod(population.shape) // len(values))

    def images(self, rows, name):
        channels, height, width = self.shapes[name]
        return rows.reshape(-1, height, width, channels).permute(0, 3, 1, 2)

    def through(self, projection, weight, rows):
        """The current [B, N] that one tap delivers for its source's spikes or values [B, N]."""
        topology = projection.topology
        if projection.pool > 1:
            cells = functional.avg_pool2d(self.images(rows, projection.source), projection.pool)
            rows = (projection.pool**2 * cells).permute(0, 2, 3, 1).flatten(1)
        if topology == "dense":
            return rows @ weight
        if isinstance(topology, int):
            return rows * weight.repeat(rows.shape[1] // len(weight))
        if topology == "lateral":
            return weight * (rows.sum(1, keepdim=True) - rows)
        channels, height, width, outputs = weight.shape
        kernel = weight.reshape(topology.groups, -1, height, width, outputs).permute(0, 4, 1, 2, 3)
        maps = functional.conv2d(
            self.images(rows, projection.source), kernel.flatten(0, 1), None, *topology[1:])
        return maps.permute(0, 2, 3, 1).flatten(1)

    def current(self, population, step, history):
        """What arrives at a population in a step; nothing does from before step 0."""
        total = torch.zeros(BATCH, prod(population.shape), dtype=torch.float64)
        for projection in self.graph.projections:
            weight = self.parameters[f"{projection.name}.weight"]
            taps = weight if len(projection.delays) > 1 else [weight]
            for delay, tap in zip(projection.delays, taps):
                if projection.target == population.name and step >= delay:
                    total = total + self.through(projection, tap, history[projection.source][step - delay])
        return total

    def normalised(self, population):
        """The currents of all steps of a flat population that only ports feed."""
        currents = torch.stack([self.current(population, t, self.inputs) for t in range(STEPS)])
        self.mean, self.variance = currents.mean((0, 1)), currents.var((0, 1), correction=0)
        return self.row(population, "scale") * (currents - self.mean) / torch.sqrt(self.variance + EPSILON)

    def fire(self, population, membrane, current):
        """One step of LIF neurons: their spikes and their membranes after reset."""
        threshold = self.row(population, "threshold")
        potential = self.row(population, "leak") * membrane + current
        if "bias" in population.roles:
            potential = potential + self.row(population, "bias")
        if (potential - threshold).abs().min().item() < MARGIN:
            raise Refused
        spike = Spike.apply(potential / threshold - 1)
        return spike, potential - threshold * spike.detach()

    def run(self):
        """The read-out's currents and its membranes after every step, [T, B, K]."""
        *hidden, readout = self.graph.populations
        leak = self.row(readout, "leak") if "leak" in readout.roles else 1
        history = self.inputs | {p.name: [] for p in hidden}
        normalised = {p.name: self.normalised(p) for p in hidden if "scale" in p.roles}
        membrane = {
            p.name: (self.row(p, "initial") if "initial" in p.roles else torch.zeros(prod(p.shape)))
            .double().expand(BATCH, -1) for p in hidden}
        currents, membranes = [], [torch.zeros(BATCH, CLASSES, dtype=torch.float64)]
        for step in range(STEPS):
            for p in hidden:
                whole = normalised.get(p.name)
                arriving = self.current(p, step, history) if whole is None else whole[step]
                spike, membrane[p.name] = self.fire(p, membrane[p.name], arriving)
                history[p.name].append(spike)
            currents.append(self.current(readout, step, history))
            membranes.append(leak * membranes[-1] + currents[-1])
        self.rates = torch.stack([torch.stack(history[p.name]).mean() for p in hidden])
        return torch.stack(currents), torch.stack(membranes[1:])


def loss(currents, membranes, labels):
    steps = torch.stack([functional.cross_entropy(c, labels) for c in currents]).mean()
    return (1 - STEP_WEIGHT) * functional.cross_entropy(membranes[-1], labels) + STEP_WEIGHT * steps


def attempt(graph, seed):
    generator = torch.Generator().manual_seed(seed)
    inputs = {port.name: draw_input(port, generator) for port in graph.ports}
    labels = torch.randint(0, CLASSES, (BATCH,), generator=generator)
    parameters = draw_parameters(graph, generator)
    network = Network(graph, {name: values for name, (_, values) in inputs.items()}, parameters)
    optimizer = torch.optim.Adam(parameters.values(), lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    result = {
        "origin": f"{ORIGIN}, torch {torch.__version__}, float64, seed {seed}",
        "steps": STEPS, "stepWeight": STEP_WEIGHT, "batch": BATCH,
        "inputs": [integers.reshape(-1).tolist() for integers, _ in inputs.values()],
        "labels": labels.tolist(), "parameters": {name: numbers(p) for name, p in parameters.items()},
    }
    losses = []
    for update in range(UPDATES):
        optimizer.zero_grad()
        currents, membranes = network.run()
        value = loss(currents, membranes, labels)
        value.backward()
        if update == 0:
            if network.rates.min() < RATES[0] or network.rates.max() > RATES[1]:
                raise Refused
            result |= {
                "currents": numbers(currents), "membranes": numbers(membranes),
                "rates": numbers(network.rates),
                "gradients": {name: numbers(p.grad) for name, p in parameters.items()}}
            if hasattr(network, "mean"):
                result |= {"mean": numbers(network.mean), "variance": numbers(network.variance)}
        for p in parameters.values():
            magnitudes = p.grad[p.grad != 0].abs()
            if len(magnitudes) < LIVELY * p.numel() or magnitudes.min().item() < LEAST_GRADIENT:
                raise Refused
        if losses and value.item() >= losses[-1]:
            raise Refused
        losses.append(float(f"{value.item():.9g}"))
        optimizer.step()
    network.run()
    return result | {"losses": losses, "updated": {name: numbers(p) for name, p in parameters.items()}}


def main():
    torch.set_num_threads(1)
    for name in sys.argv[1:] or GRAPHS:
        for seed in itertools.count():
            with contextlib.suppress(Refused):
                result = attempt(GRAPHS[name], seed)
                break
        path = pathlib.Path(__file__).with_name(f"graph_{name}.json")
        lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in result.items())
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
        print(f"{path.name}: seed {seed}, rates {result['rates']}, losses {result['losses']}")


if __name__ == "__main__":
    main()
