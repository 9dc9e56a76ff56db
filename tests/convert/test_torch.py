"""PyTorch's modules with gates, and back: the same outputs, by PyTorch."""

import keras
import numpy as np
import pytest

from keras_gatelstm import GateGRU, GateLSTM, GateRNN
from keras_gatelstm.convert import from_keras, from_torch, to_keras, to_torch
from tests.backends import array
from tests.families import BATCH, FEATURES, UNITS

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
nn = torch.nn

MODULES = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "rnn": nn.RNN,
    "relu": lambda *sizes, **options: nn.RNN(
        *sizes, nonlinearity="relu", **options
    ),
}
modules = pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)


def random_module(make, **options):
    torch.manual_seed(1)
    module = make(FEATURES, UNITS, batch_first=True, **options)
    with torch.no_grad():
        for weight in module.parameters():
            weight.uniform_(-0.5, 0.5)
    return module.eval()


def outputs_of(module, events):
    with torch.no_grad():
        # On the CPU alone, where Keras may have another device for default.
        return module(torch.tensor(events))[0].numpy()


@modules
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bias": False},
        {"num_layers": 2},
        {"bidirectional": True},
        {"num_layers": 3, "bidirectional": True, "dropout": 0.2},
    ],
    ids=str,
)
def test_there_and_back_outputs_are_the_same(make, options, events):
    module = random_module(make, **options)
    expected = outputs_of(module, events)

    model = from_torch(module)
    np.testing.assert_allclose(
        model.predict(events, verbose=0), expected, atol=1e-6
    )

    back = random_module(make, **options)
    with torch.no_grad():
        for weight in back.parameters():
            weight.zero_()
    back.load_state_dict(to_torch(model))
    np.testing.assert_allclose(outputs_of(back, events), expected, atol=1e-6)


def test_two_biases_of_a_gru_stay_as_they_are():
    module = random_module(nn.GRU, num_layers=2, bidirectional=True)
    state, back = module.state_dict(), to_torch(from_torch(module))
    assert list(back) == list(state)
    for name, value in state.items():
        assert torch.equal(back[name], value), name


def test_dropout_is_between_the_layers():
    module = random_module(nn.LSTM, num_layers=3, dropout=0.25)
    names = [type(it).__name__ for it in from_torch(module).layers]
    assert names == ["GateLSTM", "Dropout", "GateLSTM", "Dropout", "GateLSTM"]
    assert from_torch(module).layers[1].rate == 0.25


@modules
def test_state_dicts_are_enough(make, events):
    module = random_module(make)
    nonlinearity = getattr(module, "nonlinearity", None)
    arrays = {name: it.numpy() for name, it in module.state_dict().items()}
    for state in (module.state_dict(), arrays):
        model = from_torch(state, nonlinearity=nonlinearity)
        np.testing.assert_allclose(
            array(model(events)), outputs_of(module, events), atol=1e-6
        )


def test_a_part_of_a_module_is_found_by_its_path(events):
    module = nn.ModuleDict(
        {
            "embed": nn.Embedding(3, FEATURES),
            "encoder": random_module(nn.RNN, nonlinearity="relu"),
        }
    )
    expected = outputs_of(module["encoder"], events)
    for given, options in (
        (module, {}),
        (module.state_dict(), {"nonlinearity": "relu"}),
    ):
        model = from_torch(given, prefix="encoder.", **options)
        np.testing.assert_allclose(array(model(events)), expected, atol=1e-6)
        for prefix in ("", "encoder", "decoder."):
            with pytest.raises(ValueError, match=r"as prefix: 'encoder\.'"):
                from_torch(given, prefix=prefix)


def test_numbers_of_half_the_size_are_read():
    module = random_module(nn.LSTM).to(torch.bfloat16)
    model = from_torch(module)
    expected = module.weight_ih_l0.detach().float().numpy()[:UNITS].T
    kernel = model.layers[0].cell.learn_gate.ignore_factor.kernel
    np.testing.assert_array_equal(array(kernel), expected)


def test_numbers_that_numpy_does_not_know_go_out_as_float32():
    layer = GateLSTM(
        UNITS,
        variant="standard",
        dtype="bfloat16",
        recurrent_initializer="glorot_uniform",
    )
    layer.build((BATCH, None, FEATURES))
    state = to_torch(layer)
    assert {value.dtype for value in state.values()} == {torch.float32}
    nn.LSTM(FEATURES, UNITS).bfloat16().load_state_dict(state)


