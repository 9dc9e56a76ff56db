"""What a LiteRT file is, and how it does, as a table."""

from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import fill


@dataclass(frozen=True)
class Report:
    """What a LiteRT file is, and how it does."""

    path: Path
    form: str
    why: str
    quantize: str | None
    operators: dict[str, int]
    bytes: int
    microseconds: float  # Of a call, of one thread; the median.
    largest_error: float
    error_in_range: float  # As a part of the range of Keras's.
    tolerance: float
    inputs: dict[str, tuple[int, ...]]
    outputs: list[str]
    micro: bool
    carries: bool  # Memories inside, from call to call.

    def at(self, path: Path) -> "Report":
        """The same, of a file that has been moved."""
        return replace(self, path=path)

    def __str__(self) -> str:
        from tabulate import tabulate

        counts = [f"{n} {name}" for name, n in self.operators.items()]
        rows = [
            ["form", f"{self.form} ({self.why})"],
            ["quantized", self.quantize or "no"],
            ["operators", ", ".join(counts)],
            ["bytes", f"{self.bytes:,}"],
            ["µs per call", f"{self.microseconds:.0f}"],
            [
                "largest error",
                f"{self.largest_error:.1e} ({self.error_in_range:.1e} of the "
                f"outputs' range, {self.tolerance:g} allowed)",
            ],
            ["inputs", ", ".join(f"{n} {s}" for n, s in self.inputs.items())],
            ["outputs", ", ".join(self.outputs)],
            ["memories", self._memories()],
        ]
        if self.micro:
            rows.append(["microcontrollers", "the same on their interpreter"])
        # A path in one line can be copied.
        wrapped = [["file", str(self.path)]]
        wrapped += [[name, fill(value, 60)] for name, value in rows]
        return tabulate(wrapped, tablefmt="plain", disable_numparse=True)

    def _memories(self) -> str:
        names = [name for name in self.inputs if name in self.outputs]
        if names:
            return "given and returned; zeros to start with"
        if self.carries:
            return "inside, from call to call, until all variables are reset"
        return "empty at the start of each call"
