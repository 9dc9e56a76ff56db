"""What tests and doctests are given, and which run on which backend."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# Keras is imported late, by those that run tests: the process that hands them
# out to others reads this file too, and should not wait for TensorFlow.
if os.environ.setdefault("KERAS_BACKEND", "tensorflow") != "tensorflow":
    # Exports and recipes are TensorFlow's; layers run on every backend.
    collect_ignore_glob = [
        "keras_gatelstm/export/*",
        "tests/export/*",
        "tests/fuzz/*",
        "tests/recipes/*",
        "tests/test_lesson_doc.py",
        "tests/serving/*",
        # TensorFlow writes the events, whatever trains.
        "keras_gatelstm/inspect/callbacks.py",
        "tests/test_callbacks.py",
        # Pictures and pages are made of arrays, the same on each.
        "keras_gatelstm/inspect/plots/*",
        "keras_gatelstm/inspect/report.py",
        "tests/report/*",
        "tests/test_plot*",
        "tests/test_statistics.py",
        "tests/trace/test_gate_trace.py",
    ]
    if os.environ["KERAS_BACKEND"] == "jax":
        # TensorFlow and PyTorch run the pages.
        collect_ignore_glob.append("tests/test_docs.py")
    if "THOROUGH" not in os.environ:
        collect_ignore_glob += [
            # Weights are copied alike on each.
            "tests/convert/test_carried.py",
            "tests/convert/test_keras_models.py",
            "tests/convert/test_ones_own.py",
            # Layers are held to NumPy and Keras by other tests already.
            "tests/test_keras_cases.py",
            # The same files and sentences, whatever computes.
            "tests/test_architecture.py",
            "tests/test_files.py",
            "tests/test_project_files.py",
            "tests/test_saving.py",
            "tests/test_wheel.py",
        ]


# JAX compiles each layer of these anew. They are about Keras's own code, which
# is the same on each backend: dropout, constraints; or tests/test_properties.py
# compares random options with Keras too.
SLOW_ON_JAX = (
    "test_every_argument_gives_what_keras_gives",
    "test_the_same_seed_drops_the_same",
    "test_constraints_hold_as_in_keras_when_training",
)


def pytest_collection_modifyitems(config, items):
    """Leave slow tests to the longer forms on JAX."""
    if os.environ["KERAS_BACKEND"] != "jax" or "THOROUGH" in os.environ:
        return
    slow = [
        it for it in items if getattr(it, "originalname", "") in SLOW_ON_JAX
    ]
    items[:] = [it for it in items if it not in slow]
    config.hook.pytest_deselected(items=slow)


@pytest.fixture(autouse=True)
def seeded():
    """The same weights and data in every run."""
    import keras

    keras.utils.set_random_seed(7)


@pytest.fixture(autouse=True)
def names_in_examples(doctest_namespace):
    """What the docstrings' examples take as imported."""
    import keras
    import numpy as np

    import keras_gatelstm

    classes = [name for name in keras_gatelstm.__all__ if name[0].isupper()]
    names = [*classes, "record_gates"]
    doctest_namespace.update(
        np=np,
        keras=keras,
        keras_gatelstm=keras_gatelstm,
        **{name: getattr(keras_gatelstm, name) for name in names},
    )
