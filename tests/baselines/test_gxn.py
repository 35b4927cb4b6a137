"""GXN: its terms against slow forms, who moves what in which stage, and what its options do."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_parts import WORDS, draw_parts
from tiny_runs import first_batch

from fgbench import benchmark as benchmarks
from fgbench.baselines.gxn import REACH, Gxn, GxnConfig, Measure, Reading, compare
from fgbench.errors import FaultyInput
from fgbench.media.preset import Form
from fgbench.protocol import Medium
from fgbench.scoring.score import score
from fgbench.submission import Space, read_submission
from fgbench.train.dataset import Dataset
from fgbench.train.forms import load_form
from fgbench.train.hardware import Hardware
from fgbench.train.machine import Machine
from fgbench.train.method import Budget
from fgbench.train.recipe import Recipe
from fgbench.train.run import Run

I, T = Medium.IMAGE, Medium.TEXT  # noqa: E741
SMALL = GxnConfig(
    width=6, word_width=5, noise=3, condition=2, channels=2, rows=12,
    match_epochs=1, write_epochs=1, paint_epochs=1, joint_epochs=1, decay_after=2,
)  # fmt: skip
DATA = draw_parts(pictures=True)
CPU = Hardware(device="cpu")
MACHINE = Machine(CPU, pixels=False)
PARTS = ("heads", "words", "readers", "writer", "painter", "critic")
MATCHERS = {"heads", "words", "readers"}


def build(config=SMALL, seed=0, data=DATA):
    torch.manual_seed(seed)
    return Gxn().build(data, config)


def take(medium, places=slice(None)):
    places = np.arange(len(DATA.train[medium]))[places]
    taken = DATA.train[medium].inputs.take(places).each(torch.from_numpy)
    return MACHINE.place(taken)


def draw_batch(seed=0):
    """The first step of the method's own sampler."""
    stage = Gxn().stages(DATA, SMALL)[0]
    return first_batch(stage, DATA, take, seed)


def players(stage="joint", config=SMALL):
    (found,) = (of for of in Gxn().stages(DATA, config) if of.name == stage)
    return {player.name: player for player in found.players}


def unit(rows):
    rows = rows.detach().double().numpy()
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def levels(model, medium, parts):
    """Both levels, item by item."""
    if medium is I:
        return [head(parts.vectors) for head in model.heads]
    vectors = model.words.embedding(parts.parts)
    found = []
    for reader in model.readers:
        each = [reader.layer(v[None, :n])[0][0] for v, n in zip(vectors, parts.counts, strict=True)]
        mean = model.config.reading is Reading.MEAN
        found.append(torch.stack([of.mean(0) if mean else of[-1] for of in each]))
    return found


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("reading", Reading)
def test_embeddings_compare_as_the_weighted_levels(measure, share, reading):
    config = replace(SMALL, measure=measure, high_weight=share, reading=reading)
    model = build(config).eval()
    images, texts = ([unit(of) for of in levels(model, m, take(m))] for m in (I, T))
    expected = 0.0
    for weight, v, t in zip((share, 1 - share), images, texts, strict=True):
        if measure is Measure.COSINE:
            expected = expected + weight * (v @ t.T)
        else:
            gap = np.abs(v)[:, None] - np.abs(t)
            expected = expected - weight * np.square(np.maximum(0, gap)).sum(2)
    rows = {m: Gxn().embed(model, m, take(m)).detach().numpy() for m in (I, T)}
    compared = Gxn().similarity(config, model)
    if measure is Measure.COSINE:
        assert compared is None
        np.testing.assert_allclose(rows[I] @ rows[T].T, expected, atol=1e-5)
        for of in rows.values():
            np.testing.assert_allclose(np.linalg.norm(of, axis=1), 1, rtol=1e-5)
    else:
        found = compared((I, rows[I]), (T, rows[T]))
        np.testing.assert_allclose(found, expected, atol=1e-5)
        np.testing.assert_array_equal(compared((T, rows[T]), (I, rows[I])), found.T)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), st.sampled_from(Measure), st.booleans(), st.booleans())
