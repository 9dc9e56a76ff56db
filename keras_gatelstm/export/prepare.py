"""The copy of a model that is exported, of whatever origin the model is."""

from collections.abc import Callable
from typing import Any

import keras

from keras_gatelstm.convert.copying import copied
from keras_gatelstm.convert.keras_models import to_gates
from keras_gatelstm.core.types import Config
from keras_gatelstm.export.inputs import takes_any_steps


def prepare(model: keras.Model, mixed_precision: bool = True) -> keras.Model:
    """A copy with gates, without dropout, that starts with empty memories.

    Its batch is free, and its time too where the model allows that.

    Args:
        model: A built Sequential or functional model.
        mixed_precision: Whether layers of mixed precision, and of float64,
            stay so; else they compute in float32.

    Raises:
        TypeError: if it is no such model.
        ValueError: if it is not built, or cannot be copied.
    """
    _check(model)

    def translate(config: Config) -> Config:
        config = _alone(to_gates(config))
        return config if mixed_precision else _in_float32(config)

    try:
        free = copied(model, _freeing(2, translate))
    except ValueError:
        free = None
    if free is not None and takes_any_steps(free):
        return free
    # A layer needs just the steps that it was made for.
    return copied(model, _freeing(1, translate))


def _check(model: Any) -> None:
    if not isinstance(model, keras.Model):
        raise TypeError(
            "model must be a keras.Sequential or functional keras.Model. "
            f"Received: {model!r} (of type {type(model).__name__})"
        )
    if not model.built or not getattr(model, "inputs", None):
        raise ValueError(
            f"model must be built before it is exported. Received: {model}, "
            "which has no weights yet, or whose inputs are not known: give it "
            "a keras.Input"
        )


def _alone(config: Config) -> Config:
    """Without what goes on from one batch to the next, or in training only."""
    options = config["config"]
    if not isinstance(options, dict):
        return config
    alone: Config = {}
    if "stateful" in options:
        alone["stateful"] = False
    if "recurrent_dropout" in options:
        alone.update(dropout=0.0, recurrent_dropout=0.0)
    return {**config, "config": {**options, **alone}}


def _in_float32(config: Config) -> Config:
    if config["class_name"] == "InputLayer":
        if config["config"].get("dtype") == "float64":
            return {
                **config,
                "config": {**config["config"], "dtype": "float32"},
            }
        return config
    if config["class_name"] != "DTypePolicy":
        return config
    name = config["config"]["name"].removeprefix("mixed_")
    name = "float32" if name in ("float16", "bfloat16", "float64") else name
    return {**config, "config": {"name": name}}


def _freeing(
    axes: int, translate: Callable[[Config], Config]
) -> Callable[[Config], Config]:
    """A translation that frees the sizes of inputs, of so many first axes."""

    def free(shape: Any) -> list[int | None]:
        # Of others than (batch, time, features), only a free axis is time.
        count = axes if len(shape) == 3 else 1
        return [None] * count + list(shape[count:])

    def freeing(config: Config) -> Config:
        config = translate(config)
        if config["class_name"] == "InputLayer":
            options = dict(config["config"])
            options["batch_shape"] = free(options["batch_shape"])
            return {**config, "config": options}
        built = config.get("build_config") or {}
        if config["class_name"] == "Sequential" and built.get("input_shape"):
            shape = free(built["input_shape"])
            return {**config, "build_config": {"input_shape": shape}}
        return config

    return freeing
