"""Items with parts: what is taken, cut, placed and run through the trainer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
import torch
from small_parts import LONGEST, WORDS, draw_parts
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim import Adam

from fgbench.errors import InputError
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.train.dataset import Dataset, Parts
from fgbench.train.hardware import Device, Hardware
from fgbench.train.inputs import FeatureInputs, as_vectors
from fgbench.train.method import Budget, Facts, Kind, Player, Scope, Stage
from fgbench.train.pairing import ClassPairs
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run
from fgbench.train.sequences import Recurrent, WordVectors, is_there, mean_of_parts
from fgbench.train.source import hold_out

I, T, A = Medium.IMAGE, Medium.TEXT, Medium.AUDIO  # noqa: E741
CPU = Hardware(device=Device.CPU)
DATA = draw_parts(pictures=True)


def test_items_are_taken_with_their_own_parts_and_zeros_behind_them():
    for medium in (I, T):
        inputs = DATA.train[medium].inputs
        ends = np.cumsum(inputs.counts)
        places = np.array([5, 0, 23, 5])
        taken = inputs.take(places)
        assert taken.parts.shape[:2] == (4, LONGEST)
        for row, place in enumerate(places):
            own = inputs.parts[ends[place] - inputs.counts[place] : ends[place]]
            np.testing.assert_array_equal(taken.parts[row, : len(own)], own)
            assert not taken.parts[row, len(own) :].any()
        np.testing.assert_array_equal(taken.vectors, inputs.vectors[places])
    boxes = DATA.train[I].inputs.take(np.array([1])).boxes
    assert boxes.shape == (1, LONGEST, 4)
    assert not boxes[0, DATA.train[I].inputs.counts[1] :].any()
    assert DATA.train[I].inputs.take(np.array([0])).pictures.dtype == np.uint8
    assert DATA.train[T].inputs.take(np.array([0])).boxes is None


def test_some_of_the_items_are_those_items():
    whole, places = DATA.train[T].inputs, np.array([7, 3, 11])
    some = whole.only(places)
    for ours, theirs in zip(some.take(np.arange(3)), whole.take(places), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert len(whole.only(np.array([], np.int64))) == 0
    held = hold_out(DATA)
    place = DATA.train[I].ids.tolist().index(held.test[I].ids[0])
    np.testing.assert_array_equal(
        held.test[I].inputs.take(np.array([0])).parts,
        DATA.train[I].inputs.take(np.array([place])).parts,
    )


def test_without_parts_the_vectors_are_left():
    inputs = DATA.train[I].inputs
    vectors = as_vectors(inputs)
    assert isinstance(vectors, FeatureInputs)
    np.testing.assert_array_equal(vectors.take(np.array([2])), inputs.vectors[[2]])
    assert as_vectors(vectors) is vectors


def tensors(medium, places):
    return DATA.train[medium].inputs.take(np.array(places)).each(torch.from_numpy)


def test_words_have_vectors_and_places_without_one_are_zero():
    words = WordVectors(DATA.train[T].inputs, 5)
    parts = tensors(T, range(6))
    found = words(parts)
    assert found.shape == (6, LONGEST, 5)
    assert torch.equal(found.detach().abs().sum(-1) > 0, is_there(parts))
    for item, row in zip(parts.parts, found, strict=True):
        for word, vector in zip(item, row, strict=True):
            assert torch.equal(vector, words.embedding.weight[word])
    given = np.random.default_rng(0).normal(size=(WORDS, 3)).astype(np.float32)
    started = WordVectors(replace(DATA.train[T].inputs, word_vectors=given), 5)
    assert started.width == 3
    assert torch.equal(started.embedding.weight[4], torch.from_numpy(given[3]))
    regions = WordVectors(DATA.train[I].inputs, 5)
    assert not list(regions.parameters())
    assert torch.equal(regions(tensors(I, [1])), tensors(I, [1]).parts)


@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_an_item_s_states_do_not_depend_on_the_room_behind_it(kind):
    torch.manual_seed(0)
    encoder = Recurrent(kind(6, 3, batch_first=True, bidirectional=True))
    parts = tensors(I, range(5))
    states = encoder(parts.parts, parts.counts)
    for row, count in enumerate(parts.counts.tolist()):
        alone, _ = encoder.layer(parts.parts[row : row + 1, :count])
        expected = (alone[..., :3] + alone[..., 3:]) / 2
        torch.testing.assert_close(states[row : row + 1, :count], expected)
        assert not states[row, count:].any()
    means = mean_of_parts(states, is_there(parts))
    torch.testing.assert_close(means[2], states[2, : parts.counts[2]].mean(0))


@dataclass(frozen=True, slots=True)
class MeansConfig:
    """Of :class:`PartMeans`."""

    epochs: int = 3
    extended: bool = False


class PartMeans:
    """The mean of an item's parts, then a linear map onto the classes."""

    facts = Facts(
        name="toy-parts",
        title="Toy",
        year=2026,
        source="made up",
        scope=Scope.IMAGE_TEXT,
        takes=Kind.PARTS,
        space="scores",
        learns="SGD",
        deviations={},
    )
    Config = MeansConfig

    def build(self, data: Dataset, config):
        return nn.ModuleDict(
            {
                medium: nn.ModuleList(
                    [words := WordVectors(of.inputs, 4), nn.Linear(words.width, 3)]
                )
                for medium, of in data.train.items()
            }
        )

    def stages(self, data, config):
        player = Player("toy", lambda model: [{"params": model.parameters()}], losses, ADAM)
        return [Stage("classes", config.epochs, ClassPairs(6), (player,))]

    def embed(self, model, medium, inputs: Parts):
        words, layer = model[medium]
        assert inputs.pictures is None or inputs.pictures.dtype == torch.float32
        return layer(mean_of_parts(words(inputs), is_there(inputs))).softmax(1)[:, None]

    def similarity(self, config, model):
        return lambda a, b: a[1][:, 0] @ b[1][:, 0].T


