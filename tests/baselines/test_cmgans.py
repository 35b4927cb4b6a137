"""CM-GANs: its terms against slow forms, who moves what in whose turn, what its options do."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_runs import differing_choices
from two_media import draw_dataset

from fgbench.baselines.cmgans import CmGans, CmGansConfig, Wrong, next_of_another_class
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.submission import Space, read_submission
from fgbench.train.forms import load_form
from fgbench.train.hardware import Hardware
from fgbench.train.learner import Losses, let_move
from fgbench.train.method import Batch, Budget
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run

I, T = Medium.IMAGE, Medium.TEXT  # noqa: E741
SMALL = CmGansConfig(width=5, judge=3, rows=8, epochs=2)
RELEASED = replace(SMALL, share=False, wrong=Wrong.RELEASED)
GENERATORS = {"encoders", "commons", "decoders", "classifiers"}
DISCRIMINATORS = {"intra", "inter"}
CPU = Hardware(device="cpu")


def build(config, seed=0, data=None):
    torch.manual_seed(seed)
    return CmGans().build(data or draw_dataset(), config).train()


def players(config):
    """Whose turn it is first, and then."""
    return CmGans().stages(draw_dataset(), config)[0].players


def draw_batch(seed=0, data=None, config=SMALL):
    """The first step of the method's own sampler."""
    data = data or draw_dataset()
    sampler = CmGans().stages(data, config)[0].batches
    step = next(iter(sampler(data.train, np.random.default_rng(seed))))
    return Batch(
        {m: torch.from_numpy(data.train[m].inputs.take(places)) for m, places in step.items()},
        {m: torch.from_numpy(data.train[m].labels[places]) for m, places in step.items()},
        0.5,
        lambda rows: rows,
    )


class Slow:
    """The network in NumPy, float64, each norm by the rows that it is given."""

    def __init__(self, model):
        self.of = {name: t.double().numpy() for name, t in model.state_dict().items()}

    def linear(self, name, rows):
        return rows @ self.of[f"{name}.weight"].T + self.of[f"{name}.bias"]

    def layer(self, name, rows):
        rows = self.linear(f"{name}.0", rows)
        rows = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-5)
        rows = rows * self.of[f"{name}.1.weight"] + self.of[f"{name}.1.bias"]
        return np.where(rows > 0, rows, 0.2 * rows)

    def features(self, medium, rows):
        mean, deviation = (self.of[f"standardise.{medium}.{x}"] for x in ("mean", "deviation"))
        return (rows.double().numpy() - mean) / deviation

    def code(self, medium, features):
        return self.layer(f"commons.{medium}", self.layer(f"encoders.{medium}", features))

    def rebuilt(self, medium, code):
        return self.linear(f"decoders.{medium}.1", self.layer(f"decoders.{medium}.0", code))

    def intra(self, medium, features, real):
        return entropy(self.linear(f"intra.{medium}", features), real)

    def inter(self, medium, code, features, real):
        hidden = self.layer(f"inter.{medium}.0", np.concatenate([code, features], axis=1))
        return entropy(self.linear(f"inter.{medium}.1", hidden), real)

    def classes(self, medium, code, labels):
        logits = self.linear(f"classifiers.{medium}", code).tolist()
        each = [math.log(sum(map(math.exp, r))) - r[y] for r, y in zip(logits, labels, strict=True)]
        return sum(each) / len(each)


def entropy(logits, real):
    """The mean of −log of the probability of being right."""
    each = [math.log1p(math.exp(-x if real else x)) for x in logits[:, 0].tolist()]
    return sum(each) / len(each)


