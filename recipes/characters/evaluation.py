"""Losses of a character model, beside reference models."""

import math
from collections.abc import Sequence

import keras
import numpy as np
from tabulate import tabulate

from recipes.characters import models
from recipes.characters.ngram import witten_bell
from recipes.characters.settings import Settings
from recipes.data.numbers import Numbers
from recipes.data.vocabulary import Vocabulary

PARTS = ("validation", "test", "both")

# Number of training characters that the n-gram model counts.
COUNTED = 5_000_000

# Losses that are not computed here, of both parts: published ones on the last
# tenth of Tiny Shakespeare, its joined validation and test parts (those of
# minGRU and minLSTM are on a test part); and what Keras's own layer reaches,
# with the quick preset, two cores and Python 3.11's texts, from
# benchmarks/results/text-stdlib.csv.
KNOWN = {
    "tiny_shakespeare": {
        "reported: nanoGPT, 0.8M parameters, CPU recipe": 1.88,
        "reported: minLSTM (arXiv 2410.01201)": 1.555,
        "reported: minGRU (arXiv 2410.01201)": 1.548,
        "reported: LSTM 2x256 (shonczinner)": 1.509,
        "reported: nanoGPT, 10.65M parameters, A100": 1.4697,
    },
    "stdlib": {"recorded: keras.layers.LSTM, 90 s": 1.261},
}

Losses = dict[str, dict[str, float]]


def evaluate(
    model: keras.Sequential,
    parts: Sequence[Numbers],
    vocabulary: Vocabulary,
    settings: Settings,
) -> Losses:
    """Compute nats per character of the model and of references.

    The model reads the joined validation and test parts without resetting its
    memories; the losses are of each part and of both.
    """
    train, validation, test = parts
    both = np.concatenate([validation[:], test[:]])
    print(f"evaluating on {len(both):,} characters")
    reader = models.copy_of(
        model, settings, models.streams(both), stateful=True
    )
    counted = train[max(0, len(train) - COUNTED) :]
    costs = {
        f"this model ({settings.variant})": models.nats(reader, both),
        "5-gram, Witten-Bell": witten_bell(counted, both, len(vocabulary))[1:],
        "uniform guess": np.full(len(both) - 1, math.log(len(vocabulary) - 1)),
    }
    # The first character is read, but not predicted.
    border = len(validation) - 1
    losses = {
        name: {
            part: float(some.mean())
            for part, some in zip(
                PARTS, (cost[:border], cost[border:], cost), strict=True
            )
        }
        for name, cost in costs.items()
    }
    known = KNOWN.get(settings.dataset, {})
    return losses | {name: {"both": loss} for name, loss in known.items()}


def better_than(losses: Losses) -> list[str]:
    """Return the computed references that beat the first model."""
    (_, our_losses), *others = losses.items()
    ours = our_losses["both"]
    return [
        name
        for name, loss in others
        # A model with a NaN loss loses to every reference.
        if len(loss) == len(PARTS)
        and loss["both"] < (math.inf if math.isnan(ours) else ours)
    ]


def bits(losses: Losses) -> Losses:
    """Convert losses from nats to bits."""
    return {
        name: {part: nats / math.log(2) for part, nats in loss.items()}
        for name, loss in losses.items()
    }


def table(losses: Losses, better: Sequence[str]) -> str:
    """Tabulate losses, in nats and in bits per character."""
    units = [losses, bits(losses)]
    rows = [
        [name, *(unit[name].get(part) for unit in units for part in PARTS)]
        for name in units[0]
    ]
    heads = [f"{part}\n{unit}" for unit in ("nats", "bits") for part in PARTS]
    if better:
        heads.append("better than\nthis model")
        for row in rows:
            row.append("yes" if row[0] in better else None)
    return tabulate(rows, ["per character", *heads], floatfmt=".3f")
