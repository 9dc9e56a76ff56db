"""A worker of a training on Ray.

Ray's own processes load this module, and so it does not load Keras.
"""

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from recipes.console import UsageError, one_line
from recipes.training.board import LOOK, Progress

if TYPE_CHECKING:
    from recipes.training.budget import History


class Learned(NamedTuple):
    """Result of a training.

    Args:
        weights: Trainable weights of the best validation loss.
        history: The training's history.
    """

    weights: list[np.ndarray]
    history: "History"


def work(config: dict[str, Any]) -> bytes:
    """Train as one of several workers.

    Args:
        config: `learn`, the pickled function to call with a strategy, and
            `board`, the handle of a `Board`.

    Returns:
        The pickled `Learned`, or `None` if the training was stopped before its
        first batch.
    """
    import ray
    from ray import cloudpickle

    from recipes.training.data_parallel import DataParallel

    board = config["board"]
    shown = 0.0

    def report(progress: Progress) -> bool:
        nonlocal shown
        if time.monotonic() - shown < LOOK:
            return False
        shown = time.monotonic()
        stopping: bool = ray.get(board.report.remote(progress))
        return stopping

    try:
        learn = cloudpickle.loads(config["learn"])
        model, history = learn(DataParallel(report))
        weights = [np.asarray(weight) for weight in model.trainable_weights]
        return cloudpickle.dumps(Learned(weights, history))
    except KeyboardInterrupt:
        return cloudpickle.dumps(None)
    except (UsageError, OSError, MemoryError) as error:
        # The others may wait for this one: Ray must end them.
        message = one_line(error) or "not enough memory"
        ray.get(board.fail.remote(message))
        raise
