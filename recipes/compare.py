"""Train recurrent layers under equal conditions, and compare their scores.

    python -m recipes.compare --task copy
    python -m recipes.compare --task adding --lengths 50 100 200
    python -m recipes.compare --task text --budget minutes --minutes 2
    python -m recipes.compare --task series --dataset ett/h1
    python -m recipes.compare --task copy --resume

The layers are a plain RNN, a GRU, the lesson's LSTM, the standard LSTM and
`keras.layers.LSTM`, each trained with several seeds: with equal numbers of
parameters and batches, or equal units and minutes. `copy` and `adding` are
synthetic tasks that need a memory of a given length (Hochreiter and Schmidhuber
1997; Arjovsky, Shah and Bengio 2016); `text` and `series` are the tasks of
`recipes.char_text` and `recipes.time_series`. The program writes

    saved_models/compare/TASK/
        runs.csv         a line for each training
        compare.json     the same, with settings and versions
        compare.png      scores, with the spread over the seeds
        gradients.png    how far back gradients reach before training: of
                         copy and adding
        gradients.csv    the same as numbers

Until the end, `unfinished/` holds the trainings done so far: `--resume`
continues a comparison that was stopped or killed.
"""

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipes import console, output_folder
from recipes.comparing.settings import Settings, parse

if TYPE_CHECKING:
    from recipes.comparing.task import Task

WRITTEN = [
    "runs.csv",
    "compare.json",
    "compare.png",
    "gradients.png",
    "gradients.csv",
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, tabulate and plot."""
    settings = parse(arguments, __doc__)
    if settings.dataset:
        output_folder.refuse_replacing(
            Path(settings.dataset),
            settings.output,
            [*WRITTEN, output_folder.UNFINISHED],
        )
    # Imported late, so that usage errors do not wait for TensorFlow.
    from recipes.comparing import runs

    task = task_of(settings)
    with output_folder.lock_folder(settings.output, settings.resume) as folder:
        finish(task, runs.rows(task, settings, folder), settings)


def task_of(settings: Settings) -> "Task":
    """Return the task that the settings name."""
    from recipes.comparing import series, synthetic, text

    tasks: dict[str, type[Task]] = {
        "copy": synthetic.Copy,
        "adding": synthetic.Adding,
        "text": text.Text,
        "series": series.Series,
    }
    return tasks[settings.task](settings)


def finish(
    task: "Task", rows: list[dict[str, Any]], settings: Settings
) -> None:
    """Write and print the results."""
    from keras_gatelstm.core.files import move_into, stage_in
    from recipes.comparing import results
    from recipes.finishing import versions

    found = {
        "settings": settings.to_json(),
        "recipe": task.recipe and task.recipe.to_json(),
        "versions": versions(),
        "score": task.score,
        "chance": task.chance,
        "rows": rows,
    }
    with stage_in(settings.output) as stage:
        with (stage / "runs.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        (stage / "compare.json").write_text(json.dumps(found, indent=2))
        results.draw(task, rows, stage / "compare.png")
        if task.lengths != (0,):
            results.write_gradients(task, rows, stage)
        written = [name for name in WRITTEN if (stage / name).exists()]
        move_into(stage, settings.output)
    print(f"\n{settings.task}: {task.score}\n\n{results.table(task, rows)}\n")
    print("written:")
    for name in written:
        print(f"  {settings.output / name}")


if __name__ == "__main__":
    sys.exit(console.run("compare", main))
