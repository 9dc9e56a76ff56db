"""What a character model's guesses cost, and what others' do."""

import argparse
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from tabulate import tabulate

from recipes.characters import models
from recipes.characters.ngram import witten_bell
from recipes.data.numbers import Numbers
from recipes.data.vocabulary import Vocabulary

PARTS = ("validation", "test", "both")

# How much text before the held-out parts the n-gram counts.
COUNTED = 5_000_000

# As their authors give them: on the last tenth of Tiny Shakespeare, which is
# its validation and test parts joined; minGRU and minLSTM on a test part.
REPORTED = {
    "tiny_shakespeare": {
        "nanoGPT, 0.8M parameters, CPU recipe": 1.88,
        "minLSTM (arXiv 2410.01201)": 1.555,
        "minGRU (arXiv 2410.01201)": 1.548,
        "LSTM 2x256 (shonczinner)": 1.509,
        "nanoGPT, 10.65M parameters, A100": 1.4697,
    }
}

_REPORTED = "reported: "

Losses = dict[str, dict[str, float]]


def evaluate(
    model: Any,
    parts: Sequence[Numbers],
    vocabulary: Vocabulary,
    args: argparse.Namespace,
) -> Losses:
    """Nats per character on validation, test and both, beside references.

    The model reads the two in one go, its memories carried all the way.
    """
    train, validation, test = parts
    both = np.concatenate([validation[:], test[:]])
    print(f"evaluating on {len(both):,} characters")
    reader = models.copy_of(model, args, models.streams(both), stateful=True)
    counted = train[max(0, len(train) - COUNTED) :]
    costs = {
        f"this model ({args.variant})": models.nats(reader, both),
        "5-gram, Witten-Bell": witten_bell(counted, both, len(vocabulary))[1:],
        "uniform guess": np.full(len(both) - 1, math.log(len(vocabulary) - 1)),
    }
    # The first character is read, not guessed.
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
    for name, loss in REPORTED.get(args.dataset, {}).items():
        losses[f"{_REPORTED}{name}"] = {"both": loss}
    return losses


def loses_to(losses: Losses) -> list[str]:
    """Those of what was computed here that are better than the first."""
    (_, our_losses), *others = losses.items()
    ours = our_losses["both"]
    return [
        name
        for name, loss in others
        # Not a number loses to all that is one.
        if not name.startswith(_REPORTED)
        and loss["both"] < (math.inf if math.isnan(ours) else ours)
    ]


def bits(losses: Losses) -> Losses:
    """The same in bits."""
    return {
        name: {part: nats / math.log(2) for part, nats in loss.items()}
        for name, loss in losses.items()
    }


def table(metrics: dict[str, Any]) -> str:
    """The losses, in nats and in bits per character."""
    units = [metrics["nats_per_character"], metrics["bits_per_character"]]
    rows = [
        [name, *(unit[name].get(part) for unit in units for part in PARTS)]
        for name in units[0]
    ]
    heads = [f"{part}\n{unit}" for unit in ("nats", "bits") for part in PARTS]
    if metrics["loses_to"]:
        heads.append("better than\nthis model")
        for row in rows:
            row.append("yes" if row[0] in metrics["loses_to"] else None)
    return tabulate(rows, ["per character", *heads], floatfmt=".3f")
