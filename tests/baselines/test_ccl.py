"""CCL: its terms against slow forms, which stage moves what, and what its options do."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_runs import differing_choices, run_twice
from two_media import draw_dataset

from fgbench.baselines.ccl import UPDATES, Ccl, CclConfig
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.submission import Space, read_submission
from fgbench.train.dataset import Dataset, Items
from fgbench.train.hardware import Hardware
from fgbench.train.inputs import FeatureInputs
from fgbench.train.learner import Losses, let_move
from fgbench.train.method import Batch, Budget
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run

I, T = Medium.IMAGE, Medium.TEXT  # noqa: E741
SMALL = CclConfig(
    width=5, rbm_rows=8, pair_rows=9, class_rows=7, task_rows=12,
    rbm_epochs=1, pair_epochs=1, class_epochs=1, task_epochs=1,
)  # fmt: skip
STAGES = [
    *("rbm 1 of image", "rbm 2 of image", "rbm 1 of text", "rbm 2 of text", "pairs"),
    *("rbm 3 of image", "classes of image", "rbm 3 of text", "classes of text"),
    *("tasks", "scores"),
]


def build(config=SMALL, seed=0, data=None):
    torch.manual_seed(seed)
    return Ccl().build(data or draw_dataset(), config)


def stage_named(name, config=SMALL, data=None):
    (found,) = (s for s in Ccl().stages(data or draw_dataset(), config) if s.name == name)
    return found


def draw_batch(stage, seed=0, data=None):
    """The first step of a stage's own sampler."""
    data = data or draw_dataset()
    items = {m: data.train[m] for m in stage.media or data.media}
    step = next(iter(stage.batches(items, np.random.default_rng(seed))))
    return Batch(
        {m: torch.from_numpy(items[m].inputs.take(places)) for m, places in step.items()},
        {m: torch.from_numpy(items[m].labels[places]) for m, places in step.items()},
        0.0,
        lambda rows: rows,
    )


def whole_of(data):
    return lambda medium: iter([torch.from_numpy(data.train[medium].inputs.rows)])


def measure(model, stage, data):
    if stage.before is not None:
        with torch.no_grad():
            stage.before(model, whole_of(data))


def double(batch):
    return replace(batch, inputs={m: rows.double() for m, rows in batch.inputs.items()})


def slow_layer(layer, row):
    """A linear layer by loops."""
    weights, biases = layer.weight.tolist(), layer.bias.tolist()
    return [
        sum(w * x for w, x in zip(line, row, strict=True)) + b
        for line, b in zip(weights, biases, strict=True)
    ]


def slow_sigmoid(values):
    return [1 / (1 + math.exp(-value)) for value in values]


def slow_square(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def slow_entropy(scores, labels):
    each = [
        math.log(sum(map(math.exp, row))) - row[label]
        for row, label in zip(scores, labels, strict=True)
    ]
    return sum(each) / len(each)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99), correlation=st.floats(0, 1))
