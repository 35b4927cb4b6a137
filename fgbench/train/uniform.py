"""One network for all media: whatever becomes a picture goes through one trunk.

Source: He, Peng, Xie (ACM MM 2019), sections 3.1 and 3.2, and their released code
(PKU-ICST-MIPL/FGCrossNet_ACMMM2019 at 26ee4de).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from fgbench.protocol import Medium
from fgbench.train.terms import Centres

TOKENS = 70
"""Rows of the characters' embedding, as released: more than either preset's indices."""


class Characters(nn.Module):
    """Texts of indices [b, n] as pictures [b, 3, side, side]: rows are channels, columns places.

    Two 1-D convolutions, the ReLU between them being the released code's alone, and a 2-D one. A
    text of another length than ``side`` is averaged to it; the paper's are both 448.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, 16, padding_idx=0)
        self.rows = nn.Sequential(
            nn.Conv1d(16, side // 2, 3, padding=1),
            nn.ReLU(),
            nn.Conv1d(side // 2, side, 3, padding=1),
            nn.AdaptiveAvgPool1d(side),
        )
        self.picture = nn.Conv2d(1, 3, 3, padding=1)

    def forward(self, indices: Tensor) -> Tensor:
        rows = self.rows(self.embedding(indices).transpose(1, 2))
        picture: Tensor = self.picture(rows[:, None])
        return picture


class Stream(nn.Sequential):
    """What stands for the trunk where a medium comes as vectors [b, d]: standardise, Linear, ReLU.

    Ours: the sources know no features.
    """

    def __init__(self, dimension: int, width: int) -> None:
        super().__init__(
            nn.BatchNorm1d(dimension, affine=False), nn.Linear(dimension, width), nn.ReLU()
        )


class UniformNetwork(nn.Module):
    """Logits [b, K] of inputs of each medium, which are also their embeddings.

    Pictures, frames and texts of a call go through ``trunk`` as one batch, so that its batch norm
    sees all media together; then one Linear for all. ``side``: that of pictures; None: there are
    none. ``vectors``: the dimension of each medium that comes as features. ``centres``: names of
    sets of classes' centres, which the network carries for its losses. ``softmax``: embeddings are
    the classes' probabilities. Channels-last, autocast and compiling the trunk are supported.
    """

    def __init__(
        self,
        trunk: nn.Module,
        width: int,
        classes: int,
        *,
        side: int | None,
        vectors: Mapping[Medium, int],
        centres: Iterable[str],
        softmax: bool,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.characters = Characters(side) if side else None
        self.streams = nn.ModuleDict({m.value: Stream(d, width) for m, d in vectors.items()})
        self.fc = nn.Linear(width, classes)
        self.centres = nn.ModuleDict({name: Centres(classes, classes) for name in centres})
        self.softmax = softmax

    def forward(self, inputs: Mapping[Medium, Tensor]) -> dict[Medium, Tensor]:
        """``inputs``: pictures [b, 3, side, side], indices [b, n] or vectors [b, d].

        Frames of videos [b, f, 3, side, side] get the mean logits of a video.
        """
        wide = {m: self.streams[m](x) for m, x in inputs.items() if m in self.streams}
        pictures = {m: self._draw(m, x) for m, x in inputs.items() if m not in self.streams}
        if pictures:
            together = self.trunk(torch.cat([*pictures.values()]))
            parts = together.split([len(picture) for picture in pictures.values()])
            wide |= zip(pictures, parts, strict=True)
        logits = {medium: self.fc(wide[medium]) for medium in inputs}
        for medium, x in inputs.items():
            if x.dim() == 5:
                logits[medium] = logits[medium].reshape(*x.shape[:2], -1).mean(1)
        return logits

    def embed(self, medium: Medium, inputs: Tensor) -> Tensor:
        """The embeddings [b, K] of inputs of one medium."""
        logits = self({medium: inputs})[medium].float()
        return torch.softmax(logits, dim=1) if self.softmax else logits

    def path(self, media: Iterable[Medium]) -> list[nn.Parameter]:
        """The parameters that inputs of these media pass through."""
        chosen = set(media)
        modules = [self.streams[medium] for medium in sorted(chosen) if medium in self.streams]
        if len(modules) < len(chosen):
            modules.append(self.trunk)
        if self.characters is not None and Medium.TEXT in chosen - set(self.streams):
            modules.append(self.characters)
        return [p for module in (*modules, self.fc) for p in module.parameters()]

    def _draw(self, medium: Medium, inputs: Tensor) -> Tensor:
        if medium is Medium.TEXT and self.characters is not None:
            picture: Tensor = self.characters(inputs)
            return picture
        return inputs.flatten(0, 1) if inputs.dim() == 5 else inputs
