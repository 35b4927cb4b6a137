"""docs/add-a-baseline.md, done as it says: every file that it prints is written, and works."""

from __future__ import annotations

import json
import shlex
import tomllib

import pytest
from documented import ROOT, read_blocks, read_files

from fgbench.cli import main

DOC = ROOT / "docs" / "add-a-baseline.md"


@pytest.fixture
def package(install):
    """A stranger's package with the doc's files, on the path as pip would leave it."""
    files = read_files(DOC)
    assert set(files) == {"birdlab/wader.py", "birdlab/wader.paper.yaml", "pyproject.toml"}
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    return install(files, project["entry-points"]["fgbench.baselines"])


def test_the_commands_do_what_is_said(package, birds, monkeypatch, capsys):
    monkeypatch.chdir(birds)
    (block,) = (block for block in read_blocks(DOC) if block.kind == "sh")
    commands = [shlex.split(line)[1:] for line in block.commands]
    for command in commands:
        main([*command, "--json"])
    assert [command[0] for command in commands] == ["baseline", "baseline", "score"]
    said = capsys.readouterr().out
    decoder, documents = json.JSONDecoder(), []
    while said.strip():
        document, end = decoder.raw_decode(said.lstrip())
        documents.append(document)
        said = said.lstrip()[end:]
    listed, made, record = documents
    (wader,) = [facts for facts in listed if facts["name"] == "wader"]
    assert wader["deviations"] == {"optimiser": "Adam, where the made-up paper names none"}
    assert made["config"] == {"epochs": 20, "batch": 32, "rate": 0.01, "pull": 0.5}
    assert record["means"]["bimodal"]["map"] > 0.6  # three classes: chance is near 0.4
    assert (birds / "run" / "checkpoint.pt").is_file()
