"""UNCSM: its terms and its metric against slow forms, who moves when, and how items compare."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from two_media import draw_dataset

from fgbench import benchmark as benchmarks
from fgbench.baselines import uncsm
from fgbench.baselines.uncsm import Bend, Score, Uncsm, UncsmConfig, dissimilar
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.scoring.score import score
from fgbench.submission import Space, read_submission
from fgbench.train.forms import load_form
from fgbench.train.hardware import Hardware
from fgbench.train.learner import Losses
from fgbench.train.method import Batch, Budget
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run

I, T = Medium.IMAGE, Medium.TEXT  # noqa: E741
SMALL = UncsmConfig(widths=(7, 5), rows=12, epochs=(1, 1, 1, 1), metric_widths=(6, 4), dropout=0.0)
MOVES = {
    "pretraining": {"pathways"},
    "fine-tuning": {"pathways"},
    "metric": {"metric"},
    "unified": {"pathways", "metric"},
}
seeds = st.integers(0, 99)


def build(config=SMALL, seed=0, data=None):
    torch.manual_seed(seed)
    return Uncsm().build(data or draw_dataset(), config)


def stages(config=SMALL, data=None):
    return {stage.name: stage for stage in Uncsm().stages(data or draw_dataset(), config)}


def take(data, places):
    return Batch(
        {m: torch.from_numpy(data.train[m].inputs.take(of)) for m, of in places.items()},
        {m: torch.from_numpy(data.train[m].labels[of]) for m, of in places.items()},
        0.5,
        lambda rows: rows,
    )


def draw_batch(seed=0, data=None):
    """The first step of the method's own sampler."""
    data = data or draw_dataset()
    sampler = stages()["metric"].batches
    return take(data, next(iter(sampler(data.train, np.random.default_rng(seed)))))


def pair_of_classes():
    """A batch of two rows, of two classes: whatever is drawn, there is but one choice."""
    data = draw_dataset()
    first = {m: [np.flatnonzero(of.labels == c)[0] for c in (0, 1)] for m, of in data.train.items()}
    return take(data, {m: np.array(places) for m, places in first.items()})


def lower(name, model, batch, config=SMALL):
    (player,) = stages(config)[name].players
    return player.losses(model, batch)


def represent(model, batch):
    return [model.pathways[m](rows).detach().double().numpy() for m, rows in batch.inputs.items()]


def squared(x, y):
    return sum((p - q) ** 2 for p, q in zip(x, y, strict=True))


def slow_contrastive(a, b, labels, margin):
    total = 0.0
    for x, own in zip(a, labels, strict=True):
        for y, other in zip(b, labels, strict=True):
            d = math.sqrt(squared(x, y))
            total += d**2 if own == other else max(0.0, margin - d) ** 2
    return total / (2 * len(a))


def slow_triplets(a, b, labels, margin):
    """What is expected of triples drawn: of each anchor the mean over all its triples."""
    total = 0.0
    for xs, ys in ((a, b), (b, a)):
        for x, own in zip(xs, labels, strict=True):
            near = [squared(x, y) for y, c in zip(ys, labels, strict=True) if c == own]
            far = [squared(x, y) for y, c in zip(ys, labels, strict=True) if c != own]
            hinges = [max(0.0, margin + n - f) for n in near for f in far]
            total += sum(hinges) / len(hinges) / len(xs)
    return total


def slow_logits(metric, x, y):
    """Of one pair, by the whole first layer at once."""
    mean, spread = (of.double().numpy() for of in (metric.scale.mean, metric.scale.deviation))
    x, y = (x - mean) / spread, (y - mean) / spread
    first, second, third = (
        layer for layer in (metric.first, *metric.rest) if hasattr(layer, "bias")
    )
    values = np.concatenate([x, y, abs(x - y), x * y])
    for layer in (first, second, third):
        values = layer.weight.detach().double().numpy() @ values + layer.bias.detach().numpy()
        values = values if layer is third else np.maximum(values, 0)
    return values


def slow_likeness(metric, a, b, places):
    """The mean cross-entropy of each row with its partner, similar, and with its place's, not."""
    total = 0.0
    for x, y, place in zip(a, b, places, strict=True):
        for other, truth in ((y, 1), (b[place], 0)):
            logits = slow_logits(metric, x, other)
            total += math.log(sum(math.exp(v - logits[truth]) for v in logits))
    return total / (2 * len(a))


def slow_nearest(a, b, labels):
    found = []
    for x, own in zip(a, labels, strict=True):
        gaps = [(squared(x, y), at) for at, y in enumerate(b) if labels[at] != own]
        found.append(min(gaps)[1])
    return found


@settings(max_examples=20, deadline=None)
@given(seed=seeds, margin=st.floats(0, 4), standardise=st.booleans())
def test_the_contrastive_loss_is_the_slow_one(seed, margin, standardise):
    config = replace(SMALL, contrastive_margin=margin, standardise=standardise)
    model, batch = build(config, seed), draw_batch(seed)
    terms = lower("pretraining", model, batch, config)
    expected = slow_contrastive(*represent(model, batch), batch.labels[I].tolist(), margin)
    assert set(terms) == {"contrastive"}
    assert terms["contrastive"].item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@settings(max_examples=10, deadline=None)
