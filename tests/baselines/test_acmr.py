"""ACMR: its terms against slow forms, who moves what, and what its options do."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_runs import differing_choices, run_twice
from torch.nn.functional import cross_entropy
from two_media import draw_dataset

from fgbench.baselines.acmr import Acmr, AcmrConfig, Distance, hardest_negatives
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.submission import Space, read_submission
from fgbench.train.forms import load_form
from fgbench.train.learner import Losses
from fgbench.train.method import Batch, Budget
from fgbench.train.recipe import Recipe

I, T = Medium.IMAGE, Medium.TEXT  # noqa: E741
SMALL = AcmrConfig(hidden=(9,), hidden_text=(7,), width=5, adversary_hidden=(6,), rows=12, epochs=1)
RELEASED = replace(
    SMALL,
    whole_batch=True,
    positive_weight=5.0,
    adversary_bends=False,
    adversary_reaches=False,
    classifier_learns=False,
)
PARTS = ("projectors", "classifier", "adversary")


def build(config, seed=0, data=None):
    torch.manual_seed(seed)
    return Acmr().build(data or draw_dataset(), config)


def draw_batch(seed=0, progress=0.5, data=None):
    """The first step of the method's own sampler."""
    data = data or draw_dataset()
    (stage,) = Acmr().stages(data, SMALL)
    step = next(iter(stage.batches(data.train, np.random.default_rng(seed))))
    return Batch(
        {m: torch.from_numpy(data.train[m].inputs.take(places)) for m, places in step.items()},
        {m: torch.from_numpy(data.train[m].labels[places]) for m, places in step.items()},
        progress,
        lambda rows: rows,
    )


def player(config):
    (stage,) = Acmr().stages(draw_dataset(), config)
    (found,) = stage.players
    return found


def project(model, batch):
    return {m: model.projectors[m](rows) for m, rows in batch.inputs.items()}


def slow_hardest(features, labels):
    """For each row the row of another class of greatest cosine, or None, by loops."""
    found = []
    for one, label in zip(features, labels, strict=True):
        best = None
        for at, (other, its) in enumerate(zip(features, labels, strict=True)):
            if its != label:
                cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
                if best is None or cosine > best[0]:
                    best = cosine, at
        found.append(best and best[1])
    return found


def slow_triplets(config, batch, projected):
    """The structure term by loops over rows and their differences."""
    rows = {m: p.detach().double().numpy() for m, p in projected.items()}
    raw = {m: x.double().numpy() for m, x in batch.inputs.items()}
    labels = batch.labels[I].numpy()
    total = 0.0
    for anchor, partner in ((I, T), (T, I)):
        x, y = rows[anchor], rows[partner]
        near, far = [], []
        for at, other in enumerate(slow_hardest(raw[anchor], labels)):
            near.append(sum((a - b) ** 2 for a, b in zip(x[at], y[at], strict=True)))
            far.append(sum((a - b) ** 2 for a, b in zip(x[at], y[other], strict=True)))
        if config.whole_batch:
            hinge = config.margin + config.positive_weight * sum(near) / 2 - sum(far) / 2
            total += max(0.0, hinge)
        else:
            hinges = [max(0.0, config.margin + n - f) for n, f in zip(near, far, strict=True)]
            total += sum(hinges) / len(hinges)
    return total


def slow_entropy(logits, labels):
    logits = logits.detach().double().numpy()
    each = [
        math.log(sum(math.exp(v - row[label]) for v in row))
        for row, label in zip(logits, labels, strict=True)
    ]
    return sum(each) / len(each)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), margin=st.floats(0, 3), released=st.booleans())
def test_the_terms_are_the_slow_ones(seed, margin, released):
    config = replace(RELEASED if released else SMALL, margin=margin)
    model, batch = build(config, seed), draw_batch(seed)
    terms = player(config).losses(model, batch)
    projected = project(model, batch)
    entropies = [
        slow_entropy(model.classifier(projected[m]), batch.labels[m].tolist()) for m in (I, T)
    ]
    media = slow_entropy(
        model.adversary(torch.cat([projected[I], projected[T]])), [0] * 12 + [1] * 12
    )
    assert set(terms) == {"label", "triplet", "adversary"}
    assert terms["label"].item() == pytest.approx(100 * sum(entropies), rel=1e-4)
    assert terms["adversary"].item() == pytest.approx(media, rel=1e-4)
    expected = slow_triplets(config, batch, projected)
    assert terms["triplet"].item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


@given(
    rows=st.integers(1, 12), width=st.integers(2, 4), classes=st.integers(1, 4), seed=st.integers(0)
)
def test_the_hardest_negative_is_that_of_the_loops(rows, width, classes, seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, width)).astype(np.float32)
    labels = rng.integers(classes, size=rows)
    found, hardest = hardest_negatives(torch.from_numpy(features), torch.from_numpy(labels))
    expected = slow_hardest(features.astype(float), labels)
    assert found.tolist() == [at for at, other in enumerate(expected) if other is not None]
    assert hardest.tolist() == [other for other in expected if other is not None]


def test_a_batch_of_one_class_has_no_triplet():
    data = draw_dataset(classes=1)
    for config in (SMALL, RELEASED):
        model, batch = build(config, data=data), draw_batch(data=data)
        terms = player(config).losses(model, batch)
        assert all(torch.isfinite(term) for term in terms.values())
    assert player(SMALL).losses(build(SMALL, data=data), batch)["triplet"] == 0