def slow_wrong(labels):
    """For each row the first row after it of another class, round about, or None."""
    found = []
    for at, label in enumerate(labels):
        after = [*range(at + 1, len(labels)), *range(at)]
        found.append(next((other for other in after if labels[other] != label), None))
    return found


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), config=st.sampled_from([SMALL, RELEASED]))
def test_the_terms_are_the_slow_ones(seed, config):
    model, batch = build(config, seed), draw_batch(seed)
    slow, labels = Slow(model), batch.labels[I].tolist()
    x = {m: slow.features(m, rows) for m, rows in batch.inputs.items()}
    s = {m: slow.code(m, rows) for m, rows in x.items()}
    r = {m: slow.rebuilt(m, code) for m, code in s.items()}
    others = slow_wrong(labels)
    found = {p.name: p.losses(model, batch) for p in players(config)}
    intra = inter = 0.0
    for m, other in ((I, T), (T, I)):
        intra += slow.intra(m, r[m], False) + slow.intra(m, x[m], True)
        inter += slow.inter(m, s[m], x[m], True) + slow.inter(m, s[other], x[m], False) / 2
        beside = x[m] if config is SMALL else x[m][others]
        inter += slow.inter(m, s[m][others], beside, False) / 2
    assert set(found["discriminators"]) == {"inter", "intra"}
    assert found["discriminators"]["intra"].item() == pytest.approx(intra, rel=1e-4)
    assert found["discriminators"]["inter"].item() == pytest.approx(inter, rel=1e-4)
    classes = slow.classes(I, s[I], labels) + slow.classes(T, s[T], labels)
    fooled = slow.inter(I, s[T], x[I], True) + slow.inter(T, s[I], x[T], True)
    real = slow.intra(I, r[I], True) + slow.intra(T, r[T], True)
    assert set(found["generators"]) == {"classes", "inter", "intra"}
    assert found["generators"]["classes"].item() == pytest.approx(classes, rel=1e-4)
    assert found["generators"]["inter"].item() == pytest.approx(fooled, rel=1e-4)
    assert found["generators"]["intra"].item() == pytest.approx(real, rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(labels=st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_the_next_of_another_class_is_that_of_the_loops(labels):
    rows, others = next_of_another_class(torch.tensor(labels))
    expected = slow_wrong(labels)
    assert rows.tolist() == [at for at, other in enumerate(expected) if other is not None]
    assert others.tolist() == [other for other in expected if other is not None]


def test_a_batch_of_one_class_has_nothing_wrong_in_it():
    data = draw_dataset(classes=1)
    for config in (SMALL, RELEASED):
        model, batch = build(config, data=data), draw_batch(data=data)
        for by in players(config):
            assert all(torch.isfinite(term) for term in by.losses(model, batch).values())


@pytest.mark.parametrize("config", [SMALL, RELEASED])
@pytest.mark.parametrize("turn", [0, 1])
def test_gradients_are_right(config, turn):
    config, by = replace(config, width=2, judge=2), players(config)[turn]
    losses, batch = Losses(build(config).double()), draw_batch()
    batch = replace(batch, inputs={m: rows.double() for m, rows in batch.inputs.items()})
    moving = {id(p) for group in by.parameters(losses.model) for p in group["params"]}
    weights = {name: p for name, p in losses.named_parameters() if id(p) in moving}

    def lowered(*values):
        named = dict(zip(weights, values, strict=True))
        return sum(torch.func.functional_call(losses, named, (by, batch)).values())

    assert torch.autograd.gradcheck(lowered, tuple(weights.values()))


def parts_reached(config, turn, term):
    """The parts of the network, a medium each, that a term's gradient reaches, weights of linear
    layers looked at alone: the bias of one that a norm follows has none."""
    model, batch = build(config), draw_batch()
    players(config)[turn].losses(model, batch)[term].backward()
    return {
        tuple(name.split(".")[:2])
        for name, p in model.named_parameters(remove_duplicate=False)
        if p.ndim == 2 and p.grad is not None and p.grad.any()
    }


def both(*parts):
    return {(part, medium.value) for part in parts for medium in (I, T)}


@pytest.mark.parametrize("config", [SMALL, RELEASED])
def test_each_term_reaches_the_parts_that_it_should(config):
    assert parts_reached(config, 0, "intra") == both("intra")
    assert parts_reached(config, 0, "inter") == both("inter")
    # A frozen discriminator passes its gradient on; here it is not frozen, and gets one itself.
    codes = both("encoders", "commons")
    assert parts_reached(config, 1, "classes") == codes | both("classifiers")
    assert parts_reached(config, 1, "inter") == codes | both("inter")
    assert parts_reached(config, 1, "intra") == codes | both("decoders", "intra")


@pytest.mark.parametrize("config", [SMALL, RELEASED])
@pytest.mark.parametrize(("turn", "movers"), [(0, DISCRIMINATORS), (1, GENERATORS)])
def test_in_each_turn_the_others_stand_still(config, turn, movers):
    model, batch, by = build(config), draw_batch(), players(config)[turn]
    optimiser = by.optimiser(by.parameters(model))
    let_move(model, [p for group in optimiser.param_groups for p in group["params"]])
    before = {name: p.clone() for name, p in model.named_parameters()}
    sum(by.losses(model, batch).values()).backward()
    optimiser.step()
    moved = {name for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert {name.split(".")[0] for name in moved} == movers
    linear = {name for name in before if before[name].ndim == 2 and name.split(".")[0] in movers}
    assert linear <= moved


def test_the_generators_learn_against_the_discriminators():
    """The gradient that misleads is of the opposite sign of the one that tells apart."""
    model, batch = build(SMALL), draw_batch()
    generators = players(SMALL)[1]
    let_move(model, [p for group in generators.parameters(model) for p in group["params"]])
    optimiser = torch.optim.SGD(model.encoders.parameters(), lr=0.05)

    def told_apart():
        found = players(SMALL)[0].losses(model, batch)
        return found["inter"].item(), found["intra"].item()

    before = told_apart()
    for _ in range(20):
        optimiser.zero_grad()
        terms = generators.losses(model, batch)
        (terms["inter"] + terms["intra"]).backward()
        optimiser.step()
    assert all(late > early for late, early in zip(told_apart(), before, strict=True))


class Stopped(Exception):
    """Stands in for what may end a run."""


def stop_at_third_step():
    calls = iter([False, False, True])

    def progress(part):
        if next(calls):
            raise Stopped

    return progress


def test_a_step_is_one_turn_of_the_discriminators_and_five_of_the_generators(tmp_path):
    """And a run that goes on from there comes to what it would have come to."""
    recipe = Recipe(CmGans(), Form.PAPER, Budget.TINY, 0, SMALL)
    run = Run(recipe, draw_dataset(), tmp_path / "cut", replace(CPU, checkpoint_steps=1))
    with pytest.raises(Stopped):
        run.train(stop_at_third_step())
    (path,) = (tmp_path / "cut").rglob("checkpoint.pt")
    learners = torch.load(path, weights_only=True)["learners"]
    turns = {
        name: {int(state["step"]) for state in learner["optimiser"]["state"].values()}
        for name, learner in learners.items()
    }
    assert turns == {"discriminators": {2}, "generators": {10}}
    run.train()
    whole = Run(recipe, draw_dataset(), tmp_path / "whole", CPU)
    whole.train()
    assert run.embed().read_bytes() == whole.embed().read_bytes()


def train(config, data=None, seed=0):
    """By the method's own stages: the turns, and then what the last stage does before it begins."""
    data = data or draw_dataset()
    model = build(config, seed, data)
    first, *last = CmGans().stages(data, config)
    turns = [(by, by.optimiser(by.parameters(model))) for by in first.players]
    rng = np.random.default_rng(seed)
    for step in [step for _ in range(first.epochs) for step in first.batches(data.train, rng)]:
        batch = Batch(
            {m: torch.from_numpy(data.train[m].inputs.take(places)) for m, places in step.items()},
            {m: torch.from_numpy(data.train[m].labels[places]) for m, places in step.items()},
            0.0,
            lambda rows: rows,
        )
        for by, optimiser in turns:
            let_move(model, [p for group in optimiser.param_groups for p in group["params"]])
            for _ in range(by.repeats):
                optimiser.zero_grad()
                sum(by.losses(model, batch).values()).backward()
                optimiser.step()
    model.eval()
    for stage in last:
        with torch.no_grad():
            stage.before(model, lambda m: iter(whole(data.train[m]).split(7)))
    return model


def whole(items):
    return torch.from_numpy(items.inputs.take(np.arange(len(items))))


def norms_and_linears(model):
    """Of each medium's last encoding layer."""
    return [(layer[0], layer[1]) for layer in model.commons.values()]


def test_the_layer_in_common_stays_one_but_for_the_moments_of_its_norms():
    model = train(SMALL)
    again = build(SMALL, seed=1)
    again.load_state_dict(model.state_dict())
    for of in (model, again):
        (one, one_norm), (other, other_norm) = norms_and_linears(of)
        assert one.weight is other.weight
        assert one.bias is other.bias
        assert one_norm.weight is other_norm.weight
        assert one_norm.bias is other_norm.bias
        assert not torch.allclose(one_norm.running_mean, other_norm.running_mean)


def test_the_released_layers_start_equal_and_part():
    for model, equal in ((build(RELEASED), True), (train(RELEASED), False)):
        (one, one_norm), (other, other_norm) = norms_and_linears(model)
        assert one.weight is not other.weight
        assert torch.equal(one.weight, other.weight) is equal
        assert torch.equal(one_norm.weight, other_norm.weight) is equal


def test_embeddings_are_z_scores_by_the_training_items():
    data = draw_dataset()
    model = train(SMALL, data)
    for medium, items in data.train.items():
        with torch.inference_mode():
            found = CmGans().embed(model, medium, whole(items)).double()
            codes = model.encode(medium, whole(items))[1].double()
        expected = (codes - codes.mean(0)) / codes.std(0, correction=0)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    bare = train(replace(SMALL, z_scores=False), data)
    found = CmGans().embed(bare, I, whole(data.test[I]))
    torch.testing.assert_close(found, bare.encode(I, whole(data.test[I]))[1])


def test_an_embedding_does_not_depend_on_its_neighbours():
    data = draw_dataset()
    model, rows = train(SMALL, data), whole(data.test[T])
    alone = torch.cat([CmGans().embed(model, T, row[None]) for row in rows])
    torch.testing.assert_close(alone, CmGans().embed(model, T, rows))


def test_features_become_z_scores_of_the_training_items():
    data = draw_dataset()
    table = data.train[I].inputs.rows.astype(float)
    for config, expected in (
        (SMALL, (table - table.mean(axis=0)) / table.std(axis=0)),
        (replace(SMALL, standardise=False), table),
    ):
        found = build(config, data=data)({I: whole(data.train[I])})[I].features
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def mean_precision(queries, gallery):
    """MAP by the cosine, by loops; each side (embeddings, labels)."""
    total = 0.0
    for row, label in zip(*queries, strict=True):
        cosines = gallery[0] @ row / np.linalg.norm(gallery[0], axis=1)
        right = (gallery[1][np.argsort(-cosines)] == label).tolist()
        precisions = [sum(right[: k + 1]) / (k + 1) for k, hit in enumerate(right) if hit]
        total += sum(precisions) / len(precisions)
    return total / len(queries[1])


@pytest.mark.parametrize("form", Form)
def test_each_form_learns_to_bring_classes_together_across_media(form):
    data = draw_dataset(train=(32, 32), test=(8, 8))
    config = replace(load_form("cmgans", form), width=64, judge=64, rows=32)
    model = train(replace(config, rate=0.01, epochs=20), data)
    with torch.inference_mode():
        images, texts = (
            (CmGans().embed(model, m, whole(items)).numpy(), items.labels)
            for m, items in data.test.items()
        )
    # Of 24 items of 3 classes, by chance: (H + 7/23 (24 - H)) / 24 = .41, H the 24th harmonic.
    assert mean_precision(images, texts) > 0.7
    assert mean_precision(texts, images) > 0.7


def test_a_stage_s_objective_falls(tmp_path):
    """That of the classes: of the others one player's loss is the other's gain."""
    config = replace(SMALL, width=16, judge=8, epochs=8)
    recipe = Recipe(CmGans(), Form.PAPER, Budget.TINY, 0, config)
    Run(recipe, draw_dataset(), tmp_path, CPU).train()
    (path,) = tmp_path.rglob("log.jsonl")
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    classes = [line["generators.classes"] for line in lines if line["stage"] == "train"]
    assert len(classes) == 8
    assert classes[-1] < classes[0] / 2


@pytest.mark.parametrize(
    "wrong",
    [{"width": 0}, {"judge": 0}, {"rate": 0.0}, {"epochs": 0}, {"rows": 1}],
)
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(ValueError, match=r"below|rows is 1"):
        replace(SMALL, **wrong)


def test_the_forms_differ_in_what_the_release_departs_from():
    assert differing_choices("cmgans") == {"standardise", "share", "wrong"}


@pytest.mark.parametrize("form", Form)
def test_a_tiny_run_of_either_form_leaves_a_submission(form, tmp_path):
    run = Run(Recipe.choose("cmgans", form, Budget.TINY), draw_dataset(), tmp_path, CPU)
    run.train()
    with read_submission(run.embed()) as submission:
        assert submission.space is Space.PAIRWISE
        assert submission.media == (I, T)
