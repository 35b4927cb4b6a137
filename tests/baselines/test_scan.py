"""SCAN: its scores and hinges against loops, what moves in which stage, and what it learns."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_attention import cosines, hinges, own_parts
from small_parts import LONGEST, WORDS, draw_parts
from tiny_runs import differing_choices, first_batch

from fgbench import benchmark as benchmarks
from fgbench.baselines.scan import Direction, Pooling, Scan, ScanConfig, agreements
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.scoring.chance import expected_ap
from fgbench.scoring.score import score
from fgbench.submission import Space, read_submission
from fgbench.train.attention import unpack
from fgbench.train.hardware import Hardware
from fgbench.train.learner import Losses
from fgbench.train.method import Budget
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run

I, T = Medium.IMAGE, Medium.TEXT  # noqa: E741
DATA = draw_parts()
BOTH = tuple(Direction)
SMALL = ScanConfig(directions=BOTH, width=6, word_width=5, rows=12, epochs=2)


def build(config=SMALL, seed=0):
    torch.manual_seed(seed)
    return Scan().build(DATA, config)


def take(medium, places):
    return DATA.train[medium].inputs.take(np.asarray(places)).each(torch.from_numpy)


def draw_batch(config=SMALL, seed=0):
    """The first step of the method's own sampler."""
    stage, *_ = Scan().stages(DATA, config)
    return first_batch(stage, DATA, take, seed)


def players(config=SMALL):
    return {stage.name: stage.players[0] for stage in Scan().stages(DATA, config)}


def slow_pool(found, pooling, steepness):
    if pooling is Pooling.MEAN:
        return sum(found) / len(found)
    return math.log(sum(math.exp(steepness * value) for value in found)) / steepness


def slow_scores(config, direction, model, inputs):
    """The scores of one direction by loops over items and their own parts."""
    regions, words = (
        own_parts(model.matchers[direction][m](inputs[m]), inputs[m].counts.tolist())
        for m in (I, T)
    )
    at = BOTH.index(direction)
    steep, how = config.temperatures[at], (config.pooling, config.steepness[at])
    scores = []
    for image in regions:
        ways = [
            (text, image) if direction is Direction.TEXT_IMAGE else (image, text) for text in words
        ]
        scores.append([slow_pool(cosines(q, c, steep, leak=config.leak), *how) for q, c in ways])
    return np.array(scores)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 99),
    pooling=st.sampled_from(Pooling),
    directions=st.sampled_from([BOTH[:1], BOTH[1:], BOTH, BOTH[::-1]]),
    temperatures=st.tuples(st.floats(1, 20), st.floats(1, 20)),
)
def test_the_scores_are_those_of_the_loops(seed, pooling, directions, temperatures):
    config = replace(SMALL, directions=directions, pooling=pooling, temperatures=temperatures)
    model, batch = build(config, seed), draw_batch(seed=seed)
    images, texts = (Scan().embed(model, m, batch.inputs[m]) for m in (I, T))
    assert images.shape == (12, LONGEST, 6 * len(directions) + 1)
    found = agreements(config, directions, images, texts)
    each = [slow_scores(config, direction, model, batch.inputs) for direction in directions]
    np.testing.assert_allclose(found.detach(), np.mean(each, axis=0), atol=1e-5)


@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("direction", BOTH)
def test_the_hinges_are_those_of_the_loops(direction, mask):
    config = replace(SMALL, mask_same_class=mask)
    model, batch = build(), draw_batch()
    (found,) = players(config)[direction].losses(model, batch).values()
    scores = slow_scores(config, direction, model, batch.inputs)
    expected = hinges(scores, batch.labels[I].tolist(), config.margin, mask=mask)
    assert found.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("direction", BOTH)
def test_gradients_are_right(direction):
    config = replace(SMALL, directions=(direction,), width=3, word_width=2, rows=4, margin=3.0)
    losses, by = Losses(build(config).double()), players(config)[direction]
    batch = draw_batch(config)
    image = batch.inputs[I]
    batch = replace(
        batch, inputs={I: image._replace(parts=image.parts.double()), T: batch.inputs[T]}
    )
    weights = {
        name: weight
        for name, weight in losses.named_parameters()
        if "map" in name or name.endswith("weight_ih_l0")
    }

    def lowered(*values):
        named = dict(zip(weights, values, strict=True))
        return torch.func.functional_call(losses, named, (by, batch))["hinges"]

    assert len(weights) == 3
    assert torch.autograd.gradcheck(lowered, tuple(weights.values()))


