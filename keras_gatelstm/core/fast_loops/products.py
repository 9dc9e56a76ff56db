"""Several networks of a cell in one product, instead of one for each."""

from collections.abc import Callable

from keras import ops

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.network import JoinedEvent, Network
from keras_gatelstm.core.types import Tensor


class FusedProducts:
    """The products of a cell's `joined_networks`, weights side by side.

    The weights are put side by side once, on creation: make it outside the
    loop over time. Gradients flow back to each network's own.

    Args:
        cell: A built cell.
    """

    def __init__(self, cell: GateCell) -> None:
        self.names = cell.joined_networks
        networks = [it for it in cell.small_networks() if it.name in self.names]

        def side_by_side(weight: Callable[[Network], Tensor]) -> Tensor:
            weights = [
                ops.cast(weight(it), it.compute_dtype) for it in networks
            ]
            return ops.concatenate(weights, axis=-1)

        self.kernel = side_by_side(lambda it: it.kernel)
        self.recurrent_kernel = side_by_side(lambda it: it.recurrent_kernel)
        self.bias = None
        if cell.use_bias:
            self.bias = side_by_side(lambda it: it.joined_bias)

    def of_events(self, events: Tensor) -> Tensor:
        """Return `E·kernel + bias`, `(..., networks·units)`."""
        product = ops.matmul(events, self.kernel)
        return product if self.bias is None else ops.add(product, self.bias)

    def at_step(
        self, event: Tensor, of_event: Tensor, memory: Tensor
    ) -> JoinedEvent:
        """Return the sums of one step.

        Args:
            event: The event, `(batch, features)`.
            of_event: What `of_events` makes of it.
            memory: The memory to join it with, `(batch, units)`.
        """
        # Operators, as PyTorch calls this at every step: keras.ops takes longer
        # to check its arguments than PyTorch to multiply.
        sums = of_event + memory @ self.recurrent_kernel
        parts = ops.split(sums, len(self.names), axis=-1)
        return JoinedEvent(
            event, memory, dict(zip(self.names, parts, strict=True))
        )