def test_keras_to_torch_and_back(events):
    theirs = keras.Sequential(
        [
            keras.Input((None, FEATURES)),
            keras.layers.Bidirectional(
                keras.layers.GRU(UNITS, return_sequences=True)
            ),
            keras.layers.Dropout(0.5),
            keras.layers.Bidirectional(
                keras.layers.GRU(UNITS, return_sequences=True)
            ),
        ]
    )
    module = random_module(nn.GRU, num_layers=2, bidirectional=True)
    module.load_state_dict(to_torch(from_keras(theirs)))
    expected = theirs.predict(events, verbose=0)
    np.testing.assert_allclose(outputs_of(module, events), expected, atol=1e-6)
    back = to_keras(from_torch(module)).predict(events, verbose=0)
    np.testing.assert_allclose(back, expected, atol=1e-6)


def zeros(rows, units=UNITS, **more):
    return {
        "weight_ih_l0": np.zeros((rows, FEATURES)),
        "weight_hh_l0": np.zeros((rows, units)),
        **more,
    }


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({}, "no weight named .*Received: nothing"),
        ({"weight_ih": 1}, "Missing: weight_hh_l0"),
        (zeros(7), "Received: shape \\(7, 5\\)"),
        (zeros(20, weight_hr_l0=0), "projection .* Received: weight_hr_l0"),
        (zeros(20, weight_ih_l1=0), "Missing: weight_hh_l1"),
        (zeros(20, bias_ih_l0=0), "Missing: bias_hh_l0"),
        (zeros(20, head=0), "Unknown: head"),
        ({1: 2}, "no weight named .*Received: 1"),
        ({**zeros(20), "weight_ih_l0": np.zeros(20)}, "weight_ih_l0 must be"),
        (
            {**zeros(20), "weight_hh_l0": np.zeros(20)},
            r"Received: shape \(20,\)",
        ),
        (
            zeros(
                20,
                weight_ih_l1=np.zeros((20, 7)),
                weight_hh_l1=np.zeros((20, UNITS)),
            ),
            r"weight_ih_l1 must be of shape \(20, 5\).*Received: .*\(20, 7\)",
        ),
    ],
)
def test_weights_that_fit_no_module_are_refused(state, problem):
    with pytest.raises(ValueError, match=problem):
        from_torch(state)


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match=r"must be a torch\.nn\.LSTM, GRU"):
        from_torch("model.pt")
    with pytest.raises(ValueError, match='nonlinearity must be "tanh" or'):
        from_torch(zeros(5), nonlinearity="selu")
    with pytest.raises(ValueError, match="has none: it is no"):
        from_torch(zeros(20), nonlinearity="tanh")
    with pytest.raises(ValueError, match="The module has 'relu'"):
        from_torch(
            random_module(nn.RNN, nonlinearity="relu"), nonlinearity="tanh"
        )


def tanh(x):
    return x


def built(layer, shape=(BATCH, None, FEATURES)):
    layer.build(shape)
    return layer


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: built(GateLSTM(3)), 'has variant="lesson"'),
        (
            lambda: built(GateLSTM(3, variant="standard", peephole=True)),
            "has peephole=True",
        ),
        (
            lambda: built(GateLSTM(3, variant="standard", coupled=True)),
            "coupled=True",
        ),
        (lambda: built(GateGRU(3, reset_after=False)), "reset_after=False"),
        (lambda: built(GateGRU(3, activation="relu")), "has tanh only"),
        (lambda: built(GateRNN(3, activation=None)), "has tanh or relu only"),
        (lambda: built(GateRNN(3, activation=tanh)), "has tanh or relu only"),
        (lambda: built(GateRNN(3, go_backwards=True)), "forwards first"),
        (
            lambda: built(
                keras.layers.Bidirectional(GateRNN(3), merge_mode="sum")
            ),
            "merge_mode='sum'",
        ),
        (lambda: GateRNN(3), "has no weights yet"),
        (lambda: built(keras.layers.LSTM(3)), "from_keras makes them"),
        (
            lambda: keras.Sequential(
                [built(GateRNN(3)), keras.layers.Dense(1)]
            ),
            "Received: <Dense",
        ),
        (lambda: keras.Sequential(), "Received: no recurrent layer"),
        (
            lambda: keras.Sequential(
                [
                    keras.Input((None, FEATURES)),
                    GateRNN(3, return_sequences=True),
                    GateRNN(4),
                ]
            ),
            "all of one class, size",
        ),
    ],
)
def test_what_pytorch_has_no_module_for_is_refused(make, problem):
    with pytest.raises(ValueError, match=problem):
        to_torch(make())
