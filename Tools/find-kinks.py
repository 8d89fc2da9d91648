#!/usr/bin/env python3
"""Tells a gradient that is wrong from one that stands on the other side of a kink.

    Tools/find-kinks.py OUT/NAME old        (after Tools/make-pytorch-references.py OUT NAME and agreement-check OUT/NAME)

A ReLU's derivative jumps at 0, a maximum's where two values are equal. A network has millions of such units, and in some of them rounding decides on
which side they stand. PyTorch says in double precision which units are within CLOSE of their kink, as a share of their layer's largest value, and by
what vector the image's gradient changes if one of them stands on the other side. Of these flips those are taken, one after the other, whole and
once each, that bring PyTorch's gradient nearest to neurodex's. A wrong gradient stays as far as it is: the flips are a few given vectors among
150 000 dimensions. Printed in JSON, of each image: how many flips, how far off all of them the farthest unit is from its kink, and the distance that is
left, relative L2.
"""
import argparse, json, pathlib
import numpy as np, torch, torch.nn.functional as F
from torch.overrides import TorchFunctionMode
from pytorch_networks import extent, network

CLOSE = 1e-5
# Flips are looked for until the rest is so small. So many of the likeliest are computed before one is taken, and, where none of them brings the gradient
# nearer, the next as many, until so many were in vain.
ENOUGH, LOOKED_AT, IN_VAIN = 1e-4, 3, 24


def jumps(function, args, kwargs):
    """Where the derivative of an activation function jumps, and by how much."""
    if function in (F.relu, torch.relu): return {0.0: 1.0}
    if function is F.relu6: return {0.0: 1.0, 6.0: -1.0}
    if function is F.hardtanh:
        low, high = (list(args[1:3]) + [kwargs.get("min_val", -1.0), kwargs.get("max_val", 1.0)])[:2]
        return {float(low): 1.0, float(high): -1.0}
    if function is F.hardswish: return {-3.0: -0.5, 3.0: -0.5}
    if function is F.hardsigmoid: return {-3.0: 1 / 6, 3.0: -1 / 6}
    return {}


class Recording(TorchFunctionMode):
    """Keeps what goes into every function with kinks, and what comes out."""

    def __init__(self):
        super().__init__()
        self.units, self.pools = [], []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        found = jumps(function, args, kwargs)
        if found: kwargs.pop("inplace", None)
        result = function(*args, **kwargs)
        if found: self.units.append((args[0], result, found))
        if function is F.max_pool2d:
            names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
            self.pools.append((args[0], result, {**dict(zip(names, args[1:])), **kwargs}))
        return result


def windows(pool):
    """Of every window of a pooling its two largest values' places in the flattened input, and how far they are apart."""
    x, y, options = pool
    pair = lambda v: (v, v) if isinstance(v, int) else tuple(v)
    (kh, kw), (ph, pw) = pair(options["kernel_size"]), pair(options.get("padding", 0))
    sh, sw = pair(options.get("stride") or options["kernel_size"])
    (h, w), (oh, ow) = x.shape[2:], y.shape[2:]
    places = torch.arange(x[0].numel(), dtype=torch.float64).reshape(1, *x.shape[1:])
    def cut(values, filling):
        more = (pw, max(0, (ow - 1) * sw + kw - w - pw), ph, max(0, (oh - 1) * sh + kh - h - ph))
        padded = F.pad(values, more, value=filling)
        return padded.unfold(2, kh, sh).unfold(3, kw, sw)[:, :, :oh, :ow].reshape(*y.shape, kh * kw)
    top, which = cut(x.detach(), float("-inf")).topk(2, -1)
    where = cut(places.reshape(x.shape), 0.0).gather(-1, which).long()
    return where[..., 0].flatten(), where[..., 1].flatten(), (top[..., 0] - top[..., 1]).flatten()