def test_matching_is_the_hinges_of_the_loops(seed, measure, masked, hardest):
    config = replace(SMALL, measure=measure, mask_same_class=masked, hardest=hardest, margin=0.3)
    model, batch = build(config, seed), draw_batch(seed)
    found = players("match", config)["network"].losses(model, batch)
    images, texts = (model(m, batch.inputs[m]).joined.detach().double() for m in (I, T))
    scores = compare(measure, images, texts).tolist()
    labels, expected = batch.labels[I].tolist(), 0.0
    for a in range(12):
        wrong = [b for b in range(12) if (labels[a] != labels[b] if masked else a != b)]
        hinges = [max(0.0, 0.3 + scores[a][b] - scores[a][a]) for b in wrong]
        columns = [max(0.0, 0.3 + scores[b][a] - scores[a][a]) for b in wrong]
        if hardest:
            expected += max(hinges, default=0.0) + max(columns, default=0.0)
        else:
            expected += sum(hinges + columns) / 12
    assert set(found) == {"match"}
    assert found["match"].item() == pytest.approx(expected, rel=1e-4)


def slow_writing(model, config, low, texts):
    """Word by word, one text after the other; which words are written is counted here."""
    often = np.bincount(DATA.train[T].inputs.parts, minlength=WORDS + 1)
    order = sorted(range(1, WORDS + 1), key=lambda word: (-often[word], word))
    place = {word: at + 1 for at, word in enumerate(order[: config.most_words])} | {0: 0}
    terms, writer = [], model.writer
    for row, count in enumerate(texts.counts.tolist()):
        words = [*texts.parts[row, :count].tolist(), 0][: config.longest]
        state, before = writer.start(low[row]).tanh()[None, None], 0
        for word in words:
            vector = model.words.embedding(torch.tensor([[before]]))
            _, state = writer.layer(vector, state)
            scores = writer.out(state[0, 0]).detach().double().numpy()
            if word in place:
                terms.append(np.log(np.exp(scores).sum()) - scores[place[word]])
            before = word
    return sum(terms) / max(len(terms), 1)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 99), longest=st.integers(1, 9), most=st.sampled_from([3, 7, 5000]))
def test_writing_is_the_entropy_of_each_word_and_end(seed, longest, most):
    config = replace(SMALL, longest=longest, most_words=most, write_weight=0.7)
    model, batch = build(config, seed), draw_batch(seed)
    terms = players("write", config)["network"].losses(model, batch)
    low, texts = model(I, batch.inputs[I]).low, batch.inputs[T]
    expected = 0.7 * slow_writing(model, config, low, texts)
    assert set(terms) == {"match", "write"}
    assert terms["write"].item() == pytest.approx(expected, rel=1e-4)


def slow_entropy(scores, real):
    each = [math.log1p(math.exp(-s if real else s)) for s in scores.detach().double().tolist()]
    return sum(each) / len(each)


def test_the_critic_s_terms_are_those_of_the_loops():
    model, batch = build(), draw_batch()
    seen = []
    model.critic.register_forward_hook(lambda *call: seen.append((call[1], call[2])))
    terms = players()["critic"].losses(model, batch)
    (real, right), (painted, fake), (still, wrong) = seen
    assert terms["right"].item() == pytest.approx(slow_entropy(right, True), rel=1e-4)
    assert terms["painted"].item() == pytest.approx(slow_entropy(fake, False) / 2, rel=1e-4)
    assert terms["wrong"].item() == pytest.approx(slow_entropy(wrong, False) / 2, rel=1e-4)
    low = model(T, batch.inputs[T]).low
    torch.testing.assert_close(real[1], low)
    torch.testing.assert_close(painted[1], low)
    assert torch.equal(real[0], batch.inputs[I].pictures)
    assert torch.equal(still[0], real[0])
    assert painted[0].abs().max() <= REACH
    labels = batch.labels[T]
    for row, told in enumerate(still[1]):  # a text of another class
        twins = [at for at in range(12) if torch.equal(low[at], told)]
        assert any(labels[at] != labels[row] for at in twins)