@given(seed=seeds, margin=st.floats(0, 4))
def test_triplets_of_both_directions_come_to_what_the_slow_form_expects(seed, margin):
    config = replace(SMALL, triplet_margin=margin, triples=2000)
    model, batch = build(config, seed), draw_batch(seed)
    terms = lower("fine-tuning", model, batch, config)
    expected = slow_triplets(*represent(model, batch), batch.labels[I].tolist(), margin)
    assert set(terms) == {"triplets"}
    assert terms["triplets"].item() == pytest.approx(expected, rel=0.05, abs=0.05)


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_triplets_without_a_choice_are_exact(seed):
    model, batch = build(seed=seed), pair_of_classes()
    expected = slow_triplets(*represent(model, batch), [0, 1], SMALL.triplet_margin)
    found = lower("fine-tuning", model, batch)["triplets"].item()
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)


def measured(seed=0, config=SMALL):
    """A network whose metric has taken its moments."""
    data, model = draw_dataset(), build(config, seed)
    with torch.no_grad():
        stages(config)["metric"].before(
            model, lambda m: iter(torch.from_numpy(data.train[m].inputs.rows).split(7))
        )
    return model


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_the_metric_s_loss_is_the_slow_one(seed):
    config = replace(SMALL, hardest=1.0)
    model, batch = measured(seed, config), draw_batch(seed)
    a, b = represent(model, batch)
    terms = lower("metric", model, batch, config)
    expected = slow_likeness(model.metric, a, b, slow_nearest(a, b, batch.labels[I].tolist()))
    assert set(terms) == {"metric"}
    assert terms["metric"].item() == pytest.approx(expected, rel=1e-4)
    random = lower("metric", model, pair_of_classes())["metric"].item()
    one = represent(model, pair_of_classes())
    assert random == pytest.approx(slow_likeness(model.metric, *one, [1, 0]), rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, rows=st.integers(2, 12), classes=st.integers(2, 4), share=st.floats(0, 1))
def test_dissimilar_pairs_are_of_two_classes_and_their_share_the_nearest(
    seed, rows, classes, share
):
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=(rows, 3)) for _ in range(2))
    labels = np.resize(np.arange(classes), rows)
    torch.manual_seed(seed)
    found = dissimilar(*map(torch.from_numpy, (a, b, labels)), share).tolist()
    assert len(found) == rows
    assert all(labels[place] != own for place, own in zip(found, labels, strict=True))
    count = round(share * rows)
    assert found[:count] == slow_nearest(a, b, labels)[:count]


def test_random_partners_are_any_of_another_class():
    labels = torch.tensor([0, 0, 1, 2])
    rows = torch.zeros(4, 2)
    found = [dissimilar(rows, rows, labels, 0.0).tolist() for _ in range(100)]
    assert [set(of) for of in zip(*found, strict=True)] == [{2, 3}, {2, 3}, {0, 1, 3}, {0, 1, 2}]


@pytest.mark.parametrize("bend", Bend)
@pytest.mark.parametrize("name", ["pretraining", "unified"])
def test_gradients_are_right(name, bend):
    config = replace(SMALL, widths=(3, 2), metric_widths=(3, 2), triplet_margin=9.0, bend=bend)
    losses, batch = Losses(measured(config=config).double()), pair_of_classes()
    batch = replace(batch, inputs={m: rows.double() for m, rows in batch.inputs.items()})
    (player,) = stages(config)[name].players
    weights = dict(losses.named_parameters())

    def lowered(*values):
        named = dict(zip(weights, values, strict=True))
        return sum(torch.func.functional_call(losses, named, (player, batch)).values())

    assert torch.autograd.gradcheck(lowered, tuple(weights.values()))


@pytest.mark.parametrize("name", MOVES)
def test_each_stage_moves_its_own_parts(name):
    model, batch = measured(), draw_batch()
    (player,) = stages()[name].players
    before = {part: value.clone() for part, value in model.state_dict().items()}
    optimiser = player.optimiser(player.parameters(model))
    sum(player.losses(model, batch).values()).backward()
    optimiser.step()
    moved = {
        part.partition(".")[0]
        for part, value in model.state_dict().items()
        if not torch.equal(value, before[part])
    }
    assert moved == MOVES[name]


def test_the_stages_follow_one_another():
    found = stages(replace(SMALL, epochs=(4, 3, 2, 1), rates=(0.4, 0.3, 0.2, 0.1)))
    assert list(found) == list(MOVES)
    assert [stage.epochs for stage in found.values()] == [4, 3, 2, 1]
    rates = [
        player.optimiser(player.parameters(build())).param_groups[0]["lr"]
        for stage in found.values()
        for player in stage.players
    ]
    assert rates == [0.4, 0.3, 0.2, 0.1]