def test_states_are_of_length_1_and_zero_behind_the_last_part():
    model, inputs = build(), take(T, range(8))
    states, there = unpack(Scan().embed(model, T, inputs))
    assert there.sum(1).tolist() == inputs.counts.tolist()
    lengths = torch.stack([part.norm(dim=-1) for part in states.chunk(2, dim=-1)])
    torch.testing.assert_close(lengths, there.float().expand(2, -1, -1))


def test_an_item_is_embedded_alone_as_among_others():
    model = build()
    for medium in (I, T):
        whole = Scan().embed(model, medium, take(medium, range(8)))
        alone = Scan().embed(model, medium, take(medium, [3]))
        torch.testing.assert_close(whole[3:4], alone)


def test_a_direction_s_stage_moves_its_own_network_and_all_of_it():
    for direction in BOTH:
        model, by = build(), players()[direction]
        before = {name: p.clone() for name, p in model.named_parameters()}
        optimiser = by.optimiser(by.parameters(model))
        by.losses(model, draw_batch())["hinges"].backward()
        optimiser.step()
        moved = {name for name, p in model.named_parameters() if not torch.equal(before[name], p)}
        assert moved == {name for name in before if f".{direction}." in name}


def test_the_rate_is_a_tenth_after_half_of_the_epochs():
    by = players(replace(SMALL, epochs=6))[Direction.TEXT_IMAGE]
    optimiser = by.optimiser(by.parameters(build()))
    schedule, rates = by.schedule(optimiser), []
    for _ in range(6):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    assert rates == pytest.approx([2e-4] * 3 + [2e-5] * 3)


def test_the_hinges_fall():
    model, batch = build(), draw_batch()
    by = players(replace(SMALL, rate=0.01))[Direction.TEXT_IMAGE]
    optimiser, seen = by.optimiser(by.parameters(model)), []
    for _ in range(20):
        optimiser.zero_grad()
        term = by.losses(model, batch)["hinges"]
        term.backward()
        optimiser.step()
        seen.append(term.item())
    assert seen[-1] < seen[0] / 2


def test_the_similarity_is_the_same_from_either_side():
    model = build().eval()
    with torch.inference_mode():
        images, texts = (Scan().embed(model, m, take(m, range(9))).numpy() for m in (I, T))
        scores = agreements(SMALL, BOTH, torch.from_numpy(images), torch.from_numpy(texts[:5]))
    compare = Scan().similarity(SMALL, model)
    forth = compare((I, images), (T, texts[:5]))
    assert forth.dtype == np.float32
    np.testing.assert_allclose(forth, scores, atol=1e-6)
    np.testing.assert_array_equal(compare((T, texts[:5]), (I, images)), forth.T)
    assert Scan().similarity(SMALL, None) is not None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"directions": ()}, "direction"),
        ({"directions": BOTH[:1] * 2}, "direction"),
        ({"rows": 0}, "below 1"),
        ({"temperatures": (9.0, 0.0)}, "not above 0"),
        ({"rate": 0.0}, "not above 0"),
        ({"margin": -0.1}, "below 0"),
    ],
)
def test_what_cannot_be_trained_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        replace(SMALL, **wrong)


def test_the_forms_differ_in_what_the_release_departs_from():
    assert differing_choices("scan") == {"pooling", "mask_same_class"}


@pytest.mark.parametrize(
    ("form", "directions"), [("paper", "text-image"), ("released", "text-image"), ("paper", None)]
)
def test_a_tiny_run_leaves_scores_well_above_chance(form, directions, tmp_path):
    chosen = {"directions": f"[{directions or ', '.join(BOTH)}]"}
    recipe = Recipe.choose("scan", Form(form), Budget.TINY, chosen)
    run = Run(recipe, DATA, tmp_path, Hardware(device="cpu"))
    run.train()
    path = run.embed()
    with read_submission(path) as submission:
        assert submission.space is Space.SCORES
        assert submission.media == (I, T)
        assert submission.meta["parameters"] > WORDS
    items = {m: benchmarks.Items(of.ids, of.labels) for m, of in DATA.test.items()}
    found = score(path, benchmarks.Benchmark("toy", "Toy", items, "split")).record.scores
    chance = expected_ap(4, 12)
    assert min(found["i2t"].map, found["t2i"].map) > chance + 0.1
