"""MCSM: its spaces and their fusion against slow forms, who moves what, and what its options do."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_parts import draw_parts
from tiny_runs import differing_choices

from fgbench import benchmark as benchmarks
from fgbench.baselines.mcsm import Mcsm, McsmConfig, Ranges, drawn_hinges
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.scoring.score import score
from fgbench.submission import Space, read_submission
from fgbench.train.hardware import Hardware
from fgbench.train.method import Batch, Budget
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run
from fgbench.train.terms import draw_others

I, T, A = Medium.IMAGE, Medium.TEXT, Medium.AUDIO  # noqa: E741
SMALL = McsmConfig(
    width=6, word_width=5, channels=(4, 3), kernels=(3, 3), pools=(2, 1), states=4, rows=12,
    epochs=1, dropout=0.0,
)  # fmt: skip
DATA = draw_parts()
CPU = Hardware(device="cpu")


def build(config=SMALL, seed=0, data=DATA):
    torch.manual_seed(seed)
    return Mcsm().build(data, config)


def take(medium, places=slice(None), data=DATA):
    places = np.arange(len(data.train[medium]))[places]
    return data.train[medium].inputs.take(places).each(torch.from_numpy)


def draw_batch(seed=0):
    """The first step of the method's own sampler."""
    step = next(
        iter(Mcsm().stages(DATA, SMALL)[0].batches(DATA.train, np.random.default_rng(seed)))
    )
    return Batch(
        {m: take(m, places) for m, places in step.items()},
        {m: torch.from_numpy(DATA.train[m].labels[places]) for m, places in step.items()},
        0.5,
        lambda rows: rows,
    )


def player(config=SMALL):
    (found,) = Mcsm().stages(DATA, config)[0].players
    return found


def unit(rows):
    rows = rows.detach().double().numpy()
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), n=st.integers(1, 7), margin=st.floats(0, 2))
def test_the_hinges_are_those_of_the_loops(seed, n, margin):
    rng = np.random.default_rng(seed)
    scores = torch.from_numpy(rng.normal(size=(n, n)))
    labels = torch.from_numpy(rng.integers(3, size=n))
    torch.manual_seed(seed)
    found = drawn_hinges(scores, labels, margin)
    torch.manual_seed(seed)
    expected = 0.0
    for i, j in zip(*draw_others(labels), strict=True):
        expected += max(0.0, margin + float(scores[i, j] - scores[i, i]))
    for i, j in zip(*draw_others(labels), strict=True):
        expected += max(0.0, margin + float(scores[j, i] - scores[i, i]))
    assert found.item() == pytest.approx(expected / n)


def test_a_term_is_the_hinges_of_one_space():
    model, batch = build().eval(), draw_batch()
    torch.manual_seed(1)
    terms = player().losses(model, batch)
    torch.manual_seed(1)
    for medium, other in ((I, T), (T, I)):
        own = unit(model.sequences[medium](batch.inputs[medium]))
        theirs = unit(model.vectors[other](batch.inputs[other].vectors))
        scores = torch.from_numpy(own @ theirs.T)
        expected = drawn_hinges(scores, batch.labels[medium], SMALL.margin)
        assert terms[medium.value].item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("medium", [I, T])
def test_what_lies_behind_an_item_changes_nothing(medium):
    model, inputs = build(replace(SMALL, pools=(2, 3))).eval(), take(medium)
    together = model.sequences[medium](inputs)
    for row in range(8):
        alone = take(medium, [row])
        count = int(alone.counts)
        cut = alone._replace(parts=alone.parts[:, :count])
        torch.testing.assert_close(model.sequences[medium](cut)[0], together[row])


