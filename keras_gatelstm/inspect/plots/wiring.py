"""Wiring of the lesson's cell: its gates, and the lines between them."""

from typing import NamedTuple

from keras_gatelstm.inspect.plots import style
from keras_gatelstm.inspect.plots.diagram import (
    BOTTOM,
    BOX_HEIGHT,
    BOX_WIDTH,
    BUS,
    LEFT,
    MIDDLE,
    RIGHT,
    START,
    STOP,
    TOP,
    Diagram,
)
from keras_gatelstm.lstm.cell import LSTMStep


class Numbers(NamedTuple):
    """Numbers in the diagram: of one unit, or the means of all.

    Args:
        now: The quantities of the step.
        before: The quantities of the step before; `None` if not recorded.
    """

    now: LSTMStep
    before: LSTMStep | None


def draw(drawing: Diagram, step: Numbers, variant: str, token: str) -> None:
    """Draw the cell; `variant` determines what the use gate reads."""
    _draw_inputs(drawing, step, token)
    _draw_gates(drawing, step)
    _draw_between(drawing, step)
    _draw_outputs(drawing, step)
    _draw_use(drawing, step, variant)


def _draw_inputs(drawing: Diagram, step: Numbers, token: str) -> None:
    long = short = None
    if step.before:
        long = step.before.remember_gate.long_term_memory
        short = step.before.use_gate.short_term_memory
    gate, upper, lower = LEFT - BOX_WIDTH / 2, TOP + 3, TOP - 4
    joined, short_y, event_y = (27.0, 19.5), 27.0, 12.0
    drawing.words((1, upper), "long-term\nmemory", 11, ha="left")
    drawing.arrow([(START, upper), (gate, upper)], long)
    drawing.value((BUS - 9, upper), "LTM", long, _format_number(long))
    drawing.words((1, short_y), "short-term\nmemory", 11, ha="left")
    drawing.arrow(
        [(START, short_y), (joined[0], short_y), (joined[0], 20.9)], short
    )
    drawing.value((20.5, short_y), "STM", short, _format_number(short))
    drawing.words((1, event_y), "event", 11, ha="left")
    drawing.words((1, event_y - 3.3), style.plain(token), 11, "bold", ha="left")
    drawing.arrow([(START, event_y), (joined[0], event_y), (joined[0], 18.1)])
    drawing.arrow([joined, (BUS, joined[1]), (BUS, lower), (gate, lower)])
    drawing.arrow([(BUS, MIDDLE), (gate, MIDDLE)])
    use = RIGHT - BOX_WIDTH / 2, BOTTOM - 4
    drawing.arrow([(BUS, joined[1]), (BUS, use[1]), use])
    drawing.join(joined)


def _draw_gates(drawing: Diagram, step: Numbers) -> None:
    learn, forget, _, use = step.now
    drawing.gate(
        "forget",
        (LEFT, TOP),
        "LTM ∘ f",
        f"f {_format_number(forget.forget_factor)}",
        forget.forget_factor,
    )
    drawing.gate(
        "learn",
        (LEFT, MIDDLE),
        "N ∘ i",
        f"N {_format_number(learn.new_information)}     "
        f"i {_format_number(learn.ignore_factor)}",
        learn.ignore_factor,
    )
    drawing.gate("remember", (RIGHT, TOP), "kept + learned")
    drawing.gate(
        "use",
        (RIGHT, BOTTOM),
        "U ∘ V",
        f"U {_format_number(use.useful_memory)}     "
        f"V {_format_number(use.use_factor)}",
        use.use_factor,
    )


def _draw_between(drawing: Diagram, step: Numbers) -> None:
    left, right = LEFT + BOX_WIDTH / 2, RIGHT - BOX_WIDTH / 2
    kept, learned = step.now.forget_gate.kept, step.now.learn_gate.learned
    drawing.arrow([(left, TOP), (right, TOP)], kept)
    drawing.value((79, TOP), "kept", kept, _format_number(kept))
    drawing.arrow(
        [(left, MIDDLE), (RIGHT, MIDDLE), (RIGHT, TOP - BOX_HEIGHT / 2)],
        learned,
        gap=True,
    )
    drawing.value((85, MIDDLE), "learned", learned, _format_number(learned))


def _draw_outputs(drawing: Diagram, step: Numbers) -> None:
    long = step.now.remember_gate.long_term_memory
    short = step.now.use_gate.short_term_memory
    right = RIGHT + BOX_WIDTH / 2
    drawing.arrow([(right, TOP), (STOP, TOP)], long)
    drawing.value((118.5, TOP), "LTM", long, _format_number(long))
    drawing.words((STOP + 1.5, TOP), "long-term\nmemory", 11, ha="left")
    drawing.arrow([(right, BOTTOM), (STOP, BOTTOM)], short)
    drawing.value((118.5, BOTTOM), "STM", short, _format_number(short))
    drawing.words(
        (STOP + 1.5, BOTTOM), "short-term\nmemory,\noutput", 11, ha="left"
    )


def _draw_use(drawing: Diagram, step: Numbers, variant: str) -> None:
    """Draw the memory that the use gate reads."""
    if variant == "lesson":
        value, branch = step.now.forget_gate.kept, 69.0
        gate = RIGHT - BOX_WIDTH / 2
        drawing.dot((branch, TOP), value)
        y = BOTTOM + 4
        drawing.arrow([(branch, TOP), (branch, y), (gate, y)], value)
        return
    value, branch = step.now.remember_gate.long_term_memory, 117.0
    x = RIGHT + 6
    drawing.dot((branch, TOP), value)
    drawing.arrow(
        [(branch, TOP), (branch, 23), (x, 23), (x, BOTTOM + BOX_HEIGHT / 2)],
        value,
    )


def _format_number(value: float | None) -> str:
    if value is None:
        return ""
    # Adding 0.0 turns -0.0 into 0.0.
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
