"""The remember gate."""

import keras

from keras_gatelstm.gates.gate import Activity
from keras_gatelstm.network import register
from keras_gatelstm.types import Shape, Tensor


@register
class RememberGate(keras.layers.Layer):
    """Adds what was learned to what was kept: the new long-term memory.

    ```
    LTM = kept + learned
    ```

    It has no weights.

    Call arguments:
        kept: What the forget gate handed on, `(batch, units)`.
        learned: What the learn gate handed on, `(batch, units)`.

    Returns:
        The new long-term memory, `(batch, units)`.

    Example:

    >>> bool(keras.ops.all(RememberGate()(np.ones(3), np.ones(3)) == 2))
    True

    References:
        Luis Serrano, lesson "Long Short-Term Memory Networks (LSTMs)".
    """

    def build(self, kept_shape: Shape, **_: Shape) -> None:
        """Has nothing to make."""

    def activity(self, kept: Tensor, learned: Tensor) -> Activity:
        """long_term_memory."""
        return {"long_term_memory": kept + learned}

    def call(self, kept: Tensor, learned: Tensor) -> Tensor:
        return self.activity(kept, learned)["long_term_memory"]
