"""Trains recurrent layers alike, and shows what each of them learns.

    python -m recipes.compare --task copy
    python -m recipes.compare --task adding --lengths 50 100 200
    python -m recipes.compare --task text --budget minutes --minutes 2
    python -m recipes.compare --task series --dataset ett/h1
    python -m recipes.compare --task copy --resume

A plain RNN, a GRU, the lesson's LSTM, the standard LSTM and Keras's own, each
trained with several seeds: with the same parameters and batches, or the same
units and minutes. `copy` and `adding` are problems that need a memory of a
given length (Hochreiter and Schmidhuber 1997; Arjovsky, Shah and Bengio 2016);
`text` and `series` are those of `recipes.char_text` and `recipes.time_series`.
It writes

    saved_models/compare/TASK/
        runs.csv         a line for each training
        compare.json     the same, with settings and versions
        compare.png      scores, with the spread over the seeds
        gradients.png    how far back gradients reach before training: of
                         copy and adding

Until it is done, `unfinished/` holds what was trained so far: `--resume` goes
on with a comparison that was stopped or killed.
"""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes import console, options, output_folder
from recipes.comparing import settings

WRITTEN = ["runs.csv", "compare.json", "compare.png", "gradients.png"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, tabulates and draws, as the arguments say."""
    args = settings.parse(arguments, __doc__)
    if hasattr(args, "dataset"):
        output_folder.refuse_replacing(
            Path(args.dataset),
            args.output,
            [*WRITTEN, output_folder.UNFINISHED],
        )
    # Imported late: TensorFlow takes seconds, mistakes show at once.
    from recipes.comparing import runs

    task = task_of(args)
    with output_folder.held(args.output, args.resume) as folder:
        finish(task, runs.rows(task, args, folder), args)


def task_of(args: argparse.Namespace) -> Any:
    """The task that the arguments name."""
    from recipes.comparing import made_up, series, text

    tasks: dict[str, Any] = {
        "copy": made_up.Copy,
        "adding": made_up.Adding,
        "text": text.Text,
        "series": series.Series,
    }
    return tasks[args.task](args)


def finish(
    task: Any, rows: list[dict[str, Any]], args: argparse.Namespace
) -> None:
    """Writes and prints what was found."""
    from keras_gatelstm.core.files import move_into, stage_in
    from recipes import training
    from recipes.comparing import results

    found = {
        "settings": options.kept(args),
        "versions": training.versions(),
        "score": task.score,
        "chance": task.chance,
        "rows": rows,
    }
    with stage_in(args.output) as stage:
        with (stage / "runs.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        (stage / "compare.json").write_text(json.dumps(found, indent=2))
        results.draw(task, rows, stage / "compare.png")
        if task.lengths != (0,):
            results.draw_gradients(task, rows, stage / "gradients.png")
        written = [name for name in WRITTEN if (stage / name).exists()]
        move_into(stage, args.output)
    print(f"\n{args.task}: {task.score}\n\n{results.table(task, rows)}\n")
    print("written:")
    for name in written:
        print(f"  {args.output / name}")


if __name__ == "__main__":
    sys.exit(console.run("compare", main))
