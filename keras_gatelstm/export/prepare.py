"""Copy of a model for export."""

from collections.abc import Callable, Sequence

import keras

from keras_gatelstm.convert.copying import copy_translated
from keras_gatelstm.convert.keras_models import to_gates
from keras_gatelstm.core.types import Config
from keras_gatelstm.export.inputs import takes_any_steps


def prepare(model: keras.Model, mixed_precision: bool = True) -> keras.Model:
    """Copy a model with gates, without dropout, and with empty memories.

    Its batch axis is free, and its time axis too if the model allows it.

    Args:
        model: A built Sequential or functional model.
        mixed_precision: Whether to keep mixed precision and float64; else
            layers compute in float32.

    Raises:
        TypeError: if `model` is not a Sequential or functional model.
        ValueError: if the model is not built, or cannot be copied.
    """
    _check_model(model)

    def translate(config: Config) -> Config:
        config = _without_state_and_dropout(to_gates(config))
        return config if mixed_precision else _in_float32(config)

    try:
        free = copy_translated(model, _translate_and_free(2, translate))
    except ValueError:
        free = None
    if free is not None and takes_any_steps(free):
        return free
    # Some layer works only on the steps that it was built for.
    return copy_translated(model, _translate_and_free(1, translate))


def _check_model(model: object) -> None:
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


def _without_state_and_dropout(config: Config) -> Config:
    """Switch off statefulness and recurrent layers' dropout in a config."""
    options = config["config"]
    if not isinstance(options, dict):
        return config
    changed: Config = {}
    if "stateful" in options:
        changed["stateful"] = False
    if "recurrent_dropout" in options:
        changed.update(dropout=0.0, recurrent_dropout=0.0)
    return {**config, "config": {**options, **changed}}


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


def _translate_and_free(
    axes: int, translate: Callable[[Config], Config]
) -> Callable[[Config], Config]:
    """Extend `translate` to free the first `axes` axes of inputs."""

    def free(shape: Sequence[int | None]) -> list[int | None]:
        # The second axis is known to be time only in (batch, time, features).
        count = axes if len(shape) == 3 else 1
        return [*[None] * count, *shape[count:]]

    def translate_and_free(config: Config) -> Config:
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

    return translate_and_free
