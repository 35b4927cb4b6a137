"""The table of methods and other packages' methods: found, read without torch, or named."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fgbench.errors import InputError
from fgbench.media.preset import Form
from fgbench.train import registry
from fgbench.train.method import Facts, Kind, Scope

BASELINES = Path(__file__).resolve().parents[2] / "baselines"

STORK = """
from dataclasses import dataclass
import missing_package

class Stork:
    facts = Facts(
        name="stork", title="St" "ork", year=2026, source="s", scope=Scope.PAIRWISE,
        takes=Kind.MEDIA, space="codes", learns="EM", deviations={"a": "b"},
    )
"""

WHOLE = """
from dataclasses import dataclass
from fgbench.train.method import Facts, Kind, Scope

@dataclass(frozen=True)
class Config:
    pass

class Heron:
    facts = Facts("heron", "H", 2026, "s", Scope.JOINT, Kind.FEATURES, "embedding", "x", {})
    Config = Config
    def fit(self, data, config, rng, log): ...
"""


def test_the_table_is_the_folder():
    modules = {p.stem for p in BASELINES.glob("*.py")} - {"__init__"}
    assert {value.partition(":")[0] for value in registry.BASELINES.values()} == modules
    for value in registry.BASELINES.values():
        module, _, name = value.partition(":")
        assert re.search(rf"^class {name}\b", (BASELINES / f"{module}.py").read_text(), re.M)


@pytest.mark.parametrize("name", registry.BASELINES)
def test_facts_of_ours_are_read_without_torch(name):
    command = (
        "import sys; from fgbench.train.registry import read_facts; "
        f"print(read_facts({name!r}).name); assert 'torch' not in sys.modules, 'torch'"
    )
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{name}\n"), done.stderr


@pytest.mark.parametrize("name", registry.BASELINES)
def test_facts_that_are_read_are_those_that_are_loaded(name):
    assert registry.read_facts(name) == registry.load(name).facts


def test_facts_are_read_in_a_module_that_cannot_be_imported(install):
    install({"stork.py": STORK}, {"stork": "stork:Stork"})
    expected = Facts(
        "stork", "Stork", 2026, "s", Scope.PAIRWISE, Kind.MEDIA, "codes", "EM", {"a": "b"}
    )
    assert registry.read_facts("stork") == expected


def test_facts_that_are_not_written_out_are_imported(install):
    install({"heron.py": WHOLE}, {"heron": "heron:Heron"})
    assert registry.read_facts("heron").title == "H"
    assert registry.load("heron").facts.name == "heron"
    assert registry.names()[-1] == "heron"


def test_an_unknown_name_says_what_is_near():
    with pytest.raises(InputError, match=r"FG-G001.*'acrm'") as caught:
        registry.load("acrm")
    assert caught.value.fix == "Near: acmr."


def test_ours_are_not_replaced(install):
    install({"heron.py": WHOLE}, {"acmr": "heron:Heron"})
    assert registry.names().count("acmr") == 1
    assert "heron" not in str(registry.source_file("acmr"))


@pytest.mark.parametrize(
    ("text", "value", "trouble"),
    [
        (WHOLE, "heron:Stork", "AttributeError: .*Stork"),
        (WHOLE, "nowhere:Heron", "No module named 'nowhere'"),
        ("def broken(:\n", "heron:Heron", "SyntaxError"),
        ("1/0\n", "heron:Heron", "ZeroDivisionError"),
        ("import missing_package\n", "heron:Heron", "No module named 'missing_package'"),
        (WHOLE.replace('"heron"', '"egret"'), "heron:Heron", "calls itself 'egret'"),
        (WHOLE.replace("facts =", "fact ="), "heron:Heron", "it has no facts"),
        (WHOLE.replace("Config = Config", ""), "heron:Heron", "its Config is no dataclass"),
        (WHOLE.replace("def fit", "def fat"), "heron:Heron", "neither fit nor build, stages"),
    ],
)
def test_a_broken_one_is_named_with_its_package(install, text, value, trouble):
    install({"heron.py": text}, {"heron": value})
    with pytest.raises(InputError, match=f"(?s)FG-G002.*heron of birdlab.*{trouble}") as caught:
        registry.load("heron")
    assert value in caught.value.why
    assert "uninstall birdlab" in caught.value.fix


def test_one_that_wants_torch_where_there_is_none_is_not_broken(install):
    raising = "raise ModuleNotFoundError('No module named torch', name='torch.nn')\n"
    install({"heron.py": raising}, {"heron": "heron:Heron"})
    with pytest.raises(ModuleNotFoundError, match="torch"):
        registry.load("heron")


def test_a_form_that_is_not_there_says_which_are(install):
    install({"heron.py": WHOLE, "heron.paper.yaml": "{}"}, {"heron": "heron:Heron"})
    assert registry.form_file("heron", Form.PAPER).name == "heron.paper.yaml"
    with pytest.raises(InputError, match=r"FG-G003.*'released'") as caught:
        registry.form_file("heron", Form.RELEASED)
    assert caught.value.fix == "It has: paper."
