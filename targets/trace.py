# SPDX-License-Identifier: Apache-2.0
"""Golden traces of models/FORMAT.md, section 8, as requests, and a board's answers held against them."""

import wire


class Sample:
    def __init__(self, steps):
        self.steps, self.values, self.events, self.populations, self.projections = steps, [], {}, {}, {}


def read(path):
    """The samples of a trace."""
    samples = []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            word, *fields = line.split()
            if word == "snntrace":
                continue
            numbers = [int(field, 16 if word == "population" and i == 1 else 10) for i, field in enumerate(fields)]
            if word == "sample":
                samples.append(Sample(numbers[1]))
            elif word == "values":
                samples[-1].values.append((numbers[0], numbers[1:]))
            elif word == "events":
                samples[-1].events.setdefault(numbers[1], []).append((numbers[0], numbers[2:]))
            elif word == "population":
                samples[-1].populations[numbers[0]] = (numbers[2], numbers[4])
            elif word == "projection":
                samples[-1].projections[numbers[0]] = tuple(numbers[1:])
            elif word == "scores":
                samples[-1].scores = tuple(numbers)
    return samples


def presented(port, values, image):
    """Values as the port takes them: its kind where the image is known, else by the values."""
    wide = image.ports[port][3] == wire.Image.S16 if image else min(values) < 0 or max(values) > 255
    return (wire.values_s16 if wide else wire.values_u8)(port, values)


def requests(samples, image=None, flags=wire.COUNTING):
    """One run a sample where the input is held, else a run a step."""
    data = wire.hello()
    for sample in samples:
        data += wire.begin(flags)
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


def differences(samples, answers):
    """Lines that say where answers are not the trace's."""
    results = [answer for answer in answers if isinstance(answer, wire.Result)]
    lines = [str(answer) for answer in answers if isinstance(answer, wire.Refusal)]
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