@pytest.mark.parametrize("config", [SMALL, RELEASED])
def test_gradients_of_class_and_structure_are_right(config):
    config = replace(config, margin=50.0, hidden=(3,), hidden_text=(2,))  # every hinge is open
    losses, by = Losses(build(config).double()), player(config)
    batch = draw_batch()
    batch = replace(batch, inputs={m: rows.double() for m, rows in batch.inputs.items()})
    weights = dict(losses.model.projectors.named_parameters(prefix="model.projectors"))

    def lowered(*values):
        named = dict(zip(weights, values, strict=True))
        terms = torch.func.functional_call(losses, named, (by, batch))
        return terms["label"] / 100 + terms["triplet"]

    assert torch.autograd.gradcheck(lowered, tuple(weights.values()))


def changed_parts(config):
    """The parts of the network that a step of the player's optimiser moves."""
    model, batch, by = build(config), draw_batch(), player(config)
    before = {part: [p.clone() for p in model.get_submodule(part).parameters()] for part in PARTS}
    optimiser = by.optimiser(by.parameters(model))
    sum(by.losses(model, batch).values()).backward()
    optimiser.step()
    return {
        part
        for part in PARTS
        if all(
            not torch.equal(old, new)
            for old, new in zip(before[part], model.get_submodule(part).parameters(), strict=True)
        )
    }


def test_the_paper_s_form_moves_every_part():
    assert changed_parts(SMALL) == set(PARTS)


def test_the_released_form_leaves_the_classifier_as_it_was_drawn():
    assert changed_parts(RELEASED) == {"projectors", "adversary"}


@pytest.mark.parametrize("progress", [0.0, 0.3, 1.0])
def test_the_adversary_s_gradient_reaches_the_projectors_reversed(progress):
    config = replace(SMALL, label_weight=0.0, triplet_weight=0.0)
    model, batch = build(config), draw_batch(progress=progress)
    sum(player(config).losses(model, batch).values()).backward()
    found = [p.grad.clone() for p in model.projectors.parameters()]
    of_media = [p.grad.clone() for p in model.adversary.parameters()]
    model.zero_grad()
    joined = torch.cat(list(project(model, batch).values()))
    sides = torch.tensor([0] * 12 + [1] * 12)
    cross_entropy(model.adversary(joined), sides).backward()
    strength = 2 / (1 + math.exp(-10 * progress)) - 1
    for got, plain in zip(found, model.projectors.parameters(), strict=True):
        torch.testing.assert_close(got, -strength * plain.grad)
    for got, plain in zip(of_media, model.adversary.parameters(), strict=True):
        torch.testing.assert_close(got, plain.grad)


def test_the_released_adversary_never_reaches_the_projectors():
    config = replace(RELEASED, label_weight=0.0, triplet_weight=0.0)
    model, batch = build(config), draw_batch()
    player(config).losses(model, batch)["adversary"].backward()
    assert all(p.grad is None for p in model.projectors.parameters())
    assert any(p.grad.any() for p in model.adversary.parameters())


@pytest.mark.parametrize(
    ("classes", "widths"), [(3, [512, 100, 40]), (50, [512, 100, 50]), (200, [512, 250, 200])]
)
def test_widths_follow_the_number_of_classes(classes, widths):
    data = draw_dataset(classes=classes, train=(1, 1), test=(1, 1))
    model = build(AcmrConfig(), data=data)
    linear = [m for m in model.projectors[I] if isinstance(m, torch.nn.Linear)]
    assert [m.out_features for m in linear] == widths


def test_features_become_z_scores_of_the_training_items():
    data = draw_dataset()
    data.train[I].inputs.rows[:, 1] = 4.0  # one that does not vary
    rows = torch.from_numpy(data.train[I].inputs.rows)
    plain = build(replace(SMALL, standardise=False), data=data).projectors[I]
    scaled = build(SMALL, data=data).projectors[I]
    table = data.train[I].inputs.rows.astype(float)
    spread = table.std(axis=0)
    z = np.where(spread > 0, (table - table.mean(axis=0)) / np.where(spread > 0, spread, 1), 0)
    torch.testing.assert_close(scaled(rows), plain(torch.from_numpy(z).float()))


@given(seed=st.integers(0, 99))
def test_the_euclidean_similarity_is_minus_the_distance(seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=(n, 3)).astype(np.float32) for n in (4, 5))
    found = Acmr().similarity(replace(SMALL, distance=Distance.EUCLIDEAN), None)((I, a), (T, b))
    expected = [[-math.dist(x, y) for y in b.tolist()] for x in a.tolist()]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_cosine_is_left_to_the_protocol():
    assert Acmr().similarity(SMALL, None) is None


@pytest.mark.parametrize(
    "wrong", [{"hidden": (0,)}, {"width": 0}, {"rows": 0}, {"margin": -0.1}, {"rate": 0.0}]
)
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(ValueError, match="below"):
        replace(SMALL, **wrong)


def test_the_forms_differ_in_what_the_release_departs_from():
    assert differing_choices("acmr") == {
        "hidden",
        "hidden_text",
        "width",
        "standardise",
        "whole_batch",
        "positive_weight",
        "adversary_hidden",
        "adversary_bends",
        "adversary_reaches",
        "classifier_learns",
        "distance",
    }
    assert load_form("acmr", Form.PAPER, Budget.TINY) == replace(AcmrConfig(), epochs=2)


@pytest.mark.parametrize(("form", "space"), [("paper", Space.PAIRWISE), ("released", Space.SCORES)])
def test_a_tiny_run_of_either_form_leaves_a_submission(form, space, tmp_path):
    data = draw_dataset()
    recipe = Recipe.choose("acmr", Form(form), Budget.TINY)
    with read_submission(run_twice(recipe, data, tmp_path)) as submission:
        assert submission.space is space
        assert submission.media == (I, T)
