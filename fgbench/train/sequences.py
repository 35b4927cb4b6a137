"""Parts of items as sequences of vectors: words, regions, frames and windows in one form."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from fgbench.train.dataset import Inputs, Parts
from fgbench.train.inputs import PartInputs


def is_there(parts: Parts) -> Tensor:
    """Which of the places [b, n] hold a part; those behind an item's last do not."""
    places = torch.arange(parts.parts.shape[1], device=parts.counts.device)
    found: Tensor = places < parts.counts[:, None]
    return found


class WordVectors(nn.Module):
    """A vector [b, n, width] for each part: of a word its own, learned; of a region the given.

    Words start from the file's word vectors, which give the width, or from U(−.1, .1) (SCAN).
    ``width``: of words without such vectors, and then of these alone. Zeros where no part is.
    """

    def __init__(self, inputs: Inputs, width: int) -> None:
        super().__init__()
        given = cast(PartInputs, inputs)
        self.embedding: nn.Embedding | None = None
        self.width: int = given.shape[1]
        if given.words:
            start = given.word_vectors
            self.width = width if start is None else start.shape[1]
            self.embedding = nn.Embedding(given.words + 1, self.width, padding_idx=0)
            with torch.no_grad():
                if start is None:
                    self.embedding.weight[1:].uniform_(-0.1, 0.1)
                else:
                    self.embedding.weight[1:] = torch.from_numpy(start)

    def forward(self, parts: Parts) -> Tensor:
        found: Tensor = parts.parts if self.embedding is None else self.embedding(parts.parts)
        return found


class Recurrent(nn.Module):
    """States [b, n, width] of a recurrent layer over each item's own parts, zeros behind them.

    ``layer``: a GRU or LSTM with ``batch_first``; the two directions of one that has two are
    averaged, as SCAN has it.
    """

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, vectors: Tensor, counts: Tensor) -> Tensor:
        packed = pack_padded_sequence(vectors, counts.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(
            self.layer(packed)[0], batch_first=True, total_length=vectors.shape[1]
        )
        if self.layer.bidirectional:
            states = torch.stack(states.chunk(2, dim=-1)).mean(0)
        return states


class WordStates(nn.Module):
    """States [b, n, width] of words: a GRU's over their vectors, its two directions averaged.

    ``word_width``: as ``WordVectors`` has it, which of other parts takes the vectors given.
    """

    def __init__(self, inputs: Inputs, word_width: int, width: int) -> None:
        super().__init__()
        self.vectors = WordVectors(inputs, word_width)
        layer = nn.GRU(self.vectors.width, width, batch_first=True, bidirectional=True)
        self.recurrent = Recurrent(layer)

    def forward(self, parts: Parts) -> Tensor:
        states: Tensor = self.recurrent(self.vectors(parts), parts.counts)
        return states


def mean_of_parts(states: Tensor, there: Tensor) -> Tensor:
    """The mean [b, d] of states [b, n, d] over the places [b, n] that hold a part."""
    weights = there.to(states.dtype)
    return (states * weights[..., None]).sum(1) / weights.sum(1)[:, None]
