"""Every method in every form, from files of media to a score, by the commands that users type."""

from __future__ import annotations

import json

import pytest
from small_media import write_small_media

from fgbench.cli import main
from fgbench.media.preset import Form
from fgbench.train.method import Scope
from fgbench.train.registry import BASELINES, read_facts, source_file


def forms(name):
    module = source_file(name)
    return [form for form in Form if module.with_name(f"{name}.{form}.yaml").is_file()]


def call(*words):
    main([*map(str, words)])  # ends the process where something is amiss


@pytest.fixture(scope="module")
def birds(tmp_path_factory):
    """A benchmark with its media, and features with parts beside it, made without a network."""
    folder = write_small_media(tmp_path_factory.mktemp("birds"), labels=(3, 7, 11))
    data = ("--benchmark", folder / "manifests")
    call("features", *data, "--media-root", folder, "--parts", "--word-count", 1,
         "--regions", "grid:2x2", "--out", folder / "features")  # fmt: skip
    return (*data, "--features", folder / "features")


@pytest.mark.parametrize(("name", "form"), [(n, f) for n in BASELINES for f in forms(n)])
def test_it_goes_from_features_to_a_score(birds, tmp_path, capsys, name, form):
    options = ("--form", form, "--budget", "tiny", "--device", "cpu", "--out", tmp_path / "run")
    call("baseline", "run", name, *birds, *options)
    capsys.readouterr()
    call("score", tmp_path / "run/submission.npz", *birds[:2], "--json")
    record = json.loads(capsys.readouterr().out)
    tasks = {task for task, score in record["scores"].items() if score}
    if read_facts(name).scope is Scope.IMAGE_TEXT:
        assert tasks == {"i2t", "t2i"}
    else:
        assert len(tasks) == 16
    assert all(0 <= record["scores"][task]["map"] <= 1 for task in tasks)
