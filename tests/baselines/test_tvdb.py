"""TVDB: codes against every code there is, terms and encoders against loops, and what moves."""

from dataclasses import replace
from itertools import combinations, pairwise, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_parts import LONGEST, REGION, VECTOR, draw_parts
from tiny_runs import run_twice

from fgbench.baselines.tvdb import (
    Affinity,
    RegionEncoder,
    Start,
    TextEncoder,
    Tvdb,
    TvdbConfig,
    find_codes,
    signs,
    supervise,
)
from fgbench.media.preset import Form
from fgbench.protocol import MEDIA, Medium
from fgbench.submission import Space, read_submission
from fgbench.train.dataset import Parts
from fgbench.train.forms import load_form
from fgbench.train.hardware import Device, Hardware
from fgbench.train.inputs import PartInputs
from fgbench.train.learner import Losses
from fgbench.train.loading import as_tensors
from fgbench.train.method import Batch, Budget
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run

I, T = Medium.IMAGE, Medium.TEXT  # noqa: E741
SMALL = TvdbConfig(
    bits=6, states=5, hidden=7, word_width=4, channels=3, hidden_text=8, rows=12, epochs=1
)


def build(config=SMALL, seed=0, data=None):
    torch.manual_seed(seed)
    return Tvdb().build(data or draw_parts(), config).eval()


def draw_batch(seed=0, data=None):
    """The first step of the method's own sampler."""
    data = data or draw_parts()
    (stage,) = Tvdb().stages(data, SMALL)
    step = next(iter(stage.batches(data.train, np.random.default_rng(seed))))
    return Batch(
        {m: as_tensors(data.train[m].inputs.take(places)) for m, places in step.items()},
        {m: torch.from_numpy(data.train[m].labels[places]) for m, places in step.items()},
        0.5,
        lambda rows: rows,
    )


def player(config=SMALL):
    (stage,) = Tvdb().stages(draw_parts(), config)
    (found,) = stage.players
    return found


def draw_problem(seed, n=3, m=2, bits=2):
    """Affinities, what the encoders say, and codes to start from."""
    generator = torch.Generator().manual_seed(seed)
    s, f, g, start = (
        torch.randn(shape, generator=generator)
        for shape in ((n, m), (n, bits), (m, bits), (m, bits))
    )
    return s, f, g, signs(start)


def objective(s, f, g, left, right, fidelity):
    """−tr(BᵀSH) + η(‖B − f‖² + ‖H − g‖²), entry by entry."""
    total = 0.0
    for i, j in product(range(len(left)), range(len(right))):
        total -= sum(float(s[i, j] * left[i, k] * right[j, k]) for k in range(left.shape[1]))
    for codes, said in ((left, f), (right, g)):
        total += fidelity * sum(float(x) for x in ((codes - said) ** 2).flatten())
    return total


def every_code(rows, bits):
    return (
        torch.tensor(values).reshape(rows, bits)
        for values in product((-1.0, 1.0), repeat=rows * bits)
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), fidelity=st.floats(0.01, 3))
def test_each_update_finds_the_best_of_all_codes(seed, fidelity):
    s, f, g, start = draw_problem(seed)
    left, right = find_codes(s, f, g, start, fidelity, updates=1)
    best = min(objective(s, f, g, codes, start, fidelity) for codes in every_code(3, 2))
    assert objective(s, f, g, left, start, fidelity) == pytest.approx(best, abs=1e-4)
    best = min(objective(s, f, g, left, codes, fidelity) for codes in every_code(2, 2))
    assert objective(s, f, g, left, right, fidelity) == pytest.approx(best, abs=1e-4)


@given(seed=st.integers(0, 999), fidelity=st.floats(0.01, 3))
def test_no_update_raises_the_objective(seed, fidelity):
    problem = draw_problem(seed, 7, 6, 4)
    values = [
        objective(*problem[:3], *find_codes(*problem, fidelity, updates), fidelity)
        for updates in (1, 2, 3, 6)
    ]
    assert all(after <= before + 1e-4 for before, after in pairwise(values))