def test_the_autoencoders_terms_are_the_slow_ones(seed, correlation):
    config = replace(SMALL, correlation=correlation)
    stage, model = stage_named("pairs", config), build(config, seed).double()
    batch = double(draw_batch(stage, seed))
    (player,) = stage.players
    terms = player.losses(model, batch)
    codes, lost = {}, 0.0
    for medium, inputs in batch.inputs.items():
        stream = model.streams[medium]
        rows = stream.rbms[1].hidden(stream.rbms[0].hidden(stream.standardise(inputs))).tolist()
        codes[medium] = [slow_sigmoid(slow_layer(stream.encode, row)) for row in rows]
        again = [slow_sigmoid(slow_layer(stream.decode, code)) for code in codes[medium]]
        lost += sum(map(slow_square, rows, again)) / len(rows) / 2
    apart = sum(map(slow_square, codes[I], codes[T])) / len(codes[I]) / 2
    assert terms["reconstruction"].item() == pytest.approx((1 - correlation) * lost)
    assert terms["correlation"].item() == pytest.approx(correlation * apart)


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 99),
    margin=st.floats(0, 2),
    weights=st.tuples(st.floats(0, 3), st.floats(0, 3)),
    outputs=st.sampled_from([0, 7]),
)
def test_the_tasks_terms_are_the_slow_ones(seed, margin, weights, outputs):
    config = replace(
        SMALL,
        margin=margin,
        contrastive_weight=weights[0],
        category_weight=weights[1],
        least_outputs=outputs,
    )
    stage, model = stage_named("tasks", config), build(config, seed).double()
    batch = double(draw_batch(stage, seed))
    (player,) = stage.players
    terms = player.losses(model, batch)
    codes, entropies = {}, 0.0
    for medium, inputs in batch.inputs.items():
        stream = model.streams[medium]
        rows = stream.represent(inputs).tolist()
        entered = [slow_sigmoid(slow_layer(stream.enter, row)) for row in rows]
        shared = [slow_layer(stream.share, row) for row in entered]
        codes[medium] = [slow_sigmoid(row) for row in shared]
        scores = [slow_layer(stream.categorise, row) for row in shared]
        assert {len(row) for row in scores} == {outputs or 3}
        entropies += slow_entropy(scores, batch.labels[medium].tolist())
    apart = 0.0
    for x, k in zip(codes[I], batch.labels[I].tolist(), strict=True):
        for y, other in zip(codes[T], batch.labels[T].tolist(), strict=True):
            gap = math.sqrt(slow_square(x, y))
            apart += gap**2 if k == other else max(0.0, margin - gap) ** 2
    apart /= 2 * len(codes[I])
    assert terms["contrastive"].item() == pytest.approx(weights[0] * apart)
    assert terms["categories"].item() == pytest.approx(weights[1] * entropies)


def test_the_first_classifiers_term_is_the_mean_cross_entropy():
    stage, model = stage_named("classes of text"), build().double()
    batch = double(draw_batch(stage))
    (player,) = stage.players
    stream = model.streams[T]
    scores = [slow_layer(stream.classify, r) for r in stream.represent(batch.inputs[T]).tolist()]
    expected = slow_entropy(scores, batch.labels[T].tolist())
    assert player.losses(model, batch)["classes"].item() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["pairs", "classes of image", "tasks"])
def test_gradients_are_those_of_finite_differences(name):
    config = replace(SMALL, width=3, margin=9.0)  # every hinge is open
    stage, losses = stage_named(name, config), Losses(build(config).double())
    batch = double(draw_batch(stage))
    (player,) = stage.players
    moving = {id(p) for group in player.parameters(losses.model) for p in group["params"]}
    weights = {name: p for name, p in losses.named_parameters() if id(p) in moving}

    def lowered(*values):
        named = dict(zip(weights, values, strict=True))
        terms = torch.func.functional_call(losses, named, (player, batch))
        return torch.stack(list(terms.values())).sum()

    assert torch.autograd.gradcheck(lowered, tuple(weights.values()))


def take_step(model, stage, data):
    """One update, as the trainer makes it."""
    measure(model, stage, data)
    for player in stage.players:
        groups = [{**g, "params": list(g["params"])} for g in player.parameters(model)]
        let_move(model, (p for group in groups for p in group["params"]))
        optimiser = player.optimiser(groups)
        sum(player.losses(model, draw_batch(stage, data=data)).values()).backward()
        optimiser.step()
        optimiser.zero_grad()


MOVED = {
    "rbm 1 of image": {"image.rbms.0"},
    "rbm 2 of image": {"image.rbms.1"},
    "rbm 1 of text": {"text.rbms.0"},
    "rbm 2 of text": {"text.rbms.1"},
    "pairs": {"image.encode", "image.decode", "text.encode", "text.decode"},
    "rbm 3 of image": {"image.rbms.2"},
    "classes of image": {"image.norm", "image.learn", "image.classify"},
    "rbm 3 of text": {"text.rbms.2"},
    "classes of text": {"text.norm", "text.learn", "text.classify"},
    "tasks": {
        f"{medium}.{part}"
        for medium in ("image", "text")
        for part in ("rescale", "enter", "share", "categorise")
    },
    "scores": {"image.score", "text.score"},
}


