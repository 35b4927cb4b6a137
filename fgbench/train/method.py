"""What a method is: facts, a configuration, and either a fit or a network with stages of training.

One file of ``baselines/`` a method. A method does no input or output, knows no command line and no
device, and draws from the generator that it is given. Imports no torch: what is here is loaded by
``fgbench baseline list``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Inputs, Items, Places

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler


class Budget(StrEnum):
    """How long is trained: epochs, never steps. CPU: ten minutes on a few thousand items."""

    TINY = "tiny"
    CPU = "cpu"
    FULL = "full"


class Scope(StrEnum):
    """Which media one model learns together."""

    JOINT = "joint"
    PAIRWISE = "pairwise"
    """Two: a model for each pair, merged by the protocol's rule."""
    IMAGE_TEXT = "image-text"
    """Images and texts alone, as published. With a choice ``extended`` in its Config, and that
    chosen, each two media, as PAIRWISE."""


class Kind(StrEnum):
    """What a method takes of an item."""

    FEATURES = "features"
    """A vector."""
    PARTS = "parts"
    """A vector and its parts, as regions or words: ``fgbench.train.dataset.Parts``."""
    MEDIA = "media"
    """Pixels, characters, a spectrogram."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What ``fgbench baseline list`` says of a method. ``space``: embedding, codes or scores."""

    name: str
    title: str
    year: int
    source: str
    """Authors, venue; the sections that the code cites."""
    scope: Scope
    takes: Kind
    space: str
    learns: str
    """closed form, SGD, GAN, EM."""
    deviations: Mapping[str, str]
    """What is done otherwise than the sources say, or where they are silent, and why."""


class Method(Protocol):
    """A method. ``Config``: a frozen dataclass of every choice, with defaults of the paper's form.

    The forms are YAML files beside the module: ``acmr.paper.yaml``.
    """

    facts: ClassVar[Facts]
    Config: ClassVar[type[Any]]


class Embedder(Protocol):
    """What a fit comes to."""

    def embed(self, medium: Medium, inputs: Inputs) -> NDArray[np.float32]:
        """The embeddings of items [n, d]; of a method of codes ±1."""


Similarity: TypeAlias = Callable[
    [tuple[Medium, NDArray[np.float32]], tuple[Medium, NDArray[np.float32]]], NDArray[np.float32]
]
"""``(query medium, its embeddings [n, d]), (gallery medium, [m, d])`` to similarities [n, m].

Symmetric; higher is nearer. The two media may be one and the same."""


class Compared(Method, Protocol):
    """A method whose embeddings the cosine need not compare. Optional: see ``score_matrices``."""

    def similarity(self, config: Any, model: Module | None) -> Similarity | None:
        """What compares two embeddings of one model; None: the cosine, as the protocol has it.

        ``model``: the network, in eval mode; None of a closed form, and where all that is asked is
        whether the answer is None. Embeddings of such a method may have more axes: [n, …].
        """


class ClosedForm(Method, Protocol):
    """A method without gradient steps."""

    def fit(self, data: Dataset, config: Any, rng: np.random.Generator, log: Log) -> Embedder:
        """Learns from ``data.train``; may use the inputs of ``data.test`` where the method does."""


class Log(Protocol):
    """Takes figures of a run, one line a call."""

    def __call__(self, **figures: float | int | str) -> None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The items of a step, by medium: ``inputs`` [b, …] and ``labels`` [b], on the device.

    Inputs of a method that takes parts are ``Parts`` of tensors.
    ``progress``: 0 to 1, how much of the stage is done. ``gather`` puts a tensor [b, …] of every
    process together [processes·b, …], with its gradient: for losses over pairs of items.
    """

    inputs: Mapping[Medium, Any]
    labels: Mapping[Medium, Tensor]
    progress: float
    gather: Callable[[Tensor], Tensor]


class Sampler(Protocol):
    """Which items come together."""

    def __call__(
        self, items: Mapping[Medium, Items], rng: np.random.Generator
    ) -> Iterator[Mapping[Medium, Places]]:
        """The places of each step of one epoch. All steps have as many rows of a medium."""


@dataclass(frozen=True, slots=True)
class Player:
    """Who learns in a step: what moves, and the terms that it lowers.

    ``losses``: named terms, already weighted; their sum is lowered. A GAN has two players.
    """

    name: str
    parameters: Callable[[Module], Iterable[dict[str, Any]]]
    """Parameter groups, as optimisers take them: what is not in them does not move."""
    losses: Callable[[Module, Batch], Mapping[str, Tensor]]
    optimiser: Callable[[Iterable[dict[str, Any]]], Optimizer]
    schedule: Callable[[Optimizer], LRScheduler] | None = None
    """Stepped at the end of each epoch."""
    repeats: int = 1
    """Updates in a step, on the same batch."""


Whole: TypeAlias = Callable[[Medium], Iterator[Any]]
"""The training items of a medium in their order, as they are tested: inputs [b, …], on the device,
block by block."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the training; its players take turns within each step, in order.

    With 0 epochs it is only what it does ``before``, and needs no players.
    """

    name: str
    epochs: int
    batches: Sampler
    players: tuple[Player, ...]
    media: tuple[Medium, ...] | None = None
    """Those that it learns from; None: all."""
    before: Callable[[Module, Whole], None] | None = None
    """Done once as the stage begins, without gradients, the network in eval mode: as to set buffers
    from all training items. Every process does it."""


class Trained(Method, Protocol):
    """A method that is a network."""

    def build(self, data: Dataset, config: Any) -> Module:
        """The network, its weights drawn from torch's generator."""

    def stages(self, data: Dataset, config: Any) -> Sequence[Stage]:
        """How it is trained."""

    def embed(self, model: Module, medium: Medium, inputs: Any) -> Tensor:
        """Embeddings [n, d] of inputs [n, …] as they are tested; the model is in eval mode."""
