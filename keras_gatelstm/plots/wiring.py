"""How the lesson's cell is wired: its gates, and the lines between them."""

from keras_gatelstm.plots import style
from keras_gatelstm.plots.diagram import (
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
from keras_gatelstm.plots.step import Step


def draw(drawing: Diagram, step: Step, variant: str, token: str) -> None:
    """Draws the cell: the use gate reads what its variant says."""
    _draw_inputs(drawing, step, token)
    _draw_gates(drawing, step)
    _draw_between(drawing, step)
    _draw_outputs(drawing, step)
    _draw_use(drawing, step, variant)


def _draw_inputs(drawing: Diagram, step: Step, token: str) -> None:
    long, short = (
        step.before.get(name)
        for name in ("long_term_memory", "short_term_memory")
    )
    gate, upper, lower = LEFT - BOX_WIDTH / 2, TOP + 3, TOP - 4
    joined, short_y, event_y = (27.0, 19.5), 27.0, 12.0
    drawing.words((1, upper), "long-term\nmemory", 11, ha="left")
    drawing.arrow([(START, upper), (gate, upper)], long)
    drawing.value((BUS - 9, upper), "LTM", long, _number(long))
    drawing.words((1, short_y), "short-term\nmemory", 11, ha="left")
    drawing.arrow(
        [(START, short_y), (joined[0], short_y), (joined[0], 20.9)], short
    )
    drawing.value((20.5, short_y), "STM", short, _number(short))
    drawing.words((1, event_y), "event", 11, ha="left")
    drawing.words((1, event_y - 3.3), style.plain(token), 11, "bold", ha="left")
    drawing.arrow([(START, event_y), (joined[0], event_y), (joined[0], 18.1)])
    drawing.arrow([joined, (BUS, joined[1]), (BUS, lower), (gate, lower)])
    drawing.arrow([(BUS, MIDDLE), (gate, MIDDLE)])
    use = RIGHT - BOX_WIDTH / 2, BOTTOM - 4
    drawing.arrow([(BUS, joined[1]), (BUS, use[1]), use])
    drawing.join(joined)


def _draw_gates(drawing: Diagram, step: Step) -> None:
    new, ignore, forget, useful, use = (
        _number(step[name])
        for name in (
            "new_information",
            "ignore_factor",
            "forget_factor",
            "useful_memory",
            "use_factor",
        )
    )
    drawing.gate(
        "forget", (LEFT, TOP), "LTM ∘ f", f"f {forget}", step["forget_factor"]
    )
    drawing.gate(
        "learn",
        (LEFT, MIDDLE),
        "N ∘ i",
        f"N {new}     i {ignore}",
        step["ignore_factor"],
    )
    drawing.gate("remember", (RIGHT, TOP), "kept + learned")
    drawing.gate(
        "use",
        (RIGHT, BOTTOM),
        "U ∘ V",
        f"U {useful}     V {use}",
        step["use_factor"],
    )


def _draw_between(drawing: Diagram, step: Step) -> None:
    left, right = LEFT + BOX_WIDTH / 2, RIGHT - BOX_WIDTH / 2
    kept, learned = step["kept"], step["learned"]
    drawing.arrow([(left, TOP), (right, TOP)], kept)
    drawing.value((79, TOP), "kept", kept, _number(kept))
    drawing.arrow(
        [(left, MIDDLE), (RIGHT, MIDDLE), (RIGHT, TOP - BOX_HEIGHT / 2)],
        learned,
        gap=True,
    )
    drawing.value((85, MIDDLE), "learned", learned, _number(learned))


def _draw_outputs(drawing: Diagram, step: Step) -> None:
    long, short = step["long_term_memory"], step["short_term_memory"]
    right = RIGHT + BOX_WIDTH / 2
    drawing.arrow([(right, TOP), (STOP, TOP)], long)
    drawing.value((118.5, TOP), "LTM", long, _number(long))
    drawing.words((STOP + 1.5, TOP), "long-term\nmemory", 11, ha="left")
    drawing.arrow([(right, BOTTOM), (STOP, BOTTOM)], short)
    drawing.value((118.5, BOTTOM), "STM", short, _number(short))
    drawing.words(
        (STOP + 1.5, BOTTOM), "short-term\nmemory,\noutput", 11, ha="left"
    )


def _draw_use(drawing: Diagram, step: Step, variant: str) -> None:
    """The memory that the use gate reads."""
    if variant == "lesson":
        value, branch, gate = step["kept"], 69.0, RIGHT - BOX_WIDTH / 2
        drawing.dot((branch, TOP), value)
        y = BOTTOM + 4
        drawing.arrow([(branch, TOP), (branch, y), (gate, y)], value)
        return
    value, branch, x = step["long_term_memory"], 117.0, RIGHT + 6
    drawing.dot((branch, TOP), value)
    drawing.arrow(
        [(branch, TOP), (branch, 23), (x, 23), (x, BOTTOM + BOX_HEIGHT / 2)],
        value,
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    # A small number below 0 is rounded to 0, not to -0.
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "\N{MINUS SIGN}")