def test_the_sign_of_nothing_is_plus():
    assert signs(torch.tensor([-0.5, -0.0, 0.0, 2.0])).tolist() == [-1, 1, 1, 1]


@given(seed=st.integers(0, 99), affinity=st.sampled_from(Affinity), classes=st.integers(1, 4))
def test_supervision_is_that_of_loops_over_pairs(seed, affinity, classes):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(classes, size=7), rng.integers(classes, size=5)
    alike = torch.from_numpy(a[:, None] == b[None])
    found = supervise(alike, affinity)
    same = sum(int(x == y) for x in a for y in b)
    weight = (35 - same) / max(same, 1) if affinity is Affinity.WEIGHED else 1.0
    other = 0.0 if affinity is Affinity.ZERO_ONE else -1.0
    expected = [[weight if x == y else other for y in b] for x in a]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def best_bits(affinity, classes):
    """All pairs of bits, one an item of each class, that −tr(BᵀSH) is lowest for."""
    s = supervise(torch.eye(classes, dtype=torch.bool), affinity)
    values = {
        (b, h): float(torch.tensor(b) @ s @ torch.tensor(h))
        for b in product((-1.0, 1.0), repeat=classes)
        for h in product((-1.0, 1.0), repeat=classes)
    }
    most = max(values.values())
    return {pair for pair, value in values.items() if value > most - 1e-4}


def test_weighed_pairs_want_equal_codes_that_divide_the_classes():
    found = best_bits(Affinity.WEIGHED, 6)
    assert all(b == h and sum(b) == 0 for b, h in found)
    assert len(found) == 20


def test_signed_pairs_of_more_than_four_classes_want_one_code_and_its_opposite():
    found = best_bits(Affinity.SIGNED, 5)
    assert found == {((1.0,) * 5, (-1.0,) * 5), ((-1.0,) * 5, (1.0,) * 5)}
    assert all(b == h for b, h in best_bits(Affinity.SIGNED, 3))


def test_weighed_updates_do_not_move_from_one_code_for_all():
    labels = torch.arange(6).repeat_interleave(2)
    s = supervise(labels[:, None] == labels[None], Affinity.WEIGHED) / 12
    said = torch.full((12, 3), 0.01)
    left, right = find_codes(s, said, said, torch.ones(12, 3), 1.0, 3)
    assert left.unique(dim=0).shape == right.unique(dim=0).shape == (1, 3)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 99),
    affinity=st.sampled_from(Affinity),
    start=st.sampled_from(Start),
    fidelity=st.floats(0.1, 3),
)
def test_the_terms_are_those_of_loops(seed, affinity, start, fidelity):
    config = replace(SMALL, affinity=affinity, start=start, fidelity=fidelity, updates=2)
    model, batch = build(config, seed), draw_batch(seed)
    terms = player(config).losses(model, batch)
    f, g = (model.encoders[m](batch.inputs[m]).detach() for m in (I, T))
    labels = batch.labels[I]
    assert torch.equal(labels, batch.labels[T])
    s = supervise(labels[:, None] == labels[None], affinity) / 12
    first = {
        Start.CLASSES: model.starts[labels],
        Start.ENCODER: signs(g),
        Start.CENTRED: signs(g - sum(g) / 12),
    }
    left, right = find_codes(s, f, g, first[start], fidelity, 2)
    total = objective(s, f, g, left, right, fidelity)
    assert set(terms) == {"codes", "encoders"}
    assert sum(term.item() for term in terms.values()) == pytest.approx(total / 12, rel=1e-3)


