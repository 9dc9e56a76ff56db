"""The comparison of recurrent layers, as a user runs it."""

import csv
import json

import numpy as np
import pytest

from recipes import compare, console
from recipes.comparing import problems, runs, settings
from recipes.comparing.synthetic import Adding, Copy
from recipes.comparing.text import Text
from tests.recipes.killing import KilledError, checkpoints_written

SMALL = ["--units", "6", "--batches", "5", "--seeds", "1", "2"]


def run(*arguments):
    return console.run("compare", compare.main, [str(it) for it in arguments])


def args_of(*arguments):
    return settings.parse([str(it) for it in arguments], "")


class TestProblems:
    def test_what_is_copied_was_seen_as_many_steps_before(self):
        random = np.random.default_rng(1)
        events, symbols = problems.copy(50, 7, random)
        assert events.shape == (50, 7 + 2 * problems.COPIED, problems.SYMBOLS)
        np.testing.assert_array_equal(events.sum(axis=-1), 1)
        seen = events.argmax(axis=-1)
        np.testing.assert_array_equal(seen[:, : problems.COPIED], symbols)
        after = seen[:, problems.COPIED :]
        assert (after == problems.NOW).sum() == 50
        assert (after[:, 6] == problems.NOW).all()
        assert set(np.unique(after)) == {problems.NOTHING, problems.NOW}
        assert set(np.unique(symbols)) == set(range(problems.KINDS))

    def test_what_is_added_is_marked_once_in_each_half(self):
        random = np.random.default_rng(1)
        events, sums = problems.adding(200, 9, random)
        marks = events[..., 1]
        np.testing.assert_array_equal(marks[:, :4].sum(axis=1), 1)
        np.testing.assert_array_equal(marks[:, 4:].sum(axis=1), 1)
        expected = (events[..., 0] * marks).sum(axis=1)
        np.testing.assert_allclose(sums[:, 0], expected, rtol=1e-6)

    def test_chance_is_what_knowing_nothing_reaches(self):
        random = np.random.default_rng(1)
        _, sums = problems.adding(50_000, 10, random)
        np.testing.assert_allclose(
            np.mean((sums - 1) ** 2), Adding.chance[1], rtol=0.02
        )
        _, symbols = problems.copy(5_000, 10, random)
        np.testing.assert_allclose(
            np.mean(symbols == 3), Copy.chance[1], rtol=0.05
        )

    def test_no_two_batches_are_alike(self):
        batches = Adding(args_of("--task", "adding")).batches(
            runs.Run("rnn", 4, 10, seed=1)
        )
        first = [inputs for inputs, _ in batches.batches(0)]
        second = next(iter(batches.batches(1)))[0]
        assert len(first) == len(batches)
        assert len({it.tobytes() for it in [*first, second]}) == 101
        again = next(iter(batches.batches(0, 7)))[0]
        np.testing.assert_array_equal(again, first[7])


def test_all_have_the_same_parameters():
    task = Copy(args_of("--task", "copy"))
    args = args_of("--task", "copy", "--units", "40", "--lengths", "5")
    counts = {
        it.cell: task.model(it).count_params()
        for it in runs.planned_runs(task, args)
    }
    assert counts["standard"] == counts["keras"]
    for count in counts.values():
        assert abs(count / counts["keras"] - 1) < 0.04


def test_for_the_same_minutes_all_have_the_same_units():
    args = args_of("--task", "adding", "--budget", "minutes", "--units", "9")
    units = {it.units for it in runs.planned_runs(Adding(args), args)}
    assert units == {9}