@pytest.mark.parametrize("medium", [I, T])
def test_attention_is_that_of_the_loops(medium):
    attended, parts = build().sequences[medium].eval(), take(medium, slice(6))
    steps = attended.local(parts._replace(parts=attended.parts(parts)))
    states = attended.out(attended.recurrent(steps.parts, steps.counts))
    looked = attended.look(states).detach().double().numpy()
    by = attended.weigh[2].weight[0].detach().double().numpy()
    for row, found in enumerate(attended(parts)):
        each = [np.exp(by @ np.tanh(looked[row, at])) for at in range(int(steps.counts[row]))]
        mixed = sum(w * states[row, at].detach().double() for at, w in enumerate(each))
        torch.testing.assert_close(found.double(), mixed / mixed.norm(), rtol=1e-4, atol=1e-5)


def test_the_sides_differ_as_released():
    model = build(replace(SMALL, standardise=True))
    kinds = {m: [type(layer).__name__ for layer in model.vectors[m]] for m in (I, T)}
    assert kinds == {I: ["Standardise", "Linear", "Sigmoid"], T: ["Standardise", "Linear"]}
    assert isinstance(model.sequences[T].look, torch.nn.Identity)
    assert isinstance(model.sequences[I].look, torch.nn.Linear)
    plain = build(replace(SMALL, squash=False))
    assert [type(layer).__name__ for layer in plain.vectors[I]] == ["Linear"]


@pytest.mark.parametrize("medium", [I, T])
def test_a_space_s_term_moves_that_space_alone(medium):
    model = build()
    player().losses(model, draw_batch())[medium.value].backward()
    mine = {f"sequences.{medium}", f"vectors.{T if medium is I else I}"}
    for name, parameter in model.named_parameters():
        moves = parameter.grad is not None and bool(parameter.grad.any())
        assert moves == (".".join(name.split(".")[:2]) in mine), name


def test_gradients_are_right():
    config = replace(SMALL, width=2, channels=(2,), kernels=(3,), pools=(2,), states=2, margin=9.0)
    model, batch = build(config).double(), draw_batch()
    inputs = {I: batch.inputs[I].each(lambda of: of.double() if of.is_floating_point() else of)}
    inputs[T] = batch.inputs[T]._replace(vectors=batch.inputs[T].vectors.double())
    batch = replace(batch, inputs=inputs)
    weights = {n: p for n, p in model.named_parameters() if "embedding" not in n}

    def lowered(*values):
        torch.manual_seed(0)  # the same draws
        named = dict(zip(weights, values, strict=True))
        with torch.nn.utils.stateless._reparametrize_module(model, named):
            return sum(player(config).losses(model, batch).values())

    assert torch.autograd.gradcheck(lowered, tuple(weights.values()), fast_mode=True)


def slow_fusion(config, first, second, ranges):
    """Cell by cell."""
    fused = np.zeros(first.shape)
    for i, j in np.ndindex(*first.shape):
        shares = []
        for scores, measured in ((first, ranges[0]), (second, ranges[1])):
            low, high = measured
            if config.ranges is Ranges.ROWS:
                low, high = min(scores[i]), max(scores[i])
            shares.append((scores[i, j] - low) / (high - low) if high > low else scores[i, j] - low)
        w = config.weight
        fused[i, j] = w * shares[0] * second[i, j] + (1 - w) * shares[1] * first[i, j]
    return fused


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 999),
    ranges=st.sampled_from(Ranges),
    weight=st.sampled_from([0.0, 0.3, 0.5]),
    texts=st.integers(1, 4),
)
def test_the_fusion_is_that_of_the_loops_and_symmetric(seed, ranges, weight, texts):
    config = replace(SMALL, ranges=ranges, weight=weight)
    model, rng = build(config), np.random.default_rng(seed)
    model.ranges.copy_(torch.tensor([[-0.5, 1.5], [-2.0, 0.25]]))
    images, words = (rng.normal(size=(n, 4)).astype(np.float32) for n in (3, texts))
    compare = Mcsm().similarity(config, model)
    found = compare((I, images), (T, words))
    first, second = images[:, :2] @ words[:, 2:].T, images[:, 2:] @ words[:, :2].T
    expected = slow_fusion(config, first, second, model.ranges.tolist())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(compare((T, words), (I, images)), found.T)
    if ranges is Ranges.TRAINING:  # whatever other texts there are
        alone = compare((I, images), (T, words[:1]))
        np.testing.assert_allclose(alone, found[:, :1], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        compare((I, images), (I, images)), images[:, 2:] @ images[:, 2:].T, rtol=1e-5
    )


