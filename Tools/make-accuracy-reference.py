#!/usr/bin/env python3
"""Writes scores, labels and groups of made-up images, and what scikit-learn and statsmodels make of them, for AccuracyQueryTests.

    pip install numpy scikit-learn statsmodels
    Tools/make-accuracy-reference.py fixtures/expected/accuracy.json

Made with scikit-learn 1.9.1 and statsmodels 0.15.0. The expected calibration error is the mean of calibration_curve's bins, weighted by
their images: scikit-learn has no function for it.
"""
import json, sys
import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve
from statsmodels.stats.proportion import proportion_confint

CLASSES, IMAGES, BINS = ["ant", "bee", "cat", "dog", "eel"], 150, [5, 10, 15]


def interval(count, total):
    return [float(x) for x in proportion_confint(count, total, alpha=0.05, method="wilson")] if total else None


def main(path):
    random = np.random.default_rng(17)
    # No image is an eel, and no answer a dog.
    labels = random.choice(4, IMAGES, p=[0.5, 0.3, 0.15, 0.05])
    scores = random.normal(0, 1.5, (IMAGES, len(CLASSES))).astype(np.float32)
    scores[np.arange(IMAGES), labels] += 2
    scores[:, 3] = scores.min(axis=1) - 1
    answers = scores.argmax(axis=1)
    groups = random.choice(["north", "south", "west"], IMAGES, p=[0.6, 0.38, 0.02])
    powers = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    right, sure = answers == labels, probabilities.max(axis=1)

    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        labels, answers, labels=range(len(CLASSES)), zero_division=np.nan)
    matrix = metrics.confusion_matrix(labels, answers, labels=range(len(CLASSES)))
    answered = matrix.sum(axis=0)
    calibration = []
    for bins in BINS:
        share, confidence = calibration_curve(right, sure, n_bins=bins, strategy="uniform")
        counts = np.bincount(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], sure), minlength=bins)
        counts = counts[counts > 0]
        calibration.append({
            "bins": bins, "images": counts.tolist(), "accuracy": share.tolist(), "confidence": confidence.tolist(),
            "error": float((np.abs(share - confidence) * counts).sum() / IMAGES)})
    none = lambda values: [None if np.isnan(value) else float(value) for value in values]
    reference = {
        "classes": CLASSES, "labels": [CLASSES[label] for label in labels], "groups": groups.tolist(),
        "scores": [[float(score) for score in row] for row in scores],
        "accuracy": float(metrics.accuracy_score(labels, answers)), "accuracy_interval": interval(right.sum(), IMAGES),
        "precision": none(precision), "recall": none(recall), "f1": none(f1), "support": support.tolist(),
        "recall_interval": [interval(matrix[k, k], support[k]) for k in range(len(CLASSES))],
        "precision_interval": [interval(matrix[k, k], answered[k]) for k in range(len(CLASSES))],
        "confusion": matrix.tolist(), "calibration": calibration,
        "log_loss": float(metrics.log_loss(labels, probabilities, labels=range(len(CLASSES)))),
        "by_group": [
            {"group": group, "images": int(there.sum()), "accuracy": float(right[there].mean()),
             "interval": interval(right[there].sum(), there.sum())}
            for group, there in sorted(((g, groups == g) for g in set(groups.tolist())), key=lambda pair: pair[1].sum())],
    }
    with open(path, "w") as file:
        json.dump(reference, file, separators=(",", ":"))
        file.write("\n")


main(sys.argv[1])
