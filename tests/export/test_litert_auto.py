"""`form="auto"`: the best form that a model allows, and why."""

import pytest
from keras import layers

from keras_gatelstm import GateLSTM
from keras_gatelstm.export.litert.forms import (
    MOST_UNROLLED,
    FormError,
    FormSettings,
    form_of,
)
from keras_gatelstm.export.prepare import prepare
from tests.export.models import of_symbols, sequential


def chosen(model, batch=1, steps=6, quantize=None, micro=False, carry=False):
    ready = prepare(model, mixed_precision=False)
    settings = FormSettings(batch, steps, quantize, micro, carry)
    return form_of(ready, "auto", settings)


@pytest.mark.parametrize(
    ("layer", "options", "form", "why"),
    [
        (layers.LSTM(4), {}, "fused", "LiteRT's own LSTM operator"),
        (layers.LSTM(4), {"steps": None}, "fused", "LiteRT's own"),
        (layers.LSTM(4), {"micro": True}, "fused", "LiteRT's own"),
        (layers.LSTM(4), {"quantize": "int8"}, "unrolled", "in int8 on a CPU"),
        (
            layers.LSTM(4),
            {"quantize": "int8", "micro": True, "carry": True},
            "fused",
            "LiteRT's own",
        ),
        (
            layers.LSTM(4),
            {"quantize": "int8", "micro": True},
            "unrolled",
            "without LiteRT's own",
        ),
        (layers.LSTM(4), {"batch": None}, "unrolled", "without LiteRT's own"),
        (
            layers.LSTM(4, return_state=True),
            {},
            "unrolled",
            "without LiteRT's own",
        ),
        (GateLSTM(4), {}, "unrolled", "without LiteRT's own"),
        (GateLSTM(4), {"steps": None}, "looped", "any number of steps"),
        (
            GateLSTM(4),
            {"steps": MOST_UNROLLED + 1},
            "looped",
            "too many to write out",
        ),
        (layers.GRU(4), {"steps": None}, "looped", "any number of steps"),
        (
            layers.LSTM(4),
            {"quantize": "int8", "steps": 6, "carry": True},
            "fused",
            "LiteRT's own",
        ),
        (
            layers.LSTM(4),
            {"quantize": "int8", "steps": None, "carry": True},
            "fused",
            "LiteRT's own",
        ),
    ],
)
def test_the_best_that_is_possible_is_chosen(layer, options, form, why):
    found = chosen(sequential(layer), **options)
    assert found.name == form
    assert why in found.why


def test_masked_models_are_not_fused():
    model = of_symbols(layers.LSTM(4))
    assert chosen(model).name == "unrolled"
    assert chosen(model, steps=None).name == "looped"


def test_where_no_form_is_possible_each_says_why():
    with pytest.raises(FormError, match=r"no form is possible\. fused: mine"):
        chosen(sequential(GateLSTM(4, name="mine")), steps=None, micro=True)
