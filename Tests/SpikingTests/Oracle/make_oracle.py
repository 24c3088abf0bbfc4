"""Writes two_layer.json: a spiking network trained for five steps by PyTorch's automatic differentiation.

The network is 4C3-P2-12-5 on 1x8x8 images, direct encoding, T = 4, batch 6: a convolution with four
channels, a sum-pool in front of twelve dense neurons, a read-out of five. Neurons, their gradients and the
loss are those of Sources/Spiking/Neurons/LIF.swift and Sources/Learning/Loss.swift: the spike's slope is
0.3 max(0, 1 - |V/theta - 1|), the membrane is reset by subtraction, the reset's spike is detached.

Everything is computed in float64 from inputs and parameters that float32 holds exactly, and written with
nine digits. Seeds are tried until no membrane of any pass lies within MARGIN of its threshold, so that
float32 yields the same spikes, and no gradient is so small that its rounding would turn Adam's step.

    python make_oracle.py        # needs torch; a few seconds
"""
import json
import pathlib

import torch
import torch.nn.functional as functional

STEPS, BATCH, CLASSES, STEP_WEIGHT = 4, 6, 5, 0.3
SLOPE, LEARNING_RATE, UPDATES = 0.3, 1e-2, 5
MARGIN, LEAST_GRADIENT = 1e-4, 1e-6


class Spike(torch.autograd.Function):
    @staticmethod
    def forward(context, z):
        context.save_for_backward(z)
        return (z > 0).to(z.dtype)

    @staticmethod
    def backward(context, gradient):
        (z,) = context.saved_tensors
        return gradient * SLOPE * torch.clamp(1 - z.abs(), min=0)


class Network:
    """Parameters are kept in the project's layouts: rows by source, the target's channel last."""

    def __init__(self, generator):
        def uniform(low, high, *shape):
            values = torch.rand(*shape, generator=generator, dtype=torch.float64) * (high - low) + low
            return values.float().double().requires_grad_()

        def normal(fan_in, *shape):
            values = torch.randn(*shape, generator=generator, dtype=torch.float64)
            return (values * (2 / fan_in) ** 0.5).float().double().requires_grad_()

        self.parameters = {
            "conv1.weight": normal(9, 1, 3, 3, 4),
            "conv1.threshold": uniform(0.6, 1.2, 4),
            "conv1.leak": uniform(0.6, 0.9, 4),
            "conv1.bias": uniform(-0.1, 0.2, 4),
            "dense2.weight": normal(64 * 4, 64, 12),
            "dense2.threshold": uniform(0.4, 0.9, 12),
            "dense2.leak": uniform(0.6, 0.9, 12),
            "dense2.bias": uniform(-0.1, 0.2, 12),
            "readout.weight": normal(12, 12, 5),
        }
        self.margin = float("inf")
        self.rates = []

    def neurons(self, currents, layer, extents):
        view = (1, -1) + (1,) * extents  # parameters along the channels, PyTorch's second axis
        threshold, leak, bias = (
            self.parameters[f"{layer}.{role}"].view(view) for role in ("threshold", "leak", "bias"))
        membrane = torch.zeros_like(currents[0])
        spikes = []
        for current in currents:
            potential = leak * membrane + current + bias
            self.margin = min(self.margin, (potential - threshold).abs().min().item())
            spike = Spike.apply(potential / threshold - 1)
            membrane = potential - threshold * spike.detach()
            spikes.append(spike)
        self.rates.append(torch.stack(spikes).mean().item())
        return spikes

    def currents(self, images):
        """The read-out's current in every step, [T, B, K]."""
        self.rates = []
        kernel = self.parameters["conv1.weight"].permute(3, 0, 1, 2)
        held = functional.conv2d(images, kernel, padding=1)
        spikes = self.neurons([held] * STEPS, "conv1", extents=2)
        rows = [
            (4 * functional.avg_pool2d(s, 2)).permute(0, 2, 3, 1).reshape(len(images), -1)
            for s in spikes]
        spikes = self.neurons([r @ self.parameters["dense2.weight"] for r in rows], "dense2", extents=0)
        return torch.stack([s @ self.parameters["readout.weight"] for s in spikes])

    def loss(self, currents, labels):
        whole = functional.cross_entropy(currents.sum(0), labels)
        steps = torch.stack([functional.cross_entropy(c, labels) for c in currents]).mean()
        return (1 - STEP_WEIGHT) * whole + STEP_WEIGHT * steps

    def enforce_constraints(self):
        with torch.no_grad():
            for name, values in self.parameters.items():
                if name.endswith(".leak"):
                    values.clamp_(0, 1)
                if name.endswith(".threshold"):
                    values.clamp_(min=0.01)


def numbers(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().reshape(-1).tolist()]


def attempt(seed):
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randint(0, 256, (BATCH, 1, 8, 8), generator=generator)
    labels = torch.randint(0, CLASSES, (BATCH,), generator=generator)
    scale = torch.tensor(1 / 255, dtype=torch.float32).double()
    images = (pixels.float() * scale.float()).double()  # the products as float32 rounds them
    network = Network(generator)
    optimizer = torch.optim.Adam(
        network.parameters.values(), lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    result = {
        "origin": f"Tests/SpikingTests/Oracle/make_oracle.py, torch {torch.__version__}, float64, "
        f"seed {seed}",
        "steps": STEPS,
        "stepWeight": STEP_WEIGHT,
        "pixels": pixels.permute(0, 2, 3, 1).reshape(-1).tolist(),
        "labels": labels.tolist(),
        "parameters": {name: numbers(p) for name, p in network.parameters.items()},
        "losses": [],
    }
    for update in range(UPDATES):
        optimizer.zero_grad()
        currents = network.currents(images)
        loss = network.loss(currents, labels)
        loss.backward()
        if update == 0:
            result["currents"] = numbers(currents)
            result["rates"] = network.rates
            result["gradients"] = {name: numbers(p.grad) for name, p in network.parameters.items()}
        for p in network.parameters.values():
            magnitudes = p.grad[p.grad != 0].abs()
            if len(magnitudes) == 0 or magnitudes.min().item() < LEAST_GRADIENT:
                return None
        result["losses"].append(float(f"{loss.item():.9g}"))
        optimizer.step()
        network.enforce_constraints()
    network.currents(images)
    if network.margin < MARGIN:
        return None
    result["updated"] = {name: numbers(p) for name, p in network.parameters.items()}
    return result


def main():
    seed = 0
    while (result := attempt(seed)) is None:
        seed += 1
    path = pathlib.Path(__file__).with_name("two_layer.json")
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in result.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{path.name}: seed {seed}, rates {result['rates']}, losses {result['losses']}")


if __name__ == "__main__":
    main()
