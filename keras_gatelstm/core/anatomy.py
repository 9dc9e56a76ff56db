"""The description of a cell: its quantities, networks and memories.

A cell's step is a named tuple whose annotated fields describe its quantities.
The description is written beside the equations; traces, plots, the report,
statistics, interventions, gradients and exports all read it:

```
class UpdateStep(NamedTuple):
    update_factor: Annotated[Tensor, Quantity("z", "factor")]
    memory: Annotated[Tensor, Quantity("M", "memory")]
```

A field may be such a tuple itself: its name is then the name of the gate that
computes those quantities.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import (
    Annotated,
    Any,
    Literal,
    Self,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from keras_gatelstm.core.types import Config, Tensor

Kind = Literal["factor", "memory", "value"]
Step = TypeVar("Step", bound=tuple[Any, ...])


@dataclass(frozen=True)
class Quantity:
    """One quantity of a step.

    Args:
        symbol: The symbol in the equations: `"f"`.
        kind: `"factor"`, from 0 to 1, how open a gate is; `"memory"`, carried
            to the next step; or `"value"` (default).
        kept_by: For a memory, the name of the factor by which a step keeps
            it. Default `None`.
        made_of: For a memory, the names of the quantities to draw beside it.
            Default: empty.
        meaning: What it is, in one line with its equation, for readers of
            pictures. Default: empty.
        name: The name of the field in the step; filled in by `Anatomy.of`.
        gate: The name of the gate that computes the quantity, or its own name
            outside a gate; filled in by `Anatomy.of`.
    """

    symbol: str
    kind: Kind = "value"
    kept_by: str | None = None
    made_of: tuple[str, ...] = ()
    meaning: str = ""
    name: str = ""
    gate: str = ""


@dataclass(frozen=True)
class Anatomy:
    """The quantities, networks and memories of a cell.

    Args:
        quantities: The quantities of a step, in order.
        networks: Names of those computed by a network that reads the event,
            in the order of Keras's fused weights.
        memories: Names of the memories, in the order of Keras's states; the
            first is the cell's output, the last the one that lasts longest.
    """

    quantities: tuple[Quantity, ...]
    networks: tuple[str, ...] = ()
    memories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = self.names
        mentioned = [*self.networks, *self.memories]
        for quantity in self.quantities:
            mentioned += quantity.made_of
            mentioned += [quantity.kept_by] if quantity.kept_by else []
        unknown = [name for name in mentioned if name not in names]
        if unknown:
            raise ValueError(
                f"A step has the quantities {', '.join(names)}. "
                f"Received: {', '.join(unknown)}, which it does not have"
            )

    @classmethod
    def of(
        cls,
        step: type[tuple[Any, ...]],
        *,
        networks: tuple[str, ...],
        memories: tuple[str, ...],
    ) -> Self:
        """Read the description from the fields of a step.

        Args:
            step: A named tuple of annotated fields.
            networks: As above.
            memories: As above.

        Raises:
            TypeError: if a field is neither an annotated quantity nor a tuple
                of such fields.
            ValueError: if a name in `networks` or `memories` is not a
                quantity.
        """
        return cls(tuple(_read_quantities(step)), networks, memories)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all quantities."""
        return tuple(quantity.name for quantity in self.quantities)

    @property
    def gates(self) -> tuple[str, ...]:
        """Names of the gates, and of the quantities outside a gate."""
        return tuple(dict.fromkeys(it.gate for it in self.quantities))

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the factors."""
        return tuple(it.name for it in self.quantities if it.kind == "factor")

    @property
    def main_memory(self) -> Quantity | None:
        """The memory that lasts longest, or `None` without memories."""
        return self[self.memories[-1]] if self.memories else None

    def __getitem__(self, name: str) -> Quantity:
        for quantity in self.quantities:
            if quantity.name == name:
                return quantity
        raise KeyError(
            f"There is no quantity {name!r}. Available: {', '.join(self.names)}"
        )

    def handed_on(self, gate: str) -> str:
        """Return the last quantity of a gate: the output of its call."""
        return [it.name for it in self.quantities if it.gate == gate][-1]

    def get_config(self) -> Config:
        """Return the description as JSON-serializable data."""
        return asdict(self)

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Make the description from its `get_config`."""
        return cls(
            tuple(
                Quantity(**{**it, "made_of": tuple(it["made_of"])})
                for it in config["quantities"]
            ),
            tuple(config["networks"]),
            tuple(config["memories"]),
        )


def by_name(step: tuple[Any, ...]) -> dict[str, Tensor]:
    """Return every quantity of a step, by name."""
    found = {}
    for name, value in zip(_fields(step), step, strict=True):
        if _is_step(value):
            found.update(by_name(value))
        else:
            found[name] = value
    return found


def from_names(step: type[Step], quantities: dict[str, Tensor]) -> Step:
    """Make a step from its quantities; the inverse of `by_name`."""
    hints = get_type_hints(step)
    return step(
        *(
            from_names(hints[name], quantities)
            if _is_step(hints[name])
            else quantities[name]
            for name in _fields(step)
        )
    )


def _read_quantities(
    step: type[tuple[Any, ...]], gate: str = ""
) -> Iterator[Quantity]:
    for name, hint in get_type_hints(step, include_extras=True).items():
        if _is_step(hint):
            yield from _read_quantities(hint, name)
            continue
        declared = get_args(hint)[-1] if get_origin(hint) is Annotated else None
        if not isinstance(declared, Quantity):
            raise TypeError(
                f"{name} of {step.__name__} must be "
                f"Annotated[Tensor, Quantity(...)]. Received: {hint}"
            )
        yield replace(declared, name=name, gate=gate or name)


def _fields(step: Any) -> tuple[str, ...]:
    fields: tuple[str, ...] = step._fields
    return fields


def _is_step(value: object) -> bool:
    return hasattr(value, "_fields")