def test_each_stage_moves_its_own_layers_and_no_other():
    data, model = draw_dataset(), build()
    stages = Ccl().stages(data, SMALL)
    assert [stage.name for stage in stages] == STAGES
    for stage in stages:
        before = {name: value.clone() for name, value in model.state_dict().items()}
        take_step(model, stage, data)
        changed = {
            name
            for name, value in model.state_dict().items()
            if not torch.equal(before[name], value)
        }
        parts = {".".join(name.split(".")[1 : 4 if ".rbms." in name else 3]) for name in changed}
        assert parts == MOVED[stage.name], stage.name
        if stage.players:  # every weight of what moves, not some
            owned = {name for name in before if name.split(".", 1)[1].startswith(tuple(parts))}
            assert changed == owned, stage.name


def test_biases_but_the_shared_layers_move_at_twice_the_rate():
    (player,) = stage_named("tasks").players
    model = build()
    rates = {}
    optimiser = player.optimiser(
        [{**g, "params": list(g["params"])} for g in player.parameters(model)]
    )
    names = {id(p): name for name, p in model.named_parameters()}
    for group in optimiser.param_groups:
        rates |= {names[id(p)]: group["lr"] for p in group["params"]}
    twice = {name for name, rate in rates.items() if rate == 2 * SMALL.task_rate}
    assert twice == {
        f"streams.{m}.{layer}.bias" for m in (I, T) for layer in ("enter", "categorise")
    }
    assert {rates[name] for name in set(rates) - twice} == {SMALL.task_rate}


def test_chains_grow_to_eight_steps_where_they_are_to():
    drawn = []
    data = draw_dataset()
    for chosen in (False, True):
        for name in ("rbm 1 of image", "rbm 2 of image"):
            stage = stage_named(name, replace(SMALL, longer_chains=chosen))
            (player,) = stage.players
            model, batch = build(), draw_batch(stage, data=data)
            rbm = model.streams[I].rbms[int(name[4]) - 1]
            inner = rbm.contrastive_divergence
            rbm.contrastive_divergence = lambda rows, steps=1, inner=inner, **kw: (
                drawn.append(steps) or inner(rows, steps, **kw)
            )
            for done in (0, 15_001, 20_000, 49_999):
                player.losses(model, replace(batch, progress=done / UPDATES))
    assert drawn == [1] * 8 + [1] * 4 + [1, 2, 3, 8]


def test_the_fusing_rbm_can_be_left_out():
    config = replace(SMALL, fuse=False)
    names = [stage.name for stage in Ccl().stages(draw_dataset(), config)]
    assert names == [name for name in STAGES if not name.startswith("rbm 3")]
    model = build(config)
    rows = torch.randn(4, 6)
    stream = model.streams[I]
    torch.testing.assert_close(stream.fused(rows), stream.encode(stream.stacked(rows)).sigmoid())


def counted(data):
    """The same, its texts counts of words."""
    sides = []
    for side in (data.train, data.test):
        texts = side[T]
        rows = np.rint(np.exp(texts.inputs.rows / 4)).astype(np.float32)
        sides.append({**side, T: Items(texts.ids, texts.labels, FeatureInputs(rows))})
    return Dataset(*sides, data.classes)


def test_counts_of_words_are_not_standardised_and_others_are():
    data = counted(draw_dataset())
    found = {m: s.rbms[0].kind.value for m, s in build(data=data).streams.items()}
    assert found == {"image": "gaussian", "text": "words"}
    rows = torch.from_numpy(data.train[T].inputs.rows)
    stream = build(data=data).streams[T]
    torch.testing.assert_close(stream.standardise(rows), rows)
    assert len(stream.rbms[0].hidden_bias) == SMALL.width
    other = build(replace(SMALL, word_counts=False), data=data).streams[T]
    assert other.rbms[0].kind.value == "gaussian"
    assert len(other.rbms[0].hidden_bias) == 2 * SMALL.width
    assert other.standardise(rows).mean().abs() < 1e-5


