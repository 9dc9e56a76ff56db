"""An LSTM you can see into: named gates, as Keras layers."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from keras_gatelstm import convert
from keras_gatelstm.core.anatomy import Anatomy, Quantity
from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.network import SmallNetwork
from keras_gatelstm.core.sequence import GateSequence
from keras_gatelstm.core.weights import WeightConfig
from keras_gatelstm.gru import (
    Candidate,
    GateGRU,
    GateGRUCell,
    ResetGate,
    UpdateGate,
)
from keras_gatelstm.inspect import GateTrace, LayerTrace, record_gates
from keras_gatelstm.lstm import (
    ForgetGate,
    GateLSTM,
    GateLSTMCell,
    LearnGate,
    RememberGate,
    UseGate,
)
from keras_gatelstm.rnn import GateRNN, GateRNNCell

if TYPE_CHECKING:
    from keras_gatelstm import export
    from keras_gatelstm.inspect import (
        ablation,
        callbacks,
        gradient_flow,
        gradients,
        interventions,
        plots,
        report,
        statistics,
    )

__version__ = "0.1.0"

__all__ = [
    "Anatomy",
    "Candidate",
    "ForgetGate",
    "GateCell",
    "GateGRU",
    "GateGRUCell",
    "GateLSTM",
    "GateLSTMCell",
    "GateRNN",
    "GateRNNCell",
    "GateSequence",
    "GateTrace",
    "LayerTrace",
    "LearnGate",
    "Quantity",
    "RememberGate",
    "ResetGate",
    "SmallNetwork",
    "UpdateGate",
    "UseGate",
    "WeightConfig",
    "ablation",
    "callbacks",
    "convert",
    "export",
    "gradient_flow",
    "gradients",
    "interventions",
    "plots",
    "record_gates",
    "report",
    "statistics",
]

# Modules loaded when they are first used: some need TensorFlow or matplotlib.
_LAZY = {"export": "keras_gatelstm.export"} | {
    name: f"keras_gatelstm.inspect.{name}"
    for name in (
        "ablation",
        "callbacks",
        "gradient_flow",
        "gradients",
        "interventions",
        "plots",
        "report",
        "statistics",
    )
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return import_module(_LAZY[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