def test_gradients_are_right():
    config = replace(SMALL, bits=2, states=2, hidden=2, word_width=2, channels=1, hidden_text=2)
    config = replace(config, kernels=(2,), tiles=1, rows=4)
    losses, by, batch = Losses(build(config).double()), player(config), draw_batch()
    losses.model.starts = losses.model.starts.float()  # codes stay as they are
    wide = {
        m: Parts(*(x.double() if x is not None and x.is_floating_point() else x for x in parts))
        for m, parts in batch.inputs.items()
    }
    weights = dict(losses.model.encoders.named_parameters(prefix="model.encoders"))
    del weights["model.encoders.text.vectors.embedding.weight"]  # its row of no word never moves

    def lowered(*values):
        named = dict(zip(weights, values, strict=True))
        return torch.func.functional_call(losses, named, (by, replace(batch, inputs=wide)))[
            "encoders"
        ]

    assert torch.autograd.gradcheck(lowered, tuple(weights.values()))


def test_a_step_moves_every_weight_of_both_encoders_and_no_start():
    model, batch, by = build(), draw_batch(), player()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimiser = by.optimiser(by.parameters(model))
    sum(by.losses(model, batch).values()).backward()
    optimiser.step()
    moved = {n for n, value in model.state_dict().items() if not torch.equal(value, before[n])}
    assert moved == set(dict(model.named_parameters()))


def test_codes_and_encoders_take_turns_to_lower_the_objective():
    model, batch, by = build(), draw_batch(), player()
    optimiser = torch.optim.SGD(by.parameters(model), lr=1e-3)
    labels = batch.labels[I]
    s = supervise(labels[:, None] == labels[None], SMALL.affinity) / 12

    def said():
        return [model.encoders[m](batch.inputs[m]).detach() for m in (I, T)]

    start = model.starts[labels]
    codes = find_codes(s, *said(), start, SMALL.fidelity, SMALL.updates)
    at_first = objective(s, *said(), signs(said()[0]), start, SMALL.fidelity)
    with_codes = objective(s, *said(), *codes, SMALL.fidelity)
    sum(by.losses(model, batch).values()).backward()
    optimiser.step()
    with_encoders = objective(s, *said(), *codes, SMALL.fidelity)
    assert at_first > with_codes > with_encoders


def regions(seed=0, count=3):
    """Some images' parts, all with as many regions as there is room for."""
    rng = np.random.default_rng(seed)
    return as_tensors(
        Parts(
            rng.normal(size=(count, VECTOR)).astype(np.float32),
            rng.normal(size=(count, LONGEST, REGION)).astype(np.float32),
            np.full(count, LONGEST),
            rng.random((count, LONGEST, 4)).astype(np.float32),
        )
    )


def test_what_lies_behind_the_last_region_does_not_matter():
    encoder = build().encoders[I]
    parts = regions()._replace(counts=torch.tensor([1, 4, 2]))
    cut = parts._replace(parts=parts.parts.clone(), boxes=parts.boxes.clone())
    for array in (cut.parts, cut.boxes):
        array[0, 1:] = array[2, 2:] = 99.0
    together = encoder(parts)
    torch.testing.assert_close(encoder(cut), together)
    alone = encoder(parts.each(lambda array: array[2:3]))
    torch.testing.assert_close(alone, together[2:3])


def test_regions_come_with_their_height_width_and_centre():
    encoder = build(replace(SMALL, tiles=2)).encoders[I]
    parts, seen = regions(count=1), []
    encoder.recurrent.register_forward_pre_hook(
        lambda module, given: seen.append(given[0].detach())
    )
    encoder(parts)
    (steps,) = seen[0]
    left, top, width, height = parts.boxes[0, 2].tolist()
    place = [height, width, left + width / 2, top + height / 2]
    np.testing.assert_allclose(steps[0, REGION:], 2 * [1.0, 1.0, 0.5, 0.5])
    np.testing.assert_allclose(steps[3, REGION:], 2 * place, rtol=1e-6)
    rows = draw_parts().train[I].inputs.parts
    z = (parts.parts[0, 2].numpy() - rows.mean(0)) / rows.std(0)
    np.testing.assert_allclose(steps[3, :REGION], z, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("width", "tiles", "entering"), [(4096, None, 5000), (40, 0, 40)])
