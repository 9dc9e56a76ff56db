"""The sums of the networks of a step, computed for the cell."""

from keras import ops

from keras_gatelstm.core.cell import GateCell
from keras_gatelstm.core.fused import fused_tensors
from keras_gatelstm.core.network import JoinedEvent, SmallNetwork
from keras_gatelstm.core.types import Tensor


class FusedProducts:
    """The products of the networks that join event and memory, as one.

    Their weights are put side by side once, on creation: make it outside the
    loop over time. Gradients flow back to each network's own.

    Args:
        cell: A built cell.
    """

    def __init__(self, cell: GateCell) -> None:
        networks = cell.networks_to_join()
        self.names = [network.name for network in networks]
        self.kernel, self.recurrent_kernel, *biases = fused_tensors(networks)
        self.bias = biases[0] if biases else None
        if networks[0].recurrent_bias and self.bias is not None:
            self.bias = ops.sum(self.bias, axis=0)

    def of_events(self, events: Tensor) -> Tensor:
        """Return `E·kernel + bias`, `(..., networks·units)`."""
        product = ops.matmul(events, self.kernel)
        return product if self.bias is None else ops.add(product, self.bias)

    def join(
        self, event: Tensor, event_product: Tensor, memory: Tensor
    ) -> JoinedEvent:
        """Return an event, joined with a memory.

        Args:
            event: `(batch, features)`.
            event_product: What `of_events` makes of it.
            memory: `(batch, units)`.
        """
        # Operators, as PyTorch calls this at every step: keras.ops takes longer
        # to check its arguments than PyTorch to multiply.
        sums = event_product + memory @ self.recurrent_kernel
        parts = ops.split(sums, len(self.names), axis=-1)
        by_name = dict(zip(self.names, parts, strict=True))
        return JoinedEvent(event, memory, by_name)


def event_product(
    network: SmallNetwork, events: Tensor, *, with_bias: bool
) -> Tensor:
    """Return `E·kernel`, with the bias or without it."""
    product = ops.matmul(events, network.kernel)
    return _add_bias(network, product) if with_bias else product


def memory_product(
    network: SmallNetwork, memory: Tensor, *, with_bias: bool
) -> Tensor:
    """Return `M·recurrent_kernel`, with the bias or without it."""
    product = ops.matmul(memory, network.recurrent_kernel)
    return _add_bias(network, product) if with_bias else product


def _add_bias(network: SmallNetwork, product: Tensor) -> Tensor:
    """Add the bias, or the event's and the memory's, if there is one."""
    if network.bias is None:
        return product
    bias = network.bias
    if network.recurrent_bias:
        bias = ops.sum(bias, axis=0)
    return ops.add(product, bias)  # TensorFlow fuses it with the product.
