"""What the gates with weights share: small networks under fixed names."""

from keras_gatelstm.network import Mask, SmallNetwork
from keras_gatelstm.options import SubLayer
from keras_gatelstm.types import ActivationLike, Tensor
from keras_gatelstm.weights import WeightConfig

Masks = dict[str, Mask]
Activity = dict[str, Tensor]


class Gate(SubLayer):
    """A layer of small networks, which read the event and the memory.

    It asks them by `call` and not as layers are called: what Keras adds to
    the call of a layer (dtypes, checks, scopes), it has done for the cell or
    the gate by then. Each time more takes as long as tracing the network.
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


def mask_of(name: str, masks: Masks | None) -> Mask | None:
    """The dropout masks of the network `name`."""
    return masks.get(name) if masks else None