class Kinks:
    """The gradient of the largest score by an image [1, 3, H, W] of doubles, and what it would be were some units on the other side."""

    def __init__(self, model, x):
        self.model, self.x, self.rows = model, x.clone().requires_grad_(True), {}
        with Recording() as made: scores = model(self.x)
        inputs = [(unit[0], unit[2]) for unit in made.units] + [(pool[0], None) for pool in made.pools]
        outputs = [unit[1] for unit in made.units] + [pool[1] for pool in made.pools]
        score = scores[0, scores[0].argmax()]
        gradient, *signals = torch.autograd.grad(score, [self.x] + outputs, retain_graph=True, allow_unused=True)
        self.gradient = gradient.flatten()
        # Of every flip: the value that goes into the function, its distance from the kink as a share of the largest, which elements' difference it is, and the factor.
        self.values, self.flips = [value for value, _ in inputs], []
        for index, ((value, found), signal) in enumerate(zip(inputs, signals)):
            if signal is None: continue
            signal, flat = signal.flatten(), value.detach().flatten()
            largest = flat.abs().max()
            if found is None:
                first, second, gap = windows(made.pools[index - len(made.units)])
                near = torch.nonzero((gap <= CLOSE * largest) & (signal != 0)).flatten()
                self.flips.append((index, gap[near] / largest, second[near], first[near], signal[near]))
            for kink, jump in (found or {}).items():
                near = torch.nonzero(((flat - kink).abs() <= CLOSE * largest) & (signal != 0)).flatten()
                side = torch.where(flat[near] > kink, -1.0, 1.0)
                self.flips.append((index, (flat[near] - kink).abs() / largest, near, None, signal[near] * jump * side))
        # Where a maximum is taken of nothing but zeros, what a ReLU has cut off may be it: no signal comes to that unit as it is.
        for pool, signal in zip(made.pools, signals[len(made.units):]):
            index = next((i for i, unit in enumerate(made.units) if unit[1] is pool[0] and list(unit[2]) == [0.0]), None)
            if index is None or signal is None: continue
            value, signal = self.values[index].detach().flatten(), signal.flatten()
            first, _, _ = windows((self.values[index], *pool[1:]))
            gap = -value[first] / value.abs().max()
            near = torch.nonzero((gap >= 0) & (gap <= CLOSE) & (signal != 0)).flatten()
            self.flips.append((index, gap[near], first[near], None, signal[near]))

    def likeliest(self, rest):
        """The flips whose vectors have the largest products with `rest`: (product, kind, number); by one pass along `rest`."""
        step = 1e-8 * float(self.x.detach().norm() / rest.norm())
        with torch.no_grad(), Recording() as made: self.model(self.x.detach() + step * rest.reshape(self.x.shape))
        moved, found = [unit[0] for unit in made.units] + [pool[0] for pool in made.pools], []
        for kind, (index, _, place, other, factor) in enumerate(self.flips):
            change = (moved[index] - self.values[index].detach()).flatten() / step
            product = factor * (change[place] - (change[other] if other is not None else 0))
            best = product.topk(min(LOOKED_AT, len(product)))
            found += [(float(p), kind, int(i)) for p, i in zip(*best) if p > 0]
        return sorted(found, reverse=True)

    def vector(self, kind, number):
        """What is added to the gradient if a unit stands on the other side."""
        if (kind, number) not in self.rows:
            index, _, place, other, factor = self.flips[kind]
            flat = self.values[index].flatten()
            value = flat[place[number]] - (flat[other[number]] if other is not None else 0)
            (row,) = torch.autograd.grad(value, self.x, retain_graph=True)
            self.rows[kind, number] = factor[number] * row.flatten()
        return self.rows[kind, number]

    def explain(self, own, most):
        """The flips that bring the gradient nearest to `own`: how many, the farthest one's distance from its kink, and the relative L2 distance left."""
        length, taken = float(self.gradient.norm()), {}
        rest = own - self.gradient
        while float(rest.norm()) > ENOUGH * length and len(taken) < most:
            open = [(k, n) for _, k, n in self.likeliest(rest) if (k, n) not in taken][:IN_VAIN]
            for start in range(0, len(open), LOOKED_AT):
                gains = {flip: float(rest @ rest - (rest - self.vector(*flip)).square().sum()) for flip in open[start : start + LOOKED_AT]}
                best = max(gains, key=gains.get)
                if gains[best] > 0: break
            else: break
            taken[best] = float(self.flips[best[0]][1][best[1]])
            rest = rest - self.vector(*best)
        return {"flips": len(taken), "farthest": max(taken.values(), default=0.0), "rest": float(rest.norm()) / length}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder", type=pathlib.Path), ap.add_argument("exporters", nargs="+"), ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--most", type=int, default=60, help="flips that are looked for")
    a = ap.parse_args()
    images = torch.from_numpy(np.load(a.folder / "input.npy")).double()
    model = network(a.folder.name, a.seed, images.shape[-1]).double()
    found = {exporter: [] for exporter in a.exporters}
    for index in range(len(images)):
        kinks = Kinks(model, images[index : index + 1])
        for exporter in a.exporters:
            own = np.fromfile(a.folder / exporter / f"gradient{index}.f32", np.float32).reshape(*images.shape[2:], -1).transpose(2, 0, 1)
            found[exporter].append(kinks.explain(torch.from_numpy(own.copy()).double().flatten(), a.most))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
