#!/usr/bin/env python3
"""Writes values of made-up neurons and attributes of made-up images, and scikit-learn's AUROC of formulas, for ConceptsQueryTests.

    pip install numpy scikit-learn
    Tools/make-concepts-reference.py fixtures/expected/concepts.json

Made with scikit-learn 1.9.1. The images are divided as `neurodex concepts` divides them: the half with the smaller lots is searched, and an
image's lot is made of its number by SplitMix64 (Steele, Lea and Flood 2014).
"""
import itertools, json, sys
import numpy as np
from sklearn.metrics import roc_auc_score

IMAGES, NEURONS, ATTRIBUTES, LARGEST = 90, 4, 4, (1 << 64) - 1


def lot(image):
    z = (image + 1) * 0x9E3779B97F4A7C15 & LARGEST
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & LARGEST
    z = (z ^ z >> 27) * 0x94D049BB133111EB & LARGEST
    return (z ^ z >> 31) >> 11


def auroc(holds, values, images):
    return float(roc_auc_score(holds[images], values[images])) if 0 < holds[images].sum() < len(images) else None


def main(path):
    random = np.random.default_rng(23)
    attributes = random.integers(0, 2, (ATTRIBUTES, IMAGES)).astype(bool)
    # Few values, so that there are ties.
    values = random.integers(0, 12, (NEURONS, IMAGES)).astype(np.float32)
    values[0] += 4 * (attributes[0] & ~attributes[1])
    values[1] += 3 * (attributes[2] | attributes[3])
    order = sorted(range(IMAGES), key=lambda image: (lot(image), image))
    halves = [sorted(order[: (IMAGES + 1) // 2]), sorted(order[(IMAGES + 1) // 2 :])]
    literals = [(f"{'' if is_it else 'NOT '}a{index}", attributes[index] if is_it else ~attributes[index], index)
                for index in range(ATTRIBUTES) for is_it in (True, False)]
    formulas = {name: holds for name, holds, _ in literals}
    for (one, first, a), (other, second, b) in itertools.permutations(literals, 2):
        if a != b:
            formulas[f"{one} AND {other}"], formulas[f"{one} OR {other}"] = first & second, first | second
    best = []
    for neuron in values:
        found = {name: auroc(holds, neuron, halves[0]) for name, holds in formulas.items()}
        largest = max(value for value in found.values() if value is not None)
        names = sorted(name for name, value in found.items() if value == largest)
        best.append({"formulas": names, "auroc": largest, "heldOut": [auroc(formulas[name], neuron, halves[1]) for name in names]})
    json.dump({"values": values.tolist(), "attributes": attributes.astype(int).tolist(), "best": best}, open(path, "w"))


main(sys.argv[1])
