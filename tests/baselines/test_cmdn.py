"""CMDN: its terms against slow forms, what each stage moves, and what its options do."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_runs import differing_choices, run_twice
from two_media import draw_dataset

from fgbench.baselines.cmdn import Cmdn, CmdnConfig, Outputs, Range
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.submission import Space, read_submission
from fgbench.train.dataset import Dataset, Items
from fgbench.train.inputs import FeatureInputs
from fgbench.train.learner import let_move
from fgbench.train.method import Batch, Budget
from fgbench.train.rbm import Visible
from fgbench.train.recipe import Recipe

I, T = Medium.IMAGE, Medium.TEXT  # noqa: E741
SMALL = CmdnConfig(width=8, levels=(6, 4), rows=9, supervised_rows=9, bimodal_rows=9)
RELEASED = replace(SMALL, outputs=Outputs.LOGISTIC, mean_squares=False)
SEEDS = st.integers(0, 99)
STAGES = {
    "autoencoder 1 of image": {"image.encode.0", "image.decode.0"},
    "autoencoder 2 of image": {"image.encode", "image.decode"},
    "rbm 1 of image": {"image.rbms.0"},
    "rbm 2 of image": {"image.rbms.1"},
    "autoencoder 1 of text": {"text.encode.0", "text.decode.0"},
    "autoencoder 2 of text": {"text.encode", "text.decode"},
    "rbm 1 of text": {"text.rbms.0"},
    "rbm 2 of text": {"text.rbms.1"},
    "joint rbm": {"joint"},
    "fusion of image": {"image.fusion"},
    "classes of image": {"image.learn", "image.classify"},
    "fusion of text": {"text.fusion"},
    "classes of text": {"text.learn", "text.classify"},
    "level 1": {"levels.0"},
    "level 2": {"levels.1"},
    "scores": set(),
}
"""What each moves."""


def build(config, seed=0, data=None):
    torch.manual_seed(seed)
    return Cmdn().build(data or draw_dataset(), config)


def stage(config, name, data=None):
    (found,) = (s for s in Cmdn().stages(data or draw_dataset(), config) if s.name == name)
    return found


def inputs(data, medium):
    return torch.from_numpy(data.train[medium].inputs.rows)


def draw_batch(of, data, seed=0, progress=0.0):
    """The first step of a stage's own sampler."""
    items = {m: data.train[m] for m in of.media or data.media}
    step = next(iter(of.batches(items, np.random.default_rng(seed))))
    return Batch(
        {m: inputs(data, m)[places] for m, places in step.items()},
        {m: torch.from_numpy(items[m].labels[places]) for m, places in step.items()},
        progress,
        lambda rows: rows,
    )


def learn(model, of, data, epochs):
    """A stage as it is run, but for so many epochs of full rate; the terms of each epoch."""
    model.eval()
    with torch.no_grad():
        if of.before:
            of.before(model, lambda medium: iter(inputs(data, medium).split(7)))
    if not of.players:
        return []
    (player,) = of.players
    groups = [{**group, "params": list(group["params"])} for group in player.parameters(model)]
    let_move(model, [p for group in groups for p in group["params"]])
    optimiser = player.optimiser(groups)
    rng, found = np.random.default_rng(0), []
    items = {m: data.train[m] for m in of.media or data.media}
    for _ in range(epochs):
        for step in of.batches(items, rng):
            batch = Batch(
                {m: inputs(data, m)[places] for m, places in step.items()},
                {m: torch.from_numpy(items[m].labels[places]) for m, places in step.items()},
                0.0,
                lambda rows: rows,
            )
            optimiser.zero_grad()
            terms = player.losses(model, batch)
            torch.stack(list(terms.values())).sum().backward()
            optimiser.step()
        found.append({name: term.item() for name, term in terms.items()})
    return found


def layer(module, row):
    """A linear layer of one row, by loops."""
    weight = module.weight.tolist()
    bias = [0.0] * len(weight) if module.bias is None else module.bias.tolist()
    return [
        b + sum(w * x for w, x in zip(ws, row, strict=True))
        for ws, b in zip(weight, bias, strict=True)
    ]


def sigmoid(row):
    return [1 / (1 + math.exp(-x)) for x in row]


def relu(row):
    return [max(0.0, x) for x in row]