@pytest.mark.parametrize("task", ["copy", "adding"])
def test_it_writes_a_table_and_pictures(task, tmp_path, capsys):
    lengths = ["--lengths", "5", "9"] if task == "copy" else ["--lengths", "4"]
    cells = ["--cells", "rnn"]
    output = tmp_path / "out"
    asked = ["--task", task, *SMALL, *lengths, *cells, "--output", output]
    assert run(*asked) == 0
    printed = capsys.readouterr().out
    names = {
        "runs.csv",
        "compare.json",
        "compare.png",
        "gradients.png",
        "gradients.csv",
    }
    assert {path.name for path in output.iterdir()} == names
    with (output / "runs.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = json.loads((output / "compare.json").read_text())
    assert len(rows) == len(found["rows"]) == 2 * (len(lengths) - 1)
    for length in lengths[1:]:
        scores = [
            float(row["score"]) for row in rows if row["length"] == length
        ]
        mean, spread = np.mean(scores), np.std(scores, ddof=1)
        assert f"{mean:.3f} ± {spread:.3f}" in printed
    assert f"{found['chance'][1]:.3f}" in printed


@pytest.mark.thorough
def test_text_and_series(tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("abcdefgh \n" * 5000)
    few = ["--seeds", "1", "--units", "6", "--cells", "keras"]
    for task, more in {
        "text": ["--dataset", text, "--batches", "60"],
        "series": ["--batches", "3"],
    }.items():
        output = tmp_path / task
        assert run("--task", task, *few, *more, "--output", output) == 0
        printed = capsys.readouterr().out
        assert "keras.layers.LSTM" in printed
        found = json.loads((output / "compare.json").read_text())
        assert (output / "compare.png").stat().st_size > 5000
        recipe = found["recipe"]
        assert recipe["steps" if task == "text" else "lookback"] > 0
        if task == "series":
            assert found["settings"]["horizon"] == recipe["horizon"] > 0
        if task == "text":
            # Better than by how common characters are.
            for row in found["rows"]:
                assert row["score"] < found["chance"][1]


def test_it_goes_on_where_it_was_stopped(tmp_path, monkeypatch, capsys):
    asked = ["--lengths", "4", "--seeds", "1", "2", "--cells", "rnn"]
    asked += ["--units", "6", "--batches", "5"]
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert run(*asked, "--output", whole) == 0
    train, count = runs.train_run, []

    def failing(*arguments):
        count.append(1)
        if len(count) == 2:
            raise KeyboardInterrupt
        return train(*arguments)

    monkeypatch.setattr(runs, "train_run", failing)
    assert run(*asked, "--output", stopped) == 130
    assert not (stopped / "runs.csv").exists()
    assert run(*asked, "--output", stopped) == 2
    assert "--resume" in capsys.readouterr().err
    assert run("--resume", "--output", stopped) == 0
    assert len(count) == 3
    scores = [
        [
            row["score"]
            for row in json.loads((it / "compare.json").read_text())["rows"]
        ]
        for it in (whole, stopped)
    ]
    assert scores[0] == scores[1]


def test_what_a_kill_left_is_not_gone_on_with_by_another_run(tmp_path, capsys):
    """Before the first of its trainings was done."""
    asked = ["--lengths", "4", "--cells", "rnn", "--units", "6"]
    output = tmp_path / "out"
    with checkpoints_written(killed_after=3), pytest.raises(KilledError):
        run(*asked, "--batches", "20", "--seeds", "1", "--output", output)
    other = [*asked, "--batches", "12", "--seeds", "2", "--output", output]
    assert run(*other) == 2
    assert "go on with it with --resume" in capsys.readouterr().err
    assert run("--resume", "--output", output) == 0
    found = json.loads((output / "compare.json").read_text())["rows"]
    assert [(row["seed"], row["batches"]) for row in found] == [(1, 20)]


def test_too_few_minutes_are_told(tmp_path, capsys):
    asked = ["--lengths", "4", "--cells", "rnn", "--units", "6", "--seeds", "1"]
    asked += ["--budget", "minutes", "--minutes", "1e-9"]
    assert run(*asked, "--output", tmp_path / "out") == 2
    assert "too few to compare" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()


def test_it_goes_on_with_its_own_text_only(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("abcdefgh \n" * 5000)
    args = args_of("--task", "text", "--dataset", path)
    Text(args)
    Text(args)
    path.write_text("abcdefgh \n" * 4999 + "abcdefgg \n")
    with pytest.raises(console.UsageError, match=r"text\.txt has changed"):
        Text(args)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task", "text", "--lengths", "3"], "--lengths goes with --task"),
        (["--task", "copy", "--dataset", "x"], "--dataset goes with --task"),
        (["--minutes", "1"], "--minutes goes with --budget minutes"),
        (["--budget", "minutes", "--batches", "1"], "--batches goes with"),
        (["--lengths", "0"], "above zero"),
        (["--cells", "lstm"], "invalid choice: 'lstm'"),
        (["--task", "adding", "--lengths", "1"], "for two numbers"),
        (["--seeds", "-1"], "from 0"),
        (["--task", "text", "--dataset", "none.txt"], "none.txt"),
        (["--resume"], "no unfinished"),
    ],
)
def test_mistakes_end_in_one_line(arguments, said, tmp_path, capsys):
    assert run(*arguments, "--output", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
