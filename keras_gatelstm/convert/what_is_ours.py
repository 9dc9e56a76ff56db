"""What our layers can be and nobody else's are."""

from keras_gatelstm.types import Config


def refinement_of(config: Config) -> str | None:
    """The argument of a layer or cell that Keras and PyTorch have not.

    Args:
        config: What its `get_config()` gives.
    """
    if config.get("variant") == "lesson":
        return (
            'variant="lesson", whose use gate has a network of its own, '
            "which only GateLSTM has"
        )
    for name in ("peephole", "coupled"):
        if config.get(name):
            return f"{name}=True, which only GateLSTM has"
    return None
