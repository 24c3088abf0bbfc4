# SPDX-License-Identifier: Apache-2.0
"""Golden traces of models/FORMAT.md, section 8, as requests, and a board's answers held against them."""

import sys
from pathlib import Path

import wire

FIRST = "snntrace 1 "
SHOWN = 5  # differences


class Trace:
    def __init__(self, path, model):
        self.path, self.model, self.samples = path, model, []


class Sample:
    def __init__(self, steps):
        self.steps, self.values, self.events, self.populations, self.projections = steps, [], {}, {}, {}
        self.scores, self.seed = None, 0


# ---- The file ----


def read(path):
    """A trace; NoRequests where it is none or cut off."""
    lines = Path(path).read_bytes().decode(errors="replace").splitlines()
    if not lines or not lines[0].startswith(FIRST):
        raise unexpected(path, 1, f"'{FIRST}' and a model's name", lines)
    trace, sample = Trace(path, lines[0].removeprefix(FIRST)), None
    for number, line in enumerate(lines[1:], 2):
        word, *fields = line.split() or [""]
        try:
            if sample is None:
                sample = begin(word, fields)
                trace.samples.append(sample)
            elif word != "end":
                take(sample, word, fields)
            elif sample.scores is None:
                raise ValueError
            else:
                sample = None
        except (ValueError, IndexError):
            raise unexpected(path, number, "a sample" if sample is None else "a line of a sample", lines) from None
    if sample or not trace.samples:
        raise unexpected(path, len(lines) + 1, "more of a sample" if sample else "a sample", lines)
    return trace


def unexpected(path, number, expected, lines):
    found = repr(lines[number - 1][:40]) if number <= len(lines) else "the end of the file"
    return wire.NoRequests(f"{path}:{number}: expected {expected}, found {found}")


def begin(word, fields):
    if word != "sample":
        raise ValueError
    _, steps = map(int, fields)
    return Sample(steps)


def take(sample, word, fields):
    """A line of a sample; ValueError or IndexError where it is none."""
    numbers = [int(field, 16 if word == "population" and i == 1 else 10) for i, field in enumerate(fields)]
    if word == "values":
        port, first, *more = numbers
        sample.values.append((port, [first, *more]))
    elif word == "events":
        sample.events.setdefault(numbers[1], []).append((numbers[0], numbers[2:]))
    elif word == "population":
        place, _, spikes_out, _, saturations = numbers
        sample.populations[place] = (spikes_out, saturations)
    elif word == "projection":
        place, spikes_in, synops, macs = numbers
        sample.projections[place] = (spikes_in, synops, macs)
    elif word == "seed":
        (sample.seed,) = numbers
    elif word == "scores":
        sample.scores = tuple(numbers)
    else:
        raise ValueError


# ---- The model ----


def check_name(trace, path):
    """NoRequests where a .snnpb file holds another model than the trace's."""
    found = wire.model_name(path)
    if found not in (None, trace.model):
        raise wire.NoRequests(f"{trace.path}:1: expected the trace of {found}, the model of {path}, found that of "
                              f"{trace.model}")


def check_model(trace, image):
    """NoRequests where a trace cannot be of an image's network: its inputs, layers or scores are others."""
    for i, sample in enumerate(trace.samples):
        for what, found, expected in said_by_both(sample, image):
            if found != expected:
                raise wire.NoRequests(f"{trace.path}: sample {i} of {trace.model}: {what}: expected {expected} by the "
                                      f"image, found {found}: a trace of another model?")


def said_by_both(sample, image):
    """What a sample says and the image decides."""
    for port, values in sample.values:
        yield f"values at port {port}", len(values), image.value_count(port, wire.Image.U8, wire.Image.S16)
        low, high = image.ports[port][5:7]
        yield f"values at port {port}, least", min(values), max(min(values), low)
        yield f"values at port {port}, greatest", max(values), min(max(values), high)
    for port, indices in (presented for step in sample.events.values() for presented in step):
        needed = max(indices, default=-1) + 1
        yield f"addresses at port {port}", needed, min(needed, image.value_count(port, wire.Image.EVENTS, wire.Image.EVERY))
    yield "populations", sorted(sample.populations), sorted(layer[0] for layer in image.layers)
    yield "projections", sorted(sample.projections), sorted(image.projections)
    yield "scores", len(sample.scores), image.score_count


# ---- Requests ----


def presented(port, values, image):
    """Values as the port takes them: its kind where the image is known, else by the values."""
    wide = image.ports[port][3] == wire.Image.S16 if image else min(values) < 0 or max(values) > 255
    return (wire.values_s16 if wide else wire.values_u8)(port, values)


def requests(trace, image=None, flags=wire.COUNTING):
    """One run a sample where the input is held, else a run a step. NoRequests where the image is of another model."""
    if image:
        check_model(trace, image)
    data = wire.hello()
    for sample in trace.samples:
        data += wire.begin(flags, sample.seed)
        frames = {}
        for port, values in sample.values:
            frames.setdefault(port, []).append(presented(port, values, image))
        if sample.events or any(len(of_port) > 1 for of_port in frames.values()):
            for step in range(sample.steps):
                data += b"".join(of_port[step] for of_port in frames.values() if step < len(of_port))
                data += b"".join(wire.events(port, indices) for port, indices in sample.events.get(step, ()))
                data += wire.run(1)
        else:
            data += b"".join(of_port[0] for of_port in frames.values()) + wire.run(sample.steps)
        data += wire.answer()
    return data + wire.quit()


# ---- Answers ----


def verdict(name, code, trace, answers):
    """What a board's answers, and the code that it ended with, come to: exit code and report. Prints differences."""
    wrong = differences(trace.samples, answers)
    for line in wrong[:SHOWN]:
        print(f"{name}: trace of {trace.model}: {line}", file=sys.stderr)
    if len(wrong) > SHOWN:
        print(f"{name}: trace of {trace.model}: {len(wrong) - SHOWN} more differences", file=sys.stderr)
    return code or (1 if wrong else 0), {"exit": code, "stack": wire.stack_bytes(answers),
                                         "samples": len(trace.samples), "wrong": len(wrong)}


def differences(samples, answers):
    """Lines that say where answers are not the trace's."""
    results = [answer for answer in answers if isinstance(answer, wire.Result)]
    lines = list(dict.fromkeys(str(answer) for answer in answers if isinstance(answer, wire.Refusal)))
    if len(results) != len(samples):
        return lines + [f"{len(results)} answers to {len(samples)} samples"]
    for i, (sample, result) in enumerate(zip(samples, results)):
        if result.scores != sample.scores:
            lines.append(f"sample {i}: scores {result.scores}, expected {sample.scores}")
        for what, found, expected in (("populations", result.layers, sample.populations),
                                      ("projections", result.projections, sample.projections)):
            if found.keys() != expected.keys():
                lines.append(f"sample {i}: counters of {what} {sorted(found)}, expected {sorted(expected)}")
        for place, expected in sample.populations.items():
            if place in result.layers and result.layers[place][:2] != expected:
                lines.append(f"sample {i}: population {place}: spikes, saturations {result.layers[place][:2]}, "
                             f"expected {expected}")
        for place, expected in sample.projections.items():
            if place in result.projections and result.projections[place] != expected:
                lines.append(f"sample {i}: projection {place}: {tuple(result.projections[place])}, "
                             f"expected {expected}")
    return lines