def test_the_painter_s_terms_are_those_of_the_loops():
    config = replace(SMALL, paint_weight=0.5, smoothness=3.0)
    model, batch = build(config), draw_batch()
    seen = []
    model.critic.register_forward_hook(lambda *call: seen.append(call[2]))
    terms = players("paint", config)["network"].losses(model, batch)
    assert set(terms) == {"match", "paint", "smooth"}
    assert terms["paint"].item() == pytest.approx(0.5 * slow_entropy(seen[0], True), rel=1e-4)
    mean, spread = model.painter.condition(model(T, batch.inputs[T]).low).chunk(2, dim=1)
    normal = torch.distributions.Normal(mean, (spread / 2).exp())
    apart = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).mean()
    assert terms["smooth"].item() == pytest.approx(1.5 * apart.item(), rel=1e-4)


def test_a_batch_of_one_class_has_no_wrong_text():
    model, batch = build(), draw_batch()
    batch = replace(batch, labels={m: torch.zeros_like(of) for m, of in batch.labels.items()})
    assert set(players()["critic"].losses(model, batch)) == {"right", "painted"}
    assert players("match")["network"].losses(model, batch)["match"] == 0


def moved_by(player, terms=None):
    """The parts that a step of the player's optimiser moves, by these of its terms."""
    model, batch = build(), draw_batch()
    before = {part: [p.clone() for p in model.get_submodule(part).parameters()] for part in PARTS}
    optimiser = player.optimiser(
        [{**g, "params": [*g["params"]]} for g in player.parameters(model)]
    )
    found = player.losses(model, batch)
    sum(found[term] for term in terms or found).backward()
    optimiser.step()
    return {
        part
        for part in PARTS
        if any(
            not torch.equal(old, new)
            for old, new in zip(before[part], model.get_submodule(part).parameters(), strict=True)
        )
    }


@pytest.mark.parametrize(
    ("stage", "parts"),
    [
        ("match", MATCHERS),
        ("write", MATCHERS | {"writer"}),
        ("paint", MATCHERS | {"painter"}),
        ("joint", MATCHERS | {"writer", "painter"}),
    ],
)
def test_a_stage_moves_what_it_teaches(stage, parts):
    assert moved_by(players(stage)["network"]) == parts
    assert (stage in ("paint", "joint")) == ("critic" in players(stage))


def test_the_critic_moves_itself_alone():
    assert moved_by(players()["critic"]) == {"critic"}


def test_each_path_teaches_the_lower_level_that_it_starts_from():
    assert moved_by(players()["network"], ["write"]) == {"heads", "words", "writer"}
    assert moved_by(players()["network"], ["paint"]) == {"words", "readers", "painter"}
    model = build()
    terms = players()["network"].losses(model, draw_batch())
    (terms["write"] + terms["paint"]).backward()
    (high, low), (reader_high, reader_low) = model.heads, model.readers
    assert low.weight.grad.any()
    assert reader_low.layer.weight_hh_l0.grad.any()
    assert high.weight.grad is None
    assert reader_high.layer.weight_hh_l0.grad is None


def test_the_critic_s_look_at_a_text_does_not_teach_the_text():
    model, batch = build(), draw_batch()
    torch.nn.init.zeros_(model.painter.condition.weight)  # cuts the way through the painter
    players("paint")["network"].losses(model, batch)["paint"].backward()
    assert not any(p.grad is not None and p.grad.any() for p in model.readers.parameters())


def test_gradients_of_matching_and_writing_are_right():
    config = replace(SMALL, width=2, word_width=2, margin=5.0)
    model, batch = build(config).double(), draw_batch()
    vectors = {m: of._replace(vectors=of.vectors.double()) for m, of in batch.inputs.items()}
    batch = replace(batch, inputs=vectors)
    named = dict(model.named_parameters())
    weights = {n: p for n, p in named.items() if n.startswith(("heads", "readers", "writer"))}

    def lowered(*values):
        with torch.nn.utils.stateless._reparametrize_module(
            model, dict(zip(weights, values, strict=True))
        ):
            return sum(players("write", config)["network"].losses(model, batch).values())

    assert torch.autograd.gradcheck(lowered, tuple(weights.values()), fast_mode=True)


