"""The workflow of a hosted repository: it parses, and what it runs are commands that work."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

import pytest
import yaml

from fgbench.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def workflow():
    return yaml.safe_load((ROOT / ".github/workflows/board.yml").read_text())


def test_a_pull_request_is_checked_and_publishes_nothing(workflow):
    check, publish = workflow["jobs"]["check"], workflow["jobs"]["publish"]
    assert "pull_request" in workflow[True]  # YAML 1.1 reads `on` so
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in check
    assert publish["if"] == "github.event_name == 'push'"
    assert publish["needs"] == "check"
    upload = next(s for s in check["steps"] if "upload-pages-artifact" in s.get("uses", ""))
    assert upload["if"] == publish["if"]


def test_its_commands_work_on_this_checkout(workflow, tmp_path, monkeypatch):
    commands = [step["run"] for step in workflow["jobs"]["check"]["steps"] if "run" in step]
    install, *ours = map(shlex.split, commands)
    assert install[:2] == ["pip", "install"]
    extra = install[2].removeprefix(".[").removesuffix("]")
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert extra in setup["options.extras_require"]
    (tmp_path / "leaderboard").symlink_to(ROOT / "leaderboard")
    monkeypatch.chdir(tmp_path)
    for program, *arguments in ours:
        assert program == "fgbench"
        main(arguments)
    uploaded = workflow["jobs"]["check"]["steps"][-1]["with"]["path"]
    assert (tmp_path / uploaded / "index.html").is_file()
