"""Batches: the same whoever loads them, however many share them, wherever a run goes on."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
import torch
from train.toys import Rows, Shuffled, toy_data

from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.protocol import Medium
from fgbench.train.dataset import Items
from fgbench.train.loading import WHOLE, Loading, Share, cut_blocks, load_blocks, load_stage
from fgbench.train.method import Stage

DATA = toy_data(noise=0.5)
STAGE = Stage("toy", 3, Shuffled(8), ())
HERE = Loading(workers=0)


def steps(loading=HERE, seed=0, number=0, start=(0, 0), share=WHOLE, data=DATA, stage=STAGE):
    return list(load_stage(data.train, stage, number, seed, loading, start, share))


def same(a, b):
    return a.moment == b.moment and all(
        torch.equal(x[m], y[m])
        for x, y in [(a.inputs, b.inputs), (a.labels, b.labels)]
        for m in a.inputs
    )


def test_every_epoch_has_its_steps_with_rows_and_labels_that_belong_together():
    found = steps()
    assert [(s.moment.epoch, s.moment.step) for s in found] == [
        (e, s) for e in (0, 1, 2) for s in (0, 1, 2)
    ]
    assert {s.moment.steps for s in found} == {3}
    plain = steps(data=toy_data(noise=0.0))
    for step in plain:
        for medium, items in DATA.train.items():
            places = step.places[medium]
            assert np.array_equal(step.labels[medium], items.labels[places])
            assert np.array_equal(step.inputs[medium], items.inputs.rows[places])
    first = [s.places[Medium.IMAGE].tolist() for s in found]
    assert sorted(place for step in first[:3] for place in step) == list(range(24))
    assert first[:3] != first[3:6]


def test_as_many_processes_as_you_like_load_the_same():
    alone = steps()
    assert all(map(same, alone, steps(Loading(workers=2))))
    assert not same(alone[0], steps(seed=1)[0])
    assert not same(alone[0], steps(number=1)[0])


def test_a_run_that_goes_on_sees_what_is_left():
    whole = steps()
    assert all(map(same, whole[5:], steps(start=(1, 2))))
    assert len(steps(start=(1, 2))) == 4


def test_the_run_s_own_generator_is_left_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    steps()
    assert torch.equal(before, torch.get_rng_state())


def test_shares_make_up_the_whole():
    plain = toy_data(noise=0.0)
    whole = steps(data=plain)
    parts = [steps(data=plain, share=Share(rank, 2)) for rank in (0, 1)]
    for one, halves in zip(whole, zip(*parts, strict=True), strict=True):
        for medium in one.inputs:
            assert torch.equal(one.inputs[medium], torch.cat([h.inputs[medium] for h in halves]))


@pytest.mark.parametrize("share", [Share(0, 3), Share(0, 2, 8), Share(0, 1, 5)])
def test_rows_that_cannot_be_shared_out_are_named(share):
    with pytest.raises(InputError, match=r"FG-G021.*8 image rows in a step"):
        steps(share=share)


def test_an_epoch_without_a_step_is_named():
    with pytest.raises(InputError, match=r"FG-G020.*stage toy"):
        steps(stage=Stage("toy", 1, Shuffled(25), ()))


class Refusing(Rows):
    """Cannot be read."""

    def take(self, places, rng=None):
        faults = [Fault("FG-M001", f"item {place}", "half", "whole", "again") for place in places]
        raise FaultyInput("Some items cannot be used", faults)


class Dying(Rows):
    """Ends the process that reads it."""

    def take(self, places, rng=None):
        os.kill(os.getpid(), signal.SIGKILL)


def items_of(kind):
    items = DATA.train[Medium.IMAGE]
    return Items(items.ids, items.labels, kind(items.inputs.rows))


@pytest.mark.parametrize("workers", [0, 1])
def test_what_is_wrong_with_items_reaches_the_user_whole(workers):
    stage = Stage("toy", 1, Shuffled(4), ())
    with pytest.raises(FaultyInput, match="Some items cannot be used: 4 faults") as caught:
        list(load_stage({Medium.IMAGE: items_of(Refusing)}, stage, 0, 0, Loading(workers)))
    assert [fault.code for fault in caught.value.faults] == ["FG-M001"] * 4
    assert caught.value.exit_code == 2


def test_a_loading_process_that_dies_is_named():
    stage = Stage("toy", 1, Shuffled(4), ())
    with pytest.raises(InputError, match=r"FG-G022"):
        list(load_stage({Medium.IMAGE: items_of(Dying)}, stage, 0, 0, Loading(1)))


@pytest.mark.parametrize("workers", [0, 2])
def test_blocks_hold_every_item_once_and_whole(workers):
    rows = np.arange(5000 * 3, dtype=np.float32).reshape(5000, 3)
    labels = np.zeros(5000, np.int64)
    items = Items(np.arange(5000).astype(str), labels, Rows(rows, noise=1.0))
    blocks = cut_blocks(items)
    assert [len(places) for places in blocks] == [4096, 904]
    found = torch.cat(list(load_blocks(items, blocks, Loading(workers))))
    assert np.array_equal(found, rows)


def test_blocks_of_large_items_are_small():
    class Videos(Rows):
        shape = (25, 3, 448, 448)

    items = Items(np.array(["a"] * 9), np.zeros(9, np.int64), Videos(np.zeros((9, 1), np.float32)))
    assert [len(places) for places in cut_blocks(items)] == [4, 4, 1]


def test_a_word_counts_as_what_networks_make_of_it():
    class Words(Rows):
        shape = (96, 1)

    ids = np.array(["a"] * 1400)
    items = Items(ids, np.zeros(1400, np.int64), Words(np.zeros((1400, 1), np.float32)))
    assert [len(places) for places in cut_blocks(items)] == [1365, 35]
