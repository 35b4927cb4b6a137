"""The loop: what moves and what does not, what it says, and what stops it."""

from __future__ import annotations

import csv
import json
from functools import partial

import numpy as np
import pytest
import torch
from torch.optim import SGD
from train.toys import (
    Linear,
    LinearConfig,
    LinearNetwork,
    Shuffled,
    class_losses,
    everything_but_judge,
    judge_losses,
    judge_only,
    toy_data,
)

from fgbench.errors import InputError
from fgbench.media.image import normalise
from fgbench.protocol import Medium
from fgbench.train.hardware import Device, Hardware, Precision
from fgbench.train.log import RunLog
from fgbench.train.loop import Training, train_network
from fgbench.train.machine import Machine, _compile_parts
from fgbench.train.method import Player, Stage

CPU = Hardware(device=Device.CPU, workers=0)


def train(folder, stages=None, data=None, hardware=CPU, progress=lambda part: None, **values):
    """A toy network after training, its first weights, and the lines of its log."""
    config = LinearConfig(**values)
    data = data or toy_data()
    torch.manual_seed(0)
    model = LinearNetwork(data, config)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    stages = stages or Linear().stages(data, config)
    log = RunLog(folder / "log.jsonl")
    path = folder / "checkpoint.pt"
    training = Training(model, stages, data, 0, {"toy": 1}, path, log)
    try:
        train_network(training, Machine(hardware, pixels=False), progress)
    finally:
        log.tabulate()
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return model, before, lines


def moved(model, before):
    """The parts whose weights are other ones."""
    now = model.state_dict()
    return {name.partition(".")[0] for name in before if not torch.equal(now[name], before[name])}


def player(losses, parameters=everything_but_judge, **more):
    return Player("p", parameters, losses, partial(SGD, lr=0.1), **more)


CLASSES = partial(class_losses, LinearConfig())


