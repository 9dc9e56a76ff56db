"""Texts, and what is to be found of them."""

import keras
import numpy as np

POEM = "Über allen Gipfeln\nIst Ruh',\nIn allen Wipfeln\n"


CHUNK, CONTEXT = 32, 16


TEXTS = {
    "a.txt": POEM * 9,
    "b.txt": "",
    "c.txt": "x",
    "more/d.txt": "?!" + POEM,
}


def write_texts(folder):
    """A folder of texts."""
    (folder / "more").mkdir(parents=True)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, "utf-8")
    (folder / ".hidden").write_text(POEM)
    return folder


def windows_of(text, chunk=CHUNK, context=CONTEXT):
    """Context and text of each chunk, from the first byte of each character."""
    first = np.cumsum([0, *(len(it.encode()) for it in text)])[:-1]
    for start in range(0, max(len(text.encode()), 1), chunk):
        before = [start - context <= it < start for it in first]
        inside = [start <= it < start + chunk for it in first]
        yield tuple(
            "".join(it for it, taken in zip(text, which, strict=True) if taken)
            for which in (before, inside)
        )


def nats_of(model, context, text):
    """Sum of the losses of a text's characters, and their number."""
    symbols = model.vocabulary.encode(context + text)[np.newaxis]
    if symbols.shape[1] < 2:
        return 0.0, 0
    losses = keras.losses.sparse_categorical_crossentropy(
        symbols[:, 1:],
        model.predict_on_batch(symbols[:, :-1]),
        from_logits=True,
    )
    of_text = np.asarray(losses)[0, max(len(context), 1) - 1 :]
    return of_text.sum(), len(of_text)