def test_places_take_the_source_s_share_of_the_input(width, tiles, entering):
    rows = np.zeros((2, width), np.float32)
    boxes = np.zeros((2, 4), np.float32)
    inputs = PartInputs(rows, rows, np.array([1, 1]), 1, boxes=boxes)
    encoder = RegionEncoder(inputs, replace(SMALL, tiles=tiles))
    assert encoder.recurrent.layer.input_size == entering
    assert isinstance(encoder.whole, torch.nn.Identity)
    without = RegionEncoder(replace(inputs, boxes=None), SMALL)
    assert without.recurrent.layer.input_size == width


def slow_text(encoder, words):
    """The text encoder by loops over segments."""
    vectors = [encoder.vectors.embedding.weight[word] for word in words]
    found = []
    for convolution in encoder.convolutions:
        (kernel,) = convolution.kernel_size
        filled = vectors + [torch.zeros_like(vectors[0])] * max(0, kernel - len(vectors))
        segments = [
            sum(convolution.weight[:, :, k] @ filled[at + k] for k in range(kernel))
            + convolution.bias
            for at in range(len(filled) - kernel + 1)
        ]
        found.append(torch.stack(segments).amax(0).relu())
    return encoder.full(torch.cat(found))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), counts=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_a_text_s_segments_are_those_of_loops(seed, counts):
    config = replace(SMALL, words=7, kernels=(1, 3, 4))
    torch.manual_seed(seed)
    encoder = TextEncoder(draw_parts().train[T].inputs, config)
    texts = [torch.randint(1, 13, (count,)).tolist() for count in counts]
    padded = torch.zeros(len(texts), 9, dtype=torch.int64)
    for row, text in zip(padded, texts, strict=True):
        row[: len(text)] = torch.tensor(text)
    found = encoder(Parts(torch.zeros(len(texts), 1), padded, torch.tensor(counts)))
    for row, text in zip(found, texts, strict=True):
        torch.testing.assert_close(row, slow_text(encoder, text[:7]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "wrong", [{"bits": 0}, {"kernels": ()}, {"classes": 0}, {"tiles": -1}, {"fidelity": 0.0}]
)
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(ValueError, match=r"below|not above"):
        replace(SMALL, **wrong)


def test_there_is_one_form():
    paper = load_form("tvdb", Form.PAPER)
    assert paper == TvdbConfig()
    assert load_form("tvdb", Form.PAPER, Budget.CPU).bits == paper.bits


def choose(**overrides):
    config = replace(load_form("tvdb", Form.PAPER, Budget.TINY), **overrides)
    return Recipe(Tvdb(), Form.PAPER, Budget.TINY, 0, config)


def test_a_tiny_run_leaves_codes(tmp_path):
    with read_submission(run_twice(choose(), draw_parts(), tmp_path)) as submission:
        assert submission.space is Space.PAIRWISE
        assert submission.binary
        assert submission.pairs == ((I, T),)


def test_extended_it_learns_every_two_media(tmp_path):
    data = draw_parts(train=2, test=1, media=MEDIA)
    run = Run(choose(extended=True), data, tmp_path, Hardware(device=Device.CPU))
    run.train()
    with read_submission(run.embed()) as submission:
        assert submission.binary
        assert submission.pairs == tuple(combinations(MEDIA, 2))


def test_it_finds_classes_in_both_directions(tmp_path):
    data = draw_parts(train=24, test=12)
    run = Run(choose(epochs=15, rows=24, rate=5e-3), data, tmp_path, Hardware(device=Device.CPU))
    run.train()
    with read_submission(run.embed()) as submission:
        codes = {m: submission.embedding(m, n) for m, n in ((I, T), (T, I))}
        for m in (I, T):
            assert submission.ids[m].tolist() == data.test[m].ids.tolist()
    for a, b in ((I, T), (T, I)):
        near = codes[a] @ codes[b].T
        same = data.test[a].labels[:, None] == data.test[b].labels[None]
        assert near[same].mean() > near[~same].mean() + 6  # of 16 bits
