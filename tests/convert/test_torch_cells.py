"""PyTorch's cells, and modules whose weights are in another form."""

import numpy as np
import pytest

from keras_gatelstm.convert import from_torch

torch = pytest.importorskip("torch")
EVENTS = np.random.default_rng(1).normal(size=(2, 5, 3)).astype("float32")


def run(cell):
    """Run a cell over time, as PyTorch's users do."""
    outputs, state = [], None
    for event in torch.tensor(EVENTS).unbind(1):
        state = cell(event, state)
        outputs.append(state[0] if isinstance(state, tuple) else state)
    return torch.stack(outputs, 1).detach().numpy()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("LSTMCell", {}),
        ("GRUCell", {}),
        ("RNNCell", {}),
        ("RNNCell", {"nonlinearity": "relu"}),
    ],
)
def test_a_cell_becomes_a_layer(kind, options, bias):
    cell = getattr(torch.nn, kind)(3, 4, bias=bias, **options)
    found = from_torch(cell).predict_on_batch(EVENTS)
    np.testing.assert_allclose(found, run(cell), atol=1e-6)
    again = from_torch(cell.state_dict(), **options).predict_on_batch(EVENTS)
    np.testing.assert_array_equal(again, found)


def test_a_cell_in_a_larger_module_is_named_by_its_prefix():
    module = torch.nn.ModuleDict({"cell": torch.nn.LSTMCell(3, 4)})
    with pytest.raises(ValueError, match=r"as prefix: 'cell\.'"):
        from_torch(module)
    found = from_torch(module, prefix="cell.").predict_on_batch(EVENTS)
    np.testing.assert_allclose(found, run(module["cell"]), atol=1e-6)


@pytest.mark.parametrize("weight", ["weight_ih_l0", "weight_hh_l0"])
def test_weights_that_are_computed_are_refused_with_what_to_do(weight):
    parametrizations = torch.nn.utils.parametrizations
    module = parametrizations.weight_norm(torch.nn.LSTM(3, 4), weight)
    with pytest.raises(ValueError, match="remove_parametrizations"):
        from_torch(module)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_quantized_module_is_refused_with_what_to_do():
    quantize = torch.ao.quantization.quantize_dynamic
    whole = torch.nn.Sequential(torch.nn.LSTM(3, 4))
    module = quantize(whole, {torch.nn.LSTM})
    for given in (module, module[0], module.state_dict()):
        with pytest.raises(ValueError, match="convert the module that it was"):
            from_torch(given)
