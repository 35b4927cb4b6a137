"""The table of sites: equal to the folder, complete, and open to other packages."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from fgbench.collect import sites
from fgbench.collect.crawl.address import ROBOTS, WAYBACK
from fgbench.collect.sites.base import Access, Site
from fgbench.errors import InputError
from fgbench.protocol import Medium

FOLDER = Path(sites.__file__).parent
ATTRIBUTES = tuple(Site.__annotations__)


def is_site(thing: object, module: str) -> bool:
    named = isinstance(thing, type) and thing.__module__ == module and "name" in vars(thing)
    return named and all(hasattr(thing, a) for a in (*ATTRIBUTES, "find", "read"))


def test_the_table_equals_the_folder() -> None:
    found = set()
    for file in FOLDER.glob("*.py"):
        module = import_module(f"fgbench.collect.sites.{file.stem}")
        here = [t for t in vars(module).values() if is_site(t, module.__name__)]
        found |= {(t.name, f"{file.stem}:{t.__name__}") for t in here}
    assert found == set(sites.SITES.items())


@pytest.mark.parametrize("name", sites.SITES)
def test_every_site_says_what_it_is(name: str) -> None:
    site = sites.load(name)
    assert [a for a in ATTRIBUTES if not hasattr(site, a)] == []
    assert site.name == name
    assert isinstance(site.access, Access)
    assert site.media
    assert site.hosts
    assert site.licence.endswith(".")
    assert site.pace >= 1
    assert site.rule == ROBOTS or len(site.rule) > 20
    assert site.terms_url.startswith(("https://", "http://"))
    assert site.auth is None or site.auth.key in site.needs


def test_a_host_belongs_to_one_site() -> None:
    hosts = [h for name in sites.SITES for h in sites.load(name).hosts if h not in WAYBACK.hosts]
    assert len(hosts) == len(set(hosts))


def test_names_by_medium() -> None:
    assert sites.names()[: len(sites.SITES)] == tuple(sites.SITES)
    assert "wikipedia" in sites.names(Medium.TEXT)
    assert all(Medium.TEXT in sites.load(n).media for n in sites.names(Medium.TEXT))
    assert sites.names(Medium.VIDEO) == ()


def test_an_unknown_name_is_told_what_is_near() -> None:
    with pytest.raises(InputError, match=r"FG-X001(.|\n)*audubon"):
        sites.load("Audobon")
    with pytest.raises(InputError, match=r"FG-X001(.|\n)*wikipedia, allaboutbirds"):
        sites.load("../../etc/passwd")


def test_the_table_imports_no_adapter() -> None:
    code = "import sys, fgbench.collect.sites as s; s.names(); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert not {"lxml", "requests", "pyarrow", "trafilatura"} & set(loaded)
    assert not [m for m in loaded if m.startswith("fgbench.collect.sites.")]


def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, module: str) -> None:
    """Puts a package on the path as pip would: a module, and its entry point."""
    (tmp_path / "strangers_site.py").write_text(module)
    info = tmp_path / "strangers-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[fgbench.sites]\n{point}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "strangers_site", raising=False)


MODULE = """
from fgbench.collect.sites.audubon import Audubon
class Marsh(Audubon):
    name = "marsh"
class Nameless: pass
"""


def test_another_package_adds_a_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "marsh = strangers_site:Marsh", MODULE)
    assert sites.names() == (*sites.SITES, "marsh")
    assert sites.load("marsh").name == "marsh"


@pytest.mark.parametrize(
    ("point", "trouble"),
    [
        ("marsh = strangers_site:Nowhere", "AttributeError"),
        ("marsh = no_such_module:Marsh", "ModuleNotFoundError"),
        ("marsh = strangers_site:Nameless", "it lacks name, media"),
        ("swamp = strangers_site:Marsh", "it calls itself 'marsh'"),
    ],
)
def test_a_broken_one_is_named_with_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, trouble: str
) -> None:
    install(tmp_path, monkeypatch, point, MODULE)
    with pytest.raises(InputError, match=rf"FG-X002 .* of strangers .*{trouble}"):
        sites.load(point.partition(" ")[0])


def test_no_package_takes_the_name_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "audubon = strangers_site:Marsh", MODULE)
    assert sites.names() == tuple(sites.SITES)
    assert type(sites.load("audubon")).__module__ == "fgbench.collect.sites.audubon"