def test_it_learns_and_says_so(tmp_path):
    parts = []
    _, _, lines = train(tmp_path, progress=parts.append, epochs=6, rivals=False)
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[-1]["embed.classes"] < lines[0]["embed.classes"] / 3
    assert [line["embed.rate"] for line in lines] == [0.05 / 2**k for k in range(6)]
    assert parts == sorted(parts)
    assert (len(parts), parts[-1]) == (6 * 3, 1.0)
    with (tmp_path / "log.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [{k: str(v) for k, v in line.items()} for line in lines] == table


@pytest.mark.parametrize(
    ("losses", "parameters", "parts"),
    [
        (judge_losses, judge_only, {"judge"}),
        (CLASSES, everything_but_judge, {"streams", "classify"}),
        (judge_losses, lambda model: [{"params": model.streams.parameters()}], {"streams"}),
    ],
)
def test_what_a_player_does_not_name_does_not_move(tmp_path, losses, parameters, parts):
    stage = Stage("toy", 1, Shuffled(8), (player(losses, parameters),))
    model, before, _ = train(tmp_path, [stage])
    assert moved(model, before) == parts


def test_players_take_turns_and_leave_no_gradient_to_each_other(tmp_path):
    turns = []

    def watched(name, losses, model, batch):
        asked = {n.partition(".")[0] for n, p in model.named_parameters() if p.requires_grad}
        held = {n.partition(".")[0] for n, p in model.named_parameters() if p.grad is not None}
        turns.append((name, asked, held & asked))
        return losses(model, batch)

    players = (
        Player("judge", judge_only, partial(watched, "judge", judge_losses), SGD, repeats=2),
        Player("embed", everything_but_judge, partial(watched, "embed", CLASSES), SGD),
    )
    train(tmp_path, [Stage("toy", 1, Shuffled(12), players)])
    judge, embed = ("judge", {"judge"}, set()), ("embed", {"streams", "classify"}, set())
    assert turns == [judge, judge, embed] * 2


def test_a_stage_sees_its_media_and_how_far_it_is(tmp_path):
    seen = []

    def watched(model, batch):
        seen.append((set(batch.inputs), batch.progress))
        return CLASSES(model, batch)

    media = (Medium.IMAGE, Medium.AUDIO)
    model, before, _ = train(tmp_path, [Stage("toy", 2, Shuffled(12), (player(watched),), media)])
    assert seen == [(set(media), k / 4) for k in range(4)]
    assert torch.equal(model.streams["text"].weight, before["streams.text.weight"])


def test_slices_change_nothing_where_terms_are_means_over_items(tmp_path):
    found = []
    for slices in (1, 4):
        folder = tmp_path / str(slices)
        folder.mkdir()
        hardware = Hardware(device=Device.CPU, slices=slices)
        found.append(train(folder, hardware=hardware, pull=0.0, rivals=False))
    for name, value in found[0][0].state_dict().items():
        torch.testing.assert_close(found[1][0].state_dict()[name], value, rtol=0, atol=1e-6)
    terms = [[line["embed.classes"] for line in lines] for _, _, lines in found]
    assert terms[0] == pytest.approx(terms[1], abs=1e-5)


def test_bf16_trains_too(tmp_path):
    hardware = Hardware(device=Device.CPU, precision=Precision.BF16)
    dtypes = []

    def watched(model, batch):
        dtypes.append(model.embed(batch.inputs)[Medium.IMAGE].dtype)
        return CLASSES(model, batch)

    stage = Stage("toy", 4, Shuffled(8), (player(watched),))
    model, _, lines = train(tmp_path, [stage], hardware=hardware)
    assert set(dtypes) == {torch.bfloat16}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert lines[-1]["p.classes"] < lines[0]["p.classes"]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_figure_that_is_no_number_names_where_and_whose(tmp_path, value):
    data = toy_data()
    data.train[Medium.TEXT].inputs.rows[11] = value
    with pytest.raises(InputError, match=r"FG-G050") as caught:
        train(tmp_path, data=data)
    said = str(caught.value)
    assert "stage classes, epoch 1, step " in said
    assert "embed.classes is nan" in said
    alarm = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert "text/train-11" in alarm["text"]
    assert len(alarm["text"].split()) == len(alarm["image"].split()) == 8
    assert not (tmp_path / "checkpoint.pt").exists()


def test_nothing_moves_in_a_step_with_a_gradient_that_is_no_number(tmp_path):
    models = []

    def root_of_nothing(model, batch):
        models.append(model)
        return {"root": (model.classify.weight * 0).sum().sqrt()}

    with pytest.raises(InputError, match=r"p.gradient is nan"):
        train(tmp_path, [Stage("toy", 1, Shuffled(8), (player(root_of_nothing),))])
    torch.manual_seed(0)
    fresh = LinearNetwork(toy_data(), LinearConfig())
    assert not moved(models[-1], fresh.state_dict())


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_out_of_memory_says_what_to_do(tmp_path, error):
    def hungry(model, batch):
        raise error

    with pytest.raises(InputError, match=r"FG-G042.*stage toy") as caught:
        train(tmp_path, [Stage("toy", 1, Shuffled(8), (player(hungry),))])
    assert "--slices" in caught.value.fix


def test_what_is_no_want_of_memory_is_not_called_so(tmp_path):
    def wrong(model, batch):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        train(tmp_path, [Stage("toy", 1, Shuffled(8), (player(wrong),))])


def test_bytes_of_pictures_are_normalised_and_vectors_left_as_they_are():
    machine = Machine(CPU, pixels=True)
    rng = np.random.default_rng(0)
    for shape in [(2, 3, 5, 5), (2, 4, 3, 5, 5)]:
        pixels = rng.integers(0, 256, shape, dtype=np.uint8)
        placed = machine.place(torch.from_numpy(pixels)).numpy()
        np.testing.assert_allclose(placed, normalise(pixels), rtol=0, atol=1e-6)
    for rows in (torch.rand(3, 4), torch.arange(6).reshape(2, 3)):
        assert torch.equal(machine.place(rows), rows)


def test_no_card_and_no_such_precision_are_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="FG-G040"):
        Machine(Hardware(device=Device.CUDA), pixels=False)
    with pytest.raises(InputError, match=r"FG-G041.*fp16"):
        Machine(Hardware(precision=Precision.FP16), pixels=False)


def test_each_part_that_is_called_is_compiled():
    model = LinearNetwork(toy_data(), LinearConfig())
    _compile_parts(model)
    called = [model.classify, model.judge, *model.streams.values()]
    assert all(part._compiled_call_impl is not None for part in called)
    assert model._compiled_call_impl is None
    assert model.streams._compiled_call_impl is None


def test_what_a_stage_does_before_it_sees_all_items_whole_and_once(tmp_path):
    data, calls = toy_data(noise=1.0), []

    def before(model, whole):
        assert not model.training
        assert not torch.is_grad_enabled()
        rows = torch.cat(list(whole(Medium.IMAGE)))
        calls.append(rows)
        model.classify.bias.copy_(torch.full_like(model.classify.bias, 7))

    batches = Shuffled(8)
    player = Player("judge", judge_only, judge_losses, partial(SGD, lr=0.1))
    stages = [Stage("judge", 2, batches, (player,), before=before)]
    stages.append(Stage("after", 0, batches, (), before=before))
    model, first, _ = train(tmp_path, stages, data)
    assert len(calls) == 2
    for rows in calls:
        np.testing.assert_array_equal(rows, data.train[Medium.IMAGE].inputs.rows)
    assert moved(model, first) == {"judge", "classify"}
    assert (model.classify.bias == 7).all()
