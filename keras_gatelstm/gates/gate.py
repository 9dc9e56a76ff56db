"""What the gates with weights share: small networks under fixed names."""

from typing import Any

from keras_gatelstm import options
from keras_gatelstm.network import Mask, SmallNetwork, Tensor

Masks = dict[str, Mask]
Activity = dict[str, Tensor]


class Gate(options.UnitsLayer):
    """A layer of small networks, which read the event and the memory.

    It asks them by `call` and not as layers are called: what Keras adds to
    the call of a layer (dtypes, checks, scopes), it has done for the cell or
    the gate by then. Each time more takes as long as tracing the network.
    """

    def network(
        self, name: str, activation_name: str, *blocks: int, **kwargs: Any
    ) -> SmallNetwork:
        """Makes the small network `name`.

        Args:
            name: The network's name, that of what it gives.
            activation_name: The name of the gate's argument that squishes.
            *blocks: Where the gate has several networks, which of them this
                is, and how many there are: their weights are drawn as one.
            **kwargs: As in `SmallNetwork`.
        """
        block, of = blocks or (0, 1)
        return SmallNetwork(
            self.units,
            self.activations[activation_name],
            **options.share_initializers(self.weight_options, [block], of),
            **self.handed_down(),
            **kwargs,
            name=name,
        )


def mask_of(name: str, masks: Masks | None) -> Mask | None:
    """The dropout masks of the network `name`."""
    return masks.get(name) if masks else None
