"""How the recipes' programs end."""

import pytest

from recipes import console


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (None, 0, ""),
        (console.UsageError("no such text"), 2, "error: no such text"),
        (OSError(28, "No space left"), 2, "error: [Errno 28] No space left"),
        (MemoryError(), 2, "error: not enough memory"),
        (KeyboardInterrupt(), 130, "stopped before its end"),
    ],
    ids=repr,
)
def test_ends_are_one_line_and_a_status(capsys, error, status, said):
    def program(_):
        if error:
            raise error

    assert console.run("try", program, []) == status
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines == ([f"try: {said}"] if said else [])


def test_an_error_of_the_program_is_not_hidden():
    def program(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        console.run("try", program, [])
