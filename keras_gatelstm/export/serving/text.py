"""Signatures of character models, from text to text or scores."""

from collections.abc import Sequence

import tensorflow as tf

from keras_gatelstm.core.loops import Loop, run_by_keras
from keras_gatelstm.core.types import Tensor
from keras_gatelstm.export import time_loops
from keras_gatelstm.export.memories import memory_specs, with_explicit_state
from keras_gatelstm.export.serving.signatures import (
    Served,
    by_batch_size,
    masked,
)

# Read in place of an empty text.
LINE_BREAK = "\n"


class TextModel:
    """A model from symbols `(batch, time)` to logits `(batch, time, symbols)`.

    Args:
        served: The model.
        vocabulary: A character for each symbol, in order. The first stands
            for all unknown characters and is never written.

    Raises:
        ValueError: if the model has other inputs or outputs, or the
            vocabulary does not fit it.
    """

    def __init__(self, served: Served, vocabulary: Sequence[str]) -> None:
        _check_vocabulary(served, vocabulary)
        self.served = served
        self.vocabulary = list(vocabulary)
        symbols = len(self.vocabulary)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                self.vocabulary[1:],
                tf.range(1, symbols, dtype=tf.int32),
            ),
            default_value=0,
        )
        self.memories = memory_specs(served.model)

    def generate(self) -> tf.types.experimental.PolymorphicFunction:
        """Return the signature that continues texts."""
        some, warm, same = tf.constant(200), tf.constant(0.8), tf.constant(0)

        def generate(
            text: Tensor,
            length: Tensor = some,
            temperature: Tensor = warm,
            seed: Tensor = same,
        ) -> dict[str, Tensor]:
            symbols, lengths = self._read(text)
            valid = {symbols.ref(): _valid_steps(symbols, lengths)}
            logits, memories = self._run(symbols, masked(run_by_keras, valid))
            logits = tf.gather(logits, lengths - 1, batch_dims=1)
            written = self._write(logits, memories, length, temperature, seed)
            characters = tf.gather(tf.constant(self.vocabulary), written)
            return {"text": tf.strings.reduce_join(characters, axis=1)}

        signature = [
            tf.TensorSpec([None], tf.string, name="text"),
            tf.TensorSpec([], tf.int32, name="length"),
            tf.TensorSpec([], tf.float32, name="temperature"),
            tf.TensorSpec([], tf.int32, name="seed"),
        ]
        return tf.function(generate, input_signature=signature, autograph=False)

    def score(self) -> tf.types.experimental.PolymorphicFunction:
        """Return the signature that scores texts in nats per character.

        The first character is not scored; a text of one scores 0.
        """

        def score(text: Tensor) -> dict[str, Tensor]:
            symbols, lengths = self._read(text)
            guessed = _valid_steps(symbols, lengths)[:, 1:]
            logits, _ = self._run(symbols, by_batch_size)
            nats = tf.nn.sparse_softmax_cross_entropy_with_logits(
                symbols[:, 1:], logits[:, :-1]
            )
            total = tf.reduce_sum(tf.where(guessed, nats, 0.0), axis=1)
            count = tf.cast(lengths - 1, tf.float32)
            return {"nats_per_character": tf.math.divide_no_nan(total, count)}

        signature = [tf.TensorSpec([None], tf.string, name="text")]
        return tf.function(score, input_signature=signature, autograph=False)

    def _read(self, texts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the symbols of texts, `(batch, time)`, and their lengths."""
        empty = tf.equal(tf.strings.length(texts), 0)
        texts = tf.where(empty, LINE_BREAK, texts)
        characters = tf.strings.unicode_split(texts, "UTF-8", errors="replace")
        lengths = tf.cast(characters.row_lengths(), tf.int32)
        return self.table.lookup(characters.to_tensor("")), lengths

    def _run(
        self,
        symbols: Tensor,
        loop: Loop,
        before: dict[str, Tensor] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the logits, in float32, and the memories after."""
        rows = tf.shape(symbols)[0]
        if before is None:
            before = {
                name: tf.zeros((rows, spec.size), spec.dtype)
                for name, spec in self.memories.items()
            }
        after: dict[str, Tensor] = {}
        outputs = self.served.run(
            [symbols], with_explicit_state(loop, before, after)
        )
        (logits,) = outputs.values()
        return tf.cast(logits, tf.float32), after

    def _write(
        self,
        logits: Tensor,
        memories: dict[str, Tensor],
        length: Tensor,
        temperature: Tensor,
        seed: Tensor,
    ) -> Tensor:
        """Draw symbols one after the other, `(batch, length)`."""
        rows = tf.shape(logits)[0]
        length = tf.maximum(length, 0)
        written = tf.TensorArray(tf.int32, length, element_shape=[None])

        def write_one(
            place: Tensor,
            logits: Tensor,
            written: tf.TensorArray,
            *memories: Tensor,
        ) -> tuple[Tensor | tf.TensorArray, ...]:
            symbol = _draw(logits, temperature, [seed, place])
            before = dict(zip(self.memories, memories, strict=True))
            logits, after = self._run(
                symbol[:, tf.newaxis], time_loops.next_step, before
            )
            written = written.write(place, symbol)
            following = (after[name] for name in self.memories)
            return place + 1, logits[:, 0], written, *following

        _, _, written, *_ = tf.while_loop(
            lambda place, *_: place < length,
            write_one,
            [tf.constant(0), logits, written, *memories.values()],
            maximum_iterations=length,
        )
        symbols = tf.reshape(written.stack(), [length, rows])
        return tf.transpose(symbols)


def _draw(logits: Tensor, temperature: Tensor, seed: list[Tensor]) -> Tensor:
    """Draw a symbol for each row; at temperature 0, the most likely."""
    known = logits[:, 1:]
    scaled = known / tf.maximum(temperature, 1e-6)
    drawn = tf.random.stateless_categorical(
        scaled, 1, seed=tf.stack(seed), dtype=tf.int32
    )[:, 0]
    likeliest = tf.argmax(known, axis=1, output_type=tf.int32)
    return 1 + tf.where(temperature > 0, drawn, likeliest)


def _valid_steps(symbols: Tensor, lengths: Tensor) -> Tensor:
    return tf.sequence_mask(lengths, tf.shape(symbols)[1])


def _check_vocabulary(served: Served, vocabulary: Sequence[str]) -> None:
    model = served.model
    inputs, outputs = model.inputs, model.outputs
    if (
        len(inputs) != 1
        or len(outputs) != 1
        or len(inputs[0].shape) != 2
        or len(outputs[0].shape) != 3
        or "int" not in inputs[0].dtype
    ):
        raise ValueError(
            "a model with a vocabulary must take symbols, integers of shape "
            "(batch, time), and give logits, (batch, time, symbols). "
            f"Received: {[(it.dtype, it.shape) for it in inputs]} to "
            f"{[(it.dtype, it.shape) for it in outputs]}"
        )
    symbols = outputs[0].shape[-1]
    known = set(vocabulary)
    if len(vocabulary) != symbols or len(known) != symbols:
        raise ValueError(
            "vocabulary must have a character for each of the model's "
            f"{symbols} symbols, each once. Received: {len(vocabulary)} "
            f"characters, {len(known)} different ones"
        )