def half_squares(config, given_back, row):
    total = sum((x - y) ** 2 for x, y in zip(given_back, row, strict=True)) / 2
    return total / len(row) if config.mean_squares else total


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, at=st.integers(0, 1), released=st.booleans())
def test_the_autoencoder_s_term_is_the_slow_one(seed, at, released):
    config, data = RELEASED if released else SMALL, draw_dataset()
    model, of = build(config, seed).double(), stage(config, f"autoencoder {at + 1} of image")
    batch = draw_batch(of, data, seed)
    batch = replace(batch, inputs={I: batch.inputs[I].double()})
    found = of.players[0].losses(model, batch)["reconstruction"]
    stream, total = model.stream(I), 0.0
    for row in stream.enter(batch.inputs[I]).tolist():
        code = relu(layer(stream.encode[0], row))
        if at:
            code = relu(layer(stream.decode[1], relu(layer(stream.encode[1], code))))
        back = layer(stream.decode[0], code)
        total += half_squares(config, sigmoid(back) if released else back, row)
    assert found.item() == pytest.approx(total / 9, rel=1e-6)


@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, at=st.integers(0, 1), released=st.booleans(), weight=st.floats(0, 3))
def test_a_level_s_terms_are_of_either_medium_and_of_both(seed, at, released, weight):
    config = replace(RELEASED if released else SMALL, label_weight=weight)
    data, of = draw_dataset(), stage(config, f"level {at + 1}")
    model, batch = build(config, seed).double(), draw_batch(of, data, seed)
    batch = replace(batch, inputs={m: rows.double() for m, rows in batch.inputs.items()})
    terms = of.players[0].losses(model, batch)
    level, labels = model.level(at), batch.labels[I].tolist()
    rows = {m: model.code(m, x, at).tolist() for m, x in batch.inputs.items()}
    lost = wrong = 0.0
    for n, label in enumerate(labels):
        for known in ((I,), (T,), (I, T)):
            # As released: the lacking medium is all zeros.
            zeros = [0.0] * len(rows[I][n])
            drives = [layer(level.encode[m], rows[m][n] if m in known else zeros) for m in (I, T)]
            code = sigmoid(
                [x + y + b for x, y, b in zip(*drives, level.bias.tolist(), strict=True)]
            )
            for m in (I, T):
                back = layer(level.decode[m], code)
                back = sigmoid(back) if at or released else back
                lost += half_squares(config, back, rows[m][n])
            scores = layer(level.classify, code)
            wrong += math.log(sum(map(math.exp, scores))) - scores[label]
    assert terms["reconstruction"].item() == pytest.approx(lost / 3 / len(labels), rel=1e-6)
    assert terms["classes"].item() == pytest.approx(weight * wrong / 3 / len(labels), rel=1e-6)


def test_a_level_s_gradients_are_those_of_differences():
    data, of = draw_dataset(), stage(SMALL, "level 1")
    model, batch = build(SMALL).double(), draw_batch(of, data)
    batch = replace(batch, inputs={m: rows.double() for m, rows in batch.inputs.items()})
    weights = model.level(0).encode[I].weight

    def loss(moved):
        with torch.no_grad():
            kept = weights.clone()
        weights.data = moved.data
        found = torch.stack(list(of.players[0].losses(model, batch).values())).sum()
        weights.data = kept
        return found

    torch.stack(list(of.players[0].losses(model, batch).values())).sum().backward()
    for at in ((0, 0), (3, 5)):
        step = torch.zeros_like(weights)
        step[at] = 1e-6
        slope = (loss(weights + step) - loss(weights - step)) / 2e-6
        assert weights.grad[at].item() == pytest.approx(slope.item(), rel=1e-4, abs=1e-8)


def test_the_lacking_medium_is_filled_in_by_the_other_and_the_joint_rbm():
    model, data = build(SMALL).double(), draw_dataset()
    with torch.no_grad():
        model.joint.weight.mul_(3)
    rows = inputs(data, T)[:1].double()
    (own,) = model.stream(T).stacked(rows).tolist()
    weight, c = model.joint.weight.tolist(), model.joint.hidden_bias.tolist()

    def hidden(pair):
        return sigmoid(
            [c[j] + sum(pair[i] * weight[i][j] for i in range(16)) for j in range(len(c))]
        )

    lacking = [0.5] * 8
    for _ in range(10):
        h = hidden([*lacking, *own])  # image first, as in the network
        lacking = sigmoid([sum(weight[i][j] * h[j] for j in range(len(c))) for i in range(8)])
    found = model.across(T, rows)[0].tolist()
    assert found == pytest.approx(hidden([*lacking, *own]), rel=1e-6)


