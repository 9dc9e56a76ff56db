"""Training by several processes, with Keras on JAX.

Every process has all weights, and its own rows of each batch with their
memories. A step is one program of all processes (`jax.shard_map`): each
computes the gradients of its rows, their mean is taken in one all-reduce, and
each makes the same update. Between the steps, Keras's variables hold this
process's copy, so that callbacks work as in one process.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from recipes.data.windows import Batch
from recipes.training.board import Progress
from recipes.training.budget import Budget, Clock
from recipes.training.progress import ShowProgress
from recipes.training.strategy import StepResult
from recipes.training.variables import assign_values, memories

ROWS = "rows"
REPLICATED, SHARDED = PartitionSpec(), PartitionSpec(ROWS)

Values = list[jax.Array]
# Arrays, or partitions of arrays, in lists, tuples and dictionaries.
Tree = Any
Step = Callable[..., Tree]


class State(NamedTuple):
    """Values of a model's variables.

    Args:
        weights: Trainable weights, equal in all processes.
        others: Other variables, equal in all processes.
        optimizer: Variables of the optimizer, equal in all processes.
        memories: Memories of stateful layers, each process's rows.
    """

    weights: Values
    others: Values
    optimizer: Values
    memories: Values


STATE = State(REPLICATED, REPLICATED, REPLICATED, SHARDED)


class DataParallel:
    """Training by all processes of `jax.distributed`.

    Args:
        report: Function that shows the progress, called by the first process;
            it returns whether the training shall stop.

    Attributes:
        rank: Number of this process, from 0.
        processes: Number of processes.
        mesh: Their devices.
    """

    def __init__(self, report: Callable[[Progress], bool]) -> None:
        self.report = report
        self.rank = jax.process_index()
        self.processes = jax.process_count()
        # One device of each process.
        first = {it.process_index: it for it in reversed(jax.devices())}
        devices = [first[process] for process in range(self.processes)]
        self.mesh = Mesh(devices, (ROWS,))
        self._train_step: Step | None = None
        self._test_step: Step | None = None

    def train_on_batch(
        self, model: keras.Model, batch: Batch, clock: Callable[[], Clock]
    ) -> StepResult:
        if self._train_step is None:
            model.optimizer.build(model.trainable_variables)
            self._broadcast(model)
            self._train_step = self._compile(
                train_step(model),
                (STATE, SHARDED, SHARDED, SHARDED),
                (STATE, REPLICATED, REPLICATED),
            )
        variables = variables_of(model)
        state = self._to_global(variables, STATE)
        inputs, targets = self._to_global(batch, SHARDED)
        own = np.array([clock()], np.float32)
        state, loss, agreed = self._train_step(
            state, inputs, targets, self._to_global(own, SHARDED)
        )
        assign(variables, self._to_local(state))
        return StepResult(float(loss), Clock(*np.asarray(agreed).tolist()))

    def test_on_batch(self, model: keras.Model, batch: Batch) -> float:
        if self._test_step is None:
            self._test_step = self._compile(
                test_step(model), (STATE, SHARDED, SHARDED), (STATE, REPLICATED)
            )
        variables = variables_of(model)
        state = self._to_global(variables, STATE)
        inputs, targets = self._to_global(batch, SHARDED)
        state, loss = self._test_step(state, inputs, targets)
        assign(variables, self._to_local(state))
        return float(loss)

    def gather(self, rows: list[np.ndarray]) -> list[np.ndarray]:
        return [
            np.concatenate(multihost_utils.process_allgather(it, tiled=False))
            if self.processes > 1
            else it
            for it in rows
        ]

    @contextmanager
    def watch(self, budget: Budget) -> Iterator[list[keras.callbacks.Callback]]:
        def show(progress: Progress) -> None:
            if self.report(progress):
                budget.stop()

        yield [ShowProgress(budget, show)] if self.rank == 0 else []

    def _broadcast(self, model: keras.Model) -> None:
        """Start with the first process's weights.

        The random numbers of others may differ in their last bits.
        """
        if self.processes > 1:
            weights = [weight.value for weight in model.trainable_variables]
            first = multihost_utils.broadcast_one_to_all(weights)
            assign_values(
                model.trainable_variables, [np.asarray(it) for it in first]
            )

    def _compile(self, step: Step, inputs: Tree, outputs: Tree) -> Step:
        """Compile a step of all processes."""
        return jax.jit(
            jax.shard_map(
                step,
                mesh=self.mesh,
                in_specs=inputs,
                out_specs=outputs,
                # Keras's scans do not say which of their values vary by rows.
                check_vma=False,
            )
        )

    def _to_global(self, values: Tree, specs: Tree) -> Tree:
        """Join this process's values with those of the other processes."""

        def join(
            spec: PartitionSpec, value: jax.Array | keras.Variable
        ) -> jax.Array:
            if isinstance(value, keras.Variable):
                value = value.value
            array = jax.numpy.asarray(value)
            shape = array.shape
            if spec == SHARDED:
                shape = (shape[0] * self.processes, *shape[1:])
            sharding = NamedSharding(self.mesh, spec)
            return jax.make_array_from_single_device_arrays(
                shape, sharding, [array]
            )

        return jax.tree.map(
            lambda spec, part: jax.tree.map(lambda it: join(spec, it), part),
            specs,
            values,
            is_leaf=lambda it: isinstance(it, PartitionSpec),
        )

    def _to_local(self, values: Tree) -> Tree:
        """Return this process's part of values."""
        return jax.tree.map(lambda it: it.addressable_data(0), values)