def test_the_rate_falls_after_that_many_epochs_of_all_stages():
    config = replace(SMALL, match_epochs=3, write_epochs=2, decay_after=4)
    rates = []
    for stage in Gxn().stages(DATA, config)[:3]:
        optimiser = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        schedule = stage.players[-1].schedule(optimiser)
        for _ in range(stage.epochs):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            schedule.step()
    assert rates == pytest.approx([1, 1, 1, 1, 0.1, 0.1])


def test_what_the_features_lack_is_told_at_once():
    bare = draw_parts()
    texts = replace(bare.train[T].inputs, words=0, parts=np.zeros((1, 2), np.float32))
    items = {**bare.train, T: replace(bare.train[T], inputs=texts)}
    with pytest.raises(FaultyInput) as caught:
        Gxn().build(Dataset(items, bare.test, 3), SMALL)
    assert [fault.code for fault in caught.value.faults] == ["FG-Y060", "FG-Y061"]
    pictures = DATA.train[I].inputs.pictures[:, :, :48, :48]
    odd = replace(DATA.train[I], inputs=replace(DATA.train[I].inputs, pictures=pictures))
    with pytest.raises(FaultyInput, match="side 48"):
        Gxn().build(Dataset({**DATA.train, I: odd}, DATA.test, 3), SMALL)


def test_paths_of_no_weight_are_left_out():
    config = replace(SMALL, write_weight=0.0, paint_weight=0.0)
    names = {name for name, _ in build(config, data=draw_parts()).named_children()}
    assert not names & {"writer", "painter", "critic"}
    for stage in Gxn().stages(DATA, config):
        (player,) = stage.players
        assert set(player.losses(build(config), draw_batch())) == {"match"}


@pytest.mark.parametrize(
    "wrong",
    [{"width": 0}, {"longest": 0}, {"match_epochs": 0}, {"write_epochs": -1}, {"margin": -0.1},
     {"rate": 0.0}, {"high_weight": 1.5}, {"momentum": 1.0}],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused(wrong):
    with pytest.raises(ValueError, match=r"below|no share"):
        replace(SMALL, **wrong)


def test_the_form_is_the_defaults():
    assert load_form("gxn", Form.PAPER) == GxnConfig()


def run(out, data, **overrides):
    made = Run(Recipe.choose("gxn", Form.PAPER, Budget.TINY, overrides), data, out, CPU)
    made.train()
    path = made.embed()
    items = {m: benchmarks.Items(of.ids, of.labels) for m, of in data.test.items()}
    return path, score(path, benchmarks.Benchmark("small", "Small", items, "split"), draws=2).record


def test_a_tiny_run_learns_and_scores(tmp_path):
    data = draw_parts(train=20, test=8, pictures=True)
    path, record = run(tmp_path / "one", data, rate="0.003", rows="24")
    again, _ = run(tmp_path / "two", data, rate="0.003", rows="24")
    assert path.read_bytes() == again.read_bytes()
    with read_submission(path) as submission:
        assert (submission.space, submission.media) == (Space.PAIRWISE, (I, T))
    for task in ("i2t", "t2i"):
        assert record.scores[task].map > 0.6  # three classes: chance is near 0.4
    lines = (tmp_path / "one" / "pairs" / "image_text" / "log.csv").read_text().splitlines()
    header, rows = lines[0].split(","), [line.split(",") for line in lines[1:]]
    for term in ("network.match", "network.write"):
        values = [float(row[header.index(term)]) for row in rows if row[header.index(term)]]
        assert values[-1] < 0.9 * values[0]


def test_the_order_is_submitted_as_scores(tmp_path):
    data = draw_parts()
    overrides = {"measure": "order", "paint_weight": "0", "match_epochs": "1", "margin": "0.05"}
    path, _ = run(tmp_path, data, **overrides)
    with read_submission(path) as submission:
        assert submission.space is Space.SCORES
