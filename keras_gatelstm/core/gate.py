"""Base class of the gates with weights: small networks, named."""

from collections.abc import Mapping

from keras_gatelstm.core.network import (
    NOTHING_DROPPED,
    DropoutMask,
    SmallNetwork,
)
from keras_gatelstm.core.options import SubLayer
from keras_gatelstm.core.types import ActivationLike
from keras_gatelstm.core.weights import WeightConfig

# By the name of the network.
DropoutMasks = Mapping[str, DropoutMask]


class Gate(SubLayer):
    """A layer of small networks, which read the event and the memory.

    It runs them by `call`, not by calling the layer: what Keras adds to the
    call of a layer (dtypes, checks, scopes), it has done for the cell or the
    gate by then, and doing it again takes as long as tracing the network.
    """

    def small_network(
        self,
        name: str,
        activation: ActivationLike,
        weight_config: WeightConfig | None = None,
        *,
        peephole: bool = False,
        recurrent_bias: bool = False,
    ) -> SmallNetwork:
        """Make the small network `name`, that of the quantity it computes.

        Args:
            name: The network's name.
            activation: As in `SmallNetwork`.
            weight_config: Options of its weights. Default `None`: the gate's.
            peephole: As in `SmallNetwork`.
            recurrent_bias: As in `SmallNetwork`.
        """
        return SmallNetwork(
            self.units,
            activation,
            peephole=peephole,
            recurrent_bias=recurrent_bias,
            weight_config=weight_config or self.weight_config,
            **self.sublayer_kwargs(name),
        )


def mask_of(network: str, masks: DropoutMasks | None) -> DropoutMask:
    """Return the dropout mask of a network; one that drops nothing if none."""
    return masks.get(network, NOTHING_DROPPED) if masks else NOTHING_DROPPED