def moved(before, after):
    return {name for name, of in after.items() if not torch.equal(before[name], of)}


@pytest.mark.parametrize("config", [SMALL, RELEASED], ids=["paper", "released"])
def test_each_stage_moves_its_own_part_and_no_other(config):
    data = draw_dataset()
    model = build(config)
    stages = Cmdn().stages(data, config)
    assert [s.name for s in stages] == list(STAGES)
    parameters = dict(model.named_parameters())
    for of in stages:
        before = {name: p.detach().clone() for name, p in parameters.items()}
        learn(model, of, data, 2)
        changed = moved(before, {name: p.detach() for name, p in parameters.items()})
        names = {name.removeprefix("streams.") for name in changed}
        for part in STAGES[of.name]:
            assert any(name.startswith(part) for name in names), f"{of.name} leaves {part}"
        strays = {n for n in names if not n.startswith(tuple(STAGES[of.name]) or ("none",))}
        assert not strays, of.name


def test_an_outer_autoencoder_leaves_the_inner_layers():
    data, model = draw_dataset(), build(SMALL)
    inner = model.stream(I).encode[1].weight.detach().clone()
    learn(model, stage(SMALL, "autoencoder 1 of image"), data, 1)
    assert torch.equal(model.stream(I).encode[1].weight, inner)


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("autoencoder 1 of image", "reconstruction"),
        ("autoencoder 2 of image", "reconstruction"),
        ("classes of text", "classes"),
        ("level 1", "reconstruction"),
        ("level 1", "classes"),
    ],
)
@pytest.mark.parametrize("config", [SMALL, RELEASED], ids=["paper", "released"])
def test_the_objective_of_a_stage_falls(name, term, config):
    data = draw_dataset(train=(9, 9), spread=0.5)
    model = build(config, data=data)
    for of in Cmdn().stages(data, config):
        found = learn(model, of, data, 1 if of.name != name else 40)
        if of.name == name:
            break
    start, end = (np.mean([terms[term] for terms in part]) for part in (found[:5], found[-5:]))
    assert end < 0.95 * start


def test_rbms_learn_to_give_back_what_they_are_given():
    data = draw_dataset(spread=0.5)
    config = replace(SMALL, rbm_rates=10.0)
    model = build(config)
    stream, rows = model.stream(I), inputs(data, I)

    def lost(at):
        given_rows = stream.entering(rows, at)
        rbm = stream.rbm(at)
        return (rbm.visible(rbm.hidden(given_rows)) - given_rows).square().mean().item()

    for at in (0, 1):
        start = lost(at)
        learn(model, stage(config, f"rbm {at + 1} of image"), data, 30)
        assert lost(at) < 0.8 * start


def whole_numbers(data):
    """The same, its texts counts of words."""
    of = data.train[T]
    rows = np.random.default_rng(0).poisson(2.0, of.inputs.rows.shape).astype(np.float32)
    return Dataset(
        {**data.train, T: Items(of.ids, of.labels, FeatureInputs(rows))}, data.test, data.classes
    )


def test_counts_of_words_make_a_replicated_softmax():
    data = whole_numbers(draw_dataset())
    kinds = {}
    for counts in (None, False, True):
        model = build(replace(SMALL, word_counts=counts), data=data)
        kinds[counts] = [model.stream(m).rbm(0).kind for m in (I, T)]
    assert kinds[None] == kinds[True] == [Visible.GAUSSIAN, Visible.WORDS]
    assert kinds[False] == [Visible.GAUSSIAN, Visible.GAUSSIAN]
    plain = build(SMALL, data=draw_dataset())
    assert plain.stream(T).rbm(0).kind is Visible.GAUSSIAN


def test_an_rbm_of_words_takes_the_counts_themselves():
    data = whole_numbers(draw_dataset())
    model = build(SMALL, data=data)
    rows = inputs(data, T)
    assert torch.equal(model.stream(T).entering(rows, 0), rows)
    learn(model, stage(SMALL, "rbm 1 of text", data), data, 1)
    assert model.stream(T).rbm(0).weight.abs().max() > 1e-3  # it started from 1e-5