@pytest.mark.parametrize(("classes", "width"), [(3, 128), (50, 250), (300, 1024)])
def test_the_width_follows_the_number_of_classes(classes, width):
    data = draw_dataset(classes=classes, train=(1, 1), test=(1, 1))
    stream = build(replace(SMALL, width=None, fuse=False), data=data).streams[I]
    assert stream.share.out_features == width


@pytest.mark.parametrize(
    "wrong",
    [{"width": 0}, {"task_rows": 0}, {"pair_epochs": 0}, {"margin": -0.1}, {"task_rate": 0.0},
     {"correlation": 1.1}, {"least_outputs": -1}],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(ValueError, match=r"below|between"):
        replace(SMALL, **wrong)


def test_the_forms_differ_in_what_the_release_departs_from():
    assert differing_choices("ccl") == {
        *("width", "longer_chains", "standardise_codes", "contrastive_weight", "least_outputs"),
        *("class_rate", "task_rate"),
        *("rbm_epochs", "pair_epochs", "class_epochs", "task_epochs"),
    }


def mean_precision(queries, gallery, query_labels, gallery_labels):
    """MAP of the cosine, by loops."""
    found = []
    for query, label in zip(queries, query_labels, strict=True):
        cosines = gallery @ query / np.linalg.norm(gallery, axis=1)
        relevant = (gallery_labels == label)[np.argsort(-cosines)]
        found.append(np.mean([relevant[: n + 1].mean() for n in np.flatnonzero(relevant)]))
    return np.mean(found)


def test_it_learns_to_bring_classes_together(tmp_path):
    data = draw_dataset(classes=4, train=(20, 15), test=(10, 10))
    rows = dict.fromkeys(["rbm_rows", "pair_rows", "class_rows", "task_rows"], "16")
    epochs = {"rbm_epochs": "2", "pair_epochs": "4", "class_epochs": "8", "task_epochs": "20"}
    recipe = Recipe.choose("ccl", Form.PAPER, Budget.CPU, {"width": "32", **rows, **epochs})
    run = Run(recipe, data, tmp_path, Hardware(device="cpu"))
    run.train()
    with read_submission(run.embed()) as submission:
        x, y = submission.embedding(I, T), submission.embedding(T, I)
        labels = {
            m: data.test[m].labels[[data.test[m].ids.tolist().index(i) for i in submission.ids[m]]]
            for m in (I, T)
        }
    assert mean_precision(x, y, labels[I], labels[T]) > 0.6  # chance is .28
    assert mean_precision(y, x, labels[T], labels[I]) > 0.6
    log = (tmp_path / "pairs" / "image_text" / "log.jsonl").read_text().splitlines()
    lines = [line for line in map(json.loads, log) if "stage" in line]
    for stage, terms in {
        "pairs": ["autoencoders.reconstruction", "autoencoders.correlation"],
        "classes of image": ["classifier.classes"],
        "classes of text": ["classifier.classes"],
        "tasks": ["tasks.contrastive", "tasks.categories"],
    }.items():
        first, *_, last = (line for line in lines if line["stage"] == stage)
        assert sum(last[term] for term in terms) < 0.9 * sum(first[term] for term in terms), stage


@pytest.mark.parametrize("form", list(Form))
def test_a_tiny_run_of_either_form_leaves_a_submission(form, tmp_path):
    data = counted(draw_dataset())
    recipe = Recipe.choose("ccl", form, Budget.TINY)
    with read_submission(run_twice(recipe, data, tmp_path)) as submission:
        assert submission.space is Space.PAIRWISE
        assert submission.media == (I, T)
