"""One network for all media: what goes through what, and the picture of a text."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fgbench.protocol import Medium
from fgbench.train.uniform import Characters, UniformNetwork

SIDE, CLASSES = 32, 5


class Counting(nn.Module):
    """A trunk that keeps the sizes of its batches."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, pictures: Tensor) -> Tensor:
        self.sizes.append(len(pictures))
        return self.scale * pictures.flatten(2).mean(2)


def network(
    vectors: dict[Medium, int] | None = None, centres: tuple[str, ...] = (), softmax: bool = False
) -> UniformNetwork:
    torch.manual_seed(0)
    return UniformNetwork(
        Counting(),
        3,
        CLASSES,
        side=SIDE,
        vectors=vectors or {},
        centres=centres,
        softmax=softmax,
    )


def test_a_text_at_the_papers_size() -> None:
    characters = Characters(448)
    assert [tuple(p.shape) for p in characters.parameters()] == [
        (70, 16),
        (224, 16, 3),
        (224,),
        (448, 224, 3),
        (448,),
        (3, 1, 3, 3),
        (3,),
    ]
    indices = torch.randint(0, 69, (1, 448))
    embedded = characters.embedding(indices)
    # Convolution by hand: a window of three at each place, the text padded with zeros.
    first, second = characters.rows[0], characters.rows[2]
    padded = torch.cat([torch.zeros(1, 1, 16), embedded, torch.zeros(1, 1, 16)], dim=1)
    windows = torch.stack([padded[0, k : k + 3].T for k in range(448)])
    hidden = (torch.einsum("pik,oik->po", windows, first.weight) + first.bias).relu()
    padded = torch.cat([torch.zeros(1, 224), hidden, torch.zeros(1, 224)])
    windows = torch.stack([padded[k : k + 3].T for k in range(448)])
    picture = torch.einsum("pik,oik->op", windows, second.weight) + second.bias[:, None]
    expected = characters.picture(picture[None, None])
    torch.testing.assert_close(characters(indices), expected, atol=1e-4, rtol=1e-4)


def test_columns_are_places_of_a_text() -> None:
    characters = Characters(448)
    indices = torch.randint(1, 69, (1, 448))
    changed = indices.clone()
    changed[0, 100] = indices[0, 100] % 68 + 1
    moved = (characters(indices) != characters(changed)).any(dim=(0, 1, 2)).nonzero().flatten()
    assert moved.min() >= 97
    assert moved.max() <= 103


def test_padding_has_no_gradient() -> None:
    characters = Characters(SIDE)
    characters(torch.zeros(1, 448, dtype=torch.int64)).sum().backward()
    assert characters.embedding.weight.grad is not None
    assert not characters.embedding.weight.grad[0].any()


def test_all_pictures_go_through_the_trunk_as_one_batch() -> None:
    model = network({Medium.AUDIO: 7})
    logits = model(
        {
            Medium.IMAGE: torch.randn(2, 3, SIDE, SIDE),
            Medium.TEXT: torch.randint(0, 69, (3, 448)),
            Medium.VIDEO: torch.randn(4, 3, SIDE, SIDE),
            Medium.AUDIO: torch.randn(5, 7),
        }
    )
    assert isinstance(model.trunk, Counting)
    assert model.trunk.sizes == [9]
    assert {m: tuple(x.shape) for m, x in logits.items()} == {
        Medium.IMAGE: (2, CLASSES),
        Medium.TEXT: (3, CLASSES),
        Medium.VIDEO: (4, CLASSES),
        Medium.AUDIO: (5, CLASSES),
    }


def test_each_medium_gets_its_own_rows() -> None:
    model = network({Medium.AUDIO: 7}).eval()
    inputs = {
        Medium.IMAGE: torch.randn(2, 3, SIDE, SIDE),
        Medium.TEXT: torch.randint(0, 69, (3, 448)),
        Medium.AUDIO: torch.randn(2, 7),
    }
    together = model(inputs)
    for medium, x in inputs.items():
        torch.testing.assert_close(together[medium], model({medium: x})[medium])


def test_a_video_has_the_mean_logits_of_its_frames() -> None:
    model = network().eval()
    frames = torch.randn(2, 25, 3, SIDE, SIDE)
    expected = torch.stack(
        [torch.stack([model({Medium.VIDEO: f[None]})[Medium.VIDEO][0] for f in v]) for v in frames]
    ).mean(1)
    torch.testing.assert_close(model.embed(Medium.VIDEO, frames), expected)


def test_softmax_is_taken_after_the_frames_mean() -> None:
    frames = torch.randn(2, 25, 3, SIDE, SIDE)
    logits = network().eval().embed(Medium.VIDEO, frames)
    found = network(softmax=True).eval().embed(Medium.VIDEO, frames)
    torch.testing.assert_close(found, logits.exp() / logits.exp().sum(1, keepdim=True))


def test_a_path_is_what_gets_a_gradient() -> None:
    inputs = {
        Medium.IMAGE: torch.randn(2, 3, SIDE, SIDE),
        Medium.TEXT: torch.randint(0, 69, (2, 448)),
        Medium.AUDIO: torch.randn(2, 7),
    }
    for media in ({Medium.IMAGE}, {Medium.TEXT}, {Medium.AUDIO}, set(inputs)):
        model = network({Medium.AUDIO: 7}, centres=("center",))
        logits = model({medium: inputs[medium] for medium in media})
        torch.cat([*logits.values()]).square().sum().backward()
        touched = {name for name, p in model.named_parameters() if p.grad is not None}
        path = {id(p) for p in model.path(media)}
        assert touched == {name for name, p in model.named_parameters() if id(p) in path}