def test_an_embedding_is_the_item_in_both_spaces():
    model, inputs = build().eval(), take(T)
    rows = Mcsm().embed(model, T, inputs)
    own, there = unit(model.sequences[T](inputs)), unit(model.vectors[T](inputs.vectors))
    np.testing.assert_allclose(rows.detach(), np.hstack([own, there]), rtol=1e-4, atol=1e-5)


def test_the_ranges_are_those_of_all_training_items():
    model = build().eval()
    (stage,) = Mcsm().stages(DATA, SMALL)[1:]
    assert (stage.epochs, stage.players) == (0, ())
    with torch.no_grad():
        stage.before(model, lambda m: iter([take(m, slice(7)), take(m, slice(7, None))]))
        rows = {m: Mcsm().embed(model, m, take(m)).double() for m in (I, T)}
    for place, (own, other) in enumerate(((I, T), (T, I))):
        scores = rows[own][:, :6] @ rows[other][:, 6:].T
        expected = [scores.min().item(), scores.max().item()]
        assert model.ranges[place].tolist() == pytest.approx(expected, rel=1e-4)
    assert len(Mcsm().stages(DATA, replace(SMALL, ranges=Ranges.ROWS))) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 0},
        {"pools": (0, 2)},
        {"kernels": (3,)},
        {"channels": (), "kernels": (), "pools": ()},
        {"dropout": 1.0},
        {"weight": 1.5},
        {"margin": -0.1},
        {"rate": 0.0},
        {"epochs": 0},
    ],
)
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(ValueError, match=r"below|equally many|no share"):
        replace(SMALL, **wrong)


def test_the_forms_differ_in_what_the_release_does_otherwise():
    assert differing_choices("mcsm") == {"width", "ranges"}


def run(out, data, form="paper", **overrides):
    made = Run(Recipe.choose("mcsm", Form(form), Budget.TINY, overrides), data, out, CPU)
    made.train()
    path = made.embed()
    items = {m: benchmarks.Items(of.ids, of.labels) for m, of in data.test.items()}
    return path, score(path, benchmarks.Benchmark("small", "Small", items, "split"), draws=2).record


@pytest.mark.parametrize("form", ["paper", "released"])
def test_a_tiny_run_learns_and_scores(form, tmp_path):
    data = draw_parts(train=20, test=8)
    path, record = run(tmp_path / "one", data, form, rate="0.003")
    again, _ = run(tmp_path / "two", data, form, rate="0.003")
    assert path.read_bytes() == again.read_bytes()
    with read_submission(path) as submission:
        assert (submission.space, submission.media) == (Space.SCORES, (I, T))
    for task in ("i2t", "t2i"):
        assert record.scores[task].map > 0.6  # three classes: chance is near 0.4
    lines = (tmp_path / "one" / "pairs" / "image_text" / "log.csv").read_text().splitlines()
    header, rows = lines[0].split(","), [line.split(",") for line in lines[1:]]
    for term in ("spaces.image", "spaces.text"):
        values = [float(row[header.index(term)]) for row in rows if row[header.index(term)]]
        assert values[-1] < 0.8 * values[0]


def test_it_extends_to_every_two_media(tmp_path):
    data = draw_parts(media=(I, T, A))
    path, record = run(tmp_path, data, extended="true", epochs="1")
    assert record.complete
    with read_submission(path) as submission:
        assert (submission.space, submission.media) == (Space.SCORES, (I, T, A))
