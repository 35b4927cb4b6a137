"""A whole server in trouble with disk, scorers, builds or memory: it says so, and gets over it."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from board_process import (
    API,
    SUBMISSIONS,
    BoardProcess,
    add_team,
    altered,
    command,
    command_of,
    form,
    wait,
)
from small_board import write_card, write_ground, write_vectors

from fgbench.leaderboard.serve.states import Role

MIB = 1 << 20
SMALL_DISK = 16 * MIB
CARD = b"method: Alpha\n"
ROOMY = "import dataclasses\nlimits = dataclasses.replace(settings.limits, spare=0{})\n" + (
    "settings = dataclasses.replace(settings, limits=limits)\n"
)
"""No room is kept on the disk; and other limits, where they are named."""
FAKES = """
scorer = '''
import os, sys, time, yaml
import fgbench.leaderboard.serve.scorer as s
score = s._score
def misbehave(benchmark, say):
    name = yaml.safe_load(open("card.yaml"))["method"]
    if name == "Hangs":
        say(s.Said.CHECKING, {"name": name})
        time.sleep(600)
    if name == "Eats":
        held = [bytearray(1 << 26) for _ in iter(int, 1)]
    score(benchmark, say)
s._score = misbehave
s.main()
'''
service.Worker = functools.partial(service.Worker, command=(sys.executable, "-P", "-c", scorer))
"""
"""A scorer that hangs or eats memory where the card's method says so, within its real limits."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    return write_ground(tmp_path_factory.mktemp("faults") / "ground")


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of its own, of 16 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder)]
    try:
        made = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if made.returncode:
        pytest.skip(f"a file system cannot be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def start(tmp_path):
    """Start a server with a command line; stopped at the end."""
    running = []

    def starts(arguments):
        board = BoardProcess(arguments, tmp_path / f"log{len(running)}")
        running.append(board)
        board.start()
        return board

    yield starts
    for board in running:
        board.stop()


@pytest.fixture
def files(tmp_path):
    """Vectors and card of a method."""

    def makes(number, method):
        vectors = write_vectors(tmp_path / f"{number}.npz", number)
        return vectors, write_card(tmp_path / f"{number}.yaml", method=method).read_bytes()

    return makes


def junk(tmp_path, size):
    path = tmp_path / "junk.npz"
    path.write_bytes(os.urandom(size))
    return path


def fill(path):
    """A file that takes what its disk has left."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    return path


def scored(board, token, id):
    """A submission, once the server has no more work with it."""
    path = f"{SUBMISSIONS}/{id}"
    return wait(lambda: (one := board.get(token, path))["state"] in ("done", "failed") and one, 120)


def hand_in(board, token, vectors, card):
    answer = board.upload(token, vectors, card)
    assert answer.status == 201, answer
    return answer.document["id"]


def uploads(data):
    """What lies there of uploads, whole or not."""
    return sorted(p for n in ("incoming", "submissions") for p in (data / n).iterdir())


def test_a_full_disk_refuses_keeps_what_it_has_and_goes_on(
    tmp_path, small_disk, ground, start, files
):
    data = small_disk / "data"
    token = add_team(data, "ada")
    board = start(altered(data, ground, ROOMY.format("")))
    first = hand_in(board, token, *files(1, "Alpha"))
    assert scored(board, token, first)["state"] == "done"
    before = uploads(data)

    answer = board.upload(token, junk(tmp_path, SMALL_DISK), CARD)
    assert (answer.status, answer.document["code"]) == (507, "FG-H121")
    assert uploads(data) == before

    filler = fill(small_disk / "filler")  # by another program
    assert os.statvfs(small_disk).f_bavail == 0
    answer = board.upload(token, *files(2, "Beta"))
    assert (answer.status, answer.document["code"]) == (507, "FG-H121")
    # The ledger's own log may have a page left; what it says, it has written.
    asked = board.call(token, "POST", f"{SUBMISSIONS}/{first}/publication").status
    assert asked in (200, 503)
    assert board.get(token, f"{SUBMISSIONS}/{first}")["state"] == "done"
    assert board.call(token, "GET", f"{SUBMISSIONS}/{first}/record.json").status == 200
    assert uploads(data) == before

    filler.unlink()
    second = hand_in(board, token, *files(2, "Beta"))
    assert scored(board, token, second)["state"] == "done"
    board.kill()
    board.start()
    found = board.submissions(token)
    assert found.keys() == {first, second}
    assert found[first]["visibility"] == ("requested" if asked == 200 else "private")


def test_a_file_that_the_kernel_refuses_to_grow_is_a_full_disk(tmp_path, ground, start, files):
    data = tmp_path / "data"
    token = add_team(data, "ada")
    limit = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({2 * MIB}, {2 * MIB}))\n"
    board = start(altered(data, ground, ROOMY.format("") + limit))
    answer = board.upload(token, junk(tmp_path, 3 * MIB), CARD)
    assert (answer.status, answer.document["code"]) == (507, "FG-H121")
    assert uploads(data) == []
    id = hand_in(board, token, *files(1, "Alpha"))
    assert scored(board, token, id)["state"] == "done"


def test_scorers_that_hang_or_eat_memory_are_told_of_and_the_next_goes_on(
    tmp_path, ground, start, files
):
    data = tmp_path / "data"
    token = add_team(data, "ada")
    bounds = ", seconds=12, memory=2 << 30"
    board = start(altered(data, ground, ROOMY.format(bounds) + FAKES))
    hangs = hand_in(board, token, *files(1, "Hangs"))
    eats = hand_in(board, token, *files(2, "Eats"))
    good = hand_in(board, token, *files(3, "Alpha"))
    wait(lambda: board.get(token, f"{SUBMISSIONS}/{hangs}")["state"] == "checking")
    assert board.get(token, f"{SUBMISSIONS}/{good}")["reason"] == "It waits for its turn."

    found = {id: scored(board, token, id) for id in (hangs, eats, good)}
    assert [found[id]["state"] for id in (hangs, eats, good)] == ["failed", "failed", "done"]
    assert found[hangs]["reason"] == "Scoring took longer than 12 seconds."
    assert found[eats]["reason"] == "Scoring ran out of memory."
    assert [found[id]["faults"][0]["code"] for id in (hangs, eats)] == ["FG-H141", "FG-H140"]
    assert all(found[id]["faults"][0]["fix"] for id in (hangs, eats))
    assert "bimodal" in found[good]["summary"]["means"]
    assert board.get("", "/health") == {"ok": True}
    assert board.children() == {}


def test_a_kill_amid_a_build_leaves_no_builder_and_the_next_start_shows_the_board(
    tmp_path, ground, start, files
):
    data = tmp_path / "data"
    token, admin = add_team(data, "ada"), add_team(data, "host", Role.ADMIN)
    board = start(command(data, ground))
    id = hand_in(board, token, *files(1, "Alpha"))
    assert scored(board, token, id)["state"] == "done"
    wait(lambda: (data / "site" / "index.html").is_file())
    old = (data / "site").readlink()
    assert board.call(token, "POST", f"{SUBMISSIONS}/{id}/publication").status == 200
    assert board.call(admin, "POST", f"{API}/publications/{id}/approval").status == 200

    def builders():
        return [pid for pid, said in board.children().items() if "leaderboard build" in said]

    building = wait(builders)
    board.kill()
    wait(lambda: not any(map(command_of, building)), 10)
    assert (data / "site").readlink() == old

    board.start()
    assert board.get(token, f"{SUBMISSIONS}/{id}")["visibility"] == "published"
    wait(lambda: board.call("", "GET", "/methods/alpha.html").status == 200)
    wait(lambda: board.children() == {})
    left = [path.name for path in (data / "sites").iterdir() if not path.name.isdigit()]
    assert left == []
    assert not (data / ".results.part").exists()


def test_memory_does_not_grow_with_fifty_uploads_under_way(tmp_path, ground, start):
    count, size, most = 50, 6 * MIB, 3 * MIB
    written = count * (size - 2 * MIB)
    data = tmp_path / "data"
    tokens = [add_team(data, f"team-{n}") for n in range(10)]
    board = start(command(data, ground))
    wait(lambda: (data / "site").is_dir())
    headers, head, tail = form(CARD, size)
    under_way = threading.Barrier(count + 1)

    def body(number):
        yield head
        for _ in range(size // MIB):
            yield bytes([number]) * MIB
        under_way.wait(60)  # all is sent but the end
        under_way.wait(60)
        yield tail

    def send(number):
        token = tokens[number % len(tokens)]
        return board.call(token, "POST", SUBMISSIONS, body(number), **headers).status

    def resident():
        pages = int(Path(f"/proc/{board.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    before = resident()
    with ThreadPoolExecutor(count) as pool:
        statuses = [pool.submit(send, number) for number in range(count)]
        under_way.wait(60)
        wait(lambda: sum(p.stat().st_size for p in data.glob("incoming/*/*.npz")) >= written)
        grown = resident() - before
        under_way.wait(60)
        assert [status.result() for status in statuses] == [201] * count
    assert grown < count * most < count * size, f"{grown / MIB:.0f} MiB for {count * size / MIB}"