ADAM = partial(Adam, lr=0.05)


def losses(model, batch):
    return {
        medium: cross_entropy(
            model[medium][1](mean_of_parts(model[medium][0](of), is_there(of))),
            batch.labels[medium],
        )
        for medium, of in batch.inputs.items()
    }


def run(data, out, config=MeansConfig(), hardware=CPU):
    made = Run(Recipe(PartMeans(), Form.PAPER, Budget.TINY, 0, config), data, out, hardware)
    made.train()
    return made.embed()


def test_a_method_of_images_and_texts_leaves_the_other_media_alone(tmp_path):
    from fgbench import read_submission

    data = draw_parts(media=(I, T, A))
    with read_submission(run(data, tmp_path / "published")) as submission:
        assert set(submission.arrays) == {(I, T)}
    path = run(data, tmp_path / "extended", MeansConfig(extended=True))
    with read_submission(path) as submission:
        assert set(submission.arrays) == {(I, T), (I, A), (T, A), (I, I), (T, T), (A, A)}


def test_slices_of_parts_come_to_what_the_whole_comes_to(tmp_path):
    from fgbench import read_submission

    found = []
    for slices in (1, 2):
        hardware = replace(CPU, slices=slices)
        with read_submission(run(DATA, tmp_path / str(slices), hardware=hardware)) as submission:
            scores = submission.scores(I, T)
            found.append(scores.rows(np.arange(12), np.arange(12)))
    np.testing.assert_allclose(*found, atol=1e-5)


def test_what_it_lacks_is_said(tmp_path):
    with pytest.raises(InputError, match="FG-G046"):
        run(DATA.changed(as_vectors), tmp_path / "a")
    with pytest.raises(InputError, match="FG-G045"):
        run(DATA.only(I), tmp_path / "b")
