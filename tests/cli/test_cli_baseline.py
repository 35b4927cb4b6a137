"""``fgbench baseline``: what it lists, trains and embeds, and how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from fgbench.cli import main
from fgbench.train.registry import BASELINES

WITHOUT_TORCH = (
    "import sys; sys.modules['torch'] = None; from fgbench.cli import main; main(sys.argv[1:])"
)


def refused(capsys, *arguments):
    """Exit code and what is said on stderr."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as caught:
        main(["baseline", *map(str, arguments)])
    return caught.value.code, capsys.readouterr().err


def data_of(birds):
    return ["--benchmark", str(birds / "birds"), "--features", str(birds / "features")]


def test_the_list_names_ours_and_others(toys, capsys):
    main(["baseline", "list"])
    said = capsys.readouterr().out
    main(["baseline", "list", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [facts["name"] for facts in found] == [*BASELINES, "toy-linear", "toy-means"]
    assert all(facts["name"] in said for facts in found)
    assert set(found[0]) >= {"title", "year", "source", "scope", "takes", "deviations"}


def test_a_broken_one_does_not_hide_the_others(install, capsys):
    install({"heron.py": "1/0"}, {"heron": "heron:Heron"})
    code, said = refused(capsys, "list", "--json")
    assert code == 3
    assert "FG-G002" in said
    assert "birdlab" in said


def test_without_torch_it_lists_and_fits_and_says_what_to_install(birds, tmp_path):
    def call(*arguments):
        command = [sys.executable, "-c", WITHOUT_TORCH, "baseline", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    listed = call("list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert len(json.loads(listed.stdout)) >= len(BASELINES)
    fitted = call("run", "jrl", *data_of(birds), "--out", str(tmp_path / "jrl"), "--json")
    assert fitted.returncode == 0, fitted.stderr
    assert json.loads(fitted.stdout)["submission"] == str(tmp_path / "jrl" / "submission.npz")
    refused = call("run", "acmr", *data_of(birds), "--out", str(tmp_path / "acmr"))
    assert refused.returncode == 2
    assert 'pip install "fgbench[train]"' in refused.stderr
    assert not (tmp_path / "acmr").exists()


def test_train_and_embed_come_to_what_run_comes_to(toys, birds, tmp_path, capsys):
    options = [*data_of(birds), "--budget", "tiny", "--set", "width=6", "--device", "cpu"]
    main(["baseline", "run", "toy-linear", *options, "--out", str(tmp_path / "a"), "--json"])
    whole = json.loads(capsys.readouterr().out)
    assert (whole["config"]["width"], whole["config"]["epochs"], whole["budget"]) == (6, 1, "tiny")
    main(["baseline", "train", "toy-linear", *options, "--out", str(tmp_path / "b")])
    assert "fgbench baseline embed" in capsys.readouterr().out
    assert not (tmp_path / "b" / "submission.npz").exists()
    main(["baseline", "embed", str(tmp_path / "b"), *data_of(birds), "--device", "cpu"])
    assert "fgbench score" in capsys.readouterr().out
    submissions = [(tmp_path / name / "submission.npz").read_bytes() for name in "ab"]
    assert submissions[0] == submissions[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "toy-liner", "--out", "x"], "FG-G001"),
        (["run", "toy-linear", "--out", "x", "--form", "released"], "FG-G003"),
        (["run", "toy-linear", "--out", "x", "--set", "wdth=3"], "did you mean width?"),
        (["run", "toy-linear", "--out", "x", "--set", "width"], "KEY=VALUE"),
        (["run", "toy-linear", "--out", "x", "--media-root", "y"], "not both"),
        (["run", "toy-linear", "--out", "x", "--seed", "-1"], "--seed"),
        (["embed", "nowhere"], "FG-G032"),
    ],
)
def test_a_call_that_is_wrong_says_how(toys, birds, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(birds)
    code, said = refused(capsys, *arguments, *data_of(birds))
    assert code == 2
    assert words in said
    assert not (birds / "x").exists()