def variables_of(model: keras.Model) -> State:
    """Return a compiled model's variables, in place of their values."""
    return State(
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        memories(model),
    )


def assign(variables: State, values: State) -> None:
    """Assign values to variables."""
    for some, new in zip(variables, values, strict=True):
        assign_values(some, new)


def train_step(model: keras.Model) -> Step:
    """Return a training step of each process.

    ```
    state, inputs, targets, clock to state, loss, clock
    ```

    The loss, the gradients and the clock become their means in all processes.
    """

    def step(
        state: State, inputs: Tree, targets: jax.Array, clock: jax.Array
    ) -> tuple[State, jax.Array, jax.Array]:
        rank = jax.lax.axis_index(ROWS)
        started = state._replace(others=shift_seeds(model, state.others, rank))

        def cost(weights: Values) -> tuple[jax.Array, State]:
            given = started._replace(weights=weights)
            return forward(model, given, inputs, targets, training=True)

        (loss, after), gradients = jax.value_and_grad(cost, has_aux=True)(
            state.weights
        )
        loss, gradients, agreed = jax.lax.pmean(
            (loss, gradients, clock[0]), ROWS
        )
        weights, optimizer = model.optimizer.stateless_apply(
            state.optimizer, gradients, state.weights
        )
        others = shift_seeds(model, after.others, -rank)
        return (
            State(weights, others, optimizer, after.memories),
            loss,
            agreed,
        )

    return step


def test_step(model: keras.Model) -> Step:
    """Return a validation step of each process.

    ```
    state, inputs, targets to state, loss
    ```
    """

    def step(
        state: State, inputs: Tree, targets: jax.Array
    ) -> tuple[State, jax.Array]:
        loss, after = forward(model, state, inputs, targets, training=False)
        return after, jax.lax.pmean(loss, ROWS)

    return step


def forward(
    model: keras.Model,
    state: State,
    inputs: Tree,
    targets: jax.Array,
    training: bool,
) -> tuple[jax.Array, State]:
    """Compute the loss and the new state, without changing the variables.

    The memories of stateful layers are taken and returned like the others:
    `Model.stateless_call` leaves them out.
    """
    variables = variables_of(model)
    mapping = [
        pair
        for some, values in zip(variables, state, strict=True)
        for pair in zip(some, values, strict=True)
    ]
    with keras.StatelessScope(state_mapping=mapping) as scope:
        outputs = model(inputs, training=training)
        loss = model.compute_loss(inputs, targets, outputs, training=training)
        after = State(
            *(
                [scope.get_current_value(it) for it in some]
                for some in variables
            )
        )
    return loss, after


def shift_seeds(model: keras.Model, values: Values, rank: jax.Array) -> Values:
    """Shift the random seeds by a rank, so that each has its own dropout.

    Args:
        model: The model.
        values: Values of the model's variables that are not trained.
        rank: Number of the process; its negative shifts them back.
    """
    variables = model.non_trainable_variables
    return [
        value.at[0].add(rank.astype(value.dtype))
        if variable.name == "seed_generator_state"
        else value
        for variable, value in zip(variables, values, strict=True)
    ]
