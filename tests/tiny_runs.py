"""What the tests of several baselines do: tell two forms apart, run one twice, draw a step."""

from dataclasses import fields

import numpy as np
import torch

from fgbench.media.preset import Form
from fgbench.train.forms import load_form
from fgbench.train.hardware import Device, Hardware
from fgbench.train.method import Batch
from fgbench.train.run import Run


def differing_choices(name):
    """In what the released form departs from the paper's, which is that of Config's defaults."""
    paper, released = (load_form(name, form) for form in Form)
    assert paper == type(paper)()
    return {f.name for f in fields(paper) if getattr(paper, f.name) != getattr(released, f.name)}


def run_twice(recipe, data, folder):
    """The submission of a run on a CPU; another such run leaves the same bytes."""
    found = []
    for out in (folder / "one", folder / "two"):
        run = Run(recipe, data, out, Hardware(device=Device.CPU))
        run.train()
        found.append(run.embed())
    assert found[0].read_bytes() == found[1].read_bytes()
    return found[0]


def first_batch(stage, data, take, seed=0):
    """The first step of a stage's own sampler; ``take(medium, places)`` gives its inputs."""
    step = next(iter(stage.batches(data.train, np.random.default_rng(seed))))
    return Batch(
        {m: take(m, places) for m, places in step.items()},
        {m: torch.from_numpy(data.train[m].labels[places]) for m, places in step.items()},
        0.5,
        lambda rows: rows,
    )