def test_an_embedding_does_not_depend_on_the_other_items():
    data = draw_dataset()
    model = build(SMALL)
    for of in Cmdn().stages(data, SMALL):
        learn(model, of, data, 1)
    rows = inputs(data, I)
    with torch.no_grad():
        together = Cmdn().embed(model, I, rows)
        alone = torch.cat([Cmdn().embed(model, I, row[None]) for row in rows])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)
    # Of the training items themselves: mean 0, deviation 1.
    torch.testing.assert_close(together.mean(0), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(together.std(0, correction=0), torch.ones(4), atol=1e-3, rtol=0)


@given(seed=SEEDS, rows=st.integers(1, 9))
def test_a_range_is_that_of_the_measured_rows(seed, rows):
    table = np.random.default_rng(seed).normal(size=(rows, 3)).astype(np.float32)
    table[:, 1] = 2.0  # does not vary
    scale = Range(3)
    scale.measure(iter(torch.from_numpy(table).split(4)))
    low, high = table.min(axis=0), table.max(axis=0)
    other = np.random.default_rng(seed + 1).normal(size=(5, 3)).astype(np.float32)
    expected = np.clip((other - low) / np.where(high > low, high - low, 1), 0, 1)
    np.testing.assert_allclose(scale(torch.from_numpy(other)).numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(("classes", "width"), [(3, 128), (100, 500), (300, 1024)])
def test_widths_follow_the_number_of_classes(classes, width):
    data = draw_dataset(classes=classes, train=(1, 1), test=(1, 1))
    model = build(CmdnConfig(), data=data)
    assert model.joint.weight.shape == (2 * width, 2 * width)
    assert [len(level.bias) for level in model.levels] == [width // n for n in (2, 4, 8, 16)]


@pytest.mark.parametrize(
    "wrong",
    [{"width": 1}, {"levels": ()}, {"levels": (0,)}, {"epochs": 0}, {"bimodal_rate": 0.0}],
)
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(ValueError, match=r"below|above"):
        replace(SMALL, **wrong)


def test_chains_grow_in_the_released_form_alone():
    counts = []
    of = stage(replace(SMALL, longer_chains=True), "joint rbm")
    model, data = build(SMALL), draw_dataset()
    reconstruct = model.joint.reconstruct
    model.joint.reconstruct = lambda rows, steps, **how: (
        counts.append(steps) or reconstruct(rows, 1, **how)
    )
    for longer, progress in ((True, 0.0), (True, 0.1), (True, 1.0), (False, 1.0)):
        of = stage(replace(SMALL, longer_chains=longer), "joint rbm")
        of.players[0].losses(model, draw_batch(of, data, progress=progress))
    # Of 200,000 updates: from 15,000 on 2, and 1 more each 5,000.
    assert counts == [1, 3, 39, 1]


def test_the_forms_differ_in_what_the_paper_s_form_departs_from():
    assert differing_choices("cmdn") == {
        "width",
        "levels",
        "outputs",
        "mean_squares",
        "autoencoder_rates",
        "autoencoder_l2",
        "rbm_rates",
        "longer_chains",
        "supervised_rate",
        "bimodal_rate",
        "epochs",
        "supervised_epochs",
        "bimodal_epochs",
    }


@pytest.mark.parametrize("form", Form)
def test_a_tiny_run_of_either_form_leaves_a_submission(form, tmp_path):
    data = draw_dataset()
    recipe = Recipe.choose("cmdn", form, Budget.TINY)
    with read_submission(run_twice(recipe, data, tmp_path)) as submission:
        assert submission.space is Space.PAIRWISE
        assert submission.media == (I, T)


def mean_ap(model, data):
    """Both directions' MAP on the test items, by sorting; chance among three classes is about .4"""
    found = []
    with torch.no_grad():
        rows = {
            m: Cmdn().embed(model, m, torch.from_numpy(data.test[m].inputs.rows)) for m in (I, T)
        }
    for a, b in ((I, T), (T, I)):
        cosines = torch.nn.functional.normalize(rows[a]) @ torch.nn.functional.normalize(rows[b]).T
        for row, label in zip(cosines.numpy(), data.test[a].labels, strict=True):
            hits = data.test[b].labels[np.argsort(-row)] == label
            precision = hits.cumsum() / np.arange(1, len(hits) + 1)
            found.append(precision[hits].mean())
    return np.mean(found)


def test_it_learns_classes_that_two_media_share():
    data = draw_dataset(train=(20, 20), test=(8, 8), spread=0.7)
    config = replace(CmdnConfig(), width=32, levels=(16, 8))
    model = build(config, data=data)
    untrained = mean_ap(model, data)
    for of in Cmdn().stages(data, config):
        learn(model, of, data, 15)
    assert untrained < 0.6 < 0.8 < mean_ap(model, data)