@pytest.mark.parametrize("name", MOVES)
def test_a_step_of_one_class_teaches_nothing(name):
    data = draw_dataset(classes=1)
    model = build(data=data)
    terms = lower(name, model, draw_batch(data=data))
    sum(terms.values()).backward()
    assert all(term == 0 for term in terms.values())
    assert not any(p.grad.any() for p in model.parameters())


def test_the_metric_sees_z_scores_of_both_media_together():
    data, model = draw_dataset(), measured()
    rows = [model.pathways[m](torch.from_numpy(of.inputs.rows)) for m, of in data.train.items()]
    both = torch.cat(rows).detach().double()
    torch.testing.assert_close(model.metric.scale.mean, both.mean(0).float())
    torch.testing.assert_close(model.metric.scale.deviation, both.std(0, correction=0).float())
    assert stages(replace(SMALL, metric_standardise=False))["metric"].before is None


@pytest.mark.parametrize("pairs", [1, 12, uncsm.PAIRS])
def test_two_media_are_compared_by_the_metric(pairs, monkeypatch):
    monkeypatch.setattr(uncsm, "PAIRS", pairs)
    model = measured().eval()
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(n, 5)).astype(np.float32) for n in (4, 6))
    similar = Uncsm().similarity(SMALL, model)
    odds = [[np.diff(slow_logits(model.metric, x, y))[0] for y in b] for x in a]
    np.testing.assert_allclose(similar((I, a), (T, b)), odds, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(similar((T, b), (I, a)), np.transpose(odds), rtol=1e-4, atol=1e-5)


def test_items_of_one_medium_are_compared_by_the_cosine():
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(n, 5)) for n in (4, 6))
    similar = Uncsm().similarity(SMALL, build().eval())
    found = similar((T, a.astype(np.float32)), (T, b.astype(np.float32)))
    expected = [[x @ y / (np.linalg.norm(x) * np.linalg.norm(y)) for y in b] for x in a]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"widths": ()},
        {"widths": (3, 0)},
        {"rows": 0},
        {"epochs": (1, 1, -1, 1)},
        {"rates": (1.0, 0.0, 1.0, 1.0)},
        {"triplet_margin": -0.1},
        {"weight_decay": -1.0},
        {"dropout": 1.0},
        {"hardest": 1.1},
    ],
)
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(ValueError, match=r"below|above|outside"):
        replace(SMALL, **wrong)


def test_the_form_is_the_default():
    assert load_form("uncsm", Form.PAPER) == UncsmConfig()
    tiny = load_form("uncsm", Form.PAPER, Budget.TINY)
    assert tiny.epochs == (1, 1, 1, 1)


class Stopped(Exception):
    """Stands in for what may end a run."""


def run(out, data=None, stop=1.0, **overrides):
    """A run of the tiny budget, up to that share of its training."""

    def progress(part):
        if part > stop:
            raise Stopped

    recipe = Recipe.choose("uncsm", Form.PAPER, Budget.TINY, overrides)
    found = Run(recipe, data or draw_dataset(), out, Hardware(device="cpu"))
    found.train(progress)
    return found.embed()


@pytest.mark.parametrize("how", Score)
def test_a_tiny_run_leaves_a_submission_and_goes_on_where_it_was_stopped(how, tmp_path):
    whole = run(tmp_path / "whole", score=how.value)
    for stop in (0.4, 0.7):
        with pytest.raises(Stopped):
            run(tmp_path / "parts", stop=stop, score=how.value)
    assert whole.read_bytes() == run(tmp_path / "parts", score=how.value).read_bytes()
    with read_submission(whole) as submission:
        assert submission.space is {Score.METRIC: Space.SCORES, Score.COSINE: Space.PAIRWISE}[how]
        assert submission.media == (I, T)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """Data that can be learnt, and the folders of a run by each score."""
    data = draw_dataset(train=(40, 30), test=(20, 20))
    folders = {}
    for how in Score:
        folders[how] = tmp_path_factory.mktemp(how.value)
        run(
            folders[how],
            data,
            score=how.value,
            rows="20",
            epochs="[4, 2, 5, 1]",
            rates="[0.01, 0.01, 0.03, 0.001]",
        )
    return data, folders


def test_the_objective_of_each_stage_that_begins_anew_falls(learnt):
    log = learnt[1][Score.METRIC] / "pairs" / "image_text" / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for stage, term in (("pretraining", "contrastive"), ("metric", "metric")):
        figures = [line[f"{stage}.{term}"] for line in lines if line.get("stage") == stage]
        assert figures[-1] < 0.9 * figures[0]


@pytest.mark.parametrize("how", Score)
def test_it_learns(how, learnt):
    data, folders = learnt
    items = {m: benchmarks.Items(of.ids, of.labels) for m, of in data.test.items()}
    made = benchmarks.Benchmark("small", "Small", items, "split")
    found = score(folders[how] / "submission.npz", made, draws=2).record.scores
    for task in ("i2t", "t2i"):  # by chance .37, three classes of 20
        assert found[task].map > 0.8
