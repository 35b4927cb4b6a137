"""The world as a whole: who is in it, the same bytes always, its log, its own process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from fgbench.collect.crawl.address import WAYBACK
from fgbench.collect.recipe import Recipe
from fgbench.collect.sample import (
    CUB_IDS,
    FaultKind,
    SampleWorld,
    SiteFault,
    bring,
    sample_world,
)
from fgbench.collect.sample.prose import birds
from fgbench.collect.sites import SITES, names
from fgbench.collect.sites import load as load_site
from fgbench.collect.sites.base import Access
from fgbench.protocol import Medium
from fgbench.settings import Secret, Settings, load
from fgbench.species import species

TARGETS = (
    ("wikipedia", "/wiki/Laysan_albatross"),
    ("wikipedia", "/w/api.php?action=parse&oldid=64002&format=json&formatversion=2"),
    ("fandom", "/api.php?action=parse&page=Common_Tern&format=json&formatversion=2"),
    ("allaboutbirds", "/guide/Heermanns_Gull/overview"),
    ("allaboutbirds", "/guide/Heermanns_Gull/id"),
    ("allaboutbirds", "/guide/Heermanns_Gull/lifehistory"),
    ("allaboutbirds", "/guide/Dodo/overview"),
    ("audubon", "/field-guide/bird/arctic-tern"),
    ("nhpbs", "/wild/commontern.asp"),
    ("ebird", "/species/layalb"),
    ("mnbirdatlas", "/species/common-tern/"),
    ("mnbirdatlas", "/species/dodo/"),
    ("wayback", "/cdx/search/cdx?url=sites.psu.edu&matchType=domain&output=json"),
    ("wayback", "/cdx/search/cdx?url=folksread.com&matchType=domain"),
    ("xeno-canto", "/api/3/recordings?query=sp%3A%22Sterna%20hirundo%22&key=sample-key"),
    ("freesound", "/apiv2/search/?query=tern&fields=id,description&token=sample-key"),
    ("avibase", "/species.jsp?lang=EN&avibaseid=4D2FF6F100000090&sec=audio"),
    ("bird-sounds", "/common-tern"),
    ("soundcloud", "/"),
    ("soundcloud", "/assets/0-sample.js"),
)
SOUNDS = (
    ("xeno-canto", "/990144001/download"),
    ("freesound", "/previews/990144/990144002_1-hq.ogg"),
    ("freesound", "/previews/990144/990144004_1-hq.mp3"),
    ("soundcloud", "/990144001.128.mp3"),
)


def test_it_has_eight_species_of_four_look_alike_pairs():
    assert CUB_IDS == (1, 2, 61, 64, 141, 144, 171, 179)
    for bird in birds():
        known = species()[bird.cub_id - 1]
        assert (bird.name, bird.scientific) == (known.name, known.scientific_name)
        assert bird.code == known.ebird_code
        kin = next(b for b in birds() if b.name == bird.kin)
        assert (kin.kin, kin.group) == (bird.name, bird.group)


def test_it_stands_for_every_site_of_the_project_that_may_be_used(
    world: SampleWorld, tmp_path: Path
):
    sites = [load_site(name) for name in SITES]
    assert len(sites) == 19
    archived = {s.name for s in sites if set(s.hosts) <= set(WAYBACK.hosts)}
    given = bring(tmp_path, Recipe((Medium.AUDIO,), (), ("macaulay",), {}), Settings()).imports
    imported = {s.name for s in sites if given.keys() & set(s.needs)}
    off = {s.name for s in sites if s.access is Access.OFF}
    stood_in = set(world.urls) - {"wayback"}
    assert "wayback" in world.urls
    assert (imported, off) == ({"macaulay"}, {"findsounds"})
    assert stood_in.isdisjoint(archived | imported | off)
    assert stood_in | archived | imported | off == {s.name for s in sites}


def test_its_settings_are_the_same_in_this_process_and_in_another(world: SampleWorld):
    base = Settings(
        contact="me@lab.example", use_proxy=True, sites={"FGBENCH_SITE_X_URL": "http://x"}
    )
    here, there = world.settings(base), load(world.environ)
    assert here.contact == "me@lab.example"
    assert not here.use_proxy
    assert here.sites == there.sites
    assert {k: v.reveal() for k, v in here.keys.items()} == {
        k: v.reveal() for k, v in there.keys.items()
    }
    assert all(here.keys[s.auth.key] for s in map(load_site, world.urls.keys() & names()) if s.auth)
    there.check_overrides((*names(), WAYBACK.name))


def test_the_users_own_keys_and_files_do_not_reach_it(world: SampleWorld):
    own = {"FGBENCH_BIRDSNA_IMPORT": Path("/of/the/user")}
    base = Settings(keys={"FGBENCH_OTHER_KEY": Secret("of-the-user")}, imports=own)
    settings = world.settings(base)
    assert "FGBENCH_OTHER_KEY" not in settings.keys
    assert settings.imports == {}


@pytest.mark.parametrize(("site", "target"), [*TARGETS, *SOUNDS])
def test_two_worlds_give_the_same_bytes(world: SampleWorld, ask: Callable, site: str, target: str):
    with sample_world() as other:
        first, second = ask(world, site, target), ask(other, site, target)
    assert first == second
    assert first.headers["date"] == "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize(("site", "target"), TARGETS)
def test_everything_says_that_it_is_synthetic(get: Callable, site: str, target: str):
    got = get(site, target)
    assert got.headers["x-sample-world"] == "synthetic sample text"
    if "cdx" not in target and got.status == 200:
        assert b"synthetic sample" in got.body


@pytest.mark.parametrize(
    "site",
    [
        *("wikipedia", "fandom", "allaboutbirds", "audubon", "nhpbs"),
        *("ebird", "mnbirdatlas", "wayback", "xeno-canto", "bird-sounds", "freesound"),
        *("avibase", "soundcloud"),
    ],
)
def test_every_site_has_a_robots_txt_and_a_page_for_what_it_has_not(get: Callable, site: str):
    robots = get(site, "/robots.txt")
    assert robots.status == 200
    assert robots.headers["content-type"].startswith("text/plain")
    assert b"User-agent: *" in robots.body
    assert get(site, "/no/such/page").status == 404


def test_robots_txt_asks_for_delays_and_disallows_a_page(get: Callable):
    assert b"Crawl-delay: 10\n" in get("audubon", "/robots.txt").body
    assert b"Disallow: /field-guide/bird/heermanns-gull\n" in get("audubon", "/robots.txt").body
    assert get("audubon", "/field-guide/bird/heermanns-gull").status == 200


def test_a_page_behind_a_key_wants_it_in_its_header_and_never_repeats_it(get: Callable):
    target = "/v2/product/spplist/US"
    assert get("ebird", target).status == 401
    assert get("ebird", target, {"X-eBirdApiToken": "another"}).status == 401
    assert get("ebird", f"{target}?key=sample-key").status == 401
    opened = get("ebird", target, {"x-ebirdapitoken": "sample-key"})
    assert opened.status == 200
    assert b"sample-key" not in opened.body + str(opened.headers).encode()


def test_the_log_has_every_request_with_its_outcome(ask: Callable):
    noted = []
    with sample_world(
        [SiteFault(FaultKind.SERVER_ERROR, "ebird", times=1)], note=noted.append
    ) as w:
        for target in ("/species/layalb", "/species/layalb", "/species/dodo"):
            ask(w, "ebird", target)
        assert [(a.site, a.target, a.status, a.fault) for a in w.asked] == [
            ("ebird", "/species/layalb", 500, "server_error"),
            ("ebird", "/species/layalb", 200, ""),
            ("ebird", "/species/dodo", 404, ""),
        ]
        assert tuple(noted) == w.asked
        assert sorted(a.at for a in w.asked) == [a.at for a in w.asked]


def test_a_connection_is_kept_for_the_next_request(world: SampleWorld):
    connection = HTTPConnection(urlsplit(world.urls["audubon"]).netloc, timeout=20)
    bodies = []
    for _ in range(3):
        connection.request("GET", "/robots.txt")
        bodies.append(connection.getresponse().read())
        assert connection.sock is not None
    connection.close()
    assert len(set(bodies)) == 1


def test_a_site_with_a_delay_takes_its_time_and_the_others_do_not(ask: Callable):
    with sample_world(delays={"ebird": 0.3}) as w:
        ask(w, "ebird", "/robots.txt")
        ask(w, "audubon", "/robots.txt")
        began = {a.site: a.at for a in w.asked}
    assert began["audubon"] - began["ebird"] >= 0.3


def test_a_name_that_is_no_site_is_refused():
    for arguments in ({"faults": [SiteFault(FaultKind.LOOP, "wikipaedia")]}, {"delays": {"x": 1}}):
        with pytest.raises(ValueError, match="no miniature site"), sample_world(**arguments):
            pass


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen]:
    fault = {"kind": "too_many", "site": "audubon", "path": "/field-guide/*", "times": 1}
    command = [sys.executable, "-m", "fgbench.collect.sample", "--port-file", tmp_path / "ports"]
    command += ["--log", tmp_path / "log", "--fault", json.dumps(fault), "--delay", "ebird=0.01"]
    child = subprocess.Popen(command)
    yield child
    child.kill()
    child.wait()


def test_it_runs_as_a_process_of_its_own(process: subprocess.Popen, tmp_path: Path):
    for _ in range(1000):
        if (tmp_path / "ports").exists():
            break
        time.sleep(0.02)
    settings = load(json.loads((tmp_path / "ports").read_text()))
    there = SampleWorld({"audubon": settings.override("audubon") or ""})
    target = f"/field-guide/bird/{quote('common-tern')}"
    connection = HTTPConnection(urlsplit(there.urls["audubon"]).netloc, timeout=20)
    statuses = []
    for _ in range(2):
        connection.request("GET", target)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    assert statuses == [429, 200]
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    log = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(a["target"], a["status"]) for a in log] == [(target, 429), (target, 200)]


@pytest.mark.parametrize("fault", ["{", '{"site": "ebird"}', '{"kind": "x", "site": "ebird"}'])
def test_a_fault_that_is_none_is_told_without_a_traceback(fault: str, tmp_path: Path):
    command = [sys.executable, "-m", "fgbench.collect.sample", "--port-file", tmp_path / "ports"]
    done = subprocess.run([*command, "--fault", fault], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "argument --fault" in done.stderr
    assert "Traceback" not in done.stderr
